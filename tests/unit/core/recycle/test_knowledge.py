# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a service's tasks after an inventory, looks, events and stops."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.knowledge import PER_CALL, Knowledge
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Event, Targets, Task
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.core.recycle.samples import GROUP, NOW, OTHER, OWN, law, service, task, task_id, tasks

OLD_FORMAT = "01234567-89ab-cdef-0123-456789abcdef"  # task ids before 2019


def knowing(*some: Task, level: str = "running", checked: bool = False, stabilize: float = 0.0, groups=()) -> Knowledge:
    """Return the knowledge of a run that begins now, after an inventory that shows these tasks."""
    knowledge = Knowledge(NOW, level, checked, stabilize, groups, OWN)
    knowledge.see(some, NOW)
    return knowledge


def fresh(number: int, **changes) -> Task:
    """Return a task that was created since the run began."""
    return task(number, created_at=NOW + number / 1000, **changes)


def ids(arns: list[str]) -> list[str]:
    return [arn.rsplit("/", 1)[-1] for arn in arns]


def numbers(arns: list[str]) -> list[int]:
    return [int(name, 16) for name in ids(arns)]


# ---- into which sets a task falls

STATES = {
    # live, fresh, good
    "an old one that runs": (task(), (1, 0, 1)),
    "an old one that starts": (task(status="PENDING"), (1, 0, 0)),
    "an old one that is told to stop": (task(stopping=True), (0, 0, 0)),
    "an old one that has stopped": (task(status="STOPPED", stopping=True), (0, 0, 0)),
    "one created in the instant in which the run began": (fresh(0), (1, 1, 1)),
    "a new one that runs": (fresh(1), (1, 1, 1)),
    "an old one that has stopped by itself": (task(status="STOPPED"), (0, 0, 0)),
    "a new one that starts": (fresh(1, status="PROVISIONING"), (1, 1, 0)),
    "a new one that is told to stop": (fresh(1, stopping=True), (0, 0, 0)),
}


@pytest.mark.parametrize(("seen", "expected"), STATES.values(), ids=STATES)
def test_a_task_by_its_state(seen, expected):
    knowledge = knowing(seen)
    live, new, good = expected
    assert (knowledge.live, len(list(knowledge.fresh)), knowledge.good(seen)) == (live, new, good)
    assert list(knowledge.living) == [seen] * live
    assert knowledge.fresh_good == new * good
    assert knowledge.healthy(service(running=1)) == good
    assert knowledge.healthy(service(running=2)) == good
    assert list(knowledge.leaving) == []
    assert knowledge.departed == (set() if live else {seen.id})


@pytest.mark.parametrize(
    ("named", "counted", "healthy"),
    [
        pytest.param({}, 3, 3, id="all are good and counted"),
        pytest.param({}, 2, 2, id="one has gone by ECS's count, whichever it is"),
        pytest.param({}, 0, 0, id="all have gone by ECS's count"),
        pytest.param({}, 5, 3, id="two are counted that are not known"),
        pytest.param({"health": "UNHEALTHY"}, 3, 2, id="one is not good"),
        pytest.param({"health": "UNHEALTHY"}, 2, 1, id="one is not good, and one has gone, maybe another"),
        pytest.param({"health": "UNHEALTHY"}, 0, 0, id="one is not good, and all have gone"),
        pytest.param({"status": "PENDING"}, 2, 2, id="one does not run, and is not in the count of those that do"),
        pytest.param({"stopping": True}, 3, 2, id="one is leaving"),
    ],
)
def test_healthy_is_what_is_surely_good(named, counted, healthy):
    well = {"health": "HEALTHY"}
    some = [task(0, **well), task(1, **well), task(2, **{**well, **named})]
    assert knowing(*some, level="healthy", checked=True).healthy(service(running=counted)) == healthy


# ---- victims


def test_a_victim_is_not_counted_on_from_the_moment_before_it_is_stopped():
    knowledge = knowing(*tasks(3))
    knowledge.mark_victim(task(0))
    assert (knowledge.live, knowledge.healthy(service(running=3)), knowledge.good(task(0))) == (2, 2, False)
    assert [each.id for each in knowledge.leaving] == [task_id(0)]
    assert knowledge.victims == {task_id(0)}


@pytest.mark.parametrize(
    ("state", "leaving"),
    [
        pytest.param({}, True, id="it still runs, by a read that is old"),
        pytest.param({"stopping": True}, True, id="it still runs, and is told to stop"),
        pytest.param({"status": "DEACTIVATING", "stopping": True}, False, id="it runs no more"),
        pytest.param({"status": "STOPPING", "stopping": True, "on_instance": True}, True, id="it holds its place"),
        pytest.param({"status": "STOPPED", "stopping": True, "on_instance": True}, False, id="it has left its place"),
        pytest.param({"status": "STOPPED", "stopping": True}, False, id="it has stopped"),
    ],
)
def test_a_victim_leaves_until_ecs_counts_it_no_more(state, leaving):
    knowledge = knowing(*tasks(3))
    knowledge.mark_victim(task(0))
    knowledge.see([task(0, **state)], NOW + 5)
    assert [each.id for each in knowledge.leaving] == [task_id(0)] * leaving
    assert (knowledge.live, knowledge.healthy(service(running=3))) == (2, 2)
    assert knowledge.departed == set()


