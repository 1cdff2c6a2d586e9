# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the task list: their contents, their order, and which of them are called stale."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Service, Task
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import (
    RECORD_TAG,
    TOKENS_TAG,
    remember_token,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Narrowing, Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.task_rows import service_facts, task_rows

NOW = 1_795_316_400.0
LEFT = "v=1 o=3 s=1 b=1795315400.000 k=all_tasks c=1795315400.000 q=- ph=surged w=me x=1795317000"


def service(**tags: str) -> Service:
    arn = "arn:aws:ecs:eu-central-1:111122223333:service/prod/web"
    return Service(arn, "prod", "web", "ACTIVE", desired=3, running=3, pending=0, revision="web:7", tags=tags)


def task(name: str, age: float, **more) -> Task:
    return Task(
        f"arn/{name}", **{"created_at": NOW - age, "status": "RUNNING", "stopping": False, "revision": "web:7"} | more
    )


TASKS = [task("young", 100), task("old", 5000, revision="web:6"), task("middle", 2000)]


def test_a_row_says_all():
    one = task(
        "one",
        61.4,
        started_at=NOW - 20,
        health="HEALTHY",
        zone="eu-central-1a",
        capacity_provider="SPOT",
        launch_type="EC2",
    )
    rows, cutoff = task_rows(service(), [one], {"arn/one": NOW + 60}, NOW, None, Narrowing())
    assert cutoff is None
    assert rows == [
        {
            "task": "arn/one",
            "created_at": "2026-11-22T02:58:58.600Z",
            "started_at": "2026-11-22T02:59:40Z",
            "age": 61,
            "last_status": "RUNNING",
            "health_status": "HEALTHY",
            "task_definition": "web:7",
            "protected": True,
            "protected_until": "2026-11-22T03:01:00Z",
            "availability_zone": "eu-central-1a",
            "capacity_provider": "SPOT",
            "launch_type": "EC2",
            "stale": None,
        }
    ]


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        (task("new", 0, status="PENDING"), {"started_at": None, "age": 0}),
        (task("ahead", -0.9), {"age": 0}),  # AWS's clock is known only to the second
        (task("nameless", float("-inf")), {"created_at": None, "age": 0}),  # so new that ECS has no instant yet
    ],
)
def test_odd_rows(odd, expected):
    ((row,), _cutoff) = task_rows(service(), [odd], {}, NOW, None, Narrowing())
    assert {key: row[key] for key in expected} == expected


def test_protection_without_an_end():
    ((row,), _cutoff) = task_rows(service(), TASKS[:1], {"arn/young": float("inf")}, NOW, None, Narrowing())
    assert (row["protected"], row["protected_until"]) == (True, None)


def test_what_ecs_is_stopping_is_left_out():
    going = [task("a", 1, stopping=True), task("b", 1, status="STOPPED")]
    assert task_rows(service(), going, {}, NOW, Selector("all_tasks"), Narrowing()) == ([], NOW)


@pytest.mark.parametrize(
    ("selector", "tags", "stale", "cutoff"),
    [
        (None, {}, [None, None, None], None),
        (Selector("max_task_age", 1000.0), {}, [True, True, False], NOW - 1000),
        (Selector("started_before", NOW - 2000.0), {}, [True, False, False], NOW - 2000),
        (Selector("tasks", frozenset({"old"})), {}, [True, False, False], None),
        (Selector("all_tasks"), {}, [True, True, True], NOW),
        (Selector("all_tasks"), {RECORD_TAG: LEFT}, [True, True, False], NOW - 1000),
        (Selector("token", "7"), {}, [True, True, True], NOW),
        (Selector("token", "7"), {TOKENS_TAG: remember_token({}, "6", NOW)}, [True, True, True], NOW),
        (Selector("token", "7"), {TOKENS_TAG: remember_token({}, "7", NOW - 3000)}, [True, False, False], NOW - 3000),
    ],
)
def test_oldest_first_and_stale_as_a_recycle_would_see_it(selector, tags, stale, cutoff):
    rows, found = task_rows(service(**tags), TASKS, {}, NOW, selector, Narrowing())
    assert [row["task"] for row in rows] == ["arn/old", "arn/middle", "arn/young"]
    assert ([row["stale"] for row in rows], found) == (stale, cutoff)


def test_what_a_recycle_refuses():
    with pytest.raises(Refused, match="must be in the past"):
        task_rows(service(), TASKS, {}, NOW, Selector("started_before", NOW + 60), Narrowing())


def test_facts_of_a_service():
    assert service_facts(service(team="shop")) == {
        "arn": "arn:aws:ecs:eu-central-1:111122223333:service/prod/web",
        "name": "web",
        "cluster": "prod",
        "status": "ACTIVE",
        "desired_count": 3,
        "running_count": 3,
        "pending_count": 0,
        "task_definition": "web:7",
        "deploying": False,
        "tags": {"team": "shop"},
    }
