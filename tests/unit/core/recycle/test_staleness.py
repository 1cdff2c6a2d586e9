# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instant each selector means, and which tasks it makes stale."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Task
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import (
    RECORD_TAG,
    SURGED,
    TOKENS_TAG,
    Record,
    read_record,
    remember_token,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.staleness import (
    Selection,
    find_cutoff,
    freeze_now,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.recycle.samples import EIGHT, NOW, instants, law, task

DAY = 86400


def stale_before(each: Task, cutoff: float) -> bool:
    return Selection(cutoff).holds(each)


def abandoned(selector: str, cutoff: float | None) -> Record:
    return Record(3, 1, NOW - 60, selector, cutoff, (), SURGED, "an.other.run", NOW - 1)


OLD, YOUNG = task(1, created_at=NOW - DAY), task(2, created_at=NOW - 5)
JUST_BORN = task(3, created_at=NOW + 0.4)  # a date is cut to the second, so it lags behind its clock
KNOWN = {TOKENS_TAG: remember_token({}, "17", NOW - 500)}
ALL, TOKEN, AGE = Selector("all_tasks"), Selector("token", "17"), Selector("max_task_age", 60.0)
INSTANT = Selector("started_before", NOW - 7)


@pytest.mark.parametrize(
    ("selector", "found", "cutoff"),
    [
        pytest.param(INSTANT, {}, NOW - 7, id="an instant is itself"),
        pytest.param(INSTANT, {"tasks": [JUST_BORN]}, NOW - 7, id="an instant is itself however young the tasks are"),
        pytest.param(
            INSTANT, {"record": abandoned("all_tasks", NOW - 60)}, NOW - 7, id="an instant is itself on resuming"
        ),
        pytest.param(Selector("started_before", 0.0), {}, 0.0, id="an instant may be long ago"),
        pytest.param(AGE, {"tasks": [OLD, JUST_BORN]}, NOW - 60, id="an age counts from now"),
        pytest.param(
            AGE, {"record": abandoned("max_task_age", NOW - 900)}, NOW - 60, id="an age counts from now on resuming"
        ),
        pytest.param(Selector("tasks", frozenset({OLD.id})), {"tasks": [OLD]}, None, id="named tasks have no cutoff"),
        pytest.param(TOKEN, {"tasks": [OLD, YOUNG]}, NOW, id="a new token begins now"),
        pytest.param(TOKEN, {"tasks": [OLD, JUST_BORN]}, NOW + 0.401, id="a new token begins after the youngest"),
        pytest.param(TOKEN, {"tags": KNOWN, "tasks": [JUST_BORN]}, NOW - 500, id="a known token began then"),
        pytest.param(Selector("token", "18"), {"tags": KNOWN}, NOW, id="another token than the known one begins now"),
        pytest.param(
            TOKEN, {"record": abandoned("all_tasks", NOW - 60)}, NOW, id="a token after a run of all tasks is new"
        ),
        pytest.param(ALL, {"tasks": [OLD, YOUNG]}, NOW, id="all are those up to now"),
        pytest.param(ALL, {}, NOW, id="all of none are those up to now"),
        pytest.param(ALL, {"tasks": [OLD, JUST_BORN]}, NOW + 0.401, id="all are the youngest too"),
        pytest.param(
            ALL,
            {"tasks": [OLD, JUST_BORN], "record": abandoned("all_tasks", NOW - 60)},
            NOW - 60,
            id="all of an abandoned run are those of its beginning",
        ),
        pytest.param(
            ALL,
            {"tasks": [OLD], "record": abandoned("token", NOW - 60)},
            NOW,
            id="all after a run with a token are all",
        ),
    ],
)
def test_the_cutoff_of_each_selector(selector, found, cutoff):
    assert find_cutoff(selector, NOW, **{"tasks": [], "tags": {}, "record": None, **found}) == cutoff


def test_an_instant_within_the_second_that_our_clock_is_behind_is_not_the_future():
    assert find_cutoff(Selector("started_before", NOW + 1), NOW, [], {}, None) == NOW + 1


def test_an_instant_in_the_future_is_refused():
    with pytest.raises(Refused) as refused:
        find_cutoff(Selector("started_before", NOW + 1.001), NOW, [], {}, None)
    said = str(refused.value)
    assert "it is 2026-11-22T03:00:01.001Z" in said
    assert "the clock of AWS says 2026-11-22T03:00:00Z" in said
    assert "must be in the past" in said


@given(now=instants.map(int).map(float), ages=st.lists(st.integers(-1000, 10**9).map(lambda millis: millis / 1000)))
@law
def test_frozen_now_lies_behind_every_task_that_is_there_and_before_every_later_one(now, ages):
    # ECS gives creation times in milliseconds; a task may be up to a second younger than the date of the answer.
    there = [task(number, created_at=round(now - age, 3)) for number, age in enumerate(ages)]
    cutoff = freeze_now(now, there)
    assert all(stale_before(each, cutoff) for each in there)
    youngest = max([now, *(each.created_at for each in there)])
    assert now <= cutoff <= youngest + 0.0011
    for later in (cutoff, round(youngest + 0.002, 3), cutoff + DAY):
        assert not stale_before(task(created_at=later), cutoff)


def test_a_task_of_which_ecs_tells_no_instant_is_younger_than_now():
    nameless = task(created_at=float("inf"))
    assert freeze_now(NOW, [nameless]) == NOW
    assert freeze_now(NOW, [nameless, JUST_BORN]) == NOW + 0.401
    assert not stale_before(nameless, NOW)


@given(now=instants, ages=st.lists(st.integers(-1000, 10**9).map(lambda millis: millis / 1000)))
@law
def test_what_is_frozen_means_the_same_to_the_run_that_finds_the_record(now, ages):
    there = [task(number, created_at=round(now - age, 3)) for number, age in enumerate(ages)]
    written = abandoned("all_tasks", freeze_now(now, there))
    resumed = find_cutoff(Selector("all_tasks"), now + 600, [], {}, read_record({RECORD_TAG: written.text}))
    assert all(stale_before(each, resumed) for each in there if each.created_at < written.cutoff)
    assert not stale_before(task(created_at=round(written.cutoff + 0.001, 3)), resumed)


@given(token=st.text(min_size=1, max_size=40), now=instants, more=st.floats(0, 10**9))
@law
def test_a_token_freezes_its_instant_for_good(token, now, more):
    later = now + more
    first = find_cutoff(Selector("token", token), now, [], {}, None)
    tags = {TOKENS_TAG: remember_token({}, token, first)}
    assert find_cutoff(Selector("token", token), later, [task(created_at=later)], tags, None) == first


@pytest.mark.parametrize(
    ("created_at", "stale"),
    [
        pytest.param(NOW - 0.001, True, id="created a millisecond before the cutoff"),
        pytest.param(NOW, False, id="created at the cutoff"),
        pytest.param(NOW + 60, False, id="created later"),
    ],
)
def test_when_a_task_is_stale(created_at, stale):
    assert stale_before(task(created_at=created_at, revision=EIGHT), NOW) is stale  # of whatever revision


def test_a_task_is_as_old_as_its_creation_and_not_as_its_start():
    assert stale_before(task(created_at=NOW - 1, started_at=NOW + 30), NOW)
    assert stale_before(task(created_at=NOW - 1, started_at=None, status="PENDING"), NOW)
