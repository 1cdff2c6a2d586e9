# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a role lets a service of AWS do what it is about to do: the role's trust, and what its policies allow."""

from __future__ import annotations

from typing import NamedTuple

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
    """What a role lacks, in words; None when it lacks nothing. ``sent``: what the service tells for its trust."""
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


def to_run(account: Account, region: str, task_definition: str, cluster: str) -> list[Need]:
    """For RunTask: the revision that is meant, the cluster as a condition, and the task's roles to be passed on."""
    name = cluster.rsplit("/", 1)[-1]
    where = {"ecs:cluster": f"arn:aws:ecs:{region}:{account.number}:cluster/{name}"}
    try:
        with account.lock:
            definition = account.definition(region, task_definition)
    except SandboxError:  # RunTask will say so itself
        return [Need("ecs:RunTask", task_definition, where)]
    passed = [definition.get("taskRoleArn"), definition.get("executionRoleArn")]
    to = {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}
    return [
        Need("ecs:RunTask", definition["taskDefinitionArn"], where),
        *(Need("iam:PassRole", role, to) for role in dict.fromkeys(passed) if role),
    ]
