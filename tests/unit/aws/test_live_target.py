# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real target: which calls a look takes, and the writes of a change in their order."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.target import PAUSES, LiveTarget
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.shapes.event_target import boto_target
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.options import read_target
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.plan import plan_target
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.policy_document import (
    least_topic_policy_document,
)

from tests.unit.aws.clients import Clients, ended
from tests.unit.core.events import target_options as of
from tests.unit.core.events.target_options import params

from .test_policy_places import FUNCTION, GET_FUNCTION, GET_TOPIC, TOPIC, ours, set_topic, text

OF_RULE = {"Rule": "failures", "EventBusName": "default"}
LISTED = "events.list_targets_by_rule"
NO_RULE = (LISTED, OF_RULE, "ResourceNotFoundException: Rule failures does not exist on EventBus default.")
OTHER = {"Id": "other", "Arn": of.QUEUE, "DeadLetterConfig": {"Arn": of.UNDELIVERED}}
OURS = {"Id": "a", "Arn": of.TOPIC}
DESCRIBED = (
    "events.describe_rule",
    {"Name": "failures", "EventBusName": "default"},
    {"Name": "failures", "Arn": of.RULE, "State": "ENABLED"},
)
PUT = "events.put_targets"
REMOVE = ("events.remove_targets", {**OF_RULE, "Ids": ["a"]})
DONE = {"FailedEntryCount": 0, "FailedEntries": []}
ABSENT = {"state": "absent"}
WITH_POLICY = (*GET_TOPIC, {"Attributes": {"Policy": text(ours(TOPIC))}})
WITHOUT_POLICY = (*GET_TOPIC, {"Attributes": {}})


def listed(*targets):
    return (LISTED, OF_RULE, {"Targets": list(targets)})


def failed(code, message):
    return {"FailedEntryCount": 1, "FailedEntries": [{"TargetId": "a", "ErrorCode": code, "ErrorMessage": message}]}


def live(*calls, **options):
    """Look at the target with the given calls. Return it, its plan, what was found, and the clients."""
    clients = Clients()
    clients.expect(*calls)
    wanted = read_target(params(**options))
    target = LiveTarget(clients, wanted)
    found = target.read()
    clients.assert_all_asked()
    return target, plan_target(wanted, found, target.rule_arn), found, clients


@pytest.mark.parametrize(
    ("calls", "options", "expected"),
    [
        # (the target's ARN, other targets, whether the rule was looked up, the places, what is missing)
        ([listed(OTHER, OURS), WITH_POLICY], {}, (of.TOPIC, 1, False, [of.TOPIC], 0)),
        ([listed(OTHER), DESCRIBED, WITHOUT_POLICY], {}, (None, 1, True, [of.TOPIC], 0)),
        ([NO_RULE, WITHOUT_POLICY], {}, (None, 0, False, [of.TOPIC], 1)),
        ([NO_RULE], {**ABSENT, "arn": None}, (None, 0, False, [], 0)),
        ([listed(OURS), (*GET_TOPIC, "NotFound: no")], {}, (of.TOPIC, 0, False, [of.TOPIC], 1)),
        # The module need not be able to read a policy that others manage.
        (
            [listed(OURS), (*GET_TOPIC, "AuthorizationError: no")],
            {"resource_policy": False},
            (of.TOPIC, 0, False, [], 0),
        ),
    ],
)
def test_a_look(calls, options, expected):
    target, _change, found, _clients = live(*calls, **options)
    seen = found.target and found.target["arn"]
    assert (seen, found.others, found.rule is not None, list(found.places), len(target.missing)) == expected


@pytest.mark.parametrize(
    ("error", "options"),
    [("AuthorizationError: no", {}), ("InternalFailure: no", {"resource_policy": False})],
)
def test_a_policy_that_has_to_be_seen(error, options, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(CallFailed, match="GetTopicAttributes"):
        live(listed(OURS), *[(*GET_TOPIC, error)] * (4 if "Internal" in error else 1), **options)


def test_a_sixth_target_saves_further_calls():
    five = [{**OTHER, "Id": str(number)} for number in range(5)]
    with pytest.raises(Refused, match="has 5 targets already"):
        live(listed(*five), DESCRIBED)


def test_what_is_missing_is_told_before_any_write():
    target, change, _found, clients = live(NO_RULE, WITHOUT_POLICY)
    with pytest.raises(Refused, match="There is no rule failures"):
        ended(target.write(change))
    clients.assert_all_asked()


SENT = {**OF_RULE, "Targets": [boto_target(read_target(params()).facts)]}
CANNOT = "ValidationException: Provided role 'x' cannot be assumed by principal 'events.amazonaws.com'."
BUSY = failed("ConcurrentModificationException", "Somebody else.")
REACH, NO_LONGER = f"allowed the rule to reach {of.TOPIC}", f"removed the permission of the rule for {of.TOPIC}"


@pytest.mark.parametrize(
    ("looks", "options", "calls", "expected"),
    [
        # A new target: write the policy first, then the target.
        (
            [listed(OTHER), DESCRIBED, WITHOUT_POLICY],
            {},
            [set_topic(text(ours(TOPIC))), (PUT, SENT, DONE)],
            ([REACH, "put the target"], []),
        ),
        # Somebody else writes, and the role is new: repeat the calls after a while.
        (
            [listed(OTHER), DESCRIBED, WITH_POLICY],
            {},
            [(PUT, SENT, BUSY), (PUT, SENT, CANNOT), (PUT, SENT, DONE)],
            (["put the target"], [1.0, 2.0]),
        ),
        # The target is as wanted.
        ([listed(OURS), WITH_POLICY], {}, [], ([], [])),
        # Removal: remove the target first, then the policy.
        (
            [listed(OURS), WITH_POLICY],
            ABSENT,
            [(*REMOVE, DONE), set_topic(json.dumps(least_topic_policy_document(TOPIC)))],
            (["removed the target", NO_LONGER], []),
        ),
        # Move the target from one place to the other.
        (
            [listed({"Id": "a", "Arn": of.FUNCTION}), DESCRIBED, (*GET_FUNCTION, {"Policy": text(ours(FUNCTION))}),
             WITHOUT_POLICY],
            {},
            [
                set_topic(text(ours(TOPIC))),
                (PUT, SENT, DONE),
                ("lambda.remove_permission", None, {}),
            ],
            ([REACH, "put the target", f"removed the permission of the rule for {of.FUNCTION}"], []),
        ),
    ],
)  # fmt: skip
def test_a_change(looks, options, calls, expected):
    target, change, _found, clients = live(*looks, **options)
    clients.expect(*calls)
    assert ended(target.write(change)) == (*expected, None)
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("answer", "words", "tries"),
    [
        (BUSY, r"ConcurrentModificationException: Somebody else \(target a\)", len(PAUSES) + 1),
        (CANNOT, "cannot be assumed", len(PAUSES) + 1),
        (failed("LimitExceeded", "Too many."), r"LimitExceeded: Too many \(target a\)", 1),
        ({"FailedEntryCount": 1}, "Unknown", 1),
    ],
)
def test_a_write_that_fails(answer, words, tries):
    target, change, _found, clients = live(listed(OTHER), DESCRIBED, WITH_POLICY)
    clients.expect(*[(PUT, SENT, answer)] * tries)
    with pytest.raises(CallFailed, match=words):
        ended(target.write(change))
    clients.assert_all_asked()