@pytest.mark.parametrize("gone", [[], [{"status": "STOPPED", "stopping": True, "on_instance": True}]])
def test_the_instant_until_which_a_place_was_held(gone):
    """AWS's clock is read in whole seconds, so the instant may have been a second later."""
    knowledge = knowing(task(0, on_instance=True), task(1))
    assert knowledge.freed_at == 0
    knowledge.mark_victim(task(0, on_instance=True))
    assert knowledge.freed_at == math.inf
    knowledge.see([task(0, status="STOPPING", stopping=True, on_instance=True)], NOW + 5)
    assert knowledge.freed_at == math.inf
    knowledge.see([task(0, **state) for state in gone], NOW + 9, asked=[task_id(0)])
    assert knowledge.freed_at == NOW + 10
    knowledge.mark_victim(task(1))  # this task holds no place
    knowledge.see([], NOW + 30, asked=[task_id(1)])
    assert knowledge.freed_at == NOW + 10


def test_a_task_that_may_have_been_told_to_stop_is_neither_relied_on_nor_given_up():
    knowledge = knowing(*tasks(3))
    knowledge.mark_doubtful(task(0))
    for _look in range(2):
        assert knowledge.doubtful == {task_id(0)}
        assert (knowledge.live, knowledge.good(task(0))) == (3, False)
        assert [knowledge.is_limping(each) for each in tasks(3)] == [True, False, False]
        assert knowledge.has_limping is True
        assert knowledge.healthy(service(running=3)) == 2
        # The missing task may or may not be the doubtful one, so only one of the others is certain to exist.
        assert knowledge.healthy(service(running=2)) == 1
        knowledge.see([task(0)], NOW + 5)
    assert (list(knowledge.leaving), knowledge.victims) == ([], set())
    knowledge.mark_victim(task(0))
    assert (knowledge.doubtful, knowledge.victims, knowledge.live) == (set(), {task_id(0)}, 2)
    assert knowledge.has_limping is False
    assert knowledge.healthy(service(running=3)) == 2


@pytest.mark.parametrize(
    "doubtful", [task(9), task(2, status="PENDING")], ids=["one that has gone meanwhile", "one that does not run"]
)
def test_a_doubtful_task_that_ecs_does_not_count_costs_nothing(doubtful):
    knowledge = knowing(*tasks(2), task(2, status="PENDING"))
    knowledge.mark_doubtful(doubtful)
    assert knowledge.healthy(service(running=2)) == 2


def test_a_task_that_may_have_been_told_to_stop_and_has_gone_is_told_like_any_other():
    knowledge = knowing(*tasks(3))
    knowledge.mark_doubtful(task(0))
    knowledge.see([task(0, stopping=True)], NOW + 5)
    assert (knowledge.departed, knowledge.live) == ({task_id(0)}, 2)
    assert knowledge.healthy(service(running=2)) == 2


def test_a_victim_of_which_nothing_is_known_any_more_has_left_by_our_doing():
    knowledge = knowing(*tasks(3))
    knowledge.mark_victim(task(0))
    knowledge.see([], NOW + 5, asked=[task_id(0)])
    assert list(knowledge.leaving) == []
    assert knowledge.departed == set()


def test_a_victim_that_ends_badly_is_no_failure():
    new = fresh(7)
    knowledge = knowing(new)
    knowledge.mark_victim(new)
    knowledge.see([replace(new, status="STOPPED", stopping=True, stop_code="EssentialContainerExited")], NOW + 5)
    assert knowledge.failed == {}


STOPPING = {"status": "DEACTIVATING", "stopping": True, "on_instance": True}


@pytest.mark.parametrize(
    ("victim", "running", "pending", "nameless"),
    [
        pytest.param(None, 3, 0, 0, id="all that are counted are known"),
        pytest.param(None, 2, 1, 0, id="all that are counted are known, running or not"),
        pytest.param(None, 3, 1, 1, id="one that starts is not known"),
        pytest.param(None, 5, 0, 2, id="two that run are not known"),
        pytest.param(None, 2, 0, -1, id="one that is known is counted no more"),
        pytest.param({}, 2, 0, 0, id="a victim that runs is not counted any more"),
        pytest.param({}, 3, 0, 0, id="a victim that runs is still counted"),
        pytest.param({}, 3, 1, 1, id="a victim that runs, and one that is not known"),
        pytest.param({}, 1, 0, -1, id="a victim that runs, and one that is counted no more"),
        pytest.param(STOPPING, 2, 0, 0, id="a victim that only holds its place is not counted"),
        pytest.param(STOPPING, 3, 0, 1, id="a victim that only holds its place hides none that is not known"),
    ],
)
def test_tasks_without_a_name(victim, running, pending, nameless):
    knowledge = knowing(*tasks(3))
    if victim is not None:
        knowledge.mark_victim(task(0))
        knowledge.see([task(0, **victim)], NOW + 5)
    assert knowledge.nameless(service(running=running, pending=pending)) == nameless


