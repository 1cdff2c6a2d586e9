# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fire the schedules of EventBridge Scheduler, and rules with a schedule, when they are due. Moto stores them.

Durations are divided by the speed: at speed 60, an at() that is an hour ahead fires in a minute, and an hourly rate
fires every minute.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from .. import stored
from ..account import Account
from ..ecs.events import envelope
from ..events.targets import Matched, deliver
from . import targets as schedule_targets
from .expression import next_due


@dataclass
class Timer:
    """When a schedule or rule that moto stores fires next."""

    made_of: tuple[Any, ...]  # if this changes, the timer is replaced
    expression: str
    zone: str
    began: float  # on AWS's clock, as are the next two
    nominal: float | None
    end: float | None
    due: float  # on this machine's clock

    def follow(self, speed: float) -> None:
        """Advance to the next time."""
        if self.nominal is not None:
            following = next_due(self.expression, self.nominal, self.began, self.zone)
            self.due += ((following or 0.0) - self.nominal) / speed
            self.nominal = following
        if self.nominal is not None and self.end is not None and self.nominal > self.end:
            self.nominal = None


def timer(account: Account, made_of: tuple[Any, ...], expression: str, zone: str, start: Any, end: Any) -> Timer:
    now = account.now()
    began = max(now, float(start or 0))
    first = next_due(expression, began, began, zone)
    due = time.time() + ((first or 0.0) - now) / account.speed
    made = Timer(made_of, expression, zone, began, first, None if end is None else float(end), due)
    if made.nominal is not None and made.end is not None and made.nominal > made.end:
        made.nominal = None
    return made


def poll(account: Account) -> None:
    """Fire everything that is due. The ticker calls this with the lock held."""
    scheduled = dict(known(account))
    for name in account.timers.keys() - scheduled.keys():
        del account.timers[name]
    for arn, (region, thing) in scheduled.items():
        is_rule = ":rule/" in arn
        expression = thing.scheduled_expression if is_rule else thing.schedule_expression
        zone = "UTC" if is_rule else thing.schedule_expression_timezone
        limits = (None, None) if is_rule else (thing.start_date, thing.end_date)
        made_of = (id(thing), expression, zone, *limits, thing.state)
        found = account.timers.get(arn)
        if found is None or found.made_of != made_of:
            try:
                account.timers[arn] = timer(account, made_of, expression, zone, *limits)
            except ValueError:  # moto accepts any text
                account.timers[arn] = Timer(made_of, expression, zone, 0.0, None, None, 0.0)
            continue
        if found.nominal is not None and found.due <= time.time() and thing.state != "DISABLED":
            nominal = found.nominal
            found.follow(account.speed)
            fire(account, region, thing, nominal)
            if not is_rule and found.nominal is None and thing.action_after_completion == "DELETE":
                remove(region, account, thing)


def known(account: Account) -> Iterator[tuple[str, tuple[str, Any]]]:
    """Yield everything that has a schedule: ARN, then region and moto's object."""
    for region, backend in stored.regions(scheduler_backends):
        for group in list(backend.schedule_groups.values()):
            for schedule in list(group.schedules.values()):
                yield schedule.arn, (region, schedule)
    for region, backend in stored.regions(events_backends):
        for rule in list(backend.event_buses["default"].rules.values()):
            if rule.scheduled_expression:
                yield rule.arn, (region, rule)


def remove(region: str, account: Account, schedule: Any) -> None:
    groups = scheduler_backends[account.number][region].schedule_groups
    groups[schedule.group_name].schedules.pop(schedule.name, None)


def fire(account: Account, region: str, thing: Any, scheduled: float) -> None:
    if ":rule/" not in thing.arn:
        schedule_targets.begin(schedule_targets.Fired(account, region, thing.arn, dict(thing.target), scheduled))
        return
    instant = scheduled - account.clock_offset
    event = envelope(account, region, "aws.events", "Scheduled Event", instant, [thing.arn], {})
    for target in list(thing.targets):
        deliver(Matched(account, thing.arn, dict(target), {**event, "id": str(uuid.uuid4())}), region)


def fire_now(account: Account, region: str, name: str) -> dict[str, Any]:
    """Fire a schedule or rule, by name or ARN, at once, even if disabled: the act `fire_schedule`."""
    with account.lock:
        for arn, (where, thing) in known(account):
            if where == region and name in (arn, thing.name):
                fire(account, region, thing, account.now())
                return {"fired": arn}
    raise LookupError(f"no schedule {name}")
