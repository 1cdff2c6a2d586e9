# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions made from options."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states import definition as names
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.definition import definition
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.gate import SKIPPED
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.job import read_job
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.lint import lint
from hypothesis import given
from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

from tests.unit.core.states.jobs import ANY, FAILURES, NETWORK, ON_DEMAND, RETRY, SPOT, TOPIC, jobs, made

REFUSED = ["ECS.AmazonECSException", "AmazonECS.Unknown", "ECS.ServerException", "ECS.ThrottlingException"]
CLUSTER = "arn:aws:ecs:ap-northeast-1:123456789012:cluster/batch"
TASK_DEFINITION = "arn:aws:ecs:ap-northeast-1:123456789012:task-definition/batch"
# The parts of the published definition that decide what it does, from an article on batch jobs.
PUBLISHED = {
    "Type": "Task",
    "Resource": "arn:aws:states:::ecs:runTask.sync",
    "Parameters": {
        "LaunchType": "FARGATE",
        "PlatformVersion": "LATEST",
        "Cluster": CLUSTER,
        "TaskDefinition": TASK_DEFINITION,
        "PropagateTags": "TASK_DEFINITION",
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {
                "Subnets": ["subnet-1", "subnet-2", "subnet-3"],
                "AssignPublicIp": "ENABLED",
                "SecurityGroups": ["sg-1"],
            }
        },
    },
    "End": True,
    "Retry": [{"ErrorEquals": ["States.ALL"], "BackoffRate": 1, "IntervalSeconds": 10, "MaxAttempts": 1}],
}


def problems(definition_):
    """Return what a public validator finds, except false findings: it wants 2.0 for 2, and does not know filters."""
    config = Config(ignored_problem_types=[ProblemType.FLOAT])
    return [each for each in Linter.validate(definition_, config) if 'Field "judged.$"' not in each]


def test_the_published_definition_is_that_of_three_plain_options_and_a_timeout():
    found = made(
        cluster=CLUSTER,
        task_definition=TASK_DEFINITION,
        launch_type="FARGATE",
        platform_version="LATEST",
        propagate_tags=True,
        network_configuration={
            "subnets": ["subnet-1", "subnet-2", "subnet-3"],
            "security_groups": ["sg-1"],
            "assign_public_ip": True,
        },
        timeout="1h",
        comment="A description of my state machine",
        retry_any={**ANY, "max_attempts": 1, "interval": 10, "backoff_rate": 1.0},
    )
    assert found == {
        "Comment": "A description of my state machine",
        "StartAt": "ECS RunTask",
        "States": {"ECS RunTask": {**PUBLISHED, "TimeoutSeconds": 3600}},
    }


@given(options=jobs())
def test_every_definition_is_valid(options):
    found = definition(read_job(options))
    assert problems(found) == []
    assert lint(found).errors == []
    assert lint(found).warnings == []


def test_the_validator_finds_what_is_wrong():
    found = made(notify_topic_arn=TOPIC)
    del found["States"]["Fail"]
    assert problems(found)


@given(options=jobs())
def test_every_definition_has_a_timeout_and_its_errors_stay_what_they_are(options):
    found = definition(read_job(options))
    run = found["States"][names.RUN]
    assert run["TimeoutSeconds"] in {60, 1800, 7200}
    caught = "States.ALL" in str(run.get("Catch"))
    assert caught or "Catch" not in run, "what is not caught fails the execution with its own error"
    if caught:
        assert found["States"][names.FAIL] == {
            "Type": "Fail",
            "ErrorPath": "$.ended.error.Error",
            "CausePath": "$.ended.error.Cause",
        }
        ends = [name for name, state in found["States"].items() if state["Type"] in {"Fail", "Succeed"}]
        assert ends in ([names.FAIL], [SKIPPED, names.FAIL])


@given(options=jobs())
def test_messages_carry_no_environment(options):
    found = definition(read_job(options))
    told = {name: state for name, state in found["States"].items() if name.startswith(("Describe", "Read", "Notify"))}
    assert "Environment" not in json.dumps(told)
    assert "Overrides" not in json.dumps(told)


@pytest.mark.parametrize(
    ("options", "retry"),
    [
        ({}, None),
        ({"retry_launch": {**RETRY, "max_attempts": 0}}, None),
        ({"retry_failures": FAILURES}, None),
        (
            {"retry_launch": {**RETRY, "max_attempts": 0}, "retry_failures": {**FAILURES, "jitter": False}},
            [
                {"ErrorEquals": REFUSED, "MaxAttempts": 0},
                {
                    "ErrorEquals": ["States.TaskFailed"],
                    "IntervalSeconds": 60,
                    "BackoffRate": 2,
                    "MaxAttempts": 6,
                    "MaxDelaySeconds": 900,
                },
            ],
        ),
    ],
)
def test_retriers(options, retry):
    run = made(**options)["States"][names.RUN]
    assert run.get("Retry") == retry


@pytest.mark.parametrize("options", [{"retry_launch": {**RETRY, "max_attempts": 0}}, {"retry_any": ANY}])
def test_a_job_without_decisions_is_one_state(options):
    assert list(made(**options)["States"]) == [names.RUN]


