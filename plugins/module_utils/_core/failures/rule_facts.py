# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""EventBridge rules as modules return them, and which of them the user wants to see.

This is separate from the code that makes rules, so that a module that only reads compiles nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..events.pattern.findings import Finding, error
from ..events.pattern.lint import lint
from ..events.pattern.parse import parse_pattern
from ..events.rule import Rule, bus_name
from ..names import EVENTS_NAME, read_name

ENABLED, DISABLED = "ENABLED", "DISABLED"


def read_search(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return which rules the user wants to see: ``bus``, and ``name`` or ``prefix`` or neither. Raises ``Refused``."""
    if params["name"] is not None and params["name_prefix"] is not None:
        raise Refused("name and name_prefix are both given. Give one of them, or none for all rules")
    for option in ("name", "name_prefix"):
        if params[option] is not None:
            read_name(option, params[option], EVENTS_NAME)
    bus_name(params["event_bus_name"])
    return {"bus": params["event_bus_name"], "name": params["name"], "prefix": params["name_prefix"]}


def rule_facts(rule: Rule) -> dict[str, Any]:
    """Return a rule as the modules return it."""
    facts: dict[str, Any] = {
        "name": rule.name,
        "arn": rule.arn,
        "event_bus_name": rule.bus,
        "event_pattern": rule.event_pattern,
        "state": rule.state,
        "enabled": rule.state != DISABLED,
        "description": rule.description,
        "tags": dict(rule.tags),
    }
    return facts if rule.targets is None else {**facts, "targets": [dict(target) for target in rule.targets]}


def rule_info_facts(rule: Rule) -> dict[str, Any]:
    """Return a rule as the info module returns it, without what its pattern covers."""
    return {
        **rule_facts(rule),
        "role_arn": rule.role_arn,
        "schedule_expression": rule.schedule,
        "managed_by": rule.managed_by,
        "findings": [
            {"path": finding.path, "level": "error" if finding.is_error else "warning", "message": finding.words}
            for finding in _findings(rule)
        ],
    }


def _findings(rule: Rule) -> list[Finding]:
    if rule.pattern_text is None:
        return []
    try:
        return lint(parse_pattern("event_pattern", rule.pattern_text))
    except Refused as twice:
        return [error("", str(twice))]
