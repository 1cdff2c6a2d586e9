# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Choose the next action of a recycle from the plan, the latest look and what was done so far.

Every result here depends on the arguments alone. The loop in ``replacement`` makes the observation, carries out the
action and comes back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

from .model import Task
from .plan import Plan
from .settings import Settings

# Someone else may remove the added tasks a few times by accident. More often means a conflict.
_RAISES = 3


@dataclass(frozen=True)
class Observation:
    """One look, in numbers. None of them includes tasks that we stopped."""

    clock: float  # when the look began
    elapsed: float  # seconds since our last action
    desired: int
    healthy: int  # certain to be good
    live: int  # known and meant to run
    unknown: int  # counted by ECS, not known by name
    unclear: int  # how many of the unknown ones may be tasks that we stopped and that ended while we looked
    fresh_good: int  # created since the run began, and good
    fresh_bad: int  # created since the run began, not good yet
    failed: str | None  # message that the PRIMARY deployment has failed
    deploying: str | None  # description of the deployment in progress
    outdated: bool  # a deployment has begun since the plan was made
    refusal: str | None  # message why ECS cannot provide what was asked for
    room: str | None  # message that ECS found no room and the run waits for it
    lacking: str  # description of a task that is not good or is missing, and of what it lacks
    last_said: str  # what ECS said last, as the end of a message
    stale: int  # tasks still to be replaced
    next_stale: tuple[Task, ...]  # the first of them, enough for one step; those that are not good come first
    next_good: frozenset[str]  # ids of those in ``next_stale`` that are good, or may be

    @property
    def free(self) -> int:
        """Return how many tasks at the start of ``next_stale`` are not good. Stopping them costs no healthy task."""
        return next((i for i, task in enumerate(self.next_stale) if task.id in self.next_good), len(self.next_stale))

    def without(self, task: Task) -> Observation:
        """Return the observation after ``task``, one of ``next_stale``, was stopped."""
        return replace(
            self,
            healthy=self.healthy - (task.id in self.next_good),
            live=self.live - 1,
            stale=self.stale - 1,
            next_stale=tuple(each for each in self.next_stale if each.id != task.id),
        )

    @property
    def whole(self) -> bool:
        """Return whether every task that should run is there and known by name, and every new task is good."""
        return self.live >= self.desired and self.fresh_bad == 0 and self.unknown == 0


@dataclass(frozen=True)
class History:
    """What the run has done so far that later decisions depend on."""

    surge: int  # tasks added and not given back
    open_stops: int = 0  # stops that the present step may still make
    raises: int = 0
    stops: int = 0
    draining: int = 0  # with scale_in: tasks that ECS must stop because the count was lowered
    last_step: bool = False  # the present step's tasks are not replaced: the added ones take their places


@dataclass(frozen=True)
class Wait:
    """Wait, because nothing can be done now."""

    why: str
    at_most: float | None = None  # seconds, if it is known when to look again


@dataclass(frozen=True)
class Raise:
    """Raise the desired count again, to the original count plus ``surge``."""

    surge: int


@dataclass(frozen=True)
class Stop:
    """Stop one task. With ``lower``, lower the desired count by one at once, so that ECS does not replace it."""

    task: Task
    lower: bool
    history: History  # after this stop, which opens or continues a step


@dataclass(frozen=True)
class Grow:
    """Raise the desired count to the original count plus ``surge`` for the next step of ``scale_in``."""

    surge: int


@dataclass(frozen=True)
class ScaleIn:
    """Protect every task that must stay, then lower the desired count by ``count``."""

    count: int
    history: History  # after this action, which opens a step
    among: tuple[Task, ...] = ()  # the tasks that ECS may stop; any stale task if empty


@dataclass(frozen=True)
class Replan:
    """Plan again: a deployment has ended since the plan, so revision, target groups and stale tasks may differ."""


@dataclass(frozen=True)
class Finish:
    """Finish: nothing stale is left, and every task that should run is running."""


@dataclass(frozen=True)
class GiveUp:
    """The run cannot go on. ``why`` says what the run waited for and what AWS said."""

    why: str


Action: TypeAlias = "Wait | Raise | Stop | Grow | ScaleIn | Replan | Finish | GiveUp"


def choose_pause(settings: Settings, before: int, done: int, total: int) -> float:
    """Return the seconds to wait after a step that took the replaced tasks from ``before`` to ``done`` of ``total``."""
    reached = any(before < math.ceil(total * percent / 100) <= done for percent in settings.checkpoints)
    return settings.checkpoint_wait if reached else settings.batch_wait


