# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert states of the model to the JSON of ECS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..model.state import DeploymentState, RolloutState, ServiceState, TaskSetState, TaskState

Stamp = Callable[[float | None], Any]  # converts an instant to a number or a text


# Status of a task -> status of its containers, where that is not PENDING.
CONTAINERS = {
    "RUNNING": "RUNNING",
    "DEACTIVATING": "RUNNING",
    "STOPPING": "RUNNING",
    "DEPROVISIONING": "STOPPED",
    "STOPPED": "STOPPED",
}


def without_none(shape: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if value is not None}


def cluster_arn(arn: str, cluster: str) -> str:
    return f"{':'.join(arn.split(':')[:5])}:cluster/{cluster}"


def tags(pairs: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


def placement(state: ServiceState, request: dict[str, Any]) -> dict[str, Any]:
    """Return the launch type or the capacity providers with which the service was created."""
    if strategy := request.get("capacityProviderStrategy"):
        return {"capacityProviderStrategy": strategy}
    if state.capacity_provider:
        return {"capacityProviderStrategy": [{"capacityProvider": state.capacity_provider, "weight": 1, "base": 0}]}
    return {"launchType": state.launch_type}


def service(state: ServiceState, request: dict[str, Any], stamp: Stamp, with_tags: bool) -> dict[str, Any]:
    """Return a member of ``services``. ``request``: CreateService's parameters, for what the model does not know."""
    first = request.get("containers", [{}])[0].get("name", "app")
    balancers = load_balancers(state, request, first)
    launched = placement(state, request)
    deployments = [
        without_none({
            "id": each.id,
            "status": each.status,
            "taskDefinition": each.task_definition,
            "desiredCount": each.desired,
            "pendingCount": each.pending,
            "runningCount": each.running,
            "failedTasks": each.failed,
            "createdAt": stamp(each.created_at),
            "updatedAt": stamp(each.created_at),
            "rolloutState": each.rollout_state or None,
            "rolloutStateReason": rollout_reason(each),
            "vpcLatticeConfigurations": lattice(state, request),
            **launched,
        })
        for each in state.deployments
    ]  # fmt: skip
    under_way = [each for each in state.rollouts[:1] if each.finished_at is None]
    shape = {
        "serviceArn": state.arn,
        "serviceName": state.name,
        "clusterArn": cluster_arn(state.arn, state.cluster),
        "loadBalancers": balancers,
        "serviceRegistries": request.get("serviceRegistries", []),
        "status": state.status,
        "desiredCount": state.desired,
        "runningCount": state.running,
        "pendingCount": state.pending,
        **launched,
        "taskDefinition": state.task_definition,
        "deploymentConfiguration": deployment_configuration(state, request),
        "deployments": deployments,
        "currentServiceDeployment": rollout_arn(state, under_way[0].id) if under_way else None,
        "currentServiceRevisions": [
            {
                "arn": revision_arn(state, each.id),
                "requestedTaskCount": each.desired,
                "runningTaskCount": each.running,
                "pendingTaskCount": each.pending,
            }
            for each in state.deployments
        ]
        or None,
        "events": [{"id": e.id, "createdAt": stamp(e.created_at), "message": e.message} for e in state.events],
        "createdAt": stamp(state.created_at),
        "createdBy": f"arn:aws:iam::{state.arn.split(':')[4]}:role/sandbox",
        "placementConstraints": request.get("placementConstraints", []),
        "placementStrategy": request.get("placementStrategy", []),
        "networkConfiguration": request.get("networkConfiguration"),
        "healthCheckGracePeriodSeconds": request.get("healthCheckGracePeriodSeconds"),
        "schedulingStrategy": state.scheduling,
        "deploymentController": {"type": state.controller},
        "enableECSManagedTags": request.get("enableECSManagedTags", False),
        "propagateTags": state.propagate_tags,
        "enableExecuteCommand": request.get("enableExecuteCommand", False),
        "availabilityZoneRebalancing": "ENABLED" if state.az_rebalancing else "DISABLED",
        "roleArn": request.get("role"),
        "tags": tags(dict(state.tags)) if with_tags else None,
        "taskSets": [task_set(state, each, request, stamp) for each in state.task_sets] or None,
    }
    return without_none(shape)


def rollout_reason(each: DeploymentState) -> str | None:
    """Return the reason in the wording of captured answers of ECS, or None."""
    if not each.rollout_state:
        return None
    return each.reason or f"ECS deployment {each.id} {each.rollout_state.lower().replace('_', ' ')}."


def load_balancers(state: ServiceState, request: dict[str, Any], container: str) -> list[dict[str, Any]]:
    """Return the load balancers given to CreateService; if deployments swap target groups, with those in use now."""
    given = request.get("loadBalancers")
    if state.controller == "ECS" and state.strategy == "ROLLING":
        classic = [
            {"loadBalancerName": name, "containerName": container, "containerPort": state.port}
            for name in state.classic
        ]
        return given or [*balancers_of(state.target_groups, container, state.port), *classic]
    known = {each.get("targetGroupArn"): each for each in given or []}
    made = []
    for group in state.target_groups:
        other = state.alternates.get(group)
        entry = known.get(group) or known.get(other) or balancers_of((group,), container, state.port)[0]
        entry = {**entry, "targetGroupArn": group}
        if state.controller == "ECS" and other:
            entry["advancedConfiguration"] = {
                "productionListenerRule": f"{state.arn.rsplit(':', 1)[0].replace(':ecs:', ':elasticloadbalancing:')}"
                ":listener-rule/app/web/0123456789abcdef/0123456789abcdef/0123456789abcdef",
                "roleArn": f"arn:aws:iam::{state.arn.split(':')[4]}:role/ecsInfrastructureRole",
                **entry.get("advancedConfiguration", {}),
                "alternateTargetGroupArn": other,
            }
        made.append(entry)
    return made


def balancers_of(groups: Iterable[str], container: str, port: int) -> list[dict[str, Any]]:
    return [{"targetGroupArn": group, "containerName": container, "containerPort": port} for group in groups]


def lattice(state: ServiceState, request: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the VPC Lattice part of a deployment or revision (API model; the service itself does not have it)."""
    role = f"arn:aws:iam::{state.arn.split(':')[4]}:role/ecsInfrastructureRole"
    named = [{"roleArn": role, "targetGroupArn": group, "portName": "app"} for group in state.lattice]
    return request.get("vpcLatticeConfigurations") or named or None


def deployment_configuration(state: ServiceState, request: dict[str, Any]) -> dict[str, Any]:
    shape = {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        **request.get("deploymentConfiguration", {}),
        "maximumPercent": state.maximum_percent,
        "minimumHealthyPercent": state.minimum_healthy_percent,
    }
    if state.controller != "ECS":
        return shape
    shape["strategy"] = state.strategy
    shape.setdefault("bakeTimeInMinutes", 0)
    if state.hooks and "lifecycleHooks" not in shape:
        shape["lifecycleHooks"] = [{"targetType": "PAUSE", "lifecycleStages": [hook.stage]} for hook in state.hooks]
    return shape


def rollout_arn(state: ServiceState, identity: str) -> str:
    return f"{state.arn.replace(':service/', ':service-deployment/')}/{identity}"


def revision_arn(state: ServiceState, deployment: str) -> str:
    return f"{state.arn.replace(':service/', ':service-revision/')}/{deployment.rsplit('/', 1)[-1]}"


def rollout_brief(state: ServiceState, each: RolloutState, stamp: Stamp) -> dict[str, Any]:
    """Return a member of ListServiceDeployments."""
    return without_none({
        "serviceDeploymentArn": rollout_arn(state, each.id),
        "serviceArn": state.arn,
        "clusterArn": cluster_arn(state.arn, state.cluster),
        "createdAt": stamp(each.created_at),
        "startedAt": stamp(each.created_at),
        "finishedAt": stamp(each.finished_at),
        "targetServiceRevisionArn": revision_arn(state, each.target),
        "status": each.status,
        "statusReason": each.reason or None,
    })  # fmt: skip


def rollout(state: ServiceState, each: RolloutState, request: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
    """Return a member of DescribeServiceDeployments."""
    known = {found.id: found for found in state.deployments}
    native, brief = state.strategy != "ROLLING", rollout_brief(state, each, stamp)
    brief.pop("targetServiceRevisionArn")

    def revision(deployment: str, weight: float) -> dict[str, Any]:
        found = known.get(deployment)
        return without_none({
            "arn": revision_arn(state, deployment),
            "requestedTaskCount": found.desired if found else 0,
            "runningTaskCount": found.running if found else 0,
            "pendingTaskCount": found.pending if found else 0,
            "requestedProductionTrafficWeight": weight if native else None,
        })  # fmt: skip

    rollback = {
        "reason": each.rollback_reason,
        "startedAt": stamp(each.rollback_at),
        "serviceRevisionArn": revision_arn(state, each.rollback),
    }
    hook = each.hook and {
        "hookId": each.hook.id,
        "targetType": "PAUSE",
        "status": "AWAITING_ACTION",
        "expiresAt": stamp(each.hook.expires_at),
        "timeoutAction": each.hook.on_timeout,
    }
    breaker = deployment_configuration(state, request)["deploymentCircuitBreaker"]
    return without_none({
        **brief,
        "updatedAt": stamp(each.finished_at or each.created_at),
        "stoppedAt": stamp(each.finished_at) if each.status == "STOPPED" else None,
        "sourceServiceRevisions": [revision(source, 100.0 - each.weight) for source in each.sources],
        "targetServiceRevision": revision(each.target, each.weight),
        "lifecycleStage": each.stage or None,
        "lifecycleHookDetails": [hook] if hook else None,
        "deploymentConfiguration": deployment_configuration(state, request),
        "rollback": rollback if each.rollback else None,
        "deploymentCircuitBreaker": {
            "status": "MONITORING" if breaker.get("enable") else "DISABLED",
            "failureCount": each.failed,
            "threshold": 3,
        },
    })  # fmt: skip


def revision(state: ServiceState, each: DeploymentState, request: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
    """Return a member of DescribeServiceRevisions: what a revision was given, and the target groups it really uses."""
    first = request.get("containers", [{}])[0].get("name", "app")
    resolved = [
        without_none({
            "targetGroupArn": group,
            "productionListenerRule": balancer.get("advancedConfiguration", {}).get("productionListenerRule"),
        })
        for group, balancer in zip(each.target_groups, load_balancers(state, request, first), strict=False)
    ]  # fmt: skip
    return without_none({
        "serviceRevisionArn": revision_arn(state, each.id),
        "serviceArn": state.arn,
        "clusterArn": cluster_arn(state.arn, state.cluster),
        "taskDefinition": each.task_definition,
        **placement(state, request),
        "loadBalancers": load_balancers(state, request, first),
        "networkConfiguration": request.get("networkConfiguration"),
        "createdAt": stamp(each.created_at),
        "vpcLatticeConfigurations": lattice(state, request),
        "resolvedConfiguration": {"loadBalancers": resolved},
    })  # fmt: skip


def task_set(state: ServiceState, each: TaskSetState, request: dict[str, Any], stamp: Stamp) -> dict[str, Any]:
    """Return a member of ``taskSets``. Its ARN ends with ``ecs-svc/<number>`` (examples of the AWS CLI)."""
    first = request.get("containers", [{}])[0].get("name", "app")
    known = {entry.get("targetGroupArn"): entry for entry in load_balancers(state, request, first)}
    balancers = [
        {**(known.get(group) or known.get(state.alternates.get(group)) or balancers_of((group,), first, state.port)[0])}
        | {"targetGroupArn": group}
        for group in each.target_groups
    ]
    return without_none({
        "id": each.id,
        "taskSetArn": f"{state.arn.replace(':service/', ':task-set/')}/{each.id}",
        "serviceArn": state.arn,
        "clusterArn": cluster_arn(state.arn, state.cluster),
        "startedBy": each.started_by or None,
        "externalId": each.external_id or None,
        "status": each.status,
        "taskDefinition": each.task_definition,
        "computedDesiredCount": each.desired,
        "pendingCount": each.pending,
        "runningCount": each.running,
        "createdAt": stamp(each.created_at),
        "updatedAt": stamp(each.created_at),
        **placement(state, request),
        "networkConfiguration": request.get("networkConfiguration"),
        "loadBalancers": balancers,
        "serviceRegistries": [],
        "scale": {"value": each.scale, "unit": "PERCENT"},
        "stabilityStatus": each.stability,
        "stabilityStatusAt": stamp(each.created_at),
        "tags": [],
    })  # fmt: skip


def task(
    state: TaskState,
    definition: dict[str, Any],
    stamp: Stamp,
    request: Mapping[str, Any] | None = None,
    with_tags: bool = True,
) -> dict[str, Any]:
    """Return a member of ``tasks``. ``request``: the parameters of RunTask or StartTask."""
    request = request or {}
    identity = state.arn.rsplit("/", 1)[-1]
    mode = definition.get("networkMode", "awsvpc")
    on_network = mode == "awsvpc"
    attachment = f"{identity[:8]}-{identity[8:12]}-{identity[12:16]}-{identity[16:20]}-{identity[20:]}"
    failed, overridden = state.stop_code == "TaskFailedToStart", request.get("overrides") or {}
    shape = {
        "taskArn": state.arn,
        "clusterArn": cluster_arn(state.arn, state.cluster),
        "taskDefinitionArn": state.task_definition,
        "availabilityZone": state.zone,
        "attachments": [interface(state, attachment, identity, request)] if on_network else [],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "capacityProviderName": state.capacity_provider,
        "connectivity": ("CONNECTED" if state.connected else "DISCONNECTED") if state.started_at else None,
        "connectivityAt": stamp(state.started_at),
        "containerInstanceArn": None if state.instance is None else instance_arn(state.arn, state.instance),
        "containers": [container(state, each, attachment, mode) for each in definition["containerDefinitions"]],
        "cpu": overridden.get("cpu") or definition.get("cpu", "256"),
        "memory": overridden.get("memory") or definition.get("memory", "512"),
        "createdAt": stamp(state.created_at),
        "desiredStatus": state.desired_status,
        "enableExecuteCommand": bool(request.get("enableExecuteCommand")),
        "executionStoppedAt": None if failed else stamp(state.stopped_at),
        "group": group(state, definition, request),
        "healthStatus": state.health,
        "lastStatus": state.last_status,
        "launchType": state.launch_type,
        "overrides": overrides(definition, overridden),
        "platformVersion": "1.4.0" if state.launch_type == "FARGATE" else None,
        "platformFamily": "Linux" if state.launch_type == "FARGATE" else None,
        "pullStartedAt": stamp(part_of_launch(state, 0.5)),
        "pullStoppedAt": stamp(part_of_launch(state, 0.8)),
        "startedAt": stamp(state.started_at),
        "startedBy": state.deployment or None,
        "stopCode": state.stop_code,
        "stoppedAt": stamp(state.stopped_at),
        "stoppedReason": state.stopped_reason,
        "stoppingAt": stamp(state.stopping_at),
        "tags": tags(dict(state.tags)) if with_tags else [],
        "version": state.version,
    }
    return without_none(shape)


def group(state: TaskState, definition: dict[str, Any], request: Mapping[str, Any]) -> str:
    if state.service:
        return f"service:{state.service}"
    return str(request.get("group") or f"family:{definition.get('family', 'task')}")


def overrides(definition: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides. They name every container, even one without overrides."""
    by_name = {each["name"]: each for each in given.get("containerOverrides") or []}
    containers = [by_name.get(each["name"], {"name": each["name"]}) for each in definition["containerDefinitions"]]
    return {"inferenceAcceleratorOverrides": [], **given, "containerOverrides": containers}


def part_of_launch(state: TaskState, share: float) -> float | None:
    return state.started_at and state.created_at + share * (state.started_at - state.created_at)


def interface(state: TaskState, attachment: str, identity: str, request: Mapping[str, Any]) -> dict[str, Any]:
    subnets = request.get("networkConfiguration", {}).get("awsvpcConfiguration", {}).get("subnets")
    details = {
        "subnetId": subnets[0] if subnets else "subnet-0123456789abcdef0",
        "networkInterfaceId": f"eni-{identity[:17]}",
        "macAddress": ":".join(("02", *(identity[i : i + 2] for i in range(0, 10, 2)))),
        "privateIPv4Address": state.address,
        "ipv6Address": state.ipv6,  # this name is assumed; that of containers' networkInterfaces is in the API model
    }
    return {
        "id": attachment,
        "type": "ElasticNetworkInterface",
        "status": "DELETED" if state.last_status == "STOPPED" else "ATTACHED",
        "details": [{"name": name, "value": value} for name, value in details.items() if value],
    }


def container(state: TaskState, definition: dict[str, Any], attachment: str, mode: str) -> dict[str, Any]:
    ports = definition.get("portMappings", [])
    bindings = [
        {
            "bindIP": "0.0.0.0",
            "containerPort": port.get("containerPort", 80),
            "hostPort": port.get("hostPort") or state.port,
            "protocol": port.get("protocol", "tcp"),
        }
        for port in ports
    ]
    identity = state.arn.rsplit("/", 1)[-1]
    end = state.containers.get(definition["name"], {})
    status = CONTAINERS.get(state.last_status, "PENDING")
    pulled = state.stopped_reason if (state.stopped_reason or "").startswith("CannotPull") else None
    own = {"privateIpv4Address": state.address} if state.address else {}
    networks = [{"attachmentId": attachment, **own, **({"ipv6Address": state.ipv6} if state.ipv6 else {})}]
    return without_none({
        "containerArn": f"{state.arn.replace(':task/', ':container/')}/{identity[:8]}",
        "taskArn": state.arn,
        "name": definition["name"],
        "image": definition.get("image", ""),
        "imageDigest": definition.get("imageDigest") if state.started_at else None,
        "runtimeId": f"{identity}-{identity[:10]}",
        "lastStatus": status,
        "exitCode": end.get("exit_code", state.exit_code) if status == "STOPPED" else None,
        "reason": end.get("reason", state.reason or pulled) if status == "STOPPED" else None,
        # The agent reports no bindings in the network modes awsvpc and host (aws/amazon-ecs-agent#3479). In the mode
        # host, host ports are container ports (#185).
        "networkBindings": [] if mode != "bridge" or state.started_at is None else bindings,
        "networkInterfaces": networks if mode == "awsvpc" else [],
        "healthStatus": state.health if definition.get("healthCheck") else "UNKNOWN",
        "cpu": str(definition.get("cpu", 0)),
        "memory": str(definition["memory"]) if definition.get("memory") else None,
    })  # fmt: skip


def instance_arn(task_arn: str, number: int) -> str:
    prefix, cluster = task_arn.split(":task/", maxsplit=1)[0], task_arn.split("/")[1]
    return f"{prefix}:container-instance/{cluster}/{number:032x}"
