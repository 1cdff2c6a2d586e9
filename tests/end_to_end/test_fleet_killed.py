# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet's process gets SIGKILL at random moments and its task runs again, alone or beside another such run.

A moment is drawn as a number of calls to AWS, so that a busy machine does not move it, plus a few milliseconds.
"""

from __future__ import annotations

import random
import time

import pytest

from tests.end_to_end.conftest import LATENCIES, SPEED
from tests.end_to_end.programs import QUICK
from tests.end_to_end.test_fleet import One

TASK = {name: value for name, value in QUICK.items() if name != "service"} | {
    "cluster": "prod",
    "max_task_age": "1h",
    "calls_per_second": 1000,
}
SHAPES = {
    "plain": {"tasks": 2},
    "checked": {"tasks": 3, "health_check": True},
    "balanced": {"tasks": 2, "health_check": True, "target_groups": 1},
    "scaled": {"tasks": 2, "scaling": {"min": 1, "max": 9}},
    "tagged": {"tasks": 1, "health_check": True, "tags": {"a": "b"}},
}
# A stop and the lower count that follows are two calls. ECS looks at the service half a second after a stop here, so
# that a busy machine rarely delays the second call until ECS has begun to replace the task.
PATIENT = {**LATENCIES, "reaction": 50.0}
CALLS = 110  # fewer than an undisturbed run over all services makes


@pytest.fixture
def services(sandbox):
    """Resets the account and creates the services again."""

    def services():
        sandbox.reset(speed=SPEED, latencies=PATIENT)
        for name, shape in SHAPES.items():
            sandbox.service(name, cluster="prod", **shape)
        return {name: One(sandbox, name) for name in SHAPES}

    return services


@pytest.fixture
def killed(sandbox, rng):
    """Kills a run at a random moment, and returns whether it was still at work."""

    def killed(module):
        moment, delay = sandbox.state()["calls"] + rng.randrange(CALLS), rng.uniform(0, 0.02)
        while module.runs and sandbox.state()["calls"] < moment:
            time.sleep(0.002)
        time.sleep(delay)
        was_at_work = module.runs
        module.kill()
        return was_at_work

    return killed


@pytest.fixture
def rng():
    return random.Random("fifty moments")


def whole(witnesses, surge):
    """Assert that all tasks are new, each was replaced once, and nothing is left behind."""
    for witness in witnesses.values():
        witness.kept(surge=surge)
        witness.replaced()


def many(short, long):
    return pytest.mark.parametrize("moments", [short, pytest.param(long, marks=pytest.mark.long)])


@many(3, 50)
def test_killed_at_random_moments_and_run_again(services, start, killed, rng, moments):
    kills = 0
    for _moment in range(moments):
        witnesses, batch = services(), rng.choice([1, 1, 2])
        task = {**TASK, "services": list(SHAPES), "concurrency": rng.choice([1, 3, 20]), "batch_size": batch}
        for _time in range(rng.choice([1, 1, 2])):
            kills += killed(start("ecs_fleet_recycle", **task))
        result = start("ecs_fleet_recycle", **task).result()
        assert not result.get("failed")
        whole(witnesses, batch)
    assert kills >= 0.8 * moments


@many(1, 20)
def test_two_runs_over_overlapping_fleets_killed_at_random_moments(services, start, killed, rng, moments):
    names = list(SHAPES)
    fleets = [names[:4], names[:0:-1]]  # three services are in both
    for _moment in range(moments):
        witnesses = services()
        tasks = [{**TASK, "services": fleet, "concurrency": rng.choice([1, 3, 20])} for fleet in fleets]
        runs = [start("ecs_fleet_recycle", **task) for task in tasks]
        first = rng.randrange(2)
        for number in (first, 1 - first):
            killed(runs[number])
            runs[number] = start("ecs_fleet_recycle", **tasks[number])
        results = [run.result() for run in runs]
        assert [result["fleet"]["totals"]["services"] for result in results] == [4, 4]
        assert [result["msg"] for result in results if result.get("failed")] == []
        whole(witnesses, 1)
