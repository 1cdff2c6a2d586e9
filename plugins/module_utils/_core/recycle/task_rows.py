# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The service and its tasks, in the form in which results show them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..amounts import iso
from .model import Service, Task
from .record import read_record
from .selector import Narrowing, Selector
from .staleness import find_cutoff, freeze_selection


def service_facts(service: Service) -> dict[str, Any]:
    return {
        "arn": service.arn,
        "name": service.name,
        "cluster": service.cluster,
        "status": service.status,
        "desired_count": service.desired,
        "running_count": service.running,
        "pending_count": service.pending,
        "task_definition": service.revision,
        "deploying": service.deploying,
        "tags": dict(service.tags),
    }


def task_rows(
    service: Service,
    tasks: Iterable[Task],
    protected_until: Mapping[str, float],
    now: float,
    selector: Selector | None,
    narrowing: Narrowing,
    secrets_changed_at: float | None = None,
) -> tuple[list[dict[str, Any]], float | None]:
    """Return a row for each task that ECS means to keep, oldest first, and the cutoff if the selector has one.

    A task is stale if a recycle that began now would find it stale. Raise Refused if that recycle would.
    """
    kept = sorted(
        (task for task in tasks if not task.stopping and task.status != "STOPPED"),
        key=lambda task: (task.created_at, task.arn),
    )
    cutoff, selection = None, None
    if selector:
        cutoff = find_cutoff(selector, now, kept, service.tags, read_record(service.tags, now), secrets_changed_at)
        selection = freeze_selection(selector, narrowing, cutoff)
    return [
        {
            "task": task.arn,
            "created_at": _iso(task.created_at),
            "started_at": _iso(task.started_at),
            "age": max(0, round(now - task.created_at)) if math.isfinite(task.created_at) else 0,
            "last_status": task.status,
            "health_status": task.health,
            "task_definition": task.revision,
            "protected": task.arn in protected_until,
            "protected_until": _iso(protected_until.get(task.arn)),
            "availability_zone": task.zone,
            "capacity_provider": task.capacity_provider,
            "launch_type": task.launch_type,
            "stale": selection.holds(task) if selection else None,
        }
        for task in kept
    ], cutoff


def _iso(instant: float | None) -> str | None:
    return iso(instant) if instant is not None and math.isfinite(instant) else None
