# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon CloudWatch: each function makes one call and may raise ``CallFailed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call

AT_ONCE = 100  # maximum number of alarms in one call


@aws_call("cloudwatch:DescribeAlarms")
def alarm_states(cloudwatch: Any, names: list[str]) -> dict[str, str]:
    """Return OK, ALARM or INSUFFICIENT_DATA for each existing metric or composite alarm, by name. At most a hundred."""
    answer = cloudwatch.describe_alarms(
        AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=AT_ONCE
    )
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in found}


@aws_call("cloudwatch:DescribeAlarms")
def metric_alarms(cloudwatch: Any, names: list[str]) -> dict[str, Mapping[str, Any]]:
    """Return boto3's description of each metric alarm that exists, by name. At most a hundred names."""
    answer = cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"], MaxRecords=AT_ONCE)
    return {alarm["AlarmName"]: alarm for alarm in answer.get("MetricAlarms", [])}


@aws_call("cloudwatch:ListTagsForResource", expected="ResourceNotFound", then={})
def alarm_tags(cloudwatch: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}
