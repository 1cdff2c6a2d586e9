# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play a definition in the sandbox's interpreter of the States Language. Waiting takes no time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.sandbox.states.asl import Sleep, Work, execute, flaws
from tests.sandbox.states.asl_paths import AslError, timestamp

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:nightly"
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:nightly:one"
STARTED = "2026-11-24T12:00:00.000Z"
DONE = {"TaskArn": "arn:task/1", "StopCode": "EssentialContainerExited"}
CAPACITY = AslError("ECS.AmazonECSException", "Capacity is unavailable at this time.")


def ended(*codes: int | None, stop_code: str = "EssentialContainerExited", **more: Any) -> AslError:
    """Return the error of a task that stopped, as Step Functions reports it. Containers are called c0, c1 ..."""
    containers = [
        {"Name": f"c{number}", **({} if code is None else {"ExitCode": code})} for number, code in enumerate(codes)
    ]
    cause = {"TaskArn": "arn:task/1", "StopCode": stop_code, "Containers": containers, "Overrides": {}, **more}
    return AslError("States.TaskFailed", json.dumps(cause))


@dataclass
class Played:
    """What happened: the states in their order, the waits in seconds, and the calls."""

    states: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    launches: list[Any] = field(default_factory=list)  # the parameters of each RunTask
    messages: list[Any] = field(default_factory=list)  # the parameters of each Publish
    stopped: list[str] = field(default_factory=list)  # the executions of each StopExecution
    timeouts: set[tuple[str, float | None]] = field(default_factory=set)
    output: Any = None
    error: str = ""
    cause: str = ""


def said_twice(value: Any) -> list[str]:
    """Return the fields that have both a value and a path, which Step Functions refuses."""
    if isinstance(value, list):
        return [name for each in value for name in said_twice(each)]
    if not isinstance(value, dict):
        return []
    return [key for key in value if f"{key}.$" in value] + said_twice(list(value.values()))


def play(
    definition: dict[str, Any],
    outcomes: Iterable[Any],
    published: Iterable[Any] = (),
    running: Iterable[Any] = (),
    given: Any = None,
    execution: tuple[str, str] = (EXECUTION, STARTED),
) -> Played:
    """Play a definition to its end. ``outcomes`` are those of RunTask in their order, an AslError for a failure.

    ``running`` are the answers of ListExecutions, each a list of (ARN, start). ``given`` is the input. ``execution`` is
    the ARN and the start of the execution.
    """
    assert flaws(definition) == []
    assert all(definition["States"]), "every state has a name"
    assert said_twice(definition) == []
    played = Played()
    runs, sent, lists, answer = iter(outcomes), iter(published), iter(running), None
    clock = [datetime.fromisoformat(execution[1]).timestamp()]

    def tell(kind: str, details: dict[str, Any]) -> None:
        if kind.endswith("StateEntered"):
            played.states.append(details["name"])

    context = {
        "Execution": {"Id": execution[0], "StartTime": execution[1], "Input": {"given": 1} if given is None else given},
        "StateMachine": {"Id": MACHINE, "Name": "nightly"},
    }
    steps = execute(
        definition, context["Execution"]["Input"], context, tell, random.Random(1), lambda: timestamp(clock[0])
    )
    try:
        while True:
            effect = steps.throw(answer) if isinstance(answer, AslError) else steps.send(answer)
            answer = None
            if isinstance(effect, Sleep):
                played.waits.append(effect.seconds)
                clock[0] += effect.seconds
                continue
            assert isinstance(effect, Work)
            service = effect.resource.rpartition(":::")[2]
            played.timeouts.add((service, effect.timeout))
            if service == "ecs:runTask.sync":
                played.launches.append(effect.parameters)
                answer = next(runs)
            elif service == "aws-sdk:sfn:listExecutions":
                assert effect.parameters["StateMachineArn"] == MACHINE
                assert effect.parameters["StatusFilter"] == "RUNNING"
                answer = next(lists)
                if not isinstance(answer, AslError):
                    answer = {"Executions": [{"ExecutionArn": arn, "StartDate": start} for arn, start in answer]}
            elif service == "aws-sdk:sfn:stopExecution":
                played.stopped.append(effect.parameters["ExecutionArn"])
                answer = {"StopDate": timestamp(clock[0])}
            else:
                assert service == "sns:publish"
                played.messages.append(effect.parameters)
                answer = next(sent, {"MessageId": "m"})
    except StopIteration as end:
        played.output = end.value
    except AslError as problem:
        played.error, played.cause = problem.error, problem.cause
    assert (list(runs), list(lists)) == ([], []), "not everything happened that the test prepared"
    return played
