# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""AWS IAM, roles: one call, one function. May raise ``CallFailed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from .pages import pages

GONE = "NoSuchEntity"


@aws_call("iam:GetRole", expected=GONE)
def role(iam: Any, name: str) -> Mapping[str, Any] | None:
    """Return boto3's role, with its trust policy as a value and its tags; None when there is no such role."""
    found: Mapping[str, Any] = iam.get_role(RoleName=name)["Role"]
    return found


@pages("iam:ListRolePolicies", expected=GONE, key="Marker")
def inline_policy_names(iam: Any, name: str, **page: str) -> Any:
    """List the names of the policies that are part of a role; None when there is no such role."""
    answer = iam.list_role_policies(RoleName=name, **page)
    return answer["PolicyNames"], answer


@pages("iam:ListAttachedRolePolicies", expected=GONE, key="Marker")
def attached_policy_arns(iam: Any, name: str, **page: str) -> Any:
    """List the ARNs of the policies that are attached to a role; None when there is no such role."""
    answer = iam.list_attached_role_policies(RoleName=name, **page)
    return [each["PolicyArn"] for each in answer["AttachedPolicies"]], answer


@aws_call("iam:GetRolePolicy", expected=GONE)
def inline_policy(iam: Any, name: str, policy: str) -> Mapping[str, Any] | None:
    """Return the document of a policy that is part of a role; None when there is none."""
    document: Mapping[str, Any] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return document
