# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run reports while it works: its lines, its heartbeat, and its timeline."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.watch import HEARTBEAT, Watch

from tests.unit.core.recycle.samples import NOW, NOW_TEXT, plan, task, tasks


class Course:
    """A watch on a clock that the test sets."""

    def __init__(self, **planned):
        self.elapsed = 0.0
        self.lines = []
        self.watch = Watch(self.lines.append)
        self.watch.begin("prod/web", lambda: NOW + self.elapsed, lambda: 500 + self.elapsed)
        self.planned = plan(**planned)

    def later(self, seconds):
        self.elapsed += seconds
        return self.watch


@pytest.fixture
def course():
    return Course()


@pytest.mark.parametrize(
    ("planned", "check", "line"),
    [
        ({}, False, "replaces 10 tasks in 5 steps, 2 added first; at least 10 of 10 stay healthy"),
        ({}, True, "would replace 10 tasks in 5 steps, 2 added first; at least 10 of 10 stay healthy"),
        (
            {"stale": tasks(1), "batch": 1, "surge": 0, "floor": 7},
            False,
            "replaces 1 task in 1 step, 0 added first; at least 7 of 10 stay healthy",
        ),
    ],
)
def test_the_plan(planned, check, line):
    course = Course(**planned)
    course.watch.planned(course.planned, check)
    assert course.lines == [f"prod/web: {line}"]


def test_nothing_to_replace_is_not_told(course):
    course.watch.planned(plan(stale=()), check=False)
    assert course.lines == []
    assert course.watch.timeline()["started"] is None


@pytest.mark.parametrize(
    ("count", "left", "seconds", "ends"),
    [
        (1, 9, 70, "replaced by 0000000b; 12 of 12 healthy; 70 s; about 10 min left"),
        (1, 1, 70, "replaced by 0000000b; 12 of 12 healthy; 70 s; about 70 s left"),
        (1, 0, 101, "replaced by 0000000b; 12 of 12 healthy; 2 min; all done"),
        (1, 99, 70, "replaced by 0000000b; 12 of 12 healthy; 70 s; about 1 h 56 min left"),
        (
            5,
            5,
            60,
            "and 2 more replaced by 0000000b, 0000000c, 0000000d and 2 more; 12 of 12 healthy; 60 s; about 60 s left",
        ),
    ],
)
def test_a_step(course, count, left, seconds, ends):
    course.watch.planned(course.planned, check=False)
    course.later(10).saw(12, 12, [], bool)
    old = [task(number, arn=f"x/{number:08x}aaaa") for number in range(count)]
    new = [f"x/{number:08x}bbbb" for number in range(11, 11 + count)]
    course.later(seconds).step_done(old, new, seconds, left)
    assert course.lines[1].startswith("prod/web: step 1 of 5: 00000000")
    assert course.lines[1].endswith(ends)


def test_more_steps_than_were_planned_are_counted(course):
    course.watch.planned(plan(stale=tasks(2)), check=False)
    for left in (1, 1, 0):
        course.later(70).step_done([task(left)], [], 70, left)
    assert [line.split(": ")[1] for line in course.lines[1:]] == ["step 1 of 2", "step 2 of 3", "step 3 of 3"]


def test_a_line_only_after_silence(course):
    course.watch.resting()
    course.watch.planned(course.planned, check=False)
    new = [task(20, created_at=NOW), task(21, created_at=NOW)]
    course.later(HEARTBEAT - 1).saw(10, 12, new, lambda each: each is new[0])
    course.watch.resting()
    assert len(course.lines) == 1
    course.later(1).resting()
    course.later(1).resting()
    assert course.lines[1:] == ["prod/web: step 1 of 5: 60 s so far; 10 of 12 healthy, 1 new not good yet"]
    course.later(HEARTBEAT).resting()
    assert course.lines[2] == "prod/web: step 1 of 5: 2 min so far; 10 of 12 healthy, 1 new not good yet"


def test_what_is_waited_for_is_told(course):
    course.watch.waits("another run is at work")
    course.later(HEARTBEAT).resting()
    assert course.lines == ["prod/web: waits: another run is at work"]
    course.watch.waits(None)
    course.later(HEARTBEAT).resting()
    assert len(course.lines) == 1, "nothing is known yet"


def test_the_timeline(course):
    old, new = tasks(2), task(20, created_at=NOW + 15)
    failed = task(21, created_at=NOW + 16)
    course.watch.planned(plan(stale=old), check=False)
    course.later(20).saw(10, 11, [new, failed], lambda _task: False)
    course.later(30).saw(11, 11, [new, failed], lambda each: each is new)
    course.later(1).stopped(old[0], 10)
    course.later(1).saw(10, 11, [new], lambda _task: True)
    course.later(18).step_done([old[0]], [new.arn], 19, 1)
    told = course.watch.timeline()
    assert (told["started"], told["seconds"]) == (NOW_TEXT, 70.0)
    assert [tuple(count.values()) for count in told["counts"]] == [(20.0, 10, 11), (50.0, 11, 11), (51.0, 10, 11)]
    assert told["tasks"] == [
        {"task": old[0].id, "new": False, "from": 0.0, "good": 0.0, "to": 51.0},
        {"task": old[1].id, "new": False, "from": 0.0, "good": 0.0, "to": None},
        {"task": new.id, "new": True, "from": 15.0, "good": 50.0, "to": None},
        {"task": failed.id, "new": True, "from": 16.0, "good": None, "to": 52.0},
    ]


def test_the_desired_count_is_known_without_a_look_at_tasks(course):
    course.watch.saw_desired(10)
    course.watch.planned(plan(stale=tasks(2)), check=False)
    assert course.watch.timeline()["counts"] == [], "how many are healthy is not known yet"
    course.watch.saw(9, 10, [], bool)
    course.later(2).saw_desired(11)
    course.later(2).saw_desired(11)
    assert [tuple(count.values()) for count in course.watch.timeline()["counts"]] == [(0.0, 9, 10), (2.0, 9, 11)]


def test_new_tasks_that_end_end_on_the_timeline(course):
    """This includes a task that no look has seen alive."""
    seen, unseen = task(20, created_at=NOW + 15), task(21, created_at=NOW + 16)
    course.watch.planned(plan(stale=()), check=False)
    course.watch.planned(plan(stale=tasks(1)), check=False)
    course.later(20).saw(10, 11, [seen], lambda _task: False)
    course.later(5).ended(unseen)
    course.later(5).ended(seen)
    course.later(5).ended(unseen)
    _old, *new = course.watch.timeline()["tasks"]
    assert [(each["from"], each["good"], each["to"]) for each in new] == [(15.0, None, 30.0), (16.0, None, 25.0)]


def test_the_timeline_does_not_grow_with_time(course):
    course.watch.planned(course.planned, check=False)
    for look in range(20_000):
        course.later(1).saw(3 if look == 7777 else look % 2, 10, [], bool)
    counts = course.watch.timeline()["counts"]
    assert len(counts) < 700
    assert [count["at"] for count in counts] == sorted(count["at"] for count in counts)
    assert min(count["healthy"] for count in counts) == 0


def test_without_a_listener_nothing_is_told():
    watch = Watch()
    watch.begin("prod/web", lambda: NOW, lambda: 0.0)
    watch.gives_up()
