# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of a run, and the services and sizes that are refused before the first write."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import Amount
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import (
    SCALING_FLAGS,
    Deployment,
    Hold,
    Scaling,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.plan import (
    Found,
    Plan,
    left_diff,
    make_plan,
    missed_words,
    outside_words,
    plan_diff,
    scaling_asked,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import SURGED, Record
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Narrowing, Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.service_state import (
    deployment_words,
    others_words,
    refuse_service,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.staleness import Selection
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.recycle.samples import ECS, GROUP, NOW, NOW_TEXT, OTHER, OWN, law, service, task, task_id, tasks
from tests.unit.core.recycle.samples import plan as sample

ALL = Selector("all_tasks")
SCALE_IN = {"stop_method": "scale_in"}


def percent(number: float) -> Amount:
    return Amount(number, percent=True)


def found(stale: int | None = None, **changes) -> Found:
    """Return what an inventory found. By default, every task is stale and none is protected."""
    of = changes.pop("service", service())
    count = of.desired if stale is None else stale
    return Found(
        **{
            "service": of,
            "tasks": tasks(of.desired),
            "stale": tasks(count),
            "protected": (),
            "selection": Selection(NOW),
            "begun": NOW,
            "has_health_check": True,
            **changes,
        }
    )


def abandoned(**changes) -> Record:
    """Return the record of a run on ten tasks that had added two."""
    return Record(
        **{
            "original": 10,
            "surge": 2,
            "begun": NOW - 60,
            "selector": "all_tasks",
            "cutoff": NOW - 60,
            "suspended": (),
            "phase": SURGED,
            "owner": "an.other.run",
            "lease_until": NOW - 1,
            **changes,
        }
    )


def make(settings: dict | None = None, of: Found | None = None) -> Plan:
    return make_plan(Settings(selector=ALL, **(settings or {})), ALL, of or found())


# ---- sizes

DAEMON = {"daemon": True, "maximum_percent": 100}
HALF = {"controller": "EXTERNAL", "desired": 20, "computed": 10}  # its PRIMARY task set has a scale of 50 %


@pytest.mark.parametrize(
    ("settings", "of", "stale", "sizes"),
    [
        # surge, floor, batch, steps
        pytest.param({}, {}, None, (1, 10, 1, 10), id="one at a time, with one added"),
        pytest.param({}, {"desired": 1}, None, (1, 1, 1, 1), id="one of one, with one added"),
        pytest.param({"batch_size": Amount(3)}, {}, None, (3, 10, 3, 4), id="three at a time, with three added"),
        pytest.param({"batch_size": Amount(3)}, {}, 2, (2, 10, 2, 1), id="no more than there are to replace"),
        pytest.param({"batch_size": Amount(50)}, {}, None, (10, 10, 10, 1), id="no more than there are"),
        pytest.param({"batch_size": percent(25)}, {}, None, (3, 10, 3, 4), id="a quarter of ten is three"),
        pytest.param({"batch_size": percent(25)}, {}, 4, (3, 10, 3, 2), id="a quarter of all and not of the stale"),
        pytest.param({"batch_size": percent(1)}, {}, None, (1, 10, 1, 10), id="a hundredth of ten is one"),
        pytest.param({"batch_size": percent(10)}, {"desired": 1000}, None, (100, 1000, 100, 10), id="a tenth of 1000"),
        pytest.param({}, {"maximum_percent": 110}, None, (1, 10, 1, 10), id="auto just within maximumPercent"),
        pytest.param(
            {"batch_size": Amount(5)}, {"maximum_percent": 120}, None, (2, 10, 2, 5), id="auto is cut by maximumPercent"
        ),
        pytest.param(
            {"batch_size": Amount(5)},
            {"maximum_percent": 129},
            None,
            (2, 10, 2, 5),
            id="maximumPercent is rounded down",
        ),
        pytest.param(
            {"batch_size": Amount(5), "minimum_healthy_percent": 80},
            {"maximum_percent": 120},
            None,
            (2, 8, 4, 3),
            id="auto cut by maximumPercent, and a lower floor makes up for it in part",
        ),
        pytest.param(
            {"minimum_healthy_percent": 90}, {"maximum_percent": 100}, None, (0, 9, 1, 10), id="auto of none by a floor"
        ),
        pytest.param({"surge": 1, "batch_size": Amount(4)}, {}, None, (1, 10, 1, 10), id="a batch is cut by its surge"),
        pytest.param({"surge": 4}, {}, None, (4, 10, 1, 10), id="more added than stopped at a time"),
        pytest.param(
            {"surge": 4}, {"maximum_percent": 100}, None, (4, 10, 1, 10), id="what was said passes the maximum"
        ),
        pytest.param({"surge": 5}, {}, 2, (5, 10, 1, 2), id="more added than there are to replace"),
        pytest.param(
            {"surge": 0, "minimum_healthy_percent": 90}, {}, None, (0, 9, 1, 10), id="none added, one missing"
        ),
        pytest.param(
            {"surge": 0, "minimum_healthy_percent": 50, "batch_size": Amount(8)},
            {},
            None,
            (0, 5, 5, 2),
            id="a batch is cut by the floor",
        ),
        pytest.param({"minimum_healthy_percent": 75}, {"desired": 3}, None, (1, 3, 1, 3), id="a floor is rounded up"),
        pytest.param({"minimum_healthy_percent": 66}, {"desired": 3}, None, (1, 2, 1, 3), id="a floor of two thirds"),
        pytest.param({"minimum_healthy_percent": 1}, {"desired": 3}, None, (1, 1, 1, 3), id="a small floor is one"),
        pytest.param(
            {"minimum_healthy_percent": 0, "surge": 0, "batch_size": Amount(10)},
            {},
            None,
            (0, 0, 10, 1),
            id="all at once",
        ),
        pytest.param({"minimum_healthy_percent": 50}, DAEMON, None, (0, 5, 1, 10), id="nothing is added to DAEMON"),
        pytest.param(
            {"minimum_healthy_percent": 50}, {"daemon": True}, None, (0, 5, 1, 10), id="DAEMON whatever its maximum is"
        ),
        pytest.param(
            {"minimum_healthy_percent": 50, "surge": 0}, DAEMON, None, (0, 5, 1, 10), id="DAEMON with a surge of none"
        ),
        pytest.param({"minimum_healthy_percent": 50}, HALF, 10, (0, 5, 1, 10), id="a task set scaled to a half"),
        pytest.param(
            {"minimum_healthy_percent": 75, "batch_size": percent(50)},
            HALF,
            10,
            (0, 8, 2, 5),
            id="percents of a half",
        ),
        pytest.param({}, HALF | {"computed": 0}, 0, (0, 0, 1, 0), id="a task set scaled to nothing"),
        pytest.param(SCALE_IN, {}, None, (1, 10, 1, 10), id="scale_in adds one"),
        pytest.param(SCALE_IN | {"surge": 5}, {}, 2, (2, 10, 1, 2), id="scale_in adds no more than are stale"),
        pytest.param(
            SCALE_IN | {"surge": 2, "batch_size": Amount(5), "minimum_healthy_percent": 50},
            {},
            None,
            (2, 5, 2, 5),
            id="scale_in takes away no more than was added",
        ),
        pytest.param({"surge": 3}, {}, 0, (0, 10, 1, 0), id="nothing is stale: nothing is added"),
        pytest.param({}, {"desired": 0}, None, (0, 0, 1, 0), id="a service of none"),
    ],
)
def test_sizes(settings, of, stale, sizes):
    made = make(settings, found(stale, service=service(**of)))
    assert (made.surge, made.floor, made.batch, made.steps) == sizes
    assert made.original == service(**of).wanted
    assert not made.resumed


def test_steps_are_none_where_there_is_no_batch():
    assert sample(stale=(), batch=0).steps == 0


@pytest.mark.parametrize(
    ("settings", "of", "words"),
    [
        pytest.param(
            {"surge": 0},
            {},
            "no task of service web could be stopped: minimum_healthy_percent 100 of 10 tasks is 10, and with"
            " surge: 0 no task is added first. Set surge: auto, or a minimum_healthy_percent that leaves room",
            id="none added and a full floor",
        ),
        pytest.param(
            {"surge": 0, "minimum_healthy_percent": 95},
            {},
            "95 of 10 tasks is 10, and with surge: 0",
            id="none by a hair",
        ),
        pytest.param(
            {},
            {"maximum_percent": 100},
            "and its maximumPercent of 100 allows surge: auto 0 more. Set surge: 1, or a minimum_healthy_percent",
            id="auto without room",
        ),
        pytest.param(
            {},
            {"desired": 3, "maximum_percent": 133},
            "maximumPercent of 133 allows surge: auto 0 more",
            id="auto by a hair",
        ),
        pytest.param(
            {},
            DAEMON,
            "service web runs one task on each instance (DAEMON), and no task can be added to it. Set a"
            " minimum_healthy_percent that leaves room for one stop",
            id="DAEMON with a full floor",
        ),
        pytest.param(
            {"surge": 2, "minimum_healthy_percent": 50},
            DAEMON,
            "surge is 2, but service web runs one task on each instance (DAEMON), and no task can be added to it",
            id="DAEMON with a surge",
        ),
        pytest.param(
            {},
            HALF,
            "minimum_healthy_percent 100 of 10 tasks is 10, and the PRIMARY task set of service web has a scale below"
            " 100%, so no single task can be added to it through the desired count. Set a minimum_healthy_percent",
            id="a half with a full floor",
        ),
        pytest.param(
            {"surge": 1, "minimum_healthy_percent": 50},
            HALF,
            "surge is 1, but the PRIMARY task set of service web has a scale below 100%",
            id="a half with a surge",
        ),
        pytest.param(SCALE_IN, HALF, "Set stop_method: stop_task", id="a half by scale_in"),
        pytest.param(SCALE_IN, DAEMON, "added to it. Set stop_method: stop_task", id="DAEMON by scale_in"),
        pytest.param(SCALE_IN, {"maximum_percent": 109}, "Set surge: 1 to add one", id="no room to scale"),
        pytest.param(
            {"wait_for": "target_healthy"}, {}, "service web has no target group", id="a level it cannot have"
        ),
    ],
)
def test_sizes_that_leave_no_room_are_refused(settings, of, words):
    with pytest.raises(Refused) as refused:
        make(settings, found(service=service(**of)))
    assert words in str(refused.value)


def test_a_task_set_that_was_scaled_down_since_a_run_was_killed_is_restored_first():
    with pytest.raises(Refused, match="Run with state: restored first"):
        make({"minimum_healthy_percent": 50}, found(service=service(**HALF), record=abandoned(surge=1)))
    made = make({"minimum_healthy_percent": 50}, found(10, service=service(**HALF), record=abandoned(surge=0)))
    assert (made.original, made.surge) == (10, 0)


@pytest.mark.parametrize("of", [{}, DAEMON], ids=["a service of ten", "a DAEMON service"])
def test_where_nothing_is_stale_there_needs_to_be_no_room(of):
    made = make({"surge": 0}, found(0, service=service(**of)))
    assert (made.stale, made.surge, made.steps) == ((), 0, 0)


@given(
    desired=st.integers(1, 400),
    stale=st.integers(1, 400),
    size=st.integers(1, 20) | st.integers(1, 100).map(percent),
    surge=st.none() | st.integers(0, 30),
    healthy=st.integers(0, 100),
    maximum=st.integers(100, 200),
    daemon=st.booleans(),
)
@law
def test_a_plan_that_is_not_refused_has_room_for_each_of_its_steps(
    desired, stale, size, surge, healthy, maximum, daemon
):
    batch = size if isinstance(size, Amount) else Amount(size)
    of = service(desired=desired, maximum_percent=maximum, daemon=daemon)
    settings = {"batch_size": batch, "surge": surge, "minimum_healthy_percent": healthy}
    try:
        made = make(settings, found(stale, service=of))
    except Refused:
        # Refused only if a DAEMON service gets a surge, or one stop crosses the floor and no task can be added.
        may_add = surge or (surge is None and desired * (maximum - 100) // 100)
        assert (daemon and surge) or (math.ceil(desired * healthy / 100) == desired and (daemon or not may_add))
        return
    assert 1 <= made.batch <= min(stale, batch.of(desired))
    assert made.original + made.surge - made.batch >= made.floor
    assert made.floor * 100 >= desired * healthy > (made.floor - 1) * 100
    assert (made.steps - 1) * made.batch < stale <= made.steps * made.batch
    if surge is not None:
        assert made.surge == surge
    elif daemon:
        assert made.surge == 0
    else:
        assert made.surge <= batch.of(desired)
        assert (desired + made.surge) * 100 <= desired * maximum


# ---- which tasks


def test_the_oldest_come_first_and_of_two_of_the_same_instant_always_the_same():
    young, old, twin = task(1, created_at=NOW - 10), task(3, created_at=NOW - 90), task(2, created_at=NOW - 90)
    made = make(of=Found(service(), (), (young, old, twin), (), NOW, NOW, True))
    assert made.stale == (twin, old, young)


def test_protected_tasks_are_skipped_and_do_not_count_for_the_batch():
    kept = {task(number).arn for number in (0, 3, 99)}
    made = make({"batch_size": Amount(9)}, found(stale=5, protected=kept))
    assert [each.id for each in made.stale] == [task_id(1), task_id(2), task_id(4)]
    assert [(each.id, why) for each, why in made.skipped] == [(task_id(0), "protected"), (task_id(3), "protected")]
    assert (made.batch, made.surge) == (3, 3)


def test_when_all_that_is_stale_is_protected_nothing_is_added():
    made = make(of=found(stale=2, protected={task(0).arn, task(1).arn}))
    assert (made.stale, made.surge, made.steps) == ((), 0, 0)
    assert len(made.skipped) == 2


# ---- what is taken over as it is


@pytest.mark.parametrize(
    ("settings", "of", "expected"),
    [
        pytest.param({}, {"has_health_check": True}, ("healthy", 0), id="a service with a health check"),
        pytest.param({}, {"has_health_check": False}, ("running", 40), id="a service that tells nothing"),
        pytest.param({}, {"service": service(target_groups=(GROUP,))}, ("target_healthy", 0), id="one with targets"),
        pytest.param({"wait_for": "running", "stabilize_time": 7.0}, {}, ("running", 7), id="as it was said"),
    ],
)
def test_when_a_task_will_be_good(settings, of, expected):
    made = make(settings, found(**of))
    assert (made.level, made.stabilize) == expected


def test_instants_and_the_selector_are_taken_over():
    made = make_plan(
        Settings(selector=ALL), Selector("token", "17"), found(selection=Selection(NOW - 5), begun=NOW + 0.4)
    )
    assert (made.selector, made.cutoff, made.begun) == ("token", NOW - 5, NOW + 0.4)


# ---- resuming


@pytest.mark.parametrize(
    ("left", "desired", "stale", "settings", "sizes"),
    [
        # original, surge, floor, batch
        pytest.param({}, 12, 5, {"batch_size": Amount(2)}, (10, 2, 10, 2), id="the surge is there"),
        pytest.param({}, 10, 5, {"batch_size": Amount(2)}, (10, 2, 10, 2), id="the surge was not added, or was taken"),
        pytest.param({}, 11, 5, {"batch_size": Amount(2)}, (10, 2, 10, 2), id="half of the surge is there"),
        pytest.param({}, 15, 5, {"batch_size": Amount(2)}, (10, 2, 10, 2), id="others added three"),
        pytest.param({}, 6, 5, {"batch_size": Amount(2)}, (6, 2, 6, 2), id="others lowered the count"),
        pytest.param({}, 12, 5, {}, (10, 2, 10, 1), id="a smaller batch than that of the abandoned run"),
        pytest.param({}, 12, 5, {"batch_size": Amount(9)}, (10, 2, 10, 2), id="no bigger batch than was added"),
        pytest.param({}, 12, 5, {"surge": 4}, (10, 2, 10, 1), id="what was added stays the surge"),
        pytest.param({"surge": 0}, 10, 5, {"batch_size": Amount(3)}, (10, 3, 10, 3), id="all was given back before"),
        pytest.param({}, 12, 5, {"minimum_healthy_percent": 50}, (10, 2, 5, 1), id="a floor of the original count"),
        pytest.param({}, 12, 0, {}, (10, 2, 10, 1), id="nothing is stale, but something to give back"),
        pytest.param({"surge": 0}, 10, 0, {}, (10, 0, 10, 1), id="nothing is stale, and nothing to give back"),
        pytest.param({"surge": 1}, 11, 5, SCALE_IN | {"surge": 3}, (10, 3, 10, 1), id="scale_in adds what is missing"),
    ],
)
def test_resuming(left, desired, stale, settings, sizes):
    made = make(settings, found(stale, service=service(desired=desired), record=abandoned(**left)))
    assert (made.original, made.surge, made.floor, made.batch) == sizes
    assert made.resumed


# ---- switches of Application Auto Scaling


@pytest.mark.parametrize(
    ("asked", "scaling", "left", "suspend"),
    [
        pytest.param(("dynamic_in",), Scaling(), None, ("dynamic_in",), id="the one that is asked for"),
        pytest.param(
            ("scheduled", "dynamic_in"), Scaling(), None, ("dynamic_in", "scheduled"), id="two, in the order of AWS"
        ),
        pytest.param((), Scaling(), None, (), id="none that is not asked for"),
        pytest.param(("dynamic_in",), Scaling(dynamic_in=True), None, (), id="one that is on already is not ours"),
        pytest.param(
            SCALING_FLAGS, Scaling(dynamic_out=True), None, ("dynamic_in", "scheduled"), id="only those that are not on"
        ),
        pytest.param(("dynamic_in",), None, None, (), id="no scalable target"),
        pytest.param(("dynamic_in",), Scaling(minimum=10, maximum=10), None, ("dynamic_in",), id="just within limits"),
        pytest.param(("dynamic_in",), Scaling(minimum=11), None, (), id="below the minimum"),
        pytest.param(("dynamic_in",), Scaling(maximum=9), None, (), id="above the maximum"),
        pytest.param(
            ("dynamic_in",), Scaling(dynamic_in=True), ("dynamic_in",), ("dynamic_in",), id="on by the abandoned run"
        ),
        pytest.param(
            (), Scaling(scheduled=True), ("scheduled",), ("scheduled",), id="on by the abandoned run, asked for no more"
        ),
        pytest.param(
            ("dynamic_out",),
            Scaling(scheduled=True),
            ("scheduled",),
            ("dynamic_out", "scheduled"),
            id="one by the abandoned run, and one more",
        ),
        pytest.param(
            ("dynamic_out",),
            Scaling(scheduled=True, maximum=9),
            ("scheduled",),
            ("scheduled",),
            id="one by the abandoned run, and no more outside the limits",
        ),
        pytest.param(("dynamic_in",), None, ("dynamic_in",), ("dynamic_in",), id="the scalable target has gone"),
    ],
)
def test_switches(asked, scaling, left, suspend):
    record = None if left is None else abandoned(original=10, surge=0, suspended=left)
    made = make({"suspend_scaling": asked}, found(scaling=scaling, record=record))
    assert made.suspend == suspend


@pytest.mark.parametrize(
    ("asked", "scaling", "flags"),
    [
        pytest.param((), Scaling(), (), id="nothing asked for"),
        pytest.param(SCALING_FLAGS, Scaling(), SCALING_FLAGS, id="all of them"),
        pytest.param(SCALING_FLAGS, Scaling(True, True, True), (), id="all are on"),
        pytest.param(("scheduled",), Scaling(dynamic_in=True), ("scheduled",), id="one, while another is on"),
    ],
)
def test_switches_asked_for(asked, scaling, flags):
    assert scaling_asked(Settings(selector=ALL, suspend_scaling=asked), scaling) == flags


def test_what_is_said_of_a_count_outside_the_limits():
    said = outside_words("service web", service(desired=10), Scaling(minimum=1, maximum=9))
    assert said.startswith("scaling of service web was not suspended")
    assert "desired count of 10 is outside the limits of its scalable target (1 to 9)" in said


# ---- which service

SHORT = f"{ECS}:service/web"
FAILED = (Deployment(OWN, "PRIMARY", "FAILED"),)
TWO_SETS = (Deployment(OWN, "PRIMARY"), Deployment(OTHER, "ACTIVE"))


@pytest.mark.parametrize(
    ("of", "restoring"),
    [
        pytest.param({}, False, id="any other"),
        pytest.param({"desired": 0, "running": 0}, False, id="one of none"),
        pytest.param({"controller": "EXTERNAL"}, False, id="one with one live task set"),
        pytest.param({"deployments": TWO_SETS}, False, id="one with two task sets, which may be waited for"),
        pytest.param(
            {"deployments": (Deployment(OWN, "PRIMARY", "IN_PROGRESS"),)},
            False,
            id="one in a deployment, which may be waited for",
        ),
        pytest.param({"deployments": FAILED}, True, id="one whose deployment failed, when nothing is recycled"),
        pytest.param({"deployments": ()}, True, id="one without a PRIMARY task set, when nothing is recycled"),
        pytest.param({"arn": SHORT}, True, id="one with a short ARN, when nothing is recycled"),
    ],
)
def test_a_service_that_can_be_worked_on(of, restoring):
    assert refuse_service(service(**of), "prod", "web", restoring) == service(**of)


@pytest.mark.parametrize("restoring", [False, True], ids=["recycled", "restored"])
@pytest.mark.parametrize(
    ("of", "words"),
    [
        pytest.param(None, "there is no service web in cluster prod. Compare both names", id="none"),
        pytest.param(
            service(status="INACTIVE"), "service web in cluster prod is INACTIVE: ECS starts no", id="INACTIVE"
        ),
        pytest.param(service(status="DRAINING"), "service web in cluster prod is DRAINING", id="DRAINING"),
    ],
)
def test_a_service_that_is_not_there_is_refused_in_both_states(of, words, restoring):
    with pytest.raises(Refused) as refused:
        refuse_service(of, "prod", "web", restoring)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("of", "words"),
    [
        pytest.param(
            {"arn": SHORT}, f"service web still has an ARN of the format before 2019 ({SHORT})", id="a short ARN"
        ),
        pytest.param(
            {"controller": "EXTERNAL", "deployments": ()}, "service web has no PRIMARY task set", id="no task set"
        ),
        pytest.param(
            {"deployments": FAILED}, "launches no further tasks for it, so no stopped", id="a failed deployment"
        ),
        pytest.param(
            {"deployments": (*FAILED, Deployment(OTHER, "ACTIVE", "COMPLETED"))},
            f"the deployment {OWN} of service web in cluster prod has FAILED and was not rolled back",
            id="a failed deployment beside another",
        ),
    ],
)
def test_a_service_that_cannot_be_recycled_is_refused(of, words):
    with pytest.raises(Refused) as refused:
        refuse_service(service(**of), "prod", "web")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("of", "deploying"),
    [
        pytest.param({}, False, id="one that is completed"),
        pytest.param({"deployments": FAILED}, False, id="one that has failed"),
        pytest.param({"deployments": (Deployment(OWN, "PRIMARY"),)}, False, id="a task set"),
        pytest.param({"deployments": (Deployment(OWN, "PRIMARY", "IN_PROGRESS"),)}, True, id="one in progress"),
        pytest.param({"deployments": TWO_SETS}, True, id="two at a time"),
        pytest.param(
            {"deployments": (Deployment(OWN, "PRIMARY", "COMPLETED"), Deployment(OTHER, "ACTIVE", "FAILED"))},
            True,
            id="a rollback",
        ),
        pytest.param({"revisions": 2}, True, id="two service revisions"),
        pytest.param({"hold": Hold("IN_PROGRESS", "SCALE_UP")}, True, id="a service deployment under way"),
    ],
)
def test_when_a_service_is_deploying(of, deploying):
    assert service(**of).deploying is deploying


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        (None, ""),
        (Hold("IN_PROGRESS", "BAKE_TIME"), "; IN_PROGRESS in stage BAKE_TIME"),
        (Hold("PENDING"), "; PENDING in stage unknown"),
        (
            Hold("IN_PROGRESS", "POST_SCALE_UP", "ecs-pause-1", NOW, "ROLLBACK"),
            f"; the lifecycle hook ecs-pause-1 pauses it in stage POST_SCALE_UP until {NOW_TEXT}, then ROLLBACK",
        ),
        (
            Hold("IN_PROGRESS", "POST_SCALE_UP", "ecs-pause-1"),
            "; the lifecycle hook ecs-pause-1 pauses it in stage POST_SCALE_UP",
        ),
    ],
)
def test_what_is_said_of_a_deployment(hold, words):
    of = service(deployments=(Deployment(OWN, "PRIMARY", "IN_PROGRESS"), Deployment(OTHER, "ACTIVE")), hold=hold)
    assert deployment_words(of) == (
        f"a deployment of service web in cluster prod is in progress ({OWN} PRIMARY IN_PROGRESS, {OTHER} ACTIVE){words}"
    )


