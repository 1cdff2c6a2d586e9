# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ecs_task_state_machine on the sandbox: create, run again without a write, change there and back, remove."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.modules import ecs_task_state_machine

from tests.end_to_end.aws import aws_client
from tests.end_to_end.test_playbooks import shape

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/report"
GROUP = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:/aws/vendedlogs/states/report"
TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT}:alerts"
NETWORK = {"subnets": ["subnet-1", "subnet-2"], "security_groups": ["sg-1"], "assign_public_ip": True}
JOB = {"cluster": "prod", "task_definition": "report", "timeout": "2h", "network_configuration": NETWORK}
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
SYNC = "arn:aws:states:::ecs:runTask.sync"


@pytest.fixture
def seen(sandbox):
    """Returns the names of the calls so far: all, writes, or reads."""

    def calls(write=None):
        found = [call for call in sandbox.journal()["calls"] if call["service"] in {"states", "sts", "iam"}]
        return [call["operation"] for call in found if write in {None, call["write"]}]

    return calls


@pytest.fixture
def machine(start):
    def run(check=False, **options):
        given = {"name": "report", "role_arn": ROLE, **options}
        options = {key: value for key, value in given.items() if value is not None}
        return start("ecs_task_state_machine", check=check, diff=True, **options).result()

    return run


def plain(result):
    return {key: value for key, value in result.items() if key != "invocation"}


def test_made_once_and_read_with_two_calls_afterwards(machine, seen):
    planned = machine(check=True, job=JOB, tags={"team": "shop"})
    assert seen(write=True) == []
    made = machine(job=JOB, tags={"team": "shop"})
    assert made["changed"]
    assert plain(planned) == plain(made)
    assert seen(write=True) == ["CreateStateMachine"]
    before = len(seen())
    again = machine(job=JOB, tags={"team": "shop"})
    assert not again["changed"]
    assert again["state_machine"] == made["state_machine"]
    assert seen()[before:] == ["DescribeStateMachine", "ListTagsForResource"]


CHANGES = [
    {"job": {**JOB, "timeout": "1h"}},
    {"job": {**JOB, "execution_timeout": "1d"}},
    {"job": {**JOB, "cluster": "test"}},
    {"job": {**JOB, "task_definition": "report:7"}},
    {"job": {**JOB, "launch_type": "FARGATE"}},
    {"job": {**JOB, "capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT"}]}},
    {"job": {**JOB, "platform_version": "1.4.0"}},
    {"job": {**JOB, "network_configuration": {**NETWORK, "assign_public_ip": False}}},
    {"job": {**JOB, "network_configuration": {**NETWORK, "subnets": ["subnet-3"]}}},
    {"job": {**JOB, "network_configuration": {**NETWORK, "security_groups": ["sg-2"]}}},
    {"job": {**JOB, "overrides": {"containers": [{"name": "app", "command": ["x"], "environment": {"A": 1}}]}}},
    {"job": {**JOB, "overrides": {"cpu": "512", "memory": "1024"}}},
    {"job": {**JOB, "propagate_tags": True}},
    {"job": {**JOB, "tags": {"a": "b"}}},
    {"job": {**JOB, "group": "nightly"}},
    {"job": {**JOB, "enable_execute_command": True}},
    {"job": {**JOB, "enable_ecs_managed_tags": True}},
    {"job": {**JOB, "comment": "Every night"}},
    {"job": {**JOB, "retry_launch": {"max_attempts": 0}}},
    {"job": {**JOB, "retry_launch": {"interval": 30, "jitter": False}}},
    {"job": {**JOB, "retry_failures": {"exit_codes": [75], "container": "app"}}},
    {"job": {**JOB, "retry_any": {}}},
    {"job": {**JOB, "rotate_subnets": True}},
    {"job": {**JOB, "notify_topic_arn": TOPIC}},
    {"job": None, "definition": PASS},
    {"job": None, "definition": json.dumps(PASS)},
    {"role_arn": ROLE + "-2"},
    {"logging": {"level": "ERROR", "log_group_arn": GROUP}},
    {"logging": {"level": "ALL", "include_execution_data": True, "log_group_arn": GROUP + ":*"}},
    {"tracing": True},
    {"tags": {"team": "web"}},
    {"tags": {"cost": "1"}, "purge_tags": False},
    {"tags": {}},
]
BACK = {"job": JOB, "logging": {"level": "OFF"}, "tracing": False, "tags": {"team": "shop"}}


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.sampled(4)
def test_every_option_can_be_changed_and_changed_back(machine, seen, change):
    first = machine(**BACK)
    writes = len(seen(write=True))
    planned = machine(check=True, **{**BACK, **change})
    assert len(seen(write=True)) == writes
    changed = machine(**{**BACK, **change})
    assert changed["changed"]
    assert plain(planned) == plain(changed)
    assert len(seen(write=True)) > writes
    again = machine(**{**BACK, **change})
    assert not again["changed"]
    assert again["state_machine"] == changed["state_machine"]
    back = machine(**{**BACK, "role_arn": ROLE})
    assert back["changed"]
    assert back["state_machine"] == first["state_machine"]


