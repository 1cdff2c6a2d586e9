# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read the options of a schedule and check everything that can be checked without AWS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..amounts import parse_instant
from ..ecs.launch import Launch, read_launch
from ..errors import Refused
from ..json_text import read_json
from ..limits import DELIVERY, LONGEST_DESCRIPTION, check_delivery, check_length, check_range, check_tags
from ..names import EVENTS_NAME, KMS_KEY, ROLE, STANDARD_QUEUE, STATE_MACHINE, read_arn_text, read_name
from .expression import check_expression, check_timezone

SCHEDULER, RULE = "scheduler", "rule"
LONGEST_WINDOW = 1440  # minutes
MOST_TASKS = 10

# Options that EventBridge Scheduler supports and EventBridge rules do not, and what applies to rules instead.
SCHEDULER_ONLY = {
    "group_name": "rules have no groups",
    "schedule_expression_timezone": "rules use UTC",
    "flexible_time_window": "rules have no flexible window",
    "start_date": "a rule runs as long as it is enabled",
    "end_date": "a rule runs as long as it is enabled",
    "kms_key_arn": "rules with a schedule cannot be encrypted",
    "action_after_completion": "rules never complete",
}


@dataclass(frozen=True)
class TaskTarget:
    """An ECS task as target."""

    launch: Launch
    count: int = 1


@dataclass(frozen=True)
class WantedSchedule:
    """The schedule that the user wants. A key missing from ``facts`` keeps its value; None removes it."""

    name: str
    using: str = SCHEDULER
    group: str = "default"
    present: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)  # in the shape of the result
    target: Mapping[str, Any] = field(default_factory=dict)  # like facts: role_arn, input, dead_letter_arn ...
    state_machine_arn: str | None = None
    task: TaskTarget | None = None
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True


def read_schedule(params: Mapping[str, Any]) -> WantedSchedule:
    """Read the options of the module. Raises ``Refused``."""
    name, using = read_name("name", params["name"], EVENTS_NAME), params["using"]
    group = read_name("group_name", params.get("group_name") or "default", EVENTS_NAME)
    if using == RULE:
        for option, why in SCHEDULER_ONLY.items():
            allowed = option == "schedule_expression_timezone" and params.get(option) == "UTC"
            if params.get(option) is not None and not allowed:
                raise Refused(f"{option} is not for using=rule: {why}. Omit it, or set using=scheduler")
    elif params.get("tags"):
        raise Refused(
            "tags is for using=rule only: AWS has tags for schedule groups, not for schedules. Tag the"
            " group, or omit tags"
        )
    machine = read_arn_text("state_machine_arn", params.get("state_machine_arn"), STATE_MACHINE)
    if params["state"] == "absent":
        return WantedSchedule(name, using, group, present=False, state_machine_arn=machine)
    check_tags("tags", params.get("tags") or {})
    task = params.get("task")
    if task is not None and params.get("input") is not None:
        raise Refused("input is not for ECS tasks, which have only overrides. Set task.overrides instead")
    return WantedSchedule(
        name,
        using,
        group,
        facts=_facts(params),
        target=_target(params),
        state_machine_arn=machine,
        task=_task(task) if task is not None else None,
        tags=params.get("tags") if using == RULE else None,
        purge_tags=bool(params.get("purge_tags", True)),
    )


def _facts(params: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if params.get("enabled") is not None:
        facts["enabled"] = params["enabled"]
    if params.get("schedule_expression") is not None:
        expression = check_expression(
            "schedule_expression", params["schedule_expression"], once=params["using"] == SCHEDULER
        )
        facts["schedule_expression"] = expression
    if params.get("schedule_expression_timezone") is not None:
        zone = check_timezone("schedule_expression_timezone", params["schedule_expression_timezone"])
        facts["schedule_expression_timezone"] = zone
    facts.update(_bounds(params))
    description = params.get("description")
    if description is not None:
        check_length("description", description, LONGEST_DESCRIPTION)
        facts["description"] = description or None
    if params.get("kms_key_arn") is not None:
        facts["kms_key_arn"] = read_arn_text("kms_key_arn", params["kms_key_arn"] or None, KMS_KEY)
    if params.get("action_after_completion") is not None:
        facts["action_after_completion"] = params["action_after_completion"]
    return facts


def _bounds(params: Mapping[str, Any]) -> dict[str, Any]:
    """Read the window, the start and the end."""
    facts: dict[str, Any] = {}
    window = params.get("flexible_time_window")
    if window is not None:
        check_range("flexible_time_window", window, 0, LONGEST_WINDOW)
        facts["flexible_time_window"] = window or None
    for option in ("start_date", "end_date"):
        text = params.get(option)
        if text is not None:
            facts[option] = float(int(parse_instant(option, text))) if text else None
    if facts.get("start_date") and facts.get("end_date") and facts["start_date"] >= facts["end_date"]:
        raise Refused("end_date is not after start_date, so the schedule would never run. Correct one of them")
    return facts


def _target(params: Mapping[str, Any]) -> dict[str, Any]:
    target: dict[str, Any] = {}
    if params.get("role_arn") is not None:
        target["role_arn"] = read_arn_text("role_arn", params["role_arn"], ROLE)
    if params.get("input") is not None:
        target["input"] = read_json("input", params["input"])
    if params.get("dead_letter_arn") is not None:
        target["dead_letter_arn"] = read_arn_text("dead_letter_arn", params["dead_letter_arn"] or None, STANDARD_QUEUE)
    check_delivery(params)
    target |= {option: params[option] for option in DELIVERY if params.get(option) is not None}
    return target


def _task(given: Mapping[str, Any]) -> TaskTarget:
    count = given.get("count") or 1
    check_range("task.count", count, 1, MOST_TASKS)
    return TaskTarget(read_launch("task", given), count)


def overrides(launch: Launch) -> dict[str, Any] | None:
    """Return the input that passes a launch's overrides to ECS, in the format of its API; None if there are none."""
    containers = []
    for each in launch.containers:
        entry: dict[str, Any] = {"name": each.name}
        if each.command is not None:
            entry["command"] = list(each.command)
        if each.environment:
            entry["environment"] = [{"name": name, "value": value} for name, value in each.environment]
        limits = {"cpu": each.cpu, "memory": each.memory, "memoryReservation": each.memory_reservation}
        containers.append({**entry, **{key: value for key, value in limits.items() if value is not None}})
    whole = {
        "containerOverrides": containers or None,
        "cpu": launch.cpu,
        "memory": launch.memory,
        "taskRoleArn": launch.task_role_arn,
        "executionRoleArn": launch.execution_role_arn,
    }
    found = {key: value for key, value in whole.items() if value is not None}
    return found or None


def as_text(value: Any) -> str | None:
    """Return the input as AWS stores it."""
    return None if value is None else json.dumps(value, ensure_ascii=False)
