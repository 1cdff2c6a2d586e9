# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon DynamoDB: each function makes one call and may raise ``CallFailed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import NOT_FOUND, aws_call


@aws_call("dynamodb:DescribeTable", expected=NOT_FOUND)
def table(dynamodb: Any, name: str) -> Mapping[str, Any] | None:
    """Return boto3's description of the table, or None if none has that name."""
    answer: Mapping[str, Any] = dynamodb.describe_table(TableName=name)["Table"]
    return answer


@aws_call("dynamodb:ListTagsOfResource", expected=NOT_FOUND, then={})
def table_tags(dynamodb: Any, arn: str) -> dict[str, str]:
    """Return the tags. One page holds the 50 tags that a table can have ("assumed": AWS documents no page size)."""
    return {tag["Key"]: tag["Value"] for tag in dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"]}