def test_a_victim_that_ran_when_ecs_counted_may_be_among_those_without_a_name():
    knowledge = knowing(*tasks(3))
    knowledge.mark_victim(task(0))
    counted, ran = service(running=3), knowledge.running_victims
    knowledge.see([task(0, **STOPPING)], NOW + 5)
    assert (knowledge.nameless(counted), knowledge.nameless(counted, ran)) == (1, 0)


# ---- what comes and goes without our action


def test_what_was_asked_for_and_is_not_described_has_gone():
    knowledge = knowing(*tasks(3))
    knowledge.see([task(1)], NOW + 5, asked=[task_id(1), task_id(2)])
    assert knowledge.departed == {task_id(2)}
    assert knowledge.live == 2
    assert knowledge.healthy(service(running=3)) == 2


def test_an_inventory_keeps_what_it_lists_and_nothing_else():
    knowledge = knowing(*tasks(4))
    knowledge.mark_victim(task(0))
    knowledge.keep_only({task_id(0), task_id(2)})
    assert (knowledge.live, knowledge.departed) == (1, {task_id(1), task_id(3)})
    assert [each.id for each in knowledge.leaving] == [task_id(0)]
    assert numbers(knowledge.to_describe([])) == [0, 2]


def test_a_victim_that_an_inventory_does_not_list_has_left_by_our_doing():
    knowledge = knowing(*tasks(2))
    knowledge.mark_victim(task(0))
    knowledge.keep_only({task_id(1)})
    assert list(knowledge.leaving) == []
    assert knowledge.departed == set()


def test_what_has_gone_is_told_once():
    knowledge = knowing(*tasks(2))
    knowledge.see([], NOW + 5, asked=[task_id(0)])
    knowledge.departed.clear()
    knowledge.keep_only({task_id(1)})
    assert knowledge.departed == set()


def test_a_task_that_is_told_to_stop_by_others_has_gone_for_good():
    knowledge = knowing(*tasks(3))
    knowledge.see([task(0, stopping=True)], NOW + 5)
    assert (knowledge.live, knowledge.departed) == (2, {task_id(0)})
    assert numbers(knowledge.to_describe([])) == [1, 2]


# ---- probation


@pytest.mark.parametrize(
    ("seen_at", "good"),
    [
        pytest.param([0.0], False, id="at first sight"),
        pytest.param([0.0, 39.9], False, id="just not long enough"),
        pytest.param([0.0, 40.0], True, id="for long enough"),
        pytest.param([0.0, 10.0, 20.0, 40.0], True, id="for long enough, in several looks"),
        pytest.param([50.0], False, id="at first sight, late as it is"),
    ],
)
def test_a_new_task_is_good_after_its_probation(seen_at, good):
    new = fresh(1, health="HEALTHY")
    knowledge = knowing(level="healthy", checked=True, stabilize=40.0)
    for seconds in seen_at:
        knowledge.see([new], NOW + seconds)
    assert knowledge.good(new) is good
    assert knowledge.on_probation(new) is not good
    assert (knowledge.fresh_good, knowledge.healthy(service(running=1))) == (good, good)
    assert knowledge.fresh_order == [new.id] * good


def test_a_probation_that_is_broken_begins_anew():
    well, ill = fresh(1, health="HEALTHY"), fresh(1, health="UNHEALTHY")
    knowledge = knowing(level="healthy", checked=True, stabilize=40.0)
    for seconds, seen, good in [
        (0, well, False),
        (39, ill, False),
        (45, well, False),
        (84, well, False),
        (85, well, True),
    ]:
        knowledge.see([seen], NOW + seconds)
        assert knowledge.good(well) is good
        assert knowledge.on_probation(well) is (seen == well and not good)


def test_a_task_that_was_good_and_is_not_begins_its_probation_anew():
    well, ill = fresh(1, health="HEALTHY"), fresh(1, health="UNHEALTHY")
    knowledge = knowing(level="healthy", checked=True, stabilize=40.0)
    for seconds, seen in [(0, well), (40, well), (41, ill), (42, well)]:
        knowledge.see([seen], NOW + seconds)
    assert not knowledge.good(well)
    assert knowledge.fresh_order == [well.id]
    knowledge.see([well], NOW + 82)
    assert knowledge.good(well)
    assert knowledge.fresh_order == [well.id]


