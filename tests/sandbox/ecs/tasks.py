# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS's operations on tasks and the instances they run on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..account import Account
from ..model.scheduler import Cluster
from ..model.state import SandboxError
from ..model.tasks import Task
from ..wire import Call
from . import shapes
from .operation import INVALID, cluster_name, included, limited, operation, page, service_name, task_arn, task_shape


@operation
def list_tasks(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    asked, cluster = call.parameters, cluster_name(account, call)
    status = asked.get("desiredStatus") or "RUNNING"
    if asked.get("serviceName"):
        arns = model.list_tasks(service_name(cluster, asked["serviceName"]), status)
    else:
        arns = [arn for arn, task in model.tasks.items() if task.desired_status == status]
        arns = [arn for arn in arns if model.tasks[arn].service.cluster == cluster]
    filters: dict[str, Callable[[Task], str]] = {
        "family": lambda task: task.task_definition.rsplit("/", 1)[-1].rsplit(":", 1)[0],
        "startedBy": lambda task: task.deployment,
        "launchType": lambda task: task.service.launch_type,
        "containerInstance": lambda task: f"{task.instance if task.instance is not None else -1:032x}",
    }
    for key in filters.keys() & asked.keys():
        wanted = asked[key].rsplit("/", 1)[-1]
        arns = [arn for arn in arns if arn in model.tasks and filters[key](model.tasks[arn]) == wanted]
    arns, more = page(call, arns, most=100, default=100)
    return {"taskArns": arns, **more}


@operation
def describe_tasks(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    cluster = cluster_name(account, call)
    asked = [task_arn(model, cluster, each) for each in limited(call, "tasks", 100, "Tasks")]
    found = model.describe_tasks(asked)
    missing = set(asked) - {state.arn for state in found}
    failures = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn in missing]
    return {"tasks": [task_shape(account, call, state, included(call)) for state in found], "failures": failures}


@operation
def stop_task(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    arn = task_arn(model, cluster_name(account, call), call.parameters["task"])
    return {"task": task_shape(account, call, model.stop_task(arn, call.parameters.get("reason") or ""))}


@operation
def get_task_protection(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    cluster = cluster_name(account, call)
    if call.parameters.get("tasks"):
        asked = [task_arn(model, cluster, each) for each in limited(call, "tasks", 100, "Tasks")]
    else:
        asked = [arn for arn, task in model.tasks.items() if task.service.cluster == cluster]
    protected = model.protected(asked)
    known = {state.arn for state in model.describe_tasks(asked)}
    found = [protection(account, arn, protected.get(arn)) for arn in asked if arn in known]
    failures = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known]
    return {"protectedTasks": found, "failures": failures}


def protection(account: Account, arn: str, until: float | None) -> dict[str, Any]:
    end = account.stamp(until) if until else None
    return shapes.without_none({"taskArn": arn, "protectionEnabled": bool(until), "expirationDate": end})


@operation
def update_task_protection(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    asked, cluster = call.parameters, cluster_name(account, call)
    minutes, enabled = int(asked.get("expiresInMinutes") or 120), bool(asked["protectionEnabled"])
    if not 1 <= minutes <= 2880:
        raise SandboxError(INVALID, "expiresInMinutes must be between 1 and 2880.")
    until = model.now + 60 * minutes if enabled else None
    arns = [task_arn(model, cluster, each) for each in limited(call, "tasks", 10, "Tasks")]
    done, failures = model.update_protection(arns, until)
    return {
        "protectedTasks": [protection(account, arn, until) for arn in done],
        "failures": [{"arn": arn, "reason": reason} for arn, reason in failures.items()],
    }


@operation
def describe_container_instances(account: Account, call: Call, model: Cluster) -> dict[str, Any] | None:
    cluster = cluster_name(account, call)
    counts: dict[str, int] = {}
    for task in model.tasks.values():
        if task.instance is not None and task.service.cluster == cluster and task.last_status != "STOPPED":
            arn = shapes.instance_arn(task.arn, task.instance)
            counts[arn] = counts.get(arn, 0) + 1
    asked = limited(call, "containerInstances", 100, "Container instances")
    wanted = [f"{model.arn_prefix}:container-instance/{cluster}/{each.rsplit('/', 1)[-1]}" for each in asked]
    if not counts:
        return None  # the instances were registered with moto
    lost = {
        shapes.instance_arn(t.arn, t.instance or 0) for t in model.tasks.values() if t.stuck and t.instance is not None
    }
    found = [{**instance(arn, counts[arn]), "agentConnected": arn not in lost} for arn in wanted if arn in counts]
    return {
        "containerInstances": found,
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in counts],
    }


def instance(arn: str, running: int) -> dict[str, Any]:
    number = int(arn.rsplit("/", 1)[-1], 16)
    return {
        "containerInstanceArn": arn,
        "ec2InstanceId": f"i-{number:017x}",
        "status": "ACTIVE",
        "agentConnected": True,
        "runningTasksCount": running,
        "pendingTasksCount": 0,
        "version": 1,
        "registeredResources": [],
        "remainingResources": [],
        "attributes": [],
        "attachments": [],
        "tags": [],
    }
