# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Options that name a service and choose its stale tasks; documented in the fragment ``steadyops.ecs.stale_tasks``."""

from __future__ import annotations

SERVICE = {
    "cluster": {"type": "str", "default": "default"},
    "service": {"type": "str", "required": True, "aliases": ["name"]},
}

STALE_TASKS = {
    "started_before": {"type": "str"},
    "max_task_age": {"type": "str"},
    "token": {"type": "str", "no_log": False},
    "secrets_changed": {"type": "bool", "no_log": False},
    "tasks": {"type": "list", "elements": "str"},
    "all_tasks": {"type": "bool"},
    "exclude_tasks": {"type": "list", "elements": "str", "default": []},
    "availability_zones": {"type": "list", "elements": "str", "default": []},
    "capacity_providers": {"type": "list", "elements": "str", "default": []},
}
