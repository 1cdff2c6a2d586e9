# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Subscription filters of CloudWatch Logs: each function makes one call.

Every function takes the boto3 client first and may raise ``CallFailed``.
"""

from __future__ import annotations

from typing import Any

from ..._amazon import NOT_FOUND, aws_call
from ..._core.log_subscription.model import Filter
from .pages import pages


@pages("logs:DescribeSubscriptionFilters", expected=NOT_FOUND, key="nextToken")
def subscription_filters(logs: Any, log_group: str, **page: str) -> Any:
    """List the filters of a log group, or return None if the log group does not exist."""
    answer = logs.describe_subscription_filters(logGroupName=log_group, **page)
    filters = [
        Filter(
            name=each["filterName"],
            log_group=each.get("logGroupName", log_group),
            destination=each["destinationArn"],
            pattern=each.get("filterPattern") or "",
            role_arn=each.get("roleArn") or None,
            distribution=each.get("distribution"),
            transformed=bool(each.get("applyOnTransformedLogs")),
            created_at=each["creationTime"] / 1000 if "creationTime" in each else None,
            field_selection=each.get("fieldSelectionCriteria") or None,
            system_fields=tuple(each.get("emitSystemFields") or ()),
        )
        for each in answer["subscriptionFilters"]
    ]
    return filters, answer


@aws_call("logs:PutSubscriptionFilter")
def put_subscription_filter(
    logs: Any, log_group: str, name: str, pattern: str, destination: str, current: Filter | None = None
) -> None:
    """Create a filter, or replace the one of that name. Settings of ``current`` that are not managed here are kept."""
    kept: dict[str, Any] = {}
    if current and current.transformed:
        kept["applyOnTransformedLogs"] = True
    if current and current.field_selection:
        kept["fieldSelectionCriteria"] = current.field_selection
    if current and current.system_fields:
        kept["emitSystemFields"] = list(current.system_fields)
    logs.put_subscription_filter(
        logGroupName=log_group, filterName=name, filterPattern=pattern, destinationArn=destination, **kept
    )


@aws_call("logs:DeleteSubscriptionFilter", expected=NOT_FOUND)
def delete_subscription_filter(logs: Any, log_group: str, name: str) -> None:
    """Delete a filter if it exists."""
    logs.delete_subscription_filter(logGroupName=log_group, filterName=name)
