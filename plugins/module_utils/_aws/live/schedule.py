# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A schedule brought into its state: the calls in their order, and the waits between them.

Both kinds answer alike: ``current``, the schedule there is, in the shape of the result; ``foreign``, parts of its
target that are not known here; and ``write(change)``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ..._core.change import Change
from ..._core.errors import Refused
from ..._core.events.rule import Rule
from ..._core.schedules.schedule import RULE, WantedSchedule
from ..calls import event_rules, event_targets, scheduler
from ..shapes.scheduled_target import target, target_request
from .waits import Writes, when_role_is_ready

TARGET_ID = "schedule"
BUS = "default"  # the only one whose rules may have a schedule
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
                f"group_name: there is no schedule group {wanted.group}. Make it with "
                f"'aws scheduler create-schedule-group --name {wanted.group}', or leave group_name out"
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
    """A rule of EventBridge with a schedule and one target of ours."""

    def __init__(self, client: Callable[[str], Any], wanted: WantedSchedule) -> None:
        self.events = client("events")
        self.wanted = wanted
        self.region = self.events.meta.region_name
        self.current: dict[str, Any] | None = None
        self.foreign: tuple[str, ...] = ()
        rule = event_rules.describe_rule(self.events, wanted.name, BUS)
        if rule is None:
            self.targets: list[dict[str, Any]] = []
            return
        if rule.pattern_text or rule.managed_by:
            whose = f"is managed by {rule.managed_by}" if rule.managed_by else "waits for events"
            raise Refused(f"There is a rule {wanted.name} already, which {whose}. Take another name")
        self.targets = event_targets.list_targets(self.events, wanted.name, BUS) or []
        others = [each["Id"] for each in self.targets if each["Id"] != TARGET_ID]
        if others:
            raise Refused(
                f"The rule {wanted.name} has targets of somebody else: {', '.join(others)}. "
                "Take another name, or remove those first"
            )
        self._read(rule)

    def _read(self, rule: Rule) -> None:
        nothing = {"Arn": None}  # a rule whose target was lost
        known, self.foreign = target(self.targets[0] if self.targets else nothing)
        self.current = {
            "name": rule.name,
            "group_name": "default",
            "using": RULE,
            "arn": rule.arn,
            "enabled": rule.state != "DISABLED",
            "schedule_expression": rule.schedule,
            "schedule_expression_timezone": "UTC",
            "flexible_time_window": None,
            "start_date": None,
            "end_date": None,
            "description": rule.description or None,
            "kms_key_arn": None,
            "action_after_completion": "NONE",
            "target": known,
        }

    def write(self, change: Change) -> Writes:
        name = self.wanted.name
        if change.after is None:
            if self.targets:
                event_targets.remove_targets(self.events, name, BUS, [TARGET_ID])
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
            )
            yield "put the rule"
        if change.differs("target"):
            request = {"Id": TARGET_ID, **target_request(schedule["target"], TAG_KEYS)}
            yield from when_role_is_ready(lambda: event_targets.put_target(self.events, name, BUS, request))
            yield "put the target"
        return None


def look(client: Callable[[str], Any], wanted: WantedSchedule) -> LiveSchedule | LiveRule:
    return (LiveRule if wanted.using == RULE else LiveSchedule)(client, wanted)
