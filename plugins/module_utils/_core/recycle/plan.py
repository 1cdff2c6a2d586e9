# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Plan a run, or refuse it with a reason. At this point nothing has been written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..amounts import iso
from ..errors import Refused
from .health import choose_level, choose_stabilize, is_good
from .model import SCALING_FLAGS, Scaling, Service, Task
from .record import Record, give_back
from .selector import Narrowing, Selector
from .settings import SCALE_IN, Settings
from .staleness import Selection


@dataclass(frozen=True)
class Plan:
    """What one run will do. Counts are numbers of tasks, instants are AWS's, durations are in seconds."""

    selector: str
    selection: Selection
    stale: tuple[Task, ...]  # to be replaced, in this order
    skipped: tuple[tuple[Task, str], ...]  # stale, but left alone, and why
    original: int  # desired count to return to
    surge: int
    floor: int  # fewest healthy tasks that our stops may leave
    batch: int  # stops in one step
    level: str
    stabilize: float
    begun: float
    suspend: tuple[str, ...]  # switches to turn on now and off at the end
    resumed: bool
    later: tuple[Task, ...] = ()  # stale tasks beyond the limit for one run
    unread: tuple[str, ...] = ()  # target groups whose health cannot be read: in these, only time counts

    @property
    def cutoff(self) -> float | None:
        return self.selection.cutoff

    @property
    def steps(self) -> int:
        return math.ceil(len(self.stale) / self.batch) if self.batch else 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "tasks": [task.arn for task in self.stale],
            "steps": self.steps,
            "batch_size": self.batch,
            "surge": self.surge,
            "minimum_healthy": self.floor,
            "wait_for": self.level,
            "stabilize_time": self.stabilize,
            "suspend_scaling": list(self.suspend),
        }


def missed_words(title: str, selector: Selector, narrowing: Narrowing, tasks: Iterable[Task]) -> list[str]:
    """Return warnings about values in the options that match no task of the service."""
    every = list(tasks)
    named = (
        ("tasks", selector.value if selector.kind == "tasks" else (), {task.id for task in every}),
        ("availability_zones", narrowing.availability_zones, {task.zone for task in every}),
        ("capacity_providers", narrowing.capacity_providers, {task.capacity_provider for task in every}),
    )
    return [
        f"{option} has {', '.join(missed)}, which matches no task of {title}"
        for option, wanted, there in named
        if (missed := sorted(set(wanted) - there))
    ]


@dataclass(frozen=True)
class Found:
    """What a plan is made from."""

    service: Service
    tasks: Sequence[Task]  # every one
    stale: Sequence[Task]
    protected: Collection[str]  # ARNs of the stale tasks under scale-in protection, if that matters
    selection: Selection
    begun: float
    has_health_check: bool
    scaling: Scaling | None = None
    record: Record | None = None  # of an abandoned run
    states: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # of the targets, by target group
    unread: tuple[str, ...] = ()  # target groups whose health cannot be read


def make_plan(settings: Settings, selector: Selector, found: Found) -> Plan:
    """Plan the run. Raise Refused if not a single task could be stopped without going below the floor."""
    service, record, scaling = found.service, found.record, found.scaling
    level = choose_level(settings.wait_for, service, found.has_health_check, found.unread)
    ordered = put_in_order(settings.order, found.stale)
    # Tasks that run but are not good come first: they carry no traffic.
    ordered.sort(key=lambda task: not task.running or is_good(task, level, found.has_health_check, found.states))
    free = [task for task in ordered if task.arn not in found.protected]
    held = [task for task in ordered if task.arn in found.protected]
    skips = settings.protected_tasks == "skip"
    stale = free if skips else free + held  # tasks to wait for come last
    todo, later = stale[: settings.max_tasks], stale[len(stale) if settings.max_tasks is None else settings.max_tasks :]
    # A count that was lowered after a run was abandoned is the new original.
    original = min(record.original, service.wanted) if record else service.wanted
    if record and record.surge and service.computed is not None:
        raise Refused(
            f"a run that did not end may have added tasks to service {service.name}, whose PRIMARY task set now has a"
            " scale below 100%. Run with state: restored first"
        )
    floor = math.ceil(original * settings.minimum_healthy_percent / 100)
    batch = min(settings.batch_size.of(original), max(len(todo), 1))
    surge = record.surge if record else 0
    if todo and service.wanted <= original:  # nothing is added yet, whatever the record says
        most = _choose_surge(settings, service, original, settings.batch_size.of(original)) if service.grows else 0
        surge = min(surge, most)
    if todo:
        if settings.stop_method == SCALE_IN:
            surge = max(surge, min(_surge_to_scale_in(settings, service, original, batch), len(todo)))
            batch = min(batch, surge)
        surge = surge or _choose_surge(settings, service, original, batch)
        batch = min(batch, original + surge - floor)
        if batch < 1:
            raise Refused(_no_room(settings, service, original, surge, floor))
    already = record.suspended if record else ()
    suspend = already
    if scaling and scaling.minimum <= service.desired <= scaling.maximum:
        asked = scaling_asked(settings, scaling)
        suspend = tuple(flag for flag in SCALING_FLAGS if flag in already or flag in asked)
    return Plan(
        selector=selector.kind,
        selection=found.selection,
        stale=tuple(todo),
        skipped=tuple((task, "protected") for task in held if skips),
        original=original,
        surge=surge,
        floor=floor,
        batch=batch,
        level=level,
        stabilize=choose_stabilize(settings.stabilize_time, service, found.has_health_check),
        begun=found.begun,
        suspend=suspend,
        resumed=record is not None,
        later=tuple(later),
        unread=found.unread,
    )


