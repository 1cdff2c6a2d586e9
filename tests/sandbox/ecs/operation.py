# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helpers that the ECS operations share: registration, names and ARNs, paging.

An operation takes the account, the call and the model of the region. It returns the answer, or None to leave the call
to moto.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from ..account import Account
from ..model.scheduler import Cluster
from ..model.state import SandboxError, ServiceState, TaskState
from ..wire import Call
from . import shapes

INVALID = "InvalidParameterException"


class operation:  # noqa: N801 - a decorator
    """Register a function as an operation: ``list_tasks`` answers ListTasks. It runs under the lock, at one instant."""

    def __init__(self, handler: Callable[[Account, Call, Cluster], dict[str, Any] | None]) -> None:
        self.handler = handler
        self.name = "".join(word.title() for word in handler.__name__.split("_"))

    def __call__(self, account: Account, call: Call) -> dict[str, Any] | None:
        with account.lock:
            return self.handler(account, call, account.cluster(call.region))


def operations_of(*modules: ModuleType) -> dict[str, operation]:
    return {each.name: each for module in modules for each in vars(module).values() if isinstance(each, operation)}


def cluster_name(account: Account, call: Call, key: str = "cluster") -> str:
    """Return the name of a request's cluster, given by name or ARN. Raise SandboxError if it does not exist."""
    name = str(call.parameters.get(key) or "default").rsplit("/", 1)[-1]
    account.need_cluster(call.region, name)
    return name


def service_name(cluster: str, reference: str) -> str:
    """Return ``cluster/name`` for a service given by name or by a long or short ARN."""
    parts = reference.split(":", 5)[-1].split("/")
    if reference.startswith("arn:") and len(parts) == 3 and parts[1] != cluster:
        raise SandboxError(INVALID, f"Identifier is for {parts[1]}. Your cluster is {cluster}")
    return f"{cluster}/{parts[-1]}"


def task_arn(model: Cluster, cluster: str, reference: str) -> str:
    parts = reference.split(":", 5)[-1].split("/")
    if reference.startswith("arn:") and len(parts) == 3 and parts[1] != cluster:
        raise SandboxError(INVALID, f"Identifier is for {parts[1]}. Your cluster is {cluster}")
    return f"{model.arn_prefix}:task/{cluster}/{parts[-1]}"


def limited(call: Call, key: str, most: int, noun: str) -> list[str]:
    given = list(call.parameters.get(key) or [])
    if not given:
        raise SandboxError(INVALID, f"{noun} cannot be empty.")
    if len(given) > most:
        raise SandboxError(INVALID, f"{noun} can have at most {most} items.")
    return given


def page(call: Call, items: Iterable[str], most: int, default: int) -> tuple[list[str], dict[str, str]]:
    """Return one page in the order of the ARNs, so items that come or go between two pages do not shift others."""
    size = min(int(call.parameters.get("maxResults") or default), most)
    token = call.parameters.get("nextToken")
    last = base64.urlsafe_b64decode(token).decode() if token else ""
    left = sorted(item for item in items if item > last)
    more = {"nextToken": base64.urlsafe_b64encode(left[size - 1].encode()).decode()} if len(left) > size else {}
    return left[:size], more


def included(call: Call) -> bool:
    return "TAGS" in (call.parameters.get("include") or [])


def service_shape(account: Account, state: ServiceState, with_tags: bool = True) -> dict[str, Any]:
    return shapes.service(state, account.requests.get(state.arn, {}), account.stamp, with_tags)


def task_shape(account: Account, call: Call, state: TaskState, with_tags: bool = True) -> dict[str, Any]:
    try:
        definition = account.definition(call.region, state.task_definition)
    except SandboxError:  # the definition has been deleted
        definition = {"containerDefinitions": []}
    containers = [
        {**each, "imageDigest": account.digests.get(each.get("image"))} for each in definition["containerDefinitions"]
    ]
    definition = {**definition, "containerDefinitions": containers}
    return shapes.task(state, definition, account.stamp, account.task_requests.get(state.arn, {}), with_tags)
