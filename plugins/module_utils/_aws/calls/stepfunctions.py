# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""AWS Step Functions: each function makes one call and may raise ``CallFailed``.

Every function takes the boto3 client first. State machines have the shape that the module returns.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._amazon import aws_call


@dataclass(frozen=True)
class Described:
    """A state machine without its tags. ``state`` is ACTIVE, or DELETING until its last execution has ended."""

    machine: Mapping[str, Any]
    state: str


@aws_call("states:DescribeStateMachine", expected="StateMachineDoesNotExist")
def describe(states: Any, arn: str) -> Described | None:
    """Return the state machine, or None if it does not exist."""
    answer = states.describe_state_machine(stateMachineArn=arn)
    machine = {
        "name": answer["name"],
        "arn": answer["stateMachineArn"],
        "type": answer["type"],
        "role_arn": answer["roleArn"],
        "definition": json.loads(answer["definition"]),
        "logging": _logging(answer.get("loggingConfiguration") or {}),
        "tracing": (answer.get("tracingConfiguration") or {}).get("enabled", False),
    }
    return Described(machine, answer.get("status", "ACTIVE"))


@aws_call("states:ListTagsForResource")
def tags(states: Any, arn: str) -> dict[str, str]:
    answer = states.list_tags_for_resource(resourceArn=arn)
    return {tag["key"]: tag.get("value", "") for tag in answer.get("tags", [])}


@aws_call("states:ValidateStateMachineDefinition")
def validate(states: Any, definition: Mapping[str, Any], type_: str) -> tuple[list[str], list[str]]:
    """Return the errors and the warnings that AWS reports for a definition."""
    answer = states.validate_state_machine_definition(
        definition=json.dumps(definition, ensure_ascii=False), type=type_, severity="WARNING"
    )
    found: dict[str, list[str]] = {"ERROR": [], "WARNING": []}
    for each in answer["diagnostics"]:
        where = f"{each['location']}: " if each.get("location") else ""
        found.setdefault(each["severity"], []).append(f"{where}{each['message']}")
    if answer["result"] == "FAIL" and not found["ERROR"]:
        found["ERROR"].append("AWS refuses it without a reason")
    return found["ERROR"], found["WARNING"]


@aws_call("states:CreateStateMachine")
def create(states: Any, machine: Mapping[str, Any]) -> None:
    """Create the state machine with its tags. Repeating the call does not create another."""
    states.create_state_machine(
        name=machine["name"],
        type=machine["type"],
        roleArn=machine["role_arn"],
        **dict(_settings(machine).values()),
        tags=[{"key": key, "value": value} for key, value in machine["tags"].items()],
    )


@aws_call("states:UpdateStateMachine")
def update(states: Any, machine: Mapping[str, Any], keys: Collection[str]) -> None:
    """Change these keys and keep all others. Running executions continue with the old definition and role."""
    changes = dict(setting for key, setting in _settings(machine).items() if key in keys)
    # AWS rejects a call with neither role nor definition.
    states.update_state_machine(stateMachineArn=machine["arn"], roleArn=machine["role_arn"], **changes)


@aws_call("states:DeleteStateMachine")
def delete(states: Any, arn: str) -> None:
    """Start the deletion, which completes when the last execution ends. A second call does no harm."""
    states.delete_state_machine(stateMachineArn=arn)


@aws_call("states:TagResource")
def tag(states: Any, arn: str, wanted: Mapping[str, str]) -> None:
    states.tag_resource(resourceArn=arn, tags=[{"key": key, "value": value} for key, value in wanted.items()])


@aws_call("states:UntagResource")
def untag(states: Any, arn: str, keys: Iterable[str]) -> None:
    states.untag_resource(resourceArn=arn, tagKeys=list(keys))


def _settings(machine: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return boto3's name and value of each setting, by our key."""
    return {
        "definition": ("definition", _text(machine["definition"])),
        "logging": ("loggingConfiguration", _logging_request(machine["logging"])),
        "tracing": ("tracingConfiguration", {"enabled": machine["tracing"]}),
    }


def _text(definition: Mapping[str, Any]) -> str:
    """Return the definition as JSON: indented as in the console if that fits into the size limit."""
    text = json.dumps(definition, indent=2, ensure_ascii=False)
    return text if len(text.encode()) <= 1048576 else json.dumps(definition, ensure_ascii=False)


def _logging(answer: Mapping[str, Any]) -> dict[str, Any]:
    groups = [each["cloudWatchLogsLogGroup"]["logGroupArn"] for each in answer.get("destinations") or []]
    level = answer.get("level", "OFF")
    return {
        "level": level,
        "include_execution_data": bool(answer.get("includeExecutionData", False)) if level != "OFF" else False,
        "log_group_arn": groups[0] if groups and level != "OFF" else None,
    }


def _logging_request(logging: Mapping[str, Any]) -> dict[str, Any]:
    group = logging["log_group_arn"]
    request: dict[str, Any] = {
        "level": logging["level"],
        "includeExecutionData": logging["include_execution_data"],
    }
    if group:
        request["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
    return request
