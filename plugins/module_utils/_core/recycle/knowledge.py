# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Keep what is known about the tasks of a service, and how fresh it is.

A look describes at most a hundred tasks in one call: first those from which a change is expected, then, in the room
that is left, those that were not seen for the longest time. So every look sees every task of a service of up to a
hundred tasks, and goes through larger services in turn without further calls. The cost of a look here depends on how
many tasks it describes, not on how many the service has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from .health import FAILING, is_good
from .lacking import lacking_words
from .model import RUNNING, Event, Service, Targets, Task
from .service_events import STARTED, meaning_of

PER_CALL = 100
_GRAIN = 1.0  # AWS's clock is read in whole seconds

TASK_ID = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


class Knowledge:
    """Tasks by id, combined from inventories and many partial looks.

    *Live* tasks belong to the run's own deployment; ECS means to keep them, and we did not stop them. *Fresh*
    tasks are live and were created since the run began. *Good* tasks are live and pass every required check, fresh
    ones for long enough. *Foreign* tasks were launched by another deployment or task set: they are subtracted from
    ECS's counts, and never stopped.
    """

    def __init__(
        self,
        begun: float,
        level: str,
        has_health_check: bool,
        stabilize: float,
        groups: Iterable[str],
        owner: str,
        resumed: float | None = None,
    ) -> None:
        """``owner``: id of the deployment or task set whose tasks the run may stop.

        ``resumed``: the instant at which this run took over from one that began at ``begun``.
        """
        self._owner = owner
        self._begun = begun
        # A task created in the second in which the clock was read may have existed, and failed, before the takeover.
        self._watched_from = begun if resumed is None else resumed + _GRAIN
        self._level = level
        self._checked = has_health_check
        self._stabilize = stabilize
        self._states: dict[str, Mapping[str, str]] = {group: {} for group in groups}  # of targets, by target group
        self._reasons: dict[str, Mapping[str, str]] = {}  # why targets are not healthy, by target group
        self._tasks: dict[str, Task] = {}  # the least recently seen first
        self._live: dict[str, Task] = {}
        self._fresh: dict[str, Task] = {}
        self._good: set[str] = set()
        self._good_since: dict[str, float] = {}
        self._limping: set[str] = set()  # live and RUNNING, but not good
        self._foreign: dict[str, Task] = {}  # meant to run, and launched by another deployment
        self._leaving: dict[str, Task] = {}
        self._freed_at = 0.0  # AWS instant by which the last victim had left the place that it held
        self._newest_event = ""
        self.expected: set[str] = set()  # ids from "has started" events that were not described yet
        self.victims: set[str] = set()  # tasks that we have told ECS to stop
        self.doubtful: set[str] = set()  # tasks that we may have told ECS to stop; as far as we know they run
        self.departed: set[str] = set()  # tasks that are gone and are not victims
        self.failed: dict[str, Task] = {}  # fresh tasks that ended by themselves
        self.fresh_order: list[str] = []  # ids of fresh tasks in the order in which they became good

    # ---- what comes in

    def see(self, tasks: Iterable[Task], now: float, asked: Iterable[str] = ()) -> None:
        """Take in described tasks. Those in ``asked`` that are not among them are gone."""
        seen = set()
        for task in tasks:
            seen.add(task.id)
            self.expected.discard(task.id)
            self._tasks.pop(task.id, None)
            self._tasks[task.id] = task
            self._file(task, now)
        for gone in set(asked) - seen:
            self.expected.discard(gone)
            self._has_left(gone, now)
            self._forget(gone)

    def see_targets(self, group: str, found: Targets, now: float) -> None:
        """Take in the state of every target of a target group."""
        self._states[group], self._reasons[group] = found.states, found.reasons
        for task in list(self._live.values()):
            self._file(task, now)

    def keep_only(self, ids: Iterable[str]) -> None:
        """Forget the tasks that are not among ``ids``, because an inventory does not list them."""
        for gone in set(self._tasks) - set(ids):
            self._forget(gone)

    def new_events(self, service: Service) -> list[Event]:
        """Return events not seen before, oldest first. Tasks that they name as started are expected from now on."""
        new: list[Event] = []
        for event in service.events:
            if event.id == self._newest_event:
                break
            new.insert(0, event)
        if new:
            self._newest_event = new[-1].id
        for event in new:
            if event.at >= self._begun and meaning_of(event.message) == STARTED:
                self.expected.update(
                    task_id for task_id in TASK_ID.findall(event.message) if task_id not in self._tasks
                )
        return new

    def mark_victim(self, task: Task) -> None:
        """Note that we told ECS to stop a task."""
        self.victims.add(task.id)
        self.doubtful.discard(task.id)
        self._unfile(task.id)
        self._leaving[task.id] = task

    def mark_doubtful(self, task: Task) -> None:
        """Note that we told ECS to stop a task, but the answer was lost."""
        self.doubtful.add(task.id)
        self._good.discard(task.id)
        if task.id in self._live and task.running:
            self._limping.add(task.id)

    # ---- what is known

    @property
    def live(self) -> int:
        return len(self._live)

    @property
    def living(self) -> Iterable[Task]:
        return self._live.values()

    @property
    def fresh(self) -> Iterable[Task]:
        return self._fresh.values()

    @property
    def fresh_good(self) -> int:
        return sum(task_id in self._good for task_id in self._fresh)

    @property
    def leaving(self) -> Iterable[Task]:
        """Return the victims that ECS may still count as running, or that still hold their place on an instance."""
        return self._leaving.values()

    @property
    def freed_at(self) -> float:
        """Return when (AWS instant) victims last held CPU, memory and ports of an instance; infinite while one does."""
        return math.inf if any(task.on_instance for task in self.leaving) else self._freed_at

    @property
    def mixed(self) -> bool:
        """Return whether another deployment has tasks too. They do not count as healthy here."""
        return bool(self._foreign)

    def arn(self, task_id: str) -> str:
        """Return the ARN of a task, or its id if the task was never described or is gone."""
        return self._tasks[task_id].arn if task_id in self._tasks else task_id

    @property
    def running_victims(self) -> int:
        """Return how many victims were last seen RUNNING. ECS may count them."""
        return sum(task.status == RUNNING for task in self._leaving.values())

    def nameless(self, service: Service, running_victims: int | None = None) -> int:
        """Return how many tasks ECS counts that are not known by name; below 0 if more are known than it counts.

        ``running_victims``: how many victims ECS may have counted. If omitted, those last seen RUNNING.
        """
        counted = service.running + service.pending - len(self._foreign)
        most = self.live + (self.running_victims if running_victims is None else running_victims)
        return counted - most if counted > most else min(0, counted - self.live)

    def good(self, task: Task) -> bool:
        return task.id in self._good

    def is_limping(self, task: Task) -> bool:
        """Return whether a task is live and running, but not good."""
        return task.id in self._limping

    @property
    def has_limping(self) -> bool:
        return bool(self._limping)

    def on_probation(self, task: Task) -> bool:
        """Return whether a task passes every check, but not for long enough yet."""
        return task.id in self._good_since and task.id not in self._good

    def worst_first(self, others: Iterable[Task]) -> list[Task]:
        """Return fresh tasks that are not good, those on probation last, then running ``others`` that are not good."""
        bad = [task for task in self._fresh.values() if task.id not in self._good]
        # Tasks that ECS itself considers unhealthy come first: it is already replacing them.
        bad.sort(key=lambda task: (self.on_probation(task), not self._is_failing(task), not task.running))
        return bad + [task for task in others if task.id in self._limping and task.id not in self._fresh]

    def lacking(self, desired: int) -> str:
        """Describe what one task lacks to be good, or how many are missing, and a stopped task still in the way."""
        bad = self.worst_first(self._live.values())
        parts = []
        if bad:
            since = self._good_since.get(bad[0].id)
            targets = {group: Targets(states, self._reasons.get(group, {})) for group, states in self._states.items()}
            parts.append(lacking_words(bad[0], self._level, self._checked, targets, since, self._stabilize))
        elif len(self._live) < desired:
            parts.append(f"ECS runs {len(self._live)} of {desired} tasks")
        if held := next((task for task in self._leaving.values() if task.on_instance or not bad), None):
            parts.append(f"task {held.id}, which was stopped, still holds its place ({held.status})")
        return "; ".join(parts)

    def healthy(self, service: Service) -> int:
        """Return how many tasks are certain to be good: at most those known to be good, and at most what ECS counts."""
        foreign = sum(task.running for task in self._foreign.values())
        return min(len(self._good), max(0, service.running - foreign - len(self._limping)))

    def to_describe(self, first: Iterable[str]) -> list[str]:
        """Return the names for one look: ``first``, then tasks in flight, then the least recently seen."""
        wanted = dict.fromkeys(first)
        wanted.update(dict.fromkeys(sorted(self.expected)))
        wanted.update(dict.fromkeys(self._leaving))
        wanted.update((task_id, None) for task_id in self._fresh if task_id not in self._good)
        room = -(-max(len(wanted), 1) // PER_CALL) * PER_CALL
        for task_id in self._tasks:
            if len(wanted) >= room:
                break
            if task_id in self._live:
                wanted[task_id] = None
        return [self.arn(task_id) for task_id in wanted]

    # ---- inside

    def _is_failing(self, task: Task) -> bool:
        said = (states.get(each) for group, states in self._states.items() for each in task.targets.get(group, ()))
        return task.health == "UNHEALTHY" or any(state in FAILING for state in said)

    def _file(self, task: Task, now: float) -> None:
        """Put one task into the sets that it belongs to."""
        if task.id in self.victims:
            if task.status == RUNNING or (task.on_instance and task.status != "STOPPED"):
                self._leaving[task.id] = task
            else:
                self._has_left(task.id, now)
            return
        if task.started_by != self._owner:
            self._foreign.pop(task.id, None)
            if not task.stopping and task.status != "STOPPED":
                self._foreign[task.id] = task
            return
        if task.stopping or task.status == "STOPPED":
            self._note_end(task)
            self._unfile(task.id)
            self.departed.add(task.id)
            return
        self._live[task.id] = task
        fresh = task.created_at >= self._begun
        if fresh:
            self._fresh[task.id] = task
        if self._is_good(task, fresh, now):
            self._good.add(task.id)
            self._limping.discard(task.id)
        else:
            self._good.discard(task.id)
            (self._limping.add if task.running else self._limping.discard)(task.id)

    def _is_good(self, task: Task, fresh: bool, now: float) -> bool:
        if task.id in self.doubtful or not is_good(task, self._level, self._checked, self._states):
            self._good_since.pop(task.id, None)
            return False
        if not fresh or task.id in self._good:  # a task that ran before needs no probation
            return True
        since = self._good_since.setdefault(task.id, now)
        if self._level == "running" and task.started_at is not None:
            since = min(since, task.started_at)
        if now - since < self._stabilize:
            return False
        if task.id not in self.fresh_order:
            self.fresh_order.append(task.id)
        return True

    def _has_left(self, task_id: str, now: float) -> None:
        victim = self._leaving.pop(task_id, None)
        if victim and victim.on_instance:
            self._freed_at = now + _GRAIN

    def _note_end(self, task: Task) -> None:
        ours = task.created_at >= self._watched_from or task.id in self._fresh
        if not ours or not task.stop_code:  # failures before a takeover were handled by the earlier run
            return
        by_itself = task.stop_code in ("TaskFailedToStart", "EssentialContainerExited")
        if by_itself or "health checks" in (task.stopped_reason or ""):
            self.failed.setdefault(task.id, task)

    def _unfile(self, task_id: str) -> None:
        for store in (self._live, self._fresh, self._good_since):
            store.pop(task_id, None)
        self._good.discard(task_id)
        self._limping.discard(task_id)

    def _forget(self, task_id: str) -> None:
        self._tasks.pop(task_id, None)
        self._leaving.pop(task_id, None)
        self._foreign.pop(task_id, None)
        self._unfile(task_id)
        if task_id not in self.victims:
            self.departed.add(task_id)