@pytest.mark.parametrize(("others", "words"), [(1, "1 task of"), (3, "3 tasks of")])
def test_what_is_said_of_tasks_of_another_deployment(others, words):
    assert others_words(service(), others).startswith(
        f"{words} service web in cluster prod belong to another deployment"
    )


# ---- what is shown


def test_a_plan_as_the_result_shows_it():
    made = sample(stale=tasks(5), suspend=("dynamic_in",), level="healthy", stabilize=7.5)
    assert made.as_dict() == {
        "tasks": [each.arn for each in tasks(5)],
        "steps": 3,
        "batch_size": 2,
        "surge": 2,
        "minimum_healthy": 10,
        "wait_for": "healthy",
        "stabilize_time": 7.5,
        "suspend_scaling": ["dynamic_in"],
    }


def test_the_diff_is_what_is_stale_now_and_what_will_be_left_of_it():
    made = sample(
        stale=(task(1, created_at=NOW - 60), task(2, created_at=NOW - 30.5)),
        skipped=((task(3, created_at=NOW - 90), "protected"),),
    )
    kept = f"{task_id(3)} created 2026-11-22T02:58:30Z"
    assert plan_diff(made) == {
        "before": {
            "stale_tasks": [
                f"{task_id(1)} created 2026-11-22T02:59:00Z",
                f"{task_id(2)} created 2026-11-22T02:59:29.500Z",
                kept,
            ]
        },
        "after": {"stale_tasks": [kept]},
    }


