# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, tasks and plans that have nothing special except what a test sets."""

from __future__ import annotations

from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import (
    RUNNING,
    Deployment,
    Service,
    Task,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.plan import Plan
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.staleness import Selection
from hypothesis import settings
from hypothesis import strategies as st

from tests.examples import examples

ECS = "arn:aws:ecs:eu-west-1:111122223333"
SEVEN, EIGHT = f"{ECS}:task-definition/web:7", f"{ECS}:task-definition/web:8"
GROUP, GROUP_2 = (f"arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/{name}/1" for name in "ab")
OWN, OTHER = "ecs-svc/1111111111111111111", "ecs-svc/2222222222222222222"  # deployments
NOW = 1_795_316_400.0  # 2026-11-22T03:00:00Z
NOW_TEXT = "2026-11-22T03:00:00Z"

# No deadline: the duration of an example depends on the machine, and no test here measures time.
law = settings(deadline=None, max_examples=examples(40))

# Instants as ECS gives them: to the millisecond, from 2014 (when it began) to 2100.
instants = st.integers(1_400_000_000_000, 4_100_000_000_000).map(lambda millis: millis / 1000)


def task_id(number: int) -> str:
    return f"{number:032x}"


def task(number: int = 0, /, **changes) -> Task:
    """Return the task with this number, by default old and running."""
    return Task(
        **{
            "arn": f"{ECS}:task/prod/{task_id(number)}",
            "created_at": NOW - 10_000 + number,
            "status": RUNNING,
            "stopping": False,
            "revision": SEVEN,
            "started_by": OWN,
            **changes,
        }
    )


def tasks(count: int, **changes) -> tuple[Task, ...]:
    return tuple(task(number, **changes) for number in range(count))


def service(**changes) -> Service:
    """Return a service with ten running tasks and no deployment."""
    return Service(
        **{
            "arn": f"{ECS}:service/prod/web",
            "cluster": "prod",
            "name": "web",
            "status": "ACTIVE",
            "desired": 10,
            "running": 10,
            "pending": 0,
            "revision": SEVEN,
            "deployments": (Deployment(OWN, "PRIMARY", "COMPLETED"),),
            **changes,
        }
    )


def plan(**changes) -> Plan:
    """Return a plan for ten tasks, two at a time, with two added first, and never fewer than ten."""
    return Plan(
        **{
            "selector": "all_tasks",
            "selection": Selection(NOW),
            "stale": tasks(10),
            "skipped": (),
            "original": 10,
            "surge": 2,
            "floor": 10,
            "batch": 2,
            "level": "running",
            "stabilize": 0.0,
            "begun": NOW,
            "suspend": (),
            "resumed": False,
            **changes,
        }
    )
