# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of ecs_notification_target as Ansible passes them, and bad ones with a part of their message."""

from __future__ import annotations

from typing import Any

ACCOUNT = "123456789012"
HERE = f"eu-central-1:{ACCOUNT}"
TOPIC = f"arn:aws:sns:{HERE}:alerts"
QUEUE = f"arn:aws:sqs:{HERE}:alerts"
FIFO = f"arn:aws:sqs:{HERE}:alerts.fifo"
FUNCTION = f"arn:aws:lambda:{HERE}:function:alerts"
LOG_GROUP = f"arn:aws:logs:{HERE}:log-group:/ecs/alerts"
STATE_MACHINE = f"arn:aws:states:{HERE}:stateMachine:alerts"
API_DESTINATION = f"arn:aws:events:{HERE}:api-destination/slack/11111111-2222-3333-4444-555555555555"
BUS = f"arn:aws:events:{HERE}:event-bus/central"
STREAM = f"arn:aws:kinesis:{HERE}:stream/alerts"
FIREHOSE = f"arn:aws:firehose:{HERE}:deliverystream/alerts"
UNDELIVERED = f"arn:aws:sqs:{HERE}:undelivered"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/alerts"
RULE = f"arn:aws:events:{HERE}:rule/failures"

NOTHING: dict[str, Any] = {
    "rule": "failures",
    "event_bus_name": "default",
    "id": "a",
    "arn": None,
    "state": "present",
    "role_arn": None,
    "resource_policy": True,
    "dead_letter_arn": None,
    "maximum_retry_attempts": None,
    "maximum_event_age_in_seconds": None,
    "input": None,
    "input_path": None,
    "input_transformer": None,
    "message_template": None,
    "message_options": None,
    "message_for": None,
    "message_group_id": None,
    "partition_key_path": None,
    "http_parameters": None,
}


def params(**options: Any) -> dict[str, Any]:
    return {**NOTHING, "arn": TOPIC, **options}


def template(text: str, **paths: str) -> dict[str, Any]:
    return {"input_transformer": {"input_paths_map": paths, "input_template": text}}


