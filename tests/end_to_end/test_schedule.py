# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ecs_task_schedule on the sandbox, with EventBridge Scheduler and with rules."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.modules import ecs_task_schedule

from tests.end_to_end.aws import aws_client
from tests.end_to_end.test_playbooks import shape

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/schedule"
MACHINE = f"arn:aws:states:eu-central-1:{ACCOUNT}:stateMachine:report"
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:dead"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"
NETWORK = {"subnets": ["subnet-1", "subnet-2"], "security_groups": ["sg-1"], "assign_public_ip": True}
TASK = {"cluster": "prod", "task_definition": "report", "launch_type": "FARGATE", "network_configuration": NETWORK}
NEW = {"name": "nightly", "schedule_expression": "rate(1 hour)", "role_arn": ROLE, "state_machine_arn": MACHINE}


@pytest.fixture
def seen(sandbox):
    """Returns the operations that reached the sandbox: all of them, or only the writes."""

    def calls(write=None):
        found = [call for call in sandbox.journal()["calls"] if call["service"] in {"scheduler", "events", "sts"}]
        return [call["operation"] for call in found if write in {None, call["write"]}]

    return calls


@pytest.fixture
def roles(sandbox):
    """Creates roles that EventBridge and its Scheduler may assume."""
    who = {"Service": ["events.amazonaws.com", "scheduler.amazonaws.com"]}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}]}
    iam = aws_client(sandbox, "iam")
    for name in ("schedule", "schedule-2", "nightly-report-schedule"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))


@pytest.fixture
def schedule(start, roles):
    def run(check=False, **options):
        given = {key: value for key, value in {**NEW, **options}.items() if value is not None}
        return start("ecs_task_schedule", check=check, diff=True, **given).result()

    return run


def plain(result):
    return {key: value for key, value in result.items() if key != "invocation"}


