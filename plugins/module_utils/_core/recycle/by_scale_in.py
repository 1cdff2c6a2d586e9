# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Stop stale tasks by scale-in: the run protects the tasks that must stay, and ECS drains and stops the others."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from .decide import Action, Grow, History, Observation, ScaleIn, Wait, decide_scale_in
from .pace import Pace
from .progress import Progress
from .session import Steps
from .shield import Shield, lift

_SLOW = 60.0  # seconds between two checks of the protections while ECS stops tasks for a lower count


class ByScaleIn:
    """Lowers the desired count for each step, and raises it again for the next one."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._session = progress.session
        self._shield = Shield(progress.session)
        self._drains = Pace(progress.session.settings.wait_delay, ())
        self._seen_draining = 0.0  # seconds after the count was lowered at which ECS had not finished yet
        self._asked_clock = 0.0
        self._spare: set[str] = set()  # ARNs of the tasks that ECS may stop for a lower count
        self._unanswered: tuple[int, History] | None = None  # a lower count that ECS may have set, and the history then

    def close_step(self, seen: Observation) -> None:
        progress = self._progress
        if progress.history.draining:
            # ECS may keep more tasks than the count if it had started some to replace unhealthy ones.
            missing = len(progress.step) < progress.history.draining
            if seen.stale and missing and (seen.live > seen.desired or seen.unknown):
                self._seen_draining = self._session.elapsed
                return
            self._drains.learn(self._seen_draining, self._session.elapsed)
            progress.history = replace(progress.history, draining=0)
            if progress.step:
                progress.report_step(progress.unreported[: len(progress.step)])
        elif progress.launching and seen.whole and seen.fresh_good >= progress.history.surge > 0:
            progress.launching = False
            progress.learn()

    def decide(self, seen: Observation) -> Action:
        if self._unanswered:
            count, history = self._unanswered
            if seen.desired == count:
                self._note_lowered(history)
            self._unanswered = None
        progress = self._progress
        return decide_scale_in(progress.plan, self._session.settings, seen, progress.history, progress.pause)

    def act(self, action: Action, seen: Observation) -> Steps[bool]:
        progress, clock = self._progress, self._session.world.clock()
        if isinstance(action, Grow):
            yield from self._grow(action.surge)
        elif isinstance(action, ScaleIn):
            yield from self._lower(action, seen)
        elif isinstance(action, Wait):
            if progress.history.draining and (
                clock - self._asked_clock > _SLOW or self._shield.fading(self._to_keep())
            ):
                self._asked_clock = clock
                yield from self._hold()
            yield from progress.wait(action, self._pace)
        return False

    def make_way(self) -> Steps[None]:
        """End the protections, because a deployment cannot stop protected tasks."""
        yield from lift(self._session)
        self._shield.forget()

    @property
    def _pace(self) -> Pace:
        return self._drains if self._progress.history.draining else self._progress.pace

    def _grow(self, surge: int) -> Steps[None]:
        """Add the tasks for the next step."""
        progress, session = self._progress, self._session
        more = surge - progress.history.surge
        session.note(surge=surge)
        service = yield from session.look()
        yield from session.change_desired(session.desired(service), lambda found: found + more)
        progress.changed(replace(progress.history, surge=surge), launching=True)
        yield from session.rest(self._pace.pause(session.elapsed))

    def _lower(self, action: ScaleIn, seen: Observation) -> Steps[None]:
        """Lower the count if all protections are as they must be; otherwise return for another look."""
        session = self._session
        self._spare = {task.arn for task in action.among or self._progress.todo.values()}
        held, settled = yield from self._shield.cover(self._to_keep(), self._spare)
        self._skip(held)
        if held or not settled:
            return
        wanted = seen.desired - action.count
        self._unanswered = (wanted, action.history)
        if (yield from session.try_desired(seen.desired, wanted)):
            self._note_lowered(action.history)
            yield from session.rest(self._pace.pause(session.elapsed))

    def _to_keep(self) -> list[str]:
        return [task.arn for task in self._progress.knowledge.living if task.arn not in self._spare]

    def _hold(self) -> Steps[None]:
        """Check protections while ECS stops tasks: a task may protect itself, or its own protection may end."""
        for _try in range(2):  # the first may only read the protections
            held, settled = yield from self._shield.cover(self._to_keep(), self._spare, lowered=True)
            self._skip(held)
            if settled:
                return

    def _note_lowered(self, history: History) -> None:
        self._unanswered = None
        self._seen_draining = 0.0
        self._asked_clock = self._progress.step_clock = self._session.world.clock()
        self._progress.changed(history, launching=False)
        self._session.report.changed = True
        self._session.note(surge=history.surge)

    def _skip(self, held: Collection[str]) -> None:
        """Skip the stale tasks with the ARNs ``held``, which have come under protection."""
        for task in [task for task in self._progress.todo.values() if task.arn in held]:
            self._progress.skip(task, "protected")
