# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and write rules of EventBridge."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..._core.change import Change, tag_writes
from ..._core.events.rule import Rule
from ..calls import event_rules as api
from ..calls import event_targets
from ..calls.pages import hundreds
from ..shapes.event_target import target_summary


def find_rule(events: Any, name: str, bus: str, to_delete: bool = False) -> Rule | None:
    """Return the rule with its tags, in two calls. With ``to_delete``, also its targets, and None for a missing bus."""
    rule = (api.describe_rule_to_delete if to_delete else api.describe_rule)(events, name, bus)
    return rule and _with_tags(events, rule, bus, targets=to_delete)


def find_rules(events: Any, bus: str, name: str | None, prefix: str | None) -> list[Rule]:
    """Return one rule, the rules whose names begin with a prefix, or all rules of a bus; with tags and targets."""
    found = api.list_rules(events, bus, prefix) if name is None else [api.describe_rule(events, name, bus)]
    return [_with_tags(events, rule, bus, targets=True) for rule in found or () if rule]


def _with_tags(events: Any, rule: Rule, bus: str, targets: bool) -> Rule:
    rule = replace(rule, tags=api.tags_of(events, rule.arn))
    if not targets:
        return rule
    listed = event_targets.list_targets(events, rule.name, bus)
    return replace(rule, targets=[target_summary(target) for target in listed or ()])


def write_rule(events: Any, bus: str, current: Rule | None, change: Change) -> Generator[str, None, Mapping[str, Any]]:
    """Make the change. Yield each write that was made; return the facts of a new rule that only AWS knows."""
    if change.after is None:
        yield from _delete(events, bus, change.before or {})
        return {}
    after, arn = change.after, current.arn if current else None
    if change.differs("event_pattern", "state", "description"):
        arn = api.put_rule(
            events,
            after["name"],
            bus,
            trigger=after["event_pattern"],
            state=after["state"],
            description=after["description"],
            role_arn=current.role_arn if current else None,
            tags=None if current else after["tags"],
        )
        yield f"put the rule {after['name']}"
    if current:
        to_set, to_remove = tag_writes(current.tags, after["tags"])
        if to_set:
            api.tag(events, current.arn, to_set)
            yield f"set the tags {', '.join(sorted(to_set))}"
        if to_remove:
            api.untag(events, current.arn, to_remove)
            yield f"removed the tags {', '.join(to_remove)}"
    return {"arn": arn}


def _delete(events: Any, bus: str, before: Mapping[str, Any]) -> Iterator[str]:
    ids = [target["id"] for target in before["targets"]]
    for some in hundreds(ids):
        event_targets.remove_targets(events, before["name"], bus, some)
        yield f"removed the targets {', '.join(some)}"
    api.delete_rule(events, before["name"], bus)
    yield f"deleted the rule {before['name']}"
