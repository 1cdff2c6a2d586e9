# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A toy load balancer: requests to a service, each answered by one of its healthy targets, or not.

All that is decided is decided in the model's time: how slow the machine is changes no answer.
"""

from __future__ import annotations

import time
from typing import Any

from ..account import Account
from ..model.scheduler import Cluster
from ..model.tasks import Task


def request(account: Account, asked: dict[str, Any]) -> dict[str, Any]:
    """One request to `service`, which takes `seconds` (of AWS; 1 unless told): {"status", "task", "reason"}.

    502: its task no longer answered, or stopped answering before the request was done. 503: no target was healthy.
    """
    seconds = float(asked.get("seconds", 1)) / account.speed
    with account.lock:
        model = account.cluster(asked.get("region"))
        task, begun = choose(account, model, asked["service"]), model.now
    if task is None:
        return {"status": 503, "task": None, "reason": "no target is healthy"}
    time.sleep(seconds)
    with account.lock:
        account.cluster(asked.get("region"))  # what happens until now has happened
        ended = task.unserved_at
    if ended is not None and ended < begun + seconds:
        when = "before the request came" if ended <= begun else "while the request was under way"
        return {"status": 502, "task": task.arn, "reason": f"the task stopped answering {when}"}
    return {"status": 200, "task": task.arn, "reason": None}


def choose(account: Account, model: Cluster, name: str) -> Task | None:
    """Any task that every target group of its service finds healthy."""
    service = model.service(name)
    if not service.target_groups:
        raise ValueError(f"service {name} has no target group")
    healthy = [
        task
        for task in (*service.live.values(), *service.leaving.values())
        if all(model.groups.get(group, {}).get(task.target) == "healthy" for group in service.target_groups)
    ]
    return account.chance.choice(healthy) if healthy else None