def test_what_is_not_given_stays(machine, seen):
    given = {"logging": {"level": "FATAL", "log_group_arn": GROUP}, "tracing": True, "tags": {"a": "b"}}
    made = machine(job=JOB, **given)["state_machine"]
    assert made["logging"]["log_group_arn"] == GROUP + ":*"
    result = machine(role_arn=None)
    assert not result["changed"]
    assert result["state_machine"] == made
    changed = machine(role_arn=None, job={**JOB, "timeout": 60})
    assert [each["path"] for each in changed["definition_changes"]] == ["$.States['ECS RunTask'].TimeoutSeconds"]
    assert {**changed["state_machine"], "definition": made["definition"]} == made


def test_white_space_and_order_are_no_change(machine, sandbox):
    machine(definition=PASS)
    text = '{ "States": {"A": {"End": true,\n "Type": "Pass"}},\n\n "StartAt": "A" }'
    assert not machine(definition=text)["changed"]


def test_absent(machine, seen):
    assert not machine(state="absent", role_arn=None)["changed"]
    machine(job=JOB)
    planned = machine(check=True, state="absent", role_arn=None)
    assert "DeleteStateMachine" not in seen()
    gone = machine(state="absent", role_arn=None)
    assert gone["changed"]
    assert gone["state_machine"] is None
    assert plain(planned) == plain(gone)
    assert not machine(state="absent")["changed"]
    assert seen(write=True) == ["CreateStateMachine", "DeleteStateMachine"]


def test_by_its_arn(machine):
    made = machine(job=JOB)["state_machine"]
    assert machine(name=made["arn"], role_arn=None, job=JOB)["state_machine"] == made
    assert not machine(name=made["arn"], job=JOB)["changed"]


