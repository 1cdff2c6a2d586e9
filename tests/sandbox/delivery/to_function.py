# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asynchronous invocations: accepted at once, run later, retried twice, then sent to a queue or destination."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from functools import partial
from typing import Any

from .. import stored
from ..account import NUMBER, Account
from ..events import bus as event_bus
from ..functions import runner as lambda_runner
from . import to_queue as deliver_sqs
from .attempts import Delivery, DeliveryFailed, RetryPolicy


def invoke_later(account: Account, arn: str, payload: str) -> dict[str, Any]:
    """Invoke a function asynchronously, as Lambda does for the InvocationType Event."""
    config = event_config(arn)
    line = {
        "region": stored.region_of(arn),
        "kind": "invocation",
        "rule": None,
        "target": arn.split(":")[6],
        "arn": arn,
        "event": None,
        "payload": payload,
    }
    attempts, age = config.get("MaximumRetryAttempts"), config.get("MaximumEventAgeInSeconds")
    policy = RetryPolicy(2 if attempts is None else attempts, age or 21600, lambda retry: 60.0 * retry)
    Delivery(account, line, partial(attempt, account, arn, payload), policy, partial(bury, account, arn, payload))
    return {"status": 202}


def attempt(account: Account, arn: str, payload: str) -> dict[str, Any]:
    function = stored.function(arn)
    if function is None:
        raise DeliveryFailed("NO_RESOURCE", f"Function not found: {arn}")
    ran = run(account, function, payload)
    if ran.error:
        raise DeliveryFailed(ran.error, f"{ran.payload}\n{ran.log}"[:4000], retry=True)
    told = destination(account, arn, payload, "OnSuccess", "Success", ran.payload)
    return {"payload": ran.payload, "log": ran.log[:4000], "seconds": round(ran.seconds, 3), "destination": told}


def run(account: Account, function: Any, payload: str) -> lambda_runner.Ran:
    """Run a function and write its log to CloudWatch Logs."""
    ran = lambda_runner.run(account, function, payload)
    milliseconds = f"{ran.seconds * 1000:.2f}"
    version = function.version
    save_log(function, [
        f"START RequestId: {ran.request} Version: {version}",
        *ran.log.splitlines(),
        f"END RequestId: {ran.request}",
        f"REPORT RequestId: {ran.request} Duration: {milliseconds} ms",
    ])  # fmt: skip
    return ran


def save_log(function: Any, lines: list[str]) -> None:
    group = f"/aws/lambda/{function.function_name}"
    stream = datetime.now(timezone.utc).strftime("%Y/%m/%d/") + f"[{function.version}]sandbox"
    logs = stored.backend("logs", function.region)
    logs.ensure_log_group(group)
    logs.ensure_log_stream(group, stream)
    now = int(time.time() * 1000)
    logs.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])


def event_config(arn: str) -> dict[str, Any]:
    try:
        return dict(stored.backend("lambda", stored.region_of(arn)).get_function_event_invoke_config(arn.split(":")[6]))
    except (*stored.MOTO_ERRORS, KeyError):
        return {}


def bury(account: Account, arn: str, payload: str, problem: DeliveryFailed, condition: str | None, retries: int) -> Any:
    """Send a failed invocation to the function's destination for failures and to its own dead-letter queue."""
    reason = "EventAgeExceeded" if condition == "MaximumEventAgeInSeconds" else "RetriesExhausted"
    told = destination(account, arn, payload, "OnFailure", reason, problem.message)
    queue = account.function_dead_letters.get(":".join(arn.split(":")[:7])) or ""
    if ":sqs:" not in queue:
        return told
    attributes = {"ERROR_CODE": "200", "ERROR_MESSAGE": problem.message[:1000], "REQUEST_ID": problem.code}
    try:
        deliver_sqs.put(queue, payload, attributes=attributes)
    except DeliveryFailed:
        return told
    return queue


def destination(account: Account, arn: str, payload: str, which: str, condition: str, answer: str) -> str | None:
    """Send an invocation's record to its destination; return the ARN, or None if it is no queue or bus, or fails."""
    config = (event_config(arn).get("DestinationConfig") or {}).get(which) or {}
    there = config.get("Destination") or ""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {
        "version": "1.0",
        "timestamp": now,
        "requestContext": {"functionArn": f"{arn}:$LATEST", "condition": condition},
        "requestPayload": json.loads(payload),
        "responsePayload": answer,
    }
    try:
        if ":sqs:" in there:
            deliver_sqs.put(there, json.dumps(record))
        elif ":event-bus/" in there:
            outcome = "Success" if which == "OnSuccess" else "Failure"
            event_bus.put(account, stored.region_of(there), there.split("/", 1)[1], {
                "version": "0",
                "id": now,
                "detail-type": f"Lambda Function Invocation Result - {outcome}",
                "source": "lambda",
                "account": NUMBER,
                "time": now,
                "region": stored.region_of(arn),
                "resources": [there, arn],
                "detail": record,
            })  # fmt: skip
        else:
            return None
    except DeliveryFailed:
        return None
    return str(there)
