# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to look again: the first guess, what is learnt, and the bounds that always hold."""

from __future__ import annotations

import math

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.pace import LONGEST, Pace
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.recycle.samples import NOW, law, task


def took(*launches: float | None) -> list:
    """Return tasks that took these seconds from creation to RUNNING. None: the task does not run yet."""
    return [
        task(number, created_at=NOW, started_at=None if seconds is None else NOW + seconds)
        for number, seconds in enumerate(launches)
    ]


def looks(pace: Pace, duration: float) -> list[float]:
    """Return the times of the looks in seconds after the action, up to the look that finds it done."""
    at = [pace.pause(0.0)]
    while at[-1] < duration:
        at.append(at[-1] + pace.pause(at[-1]))
    return at


@pytest.mark.parametrize(
    ("launches", "expected"),
    [
        pytest.param([], [3, 7.5, 14.25, 24.375, 39.375, 54.375], id="nothing is known: ever longer pauses up to 15 s"),
        pytest.param([None, None], [3, 7.5, 14.25, 24.375, 39.375, 54.375], id="none has ever run: nothing is known"),
        pytest.param([24], [14, 28, 42, 45, 49.5, 56.25], id="one took 24 s: 42 s are guessed, in equal parts"),
        pytest.param([24, 24, 600], [14, 28, 42, 45, 49.5, 56.25], id="one that took long makes no difference"),
        pytest.param([24, None], [14, 28, 42, 45, 49.5, 56.25], id="one that does not run makes no difference"),
        pytest.param([8], [14, 17, 21.5, 28.25, 38.375, 53.375], id="one took 8 s: 14 s are guessed"),
        pytest.param([0.0], [3, 7.5, 14.25, 24.375, 39.375, 54.375], id="one took no time at all"),
        pytest.param([0.5], [3, 7.5, 14.25, 24.375, 39.375, 54.375], id="a guess shorter than the shortest pause"),
    ],
)
def test_the_first_looks(launches, expected):
    assert looks(Pace(3.0, took(*launches)), 50.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("early", "late", "expected"),
    [
        pytest.param(28, 30, [15, 30, 33], id="known well: the first look for it is when it was good last time"),
        pytest.param(27, 30, [15, 30, 33], id="known to a pause: so"),
        pytest.param(12, 30, [13.5, 27, 30, 34.5], id="known less well: a sixth of what is not known earlier"),
        pytest.param(24, 30, [14.25, 28.5, 31.5], id="at least half a pause earlier"),
        pytest.param(0, 30, [15, 30, 33], id="it was good at the first look: then"),
    ],
)
def test_what_is_learnt(early, late, expected):
    pace = Pace(3.0, took(200))
    pace.learn(early, late)
    assert looks(pace, 31.0)[: len(expected)] == pytest.approx(expected)


def test_what_was_learnt_of_the_earliest_fades_slowly():
    pace = Pace(3.0, [])
    pace.learn(100, 102)
    assert looks(pace, 102)[-1] == pytest.approx(102)
    pace.learn(0, 102)  # says nothing about the earliest time, which is now 98
    assert looks(pace, 100)[-1] == pytest.approx(102 - 1.5)
    pace.learn(0, 60)  # the earliest time is never after the latest
    assert looks(pace, 60)[-1] == pytest.approx(60)


def test_looks_in_vain_grow_longer_and_begin_anew_with_what_is_learnt():
    pace = Pace(2.0, [])
    assert [pace.pause(0.0) for _time in range(8)] == [2, 3, 4.5, 6.75, 10.125, 15, 15, 15]
    assert looks(Pace(0.5, []), 2.0) == [0.5, 1.25, 2.375]
    pace.learn(9, 10)
    assert [pace.pause(0.0), pace.pause(10.0), pace.pause(12.0)] == [10, 2, 3]


