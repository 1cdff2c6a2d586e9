# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Ownership of resources: a role manages the resources that have its tag and leaves all others alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# The word that messages use for a resource of each kind of ``ecs_stack_info``.
WORDS = {
    "rules": "rule",
    "queues": "queue",
    "topics": "topic",
    "log_groups": "log group",
    "iam_roles": "role",
    "functions": "function",
    "schedules": "schedule",
    "state_machines": "state machine",
    "connections": "connection",
    "api_destinations": "API destination",
    "alarms": "alarm",
    "tables": "table",
}


@dataclass(frozen=True)
class Owner:
    """The tag that marks the resources of one use of a role: ``tag`` is its key, ``name`` its value.

    ``variable`` is the variable that holds the name, such as ``failure_alerts_name``.
    """

    tag: str
    name: str
    variable: str

    def owns(self, found: Mapping[str, Any] | None) -> bool:
        """Return whether a resource that ``ecs_stack_info`` has found exists and has the tag."""
        return found is not None and found.get("tags", {}).get(self.tag) == self.name

    def tags(self, more: Mapping[str, Any]) -> dict[str, str]:
        """Return the tags for resources that the role creates: the user's tags and the owner's."""
        return {**{str(key): str(value) for key, value in more.items()}, self.tag: self.name}


def others(owner: Owner, stack: Mapping[str, Any], names: Iterable[tuple[str, str]]) -> list[str]:
    """Describe the existing resources of these names that ``owner`` does not own. ``names`` has (kind, name) pairs."""
    return [
        f"{WORDS[kind]} {name}"
        for kind, name in names
        if stack.get(kind, {}).get(name) is not None and not owner.owns(stack[kind][name])
    ]


def refusal(owner: Owner, others: Iterable[str], besides: str = "") -> str:
    """Return the message about resources of others. ``besides`` is one more fix to offer, such as passing an ARN."""
    ways = [f"Choose another {owner.variable}", *([besides] if besides else [])]
    return (
        f"Not managed by this role: {', '.join(others)}. Nothing was changed. {', '.join(ways)}, or hand the resources "
        f"over to the role by tagging them {owner.tag}={owner.name}."
    )


def kept_note(others: Iterable[str]) -> str:
    """Return the note about resources of others that ``state: absent`` leaves in place."""
    return f"Not removed, because this role does not manage them: {', '.join(others)}."


def shared_note(kept: Iterable[str]) -> str:
    """Return the note about resources of ours that stay because others use them."""
    return f"Not removed, because others have added a target or a subscription: {', '.join(kept)}."
