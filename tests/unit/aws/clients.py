# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real boto3 clients that answer what a test has told them to, and check what they are asked."""

from __future__ import annotations

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
    """A client and its stub, switched on."""
    client = _session().client(service)
    stub = Stubber(client)
    stub.activate()
    return client, stub


def at(epoch: float) -> datetime:
    """boto3's form of an instant."""
    return datetime.fromtimestamp(epoch, timezone.utc)


def service(**more: Any) -> dict[str, Any]:
    """A member of ``services`` in DescribeServices."""
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
    """A member of ``tasks`` in DescribeTasks."""
    return {
        "taskArn": f"{ECS}:task/prod/{number:032x}",
        "createdAt": at(1000.0),
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        **more,
    }
