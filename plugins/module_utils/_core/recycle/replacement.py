# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Replacing stale tasks: the loop of looks, decisions and stops between the surge and the shrinking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from ..errors import CallFailed, Failed
from .decide import (
    Action,
    Finish,
    GiveUp,
    History,
    Leaving,
    Limits,
    Lower,
    Observation,
    Raise,
    ScaleIn,
    Stop,
    Wait,
    Withdraw,
    choose_pause,
    decide,
    decide_leaving,
    find_refusal,
)
from .knowledge import Knowledge
from .model import RUNNING, Event, Service, Task
from .pace import LONGEST, Pace
from .plan import Plan, deployment_words
from .record import give_back
from .session import Session, Steps

_LAST_LOOKS = 4  # before a run that has to end gives back what it added whatever the tasks are like
_NAMING_LOOKS = 12
_LAST_SECONDS = 60.0  # for withdrawing tasks, when the run has to end
_BEFORE_REACTION = 3.0  # seconds within which ECS has not begun to replace a stopped task
_FRESH = 5.0  # seconds that a look may take
_LISTED_AFTER = 20  # shortest pauses after which a list that lacked a task is asked for again
_BLIND_SPELL = 60.0  # seconds for which counts alone are believed while tasks launch


def inventory(session: Session) -> Steps[list[Task]]:
    """Every task that ECS means to keep running."""
    arns = yield from session.call(session.world.list_tasks)
    tasks: list[Task] = []
    if arns:
        tasks = yield from session.call(session.world.describe_tasks, arns)
    return [task for task in tasks if not task.stopping and task.status != "STOPPED"]