@pytest.mark.parametrize(
    ("elapsed", "pauses"),
    [
        pytest.param([0.0, 10.0, 10.0], [10, 2, 3], id="an expected change is not a useless look"),
        pytest.param([8.9, 10.9, 12.9], [2, 2, 3], id="nor is one more than half a pause before"),
        pytest.param([9.0, 11.0, 13.0], [2, 3, 4.5], id="one within half a pause is the first useless look"),
        pytest.param([10.0, 12.0], [2, 3], id="one in the very second is"),
    ],
)
def test_which_looks_are_in_vain(elapsed, pauses):
    pace = Pace(2.0, [])
    pace.pause(0.0)
    pace.learn(9, 10)
    assert [pace.pause(seconds) for seconds in elapsed] == pytest.approx(pauses)


def test_a_shortest_pause_that_is_longer_than_the_longest_is_kept():
    assert [Pace(40.0, took(100)).pause(0.0), Pace(40.0, []).pause(5.0)] == [40, 40]


def test_a_day_of_looks_in_vain_is_borne():
    pace = Pace(0.1, [])
    assert [pace.pause(15.0 * look) for look in range(6000)][-1] == LONGEST


@pytest.mark.parametrize(
    ("elapsed", "early"),
    [
        pytest.param(0.0, True, id="at once"),
        pytest.param(28.4, True, id="well before"),
        pytest.param(28.5, False, id="less than half a pause before"),
        pytest.param(30.0, False, id="when it was good last time"),
        pytest.param(90.0, False, id="long after"),
    ],
)
def test_a_look_is_too_early_before_anything_can_be_seen(elapsed, early):
    pace = Pace(3.0, [])
    pace.learn(29, 30)
    assert pace.too_early(elapsed) is early


def test_where_nothing_is_known_no_look_is_too_early():
    assert not Pace(3.0, []).too_early(0.0)


# ---- laws

seconds = st.floats(0, 600)
shortest_pauses = st.floats(0.05, 40)


@given(
    shortest=shortest_pauses,
    launches=st.lists(seconds, max_size=3),
    story=st.lists(st.tuples(st.booleans(), seconds, seconds), max_size=30),
)
@law
def test_no_pause_is_shorter_than_the_shortest_or_longer_than_the_longest(shortest, launches, story):
    pace = Pace(shortest, took(*launches))
    for good, one, other in story:
        if good:
            pace.learn(min(one, other), max(one, other))
        else:
            assert shortest <= pace.pause(one) <= max(shortest, LONGEST)


@given(shortest=shortest_pauses, launch=seconds, early=seconds, late=seconds, elapsed=seconds)
@law
def test_what_is_paused_for_is_not_too_early(shortest, launch, early, late, elapsed):
    pace = Pace(shortest, took(launch))
    pace.learn(min(early, late), max(early, late))
    assert not pace.too_early(max(early, late))
    for _look in range(50):
        if not pace.too_early(elapsed):
            break
        pause = pace.pause(elapsed)
        assert pause >= min(LONGEST, shortest) / 2  # few pauses lead there
        elapsed += pause
    assert not pace.too_early(elapsed)


@given(
    shortest=st.floats(1, 20),
    duration=st.floats(1, 600),
    launch=st.none() | seconds,
    ran=st.floats(0.05, 1),
)
@law
def test_a_constant_duration_is_learnt_within_a_few_rounds(shortest, duration, launch, ran):
    """This uses the pace as the loop does: the newest task cannot have been good before it ran."""
    pace = Pace(shortest, took(launch))
    lags = []
    for number in range(20):
        at = looks(pace, duration)
        lags.append(at[-1] - duration)
        assert len(at) <= math.ceil(duration / LONGEST) + (6 if number == 0 else 3)
        pace.learn(max([ran * duration, *at[:-1]]), at[-1])
    assert max(lags) <= max(shortest, LONGEST)
    if shortest >= 3:  # as it is by default
        assert max(lags[8:]) <= 1.01 * shortest
    assert max(lags[12:]) <= 1.51 * shortest
