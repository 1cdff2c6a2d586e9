# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The next action: a row for each branch and each boundary, and what holds for all observations."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import Amount
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.decide import (
    Finish,
    GiveUp,
    Grow,
    History,
    Observation,
    Raise,
    Replan,
    ScaleIn,
    Stop,
    Wait,
    decide,
    decide_scale_in,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.plan import Found, make_plan
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.core.recycle.samples import NOW, law, plan, service, task, task_id, tasks

SETTINGS = Settings(Selector("all_tasks"), wait_timeout=900.0, wait_delay=3.0, on_deployment="fail")
PATIENT = replace(SETTINGS, on_deployment="wait")

ADDED = History(surge=2)  # the two tasks are added, nothing is stopped yet
BETWEEN = History(surge=2, stops=4)  # two steps are done
HALFWAY = History(surge=2, open_stops=1, stops=1)  # the second stop of a step of two is still to come
LAST = History(surge=1, open_stops=1, stops=9, last_step=True)  # the second stop of the last step is still to come


LACKING, TOLD = "task 7 is still PENDING", ". ECS last said: (service web) is throttled"


def look(**changes) -> Observation:
    """Return a look at twelve good tasks, ten of them stale, after the added tasks have become good."""
    stale = changes.get("stale", 10)
    batch = tasks(min(stale, changes.pop("batch", 2)))
    return Observation(
        **{
            "clock": 0.0,
            "elapsed": 30.0,
            "desired": 12,
            "healthy": 12,
            "live": 12,
            "unknown": 0,
            "unclear": 0,
            "fresh_good": 2,
            "fresh_bad": 0,
            "failed": None,
            "deploying": None,
            "outdated": False,
            "refusal": None,
            "room": None,
            "lacking": LACKING,
            "last_said": TOLD,
            "stale": stale,
            "next_stale": batch,
            "next_good": frozenset(each.id for each in batch),
            **changes,
        }
    )


def stop(before: History, lower: bool = False, **after) -> Stop:
    """Return the action that stops the oldest task."""
    return Stop(task(0), lower, replace(before, stops=before.stops + 1, **after))


def check(action, expected, words=""):
    if expected in (Wait, GiveUp):
        assert isinstance(action, expected)
        assert words in action.why
    else:
        assert action == expected


FAILED = "the deployment of service web has FAILED"
DEPLOYING = "a deployment of service web in cluster prod is in progress"
NO_ROOM = "ECS says: service web was unable to place a task."


@pytest.mark.parametrize(
    ("settings", "seen", "expected", "words"),
    [
        pytest.param(SETTINGS, {}, GiveUp, f"{DEPLOYING}. Run again when it has ended", id="ends the run"),
        pytest.param(PATIENT, {}, Wait, DEPLOYING, id="is waited for"),
        pytest.param(PATIENT, {"elapsed": 3600.0}, Wait, DEPLOYING, id="is waited for up to the last second"),
        pytest.param(
            PATIENT, {"elapsed": 3600.1}, GiveUp, "waited 3600 s (deployment_timeout)", id="is not waited for ever"
        ),
        pytest.param(PATIENT, {"failed": FAILED, "deploying": None}, GiveUp, FAILED, id="that failed ends the run"),
        pytest.param(PATIENT, {"outdated": True}, Wait, DEPLOYING, id="is waited for before all is planned again"),
        pytest.param(PATIENT, {"deploying": None, "outdated": True}, Replan(), "", id="that has ended asks for a plan"),
        pytest.param(PATIENT, {"refusal": NO_ROOM}, Wait, DEPLOYING, id="may explain what ECS says against us"),
        pytest.param(PATIENT, {"stale": 0}, Wait, DEPLOYING, id="may still take away what is whole"),
        pytest.param(SETTINGS, {"stale": 0}, GiveUp, DEPLOYING, id="ends the run even when nothing is left to do"),
    ],
)
@pytest.mark.parametrize("history", [ADDED, HALFWAY, LAST], ids=["before", "within a step", "within the last step"])
def test_a_deployment(settings, seen, history, expected, words):
    check(decide(plan(), settings, look(**{"deploying": DEPLOYING, **seen}), history), expected, words)


@pytest.mark.parametrize("history", [ADDED, HALFWAY, LAST], ids=["before", "within a step", "within the last step"])
@pytest.mark.parametrize(
    "seen",
    [
        pytest.param({}, id="although all is well"),
        pytest.param({"stale": 0}, id="although nothing is left to do"),
        pytest.param({"elapsed": 901.0, "live": 11}, id="and the time is over"),
        pytest.param({"desired": 9}, id="and the count was lowered"),
    ],
)
def test_what_ecs_refuses_ends_the_run_in_its_words(seen, history):
    assert decide(plan(), SETTINGS, look(refusal=NO_ROOM, **seen), history) == GiveUp(NO_ROOM)


@pytest.mark.parametrize(
    ("seen", "expected", "words"),
    [
        pytest.param({}, Finish(), "", id="all that should run runs"),
        pytest.param({"live": 13}, Finish(), "", id="more runs than should"),
        pytest.param({"elapsed": 901.0}, Finish(), "", id="all is whole, late as it is"),
        pytest.param({"desired": 9, "live": 9}, Finish(), "", id="others lowered the count meanwhile"),
        pytest.param({"fresh_good": 0}, Finish(), "", id="the added tasks were taken away meanwhile"),
        pytest.param({"live": 11}, Wait, "the last replacements to become good", id="one is missing"),
        pytest.param({"fresh_bad": 1}, Wait, "the last replacements to become good", id="one is not good yet"),
        pytest.param({"unknown": 1}, Wait, "the last replacements to become good", id="one is not known by name"),
        pytest.param({"live": 11, "elapsed": 900.0}, Wait, "", id="one is missing at the last second"),
        pytest.param(
            {"live": 11, "elapsed": 900.1, "healthy": 8, "fresh_bad": 3},
            GiveUp,
            f"waited 900 s (wait_timeout) for the last replacements to become good: {LACKING}{TOLD}",
            id="one is missing for too long",
        ),
    ],
)
@pytest.mark.parametrize("history", [ADDED, BETWEEN], ids=["before the first step", "after a step"])
def test_when_nothing_stale_is_left(seen, history, expected, words):
    check(decide(plan(), SETTINGS, look(stale=0, **seen), history), expected, words)


@pytest.mark.parametrize(
    ("seen", "surge", "expected"),
    [
        pytest.param({}, 1, Finish(), id="it is withdrawn"),
        pytest.param({"healthy": 9}, 1, Wait, id="it is needed"),
        pytest.param({"unknown": 1}, 1, Wait, id="there may be more"),
        pytest.param({}, 0, Wait, id="it takes the place of another"),
        pytest.param({"fresh_bad": 2}, 1, Wait, id="one of two does"),
        pytest.param({"stale": 1, "batch": 1}, 1, Wait, id="one is still to be stopped"),
    ],
)
def test_what_ecs_started_more_than_the_last_step_needs(seen, surge, expected):
    last = History(surge=surge, stops=10, last_step=True)
    seen = look(**{"stale": 0, "desired": 11, "live": 11, "healthy": 10, "fresh_bad": 1, **seen})
    check(decide(plan(), SETTINGS, seen, last), expected)


def test_a_look_holds_for_the_next_stop():
    seen = look(stale=4, batch=3)
    first, second, third = seen.next_stale
    seen = replace(seen, next_good=frozenset({second.id, third.id}))
    after = seen.without(first)
    assert (after.healthy, after.live, after.stale, after.next_stale) == (12, 11, 3, (second, third)), "it was not good"
    after = after.without(second)
    assert (after.healthy, after.live, after.stale, after.next_stale) == (11, 10, 2, (third,))


@pytest.mark.parametrize(
    ("history", "seen", "expected", "words"),
    [
        pytest.param(ADDED, {"desired": 9}, GiveUp, "lowered the desired count to 9", id="below the original"),
        pytest.param(HALFWAY, {"desired": 9}, GiveUp, "it was 10 at the start", id="below the original within a step"),
        pytest.param(LAST, {"desired": 9}, GiveUp, "lowered", id="below the original within the last step"),
        pytest.param(ADDED, {"desired": 10}, Raise(2), "", id="to the original: all that was added"),
        pytest.param(ADDED, {"desired": 11}, Raise(2), "", id="a part of what was added"),
        pytest.param(ADDED, {"desired": 11, "elapsed": 901.0}, Raise(2), "", id="a part of it, late as it is"),
        pytest.param(
            ADDED, {"desired": 11, "live": 8, "fresh_bad": 3}, Raise(2), "", id="a part of it before it is whole"
        ),
        pytest.param(replace(BETWEEN, raises=3), {"desired": 11}, Raise(2), "", id="for the fourth time"),
        pytest.param(
            replace(BETWEEN, raises=4),
            {"desired": 11},
            GiveUp,
            "removed again 4 times: the desired count is 11 instead of 12. Find out what sets it",
            id="for the fifth time, which is a quarrel",
        ),
        pytest.param(replace(BETWEEN, raises=4), {}, stop(replace(BETWEEN, raises=4), open_stops=1), "", id="no more"),
        pytest.param(HALFWAY, {"desired": 11}, Raise(2), "", id="a part of what was added within a step"),
        pytest.param(LAST, {"desired": 10, "live": 11}, Raise(2), "", id="the other added one within the last step"),
    ],
)
def test_when_others_take_tasks_away(history, seen, expected, words):
    check(decide(plan(), SETTINGS, look(**seen), history), expected, words)


@pytest.mark.parametrize("surge", [1, 2])
@pytest.mark.parametrize("desired", [10, 11, 15])
def test_when_all_that_was_added_is_used_up_and_more_turns_up_it_is_added_again(surge, desired):
    used_up = History(surge=0, stops=10, last_step=True)
    seen = look(desired=desired, healthy=desired, live=desired, fresh_good=desired, stale=1)
    assert decide(plan(surge=surge, batch=1), SETTINGS, seen, used_up) == Raise(surge)


def test_a_last_step_whose_added_tasks_are_used_up_is_finished_before_anything_is_added():
    # This happens after a last stop that came too late to lower the count and so became an ordinary stop.
    open_step = History(surge=0, open_stops=1, stops=8)
    assert decide(plan(), SETTINGS, look(stale=2), open_step) == stop(open_step, open_stops=0)


def test_a_run_begins_with_nothing_done():
    after = History(surge=2, open_stops=1, raises=0, stops=1, draining=0, last_step=False)
    assert decide(plan(), SETTINGS, look(), History(surge=2)) == Stop(task(0), False, after)


def test_where_nothing_is_to_be_added_nothing_is():
    lean = plan(surge=0, floor=8)
    seen = look(desired=10, healthy=10, live=10, fresh_good=0)
    assert decide(lean, SETTINGS, seen, History(surge=0)) == stop(History(surge=0), open_stops=1)


def test_when_others_add_tasks_the_work_goes_on():
    assert decide(plan(), SETTINGS, look(desired=15, live=15, healthy=15), ADDED) == stop(ADDED, open_stops=1)


def test_tasks_that_protection_keeps_above_the_count_take_the_places_of_added_ones():
    assert decide(plan(), SETTINGS, look(live=14, healthy=14, fresh_good=0), ADDED) == stop(ADDED, open_stops=1)


REPLACEMENTS, THE_ADDED, OWN = (
    "replacements to become good",
    "the added tasks to become good",
    "the tasks of the service",
)


@pytest.mark.parametrize(
    ("history", "seen", "words"),
    [
        pytest.param(ADDED, {"live": 11}, THE_ADDED, id="an added task is missing"),
        pytest.param(ADDED, {"fresh_good": 1, "healthy": 11}, THE_ADDED, id="an added task is not known to be good"),
        pytest.param(ADDED, {"fresh_bad": 1}, THE_ADDED, id="an added task is not good"),
        pytest.param(ADDED, {"unknown": 1}, THE_ADDED, id="an added task is not known by name"),
        pytest.param(BETWEEN, {"live": 11, "fresh_good": 6}, REPLACEMENTS, id="a replacement is missing"),
        pytest.param(BETWEEN, {"fresh_good": 5, "fresh_bad": 1}, REPLACEMENTS, id="a replacement is not good"),
        pytest.param(BETWEEN, {"fresh_good": 1, "healthy": 11}, REPLACEMENTS, id="fewer are good than were added"),
        pytest.param(History(surge=0), {"live": 9, "desired": 10}, OWN, id="the service is not whole by itself"),
    ],
)
def test_no_step_begins_before_all_is_whole(history, seen, words):
    of = plan(surge=history.surge, floor=8)
    check(decide(of, SETTINGS, look(**seen), history), Wait, words)
    check(decide(of, SETTINGS, look(elapsed=900.0, **seen), history), Wait, words)
    check(
        decide(of, SETTINGS, look(elapsed=900.1, **seen), history), GiveUp, f"waited 900 s (wait_timeout) for {words}"
    )


@pytest.mark.parametrize("choose", [decide, decide_scale_in])
def test_for_room_in_the_cluster_it_is_waited_whatever_wait_timeout_says(choose):
    seen = look(live=11, elapsed=900.1, room=NO_ROOM)
    assert choose(plan(), SETTINGS, seen, ADDED) == Wait(NO_ROOM)
    assert isinstance(choose(plan(), SETTINGS, replace(seen, room=None), ADDED), GiveUp)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param({}, f": {LACKING}{TOLD}", id="what one task lacks, and what ECS said"),
        pytest.param({"last_said": ""}, f": {LACKING}", id="ECS said nothing"),
        pytest.param(
            {"lacking": "", "last_said": ""},
            ": 12 of 12 tasks are healthy, 1 of them new",
            id="nothing is known to be lacking: the counts",
        ),
        pytest.param(
            {"lacking": "", "last_said": "", "unknown": 2},
            ": 12 of 12 tasks are healthy, 1 of them new, 2 more are counted and not listed yet",
            id="and those without a name",
        ),
    ],
)
def test_what_is_said_when_the_time_is_over(seen, words):
    action = decide(plan(), SETTINGS, look(elapsed=900.1, fresh_good=1, live=11, **seen), ADDED)
    assert action == GiveUp(f"waited 900 s (wait_timeout) for the added tasks to become good{words}")


