# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon EventBridge Scheduler: each function makes one call and may raise ``CallFailed``.

Every function takes the boto3 client first. Schedules have the shape of the module's result, with instants in epoch
seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import NOT_FOUND, aws_call
from ..._core.amounts import parse_instant
from ..._core.schedules.schedule import SCHEDULER
from ..shapes.scheduled_target import target, target_request

TAG_KEYS = ("key", "value")


@aws_call("scheduler:GetSchedule", expected=NOT_FOUND)
def get(scheduler: Any, group: str, name: str) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Return the schedule and the names of unknown parts of its target, or None if the schedule does not exist."""
    answer = scheduler.get_schedule(GroupName=group, Name=name)
    window = answer.get("FlexibleTimeWindow") or {}
    known, foreign = target(answer["Target"])
    schedule = {
        "name": answer["Name"],
        "group_name": answer["GroupName"],
        "using": SCHEDULER,
        "arn": answer["Arn"],
        "enabled": answer.get("State") != "DISABLED",
        "schedule_expression": answer["ScheduleExpression"],
        "schedule_expression_timezone": answer.get("ScheduleExpressionTimezone") or "UTC",
        "flexible_time_window": window.get("MaximumWindowInMinutes") if window.get("Mode") == "FLEXIBLE" else None,
        "start_date": _epoch(answer.get("StartDate")),
        "end_date": _epoch(answer.get("EndDate")),
        "description": answer.get("Description") or None,
        "kms_key_arn": answer.get("KmsKeyArn") or None,
        "action_after_completion": answer.get("ActionAfterCompletion") or "NONE",
        "target": known,
        "tags": None,
    }
    return schedule, foreign


@aws_call("scheduler:GetScheduleGroup", expected=NOT_FOUND, then=False)
def group_exists(scheduler: Any, group: str) -> bool:
    scheduler.get_schedule_group(Name=group)
    return True


@aws_call("scheduler:CreateSchedule")
def create(scheduler: Any, schedule: Mapping[str, Any], token: str) -> None:
    """Create the schedule. Repeating the call with the same token does not create another."""
    scheduler.create_schedule(**_request(schedule), ClientToken=token)


@aws_call("scheduler:UpdateSchedule")
def update(scheduler: Any, schedule: Mapping[str, Any], token: str) -> None:
    """Replace the whole schedule. AWS resets omitted settings to their defaults."""
    scheduler.update_schedule(**_request(schedule), ClientToken=token)


@aws_call("scheduler:DeleteSchedule", expected=NOT_FOUND)
def delete(scheduler: Any, group: str, name: str) -> None:
    """Delete the schedule if it exists."""
    scheduler.delete_schedule(GroupName=group, Name=name)


def _request(schedule: Mapping[str, Any]) -> dict[str, Any]:
    minutes = schedule["flexible_time_window"]
    request = {
        "Name": schedule["name"],
        "GroupName": schedule["group_name"],
        "State": "ENABLED" if schedule["enabled"] else "DISABLED",
        "ScheduleExpression": schedule["schedule_expression"],
        "ScheduleExpressionTimezone": schedule["schedule_expression_timezone"],
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": minutes} if minutes else {"Mode": "OFF"},
        "StartDate": _instant(schedule["start_date"]),
        "EndDate": _instant(schedule["end_date"]),
        "Description": schedule["description"],
        "KmsKeyArn": schedule["kms_key_arn"],
        "ActionAfterCompletion": schedule["action_after_completion"],
        "Target": target_request(schedule["target"], TAG_KEYS),
    }
    return {key: value for key, value in request.items() if value is not None}


def _epoch(moment: Any) -> float | None:
    return None if moment is None else float(int(moment.timestamp()))


def _instant(text: str | None) -> float | None:
    return None if text is None else parse_instant("date", text)
