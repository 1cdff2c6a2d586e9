# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create the policy of a module, of the inventory or of a role."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
from typing import Any

from tests.permissions.actions import INVENTORY, MODULES, PASSED_TO, actions
from tests.permissions.places import CONDITIONS, Place, places
from tests.permissions.roles import ROLES

NAMES = (*MODULES, INVENTORY, *ROLES)


def actions_of(name: str, role: bool) -> set[str]:
    return set(ROLES[name]) if role else actions(name)


def policy(name: str, wanted: Iterable[str]) -> dict[str, Any]:
    """Return a policy with one statement for each place, sorted by name."""
    by_place: dict[Place, list[str]] = {}
    for action in sorted(wanted):
        if action == "iam:PassRole":
            continue
        for place in places(name, action):
            by_place.setdefault(place, []).append(action)
    statements = [_statement(place, found) for place, found in by_place.items()]
    if "iam:PassRole" in wanted:
        statements.append({
            "Sid": "PassRoles",
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": "arn:aws:iam::ACCOUNT:role/ROLE",
            "Condition": {
                "StringEquals": {"iam:PassedToService": [f"{each}.amazonaws.com" for each in PASSED_TO[name]]}
            },
        })  # fmt: skip
    statements.sort(key=lambda each: each["Sid"])
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(place: Place, found: list[str]) -> dict[str, Any]:
    resource = place.resource if isinstance(place.resource, str) else list(place.resource)
    condition = {"Condition": CONDITIONS[place.condition]} if place.condition else {}
    return {"Sid": place.sid, "Effect": "Allow", "Action": found, "Resource": resource, **condition}


def text(document: dict[str, Any], width: int = 116) -> str:
    """Return JSON whose short lists and objects are on one line."""

    def write(value: Any, indent: int, used: int) -> str:
        short = json.dumps(value)
        if not isinstance(value, (dict, list)) or (indent > 1 and indent * 2 + used + len(short) <= width):
            return short
        pad, end = "  " * (indent + 1), "  " * indent
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            filled = textwrap.wrap(short[1:-1], width - len(pad), break_long_words=False, break_on_hyphens=False)
            return "[\n" + "\n".join(pad + line for line in filled) + f"\n{end}]"
        if isinstance(value, list):
            return "[\n" + ",\n".join(pad + write(each, indent + 1, 1) for each in value) + f"\n{end}]"
        lines = [f"{pad}{json.dumps(key)}: {write(each, indent + 1, len(key) + 5)}" for key, each in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{end}}}"

    return write(document, 0, 0)
