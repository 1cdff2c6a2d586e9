# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to Step Functions, EventBridge Scheduler and EventBridge rules: what they send, what they make of answers."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import (
    identity,
    scheduler,
    stepfunctions,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed

from tests.unit.aws.clients import at, stubbed

ACCOUNT = "111122223333"
ARN = f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:report"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/report"
GROUP = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:states:*"
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:dead"
CLUSTER = f"arn:aws:ecs:eu-central-1:{ACCOUNT}:cluster/prod"
TASK_DEFINITION = f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task-definition/report"
DEFINITION = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
OFF = {"level": "OFF", "include_execution_data": False, "log_group_arn": None}
MACHINE = {
    "name": "report",
    "arn": ARN,
    "type": "STANDARD",
    "role_arn": ROLE,
    "definition": DEFINITION,
    "logging": OFF,
    "tracing": False,
}
DESCRIBED = {
    "stateMachineArn": ARN,
    "name": "report",
    "definition": json.dumps(DEFINITION),
    "roleArn": ROLE,
    "type": "STANDARD",
    "creationDate": at(0),
}
LOGGED = {
    "level": "ERROR",
    "includeExecutionData": True,
    "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
}
LOGGING = {"level": "ERROR", "include_execution_data": True, "log_group_arn": GROUP}


def test_no_state_machine():
    client, stub = stubbed("stepfunctions")
    stub.add_client_error("describe_state_machine", "StateMachineDoesNotExist", "State Machine Does Not Exist")
    assert stepfunctions.describe(client, ARN) is None


def test_another_error_is_passed_on():
    client, stub = stubbed("stepfunctions")
    stub.add_client_error("describe_state_machine", "AccessDeniedException", "no")
    with pytest.raises(CallFailed, match="Allow states:DescribeStateMachine"):
        stepfunctions.describe(client, ARN)


@pytest.mark.parametrize(
    ("answer", "machine", "state"),
    [
        ({}, {}, "ACTIVE"),
        ({"status": "DELETING"}, {}, "DELETING"),
        (
            {"loggingConfiguration": LOGGED, "tracingConfiguration": {"enabled": True}},
            {"logging": LOGGING, "tracing": True},
            "ACTIVE",
        ),
        ({"loggingConfiguration": {"level": "OFF", "includeExecutionData": True}}, {}, "ACTIVE"),
    ],
)
def test_a_state_machine(answer, machine, state):
    client, stub = stubbed("stepfunctions")
    stub.add_response("describe_state_machine", {**DESCRIBED, **answer}, {"stateMachineArn": ARN})
    found = stepfunctions.describe(client, ARN)
    assert (found.machine, found.state) == ({**MACHINE, **machine}, state)


def test_a_new_state_machine():
    client, stub = stubbed("stepfunctions")
    request = {
        "name": "report",
        "type": "STANDARD",
        "definition": json.dumps(DEFINITION, indent=2),
        "roleArn": ROLE,
        "loggingConfiguration": LOGGED,
        "tracingConfiguration": {"enabled": False},
        "tags": [{"key": "a", "value": "b"}],
    }
    stub.add_response("create_state_machine", {"stateMachineArn": ARN, "creationDate": at(0)}, request)
    stepfunctions.create(client, {**MACHINE, "logging": LOGGING, "tags": {"a": "b"}})
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("keys", "request_"),
    [
        (["role_arn"], {}),
        (["definition"], {"definition": json.dumps(DEFINITION, indent=2)}),
        (
            ["logging", "tracing"],
            {
                "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
                "tracingConfiguration": {"enabled": False},
            },
        ),
    ],
)
def test_an_update_says_no_more_than_it_has_to(keys, request_):
    client, stub = stubbed("stepfunctions")
    stub.add_response(
        "update_state_machine", {"updateDate": at(0)}, {"stateMachineArn": ARN, "roleArn": ROLE, **request_}
    )
    stepfunctions.update(client, MACHINE, keys)
    stub.assert_no_pending_responses()


def test_tags():
    client, stub = stubbed("stepfunctions")
    stub.add_response(
        "list_tags_for_resource", {"tags": [{"key": "a", "value": "b"}, {"key": "c"}]}, {"resourceArn": ARN}
    )
    stub.add_response("tag_resource", {}, {"resourceArn": ARN, "tags": [{"key": "a", "value": "b"}]})
    stub.add_response("untag_resource", {}, {"resourceArn": ARN, "tagKeys": ["c"]})
    stub.add_response("delete_state_machine", {}, {"stateMachineArn": ARN})
    assert stepfunctions.tags(client, ARN) == {"a": "b", "c": ""}
    stepfunctions.tag(client, ARN, {"a": "b"})
    stepfunctions.untag(client, ARN, ["c"])
    stepfunctions.delete(client, ARN)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("result", "diagnostics", "found"),
    [
        ("OK", [], ([], [])),
        ("OK", [{"severity": "WARNING", "code": "X", "message": "mind this"}], ([], ["mind this"])),
        (
            "FAIL",
            [{"severity": "ERROR", "code": "X", "message": "bad", "location": "/States/A"}],
            (["/States/A: bad"], []),
        ),
        ("FAIL", [], (["AWS refuses it without a reason"], [])),
    ],
)
def test_the_judgement_of_aws(result, diagnostics, found):
    client, stub = stubbed("stepfunctions")
    request = {"definition": json.dumps(DEFINITION), "type": "STANDARD", "severity": "WARNING"}
    stub.add_response("validate_state_machine_definition", {"result": result, "diagnostics": diagnostics}, request)
    assert stepfunctions.validate(client, DEFINITION, "STANDARD") == found


