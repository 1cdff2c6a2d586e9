# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options of ecs_task_state_machine, which the role scheduled_task reads as well."""

from __future__ import annotations

from ._launch_options import LAUNCH, STRATEGY
from ._wait_options import wait_options


def backoff(
    max_attempts: int, interval: int, rate: float, max_delay: int | None, jitter: bool
) -> dict[str, dict[str, object]]:
    return {
        "max_attempts": {"type": "int", "default": max_attempts},
        "interval": {"type": "int", "default": interval},
        "backoff_rate": {"type": "float", "default": rate},
        "max_delay": {"type": "int", **({"default": max_delay} if max_delay else {})},
        "jitter": {"type": "bool", "default": jitter},
    }


STOP_CODES = [
    "EssentialContainerExited",
    "InfrastructureHealth",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TaskFailedToStart",
    "TerminationNotice",
    "UserInitiated",
]
JOB = {
    **LAUNCH,
    "timeout": {"type": "str", "required": True},
    "execution_timeout": {"type": "str"},
    "comment": {"type": "str"},
    "retry_launch": {"type": "dict", "apply_defaults": True, "options": backoff(6, 60, 2, 900, True)},
    "retry_failures": {
        "type": "dict",
        "options": {
            "exit_codes": {"type": "list", "elements": "int"},
            "container": {"type": "str"},
            "stop_codes": {"type": "list", "elements": "str", "choices": STOP_CODES},
            **backoff(2, 60, 2, 900, True),
        },
    },
    "retry_any": {"type": "dict", "options": backoff(1, 10, 1, None, False)},
    "rotate_subnets": {"type": "bool", "default": False},
    "fallback_capacity_provider_strategy": STRATEGY,
    "notify_topic_arn": {"type": "str"},
    "concurrency": {"type": "str", "choices": ["allow", "forbid", "replace"], "default": "allow"},
    "starting_deadline": {"type": "str"},
    "skipped_topic_arn": {"type": "str"},
}
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "type": {"type": "str", "choices": ["STANDARD", "EXPRESS"]},
    "role_arn": {"type": "str"},
    "definition": {"type": "json"},
    "job": {"type": "dict", "options": JOB},
    "logging": {
        "type": "dict",
        "options": {
            "level": {"type": "str", "choices": ["OFF", "ALL", "ERROR", "FATAL"], "required": True},
            "include_execution_data": {"type": "bool", "default": False},
            "log_group_arn": {"type": "str"},
        },
    },
    "tracing": {"type": "bool"},
    "validate": {"type": "bool", "default": False},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": True},
    **wait_options(timeout=300),
}
