# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real boto3 clients that return the answers set by a test, and check their requests."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import boto3
from botocore.stub import Stubber

ECS = "arn:aws:ecs:eu-central-1:111122223333"
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web/0123"
GROUP_2 = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/web2/4567"


@lru_cache
def _session() -> boto3.session.Session:
    return boto3.session.Session("testing", "testing", region_name="eu-central-1")


def stubbed(service: str) -> tuple[Any, Stubber]:
    """Return a client and its activated stub."""
    client = _session().client(service)
    stub = Stubber(client)
    stub.activate()
    return client, stub


class Clients:
    """Stubbed clients by the name of the service, created on demand: ``clients("ecs")``."""

    def __init__(self):
        self.made: dict[str, tuple[Any, Stubber]] = {}

    def __call__(self, service: str) -> Any:
        return self._both(service)[0]

    def __getitem__(self, service: str) -> Stubber:
        return self._both(service)[1]

    def _both(self, service: str) -> tuple[Any, Stubber]:
        if service not in self.made:
            self.made[service] = stubbed(service)
        return self.made[service]

    def expect(self, *calls: tuple[str, dict[str, Any] | None, dict[str, Any] | str]) -> None:
        """Expect these calls in turn: "service.operation", request (None: any), and answer or "Code: message"."""
        for call, request, answer in calls:
            service, _dot, operation = call.partition(".")
            if isinstance(answer, str):
                code, _colon, message = answer.partition(": ")
                self[service].add_client_error(operation, code, message, expected_params=request)
            else:
                self[service].add_response(operation, answer, request)

    def assert_all_asked(self) -> None:
        for _client, stub in self.made.values():
            stub.assert_no_pending_responses()


def ended(steps: Generator[Any, None, Any]) -> tuple[list[str], list[float], Any]:
    """Run the steps to their end. Return what was done, the pauses, and the result."""
    done, pauses = [], []
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return done, pauses, end.value
        (done if isinstance(step, str) else pauses).append(step)


def at(epoch: float) -> datetime:
    """Return an instant as boto3 represents it."""
    return datetime.fromtimestamp(epoch, timezone.utc)


def service(**more: Any) -> dict[str, Any]:
    """Return a member of ``services`` in DescribeServices."""
    return {
        "serviceArn": f"{ECS}:service/prod/web",
        "serviceName": "web",
        "clusterArn": f"{ECS}:cluster/prod",
        "status": "ACTIVE",
        "desiredCount": 3,
        "runningCount": 3,
        "pendingCount": 0,
        "taskDefinition": f"{ECS}:task-definition/web:7",
        **more,
    }


def task(number: int = 1, **more: Any) -> dict[str, Any]:
    """Return a member of ``tasks`` in DescribeTasks."""
    return {
        "taskArn": f"{ECS}:task/prod/{number:032x}",
        "createdAt": at(1000.0),
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        **more,
    }
