# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of ecs_stack in the worlds of these tests."""

from __future__ import annotations

from typing import Any


def role_facts(params: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """Return a role as ecs_stack_info finds it after a step that makes or changes it."""
    trust = {"trust": params["assume_role_policy_document"]}
    wanted = {**trust, **{key: params[key] for key in ("description", "boundary", "tags")}}
    documents = {**old.get("policies", {}), **params["policies"]}
    return {
        **dict.fromkeys(wanted),
        **old,
        **{key: value for key, value in wanted.items() if value is not None},
        "policies": {name: document for name, document in documents.items() if document is not None},
    }


def bare(item: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of an item of a plan, which may be a step of ecs_stack."""
    return item if "name" in item else next(iter(item.values()))