def test_where_nothing_was_added_old_tasks_that_are_not_good_hold_nothing_up():
    lean, none = plan(surge=0, floor=8), History(surge=0)
    seen = look(desired=10, healthy=8, live=10, fresh_good=0, next_good=frozenset())
    assert decide(lean, SETTINGS, seen, none) == stop(none, open_stops=1)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        pytest.param(30.0, Wait("batch_wait", at_most=30.0), id="the whole pause"),
        pytest.param(0.5, Wait("batch_wait", at_most=0.5), id="what is left of it"),
        pytest.param(0.0, stop(BETWEEN, open_stops=1), id="nothing of it"),
        pytest.param(-9.0, stop(BETWEEN, open_stops=1), id="over for a while"),
    ],
)
def test_the_pause_between_steps(left, expected):
    assert decide(plan(), SETTINGS, look(fresh_good=6), BETWEEN, left) == expected
    late = look(fresh_good=6, elapsed=901.0)
    assert decide(plan(), SETTINGS, late, BETWEEN, left) == expected  # a long pause is no failure


def test_there_is_no_pause_within_a_step_or_before_the_end():
    assert decide(plan(), SETTINGS, look(), HALFWAY, pause=30.0) == stop(HALFWAY, open_stops=0)
    assert decide(plan(), SETTINGS, look(stale=0), BETWEEN, pause=30.0) == Finish()


