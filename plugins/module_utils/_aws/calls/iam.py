# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""IAM roles: each function makes one call and may raise ``CallFailed``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from .pages import pages

GONE = "NoSuchEntity"


@aws_call("iam:GetRole", expected=GONE)
def role(iam: Any, name: str) -> Mapping[str, Any] | None:
    """Return boto3's role with its tags and its parsed trust policy, or None if the role does not exist."""
    found: Mapping[str, Any] = iam.get_role(RoleName=name)["Role"]
    return found


@pages("iam:ListRolePolicies", expected=GONE, key="Marker")
def inline_policy_names(iam: Any, name: str, **page: str) -> Any:
    """List the names of a role's inline policies, or return None if the role does not exist."""
    answer = iam.list_role_policies(RoleName=name, **page)
    return answer["PolicyNames"], answer


@pages("iam:ListAttachedRolePolicies", expected=GONE, key="Marker")
def attached_policy_arns(iam: Any, name: str, **page: str) -> Any:
    """List the ARNs of the policies attached to a role, or return None if the role does not exist."""
    answer = iam.list_attached_role_policies(RoleName=name, **page)
    return [each["PolicyArn"] for each in answer["AttachedPolicies"]], answer


@aws_call("iam:GetRolePolicy", expected=GONE)
def inline_policy(iam: Any, name: str, policy: str) -> Mapping[str, Any] | None:
    """Return the document of a role's inline policy, or None if it does not exist."""
    document: Mapping[str, Any] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
    return document


@aws_call("iam:CreateRole")
def create_role(iam: Any, wanted: Mapping[str, Any]) -> None:
    """Create a role without its policies. ``wanted`` is the ``after`` of a change from ``plan_role``."""
    boundary = {"PermissionsBoundary": wanted["boundary"]} if wanted["boundary"] else {}
    iam.create_role(
        RoleName=wanted["name"],
        AssumeRolePolicyDocument=json.dumps(wanted["assume_role_policy_document"]),
        Description=wanted["description"],
        Tags=_boto_tags(wanted["tags"]),
        **boundary,
    )


@aws_call("iam:UpdateAssumeRolePolicy")
def set_trust(iam: Any, name: str, document: Mapping[str, Any]) -> None:
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))


@aws_call("iam:UpdateRoleDescription")
def set_description(iam: Any, name: str, description: str) -> None:
    """Set only the description. According to its API reference, UpdateRole would reset MaxSessionDuration."""
    iam.update_role_description(RoleName=name, Description=description)


@aws_call("iam:PutRolePermissionsBoundary")
def set_boundary(iam: Any, name: str, arn: str) -> None:
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)


@aws_call("iam:TagRole")
def tag_role(iam: Any, name: str, tags: Mapping[str, str]) -> None:
    iam.tag_role(RoleName=name, Tags=_boto_tags(tags))


@aws_call("iam:UntagRole")
def untag_role(iam: Any, name: str, keys: list[str]) -> None:
    iam.untag_role(RoleName=name, TagKeys=keys)


@aws_call("iam:PutRolePolicy")
def put_inline_policy(iam: Any, name: str, policy: str, document: Mapping[str, Any]) -> None:
    iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))


@aws_call("iam:DeleteRolePolicy", expected=GONE)
def delete_inline_policy(iam: Any, name: str, policy: str) -> None:
    iam.delete_role_policy(RoleName=name, PolicyName=policy)


@aws_call("iam:DetachRolePolicy", expected=GONE)
def detach_policy(iam: Any, name: str, arn: str) -> None:
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)


@aws_call("iam:DeleteRole", expected=GONE)
def delete_role(iam: Any, name: str) -> None:
    iam.delete_role(RoleName=name)


def _boto_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
