# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run executions of state machines on the sandbox's clock."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Generator
from typing import Any

from ..account import Account
from ..ecs.events import envelope, listened_to
from ..events.bus import publish
from ..model.state import SandboxError
from .asl import Effect, Sleep, Until, Work, execute
from .asl_paths import AslError, compact, timestamp
from .integrations import Job

MOST = 248_000  # bytes of input or output that an event can carry


class Execution:
    """One execution. It changes only under its account's lock, but makes its calls without the lock."""

    def __init__(self, account: Account, region: str, machine: Any, name: str, given: str) -> None:
        kind = "express" if machine.type == "EXPRESS" else "execution"
        tail = f"{name}:{uuid.uuid4()}" if kind == "express" else name
        self.account, self.region, self.name, self.input = account, region, name, given
        self.arn = f"arn:aws:states:{region}:{account.number}:{kind}:{machine.name}:{tail}"
        self.machine_arn, self.role_arn, self.express = machine.arn, machine.roleArn, kind == "express"
        self.definition: dict[str, Any] = json.loads(machine.definition)
        self.status, self.started, self.stopped = "RUNNING", time.time(), 0.0
        self.output: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.history: list[dict[str, Any]] = []
        self.turn = 0  # work that began in an earlier turn must not resume the execution
        self.job: Job | None = None
        self.steps: Generator[Effect, Any, Any] = self.begin(machine)

    def begin(self, machine: Any) -> Generator[Effect, Any, Any]:
        given = json.loads(self.input)
        context = {
            "Execution": {
                "Id": self.arn,
                "Input": given,
                "Name": self.name,
                "RoleArn": self.role_arn,
                "StartTime": timestamp(self.started + self.account.clock_offset),
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": self.machine_arn, "Name": machine.name},
        }
        chance = random.Random(self.account.chance.random())
        return execute(self.definition, given, context, self.tell, chance, lambda: timestamp(self.account.now()))

    def start(self) -> None:
        self.tell("ExecutionStarted", {"input": self.input, "roleArn": self.role_arn})
        self.emit()
        account, timeout = self.account, self.definition.get("TimeoutSeconds")
        if timeout is not None:
            account.after(timeout, self.time_out)
        account.after(0, lambda: self.resume(0))

    def resume(self, turn: int, value: Any = None) -> None:
        """Continue with a result or an AslError until the execution waits again or ends."""
        with self.account.lock:
            if turn != self.turn or self.status != "RUNNING":
                return
            self.turn += 1
            try:
                effect = self.steps.throw(value) if isinstance(value, AslError) else self.steps.send(value)
            except StopIteration as end:
                self.end("SUCCEEDED", output=compact(end.value))
            except AslError as problem:
                self.end("FAILED", problem.error, problem.cause)
            except Exception as problem:  # noqa: BLE001 - a definition that CreateStateMachine should have refused
                self.end("FAILED", "States.Runtime", f"{type(problem).__name__}: {problem}")
            else:
                self.perform(effect)

    def perform(self, effect: Effect) -> None:
        account, turn = self.account, self.turn
        if isinstance(effect, Sleep):
            account.after(effect.seconds, lambda: self.resume(turn))
        elif isinstance(effect, Until):
            account.after(max(0.0, effect.instant - account.now()), lambda: self.resume(turn))
        else:
            self.work(effect, turn)

    def work(self, effect: Work, turn: int) -> None:
        kind, resource = self.kind(effect.resource)
        about = {"resourceType": kind, "resource": resource}
        parameters = compact(effect.parameters)
        self.tell("TaskScheduled", {**about, "region": self.region, "parameters": parameters})
        self.tell("TaskStarted", about)
        job = self.job = Job(self.account, self.region, self.role_arn, self.name, self.machine_arn)

        def submitted(answer: Any) -> None:
            with self.account.lock:
                if turn == self.turn and self.status == "RUNNING":
                    self.tell("TaskSubmitted", {**about, "output": compact(answer)})

        def done(outcome: Any) -> None:
            with self.account.lock:
                if turn != self.turn or self.status != "RUNNING":
                    return
                if isinstance(outcome, AslError):
                    self.tell("TaskFailed", {**about, "error": outcome.error, "cause": outcome.cause})
                else:
                    self.tell("TaskSucceeded", {**about, "output": compact(outcome)})
                self.resume(turn, outcome)

        def expired() -> None:
            with self.account.lock:
                if turn != self.turn or self.status != "RUNNING":
                    return
                self.tell("TaskTimedOut", {**about, "error": "States.Timeout", "cause": ""})
                self.account.background(job.stop)
                self.resume(turn, AslError("States.Timeout", ""))

        job.submitted = submitted
        if effect.timeout is not None:
            # Work that does not wait for a task is a single call, whose timeout is in real seconds.
            fast = 1 if effect.resource.endswith(".sync") else self.account.speed
            self.account.after(effect.timeout * fast, expired)
        self.account.background(lambda: job.begin(effect.resource, effect.parameters, done))

    def kind(self, resource: str) -> tuple[str, str]:
        """Split a resource into type and name: arn:aws:states:::ecs:runTask.sync is runTask.sync of type ecs."""
        if ":states:::" in resource:
            kind, _colon, rest = resource.partition(":states:::")[2].partition(":")
            return kind, rest
        return "lambda", resource

    def time_out(self) -> None:
        with self.account.lock:
            if self.status == "RUNNING":
                self.end("TIMED_OUT", "States.Timeout", "")

    def abort(self, error: str | None, cause: str | None) -> None:
        self.end("ABORTED", error, cause)

    def end(self, status: str, error: str | None = None, cause: str | None = None, output: str | None = None) -> None:
        running = self.job if status != "SUCCEEDED" else None
        self.status, self.stopped, self.error, self.cause, self.output = status, time.time(), error, cause, output
        about = {"output": output} if status == "SUCCEEDED" else {"error": error, "cause": cause}
        kind = {"TIMED_OUT": "ExecutionTimedOut"}.get(status, f"Execution{status.title()}")
        self.tell(kind, {key: value for key, value in about.items() if value is not None})
        if running and status in ("ABORTED", "TIMED_OUT"):
            self.account.background(running.stop)
        self.emit()

    def tell(self, kind: str, details: dict[str, Any]) -> None:
        """Add an event to the history."""
        number = len(self.history) + 1
        if kind.endswith("StateEntered"):
            key = "stateEnteredEventDetails"
        elif kind.endswith("StateExited"):
            key = "stateExitedEventDetails"
        else:
            key = f"{kind[0].lower()}{kind[1:]}EventDetails"
        stamp = self.account.stamp(time.time())
        event = {"timestamp": stamp, "type": kind, "id": number, "previousEventId": number - 1, key: details}
        self.history.append(event)

    # -- how AWS reports it ---------------------------------------------------------------------------------------

    def described(self) -> dict[str, Any]:
        shape = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.account.stamp(self.started),
            "stopDate": self.account.stamp(self.stopped) if self.stopped else None,
            "input": self.input,
            "inputDetails": {"included": True},
            "output": self.output,
            "outputDetails": {"included": True} if self.output is not None else None,
            "error": self.error,
            "cause": self.cause,
            "redriveCount": 0,
            "redriveStatus": "NOT_REDRIVABLE",
        }
        return {key: value for key, value in shape.items() if value is not None}

    def emit(self) -> None:
        """Publish an Execution Status Change event. Express workflows emit none."""
        account = self.account
        if self.express or not listened_to(account, self.region):
            return
        fits = {key: value is None or len(value.encode()) <= MOST for key, value in self.texts().items()}
        detail = {
            "executionArn": self.arn,
            "stateMachineArn": self.machine_arn,
            "stateMachineVersionArn": None,
            "stateMachineAliasArn": None,
            "name": self.name,
            "status": self.status,
            "startDate": self.milliseconds(self.started),
            "stopDate": self.milliseconds(self.stopped) if self.stopped else None,
            "input": self.input if fits["input"] else None,
            "inputDetails": {"included": fits["input"]},
            "output": self.output if fits["output"] else None,
            "outputDetails": None if self.output is None else {"included": fits["output"]},
            **{key: value for key, value in (("error", self.error), ("cause", self.cause)) if value is not None},
            "redriveCount": 0,
            "redriveDate": None,
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": "Execution is RUNNING and cannot be redriven" if self.status == "RUNNING" else None,
        }
        kind = "Step Functions Execution Status Change"
        instant = self.stopped or self.started
        publish(account, self.region, envelope(account, self.region, "aws.states", kind, instant, [self.arn], detail))

    def texts(self) -> dict[str, str | None]:
        return {"input": self.input, "output": self.output}

    def milliseconds(self, instant: float) -> int:
        return int((instant + self.account.clock_offset) * 1000)


def start(account: Account, region: str, machine: Any, name: str | None, given: str) -> Execution:
    """Start an execution of moto's ``machine``. Raise the errors that StartExecution returns."""
    try:
        json.loads(given)
    except ValueError as problem:
        raise SandboxError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{problem}'") from None
    made = Execution(account, region, machine, name or str(uuid.uuid4()), given)
    before = account.executions.get(made.arn)
    if before:
        if before.status == "RUNNING" and before.input == given:
            return before  # type: ignore[no-any-return]
        raise SandboxError("ExecutionAlreadyExists", f"Execution Already Exists: '{made.arn}'")
    account.executions[made.arn] = made
    made.start()
    return made
