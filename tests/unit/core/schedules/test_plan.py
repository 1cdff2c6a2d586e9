# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a schedule."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.schedules.plan import plan_schedule, schedule_facts

from tests.unit.core.schedules.options import KEY, MACHINE, QUEUE, ROLE, TASK, wanted

NOW = 1_795_521_600.0  # 2026-11-24T12:00:00Z
REGION = "eu-central-1"
ECS = "arn:aws:ecs:eu-central-1:123456789012"
FIRST = {"schedule_expression": "rate(1 day)", "role_arn": ROLE, "state_machine_arn": MACHINE}
NEW = {
    "name": "nightly",
    "group_name": "default",
    "using": "scheduler",
    "arn": "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly",
    "enabled": True,
    "schedule_expression": "rate(1 day)",
    "schedule_expression_timezone": "UTC",
    "flexible_time_window": None,
    "start_date": None,
    "end_date": None,
    "description": None,
    "kms_key_arn": None,
    "action_after_completion": "NONE",
    "target": {
        "arn": MACHINE,
        "role_arn": ROLE,
        "input": None,
        "dead_letter_arn": None,
        "maximum_retry_attempts": 185,
        "maximum_event_age_in_seconds": 86400,
        "task": None,
    },
    "tags": None,
}
PLAIN_TASK = {
    "task_definition": f"{ECS}:task-definition/report:7",
    "count": 1,
    "launch_type": None,
    "capacity_provider_strategy": [],
    "platform_version": None,
    "network_configuration": None,
    "group": None,
    "propagate_tags": False,
    "tags": {},
    "enable_execute_command": False,
    "enable_ecs_managed_tags": False,
}


def plan(given, current=None, foreign=(), now=NOW):
    return plan_schedule(wanted(**given), current, foreign, REGION, now)


def existing(**more):
    """Return an existing schedule as it is read from AWS: instants are numbers."""
    return {**plan(FIRST).after, **more}


def test_a_new_schedule_has_the_defaults_of_aws():
    change = plan(FIRST)
    assert (change.before, change.after) == (None, NEW)


def test_a_new_rule():
    change = plan({**FIRST, "using": "rule"})
    assert change.after["arn"] == "arn:aws:events:eu-central-1:123456789012:rule/nightly"
    assert change.after["using"] == "rule"


def test_what_is_not_given_stays():
    current = existing(
        enabled=False,
        schedule_expression_timezone="Europe/Berlin",
        flexible_time_window=5,
        description="d",
        kms_key_arn=KEY,
        target={**NEW["target"], "input": {"a": 1}, "dead_letter_arn": QUEUE, "maximum_retry_attempts": 3},
    )
    for given in ({}, FIRST):
        change = plan(given, current)
        assert not change.changed
        assert change.after == current


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"enabled": False}, {"enabled": False}),
        ({"schedule_expression": "rate(2 days)"}, {"schedule_expression": "rate(2 days)"}),
        ({"flexible_time_window": 15}, {"flexible_time_window": 15}),
        ({"description": "d"}, {"description": "d"}),
        ({"end_date": "2026-11-24T12:00:01Z"}, {"end_date": "2026-11-24T12:00:01Z"}),
        ({"start_date": "2026-11-25T12:00:00Z"}, {"start_date": "2026-11-25T12:00:00Z"}),
        ({"maximum_retry_attempts": 3}, {"target": {**NEW["target"], "maximum_retry_attempts": 3}}),
        ({"input": '{"a": 1}'}, {"target": {**NEW["target"], "input": {"a": 1}}}),
        (
            {"state_machine_arn": MACHINE + "2", "input": "1"},
            {"target": {**NEW["target"], "arn": MACHINE + "2", "input": 1}},
        ),
        (
            {"role_arn": "arn:aws:iam::210987654321:role/other"},
            {
                "target": {**NEW["target"], "role_arn": "arn:aws:iam::210987654321:role/other"},
                "arn": NEW["arn"].replace("123456789012", "210987654321"),
            },
        ),
    ],
)
def test_what_is_given_changes(given, changed):
    change = plan(given, existing())
    assert {key: value for key, value in change.after.items() if change.before[key] != value} == changed


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        (None, {}, None),
        ({"a": "1"}, {"tags": {"b": "2"}}, {"b": "2"}),
        ({"a": "1"}, {"tags": {"b": "2"}, "purge_tags": False}, {"a": "1", "b": "2"}),
        ({"a": "1"}, {"tags": {}}, {}),
    ],
)
def test_tags_of_a_rule(before, given, after):
    rule = {**existing(), "using": "rule", "tags": before}
    assert plan({"using": "rule", **given}, rule).after["tags"] == after
    new = plan({**FIRST, "using": "rule", **given}).after["tags"]
    assert new == given.get("tags")


def test_group_and_partition_are_part_of_the_arn():
    given = {**FIRST, "group_name": "jobs", "role_arn": "arn:aws-cn:iam::123456789012:role/schedules"}
    after = plan_schedule(wanted(**given), None, (), "cn-north-1", NOW).after
    assert after["arn"] == "arn:aws-cn:scheduler:cn-north-1:123456789012:schedule/jobs/nightly"
    assert after["group_name"] == "jobs"


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (NOW, "2026-11-24T12:00:00Z"),
        (NOW - 299, "2026-11-24T11:55:01Z"),
        (NOW - 300, None),
        (NOW - 86400, None),
        (None, None),
    ],
)
def test_a_start_that_has_passed_is_none(start, told):
    """AWS refuses to write such a start again, except within the last minutes (assumed)."""
    assert schedule_facts({"start_date": start, "end_date": None}, NOW) == {"start_date": told, "end_date": None}
    assert plan({"enabled": False}, existing(start_date=start)).after["start_date"] == told


