# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Convert boto3's services and tasks into values of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.recycle.model import Deployment, Event, Hold, Service, Task
from ..._core.recycle.record import OUR_TAGS


@dataclass(frozen=True)
class Balancer:
    """One entry of a service's load balancers: the container and port, and the target group they are registered in.

    In a blue/green service each deployment switches from ``group`` to ``alternate`` or back.
    """

    group: str  # ARN of a target group, also of VPC Lattice, or name of a Classic Load Balancer
    container: str
    port: int
    alternate: str | None = None
    port_name: str = ""  # VPC Lattice, ECS Gateway: name of a port mapping, which has container and port

    @property
    def classic(self) -> bool:
        return not self.group.startswith("arn:")


@dataclass(frozen=True)
class DescribedService:
    """A service, with facts that only this layer uses."""

    service: Service
    balancers: tuple[Balancer, ...] = ()
    service_revision: str | None = None  # ARN of the running one, if ECS returns it
    service_deployment: str | None = None  # ARN of the newest one of a blue/green, linear or canary service
    managed: bool = False  # an Express service: ECS makes its load balancer


def instant(moment: Any) -> float | None:
    """Convert boto3's date to epoch seconds."""
    return None if moment is None else moment.timestamp()


def described_service(answer: Mapping[str, Any]) -> DescribedService:
    """Convert a member of ``services`` in DescribeServices."""
    # With the controllers CODE_DEPLOY and EXTERNAL, tasks belong to a task set, and the revision and load
    # balancers in the service itself are missing or outdated.
    task_sets = [found for found in answer.get("taskSets", []) if found.get("status") != "DRAINING"]
    holder = min(task_sets, key=lambda found: found.get("status") != "PRIMARY", default=answer)
    entries = holder.get("loadBalancers") or answer.get("loadBalancers", [])
    balancers = tuple(
        Balancer(
            group=entry.get("targetGroupArn") or entry["loadBalancerName"],
            container=entry.get("containerName", ""),
            port=entry.get("containerPort", 0),
            alternate=entry.get("advancedConfiguration", {}).get("alternateTargetGroupArn"),
        )
        for entry in entries
        if entry.get("targetGroupArn") or entry.get("loadBalancerName")
    )
    configuration = answer.get("deploymentConfiguration", {})
    # For rolling deployments, DescribeServices returns everything that is needed.
    in_stages = configuration.get("strategy", "ROLLING") != "ROLLING"
    deployments = sorted(task_sets or answer.get("deployments", []), key=lambda found: found.get("status") != "PRIMARY")
    if not task_sets and deployments:
        balancers += of_lattice(deployments[0].get("vpcLatticeConfigurations", []))
    events = sorted(answer.get("events", []), key=lambda found: found["createdAt"], reverse=True)
    revisions = answer.get("currentServiceRevisions", [])
    service = Service(
        arn=answer["serviceArn"],
        cluster=answer["clusterArn"].rpartition("/")[2],
        name=answer["serviceName"],
        status=answer["status"],
        desired=answer["desiredCount"],
        running=answer["runningCount"],
        pending=answer["pendingCount"],
        revision=holder.get("taskDefinition") or answer.get("taskDefinition", ""),
        daemon=answer.get("schedulingStrategy") == "DAEMON",
        computed=_computed(holder) if task_sets else None,
        controller=answer.get("deploymentController", {}).get("type", "ECS"),
        deployments=tuple(
            Deployment(
                found.get("id", ""),
                found.get("status", ""),
                found.get("rolloutState", ""),
                instant(found.get("createdAt")) or 0.0,
            )
            for found in deployments
        ),
        revisions=max(1, len(revisions)),
        maximum_percent=configuration.get("maximumPercent", 200),
        capacity_providers=tuple(
            found["capacityProvider"]
            for found in holder.get("capacityProviderStrategy") or answer.get("capacityProviderStrategy") or ()
        ),
        target_groups=groups_of(balancers),
        tags={tag["key"]: tag.get("value", "") for tag in answer.get("tags", [])},
        propagates_tags=answer.get("propagateTags") == "SERVICE",
        events=tuple(
            Event(found.get("id", ""), found["createdAt"].timestamp(), found.get("message", "")) for found in events
        ),
    )
    return DescribedService(
        service,
        balancers,
        revisions[0]["arn"] if len(revisions) == 1 else None,
        answer.get("currentServiceDeployment") if in_stages else None,
        managed=answer.get("resourceManagementType") == "ECS",
    )


def _computed(task_set: Mapping[str, Any]) -> int | None:
    """Return the desired count of a task set whose scale is not 100 %. Otherwise None, because it may lag behind.

    At 100 % the count is the service's. Source: API model, TaskSet.computedDesiredCount and Scale. The lag shows in the
    service events of ECS ("updated computedDesiredCount for taskSet ..."), which follow UpdateService.
    """
    scale = task_set.get("scale", {}).get("value", 100.0)
    return None if scale == 100.0 else task_set.get("computedDesiredCount")


