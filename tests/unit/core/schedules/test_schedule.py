# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a schedule: how they are read, and what is refused before AWS sees it."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.ecs.launch import Launch, read_launch
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.schedules.schedule import (
    SCHEDULER_ONLY,
    TaskTarget,
    WantedSchedule,
    as_text,
    overrides,
)

from tests.unit.core.schedules.options import KEY, MACHINE, QUEUE, ROLE, TASK, wanted

NOON = 1_795_521_600.0  # 2026-11-24T12:00:00Z


def test_nothing_given_changes_nothing():
    assert wanted() == WantedSchedule("nightly")
    assert wanted(using="rule") == WantedSchedule("nightly", "rule")


def test_an_absent_schedule_reads_its_name_alone():
    assert wanted(state="absent", group_name="jobs", flexible_time_window=-1, task={}) == WantedSchedule(
        "nightly", group="jobs", present=False
    )


FACTS = [
    ({"enabled": False}, {"enabled": False}),
    ({"schedule_expression": "rate(5 minutes)"}, {"schedule_expression": "rate(5 minutes)"}),
    ({"schedule_expression": "at(2026-12-31T03:00:00)"}, {"schedule_expression": "at(2026-12-31T03:00:00)"}),
    ({"schedule_expression_timezone": "UTC"}, {"schedule_expression_timezone": "UTC"}),
    ({"flexible_time_window": 0}, {"flexible_time_window": None}),
    ({"flexible_time_window": 1}, {"flexible_time_window": 1}),
    ({"flexible_time_window": 1440}, {"flexible_time_window": 1440}),
    ({"start_date": "2026-11-24T12:00:00.9Z"}, {"start_date": NOON}),  # AWS keeps whole seconds
    ({"start_date": ""}, {"start_date": None}),
    ({"end_date": "2026-11-24T13:00:00+01:00"}, {"end_date": NOON}),
    ({"end_date": ""}, {"end_date": None}),
    (
        {"start_date": "2026-11-24T12:00:00Z", "end_date": "2026-11-24T12:00:01Z"},
        {"start_date": NOON, "end_date": NOON + 1},
    ),
    ({"start_date": "2026-11-24T12:00:00Z", "end_date": ""}, {"start_date": NOON, "end_date": None}),
    ({"description": "d" * 512}, {"description": "d" * 512}),
    ({"description": ""}, {"description": None}),
    ({"kms_key_arn": KEY}, {"kms_key_arn": KEY}),
    ({"kms_key_arn": ""}, {"kms_key_arn": None}),
    ({"action_after_completion": "DELETE"}, {"action_after_completion": "DELETE"}),
]


@pytest.mark.parametrize(("given", "facts"), FACTS)
def test_a_fact(given, facts):
    assert wanted(**given) == WantedSchedule("nightly", facts=facts)


TARGETS = [
    ({"role_arn": ROLE}, {"role_arn": ROLE}),
    ({"input": '{"a": [1]}'}, {"input": {"a": [1]}}),
    ({"input": "null"}, {"input": None}),
    ({"dead_letter_arn": QUEUE}, {"dead_letter_arn": QUEUE}),
    ({"dead_letter_arn": ""}, {"dead_letter_arn": None}),
    ({"maximum_event_age_in_seconds": 60}, {"maximum_event_age_in_seconds": 60}),
    ({"maximum_event_age_in_seconds": 86400}, {"maximum_event_age_in_seconds": 86400}),
    ({"maximum_retry_attempts": 0}, {"maximum_retry_attempts": 0}),
    ({"maximum_retry_attempts": 185}, {"maximum_retry_attempts": 185}),
]


@pytest.mark.parametrize(("given", "target"), TARGETS)
def test_a_part_of_the_target(given, target):
    assert wanted(**given) == WantedSchedule("nightly", target=target)


