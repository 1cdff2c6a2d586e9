# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real schedules of both kinds: what is read, what is refused, and the writes of a change in their order."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.schedule import look
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.schedules.schedule import (
    RULE,
    SCHEDULER,
    WantedSchedule,
)
from botocore.stub import ANY

from tests.unit.aws.clients import Clients, ended

from .test_states_and_schedules import ACCOUNT, ON_ECS, PLAIN, REQUEST, SCHEDULE, TARGET, TARGETS

S_ARN = f"arn:aws:scheduler:eu-central-1:{ACCOUNT}:schedule/default/nightly"
R_ARN = f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/nightly"
SHOWN = {**SCHEDULE, "using": SCHEDULER, "arn": S_ARN, "target": TARGET}
RULE_SHOWN = {**SHOWN, "using": RULE, "arn": R_ARN}
MISSING = "ResourceNotFoundException: It does not exist."
NOT_READY = (
    "ValidationException: The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
)
CANNOT = "ValidationException: Provided role 'x' cannot be assumed by principal 'events.amazonaws.com'."
NAMED = {"Name": "nightly", "EventBusName": "default"}
OF_RULE = {"Rule": "nightly", "EventBusName": "default"}
NO_FAILURES = {"FailedEntryCount": 0, "FailedEntries": []}
FOUND = ("scheduler.get_schedule", None, {**REQUEST, "Arn": S_ARN, "Target": PLAIN})
BY_RULE = {**NAMED, "Arn": R_ARN, "State": "ENABLED", "ScheduleExpression": "rate(1 hour)"}
DESCRIBED = ("events.describe_rule", NAMED, BY_RULE)
LISTED = ("events.list_targets_by_rule", OF_RULE, {"Targets": [{"Id": "schedule", **PLAIN}]})
NO_RULE = ("events.describe_rule", NAMED, "ResourceNotFoundException: Rule nightly does not exist on EventBus default.")


NO_TARGET = {"Id": "none", "Arn": S_ARN}  # AWS returns an empty list, which the Stubber does not allow


def live(*calls, using=SCHEDULER, present=True, **wanted):
    clients = Clients()
    clients.expect(*calls)
    clients("events").meta.events.register("after-call.events.ListTargetsByRule", without_no_target)
    return look(clients, WantedSchedule("nightly", using, "default", present, **wanted)), clients


def without_no_target(parsed, **_more):
    parsed["Targets"] = [target for target in parsed["Targets"] if target != NO_TARGET]


def rule_targets(*targets):
    return ("events.list_targets_by_rule", OF_RULE, {"Targets": list(targets) or [NO_TARGET]})


OF_ECS = {
    "Id": "schedule",
    **ON_ECS,
    "EcsParameters": {**ON_ECS["EcsParameters"], "Tags": [{"Key": "a", "Value": "b"}]},
}


