# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Stopped tasks: why they stopped, and the call that starts a task like them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ecs.refused_launch import NO_INSTANCE
from .classify import TRANSIENT, of_start
from .model import StoppedTask
from .overrides import filled, oddity
from .rules import exit_codes


def infrastructure(task: StoppedTask) -> str:
    """Return the kind in ``stopped_tasks`` if the infrastructure stopped the task, not the job; else an empty text."""
    spot = "spot" in task.reason.lower()
    if task.stop_code == "SpotInterruption" or (task.stop_code == "TerminationNotice" and spot):
        return "spot"
    if task.stop_code in ("TerminationNotice", "InfrastructureHealth"):
        return "host_loss"
    if _never_ran(task) and any(of_start(words) == TRANSIENT for words in task.reasons):
        return "failed_to_start"
    return ""


def no_instance(task: StoppedTask) -> str:
    """Return the class of the refusal if the task stopped because Managed Instances had no room; else an empty text.

    Managed Instances accept a task before they have an instance, so this is how they refuse a launch.
    """
    return of_start(task.reason) if _never_ran(task) and NO_INSTANCE in task.reason else ""


def _never_ran(task: StoppedTask) -> bool:
    """Return whether no container ran. A task can "fail to start" after its main container ran, if a sidecar cannot."""
    return task.stop_code == "TaskFailedToStart" and not any(end.code is not None for end in task.exits)


def ended_well(task: StoppedTask) -> bool:
    """Return whether the task ended by itself and all its containers, except those that AWS added, exited with 0.

    A task that was told to end and then exited with 0 has most likely not done its job.
    """
    return (
        task.stop_code == "EssentialContainerExited"
        and exit_codes(task) == {0}
        and not any(end.code is None for end in task.exits)
    )


def request_for(task: StoppedTask, template: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the RunTask parameters for a task like this one, and why they are incomplete, or an empty text.

    An event does not contain the security groups, tags, volumes and placement of a task, so ``template`` must provide
    them. What the event does contain comes from the event, except that the template's launch type or strategy wins.
    """
    detail = task.detail
    request = dict(template)
    for parameter, field in (
        ("cluster", "clusterArn"),
        ("taskDefinition", "taskDefinitionArn"),
        ("group", "group"),
        ("startedBy", "startedBy"),
        ("platformVersion", "platformVersion"),
        ("enableExecuteCommand", "enableExecuteCommand"),
    ):
        if detail.get(field) is not None:
            request[parameter] = detail[field]
    request["count"] = 1
    overrides = _overrides(detail.get("overrides"))
    if oddity(overrides):
        overrides = filled(overrides, template.get("overrides"), environment=False)
    if overrides:
        request["overrides"] = overrides
    else:
        request.pop("overrides", None)  # the template's overrides only replace values that an event hides
    if "capacityProviderStrategy" not in request and "launchType" not in request:
        if detail.get("capacityProviderName"):
            request["capacityProviderStrategy"] = [{"capacityProvider": detail["capacityProviderName"], "weight": 1}]
        elif detail.get("launchType"):
            request["launchType"] = detail["launchType"]
    attachments = detail.get("attachments") or []
    own_network = any(isinstance(each, Mapping) and "eni" in str(each.get("type")).lower() for each in attachments)
    fargate = detail.get("launchType") == "FARGATE"
    if (own_network or fargate) and "networkConfiguration" not in request:
        return request, "the event has no security groups, and the launch template has no networkConfiguration"
    return request, ""


def _overrides(overrides: Any) -> Any:
    """Return the overrides of the call without the empty ones that ECS adds."""
    if not isinstance(overrides, Mapping):
        return overrides or {}
    containers = overrides.get("containerOverrides") or []
    if isinstance(containers, list):
        containers = [each for each in containers if not isinstance(each, Mapping) or each.keys() - {"name"}]
    others = {
        key: value for key, value in overrides.items() if key != "containerOverrides" and value not in (None, [], {})
    }
    return {**others, **({"containerOverrides": containers} if containers else {})}
