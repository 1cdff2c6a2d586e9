# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring a schedule into its wanted state: the calls in order, and the waits between them.

Both classes have the same interface: ``current`` is the existing schedule in the shape of the result, ``foreign`` names
the unknown parts of its target, and ``write(change)`` makes the writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..._core.change import Change, tag_writes
from ..._core.errors import Refused
from ..._core.schedules.by_rule import TARGET_ID, check_is_schedule, rule_schedule, target_id_of
from ..._core.schedules.schedule import RULE, WantedSchedule
from ..calls import event_rules, event_targets, scheduler
from ..shapes.scheduled_target import target, target_request
from .waits import Writes, when_role_is_ready

BUS = "default"  # the only bus whose rules may have a schedule
TAG_KEYS = ("Key", "Value")


class LiveSchedule:
    """A schedule of EventBridge Scheduler."""

    def __init__(self, client: Callable[[str], Any], wanted: WantedSchedule) -> None:
        self.scheduler = client("scheduler")
        self.wanted = wanted
        self.region = self.scheduler.meta.region_name
        found = scheduler.get(self.scheduler, wanted.group, wanted.name)
        self.current, self.foreign = found or (None, ())
        if wanted.present and not found and not scheduler.group_exists(self.scheduler, wanted.group):
            raise Refused(
                f"group_name: the schedule group {wanted.group} does not exist. Create it with "
                f"'aws scheduler create-schedule-group --name {wanted.group}', or omit group_name"
            )

    def write(self, change: Change) -> Writes:
        if change.after is None:
            scheduler.delete(self.scheduler, self.wanted.group, self.wanted.name)
            yield "deleted the schedule"
            return None
        schedule, token = change.after, uuid.uuid4().hex
        put, said = (scheduler.create, "created") if change.before is None else (scheduler.update, "updated")
        yield from when_role_is_ready(lambda: put(self.scheduler, schedule, token))
        yield f"{said} the schedule"
        return None


class LiveRule:
    """An EventBridge rule with a schedule and one target, which is ours."""

    def __init__(self, client: Callable[[str], Any], wanted: WantedSchedule) -> None:
        self.events = client("events")
        self.wanted = wanted
        self.region = self.events.meta.region_name
        self.target_id = TARGET_ID
        self.current: dict[str, Any] | None = None
        self.foreign: tuple[str, ...] = ()
        rule = event_rules.describe_rule(self.events, wanted.name, BUS)
        if rule is None:
            self.targets: list[dict[str, Any]] = []
            return
        check_is_schedule(rule)
        self.targets = event_targets.list_targets(self.events, wanted.name, BUS) or []
        arns = {each["Id"]: each["Arn"] for each in self.targets}
        self.target_id = target_id_of(rule.name, arns, wanted.state_machine_arn)
        nothing = {"Arn": None}  # for a rule whose target is missing
        known, self.foreign = target(self.targets[0] if self.targets else nothing)
        tags = None if wanted.tags is None else event_rules.tags_of(self.events, rule.arn)
        self.current = rule_schedule(rule, known, tags)

    def write(self, change: Change) -> Writes:
        name = self.wanted.name
        if change.after is None:
            if self.targets:
                event_targets.remove_targets(self.events, name, BUS, [self.target_id])
                yield "removed the target"
            event_rules.delete_rule(self.events, name, BUS)
            yield "deleted the rule"
            return None
        schedule = change.after
        if change.differs("schedule_expression", "enabled", "description"):
            event_rules.put_rule(
                self.events,
                name,
                BUS,
                trigger=schedule["schedule_expression"],
                state="ENABLED" if schedule["enabled"] else "DISABLED",
                description=schedule["description"],
                tags=schedule["tags"] if change.before is None else None,
            )
            yield "put the rule"
        if change.before is not None and change.differs("tags"):
            yield from self._write_tags(change.before["tags"], schedule)
        if change.differs("target"):
            request = {"Id": self.target_id, **target_request(schedule["target"], TAG_KEYS)}
            yield from when_role_is_ready(lambda: event_targets.put_target(self.events, name, BUS, request))
            yield "put the target"
        return None

    def _write_tags(self, before: Mapping[str, str], schedule: Mapping[str, Any]) -> Iterator[str]:
        to_set, to_remove = tag_writes(before, schedule["tags"])
        if to_set:
            event_rules.tag(self.events, schedule["arn"], to_set)
            yield "set tags"
        if to_remove:
            event_rules.untag(self.events, schedule["arn"], to_remove)
            yield "removed tags"


def look(client: Callable[[str], Any], wanted: WantedSchedule) -> LiveSchedule | LiveRule:
    return (LiveRule if wanted.using == RULE else LiveSchedule)(client, wanted)