@pytest.mark.parametrize(
    ("using", "present", "calls", "current", "foreign"),
    [
        (SCHEDULER, True, [FOUND], SHOWN, ()),
        (
            SCHEDULER,
            True,
            [("scheduler.get_schedule", None, MISSING), ("scheduler.get_schedule_group", {"Name": "default"}, {})],
            None,
            (),
        ),
        (SCHEDULER, False, [("scheduler.get_schedule", None, MISSING)], None, ()),
        (RULE, True, [NO_RULE], None, ()),
        (RULE, True, [DESCRIBED, LISTED], RULE_SHOWN, ()),
        (
            RULE,
            True,
            [
                ("events.describe_rule", NAMED, {**BY_RULE, "State": "DISABLED", "Description": "d"}),
                rule_targets({**OF_ECS, "SqsParameters": {"MessageGroupId": "g"}}),
            ],
            {**RULE_SHOWN, "enabled": False, "description": "d", "target": TARGETS[1][0]},
            ("SqsParameters",),
        ),
        (
            RULE,
            True,
            [DESCRIBED, rule_targets()],
            {**RULE_SHOWN, "target": {**TARGET, "arn": None, "role_arn": None}},
            (),
        ),
    ],
)
def test_what_is_read(using, present, calls, current, foreign):
    found, clients = live(*calls, using=using, present=present)
    assert (found.current, found.foreign, found.region) == (current, foreign, "eu-central-1")
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("using", "calls", "words"),
    [
        (
            SCHEDULER,
            [("scheduler.get_schedule", None, MISSING), ("scheduler.get_schedule_group", None, MISSING)],
            "group_name: the schedule group default does not exist",
        ),
        (RULE, [("events.describe_rule", NAMED, {**BY_RULE, "EventPattern": "{}"})], "which waits for events"),
        (RULE, [("events.describe_rule", NAMED, {**BY_RULE, "ManagedBy": "ecs"})], "which is managed by ecs"),
        (
            RULE,
            [DESCRIBED, rule_targets({"Id": "schedule", **PLAIN}, {"Id": "mail", **PLAIN})],
            "has targets that this module does not manage: mail",
        ),
    ],
)
def test_what_is_refused(using, calls, words):
    with pytest.raises(Refused, match=words):
        live(*calls, using=using)


PUT_RULE = {**NAMED, "ScheduleExpression": "rate(1 hour)", "State": "ENABLED"}
PUT_TARGET = {**OF_RULE, "Targets": [{"Id": "schedule", **PLAIN}]}
ENABLED_ON = Change(RULE_SHOWN, {**RULE_SHOWN, "enabled": False, "description": "d"})


@pytest.mark.parametrize(
    ("using", "found", "change", "calls", "expected"),
    [
        (
            SCHEDULER,
            [("scheduler.get_schedule", None, MISSING), ("scheduler.get_schedule_group", None, {})],
            Change(None, SHOWN),
            [
                ("scheduler.create_schedule", {**REQUEST, "Target": PLAIN, "ClientToken": ANY}, NOT_READY),
                ("scheduler.create_schedule", None, {"ScheduleArn": S_ARN}),
            ],
            (["created the schedule"], [2.0], None),
        ),
        (
            SCHEDULER,
            [FOUND],
            Change(SHOWN, {**SHOWN, "enabled": False}),
            [
                (
                    "scheduler.update_schedule",
                    {**REQUEST, "State": "DISABLED", "Target": PLAIN, "ClientToken": ANY},
                    {"ScheduleArn": S_ARN},
                )
            ],
            (["updated the schedule"], [], None),
        ),
        (
            SCHEDULER,
            [FOUND],
            Change(SHOWN, None),
            [("scheduler.delete_schedule", {"GroupName": "default", "Name": "nightly"}, {})],
            (["deleted the schedule"], [], None),
        ),
        (
            RULE,
            [NO_RULE],
            Change(None, RULE_SHOWN),
            [
                ("events.put_rule", PUT_RULE, {"RuleArn": R_ARN}),
                ("events.put_targets", PUT_TARGET, CANNOT),
                ("events.put_targets", PUT_TARGET, NO_FAILURES),
            ],
            (["put the rule", "put the target"], [2.0], None),
        ),
        (
            RULE,
            [DESCRIBED, LISTED],
            ENABLED_ON,
            [("events.put_rule", {**PUT_RULE, "State": "DISABLED", "Description": "d"}, {"RuleArn": R_ARN})],
            (["put the rule"], [], None),
        ),
        (
            RULE,
            [DESCRIBED, rule_targets()],
            Change({**RULE_SHOWN, "target": None}, {**RULE_SHOWN, "target": TARGETS[1][0]}),
            [
                ("events.put_targets", {**OF_RULE, "Targets": [OF_ECS]}, NO_FAILURES),
            ],
            (["put the target"], [], None),
        ),
        (
            RULE,
            [DESCRIBED, LISTED],
            Change(RULE_SHOWN, None),
            [
                ("events.remove_targets", {**OF_RULE, "Ids": ["schedule"]}, NO_FAILURES),
                ("events.delete_rule", NAMED, {}),
            ],
            (["removed the target", "deleted the rule"], [], None),
        ),
        (
            RULE,
            [DESCRIBED, rule_targets()],
            Change(RULE_SHOWN, None),
            [("events.delete_rule", NAMED, {})],
            (["deleted the rule"], [], None),
        ),
    ],
)
def test_a_change(using, found, change, calls, expected):
    schedule, clients = live(*found, using=using)
    clients.expect(*calls)
    assert ended(schedule.write(change)) == expected
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        (Change(RULE_SHOWN, {**RULE_SHOWN, "target": TARGETS[0][0]}), []),
        (
            Change({**RULE_SHOWN, "target": None}, RULE_SHOWN),
            [("events.put_targets", {**OF_RULE, "Targets": [{"Id": "theirs", **PLAIN}]}, NO_FAILURES)],
        ),
        (
            Change(RULE_SHOWN, None),
            [
                ("events.remove_targets", {**OF_RULE, "Ids": ["theirs"]}, NO_FAILURES),
                ("events.delete_rule", NAMED, {}),
            ],
        ),
    ],
)
def test_the_same_target_is_taken_over_with_its_id(change, calls):
    found = [DESCRIBED, rule_targets({"Id": "theirs", **PLAIN})]
    rule, clients = live(*found, using=RULE, state_machine_arn=PLAIN["Arn"])
    assert rule.current == RULE_SHOWN
    clients.expect(*calls)
    ended(rule.write(change))
    clients.assert_all_asked()


