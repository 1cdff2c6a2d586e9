# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Options for starting a task, which several modules share."""

from __future__ import annotations

STRATEGY = {
    "type": "list",
    "elements": "dict",
    "options": {
        "capacity_provider": {"type": "str", "required": True},
        "weight": {"type": "int", "default": 1},
        "base": {"type": "int", "default": 0},
    },
}

LAUNCH = {
    "cluster": {"type": "str", "required": True},
    "task_definition": {"type": "str", "required": True},
    "launch_type": {"type": "str", "choices": ["EC2", "FARGATE", "EXTERNAL"]},
    "capacity_provider_strategy": STRATEGY,
    "platform_version": {"type": "str"},
    "network_configuration": {
        "type": "dict",
        "options": {
            "subnets": {"type": "list", "elements": "str", "required": True},
            "security_groups": {"type": "list", "elements": "str"},
            "assign_public_ip": {"type": "bool"},
        },
    },
    "overrides": {
        "type": "dict",
        "options": {
            "containers": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "command": {"type": "list", "elements": "str"},
                    "environment": {"type": "dict"},
                    "cpu": {"type": "int"},
                    "memory": {"type": "int"},
                    "memory_reservation": {"type": "int"},
                },
            },
            "cpu": {"type": "str"},
            "memory": {"type": "str"},
            "task_role_arn": {"type": "str"},
            "execution_role_arn": {"type": "str"},
        },
    },
    "propagate_tags": {"type": "bool", "default": False},
    "tags": {"type": "dict"},
    "group": {"type": "str"},
    "enable_execute_command": {"type": "bool"},
    "enable_ecs_managed_tags": {"type": "bool"},
}
