# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS's operations on services, and the operations on clusters that depend on services."""

from __future__ import annotations

import math
from typing import Any

from ..account import Account
from ..model.scheduler import Cluster
from ..model.state import SandboxError
from ..wire import Call
from . import shapes
from .operation import INVALID, cluster_name, included, limited, operation, page, service_name, service_shape
from .tags import check_tags


@operation
def create_service(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    asked = dict(call.parameters)
    cluster, name = cluster_name(account, call), asked["serviceName"]
    controller = asked.get("deploymentController", {}).get("type", "ECS")
    if not asked.get("taskDefinition") and controller != "EXTERNAL":
        raise SandboxError(INVALID, "TaskDefinition can not be blank.")
    definition = account.definition(call.region, asked["taskDefinition"])
    daemon = asked.get("schedulingStrategy") == "DAEMON"
    limits = asked.get("deploymentConfiguration") or {}
    breaker = limits.get("deploymentCircuitBreaker") or {}
    strategy = asked.get("capacityProviderStrategy") or [{}]
    provider = strategy[0].get("capacityProvider")
    native = limits.get("strategy", "ROLLING")
    alternates = {
        each["targetGroupArn"]: each["advancedConfiguration"]["alternateTargetGroupArn"]
        for each in asked.get("loadBalancers") or []
        if (each.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
    }
    fargate = (provider or "").startswith("FARGATE") or asked.get("launchType") == "FARGATE"
    tags = {tag["key"]: tag.get("value", "") for tag in asked.get("tags") or []}
    check_tags(tags)
    state = model.create_service(
        name,
        cluster,
        desired=1 if daemon else int(asked.get("desiredCount") or 0),
        task_definition=definition["taskDefinitionArn"],
        health_check=has_health_check(definition),
        target_groups=[each["targetGroupArn"] for each in asked.get("loadBalancers") or [] if "targetGroupArn" in each],
        daemon=daemon,
        controller=controller,
        maximum_percent=int(limits.get("maximumPercent", 200)),
        minimum_healthy_percent=int(limits.get("minimumHealthyPercent", 100)),
        launch_type="FARGATE" if fargate else "EC2",
        capacity_provider=provider,
        network_mode=definition.get("networkMode"),
        port=next((each["containerPort"] for each in asked.get("loadBalancers") or [] if "containerPort" in each), 80),
        started=False,
        tags=tags,
        circuit_breaker=bool(breaker.get("enable")),
        rollback=bool(breaker.get("rollback")),
        strategy=native,
        alternates=alternates or None,
        bake=60 * float(limits.get("bakeTimeInMinutes") or 0) / account.speed,
        steps=[(percent, seconds / account.speed) for percent, seconds in traffic_steps(limits)],
        hooks=pause_hooks(account, limits),
        propagate_tags=asked.get("propagateTags", "NONE"),
        az_rebalancing=asked.get("availabilityZoneRebalancing", "ENABLED") == "ENABLED",  # default: API model
    )
    account.requests[state.arn] = asked
    return {"service": service_shape(account, state)}


def traffic_steps(limits: dict[str, Any]) -> list[tuple[float, float]]:
    """Return steps: percent of the production traffic, seconds until the next step (API model, with its defaults)."""
    if limits.get("strategy") == "CANARY":
        given = limits.get("canaryConfiguration") or {}
        return [(given.get("canaryPercent", 5.0), 60.0 * given.get("canaryBakeTimeInMinutes", 10))]
    if limits.get("strategy") == "LINEAR":
        given = limits.get("linearConfiguration") or {}
        percent, seconds = given.get("stepPercent", 10.0), 60.0 * given.get("stepBakeTimeInMinutes", 6)
        return [(number * percent, seconds) for number in range(1, math.ceil(100 / percent))]
    return []


def pause_hooks(account: Account, limits: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the PAUSE hooks, which last a day by default (API model). A function's hook succeeds at once (assumed)."""
    made = []
    for hook in limits.get("lifecycleHooks") or []:
        timeout = hook.get("timeoutConfiguration") or {}
        minutes, action = timeout.get("timeoutInMinutes", 1440), timeout.get("action", "ROLLBACK")
        stages = hook.get("lifecycleStages") or [] if hook.get("targetType") == "PAUSE" else []
        made += [{"stage": stage, "seconds": 60 * minutes / account.speed, "on_timeout": action} for stage in stages]
    return made


def has_health_check(definition: dict[str, Any]) -> bool:
    return any(c.get("healthCheck") and c.get("essential", True) for c in definition["containerDefinitions"])


@operation
def update_service(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    asked = dict(call.parameters)
    name = service_name(cluster_name(account, call), asked["service"])
    definition = asked.get("taskDefinition")
    if definition:
        definition = account.definition(call.region, definition)["taskDefinitionArn"]
    service, limits = model.service(name), asked.get("deploymentConfiguration") or {}
    breaker = limits.get("deploymentCircuitBreaker") or {}
    service.circuit_breaker = bool(breaker.get("enable", service.circuit_breaker))
    service.rollback = bool(breaker.get("rollback", service.rollback))
    if "availabilityZoneRebalancing" in asked:
        service.az_rebalancing = asked["availabilityZoneRebalancing"] == "ENABLED"
    service.propagate_tags = asked.get("propagateTags", service.propagate_tags)  # of tasks from now on (API model)
    state = model.update_service(name, asked.get("desiredCount"), bool(asked.get("forceNewDeployment")), definition)
    service.maximum_percent = int(limits.get("maximumPercent", service.maximum_percent))
    service.minimum_healthy_percent = int(limits.get("minimumHealthyPercent", service.minimum_healthy_percent))
    if definition:
        service.health_check = has_health_check(account.definition(call.region, definition))
    kept = account.requests.setdefault(state.arn, {})
    kept.update({key: value for key, value in asked.items() if key not in ("service", "cluster", "tags")})
    return {"service": service_shape(account, service.state())}


@operation
def delete_service(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    name = service_name(cluster_name(account, call), call.parameters["service"])
    service = model.service(name)
    if service.desired and not service.daemon and not call.parameters.get("force"):
        raise SandboxError(INVALID, "The service cannot be stopped while it is scaled above 0.")
    return {"service": service_shape(account, model.delete_service(name))}


@operation
def describe_services(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    cluster = cluster_name(account, call)
    found, failures = [], []
    for reference in limited(call, "services", 10, "Services"):
        key = service_name(cluster, reference)
        state = model.describe_service(key) if key in model.services else None
        if state:
            found.append(service_shape(account, state, included(call)))
        else:
            failures.append({"arn": f"{model.arn_prefix}:service/{key}", "reason": "MISSING"})
    return {"services": found, "failures": failures}


@operation
def list_services(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    cluster, asked = cluster_name(account, call), call.parameters
    found = [
        service.arn
        for service in model.services.values()
        if service.cluster == cluster
        and service.status != "INACTIVE"
        and asked.get("launchType") in (None, service.launch_type)
        and asked.get("schedulingStrategy") in (None, "DAEMON" if service.daemon else "REPLICA")
    ]
    arns, more = page(call, found, most=100, default=10)
    return {"serviceArns": arns, **more}


@operation
def list_service_deployments(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    state = model.service(service_name(cluster_name(account, call), call.parameters["service"])).state()
    wanted = call.parameters.get("status")
    found = [each for each in state.rollouts if not wanted or each.status in wanted]
    shown = found[: int(call.parameters.get("maxResults") or 100)]
    return {"serviceDeployments": [shapes.rollout_brief(state, each, account.stamp) for each in shown]}


@operation
def describe_service_deployments(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    asked = limited(call, "serviceDeploymentArns", 20, "Service deployments")
    found = {}
    for service in model.services.values():
        state, request = service.state(), account.requests.get(service.arn, {})
        for each in state.rollouts:
            found[shapes.rollout_arn(state, each.id)] = (state, each, request)
    return {
        "serviceDeployments": [shapes.rollout(*found[arn], account.stamp) for arn in asked if arn in found],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in found],
    }


@operation
def describe_service_revisions(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    """Describe the current revisions of services. Past revisions are MISSING (assumed to matter to nobody)."""
    asked = limited(call, "serviceRevisionArns", 20, "Service revisions")
    found = {}
    for service in model.services.values():
        state, request = service.state(), account.requests.get(service.arn, {})
        for each in state.deployments:
            found[shapes.revision_arn(state, each.id)] = (state, each, request)
    return {
        "serviceRevisions": [shapes.revision(*found[arn], account.stamp) for arn in asked if arn in found],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in found],
    }


def of_rollout(model: Cluster, arn: str) -> str:
    """Return the key of the service with the deployment ``arn`` under way."""
    for key, service in model.services.items():
        state = service.state()
        if any(shapes.rollout_arn(state, each.id) == arn and each.finished_at is None for each in state.rollouts):
            return key
    raise SandboxError("ServiceDeploymentNotFoundException", "Service deployment not found.")


@operation
def continue_service_deployment(_account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    arn = call.parameters["serviceDeploymentArn"]
    model.continue_deployment(of_rollout(model, arn), call.parameters.get("action") == "ROLLBACK")
    return {"serviceDeploymentArn": arn}


@operation
def stop_service_deployment(_account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    arn = call.parameters["serviceDeploymentArn"]
    model.roll_back(of_rollout(model, arn), "Service deployment stopped by the user.")
    return {"serviceDeploymentArn": arn}


@operation
def describe_task_sets(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    key = service_name(cluster_name(account, call), call.parameters["service"])
    state, request = model.service(key).state(), account.requests.get(model.service(key).arn, {})
    asked = call.parameters.get("taskSets") or [each.id for each in state.task_sets]
    found = [each for each in state.task_sets if any(name.endswith(each.id) for name in asked)]
    missing = [name for name in asked if not any(name.endswith(each.id) for each in state.task_sets)]
    return {
        "taskSets": [shapes.task_set(state, each, request, account.stamp) for each in found],
        "failures": [{"arn": name, "reason": "MISSING"} for name in missing],
    }


@operation
def create_task_set(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    asked = call.parameters
    key = service_name(cluster_name(account, call), asked["service"])
    if model.service(key).controller != "EXTERNAL":
        raise SandboxError(
            INVALID, "Task sets can only be created for services with an EXTERNAL deployment controller."
        )
    made = model.external_task_set(
        key,
        account.definition(call.region, asked["taskDefinition"])["taskDefinitionArn"],
        float((asked.get("scale") or {}).get("value", 0.0)),
        external_id=asked.get("externalId", ""),
        target_groups=[each["targetGroupArn"] for each in asked.get("loadBalancers") or []],
    )
    return {"taskSet": shape_of_task_set(account, model, key, made)}


def shape_of_task_set(account: Account, model: Cluster, key: str, name: str) -> dict[str, Any]:
    state = model.service(key).state()
    found = next((each for each in state.task_sets if name.endswith(each.id)), None)
    if found is None:
        raise SandboxError("TaskSetNotFoundException", "The specified task set wasn't found.")
    return shapes.task_set(state, found, account.requests.get(state.arn, {}), account.stamp)


@operation
def update_task_set(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    key, name = service_name(cluster_name(account, call), call.parameters["service"]), call.parameters["taskSet"]
    shape_of_task_set(account, model, key, name)
    model.scale_task_set(key, float(call.parameters["scale"]["value"]), name)
    return {"taskSet": shape_of_task_set(account, model, key, name)}


@operation
def update_service_primary_task_set(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    key, name = service_name(cluster_name(account, call), call.parameters["service"]), call.parameters["primaryTaskSet"]
    shape_of_task_set(account, model, key, name)
    model.make_primary(key, name)
    return {"taskSet": shape_of_task_set(account, model, key, name)}


@operation
def delete_task_set(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    key, name = service_name(cluster_name(account, call), call.parameters["service"]), call.parameters["taskSet"]
    shape_of_task_set(account, model, key, name)
    model.drain_task_set(key, name)
    return {"taskSet": shape_of_task_set(account, model, key, name)}


@operation
def describe_clusters(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    """Return moto's answer with the counts of the model."""
    answer: dict[str, Any] = account.ask_moto("ecs", call.region, "DescribeClusters", dict(call.parameters))
    for cluster in answer["clusters"]:
        services = [s for s in model.services.values() if s.cluster == cluster["clusterName"] and s.status == "ACTIVE"]
        cluster["activeServicesCount"] = len(services)
        cluster["runningTasksCount"] = sum(service.running for service in services)
        cluster["pendingTasksCount"] = sum(service.pending for service in services)
    return answer


@operation
def delete_cluster(account: Account, call: Call, model: Cluster) -> None:
    name = cluster_name(account, call)
    if any(s.cluster == name and s.status != "INACTIVE" for s in model.services.values()):
        text = "The Cluster cannot be deleted while Services are active."
        raise SandboxError("ClusterContainsServicesException", text)
    account.known.discard((call.region, name))
