# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Replacing stale tasks by scale-in: what is to stay is protected, and ECS drains and stops the rest itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from .decide import Action, Grow, History, Limits, Observation, ScaleIn, Wait, decide_scale_in
from .model import Service, Task
from .pace import Pace
from .plan import Plan
from .replacement import Replacement
from .session import Session, Steps
from .shield import Shield, lift

_STOPPED = re.compile(r"has stopped \d+ running tasks?", re.IGNORECASE)
_TASK_ID = re.compile(r"\b[0-9a-f]{32}\b")
_SLOW = 60.0  # seconds after which it is asked whether the stale tasks have come under protection


class ScalingIn(Replacement):
    """The same looks and steps; but the desired count is lowered, and raised again for the next step."""

    def __init__(
        self, session: Session, plan: Plan, service: Service, tasks: Iterable[Task], has_health_check: bool
    ) -> None:
        super().__init__(session, plan, service, tasks, has_health_check)
        self._shield = Shield(session)
        self._drains = Pace(session.policy.wait_delay, ())
        self._seen_draining = 0.0  # seconds after the count was lowered at which ECS had not done it all
        self._asked_clock = 0.0
        self._unanswered: tuple[int, History] | None = None  # a lower count that may have been carried out

    def _decide(self, limits: Limits, seen: Observation) -> Action:
        if self._unanswered:
            count, history = self._unanswered
            if seen.desired == count:
                self._note_lowered(history)
            self._unanswered = None
        return decide_scale_in(self._plan, limits, seen, self._history)

    # ---- looking

    def _first(self) -> list[str]:
        """When ECS has said which tasks it stopped, those; else the oldest ones, as it may be any."""
        if not self._history.draining:
            return super()._first()
        told = (task_id for e in self._events if _STOPPED.search(e.message) for task_id in _TASK_ID.findall(e.message))
        return [task_id for task_id in told if task_id in self._todo] or super()._first()

    def _note_departed(self, task: Task) -> None:
        if len(self._step) < self._history.draining:
            self._step.append(task)
            self.knowledge.mark_victim(task)  # on an instance it holds its place for a while

    def _make_way(self) -> Steps[None]:
        """A deployment cannot stop what is protected."""
        yield from lift(self._session)
        self._shield.forget()

    def _close_step(self, seen: Observation) -> None:
        if self._history.draining:
            if seen.stale and (seen.live > seen.desired or seen.unknown):
                self._seen_draining = self._session.elapsed
                return
            self._drains.learn(self._seen_draining, self._session.elapsed)
            self._history = replace(self._history, draining=0)
            good = [task_id for task_id in self.knowledge.fresh_order if task_id not in self._reported]
            if self._step:
                self._report_step(good[: len(self._step)])
        elif self._launching and seen.whole and seen.fresh_good >= self._history.surge > 0:
            self._launching = False
            self._learn()

    # ---- acting

    def _carry_out(self, action: Action, seen: Observation) -> Steps[bool]:
        if isinstance(action, Grow):
            yield from self._grow(action.surge)
        elif isinstance(action, ScaleIn):
            yield from self._scale_in(action, seen)
        return False

    def _next_look(self) -> float:
        pace = self._drains if self._history.draining else self._pace
        return pace.pause(self._session.elapsed)

    @property
    def _surge_again(self) -> int:
        return self._history.surge

    def _scale_in(self, action: ScaleIn, seen: Observation) -> Steps[None]:
        """Lower the count, unless there was something to protect first: then another look comes before it."""
        session = self._session
        keep = [task.arn for task in self.knowledge.living if task.id not in self._todo]
        held, settled = yield from self._shield.cover(keep, [task.arn for task in self._todo.values()])
        self._skip(held)
        if held or not settled:
            return
        wanted = seen.desired - action.count
        self._unanswered = (wanted, action.history)
        if (yield from session.try_desired(seen.desired, wanted)):
            self._note_lowered(action.history)
            yield from session.rest(self._next_look())

    def _note_lowered(self, history: History) -> None:
        session = self._session
        self._unanswered = None
        self._history = history
        self._launching = False
        self._seen_draining = 0.0
        self._asked_clock = self._step_clock = session.world.clock()
        self._events.clear()
        session.report.changed = True
        session.note(surge=history.surge)

    def _grow(self, surge: int) -> Steps[None]:
        """Add the tasks for the next step."""
        session, more = self._session, surge - self._history.surge
        session.note(surge=surge)
        service = yield from session.look()
        yield from session.change_desired(session.desired(service), lambda found: found + more)
        self._history = replace(self._history, surge=surge)
        self._launching = True
        self._not_whole = 0.0
        self._events.clear()
        yield from session.rest(self._next_look())

    def _skip(self, held: set[str]) -> None:
        """Stale tasks that have come under protection."""
        for task in [task for task in self._todo.values() if task.arn in held]:
            del self._todo[task.id]
            self._session.report.skipped.append((task, "protected"))

    def _bide(self, action: Wait) -> Steps[None]:
        clock = self._session.world.clock()
        if self._history.draining and clock - self._asked_clock > _SLOW:
            self._asked_clock = clock
            self._skip((yield from self._shield.ask([task.arn for task in self._todo.values()])))
        yield from super()._bide(action)
