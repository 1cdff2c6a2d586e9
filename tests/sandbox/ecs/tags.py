# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS's operations on the tags of services and tasks."""

from __future__ import annotations

import unicodedata
from typing import Any

from ..account import Account
from ..model.scheduler import Cluster
from ..model.services import Service
from ..model.state import SandboxError
from ..wire import Call
from . import shapes
from .operation import INVALID, operation


def check_tags(tags: dict[str, str]) -> None:
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise SandboxError(INVALID, "A tag key has 1 to 128 characters, a tag value at most 256.")
        if key.lower().startswith("aws:"):
            raise SandboxError(INVALID, "Tag keys must not begin with aws:")
        for character in key + value:
            if character not in "_.:/=+-@" and unicodedata.category(character)[0] not in "LZN":
                text = "Some of the tags contain invalid characters. Valid characters: "
                raise SandboxError(INVALID, f"{text}UTF-8 letters, spaces, numbers and _ . / = + - : @")


def tagged(call: Call, model: Cluster) -> Service | None:
    """Return the service whose tags a request is about; None for any other resource, which moto handles."""
    arn = call.parameters["resourceArn"]
    if ":service/" not in arn:
        return None
    found = next((service for service in model.services.values() if service.arn == arn), None)
    if found is None:
        raise SandboxError(INVALID, "The specified service is inactive. Specify an active service and try again.")
    if found.arn.count("/") < 2:
        raise SandboxError(INVALID, "Long arn format must be used for tagging operations")
    return found


def of_task(call: Call) -> str | None:
    """Return the ARN of the task that a request is about, or None."""
    arn = call.parameters["resourceArn"]
    return arn if ":task/" in arn else None


@operation
def tag_resource(_account: Account, call: Call, model: Cluster) -> dict[str, Any] | None:
    tags = {tag["key"]: tag.get("value", "") for tag in call.parameters["tags"]}
    if task := of_task(call):
        check_tags(tags)
        model.tag_task(task, tags)
        return {}
    service = tagged(call, model)
    if service is None:
        return None
    check_tags(tags)
    model.tag(f"{service.cluster}/{service.name}", tags)
    return {}


@operation
def untag_resource(_account: Account, call: Call, model: Cluster) -> dict[str, Any] | None:
    if task := of_task(call):
        model.untag_task(task, call.parameters["tagKeys"])
        return {}
    service = tagged(call, model)
    if service is None:
        return None
    model.untag(f"{service.cluster}/{service.name}", call.parameters["tagKeys"])
    return {}


@operation
def list_tags_for_resource(_account: Account, call: Call, model: Cluster) -> dict[str, Any] | None:
    if task := of_task(call):
        return {"tags": shapes.tags(model.tags_of_task(task))}
    service = tagged(call, model)
    state = model.describe_service(f"{service.cluster}/{service.name}") if service else None
    return {"tags": shapes.tags(dict(state.tags))} if state else None
