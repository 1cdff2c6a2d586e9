# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Compare the wanted queues and topics with those found, and plan the changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..change import Change
from .iam import same_policy


def plan_queue(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """Return a queue before and after the change: the attributes that ``wanted`` names, and all tags.

    ``wanted`` is the option ``queue`` of ``ecs_stack``, ``found`` a queue of ``ecs_stack_info``.
    """
    return _plan(wanted, found, {})


def plan_topic(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> Change:
    """Return a topic before and after the change: as for a queue, plus the subscriptions to add or remove."""
    standing = (found or {}).get("subscriptions", [])
    gone, after = set(wanted["unsubscribe"]), set(map(_named, wanted["subscriptions"]))
    before = [_named(each) for each in standing if each["arn"] in gone or _named(each) in after]
    return _plan(wanted, found, {"subscriptions": (sorted(before), sorted(after))})


def _plan(wanted: Mapping[str, Any], found: Mapping[str, Any] | None, more: Mapping[str, tuple[Any, Any]]) -> Change:
    name, attributes = {"name": wanted["name"]}, dict(wanted["attributes"])
    before: dict[str, Any] | None = None
    if found is not None:
        known = {key: found["attributes"].get(key) for key in attributes}
        for key in attributes.keys() & _SAME.keys():
            if known[key] is not None and _SAME[key](json.loads(known[key]), json.loads(attributes[key])):
                attributes[key] = known[key]
        before = {**name, "attributes": known, "tags": dict(found["tags"])}
        before |= {key: sides[0] for key, sides in more.items()}
    if wanted["state"] == "absent":
        return Change(before, None)
    tags = wanted["tags"]
    if tags is None:
        tags = found["tags"] if found else {}
    after = {**name, "attributes": attributes, "tags": {key: str(value) for key, value in tags.items()}}
    return Change(before, {**after, **{key: sides[1] for key, sides in more.items()}})


def _named(subscription: Mapping[str, Any]) -> str:
    return f"{subscription['protocol']} {subscription['endpoint']}"


def _same_redrive(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two redrive policies mean the same. SQS returns numbers as text or as numbers."""
    return {key: str(value) for key, value in one.items()} == {key: str(value) for key, value in other.items()}


# Attributes that contain JSON, each with the function that compares it.
_SAME: Mapping[str, Callable[[Any, Any], bool]] = {"Policy": same_policy, "RedrivePolicy": _same_redrive}