def follow_count(plan: Plan, settings: Settings, count: int) -> Plan:
    """Return the plan for the new ``count`` of a service to which no tasks can be added."""
    return replace(plan, original=count, floor=math.ceil(count * settings.minimum_healthy_percent / 100))


def put_in_order(order: str, tasks: Iterable[Task]) -> list[Task]:
    """Sort ``oldest`` or ``newest`` first; with ``az_spread``, the oldest of each zone, then the second of each."""
    by_age = sorted(tasks, key=lambda task: (task.created_at, task.arn))
    if order == "newest":
        by_age.reverse()
    if order != "az_spread":
        return by_age
    turn: Counter[str | None] = Counter()
    turns = {}
    for task in by_age:
        turns[task.arn] = turn[task.zone]
        turn[task.zone] += 1
    return sorted(by_age, key=lambda task: turns[task.arn])


def left_diff(service: Service, left: Record) -> dict[str, Any]:
    """Return the state before and after giving back what an abandoned run has left."""
    target = give_back(service.desired, left.original, left.surge)
    return {
        "before": {"desired_count": service.desired, "suspended": list(left.suspended), "record": left.text},
        "after": {"desired_count": target, "suspended": [], "record": None},
    }


def scaling_asked(settings: Settings, scaling: Scaling) -> tuple[str, ...]:
    """Return the switches to turn on: those that the options ask for and that are not on yet."""
    return tuple(flag for flag, on in scaling.as_dict().items() if flag in settings.suspend_scaling and not on)


def outside_words(title: str, service: Service, scaling: Scaling) -> str:
    """Return a warning: setting a switch registers the target, which moves a count outside its limits into them."""
    return (
        f"scaling of {title} was not suspended, because its desired count of {service.desired} is outside the limits"
        f" of its scalable target ({scaling.minimum} to {scaling.maximum}), and AWS would move it within them at once"
    )


def _choose_surge(settings: Settings, service: Service, original: int, batch: int) -> int:
    if not service.grows:
        if settings.surge:
            raise Refused(
                f"surge is {settings.surge}, but {_why_fixed(service)}. Set surge: 0 and a minimum_healthy_percent"
                " below 100"
            )
        return 0
    if settings.surge is not None:
        return settings.surge
    return max(0, min(batch, original * service.maximum_percent // 100 - original))


def _surge_to_scale_in(settings: Settings, service: Service, original: int, batch: int) -> int:
    """Return the surge, at least 1: only a count that was raised can be lowered again."""
    if not service.grows:
        raise Refused(f"stop_method is scale_in, but {_why_fixed(service)}. Set stop_method: stop_task")
    surge = _choose_surge(settings, service, original, batch)
    if surge < 1:
        raise Refused(
            f"stop_method: scale_in adds tasks before it lowers the desired count again, and maximumPercent"
            f" {service.maximum_percent} of service {service.name} allows surge: auto no task above {original}. Set"
            " surge: 1 to add one anyway, or stop_method: stop_task"
        )
    return surge


def _why_fixed(service: Service) -> str:
    if service.daemon:
        return f"service {service.name} runs one task on each instance (DAEMON), and no task can be added to it"
    return (
        f"the PRIMARY task set of service {service.name} has a scale below 100%, so no single task can be added"
        " to it through the desired count"
    )


def _no_room(settings: Settings, service: Service, original: int, surge: int, floor: int) -> str:
    asked = f"minimum_healthy_percent {settings.minimum_healthy_percent} of {original} tasks is {floor}"
    if not service.grows:
        why = _why_fixed(service)
        advice = "Set a minimum_healthy_percent that leaves room for one stop"
    elif settings.surge == 0:
        why = "with surge: 0 no task is added first"
        advice = "Set surge: auto, or a minimum_healthy_percent that leaves room for one stop"
    else:
        why = f"its maximumPercent of {service.maximum_percent} allows surge: auto {surge} more"
        advice = "Set surge: 1, or a minimum_healthy_percent that leaves room for one stop"
    return f"no task of service {service.name} could be stopped: {asked}, and {why}. {advice}"


def plan_diff(plan: Plan) -> dict[str, Any]:
    """Return before and after for --diff, from the plan alone, so that check mode and a real run show the same."""

    def rows(tasks: Sequence[Task]) -> list[str]:
        return [f"{task.id} created {iso(task.created_at)}" for task in tasks]

    kept = rows([task for task, _why in plan.skipped]) + rows(plan.later)
    return {"before": {"stale_tasks": rows(plan.stale) + kept}, "after": {"stale_tasks": kept}}