BAD = [
    ({"name": "a b", "job": JOB}, "must be the name of a state machine"),
    ({"name": f"arn:aws:states:eu-central-1:{ACCOUNT}:activity:x", "job": JOB}, "must be the name of a state machine"),
    ({"name": f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:x", "job": JOB}, "Set region to match"),
    ({"name": "arn:aws:states:eu-central-1:999999999999:stateMachine:x", "job": JOB}, "give one of those"),
    ({"role_arn": "report", "job": JOB}, "must be the ARN of an IAM role"),
    ({"role_arn": None, "job": JOB}, "Set role_arn to create it"),
    ({}, "Set job or definition to create it"),
    ({"job": JOB, "definition": PASS}, "mutually exclusive"),
    ({"type": "EXPRESS", "job": JOB}, "Use type STANDARD"),
    ({"definition": "{"}, "definition is not JSON"),
    ({"definition": '{"A": 1, "A": 2}'}, "'A' is written twice"),
    ({"definition": "[]"}, "must be a JSON object"),
    ({"definition": {}}, "it has no States"),
    ({"definition": {**PASS, "StartAt": "B"}}, "StartAt is 'B'"),
    ({"definition": {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}}, "Next is 'B'"),
    ({"definition": {"StartAt": "A", "States": {"A": {"Type": "Pass"}}}}, "it needs either Next or End"),
    ({"definition": {"StartAt": "A", "States": {"A": {"Type": "Do", "End": True}}}}, "its Type must be one of"),
    (
        {"definition": {"StartAt": "A", "States": {**PASS["States"], "B": {"Type": "Fail"}}}},
        "nothing leads to state 'B'",
    ),
    ({"definition": {"StartAt": "A", "States": {"A": {"Type": "Task", "End": True}}}}, "its Resource is None"),
    (
        {
            "type": "EXPRESS",
            "definition": {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": SYNC, "End": True}}},
        },
        "which state machines of type EXPRESS cannot do",
    ),
    ({"definition": {**PASS, "Comment": "x" * 1048576}}, "Step Functions allows 1048576"),
    ({"job": {key: value for key, value in JOB.items() if key != "timeout"}}, "timeout"),
    ({"job": {**JOB, "timeout": "soon"}}, "seconds above 0 (got 'soon')"),
    ({"job": {**JOB, "timeout": 0}}, "seconds above 0 (got '0')"),
    ({"job": {**JOB, "execution_timeout": "1h"}}, "must be above job.timeout"),
    ({"job": {**JOB, "cluster": "a/b"}}, "`job.cluster` must be the name of an ECS cluster"),
    (
        {"job": {**JOB, "task_definition": "report:latest"}},
        "`job.task_definition` must be the name of a task definition (family or family:revision)",
    ),
    ({"job": {**JOB, "network_configuration": {"subnets": []}}}, "is empty. Give at least one subnet"),
    ({"job": {**JOB, "network_configuration": {"subnets": ["eu-central-1a"]}}}, "must be IDs such as"),
    ({"job": {**JOB, "network_configuration": {"subnets": [f"subnet-{n}" for n in range(17)]}}}, "ECS allows 16"),
    ({"job": {**JOB, "launch_type": "FARGATE", "network_configuration": None}}, "network_configuration is required"),
    (
        {
            "job": {
                **JOB,
                "launch_type": "FARGATE",
                "capacity_provider_strategy": [{"capacity_provider": "FARGATE"}],
            }
        },
        "are mutually exclusive",
    ),
    (
        {"job": {**JOB, "capacity_provider_strategy": [{"capacity_provider": name} for name in ("FARGATE", "mine")]}},
        "mixes Fargate",
    ),
    ({"job": {**JOB, "launch_type": "EC2", "platform_version": "1.4.0"}}, "is for Fargate only"),
    ({"job": {**JOB, "retry_failures": {"exit_codes": [0]}}}, "must be exit codes of failures"),
    ({"job": {**JOB, "retry_failures": {"container": "app"}}}, "container requires "),
    ({"job": {**JOB, "retry_failures": {"stop_codes": ["Crash"]}}}, "stop_codes"),
    ({"job": {**JOB, "retry_failures": {"exit_codes": [1], "max_attempts": 51}}}, "50 is the most"),
    ({"job": {**JOB, "retry_failures": {}, "retry_any": {}}}, "Omit one of them"),
    ({"job": {**JOB, "retry_launch": {"interval": 0}}}, "retry_launch.interval must be a number of seconds from 1"),
    ({"job": {**JOB, "retry_launch": {"backoff_rate": 0.5}}}, "backoff_rate must be 1 for equal waits"),
    ({"job": {**JOB, "retry_launch": {"interval": 1000}}}, "which is 1000, to 31622400 (got 900)"),
    ({"job": {**JOB, "retry_launch": {"max_attempts": -1}}}, "max_attempts must be a number from 0"),
    ({"job": {**JOB, "rotate_subnets": True, "retry_launch": {"max_attempts": 0}}}, "needs a second attempt"),
    (
        {"job": {**JOB, "rotate_subnets": True, "network_configuration": {"subnets": ["subnet-1"]}}},
        "requires two subnets",
    ),
    (
        {"job": {**JOB, "fallback_capacity_provider_strategy": [{"capacity_provider": "FARGATE"}]}},
        "Set that one as well",
    ),
    ({"job": {**JOB, "notify_topic_arn": "alerts"}}, "must be the ARN of a standard SNS topic"),
    ({"job": {**JOB, "notify_topic_arn": TOPIC + ".fifo"}}, "a standard SNS topic, not FIFO"),
    ({"job": {**JOB, "overrides": {"containers": [{"name": "a"}, {"name": "a"}]}}}, "has a container twice"),
    ({"job": {**JOB, "overrides": {"cpu": "much"}}}, "must be a number of CPU units or MiB"),
    ({"job": {**JOB, "tags": {"aws:x": "y"}}}, "must not have keys that begin with aws:"),
    ({"job": JOB, "logging": {"level": "ALL"}}, "must be the ARN of a log group"),
    ({"job": JOB, "logging": {"level": "ALL", "log_group_arn": "/aws/states"}}, "must be the ARN of a log group"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[words for _options, words in BAD])
def test_bad_input_is_told_and_nothing_is_written(machine, seen, options, words):
    result = machine(**options)
    assert result["failed"]
    assert words in result["msg"]
    assert not result.get("changed")
    assert seen(write=True) == []


def test_the_type_cannot_be_changed(machine, seen):
    machine(definition=PASS, type="EXPRESS")
    assert "cannot change to STANDARD" in machine(definition=PASS, type="STANDARD")["msg"]
    assert "which state machines of type EXPRESS cannot do" in machine(job=JOB)["msg"]
    assert seen(write=True) == ["CreateStateMachine"]


@pytest.mark.parametrize(
    ("permission", "written"),
    [
        ("states:DescribeStateMachine", []),
        ("states:ListTagsForResource", []),
        ("states:UpdateStateMachine", []),
        ("states:TagResource", ["updated definition"]),
    ],
)
def test_a_missing_permission_is_named(sandbox, machine, permission, written):
    machine(job=JOB)
    sandbox.fault("access_denied", operations=[permission])
    result = machine(job={**JOB, "timeout": 5}, tags={"a": "b"})
    assert f"Allow {permission} to these credentials" in result["msg"]
    assert "state machine report in eu-central-1" in result["msg"]
    assert result["changed"] is bool(written)
    assert all(each in result["msg"] for each in written)


def test_a_role_that_was_made_just_now(sandbox, machine):
    words = "Nobody is authorized to assume the provided role."
    sandbox.fault(
        "error", code="AccessDeniedException", message=words, status=400, operations=["CreateStateMachine"], times=1
    )
    assert machine(job=JOB)["changed"]


def test_a_definition_that_may_hang_is_warned_of(machine):
    task = {"Type": "Task", "Resource": SYNC, "End": True}
    result = machine(definition={"StartAt": "A", "States": {"A": task}})
    assert "up to a year" in str(result["warnings"])


def test_the_examples_of_the_documentation(sandbox, warm_playbook):
    tasks = yaml.safe_load(ecs_task_state_machine.EXAMPLES)
    results = warm_playbook(tasks).results()
    assert [result["changed"] for result in results] == [True] * len(tasks)
    made = aws_client(sandbox, "stepfunctions").list_state_machines()["stateMachines"]
    assert sorted(each["name"] for each in made) == ["hourly-import", "nightly-report", "plain"]


def test_results_are_as_documented(machine):
    result = machine(job=JOB, logging={"level": "ALL", "log_group_arn": GROUP}, tags={"a": "b"})
    documented = yaml.safe_load(ecs_task_state_machine.RETURN)
    assert shape(result["state_machine"], documented["state_machine"]) == []
    assert set(plain(result)) - {"changed", "diff"} == set(documented)
