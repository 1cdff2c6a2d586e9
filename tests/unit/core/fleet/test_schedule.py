# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service of a fleet begins when: a table, and laws that hold for every fleet."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.schedule import (
    DONE,
    FAILED,
    RUNNING,
    WAITING,
    Limits,
    Place,
    Turn,
    next_turn,
    seconds_left,
)
from hypothesis import given
from hypothesis import strategies as st

NOW = 1000.0
STATES = {"w": WAITING, "r": RUNNING, "d": DONE, "f": FAILED}


def places(text: str) -> list[Place]:
    """Parse ``a:w b:r`` in cluster one; ``x/a:w`` in cluster x; ``a:w2`` in wave 2. What has ended did so at 900."""
    found = []
    for word in text.split():
        where, state = word.split(":")
        cluster, _slash, name = where.rpartition("/")
        ended = 900.0 if state[0] in "df" else None
        found.append(Place(name, cluster or "one", int(state[1:] or 0), STATES[state[0]], ended))
    return found


@pytest.mark.parametrize(
    ("limits", "fleet", "begin"),
    [
        ({}, "", ""),
        ({}, "a:w b:w", "a b"),
        ({"concurrency": 1}, "a:w b:w", "a"),
        ({"concurrency": 2}, "a:r b:w c:w", "b"),
        ({"concurrency": 2}, "a:r b:r c:w", ""),
        ({"concurrency": 2}, "a:d b:r c:w d:w", "c"),
        ({"concurrency": 2}, "a:f b:r c:w d:w", "c"),
        ({"per_cluster": 1}, "x/a:w x/b:w y/c:w", "a c"),
        ({"per_cluster": 1}, "x/a:r x/b:w y/c:w", "c"),
        ({"per_cluster": 2, "concurrency": 3}, "x/a:r x/b:w x/c:w y/d:w y/e:w", "b d"),
        ({}, "a:w1 b:w0 c:w2", "b"),
        ({}, "a:w1 b:r0 c:w0", "c"),
        ({}, "a:w1 b:r0", ""),
        ({}, "a:w1 b:d0", "a"),
        ({}, "a:w1 b:d0 c:f0", "a"),
        ({"wave_wait": 100.0}, "a:w1 b:d0", "a"),
        ({"wave_wait": 100.1}, "a:w1 b:d0", "at 1000.1"),
        ({"wave_wait": 500.0}, "a:w2 b:d1", "at 1400.0"),
        ({"wave_wait": 500.0}, "a:w3", "a"),
        ({"wave_wait": 500.0}, "a:w1 b:d0 c:r1", "a"),
        ({"max_failed": 0}, "a:w b:f", "stopped"),
        ({"max_failed": 1}, "a:w b:f", "a"),
        ({"max_failed": 0}, "a:d b:f", ""),
        ({"max_fail_percentage": 50.0}, "a:w b:f", "a"),
        ({"max_fail_percentage": 49.0}, "a:w b:f", "stopped"),
        ({"max_fail_percentage": 0.0}, "a:w b:f c:d d:d", "stopped"),
        ({"max_fail_percentage": 30.0}, "a:f0 b:d0 c:w1 d:w1 e:w1 f:w1", "stopped"),
        ({"max_fail_percentage": 60.0}, "a:f0 b:d0 c:w1 d:w1 e:w1 f:w1", "c d e f"),
    ],
)
def test_what_begins(limits: dict[str, float], fleet: str, begin: str) -> None:
    turn = next_turn(Limits(**limits), places(fleet), NOW)  # type: ignore[arg-type]
    told = " ".join(turn.begin) or (f"at {turn.ask_at}" if turn.ask_at else "") or ("stopped" if turn.stopped else "")
    assert told == begin


