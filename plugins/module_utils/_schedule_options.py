# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options of ecs_task_schedule, which the role scheduled_task reads as well."""

from __future__ import annotations

from ._launch_options import LAUNCH

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "group_name": {"type": "str"},
    "using": {"type": "str", "choices": ["scheduler", "rule"], "default": "scheduler"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "enabled": {"type": "bool"},
    "schedule_expression": {"type": "str"},
    "schedule_expression_timezone": {"type": "str"},
    "flexible_time_window": {"type": "int"},
    "start_date": {"type": "str"},
    "end_date": {"type": "str"},
    "description": {"type": "str"},
    "kms_key_arn": {"type": "str", "no_log": False},
    "action_after_completion": {"type": "str", "choices": ["NONE", "DELETE"]},
    "state_machine_arn": {"type": "str"},
    "input": {"type": "json"},
    "task": {"type": "dict", "options": {**LAUNCH, "count": {"type": "int", "default": 1}}},
    "role_arn": {"type": "str"},
    "dead_letter_arn": {"type": "str"},
    "maximum_retry_attempts": {"type": "int"},
    "maximum_event_age_in_seconds": {"type": "int"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": True},
}
