# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The parameters of the modules that create the role's resources, each without what the user omitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import Refused
from ...events.target.options import INPUTS
from ...json_text import read_json
from ...limits import DELIVERY
from ...schedules.schedule import SCHEDULER
from .names import RULES, Names
from .variables import PREFIX, Variables

Parameters = dict[str, Any]
# Reads the parameters of the named module as Ansible does: types, defaults, choices. Raises ``Refused``.
Reader = Callable[[str, Parameters], Parameters]
MACHINE, SCHEDULE = "ecs_task_state_machine", "ecs_task_schedule"
TARGET_ID = "topic"
_TARGET = (
    "role_arn",
    "dead_letter_arn",
    *DELIVERY,
    *INPUTS,
    "message_options",
    "message_for",
    "message_group_id",
    "partition_key_path",
    "http_parameters",
)


def topic_arn(names: Names, variables: Variables) -> str | None:
    """Return the ARN of the topic to notify, the user's or the role's own; None if no way to notify is set."""
    return (variables.topic_arn or names.topic_arn) if variables.ways else None


def topic_of_machine(names: Names, variables: Variables, *ways: str) -> str | None:
    """Return the ARN of the topic that the state machine itself notifies in one of these ways, or None."""
    return topic_arn(names, variables) if set(ways) & set(variables.ways) else None


def job(names: Names, variables: Variables) -> Parameters:
    """Return the option ``job`` of the state machine."""
    whole: Parameters = {
        "cluster": variables.cluster,
        "task_definition": variables.task_definition,
        "timeout": variables.timeout,
        **variables.job,
    }
    if variables.subnets is not None:
        network = {
            "subnets": list(variables.subnets),
            "security_groups": None if variables.security_groups is None else list(variables.security_groups),
            "assign_public_ip": variables.assign_public_ip,
        }
        whole["network_configuration"] = given(network)
    options = {
        "notify_topic_arn": topic_of_machine(names, variables, "catch"),
        "concurrency": variables.concurrency,
        "starting_deadline": variables.starting_deadline,
        "skipped_topic_arn": topic_of_machine(names, variables, "skipped"),
    }
    return {**whole, **given(options)}


def machine(names: Names, variables: Variables, tags: Mapping[str, str]) -> Parameters:
    """Return the parameters of the state machine."""
    level = variables.logging_level
    group = {} if level == "OFF" else {"log_group_arn": names.arn("logs", f"log-group:{names.log_group}")}
    return {
        "name": names.name,
        "role_arn": names.role_arn(names.states_role),
        "job": job(names, variables),
        "logging": {"level": level, **group},
        "tracing": variables.tracing,
        "tags": dict(tags),
    }


def schedule(names: Names, variables: Variables, tags: Mapping[str, str]) -> Parameters:
    """Return the parameters of the schedule. Only a rule can have tags. For a deadline, Scheduler adds the time."""
    timed = variables.starting_deadline is not None and variables.using == SCHEDULER
    options: Parameters = {
        **variables.schedule,
        "name": names.name,
        "schedule_expression": variables.schedule_expression,
        "schedule_expression_timezone": variables.timezone,
        "enabled": variables.enabled,
        "state_machine_arn": names.machine_arn,
        "input": _with_time(variables.input) if timed else variables.input,
        "dead_letter_arn": variables.dead_letter_arn,
        "role_arn": names.role_arn(names.schedule_role),
        "tags": dict(tags) if variables.using == "rule" else None,
    }
    return given(options)


def _with_time(written: Any) -> Parameters:
    """Return the input with the time of the schedule, which EventBridge Scheduler fills in."""
    data = read_json(f"{PREFIX}input", written) if isinstance(written, str) else {} if written is None else written
    if not isinstance(data, dict):
        raise Refused(
            f"`{PREFIX}input` must be a dictionary (got {type(data).__name__}), because `{PREFIX}starting_deadline` "
            "adds scheduled_time to it"
        )
    return {**data, "scheduled_time": "<aws.scheduler.scheduled-time>"}


def rule(names: Names, variables: Variables, way: str, tags: Mapping[str, str]) -> Parameters:
    """Return the parameters of the rule that matches failures in one way."""
    looks_for: dict[str, Parameters] = {
        "execution": {"state_machine_arns": [names.machine_arn]},
        "task": {
            "clusters": [names.arn("ecs", f"cluster/{variables.cluster_name}")],
            "task_families": [variables.family],
            "started_by": ["AWS Step Functions"],
        },
    }
    return {
        "name": names.rule(way),
        "description": f"Failures of {names.name}",
        "kind": RULES[way],
        **looks_for[way],
        "tags": dict(tags),
    }


def target(names: Names, way: str, topic: str) -> Parameters:
    """Return the parameters of the target by which a rule notifies the topic."""
    return {
        "rule": names.rule(way),
        "id": TARGET_ID,
        "arn": topic,
        "message_template": "sns_text",
        "message_for": RULES[way],
    }


def whole_target(parameters: Parameters, state: str = "present") -> Parameters:
    """Return all options of the target, as the module reads them."""
    usual = {"event_bus_name": "default", "resource_policy": True, "arn": None, "state": state}
    return {**usual, **dict.fromkeys(_TARGET), **parameters}


def whole_rule(parameters: Parameters) -> Parameters:
    """Return all options of the rule, as the module reads them."""
    usual = {
        "event_bus_name": "default",
        "state": "present",
        "enabled": None,
        "event_pattern": None,
        "purge_tags": True,
    }
    return {**usual, **parameters}


def given(options: Parameters) -> Parameters:
    """Return the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}