def test_why_it_stops() -> None:
    few = next_turn(Limits(max_failed=1), places("a:f b:f c:w"), NOW)
    assert few == Turn(stopped="2 failed, which is more than the 1 that max_failed_services allows")
    share = next_turn(Limits(max_fail_percentage=12.5), places("a:f b:d c:w d:w"), NOW)
    assert share.stopped == (
        "1 of 4 services of the fleet failed, which is more than the 12.5% that max_fail_percentage allows"
    )
    wave = next_turn(Limits(max_fail_percentage=10), places("a:f0 b:w0 c:w1"), NOW)
    assert wave.stopped == (
        "1 of 2 services of a wave failed, which is more than the 10% that max_fail_percentage allows"
    )


FLEETS = st.lists(
    st.builds(
        Place,
        name=st.just(""),
        cluster=st.sampled_from("xyz"),
        wave=st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
).map(lambda fleet: [replace(place, name=f"s{number}") for number, place in enumerate(fleet)])
LIMITS = st.builds(
    Limits,
    concurrency=st.integers(1, 5),
    per_cluster=st.none() | st.integers(1, 3),
    max_failed=st.none() | st.integers(0, 3),
    max_fail_percentage=st.none() | st.floats(0, 100),
    wave_wait=st.sampled_from([0.0, 50.0]),
)


@given(FLEETS, LIMITS, st.randoms(use_true_random=False), st.booleans())
def test_every_course_keeps_the_limits_and_comes_to_its_end(fleet, limits, rng, failing) -> None:
    """This holds however long each service takes, and whichever services fail."""
    now, ends = 0.0, {}
    order = []
    while True:
        turn = next_turn(limits, fleet, now)
        by_name = {place.name: place for place in fleet}
        for name in turn.begin:
            order.append(name)
            ends[name] = now + rng.choice([1.0, 10.0, 100.0])
            by_name[name] = replace(by_name[name], state=RUNNING)
        fleet = list(by_name.values())
        running = [place for place in fleet if place.state == RUNNING]
        assert len(running) <= limits.concurrency
        busy = Counter(place.cluster for place in running)
        assert limits.per_cluster is None or max(busy.values(), default=0) <= limits.per_cluster
        assert len({place.wave for place in running}) <= 1
        assert next_turn(limits, fleet, now).begin == (), "all that may begin has begun"
        if not running and turn.ask_at is None:
            break
        now = min([ends[place.name] for place in running] or [turn.ask_at])
        for place in running:
            if ends[place.name] <= now:
                state = FAILED if failing and rng.random() < 0.4 else DONE
                by_name[place.name] = replace(place, state=state, ended_at=now)
        fleet = list(by_name.values())
    waiting = [place for place in fleet if place.state == WAITING]
    assert bool(waiting) == (turn.stopped is not None)
    assert len(order) == len(set(order))
    waves = [by_name[name].wave for name in order]
    assert waves == sorted(waves)
    if limits.max_failed is None and limits.max_fail_percentage is None:
        assert waiting == []


@given(FLEETS, st.integers(1, 5))
def test_without_other_limits_they_begin_in_their_order(fleet, concurrency) -> None:
    turn = next_turn(Limits(concurrency=concurrency), fleet, NOW)
    first = min(place.wave for place in fleet)
    assert list(turn.begin) == [place.name for place in fleet if place.wave == first][:concurrency]


@pytest.mark.parametrize(
    ("lasted", "running", "waiting", "concurrency", "left"),
    [
        ([], [5.0], 3, 2, None),
        ([100.0, 200.0], [], 0, 2, 0.0),
        ([100.0, 200.0], [50.0], 0, 2, 100.0),
        ([100.0], [0.0, 50.0], 2, 2, 175.0),
        ([100.0], [100.0, 400.0], 2, 2, 100.0),
        ([100.0], [0.0], 0, 20, 100.0),
    ],
)
def test_the_time_that_is_left(lasted, running, waiting, concurrency, left) -> None:
    assert seconds_left(lasted, running, waiting, concurrency) == left