@pytest.mark.parametrize(
    ("of", "history", "seen", "expected"),
    [
        pytest.param({}, ADDED, {}, stop(ADDED, open_stops=1), id="of a whole batch"),
        pytest.param({}, ADDED, {"stale": 5}, stop(ADDED, open_stops=1), id="of a batch that leaves three"),
        pytest.param({}, ADDED, {"stale": 4}, stop(ADDED, open_stops=1), id="that leaves just what was added"),
        pytest.param({}, ADDED, {"stale": 3}, stop(ADDED, open_stops=0), id="cut so that just what was added is left"),
        pytest.param(
            {}, ADDED, {"stale": 2}, stop(ADDED, True, surge=1, open_stops=1, last_step=True), id="the last, of both"
        ),
        pytest.param(
            {}, ADDED, {"stale": 1}, stop(ADDED, True, surge=1, open_stops=0, last_step=True), id="the last, of one"
        ),
        pytest.param(
            {"batch": 1},
            ADDED,
            {"stale": 2},
            stop(ADDED, True, surge=1, open_stops=0, last_step=True),
            id="the last but one, when more were added than are stopped at a time",
        ),
        pytest.param(
            {"surge": 1, "batch": 1},
            History(surge=1),
            {"stale": 2, "desired": 11},
            stop(History(surge=1), open_stops=0),
            id="the last but one, one at a time",
        ),
        pytest.param(
            {"surge": 0, "floor": 8},
            History(surge=0),
            {"stale": 2},
            stop(History(surge=0), open_stops=1),
            id="the last of a service to which nothing was added: replaced like any other",
        ),
        pytest.param(
            {"surge": 0, "floor": 8},
            History(surge=0),
            {"stale": 1},
            stop(History(surge=0), open_stops=0),
            id="the last one of such a service",
        ),
    ],
)
def test_a_step_begins(of, history, seen, expected):
    assert decide(plan(**of), SETTINGS, look(**seen), history) == expected