def decide(plan: Plan, settings: Settings, seen: Observation, history: History, pause: float = 0.0) -> Action:
    """Choose the next action of a run that stops tasks itself. First match wins.

    ``pause``: seconds left of the pause between two steps.
    """
    late = seen.elapsed > settings.wait_timeout and not seen.room
    obstacle = _find_obstacle(plan, settings, seen, history, late)
    if obstacle:
        return obstacle
    consumed = plan.surge > 0 and history.surge == 0 and not history.open_stops
    if consumed or seen.desired < plan.original + history.surge:
        return _raise(plan, seen, history, plan.surge)
    if history.open_stops:
        return _go_on(plan, settings, seen, history, late)
    # If protection keeps more tasks than the count, they occupy the added places, and ECS starts none.
    if not seen.whole or max(seen.fresh_good, seen.healthy - plan.original) < history.surge:
        what = "replacements" if history.stops else "the added tasks" if history.surge else "the tasks of the service"
        return _wait(late, settings, seen, f"{what} to become good")
    if pause > 0:
        return Wait("batch_wait", at_most=pause)
    return _open_step(plan, settings, seen, history, late)


def decide_scale_in(plan: Plan, settings: Settings, seen: Observation, history: History, pause: float = 0.0) -> Action:
    """Choose the next action of a run that lowers the desired count and lets ECS stop tasks. First match wins."""
    late = seen.elapsed > settings.wait_timeout and not seen.room
    obstacle = _find_obstacle(plan, settings, seen, history, late)
    if obstacle:
        return obstacle
    if history.draining:
        return _wait(late, settings, seen, f"ECS to stop {history.draining} of the stale tasks for the lower count")
    if seen.desired < plan.original + history.surge:
        return _raise(plan, seen, history, history.surge)
    if not seen.whole or seen.fresh_good < history.surge:
        return _wait(late, settings, seen, "the added tasks to become good")
    if pause > 0:
        return Wait("batch_wait", at_most=pause)
    added = min(plan.surge, seen.stale)  # no more than can still take the place of a stale task
    if history.surge < added:
        return Grow(added)
    count = min(plan.batch, history.surge, seen.stale)
    among: tuple[Task, ...] = ()
    if seen.free:
        count = min(count, seen.free)
        among = seen.next_stale[:count]
    elif seen.healthy - count < plan.floor:
        return _wait(late, settings, seen, f"room for {count} stops above the floor of {plan.floor} healthy tasks")
    after = replace(history, surge=history.surge - count, draining=count, stops=history.stops + count)
    return ScaleIn(count, after, among)


def is_done(plan: Plan, seen: Observation, history: History) -> bool:
    """Return whether every stale task is replaced. The last step needs no new tasks: if as many tasks are good as at
    the start, any new task that is not good is surplus: ECS started it before the count was lowered. The run withdraws
    it and does not wait for it."""
    good = not seen.unknown and seen.healthy >= plan.original
    surplus = history.last_step and good and 0 < seen.fresh_bad <= history.surge
    return not seen.stale and (seen.whole or surplus)


def _find_obstacle(plan: Plan, settings: Settings, seen: Observation, history: History, late: bool) -> Action | None:
    """Return the action that takes precedence over all others, however tasks are stopped; None if there is none."""
    if seen.failed:
        return GiveUp(seen.failed)
    if seen.deploying:
        if settings.on_deployment != "wait":
            return GiveUp(f"{seen.deploying}. Run again when it has ended, or set on_deployment: wait")
        if seen.elapsed <= settings.deployment_timeout:
            return Wait(seen.deploying)
        return GiveUp(
            f"waited {settings.deployment_timeout:.0f} s (deployment_timeout), but {seen.deploying}. Run again when it"
            " has ended"
        )
    if seen.outdated:
        return Replan()
    if seen.refusal:
        return GiveUp(seen.refusal)
    if not seen.stale:
        done = is_done(plan, seen, history)
        return Finish() if done else _wait(late, settings, seen, "the last replacements to become good")
    if seen.desired < plan.original:
        return GiveUp(
            f"someone else lowered the desired count to {seen.desired} while tasks were being replaced; it was"
            f" {plan.original} at the start. Run again to replace the other tasks at that count"
        )
    return None


