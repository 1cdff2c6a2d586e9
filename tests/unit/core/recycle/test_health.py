# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which level of health a service must reach, how long a task is on probation, and when it is good."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.health import (
    choose_level,
    choose_stabilize,
    is_good,
    missing_words,
    refuse_unread,
    why_unread,
)

from tests.unit.core.recycle.samples import GROUP, GROUP_2, NOW, SEVEN, service, task

BLIND = service()
BALANCED = service(target_groups=(GROUP,))
CLASSIC = service(target_groups=("old",))


@pytest.mark.parametrize(
    ("wait_for", "of", "checked", "level"),
    [
        pytest.param("auto", BLIND, False, "running", id="auto of a service that tells nothing"),
        pytest.param("auto", BLIND, True, "healthy", id="auto of a service with a health check"),
        pytest.param("auto", BALANCED, False, "target_healthy", id="auto of a service with a target group"),
        pytest.param("auto", BALANCED, True, "target_healthy", id="auto of a service with both"),
        pytest.param("auto", CLASSIC, False, "target_healthy", id="auto of a service with a classic load balancer"),
        pytest.param("running", BLIND, False, "running", id="running of a service that tells nothing"),
        pytest.param("running", BALANCED, True, "running", id="running although there is more to ask for"),
        pytest.param("healthy", BLIND, True, "healthy", id="healthy of a service with a health check"),
        pytest.param("healthy", BALANCED, True, "healthy", id="healthy although there is a target group"),
        pytest.param("target_healthy", BALANCED, False, "target_healthy", id="targets of a service that has some"),
    ],
)
def test_the_level(wait_for, of, checked, level):
    assert choose_level(wait_for, of, checked) == level


@pytest.mark.parametrize(
    ("wait_for", "of", "checked", "words"),
    [
        pytest.param(
            "healthy", BLIND, False, ("wait_for is healthy", SEVEN, "Set wait_for to running or auto"), id="no check"
        ),
        pytest.param(
            "healthy",
            BALANCED,
            False,
            ("wait_for is healthy", "Set wait_for to target_healthy or auto"),
            id="no check but targets",
        ),
        pytest.param(
            "target_healthy",
            BLIND,
            False,
            ("service web has no target group", "Set wait_for to running or auto"),
            id="no targets",
        ),
        pytest.param(
            "target_healthy",
            BLIND,
            True,
            ("service web has no target group", "Set wait_for to healthy or auto"),
            id="only a check",
        ),
    ],
)
def test_a_level_that_the_service_cannot_give_is_refused(wait_for, of, checked, words):
    with pytest.raises(Refused) as refused:
        choose_level(wait_for, of, checked)
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "of", "checked", "seconds"),
    [
        pytest.param(None, BLIND, False, 40, id="no check at all: as long as ECS itself would wait"),
        pytest.param(None, BLIND, True, 0, id="a health check tells"),
        pytest.param(None, BALANCED, False, 0, id="a target group tells"),
        pytest.param(None, CLASSIC, False, 0, id="a classic load balancer tells"),
        pytest.param(0, BLIND, False, 0, id="none asked for, even where nothing tells"),
        pytest.param(25, BALANCED, True, 25, id="some asked for, even where all tells"),
    ],
)
def test_the_probation(asked, of, checked, seconds):
    assert choose_stabilize(asked, of, checked) == seconds


@pytest.mark.parametrize(
    ("level", "checked", "of", "good"),
    [
        pytest.param("running", False, {}, True, id="it runs"),
        pytest.param("running", True, {"health": "UNHEALTHY"}, True, id="it runs, and nothing else is asked for"),
        pytest.param("running", False, {"status": "PENDING"}, False, id="it does not run yet"),
        pytest.param("running", False, {"status": "DEACTIVATING"}, False, id="it runs no more"),
        pytest.param("running", False, {"stopping": True}, False, id="it runs, but is told to stop"),
        pytest.param("healthy", True, {"health": "HEALTHY"}, True, id="its containers are healthy"),
        pytest.param("healthy", True, {"health": "UNKNOWN"}, False, id="its containers have not said so yet"),
        pytest.param("healthy", True, {"health": "UNHEALTHY"}, False, id="its containers are not"),
        pytest.param("healthy", False, {"health": "UNKNOWN"}, True, id="its containers have nothing to say"),
        pytest.param("healthy", True, {"health": "HEALTHY", "status": "PENDING"}, False, id="healthy before it runs"),
    ],
)
def test_when_a_task_is_good(level, checked, of, good):
    assert is_good(task(**of), level, checked, {}) is good


ONE, TWO = "10.0.0.1:80", "10.0.0.1:81"
ANOTHER = "10.0.0.2:80"


