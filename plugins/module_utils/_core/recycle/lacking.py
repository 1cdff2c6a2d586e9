# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Describe what one task lacks to be good."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from ..amounts import iso
from ..plain_text import one_line
from .model import RUNNING, Targets, Task

_LONGEST_REASON = 200  # characters


def reason_words(code: str | None, text: str | None) -> str:
    """Return why a target is not healthy, from the load balancer's code and description; ``N/A`` is ignored."""
    said = [one_line(each).rstrip(".") for each in (code, text)]
    return ": ".join(each for each in said if each not in ("", "N/A"))[:_LONGEST_REASON]


def lacking_words(
    task: Task,
    level: str,
    has_health_check: bool,
    targets: Mapping[str, Targets],
    good_since: float | None = None,
    stabilize: float = 0.0,
) -> str:
    """Describe what a task lacks. ``good_since``: AWS instant since which it passes every check, if too recent."""
    return f"task {task.id} {' and '.join(_parts(task, level, has_health_check, targets, good_since, stabilize))}"


def _parts(
    task: Task,
    level: str,
    has_health_check: bool,
    targets: Mapping[str, Targets],
    good_since: float | None,
    stabilize: float,
) -> Iterator[str]:
    if task.status != RUNNING:
        # DescribeTasks does not say since when a task has had its status.
        created = f", created at {iso(task.created_at)}" if math.isfinite(task.created_at) else ""
        yield f"is still {task.status or 'without a status'}{created}"
        return
    if good_since is not None:
        yield f"has passed every check since {iso(good_since)}, and must do so for {stabilize:g} s (stabilize_time)"
        return
    passes = True
    if level != "running" and has_health_check and task.health != "HEALTHY":
        passes = False
        yield f"is RUNNING, but the health of its containers is {task.health}"
    for group, found in targets.items() if level == "target_healthy" else ():
        names = task.targets.get(group, ())
        bad = [name for name in names if found.states.get(name) != "healthy"]
        if names and not bad:
            continue
        passes = False
        which = _target_words(bad[0], found) if bad else "it has no target"
        yield f"is RUNNING, but {which} in target group {_group(group)}"
    if passes:  # it may have been told to stop by a call whose answer was lost
        yield "is RUNNING, but is not known to be good"


def _target_words(name: str, found: Targets) -> str:
    reason = found.reasons.get(name)
    return f"its target {name} is {found.states.get(name, 'not registered')}{f' ({reason})' if reason else ''}"


def _group(arn: str) -> str:
    """Return the name of a target group; anything but its ARN is returned as it is."""
    return arn.split("/")[1] if arn.count("/") == 2 else arn
