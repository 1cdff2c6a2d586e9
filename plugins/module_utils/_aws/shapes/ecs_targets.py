# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The load balancers that a service uses, and the names of its tasks in them.

This is a separate file, so that a module that only lists tasks does not compile it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..._core.recycle.model import Targets
from .ecs import Balancer, groups_of


@dataclass(frozen=True)
class Revision:
    """The load balancers of a service revision, from DescribeServiceRevisions."""

    in_use: frozenset[str] = frozenset()  # ARNs of the target groups that the revision actually uses
    managed: tuple[Balancer, ...] = ()  # load balancers that ECS created for an Express service or a gateway


def target_name(address: str, port: int | None) -> str:
    """Return a name such as ``10.0.1.7:8080`` or ``i-0abc:32768``, with an IPv6 address in its shortest form."""
    return f"{plain_address(address)}:{port}"


def plain_address(address: str) -> str:
    """Return an IPv6 address in its shortest form, and anything else unchanged."""
    return ipaddress.ip_address(address).compressed if ":" in address else address


def targets(found: Iterable[tuple[str, tuple[str, str]]]) -> Targets:
    """Make ``Targets`` from pairs of a target's name and its state and reason."""
    said = dict(found)
    reasons = {name: reason for name, (state, reason) in said.items() if reason and state != "healthy"}
    return Targets({name: state for name, (state, _reason) in said.items()}, reasons)


def revision(answer: Mapping[str, Any]) -> Revision:
    """Convert a member of ``serviceRevisions`` in DescribeServiceRevisions.

    Source: API model, ResolvedConfiguration and ECSManagedResources. It is assumed that the target of an Express
    service has the port of its target group, and that the target groups of a gateway are ordinary ones.
    """
    resolved, managed = answer.get("resolvedConfiguration", {}), answer.get("ecsManagedResources", {})
    of_gateways = [
        Balancer(found["targetGroupArn"], "", 0, found.get("alternateTargetGroupArn"), connection.get("portName", ""))
        for connection in managed.get("gatewayConnections", [])
        for found in connection.get("resources", {}).get("hostSharedAlb", [])
        if found.get("targetGroupArn")
    ]
    of_express = [
        Balancer(group["arn"], "", group["port"])
        for path in managed.get("ingressPaths", [])
        for group in path.get("targetGroups", [])
        if group.get("arn") and group.get("port")
    ]
    named = [*resolved.get("loadBalancers", []), *resolved.get("vpcLatticeConfigurations", [])]
    return Revision(
        frozenset(each["targetGroupArn"] for each in named if "targetGroupArn" in each), (*of_gateways, *of_express)
    )


def in_use(balancers: tuple[Balancer, ...], found: Revision) -> tuple[Balancer, ...]:
    """Return the balancers in use, as a service revision shows: one group of each pair, or those that ECS created."""
    chosen = [
        replace(each, group=each.alternate)
        if each.alternate and each.alternate in found.in_use and each.group not in found.in_use
        else each
        for each in (balancers or found.managed)
    ]
    if not balancers and len(chosen) > 1:  # an Express service has one target group for each side of a deployment
        chosen = [each for each in chosen if each.group in found.in_use or each.port_name]
    return tuple(chosen)


def with_port(balancer: Balancer, containers: Iterable[Mapping[str, Any]]) -> Balancer:
    """Return the balancer with the container and port of the task definition's port mapping of that name."""
    for container in containers:
        for mapping in container.get("portMappings", []):
            if balancer.port_name and mapping.get("name") == balancer.port_name:
                return replace(balancer, container=container["name"], port=mapping.get("containerPort", 0))
    return balancer


def hosts_to_look_up(found: Iterable[tuple[Mapping[str, Any], tuple[Balancer, ...]]]) -> set[str]:
    """Return the ARNs of the container instances whose EC2 ids are needed to name the targets of these tasks."""
    return {
        answer["containerInstanceArn"]
        for answer, balancers in found
        if "containerInstanceArn" in answer
        and not any(_addresses(answer))
        and any(balancer.classic or any(_host_ports(answer, balancer)) for balancer in balancers)
    }


def targets_of(
    answer: Mapping[str, Any], balancers: tuple[Balancer, ...], instances: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return the target names of a member of ``tasks`` in DescribeTasks, by target group.

    ``instances`` maps container instance ARNs to EC2 instance ids. Every target group has an entry, which is empty
    while the task has no address or port.
    """
    names: dict[str, tuple[str, ...]] = dict.fromkeys(groups_of(balancers), ())
    address = next(filter(None, _addresses(answer)), None)
    host = instances.get(answer.get("containerInstanceArn", ""))
    for balancer in balancers:
        found: list[str] = []
        if balancer.classic:
            found = [host] if host else []
        elif address:
            found = [target_name(address, balancer.port)]
        elif host:
            found = [target_name(host, port) for port in _host_ports(answer, balancer)]
        names[balancer.group] = tuple(dict.fromkeys([*names[balancer.group], *found]))
    return names


def aliases(answers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Map the IPv6 to the IPv4 address of tasks that have both. The target group decides which one is registered."""
    both = [_addresses(answer) for answer in answers]
    return {plain_address(new): old for old, new in both if old and new}


def _addresses(answer: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the IPv4 and IPv6 address of the task's own network interface (network mode awsvpc)."""
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
    return told.get("privateipv4address"), told.get("ipv6address") or told.get("privateipv6address")


def _host_ports(answer: Mapping[str, Any], balancer: Balancer) -> Iterator[int]:
    """Yield the instance ports that are mapped to the container port (network modes bridge and host).

    With bridge, a running task has bindings. With host it has none, and both ports are the same.
    Sources: API model, NetworkBinding and PortMapping.hostPort; for host aws/amazon-ecs-agent#185 and #3479.
    """
    containers = answer.get("containers", [])
    if answer.get("lastStatus") == "RUNNING" and not any(each.get("networkBindings") for each in containers):
        yield balancer.port
    for container in containers:
        if container.get("name") == balancer.container:
            for binding in container.get("networkBindings", []):
                if binding.get("containerPort") == balancer.port and binding.get("hostPort"):
                    yield binding["hostPort"]