def test_a_plan_without_stale_tasks_shows_no_difference():
    shown = plan_diff(sample(stale=()))
    assert shown["before"] == shown["after"] == {"stale_tasks": []}


@pytest.mark.parametrize(
    ("desired", "left"),
    [
        pytest.param(12, 10, id="what was added is taken away"),
        pytest.param(13, 11, id="what others added stays"),
        pytest.param(9, 9, id="what others lowered stays low"),
    ],
)
def test_the_diff_of_restoring_is_what_is_given_back(desired, left):
    record = abandoned(suspended=("dynamic_in", "scheduled"))
    assert left_diff(service(desired=desired), record) == {
        "before": {"desired_count": desired, "suspended": ["dynamic_in", "scheduled"], "record": record.text},
        "after": {"desired_count": left, "suspended": [], "record": None},
    }


HEALTHY, ILL = {"targets": {GROUP: ("a:1",)}}, {"targets": {GROUP: ("b:1",)}}


@pytest.mark.parametrize(
    ("states", "order"),
    [
        pytest.param({"a:1": "healthy", "b:1": "healthy"}, [0, 1, 2, 3], id="all are healthy: the oldest"),
        pytest.param({"a:1": "healthy", "b:1": "unhealthy"}, [1, 3, 0, 2], id="two are not: these, the oldest of them"),
        pytest.param({}, [0, 1, 3, 2], id="none is: one that does not run yet is not ill"),
    ],
)
def test_tasks_that_are_not_healthy_come_first(states, order):
    made = [task(number, **(ILL if number % 2 else HEALTHY)) for number in range(4)]
    made[2] = replace(made[2], status="PENDING") if not states else made[2]
    of = service(desired=4, running=4, target_groups=(GROUP,))
    seen = replace(found(service=of, has_health_check=False, states={GROUP: states}), stale=made)
    for most in (4, 2):
        plan = make_plan(Settings(ALL, max_tasks=most), ALL, seen)
        assert [each.id for each in plan.stale] == [task_id(number) for number in order[:most]]


