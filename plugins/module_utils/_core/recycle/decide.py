# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The next action of a recycle, from what was decided, what is seen and what was done so far.

Everything here is a function of its arguments. The loop in ``replacement`` makes the observation, carries out the
action and comes back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

from .model import Task
from .plan import Plan
from .settings import Settings

# Someone else may remove the added tasks once or twice by accident. More often is a conflict.
_RAISES = 3


@dataclass(frozen=True)
class Observation:
    """One look, in numbers. Tasks that we stopped are in none of them."""

    clock: float  # when it began
    elapsed: float  # seconds since the last action of ours
    desired: int
    healthy: int  # surely good
    live: int  # known and meant to run
    unknown: int  # counted by ECS, not known by name
    unclear: int  # of these, so many may be tasks that we stopped and that ended while we looked
    fresh_good: int  # created since the run began, and good
    fresh_bad: int  # created since the run began, not good yet
    failed: str | None  # that the PRIMARY deployment has failed, in words
    deploying: str | None  # the deployment in progress, in words
    outdated: bool  # a deployment has begun since the plan was made
    refusal: str | None  # why ECS cannot give what was asked, in words
    room: str | None  # that ECS found no place, while it is waited for one, in words
    lacking: str  # a task that is not good, or not there, and what it lacks, in words
    last_said: str  # what ECS said last, as the end of a message
    stale: int  # tasks still to be replaced
    next_stale: tuple[Task, ...]  # the first of them, enough for one step; those that are not good come first
    next_good: frozenset[str]  # ids of those that are good, or may be

    @property
    def free(self) -> int:
        """So many of the first stale tasks are not good: to stop them takes nothing from the healthy ones."""
        return next((i for i, task in enumerate(self.next_stale) if task.id in self.next_good), len(self.next_stale))

    def without(self, task: Task) -> Observation:
        """The same after ``task`` was stopped, which is one of ``next_stale``."""
        return replace(
            self,
            healthy=self.healthy - (task.id in self.next_good),
            live=self.live - 1,
            stale=self.stale - 1,
            next_stale=tuple(each for each in self.next_stale if each.id != task.id),
        )

    @property
    def whole(self) -> bool:
        """Everything that should run is there, is known by name, and all that is new is good."""
        return self.live >= self.desired and self.fresh_bad == 0 and self.unknown == 0


@dataclass(frozen=True)
class History:
    """What the run has done so far, as far as later decisions need it."""

    surge: int  # tasks added and not given back
    open_stops: int = 0  # stops that the present step may still make
    raises: int = 0
    stops: int = 0
    draining: int = 0  # tasks that ECS is to stop for the count that was lowered last, with scale_in
    last_step: bool = False  # the present step's tasks are not replaced: the added ones take their places


@dataclass(frozen=True)
class Wait:
    """Nothing can be done now."""

    why: str
    at_most: float | None = None  # seconds, where it is known when to look again


@dataclass(frozen=True)
class Raise:
    """Raise the desired count again, to the original and ``surge`` tasks."""

    surge: int


@dataclass(frozen=True)
class Stop:
    """Stop one task; with ``lower``, take one off the desired count at once so that it is not replaced."""

    task: Task
    lower: bool
    history: History  # with the step that this stop opens or goes on with


@dataclass(frozen=True)
class Grow:
    """Raise the desired count to the original and ``surge`` tasks for the next step of ``scale_in``."""

    surge: int


@dataclass(frozen=True)
class ScaleIn:
    """Put every task under protection that is to stay, then lower the desired count by ``count``."""

    count: int
    history: History  # with the step that this opens
    among: tuple[Task, ...] = ()  # that ECS may stop; any of the stale ones if empty


@dataclass(frozen=True)
class Replan:
    """A deployment has ended since the plan was made: revision, target groups and stale tasks may be others."""


@dataclass(frozen=True)
class Finish:
    """Nothing stale is left, and what should run runs."""


@dataclass(frozen=True)
class GiveUp:
    """It cannot go on. The reason says what was waited for and what AWS said."""

    why: str


