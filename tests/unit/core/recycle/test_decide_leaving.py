# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run gives back what it added: in an order in which ECS cannot pick a good task for a lower count."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.decide import (
    Finish,
    Leaving,
    Lower,
    Wait,
    Withdraw,
    decide_leaving,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.core.recycle.samples import law, task, tasks

FLOOR = 10
BAD, WORSE = task(21), task(20)


def look(**changes) -> Leaving:
    """Return a look at ten tasks and two added ones, all of them good."""
    return Leaving(
        **{"desired": 12, "target": 10, "live": 12, "nameless": 0, "healthy": 12, "bad": (), "spare": 1, **changes}
    )


NAMELESS, UNHEALTHY = (
    Wait("tasks that ECS counts and does not name yet"),
    Wait("ECS to replace tasks that are not healthy"),
)


@pytest.mark.parametrize(
    ("seen", "action"),
    [
        pytest.param({}, Lower(10), id="all are good: it does not matter which ones ECS picks"),
        pytest.param({"desired": 10, "live": 10, "healthy": 10}, Finish(), id="all is given back"),
        pytest.param({"healthy": 10, "bad": (WORSE, BAD)}, Withdraw(WORSE, lower=True), id="the worse of two bad ones"),
        pytest.param({"healthy": 11, "bad": (BAD,)}, Withdraw(BAD, lower=True), id="the one bad one"),
        pytest.param(
            {"healthy": 11, "bad": (BAD,), "spare": 0},
            Withdraw(BAD, lower=True),
            id="the one bad one, with its place in the count",
        ),
        pytest.param({"live": 11, "bad": (BAD,)}, Lower(11), id="one has not been started: the count comes down to it"),
        pytest.param({"live": 10}, Lower(10), id="none has been started: the count comes down to what it was"),
        pytest.param({"live": 9, "healthy": 9}, Lower(10), id="one more is missing: the count comes down no further"),
        pytest.param({"desired": 10, "live": 10}, Finish(), id="nothing was added"),
        pytest.param({"desired": 10, "live": 9, "healthy": 9}, Finish(), id="nothing was added, and one is missing"),
        pytest.param(
            {"desired": 10, "live": 10, "healthy": 9, "bad": (BAD,)}, Finish(), id="a bad one in its own place"
        ),
        pytest.param(
            {"desired": 12, "live": 13, "healthy": 12, "bad": (BAD,)},
            Withdraw(BAD, lower=False),
            id="one more than the count, which keeps its place in it",
        ),
        pytest.param(
            {"desired": 10, "live": 12, "healthy": 8, "bad": (WORSE, BAD), "spare": 0},
            UNHEALTHY,
            id="nothing is left to give back, and what is stopped ECS starts again",
        ),
        pytest.param(
            {"desired": 11, "live": 12, "healthy": 10, "bad": (BAD,), "spare": 0},
            UNHEALTHY,
            id="one more than the count, which ECS starts again",
        ),
        pytest.param(
            {"desired": 10, "live": 11, "healthy": 10, "bad": (BAD,)},
            Withdraw(BAD, lower=False),
            id="one more than what it was, without a place in the count",
        ),
        pytest.param({"nameless": 1, "healthy": 10, "bad": (BAD,)}, NAMELESS, id="one is not known by name yet"),
        pytest.param({"nameless": -1}, Lower(10), id="one more is known than ECS counts"),
        pytest.param({"desired": 10, "live": 12}, Finish(), id="all is given back, and ECS has still to stop two"),
        pytest.param({"healthy": 11}, UNHEALTHY, id="one that ran before is not healthy, and ECS might pick another"),
        pytest.param({"desired": 11, "live": 11, "healthy": 11}, Lower(10), id="one is over: ECS may pick any"),
        pytest.param({"desired": 11, "live": 11, "healthy": 10}, UNHEALTHY, id="one is over, and all good ones needed"),
        pytest.param({"live": 11, "healthy": 11}, Lower(11), id="one is over, and the other was not started"),
        pytest.param({"desired": 10, "live": 11, "healthy": 11}, Finish(), id="one is over that ECS has still to stop"),
        pytest.param({"desired": 10, "live": 11, "healthy": 10}, UNHEALTHY, id="and all good ones are needed"),
        pytest.param({"live": 10, "healthy": 9}, Lower(10), id="one is not healthy, but ECS has none to pick"),
    ],
)
def test_what_comes_next(seen, action):
    assert decide_leaving(look(**seen), FLOOR, patient=True) == action


