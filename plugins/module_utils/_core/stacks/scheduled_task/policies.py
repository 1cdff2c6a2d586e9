# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The IAM documents of the two roles: who may assume them, and what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..iam import allow, allow_key, allow_pass_role, policy, trust
from .names import Names
from .variables import Variables

Document = dict[str, Any]

# "Run Amazon ECS or Fargate tasks with Step Functions" in its Developer Guide: this rule reports that a task has ended.
WAITS_BY = "StepFunctionsGetEventsForECSTaskRule"
_LOG_DELIVERY = (
    "CreateLogDelivery",
    "DeleteLogDelivery",
    "DescribeLogGroups",
    "DescribeResourcePolicies",
    "GetLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "UpdateLogDelivery",
)
_TRACES = ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")


def states_trust(names: Names) -> Document:
    """Return the trust policy: Step Functions may assume the role for this state machine."""
    return trust(names.place, "states", [names.machine_arn])


def schedule_trust(names: Names, variables: Variables) -> Document:
    """Return the trust policy for what starts executions. Scheduler names the group in requests, not the schedule."""
    if variables.using == "rule":
        return trust(names.place, "events", [names.rule_arn(names.name)])
    return trust(names.place, "scheduler", [names.arn("scheduler", f"schedule-group/{variables.group}")])


def states_policy(
    names: Names, variables: Variables, passed: Sequence[str], topic: str | None, key: str | None
) -> Document:
    """Return what executions may do. They may run any revision of the family, so a new one needs no change here.

    ``passed`` are the ARNs of the roles that tasks get. ``topic`` is the ARN of the topic that the state machine itself
    notifies, ``key`` the KMS key of that topic.
    """
    in_cluster = {"ecs:cluster": names.arn("ecs", f"cluster/{variables.cluster_name}")}
    tasks = names.arn("ecs", f"task/{variables.cluster_name}/*")
    statements = {
        "RunTask": allow(
            "ecs:RunTask", names.arn("ecs", f"task-definition/{variables.family}:*"), ArnEquals=in_cluster
        ),
        "StopTask": allow(["ecs:DescribeTasks", "ecs:StopTask"], tasks),
        "WaitForTask": allow(["events:DescribeRule", "events:PutRule", "events:PutTargets"], names.rule_arn(WAITS_BY)),
    }
    if variables.job.get("tags") or variables.job.get("propagate_tags"):
        statements["TagTask"] = allow("ecs:TagResource", tasks, StringEquals={"ecs:CreateAction": "RunTask"})
    if passed:
        statements["PassRole"] = allow_pass_role(list(passed), "ecs-tasks")
    if variables.concurrency != "allow":
        statements["ListExecutions"] = allow("states:ListExecutions", names.machine_arn)
    if variables.concurrency == "replace":
        statements["StopExecution"] = allow("states:StopExecution", names.arn("states", f"execution:{names.name}:*"))
    if topic:
        statements["Notify"] = allow("sns:Publish", topic)
    if topic and key:
        statements["UseKey"] = allow_key(names.place, key)
    # The actions for logs and traces take no resource.
    if variables.logging_level != "OFF":
        statements["Log"] = allow([f"logs:{action}" for action in _LOG_DELIVERY], "*")
    if variables.tracing:
        statements["Trace"] = allow([f"xray:{action}" for action in _TRACES], "*")
    return _with_sids(statements)


def schedule_policy(names: Names, variables: Variables) -> Document:
    """Return what the schedule may do. A dead-letter queue admits a rule by its policy, a schedule by this role."""
    statements = {"StartExecution": allow("states:StartExecution", names.machine_arn)}
    if variables.dead_letter_arn and variables.using != "rule":
        statements["DeadLetter"] = allow("sqs:SendMessage", variables.dead_letter_arn)
    return _with_sids(statements)


def _with_sids(statements: dict[str, dict[str, Any]]) -> Document:
    return policy({"Sid": sid, **statement} for sid, statement in statements.items())