def of_lattice(entries: Iterable[Mapping[str, Any]]) -> tuple[Balancer, ...]:
    """Convert ``vpcLatticeConfigurations``, which deployments and service revisions have, but services do not."""
    return tuple(
        Balancer(
            group=entry["targetGroupArn"],
            container="",
            port=0,
            alternate=entry.get("advancedConfiguration", {}).get("alternateTargetGroupArn"),
            port_name=entry.get("portName", ""),
        )
        for entry in entries
        if entry.get("targetGroupArn")
    )


# Sources: API model, ServiceDeploymentStatus; developer guide, "Amazon ECS service deployments".
_ENDED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


def hold(answer: Mapping[str, Any]) -> Hold | None:
    """Convert a member of ``serviceDeployments`` in DescribeServiceDeployments. Return None if it has ended."""
    status = answer.get("status", "")
    if status in _ENDED:
        return None
    waiting: Mapping[str, Any] = next(
        (hook for hook in answer.get("lifecycleHookDetails", []) if hook.get("status") == "AWAITING_ACTION"), {}
    )
    return Hold(
        status,
        answer.get("lifecycleStage", ""),
        waiting.get("hookId", ""),
        instant(waiting.get("expiresAt")),
        waiting.get("timeoutAction", ""),
    )


def capacity_provider_strategy(answer: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """Convert a capacity provider strategy of ECS or EventBridge, which spell it alike, to the shape of results."""
    return [
        {"capacity_provider": each["capacityProvider"], "weight": each.get("weight", 0), "base": each.get("base", 0)}
        for each in answer or ()
    ]


def groups_of(balancers: Iterable[Balancer]) -> tuple[str, ...]:
    """Return the ``group`` of each balancer, without duplicates."""
    return tuple(dict.fromkeys(balancer.group for balancer in balancers))


def grows(answer: Mapping[str, Any]) -> bool:
    """Return whether a member of DescribeCapacityProviders adds capacity when a task cannot be placed.

    Sources: API model, CapacityProvider; developer guide, "Amazon ECS cluster auto scaling" and "Managed Instances".
    """
    managed = answer.get("autoScalingGroupProvider", {}).get("managedScaling", {}).get("status") == "ENABLED"
    return managed or answer.get("type") in ("FARGATE", "FARGATE_SPOT", "MANAGED_INSTANCES")


def task(answer: Mapping[str, Any], targets: Mapping[str, tuple[str, ...]]) -> Task:
    """Convert a member of ``tasks`` in DescribeTasks. ``targets`` comes from ``targets_of``."""
    started = instant(answer.get("startedAt"))
    created = instant(answer.get("createdAt"))
    return Task(
        arn=answer["taskArn"],
        # ECS sets createdAt for every task of a service. A task without it is so new that ECS has not set it yet.
        created_at=created if created is not None else started if started is not None else float("inf"),
        status=answer.get("lastStatus", ""),
        stopping=answer.get("desiredStatus") == "STOPPED",
        started_at=started,
        health=answer.get("healthStatus", "UNKNOWN"),
        revision=answer.get("taskDefinitionArn", ""),
        started_by=answer.get("startedBy", ""),
        stop_code=answer.get("stopCode"),
        stopped_reason=_stopped_reason(answer),
        zone=answer.get("availabilityZone"),
        capacity_provider=answer.get("capacityProviderName"),
        launch_type=answer.get("launchType"),
        on_instance="containerInstanceArn" in answer,
        images=tuple(
            (found["image"], found["imageDigest"])
            for found in answer.get("containers", [])
            if found.get("image") and found.get("imageDigest")
        ),
        targets=targets,
        marks=tuple(tag["key"] for tag in answer.get("tags", []) if tag["key"] in OUR_TAGS),
    )


def _stopped_reason(answer: Mapping[str, Any]) -> str | None:
    """Return in one line why the task and its containers stopped, or None if the task did not stop.

    A container whose reason adds nothing to that of the task is omitted.
    """
    if not answer.get("stoppedReason") and not answer.get("stopCode"):
        return None
    parts = [answer.get("stoppedReason", "")]
    for container in answer.get("containers", []):
        ended = f"exited with code {container['exitCode']}" if "exitCode" in container else ""
        reason = container.get("reason", "")
        if ended or (reason and reason not in parts[0]):
            said = ": ".join(part for part in (ended, reason if reason not in parts[0] else "") if part)
            parts.append(f"container {container.get('name', '?')}{' ' if ended else ': '}{said}")
    return "; ".join(part for part in parts if part) or None


def fixed_images(containers: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the images that ECS resolves only once for each deployment."""
    return frozenset(each["image"] for each in containers if each.get("versionConsistency", "enabled") != "disabled")


def has_health_check(containers: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether an essential container has a health check that ECS runs."""
    return any(container.get("healthCheck") and container.get("essential", True) for container in containers)