ONE_GOOD, SECOND_BAD, NONE_GOOD = frozenset({task_id(1)}), frozenset({task_id(0)}), frozenset()


@pytest.mark.parametrize(
    ("seen", "stops"),
    [
        pytest.param({"healthy": 12}, 2, id="two above the floor for two good ones"),
        pytest.param({"healthy": 11}, 0, id="one above the floor for two good ones"),
        pytest.param({"healthy": 11, "next_good": ONE_GOOD}, 2, id="one above the floor for a good and a bad one"),
        pytest.param({"healthy": 10, "next_good": ONE_GOOD}, 1, id="none above the floor, for the bad one alone"),
        pytest.param({"healthy": 10, "next_good": NONE_GOOD}, 2, id="none above the floor for two bad ones"),
        pytest.param({"healthy": 1, "next_good": NONE_GOOD}, 2, id="below the floor two bad ones cost nothing"),
        pytest.param({"healthy": 9, "next_good": SECOND_BAD}, 0, id="below the floor a good one stays"),
        pytest.param({"healthy": 11, "stale": 3}, 1, id="one above the floor for a step that is cut to one"),
    ],
)
def test_a_step_begins_when_there_is_room_for_all_of_its_stops(seen, stops):
    action = decide(plan(), SETTINGS, look(**seen), ADDED)
    late = decide(plan(), SETTINGS, look(elapsed=900.1, **seen), ADDED)
    if stops:
        assert action == late == stop(ADDED, open_stops=stops - 1)
    else:
        check(action, Wait, "room for 2 stops above the floor of 10 healthy tasks")
        check(late, GiveUp, "waited 900 s (wait_timeout) for room for 2 stops above the floor of 10 healthy tasks: ")