@pytest.mark.parametrize(
    ("level", "started", "good"),
    [
        pytest.param("running", 40.0, True, id="it runs for long enough, even if unseen"),
        pytest.param("running", 39.0, False, id="it does not"),
        pytest.param("running", None, False, id="nobody knows since when it runs"),
        pytest.param("healthy", 40.0, False, id="it runs for long enough, but who knows since when it is healthy"),
    ],
)
def test_where_running_is_enough_the_probation_counts_from_the_start(level, started, good):
    knowledge = knowing(level=level, stabilize=40.0)
    new = fresh(1, started_at=None if started is None else NOW + 100 - started)
    knowledge.see([new], NOW + 100)
    assert knowledge.good(new) is good


def test_a_task_that_is_good_stays_good_when_the_clock_of_another_answer_is_behind():
    new = fresh(1, health="HEALTHY")
    knowledge = knowing(level="healthy", checked=True, stabilize=40.0)
    for seconds in (0.0, 40.0, 39.0):
        knowledge.see([new], NOW + seconds)
    assert knowledge.good(new)


def test_old_tasks_have_no_probation():
    knowledge = knowing(task(), stabilize=40.0)
    assert knowledge.good(task())
    assert knowledge.fresh_order == []


def test_new_tasks_are_told_in_the_order_in_which_they_became_good():
    knowledge = knowing()
    for number in (3, 1, 2):
        knowledge.see([fresh(number)], NOW + 5)
    assert knowledge.fresh_order == [task_id(3), task_id(1), task_id(2)]


# ---- target groups


def test_a_task_is_good_when_its_target_is():
    some = [task(number, targets={GROUP: (f"10.0.0.{number}:80",)}) for number in range(3)]
    knowledge = knowing(*some, level="target_healthy", groups=[GROUP])
    assert knowledge.healthy(service(running=3)) == 0
    knowledge.see_targets(
        GROUP, Targets({"10.0.0.0:80": "healthy", "10.0.0.1:80": "healthy", "10.0.0.2:80": "initial"}), NOW + 1
    )
    assert [knowledge.good(each) for each in some] == [True, True, False]
    assert knowledge.healthy(service(running=3)) == 2
    knowledge.see_targets(GROUP, Targets({"10.0.0.1:80": "healthy"}), NOW + 2)
    assert [knowledge.good(each) for each in some] == [False, True, False]
    assert knowledge.healthy(service(running=3)) == 1


def test_the_targets_of_a_victim_bring_it_not_back():
    some = [task(number, targets={GROUP: (f"10.0.0.{number}:80",)}) for number in range(2)]
    knowledge = knowing(*some, level="target_healthy", groups=[GROUP])
    knowledge.mark_victim(some[0])
    knowledge.see_targets(GROUP, Targets({"10.0.0.0:80": "healthy", "10.0.0.1:80": "healthy"}), NOW + 1)
    assert (knowledge.live, knowledge.healthy(service(running=2))) == (1, 1)


# ---- failures


@pytest.mark.parametrize(
    ("ended", "failed"),
    [
        pytest.param({"stop_code": "TaskFailedToStart"}, True, id="it did not start"),
        pytest.param({"stop_code": "EssentialContainerExited"}, True, id="it crashed"),
        pytest.param(
            {"stop_code": "ServiceSchedulerInitiated", "stopped_reason": "Task failed ELB health checks in (a)"},
            True,
            id="ECS stopped it because of its target",
        ),
        pytest.param(
            {"stop_code": "ServiceSchedulerInitiated", "stopped_reason": "Task failed container health checks"},
            True,
            id="ECS stopped it because of its containers",
        ),
        pytest.param(
            {
                "stop_code": "ServiceSchedulerInitiated",
                "stopped_reason": "Scaling activity initiated by (deployment x)",
            },
            False,
            id="ECS stopped it for a lower count",
        ),
        pytest.param({"stop_code": "UserInitiated", "stopped_reason": "by hand"}, False, id="somebody stopped it"),
        pytest.param({"stop_code": "SpotInterruption"}, False, id="AWS took its place back"),
        pytest.param({"stop_code": "TerminationNotice"}, False, id="its instance is going to end"),
        pytest.param({"stop_code": None}, False, id="nobody says why"),
        pytest.param(
            {"stop_code": None, "stopped_reason": "Task failed container health checks"},
            False,
            id="why is not told by a code yet",
        ),
        pytest.param({"stop_code": "UserInitiated", "stopped_reason": None}, False, id="nobody says why in words"),
    ],
)
def test_a_new_task_that_ended(ended, failed):
    # The task was created at the instant at which the run began, which is new enough.
    before, after = fresh(0), fresh(0, status="STOPPED", stopping=True, **ended)
    knowledge = knowing(before)
    knowledge.see([after], NOW + 5)
    assert knowledge.failed == ({after.id: after} if failed else {})
    assert knowledge.departed == {after.id}
    assert knowledge.live == 0


