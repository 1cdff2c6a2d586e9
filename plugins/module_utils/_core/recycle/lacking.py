# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What one task lacks to be good, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..amounts import iso
from .model import RUNNING, Task


def lacking_words(
    task: Task,
    level: str,
    has_health_check: bool,
    targets: Mapping[str, Mapping[str, str]],
    good_since: float | None = None,
    stabilize: float = 0.0,
) -> str:
    """``good_since``: AWS instant since which it passes every check, where that is not long enough yet."""
    return f"task {task.id} {' and '.join(_parts(task, level, has_health_check, targets, good_since, stabilize))}"


def _parts(
    task: Task,
    level: str,
    has_health_check: bool,
    targets: Mapping[str, Mapping[str, str]],
    good_since: float | None,
    stabilize: float,
) -> Iterator[str]:
    if task.status != RUNNING:
        # DescribeTasks has no instant for the present status.
        created = f", created at {iso(task.created_at)}" if math.isfinite(task.created_at) else ""
        yield f"is still {task.status or 'without a status'}{created}"
        return
    if good_since is not None:
        yield f"has passed every check since {iso(good_since)}, and must do so for {stabilize:g} s (stabilize_time)"
        return
    found = False
    if level != "running" and has_health_check and task.health != "HEALTHY":
        found = True
        yield f"is RUNNING, but the health of its containers is {task.health}"
    for group, states in targets.items() if level == "target_healthy" else ():
        names = task.targets.get(group, ())
        bad = [(name, states.get(name, "not registered")) for name in names if states.get(name) != "healthy"]
        if names and not bad:
            continue
        found = True
        which = f"its target {bad[0][0]} is {bad[0][1]}" if bad else "it has no target"
        yield f"is RUNNING, but {which} in target group {_group(group)}"
    if not found:  # it may have been told to stop by a call whose answer was lost
        yield "is RUNNING, but is not known to be good"


def _group(arn: str) -> str:
    """The name of a target group; what is no ARN of one as it is."""
    return arn.split("/")[1] if arn.count("/") == 2 else arn
