# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Plan the changes of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..amounts import iso
from ..arns import Arn, parse_arn
from ..change import Change, wanted_tags
from ..errors import Refused
from ..limits import DELIVERY_DEFAULTS
from .schedule import RULE, SCHEDULER, TaskTarget, WantedSchedule, overrides

GRACE = 300.0  # seconds that a start may be in the past, according to AWS
NEW_TARGET = {
    "arn": None,
    "role_arn": None,
    "input": None,
    "dead_letter_arn": None,
    **DELIVERY_DEFAULTS,
    "task": None,
}
NEW = {
    "enabled": True,
    "schedule_expression": None,
    "schedule_expression_timezone": "UTC",
    "flexible_time_window": None,
    "start_date": None,
    "end_date": None,
    "description": None,
    "kms_key_arn": None,
    "action_after_completion": "NONE",
    "target": NEW_TARGET,
    "tags": None,
}
THINGS = {SCHEDULER: "schedule", RULE: "rule"}


def plan_schedule(
    wanted: WantedSchedule, current: Mapping[str, Any] | None, foreign: tuple[str, ...], region: str, now: float
) -> Change:
    """Return the current and the wanted schedule, both in the format of the result, with instants as text.

    ``foreign`` are the parts of the current target that this module does not know. A start in the past counts as no
    start, since AWS refuses to write it again. Raises ``Refused``.
    """
    before = None if current is None else schedule_facts(current, now)
    if not wanted.present:
        return Change(before, None)
    base = current or {**NEW, "name": wanted.name, "group_name": wanted.group, "using": wanted.using}
    role_arn = wanted.target.get("role_arn") or base["target"]["role_arn"]
    expression = wanted.facts.get("schedule_expression") or base["schedule_expression"]
    for option, value in (("schedule_expression", expression), ("role_arn", role_arn)):
        if not value:
            raise Refused(f"The {THINGS[wanted.using]} {wanted.name} does not exist. Set {option} to create it")
    target = {**base["target"], **_new_target(wanted, base["target"], role_arn, region), **wanted.target}
    if not target["arn"]:
        raise Refused(
            f"The {THINGS[wanted.using]} {wanted.name} does not exist. Set state_machine_arn or task to create it"
        )
    if foreign and not (wanted.task or wanted.state_machine_arn):
        raise Refused(
            f"The target of {wanted.name} has {', '.join(foreign)}, which this module would lose. "
            "Give state_machine_arn or task for a new target, or change it with what made it"
        )
    tags = None if wanted.tags is None else wanted_tags(base["tags"] or {}, wanted.tags, wanted.purge_tags)
    after = {**base, **wanted.facts, "target": target, "arn": _arn(wanted, role_arn, region), "tags": tags}
    change = Change(before, schedule_facts(after, now))
    if change.changed and after["end_date"] and after["end_date"] <= now:
        raise Refused("end_date is in the past, so the schedule would never run. Give a later one, or an empty text")
    return change


def schedule_facts(schedule: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Return the schedule in the format that the module returns, with instants as text."""
    start, end = schedule["start_date"], schedule["end_date"]
    return {
        **schedule,
        "start_date": iso(start) if start and start > now - GRACE else None,
        "end_date": iso(end) if end else None,
    }


def _arn(wanted: WantedSchedule, role_arn: str, region: str) -> str:
    resource = f"rule/{wanted.name}" if wanted.using == RULE else f"schedule/{wanted.group}/{wanted.name}"
    return _in_account_of(role_arn, "events" if wanted.using == RULE else "scheduler", region, resource)


def _in_account_of(role_arn: str, service: str, region: str, resource: str) -> str:
    role = parse_arn(role_arn)
    if role is None:
        raise Refused(f"role_arn must be the ARN of an IAM role (got '{role_arn}')")
    return str(Arn(role.partition, service, region, role.account, resource))


def _new_target(wanted: WantedSchedule, current: Mapping[str, Any], role_arn: str, region: str) -> dict[str, Any]:
    """Return the parts of the target that the given state machine or task determines; empty if neither is given."""
    if wanted.state_machine_arn:
        # The input of a task is its overrides, which are no use to a state machine.
        return {"arn": wanted.state_machine_arn, "task": None, **({"input": None} if current["task"] else {})}
    if wanted.task is None:
        return {}

    def whole(kind: str, text: str) -> str:
        return text if parse_arn(text) else _in_account_of(role_arn, "ecs", region, f"{kind}/{text}")

    launch = wanted.task.launch
    return {
        "arn": whole("cluster", launch.cluster),
        "input": overrides(launch),
        "task": _task(wanted.task, whole("task-definition", launch.task_definition)),
    }


def _task(task: TaskTarget, task_definition: str) -> dict[str, Any]:
    launch, network = task.launch, task.launch.network
    return {
        "task_definition": task_definition,
        "count": task.count,
        "launch_type": launch.launch_type,
        "capacity_provider_strategy": [
            {"capacity_provider": each.name, "weight": each.weight, "base": each.base} for each in launch.strategy
        ],
        "platform_version": launch.platform_version,
        "network_configuration": network
        and {
            "subnets": list(network.subnets),
            "security_groups": list(network.security_groups),
            "assign_public_ip": bool(network.public),
        },
        "group": launch.group,
        "propagate_tags": launch.propagate_tags,
        "tags": dict(launch.tags),
        "enable_execute_command": bool(launch.enable_execute_command),
        "enable_ecs_managed_tags": bool(launch.enable_ecs_managed_tags),
    }
