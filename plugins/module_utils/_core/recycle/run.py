# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""One run: look, plan, write the record, guard, replace, give back.

``recycle`` is a generator. It yields the seconds to wait before it continues, and returns a Report. The one loop that
sleeps is elsewhere, so a test can run ``recycle`` on its own clock, stop it at any point, or run two at once. A run can
be stopped at any call and begun again: its whole memory is the record on the service and the creation instants of the
tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..amounts import iso
from ..aws_errors import is_denied
from ..errors import CallFailed, Failed, Refused
from . import report as outcome
from .health import UNTOLD, choose_level, is_good, missing_words, refuse_unread, why_unread
from .images import find_warnings
from .looking import inventory
from .model import Service, Task
from .pace import LONGEST
from .plan import (
    Found,
    Plan,
    left_diff,
    make_plan,
    missed_words,
    outside_words,
    plan_diff,
    scaling_asked,
)
from .record import (
    CLAIMED,
    RECORD_TAG,
    SURGED,
    TOKENS_TAG,
    NotOurs,
    Record,
    believe,
    give_back,
    holds,
    read_record,
    remember_token,
)
from .replacement import Replacement
from .report import Report
from .selector import Selector
from .service_state import deployment_words, others_words, refuse_service
from .session import Ended, Gone, Self, Session, Steps, TakenOver
from .settings import Settings
from .shield import lift
from .staleness import find_cutoff, freeze_now, freeze_selection
from .task_tags import is_marked, remove, remove_all
from .world import World

_LOOKS_FOR_CLAIM = 3
_SETTLES_WITHIN = 60.0  # seconds in which ECS stops the tasks above a lowered count (assumed; it starts tasks in 14)
_OBJECTS_WITHIN = 60.0  # seconds in which a run whose record was overwritten notices that and writes it again
_ROUNDS = 3  # inventories in a row that may each find stale tasks that the one before did not show


def recycle(
    world: World, settings: Settings, cluster: str, name: str, me: Self, report: Report | None = None
) -> Steps[Report]:
    """Recycle or restore one service. Errors from AWS are not raised but reported.

    If a ``report`` is given, it is filled during the run so that callers can watch it.
    """
    run = _Run(Session(world, settings, cluster, name, me, report or Report()), cluster, name)
    began = world.clock()
    run.report.selector = settings.selector
    run.report.watch.begin(f"{cluster}/{name}", world.now, world.clock)
    try:
        yield from run.work()
    except TakenOver as taken:
        run.report.status, run.report.message, run.report.lost = outcome.FAILED, str(taken), True
    except (Gone, Refused) as refusal:
        yield from run.end_badly(str(refusal))
    except Ended as ended:
        yield from run.end_badly(f"{run.session.title}: {ended}")
    except Failed as failure:
        yield from run.end_badly(f"{run.session.title}: {failure}", settings.on_failure == "keep")
    except CallFailed as failure:
        yield from run.end_badly(run.explain(failure), settings.on_failure == "keep")
    run.note_lingering()
    if run.report.status == outcome.FAILED:
        run.report.message = f"{(run.report.message or '').rstrip('.')}. {run.report.state_words()}"
    run.report.seconds = world.clock() - began
    run.report.calls = dict(world.calls)
    return run.report


