# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ECS's operations on services, and on clusters as far as services matter to them."""

from __future__ import annotations

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
        started=False,
        tags=tags,
        circuit_breaker=bool(breaker.get("enable")),
        rollback=bool(breaker.get("rollback")),
    )
    account.requests[state.arn] = asked
    return {"service": service_shape(account, state)}


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
    service = model.service(service_name(cluster_name(account, call), call.parameters["service"]))
    wanted = call.parameters.get("status")
    found = []
    for each in service.deployments if service.controller == "ECS" else ():
        status = "IN_PROGRESS" if each.rollout_state == "IN_PROGRESS" else "SUCCESSFUL"
        shape = {
            "serviceDeploymentArn": f"{service.arn.replace(':service/', ':service-deployment/')}/{each.id[8:]}",
            "serviceArn": service.arn,
            "clusterArn": shapes.cluster_arn(service.arn, service.cluster),
            "createdAt": account.stamp(each.created_at),
            "startedAt": account.stamp(each.created_at),
            "targetServiceRevisionArn": f"{service.arn.replace(':service/', ':service-revision/')}/{each.id[8:]}",
            "status": status,
        }
        if not wanted or status in wanted:
            found.append(shape)
    return {"serviceDeployments": found}


@operation
def describe_clusters(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    """Moto's answer with the numbers of the model."""
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
