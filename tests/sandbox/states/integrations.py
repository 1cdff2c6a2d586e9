# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Task states. Each call runs in a thread of its own and reports its outcome to a callback."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from .. import stored
from ..access import callers
from ..access.role_check import Need, lacks, to_run
from ..account import Account
from .asl_paths import AslError, compact, timestamp

SERVICE = "states.amazonaws.com"
STARTED_BY = "AWS Step Functions"
# The name that a service has in the errors of Step Functions.
NAMES = {"ecs": "ECS", "sns": "SNS", "sqs": "SQS", "lambda": "Lambda", "events": "EventBridge", "states": "SFN"}
Done = Callable[[Any], None]  # takes a result or an AslError


class Job:
    """One attempt of a Task state. ``stop`` stops the tasks that it started."""

    def __init__(self, account: Account, region: str, role_arn: str, session: str, machine_arn: str) -> None:
        self.account, self.region, self.role_arn, self.session = account, region, role_arn, session
        self.machine_arn = machine_arn
        self.tasks: list[str] = []
        self.cluster = "default"
        self.stopped = False
        self.submitted: Callable[[Any], None] = lambda answer: None  # called when the task to wait for has been started

    def begin(self, resource: str, parameters: Any, done: Done) -> None:
        """Call a resource. Block until the call returns, but not until the task that it starts has ended."""
        try:
            handler = HANDLERS.get(resource)
            if handler is None and ":lambda:" in resource and ":function:" in resource:
                done(self.invoke({"FunctionName": resource, "Payload": parameters})["Payload"])
            elif handler is None:
                raise AslError("States.Runtime", f"The sandbox knows no {resource}; there are {', '.join(HANDLERS)}.")
            else:
                handler(self, parameters, done)
        except AslError as problem:
            done(problem)
        except Exception as problem:  # noqa: BLE001 - a defect of the sandbox must not leave an execution hanging
            done(AslError("States.Runtime", f"{type(problem).__name__}: {problem}"))

    def call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Make a call with the state machine's role. Return AWS's answer or raise AslError with ASL's error name."""
        aws = callers.client(self.account, "stepfunctions" if service == "states" else service, self.region,
                             self.role_arn, self.session, SERVICE)  # fmt: skip
        try:
            answer = getattr(aws, operation)(**parameters)
        except ParamValidationError as problem:
            text = f"The Parameters '{compact(parameters)}' could not be used: {problem}"
            raise AslError("States.Runtime", text) from None
        except ClientError as problem:
            error, request = problem.response["Error"], problem.response["ResponseMetadata"]
            status = request.get("HTTPStatusCode")
            name = NAMES[service]
            code = error["Code"] if error["Code"].endswith("Exception") else f"{error['Code']}Exception"
            cause = f"{error['Message']} (Service: {name}, Status Code: {status}, Request ID: sandbox)"
            raise AslError(f"{name}.{code}", cause) from None
        answer.pop("ResponseMetadata", None)
        return answer  # type: ignore[no-any-return]

    def need(self, service: str, needs: list[Need]) -> None:
        """Raise AslError unless the state machine's role allows a call. A role that does not exist allows all."""
        if stored.role(self.role_arn) is None:
            return
        sent = {"aws:sourcearn": self.machine_arn, "aws:sourceaccount": self.account.number}
        reason = lacks(self.role_arn, SERVICE, sent, needs)
        if reason:
            raise AslError(f"{NAMES[service]}.AccessDeniedException", reason)

    def need_to_run(self, asked: dict[str, Any], wait: bool) -> None:
        """Check the permissions for RunTask. To wait, Step Functions also needs a rule, DescribeTasks and StopTask."""
        needs = to_run(self.account, self.region, asked, asked.get("cluster") or "default")
        if wait:
            prefix = f"{self.region}:{self.account.number}"
            rule = f"arn:aws:events:{prefix}:rule/StepFunctionsGetEventsForECSTaskRule"
            needs += [Need(f"events:{each}", rule) for each in ("PutTargets", "PutRule", "DescribeRule")]
            needs += [Need(f"ecs:{each}", "*") for each in ("StopTask", "DescribeTasks")]
        self.need("ecs", needs)

    def stop(self) -> None:
        """Stop the tasks, as Step Functions does if an execution is stopped or times out. Errors are ignored."""
        self.stopped = True
        for arn in self.tasks:
            try:
                self.call("ecs", "stop_task", {"cluster": self.cluster, "task": arn, "reason": "Task stopped by user"})
            except AslError:  # noqa: PERF203
                continue

    # -- ECS ------------------------------------------------------------------------------------------------------

    def run_task(self, parameters: Any, done: Done) -> None:
        asked = renamed(parameters, str.lower)
        self.need_to_run(asked, wait=False)
        done(renamed(self.call("ecs", "run_task", asked), str.upper))

    def run_task_and_wait(self, parameters: Any, done: Done) -> None:
        asked = renamed(parameters, str.lower) | {"startedBy": STARTED_BY}
        self.need_to_run(asked, wait=True)
        answer = self.call("ecs", "run_task", asked)
        if answer["failures"] or not answer["tasks"]:
            done(launch_failure(renamed(answer, str.upper)))
            return
        self.tasks = [task["taskArn"] for task in answer["tasks"]]
        self.cluster = answer["tasks"][0]["clusterArn"]
        self.submitted(renamed(answer, str.upper))
        if self.stopped:  # during the call
            self.stop()
            return
        account, left = self.account, set(self.tasks)

        def ended(arn: str) -> None:
            left.discard(arn)
            if not left:
                account.background(lambda: self.conclude(done))

        with account.lock:
            model = account.cluster(self.region)
            for arn in self.tasks:
                task = model.tasks.get(arn)
                if task is None or task.last_status == "STOPPED":
                    account.after(0, lambda arn=arn: ended(arn))  # type: ignore[misc]
                else:
                    account.waiters.setdefault(arn, []).append(lambda arn=arn: ended(arn))  # type: ignore[misc]

    def conclude(self, done: Done) -> None:
        """Report the outcome after all tasks have stopped: the first task that failed, else the first task."""
        try:
            found = self.call("ecs", "describe_tasks", {"cluster": self.cluster, "tasks": self.tasks})["tasks"]
            family = found[0]["taskDefinitionArn"]
            with self.account.lock:
                containers = self.account.definition(self.region, family)["containerDefinitions"]
        except AslError as problem:
            done(problem)
            return
        essential = {each["name"] for each in containers if each.get("essential", True)}
        failed = next((task for task in found if not succeeded(task, essential)), None)
        shape = renamed(failed or found[0], str.upper)
        done(AslError("States.TaskFailed", compact(shape)) if failed else shape)

    # -- others ---------------------------------------------------------------------------------------------------

    def publish(self, parameters: Any, done: Done) -> None:
        self.need("sns", [Need("sns:Publish", parameters["TopicArn"])])
        done(self.call("sns", "publish", parameters | {"Message": text(parameters.get("Message", ""))}))

    def send_message(self, parameters: Any, done: Done) -> None:
        name = parameters["QueueUrl"].rsplit("/", 1)[-1]
        queue = f"arn:aws:sqs:{self.region}:{self.account.number}:{name}"
        self.need("sqs", [Need("sqs:SendMessage", queue)])
        done(self.call("sqs", "send_message", parameters | {"MessageBody": text(parameters.get("MessageBody", ""))}))

    def put_events(self, parameters: Any, done: Done) -> None:
        entries = [each | {"Detail": text(each.get("Detail", {}))} for each in parameters["Entries"]]
        done(self.call("events", "put_events", {"Entries": entries}))

    def start_execution(self, parameters: Any, done: Done) -> None:
        wire = {key[:1].lower() + key[1:]: value for key, value in parameters.items()}
        answer = self.call("states", "start_execution", wire | {"input": text(wire.get("input", {}))})
        done(renamed(answer, str.upper))

    def list_executions(self, parameters: Any, done: Done) -> None:
        self.need("states", [Need("states:ListExecutions", parameters["StateMachineArn"])])
        done(renamed(self.call("states", "list_executions", renamed(parameters, str.lower)), str.upper, in_text))

    def stop_execution(self, parameters: Any, done: Done) -> None:
        self.need("states", [Need("states:StopExecution", parameters["ExecutionArn"])])
        done(renamed(self.call("states", "stop_execution", renamed(parameters, str.lower)), str.upper, in_text))

    def invoke_function(self, parameters: Any, done: Done) -> None:
        done(self.invoke(parameters))

    def invoke(self, parameters: dict[str, Any]) -> dict[str, Any]:
        wire = parameters | {"Payload": compact(parameters.get("Payload", {})).encode()}
        answer = self.call("lambda", "invoke", wire)
        body = answer["Payload"].read() or b"null"
        try:
            payload = json.loads(body)
        except ValueError:
            payload = body.decode()
        if answer.get("FunctionError"):
            error = payload.get("errorType", "Lambda.Unknown") if isinstance(payload, dict) else "Lambda.Unknown"
            raise AslError(error, compact(payload))
        return {
            "ExecutedVersion": answer.get("ExecutedVersion", "$LATEST"),
            "Payload": payload,
            "StatusCode": answer["StatusCode"],
        }