# Options besides rule, id and the topic's ARN, and words of the message. The check needs no call.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"rule": RULE}, "`rule` must be 1 to 64 letters"),
    ({"rule": ""}, "`rule` must be 1 to 64 letters"),
    ({"event_bus_name": "my bus"}, "`event_bus_name` must be the name of an event bus"),
    ({"event_bus_name": TOPIC}, "`event_bus_name` must be the name of an event bus"),
    ({"id": "a b"}, "`id` must be 1 to 64 letters"),
    ({"id": "a" * 65}, "`id` must be 1 to 64 letters"),
    ({"arn": None}, "arn is required"),
    ({"arn": "alerts"}, "must be the ARN of an SNS topic (arn:aws:sns:eu-west-1:123456789012:alerts), an SQS queue"),
    ({"arn": "arn:aws:sns:::alerts"}, "`arn` must be the ARN of an SNS topic"),
    (
        {"arn": f"arn:aws:ecs:{HERE}:cluster/production"},
        "a Firehose stream (arn:aws:firehose:eu-west-1:123456789012:deliverystream/alerts) (got",
    ),
    (
        {"arn": f"{TOPIC}:4c1f8b1e-0000-0000-0000-000000000000"},
        "must be the ARN of an SNS topic (arn:aws:sns:eu-west-1:123456789012:alerts) (got",
    ),
    ({"arn": f"arn:aws:states:{HERE}:execution:alerts:1"}, "`arn` must be the ARN of a state machine"),
    ({"arn": f"{LOG_GROUP}:log-stream:x"}, "`arn` must be the ARN of a log group"),
    ({"arn": f"{FUNCTION}:$LATEST"}, "`arn` must be the ARN of a Lambda function"),
    ({"arn": f"arn:aws:events:{HERE}:connection/slack/1"}, "`arn` must be the ARN of an API destination"),
    ({"arn": f"{TOPIC}.fifo"}, "FIFO topic"),
    ({"arn": STATE_MACHINE}, "allowed states:StartExecution"),
    ({"arn": API_DESTINATION}, "allowed events:InvokeApiDestination"),
    ({"arn": BUS}, "allowed events:PutEvents"),
    ({"arn": STREAM}, "allowed kinesis:PutRecord"),
    ({"arn": FIREHOSE}, "allowed firehose:PutRecord"),
    ({"arn": LOG_GROUP, "role_arn": ROLE}, "uses no role for a log group"),
    ({"role_arn": "alerts"}, "`role_arn` must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/jobs"),
    (
        {"role_arn": f"arn:aws:iam::{ACCOUNT}:user/me"},
        "`role_arn` must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/jobs",
    ),
    ({"arn": FIFO}, "message_group_id is missing"),
    ({"message_group_id": "a"}, "message_group_id is for SQS queues"),
    ({"arn": QUEUE, "message_group_id": "a" * 101}, "`message_group_id` must have 1 to 100 characters"),
    ({"partition_key_path": "$.id"}, "partition_key_path is for Kinesis streams"),
    ({"arn": STREAM, "role_arn": ROLE, "partition_key_path": "detail.id"}, "not a path that EventBridge understands"),
    ({"http_parameters": {"header_parameters": {"a": "b"}}}, "http_parameters are for API destinations"),
    (
        {"arn": API_DESTINATION, "role_arn": ROLE, "http_parameters": {"header_parameters": {"": "b"}}},
        "a value without a name",
    ),
    ({"dead_letter_arn": "undelivered"}, "`dead_letter_arn` must be the ARN of a standard SQS queue, not FIFO"),
    ({"dead_letter_arn": TOPIC}, "`dead_letter_arn` must be the ARN of a standard SQS queue, not FIFO"),
    ({"dead_letter_arn": FIFO}, "a standard SQS queue, not FIFO"),
    ({"arn": QUEUE, "dead_letter_arn": QUEUE}, "is the target itself"),
    ({"maximum_retry_attempts": 186}, "`maximum_retry_attempts` must be a number from 0 to 185"),
    ({"maximum_retry_attempts": -1}, "`maximum_retry_attempts` must be a number from 0 to 185"),
    ({"maximum_event_age_in_seconds": 59}, "`maximum_event_age_in_seconds` must be a number from 60 to 86400"),
    ({"input": "{}", "message_template": "plain"}, "input and message_template are mutually exclusive"),
    ({"input_path": "$.detail", **template("<a>", a="$.id")}, "are mutually exclusive"),
    ({"input": "failed"}, "input is not JSON"),
    ({"input": f'"{"a" * 8192}"'}, "`input` must have at most 8192 characters"),
    ({"arn": LOG_GROUP, "input": '"failed"'}, "takes only the form"),
    ({"input_path": "$.detail['a']"}, "not a path that EventBridge understands"),
    ({"input_path": f"$.{'a' * 255}"}, "`input_path` must have at most 256 characters"),
    (template("failed"), "is not JSON with placeholders"),
    (template('{"a": <a>', a="$.id"), "is not JSON with placeholders"),
    (template('{"a": "<a>}', a="$.id"), "is not JSON with placeholders"),
    (template("  "), "input_template must not be empty"),
    (template('{"a": <b>}', a="$.id"), "<b> is defined nowhere"),
    (template('"see <https://example.org|here>"'), "is defined nowhere"),
    (template('{"<a>": 1}', a="$.id"), "a placeholder stands in a key"),
    (template('{"a": "<aws.events.event.json>"}'), "stands in quotes"),
    (template(f'"{"a" * 8192}"'), "`input_template` must have at most 8192 characters"),
    (template("<a>", **{f"a{number}": "$.id" for number in range(101)}), "EventBridge allows 100"),
    (template("<aws.x>", **{"aws.x": "$.id"}), "cannot be a key"),
    (template("<awsx>", awsx="$.id"), "do not begin with aws"),
    (template("<a>", a="id"), "input_paths_map, a: 'id' is not a path"),
    ({"arn": LOG_GROUP, **template('{"message": <a>}', a="$.id")}, "takes only the form"),
    ({"arn": LOG_GROUP, "message_template": "plain"}, "a log group keeps the whole event"),
    ({"arn": BUS, "role_arn": ROLE, "message_template": "plain"}, "an event bus receives events unchanged"),
    ({"message_template": "slack"}, "slack needs a channel"),
    ({"message_template": "teams", "message_options": {"channel": "C1"}}, "channel is for slack"),
    ({"message_template": "slack", "message_options": {"channel": "<C1>"}}, "without < and >"),
    ({"message_template": "teams", "message_options": {"title": "a\nb"}}, "write one line"),
    ({"message_template": "custom"}, "template goes with message_template custom, and custom needs it"),
    (
        {"message_template": "plain", "message_options": {"template": "{}"}},
        "template goes with message_template custom",
    ),
    ({"message_template": "custom", "message_options": {"template": '{"a": <b>}'}}, "<b> is unknown"),
    ({"message_template": "custom", "message_options": {"template": '{"a": }'}}, "input_template is not JSON"),
    ({"message_template": "plain", "message_options": {"subject": "<job>"}}, "without < and >"),
    ({"message_template": "jira", "message_options": {"title": "a" * 131}}, "and jira takes 130. Shorten them"),
    ({"message_template": "teams", "message_options": {"title": "a" * 8000}}, "texts are too long"),
    ({"message_options": {"title": "a"}}, "message_options requires message"),
    ({"message_for": "task"}, "message_for requires message"),
]
