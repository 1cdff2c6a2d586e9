# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits: in which state each ends, in which state it fails, and its message."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live import (
    api_destination,
    connection,
    machine,
    subscription,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.waits import (
    A_MINUTE,
    GONE,
    Refusal,
    refusal_of,
    settled,
    when_role_is_ready,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience

from tests.unit.aws.clients import ended

NAMES = {"name": "x", "connection": "y", "arn": "arn:x", "function": "f", "log_group": "g"}
CHECK = "Check the authorization and the web service, then run again"


def seen(*states):
    """Return a function that gives these states, one at each look, and the last one for ever."""
    left = [state and Refusal("Why.", state) for state in states]
    return lambda: left.pop(0) if len(left) > 1 else left[0]


@pytest.mark.parametrize(
    ("wait", "states", "ends_in"),
    [
        (connection.AT_REST, [GONE], GONE),
        (connection.AT_REST, ["DELETING", GONE], GONE),
        (connection.AT_REST, ["CREATING", "DEAUTHORIZED"], "DEAUTHORIZED"),
        (connection.AT_REST, ["UPDATING", "AUTHORIZING", "AUTHORIZED"], "AUTHORIZED"),
        (connection.AUTHORIZED, [GONE, "CREATING", "ACTIVE"], "ACTIVE"),
        (connection.AUTHORIZED, ["DEAUTHORIZED", "AUTHORIZING", "AUTHORIZED"], "AUTHORIZED"),
        (connection.DESCRIBED, ["UPDATING", "FAILED_CONNECTIVITY"], "FAILED_CONNECTIVITY"),
        (connection.DELETED, ["DELETING", "DEAUTHORIZED", GONE], GONE),
        (api_destination.WRITTEN, [GONE, "INACTIVE", "ACTIVE"], "ACTIVE"),
        (api_destination.DELETED, ["ACTIVE", GONE], GONE),
        (machine.DELETED, ["ACTIVE", "DELETING", GONE], GONE),
        (subscription.ACCEPTED, ["REFUSED", "REFUSED", GONE], GONE),
        (subscription.ACCEPTED_AT_ONCE, [GONE], GONE),
    ],
)
def test_a_wait_ends(wait, states, ends_in):
    done, pauses, found = ended(settled(seen(*states), wait, Patience(True, 60, 2), **NAMES))
    assert (done, pauses, found and found.state) == ([], [2] * (len(states) - 1), ends_in)


@pytest.mark.parametrize(
    ("wait", "states", "words"),
    [
        (connection.AT_REST, ["CREATING"], "connection x is still CREATING after 0 s"),
        (connection.AUTHORIZED, [GONE], "connection x does not exist yet after 0 s"),
        (connection.AUTHORIZED, ["DEAUTHORIZED"], "connection x is still DEAUTHORIZED after 0 s"),
        (connection.DELETED, ["DELETING"], "connection x is still DELETING after 0 s"),
        (api_destination.WRITTEN, [GONE], "API destination x does not exist yet after 0 s"),
        (
            api_destination.WRITTEN,
            ["INACTIVE"],
            "API destination x is INACTIVE, as it may be for its connection y, after 0 s",
        ),
        (api_destination.DELETED, ["ACTIVE"], "API destination x is still ACTIVE after 0 s"),
        (
            machine.DELETED,
            ["DELETING"],
            "arn:x is still being deleted, because Step Functions waits for its executions to end, after 0 s",
        ),
        (subscription.ACCEPTED, ["REFUSED"], "CloudWatch Logs may not call f yet (Why) after 0 s"),
    ],
)
def test_a_wait_that_takes_too_long_says_what_is_still_so(wait, states, words):
    with pytest.raises(Failed) as failed:
        ended(settled(seen(*states), wait, Patience(True, 0, 2), **NAMES))
    assert str(failed.value) == f"{words}. Increase wait_timeout and run again"


@pytest.mark.parametrize(
    ("wait", "states", "words"),
    [
        (connection.AUTHORIZED, ["DEAUTHORIZED"] * 2, f"connection x is DEAUTHORIZED: Why. {CHECK}"),
        (
            connection.AUTHORIZED,
            ["DEAUTHORIZED", "CREATING", "FAILED_CONNECTIVITY"],
            f"connection x is FAILED_CONNECTIVITY: Why. {CHECK}",
        ),
        (
            subscription.ACCEPTED_AT_ONCE,
            ["REFUSED"],
            "CloudWatch Logs may not call f: Why. Set resource_policy: true, or allow logs.amazonaws.com to invoke it "
            "for the log group g",
        ),
    ],
)
def test_a_wait_that_cannot_end_fails(wait, states, words):
    with pytest.raises(Failed) as failed:
        ended(settled(seen(*states), wait, Patience(True, 60, 2), **NAMES))
    assert str(failed.value) == words


def test_a_failure_for_which_aws_gives_no_reason():
    with pytest.raises(Failed, match="DEAUTHORIZED: AWS gives no reason"):
        ended(settled(lambda: Refusal("", "DEAUTHORIZED"), connection.AUTHORIZED, Patience(True, 60, 2), name="x"))


def write(*failures):
    """Return a write that raises the given failures first, and the list of its attempts."""
    tries, left = [], list(failures)

    def try_to_write():
        tries.append(len(tries) + 1)
        if left:
            raise left.pop(0)

    return try_to_write, tries


def refused(words, kind="final"):
    return CallFailed("PutIt", "ValidationException", words, kind)


# Messages of Step Functions (the first two), EventBridge Scheduler and EventBridge.
NOT_READY = [
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the "
    "provided role.",
    "The state machine IAM Role is not authorized to access the Log Destination",
    "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    "Provided role 'arn:aws:iam::111122223333:role/x' cannot be assumed by principal 'events.amazonaws.com'.",
]


@pytest.mark.parametrize("words", NOT_READY)
def test_a_write_waits_for_a_new_role(words):
    try_to_write, tries = write(refused(words), refused(words))
    assert ended(when_role_is_ready(try_to_write)) == ([], [2.0, 2.0], None)
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("failure", "options", "tries_made"),
    [
        (refused(NOT_READY[0]), {}, len(A_MINUTE) + 1),
        (refused(NOT_READY[0]), {"pauses": (1.0, 2.0)}, 3),
        (refused("No such role"), {}, 1),
        (refused("Somebody else", "passing"), {}, 1),
        (refused("Somebody else", "passing"), {"pauses": (1.0, 2.0), "transient": True}, 3),
        (refused("Too many targets"), {"pauses": (1.0, 2.0), "transient": True}, 1),
    ],
)
def test_a_write_that_is_refused_for_good(failure, options, tries_made):
    try_to_write, tries = write(*[failure] * 99)
    with pytest.raises(CallFailed) as failed:
        ended(when_role_is_ready(try_to_write, **options))
    assert (failed.value, len(tries)) == (failure, tries_made)


def test_a_refusal_is_a_value_and_other_errors_are_not():
    assert refusal_of(write()[0], "may not") is None
    found = refusal_of(write(refused("You may not"))[0], "may not")
    assert (found.state, found.reason) == ("REFUSED", "PutIt failed with ValidationException: You may not")
    with pytest.raises(CallFailed, match="Too long"):
        refusal_of(write(refused("Too long"))[0], "may not")