def test_an_old_task_that_crashed_is_none_of_our_failures():
    crashed = {"status": "STOPPED", "stopping": True, "stop_code": "EssentialContainerExited"}
    knowledge = knowing(task())
    knowledge.see([task(**crashed)], NOW + 5)
    assert knowledge.failed == {}
    assert knowledge.departed == {task_id(0)}


ADDED_BEFORE = fresh(0)  # added by a killed run that began at that instant
CRASHED = {"status": "STOPPED", "stopping": True, "stop_code": "EssentialContainerExited"}


@pytest.mark.parametrize(
    ("first", "then", "failed"),
    [
        pytest.param(ADDED_BEFORE, fresh(0, **CRASHED), True, id="it ran when this run took over"),
        pytest.param(fresh(0, status="PENDING"), fresh(0, **CRASHED), True, id="it started when this run took over"),
        pytest.param(None, fresh(0, **CRASHED), False, id="it had ended before, which the killed run has heeded"),
        pytest.param(task(), task(**CRASHED), False, id="it is an old one"),
        pytest.param(None, task(1, created_at=NOW + 61, **CRASHED), True, id="it was created once this run watched"),
        pytest.param(
            None,
            task(1, created_at=NOW + 60.999, **CRASHED),
            False,
            id="it was created in the very second in which this run took over, maybe before",
        ),
    ],
)
def test_a_task_that_ended_after_a_run_took_over(first, then, failed):
    knowledge = Knowledge(NOW, "running", has_health_check=False, stabilize=0.0, groups=(), owner=OWN, resumed=NOW + 60)
    knowledge.see([first] if first else [], NOW + 60)
    knowledge.see([then], NOW + 90)
    assert knowledge.failed == ({then.id: then} if failed else {})


def test_the_first_word_on_a_failure_stays():
    knowledge = knowing()
    first = fresh(1, status="DEPROVISIONING", stopping=True, stop_code="TaskFailedToStart", stopped_reason="no image")
    knowledge.see([first], NOW + 5)
    knowledge.see([replace(first, status="STOPPED", stopped_reason=None)], NOW + 9)
    assert knowledge.failed == {first.id: first}


# ---- events


def started(number: int | str, at: float = NOW + 1, event: str = "1") -> Event:
    name = number if isinstance(number, str) else task_id(number)
    return Event(event, at, f"(service web) has started 1 tasks: (task {name}).")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(started(20), {task_id(20)}, id="an id of today"),
        pytest.param(started(OLD_FORMAT), {OLD_FORMAT}, id="an id of the format before 2019"),
        pytest.param(started(20, at=NOW), {task_id(20)}, id="in the instant in which the run began"),
        pytest.param(started(20, at=NOW - 0.1), set(), id="before the run began"),
        pytest.param(started(0), set(), id="a task that is known"),
        pytest.param(
            Event("1", NOW + 1, f"(service web) has started 2 tasks: (task {task_id(20)}) (task {task_id(21)})."),
            {task_id(20), task_id(21)},
            id="two at a time",
        ),
        pytest.param(
            Event("1", NOW + 1, f"(service web) has started 1 tasks: (task {OLD_FORMAT}) (task {task_id(21)})."),
            {OLD_FORMAT, task_id(21)},
            id="one of each format",
        ),
        pytest.param(
            Event("1", NOW + 1, f"(service web) has stopped 1 running tasks: (task {task_id(20)})."), set(), id="a stop"
        ),
        pytest.param(Event("1", NOW + 1, "(service web) has reached a steady state."), set(), id="no task"),
        pytest.param(Event("1", NOW + 1, f"(service web) has started 1 tasks: (task {'f' * 33})."), set(), id="no id"),
    ],
)
def test_tasks_are_expected_by_the_events_that_name_them(event, expected):
    knowledge = knowing(*tasks(3))
    assert knowledge.new_events(service(events=(event,))) == [event]
    assert knowledge.expected == expected
    assert set(ids(knowledge.to_describe([]))) == expected | {each.id for each in tasks(3)}


def test_an_expected_task_is_expected_until_it_was_described_or_asked_for_in_vain():
    knowledge = knowing()
    knowledge.new_events(service(events=(started(21, event="2"), started(20, event="1"))))
    assert knowledge.expected == {task_id(20), task_id(21)}
    knowledge.see([fresh(20, status="PENDING")], NOW + 5, asked=[task_id(20)])
    assert knowledge.expected == {task_id(21)}
    knowledge.see([], NOW + 5, asked=[task_id(21)])
    assert knowledge.expected == set()
    assert knowledge.live == 1


def test_events_are_told_once_and_the_oldest_first():
    one, two, three, four = (started(20 + number, NOW + number, f"event {number}") for number in range(4))
    assert knowing().new_events(service(events=(three, two, one))) == [one, two, three]
    knowledge = knowing()
    assert knowledge.new_events(service(events=(two, one))) == [one, two]
    assert knowledge.new_events(service(events=(two, one))) == []
    assert knowledge.new_events(service(events=(four, three, two, one))) == [three, four]
    assert knowledge.new_events(service(events=())) == []
    assert knowledge.new_events(service(events=(four, three))) == []


