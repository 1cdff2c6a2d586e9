# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECS reports as problems of a run, which failures count, and what a task lacks, in words."""

from __future__ import annotations

import math

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.lacking import lacking_words, reason_words
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Event, Targets
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.said import (
    Said,
    find_failure,
    find_standing,
    last_words,
    listen,
    refusal_words,
)

from tests.unit.core.recycle.samples import GROUP, NOW, task, task_id

# Sources: the rows of service_events.tsv.
STARTED = "(service web) has started 1 tasks: (task 0123456789abcdef0123456789abcdef)."
NO_ROOM = "(service web) was unable to place a task because no container instance met all of its requirements."
IMPAIRED = "(service web) is unable to consistently start tasks successfully."
BLOCKED = "(service web) was unable to place a task because your account is currently blocked."
BALANCING = "(service web) is unable to place a task in eu-west-1a because no container instance met all of its needs."
ROLE = "(service web) failed to launch a task with (error ECS was unable to assume the role 'r')."
PULL = "(service web) was unable to place a task. Reason: CannotPullContainerError: no such image."
SICK = "(service web) (task 7) (port 80) is unhealthy in (target-group a) due to (reason Request timed out)."
NEW = "(service web) does something that nobody has seen before."
STEADY = "(service web) has reached a steady state."


def said(*messages: str, at: float = NOW) -> list[Event]:
    """Return events in this order, oldest first, one second apart."""
    return [Event(f"event {number}", at + number, message) for number, message in enumerate(messages)]


@pytest.mark.parametrize(
    ("events", "refused", "no_room"),
    [
        pytest.param([], None, None, id="nothing is said"),
        pytest.param(said(STEADY, STARTED), None, None, id="all is well"),
        pytest.param(said(BLOCKED), BLOCKED, None, id="refused"),
        pytest.param(said(IMPAIRED), IMPAIRED, None, id="starts that are slowed down"),
        pytest.param(said(NO_ROOM), None, NO_ROOM, id="no room"),
        pytest.param(said(BLOCKED, IMPAIRED), IMPAIRED, None, id="of two refusals the later one counts"),
        pytest.param(said(NO_ROOM, BLOCKED), BLOCKED, NO_ROOM, id="no room, and refused"),
        pytest.param(said(BLOCKED, STEADY), BLOCKED, None, id="refused, and then something else"),
        pytest.param(said(BLOCKED, NO_ROOM, STARTED), None, None, id="and then a start"),
        pytest.param(said(STARTED, NO_ROOM), None, NO_ROOM, id="a start, and then no room"),
        pytest.param(said(NO_ROOM, BALANCING), None, NO_ROOM, id="no room, and none while zones are balanced"),
        pytest.param(said(BALANCING, PULL, SICK, NEW), None, None, id="nothing of this refuses"),
        pytest.param(said(BLOCKED, NO_ROOM, at=NOW - 2), None, None, id="before our own action"),
        pytest.param(said(BLOCKED, at=NOW), BLOCKED, None, id="in the instant of our own action"),
        pytest.param(said(BLOCKED, STARTED, at=NOW - 1), None, None, id="a start after our own action"),
        pytest.param(said(BLOCKED + " \n"), BLOCKED, None, id="blanks behind it do no harm"),
    ],
)
def test_what_events_say_against_a_run(events, refused, no_room):
    found = listen(events, NOW, freed_at=0.0, now=NOW + 1000)
    assert (found.refused, found.no_room) == (refused, no_room)
    # A stopped task holds its place now, or held it at the time of the event: there may be room once it is gone.
    for freed_at in (math.inf, max([0.0, *(each.at for each in events)])):
        found = listen(events, NOW, freed_at, now=NOW + 1000)
        assert (found.refused, found.no_room) == (None, None)


def test_the_wait_for_room_begins_with_the_first_time_that_there_was_none():
    found = listen(said(NO_ROOM, NO_ROOM, STARTED, NO_ROOM, NO_ROOM), NOW, 0.0, NOW + 60)
    assert found.no_room_since == NOW + 3


@pytest.mark.parametrize(
    ("events", "seconds", "refused"),
    [
        pytest.param(said(ROLE), 30.0, None, id="a new role is waited for"),
        pytest.param(said(ROLE), 30.1, ROLE, id="and not for longer"),
        pytest.param(said(ROLE, STARTED), 100.0, None, id="it was settled"),
        pytest.param(said(ROLE, ROLE), 30.1, ROLE, id="it was said before"),
        pytest.param(said(ROLE, STARTED, ROLE), 30.1, None, id="it was settled, and begins again"),
    ],
)
@pytest.mark.parametrize("freed_at", [0.0, math.inf], ids=["", "no place has to do with it"])
def test_a_role_that_cannot_be_assumed(events, seconds, refused, freed_at):
    assert listen(events, NOW, freed_at, NOW + seconds).refused == refused


@pytest.mark.parametrize(
    ("events", "last"),
    [
        pytest.param([], None, id="nothing"),
        pytest.param(said(STARTED, STEADY), STEADY, id="the last text of all"),
        pytest.param(said(SICK, STARTED, STEADY), SICK, id="a complaint is of more use than what is harmless"),
        pytest.param(said(SICK, NEW), NEW, id="a text that no rule knows is a complaint"),
        pytest.param(said(PULL, at=NOW - 10), PULL, id="a moment before our own action"),
    ],
)
def test_the_last_thing_that_ecs_said(events, last):
    assert listen(events, NOW, math.inf, NOW + 5).last == last


