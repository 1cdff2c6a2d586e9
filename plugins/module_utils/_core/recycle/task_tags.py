# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Removal of our tags from tasks, for services with ``propagateTags: SERVICE``.

ECS copies the tags of such a service, including the record of the run, to each task that it launches. Cost reports and
tag policies must not see them, so the run removes them again.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CallFailed
from .knowledge import PER_CALL
from .looking import inventory
from .model import Task
from .record import RECORD_TAG
from .session import Session, Steps

_BURST = 10  # calls between two pauses: ECS allows 20 tag calls at once, and 10 per second after that
_PAUSE = 1.0  # seconds


def is_marked(task: Task) -> bool:
    """Return whether a task carries the record of a run. If no run is active, a killed run has left it."""
    return RECORD_TAG in task.marks


def remove_all(session: Session, known: Iterable[Task] = ()) -> Steps[None]:
    """Remove our tags from every task of the service, and from ``known`` tasks that the list may not contain yet."""
    tasks = yield from inventory(session)
    listed = {task.arn for task in tasks}
    unlisted = [task.arn for task in known if task.arn not in listed]
    if unlisted:
        tasks += yield from session.call(session.world.describe_tasks, unlisted)
    yield from remove(session, tasks)


def remove(session: Session, tasks: Iterable[Task]) -> Steps[None]:
    """Remove our tags from the tasks that carry one. If AWS refuses, warn instead of failing."""
    marked = [task for task in tasks if task.marks and not task.stopping and task.status != "STOPPED"]
    for number, task in enumerate(marked, 1):
        try:
            yield from session.call(session.world.untag_task, task.arn, task.marks)
        except CallFailed as failure:
            if failure.kind != "final":
                raise
            words = (
                f"{', '.join(task.marks)}, which ECS copied from {session.title} to its tasks (propagateTags), could"
                f" not be removed from {len(marked) - number + 1} of them: {failure}"
            )
            session.report.warnings.extend([words] if words not in session.report.warnings else [])
            return
        if number % _BURST == 0:
            yield from session.rest(_PAUSE)
        if number % PER_CALL == 0 and session.record:
            yield from session.look()  # renews the lease
