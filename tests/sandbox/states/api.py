# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Step Functions' operations on executions. Moto stores the state machines themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.stepfunctions.models import stepfunctions_backends

from ..account import Account
from ..model.state import SandboxError
from ..wire import Call
from . import executions
from .asl import flaws
from .executions import Execution


def machine(account: Account, region: str, arn: str) -> Any:
    """Return moto's state machine, by its ARN or the ARN of a version."""
    try:
        return stepfunctions_backends[account.number][region].describe_state_machine(arn)
    except JsonRESTError:
        raise SandboxError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'") from None


def find(account: Account, call: Call) -> Execution:
    arn = call.parameters["executionArn"]
    if arn not in account.executions:
        raise SandboxError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
    return account.executions[arn]  # type: ignore[no-any-return]


def check(account: Account, call: Call) -> None:
    """Make CreateStateMachine and UpdateStateMachine refuse an invalid definition. Moto stores the others."""
    definition = call.parameters.get("definition")
    if definition is None:
        return
    try:
        wrong = flaws(json.loads(definition))
    except ValueError as problem:
        wrong = [f"INVALID_JSON_DESCRIPTION: {problem}"]
    if wrong:
        raise SandboxError("InvalidDefinition", f"Invalid State Machine Definition: '{'; '.join(wrong)}'")


def start_execution(account: Account, call: Call) -> dict[str, Any]:
    asked = call.parameters
    with account.lock:
        found = machine(account, call.region, asked["stateMachineArn"])
        made = executions.start(account, call.region, found, asked.get("name"), asked.get("input") or "{}")
        return {"executionArn": made.arn, "startDate": account.stamp(made.started)}


def describe_execution(account: Account, call: Call) -> dict[str, Any]:
    with account.lock:
        return find(account, call).described()


def list_executions(account: Account, call: Call) -> dict[str, Any]:
    asked = call.parameters
    with account.lock:
        machine(account, call.region, asked["stateMachineArn"])
        found = [
            {key: value for key, value in each.described().items() if key in LISTED}
            for each in account.executions.values()
            if each.machine_arn == asked["stateMachineArn"] and asked.get("statusFilter") in (None, each.status)
        ]
    found.sort(key=lambda each: -each["startDate"])
    first, size = int(asked.get("nextToken") or 0), int(asked.get("maxResults") or 100)
    more = {"nextToken": str(first + size)} if len(found) > first + size else {}
    return {"executions": found[first : first + size], **more}


def get_execution_history(account: Account, call: Call) -> dict[str, Any]:
    asked = call.parameters
    with account.lock:
        events = list(find(account, call).history)
    if asked.get("reverseOrder"):
        events.reverse()
    first, size = int(asked.get("nextToken") or 0), int(asked.get("maxResults") or 1000)
    more = {"nextToken": str(first + size)} if len(events) > first + size else {}
    return {"events": events[first : first + size], **more}


def stop_execution(account: Account, call: Call) -> dict[str, Any]:
    with account.lock:
        found = find(account, call)
        if found.status == "RUNNING":
            found.abort(call.parameters.get("error"), call.parameters.get("cause"))
        return {"stopDate": account.stamp(found.stopped)}


LISTED = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate", "redriveCount")
OPERATIONS: dict[str, Callable[[Account, Call], dict[str, Any] | None]] = {
    "CreateStateMachine": check,
    "UpdateStateMachine": check,
    "StartExecution": start_execution,
    "DescribeExecution": describe_execution,
    "ListExecutions": list_executions,
    "GetExecutionHistory": get_execution_history,
    "StopExecution": stop_execution,
}