@pytest.mark.parametrize(
    ("selector", "narrowing", "missed"),
    [
        pytest.param(ALL, {}, [], id="nothing is named"),
        pytest.param(Selector("tasks", frozenset({task_id(1)})), {}, [], id="a task that is there"),
        pytest.param(
            Selector("tasks", frozenset({task_id(1), task_id(9), task_id(8)})),
            {},
            [f"tasks has {task_id(8)}, {task_id(9)}, which matches"],
            id="tasks that are not there, in order",
        ),
        pytest.param(ALL, {"availability_zones": {"eu-west-1a"}}, [], id="a zone with a task"),
        pytest.param(
            ALL,
            {"availability_zones": {"eu-west-1a", "eu-west-1z"}},
            ["availability_zones has eu-west-1z, which matches"],
            id="a zone without a task",
        ),
        pytest.param(
            ALL,
            {"capacity_providers": {"FARGATE", "FARGATE_SPOT"}, "availability_zones": {"eu-west-1c"}},
            ["availability_zones has eu-west-1c, which matches", "capacity_providers has FARGATE_SPOT, which matches"],
            id="a warning for each option",
        ),
        pytest.param(ALL, {"exclude_tasks": {task_id(9)}}, [], id="a task that is to be left alone may be gone"),
    ],
)
def test_what_the_options_name_and_no_task_has_is_a_warning(selector, narrowing, missed):
    some = tasks(3, zone="eu-west-1a", capacity_provider="FARGATE")
    named = Narrowing(**{option: frozenset(values) for option, values in narrowing.items()})
    assert missed_words("service web", selector, named, iter(some)) == [
        f"{words} no task of service web" for words in missed
    ]
