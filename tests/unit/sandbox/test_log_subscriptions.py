# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscription filters of log groups, and queues that trigger functions. The functions really run."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .aws import code, until
from .conftest import NUMBER, REGION, Aws
from .event_stack import function, queue

READ = """
import base64, gzip, json

def main(event, context):
    if "awslogs" in event:
        event = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    print("GOT " + json.dumps(event))
"""
FAILS_FOR = """
import json

def main(event, context):
    print("GOT " + json.dumps(event))
    bad = [each["messageId"] for each in event["Records"] if each["body"] == "bad"]
    if bad and PARTIAL:
        return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}
    assert not bad
"""
GROUP = f"arn:aws:logs:{REGION}:{NUMBER}:log-group:trail"


def got(aws: Aws, name: str = "alert") -> list[dict[str, Any]]:
    """Return what the function was invoked with."""
    groups = aws("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    lines = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"] if groups else []
    return [json.loads(each["message"][4:]) for each in lines if each["message"].startswith("GOT ")]


def subscribe(aws: Aws, arn: str, pattern: str, name: str = "failures", allowed: bool = True) -> None:
    if allowed:
        aws("lambda").add_permission(
            FunctionName=arn,
            StatementId=f"logs-{name}",
            Action="lambda:InvokeFunction",
            Principal="logs.amazonaws.com",
            SourceArn=f"{GROUP}:*",
            SourceAccount=NUMBER,
        )
    aws("logs").put_subscription_filter(
        logGroupName="trail", filterName=name, filterPattern=pattern, destinationArn=arn
    )


def write(aws: Aws, *messages: Any) -> None:
    now = int(time.time() * 1000)
    lines = [{"timestamp": now, "message": json.dumps(each)} for each in messages]
    aws("logs").put_log_events(logGroupName="trail", logStreamName="s", logEvents=lines)


@pytest.fixture
def trail(aws: Aws) -> None:
    aws("logs").create_log_group(logGroupName="trail")
    aws("logs").create_log_stream(logGroupName="trail", logStreamName="s")


def test_a_function_gets_the_lines_that_match(events: Sandbox, aws: Aws, trail: None) -> None:
    subscribe(aws, function(aws, READ), '{ ($.eventName = "RunTask") && ($.failures[0].reason = "*") }')
    write(aws, {"eventName": "RunTask", "failures": [{"reason": "full"}]}, {"eventName": "RunTask", "failures": []})
    write(aws, {"eventName": "StopTask"})
    assert events.settle()
    control, data = sorted(until(lambda: got(aws)[1:] and got(aws)), key=lambda each: str(each["messageType"]))
    assert control["messageType"] == "CONTROL_MESSAGE"
    assert (data["messageType"], data["logGroup"], data["subscriptionFilters"]) == (
        "DATA_MESSAGE",
        "trail",
        ["failures"],
    )
    assert [json.loads(each["message"])["failures"] for each in data["logEvents"]] == [[{"reason": "full"}]]


def test_what_put_subscription_filter_refuses(events: Sandbox, aws: Aws, trail: None) -> None:
    arn, put = function(aws, READ), aws("logs").put_subscription_filter
    asked = {"logGroupName": "trail", "filterName": "a", "filterPattern": "", "destinationArn": arn}
    assert code(put, **asked) == "InvalidParameterException"  # no permission
    subscribe(aws, arn, "", "a")
    subscribe(aws, arn, "", "b")
    assert code(put, **{**asked, "filterName": "c"}) == "LimitExceededException"
    assert code(put, **{**asked, "filterPattern": "{ broken"}) == "InvalidParameterException"
    assert code(put, **{**asked, "logGroupName": "none"}) == "ResourceNotFoundException"
    put(**{**asked, "filterPattern": "{ $.a = 1 }"})
    filters = aws("logs").describe_subscription_filters(logGroupName="trail")["subscriptionFilters"]
    assert {each["filterName"]: each["filterPattern"] for each in filters} == {"a": "{ $.a = 1 }", "b": ""}


def test_without_permission_nothing_arrives(events: Sandbox, aws: Aws, trail: None) -> None:
    arn = function(aws, READ)
    subscribe(aws, arn, "")
    aws("lambda").remove_permission(FunctionName=arn, StatementId="logs-failures")
    write(aws, {"a": 1})
    assert events.settle()
    assert {each["messageType"] for each in got(aws)} <= {"CONTROL_MESSAGE"}


def test_patterns_are_evaluated_for_whoever_asks(events: Sandbox, aws: Aws, trail: None) -> None:
    write(aws, {"a": 1}, {"a": 2})
    found = aws("logs").filter_log_events(logGroupName="trail", filterPattern="{ $.a > 1 }")["events"]
    assert [json.loads(each["message"]) for each in found] == [{"a": 2}]
    answer = aws("logs").test_metric_filter(filterPattern="{ $.a = 1 }", logEventMessages=['{"a": 2}', '{"a": 1}'])
    assert [each["eventNumber"] for each in answer["matches"]] == [2]
    wrong = {"filterPattern": "{ $.a ", "logEventMessages": ["x"]}
    assert code(aws("logs").test_metric_filter, **wrong) == "InvalidParameterException"


def trigger(aws: Aws, code_of_function: str, **details: Any) -> str:
    """Create a queue that triggers a function, and return its URL."""
    arn = queue(aws, "retries", VisibilityTimeout="60", **details.pop("attributes", {}))
    function(aws, code_of_function)
    aws("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="alert", **details)
    return str(aws("sqs").get_queue_url(QueueName="retries")["QueueUrl"])


def left(aws: Aws, url: str) -> int:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_a_queue_triggers_a_function_and_a_delay_is_the_sandboxs(events: Sandbox, aws: Aws) -> None:
    url = trigger(aws, READ)
    began = time.monotonic()
    aws("sqs").send_message(
        QueueUrl=url,
        MessageBody="hello",
        DelaySeconds=900,
        MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}},
    )
    (event,) = until(lambda: got(aws))
    assert time.monotonic() - began >= 900 / 500
    (record,) = event["Records"]
    assert (record["body"], record["eventSource"], record["awsRegion"]) == ("hello", "aws:sqs", REGION)
    assert record["messageAttributes"]["a"]["stringValue"] == "b"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    until(lambda: left(aws, url) == 0)


@pytest.mark.parametrize("partial", [False, True])
def test_a_batch_that_fails_comes_back_and_ends_in_the_dead_letter_queue(
    events: Sandbox, aws: Aws, partial: bool
) -> None:
    dead = queue(aws, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    types = {"FunctionResponseTypes": ["ReportBatchItemFailures"]} if partial else {}
    url = trigger(aws, f"PARTIAL = {partial}\n{FAILS_FOR}", attributes={"RedrivePolicy": redrive}, **types)
    aws("sqs").send_message_batch(
        QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "bad"}, {"Id": "2", "MessageBody": "good"}]
    )
    where = aws("sqs").get_queue_url(QueueName="dead")["QueueUrl"]
    # A message that moves between two states is in no count for a moment, so wait for what arrives.
    until(lambda: left(aws, where) and left(aws, url) == 0, 20)
    if partial:
        assert left(aws, where) == 1
