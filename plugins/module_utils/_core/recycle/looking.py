# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Look at a service with as few calls as the next decision needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from ..errors import CallFailed, Failed
from .decide import Observation
from .health import missing_words
from .knowledge import PER_CALL, TASK_ID
from .model import RUNNING, Service, Task
from .plan import follow_count
from .progress import Progress
from .said import Said, find_failure, find_standing, last_words, listen, refusal_words
from .service_events import FAILED_START, HARMLESS, STARTED, meaning_of
from .service_state import deployment_words, failure_words
from .session import Session, Steps

# Capacity providers that AWS itself fills: capacity that is missing now may be available in minutes.
ON_DEMAND = frozenset({"FARGATE", "FARGATE_SPOT"})
_LISTED_AFTER = 20  # multiple of wait_delay after which an inventory that lacked a task is taken again
_FOR_CAPACITY = 900.0  # seconds to wait for room, if capacity is added on demand
_BLIND_SPELL = 60.0  # seconds for which ECS's counts alone are trusted while tasks launch


def inventory(session: Session) -> Steps[list[Task]]:
    """Return every task that ECS means to keep running."""
    arns = yield from session.call(session.world.list_tasks)
    tasks: list[Task] = []
    if arns:
        tasks = yield from session.call(session.world.describe_tasks, arns)
    return [task for task in tasks if not task.stopping and task.status != "STOPPED"]