class _Run:
    def __init__(self, session: Session, cluster: str, name: str) -> None:
        self.session = session
        self.report = session.report
        self._cluster = cluster
        self._name = name
        self._replacement: Replacement | None = None
        self._unanswered: Record | None = None  # a record that may have been written although no answer came

    def work(self) -> Steps[None]:
        session, settings = self.session, self.session.settings
        rounds = 0
        while rounds < _ROUNDS:
            service = yield from self._wait_until_free()
            looked = session.world.clock()
            self.report.saw_desired(service.wanted)
            if settings.selector is None:
                if (yield from self._restore(service)):
                    return
                continue
            left = read_record(service.tags, session.world.now())  # from an abandoned run, or from our own last round
            found = yield from self._find(settings.selector, service, left)
            plan = self._plan(settings.selector, found) if found else None
            if found is None or plan is None or session.me.check:
                return
            if session.world.clock() - looked > settings.wait_delay:
                # This is long enough for another run to claim the service and see that it is alone.
                asked = session.world.clock()
                service = yield from self._wait_until_free()
                waited = session.world.clock() - asked > settings.wait_delay
                if (
                    waited
                    or service.tags.get(RECORD_TAG) != found.service.tags.get(RECORD_TAG)
                    or service.wanted != found.service.wanted
                ):
                    continue
            mine = yield from self._claim(plan, settings.selector, found)
            if mine is None:
                continue
            # Create this before the surge: a run that must end while it adds tasks must know which ones it can remove.
            replacement = Replacement(session, plan, mine, found.tasks, found.has_health_check)
            self._replacement = replacement
            raised = yield from self._guard(plan, mine, found)
            if raised is None:
                continue
            if not (yield from replacement.run(raised)):
                continue
            yield from replacement.bake()
            if (yield from self._finish(plan, replacement)):
                return
            rounds += 1
        raise Failed(f"more stale tasks kept appearing in {session.title}. Run again")

    def _restore(self, service: Service) -> Steps[bool]:
        """Give back what an abandoned run left, if there is a record of it. Return False if another run was faster."""
        session, report = self.session, self.report
        try:
            left = read_record(service.tags, session.world.now())
        except NotOurs as wrong:
            yield from self._remove(wrong)
            return True
        if left is None:
            if service.propagates_tags:
                yield from self._sweep((yield from inventory(session)))
            return True
        service, _tasks, left = yield from self._believe(service, left)
        report.desired_before = min(left.original, service.desired)
        report.diff = left_diff(service, left)
        if not session.me.check:
            record = replace(left, owner=session.me.owner, lease_until=session.lease())
            if (yield from self._take(record, {}, left)) is None:
                return False
            yield from self._put_back()
        report.resumed = report.changed = True
        report.status = outcome.RESTORED
        if session.me.check and report.desired_after is not None:
            report.desired_after = give_back(report.desired_after, left.original, left.surge)
        return True

    def note_lingering(self) -> None:
        """Warn about tasks that were told to stop long ago and still run."""
        for task, seconds in self._replacement.lingering if self._replacement else ():
            self.report.warnings.append(
                f"ECS was asked to stop task {task.id} {seconds / 60:.0f} minutes ago. The task is still"
                f" {task.status} and keeps its place. Check whether the ECS agent on its container instance is"
                " connected"
            )

    def _remove(self, wrong: NotOurs) -> Steps[None]:
        """Remove a record tag that is not a valid record. Its content is ignored."""
        session, report = self.session, self.report
        report.diff = {"before": {"record": wrong.text}, "after": {"record": None}}
        report.warnings.append(f"{session.title}: {wrong}")
        if not session.me.check:
            yield from session.call(session.world.untag, [RECORD_TAG])
        report.changed, report.status = True, outcome.RESTORED

    def _believe(self, service: Service, left: Record) -> Steps[tuple[Service, list[Task], Record]]:
        """Return the service, its tasks, and the part of an abandoned run's record that these confirm."""
        session, settings = self.session, self.session.settings
        tasks, began = (yield from inventory(session)), session.world.clock()
        if session.record and left.owner == session.me.owner:
            return service, tasks, session.record  # from our own last round
        scaling = None
        if left.surge and (settings.suspend_scaling or left.suspended):
            scaling = yield from session.call(session.world.scaling)
        most = settings.batch_size.of(service.desired) if settings.surge is None else settings.surge
        claimed = service.desired - give_back(service.desired, left.original, left.surge)
        while True:
            believed = believe(left, service, tasks, session.world.now(), scaling, max(1, most))
            added = service.desired - give_back(service.desired, believed.original, believed.surge)
            # Tasks that a run asked for just before it was killed may not have been started yet. If ECS has also
            # replaced unhealthy tasks, the number of tasks alone does not show that any are missing.
            settled = len(tasks) == service.wanted or service.deploying or service.daemon
            if added >= claimed or settled or session.world.clock() - began > _SETTLES_WITHIN:
                break
            yield from session.rest(max(settings.wait_delay, _SETTLES_WITHIN / 12))
            now = yield from session.call(session.world.describe_service)
            if now is None or (now.desired, now.tags) != (service.desired, service.tags):
                break
            service, tasks = now, (yield from inventory(session))
        if added < claimed:
            self._warn(
                f"the tag {RECORD_TAG} of {session.title} says that {claimed} of its {service.desired} tasks were"
                f" added by a run (original {left.original}, surge {left.surge}), but only {added} of them exist. No"
                " more are given back"
            )
        return service, tasks, believed

    def _sweep(self, tasks: Sequence[Task]) -> Steps[None]:
        """Remove tags that a killed run left on tasks after removing its record. Call this only if no run is active."""
        if not any(is_marked(task) for task in tasks):
            return
        self.report.changed, self.report.status = True, outcome.RESTORED
        if not self.session.me.check:
            yield from remove(self.session, tasks)

    def _warn(self, words: str) -> None:
        if words not in self.report.warnings:
            self.report.warnings.append(words)

    # ---- look and plan

    def _wait_until_free(self) -> Steps[Service]:
        """Return the service once no other run and no deployment is in progress on it."""
        session, settings, me = self.session, self.session.settings, self.session.me
        began = session.world.clock()
        while True:
            found = yield from session.call(session.world.describe_service)
            self.report.service = found.arn if found else None
            service = refuse_service(found, self._cluster, self._name, restoring=settings.selector is None)
            left, now = self._read(service), session.world.now()
            busy, limit = None, settings.wait_timeout
            if left and left.owner != me.owner and not holds(left, now) and left.lease_until > now:
                self._warn(
                    f"the tag {RECORD_TAG} of {session.title} has a lease that no run can have written"
                    f" (x={left.lease_until:.0f}). It counts as ended"
                )
            if left and left.owner != me.owner and holds(left, now) and not me.is_dead(left.owner):
                busy = (
                    f"another run ({left.owner}) is working on {session.title}. Its lease ends at"
                    f" {iso(left.lease_until)} unless it is renewed. Run again when that run has ended"
                )
            elif service.deploying and settings.selector is not None:
                if left and left.protected_until and not me.check:
                    yield from self._make_way(service, left)
                limit = settings.deployment_timeout
                busy = f"{deployment_words(service)}. Run again when it has ended, or set on_deployment: wait"
                if settings.on_deployment == "fail":
                    raise Refused(busy)
            session.report.watch.waits(None if me.check else busy)
            if busy is None or me.check:
                return service
            if session.world.clock() - began > limit:
                raise Refused(f"waited {limit:.0f} s, but {busy}")
            yield from session.rest(max(settings.wait_delay, min(LONGEST, settings.wait_timeout / 20)))

    def _make_way(self, service: Service, left: Record) -> Steps[None]:
        """End the protections that ``left`` names, before waiting for the deployment that they block.

        Everything else that an abandoned run left stays, with its record, until the deployment has ended.
        """
        session, abandoned = self.session, self.session.record is None
        if abandoned:
            service, _tasks, believed = yield from self._believe(service, left)
            record = replace(believed, owner=session.me.owner, lease_until=session.lease())
            if (yield from self._take(record, {}, left)) is None:
                return
            self.report.changed = True
        yield from lift(session)
        session.note(protected_until=())
        if abandoned:
            yield from session.abandon()
            session.record = None
        else:
            yield from session.look()

    def _read(self, service: Service) -> Record | None:
        """Return the record, or None if there is none. For an invalid one, raise NotOurs, or return None to restore."""
        try:
            return read_record(service.tags, self.session.world.now())
        except NotOurs:
            if self.session.settings.selector is None:
                return None
            raise

    def _find(self, selector: Selector, service: Service, left: Record | None) -> Steps[Found | None]:
        """Return what a plan is made from, or None if nothing is stale and nothing was left behind."""
        session, settings, world, report = self.session, self.session.settings, self.session.world, self.report
        if left:
            service, every, left = yield from self._believe(service, left)
        else:
            every = yield from inventory(session)
        tasks = [task for task in every if task.started_by == service.primary]
        if len(tasks) < len(every):
            self._warn(others_words(service, len(every) - len(tasks)))
        now = world.now()
        changed_at = None
        if selector.kind == "secrets_changed":
            changed_at = yield from session.call(world.secrets_changed_at, service.revision)
        cutoff = find_cutoff(selector, now, tasks, service.tags, left, changed_at)
        selection = freeze_selection(selector, settings.narrowing, cutoff)
        stale = [task for task in tasks if selection.holds(task)]
        missed = missed_words(session.title, selector, settings.narrowing, every)
        report.warnings.extend(words for words in missed if words not in report.warnings)
        if service.wanted == 0 and stale:  # ECS would not replace a stopped task
            stale = []
            report.warnings.append(
                f"the desired count of {session.title} is 0, so its {len(tasks)} tasks, which ECS has yet to stop,"
                " were left alone"
            )
        report.cutoff, report.remaining = cutoff, stale
        if not stale and left is None:
            yield from self._sweep(every)
            return None
        checked = yield from session.call(world.has_health_check, service.revision)
        states: dict[str, Mapping[str, str]] = {}
        unread: dict[str, str] = {}
        if choose_level(settings.wait_for, service, checked) == "target_healthy":
            states, unread = yield from self._read_targets(service, tasks)
        scaling, protected = None, set()
        if settings.suspend_scaling or (left and left.suspended):
            scaling = yield from session.call(world.scaling)
        if stale:
            yield from session.refuse_alarms()
        if stale and settings.check_images and report.plan is None:
            report.warnings.extend(find_warnings(world, service.revision, tasks))
        if stale and settings.protected_tasks != "recycle":
            ends = yield from session.call(world.protected_until, [task.arn for task in stale])
            # Protections that the abandoned run itself set do not count.
            protected = {arn for arn, end in ends.items() if not (left and left.shields(end))}
        begun = left.begun if left else freeze_now(now, tasks)
        return Found(service, tasks, stale, protected, selection, begun, checked, scaling, left, states, tuple(unread))

    def _read_targets(
        self, service: Service, tasks: Sequence[Task]
    ) -> Steps[tuple[dict[str, Mapping[str, str]], dict[str, str]]]:
        """Return the target states by target group, and why the states of other target groups cannot be read.

        Raise Refused if a group is missing, or is unreadable and the options do not say what counts instead.
        """
        session, settings, world = self.session, self.session.settings, self.session.world
        states: dict[str, Mapping[str, str]] = {}
        unread: dict[str, str] = {}
        for group in service.target_groups:
            try:
                found = yield from session.call(world.target_states, group)
            except CallFailed as failure:
                if failure.code != UNTOLD and not is_denied(failure.code):
                    raise
                unread[group] = str(failure)
                continue
            if found is None:
                raise Refused(missing_words(service, group))
            why = why_unread(group, found.states, tasks, world.now())
            if why:
                unread[group] = why
            else:
                states[group] = found.states
        warnings = refuse_unread(unread, service, settings.wait_for, settings.stabilize_time)
        self.report.warnings.extend(words for words in warnings if words not in self.report.warnings)
        return states, unread

    def _plan(self, selector: Selector, found: Found) -> Plan | None:
        """Return the plan, or None if there is nothing to do but report the skipped tasks."""
        report, left, scaling = self.report, found.record, found.scaling
        plan = make_plan(self.session.settings, selector, found)
        if report.plan is None:  # only the first round reports what was found
            report.plan, report.diff, report.scaling_before = plan, plan_diff(plan), scaling
            report.watch.planned(plan, self.session.me.check)
            if not self.session.me.check:  # the timeline begins with the tasks that run now
                good = [is_good(task, plan.level, found.has_health_check, found.states) for task in found.tasks]
                report.watch.saw(sum(good), found.service.wanted, (), bool)
            if left:  # report the state before the abandoned run changed it
                report.desired_before = min(left.original, found.service.desired)
                report.scaling_before = scaling and scaling.with_flags(left.suspended, False)
            if scaling and plan.suspend != scaling_asked(self.session.settings, scaling) and not left:
                report.warnings.append(outside_words(self.session.title, found.service, scaling))
        report.scaling_after = report.scaling_before
        report.skipped = list(plan.skipped)
        report.remaining = [*plan.stale, *plan.later]
        report.resumed = report.resumed or plan.resumed
        if not plan.stale and left is None:
            return None
        if self.session.me.check:
            report.changed = True
            report.status = outcome.RECYCLED if plan.stale else outcome.RESTORED
            if left:
                report.desired_after = give_back(found.service.desired, left.original, left.surge)
        return plan

    # ---- write ahead, and guard

    def _claim(self, plan: Plan, selector: Selector, found: Found) -> Steps[Service | None]:
        """Write the record and read it back. Return None if everything must be planned again."""
        session, left = self.session, found.record
        record = Record(
            original=max(1, plan.original),
            surge=plan.surge,
            begun=plan.begun,
            selector=plan.selector,
            cutoff=plan.cutoff,
            suspended=plan.suspend,
            phase=left.phase if left else CLAIMED,
            owner=session.me.owner,
            lease_until=session.lease(),
            protected_until=left.protected_until if left else (),
        )
        tags = {}
        if selector.kind == "token" and plan.cutoff is not None:
            tags[TOKENS_TAG] = remember_token(found.service.tags, selector.value, plan.cutoff)
        mine = yield from self._take(record, tags, left)
        if mine is None:
            return None
        self.report.changed = self.report.changed or left is not None
        scaled = left is None and mine.wanted != plan.original
        if scaled:
            session.note(surge=0)  # this run has added none of the present tasks
        yield from remove(session, found.tasks)
        if mine.deploying and session.settings.on_deployment == "fail":
            raise Refused(f"{deployment_words(mine)}. Run again when it has ended, or set on_deployment: wait")
        deployed = mine.deploying or mine.primary != found.service.primary
        if deployed or scaled:
            # Somebody deployed or scaled the service between the look and the claim.
            if scaled and mine.wanted > plan.original:
                yield from self._hear_objection(plan.original, mine.wanted)
            if left is None and session.record:
                yield from session.release()
            return None
        return mine

    def _hear_objection(self, found: int, raised: int) -> Steps[None]:
        """Wait for a while in case another run raised the count. If so, our claim overwrote its record, and that run
        writes it again. This run has no record after that."""
        session = self.session
        session.report.watch.waits(
            f"the desired count of {session.title} rose from {found} to {raised} while this run claimed the service,"
            " so another run may be working on it"
        )
        began = session.world.clock()
        try:
            while session.world.clock() - began < min(session.settings.lease, _OBJECTS_WITHIN):
                yield from session.rest(session.settings.wait_delay)
                yield from session.look()
        except TakenOver:
            session.record = None

    def _take(self, record: Record, tags: Mapping[str, str], left: Record | None) -> Steps[Service | None]:
        """Write our record and read it back. Return None if another run was faster or no answer came."""
        session = self.session
        self._unanswered, self.report.claimed = record, True
        try:
            if not (yield from session.write(record, tags)):
                return None
        except CallFailed:
            self._unanswered = None
            raise
        session.record = record
        mine = yield from session.settle(left)
        self._unanswered = None
        if mine is None:
            session.record = None
        return mine

    def _guard(self, plan: Plan, service: Service, found: Found) -> Steps[bool | None]:
        """If any task is going to be stopped, suspend scaling, then add the surge if it is missing. Return whether the
        surge was added, or None if everything must be planned again."""
        session, scaling = self.session, found.scaling
        session.acted()
        if not plan.stale:
            return False
        if scaling:
            # Switches that only the record of an abandoned run names are already on, or are not ours.
            asked = tuple(flag for flag in plan.suspend if flag in session.settings.suspend_scaling)
            wanted = scaling.with_flags(asked, True)
            if wanted != scaling:
                yield from session.call(session.world.suspend, wanted)
            self.report.scaling_after = wanted
        session.note(at_once=False, phase=SURGED)
        wanted_count = plan.original + plan.surge
        if service.wanted >= wanted_count or not service.grows:
            return False
        nothing_added = found.record is None or (found.record.owner, found.record.phase) == (session.me.owner, CLAIMED)
        if nothing_added and not (yield from self._let_settle(service, len(found.tasks))):
            session.note(surge=0)
            yield from self._put_back()
            return None
        try:
            yield from session.change_desired(service.desired, lambda read: max(read, wanted_count))
        except CallFailed:  # refused, so there is no more to give back than before
            session.note(surge=max(0, service.desired - plan.original))
            raise
        return True

    def _let_settle(self, service: Service, live: int) -> Steps[bool]:
        """Wait while ECS is about to stop tasks, because the count was just lowered, or because unhealthy ones have
        replacements that run. If the count were raised now, ECS would keep those tasks and start no new ones. Return
        False if someone else changed the service.
        """
        session, now = self.session, service
        began = started = session.world.clock()
        while live > service.desired and session.world.clock() - started <= _SETTLES_WITHIN:
            yield from session.rest(max(session.settings.wait_delay, _SETTLES_WITHIN / 12))
            now = yield from session.look()
            if now.desired != service.desired or now.deploying or now.primary != service.primary:
                return False
            own = [task for task in (yield from inventory(session)) if task.started_by == service.primary]
            live, waited = len(own), session.world.clock() - began
            if not all(task.running for task in own) and waited <= session.settings.wait_timeout:
                started = session.world.clock()
        return True

    # ---- the end

    def _finish(self, plan: Plan, replacement: Replacement) -> Steps[bool]:
        """Verify, give back and release. Return False if stale tasks turned up that were not seen before."""
        every = yield from inventory(self.session)
        tasks = [task for task in every if task.started_by == replacement.owner]
        left_alone = {task.id for task, _why in self.report.skipped} | replacement.knowledge.victims
        later = {task.id for task in plan.later}
        stale = [task for task in tasks if plan.selection.holds(task) and task.id not in left_alone]
        late = [task for task in stale if task.id not in later] if self.session.settings.max_tasks is None else []
        self.report.remaining = late or stale
        if late:
            return False
        staying = sum(task.id not in replacement.knowledge.victims for task in tasks)
        # There are more tasks than the count if ECS replaced the last stopped one before the count was lowered.
        if self.session.held.surge or staying > (self.report.desired_after or 0):
            replacement.knowledge.see(every, self.session.world.now())
            yield from replacement.give_back()
        yield from self._put_back()
        self.report.status = outcome.RECYCLED if self.report.replaced else outcome.RESTORED
        return True

    def _put_back(self) -> Steps[None]:
        """Give back the capacity and the switches, and remove the record last."""
        session = self.session
        service = yield from session.look()
        record, refused = session.held, None
        if record.surge:
            # Write it even if the count looks right: the read may be older than the last write of a killed run.
            def given_back(found: int) -> int:
                return give_back(found, record.original, record.surge)

            try:
                yield from session.change_desired(session.desired(service), given_back)
            except CallFailed as failure:
                refused = failure
        try:
            yield from lift(session)
        except CallFailed as failure:
            refused = refused or failure
        yield from self._resume_scaling()
        known = self._replacement.knowledge.fresh if self._replacement else ()
        if service.propagates_tags:
            yield from remove_all(session, known)
        if refused:  # the record stays
            raise refused
        yield from session.release()
        if service.propagates_tags:  # once more, for tasks launched in the meantime
            session.leaving = True
            yield from remove_all(session, known)

    def _resume_scaling(self) -> Steps[None]:
        """Turn off the switches that our record names, if they are still on."""
        session = self.session
        found = (yield from session.call(session.world.scaling)) if session.held.suspended else None
        if found:
            ours = tuple(flag for flag in session.held.suspended if found.as_dict()[flag])
            if ours:
                yield from session.call(session.world.suspend, found.with_flags(ours, False))
            self.report.scaling_after = found.with_flags(ours, False)

    def end_badly(self, why: str, keep: bool = False) -> Steps[None]:
        """Fail after giving back as many changes as AWS allows. With ``keep``, the changes and their record stay for
        the next run to take over."""
        session, report = self.session, self.report
        report.status, report.message = outcome.FAILED, why
        session.leaving = True
        try:
            if session.record is None:
                yield from self._find_own_claim()
            if session.record is None:
                return
            if keep and session.held.phase == SURGED:
                yield from session.abandon()
                report.message = (
                    f"{why}. The added tasks stay because of on_failure: keep. Run the same task again to continue,"
                    " or with state: restored to give them back"
                )
                return
            report.watch.gives_up()
            if self._replacement:
                yield from self._replacement.give_back()
            yield from self._put_back()
        except Gone:
            report.lost = True
            yield from self._resume_scaling_of_deleted()
        except TakenOver as taken:
            report.lost = True
            report.message = f"{why}. Nothing was given back: {taken}"
        except (CallFailed, Failed, Refused) as failure:
            words = self.explain(failure) if isinstance(failure, CallFailed) else str(failure)
            same = "" if words in why else f": {words}"
            report.message = (
                f"{why}. Giving back the changes failed as well{same}. The tag {RECORD_TAG} on the service records"
                " what is left. Fix the cause, then run the same task again, or with state: restored"
            )

    def _find_own_claim(self) -> Steps[None]:
        """Look for our record, which may be there or appear soon although the answer to the claim was lost."""
        session = self.session
        for _look in range(_LOOKS_FOR_CLAIM if self._unanswered else 0):
            service = yield from session.call(session.world.describe_service)
            try:
                found = read_record(service.tags, session.world.now()) if service else None
            except NotOurs:
                return
            if found:
                session.record = self._unanswered if found.owner == session.me.owner else None
                return
            yield from session.rest(max(session.settings.wait_delay, 3))

    def _resume_scaling_of_deleted(self) -> Steps[None]:
        """Resume scaling of a deleted service. Its scalable target may live on and apply to a new one of that name."""
        try:
            yield from self._resume_scaling()
        except CallFailed as failure:
            self.report.warnings.append(f"scaling could not be resumed: {failure}")

    def explain(self, failure: CallFailed) -> str:
        return f"{self.session.title}: {failure}"
