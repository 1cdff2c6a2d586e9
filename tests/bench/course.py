# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service on a virtual clock, and the outcome of recycling it."""

from __future__ import annotations

import math
import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.sandbox.model.latencies import Latencies
from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import Change
from tests.sandbox.model.tasks import Task

T = TypeVar("T")

START = 1_790_000_000.0
LATENCIES = Latencies(reaction=10, launch=40, health=20, stop=30)
PER_TASK = LATENCIES.reaction + LATENCIES.launch + LATENCIES.health
CALL = 0.05  # seconds that one call takes


class Course(Cluster):
    """A cluster with the one service that is recycled. It records what the scheduler launches."""

    def __init__(self, tasks: int) -> None:
        super().__init__(random.Random(1), START, LATENCIES)
        self.launched: list[Task] = []
        self.create_service("web", desired=tasks, health_check=True)
        self.register_scalable_target("web", min=1, max=2 * tasks)
        self.old = {task.arn for task in self.launched}
        self.launched.clear()
        self.least_healthy = tasks
        self.on_change(self.watch)

    def watch(self, change: Change) -> None:
        self.least_healthy = min(self.least_healthy, change.healthy)

    def create_task(self, *details: Any, **more: Any) -> Task:
        task = super().create_task(*details, **more)
        self.launched.append(task)
        return task

    def left(self) -> int:
        """Return the number of old tasks that nobody has stopped."""
        return len(self.old & self.service("web").live.keys())


@dataclass(frozen=True)
class Outcome:
    tasks: int
    seconds: float
    calls: int
    replaced: int
    launches: int
    least_healthy: int
    remark: str


def run(course: Course, steps: Generator[float, None, T], limit: float = math.inf) -> T | None:
    """Return what the steps return, or None if the time limit comes first."""
    try:
        while True:
            pause = next(steps)
            course.advance(min(course.now + pause, START + limit))
            if course.now >= START + limit:
                steps.close()
                return None
    except StopIteration as end:
        return end.value


def outcome(course: Course, calls: int, remark: str) -> Outcome:
    seconds, replaced = course.now - START, len(course.old) - course.left()
    course.advance(course.now + 3600)  # launches that are still due count as well
    return Outcome(len(course.old), seconds, calls, replaced, len(course.launched), course.least_healthy, remark)