def test_targets():
    assert wanted(state_machine_arn=MACHINE).state_machine_arn == MACHINE
    launch = read_launch("task", TASK)
    assert wanted(task=TASK).task == TaskTarget(launch, 1)
    assert wanted(task={**TASK, "count": None}).task == TaskTarget(launch, 1)
    assert wanted(task={**TASK, "count": 10}).task == TaskTarget(launch, 10)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 65}, "name"),
        ({"name": "a/b"}, "name"),
        ({"group_name": "a b"}, "group_name"),
        ({"state": "absent", "name": "a b"}, "name"),
        ({"schedule_expression": "every day"}, "schedule_expression"),
        ({"using": "rule", "schedule_expression": "at(2026-12-31T03:00:00)"}, "schedule_expression"),
        ({"schedule_expression_timezone": "Mars/Olympus"}, "schedule_expression_timezone"),
        ({"flexible_time_window": -1}, "flexible_time_window"),
        ({"flexible_time_window": 1441}, "flexible_time_window"),
        ({"start_date": "tomorrow"}, "start_date"),
        ({"end_date": "tomorrow"}, "end_date"),
        ({"start_date": "2026-11-24T12:00:00Z", "end_date": "2026-11-24T12:00:00Z"}, "end_date"),
        ({"start_date": "2026-11-24T12:00:00Z", "end_date": "2026-11-24T11:00:00Z"}, "end_date"),
        ({"description": "d" * 513}, "description"),
        ({"kms_key_arn": "alias/key"}, "kms_key_arn"),
        ({"kms_key_arn": "arn:aws:kms:eu-central-1:123456789012:alias/key"}, "kms_key_arn"),
        ({"kms_key_arn": QUEUE}, "kms_key_arn"),
        ({"role_arn": "role"}, "role_arn"),
        ({"input": "{"}, "input"),
        ({"dead_letter_arn": KEY}, "dead_letter_arn"),
        ({"dead_letter_arn": "dead"}, "dead_letter_arn"),
        ({"dead_letter_arn": f"{QUEUE}.fifo"}, "FIFO"),
        ({"maximum_event_age_in_seconds": 59}, "maximum_event_age_in_seconds"),
        ({"maximum_event_age_in_seconds": 86401}, "maximum_event_age_in_seconds"),
        ({"maximum_retry_attempts": -1}, "maximum_retry_attempts"),
        ({"maximum_retry_attempts": 186}, "maximum_retry_attempts"),
        ({"state_machine_arn": "report"}, "state_machine_arn"),
        ({"state_machine_arn": ""}, "state_machine_arn"),
        ({"state_machine_arn": QUEUE}, "state_machine_arn"),
        ({"state_machine_arn": MACHINE.replace("stateMachine", "execution")}, "state_machine_arn"),
        ({"task": {**TASK, "count": 11}}, "task.count"),
        ({"task": {**TASK, "count": -1}}, "task.count"),
        ({"task": {**TASK, "cluster": "a b"}}, "task.cluster"),
        ({"task": TASK, "input": "{}"}, "input"),
        ({"tags": {"a": "1"}}, "tags is for using=rule only"),
        ({"using": "rule", "tags": {"aws:a": "1"}}, "tags"),
    ],
)
def test_what_cannot_be_meant(given, words):
    with pytest.raises(Refused) as refused:
        wanted(**given)
    assert words in str(refused.value)


@pytest.mark.parametrize("option", SCHEDULER_ONLY)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_a_rule_cannot(option, state):
    with pytest.raises(Refused, match=option):
        wanted(using="rule", state=state, **{option: "some"})


def test_tags_of_a_rule():
    assert wanted(using="rule", tags={"a": 1}).tags == {"a": 1}
    assert wanted(using="rule", tags={}, purge_tags=False) == WantedSchedule(
        "nightly", "rule", tags={}, purge_tags=False
    )
    assert wanted(tags={}).tags is None


def test_a_machine_tells_apart_targets_to_remove():
    assert wanted(state="absent", state_machine_arn=MACHINE) == WantedSchedule(
        "nightly", present=False, state_machine_arn=MACHINE
    )


def test_a_rule_counts_in_utc():
    facts = {"schedule_expression_timezone": "UTC"}
    assert wanted(using="rule", **facts) == WantedSchedule("nightly", "rule", facts=facts)


CONTAINER = {
    "name": "app",
    "command": ["a"],
    "environment": {"B": "1"},
    "cpu": 256,
    "memory": 512,
    "memory_reservation": 128,
}
ROLES = {"task_role_arn": ROLE, "execution_role_arn": ROLE}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"containers": [{"name": "app"}]}, {"containerOverrides": [{"name": "app"}]}),
        ({"containers": [{"name": "app", "command": []}]}, {"containerOverrides": [{"name": "app", "command": []}]}),
        (
            {"containers": [CONTAINER], "cpu": 512, "memory": "1024", **ROLES},
            {
                "containerOverrides": [
                    {
                        "name": "app",
                        "command": ["a"],
                        "environment": [{"name": "B", "value": "1"}],
                        "cpu": 256,
                        "memory": 512,
                        "memoryReservation": 128,
                    }
                ],
                "cpu": "512",
                "memory": "1024",
                "taskRoleArn": ROLE,
                "executionRoleArn": ROLE,
            },
        ),
        ({"cpu": "512"}, {"cpu": "512"}),
    ],
)
def test_overrides_as_the_api_writes_them(given, expected):
    launch = read_launch("task", {**TASK, "overrides": given})
    assert isinstance(launch, Launch)
    assert overrides(launch) == expected


@pytest.mark.parametrize(
    ("value", "text"), [(None, None), ({}, "{}"), ({"a": "ü"}, '{"a": "ü"}'), ("", '""'), (0, "0")]
)
def test_input_as_aws_keeps_it(value, text):
    assert as_text(value) == text
