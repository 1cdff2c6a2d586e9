# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a state machine, and what happens to it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states import definition as names
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.machine import (
    LOGGING_OFF,
    WantedMachine,
    plan_machine,
    read_machine,
)

from tests.unit.core.states.jobs import RETRY

ROLE = "arn:aws:iam::123456789012:role/jobs"
ARN = "arn:aws:states:eu-central-1:123456789012:stateMachine:report"
GROUP = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/states/report"
JOB = {"cluster": "prod", "task_definition": "report", "timeout": "1h", "retry_launch": RETRY}
SMALL = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
WAITING = {
    "StartAt": "A",
    "States": {"A": {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": True}},
}
LOGGING = {"level": "ERROR", "include_execution_data": False, "log_group_arn": f"{GROUP}:*"}
CURRENT = {
    "name": "report",
    "arn": ARN,
    "type": "STANDARD",
    "role_arn": ROLE,
    "definition": SMALL,
    "logging": LOGGING,
    "tracing": True,
    "tags": {"a": "1"},
}


def read(**given):
    return read_machine({"name": "report", "state": "present", **given})


def test_nothing_given_changes_nothing():
    assert read() == WantedMachine("report")


def test_all_that_can_be_said():
    given = {
        "type": "EXPRESS",
        "role_arn": ROLE,
        "definition": json.dumps(SMALL),
        "logging": {"level": "ALL", "include_execution_data": True, "log_group_arn": GROUP},
        "tracing": False,
        "tags": {"a": 1},
        "purge_tags": False,
    }
    assert read(**given) == WantedMachine(
        "report",
        known=parse_arn(ROLE),
        type="EXPRESS",
        role_arn=ROLE,
        definition=SMALL,
        logging={"level": "ALL", "include_execution_data": True, "log_group_arn": f"{GROUP}:*"},
        tracing=False,
        tags={"a": 1},
        purge_tags=False,
    )


def test_an_absent_machine_reads_its_name_alone():
    assert read(state="absent", role_arn="?", definition="?") == WantedMachine("report", present=False)
    assert read(name=ARN, state="absent") == WantedMachine("report", present=False, known=parse_arn(ARN))


@pytest.mark.parametrize("name", ["a", "n" * 80, "A_z-9.+!@()='"])
def test_a_name(name):
    assert (read(name=name).name, read(name=name).known) == (name, None)


def test_its_arn_tells_the_account_and_so_does_its_role():
    assert read(name=ARN, role_arn=ROLE).known == parse_arn(ARN)
    assert read(role_arn=ROLE).known == parse_arn(ROLE)
    assert read(name=ARN).arn(parse_arn(ARN), "eu-central-1") == ARN
    china = parse_arn("arn:aws-cn:iam::210987654321:role/jobs")
    assert read().arn(china, "cn-north-1") == "arn:aws-cn:states:cn-north-1:210987654321:stateMachine:report"
    with pytest.raises(Refused, match="eu-central-1, but the module works in eu-west-1"):
        read(name=ARN).arn(parse_arn(ARN), "eu-west-1")


@pytest.mark.parametrize(("known", "partition"), [({}, "aws"), ({"role_arn": ROLE.replace("aws", "aws-cn")}, "aws-cn")])
def test_a_job_becomes_a_definition_of_its_partition(known, partition):
    run = read(job=JOB, **known).definition["States"][names.RUN]
    assert run["Resource"] == f"arn:{partition}:states:::ecs:runTask.sync"


def test_warnings_about_a_definition_are_kept():
    found = read(definition=json.dumps(WAITING))
    assert found.definition == WAITING
    (warning,) = found.warnings
    assert "TimeoutSeconds" in warning
    assert warning.startswith("The definition: ")
    assert read(definition=json.dumps(SMALL)).warnings == ()


@pytest.mark.parametrize(
    ("given", "logging"),
    [
        (None, None),
        ({"level": "OFF"}, LOGGING_OFF),
        ({"level": "OFF", "log_group_arn": "whatever", "include_execution_data": True}, LOGGING_OFF),
        ({"level": "ERROR", "log_group_arn": GROUP}, LOGGING),
        ({"level": "ERROR", "log_group_arn": f"{GROUP}:*", "include_execution_data": None}, LOGGING),
    ],
)
def test_logging(given, logging):
    assert read(logging=given).logging == logging


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 81}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": ARN.replace("stateMachine", "activity")}, "name"),
        ({"name": ARN.replace(":states:", ":lambda:")}, "name"),
        ({"name": f"{ARN}:alias"}, "name"),
        ({"state": "absent", "name": "a b"}, "name"),
        ({"role_arn": "jobs"}, "role_arn"),
        ({"name": ARN, "role_arn": ROLE.replace("123456789012", "210987654321")}, "role_arn"),
        ({"job": JOB, "type": "EXPRESS"}, "EXPRESS"),
        ({"job": {**JOB, "timeout": "0"}}, "job.timeout"),
        ({"definition": "{"}, "definition"),
        ({"definition": "[]"}, "definition"),
        ({"definition": "{}"}, "it has no States"),
        ({"definition": json.dumps(WAITING), "type": "EXPRESS"}, "EXPRESS cannot do"),
        ({"logging": {"level": "ALL"}}, "log_group_arn"),
        ({"logging": {"level": "ALL", "log_group_arn": "/aws/states"}}, "log_group_arn"),
        ({"logging": {"level": "ALL", "log_group_arn": ARN}}, "log_group_arn"),
        ({"logging": {"level": "ALL", "log_group_arn": GROUP.replace("log-group", "x")}}, "log_group_arn"),
    ],
)
def test_what_cannot_be_meant(given, words):
    with pytest.raises(Refused) as refused:
        read(**given)
    assert words in str(refused.value)


