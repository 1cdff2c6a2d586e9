# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Rules of EventBridge, as they are found and as they are written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from ..._core.change import Change, tag_writes
from ..._core.errors import CallFailed
from ..._core.failures.rule import Rule
from ..calls import event_rules as api

Item = TypeVar("Item")
Page = tuple[list[Item], "str | None"]


def find_rule(events: Any, name: str, bus: str, to_delete: bool = False) -> Rule | None:
    """The rule with its tags, which takes two calls. ``to_delete``: with its targets; no bus is no rule then."""
    try:
        rule = api.describe_rule(events, name, bus)
    except CallFailed as error:
        if to_delete and error.code == api.NOT_FOUND:
            return None
        raise
    if rule is None:
        return None
    rule = replace(rule, tags=api.tags_of(events, rule.arn))
    return replace(rule, targets=targets_of(events, name, bus)) if to_delete else rule


def find_rules(events: Any, bus: str, name: str | None, prefix: str | None) -> list[Rule]:
    """One rule, those that begin with a prefix, or all of a bus; with tags and targets."""
    if name is None:
        found = list(_all(lambda page: api.list_rules(events, bus, prefix, page)))
    else:
        rule = api.describe_rule(events, name, bus)
        found = [rule] if rule else []
    return [
        replace(rule, tags=api.tags_of(events, rule.arn), targets=targets_of(events, rule.name, bus)) for rule in found
    ]


def targets_of(events: Any, name: str, bus: str) -> list[dict[str, Any]]:
    """All targets of a rule."""
    return list(_all(lambda page: api.list_targets(events, name, bus, page)))


def write_rule(events: Any, bus: str, current: Rule | None, change: Change) -> Generator[str, None, Mapping[str, Any]]:
    """Make the change; yields what has been done, returns what only AWS knows of a new rule."""
    if change.after is None:
        yield from _delete(events, bus, change.before or {})
        return {}
    after, arn = change.after, current.arn if current else None
    if change.differs("event_pattern", "state", "description"):
        arn = api.put_rule(
            events,
            after["name"],
            bus,
            pattern=after["event_pattern"],
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
    for start in range(0, len(ids), api.AT_ONCE):
        some = ids[start : start + api.AT_ONCE]
        api.remove_targets(events, before["name"], bus, some)
        yield f"removed the targets {', '.join(some)}"
    api.delete_rule(events, before["name"], bus)
    yield f"deleted the rule {before['name']}"


def _all(ask: Callable[[str | None], Page[Item]]) -> Iterator[Item]:
    """Everything, page after page."""
    page: str | None = None
    while True:
        found, page = ask(page)
        yield from found
        if page is None:
            return
