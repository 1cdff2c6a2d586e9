# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Translate the calls in the sandbox's journal into the names that IAM has for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.permissions.actions import FREE

_IAM_NAMES = {"monitoring": "cloudwatch"}


def actions_in(calls: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the actions that Ansible's modules called, without those that need no permission."""
    return {
        _action(each["service"], each["operation"]) for each in calls if " Ansible/" in (each["agent"] or "")
    } - FREE


def _action(service: str, operation: str) -> str:
    name = _IAM_NAMES.get(service, service)
    if " " not in operation:
        return f"{name}:{operation}"
    for found, path in _paths(service):
        if path.fullmatch(operation):
            return f"{name}:{found}"
    raise LookupError(f"{service} has no operation {operation}")


@cache
def _paths(service: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return the operations of a REST service, with patterns of their method and path."""
    model = ServiceModel(Loader().load_service_model(service, "service-2"))
    found = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(http["requestUri"].partition("?")[0].rstrip("/")))
        found.append((name, re.compile(f"{http['method']} {path}/?")))
    return found