def test_another_target_beside_the_same_one_is_somebody_elses():
    both = rule_targets({"Id": "theirs", **PLAIN}, {"Id": "mail", **PLAIN})
    with pytest.raises(Refused, match="has targets that this module does not manage: theirs, mail"):
        live(DESCRIBED, both, using=RULE, state_machine_arn=PLAIN["Arn"])


TAGS_ASKED = ("events.list_tags_for_resource", {"ResourceARN": R_ARN}, {"Tags": [{"Key": "a", "Value": "1"}]})


def test_tags_of_a_rule():
    tagged = {**RULE_SHOWN, "tags": {"a": "1"}}
    rule, clients = live(DESCRIBED, LISTED, TAGS_ASKED, using=RULE, tags={})
    assert rule.current == tagged
    clients.expect(
        ("events.tag_resource", {"ResourceARN": R_ARN, "Tags": [{"Key": "b", "Value": "2"}]}, {}),
        ("events.untag_resource", {"ResourceARN": R_ARN, "TagKeys": ["a"]}, {}),
    )
    assert ended(rule.write(Change(tagged, {**tagged, "tags": {"b": "2"}}))) == (["set tags", "removed tags"], [], None)
    clients.assert_all_asked()


def test_a_new_rule_has_its_tags_at_once():
    rule, clients = live(NO_RULE, using=RULE, tags={"a": "1"})
    clients.expect(
        ("events.put_rule", {**PUT_RULE, "Tags": [{"Key": "a", "Value": "1"}]}, {"RuleArn": R_ARN}),
        ("events.put_targets", PUT_TARGET, NO_FAILURES),
    )
    ended(rule.write(Change(None, {**RULE_SHOWN, "tags": {"a": "1"}})))
    clients.assert_all_asked()


def test_a_target_that_is_refused():
    schedule, clients = live(NO_RULE, using=RULE)
    entry = {"TargetId": "schedule", "ErrorCode": "LimitExceeded", "ErrorMessage": "too many"}
    clients.expect(
        ("events.put_rule", None, {"RuleArn": R_ARN}),
        ("events.put_targets", None, {"FailedEntryCount": 1, "FailedEntries": [entry]}),
    )
    with pytest.raises(CallFailed, match=r"PutTargets failed with LimitExceeded: too many \(target schedule\)"):
        ended(schedule.write(Change(None, RULE_SHOWN)))