def test_whose_credentials():
    client, stub = stubbed("sts")
    stub.add_response("get_caller_identity", {"Arn": ROLE}, {})
    assert identity.caller(client) == ROLE


TARGET = {
    "arn": ARN,
    "role_arn": ROLE,
    "input": None,
    "dead_letter_arn": None,
    "maximum_retry_attempts": 185,
    "maximum_event_age_in_seconds": 86400,
    "task": None,
}
TASK = {
    "task_definition": TASK_DEFINITION,
    "count": 2,
    "launch_type": None,
    "capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1, "base": 0}],
    "platform_version": "LATEST",
    "network_configuration": {"subnets": ["subnet-1"], "security_groups": [], "assign_public_ip": True},
    "group": "g",
    "propagate_tags": True,
    "tags": {"a": "b"},
    "enable_execute_command": True,
    "enable_ecs_managed_tags": False,
}
PLAIN = {"Arn": ARN, "RoleArn": ROLE, "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}}
ON_ECS = {
    **PLAIN,
    "Arn": CLUSTER,
    "Input": '{"cpu": "512"}',
    "DeadLetterConfig": {"Arn": QUEUE},
    "EcsParameters": {
        "TaskDefinitionArn": TASK_DEFINITION,
        "TaskCount": 2,
        "CapacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1, "base": 0}],
        "PlatformVersion": "LATEST",
        "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "ENABLED"}},
        "Group": "g",
        "PropagateTags": "TASK_DEFINITION",
        "Tags": [{"key": "a", "value": "b"}],
        "EnableExecuteCommand": True,
    },
}
TARGETS = [
    (TARGET, PLAIN),
    ({**TARGET, "arn": CLUSTER, "input": {"cpu": "512"}, "dead_letter_arn": QUEUE, "task": TASK}, ON_ECS),
]
SCHEDULE = {
    "name": "nightly",
    "group_name": "default",
    "enabled": True,
    "schedule_expression": "rate(1 hour)",
    "schedule_expression_timezone": "UTC",
    "flexible_time_window": None,
    "start_date": None,
    "end_date": None,
    "description": None,
    "kms_key_arn": None,
    "action_after_completion": "NONE",
    "tags": None,
}
REQUEST = {
    "Name": "nightly",
    "GroupName": "default",
    "State": "ENABLED",
    "ScheduleExpression": "rate(1 hour)",
    "ScheduleExpressionTimezone": "UTC",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "ActionAfterCompletion": "NONE",
}


@pytest.mark.parametrize(("target", "theirs"), TARGETS)
@pytest.mark.parametrize(
    ("more", "sent", "told"),
    [
        ({}, {}, {}),
        (
            {
                "enabled": False,
                "flexible_time_window": 15,
                "start_date": "1970-01-01T00:16:40Z",
                "end_date": "1970-01-01T00:33:20Z",
                "description": "d",
            },
            {
                "State": "DISABLED",
                "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
                "StartDate": 1000.0,
                "EndDate": 2000.0,
                "Description": "d",
            },
            {"StartDate": at(1000), "EndDate": at(2000)},
        ),
    ],
)
@pytest.mark.parametrize("operation", ["create", "update"])
def test_a_schedule_there_and_back(target, theirs, more, sent, told, operation):
    client, stub = stubbed("scheduler")
    request = {**REQUEST, **sent, "Target": theirs}
    arn = f"arn:aws:scheduler:eu-central-1:{ACCOUNT}:schedule/default/nightly"
    stub.add_response(f"{operation}_schedule", {"ScheduleArn": arn}, {**request, "ClientToken": "t"})
    getattr(scheduler, operation)(client, {**SCHEDULE, **more, "target": target}, "t")
    stub.add_response("get_schedule", {**request, **told, "Arn": arn}, {"GroupName": "default", "Name": "nightly"})
    found, foreign = scheduler.get(client, "default", "nightly")
    dates = {
        key: found[key] and {1000.0: "1970-01-01T00:16:40Z", 2000.0: "1970-01-01T00:33:20Z"}[found[key]]
        for key in ("start_date", "end_date")
    }
    assert {**found, **dates} == {**SCHEDULE, **more, "target": target, "arn": arn, "using": "scheduler"}
    assert foreign == ()


def test_what_is_gone_already():
    client, stub = stubbed("scheduler")
    for operation in ("get_schedule", "get_schedule_group", "delete_schedule"):
        stub.add_client_error(operation, "ResourceNotFoundException", "Schedule nightly does not exist.")
    assert scheduler.get(client, "default", "nightly") is None
    assert scheduler.group_exists(client, "reports") is False
    scheduler.delete(client, "default", "nightly")


def test_an_input_that_is_no_json_is_shown_as_it_is():
    client, stub = stubbed("scheduler")
    stub.add_response("get_schedule", {**REQUEST, "Arn": "arn:aws:x", "Target": {**PLAIN, "Input": "plain"}})
    assert scheduler.get(client, "g", "n")[0]["target"]["input"] == "plain"


def test_parts_of_a_target_that_are_not_known():
    client, stub = stubbed("scheduler")
    theirs = {**ON_ECS, "SqsParameters": {"MessageGroupId": "g"}}
    theirs["EcsParameters"] = {**ON_ECS["EcsParameters"], "ReferenceId": "r"}
    stub.add_response(
        "get_schedule", {**REQUEST, "Arn": "arn:aws:x", "Target": theirs}, {"GroupName": "g", "Name": "n"}
    )
    assert scheduler.get(client, "g", "n")[1] == ("EcsParameters.ReferenceId", "SqsParameters")
