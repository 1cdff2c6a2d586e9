# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Tags of ours on tasks, for services with ``propagateTags: SERVICE``.

ECS copies the tags of such a service to each task that it launches, the record of the run among them. Cost reports and
tag policies must not see them, so they are removed again.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CallFailed
from .knowledge import PER_CALL
from .looking import inventory
from .model import Task
from .record import RECORD_TAG
from .session import Session, Steps

_BURST = 10  # calls after which there is a pause: ECS lets 20 tag calls through at once, and 10 in each second after
_PAUSE = 1.0  # seconds


def is_marked(task: Task) -> bool:
    """Whether a task carries the record of a run. Where no run is at work, a killed one has left it."""
    return RECORD_TAG in task.marks


def remove_all(session: Session, known: Iterable[Task] = ()) -> Steps[None]:
    """Remove our tags from every task of the service, and from the ``known`` ones that a list may not name yet."""
    tasks = yield from inventory(session)
    listed = {task.arn for task in tasks}
    unlisted = [task.arn for task in known if task.arn not in listed]
    if unlisted:
        tasks += yield from session.call(session.world.describe_tasks, unlisted)
    yield from remove(session, tasks)


def remove(session: Session, tasks: Iterable[Task]) -> Steps[None]:
    """Remove our tags from those of the tasks that carry one. What AWS refuses is a warning: the work is done."""
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
