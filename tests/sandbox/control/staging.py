# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create a service with a history in one call: cluster, definition and target groups in moto, tasks in the model."""

from __future__ import annotations

import re
from typing import Any

from ..account import NUMBER, Account
from ..model import deployments
from ..model.state import SandboxError
from . import acts


def stage(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Create a service from the parameters of Cluster.create_service and these: `tasks` (= `desired`), `region`,
    `containers`, `target_groups` (a number, names or ARNs), `scaling` {"min", "max", and the suspended flags} and
    `acts`, which are then performed in order. Durations are in AWS's seconds, the ages `oldest` and `newest` in real
    seconds.
    """
    asked = dict(asked)
    name, region = asked.pop("name"), asked.pop("region", None) or account.region
    cluster = asked.setdefault("cluster", "default")
    asked["desired"] = asked.pop("tasks", asked.get("desired", 3))
    asked.setdefault("launch_type", "EC2" if asked.get("daemon") else "FARGATE")
    network = asked.setdefault("network_mode", "awsvpc" if asked["launch_type"] == "FARGATE" else "bridge")
    scaling, health_check = asked.pop("scaling", None), bool(asked.get("health_check"))
    containers = asked.pop("containers", None) or default_containers(
        health_check, asked.get("port", 80), "app" if asked.get("lattice") else ""
    )
    account.digests |= {each["image"]: each.pop("imageDigest") for each in containers if "imageDigest" in each}
    need_cluster(account, region, cluster)
    if "task_definition" not in asked:
        asked["task_definition"] = register_definition(account, region, name, network, containers)
    groups = asked.pop("target_groups", 0)
    if isinstance(groups, int):
        groups = [f"{name}-{number + 1}" for number in range(groups)]
    kind = asked.get("ipv6") in ("targets", "only")
    asked["target_groups"] = [target_group(account, region, group, network, kind) for group in groups]
    classic, lattice = asked.get("classic", 0), asked.get("lattice", 0)
    if isinstance(classic, int):
        asked["classic"] = [f"{name}-{number + 1}" for number in range(classic)]
    if isinstance(lattice, int):
        prefix = f"arn:aws:vpc-lattice:{region}:{NUMBER}:targetgroup/tg-"
        asked["lattice"] = [f"{prefix}{account.chance.getrandbits(68):017x}" for _number in range(lattice)]
    if asked.get("controller", "ECS") != "ECS" or asked.get("strategy", "ROLLING") != "ROLLING":
        others = asked.pop("alternates", None) or [f"{name_of(group)}-alt" for group in asked["target_groups"]]
        made = [target_group(account, region, group, network, kind) for group in others]
        asked["alternates"] = dict(zip(asked["target_groups"], made, strict=True))
    divide(account, asked)
    then = asked.pop("acts", [])
    state = account.cluster(region).create_service(name, **asked)
    account.requests[state.arn] = {"containers": containers}
    key = f"{cluster}/{name}"
    if scaling:
        flags = {flag: bool(scaling.get(flag)) for flag in ("dynamic_in", "dynamic_out", "scheduled")}
        account.cluster(region).register_scalable_target(key, scaling["min"], scaling["max"], flags, by="operator")
    for each in then:
        acts.act(account, {"service": key, "region": region, **each})
    return acts.describe(account, region, account.cluster(region).service(key))


def divide(account: Account, asked: dict[str, Any]) -> None:
    """Divide the durations of deployments by the speed, in place."""
    for key in ("bake", "grows_after"):
        if asked.get(key) is not None:
            asked[key] /= account.speed
    asked["steps"] = [(percent, seconds / account.speed) for percent, seconds in asked.pop("steps", [])]
    asked["hooks"] = [
        {**hook, "seconds": hook.get("seconds", deployments.DAY) / account.speed} for hook in asked.pop("hooks", [])
    ]


def name_of(group: str) -> str:
    return group.split("/")[1]


def need_cluster(account: Account, region: str, name: str) -> None:
    try:
        account.need_cluster(region, name)
    except SandboxError:
        account.ask_moto("ecs", region, "CreateCluster", {"clusterName": name})


def default_containers(health_check: bool, port: int = 80, port_name: str = "") -> list[dict[str, Any]]:
    """Return one container. ``port_name`` names its port mapping, by which VPC Lattice finds the port."""
    container: dict[str, Any] = {
        "name": "app",
        "image": "public.ecr.aws/nginx/nginx:stable",
        "essential": True,
        "memory": 128,
        "portMappings": [{**({"name": port_name} if port_name else {}), "containerPort": port, "protocol": "tcp"}],
    }
    if health_check:
        container["healthCheck"] = {"command": ["CMD-SHELL", "curl -f http://localhost/"], "interval": 10}
    return [container]


def register_definition(account: Account, region: str, name: str, network: str, containers: list[Any]) -> str:
    family = {"family": name, "networkMode": network, "cpu": "256", "memory": "512", "containerDefinitions": containers}
    answer = account.ask_moto("ecs", region, "RegisterTaskDefinition", family)
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def target_group(account: Account, region: str, name: str, network: str, ipv6: bool = False) -> str:
    """Create a target group of this name in moto and return its ARN. An ARN is returned unchanged."""
    if name.startswith("arn:"):
        return name
    vpc = re.search("<vpcId>(.*?)</vpcId>", account.ask_moto("ec2", region, "DescribeVpcs", {"Version": "2016-11-15"}))
    text = account.ask_moto("elasticloadbalancing", region, "CreateTargetGroup", {
        "Version": "2015-12-01",
        "Name": name,
        "Protocol": "HTTP",
        "Port": "80",
        "VpcId": vpc.group(1) if vpc else "",
        "TargetType": "ip" if network == "awsvpc" else "instance",
        **({"IpAddressType": "ipv6"} if ipv6 else {}),
    })  # fmt: skip
    found = re.search("<TargetGroupArn>(.*?)</TargetGroupArn>", text)
    if not found:
        raise SandboxError("ValidationError", re.sub("<[^>]*>", " ", text).strip())
    return found.group(1)
