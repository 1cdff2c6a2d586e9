# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliver an event from a rule that matched to its targets: what each kind needs, and how it gets the event."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from .. import stored
from ..access import callers
from ..access.permissions import EVENTS, need, need_role
from ..access.role_check import lacks, to_run
from ..account import Account
from ..delivery import (
    to_api_destination as deliver_api_destination,
)
from ..delivery import (
    to_function as deliver_lambda,
)
from ..delivery import (
    to_log_group as deliver_logs,
)
from ..delivery import (
    to_queue as deliver_sqs,
)
from ..delivery import (
    to_topic as deliver_sns,
)
from ..delivery.attempts import Delivery, DeliveryFailed, RetryPolicy
from ..model.state import SandboxError
from ..schedules import task_target
from . import bus as event_bus
from .input_transformer import NotRendered, render


class Matched(NamedTuple):
    """An event that a rule sends to one of its targets."""

    account: Account
    rule_arn: str
    target: dict[str, Any]
    event: dict[str, Any]
    hops: int = 0  # number of event buses it has passed

    @property
    def arn(self) -> str:
        return str(self.target["Arn"])

    @property
    def sent_along(self) -> dict[str, str]:
        return {"aws:sourcearn": self.rule_arn}


def deliver(matched: Matched, region: str) -> None:
    """Begin a delivery, which continues in the background."""
    line = {
        "region": region,
        "kind": "target",
        "rule": matched.rule_arn,
        "target": matched.target["Id"],
        "arn": matched.arn,
        "event": matched.event["id"],
        "payload": None,
    }
    received = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    asked = matched.target.get("RetryPolicy") or {}
    policy = RetryPolicy(asked.get("MaximumRetryAttempts", 185), asked.get("MaximumEventAgeInSeconds", 86400), back_off)
    Delivery(matched.account, line, partial(send, matched, line, received), policy, partial(bury, matched))


def back_off(retry: int) -> float:
    """Return the exponential delay with jitter. 185 retries take about a day. AWS does not publish its numbers."""
    return min(2.0 ** (retry - 1), 480.0) * random.uniform(0.75, 1.25)


def send(matched: Matched, line: dict[str, Any], received: str) -> Any:
    service = matched.arn.split(":")[2]
    kind = f"{service}:{matched.arn.split(':')[5].split('/')[0]}" if service == "events" else service
    if kind not in SENDERS:
        raise DeliveryFailed("UNKNOWN", f"the sandbox has no targets of this kind: {matched.arn}")
    try:
        payload = render(matched.target, matched.event, matched.rule_arn, received)
    except NotRendered as problem:
        raise DeliveryFailed("INVALID_JSON", str(problem)) from problem
    line["payload"] = payload
    return SENDERS[kind](matched, payload)


def to_queue(matched: Matched, payload: str) -> Any:
    found = deliver_sqs.need_queue(matched.arn)
    allowed(matched, "sqs:SendMessage", found.policy)
    group = (matched.target.get("SqsParameters") or {}).get("MessageGroupId")
    return deliver_sqs.put(matched.arn, payload, group)


def to_topic(matched: Matched, payload: str) -> Any:
    found = stored.topic(matched.arn)
    if found is None:
        raise DeliveryFailed("NO_RESOURCE", f"Topic does not exist: {matched.arn}")
    if matched.target.get("RoleArn"):
        allowed(matched, "sns:Publish", None)
    else:
        need(found.policy, "sns:Publish", matched.arn, {})  # SNS gets no condition keys
    return deliver_sns.publish_event(matched.account, found, payload, matched.target.get("RoleArn"))


def to_function(matched: Matched, payload: str) -> Any:
    found = stored.function(matched.arn)
    if found is None:
        raise DeliveryFailed("NO_RESOURCE", f"Function not found: {matched.arn}")
    allowed(matched, "lambda:InvokeFunction", {"Statement": found.policy.statements})
    return deliver_lambda.invoke_later(matched.account, matched.arn, payload)


def to_log_group(matched: Matched, payload: str) -> Any:
    if matched.target.get("RoleArn"):
        raise DeliveryFailed("NO_PERMISSIONS", "a log group takes no RoleArn, only a resource policy of its own")
    return deliver_logs.put(matched.account, matched.arn, payload, bool(matched.target.get("InputTransformer")))


def to_state_machine(matched: Matched, payload: str) -> Any:
    by_role(matched, "states:StartExecution")
    return ask(matched, "states", "StartExecution", {"stateMachineArn": matched.arn, "input": payload})