def test_an_end_that_has_passed_stays_and_is_not_written_again():
    passed = existing(end_date=NOW - 60)
    assert schedule_facts(passed, NOW)["end_date"] == "2026-11-24T11:59:00Z"
    assert not plan({}, passed).changed
    for given in ({"enabled": False}, {"end_date": "2026-11-24T12:00:00Z"}):
        with pytest.raises(Refused, match="end_date"):
            plan(given, passed)
    assert plan({"end_date": ""}, passed).after["end_date"] is None


def test_removal():
    current = existing()
    change = plan({"state": "absent"}, current)
    assert (change.before, change.after) == (current, None)
    gone = plan({"state": "absent"})
    assert (gone.before, gone.after) == (None, None)


@pytest.mark.parametrize(("using", "thing"), [("scheduler", "schedule"), ("rule", "rule")])
@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ("schedule_expression", "Set schedule_expression to create it"),
        ("role_arn", "Set role_arn to create it"),
        ("state_machine_arn", "Set state_machine_arn or task"),
    ],
)
def test_what_a_new_one_needs(left_out, words, using, thing):
    given = {key: value for key, value in FIRST.items() if key != left_out}
    with pytest.raises(Refused) as refused:
        plan({**given, "using": using})
    assert words in str(refused.value)
    assert f" {thing} nightly" in str(refused.value)


def test_a_target_that_would_be_lost_is_kept_unless_a_new_one_is_given():
    foreign = ("SqsParameters", "KinesisParameters")
    for given in ({}, {"enabled": False}):
        with pytest.raises(Refused, match="SqsParameters, KinesisParameters"):
            plan(given, existing(), foreign)
    assert not plan({"state_machine_arn": MACHINE}, existing(), foreign).changed
    assert plan({"task": TASK}, existing(), foreign).after["target"]["task"] == PLAIN_TASK


def test_a_role_that_is_no_arn():
    """An option is checked earlier, but an existing target may have any value."""
    broken = existing(target={**NEW["target"], "role_arn": "role"})
    with pytest.raises(Refused, match=r"role_arn must be .* \(got 'role'\)"):
        plan({}, broken)


# -- tasks ------------------------------------------------------------------------------------------------------------


def test_a_plain_task():
    target = plan({**FIRST, "state_machine_arn": None, "task": TASK}).after["target"]
    assert target == {**NEW["target"], "arn": f"{ECS}:cluster/prod", "task": PLAIN_TASK}


def test_a_task_with_everything():
    task = {
        "cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/test",
        "task_definition": "arn:aws:ecs:eu-west-1:123456789012:task-definition/report:7",
        "count": 3,
        "capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT", "weight": 2, "base": 1}],
        "platform_version": "LATEST",
        "network_configuration": {"subnets": ["subnet-1"], "security_groups": ["sg-1"], "assign_public_ip": True},
        "group": "g",
        "propagate_tags": True,
        "tags": {"a": 1},
        "enable_execute_command": True,
        "enable_ecs_managed_tags": True,
        "overrides": {"cpu": "512"},
    }
    target = plan({**FIRST, "state_machine_arn": None, "task": task}).after["target"]
    assert (target["arn"], target["input"]) == (task["cluster"], {"cpu": "512"})
    left_out = {"cluster", "overrides"}
    assert target["task"] == {
        **{key: value for key, value in task.items() if key not in left_out},
        "launch_type": None,
        "tags": {"a": "1"},
    }


@pytest.mark.parametrize(("public", "told"), [(None, False), (False, False), (True, True)])
def test_a_network_of_a_task(public, told):
    network = {"subnets": ["subnet-1"], "security_groups": [], "assign_public_ip": public}
    task = {**TASK, "launch_type": "FARGATE", "network_configuration": network}
    found = plan({**FIRST, "state_machine_arn": None, "task": task}).after["target"]["task"]
    assert found["network_configuration"] == {**network, "assign_public_ip": told}
    assert found["launch_type"] == "FARGATE"


def test_a_state_machine_in_the_place_of_a_task_loses_its_overrides():
    task = plan({**FIRST, "state_machine_arn": None, "task": {**TASK, "overrides": {"cpu": 512}}}).after
    assert task["target"]["input"] == {"cpu": "512"}
    target = plan({"state_machine_arn": MACHINE}, task).after["target"]
    assert target == NEW["target"]
    assert plan({"state_machine_arn": MACHINE, "input": "1"}, task).after["target"]["input"] == 1


def test_a_task_in_the_place_of_a_state_machine_loses_its_input():
    machine = existing(target={**NEW["target"], "input": {"a": 1}})
    assert plan({"state_machine_arn": MACHINE}, machine).after["target"]["input"] == {"a": 1}
    target = plan({"task": TASK}, machine).after["target"]
    assert (target["arn"], target["input"], target["task"]) == (f"{ECS}:cluster/prod", None, PLAIN_TASK)
