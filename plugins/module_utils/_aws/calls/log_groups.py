# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""CloudWatch Logs: log groups and their resource policies. One call, one function.

Of the policies only those that belong to one log group are spoken of (``resourceArn``): an account has no more than
ten of the others. ``arn`` is without ``:*``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._amazon import NOT_FOUND, aws_call


@aws_call("logs:DescribeResourcePolicies", expected=NOT_FOUND, then=(None, None))
def log_group_policy(logs: Any, arn: str) -> tuple[str | None, str | None]:
    """Return the policy of a log group, JSON, and its revision; twice None when there is none."""
    answer = logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")
    found: Mapping[str, Any] = next(iter(answer["resourcePolicies"]), {})
    return found.get("policyDocument"), found.get("revisionId")


@aws_call("logs:DescribeLogGroups")
def log_group(logs: Any, name: str) -> Mapping[str, Any] | None:
    """Return boto3's log group; None when there is none of that name."""
    answer = logs.describe_log_groups(logGroupNamePrefix=name)
    # Told in the order of their names, so the name itself comes before those that only begin with it.
    return next((group for group in answer["logGroups"] if group["logGroupName"] == name), None)


@aws_call("logs:AssociateKmsKey")
def associate_key(logs: Any, name: str, key_arn: str) -> None:
    """Encrypt what a log group is sent from now on with a KMS key."""
    logs.associate_kms_key(logGroupName=name, kmsKeyId=key_arn)


@aws_call("logs:ListTagsForResource", expected=NOT_FOUND, then={})
def log_group_tags(logs: Any, arn: str) -> dict[str, str]:
    return dict(logs.list_tags_for_resource(resourceArn=arn).get("tags") or {})


@aws_call("logs:PutResourcePolicy")
def put_log_group_policy(logs: Any, arn: str, policy: Mapping[str, Any], revision: str | None) -> None:
    """``revision`` is that of the policy it takes the place of; AWS refuses when that has been changed meanwhile."""
    expected = {"expectedRevisionId": revision} if revision else {}
    logs.put_resource_policy(resourceArn=arn, policyDocument=json.dumps(policy), **expected)


@aws_call("logs:DeleteResourcePolicy")
def delete_log_group_policy(logs: Any, arn: str, revision: str | None) -> None:
    expected = {"expectedRevisionId": revision} if revision else {}
    logs.delete_resource_policy(resourceArn=arn, **expected)