HANDLERS: dict[str, Callable[[Job, Any, Done], None]] = {
    "arn:aws:states:::ecs:runTask": Job.run_task,
    "arn:aws:states:::ecs:runTask.sync": Job.run_task_and_wait,
    "arn:aws:states:::sns:publish": Job.publish,
    "arn:aws:states:::sqs:sendMessage": Job.send_message,
    "arn:aws:states:::lambda:invoke": Job.invoke_function,
    "arn:aws:states:::events:putEvents": Job.put_events,
    "arn:aws:states:::states:startExecution": Job.start_execution,
    "arn:aws:states:::aws-sdk:sfn:listExecutions": Job.list_executions,
    "arn:aws:states:::aws-sdk:sfn:stopExecution": Job.stop_execution,
}


def in_milliseconds(instant: datetime) -> Any:
    return int(instant.timestamp() * 1000)


def in_text(instant: datetime) -> Any:
    """Format an instant as AWS SDK integrations do: "2013-08-23T01:02:15.422Z" in a captured DescribeStacks."""
    return timestamp(instant.timestamp())


def renamed(value: Any, change: Callable[[str], str], written: Callable[[datetime], Any] = in_milliseconds) -> Any:
    """Return a copy with the first letter of every key changed and every instant converted by ``written``.

    Step Functions writes PascalCase where ECS writes camelCase.
    """
    if isinstance(value, dict):
        return {change(key[:1]) + key[1:]: renamed(each, change, written) for key, each in value.items()}
    if isinstance(value, list):
        return [renamed(each, change, written) for each in value]
    return written(value) if isinstance(value, datetime) else value


def text(value: Any) -> str:
    return value if isinstance(value, str) else compact(value)


def launch_failure(answer: dict[str, Any]) -> AslError:
    """Return the error for a failed RunTask. AWS documents two names: here, one is for instances, one for Fargate."""
    on_instance = any("Arn" in failure for failure in answer["Failures"])
    return AslError("AmazonECS.Unknown" if on_instance else "ECS.AmazonECSException", compact(answer))


def succeeded(task: dict[str, Any], essential: set[str]) -> bool:
    """Return whether a task ended on its own and all its essential containers exited with 0."""
    codes = [each.get("exitCode") for each in task["containers"] if each["name"] in essential]
    return task.get("stopCode") == "EssentialContainerExited" and all(code == 0 for code in codes)
