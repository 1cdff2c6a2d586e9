# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The state of one replacement: the tasks left to replace, what the run has done, and the step in progress."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from .decide import History, Wait, choose_pause
from .knowledge import Knowledge
from .model import Event, Service, Task
from .pace import LONGEST, Pace
from .plan import Plan
from .session import Session, Steps


class Progress:
    """The state that ``Replacement`` owns. The lookout and the stop method read and update it."""

    def __init__(
        self, session: Session, plan: Plan, service: Service, tasks: Iterable[Task], has_health_check: bool
    ) -> None:
        self.session = session
        self.plan = plan
        self.service = service  # from the last look
        self.owner = service.primary  # id of the deployment or task set whose tasks the run may stop
        # The owner's groups, kept for the whole run: during another deployment the service may name that one's groups.
        wanted = service.target_groups if plan.level == "target_healthy" else ()
        self.groups = [group for group in wanted if group not in plan.unread]
        resumed = session.world.now() if plan.resumed else None
        self.knowledge = Knowledge(
            plan.begun, plan.level, has_health_check, plan.stabilize, self.groups, self.owner, resumed
        )
        self.knowledge.see(tasks, session.world.now())
        self.knowledge.new_events(service)  # earlier events are not about this run
        self.pace = Pace(session.settings.wait_delay, tasks)
        self.history = History(surge=plan.surge)
        self.todo = {task.id: task for task in plan.stale}
        self.events: list[Event] = []  # since the run's last change
        self.failed_starts: list[Event] = []  # since the run began
        self.launching = False  # whether ECS is launching tasks because of the run's last change
        self.step: list[Task] = []  # tasks stopped in this step, until all of them are replaced
        self.stopped_clock: dict[str, float] = {}  # task id -> when ECS was told to stop it
        self.step_clock = 0.0  # when the step's first task was told to stop, or the count was lowered for the step
        self._not_whole = 0.0  # seconds from the run's last change to the last look that found replacements missing
        self._whole_clock = session.world.clock() - session.settings.batch_wait
        self._pause = session.settings.batch_wait  # seconds before the next step
        self._reported: set[str] = set()

    def next_stale(self, count: int) -> tuple[Task, ...]:
        """Return the next tasks to replace. Tasks that are not good come first, because they carry no traffic."""
        if not self.knowledge.has_limping:
            return tuple(islice(self.todo.values(), count))
        return tuple(sorted(self.todo.values(), key=lambda task: not self.knowledge.is_limping(task))[:count])

    @property
    def pause(self) -> float:
        """Seconds left of the pause before the next step."""
        return self._pause - (self.session.world.clock() - self._whole_clock)

    @property
    def unreported(self) -> list[str]:
        """Ids of the new tasks that are good and not yet reported by any step."""
        return [task_id for task_id in self.knowledge.fresh_order if task_id not in self._reported]

    def wait(self, action: Wait, pace: Pace) -> Steps[None]:
        """Rest until the next look. ``pace`` chooses when that is, unless the action does."""
        elapsed = self._not_whole = self.session.elapsed
        yield from self.session.rest(pace.pause(elapsed) if action.at_most is None else min(LONGEST, action.at_most))

    def changed(self, history: History, launching: bool) -> None:
        """Note that the run has changed the service, so earlier looks and events no longer count."""
        self.history, self.launching = history, launching
        self._not_whole = 0.0
        self.events.clear()

    def note_departed(self, task_id: str) -> None:
        """Note that a task is gone although no answer confirmed that this run stopped it."""
        task = self.todo.pop(task_id, None)
        if task and task.id in self.knowledge.doubtful:  # this run did stop it, and the answer was lost
            self.session.report.changed = True
            self.note_stopped(task)
        elif task and len(self.step) < self.history.draining:  # ECS stopped it because of the lower count
            self.knowledge.mark_victim(task)  # on an instance, it still holds its place for a while
            self.note_stopped(task)

    def note_stopped(self, task: Task) -> None:
        """Note that a stale task was stopped because of this run and is not replaced yet."""
        told = self.stopped_clock.setdefault(task.id, self.session.world.clock())
        if not self.step and not self.history.draining:
            self.step_clock = told
        self.step.append(task)
        self.session.report.stopped += 1

    def replaced_by_added(self, task: Task) -> None:
        """Note that a stale task was stopped while giving back. One of the added tasks replaces it."""
        del self.todo[task.id]
        new = self.unreported[:1]
        self._reported.update(new)
        self.session.report.replaced.append((task, [self.knowledge.arn(task_id) for task_id in new], 0.0))

    def skip(self, task: Task, why: str) -> None:
        del self.todo[task.id]
        self.session.report.skipped.append((task, why))

    def learn(self) -> None:
        """Learn how long a replacement takes. The newest task cannot have been good before it ran."""
        acted_at = self.session.acted_at
        ran = [task.started_at - acted_at for task in self.knowledge.fresh if task.started_at is not None]
        self.pace.learn(max([self._not_whole, *ran]), self.session.elapsed)

    def report_step(self, new: list[str]) -> None:
        """Report the step as complete. The tasks with the ids ``new`` replace those that were stopped."""
        self._reported.update(new)
        seconds = self.session.world.clock() - self.step_clock
        names = [self.knowledge.arn(task_id) for task_id in new]
        # ECS does not say which new task replaces which old one, so the new ones are distributed.
        share = len(self.step)
        self.session.report.replaced.extend((task, names[i::share], seconds) for i, task in enumerate(self.step))
        self.session.report.watch.step_done(self.step, names, seconds, len(self.todo))
        self.step = []
        self._whole_clock = self.session.world.clock()
        total = len(self.plan.stale)
        done = total - len(self.todo)
        self._pause = choose_pause(self.session.settings, done - share, done, total)