class Lookout:
    """Looks at the service, and keeps what ``Progress`` knows of it, its events and its tasks up to date."""

    def __init__(self, progress: Progress, make_way: Callable[[], Steps[None]]) -> None:
        """``make_way`` is called when a deployment is first seen."""
        self._progress = progress
        self._session = progress.session
        self._make_way = make_way
        self._described_clock = self._inventory_clock = progress.session.world.clock()
        self._mismatch: tuple[int, int] | None = None  # counts for which an inventory was taken
        self._deploying = self._outdated = False
        self._described: set[str] = set()  # ids of the tasks that the last look asked for
        self._grows: bool | None = None  # whether capacity is added on demand; None until asked
        self._waits_for_room = False

    def look(self) -> Steps[Observation | None]:
        """Observe the service. Return None if ECS's counts alone show a launch as expected, which saves a call."""
        progress, session, world = self._progress, self._session, self._session.world
        knowledge, report = progress.knowledge, session.report
        began = world.clock()
        service = progress.service = yield from session.look()
        counted_victims = knowledge.running_victims  # at most: some may have ended before ECS counted them
        new = knowledge.new_events(service)
        progress.events.extend(new)
        progress.failed_starts.extend(event for event in new if meaning_of(event.message) == FAILED_START)
        desired = session.desired(service) if service.computed is None else service.computed
        report.saw_desired(desired)
        if not service.grows and not progress.plan.surge and desired != progress.plan.original:
            progress.plan = follow_count(progress.plan, session.settings, desired)
        if self._launches_as_expected(service, desired):
            return None
        if self._deploying != service.deploying:
            session.acted_clock = world.clock()  # the run waits for something else from now on
            if service.deploying:
                yield from self._make_way()
        self._deploying = service.deploying
        self._outdated = self._outdated or service.deploying or service.primary != progress.owner
        yield from self.describe(self._first())
        nameless = knowledge.nameless(service)
        if nameless and not progress.history.open_stops:  # within a step the counts keep changing
            again = world.clock() - self._inventory_clock > _LISTED_AFTER * session.settings.wait_delay
            if self._mismatch != (nameless, knowledge.live) or again:
                yield from self.take_inventory()
                self._inventory_clock = world.clock()
                nameless = knowledge.nameless(service)
            self._mismatch = (nameless, knowledge.live)
        for task_id in knowledge.departed:  # the tasks that ECS starts in their place are new
            progress.note_departed(task_id)
        knowledge.departed.clear()
        fresh_good, healthy = knowledge.fresh_good, knowledge.healthy(service)
        following = progress.next_stale(progress.plan.batch)
        report.saw_healthy(healthy)
        report.watch.saw(healthy, desired, knowledge.fresh, knowledge.good)
        for task in knowledge.failed.values():
            report.watch.ended(task)
        said = listen(progress.events, session.acted_at, knowledge.freed_at, world.now())
        said = replace(said, last=find_standing(service.events) or said.last)
        refusal, room = yield from self._judge(said)
        report.watch.waits(room)
        if self._waits_for_room and not said.no_room:
            session.acted_clock = world.clock()  # the run waits for something else from now on
        self._waits_for_room = bool(room)
        return Observation(
            clock=began,
            elapsed=session.elapsed,
            desired=desired,
            healthy=healthy,
            live=knowledge.live,
            unknown=max(0, nameless),
            unclear=max(0, nameless - max(0, knowledge.nameless(service, counted_victims))),
            fresh_good=fresh_good,
            fresh_bad=len(list(knowledge.fresh)) - fresh_good,
            failed=failure_words(service) if service.failed else None,
            deploying=deployment_words(service) if service.deploying else None,
            outdated=self._outdated,
            refusal=refusal,
            room=room,
            lacking=knowledge.lacking(desired),
            last_said=last_words(said),
            stale=len(progress.todo),
            next_stale=following,
            # Tasks that are not good may be stopped below the floor, so only those seen in this look count as not good.
            next_good=frozenset(t.id for t in following if knowledge.good(t) or t.id not in self._described),
        )

    def describe(self, first: Iterable[str]) -> Steps[None]:
        """Describe the tasks with the ids ``first``, and as many others as fit into the call."""
        progress, session, world = self._progress, self._session, self._session.world
        names = progress.knowledge.to_describe(first)
        # Read targets first: ECS marks a task as stopping before its target drains, so no such task seems unhealthy.
        for group in progress.groups:
            found = yield from session.call(world.target_states, group)
            if found is not None:
                progress.knowledge.see_targets(group, found, world.now())
            elif not session.leaving and progress.service.primary == progress.owner:
                raise Failed(missing_words(progress.service, group))
        tasks = yield from session.call(world.describe_tasks, names)
        self._described_clock = world.clock()
        self._described = {name.rsplit("/", 1)[-1] for name in names}
        progress.knowledge.see(tasks, world.now(), self._described)

    def take_inventory(self) -> Steps[None]:
        """List every task, and add stale tasks that were not known to those to replace."""
        progress, session = self._progress, self._session
        tasks = yield from inventory(session)
        knowledge = progress.knowledge
        knowledge.see(tasks, session.world.now())
        knowledge.keep_only({task.id for task in tasks} | knowledge.victims | knowledge.expected)
        if session.settings.max_tasks is not None:  # the plan already has all tasks that this run must replace
            return
        known = progress.todo.keys() | knowledge.victims | {task.id for task, _why in session.report.skipped}
        for task in sorted(tasks, key=lambda task: (task.created_at, task.arn)):
            ours = task.started_by == progress.owner
            if ours and task.id not in known and progress.plan.selection.holds(task):
                progress.todo[task.id] = task

    def _first(self) -> list[str]:
        """Return the ids of the tasks that a look must describe: those that ECS names, or else the next to stop."""
        progress = self._progress
        events = progress.events if progress.history.draining else ()
        told = (task_id for event in events for task_id in TASK_ID.findall(event.message))
        known = [task_id for task_id in told if task_id in progress.todo]
        return known or [task.id for task in progress.next_stale(min(progress.plan.batch, PER_CALL // 2))]

    def _judge(self, said: Said) -> Steps[tuple[str | None, str | None]]:
        """Return two messages: why ECS cannot provide what was asked for, and the room that the run waits for."""
        progress, world = self._progress, self._session.world
        allowed = self._session.settings.max_failures
        if failure := find_failure(progress.knowledge.failed.values(), progress.failed_starts, allowed):
            return failure, None
        if said.refused:
            return refusal_words(said.refused), None
        if not said.no_room:
            return None, None
        limit = yield from self._room_limit()
        if world.now() - said.no_room_since < limit:
            return None, f"room for a task, for {limit:.0f} s at most (wait_for_capacity): ECS says: {said.no_room}"
        waited = f"waited {limit:.0f} s (wait_for_capacity) for room: " if limit else ""
        return f"{waited}{refusal_words(said.no_room)}", None

    def _room_limit(self) -> Steps[float]:
        """Return the seconds for which the run waits for room for a task."""
        session, providers = self._session, self._progress.service.capacity_providers
        if session.settings.wait_for_capacity is not None:
            return session.settings.wait_for_capacity
        if self._grows is None:
            self._grows = bool(ON_DEMAND.intersection(providers))
            if providers and not self._grows:
                try:
                    self._grows = yield from session.call(session.world.grows_on_demand, providers)
                except CallFailed as failure:
                    session.report.warnings.append(
                        f"it is not known whether capacity is added to {session.title} on demand, so the run did not"
                        f" wait for capacity: {failure}. Allow the call, or set wait_for_capacity"
                    )
        return _FOR_CAPACITY if self._grows else 0.0

    def _launches_as_expected(self, service: Service, desired: int) -> bool:
        """Return whether ECS's counts show that the missing tasks are being launched or not begun yet, so it is too
        early for them to be good."""
        progress, session, knowledge = self._progress, self._session, self._progress.knowledge
        stopping = progress.history.open_stops or progress.history.last_step
        moving = stopping or service.deploying or service.wanted != desired
        blind = session.world.clock() - self._described_clock
        if moving or blind > _BLIND_SPELL or session.elapsed > session.settings.wait_timeout:
            return False
        if any(meaning_of(event.message) not in (STARTED, HARMLESS) for event in progress.events):
            return False
        if service.running >= desired:
            return progress.launching and progress.pace.too_early(session.elapsed)
        if len(knowledge.expected) > desired - service.running:
            return False  # more were started than are missing: some have ended
        launching = knowledge.expected or any(task.status != RUNNING for task in knowledge.fresh)
        return desired - service.running - service.pending <= 0 or not launching
