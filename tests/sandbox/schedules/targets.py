# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invoke the target of an EventBridge Scheduler schedule, with its role, retries and dead-letter queue."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import ClientError, ParamValidationError

from .. import stored
from ..access import callers
from ..access.role_check import Need, lacks, to_run
from ..account import Account
from ..delivery import to_queue as deliver_sqs
from ..delivery.attempts import Delivery, DeliveryFailed, RetryPolicy
from ..states.integrations import renamed
from .task_target import run_task_request

SCHEDULER = "scheduler.amazonaws.com"
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:"
ACTIONS = {
    "states": ("stepfunctions", "start_execution", "states:StartExecution"),
    "lambda": ("lambda", "invoke", "lambda:InvokeFunction"),
    "sqs": ("sqs", "send_message", "sqs:SendMessage"),
    "sns": ("sns", "publish", "sns:Publish"),
    "events": ("events", "put_events", "events:PutEvents"),
    "ecs": ("ecs", "run_task", "ecs:RunTask"),
}
CLIENTS = {"sfn": "stepfunctions", "eventbridge": "events"}  # universal target's name -> boto3's, if different
GONE = ("NotFound", "DoesNotExist", "NonExistent")


class Fired(NamedTuple):
    account: Account
    region: str
    arn: str  # of the schedule
    target: dict[str, Any]
    scheduled: float

    @property
    def name(self) -> str:
        return self.arn.rsplit("/", 1)[-1]


def begin(fired: Fired) -> None:
    asked = fired.target.get("RetryPolicy") or {}
    line = {
        "region": fired.region,
        "kind": "schedule",
        "rule": fired.arn,
        "target": fired.name,
        "arn": fired.target["Arn"],
        "event": None,
        "payload": fired.target.get("Input"),
    }
    policy = RetryPolicy(asked.get("MaximumRetryAttempts", 185), asked.get("MaximumEventAgeInSeconds", 86400), back_off)
    Delivery(fired.account, line, partial(send, fired, str(uuid.uuid4())), policy, partial(bury, fired))


def back_off(retry: int) -> float:
    return min(2.0 ** (retry - 1), 480.0) * random.uniform(0.75, 1.25)


def send(fired: Fired, execution: str) -> Any:
    aws, operation, parameters, needs = request(fired, given(fired, execution))
    role = fired.target["RoleArn"]
    allowed(fired, needs)
    session = uuid.uuid5(uuid.NAMESPACE_URL, fired.arn).hex
    client = callers.client(fired.account, aws, fired.region, role, session, SCHEDULER)
    try:
        answer = getattr(client, operation)(**parameters)
    except ParamValidationError as problem:
        raise DeliveryFailed("INVALID_PARAMETER", str(problem)) from problem
    except ClientError as problem:
        code, message = problem.response["Error"]["Code"], problem.response["Error"]["Message"]
        status = problem.response["ResponseMetadata"].get("HTTPStatusCode", 500)
        retry = status >= 500 or "Throttl" in code
        raise DeliveryFailed(code, message, retry and not any(word in code for word in GONE)) from problem
    answer.pop("ResponseMetadata", None)
    payload = answer.get("Payload")
    return renamed({key: value for key, value in answer.items() if key != "Payload"}, str) | (
        {"payload": payload.read().decode()} if payload else {}
    )


