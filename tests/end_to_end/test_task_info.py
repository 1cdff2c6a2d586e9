# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of tasks."""

from __future__ import annotations

import pytest

from tests.end_to_end.programs import until
from tests.end_to_end.witness import Witness

ECS = "arn:aws:ecs:eu-central-1:123456789012"


def test_five_hundred_tasks_are_five_hundred_rows(sandbox, task_info):
    sandbox.service("web", tasks=500, health_check=True)
    witness = Witness(sandbox)
    result = task_info()
    rows = result["tasks"]
    assert len({row["task"] for row in rows}) == len(rows) == 500
    assert {row["task"] for row in rows} == witness.old
    assert [row["age"] for row in rows] == sorted((row["age"] for row in rows), reverse=True)
    assert result["service"]["desired_count"] == result["service"]["running_count"] == 500
    assert [len(witness.calls(operation)) for operation in ("ListTasks", "DescribeTasks")] == [5, 5]
    witness.untouched()


def test_a_row(sandbox, task_info):
    sandbox.service(
        "web", tasks=2, cluster="prod", capacity_provider="FARGATE_SPOT", health_check=True, tags={"a": "b"}
    )
    sandbox.act("protect", "web", task="oldest")
    result = task_info(cluster="prod")
    row = result["tasks"][0]
    (truth,) = [task for task in sandbox.find("web")["tasks"] if task["arn"] == row["task"]]
    assert abs(row["age"] - (sandbox.state()["now"] - truth["created_at"])) < 30
    assert row["created_at"] < row["started_at"] < row["protected_until"]
    assert {key: row[key] for key in row.keys() - {"task", "age", "created_at", "started_at", "protected_until"}} == {
        "last_status": "RUNNING",
        "health_status": "HEALTHY",
        "task_definition": f"{ECS}:task-definition/web:1",
        "protected": True,
        "availability_zone": truth["zone"],
        "capacity_provider": "FARGATE_SPOT",
        "launch_type": "FARGATE",
        "stale": None,
    }
    assert (result["tasks"][1]["protected"], result["tasks"][1]["protected_until"]) == (False, None)
    assert result["cutoff"] is None
    assert result["changed"] is False
    assert result["service"] == {
        "arn": f"{ECS}:service/prod/web",
        "name": "web",
        "cluster": "prod",
        "status": "ACTIVE",
        "desired_count": 2,
        "running_count": 2,
        "pending_count": 0,
        "task_definition": f"{ECS}:task-definition/web:1",
        "deploying": False,
        "tags": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("selector", "stale"),
    [
        ({"max_task_age": "30h"}, 1),
        ({"max_task_age": "1h"}, 3),
        ({"started_before": "2000-01-01T00:00:00Z"}, 0),
        ({"token": "never used"}, 3),
        ({"tasks": ["0" * 32]}, 0),
        ({"all_tasks": True}, 3),
    ],
)
def test_what_is_stale_is_what_a_recycle_would_replace(sandbox, task_info, recycle, selector, stale):
    sandbox.service("web", tasks=3, health_check=True)  # a sandbox that was reset has the same tasks every time
    result = task_info(**selector)
    found = [row["task"] for row in result["tasks"] if row["stale"]]
    planned = recycle(check=True, **selector)
    assert found == (planned["recycle"]["plan"] or {"tasks": []})["tasks"]
    assert len(found) == stale
    assert (result["cutoff"] is None) is ("tasks" in selector)


def test_after_a_recycle_nothing_is_stale(sandbox, task_info, recycle):
    sandbox.service("web", tasks=2, health_check=True)
    assert [row["stale"] for row in task_info(token="7")["tasks"]] == [True, True]
    recycle(token="7")
    assert [row["stale"] for row in task_info(token="7")["tasks"]] == [False, False]


def test_tasks_that_start_and_tasks_that_are_being_stopped(sandbox, task_info):
    sandbox.service("web", tasks=2)
    sandbox.settings(latencies={"launch": 6000, "stop": 6000, "reaction": 0.01})
    gone = sandbox.act("stop_task", "web", task="oldest")
    leaving = [task["arn"] for task in gone["tasks"] if task["desired_status"] == "STOPPED"]
    rows = task_info()["tasks"]
    assert leaving[0] not in {row["task"] for row in rows}
    assert [(row["last_status"], row["started_at"]) for row in rows[1:]] in ([], [("PROVISIONING", None)])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"service": "webb"}, "there is no service webb in cluster default"),
        ({"cluster": "nowhere"}, "Cluster not found. Check cluster, service, region"),
        ({"max_task_age": "7d", "token": "a"}, "are mutually exclusive"),
        ({"max_task_age": "a week"}, "must be an age such as 7d"),
        ({"started_before": "2999-01-01T00:00:00Z"}, "must be in the past"),
        ({"service": f"{ECS}:cluster/web"}, "must be the name of an ECS service"),
    ],
)
def test_refusals(sandbox, task_info, options, words):
    sandbox.service("web", tasks=1)
    assert words in task_info(**options)["msg"]


@pytest.mark.parametrize(
    "permission", ["ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:GetTaskProtection"]
)
def test_permissions(sandbox, task_info, permission):
    sandbox.service("web", tasks=1)
    sandbox.fault("access_denied", operations=[permission])
    message = task_info()["msg"]
    assert f"Allow {permission} to these credentials" in message
    assert message.startswith("service web of cluster default in eu-central-1: ")


def test_throttling(sandbox, task_info):
    sandbox.service("web", tasks=1)
    sandbox.fault("throttling", times=2)
    assert len(task_info()["tasks"]) == 1


def test_a_service_that_was_deleted(sandbox, task_info):
    sandbox.service("web", tasks=0)
    sandbox.act("delete", "web")
    until(lambda: sandbox.find("web")["status"] == "INACTIVE", "the end of its deletion")
    result = task_info()
    assert (result["service"]["status"], result["tasks"]) == ("INACTIVE", [])
