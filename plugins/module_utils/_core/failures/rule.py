# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""An EventBridge rule as the user wants it, and how it must change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..change import Change, wanted_tags
from ..errors import Refused
from ..events.pattern.compare import same_pattern
from ..events.pattern.lint import lint
from ..events.pattern.parse import parse_pattern, pattern_text
from ..events.rule import Rule, bus_name
from ..limits import LONGEST_DESCRIPTION, check_length, check_tags
from ..names import EVENTS_NAME, read_name
from .definition import failure_pattern
from .filters import KINDS, given_filters, read_filters
from .rule_facts import DISABLED, ENABLED, rule_facts


@dataclass(frozen=True)
class WantedRule:
    """A rule as the user wants it. None keeps the current value."""

    name: str
    bus: str  # as the user wrote it, name or ARN
    present: bool = True
    event_pattern: Mapping[str, Any] | None = None
    enabled: bool | None = None
    description: str | None = None
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True
    warnings: tuple[str, ...] = ()


def read_rule(params: Mapping[str, Any]) -> WantedRule:
    """Return what the user wants. Raises ``Refused``."""
    name, bus = read_name("name", params["name"], EVENTS_NAME), params["event_bus_name"]
    bus_name(bus)
    if params["state"] == "absent":
        return WantedRule(name, bus, present=False)
    check_length("description", params["description"], LONGEST_DESCRIPTION)
    check_tags("tags", params["tags"] or {})
    pattern, warnings = _read_pattern(params)
    return WantedRule(
        name=name,
        bus=bus,
        event_pattern=pattern,
        enabled=params["enabled"],
        description=params["description"],
        tags=params["tags"],
        purge_tags=params["purge_tags"],
        warnings=warnings,
    )


def _read_pattern(params: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
    kind, raw = params["kind"], params["event_pattern"]
    if kind is not None and raw is not None:
        raise Refused("kind and event_pattern are mutually exclusive. Set one of them")
    if kind is None:
        for name in given_filters(params):
            raise Refused(f"{name} requires kind. Set kind to one of {', '.join(KINDS)}")
        if raw is None:
            return None, ()
        pattern = parse_pattern("event_pattern", raw)
    else:
        pattern = failure_pattern(kind, read_filters(kind, params))
    findings = lint(pattern, repeats_are_meant=kind == "all_task_changes")
    subject = "event_pattern" if kind is None else f"The event pattern that kind {kind} and its filters make"
    errors = [str(finding) for finding in findings if finding.is_error]
    if errors:
        raise Refused(f"{subject}: {'; '.join(errors)}")
    return pattern, tuple(f"{subject}: {finding}" for finding in findings)


def plan_rule(wanted: WantedRule, current: Rule | None) -> Change:
    """Return what changes. Raises ``Refused``, also for rules that are not ours to change."""
    if current:
        _refuse_foreign(current)
    before = rule_facts(current) if current else None
    if not wanted.present:
        return Change(before, None)
    if current is None:
        if wanted.event_pattern is None:
            raise Refused(f"Rule {wanted.name} does not exist. Set kind or event_pattern to create it")
        state = DISABLED if wanted.enabled is False else ENABLED
        new = Rule(
            wanted.name, "", bus_name(wanted.bus), state, pattern_text(wanted.event_pattern), wanted.description or ""
        )
        return Change(None, {**rule_facts(new), "arn": None, "tags": wanted_tags({}, wanted.tags, True)})
    pattern = wanted.event_pattern
    if pattern is None or (current.event_pattern and same_pattern(pattern, current.event_pattern)):
        pattern = current.event_pattern
    state = _wanted_state(wanted.enabled, current.state)
    after = {
        **rule_facts(current),
        "event_pattern": pattern,
        "state": state,
        "enabled": state != DISABLED,
        "description": current.description if wanted.description is None else wanted.description,
        "tags": wanted_tags(current.tags, wanted.tags, wanted.purge_tags),
    }
    return Change(before, after)


def _wanted_state(enabled: bool | None, current: str) -> str:
    """Return the state. A third state also means enabled, and matches more of CloudTrail's events."""
    if enabled is None or enabled == (current != DISABLED):
        return current
    return ENABLED if enabled else DISABLED


def _refuse_foreign(rule: Rule) -> None:
    if rule.managed_by:
        raise Refused(
            f"The rule {rule.name} is managed by {rule.managed_by} and must not be changed. Choose another name"
        )
    if rule.schedule:
        raise Refused(
            f"The rule {rule.name} is a schedule, {rule.schedule}, and does not match failures. Take another name"
        )