# -- what happens to it -------------------------------------------------------------------------------------------


def plan(given, current=None):
    return plan_machine(read(**given), ARN, current)


def test_a_new_one_has_the_defaults_of_aws():
    change = plan({"role_arn": ROLE, "definition": json.dumps(SMALL)})
    assert change.before is None
    assert change.after == {**CURRENT, "logging": LOGGING_OFF, "tracing": False, "tags": {}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "role_arn"),
        ({"role_arn": ROLE}, "Set job or definition"),
        ({"definition": json.dumps(SMALL)}, "role_arn"),
    ],
)
def test_what_a_new_one_needs(given, words):
    with pytest.raises(Refused) as refused:
        plan(given)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, {}),
        ({"type": "STANDARD"}, {}),
        ({"definition": json.dumps(WAITING)}, {"definition": WAITING}),
        ({"role_arn": ROLE + "2"}, {"role_arn": ROLE + "2"}),
        ({"logging": {"level": "OFF"}}, {"logging": LOGGING_OFF}),
        ({"tracing": False}, {"tracing": False}),
        ({"tags": {"b": 2}}, {"tags": {"b": "2"}}),
        ({"tags": {"b": 2}, "purge_tags": False}, {"tags": {"a": "1", "b": "2"}}),
        ({"tags": {}}, {"tags": {}}),
    ],
)
def test_what_is_given_changes(given, changed):
    change = plan(given, CURRENT)
    assert {key: value for key, value in change.after.items() if CURRENT[key] != value} == changed
    assert change.changed == bool(changed)


def test_a_type_cannot_change():
    with pytest.raises(Refused, match="is of type STANDARD"):
        plan({"type": "EXPRESS"}, CURRENT)


def test_an_express_machine_takes_no_job_that_it_would_wait_for():
    express = {**CURRENT, "type": "EXPRESS"}
    with pytest.raises(Refused, match="cannot do"):
        plan({"definition": json.dumps(WAITING)}, express)
    # The module does not check an existing definition, so it can still change the tags.
    assert plan({"tags": {}}, {**express, "definition": WAITING}).changed


def test_removal():
    assert plan({"state": "absent"}, CURRENT).after is None
    assert not plan({"state": "absent"}).changed
