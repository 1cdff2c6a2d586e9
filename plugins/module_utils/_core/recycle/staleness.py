# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Decides which tasks are stale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..amounts import iso
from ..errors import Refused
from .model import Task
from .record import Record, token_cutoff
from .selector import Narrowing, Selector

_TICK = 0.001  # ECS gives instants to the millisecond


def freeze_now(now: float, tasks: Iterable[Task]) -> float:
    """Return an instant after the creation of every given task and before that of every later one.

    AWS's clock is read from the date of its answers, which is cut to the second, so ``now`` may be earlier than the
    creation of the youngest task.
    """
    return max([now, *(task.created_at + _TICK for task in tasks if math.isfinite(task.created_at))])


def find_cutoff(
    selector: Selector,
    now: float,
    tasks: Iterable[Task],
    tags: Mapping[str, str],
    record: Record | None,
    secrets_changed_at: float | None = None,
) -> float | None:
    """Return the instant before which stale tasks were created, or None if something else decides.

    ``secrets_changed_at`` is required for that selector. Raise Refused for an instant in the future, because every
    replacement would be stale at once.
    """
    if selector.kind == "tasks":
        return None
    if selector.kind == "secrets_changed":
        return secrets_changed_at
    if selector.kind == "started_before":
        # The date of an answer is up to a second behind the clock that made it.
        if selector.value > now + 1:
            raise Refused(
                f"started_before must be in the past: it is {iso(selector.value)}, and the clock of AWS says"
                f" {iso(now)}. Otherwise every replacement would be stale as well, and the run would never end"
            )
        return float(selector.value)
    if selector.kind == "max_task_age":
        return now - float(selector.value)
    if selector.kind == "token":
        known = token_cutoff(tags, selector.value, now)
        return freeze_now(now, tasks) if known is None else known
    if record and record.selector == "all_tasks":
        return record.cutoff
    return freeze_now(now, tasks)


@dataclass(frozen=True)
class Selection:
    """The rule that makes a task stale, frozen for one run."""

    cutoff: float | None = None
    named: frozenset[str] = frozenset()  # ids, used if there is no cutoff
    narrowing: Narrowing = field(default_factory=Narrowing)

    def holds(self, task: Task) -> bool:
        """Return whether the task must be replaced. Its age counts from createdAt, because whatever a task reads at its
        start, such as secrets, it reads after that instant and maybe before startedAt."""
        stale = task.id in self.named if self.cutoff is None else task.created_at < self.cutoff
        return stale and self.narrowing.keeps(task)


def freeze_selection(selector: Selector, narrowing: Narrowing, cutoff: float | None) -> Selection:
    return Selection(cutoff, selector.value if selector.kind == "tasks" else frozenset(), narrowing)
