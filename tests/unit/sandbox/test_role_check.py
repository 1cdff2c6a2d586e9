# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox requires a role to allow before a service of AWS starts a task with it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from tests.sandbox.access.role_check import Need, to_run

NUMBER, REGION = "123456789012", "eu-central-1"
ECS = f"arn:aws:ecs:{REGION}:{NUMBER}"


def role(name: str) -> str:
    return f"arn:aws:iam::{NUMBER}:role/{name}"


DEFINITION = {
    "taskDefinitionArn": f"{ECS}:task-definition/report:7",
    "taskRoleArn": role("task"),
    "executionRoleArn": role("execution"),
}
VOLUME = [{"name": "data", "managedEBSVolume": {"roleArn": role("volumes")}}]
TASKS, ITSELF = (f"{name}.amazonaws.com" for name in ("ecs-tasks", "ecs"))


@pytest.mark.parametrize(
    ("asked", "passed"),
    [
        ({}, [("task", TASKS), ("execution", TASKS)]),
        ({"overrides": {"cpu": "512", "taskRoleArn": role("task")}}, [("task", TASKS), ("execution", TASKS)]),
        (
            {"overrides": {"taskRoleArn": role("admin"), "executionRoleArn": "other"}},
            [("task", TASKS), ("execution", TASKS), ("admin", TASKS), ("other", TASKS)],
        ),
        ({"volumeConfigurations": VOLUME}, [("task", TASKS), ("execution", TASKS), ("volumes", ITSELF)]),
    ],
)
def test_roles_that_are_passed(asked, passed):
    account: Any = SimpleNamespace(number=NUMBER, lock=nullcontext(), definition=lambda _region, _name: DEFINITION)
    first, *rest = to_run(account, REGION, {"taskDefinition": "report", **asked}, f"{ECS}:cluster/prod")
    assert first == Need("ecs:RunTask", DEFINITION["taskDefinitionArn"], {"ecs:cluster": f"{ECS}:cluster/prod"})
    assert rest == [Need("iam:PassRole", role(name), {"iam:passedtoservice": to}) for name, to in passed]
