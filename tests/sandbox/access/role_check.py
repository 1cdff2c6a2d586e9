# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check whether a role lets an AWS service make a call: the role's trust policy, and what its policies allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .. import stored
from ..account import Account
from ..model.state import SandboxError
from .permissions import policy_statements
from .policy_check import Context, why_not


class Need(NamedTuple):
    action: str
    resource: str  # "*" for a call that has none
    context: Context | None = None


def lacks(role_arn: str, principal: str, sent: Context, needs: list[Need]) -> str | None:
    """Return what a role lacks, in words, or None. ``sent``: condition keys that the service sends to assume it."""
    role = stored.role(role_arn)
    if role is None:
        return f"{role_arn}: there is no such role"
    reason = why_not(role.assume_role_policy_document, principal, "sts:AssumeRole", None, sent)
    if reason:
        return f"{role_arn} cannot be assumed by {principal}: {reason}"
    statements = [each for policy in stored.role_policies(role) for each in policy_statements(policy)]
    for need in needs:
        resource = None if need.resource == "*" else need.resource
        reason = why_not({"Statement": statements}, None, need.action, resource, need.context or {})
        if reason:
            return f"role {role_arn} may not {need.action} on {need.resource}: {reason}"
    return None


def to_run(account: Account, region: str, asked: Mapping[str, Any], cluster: str) -> list[Need]:
    """Return the permissions that a RunTask call with these boto3 parameters needs.

    They are ecs:RunTask on the task definition's revision, with the cluster as a condition, and iam:PassRole.
    "Amazon ECS EventBridge IAM Role" in the ECS Developer Guide: iam:PassRole for each task execution role, task role
    or task role override. It is assumed that a role that is overridden must be passed as well. "Amazon ECS
    infrastructure IAM role": the roles of volumes are passed to ECS itself.
    """
    name = cluster.rsplit("/", 1)[-1]
    where = {"ecs:cluster": f"arn:aws:ecs:{region}:{account.number}:cluster/{name}"}
    try:
        with account.lock:
            definition = account.definition(region, asked["taskDefinition"])
    except SandboxError:  # RunTask will report this error itself
        return [Need("ecs:RunTask", asked["taskDefinition"], where)]
    overrides = asked.get("overrides") or {}
    passed = [each.get(role) for each in (definition, overrides) for role in ("taskRoleArn", "executionRoleArn")]
    volumes = [each.get("managedEBSVolume") or {} for each in asked.get("volumeConfigurations") or ()]
    return [
        Need("ecs:RunTask", definition["taskDefinitionArn"], where),
        *_to_pass(account, "ecs-tasks", passed),
        *_to_pass(account, "ecs", [each.get("roleArn") for each in volumes]),
    ]


def _to_pass(account: Account, service: str, roles: Iterable[str | None]) -> list[Need]:
    """Return an iam:PassRole permission for each role. ECS accepts a role's name instead of its ARN."""
    to = {"iam:passedtoservice": f"{service}.amazonaws.com"}
    arns = (role if role.startswith("arn:") else f"arn:aws:iam::{account.number}:role/{role}" for role in roles if role)
    return [Need("iam:PassRole", role, to) for role in dict.fromkeys(arns)]
