# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EventBridge refuses, and what it keeps: rules, targets, events, patterns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.client import Sandbox
from tests.sandbox.events.pattern_check import read_pattern

from .conftest import NUMBER, REGION, Aws
from .event_stack import FAILED, queue, role, rule, target

PATTERN = '{"source": ["aws.ecs"]}'
SQS = f"arn:aws:sqs:{REGION}:{NUMBER}:alerts"
MACHINE = f"arn:aws:states:{REGION}:{NUMBER}:stateMachine:job"


def refusal(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


RULES = {
    "no pattern and no schedule": ({}, "ValidationException", "EventPattern or ScheduleExpression must be specified"),
    "no JSON": ({"EventPattern": "{source}"}, "InvalidEventPatternException", "Event pattern is not valid. Reason: "),
    "an unknown operator": (
        {"EventPattern": '{"a": [{"matches": "b"}]}'},
        "InvalidEventPatternException",
        "Unrecognized match type matches",
    ),
    "too long for the API": ({"EventPattern": '{"a": ["' + "b" * 4100 + '"]}'}, "ValidationException", "4096"),
    "too long for the quota": (
        {"EventPattern": '{"a": ["' + "b" * 2100 + '"]}'},
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    ),
    "a bad name": ({"Name": "a b", "EventPattern": PATTERN}, "ValidationException", "regular expression pattern"),
    "a long name": ({"Name": "a" * 65, "EventPattern": PATTERN}, "ValidationException", "less than or equal to 64"),
    "an unknown state": ({"State": "ON", "EventPattern": PATTERN}, "ValidationException", "enum value set"),
    "an unknown bus": (
        {"EventBusName": "none", "EventPattern": PATTERN},
        "ResourceNotFoundException",
        "Event bus none does not exist.",
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_put_rule_refuses(events: Sandbox, aws: Aws, case: str) -> None:
    parameters, code, text = RULES[case]
    found = refusal(aws("events").put_rule, **{"Name": "r", **parameters})
    assert found[0] == code
    assert text in found[1]
    assert aws("events").list_rules()["Rules"] == []


def test_what_put_rule_is_not_given_becomes_null_but_targets_and_tags_stay(events: Sandbox, aws: Aws) -> None:
    tags = [{"Key": "team", "Value": "ops"}]
    arn = rule(aws, Description="words", State="DISABLED", Tags=tags)
    target(aws, queue(aws))
    aws("events").put_rule(Name="failures", EventPattern=PATTERN, Tags=[{"Key": "team", "Value": "other"}])
    found = aws("events").describe_rule(Name="failures")
    assert (found.get("Description"), found["State"]) == (None, "ENABLED")
    assert aws("events").list_tags_for_resource(ResourceARN=arn)["Tags"] == tags
    assert len(aws("events").list_targets_by_rule(Rule="failures")["Targets"]) == 1


@pytest.mark.parametrize("operation", ["describe_rule", "enable_rule", "disable_rule"])
def test_an_unknown_rule(events: Sandbox, aws: Aws, operation: str) -> None:
    found = refusal(getattr(aws("events"), operation), Name="none")
    assert found == ("ResourceNotFoundException", "Rule none does not exist on EventBus default.")


def test_a_rule_with_targets_is_not_deleted(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    target(aws, queue(aws))
    assert refusal(aws("events").delete_rule, Name="failures")[0] == "ValidationException"
    aws("events").remove_targets(Rule="failures", Ids=["t"])
    aws("events").delete_rule(Name="failures")
    assert aws("events").list_rules()["Rules"] == []


TARGETS: dict[str, tuple[dict[str, Any], str]] = {
    "no ARN": ({"Arn": "alerts"}, "Parameter alerts is not valid. Reason: Provided Arn is not in correct format."),
    "another region": ({"Arn": SQS.replace(REGION, "us-east-1")}, "region of the rule"),
    "a bad id": ({"Id": "a b"}, "at 'targets.1.member.id' failed to satisfy constraint"),
    "no role for a state machine": ({"Arn": MACHINE}, f"RoleArn is required for target {MACHINE}."),
    "a role that does not exist": (
        {"Arn": MACHINE, "RoleArn": f"arn:aws:iam::{NUMBER}:role/none"},
        f"Provided role 'arn:aws:iam::{NUMBER}:role/none' cannot be assumed by principal 'events.amazonaws.com'.",
    ),
    "a role that is none": ({"RoleArn": "none"}, "Provided Arn is not in correct format."),
    "no group for a FIFO queue": (
        {"Arn": f"{SQS}.fifo"},
        "Parameter(s) SqsParameters must be specified for target: t.",
    ),
    "two kinds of input": (
        {"Input": "{}", "InputPath": "$"},
        "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
    ),
    "an input that is no JSON": ({"Input": "{"}, "JSON syntax error in input for target t"),
    "a placeholder without a path": (
        {"InputTransformer": {"InputPathsMap": {}, "InputTemplate": '"<none>"'}},
        "InputTemplate for target t contains invalid placeholder none.",
    ),
    "a long template": ({"InputTransformer": {"InputTemplate": '"' + "a" * 8192 + '"'}}, "less than or equal to 8192"),
    "too many paths": (
        {"InputTransformer": {"InputPathsMap": {f"p{n}": "$" for n in range(101)}, "InputTemplate": '""'}},
        "less than or equal to 100",
    ),
    "a bad key": (
        {"InputTransformer": {"InputPathsMap": {"a b": "$"}, "InputTemplate": '""'}},
        "regular expression pattern",
    ),
    "a reserved key": (
        {"InputTransformer": {"InputPathsMap": {"AWS-x": "$", "aws.x": "$"}, "InputTemplate": '""'}},
        "regular expression pattern",
    ),
    "too many retries": ({"RetryPolicy": {"MaximumRetryAttempts": 186}}, "value less than or equal to 185"),
    "too short an age": ({"RetryPolicy": {"MaximumEventAgeInSeconds": 59}}, "value greater than or equal to 60"),
    "dead letters into a FIFO queue": ({"DeadLetterConfig": {"Arn": f"{SQS}.fifo"}}, "a standard queue"),
}


@pytest.mark.parametrize("case", TARGETS)
def test_put_targets_refuses(events: Sandbox, aws: Aws, case: str) -> None:
    parameters, text = TARGETS[case]
    rule(aws)
    found = refusal(aws("events").put_targets, Rule="failures", Targets=[{"Id": "t", "Arn": SQS, **parameters}])
    assert found[0] == "ValidationException"
    assert text in found[1]
    assert aws("events").list_targets_by_rule(Rule="failures")["Targets"] == []


def test_a_role_has_to_trust_eventbridge(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    other = role(aws, "states:*", "*", service="lambda.amazonaws.com")
    wanted = {"Id": "t", "Arn": MACHINE, "RoleArn": other}
    assert "cannot be assumed" in refusal(aws("events").put_targets, Rule="failures", Targets=[wanted])[1]


def test_five_targets_and_no_more(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    targets = [{"Id": f"t{number}", "Arn": f"{SQS}{number}"} for number in range(6)]
    aws("events").put_targets(Rule="failures", Targets=targets[:5])
    aws("events").put_targets(Rule="failures", Targets=[{"Id": "t0", "Arn": SQS}])
    assert refusal(aws("events").put_targets, Rule="failures", Targets=targets[5:])[0] == "LimitExceededException"
    assert refusal(aws("events").put_targets, Rule="none", Targets=targets[:1])[0] == "ResourceNotFoundException"


def test_targets_may_fail_one_by_one(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    events.fault("targets_refused", target="b", times=1, code="ConcurrentModificationException")
    answer = aws("events").put_targets(Rule="failures", Targets=[{"Id": each, "Arn": f"{SQS}{each}"} for each in "ab"])
    assert answer["FailedEntryCount"] == 1
    assert answer["FailedEntries"][0]["ErrorCode"] == "ConcurrentModificationException"
    assert [each["Id"] for each in aws("events").list_targets_by_rule(Rule="failures")["Targets"]] == ["a"]


ENTRY = {"Source": "shop", "DetailType": "order", "Detail": "{}"}


@pytest.mark.parametrize(("change", "code"), [
    ({"Source": "aws.ecs"}, "NotAuthorizedForSourceException"),
    ({"Source": ""}, "InvalidArgument"),
    ({"Detail": None}, "InvalidArgument"),
    ({"Detail": "[1]"}, "MalformedDetail"),
    ({"Detail": "{"}, "MalformedDetail"),
])  # fmt: skip
def test_events_that_are_not_taken(events: Sandbox, aws: Aws, change: dict[str, Any], code: str) -> None:
    entry = {name: value for name, value in {**ENTRY, **change}.items() if value is not None}
    answer = aws("events").put_events(Entries=[entry, ENTRY])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == code
    assert answer["Entries"][1]["EventId"]
    assert [each["event"]["source"] for each in events.events()] == ["shop"]


def test_too_many_or_too_large_events(events: Sandbox, aws: Aws) -> None:
    assert refusal(aws("events").put_events, Entries=[ENTRY] * 11)[0] == "ValidationException"
    large = {**ENTRY, "Detail": json.dumps({"a": "b" * 262_144})}
    assert "over the limit" in refusal(aws("events").put_events, Entries=[large])[1]


def test_patterns_are_tested_by_the_matcher(events: Sandbox, aws: Aws) -> None:
    event = {"id": "1", "account": NUMBER, "time": "2026-01-01T00:00:00Z", "region": REGION, "resources": [], **FAILED}
    ask = aws("events").test_event_pattern
    pattern = '{"detail": {"containers": {"exitCode": [137]}}}'
    assert ask(EventPattern=pattern, Event=json.dumps(event))["Result"]
    assert not ask(EventPattern=pattern.replace("137", "1"), Event=json.dumps(event))["Result"]
    assert refusal(ask, EventPattern=pattern, Event="[]") == ("ValidationException", "Parameter Event is not valid.")
    assert refusal(ask, EventPattern='{"a": 1}', Event=json.dumps(event))[0] == "InvalidEventPatternException"


# Patterns that AWS was seen to refuse, with its reason.
BAD_PATTERNS = {
    '{"resources": []}': "Empty arrays are not allowed",
    '{"int": 42}': '"int" must be an object or an array',
    '{"a": [{"EXISTS": true}]}': "Unrecognized match type EXISTS",
    '{"a": [{"prefix": 123}]}': "prefix match pattern must be a string",
    '{"a": [{"suffix": [".png"]}]}': "suffix match pattern must be a string",
    '{"a": [{"wildcard": "a**b"}]}': "Consecutive wildcard characters",
    '{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}': "Rule is too complex",
    '{"a": [{"equals-ignore-case": ["a"]}]}': "equals-ignore-case match pattern must be a string",
    '{"a": [{"cidr": "bad"}]}': "Malformed CIDR, one '/' required",
    '{"a": [{"cidr": "xx.11.xx/8"}]}': "Nonstandard IP address: xx.11.xx",
    '{"a": [{"numeric": 10}]}': "Value of numeric must be an array.",
    '{"a": [{"numeric": [">", 0, ">", 0]}]}': "Bad numeric range operator: >",
    '{"a": [{"numeric": [">", 0, "<"]}]}': "Value of < must be numeric",
    '{"a": [{"anything-but": null}]}': "Value of anything-but must be an array or single string/number value.",
    '{"a": [{"anything-but": ["b", null]}]}': "Inside anything but list, start|null|boolean is not supported.",
    '{"a": [{"anything-but": {"prefix": ""}}]}': "Null prefix/suffix not allowed",
    '{"a": [{"anything-but": {"prefix": 1}}]}': "prefix/suffix match pattern must be a string",
    '{"a": [{"anything-but": {"wildcard": [1]}}]}': "wildcard match pattern must be a string",
    '{"a": [{"anything-but": {"equals-ignore-case": 1}}]}': "Inside anything-but/equals-ignore-case list",
    '["a"]': "Filter is not an object",
}
GOOD_PATTERNS = [
    '{"a": [{"exists": false}, {"anything-but": [0, 143]}]}',
    '{"a": [{"anything-but": {"prefix": ["b", "c"]}}]}',
    '{"a": [{"numeric": [">", 0, "<=", 5]}, {"numeric": ["=", 3.5]}]}',
    '{"a": [{"prefix": {"equals-ignore-case": "b"}}, null, true, "x", 1]}',
    '{"$or": [{"a": ["b"]}, {"c": {"d": [{"wildcard": "*e*"}]}}]}',
    '{"a": [{"cidr": "10.0.0.0/24"}]}',
]


@pytest.mark.parametrize("pattern", BAD_PATTERNS)
def test_patterns_that_aws_refuses(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_pattern(pattern)
    assert BAD_PATTERNS[pattern] in str(caught.value)


@pytest.mark.parametrize("pattern", GOOD_PATTERNS)
def test_patterns_that_aws_takes(pattern: str) -> None:
    assert read_pattern(pattern) == json.loads(pattern)


def test_reads_and_writes_are_told_apart(events: Sandbox, aws: Aws) -> None:
    aws("events").list_rules()
    aws("events").test_event_pattern(EventPattern=PATTERN, Event=json.dumps({
        "id": "1", "account": "1", "time": "x", "region": "x", "resources": [], "source": "a", "detail-type": "b",
    }))  # fmt: skip
    aws("sts").get_caller_identity()
    aws("iam").list_roles()
    aws("lambda").list_functions()
    aws("sns").list_topics()
    aws("logs").describe_log_groups()
    queue(aws)
    aws("sqs").get_queue_url(QueueName="alerts")
    aws("sns").create_topic(Name="alerts")
    aws("sns").publish(TopicArn=f"arn:aws:sns:{REGION}:{NUMBER}:alerts", Message="x")
    writes = [call["operation"] for call in events.journal()["calls"] if call["write"]]
    assert writes == ["CreateQueue", "CreateTopic", "Publish"]
