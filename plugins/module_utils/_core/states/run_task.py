# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The parameters of RunTask as the States Language requires them: in PascalCase throughout."""

from __future__ import annotations

from typing import Any

from ..ecs.launch import Container, Launch, Provider


def parameters(launch: Launch) -> dict[str, Any]:
    """Return only what is set in ``launch``, so that RunTask applies its own defaults to the rest."""
    given = {
        "LaunchType": launch.launch_type,
        "CapacityProviderStrategy": strategy(launch.strategy),
        "PlatformVersion": launch.platform_version,
        "Cluster": launch.cluster,
        "TaskDefinition": launch.task_definition,
        "PropagateTags": "TASK_DEFINITION" if launch.propagate_tags else None,
        "NetworkConfiguration": _network(launch),
        "Overrides": _overrides(launch),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(launch.tags.items())],
        "Group": launch.group,
        "EnableExecuteCommand": launch.enable_execute_command,
        "EnableECSManagedTags": launch.enable_ecs_managed_tags,
    }
    return _set(given)


def strategy(providers: tuple[Provider, ...]) -> list[dict[str, Any]]:
    return [{"CapacityProvider": each.name, "Weight": each.weight, "Base": each.base} for each in providers]


def _network(launch: Launch) -> dict[str, Any] | None:
    if launch.network is None:
        return None
    public = {True: "ENABLED", False: "DISABLED", None: None}[launch.network.public]
    inside = {
        "Subnets": list(launch.network.subnets),
        "AssignPublicIp": public,
        "SecurityGroups": list(launch.network.security_groups),
    }
    return {"AwsvpcConfiguration": _set(inside)}


def _overrides(launch: Launch) -> dict[str, Any]:
    return _set(
        {
            "ContainerOverrides": [_container(each) for each in launch.containers],
            "Cpu": launch.cpu,
            "Memory": launch.memory,
            "TaskRoleArn": launch.task_role_arn,
            "ExecutionRoleArn": launch.execution_role_arn,
        }
    )


def _container(container: Container) -> dict[str, Any]:
    return {
        "Name": container.name,
        # A command may be empty: then the image's own command runs.
        **({} if container.command is None else {"Command": list(container.command)}),
        **_set(
            {
                "Environment": [{"Name": name, "Value": value} for name, value in container.environment],
                "Cpu": container.cpu,
                "Memory": container.memory,
                "MemoryReservation": container.memory_reservation,
            }
        ),
    }


def _set(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None and value not in ([], {})}
