# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Options that control how a service is recycled; documented in the fragment ``steadyops.ecs.recycle``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._amazon import checked_options
from ._core.recycle.model import SCALING_FLAGS
from ._stale_task_options import SERVICE, STALE_TASKS
from ._wait_options import patience_options

RECYCLE: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["recycled", "restored"], "default": "recycled"},
    "order": {"type": "str", "choices": ["oldest", "newest", "az_spread"], "default": "oldest"},
    "max_tasks": {"type": "int"},
    "batch_size": {"type": "str", "default": "1"},
    "batch_wait": {"type": "float", "default": 0, "aliases": ["wait_time"]},
    "checkpoints": {"type": "list", "elements": "float", "default": []},
    "checkpoint_wait": {"type": "float", "default": 3600},
    "bake_time": {"type": "float", "default": 0},
    "alarms": {"type": "list", "elements": "str", "default": []},
    "max_failures": {"type": "int", "default": 0},
    "timeout": {"type": "int"},
    "on_failure": {"type": "str", "choices": ["restore", "keep"], "default": "restore"},
    "stop_method": {"type": "str", "choices": ["stop_task", "scale_in"], "default": "stop_task"},
    "surge": {"type": "str", "default": "auto"},
    "minimum_healthy_percent": {"type": "int", "default": 100},
    "wait_for": {"type": "str", "choices": ["running", "healthy", "target_healthy", "auto"], "default": "auto"},
    "stabilize_time": {"type": "float"},
    **patience_options(timeout=900, delay=3),
    "wait_for_capacity": {"type": "float"},
    "on_deployment": {"type": "str", "choices": ["fail", "wait"], "default": "fail"},
    "deployment_timeout": {"type": "int", "default": 3600},
    "protected_tasks": {"type": "str", "choices": ["skip", "recycle", "wait"], "default": "skip"},
    "protected_timeout": {"type": "int", "default": 3600},
    "suspend_scaling": {"type": "list", "elements": "str", "choices": list(SCALING_FLAGS), "default": ["dynamic_in"]},
    "lease": {"type": "int", "default": 600},
    "check_images": {"type": "bool", "default": True},
    "reason": {"type": "str"},
}

OF_ONE = {**SERVICE, **STALE_TASKS, **RECYCLE}


def check_entries(services: Iterable[Any]) -> list[Any]:
    """Check and convert the entries of a list of services that are dictionaries of options. Raises ``Refused``."""
    return [
        checked_options(f"services, entry {number}", OF_ONE, each) if isinstance(each, Mapping) else each
        for number, each in enumerate(services, start=1)
    ]
