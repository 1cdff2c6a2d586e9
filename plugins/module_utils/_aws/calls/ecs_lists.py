# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon ECS: list the clusters and services that exist. Each function makes one call.

Every function takes the boto3 client first and may raise ``CallFailed``. ``page`` is the key that the previous call
returned. It is None for the first page, and a call returns None after the last page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._amazon import aws_call
from ..._core.amounts import iso
from ..._core.arns import parse_arn
from ..shapes.ecs import capacity_provider_strategy, described_service, instant
from .ecs import check_failures

CLUSTERS_A_PAGE = SERVICES_A_PAGE = 100
SERVICES_AT_ONCE = 10  # maximum number of services in one DescribeServices call


@aws_call("ecs:ListClusters")
def list_clusters(ecs: Any, page: str | None = None) -> tuple[list[str], str | None]:
    """Return one page of the ARNs of the region's clusters, and the key of the next page."""
    answer = ecs.list_clusters(maxResults=CLUSTERS_A_PAGE, **({"nextToken": page} if page else {}))
    return answer["clusterArns"], answer.get("nextToken") or None


@aws_call("ecs:ListServices")
def list_services(ecs: Any, cluster: str, page: str | None = None) -> tuple[list[str], str | None]:
    """Return one page of the ARNs of a cluster's services, and the key of the next page."""
    more = {"nextToken": page} if page else {}
    answer = ecs.list_services(cluster=cluster, maxResults=SERVICES_A_PAGE, **more)
    return answer["serviceArns"], answer.get("nextToken") or None


@aws_call("ecs:DescribeServices")
def describe_services(ecs: Any, cluster: str, services: Sequence[str]) -> list[dict[str, Any]]:
    """Return the facts and tags of services. Services that are gone are omitted. At most ten names."""
    answer = ecs.describe_services(cluster=cluster, services=list(services), include=["TAGS"])
    check_failures("ecs:DescribeServices", answer, kind="passing")
    return [service_facts(found) for found in answer["services"]]


def service_facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a member of ``services`` in DescribeServices: plain values that a cache can keep as JSON."""
    # There are many events, and none of these facts depends on them.
    service = described_service({**answer, "events": []}).service
    arn = parse_arn(service.arn)
    family, _colon, revision = service.revision.rpartition("/")[2].partition(":")
    strategy = capacity_provider_strategy(answer.get("capacityProviderStrategy"))
    network = answer.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    limits = answer.get("deploymentConfiguration", {})
    deployments = [_deployment(found) for found in answer.get("deployments", [])]
    primary = next((found for found in deployments if found["status"] == "PRIMARY"), None)
    return {
        "service": service.name,
        "cluster": service.cluster,
        "region": arn.region if arn else "",
        "account_id": arn.account if arn else "",
        "service_arn": service.arn,
        "cluster_arn": answer["clusterArn"],
        "status": service.status,
        "desired_count": service.desired,
        "running_count": service.running,
        "pending_count": service.pending,
        "task_definition": service.revision or None,
        "task_definition_family": family or None,
        "task_definition_revision": int(revision) if revision.isdecimal() else None,
        "launch_type": answer.get("launchType"),
        "capacity_providers": [found["capacity_provider"] for found in strategy],
        "capacity_provider_strategy": strategy,
        "platform_version": answer.get("platformVersion"),
        "platform_family": answer.get("platformFamily"),
        "scheduling_strategy": answer.get("schedulingStrategy", "REPLICA"),
        "deployment_controller": answer.get("deploymentController", {}).get("type", "ECS"),
        "deploying": service.deploying,
        "rollout_state": primary["rollout_state"] if primary else None,
        "deployments": deployments,
        "minimum_healthy_percent": limits.get("minimumHealthyPercent"),
        "maximum_percent": limits.get("maximumPercent"),
        "target_groups": [group for group in service.target_groups if ":elasticloadbalancing:" in group],
        "subnets": network.get("subnets", []),
        "security_groups": network.get("securityGroups", []),
        "availability_zone_rebalancing": answer.get("availabilityZoneRebalancing"),
        "execute_command": answer.get("enableExecuteCommand", False),
        "created_at": _iso(answer.get("createdAt")),
        "tags": dict(service.tags),
    }


def _deployment(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": found.get("id"),
        "status": found.get("status"),
        "rollout_state": found.get("rolloutState"),
        "task_definition": found.get("taskDefinition"),
        "desired_count": found.get("desiredCount"),
        "running_count": found.get("runningCount"),
        "pending_count": found.get("pendingCount"),
        "failed_tasks": found.get("failedTasks"),
        "created_at": _iso(found.get("createdAt")),
        "updated_at": _iso(found.get("updatedAt")),
    }


def _iso(moment: Any) -> str | None:
    seconds = instant(moment)
    return None if seconds is None else iso(seconds)