def test_the_largest_definition_is_far_below_the_limits():
    """Step Functions allows 1 MiB for a definition, 256 KiB for the data of a state, and 80 characters for a name."""
    most = {**RETRY, "max_attempts": 50, "max_delay": None}
    codes = {**FAILURES, **most, "exit_codes": list(range(1, 256)), "stop_codes": ["SpotInterruption"]}
    network = {**NETWORK, "subnets": [f"subnet-{number:017x}" for number in range(16)]}
    found = made(
        network_configuration=network,
        rotate_subnets=True,
        capacity_provider_strategy=SPOT,
        fallback_capacity_provider_strategy=ON_DEMAND,
        retry_launch=most,
        retry_failures=codes,
        notify_topic_arn=TOPIC,
    )
    assert len(json.dumps(found)) < 100_000
    assert len(json.dumps(found["States"][names.START]["Result"])) < 20_000
    assert len(json.dumps(made())) < 8_000


def test_only_a_notification_has_no_way_back():
    states = made(notify_topic_arn=TOPIC, retry_launch={**RETRY, "max_attempts": 0})["States"]
    assert names.WAIT not in states
    assert states[names.NOTIFY]["Parameters"]["TopicArn"] == TOPIC
    assert states[names.NOTIFY]["Next"] == states[names.NOTIFY]["Catch"][0]["Next"] == names.FAIL


def test_launches_that_are_tried_again_go_through_the_subnets_and_to_the_fallback():
    found = made(
        network_configuration=NETWORK,
        rotate_subnets=True,
        capacity_provider_strategy=SPOT,
        fallback_capacity_provider_strategy=ON_DEMAND,
        retry_launch={**RETRY, "max_attempts": 3},
    )["States"]
    data = found[names.START]["Result"]
    assert [place["subnets"] for place in data["places"]] == [
        ["subnet-1", "subnet-2"],
        ["subnet-1"],
        ["subnet-2"],
        ["subnet-1"],
    ]
    providers = [place["strategy"][0]["CapacityProvider"] for place in data["places"]]
    assert providers == ["FARGATE_SPOT", "FARGATE", "FARGATE", "FARGATE"]
    assert data["launch_waits"] == [60, 120, 240]
    assert data["attempt"]["place"] == data["places"][0]
    parameters = found[names.RUN]["Parameters"]
    assert parameters["CapacityProviderStrategy.$"] == "$.attempt.place.strategy"
    assert "CapacityProviderStrategy" not in parameters
    assert "Retry" not in found[names.RUN]


def test_codes_of_which_one_is_enough():
    rule = {**FAILURES, "exit_codes": [75, 76], "stop_codes": ["SpotInterruption"], "max_attempts": 2}
    found = made(retry_failures=rule)["States"]
    (choice,) = found[names.AGAIN]["Choices"]
    assert choice["And"][0] == {"Variable": "$.attempt.failures", "NumericLessThan": 2}
    assert [next(reversed(each.values())) for each in choice["And"][1]["Or"]] == [True, True, "SpotInterruption"]
    assert found[names.AGAIN]["Default"] == names.FAIL


def test_overrides_and_tags_in_the_case_of_the_states_language():
    container = {
        "name": "app",
        "command": [],
        "environment": {"B": True, "A": None},
        "cpu": 256,
        "memory": 512,
        "memory_reservation": 128,
    }
    roles = {
        "task_role_arn": "arn:aws:iam::123456789012:role/a",
        "execution_role_arn": "arn:aws:iam::123456789012:role/b",
    }
    parameters = made(
        overrides={"containers": [container], "cpu": "512", "memory": 1024, **roles},
        tags={"a": 1},
        group="g",
        enable_execute_command=False,
        enable_ecs_managed_tags=True,
    )["States"][names.RUN]["Parameters"]
    assert parameters == {
        "Cluster": "prod",
        "TaskDefinition": "report",
        "Overrides": {
            "ContainerOverrides": [
                {
                    "Name": "app",
                    "Command": [],
                    "Environment": [{"Name": "A", "Value": ""}, {"Name": "B", "Value": "true"}],
                    "Cpu": 256,
                    "Memory": 512,
                    "MemoryReservation": 128,
                }
            ],
            "Cpu": "512",
            "Memory": "1024",
            "TaskRoleArn": roles["task_role_arn"],
            "ExecutionRoleArn": roles["execution_role_arn"],
        },
        "Tags": [{"Key": "a", "Value": "1"}],
        "Group": "g",
        "EnableExecuteCommand": False,
        "EnableECSManagedTags": True,
    }


def test_in_another_partition():
    job = {"cluster": "c", "task_definition": "t", "timeout": 60, "retry_launch": RETRY, "notify_topic_arn": TOPIC}
    gated = {**job, "concurrency": "replace", "skipped_topic_arn": TOPIC}
    calls = [
        state["Resource"] for state in definition(read_job(gated), "aws-cn")["States"].values() if "Resource" in state
    ]
    assert all(resource.startswith("arn:aws-cn:states:::") for resource in calls)
    states = definition(read_job(job), "aws-cn")["States"]
    assert states[names.RUN]["Resource"] == "arn:aws-cn:states:::ecs:runTask.sync"
    assert states[names.NOTIFY]["Resource"] == "arn:aws-cn:states:::sns:publish"
