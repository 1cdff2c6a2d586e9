# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscription filters: created, kept, changed back and forth, removed; filters of others are never changed."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import warnings

SUBSCRIPTION, INFO = "ecs_retry_subscription", "ecs_retry_subscription_info"
ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:launch-retry"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/launch-retry"
READS = ["DescribeSubscriptionFilters", "GetPolicy"]
MINE = {"name": "refused-launches", "log_group": "trail"}


@pytest.fixture
def aws(sandbox):
    """Clients of a sandbox that has a log group and two functions."""
    clients = {name: aws_client(sandbox, name) for name in ("logs", "lambda", "iam")}
    clients["logs"].create_log_group(logGroupName="trail")
    clients["iam"].create_role(RoleName="launch-retry", AssumeRolePolicyDocument="{}")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "")
    for name in ("launch-retry", "other"):
        clients["lambda"].create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=ROLE,
            Handler="handler.handler",
            Code={"ZipFile": content.getvalue()},
        )
    allow(clients, "other")
    return clients


def allow(aws: dict[str, Any], name: str, sid: str = "theirs") -> None:
    """Let CloudWatch Logs call a function, as somebody else would."""
    aws["lambda"].add_permission(
        FunctionName=name, StatementId=sid, Action="lambda:InvokeFunction", Principal="logs.amazonaws.com"
    )


@pytest.fixture
def subscription(sandbox, aws, start):
    """Runs the module, and returns its result and the names of the calls that it made."""

    def subscription(**options: Any) -> tuple[dict[str, Any], list[str]]:
        seen = sandbox.state()["calls"]
        given = {**MINE, "function_arn": FUNCTION, "wait_delay": 0.05, "wait_timeout": 10, **options}
        result = start(SUBSCRIPTION, **{key: value for key, value in given.items() if value is not None}).result()
        calls = sandbox.journal(since=seen)["calls"]
        return result, [named(call["operation"]) for call in calls]

    return subscription


def named(operation: str) -> str:
    """Return the name of an operation. The journal has some calls of Lambda by method and path."""
    method, _blank, path = operation.partition(" ")
    known = {"GET": "GetPolicy", "POST": "AddPermission", "DELETE": "RemovePermission"}
    if "/policy" in path:
        return known[method]
    return "GetFunctionConfiguration" if path.endswith("/configuration") else operation


def statements(aws: dict[str, Any], name: str = "launch-retry") -> list[dict[str, Any]]:
    try:
        return json.loads(aws["lambda"].get_policy(FunctionName=name)["Policy"])["Statement"]
    except aws["lambda"].exceptions.ResourceNotFoundException:
        return []


def filters(aws: dict[str, Any]) -> dict[str, str]:
    found = aws["logs"].describe_subscription_filters(logGroupName="trail")["subscriptionFilters"]
    return {each["filterName"]: each["destinationArn"] for each in found}


