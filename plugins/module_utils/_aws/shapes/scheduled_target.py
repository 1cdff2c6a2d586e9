# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Convert the target of a schedule between AWS's shape and that of the domain.

EventBridge Scheduler and EventBridge rules differ only a little.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._core.schedules.schedule import as_text
from .ecs import capacity_provider_strategy

RETRY_POLICY = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}  # if the target has none
KNOWN = {"Id", "Arn", "RoleArn", "Input", "DeadLetterConfig", "RetryPolicy", "EcsParameters"}
KNOWN_OF_TASK = {
    "TaskDefinitionArn",
    "TaskCount",
    "LaunchType",
    "CapacityProviderStrategy",
    "PlatformVersion",
    "NetworkConfiguration",
    "Group",
    "PropagateTags",
    "Tags",
    "EnableExecuteCommand",
    "EnableECSManagedTags",
}


def target(answer: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the target as the module returns it, and the names of the parts that the module does not know."""
    retry = {**RETRY_POLICY, **(answer.get("RetryPolicy") or {})}
    ecs = answer.get("EcsParameters")
    known = {
        "arn": answer["Arn"],
        "role_arn": answer.get("RoleArn"),
        "input": _data(answer.get("Input")),
        "dead_letter_arn": (answer.get("DeadLetterConfig") or {}).get("Arn"),
        "maximum_retry_attempts": retry["MaximumRetryAttempts"],
        "maximum_event_age_in_seconds": retry["MaximumEventAgeInSeconds"],
        "task": _task(ecs) if ecs else None,
    }
    foreign = [key for key, value in answer.items() if key not in KNOWN and value]
    foreign += [f"EcsParameters.{key}" for key, value in (ecs or {}).items() if key not in KNOWN_OF_TASK and value]
    return known, tuple(sorted(foreign))


def target_request(wanted: Mapping[str, Any], tag_keys: tuple[str, str]) -> dict[str, Any]:
    """Return the target as AWS expects it. ``tag_keys`` are the names of the two parts of a tag."""
    request: dict[str, Any] = {
        "Arn": wanted["arn"],
        "RoleArn": wanted["role_arn"],
        "RetryPolicy": {
            "MaximumEventAgeInSeconds": wanted["maximum_event_age_in_seconds"],
            "MaximumRetryAttempts": wanted["maximum_retry_attempts"],
        },
    }
    if wanted["input"] is not None:
        request["Input"] = as_text(wanted["input"])
    if wanted["dead_letter_arn"]:
        request["DeadLetterConfig"] = {"Arn": wanted["dead_letter_arn"]}
    if wanted["task"]:
        request["EcsParameters"] = _task_request(wanted["task"], tag_keys)
    return request


def _data(text: str | None) -> Any:
    """Parse an input, which is nearly always JSON. Return any other text unchanged."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _task(ecs: Mapping[str, Any]) -> dict[str, Any]:
    network = (ecs.get("NetworkConfiguration") or {}).get("awsvpcConfiguration")
    return {
        "task_definition": ecs["TaskDefinitionArn"],
        "count": ecs.get("TaskCount") or 1,
        "launch_type": ecs.get("LaunchType"),
        "capacity_provider_strategy": capacity_provider_strategy(ecs.get("CapacityProviderStrategy")),
        "platform_version": ecs.get("PlatformVersion"),
        "network_configuration": network
        and {
            "subnets": network["Subnets"],
            "security_groups": network.get("SecurityGroups") or [],
            "assign_public_ip": network.get("AssignPublicIp") == "ENABLED",
        },
        "group": ecs.get("Group"),
        "propagate_tags": ecs.get("PropagateTags") == "TASK_DEFINITION",
        "tags": {tag.get("key", tag.get("Key")): tag.get("value", tag.get("Value")) for tag in ecs.get("Tags") or []},
        "enable_execute_command": bool(ecs.get("EnableExecuteCommand")),
        "enable_ecs_managed_tags": bool(ecs.get("EnableECSManagedTags")),
    }


def _task_request(task: Mapping[str, Any], tag_keys: tuple[str, str]) -> dict[str, Any]:
    network = task["network_configuration"]
    key, value = tag_keys
    wanted = {
        "TaskDefinitionArn": task["task_definition"],
        "TaskCount": task["count"],
        "LaunchType": task["launch_type"],
        "CapacityProviderStrategy": [
            {"capacityProvider": each["capacity_provider"], "weight": each["weight"], "base": each["base"]}
            for each in task["capacity_provider_strategy"]
        ],
        "PlatformVersion": task["platform_version"],
        "NetworkConfiguration": network and {"awsvpcConfiguration": _network_request(network)},
        "Group": task["group"],
        "PropagateTags": "TASK_DEFINITION" if task["propagate_tags"] else None,
        "Tags": [{key: name, value: text} for name, text in task["tags"].items()],
        "EnableExecuteCommand": task["enable_execute_command"],
        "EnableECSManagedTags": task["enable_ecs_managed_tags"],
    }
    return {name: part for name, part in wanted.items() if part}


def _network_request(network: Mapping[str, Any]) -> dict[str, Any]:
    groups = {"SecurityGroups": network["security_groups"]} if network["security_groups"] else {}
    public = "ENABLED" if network["assign_public_ip"] else "DISABLED"
    return {"Subnets": network["subnets"], "AssignPublicIp": public, **groups}
