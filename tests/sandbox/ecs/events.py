# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publish changes in the model as ECS publishes them on the default event bus."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from moto.events.models import events_backends

from ..events.bus import publish
from ..model.state import Occurrence, SandboxError, TaskState
from . import shapes

if TYPE_CHECKING:
    from ..account import Account

TYPES = {
    "SERVICE_STEADY_STATE": "INFO",
    "SERVICE_DEPLOYMENT_IN_PROGRESS": "INFO",
    "SERVICE_DEPLOYMENT_COMPLETED": "INFO",
    "SERVICE_TASK_START_IMPAIRED": "WARN",
    "SERVICE_TASK_PLACEMENT_FAILURE": "ERROR",
    "SERVICE_DEPLOYMENT_FAILED": "ERROR",
}
# Members that DescribeTasks returns and events omit.
NOT_IN_EVENTS = ("tags", "healthStatus")


def listened_to(account: Account, region: str) -> bool:
    """Return whether to emit events of AWS services: the default bus has a rule, or the setting `events` is on."""
    return account.emit or bool(events_backends[account.number][region].event_buses["default"].rules)


def envelope(
    account: Account, region: str, source: str, kind: str, instant: float, resources: list[str], detail: dict[str, Any]
) -> dict[str, Any]:
    """Wrap ``detail`` in an event's envelope. ``instant`` is on this machine's clock, the event's time on AWS's."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": account.number,
        "time": datetime.fromtimestamp(instant + account.clock_offset, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def iso(account: Account, instant: float | None) -> str | None:
    """Format an instant with milliseconds but without trailing zeros, as Java does."""
    stamp = account.stamp(instant)
    if stamp is None:
        return None
    text = datetime.fromtimestamp(stamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return text.rstrip("0").rstrip(".") + "Z"


def task_changed(account: Account, region: str, state: TaskState) -> None:
    """Publish an event for a task whose status changed, and call its waiters if it is STOPPED."""
    if state.last_status == "STOPPED":
        for waiter in account.waiters.pop(state.arn, []):
            account.agenda.at(0.0, waiter)
    if not listened_to(account, region):
        return
    try:
        definition = account.definition(region, state.task_definition)
    except SandboxError:  # the definition has been deleted
        definition = {"containerDefinitions": []}
    detail = task_detail(account, state, definition)
    instant = state.updated_at or state.created_at
    kind = "ECS Task State Change"
    publish(account, region, envelope(account, region, "aws.ecs", kind, instant, [state.arn], detail))


def task_detail(account: Account, state: TaskState, definition: dict[str, Any]) -> dict[str, Any]:
    request = account.task_requests.get(state.arn, {})
    shape = shapes.task(state, definition, lambda instant: iso(account, instant), request)
    detail = {key: value for key, value in shape.items() if key not in NOT_IN_EVENTS}
    detail["attachments"] = [{**each, "type": "eni"} for each in shape["attachments"]]
    detail["containers"] = [
        {key: value for key, value in each.items() if key not in NOT_IN_EVENTS} for each in shape["containers"]
    ]
    detail["overrides"] = {
        key: value for key, value in shape["overrides"].items() if key != "inferenceAcceleratorOverrides"
    }
    if state.launch_type == "FARGATE":
        detail["ephemeralStorage"] = (request.get("overrides") or {}).get("ephemeralStorage") or {"sizeInGiB": 20}
    detail["updatedAt"] = iso(account, state.updated_at)
    return detail


def occurred(account: Account, region: str, told: Occurrence) -> None:
    """Publish an event for something that happened to a service or to one of its deployments."""
    if not listened_to(account, region):
        return
    detail: dict[str, Any] = {"eventType": TYPES[told.name], "eventName": told.name}
    if told.deployment:
        kind = "ECS Deployment State Change"
        detail.update(deploymentId=told.deployment, updatedAt=iso(account, told.time), reason=told.reason)
    else:
        kind = "ECS Service Action"
        detail["clusterArn"] = shapes.cluster_arn(told.service, told.cluster)
        if told.reason:
            detail["reason"] = told.reason
        detail["createdAt"] = iso(account, told.time)
    publish(account, region, envelope(account, region, "aws.ecs", kind, told.time, [told.service], detail))