@pytest.mark.parametrize(
    ("seen", "room"),
    [
        pytest.param({"healthy": 11}, True, id="one above the floor for a good one"),
        pytest.param({"healthy": 10}, False, id="none above the floor for a good one"),
        pytest.param({"healthy": 10, "next_good": ONE_GOOD}, True, id="none above the floor for a bad one"),
        pytest.param({"healthy": 1, "next_good": ONE_GOOD}, True, id="below the floor a bad one costs nothing"),
        pytest.param({"healthy": 10, "next_good": SECOND_BAD}, False, id="a bad one that is not the next"),
        pytest.param({"healthy": 11, "live": 10, "fresh_bad": 1, "unknown": 1}, True, id="it needs not be whole"),
    ],
)
def test_a_step_goes_on_while_there_is_room_for_the_next_stop(seen, room):
    action = decide(plan(), SETTINGS, look(**seen), HALFWAY)
    late = decide(plan(), SETTINGS, look(elapsed=900.1, **seen), HALFWAY)
    if room:
        assert action == late == stop(HALFWAY, open_stops=0)
    else:
        check(action, Wait, "10 healthy tasks besides the next one to stop")
        check(late, GiveUp, "waited 900 s (wait_timeout) for 10 healthy tasks besides the next one to stop")


def test_a_last_step_goes_on_as_it_began():
    seen = look(desired=11, healthy=11, live=11, stale=1)
    assert decide(plan(), SETTINGS, seen, LAST) == stop(LAST, True, surge=0, open_stops=0)


@pytest.mark.parametrize("seen", [{"live": 12}, {"live": 11, "unknown": 1}], ids=["named", "only counted"])
def test_in_a_last_step_what_ecs_has_started_all_the_same_stands_for_the_next_stop(seen):
    seen = look(desired=11, healthy=11, stale=1, fresh_bad=1, **seen)
    assert decide(plan(), SETTINGS, seen, LAST) == stop(LAST, False, surge=1, open_stops=0)