@pytest.mark.parametrize(
    ("events", "standing"),
    [
        pytest.param(said(NO_ROOM, STEADY), NO_ROOM, id="ECS does not say it again"),
        pytest.param(said(NO_ROOM, STARTED), None, id="it is over"),
        pytest.param(said(STARTED, NEW), NEW, id="it began after a start"),
        pytest.param([], None, id="silence"),
    ],
)
def test_a_complaint_that_still_stands(events, standing):
    assert find_standing(events[::-1]) == standing


def test_words_end_with_one_full_stop():
    assert refusal_words("no room") == "ECS says: no room. Fix the cause, then run again"
    assert refusal_words(BLOCKED) == f"ECS says: {BLOCKED} Fix the cause, then run again"
    assert last_words(Said(last=SICK)) == f". ECS last said: {SICK[:-1]}"
    assert last_words(Said()) == ""


START = task(7, stop_code="TaskFailedToStart", stopped_reason="CannotPullContainerError: no such image.")
SILENT = task(8, stop_code="EssentialContainerExited")
UNHEALTHY = task(9, stop_code="ServiceSchedulerInitiated", stopped_reason="Task failed container health checks")


@pytest.mark.parametrize(
    ("failed", "reported", "allowed", "words"),
    [
        pytest.param([], [], 0, None, id="none"),
        pytest.param([START], [], 0, f"{START.id} ended by itself (TaskFailedToStart): CannotPull", id="1"),
        pytest.param([SILENT], [], 0, f"{SILENT.id} ended by itself (EssentialContainerExited): ECS gives no", id="2"),
        pytest.param([], said(PULL), 0, f"ECS says: {PULL} Fix the cause", id="an event alone"),
        pytest.param([START], said(PULL), 1, None, id="both wordings of one failed start are one failure"),
        pytest.param([START], said(PULL, PULL), 1, f"ECS says: {PULL}", id="two events are two"),
        pytest.param([START, SILENT], said(PULL), 1, SILENT.id, id="a start that failed, and a task that ended"),
        pytest.param([START, SILENT], said(PULL), 2, None, id="as many as are allowed"),
        pytest.param([START, SILENT, UNHEALTHY], [], 2, UNHEALTHY.id, id="the one too many is told"),
    ],
)
def test_failures_count_once(failed, reported, allowed, words):
    found = find_failure(failed, reported, allowed)
    assert found is None if words is None else words in (found or "")
    assert ".." not in (found or "")


TARGETS = {
    GROUP: Targets(
        {"10.0.0.1:80": "unhealthy", "10.0.0.3:80": "initial"}, {"10.0.0.1:80": "Target.Timeout: Request timed out"}
    )
}


@pytest.mark.parametrize(
    ("details", "level", "words"),
    [
        pytest.param({"status": "PENDING"}, "running", "is still PENDING, created at 2026-11-2", id="not yet running"),
        pytest.param({"status": "PENDING", "created_at": math.inf}, "running", "is still PENDING", id="quite new"),
        pytest.param({"health": "UNHEALTHY"}, "healthy", "the health of its containers is UNHEALTHY", id="container"),
        pytest.param(
            {"health": "HEALTHY", "targets": {GROUP: ("10.0.0.1:80",)}},
            "target_healthy",
            "is RUNNING, but its target 10.0.0.1:80 is unhealthy (Target.Timeout: Request timed out) in target group a",
            id="target",
        ),
        pytest.param(
            {"health": "HEALTHY", "targets": {GROUP: ("10.0.0.3:80",)}},
            "target_healthy",
            "is RUNNING, but its target 10.0.0.3:80 is initial in target group a",
            id="target without a reason",
        ),
        pytest.param(
            {"health": "HEALTHY", "targets": {GROUP: ("10.0.0.2:80",)}},
            "target_healthy",
            "its target 10.0.0.2:80 is not registered in target group a",
            id="target that is not registered",
        ),
        pytest.param({"health": "HEALTHY"}, "target_healthy", "it has no target in target group a", id="no target"),
        pytest.param({"health": "HEALTHY"}, "healthy", "is RUNNING, but is not known to be good", id="in doubt"),
    ],
)
def test_what_a_task_lacks(details, level, words):
    found = lacking_words(task(3, **details), level, True, TARGETS)
    assert found.startswith(f"task {task_id(3)} ")
    assert words in found


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        ("Target.Timeout", "Request timed out", "Target.Timeout: Request timed out"),
        ("ELB", "Instance registration is still in progress.", "ELB: Instance registration is still in progress"),
        ("HealthCheckFailed", None, "HealthCheckFailed"),
        (None, "only\x1b[2J\n text", "only[2J text"),
        ("N/A", "N/A", ""),
        (None, None, ""),
        ("Target.FailedHealthChecks", "x" * 999, f"Target.FailedHealthChecks: {'x' * 173}"),
    ],
)
def test_the_reason_of_a_load_balancer(code, text, words):
    assert reason_words(code, text) == words


def test_a_task_on_probation():
    words = lacking_words(task(3, health="HEALTHY"), "healthy", True, {}, good_since=NOW, stabilize=40.0)
    assert words.endswith("has passed every check since 2026-11-22T03:00:00Z, and must do so for 40 s (stabilize_time)")
