# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Convert a target of a rule between boto3's shape and that of our results, which always has every key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Our key -> boto3's key, grouped by the part of boto3's shape that holds it.
_PARTS = {
    "": {
        "id": "Id",
        "arn": "Arn",
        "role_arn": "RoleArn",
        "input": "Input",
        "input_path": "InputPath",
    },
    "DeadLetterConfig": {"dead_letter_arn": "Arn"},
    "RetryPolicy": {
        "maximum_retry_attempts": "MaximumRetryAttempts",
        "maximum_event_age_in_seconds": "MaximumEventAgeInSeconds",
    },
    "SqsParameters": {"message_group_id": "MessageGroupId"},
    "KinesisParameters": {"partition_key_path": "PartitionKeyPath"},
}
_HTTP = {
    "path_parameter_values": "PathParameterValues",
    "header_parameters": "HeaderParameters",
    "query_string_parameters": "QueryStringParameters",
}


def boto_target(target: Mapping[str, Any]) -> dict[str, Any]:
    """Return a member of ``Targets`` for PutTargets. Keys without a value are omitted."""
    made: dict[str, Any] = {}
    for part, keys in _PARTS.items():
        values = {theirs: target[ours] for ours, theirs in keys.items() if target[ours] is not None}
        if part and values:
            made[part] = values
        elif not part:
            made.update(values)
    if target["input_transformer"] is not None:
        made["InputTransformer"] = {
            "InputPathsMap": dict(target["input_transformer"]["input_paths_map"]),
            "InputTemplate": target["input_transformer"]["input_template"],
        }
    http = target["http_parameters"] or {}
    values = {theirs: http[ours] for ours, theirs in _HTTP.items() if http.get(ours)}
    if values:
        made["HttpParameters"] = values
    return made


def target_summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the short form of a target, as listed with its rule."""
    return {
        "id": found["Id"],
        "arn": found["Arn"],
        "role_arn": found.get("RoleArn"),
        "dead_letter_arn": found.get("DeadLetterConfig", {}).get("Arn"),
    }


def target_facts(found: Mapping[str, Any], rule: str, bus: str) -> dict[str, Any]:
    """Convert a target from ListTargetsByRule. ``rule`` and ``bus`` are names."""
    told: dict[str, Any] = {"rule": rule, "event_bus_name": bus}
    for part, keys in _PARTS.items():
        inside = found.get(part) or {} if part else found
        told.update({ours: inside.get(theirs) for ours, theirs in keys.items()})
    told["arn"] = told["arn"].removesuffix(":*")
    transformer = found.get("InputTransformer")
    told["input_transformer"] = transformer and {
        "input_paths_map": dict(transformer.get("InputPathsMap") or {}),
        "input_template": transformer["InputTemplate"],
    }
    http = found.get("HttpParameters") or {}
    values = {
        "path_parameter_values": list(http.get("PathParameterValues") or []),
        "header_parameters": dict(http.get("HeaderParameters") or {}),
        "query_string_parameters": dict(http.get("QueryStringParameters") or {}),
    }
    told["http_parameters"] = values if any(values.values()) else None
    return told
