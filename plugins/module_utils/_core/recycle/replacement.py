# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Replacing stale tasks: the loop that looks, decides and acts between the surge and giving back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from ..errors import Failed
from .by_scale_in import ByScaleIn
from .by_stop_task import ByStopTask
from .decide import Action, Finish, GiveUp, Observation, Raise, Replan, ScaleIn, Stop, Wait
from .giving_back import give_back_added
from .looking import Lookout
from .model import Service, Task
from .pace import LONGEST
from .plan import Plan
from .progress import Progress
from .session import Session, Steps
from .settings import SCALE_IN

# Longest time in seconds that ECS takes, by default, to stop a task whose agent is connected: the deregistration delay
# of its target group (300) plus the stop timeout of its containers (30).
_LINGERS = 330.0


class Stopping(Protocol):
    """A method of stopping stale tasks. After each look, the loop calls ``close_step``, ``decide`` and ``act``."""

    def close_step(self, seen: Observation) -> None:
        """Report the current step once ``seen`` shows that it is complete, and learn how long it took."""

    def decide(self, seen: Observation) -> Action:
        """Choose the next action. The loop itself handles Finish, Replan, GiveUp and Raise."""

    def act(self, action: Action, seen: Observation) -> Steps[bool]:
        """Carry out any other action, including waiting. Return whether all tasks are known to be replaced and good."""

    def make_way(self) -> Steps[None]:
        """Remove whatever would block a deployment that has begun."""


class Replacement:
    """Replaces the tasks of one plan. It owns the state, which is in ``Progress``."""

    def __init__(
        self, session: Session, plan: Plan, service: Service, tasks: Iterable[Task], has_health_check: bool
    ) -> None:
        self._session = session
        self._progress = progress = Progress(session, plan, service, tasks, has_health_check)
        way = ByScaleIn if session.settings.stop_method == SCALE_IN else ByStopTask
        self._stopping: Stopping = way(progress)
        self._lookout = Lookout(progress, self._stopping.make_way)
        self._outdated = False
        self.knowledge, self.owner = progress.knowledge, progress.owner

    def run(self, raised: bool) -> Steps[bool]:
        """Replace tasks until none is stale. Return False if a deployment came in between and the run must plan again.

        ``raised``: the surge was added just now, so it is too early to look. Raise Failed if the run cannot go on.
        """
        progress, session = self._progress, self._session
        progress.launching = raised
        try:
            if raised:
                yield from session.rest(progress.pace.pause(session.elapsed))
            while not (yield from self._go_on()):
                pass
            if self._outdated and progress.step:
                progress.report_step(progress.unreported)
            return not self._outdated
        finally:
            session.report.remaining = [*progress.todo.values(), *progress.plan.later]
            session.report.failures = list(progress.knowledge.failed.values())

    def _go_on(self) -> Steps[bool]:
        """Look, decide and act once. Return whether nothing is left to do with this plan."""
        progress, session = self._progress, self._session
        began = session.world.clock()
        seen = yield from self._look()
        if seen is None:
            yield from session.rest(progress.pace.pause(session.elapsed))
            return False
        action = self._stopping.decide(seen)
        if isinstance(action, Finish | Replan):
            self._outdated = isinstance(action, Replan)
            return True
        opens_step = isinstance(action, Stop | ScaleIn) and not progress.history.open_stops
        if opens_step or (isinstance(action, Wait) and action.at_most is not None):
            yield from session.heed_alarms()
        if isinstance(action, GiveUp):
            raise Failed(action.why)
        if isinstance(action, Raise):
            yield from self._raise_again(action.surge, seen)
        elif isinstance(action, Wait) or not session.is_late(began):
            return (yield from self._stopping.act(action, seen))
        return False

    def _look(self) -> Steps[Observation | None]:
        seen = yield from self._lookout.look()
        if seen:
            self._stopping.close_step(seen)
        return seen

    def _raise_again(self, surge: int, seen: Observation) -> Steps[None]:
        """Add the surge again after someone else removed it or it was used up."""
        progress, session = self._progress, self._session
        history, wanted = progress.history, progress.plan.original + surge
        session.report.warnings.append(
            f"the desired count of {session.title} was {seen.desired} instead of {wanted}, and was raised again"
        )
        used_up = history.surge == 0  # others may have added tasks, which are not ours to give back
        progress.history = replace(history, surge=surge, raises=history.raises + 1, open_stops=0, last_step=False)
        session.note(surge=surge)
        service = yield from session.look()
        yield from session.change_desired(
            session.desired(service), lambda found: found + surge if used_up else max(found, wanted)
        )
        progress.events.clear()

    def bake(self) -> Steps[None]:
        """Watch the new tasks for ``bake_time``. Raise Failed for too many failures, a refusal, or an alarm."""
        session = self._session
        until = session.world.clock() + session.settings.bake_time
        if not session.report.replaced:
            return
        while session.world.clock() < until:
            yield from session.heed_alarms()
            seen = yield from self._look()
            if seen and seen.refusal:
                raise Failed(seen.refusal)
            yield from session.rest(min(LONGEST, until - session.world.clock() + 0.001))
        if session.settings.bake_time:
            yield from session.heed_alarms()

    @property
    def lingering(self) -> list[tuple[Task, float]]:
        """Tasks that still run long after they were told to stop, with the seconds since then."""
        clock, told = self._session.world.clock(), self._progress.stopped_clock
        since = ((task, clock - told.get(task.id, clock)) for task in self.knowledge.leaving)
        return [(task, seconds) for task, seconds in since if seconds > _LINGERS]

    def give_back(self) -> Steps[None]:
        """Give back what was added to the desired count."""
        yield from give_back_added(self._progress, self._lookout)
