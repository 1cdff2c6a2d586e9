# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions that roles need: those that their modules of this collection can call, except what a role never uses,
and those of modules of other collections.

The tests of the roles compare each call that reaches the sandbox with these: see ``tests/end_to_end/conftest.py``.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from tests.permissions.actions import actions

MODULES_OF = {
    "failure_alerts": ("ecs_stack", "ecs_stack_info", "events_api_destination", "events_connection"),
    "launch_retry": ("ecs_retry_subscription", "ecs_stack", "ecs_stack_info", "lambda_function_concurrency"),
    "scheduled_task": ("ecs_stack", "ecs_stack_info", "ecs_task_schedule", "ecs_task_state_machine"),
    "service_recycle": ("ecs_service_recycle",),
}
# Actions for kinds of resources that a role does not have.
WITHOUT = {
    "failure_alerts": ("cloudwatch:*", "ecs:*", "logs:DescribeSubscriptionFilters", "scheduler:*", "states:*",
                       "lambda:ListEventSourceMappings"),
    "launch_retry": ("dynamodb:*", "events:DescribeApiDestination", "events:DescribeConnection", "logs:*ResourcePolic*",
                     "scheduler:*", "states:*"),
    "scheduled_task": ("cloudtrail:*", "cloudwatch:*", "dynamodb:*", "events:DescribeApiDestination",
                       "events:DescribeConnection", "lambda:*", "logs:*ResourcePolic*", "logs:*SubscriptionFilter*",
                       "sqs:*", "states:ValidateStateMachineDefinition"),
    "service_recycle": (),
}  # fmt: skip
_LOG_GROUPS = {
    f"logs:{action}"
    for action in (
        "CreateLogGroup",
        "DeleteLogGroup",
        "DeleteRetentionPolicy",
        "ListTagsLogGroup",
        "PutRetentionPolicy",
        "TagLogGroup",
        "UntagLogGroup",
    )
}
_FUNCTIONS = {
    f"lambda:{action}"
    for action in (
        "CreateFunction",
        "DeleteFunction",
        "GetFunction",
        "ListTags",
        "TagResource",
        "UntagResource",
        "UpdateFunctionCode",
        "UpdateFunctionConfiguration",
    )
}
# Actions of modules of other collections. All roles can assume an IAM role first.
OF_OTHERS = {
    "failure_alerts": {
        *_LOG_GROUPS,
        *_FUNCTIONS,
        *(f"dynamodb:{each}Table" for each in ("Create", "Delete", "Describe", "Update")),
        "dynamodb:ListTagsOfResource",
        "dynamodb:TagResource",
        "dynamodb:UntagResource",
        "sts:AssumeRole",
    },
    "launch_retry": {
        *_LOG_GROUPS,
        *_FUNCTIONS,
        *(f"lambda:{each}EventSourceMapping" for each in ("Create", "Delete", "Update")),
        "lambda:ListEventSourceMappings",
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
        "sqs:CreateQueue",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListQueueTags",
        "sqs:SetQueueAttributes",
        "sqs:TagQueue",
        "sqs:UntagQueue",
        "sts:AssumeRole",
    },
    "scheduled_task": {*_LOG_GROUPS, "sts:AssumeRole"},
    "service_recycle": {"sns:Publish", "sts:AssumeRole"},
}


def _of(role: str) -> frozenset[str]:
    own = {action for module in MODULES_OF[role] for action in actions(module)}
    kept = {each for each in own if not any(fnmatchcase(each, pattern) for pattern in WITHOUT[role])}
    return frozenset(kept | OF_OTHERS[role])


ROLES = {role: _of(role) for role in MODULES_OF}