class Replacement:
    """The replacing of one plan's tasks."""

    def __init__(
        self,
        session: Session,
        plan: Plan,
        service: Service,
        tasks: Iterable[Task],
        has_health_check: bool,
    ) -> None:
        self._session = session
        self._plan = plan
        self._service = service
        groups = service.target_groups if plan.level == "target_healthy" else ()
        resumed = session.world.now() if plan.resumed else None
        self.knowledge = Knowledge(plan.begun, plan.level, has_health_check, plan.stabilize, groups, resumed)
        self.knowledge.see(tasks, session.world.now())
        self.knowledge.new_events(service)  # what was said before is not about us
        self._pace = Pace(session.policy.wait_delay, tasks)
        self._history = History(surge=plan.surge)
        self._todo = {task.id: task for task in plan.stale}
        self._events: list[Event] = []  # since our last change
        self._described_clock = session.world.clock()
        self._mismatch: tuple[int, int] | None = None  # counts for which an inventory was taken
        self._inventory_clock = session.world.clock()  # when that was
        self._deploying = False
        self._launching = False  # whether a launch that we caused is on its way
        self._not_whole = 0.0  # seconds after our last change at which replacements were last seen missing
        self._step: list[Task] = []  # stopped, and not all replaced yet
        self._step_clock = 0.0
        self._whole_clock = session.world.clock() - session.policy.batch_wait
        self._pause = session.policy.batch_wait  # seconds before the next step
        self._held: dict[str, float] = {}  # id -> clock at which a task was first met under protection
        self._added: list[str] = []  # ids of the tasks that the surge brought
        self._reported: set[str] = set()

    def run(self, raised: bool) -> Steps[None]:
        """Until nothing stale is left. Raises Failed when that cannot be had.

        ``raised``: the surge was added just now, so it is too early to look.
        """
        self._launching = raised
        try:
            yield from self._loop()
        finally:
            report = self._session.report
            report.remaining = [*self._todo.values(), *self._plan.later]
            report.failures = list(self.knowledge.failed.values())

    def _loop(self) -> Steps[None]:
        session, policy = self._session, self._session.policy
        limits = Limits(policy.wait_timeout, policy.batch_wait, policy.on_deployment == "wait", policy.wait_delay)
        if self._launching:
            yield from session.rest(self._pace.pause(session.elapsed))
        while True:
            began = session.world.clock()
            seen = yield from self._look()
            if seen is None:
                yield from session.rest(self._pace.pause(session.elapsed))
                continue
            action = self._decide(replace(limits, batch_wait=self._pause), seen)
            if isinstance(action, Finish):
                return
            opens_step = isinstance(action, Stop | ScaleIn) and not self._history.open_stops
            if opens_step or (isinstance(action, Wait) and action.at_most is not None):
                yield from session.heed_alarms()
            if isinstance(action, GiveUp):
                raise Failed(action.why)
            if isinstance(action, Wait):
                yield from self._bide(action)
            elif isinstance(action, Raise):
                yield from self._raise_again(seen)
            elif not self._is_late(began) and (yield from self._carry_out(action, seen)):
                return

    def _bide(self, action: Wait) -> Steps[None]:
        self._not_whole = self._session.elapsed
        yield from self._session.rest(self._next_look() if action.at_most is None else min(LONGEST, action.at_most))

    def _next_look(self) -> float:
        return self._pace.pause(self._session.elapsed)

    def _decide(self, limits: Limits, seen: Observation) -> Action:
        return decide(self._plan, limits, seen, self._history)

    def _is_late(self, began: float) -> bool:
        """Whether calls had to be repeated for so long that what they told first may no longer be so."""
        session = self._session
        return session.world.clock() - began > max(_FRESH, 2 * session.policy.wait_delay)

    # ---- looking

    def _look(self) -> Steps[Observation | None]:
        """Observe. None when ECS's counts alone say that a launch goes its way, which saves a call."""
        session, knowledge, plan, world = self._session, self.knowledge, self._plan, self._session.world
        service = self._service = yield from session.look()
        counted_victims = knowledge.running_victims  # at most: some may have ended before they were counted
        self._events.extend(knowledge.new_events(service))
        desired = session.desired(service)
        session.report.saw_desired(desired)
        if self._launches_as_expected(service, desired):
            return None
        if self._deploying != service.deploying:
            session.acted_clock = world.clock()  # what is waited for from now on is something else
            if self._deploying:
                yield from self._take_inventory()
            else:
                yield from self._make_way()
        self._deploying = service.deploying
        yield from self._describe(self._first())
        nameless = knowledge.nameless(service)
        if nameless and not self._history.open_stops:  # within a step the counts are on the move
            again = world.clock() - self._inventory_clock > _LISTED_AFTER * session.policy.wait_delay
            if self._mismatch != (nameless, knowledge.live) or again:
                yield from self._take_inventory()
                self._inventory_clock = world.clock()
                nameless = knowledge.nameless(service)
            self._mismatch = (nameless, knowledge.live)
        for task_id in knowledge.departed:  # what ECS starts in their place is new
            task = self._todo.pop(task_id, None)
            if task:
                self._note_departed(task)
        knowledge.departed.clear()
        fresh_good = knowledge.fresh_good
        following = tuple(islice(self._todo.values(), plan.batch))
        seen = Observation(
            elapsed=session.elapsed,
            since_step=0.0,  # told below, when it is known whether this look closes a step
            desired=desired,
            healthy=knowledge.healthy(service),
            live=knowledge.live,
            unknown=max(0, nameless),
            unclear=max(0, nameless - max(0, knowledge.nameless(service, counted_victims))),
            fresh_good=fresh_good,
            fresh_bad=len(list(knowledge.fresh)) - fresh_good,
            deploying=deployment_words(service) if service.deploying else None,
            refusal=find_refusal(
                self._events,
                session.acted_at,
                islice(knowledge.failed.values(), session.policy.max_failures, None),
                knowledge.freed_at,
            ),
            stale=len(self._todo),
            next_stale=following,
            next_good=frozenset(task.id for task in following if knowledge.good(task)),
        )
        session.report.saw_healthy(seen.healthy)
        session.report.watch.saw(seen.healthy, desired, knowledge.fresh, knowledge.good)
        for task in knowledge.failed.values():
            session.report.watch.ended(task)
        self._close_step(seen)
        return replace(seen, since_step=world.clock() - self._whole_clock)

    def _first(self) -> list[str]:
        """Ids of the tasks that a look must tell of."""
        return list(self._todo)[:1]

    def _note_departed(self, task: Task) -> None:
        """A stale task is gone, and we have not been told that we stopped it."""
        if task.id in self.knowledge.doubtful:  # it was our stop after all
            self._session.report.changed = True
            self._step.append(task)

    def _make_way(self) -> Steps[None]:
        """For a deployment that has begun."""
        yield from ()

    def _launches_as_expected(self, service: Service, desired: int) -> bool:
        """Whether ECS's counts say that what is missing is on its way, or has not been begun yet, and it is
        too early for it to be good."""
        session, knowledge = self._session, self.knowledge
        if self._history.open_stops or service.deploying or service.desired != desired:
            return False
        if session.elapsed > session.policy.wait_timeout:
            return False
        if session.world.clock() - self._described_clock > _BLIND_SPELL:
            return False
        if any("unable" in event.message for event in self._events):
            return False
        if service.running >= desired:
            return self._launching and self._pace.too_early(session.elapsed)
        if len(knowledge.expected) > desired - service.running:
            return False  # more were started than are missing: some have ended
        launching = knowledge.expected or any(task.status != RUNNING for task in knowledge.fresh)
        return desired - service.running - service.pending <= 0 or not launching

    def _describe(self, first: Iterable[str]) -> Steps[None]:
        session, knowledge, world = self._session, self.knowledge, self._session.world
        names = knowledge.to_describe(first)
        tasks = yield from session.call(world.describe_tasks, names)
        self._described_clock = world.clock()
        knowledge.see(tasks, world.now(), {name.rsplit("/", 1)[-1] for name in names})
        if self._plan.level == "target_healthy":
            for group in self._service.target_groups:
                states = yield from session.call(world.target_states, group)
                knowledge.see_targets(group, states, world.now())

    def _take_inventory(self) -> Steps[None]:
        tasks = yield from inventory(self._session)
        knowledge = self.knowledge
        knowledge.see(tasks, self._session.world.now())
        knowledge.keep_only({task.id for task in tasks} | knowledge.victims | knowledge.expected)
        skipped = {task.id for task, _why in self._session.report.skipped}
        if self._session.policy.max_tasks is not None:  # the plan has all that this run is to replace
            return
        for task in sorted(tasks, key=lambda task: (task.created_at, task.arn)):
            known = task.id in self._todo or task.id in knowledge.victims or task.id in skipped
            if not known and self._plan.selection.holds(task, self._service.revision):
                self._todo[task.id] = task

    # ---- acting

    def _raise_again(self, seen: Observation) -> Steps[None]:
        """The surge was taken away by somebody, or was used up: add it again."""
        session, plan, surge = self._session, self._plan, self._surge_again
        wanted = plan.original + surge
        session.report.warnings.append(
            f"the desired count of {session.title} was {seen.desired} where {wanted} was needed, and was raised again"
        )
        used_up = self._history.surge == 0  # others may have added tasks, which are not ours to give back
        self._history = replace(
            self._history, surge=surge, raises=self._history.raises + 1, open_stops=0, last_step=False
        )
        session.note(surge=surge)
        service = yield from session.look()
        yield from session.change_desired(
            session.desired(service), lambda found: found + surge if used_up else max(found, wanted)
        )
        self._events.clear()

    @property
    def _surge_again(self) -> int:
        """So many tasks have to be there beyond the original count before the next step."""
        return self._plan.surge

    def _carry_out(self, action: Action, seen: Observation) -> Steps[bool]:
        """True when everything is done and known to be whole."""
        if not isinstance(action, Stop):
            raise TypeError(action)
        whole = yield from self._stop(action, seen)
        if self._history.open_stops:
            return False
        if whole and not self._todo:
            self._report_step(self._added)
            return True
        yield from self._session.rest(self._pace.pause(self._session.elapsed))
        return False

    def _stop(self, action: Stop, seen: Observation) -> Steps[bool]:
        """True when the place of the stopped task was taken by an added one before ECS could start another,
        and no added one is left: then everything is whole."""
        session, task = self._session, action.task
        reason = f"{session.policy.reason} (ecs_service_recycle {session.me.owner})".strip()
        asked = False
        try:
            if session.policy.protected_tasks != "recycle" and self._is_protected(task):
                yield from self._meet_protected(task)
                return False
            began, asked = session.world.clock(), True
            known = session.world.stop_task(task.arn, reason)
            # An earlier try whose answer was lost may have stopped it long ago.
            too_late = task.id in self.knowledge.doubtful or session.world.clock() - began > _BEFORE_REACTION
        except CallFailed as failure:
            if failure.kind == "final":
                raise
            if asked and failure.kind == "passing":
                self.knowledge.mark_doubtful(task)
            # What was seen is too old after a pause, so look again. The task is the next to stop still.
            yield from session.rest(session.policy.wait_delay)
            return False
        self.knowledge.mark_victim(task)
        del self._todo[task.id]
        session.report.changed = True
        session.report.saw_healthy(seen.healthy - (task.id in seen.next_good))
        session.report.watch.stopped(task, seen.healthy - (task.id in seen.next_good))
        if not known:
            session.report.skipped.append((task, "already gone"))
        if not self._step:
            self._step_clock = session.world.clock()
        self._step.append(task)
        self._history = action.history
        self._launching = True
        session.acted()
        self._not_whole = 0.0
        self._events.clear()
        if not action.lower:
            return False
        if too_late or not (yield from session.try_desired(seen.desired, seen.desired - 1)):
            # Too late: by now ECS may have started another in its place. Then it is a stop like any other.
            self._history = replace(action.history, surge=self._history.surge + 1, last_step=False)
            return False
        # With nothing left to give back the record is about to be removed.
        session.note(at_once=self._history.surge > 0, surge=self._history.surge)
        return self._history.surge == 0

    def _is_protected(self, task: Task) -> bool:
        """By others: what an abandoned run has put under protection stands in nobody's way."""
        ends = self._session.world.protected_until([task.arn])
        return any(not self._session.held.shields(end) for end in ends.values())

    def _meet_protected(self, task: Task) -> Steps[None]:
        """A task under protection is skipped, or comes after those that are not, and is waited for in the end."""
        session = self._session
        del self._todo[task.id]
        if session.policy.protected_tasks == "skip":
            session.report.skipped.append((task, "protected"))
            return
        self._todo[task.id] = task
        now = session.world.clock()
        self._held.setdefault(task.id, now)
        if not self._held.keys() >= self._todo.keys():
            return
        limit = session.policy.protected_timeout
        if now - min(self._held[task_id] for task_id in self._todo) > limit:
            raise Failed(
                f"waited {limit:g} s for the scale-in protection of {', '.join(self._todo)} to end. Run the same task"
                " again later, or say protected_tasks: skip or recycle"
            )
        yield from session.rest(min(LONGEST, max(session.policy.wait_delay, limit / 20)))

    def bake(self) -> Steps[None]:
        """Watch for a while what was replaced. Raises Failed when a new task ends by itself, or an alarm rings."""
        session = self._session
        until = session.world.clock() + session.policy.bake_time
        if not session.report.replaced:
            return
        while session.world.clock() < until:
            yield from session.heed_alarms()
            seen = yield from self._look()
            if seen and seen.refusal:
                raise Failed(seen.refusal)
            yield from session.rest(min(LONGEST, until - session.world.clock() + 0.001))
        if session.policy.bake_time:
            yield from session.heed_alarms()

    def _close_step(self, seen: Observation) -> None:
        """Once everything is whole again: report the step and learn how long it took."""
        if self._history.open_stops or not seen.whole:
            return
        self._launching = False
        good = [task_id for task_id in self.knowledge.fresh_order if task_id not in self._reported]
        if not self._history.stops and seen.fresh_good >= self._history.surge > 0 and not self._added:
            self._learn()
            self._added = good
        if self._step:
            if self._history.last_step:
                self._report_step(self._added or good)
            else:
                self._learn()
                self._report_step([task_id for task_id in good if task_id not in self._added])

    def _learn(self) -> None:
        """The newest task cannot have been good before it ran."""
        acted_at = self._session.acted_at
        ran = [task.started_at - acted_at for task in self.knowledge.fresh if task.started_at is not None]
        self._pace.learn(max([self._not_whole, *ran]), self._session.elapsed)

    def _report_step(self, new: list[str]) -> None:
        self._reported.update(new)
        seconds = self._session.world.clock() - self._step_clock
        names = [self.knowledge.arn(task_id) for task_id in new]
        # Nothing tells which new task stands for which old one: they are shared out.
        share = len(self._step)
        self._session.report.replaced.extend((task, names[i::share], seconds) for i, task in enumerate(self._step))
        self._session.report.watch.step_done(self._step, names, seconds, len(self._todo))
        self._step = []
        self._whole_clock = self._session.world.clock()
        policy, total = self._session.policy, len(self._plan.stale)
        done = total - len(self._todo)
        self._pause = choose_pause(policy, done - share, done, total)

    # ---- giving back

    def give_back(self) -> Steps[None]:
        """Give back what was added to the desired count; added tasks that are not good are stopped for it."""
        session = self._session
        looks, since = 0, session.world.clock()
        while True:
            began = session.world.clock()
            seen = yield from self._look_leaving()
            looks += 1
            if seen is None:
                return
            patience = _LAST_SECONDS if session.me.ending() else session.policy.wait_timeout
            if began - since > patience:
                nameless = max(0, seen.nameless)
                if seen.live + nameless > seen.target and len(seen.bad) + nameless > 0:
                    session.report.warnings.append(
                        f"what was added to {session.title} was taken back although {len(seen.bad) + nameless} of its"
                        " tasks are not known to be good: for the lower desired count ECS may stop good ones instead"
                    )
                return
            patient = looks <= _LAST_LOOKS or not session.me.ending()
            if self._is_late(began) and patient:
                continue
            if looks > _NAMING_LOOKS:  # tasks come and go faster than they can be named
                seen = replace(seen, live=seen.live + max(0, seen.nameless), nameless=0)
            action = decide_leaving(seen, self._plan.floor, patient)
            if isinstance(action, Finish):
                return
            if isinstance(action, Wait):
                yield from self._take_inventory()
                yield from session.rest(session.policy.wait_delay)
            elif isinstance(action, Lower):
                if (yield from session.try_desired(seen.desired, action.to)):
                    left = session.held.surge - (seen.desired - action.to)
                    session.note(at_once=left > 0, surge=left)
            else:
                yield from self._withdraw_one(action, seen.desired)

    def _look_leaving(self) -> Steps[Leaving | None]:
        """None while a deployment is in progress: new tasks may be its own, and it keeps its own floor."""
        session, knowledge = self._session, self.knowledge
        service = self._service = yield from session.look()
        if service.deploying:
            return None
        knowledge.new_events(service)
        yield from self._describe(())
        desired = session.desired(service)
        healthy = knowledge.healthy(service)
        bad = knowledge.worst_first(self._todo.values())
        if healthy < self._plan.floor:  # then those on probation are needed
            bad = [task for task in bad if not knowledge.on_probation(task)]
        return Leaving(
            desired=desired,
            target=give_back(desired, session.held.original, session.held.surge),
            live=knowledge.live,
            nameless=knowledge.nameless(service),
            healthy=healthy,
            bad=tuple(bad),
        )

    def _withdraw_one(self, action: Withdraw, desired: int) -> Steps[None]:
        session = self._session
        reason = f"added by ecs_service_recycle {session.me.owner} and withdrawn before it was good"
        if (yield from session.attempt(session.world.stop_task, action.task.arn, reason)):
            self.knowledge.mark_victim(action.task)
            session.report.withdrawn.append(action.task.arn)
            session.report.watch.ended(action.task)
            if action.lower and (yield from session.try_desired(desired, desired - 1)):
                session.note(surge=session.held.surge - 1)