def test_it_is_made_and_kept_and_removed(subscription, aws):
    check, calls = subscription(check=True, diff=True)
    assert check["changed"]
    assert "PutSubscriptionFilter" not in calls
    made, calls = subscription(diff=True)
    assert made["changed"]
    assert calls[-2:] == ["AddPermission", "PutSubscriptionFilter"]
    assert (check["diff"], check["subscription"]) == (made["diff"], made["subscription"])
    assert filters(aws) == {"refused-launches": FUNCTION}
    (statement,) = statements(aws)
    assert statement["Condition"] == {
        "ArnLike": {"AWS:SourceArn": f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:trail:*"},
        "StringEquals": {"AWS:SourceAccount": ACCOUNT},
    }

    again, calls = subscription()
    assert (again["changed"], calls) == (False, READS)
    assert again["subscription"] == made["subscription"]

    check, _calls = subscription(state="absent", function_arn=None, check=True, diff=True)
    gone, calls = subscription(state="absent", function_arn=None, diff=True)
    assert calls[-2:] == ["DeleteSubscriptionFilter", "RemovePermission"]
    assert (check["diff"], check["subscription"]) == (gone["diff"], gone["subscription"])
    assert gone["subscription"] is None
    assert (filters(aws), statements(aws)) == ({}, [])
    assert subscription(state="absent")[0]["changed"] is False
    again, calls = subscription(state="absent", function_arn=None)
    assert (again["changed"], calls) == (False, READS[:1])


@pytest.mark.parametrize(
    "change",
    [
        {"clusters": ["production"]},
        {"task_families": ["report"]},
        {"transient_errors_only": False},
        {"exclude_role_arns": [ROLE]},
        {"regions": ["eu-central-1"]},
        {"filter_pattern": '{ $.eventName = "RunTask" }'},
    ],
    ids=str,
)
@pytest.mark.sampled(3)
def test_every_option_can_be_changed_and_changed_back(subscription, change):
    made, _calls = subscription()
    for options in (change, {}):
        check, calls = subscription(**options, check=True, diff=True)
        assert calls == READS
        done, calls = subscription(**options, diff=True)
        assert calls == [*READS, "PutSubscriptionFilter"]
        assert (check["diff"], check["subscription"]) == (done["diff"], done["subscription"])
        assert subscription(**options)[0]["changed"] is False
    assert done["subscription"] == made["subscription"]


def test_it_waits_until_logs_may_call_the_function(sandbox, subscription):
    words = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission."
    fault = {"operations": ["PutSubscriptionFilter"], "code": "InvalidParameterException", "message": words, "times": 3}
    sandbox.fault("error", **fault)
    result, calls = subscription()
    assert result["changed"]
    assert calls.count("PutSubscriptionFilter") == 4


def test_it_does_not_wait_for_ever_and_goes_on_from_there(sandbox, subscription):
    words = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission."
    sandbox.fault("error", operations=["PutSubscriptionFilter"], code="InvalidParameterException", message=words)
    result, _calls = subscription(wait_timeout=1)
    assert "may not call" in result["msg"]
    assert "wait_timeout" in result["msg"]
    assert "Done before that: added the invoke permission" in result["msg"]
    assert result["changed"]
    sandbox.clear_faults()
    result, calls = subscription()
    assert [call for call in calls if call not in READS] == ["PutSubscriptionFilter"]


def test_a_wrong_permission_is_made_right(subscription, aws):
    made, _calls = subscription()
    sid = made["subscription"]["permission"]["sid"]
    aws["lambda"].remove_permission(FunctionName="launch-retry", StatementId=sid)
    allow(aws, "launch-retry", sid)
    check, _calls = subscription(check=True, diff=True)
    result, calls = subscription(diff=True)
    assert [call for call in calls if call not in READS] == ["RemovePermission", "AddPermission"]
    assert check["diff"] == result["diff"]
    assert subscription()[0]["changed"] is False


def test_other_statements_and_filters_stay(subscription, aws):
    allow(aws, "launch-retry")
    theirs = FUNCTION.replace("launch-retry", "other")
    aws["logs"].put_subscription_filter(
        logGroupName="trail", filterName="theirs", filterPattern="", destinationArn=theirs
    )
    subscription()
    assert filters(aws) == {"theirs": theirs, "refused-launches": FUNCTION}
    subscription(state="absent")
    assert filters(aws) == {"theirs": theirs}
    assert [each["Sid"] for each in statements(aws)] == ["theirs"]


def test_the_policy_can_be_left_alone(subscription, aws):
    allow(aws, "launch-retry")
    result, calls = subscription(resource_policy=False)
    assert "GetPolicy" not in calls
    assert result["subscription"]["permission"] is None
    assert [each["Sid"] for each in statements(aws)] == ["theirs"]
    assert subscription(resource_policy=False)[0]["changed"] is False


def test_info_lists_them(subscription, aws, start):
    subscription()
    theirs = FUNCTION.replace("launch-retry", "other")
    aws["logs"].put_subscription_filter(
        logGroupName="trail", filterName="a", filterPattern="ERROR", destinationArn=theirs
    )
    found = start(INFO, log_group="trail").result()["subscriptions"]
    assert [(each["name"], each["destination_arn"]) for each in found] == [
        ("a", theirs),
        ("refused-launches", FUNCTION),
    ]
    assert [each["name"] for each in start(INFO, log_group="trail", name="a").result()["subscriptions"]] == ["a"]
    assert start(INFO, log_group="nowhere").result()["subscriptions"] == []
    for function, names in ((FUNCTION, ["refused-launches"]), (theirs, [])):
        found = start(INFO, function_arn=function).result()
        assert [each["name"] for each in found["subscriptions"]] == names
        assert found["log_groups"] == ["trail"] * len(names)
    for options, words in (
        ({"log_group": "no where"}, "must be the name of a log group"),
        ({"function_arn": "launch-retry"}, "`function_arn` must be the ARN of a Lambda function"),
        ({}, "one of the following is required"),
        ({"log_group": "trail", "function_arn": FUNCTION}, "mutually exclusive"),
    ):
        assert words in start(INFO, **options).result()["msg"]


def test_the_two_places_may_be_taken(subscription, aws):
    for name in ("one", "two"):
        aws["logs"].put_subscription_filter(
            logGroupName="trail",
            filterName=name,
            filterPattern="",
            destinationArn=FUNCTION.replace("launch-retry", "other"),
        )
    result, calls = subscription()
    assert result["failed"]
    assert "one (to arn:aws:lambda" in result["msg"]
    assert "two (to arn:aws:lambda" in result["msg"]
    assert set(calls) <= {*READS, "GetFunctionConfiguration"}


def test_check_mode_may_run_before_there_is_a_function(subscription):
    there = FUNCTION.replace("launch-retry", "not-yet")
    result, _calls = subscription(function_arn=there, check=True)
    assert result["changed"]
    assert "does not exist" in warnings(result)[0]


BAD = [
    ({"name": "a:b"}, "`name` must be 1 to 512 characters"),
    ({"log_group": "no where"}, "`log_group` must be the name of a log group"),
    ({"log_group": "nowhere"}, "The log group nowhere does not exist"),
    ({"log_group": "arn:aws:s3:::trail"}, "`log_group` must be the name of a log group"),
    ({"function_arn": None}, "function_arn is required"),
    ({"function_arn": "launch-retry"}, "`function_arn` must be the ARN of a Lambda function"),
    ({"function_arn": FUNCTION.replace("launch-retry", "nothing")}, "does not exist. Create it first"),
    ({"function_arn": FUNCTION.replace("eu-central-1", "us-east-1")}, "is in us-east-1"),
    ({"filter_pattern": "x" * 1025}, "(got 1025)"),
    ({"filter_pattern": "%a% %b% %c%"}, "has 3 regular expressions"),
    ({"filter_pattern": "{ $.a = 1"}, "with an unmatched brace"),
    ({"filter_pattern": "{ ($.a = 1 }"}, "parenthesis"),
    ({"filter_pattern": '{ $.a = "b }'}, "quotation mark"),
    ({"filter_pattern": "{ $.failures[0] EXISTS }"}, "EXISTS is not supported"),
    ({"filter_pattern": "x", "clusters": ["production"]}, "clusters are mutually exclusive"),
    ({"clusters": ["a b"]}, "`clusters` must be the name of an ECS cluster"),
    ({"clusters": [f"cluster-{number:03}" for number in range(30)]}, "allows 1024"),
    ({"task_families": ["report:7"]}, "must be a task family without revision"),
    ({"exclude_role_arns": ["launch-retry"]}, "`exclude_role_arns` must be the ARN of an IAM role"),
    ({"regions": ["Frankfurt"]}, "must be regions such as"),
    ({"wait_timeout": 0}, "wait_timeout must be a number of seconds above 0"),
    ({"wait_delay": -1}, "wait_delay must be a number of seconds above 0"),
    ({"state": "paused"}, "value of state must be one of"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[words for _options, words in BAD])
def test_bad_input_writes_nothing(sandbox, subscription, options, words):
    seen = sandbox.state()["calls"]
    result, _calls = subscription(**options)
    assert result["failed"]
    assert words in result["msg"]
    assert not any(call["write"] for call in sandbox.journal(since=seen)["calls"])


def test_a_filter_of_somebody_else_is_neither_written_over_nor_removed(sandbox, subscription, aws):
    theirs = FUNCTION.replace("launch-retry", "other")
    aws["logs"].put_subscription_filter(
        logGroupName="trail", filterName="refused-launches", filterPattern="", destinationArn=theirs
    )
    for state in ("present", "absent"):
        result, calls = subscription(state=state)
        assert "is not managed by this module" in result["msg"]
        assert set(calls) <= {*READS, "GetFunctionConfiguration"}
    assert filters(aws) == {"refused-launches": theirs}
