# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Give back what was added, in an order that leaves ECS no good task to stop for the lower desired count."""

from __future__ import annotations

from dataclasses import replace

from .decide import Finish, Leaving, Lower, Wait, Withdraw, decide_leaving
from .looking import Lookout
from .progress import Progress
from .record import give_back
from .session import Steps

_LAST_LOOKS = 4  # looks before a run that has to end gives back what it added, whatever state the tasks are in
_NAMING_LOOKS = 12
_QUICK_LOOKS = 3  # looks in a row to discard because a call was repeated, so ECS may have acted meanwhile
_STARTED_AGAIN = 3  # tasks beyond the count that ECS may start while the count is being lowered
_LAST_SECONDS = 60.0  # for withdrawing tasks, when the run has to end


def give_back_added(progress: Progress, lookout: Lookout) -> Steps[None]:
    """Give back what was added to the desired count. Added and stale tasks that are not good are stopped on the way."""
    session = progress.session
    looks, since = 0, session.world.clock()
    spare: int | None = None
    slow = 0
    while True:
        began, repeats = session.world.clock(), session.repeats
        seen = yield from _look(progress, lookout)
        looks += 1
        patience = _LAST_SECONDS if session.me.ending() else session.settings.wait_timeout
        if began - since > patience:  # ECS may start the missing tasks before the count is lowered
            _warn_of_doubtful(progress, replace(seen, live=max(seen.live, seen.desired)))
            return
        patient = looks <= _LAST_LOOKS or not session.me.ending()
        slow = slow + 1 if session.repeats > repeats else 0
        if patient and (session.is_late(began) or 0 < slow <= _QUICK_LOOKS):
            continue
        slow = 0
        if spare is None:
            spare = max(0, seen.live + max(0, seen.nameless) - seen.desired) + _STARTED_AGAIN
        seen = replace(seen, spare=spare)
        if looks > _NAMING_LOOKS:  # tasks come and go faster than a look can name them
            seen = replace(seen, live=seen.live + max(0, seen.nameless), nameless=0)
        action = decide_leaving(seen, progress.plan.floor, patient)
        if isinstance(action, Finish):
            if not patient:
                _warn_of_doubtful(progress, seen)
            return
        if isinstance(action, Wait):
            yield from lookout.take_inventory()
            yield from session.rest(session.settings.wait_delay)
        elif isinstance(action, Lower):
            if not patient:
                _warn_of_doubtful(progress, seen)
            if (yield from session.try_desired(seen.desired, action.to)):
                left = session.held.surge - (seen.desired - action.to)
                session.note(at_once=left > 0, surge=left)
        else:
            spare += yield from _withdraw(progress, action, seen.desired)


def _warn_of_doubtful(progress: Progress, seen: Leaving) -> None:
    """Warn once about tasks that are not good, because there is no time left to wait for them or withdraw them."""
    nameless, report = max(0, seen.nameless), progress.session.report
    doubtful = max(len(seen.bad), seen.live - seen.healthy) + nameless
    told = any("were removed although" in words for words in report.warnings)
    if seen.live + nameless > seen.target and doubtful > 0 and not told:
        report.warnings.append(
            f"the tasks added to {progress.session.title} were removed although {doubtful} of its tasks are not known"
            " to be good: when the desired count is lowered, ECS may stop good ones instead"
        )


def _look(progress: Progress, lookout: Lookout) -> Steps[Leaving]:
    session, knowledge = progress.session, progress.knowledge
    service = progress.service = yield from session.look()
    knowledge.new_events(service)
    yield from lookout.describe(())
    desired = session.desired(service)
    healthy = knowledge.healthy(service)
    session.report.healthy = None if knowledge.mixed else healthy
    bad = knowledge.worst_first(progress.todo.values())
    if healthy < progress.plan.floor:  # then tasks on probation are needed
        bad = [task for task in bad if not knowledge.on_probation(task)]
    return Leaving(
        desired=desired,
        target=give_back(desired, session.held.original, session.held.surge),
        live=knowledge.live,
        nameless=knowledge.nameless(service),
        healthy=healthy,
        bad=tuple(bad),
    )


def _withdraw(progress: Progress, action: Withdraw, desired: int) -> Steps[int]:
    """Stop a task. Return the change to how many may be stopped without lowering the count: -1 if this one was, +1 if
    ECS may have started another before the count was lowered, and 0 if the stop failed."""
    session, task = progress.session, action.task
    reason = f"added by ecs_service_recycle {session.me.owner} and withdrawn before it was good"
    if task.id in progress.todo:
        reason = f"was not healthy and is replaced by a task that ecs_service_recycle {session.me.owner} has added"
    if not (yield from session.attempt(session.world.stop_task, task.arn, reason)):
        return 0
    progress.knowledge.mark_victim(task)
    session.report.watch.ended(task)
    if task.id in progress.todo:
        session.report.changed = True
        progress.replaced_by_added(task)
        session.report.remaining = [*progress.todo.values(), *progress.plan.later]
    else:
        session.report.withdrawn.append(task.arn)
    if not action.lower:
        return -1
    if (yield from session.try_desired(desired, desired - 1)):
        session.note(surge=session.held.surge - 1)
    return 1
