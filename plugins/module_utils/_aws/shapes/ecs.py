# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What boto3 says of services and tasks, turned into the domain's values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..._core.recycle.model import Deployment, Event, Hold, Service, Task
from ..calls.elbv2 import target_name


@dataclass(frozen=True)
class Balancer:
    """One entry of a service's load balancers: whose port is registered in which target group.

    In a blue/green service each deployment changes over from ``group`` to ``alternate`` or back.
    """

    group: str
    container: str
    port: int
    alternate: str | None = None


@dataclass(frozen=True)
class DescribedService:
    """A service, and what belongs to this layer only."""

    service: Service
    balancers: tuple[Balancer, ...] = ()
    service_revision: str | None = None  # ARN of the one that runs, where ECS tells it
    service_deployment: str | None = None  # ARN of the newest one of a blue/green, linear or canary service


def instant(moment: Any) -> float | None:
    """Epoch seconds of boto3's date."""
    return None if moment is None else moment.timestamp()


def described_service(answer: Mapping[str, Any]) -> DescribedService:
    """From a member of ``services`` in DescribeServices."""
    # With the controllers CODE_DEPLOY and EXTERNAL, tasks belong to a task set, and what the service
    # itself says of revision and load balancers is missing or old.
    task_sets = [found for found in answer.get("taskSets", []) if found.get("status") != "DRAINING"]
    holder = min(task_sets, key=lambda found: found.get("status") != "PRIMARY", default=answer)
    entries = holder.get("loadBalancers") or answer.get("loadBalancers", [])
    balancers = tuple(
        Balancer(
            group=entry["targetGroupArn"],
            container=entry["containerName"],
            port=entry["containerPort"],
            alternate=entry.get("advancedConfiguration", {}).get("alternateTargetGroupArn"),
        )
        for entry in entries
        if entry.get("targetGroupArn")
    )
    configuration = answer.get("deploymentConfiguration", {})
    # Of rolling deployments, DescribeServices itself tells all that matters.
    in_stages = configuration.get("strategy", "ROLLING") != "ROLLING"
    deployments = sorted(task_sets or answer.get("deployments", []), key=lambda found: found.get("status") != "PRIMARY")
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
        controller=answer.get("deploymentController", {}).get("type", "ECS"),
        deployments=tuple(
            Deployment(found.get("id", ""), found.get("status", ""), found.get("rolloutState", ""))
            for found in deployments
        ),
        revisions=max(1, len(revisions)),
        maximum_percent=configuration.get("maximumPercent", 200),
        target_groups=groups_of(balancers),
        classic_load_balancer=any(entry.get("loadBalancerName") for entry in entries),
        tags={tag["key"]: tag.get("value", "") for tag in answer.get("tags", [])},
        events=tuple(
            Event(found.get("id", ""), found["createdAt"].timestamp(), found.get("message", "")) for found in events
        ),
    )
    return DescribedService(
        service,
        balancers,
        revisions[0]["arn"] if len(revisions) == 1 else None,
        answer.get("currentServiceDeployment") if in_stages else None,
    )


# Sources: API model, ServiceDeploymentStatus; developer guide, "Amazon ECS service deployments".
_ENDED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


def hold(answer: Mapping[str, Any]) -> Hold | None:
    """From a member of ``serviceDeployments`` in DescribeServiceDeployments; None when it has ended."""
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
    """A capacity provider strategy, which ECS and EventBridge spell alike, in the shape of results."""
    return [
        {"capacity_provider": each["capacityProvider"], "weight": each.get("weight", 0), "base": each.get("base", 0)}
        for each in answer or ()
    ]


def groups_of(balancers: Iterable[Balancer]) -> tuple[str, ...]:
    """ARNs of the target groups, each once."""
    return tuple(dict.fromkeys(balancer.group for balancer in balancers))


def hosts_to_look_up(answers: Iterable[Mapping[str, Any]], balancers: tuple[Balancer, ...]) -> set[str]:
    """ARNs of the container instances whose EC2 id is part of the name of a target of one of these tasks."""
    return {
        answer["containerInstanceArn"]
        for answer in answers
        if "containerInstanceArn" in answer
        and not _address(answer)
        and any(True for balancer in balancers for _port in _host_ports(answer, balancer))
    }


def task(answer: Mapping[str, Any], balancers: tuple[Balancer, ...], instances: Mapping[str, str]) -> Task:
    """From a member of ``tasks`` in DescribeTasks. ``instances``: container instance ARN -> EC2 instance id.

    Every target group has an entry in ``targets``; it is empty as long as the task has no address or port.
    """
    started = instant(answer.get("startedAt"))
    created = instant(answer.get("createdAt"))
    return Task(
        arn=answer["taskArn"],
        # Always there in a task of a service; without it, a task is so new that ECS has not got round to it.
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
        targets=_targets(answer, balancers, instances),
    )


def _targets(
    answer: Mapping[str, Any], balancers: tuple[Balancer, ...], instances: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = dict.fromkeys(groups_of(balancers), ())
    address = _address(answer)
    host = instances.get(answer.get("containerInstanceArn", ""))
    for balancer in balancers:
        found: list[str] = []
        if address:
            found = [target_name(address, balancer.port)]
        elif host:
            found = [target_name(host, port) for port in _host_ports(answer, balancer)]
        names[balancer.group] = tuple(dict.fromkeys([*names[balancer.group], *found]))
    return names


def _address(answer: Mapping[str, Any]) -> str | None:
    """Of the task's own network interface (network mode awsvpc); IPv6 only where it has no other."""
    told = {
        detail.get("name", "").lower(): detail.get("value")
        for attachment in answer.get("attachments", [])
        if attachment.get("type") in ("ElasticNetworkInterface", "eni")
        for detail in attachment.get("details", [])
    }
    for container in answer.get("containers", []):
        for interface in container.get("networkInterfaces", []):
            for name, value in interface.items():
                told.setdefault(name.lower(), value)
    return told.get("privateipv4address") or told.get("ipv6address") or told.get("privateipv6address")


def _host_ports(answer: Mapping[str, Any], balancer: Balancer) -> Iterator[int]:
    """Ports of the instance that lead to the port of the container (network modes bridge and host)."""
    for container in answer.get("containers", []):
        if container.get("name") == balancer.container:
            for binding in container.get("networkBindings", []):
                if binding.get("containerPort") == balancer.port and binding.get("hostPort"):
                    yield binding["hostPort"]


def _stopped_reason(answer: Mapping[str, Any]) -> str | None:
    """Why the task stopped, with what its containers said, in one line; None when it did not stop."""
    if not answer.get("stoppedReason") and not answer.get("stopCode"):
        return None
    parts = [answer.get("stoppedReason", "")]
    for container in answer.get("containers", []):
        ended = f"exited with code {container['exitCode']}" if "exitCode" in container else ""
        if ended or container.get("reason"):
            said = ": ".join(part for part in (ended, container.get("reason")) if part)
            parts.append(f"container {container.get('name', '?')}{' ' if ended else ': '}{said}")
    return "; ".join(part for part in parts if part) or None


def fixed_images(containers: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Images that ECS resolves once, for a deployment."""
    return frozenset(each["image"] for each in containers if each.get("versionConsistency", "enabled") != "disabled")


def has_health_check(containers: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an essential container has a health check that ECS runs."""
    return any(container.get("healthCheck") and container.get("essential", True) for container in containers)
