# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A toy load balancer that sends each request to one healthy target of a service.

All outcomes depend on the model's time only, so a slow machine does not change them.
"""

from __future__ import annotations

import time
from typing import Any

from ..account import Account
from ..model.scheduler import Cluster
from ..model.tasks import Task


def request(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """Send a request that takes `seconds` (AWS's; default 1) to `service`. Return {"status", "task", "reason"}.

    502: the task had stopped answering, or stopped before the request was done. 503: no target was healthy.
    """
    seconds = float(asked.get("seconds", 1)) / account.speed
    with account.lock:
        model = account.cluster(asked.get("region"))
        task, begun = choose(account, model, asked["service"]), model.now
    if task is None:
        return {"status": 503, "task": None, "reason": "no target is healthy"}
    time.sleep(seconds)
    with account.lock:
        account.cluster(asked.get("region"))  # advances the model to the present
        ended = task.unserved_at
    if ended is not None and ended < begun + seconds:
        when = "before the request came" if ended <= begun else "while the request was under way"
        return {"status": 502, "task": task.arn, "reason": f"the task stopped answering {when}"}
    return {"status": 200, "task": task.arn, "reason": None}


def choose(account: Account, model: Cluster, name: str) -> Task | None:
    """Return a random task that is healthy in every target group of its service, or None."""
    service = model.service(name)
    if not service.target_groups:
        raise ValueError(f"service {name} has no target group")
    healthy = [
        task
        for task in (*service.live.values(), *service.leaving.values())
        if all(model.groups.get(group, {}).get(task.target) == "healthy" for group in service.target_groups)
    ]
    return account.chance.choice(healthy) if healthy else None
