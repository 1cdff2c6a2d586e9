# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeated failures cause one alert at once and one with their count, and none is lost, wherever the function dies."""

from __future__ import annotations

import json
import random
from datetime import datetime, timezone

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.quiet_period import (
    MOST,
    Busy,
    Claim,
    Count,
    End,
    Failure,
    Look,
    Schedule,
    Settings,
    Tell,
    Unreadable,
    Window,
    on_end,
    on_failure,
    read_message,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.core.functions.quiet_world import (
    DIES,
    DIES_AFTER,
    NOON,
    REFUSED,
    REFUSED_AFTER,
    SETTINGS,
    World,
    failure,
)

MINUTE = 60_000
law = settings(deadline=None, max_examples=examples(40))
MOMENTS = st.lists(st.integers(0, 9 * MINUTE), min_size=1, max_size=25)


def counts(world):
    return [each.count for each in world.told]


def test_two_hundred_crashes_in_ten_minutes_are_two_messages():
    world = World()
    world.arrive([3000 * number for number in range(200)])
    world.settle()
    assert counts(world) == [1, 200]
    first, end = world.told
    assert first.at - NOON < 3000
    assert 10 * MINUTE <= end.at - NOON <= 11 * MINUTE + 3000
    assert (first.times, end.times) in {("once so far", f"200 times in {minutes} minutes") for minutes in (10, 11)}
    assert end.detail["quiet_period"] == {"name": "ecs-failures", "kind": "service_task", "count": 200,
                                          "times": end.times}  # fmt: skip
    assert (world.table, world.dead_letters) == ({}, [])


def test_one_failure_is_one_message():
    world = World()
    world.arrive([0])
    assert counts(world.settle()) == [1]
    assert world.table == {}


def test_a_failure_after_the_period_is_sent_at_once_again():
    world = World()
    world.arrive([0, MINUTE, 12 * MINUTE])
    assert counts(world.settle()) == [1, 2, 1]


def test_keys_are_counted_apart():
    world = World()
    for key in ("web", "orders"):
        world.arrive([0, MINUTE, 2 * MINUTE], key)
    assert sorted(counts(world.settle())) == [1, 1, 3, 3]


def test_a_window_that_is_full_says_so():
    world = World()
    world.arrive([100 * number for number in range(MOST + 3)])
    world.settle()
    assert counts(world) == [1, MOST] == [1, 5000]
    assert world.told[1].times.startswith(f"{MOST} times or more in 1")


def test_a_short_period_is_told_in_seconds():
    world = World(Settings("x", 60, SETTINGS.account))
    world.arrive([0, 1000])
    assert world.settle().told[1].times.endswith(" seconds")


def test_the_end_carries_no_overrides():
    message = failure(0)
    message["event"]["detail"] |= {"input": "secret", "requestParameters": {"overrides": {}, "cluster": "prod"}}
    world = World()
    world.at(NOON, lambda: world.invoke(message))
    world.at(NOON + 1000, lambda: world.invoke(failure(1)))
    first, end = world.settle().told
    assert "overrides" in first.detail
    assert set(end.detail) == {"stopCode", "key", "requestParameters", "quiet_period"}
    assert end.detail["requestParameters"] == {"cluster": "prod"}


@law
@given(MOMENTS, st.integers(0, 2**32), st.data())
def test_whenever_they_come_one_message_at_once_and_one_with_the_number(moments, start, data):
    world = World(chance=random.Random(start))
    messages = world.arrive(moments)
    twice = data.draw(st.lists(st.tuples(st.sampled_from(messages), st.integers(0, 9 * MINUTE)), max_size=5))
    for message, moment in twice:
        world.at(NOON + moment, lambda message=message: world.invoke(message))
    world.settle()
    number = len(moments)
    assert counts(world) == [1] if number == 1 else [1, number]
    assert world.told[0].at - NOON - min([*moments, *(moment for _message, moment in twice)]) < 10_000
    assert all(each.at - world.told[0].at >= 10 * MINUTE - 10_000 for each in world.told[1:])
    assert (world.table, world.dead_letters) == ({}, [])


@law
@given(
    st.lists(st.integers(0, 60 * MINUTE), min_size=1, max_size=25),
    st.integers(0, 2**32),
    st.floats(0, 0.4),
)
def test_wherever_it_dies_nothing_is_lost(moments, start, share):
    chance = random.Random(start)
    kinds = (DIES, DIES_AFTER, REFUSED, REFUSED_AFTER)
    world = World(chance=chance, faults=lambda _act: chance.choice(kinds) if chance.random() < share else "")
    messages = world.arrive(moments)
    world.settle()
    buried = [read_message(each, ["ecs", "web"], SETTINGS) for each in world.dead_letters]
    ends = {each.opened for each in buried if isinstance(each, End)}
    lost = {each.id for each in buried if isinstance(each, Failure)}
    # A window stays open only if its end is in the dead-letter queue.
    assert {window.opened for window in world.table.values()} <= ends
    counted = {each for window in [*world.removed, *world.table.values()] for each in window.ids}
    alone = sum(each.times == "once, not counted" for each in world.told)
    ids = {read_message(each, ["ecs", "web"], SETTINGS).id for each in messages}
    assert len(ids - counted - lost) <= alone
    # Every window that is over was reported completely.
    for window in world.removed:
        assert len(window.ids) in counts(world)
    windows = len({window.opened for window in [*world.removed, *world.table.values()]})
    assert len(world.told) <= 2 * windows + world.deaths + world.refusals


@pytest.mark.parametrize("act", ["Count", "Look", "Schedule", "Open"])
def test_a_failure_is_sent_at_once_if_the_table_or_the_scheduler_is_out_of_order(act):
    world = World(faults=lambda each: REFUSED if each == act else "")
    world.arrive([0])
    assert [(each.count, each.times) for each in world.settle().told] == [(1, "once, not counted")]


def test_what_cannot_be_sent_comes_again_and_ends_in_the_dead_letter_queue():
    world = World(faults=lambda each: DIES if each == "Tell" else "")
    messages = world.arrive([0])
    world.settle()
    assert counts(world) == []
    assert world.dead_letters[0] == messages[0]
    assert len(world.dead_letters) >= 2  # also the end of the window, in which no alert was sent


def test_the_next_failure_closes_a_window_whose_end_was_lost():
    world = World()
    world.arrive([0, MINUTE, 25 * MINUTE])
    deaf = iter([False] * 3)
    world.faults = lambda each: DIES if each == "Claim" and not next(deaf, True) else ""
    assert counts(world.settle()) == [1, 2, 1]
    assert world.table == {}


def test_the_first_failure_is_sent_by_the_second_attempt_if_the_first_one_died():
    deaths = iter([DIES])
    world = World(faults=lambda each: next(deaths, "") if each == "Tell" else "")
    world.arrive([0, 5000, 10_000])
    assert counts(world.settle()) == [1, 3]
    assert MINUTE <= world.told[0].at - NOON < MINUTE + 5000


def test_services_of_one_family_have_keys_of_their_own():
    one, other = failure(0), failure(1)
    for message, name in ((one, "web"), (other, "admin")):
        message["event"]["detail"]["group"] = f"service:{name}"
    assert key_of(one) != key_of(other)


def test_a_group_that_a_caller_wrote_is_no_difference():
    one, other = failure(0), failure(1)
    other["event"]["detail"]["group"] = "run-2026-11-28"
    assert key_of(one) == key_of(other)


def key_of(message):
    return read_message(message, ["ecs", "same"], SETTINGS).key


ODD = {
    "account": ["123456789013", None],
    "source": ["steadyops.ecs", "aws.events", None],
    "id": ["", "x" * 101, 7],
    "time": [None, ""],
    "detail-type": ["x" * 129, None],
    "detail": [None, [], "secret"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
def test_an_event_that_no_rule_lets_through_is_refused(name, value):
    message = failure(0)
    message["event"][name] = value
    with pytest.raises(Unreadable) as refused:
        read_message(message, [], SETTINGS)
    assert name in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "message",
    [None, [], {}, {"kind": "task"}, {"kind": "task/../x", "event": failure(0)["event"]}, {"kind": "t", "event": 1}],
)
def test_what_is_no_message_is_refused(message):
    with pytest.raises(Unreadable):
        read_message(message, [], SETTINGS)


@pytest.mark.parametrize(
    ("end", "opened"), [("x", 1), ("a" * 33, 1), (None, 1), ("a" * 32, "1"), ("a" * 32, True), ("a" * 32, None)]
)
def test_an_end_without_key_or_time_is_refused(end, opened):
    with pytest.raises(Unreadable):
        read_message({**failure(0), "end": end, "opened": opened}, [], SETTINGS)


def test_names_of_schedules_fit_the_longest_name_of_alerts():
    world = World(Settings("n" * 40, 600, SETTINGS.account))
    names = []
    world.effect, effect = lambda act: names.append(getattr(act, "name", "")) or effect(act), world.effect
    world.arrive([0])
    world.settle()
    (name,) = filter(None, names)
    assert len(name) == 64
    assert json.dumps(name) == f'"{name}"'


def sent(world):
    """Return the complete entries and schedules that the function creates."""
    acts = []
    effect = world.effect
    world.effect = lambda act: acts.append(act) or effect(act)
    world.settle()
    return [act.entry for act in acts if isinstance(act, Tell)], [act for act in acts if isinstance(act, Schedule)]


def test_events_are_sent_with_all_that_they_had():
    world = World(slowest=1)
    messages = world.arrive([0, 1000])
    event = messages[0]["event"]
    entries, (schedule,) = sent(world)
    usual = {"Source": "steadyops.ecs", "DetailType": "ECS Task State Change", "Resources": event["resources"]}
    assert [{**each, "Detail": None} for each in entries] == [
        {**usual, "Time": event["time"], "Detail": None},
        {**usual, "Time": datetime.fromtimestamp(world.told[1].at // 1000, timezone.utc).strftime(ISO), "Detail": None},
    ]
    assert json.loads(entries[0]["Detail"]) == {
        **event["detail"],
        "quiet_period": {"name": "ecs-failures", "kind": "service_task", "count": 1, "times": "once so far"},
    }
    detail = {name: value for name, value in event["detail"].items() if name != "overrides"}
    assert schedule.at == NOON + 600_000
    assert {**schedule.message, "end": None, "opened": None} == {
        "end": None, "opened": None, "kind": "service_task", "event": {**event, "detail": detail},
    }  # fmt: skip


ISO = "%Y-%m-%dT%H:%M:%SZ"


def test_an_event_without_resources_is_sent():
    for resources in (None, "arn"):
        message = failure(0)
        message["event"]["resources"] = resources
        world = World()
        world.at(NOON, lambda message=message, world=world: world.invoke(message))
        entries, _schedules = sent(world)
        assert [each["Resources"] for each in entries] == [[]]


@pytest.mark.parametrize(
    ("after", "words"),
    [(60_000, "60 seconds"), (119_400, "119 seconds"), (119_500, "2 minutes"), (600_000, "10 minutes")],
)
def test_how_long_it_took(after, words):
    window = Window("a" * 32, NOON, NOON + 60_000, "1", frozenset("12"), told=True)
    acts = on_end(End(window.key, NOON, "task", failure(0)["event"]), SETTINGS, NOON + after)
    assert next(acts) == Claim(window.key, NOON, NOON + after, NOON + after - 45_000)
    entry = acts.send(window).entry
    assert json.loads(entry["Detail"])["quiet_period"]["times"] == f"2 times in {words}"
    assert entry["Time"] == datetime.fromtimestamp((NOON + after) // 1000, timezone.utc).strftime(ISO)


def test_a_window_that_was_opened_and_never_sent_says_once():
    window = Window("a" * 32, NOON, NOON + 60_000, "1", frozenset("1"))
    acts = on_end(End(window.key, NOON, "task", failure(0)["event"]), SETTINGS, NOON + 60_000)
    next(acts)
    told = json.loads(acts.send(window).entry["Detail"])["quiet_period"]
    assert (told["count"], told["times"]) == (1, "once")


# The window that a failure finds when it cannot be counted, the time, and what the function does next.
LATE = NOON + 600_000 + 600_000
FOUND = [
    ({"closing": NOON}, NOON + 45_000, Count),
    ({"closing": NOON}, NOON + 45_001, Claim),
    ({}, LATE, Count),
    ({}, LATE + 1, Claim),
]


@pytest.mark.parametrize(("facts", "now", "act"), FOUND)
def test_a_failure_closes_a_window_only_when_nobody_else_will(facts, now, act):
    read = read_message(failure(7), ["ecs", "web"], SETTINGS)
    window = Window(read.key, NOON, NOON + 600_000, "1", frozenset("1"), told=True, **facts)
    acts = on_failure(read, SETTINGS, now)
    assert next(acts) == Count(read.key, read.id, now - 600_000)
    assert acts.send(False) == Look(read.key)
    assert isinstance(acts.send(window), act)


@pytest.mark.parametrize(("now", "busy"), [(NOON + 44_999, True), (NOON + 45_000, False)])
def test_a_second_attempt_sends_what_the_first_one_has_not(now, busy):
    read = read_message(failure(7), ["ecs", "web"], SETTINGS)
    window = Window(read.key, NOON, NOON + 600_000, read.id, frozenset([read.id]))
    acts = on_failure(read, SETTINGS, now)
    next(acts)
    acts.send(False)
    if busy:
        with pytest.raises(Busy, match="another invocation is working"):
            acts.send(window)
    else:
        assert isinstance(acts.send(window), Tell)


def test_another_failure_does_not_send_the_first_one_again():
    read = read_message(failure(7), ["ecs", "web"], SETTINGS)
    for window in (
        Window(read.key, NOON, NOON + 600_000, "1", frozenset(["1", read.id])),
        Window(read.key, NOON, NOON + 600_000, read.id, frozenset([read.id]), closing=NOON),
    ):
        acts = on_failure(read, SETTINGS, NOON + 50_000)
        next(acts)
        acts.send(False)
        with pytest.raises(StopIteration):
            acts.send(window)


@pytest.mark.parametrize(("opened", "error"), [(NOON, Busy), (NOON + 1, StopIteration), (None, StopIteration)])
def test_an_end_waits_for_another_one_of_the_same_window_only(opened, error):
    acts = on_end(End("a" * 32, NOON, "task", failure(0)["event"]), SETTINGS, NOON + 600_000)
    next(acts)
    assert acts.send(None) == Look("a" * 32)
    with pytest.raises(error):
        acts.send(None if opened is None else Window("a" * 32, opened, opened, "1", frozenset("1")))


@pytest.mark.parametrize("source", ["aws.ecs", "aws.health", "aws.states"])
def test_failures_of_three_services_are_taken(source):
    message = failure(0)
    message["event"] |= {"source": source, "id": "1", "time": "1", "detail-type": "x"}
    assert len(read_message(message, [], SETTINGS).id) == 16


def test_after_four_tries_somebody_else_is_at_work():
    read = read_message(failure(7), ["ecs", "web"], SETTINGS)
    window = Window(read.key, NOON, NOON + 600_000, "1", frozenset("1"), told=True, closing=NOON)
    acts = on_failure(read, SETTINGS, NOON)
    next(acts)
    for _try in range(3):
        acts.send(False)
        acts.send(window)
    acts.send(False)
    with pytest.raises(Busy):
        acts.send(window)


@pytest.mark.parametrize(("name", "most"), [("id", 100), ("detail-type", 128), ("time", 40)])
def test_texts_of_an_event_have_a_length(name, most):
    message = failure(0)
    message["event"][name] = "x" * most
    assert read_message(message, [], SETTINGS).kind == "service_task"
    message["event"][name] = "x" * (most + 1)
    with pytest.raises(Unreadable, match=name):
        read_message(message, [], SETTINGS)