def test_an_event_that_is_told_again_is_not_expected_again():
    knowledge = knowing()
    events = (started(20),)
    knowledge.new_events(service(events=events))
    knowledge.see([fresh(20)], NOW + 5, asked=[task_id(20)])
    knowledge.new_events(service(events=(Event("2", NOW + 6, "steady"), *events)))
    assert knowledge.expected == set()


# ---- what a look describes


def test_every_task_of_a_small_service_is_described_by_its_arn():
    knowledge = knowing(*tasks(3))
    assert knowledge.to_describe([]) == [each.arn for each in tasks(3)]
    assert [knowledge.arn(task_id(number)) for number in (2, 20)] == [task(2).arn, task_id(20)]


def test_an_expected_task_is_described_by_its_id():
    knowledge = knowing()
    knowledge.new_events(service(events=(started(20),)))
    assert knowledge.to_describe([]) == [task_id(20)]


def test_what_is_asked_for_comes_first_and_then_what_is_in_flight():
    knowledge = knowing(*tasks(200))
    knowledge.new_events(service(events=(started(300),)))
    knowledge.see([fresh(400, status="PENDING"), fresh(401)], NOW + 5)
    knowledge.mark_victim(task(150))
    described = numbers(knowledge.to_describe([task_id(199)]))
    assert described[:4] == [199, 300, 150, 400]
    assert described[4:] == list(range(96))  # and not 401, which is good and was just seen
    assert len(described) == PER_CALL


def test_those_that_were_not_seen_for_longest_come_next():
    knowledge = knowing(*tasks(250))
    knowledge.see(tasks(60), NOW + 5)
    assert numbers(knowledge.to_describe([])) == list(range(60, 160))
    knowledge.see([task(number) for number in range(60, 160)], NOW + 10)
    assert numbers(knowledge.to_describe([])) == [*range(160, 250), *range(10)]


def test_two_hundred_in_flight_are_two_calls_and_no_third():
    knowledge = knowing(*tasks(500))
    knowledge.see([fresh(1000 + number, status="PENDING") for number in range(150)], NOW + 5)
    described = numbers(knowledge.to_describe([]))
    assert described[:150] == list(range(1000, 1150))
    assert len(described) == 200


def test_what_has_gone_is_not_described():
    knowledge = knowing(*tasks(3), task(3, stopping=True))
    knowledge.see([task(2, status="STOPPED", stopping=True)], NOW + 5)
    assert numbers(knowledge.to_describe([])) == [0, 1]