def test_in_a_last_step_a_count_that_may_be_older_than_a_stop_is_read_again():
    seen = look(desired=11, healthy=11, stale=1, live=11, unknown=1, unclear=1)
    assert decide(plan(), SETTINGS, seen, LAST) == Wait("another look at what ECS counts", at_most=3.0)
    late = decide(plan(), SETTINGS, replace(seen, elapsed=900.1), LAST)
    assert late == stop(LAST, False, surge=1, open_stops=0)


def test_in_any_other_step_the_count_stays_and_is_not_read_again():
    seen = look(live=12, unknown=1, unclear=1)
    assert decide(plan(), SETTINGS, seen, HALFWAY) == stop(HALFWAY, False, open_stops=0)


def test_in_a_last_step_one_that_is_surely_there_beside_one_that_may_be_is_not_waited_for():
    seen = look(desired=11, healthy=11, stale=1, live=11, unknown=2, unclear=1)
    assert decide(plan(), SETTINGS, seen, LAST) == stop(LAST, False, surge=1, open_stops=0)


# ---- laws


@st.composite
def situations(draw):
    """Draw a plan with room, and any observation and history without contradictions."""
    original, surge, count = draw(st.integers(1, 30)), draw(st.integers(0, 6)), st.integers(0, 40)
    floor = draw(st.integers(0, original - (not surge)))
    of = plan(
        original=original, surge=surge, floor=floor, batch=draw(st.integers(1, min(original, original + surge - floor)))
    )
    stale = draw(count)
    following = tasks(min(stale, of.batch))
    seen = Observation(
        clock=0.0,
        elapsed=draw(st.floats(0, 2000)),
        desired=draw(count),
        healthy=draw(count),
        live=draw(count),
        unknown=(unknown := draw(st.integers(0, 3))),
        unclear=draw(st.integers(0, unknown)),
        fresh_good=draw(count),
        fresh_bad=draw(st.integers(0, 3)),
        failed=draw(st.sampled_from([None, None, None, FAILED])),
        deploying=draw(st.sampled_from([None, None, None, DEPLOYING])),
        outdated=draw(st.booleans()),
        refusal=draw(st.sampled_from([None, None, None, NO_ROOM])),
        room=draw(st.sampled_from([None, None, None, "ECS has no room"])),
        lacking=draw(st.sampled_from(["", LACKING])),
        last_said=draw(st.sampled_from(["", TOLD])),
        stale=stale,
        next_stale=following,
        next_good=frozenset(each.id for each in following if draw(st.booleans())),
    )
    left = draw(st.integers(0, surge))
    last_step = bool(left) and draw(st.booleans())
    history = History(
        surge=left,
        open_stops=draw(st.integers(0, min(of.batch, left) if last_step else of.batch)),
        raises=draw(st.integers(0, 5)),
        stops=draw(st.integers(0, 40)),
        last_step=last_step,
    )
    return of, draw(st.sampled_from([SETTINGS, PATIENT])), seen, history, draw(st.sampled_from([-5.0, 0.0, 30.0]))


@given(situations())
@settings(law, max_examples=examples(80))
def test_what_holds_for_every_action(situation):
    of, settings, seen, history, pause = situation
    action = decide(of, settings, seen, history, pause)
    if seen.failed or seen.deploying:
        assert isinstance(action, GiveUp if seen.failed else (Wait, GiveUp))
        return
    if seen.outdated:
        assert isinstance(action, Replan)
        return
    if seen.refusal:
        assert isinstance(action, GiveUp)
    if isinstance(action, Stop):
        assert action.task == seen.next_stale[0]
        costs_nothing = action.task.id not in seen.next_good
        assert costs_nothing or seen.healthy - 1 >= of.floor
        assert seen.desired >= of.original + history.surge
        assert seen.desired - action.lower >= of.original
        assert action.history.stops == history.stops + 1
        assert 0 <= action.history.open_stops < of.batch
        assert action.history.surge == history.surge - action.lower >= 0
        if not history.open_stops:  # this stop opens a step
            assert seen.whole
            assert seen.fresh_good >= history.surge
            assert pause <= 0
            size = action.history.open_stops + 1
            cost = len([each for each in seen.next_stale[:size] if each.id in seen.next_good])
            assert cost == 0 or seen.healthy - cost >= of.floor
            replaced_already = seen.live + seen.unknown > seen.desired  # ECS was faster than the lower count
            assert action.lower == (seen.stale <= history.surge and not replaced_already)
    elif isinstance(action, Raise):
        assert seen.stale
        assert action.surge == of.surge
        assert seen.desired >= of.original
        assert history.raises < 4
        used_up = history.surge == 0 < of.surge and not history.open_stops
        assert seen.desired < of.original + history.surge or used_up
    elif isinstance(action, Finish):
        assert not seen.stale
        assert seen.whole
    elif isinstance(action, GiveUp):
        assert action.why
    else:
        again = history.last_step and history.open_stops and seen.unclear
        assert action.at_most is None or 0 < action.at_most <= (settings.wait_delay if again else pause)


