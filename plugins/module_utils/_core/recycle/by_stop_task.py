# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Stop stale tasks one by one with StopTask, without taking the service below the floor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..errors import CallFailed, Failed
from .decide import Action, Observation, Stop, Wait, decide, is_done
from .knowledge import PER_CALL
from .model import Task
from .pace import LONGEST
from .progress import Progress
from .session import Steps
from .shield import lift

_HOLDS = 3.0  # seconds for which the stops of a step may rely on one look
_PROTECTION_HOLDS = 1.0  # ... and on one answer about protections: a task protects itself when it gets work
_BEFORE_REACTION = 3.0  # seconds after a stop within which ECS has not started a replacement


class ByStopTask:
    """Stops tasks that ECS then replaces, except in the last step, where the added tasks take their places."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._session = progress.session
        self._added: list[str] = []  # ids of the tasks that the surge added
        self._protections: tuple[float, dict[str, float | None]] = 0.0, {}  # clock of the call, ARN -> end or None
        self._held: dict[str, float] = {}  # task id -> clock when it was first found protected

    def close_step(self, seen: Observation) -> None:
        progress = self._progress
        history = progress.history
        if (history.open_stops and seen.stale) or not (seen.whole or is_done(progress.plan, seen, history)):
            return
        progress.launching = False
        good = progress.unreported
        if not history.stops and seen.fresh_good >= history.surge > 0 and not self._added:
            progress.learn()
            self._added = good
        if progress.step and history.last_step:
            progress.report_step(self._added or good)
        elif progress.step:
            progress.learn()
            progress.report_step([task_id for task_id in good if task_id not in self._added])

    def decide(self, seen: Observation) -> Action:
        progress = self._progress
        return decide(progress.plan, self._session.settings, seen, progress.history, progress.pause)

    def act(self, action: Action, seen: Observation) -> Steps[bool]:
        progress = self._progress
        if isinstance(action, Stop):
            whole = yield from self._stop(action, seen)
            while follows := self._next_of_step(action, seen):
                self._session.heed_ending()
                action, seen = follows
                whole = yield from self._stop(action, seen)
            if progress.history.open_stops:
                return False
            if whole and not progress.todo:
                progress.report_step(self._added)
                return True
            yield from self._session.rest(progress.pace.pause(self._session.elapsed))
        elif isinstance(action, Wait):
            yield from progress.wait(action, progress.pace)
        return False

    def _next_of_step(self, done: Stop, seen: Observation) -> tuple[Stop, Observation] | None:
        """Return the stop that may follow the one just made without another look, and the observation behind it.

        A step only opens when there is room for all of its stops, so one look is good for a moment. The last step needs
        a new look after each stop, to see how ECS reacts.
        """
        progress = self._progress
        was_stopped = done.task.id not in progress.todo
        fresh = self._session.world.clock() - seen.clock <= _HOLDS
        if not (was_stopped and fresh and progress.history.open_stops) or progress.history.last_step:
            return None
        seen = seen.without(done.task)
        action = self.decide(seen) if seen.next_stale else None
        return (action, seen) if isinstance(action, Stop) else None

    def make_way(self) -> Steps[None]:
        """End protections: a run that this one took over from may have used scale-in and protected tasks for it."""
        yield from lift(self._session)

    def _stop(self, action: Stop, seen: Observation) -> Steps[bool]:
        """Stop a task. Return True if an added task took its place before ECS could start another, and no added tasks
        are left to give back: then everything is whole."""
        progress, session, task = self._progress, self._session, action.task
        reason = f"{session.settings.reason} (ecs_service_recycle {session.me.owner})".strip()
        asked = False
        try:
            if session.settings.protected_tasks != "recycle":
                entered = session.world.clock()
                protected = yield from self._is_protected(task, seen.next_stale[: action.history.open_stops + 1])
                if session.is_late(entered):
                    return False
                if protected:
                    yield from self._meet_protected(task)
                    return False
            began, asked = session.world.clock(), True
            progress.stopped_clock[task.id] = began
            known = session.world.stop_task(task.arn, reason)
            # An earlier try whose answer was lost may have stopped it long ago.
            too_late = task.id in progress.knowledge.doubtful or session.world.clock() - began > _BEFORE_REACTION
        except CallFailed as failure:
            if failure.kind == "final":
                raise
            if asked and failure.kind == "passing":
                progress.knowledge.mark_doubtful(task)
            # After a pause the observation is too old, so look again. The task is still the next to stop.
            yield from session.rest(session.settings.wait_delay)
            return False
        progress.knowledge.mark_victim(task)
        del progress.todo[task.id]
        healthy = seen.healthy - (task.id in seen.next_good)
        session.report.changed = True
        session.report.saw_healthy(healthy)
        session.report.watch.stopped(task, healthy)
        if not known:
            session.report.skipped.append((task, "already gone"))
        progress.note_stopped(task)
        session.acted()
        progress.changed(action.history, launching=True)
        if not action.lower:
            return False
        if too_late or not (yield from session.try_desired(seen.desired, seen.desired - 1)):
            # Too late: ECS may have started a replacement by now, so this counts as an ordinary stop.
            progress.history = replace(action.history, surge=action.history.surge + 1, last_step=False)
            return False
        # If nothing is left to give back, the record is about to be removed and needs no write now.
        session.note(at_once=action.history.surge > 0, surge=action.history.surge)
        return action.history.surge == 0

    def _is_protected(self, task: Task, next_stale: Iterable[Task]) -> Steps[bool]:
        """Return whether others protect the task. Protections that an abandoned run made do not count.

        ``next_stale``: the tasks that the step may stop, including ``task``; one call asks about all of them.
        """
        session = self._session
        asked, ends = self._protections
        if task.arn not in ends or session.world.clock() - asked > _PROTECTION_HOLDS:
            arns = [each.arn for each in next_stale][:PER_CALL]
            yield from session.meet(session.world.protected_until, arns)
            asked, found = session.world.clock(), session.world.protected_until(arns)
            ends = {arn: found.get(arn) for arn in arns}
            self._protections = asked, ends
        end = ends[task.arn]
        return end is not None and not session.held.shields(end)

    def _meet_protected(self, task: Task) -> Steps[None]:
        """Skip a protected task, or put it behind the others and wait for it once only protected ones are left."""
        session, todo = self._session, self._progress.todo
        if session.settings.protected_tasks == "skip":
            self._progress.skip(task, "protected")
            return
        todo[task.id] = todo.pop(task.id)
        now = session.world.clock()
        self._held.setdefault(task.id, now)
        if not self._held.keys() >= todo.keys():
            return
        limit = session.settings.protected_timeout
        if now - min(self._held[task_id] for task_id in todo) > limit:
            raise Failed(
                f"waited {limit:g} s for the scale-in protection of {', '.join(todo)} to end. Run the same task again"
                " later, or set protected_tasks to skip or recycle"
            )
        yield from session.rest(min(LONGEST, max(session.settings.wait_delay, limit / 20)))
