# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets that are a cluster: the RunTask request that EventBridge's rules and Scheduler send."""

from __future__ import annotations

import json
from typing import Any

LONGEST_STARTED_BY = 36  # as seen in public logs: chronos-schedule/gold-coast-data-lak

SAME = ("LaunchType", "PlatformVersion", "Group", "PropagateTags", "CapacityProviderStrategy", "PlacementConstraints",
        "PlacementStrategy", "EnableExecuteCommand", "ReferenceId")  # fmt: skip


def run_task_request(target: dict[str, Any], started_by: str, text: str) -> dict[str, Any]:
    """Return the parameters for boto3's run_task. ``text`` is the input: overrides, or anything else."""
    asked = target.get("EcsParameters") or {}
    wanted: dict[str, Any] = {
        "cluster": target["Arn"],
        "taskDefinition": asked["TaskDefinitionArn"],
        "count": asked.get("TaskCount") or 1,
        "startedBy": started_by[:LONGEST_STARTED_BY],
        **{key[0].lower() + key[1:]: asked[key] for key in SAME if asked.get(key)},
    }
    if asked.get("EnableECSManagedTags"):
        wanted["enableECSManagedTags"] = True
    if network := (asked.get("NetworkConfiguration") or {}).get("awsvpcConfiguration"):
        lower = {key[0].lower() + key[1:]: value for key, value in network.items()}
        wanted["networkConfiguration"] = {"awsvpcConfiguration": lower}
    if tags := asked.get("Tags"):
        wanted["tags"] = [{key.lower(): value for key, value in tag.items()} for tag in tags]
    if overrides := overrides_of(text):
        wanted["overrides"] = overrides
    return wanted


def overrides_of(text: str) -> dict[str, Any] | None:
    """Return the overrides in an input, or None. Without an Input, the text is the event, which has no overrides."""
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return None
    known = {"containerOverrides", "cpu", "memory", "taskRoleArn", "executionRoleArn", "ephemeralStorage"}
    return value if isinstance(value, dict) and value and value.keys() <= known else None