def _raise(plan: Plan, seen: Observation, history: History, surge: int) -> Action:
    if history.raises > _RAISES:
        return GiveUp(
            f"the tasks that were added before the first stop were removed again {history.raises} times:"
            f" the desired count is {seen.desired} instead of {plan.original + history.surge}. Find out what sets it"
            " (a scaling policy, a scheduled action, a maximum capacity that is too low), or add it to"
            " suspend_scaling"
        )
    return Raise(surge)


def _open_step(plan: Plan, settings: Settings, seen: Observation, history: History, late: bool) -> Action:
    """Open the next step if there is room for all of its stops; otherwise wait.

    The last step stops as many tasks as were added: the added tasks take their places, so nothing is launched for
    them. The steps before are sized so that exactly that many are left.
    If there are too few healthy tasks, a step of tasks that are not good needs no room.
    """
    left = seen.stale
    last = left <= history.surge
    size = min(plan.batch, left if last else left - history.surge)
    cost = sum(1 for task in seen.next_stale[:size] if task.id in seen.next_good)
    if seen.healthy - cost < plan.floor and seen.free:
        size = min(size, seen.free)
    elif seen.healthy - cost < plan.floor:
        return _wait(late, settings, seen, f"room for {size} stops above the floor of {plan.floor} healthy tasks")
    opened = replace(history, open_stops=size, last_step=last)
    return _go_on(plan, settings, seen, opened, late)


def _go_on(plan: Plan, settings: Settings, seen: Observation, history: History, late: bool) -> Action:
    victim = seen.next_stale[0]
    if victim.id in seen.next_good and seen.healthy - 1 < plan.floor:
        return _wait(late, settings, seen, f"{plan.floor} healthy tasks besides the next one to stop")
    # One task more than the count means that ECS started a replacement before an earlier stop lowered the count. It
    # makes up for the next stop, and one added task is left to give back at the end.
    surplus = seen.live + seen.unknown - seen.desired
    if history.last_step and 0 < surplus <= seen.unclear and not late:
        return Wait("another look at what ECS counts", at_most=settings.wait_delay)
    lower = history.last_step and surplus <= 0
    after = replace(history, surge=history.surge - lower, open_stops=history.open_stops - 1, stops=history.stops + 1)
    return Stop(victim, lower=lower, history=after)


def _wait(late: bool, settings: Settings, seen: Observation, what: str) -> Action:
    if not late:
        return Wait(seen.room or what)
    nameless = f", {seen.unknown} more are counted and not listed yet" if seen.unknown else ""
    counts = f"{seen.healthy} of {seen.desired} tasks are healthy, {seen.fresh_good} of them new{nameless}"
    return GiveUp(
        f"waited {settings.wait_timeout:.0f} s (wait_timeout) for {what}: {seen.lacking or counts}{seen.last_said}"
    )


@dataclass(frozen=True)
class Leaving:
    """One look while giving back, in numbers."""

    desired: int
    target: int  # the desired count after everything is given back
    live: int  # known and meant to run
    nameless: int  # counted by ECS, not known by name
    healthy: int  # certain to be good
    bad: tuple[Task, ...]  # added tasks and stale tasks that are not good, the worst first
    spare: int = 0  # how many may be stopped without lowering the count; ECS replaces any more


@dataclass(frozen=True)
class Withdraw:
    """Stop an added or stale task that is not good. With ``lower``, lower the desired count by one at once."""

    task: Task
    lower: bool


@dataclass(frozen=True)
class Lower:
    """Lower the desired count: ECS may stop any task for it."""

    to: int


def decide_leaving(seen: Leaving, floor: int, patient: bool) -> Withdraw | Lower | Wait | Finish:
    """Choose the next action on the way to the desired count without the added tasks.

    For a lower count, ECS first stops tasks that do not run yet, then picks at random among those that run.
    So as long as some running tasks are not good, ECS must have none to pick from: the run stops them one by
    one, each with its share of the count. ``patient``: there is time to look again.
    """
    surplus = seen.live - seen.target
    if seen.nameless > 0 and patient:
        return Wait("tasks that ECS counts and does not name yet")
    if seen.target < seen.live < seen.desired:
        return Lower(seen.live)
    lower = seen.desired == seen.live
    if surplus > 0 and seen.bad and (lower or seen.spare > 0):
        # ECS may have started more tasks than the count by itself, to replace unhealthy ones.
        return Withdraw(seen.bad[0], lower)
    if surplus > 0 and (seen.bad or seen.healthy - surplus < floor) and patient:
        return Wait("ECS to replace tasks that are not healthy")
    return Lower(seen.target) if seen.target < seen.desired else Finish()