def days_from_now(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT00:00:00Z")


@pytest.mark.parametrize(
    ("using", "writes", "reads"),
    [
        ("scheduler", ["POST /schedules/nightly"], ["GET /schedules/nightly"]),
        ("rule", ["PutRule", "PutTargets"], ["DescribeRule", "ListTargetsByRule"]),
    ],
)
@pytest.mark.parametrize("target", [{}, {"task": TASK, "state_machine_arn": None}], ids=["machine", "task"])
def test_made_once_and_only_read_afterwards(schedule, seen, using, target, writes, reads):
    planned = schedule(check=True, using=using, **target)
    assert seen(write=True) == []
    made = schedule(using=using, **target)
    assert made["changed"]
    assert plain(planned) == plain(made)
    assert seen(write=True) == writes
    before = len(seen())
    again = schedule(using=using, **target)
    assert not again["changed"]
    assert again["schedule"] == made["schedule"]
    assert seen()[before:] == reads
    planned = schedule(check=True, using=using, state="absent")
    gone = schedule(using=using, state="absent")
    assert plain(planned) == plain(gone)
    assert gone["schedule"] is None
    assert not schedule(using=using, state="absent")["changed"]


STRATEGY = [{"capacity_provider": "FARGATE_SPOT", "weight": 2, "base": 1}]
ON_SPOT = {key: value for key, value in TASK.items() if key != "launch_type"} | {"capacity_provider_strategy": STRATEGY}
BOTH = [
    {"schedule_expression": "cron(0 3 ? * MON-FRI *)"},
    {"enabled": False},
    {"description": "Every hour"},
    {"role_arn": ROLE + "-2"},
    {"state_machine_arn": MACHINE + "-2"},
    {"input": {"full": True}},
    {"input": '{"full": [1, 2]}'},
    {"dead_letter_arn": QUEUE},
    {"maximum_retry_attempts": 0},
    {"maximum_event_age_in_seconds": 60},
    {"state_machine_arn": None, "task": ON_SPOT},
    *(
        {"state_machine_arn": None, "task": {**TASK, **more}}
        for more in (
            {},
            {"count": 3},
            {"cluster": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:cluster/other"},
            {"task_definition": "report:7"},
            {"platform_version": "1.4.0"},
            {"network_configuration": {"subnets": ["subnet-3"]}},
            {"overrides": {"containers": [{"name": "app", "command": ["x"], "environment": {"A": "1"}}], "cpu": "512"}},
            {"propagate_tags": True, "tags": {"a": "b"}, "group": "nightly"},
            {"enable_execute_command": True, "enable_ecs_managed_tags": True},
        )
    ),
]
SCHEDULER = [
    {"schedule_expression": "at(2099-01-31T03:00:00)", "schedule_expression_timezone": "Europe/Berlin"},
    {"schedule_expression_timezone": "America/New_York"},
    {"flexible_time_window": 15},
    {"start_date": days_from_now(2)},
    {"start_date": days_from_now(2), "end_date": days_from_now(9)},
    {"end_date": str((int(time.time()) // 86400 + 2) * 86400)},  # the same in every worker
    {"kms_key_arn": KEY},
]
BACK = {
    "enabled": True,
    "description": "",
    "input": "null",
    "dead_letter_arn": "",
    "maximum_retry_attempts": 185,
    "maximum_event_age_in_seconds": 86400,
}
SCHEDULER_BACK = {
    "schedule_expression_timezone": "UTC",
    "flexible_time_window": 0,
    "start_date": "",
    "end_date": "",
    "kms_key_arn": "",
}


@pytest.mark.parametrize(
    ("using", "change"),
    [*(("scheduler", change) for change in [*BOTH, *SCHEDULER]), *(("rule", change) for change in BOTH)],
    ids=str,
)
@pytest.mark.sampled(5)
def test_every_option_can_be_changed_and_changed_back(schedule, seen, using, change):
    first = schedule(using=using)
    writes = len(seen(write=True))
    planned = schedule(check=True, using=using, **change)
    assert len(seen(write=True)) == writes
    changed = schedule(using=using, **change)
    assert changed["changed"]
    assert plain(planned) == plain(changed)
    again = schedule(using=using, **change)
    assert not again["changed"]
    assert again["schedule"] == changed["schedule"]
    back = schedule(using=using, **BACK, **(SCHEDULER_BACK if using == "scheduler" else {}))
    assert back["changed"]
    assert back["schedule"] == first["schedule"]


def test_what_becomes_of_it_afterwards(schedule):
    # Moto stores this only for a new schedule: it ignores the value of an update.
    made = schedule(action_after_completion="DELETE")["schedule"]
    assert made["action_after_completion"] == "DELETE"
    assert not schedule(action_after_completion="DELETE")["changed"]
    assert schedule(check=True, action_after_completion="NONE")["changed"]


def test_what_is_not_given_stays(schedule, seen):
    full = {
        "schedule_expression_timezone": "Europe/Berlin",
        "flexible_time_window": 15,
        "end_date": days_from_now(9),
        "description": "Every hour",
        "kms_key_arn": KEY,
        "input": {"full": True},
        "dead_letter_arn": QUEUE,
        "maximum_retry_attempts": 3,
    }
    made = schedule(**full)["schedule"]
    nothing = dict.fromkeys(NEW) | {"name": "nightly"}
    assert not schedule(**nothing)["changed"]
    result = schedule(**{**nothing, "enabled": False})
    assert result["schedule"] == {**made, "enabled": False}
    assert schedule(**nothing)["schedule"] == {**made, "enabled": False}


def test_a_start_that_has_passed_is_none(schedule):
    made = schedule(start_date="2020-01-01T00:00:00Z")
    assert made["schedule"]["start_date"] is None
    assert not schedule(start_date="2020-01-01T00:00:00Z")["changed"]


def test_in_a_group(sandbox, schedule, seen):
    result = schedule(group_name="reports")
    assert (
        "the schedule group reports does not exist. Create it with 'aws scheduler create-schedule-group"
        in result["msg"]
    )
    assert seen(write=True) == []
    aws_client(sandbox, "scheduler").create_schedule_group(Name="reports")
    made = schedule(group_name="reports")["schedule"]
    assert made["arn"] == f"arn:aws:scheduler:eu-central-1:{ACCOUNT}:schedule/reports/nightly"
    assert not schedule(group_name="reports")["changed"]
    assert schedule(group_name="reports", state="absent")["changed"]
    assert not schedule(group_name="reports", state="absent")["changed"]


def test_the_overrides_of_a_task_do_not_reach_a_state_machine(schedule):
    overrides = {"containers": [{"name": "app", "environment": {"A": "1"}}]}
    with_task = schedule(state_machine_arn=None, task={**TASK, "overrides": overrides})["schedule"]["target"]
    assert with_task["input"] == {"containerOverrides": [{"name": "app", "environment": [{"name": "A", "value": "1"}]}]}
    assert schedule()["schedule"]["target"]["input"] is None


def test_parts_of_a_target_that_are_not_known_are_not_lost(sandbox, schedule, seen):
    scheduler = aws_client(sandbox, "scheduler")
    target = {"Arn": QUEUE, "RoleArn": ROLE, "SqsParameters": {"MessageGroupId": "a"}}
    scheduler.create_schedule(
        Name="nightly", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    before = len(seen(write=True))
    result = schedule(**{**dict.fromkeys(NEW), "name": "nightly", "enabled": False})
    assert "has SqsParameters, which this module would lose" in result["msg"]
    assert len(seen(write=True)) == before
    assert schedule()["schedule"]["target"]["arn"] == MACHINE


def test_rules_of_others_are_left_alone(sandbox, schedule, seen):
    events = aws_client(sandbox, "events")
    events.put_rule(Name="waits", EventPattern='{"source": ["aws.ecs"]}')
    events.put_rule(Name="theirs", ScheduleExpression="rate(1 day)")
    events.put_targets(Rule="theirs", Targets=[{"Id": "x", "Arn": QUEUE}])
    before = len(seen(write=True))
    for state in ("present", "absent"):
        assert "which waits for events" in schedule(name="waits", using="rule", state=state)["msg"]
        assert (
            "has targets that this module does not manage: x"
            in schedule(name="theirs", using="rule", state=state)["msg"]
        )
    assert len(seen(write=True)) == before


def test_a_rule_that_has_lost_its_target_gets_it_back(sandbox, schedule):
    made = schedule(using="rule")
    events = aws_client(sandbox, "events")
    events.remove_targets(Rule="nightly", Ids=["schedule"])
    assert schedule(using="rule")["changed"]
    assert schedule(using="rule")["schedule"] == made["schedule"]


BAD = [
    ({"name": "a b"}, "must be 1 to 64 letters, digits, dots, hyphens and underscores"),
    ({"group_name": "a/b"}, "must be 1 to 64 letters, digits, dots, hyphens and underscores"),
    ({"schedule_expression": None}, "Set schedule_expression to create it"),
    ({"schedule_expression": "every hour"}, "must be a schedule such as"),
    ({"schedule_expression": "rate(1 hours)"}, "Write rate(1 hour)"),
    ({"schedule_expression": "rate(5 minute)"}, "Write rate(5 minutes)"),
    ({"schedule_expression": "rate(0 minutes)"}, "a number above 0"),
    ({"schedule_expression": "cron(0 3 * * *)"}, "has 5 fields, and AWS's cron has six"),
    ({"schedule_expression": "cron(0 3 * * * *)"}, "exactly one of day of month and day of week"),
    ({"schedule_expression": "cron(60 3 * * ? *)"}, "the minutes '60'"),
    ({"schedule_expression": "cron(0 3 ? * MOON *)"}, "the day of week 'MOON'"),
    ({"schedule_expression": "cron(0/x 3 * * ? *)"}, "must have a number above 0 as its step"),
    ({"schedule_expression": "at(2026-02-30T03:00:00)"}, "as in at(2026-12-31T03:00:00)"),
    ({"schedule_expression": "at(2026-12-31)"}, "as in at(2026-12-31T03:00:00)"),
    ({"schedule_expression_timezone": "Mars/Olympus"}, "must be the IANA name of a time zone"),
    ({"flexible_time_window": 1441}, "`flexible_time_window` must be a number from 0 to 1440 (got 1441)"),
    ({"start_date": "tomorrow"}, "start_date must be an instant with a time zone (got 'tomorrow')"),
    ({"start_date": days_from_now(3), "end_date": days_from_now(2)}, "end_date is not after start_date"),
    ({"end_date": "2020-01-01T00:00:00Z"}, "end_date is in the past"),
    ({"description": "x" * 513}, "`description` must have at most 512 characters (got 513)"),
    ({"kms_key_arn": "alias/x"}, "must be the ARN of a KMS key"),
    ({"state_machine_arn": None}, "Set state_machine_arn or task"),
    ({"state_machine_arn": "report"}, "must be the ARN of a state machine"),
    ({"task": TASK}, "mutually exclusive"),
    ({"state_machine_arn": None, "task": TASK, "input": {}}, "Set task.overrides instead"),
    ({"state_machine_arn": None, "task": {**TASK, "count": 11}}, "`task.count` must be a number from 1 to 10 (got 11)"),
    (
        {"state_machine_arn": None, "task": {**TASK, "cluster": "a b"}},
        "`task.cluster` must be the name of an ECS cluster",
    ),
    ({"input": "{"}, "input is not JSON"),
    ({"role_arn": None}, "Set role_arn to create it"),
    ({"role_arn": "schedule"}, "must be the ARN of an IAM role"),
    ({"dead_letter_arn": "dead"}, "must be the ARN of a standard SQS queue"),
    ({"dead_letter_arn": QUEUE + ".fifo"}, "a standard SQS queue, not FIFO"),
    ({"maximum_retry_attempts": 186}, "`maximum_retry_attempts` must be a number from 0 to 185 (got 186)"),
    ({"maximum_event_age_in_seconds": 59}, "`maximum_event_age_in_seconds` must be a number from 60 to 86400 (got 59)"),
    ({"using": "rule", "schedule_expression_timezone": "Europe/Berlin"}, "rules use UTC"),
    ({"using": "rule", "flexible_time_window": 5}, "no flexible window"),
    ({"using": "rule", "start_date": days_from_now(2)}, "as long as it is enabled"),
    ({"using": "rule", "group_name": "a"}, "rules have no groups"),
    ({"using": "rule", "schedule_expression": "at(2099-01-31T03:00:00)"}, "Set using=scheduler"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=str)
def test_bad_input_is_told_and_nothing_is_written(schedule, seen, options, words):
    result = schedule(**options)
    assert result["failed"]
    assert words in result["msg"]
    assert not result.get("changed")
    assert seen(write=True) == []


def test_a_role_that_was_made_just_now(sandbox, schedule):
    words = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
    sandbox.fault("error", code="ValidationException", message=words, status=400, operations=["POST *"], times=1)
    assert schedule()["changed"]


def test_the_examples_of_the_documentation(sandbox, warm_playbook, roles):
    tasks = yaml.safe_load(ecs_task_schedule.EXAMPLES)
    results = warm_playbook(tasks).results()
    assert [result["changed"] for result in results] == [True] * len(tasks)


def test_results_are_as_documented(schedule):
    documented = yaml.safe_load(ecs_task_schedule.RETURN)["schedule"]
    for target in ({}, {"state_machine_arn": None, "task": TASK}):
        assert shape(schedule(**target)["schedule"], documented) == []
