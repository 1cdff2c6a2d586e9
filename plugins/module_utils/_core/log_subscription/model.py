# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Subscription filters of a log group, and the permission that lets CloudWatch Logs call a function."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..amounts import iso
from ..arns import Arn, parse_arn

LOGS = "logs.amazonaws.com"
INVOKE = "lambda:InvokeFunction"
_OURS = "SteadyopsEcsLogs"


@dataclass(frozen=True)
class Filter:
    """A subscription filter as CloudWatch Logs returns it. ``created_at`` is in epoch seconds.

    ``transformed``, ``field_selection`` and ``system_fields`` are not managed here. Each PutSubscriptionFilter sets
    all of them, so an update must repeat the current values.
    """

    name: str
    log_group: str
    destination: str
    pattern: str
    role_arn: str | None = None
    distribution: str | None = None
    transformed: bool = False
    created_at: float | None = None
    field_selection: str | None = None
    system_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class FunctionAccess:
    """A function, and the statement with our Sid in its policy document, if there is one."""

    function: Arn
    exists: bool
    statement: Mapping[str, Any] | None = None


def filter_facts(found: Filter) -> dict[str, Any]:
    """Return the filter in the format that the _info module returns."""
    return {
        "name": found.name,
        "log_group": found.log_group,
        "destination_arn": found.destination,
        "filter_pattern": found.pattern,
        "role_arn": found.role_arn,
        "distribution": found.distribution,
        "apply_on_transformed_logs": found.transformed,
        "field_selection_criteria": found.field_selection,
        "emit_system_fields": list(found.system_fields),
        "created_at": None if found.created_at is None else iso(found.created_at),
    }


def sid_of(log_group: str, name: str) -> str:
    """Return the Sid of our statement in the function's policy."""
    return f"{_OURS}{hashlib.sha256(f'{log_group} {name}'.encode()).hexdigest()[:24]}"


def log_group_arn(function: Arn, log_group: str) -> str:
    """Return the log group's ARN. CloudWatch Logs calls only functions in its own account and region."""
    return str(Arn(function.partition, "logs", function.region, function.account, f"log-group:{log_group}"))


def statement_for(function: Arn, log_group: str, name: str) -> dict[str, Any]:
    """Return the statement that lets only this log group call the function, as Lambda writes it."""
    return {
        "Sid": sid_of(log_group, name),
        "Effect": "Allow",
        "Principal": {"Service": LOGS},
        "Action": INVOKE,
        "Resource": str(function),
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": function.account},
            "ArnLike": {"AWS:SourceArn": f"{log_group_arn(function, log_group)}:*"},
        },
    }


def statement_in(policy_document: str | None, sid: str) -> Mapping[str, Any] | None:
    """Return the statement with a Sid from a policy document in JSON, or None."""
    return next((each for each in _statements(policy_document) if each.get("Sid") == sid), None)


def log_groups_in(policy_document: str | None) -> list[str]:
    """Return the log groups that our statements allow to call the function. Their filters may no longer exist."""
    ours = [each for each in _statements(policy_document) if str(each.get("Sid")).startswith(_OURS)]
    arns = [parse_arn(str(permission_facts(each)["source_arn"])) for each in ours]
    return sorted({arn.resource.removeprefix("log-group:").removesuffix(":*") for arn in arns if arn})


def _statements(policy_document: str | None) -> list[Mapping[str, Any]]:
    try:
        statements = json.loads(policy_document or "{}").get("Statement", [])
    except (ValueError, AttributeError):
        return []
    return [each for each in statements if isinstance(each, Mapping)]


def permission_facts(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Return a statement in the format that the module returns. The case of its condition keys does not matter."""
    condition: Mapping[str, Any] = statement.get("Condition") or {}
    flat = {
        key.lower(): value for keys in condition.values() if isinstance(keys, Mapping) for key, value in keys.items()
    }
    principal = statement.get("Principal")
    return {
        "sid": statement.get("Sid"),
        "principal": principal.get("Service") if isinstance(principal, Mapping) else principal,
        "function_arn": statement.get("Resource"),
        "source_arn": flat.get("aws:sourcearn"),
        "source_account": flat.get("aws:sourceaccount"),
    }


def function_in(destination: str) -> Arn | None:
    """Return the function that a filter sends to, or None if its destination is not a function."""
    arn = parse_arn(destination)
    return arn if arn and arn.service == "lambda" and arn.resource.startswith("function:") else None


def feeds(found: Filter, function: Arn) -> bool:
    """Return whether a filter sends to this function."""
    there = function_in(found.destination)
    return there is not None and same_function(there, function)


def same_function(one: Arn, other: Arn) -> bool:
    """Return whether both ARNs are of the same function, ignoring aliases and versions."""
    return _unqualified(one) == _unqualified(other)


def _unqualified(function: Arn) -> tuple[str, str, str]:
    return function.region, function.account, function.resource.split(":")[1]