@given(situations())
@law
def test_nothing_is_waited_for_for_ever(situation):
    of, settings, seen, history, _pause = situation
    late = replace(seen, elapsed=max(settings.wait_timeout, settings.deployment_timeout) + 1, room=None)
    assert not isinstance(decide(of, settings, late, history), Wait)


@given(
    desired=st.integers(1, 60),
    stale=st.integers(1, 60),
    size=st.integers(1, 12),
    surge=st.none() | st.integers(0, 8),
    healthy=st.integers(0, 100),
    maximum=st.sampled_from([100, 110, 150, 200]),
)
@law
def test_where_nothing_goes_wrong_all_are_replaced_in_order_and_no_more_are_launched(
    desired, stale, size, surge, healthy, maximum
):
    stale = min(stale, desired)
    settings = Settings(Selector("all_tasks"), batch_size=Amount(size), surge=surge, minimum_healthy_percent=healthy)
    found = Found(service(desired=desired, maximum_percent=maximum), (), tasks(stale), (), NOW, NOW, True)
    try:
        of = make_plan(settings, Selector("all_tasks"), found)
    except Refused:
        return  # not a single task could be stopped; test_plan says when
    history, todo = History(surge=of.surge), list(of.stale)
    count, running, launched, steps = desired + of.surge, desired + of.surge, of.surge, 0
    while True:
        following = tuple(todo[: of.batch])
        seen = look(
            desired=count,
            healthy=running,
            live=running if history.open_stops else count,
            fresh_good=launched,
            stale=len(todo),
            next_stale=following,
            next_good=frozenset(each.id for each in following),
        )
        action = decide(of, SETTINGS, seen, history)
        if isinstance(action, Finish):
            break
        assert isinstance(action, Stop)
        steps += not history.open_stops
        history = action.history
        assert action.task == todo.pop(0)
        running -= 1
        count -= action.lower
        assert running >= of.floor
        if not history.open_stops:  # ECS starts the missing tasks, which are good by the next look
            launched += count - running
            running = count
    assert not todo
    assert count == desired + history.surge
    assert history.surge == max(0, of.surge - stale)
    assert launched == max(stale, of.surge)
    assert of.steps <= steps <= of.steps + math.ceil(of.surge / of.batch)


# ---- scale_in

GROWN = History(surge=2)
LOWERED = History(surge=0, draining=2, stops=2)
SHRUNK = History(surge=0, stops=2)


def scale_in(before: History, count: int) -> ScaleIn:
    after = replace(before, surge=before.surge - count, draining=count, stops=before.stops + count)
    return ScaleIn(count, after)


