# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that IAM checks when a module, the inventory or a role runs."""

from __future__ import annotations

from functools import cache

from tests.unit.contract.calls_of_modules import PLUGINS, calls_of

MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
INVENTORY = "ecs_services"

# "No permissions are required to perform this operation", says the API reference of AWS STS.
FREE = {"sts:GetCallerIdentity"}

# What IAM checks for a call in addition to the call itself.
BESIDES = {
    # "Actions, resources, and condition keys": PutTargets, PutSchedule and CreateStateMachine depend on iam:PassRole.
    "ecs_notification_target": {"iam:PassRole"},
    "ecs_stack": {"iam:PassRole"},
    "ecs_task_schedule": {"iam:PassRole"},
    "ecs_task_state_machine": {"iam:PassRole"},
    # "Connections for API targets" in the user guide of EventBridge: it stores the secret in the caller's name.
    "events_connection": {
        "iam:CreateServiceLinkedRole",
        *(f"kms:{action}" for action in ("Decrypt", "DescribeKey", "GenerateDataKey")),
        *(f"secretsmanager:{action}Secret" for action in ("Create", "Delete", "Describe", "Update")),
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
    },
    INVENTORY: {"sts:AssumeRole"},  # amazon.aws makes this call
}

# AWS services to which roles are passed.
PASSED_TO = {
    "ecs_notification_target": ("events",),
    "ecs_stack": ("events",),
    "ecs_task_schedule": ("events", "scheduler"),
    "ecs_task_state_machine": ("states",),
    "failure_alerts": ("events", "lambda"),
    "launch_retry": ("lambda",),
    "scheduled_task": ("events", "scheduler", "states"),
}


@cache
def actions(name: str) -> frozenset[str]:
    """Return the actions of a module or of the inventory."""
    where = ("inventory/ecs_services.py", "InventoryModule") if name == INVENTORY else (f"modules/{name}.py",)
    return frozenset(calls_of(*where) - FREE | BESIDES.get(name, set()))
