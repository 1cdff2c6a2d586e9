# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of schedules, as Ansible parses them for the module."""

from __future__ import annotations

from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.schedules.schedule import (
    WantedSchedule,
    read_schedule,
)

ROLE = "arn:aws:iam::123456789012:role/schedules"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:report"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:dead"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
TASK = {"cluster": "prod", "task_definition": "report:7", "count": 1}


def options(**given: Any) -> dict[str, Any]:
    return {"name": "nightly", "using": "scheduler", "state": "present", **given}


def wanted(**given: Any) -> WantedSchedule:
    return read_schedule(options(**given))