def to_cluster(matched: Matched, payload: str) -> Any:
    """Call RunTask. EventBridge ignores failures in its answer: the delivery still succeeds."""
    wanted = task_target.run_task_request(matched.target, f"events-rule/{matched.rule_arn.rsplit('/', 1)[-1]}", payload)
    if not matched.target.get("RoleArn"):
        raise DeliveryFailed("NO_PERMISSIONS", f"the target has no RoleArn, and {matched.arn} needs one")
    region = stored.region_of(matched.arn)
    sent = {**matched.sent_along, "aws:sourceaccount": matched.account.number}
    needs = to_run(matched.account, region, wanted, matched.arn)
    reason = lacks(matched.target["RoleArn"], EVENTS, sent, needs)
    if reason:
        raise DeliveryFailed("NO_PERMISSIONS", reason)
    session = uuid.uuid5(uuid.NAMESPACE_URL, matched.rule_arn).hex
    client = callers.client(matched.account, "ecs", region, matched.target["RoleArn"], session, EVENTS)
    try:
        answer = client.run_task(**wanted)
    except ClientError as problem:
        code, message = problem.response["Error"]["Code"], problem.response["Error"]["Message"]
        again = "Throttl" in code or problem.response["ResponseMetadata"].get("HTTPStatusCode", 500) >= 500
        raise DeliveryFailed("THROTTLING" if "Throttl" in code else "SDK_CLIENT_ERROR", message, again) from problem
    return {"tasks": [task["taskArn"] for task in answer["tasks"]], "failures": answer["failures"]}


def to_stream(matched: Matched, payload: str) -> Any:
    by_role(matched, "kinesis:PutRecord")
    path = (matched.target.get("KinesisParameters") or {}).get("PartitionKeyPath")
    key = json.loads(render({"InputPath": path or "$.id"}, matched.event, "", ""))
    name = matched.arn.split("/", 1)[1]
    return ask(matched, "kinesis", "PutRecord", {
        "StreamName": name, "Data": base64_of(payload), "PartitionKey": str(key)[:256],
    })  # fmt: skip


def to_firehose(matched: Matched, payload: str) -> Any:
    by_role(matched, "firehose:PutRecord")
    name = matched.arn.split("/", 1)[1]
    return ask(matched, "firehose", "PutRecord", {
        "DeliveryStreamName": name, "Record": {"Data": base64_of(payload)},
    })  # fmt: skip


def to_bus(matched: Matched, _payload: str) -> Any:
    by_role(matched, "events:PutEvents")
    name, region = matched.arn.split("/", 1)[1], stored.region_of(matched.arn)
    if name not in stored.backend("events", region).event_buses:
        raise DeliveryFailed("NO_RESOURCE", f"Event bus {name} does not exist.")
    if matched.hops >= 5:
        raise DeliveryFailed("THIRD_ACCOUNT_HOP_DETECTED", "the event has passed too many event buses")
    event_bus.put(matched.account, region, name, matched.event, matched.hops + 1)
    return {"bus": name}


def to_api_destination(matched: Matched, payload: str) -> Any:
    by_role(matched, "events:InvokeApiDestination")
    return deliver_api_destination.invoke(matched.account, matched.target, matched.event, payload)


SENDERS: dict[str, Callable[[Matched, str], Any]] = {
    "sqs": to_queue,
    "sns": to_topic,
    "lambda": to_function,
    "logs": to_log_group,
    "states": to_state_machine,
    "ecs": to_cluster,
    "kinesis": to_stream,
    "firehose": to_firehose,
    "events:event-bus": to_bus,
    "events:api-destination": to_api_destination,
}


def allowed(matched: Matched, action: str, policy: Any) -> None:
    """Check the permission: by the target's role if it has one, else by the policy of the resource."""
    if matched.target.get("RoleArn"):
        need_role(matched.target["RoleArn"], action, matched.arn, matched.rule_arn)
    else:
        need(policy, action, matched.arn, matched.sent_along)


def by_role(matched: Matched, action: str) -> None:
    if not matched.target.get("RoleArn"):
        raise DeliveryFailed("NO_PERMISSIONS", f"the target has no RoleArn, and {matched.arn} needs one")
    need_role(matched.target["RoleArn"], action, matched.arn, matched.rule_arn)


def ask(matched: Matched, service: str, operation: str, parameters: dict[str, Any]) -> Any:
    try:
        return matched.account.ask_aws(service, stored.region_of(matched.arn), operation, parameters)
    except SandboxError as problem:
        gone = "NotFound" in problem.code or "DoesNotExist" in problem.code
        code = "NO_RESOURCE" if gone else "THROTTLING" if "Throttl" in problem.code else "SDK_CLIENT_ERROR"
        retry = not gone and (problem.status >= 500 or "Throttl" in problem.code)
        raise DeliveryFailed(code, f"{problem.code}: {problem.message}", retry) from problem


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def bury(matched: Matched, problem: DeliveryFailed, condition: str | None, retries: int) -> str | None:
    """Send the original event to the dead-letter queue, with the error in the message attributes."""
    queue = (matched.target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        return None
    attributes = {
        "RULE_ARN": matched.rule_arn,
        "TARGET_ARN": matched.arn,
        "ERROR_CODE": problem.code,
        "ERROR_MESSAGE": problem.message[:1000],
        "RETRY_ATTEMPTS": str(retries),
        **({"EXHAUSTED_RETRY_CONDITION": condition} if condition else {}),
    }
    try:
        found = deliver_sqs.need_queue(queue)
        if found.fifo_queue:
            raise DeliveryFailed("INVALID_PARAMETER", "a dead-letter queue of EventBridge has to be a standard queue")
        need(found.policy, "sqs:SendMessage", queue, matched.sent_along)
        deliver_sqs.put(queue, render({}, matched.event, "", ""), attributes=attributes)
    except DeliveryFailed as lost:
        problem.message += f"; and the dead-letter queue does not take it: {lost}"
        return None
    return str(queue)
