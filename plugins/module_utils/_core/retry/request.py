# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Check whether the RunTask parameters of a record are complete, and make those of the next attempt."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from .model import Wish
from .overrides import is_mark, oddity, without_roles

# All parameters of RunTask with their types in JSON. A test compares them with botocore's model.
PARAMETERS: dict[str, type] = {
    "capacityProviderStrategy": list,
    "clientToken": str,
    "cluster": str,
    "count": int,
    "enableECSManagedTags": bool,
    "enableExecuteCommand": bool,
    "group": str,
    "launchType": str,
    "networkConfiguration": dict,
    "overrides": dict,
    "placementConstraints": list,
    "placementStrategy": list,
    "platformVersion": str,
    "propagateTags": str,
    "referenceId": str,
    "startedBy": str,
    "tags": list,
    "taskDefinition": str,
    "volumeConfigurations": list,
}
MOST_TAGS = 50
MOST_TASKS = 10  # that one call can start
STARTED_BY = re.compile(r"retry/(\d+)/[0-9a-f]{8}")


def why_not(request: object) -> str:
    """Return why RunTask's parameters cannot be used; empty if they can. The text contains none of their values."""
    if not isinstance(request, Mapping):
        return "the record has no request parameters" if request is None else "the request parameters are not a mapping"
    gap = _gap(request, "")
    if gap:
        return gap
    unknown = sorted(str(name)[:40] for name in request.keys() - PARAMETERS)
    if unknown:
        return f"this function does not know the parameters {', '.join(unknown[:5])} of RunTask"
    for name, value in request.items():
        kind = PARAMETERS[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            return f"{name} is no {kind.__name__}"
    if not request.get("taskDefinition"):
        return "the request has no taskDefinition"
    if request.get("count", 1) < 1:
        return "the request is for no task"
    if request.get("count", 1) > MOST_TASKS:
        return f"the request is for more than {MOST_TASKS} tasks, the limit of RunTask"
    return (oddity(request["overrides"]) if "overrides" in request else "") or _misshapen(request)


def _gap(value: object, path: str) -> str:
    """Return the path of a value that is null or hidden, at any depth, and which of the two it is."""
    if _whole(value):
        return ""
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict):
        inner = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
    found = next((gap for gap in (_gap(item, where) for where, item in inner) if gap), "")
    return found or f"{path} is {'null' if value is None else 'hidden'}"


def _whole(value: object) -> bool:
    """Return whether no value in it is null or hidden. This runs for every record, so it does not use recursion."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, str):
            if is_mark(value):
                return False
        elif isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
        elif value is None:
            return False
    return True


def _misshapen(request: Mapping[str, Any]) -> str:
    """Return why ``request_of`` could not make its changes; empty if it can."""
    for tag in request.get("tags", []):
        if not isinstance(tag, Mapping) or not isinstance(tag.get("key"), str):
            return "tags has an invalid entry"
    for item in request.get("capacityProviderStrategy", []):
        if not isinstance(item, Mapping) or not isinstance(item.get("capacityProvider"), str):
            return "capacityProviderStrategy has an entry without capacityProvider"
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    if not isinstance(network, Mapping) or not isinstance(network.get("subnets", []), list):
        return "networkConfiguration does not have a list of subnets"
    return ""


def request_of(
    wish: Wish,
    rotate_subnets: bool = True,
    fargate_after: int = 0,
    tag_tasks: bool = True,
    allow_roles: bool = False,
    allow_exec: bool = False,
) -> dict[str, Any]:
    """Return the RunTask parameters for a wish: those of the original call with these changes.

    ``count`` is the number of missing tasks. ``clientToken``, ``startedBy`` and three tags identify the attempt. The
    subnets are rotated. FARGATE replaces FARGATE_SPOT after ``fargate_after`` attempts, unless that is 0. Anyone who
    can write to the log of a trail can forge a record, so task roles and ECS Exec come from the task definition
    unless they are allowed.
    """
    request = dict(wish.request)
    if "overrides" in request and not allow_roles:
        request["overrides"] = without_roles(request["overrides"])
    if request.get("enableExecuteCommand") and not allow_exec:
        del request["enableExecuteCommand"]
    request["count"] = wish.missing
    request["clientToken"] = wish.token or client_token(wish.origin, wish.bears)
    request["startedBy"] = started_by(wish.origin, wish.bears)
    if tag_tasks:
        request["tags"] = _tagged(wish)
    if rotate_subnets:
        _rotate(request, wish.bears)
    if fargate_after and wish.bears > fargate_after and request.get("capacityProviderStrategy"):
        request["capacityProviderStrategy"] = without_spot(request["capacityProviderStrategy"])
    return request


def client_token(origin: str, attempt: int) -> str:
    """Return the client token of an attempt, always the same for the same attempt. ECS allows 64 characters."""
    return hashlib.sha256(f"{origin} {attempt}".encode("utf-8", "surrogatepass")).hexdigest()


def started_by(origin: str, attempt: int) -> str:
    """Return the ``startedBy`` of an attempt: the only one of our marks that the events of a task contain."""
    return f"retry/{attempt}/{hashlib.sha256(origin.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _tagged(wish: Wish) -> list[Any]:
    """Return the tags of the request and ours. Ours are dropped if there would be too many."""
    given = list(wish.request.get("tags", []))
    ours = {"retry-attempt": str(wish.bears), "retry-origin": wish.origin[:256]}
    first = wish.request.get("startedBy")
    if first and not any(tag["key"] == "original-started-by" for tag in given):
        ours["original-started-by"] = str(first)[:256]
    given = [tag for tag in given if tag["key"] not in ours]
    room = max(0, MOST_TAGS - len(given))
    return given + [{"key": key, "value": value} for key, value in list(ours.items())[:room]]


def _rotate(request: dict[str, Any], attempt: int) -> None:
    network = request.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    subnets = network.get("subnets")
    if subnets:
        first = attempt % len(subnets)
        turned = {**network, "subnets": [*subnets[first:], *subnets[:first]]}
        request["networkConfiguration"] = {**request["networkConfiguration"], "awsvpcConfiguration": turned}


def without_spot(strategy: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the strategy with FARGATE instead of FARGATE_SPOT. If it had both, they are merged."""
    result: list[dict[str, Any]] = []
    for item in strategy:
        provider = "FARGATE" if item["capacityProvider"] == "FARGATE_SPOT" else item["capacityProvider"]
        same = next((each for each in result if each["capacityProvider"] == provider == "FARGATE"), None)
        if same is None:
            result.append({**item, "capacityProvider": provider})
        else:
            same.update(
                {key: same.get(key, 0) + item.get(key, 0) for key in ("weight", "base") if key in {**same, **item}}
            )
    return result