@pytest.mark.parametrize(
    ("history", "seen", "expected", "words"),
    [
        pytest.param(GROWN, {}, scale_in(GROWN, 2), "", id="the added tasks are good"),
        pytest.param(GROWN, {"fresh_good": 1, "fresh_bad": 1}, Wait, "added tasks", id="one of them is not"),
        pytest.param(GROWN, {"fresh_good": 1}, Wait, "added tasks", id="one of them is not there"),
        pytest.param(GROWN, {"live": 11}, Wait, "added tasks", id="somebody took another task away"),
        pytest.param(GROWN, {"healthy": 11}, Wait, "room for 2 stops", id="an old task is not healthy"),
        pytest.param(GROWN, {"stale": 1}, scale_in(GROWN, 1), "", id="one stale task is left"),
        pytest.param(GROWN, {"desired": 11}, Raise(2), "", id="somebody took an added one"),
        pytest.param(
            replace(SHRUNK, surge=1), {"desired": 10}, Raise(1), "", id="somebody took the one that was left over"
        ),
        pytest.param(replace(GROWN, raises=4), {"desired": 11}, GiveUp, "removed again 4", id="again and again"),
        pytest.param(GROWN, {"desired": 9}, GiveUp, "someone else lowered", id="somebody scaled in"),
        pytest.param(GROWN, {"desired": 14, "live": 14}, scale_in(GROWN, 2), "", id="somebody scaled out"),
        pytest.param(GROWN, {"stale": 0}, Finish(), "", id="nothing is stale"),
        pytest.param(LOWERED, {"desired": 10}, Wait, "ECS to stop 2", id="ECS has not reacted"),
        pytest.param(
            LOWERED,
            {"desired": 10, "elapsed": 900.0},
            Wait,
            "ECS to stop 2",
            id="nor at the last second",
        ),
        pytest.param(LOWERED, {"desired": 10, "elapsed": 900.1}, GiveUp, "ECS to stop 2", id="and does not at all"),
        pytest.param(LOWERED, {"desired": 10, "stale": 0, "live": 10}, Finish(), "", id="the last ones are gone"),
        pytest.param(SHRUNK, {"desired": 10, "live": 10, "healthy": 10}, Grow(2), "", id="the next step"),
        pytest.param(SHRUNK, {"desired": 10, "live": 10, "stale": 1}, Grow(1), "", id="the last step"),
        pytest.param(SHRUNK, {"desired": 10, "live": 9}, Wait, "added tasks", id="one is missing"),
        pytest.param(
            replace(SHRUNK, surge=1), {"desired": 11, "live": 11, "fresh_good": 3}, Grow(2), "", id="one is left over"
        ),
    ],
)
def test_scale_in(history, seen, expected, words):
    check(decide_scale_in(plan(), SETTINGS, look(**seen), history), expected, words)


@pytest.mark.parametrize("history", [GROWN, SHRUNK, LOWERED], ids=["before", "between", "draining"])
def test_scale_in_heeds_what_stops_any_run(history):
    assert isinstance(decide_scale_in(plan(), SETTINGS, look(deploying=DEPLOYING), history), GiveUp)
    assert isinstance(decide_scale_in(plan(), PATIENT, look(deploying=DEPLOYING), history), Wait)
    assert decide_scale_in(plan(), SETTINGS, look(refusal=NO_ROOM), history) == GiveUp(NO_ROOM)


def test_scale_in_pauses_between_steps():
    seen = look(desired=10, live=10, healthy=10)
    assert decide_scale_in(plan(), SETTINGS, seen, SHRUNK, pause=18.0) == Wait("batch_wait", at_most=18.0)
    assert decide_scale_in(plan(), SETTINGS, seen, SHRUNK, pause=0.5) == Wait("batch_wait", at_most=0.5)
    assert decide_scale_in(plan(), SETTINGS, seen, SHRUNK, pause=0.0) == Grow(2)


@pytest.mark.parametrize(
    ("seen", "size"),
    [
        pytest.param({"healthy": 12, "next_good": NONE_GOOD}, 2, id="all of a step that are bad"),
        pytest.param({"healthy": 10, "next_good": ONE_GOOD}, 1, id="the bad one alone"),
    ],
)
def test_a_step_of_tasks_that_are_not_good_needs_no_room(seen, size):
    action = decide(plan(), SETTINGS, look(**seen), ADDED)
    assert action == stop(ADDED, open_stops=size - 1)
    among = tasks(size)
    seen = look(**{**seen, "healthy": 1})
    assert decide_scale_in(plan(), SETTINGS, seen, ADDED) == ScaleIn(
        size, replace(ADDED, surge=2 - size, draining=size, stops=size), among
    )


@law
@given(
    healthy=st.integers(0, 14), stale=st.integers(1, 12), surge=st.integers(0, 2), batch=st.integers(1, 3),
    desired=st.integers(8, 14), live=st.integers(8, 14), ill=st.booleans(),
)  # fmt: skip
def test_scale_in_never_leads_below_the_floor_nor_the_original_count(healthy, stale, surge, batch, desired, live, ill):
    made = plan(batch=batch)
    seen = look(healthy=healthy, stale=stale, desired=desired, live=live, **({"next_good": NONE_GOOD} if ill else {}))
    action = decide_scale_in(made, SETTINGS, seen, History(surge=surge))
    if isinstance(action, ScaleIn):
        assert len(action.among) == action.count if ill else healthy - action.count >= made.floor
        assert desired - action.count >= made.original
        assert action.count <= min(batch, stale, surge)
    if isinstance(action, Grow):
        assert surge < action.surge <= min(made.surge, stale)