@given(
    count=st.integers(0, 350),
    in_flight=st.integers(0, 250),
    victims=st.sets(st.integers(0, 349), max_size=60),
    first=st.lists(st.integers(0, 349), max_size=3),
)
@settings(law, max_examples=examples(15))
def test_a_look_costs_one_call_unless_more_is_in_flight_and_every_task_has_its_turn(count, in_flight, victims, first):
    knowledge = knowing(*tasks(count))
    knowledge.see([fresh(1000 + number, status="PENDING") for number in range(in_flight)], NOW)
    stopped = {number for number in victims if number < count}
    for number in stopped:
        knowledge.mark_victim(task(number))
    asked = {number for number in first if number < count}
    wanted = asked | stopped | {1000 + number for number in range(in_flight)}
    calls = max(1, -(-len(wanted) // PER_CALL))
    unseen = set(range(count)) - wanted
    room = calls * PER_CALL - len(wanted)
    for _look in range(-(-len(unseen) // room) if room else 0):
        described = numbers(knowledge.to_describe(task_id(number) for number in sorted(asked)))
        assert len(described) == len(set(described)) <= calls * PER_CALL
        assert set(described[: len(wanted)]) == wanted
        unseen -= set(described)
        seen = [task(number) for number in described if number < 1000]
        knowledge.see(seen, NOW + 1)
    assert not unseen or not room


# ---- whom to withdraw first


def test_the_worst_come_first():
    old = [task(0, health="HEALTHY"), task(1, health="UNHEALTHY"), task(2, status="PENDING")]
    knowledge = knowing(*old, level="healthy", checked=True, stabilize=40.0)
    good, probation = fresh(10, health="HEALTHY"), fresh(11, health="HEALTHY")
    runs, starts, fails = fresh(12), fresh(13, status="PENDING"), fresh(14, health="UNHEALTHY")
    knowledge.see([good], NOW + 1)
    knowledge.see([good, probation, starts, runs, fails], NOW + 41)
    # For a lower count, ECS itself first stops tasks that do not run yet. Good tasks are not in this order.
    order = [fails, runs, starts, probation]
    assert knowledge.worst_first([]) == order
    # Old tasks are added to the order if they run and are not good.
    assert knowledge.worst_first(old) == [*order, task(1, health="UNHEALTHY")]
    # Some of the other tasks may also be fresh, if revisions decide which tasks are stale.
    assert knowledge.worst_first([runs, *old]) == [*order, task(1, health="UNHEALTHY")]


@pytest.mark.parametrize("state", ["unhealthy", "unhealthy.draining"])
def test_a_new_task_whose_target_is_unhealthy_comes_before_one_whose_target_is_not_healthy_yet(state):
    knowledge = knowing(level="target_healthy", groups=[GROUP])
    waits, fails, starts = (fresh(n, targets={GROUP: (f"10.0.0.{n}:80",)}) for n in (1, 2, 3))
    starts = replace(starts, status="PENDING", targets={GROUP: ()})
    knowledge.see([waits, fails, starts], NOW + 1)
    knowledge.see_targets(GROUP, Targets({"10.0.0.1:80": "initial", "10.0.0.2:80": state}), NOW + 1)
    assert knowledge.worst_first([]) == [fails, waits, starts]


def test_a_victim_is_not_withdrawn_again():
    knowledge = knowing(fresh(1, status="PENDING"), fresh(2, status="PENDING"))
    knowledge.mark_victim(fresh(1, status="PENDING"))
    assert [each.id for each in knowledge.worst_first([])] == [task_id(2)]


def test_a_victim_is_not_on_probation_any_more():
    knowledge = knowing(fresh(1), stabilize=40.0)
    assert knowledge.on_probation(fresh(1))
    knowledge.mark_victim(fresh(1))
    assert not knowledge.on_probation(fresh(1))


# ---- what is said to be lacking

STARTS = {"status": "PENDING"}
PENDING = f"task {task_id(10)} is still PENDING, created at 2026-11-22T03:00:00.010Z"
VICTIM = f"task {task_id(2)}, which was stopped, still holds its place"


@pytest.mark.parametrize(
    ("new", "victim", "desired", "words"),
    [
        pytest.param([], None, 3, "", id="nothing: all are good"),
        pytest.param([], None, 2, "", id="nothing: more are good than should run"),
        pytest.param([], None, 5, "ECS runs 3 of 5 tasks", id="two are not there"),
        pytest.param(
            [{"targets": {GROUP: ("10.0.0.11:80",)}}, STARTS],
            None,
            5,
            f"task {task_id(10)} is RUNNING, but its target 10.0.0.11:80 is unhealthy (Target.Timeout) in target"
            " group a",
            id="the worst of two that are not good",
        ),
        pytest.param(
            [{}, {}],
            None,
            5,
            f"task {task_id(10)} has passed every check since 2026-11-22T03:00:10Z, and must do so for 40 s"
            " (stabilize_time)",
            id="two are on probation: the one that was created first",
        ),
        pytest.param([], {}, 2, f"{VICTIM} (RUNNING)", id="a stopped one still runs"),
        pytest.param(
            [],
            {"status": "STOPPING", "on_instance": True},
            3,
            f"ECS runs 2 of 3 tasks; {VICTIM} (STOPPING)",
            id="one is not there, and a stopped one is in the way",
        ),
        pytest.param(
            [STARTS],
            {"status": "STOPPING", "on_instance": True},
            3,
            f"{PENDING}; {VICTIM} (STOPPING)",
            id="one starts, and a stopped one is in the way",
        ),
        pytest.param(
            [STARTS],
            {},
            3,
            PENDING,
            id="one starts, and a stopped one on Fargate is in nobody's way",
        ),
    ],
)
def test_what_is_lacking(new, victim, desired, words):
    """There are three good old tasks, the last of which may be a victim, and new ones."""
    well = {"health": "HEALTHY", "targets": {GROUP: ("10.0.0.1:80",)}}
    old = [task(number, **well) for number in range(3)]
    knowledge = knowing(*old, level="target_healthy", checked=True, stabilize=40.0, groups=[GROUP])
    found = Targets({"10.0.0.1:80": "healthy", "10.0.0.11:80": "unhealthy"}, {"10.0.0.11:80": "Target.Timeout"})
    knowledge.see_targets(GROUP, found, NOW + 5)
    for number, changes in enumerate(new):
        knowledge.see([fresh(10 + number, **{**well, **changes})], NOW + 10 * (1 + number))
    if victim is not None:
        knowledge.mark_victim(old[2])
        knowledge.see([replace(old[2], stopping=True, **victim)], NOW + 30)
    assert knowledge.lacking(desired) == words


# ---- laws

states = st.sampled_from(
    [
        {"status": "PENDING"},
        {"health": "HEALTHY"},
        {"health": "HEALTHY"},
        {"health": "UNHEALTHY"},
        {"health": "HEALTHY", "stopping": True},
        {"status": "STOPPED", "stopping": True, "stop_code": "EssentialContainerExited"},
    ]
)
who = st.integers(0, 7)
happenings = st.one_of(
    st.tuples(st.just("see"), who, states),
    st.tuples(st.just("gone"), who, st.just({})),
    st.tuples(st.just("victim"), who, st.just({})),
    st.tuples(st.just("doubt"), who, st.just({})),
    st.tuples(st.just("started"), who, st.just({})),
    st.tuples(st.just("listed"), who, st.just({})),
)


@given(st.lists(happenings, max_size=25), st.sampled_from([0.0, 3.0]))
@settings(law, max_examples=examples(80))
def test_what_is_counted_on_is_never_more_than_what_was_seen(story, stabilize):
    """The knowledge is compared with a plain list of the last known state of each task."""
    knowledge = Knowledge(NOW, "healthy", True, stabilize, (), OWN)
    last: dict[int, Task] = {}
    victims: set[int] = set()
    doubtful: set[int] = set()
    for second, (kind, number, state) in enumerate(story):
        # Half of them are old, half are new.
        seen = task(number, created_at=NOW + number - 4, **state)
        before = last.get(number)
        if kind == "see":
            knowledge.see([seen], NOW + second, asked=[seen.id])
            last[number] = seen
        elif kind == "doubt" and before and number not in victims:
            knowledge.mark_doubtful(before)
            doubtful.add(number)
        elif kind == "gone":
            knowledge.see([], NOW + second, asked=[seen.id])
            last.pop(number, None)
        elif kind == "victim" and before:
            knowledge.mark_victim(before)
            victims.add(number)
        elif kind == "started":
            knowledge.new_events(service(events=(started(number, NOW + second, str(second)),)))
        elif kind == "listed":
            knowledge.keep_only({each.id for each in last.values()} - {seen.id})
            last.pop(number, None)
    live = {number: each for number, each in last.items() if number not in victims and not each.stopping}
    sure = {number: each for number, each in live.items() if each.running and number not in doubtful}
    well = {number for number, each in sure.items() if each.health == "HEALTHY"}
    limping = {number for number, each in live.items() if each.running and not knowledge.good(each)}
    assert knowledge.live == len(live)
    assert {each.id for each in knowledge.fresh} == {task_id(number) for number in live if number >= 4}
    assert {number for number, each in last.items() if knowledge.good(each)} <= well
    for running in range(10):
        counted = knowledge.healthy(service(running=running))
        assert counted <= min(len(well), max(0, running - len(limping)))
        if not stabilize:
            assert counted == min(len(well), max(0, running - len(limping)))
    assert 0 <= knowledge.fresh_good <= len([number for number in well if number >= 4])
    assert {each.id for each in knowledge.leaving} <= {task_id(number) for number in victims}
    assert all(each.created_at >= NOW for each in knowledge.failed.values())


# ---- tasks of another deployment or task set


def test_a_task_of_another_deployment_is_counted_and_nothing_else():
    knowledge = knowing()
    green = task(20, started_by=OTHER, created_at=NOW + 5)
    knowledge.see([*tasks(10), green], NOW + 10)
    found = service(running=11)
    assert knowledge.live == 10
    assert knowledge.mixed is True
    assert knowledge.nameless(found) == 0
    assert knowledge.healthy(found) == 10
    # The other task may be one of those that ECS counts.
    assert knowledge.healthy(service(running=10)) == 9
    assert not knowledge.good(green)
    assert list(knowledge.fresh) == []
    assert green not in knowledge.worst_first([])


@pytest.mark.parametrize(
    "then",
    [
        pytest.param([{"stopping": True}], id="it is told to stop"),
        pytest.param([{"status": "STOPPED"}], id="it has stopped by itself"),
        pytest.param([], id="no inventory lists it"),
    ],
)
def test_a_task_of_another_deployment_that_goes_is_not_counted_any_more(then):
    green = task(20, started_by=OTHER)
    knowledge = knowing(*tasks(10), green)
    assert knowledge.mixed is True
    knowledge.see([replace(green, **changes) for changes in then], NOW + 5)
    knowledge.keep_only(each.id for each in (*tasks(10), *([green] if then else [])))
    assert knowledge.mixed is False
    assert knowledge.nameless(service(running=10)) == 0


def test_the_end_of_a_task_of_another_deployment_is_no_failure_of_ours():
    knowledge = knowing()
    green = task(20, started_by=OTHER, created_at=NOW + 5)
    knowledge.see([*tasks(10), green], NOW + 10)
    ended = replace(green, status="STOPPED", stopping=True, stop_code="TaskFailedToStart")
    knowledge.see([ended], NOW + 20)
    assert knowledge.failed == {}
    assert knowledge.departed == set()
    assert knowledge.nameless(service(running=10)) == 0


def test_a_task_that_nobody_says_to_have_started_is_not_ours():
    knowledge = knowing()
    knowledge.see([task(20, started_by="", created_at=NOW + 5)], NOW + 10)
    assert knowledge.live == 0
