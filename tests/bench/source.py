# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lambda function that the collection replaces, rewritten from its description.

It adds one task, then stops the old tasks of the first page of ListTasks one after another. After each stop it waits
with ECS's ``services_stable`` waiter and then sleeps. It keeps what it must give back only in memory.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from .course import CALL, Course, Outcome, outcome, run

LAMBDA_LIMIT = 900.0  # seconds
WAITER_DELAY, WAITER_ATTEMPTS = 15.0, 40
PAGE = 100

Steps = Generator[float, None, None]


class WaiterError(Exception):
    """The service is not stable after all attempts."""


@dataclass
class Source:
    """Runs the algorithm and yields the seconds that it sleeps. Every call is counted and takes ``CALL`` seconds."""

    course: Course
    wait_time: float = 30.0
    calls: int = 0

    def called(self) -> None:
        self.calls += 1
        self.course.advance(self.course.now + CALL)

    def recycle(self) -> Steps:
        course = self.course
        self.called()
        desired = course.service("web").desired
        self.called()
        arns = course.list_tasks("web")[:PAGE]
        self.called()
        target = course.scaling("web")
        assert target
        self.called()
        course.update_service("web", desired=desired + 1)
        self.called()
        course.register_scalable_target("web", min=desired + 1, max=target.maximum + 1)
        yield from self.services_stable()
        for arn in arns:
            self.called()
            course.stop_task(arn)
            yield from self.services_stable()
            yield self.wait_time
        self.called()
        course.update_service("web", desired=desired)
        self.called()
        course.register_scalable_target("web", min=target.minimum, max=target.maximum)
        yield from self.services_stable()

    def services_stable(self) -> Steps:
        """Wait as botocore's waiter does: it asks before it sleeps, and ignores pending and unhealthy tasks."""
        for attempt in range(WAITER_ATTEMPTS):
            if attempt:
                yield WAITER_DELAY
            self.called()
            service = self.course.describe_service("web")
            assert service
            if len(service.deployments) == 1 and service.running == service.desired:
                return
        raise WaiterError


def recycle_like_the_source(tasks: int, limit: float = LAMBDA_LIMIT) -> Outcome:
    course = Course(tasks)
    source = Source(course)
    remarks = []
    try:
        run(course, source.recycle(), limit)
    except WaiterError:
        remarks.append("its waiter gave up")
    too_many = course.service("web").desired - tasks
    if too_many:
        remarks.append(f"killed: desired count and minimum stay {too_many} too high")
    if course.left():
        remarks.append(f"{course.left()} tasks not recycled")
    return outcome(course, source.calls, "; ".join(remarks))