@pytest.mark.parametrize(
    ("targets", "states", "good"),
    [
        pytest.param({GROUP: (ONE,)}, {GROUP: {ONE: "healthy"}}, True, id="its target is"),
        pytest.param({GROUP: (ONE,)}, {GROUP: {ONE: "initial"}}, False, id="its target is not yet"),
        pytest.param({GROUP: (ONE,)}, {GROUP: {ONE: "draining"}}, False, id="its target is no more"),
        pytest.param({GROUP: (ONE,)}, {GROUP: {ANOTHER: "healthy"}}, False, id="only the target of another task is"),
        pytest.param({GROUP: (ONE,)}, {GROUP: {}}, False, id="its target is not registered"),
        pytest.param({GROUP: ()}, {GROUP: {ANOTHER: "healthy"}}, False, id="it has no address yet"),
        pytest.param({}, {GROUP: {ANOTHER: "healthy"}}, False, id="nothing is known of its targets"),
        pytest.param({GROUP: (ONE, TWO)}, {GROUP: {ONE: "healthy", TWO: "healthy"}}, True, id="both ports are"),
        pytest.param({GROUP: (ONE, TWO)}, {GROUP: {ONE: "healthy", TWO: "unhealthy"}}, False, id="one of two ports is"),
        pytest.param(
            {GROUP: (ONE,), GROUP_2: (TWO,)},
            {GROUP: {ONE: "healthy"}, GROUP_2: {TWO: "initial"}},
            False,
            id="it is in one of two target groups",
        ),
        pytest.param(
            {GROUP: (ONE,), GROUP_2: (TWO,)},
            {GROUP: {ONE: "healthy"}, GROUP_2: {TWO: "healthy"}},
            True,
            id="it is in both target groups",
        ),
    ],
)
def test_when_a_task_is_good_in_its_target_groups(targets, states, good):
    assert is_good(task(targets=targets), "target_healthy", False, states) is good


@pytest.mark.parametrize(
    ("of", "good"),
    [
        pytest.param({"health": "HEALTHY"}, True, id="its containers are healthy too"),
        pytest.param({"health": "UNKNOWN"}, False, id="its containers have not said so yet"),
        pytest.param({"health": "HEALTHY", "status": "PENDING"}, False, id="it does not run yet"),
        pytest.param({"health": "HEALTHY", "stopping": True}, False, id="it is told to stop"),
    ],
)
def test_a_healthy_target_is_not_enough(of, good):
    assert is_good(task(targets={GROUP: (ONE,)}, **of), "target_healthy", True, {GROUP: {ONE: "healthy"}}) is good


@pytest.mark.parametrize(
    ("unread", "checked", "level"),
    [
        pytest.param((GROUP,), False, "target_healthy", id="another target group can be read"),
        pytest.param((GROUP, GROUP_2), True, "healthy", id="none can: the containers' checks"),
        pytest.param((GROUP, GROUP_2), False, "running", id="none can, and nothing else tells"),
    ],
)
def test_the_level_where_target_groups_cannot_be_read(unread, checked, level):
    assert choose_level("auto", service(target_groups=(GROUP, GROUP_2)), checked, unread) == level


OLD = {"targets": {GROUP: (ONE,)}, "started_at": NOW - 301}
YOUNG = {"targets": {GROUP: (ONE,)}, "started_at": NOW - 299}


@pytest.mark.parametrize(
    ("tasks", "states", "why"),
    [
        pytest.param([OLD], {ONE: "healthy"}, None, id="healthy"),
        pytest.param([OLD], {ONE: "unhealthy"}, None, id="unhealthy, which may change"),
        pytest.param([OLD], {ONE: "initial"}, None, id="not told yet"),
        pytest.param([OLD], {ONE: "unused"}, "no listener", id="unused"),
        pytest.param([YOUNG], {ONE: "unavailable"}, "health checks are turned off", id="unavailable"),
        pytest.param(
            [OLD, {"targets": {GROUP: (ANOTHER,)}}], {ONE: "unused", ANOTHER: "healthy"}, None, id="only one is unused"
        ),
        pytest.param([OLD], {ANOTHER: "healthy"}, "none of 1 tasks is registered", id="not registered for long"),
        pytest.param([YOUNG], {}, None, id="not registered yet"),
        pytest.param([{**OLD, "stopping": True}], {}, None, id="no task that stays"),
        pytest.param([], {}, None, id="no task"),
    ],
)
def test_target_groups_that_tell_nothing(tasks, states, why):
    said = why_unread(GROUP, states, [task(number, **each) for number, each in enumerate(tasks)], NOW)
    assert (said is None) if why is None else (why in (said or ""))


@pytest.mark.parametrize(
    ("wait_for", "seconds", "words"),
    [
        ("auto", None, "Fix this, or set stabilize_time"),
        ("auto", 0.0, "Fix this, or set stabilize_time"),
        ("target_healthy", 60.0, "and wait_for: auto"),
    ],
)
def test_silence_is_no_health(wait_for, seconds, words):
    with pytest.raises(Refused, match=r"cannot be read from target group .*: turned off") as refused:
        refuse_unread({GROUP: "turned off"}, BALANCED, wait_for, seconds)
    assert words in str(refused.value)
    assert GROUP in str(refused.value)


def test_time_stands_in_where_the_user_says_so():
    (warning,) = refuse_unread({GROUP: "turned off"}, BALANCED, "auto", 60.0)
    assert f"from {GROUP}: turned off" in warning
    assert "stabilize_time (60 s)" in warning
    assert refuse_unread({}, BALANCED, "target_healthy", None) == []


@pytest.mark.parametrize(("group", "kind"), [(GROUP, "target group"), ("old", "Classic Load Balancer")])
def test_what_is_missing_is_named(group, kind):
    assert f"service web in cluster prod uses {kind} {group}, which does not exist" in missing_words(BLIND, group)
