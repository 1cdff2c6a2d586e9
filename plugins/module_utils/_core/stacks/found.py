# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Convert what ``ecs_stack_info`` has found to the domain values that the modules' plans take."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..arns import Arn
from ..events.api_destination import ApiDestination
from ..events.connection.model import Authorization, Connection, HttpParameters, Parameter
from ..events.rule import Rule
from ..events.target.plan import Place


def rule_of(found: Mapping[str, Any] | None) -> Rule | None:
    """Return the rule for an entry of ``rules``."""
    return None if found is None else Rule(**found)


def api_destination_of(found: Mapping[str, Any] | None) -> ApiDestination | None:
    """Return the API destination for an entry of ``api_destinations``."""
    return None if found is None else ApiDestination(**found)


def connection_of(found: Mapping[str, Any] | None) -> Connection | None:
    """Return the connection for an entry of ``connections``. AWS never returns its secret values."""
    if found is None:
        return None
    given = found["authorization"]
    authorization = given and Authorization(**{**given, "http": _parameters(given["http"])})
    return Connection(**{**found, "authorization": authorization, "http": _parameters(found["http"])})


def _parameters(found: Mapping[str, Any] | None) -> Any:
    if found is None:
        return None
    return HttpParameters(**{place: tuple(Parameter(**each) for each in many) for place, many in found.items()})


def as_found(value: Any) -> dict[str, Any]:
    """Return a rule, an API destination or a connection in the form in which ``ecs_stack_info`` returns it."""
    found: dict[str, Any] = dataclasses.asdict(value)
    return found


def policy_place(arn: Arn, stack: Mapping[str, Any]) -> Place | None:
    """Return what a target needs to know about the topic, queue, function or log group that it reaches.

    The stack has the resource under its name or its ARN. Return None if it was not looked up. ``functions`` and
    ``log_groups`` show whether a function or log group exists; its policy is in ``function_policies`` or
    ``log_group_policies``.
    """
    kind = {"sns": "topics", "sqs": "queues", "lambda": "functions", "logs": "log_groups"}.get(arn.service, "")
    name = arn.resource.removeprefix("function:").removeprefix("log-group:")
    things = stack.get(kind, {})
    key = next((key for key in (name, str(arn)) if key in things), None)
    if key is None:
        return None
    found = things[key]
    if found is None:
        return Place(arn, exists=False)
    if arn.service in ("sns", "sqs"):
        return attributes_place(arn, found["attributes"])
    policies = stack.get("function_policies" if arn.service == "lambda" else "log_group_policies", {})
    standing = policies.get(key) or {}
    return Place(arn, policy_document=standing.get("policy"), revision=standing.get("revision"))


def attributes_place(arn: Arn, attributes: Mapping[str, str]) -> Place:
    """Return the place of a topic or queue, read from its attributes."""
    return Place(
        arn,
        policy_document=attributes.get("Policy") or None,
        key=attributes.get("KmsMasterKeyId") or None,
        deduplicates=attributes.get("ContentBasedDeduplication") == "true",
    )
