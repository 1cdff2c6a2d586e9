# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what moto has stored, in this process. The result is None for what does not exist."""

from __future__ import annotations

import json
from typing import Any

from moto.backends import get_backend
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.kms.models import KmsBackend

from .account import NUMBER

MOTO_ERRORS = (JsonRESTError, ServiceException)


def backend(service: Any, region: str) -> Any:
    return get_backend(service)[NUMBER][region]


def regions(backends: Any) -> list[tuple[str, Any]]:
    """Return moto's existing backends of a service by region. Indexing would create missing ones, which is slow."""
    return list((backends.get(NUMBER) or {}).items())


def rules(region: str, bus: str) -> list[Any]:
    found = backend("events", region).event_buses.get(bus)
    return list(found.rules.values()) if found else []


def queue(arn: str) -> Any:
    return backend("sqs", region_of(arn)).queues.get(name_of(arn))


def topic(arn: str) -> Any:
    return backend("sns", region_of(arn)).topics.get(arn)


def function(arn: str) -> Any:
    """Return a function by ARN, with or without a version or an alias."""
    parts = arn.split(":")
    try:
        return backend("lambda", parts[3])._lambdas.get_function_by_name_with_qualifier(
            parts[6], parts[7] if len(parts) > 7 else None
        )
    except MOTO_ERRORS:
        return None


def log_group(arn: str) -> Any:
    return backend("logs", region_of(arn)).groups.get(arn.rsplit(":log-group:", 1)[-1].removesuffix(":*"))


def role(arn: str) -> Any:
    roles = get_backend("iam")[NUMBER]["aws"].roles.values()
    return next((each for each in roles if each.arn == arn), None)


def role_policies(found: Any) -> list[Any]:
    """Return the documents of a role's inline policies and of the policies attached to it."""
    attached = [policy.document for policy in found.managed_policies.values()]
    return [json.loads(each) if isinstance(each, str) else each for each in [*found.policies.values(), *attached]]


def key(region: str, reference: str) -> Any:
    """Return a KMS key by id, ARN or alias."""
    keys: KmsBackend = backend("kms", region)
    if ":alias/" in reference:
        reference = "alias/" + reference.rsplit(":alias/", 1)[-1]
    try:
        return keys.keys.get(keys.any_id_to_key_id(reference))
    except MOTO_ERRORS:
        return None


def region_of(arn: str) -> str:
    return arn.split(":", 4)[3]


def name_of(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]
