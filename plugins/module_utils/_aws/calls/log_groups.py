# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""CloudWatch Logs: log groups and their resource policies. Each function makes one call.

Only policies that belong to a single log group (``resourceArn``) are used, because an account can have no more than ten
of the others. ``arn`` has no ``:*`` at its end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..._amazon import NOT_FOUND, aws_call


@aws_call("logs:DescribeResourcePolicies", expected=NOT_FOUND, then=(None, None))
def log_group_policy(logs: Any, arn: str) -> tuple[str | None, str | None]:
    """Return the policy of a log group as JSON and its revision, or ``(None, None)`` if it has none."""
    answer = logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")
    found: Mapping[str, Any] = next(iter(answer["resourcePolicies"]), {})
    return found.get("policyDocument"), found.get("revisionId")


@aws_call("logs:DescribeLogGroups")
def log_group(logs: Any, name: str) -> Mapping[str, Any] | None:
    """Return boto3's log group, or None if none has that name."""
    answer = logs.describe_log_groups(logGroupNamePrefix=name)
    # AWS sorts by name, so the exact name comes before longer names that begin with it.
    return next((group for group in answer["logGroups"] if group["logGroupName"] == name), None)


@aws_call("logs:AssociateKmsKey")
def associate_key(logs: Any, name: str, key_arn: str) -> None:
    """Encrypt everything that the log group receives from now on with a KMS key."""
    logs.associate_kms_key(logGroupName=name, kmsKeyId=key_arn)


@aws_call("logs:ListTagsForResource", expected=NOT_FOUND, then={})
def log_group_tags(logs: Any, arn: str) -> dict[str, str]:
    return dict(logs.list_tags_for_resource(resourceArn=arn).get("tags") or {})


@aws_call("logs:PutResourcePolicy")
def put_log_group_policy(logs: Any, arn: str, policy: Mapping[str, Any], revision: str | None) -> None:
    """Create or replace the policy. ``revision`` is that of the policy to replace: AWS refuses if it has changed."""
    expected = {"expectedRevisionId": revision} if revision else {}
    logs.put_resource_policy(resourceArn=arn, policyDocument=json.dumps(policy), **expected)


@aws_call("logs:DeleteResourcePolicy")
def delete_log_group_policy(logs: Any, arn: str, revision: str | None) -> None:
    expected = {"expectedRevisionId": revision} if revision else {}
    logs.delete_resource_policy(resourceArn=arn, **expected)