def given(fired: Fired, execution: str) -> str:
    """Return the target's input with Scheduler's placeholders filled in."""
    stamp = datetime.fromtimestamp(fired.scheduled, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = {"schedule-arn": fired.arn, "scheduled-time": stamp, "execution-id": execution, "attempt-number": "1"}
    text = str(fired.target.get("Input") or "")
    for word, value in words.items():
        text = text.replace(f"<aws.scheduler.{word}>", value)
    return text


Request = tuple[str, str, dict[str, Any], list[Need]]


def request(fired: Fired, text: str) -> Request:
    """Return boto3's client name and method, the parameters, and the permissions that the role needs."""
    arn, target = fired.target["Arn"], fired.target
    if arn.startswith(UNIVERSAL):
        return universal(fired, arn.removeprefix(UNIVERSAL), text)
    service = arn.split(":")[2]
    if service not in ACTIONS:
        raise DeliveryFailed("UNKNOWN", f"the sandbox has no schedules with targets of this kind: {arn}")
    aws, operation, action = ACTIONS[service]
    if service == "ecs":
        parameters = run_task_request(target, f"chronos-schedule/{fired.name}", text)
        return aws, operation, parameters, to_run(fired.account, fired.region, parameters, arn)
    queue = stored.queue(arn) if service == "sqs" else None
    text = text or "{}"
    bus = {**(target.get("EventBridgeParameters") or {}), "Detail": text, "EventBusName": arn}
    builders: dict[str, Callable[[], dict[str, Any]]] = {
        "states": lambda: {"stateMachineArn": arn, "input": text},
        "lambda": lambda: {"FunctionName": arn, "InvocationType": "Event", "Payload": text.encode()},
        "sqs": lambda: {
            "QueueUrl": f"{fired.account.url}/{fired.account.number}/{queue.name}",
            "MessageBody": text,
        },
        "sns": lambda: {"TopicArn": arn, "Message": text},
        "events": lambda: {"Entries": [bus]},
    }  # fmt: skip
    if service == "sqs" and queue is None:
        raise DeliveryFailed("AWS.SimpleQueueService.NonExistentQueue", f"there is no queue {arn}")
    return aws, operation, builders[service](), [Need(action, arn)]


def universal(fired: Fired, rest: str, text: str) -> Request:
    """Build a universal target's request (aws-sdk:ecs:runTask) from the input, in PascalCase or the API's own names."""
    service, _colon, name = rest.partition(":")
    aws = CLIENTS.get(service, service)
    operation = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    parameters = json.loads(text or "{}")
    if aws in ("ecs", "stepfunctions"):
        parameters = renamed(parameters, str.lower)
    prefix = {"stepfunctions": "states"}.get(aws, aws)
    needs = [Need(f"{prefix}:{name[0].upper()}{name[1:]}", "*")]
    if rest == "ecs:runTask" and "taskDefinition" in parameters:
        cluster = parameters.get("cluster", "default")
        needs = to_run(fired.account, fired.region, parameters, cluster)
    return aws, operation, parameters, needs


def allowed(fired: Fired, needs: list[Need]) -> None:
    """Raise DeliveryFailed unless the role exists, trusts Scheduler and has the permissions."""
    group = fired.arn.rsplit("/", 1)[0].replace(":schedule/", ":schedule-group/")
    sent = {"aws:sourcearn": group, "aws:sourceaccount": fired.account.number}
    reason = lacks(fired.target["RoleArn"], SCHEDULER, sent, needs)
    if reason:
        raise DeliveryFailed("AccessDeniedException", reason)


def bury(fired: Fired, problem: DeliveryFailed, condition: str | None, retries: int) -> str | None:
    """Send the input to the dead-letter queue, if there is one and the role may send to it."""
    queue = (fired.target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return None
    attributes = {
        "SCHEDULE_ARN": fired.arn,
        "TARGET_ARN": fired.target["Arn"],
        "ERROR_CODE": problem.code,
        "ERROR_MESSAGE": problem.message[:1000],
        "RETRY_ATTEMPTS": str(retries),
        **({"EXHAUSTED_RETRY_CONDITION": condition} if condition else {}),
    }
    try:
        allowed(fired, [Need("sqs:SendMessage", queue)])
        deliver_sqs.need_queue(queue)
        deliver_sqs.put(queue, given(fired, "") or "{}", attributes=attributes)
    except DeliveryFailed as lost:
        problem.message += f"; and the dead-letter queue does not take it: {lost}"
        return None
    return str(queue)