Action: TypeAlias = "Wait | Raise | Stop | Grow | ScaleIn | Replan | Finish | GiveUp"


def choose_pause(settings: Settings, before: int, done: int, total: int) -> float:
    """Seconds to wait when a step has brought the replaced tasks from ``before`` to ``done`` of ``total``."""
    reached = any(before < math.ceil(total * percent / 100) <= done for percent in settings.checkpoints)
    return settings.checkpoint_wait if reached else settings.batch_wait


def decide(plan: Plan, settings: Settings, seen: Observation, history: History, pause: float = 0.0) -> Action:
    """Choose the next action of a run that stops tasks itself. First match wins.

    ``pause``: seconds that are left of the pause between two steps.
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
    # Where protection keeps more tasks than the count, those hold the added places, and ECS starts none.
    if not seen.whole or max(seen.fresh_good, seen.healthy - plan.original) < history.surge:
        what = "replacements" if history.stops else "the added tasks" if history.surge else "the tasks of the service"
        return _wait(late, settings, seen, f"{what} to become good")
    if pause > 0:
        return Wait("batch_wait", at_most=pause)
    return _open_step(plan, settings, seen, history, late)


def decide_scale_in(plan: Plan, settings: Settings, seen: Observation, history: History, pause: float = 0.0) -> Action:
    """The same where ECS stops the stale tasks itself, for a lower desired count. First match wins."""
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
    added = min(plan.surge, seen.stale)  # so many of them can still take the place of a stale one
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
    """Whether all is replaced. In the last step nothing is to be started, so what is not good after it, with as many
    good as there were, is surplus: ECS was quicker than a lower count. It is withdrawn and not waited for."""
    good = not seen.unknown and seen.healthy >= plan.original
    surplus = history.last_step and good and 0 < seen.fresh_bad <= history.surge
    return not seen.stale and (seen.whole or surplus)


def _find_obstacle(plan: Plan, settings: Settings, seen: Observation, history: History, late: bool) -> Action | None:
    """What comes before all else, whichever way tasks are stopped."""
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
    """A step begins when there is room for all of its stops.

    The last step takes as many as were added: their places are taken by the added tasks, so nothing is
    launched for them. The steps before are cut so that just that many are left.
    Where healthy tasks are short, a step of those that are not good needs no room.
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
    # One more than the count means that ECS was quicker with a replacement than a lower count was before: it
    # stands for the next stop, and one of the added tasks is left to be given back at the end.
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
    target: int  # the desired count once all is given back
    live: int  # known and meant to run
    nameless: int  # counted by ECS, not known by name
    healthy: int  # surely good
    bad: tuple[Task, ...]  # added ones that are not good, and stale ones that are not, the worst first
    spare: int = 0  # so many may be stopped with no lower count; more than these, ECS starts again


@dataclass(frozen=True)
class Withdraw:
    """Stop an added task again; with ``lower``, take one off the desired count at once."""

    task: Task
    lower: bool


@dataclass(frozen=True)
class Lower:
    """Lower the desired count: what ECS stops for it may be any."""

    to: int


def decide_leaving(seen: Leaving, floor: int, patient: bool) -> Withdraw | Lower | Wait | Finish:
    """The next action towards the desired count that is left when all that was added is given back.

    For a lower count ECS stops tasks that do not run yet, and then picks at random among those that run.
    So it must be left nothing to pick from as long as some that run are not good: they are stopped one
    by one, each with its share of the count. ``patient``: there is time to look again.
    """
    surplus = seen.live - seen.target
    if seen.nameless > 0 and patient:
        return Wait("tasks that ECS counts and does not name yet")
    if seen.target < seen.live < seen.desired:
        return Lower(seen.live)
    lower = seen.desired == seen.live
    if surplus > 0 and seen.bad and (lower or seen.spare > 0):
        # ECS may have started more than the count by itself, in place of unhealthy ones.
        return Withdraw(seen.bad[0], lower)
    if surplus > 0 and (seen.bad or seen.healthy - surplus < floor) and patient:
        return Wait("ECS to replace tasks that are not healthy")
    return Lower(seen.target) if seen.target < seen.desired else Finish()