@pytest.mark.parametrize(
    ("seen", "action"),
    [
        pytest.param({"nameless": 1, "live": 11}, Lower(11), id="one without a name is not waited for"),
        pytest.param({"nameless": 1, "bad": (BAD,)}, Withdraw(BAD, lower=True), id="nor before a bad one goes"),
        pytest.param({"healthy": 11}, Lower(10), id="one that is not healthy is not waited for"),
    ],
)
def test_what_comes_next_when_there_is_no_time(seen, action):
    assert decide_leaving(look(**seen), FLOOR, patient=False) == action


def test_without_a_word_of_spare_ones_nothing_is_stopped_that_ecs_starts_again():
    seen = Leaving(desired=10, target=10, live=12, nameless=0, healthy=8, bad=(BAD,))
    assert decide_leaving(seen, FLOOR, patient=True) == UNHEALTHY


counts = st.integers(0, 20)


@st.composite
def situations(draw):
    desired, live = draw(counts), draw(counts)
    return Leaving(
        desired=desired,
        target=draw(st.integers(0, desired)),
        live=live,
        nameless=draw(st.integers(-2, 2)),
        healthy=draw(counts),
        bad=tasks(draw(st.integers(0, live))),
        spare=draw(st.integers(-1, 3)),
    )


@given(seen=situations(), floor=counts, patient=st.booleans())
@settings(law, max_examples=examples(100))
def test_what_holds_for_every_action(seen, floor, patient):
    action = decide_leaving(seen, floor, patient)
    if isinstance(action, Lower):
        assert seen.target <= action.to < seen.desired
        if action.to < seen.live:  # ECS stops some tasks for it and picks them itself
            assert action.to == seen.target
            assert not seen.bad or (seen.spare <= 0 and not patient)
            assert not patient or seen.healthy - (seen.live - seen.target) >= floor
        assert not patient or seen.nameless <= 0
    elif isinstance(action, Withdraw):
        assert action.task == seen.bad[0]
        assert seen.live - 1 >= seen.target
        assert action.lower == (seen.live == seen.desired > seen.target)
        assert action.lower or seen.spare > 0
    elif isinstance(action, Wait):
        assert patient
    else:
        assert seen.desired == seen.target
        assert not (seen.bad and seen.live > seen.target) or (seen.spare <= 0 and not patient)
        if patient:
            assert seen.nameless <= 0
            assert seen.live <= seen.target or seen.healthy - (seen.live - seen.target) >= floor


@given(seen=situations(), floor=counts)
@law
def test_it_comes_to_an_end_and_takes_off_no_more_than_was_added(seen, floor):
    live, desired, bad, spare = seen.live, seen.desired, list(seen.bad), seen.spare
    for _time in range(len(bad) + 3):
        now = Leaving(desired, seen.target, live, seen.nameless, seen.healthy, tuple(bad), spare)
        action = decide_leaving(now, floor, patient=False)
        if isinstance(action, Finish):
            break
        if isinstance(action, Lower):
            desired, live = action.to, min(live, action.to)
        else:
            assert bad.pop(0) == action.task
            live, desired, spare = live - 1, desired - action.lower, spare + (1 if action.lower else -1)
    else:
        pytest.fail("it goes on and on")
    assert live >= min(seen.live, seen.target)
    assert desired == seen.target
