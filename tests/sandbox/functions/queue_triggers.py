# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invoke the functions that queues trigger, and delay messages on the sandbox's clock."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.core.utils import unix_time_millis
from moto.sqs.models import Message, Queue

from .. import stored
from ..access import callers
from ..account import Account
from ..delivery import to_function as deliver_lambda

LAMBDA = "lambda.amazonaws.com"


def install(account: Account) -> None:
    """Divide DelaySeconds by the speed; visibility timeouts only after failures, as functions run in real time."""

    def delay(message: Any, delay_seconds: float) -> None:
        message.delayed_until = unix_time_millis() + float(delay_seconds) * 1000 / account.speed

    Message.delay = delay
    # Otherwise moto would invoke the function while a message is being sent.
    Queue.lambda_event_source_mappings = property(lambda _queue: {}, lambda _queue, _mappings: None)


def poll(account: Account) -> None:
    """Begin a batch for every mapping whose queue has messages. The ticker calls this with the lock held."""
    for region, backend in stored.regions(lambda_backends):
        for mapping in list(backend._event_source_mappings.values()):
            if ":sqs:" not in mapping.event_source_arn:
                continue
            queue = stored.queue(mapping.event_source_arn)
            if queue is None:
                continue
            if mapping.enabled and mapping.uuid not in account.batches and queue.messages:
                account.batches.add(mapping.uuid)
                account.background(lambda region=region, mapping=mapping: batch(account, region, mapping))


def batch(account: Account, region: str, mapping: Any) -> None:
    """Process one batch, from receiving the messages to deleting them."""
    try:
        invoke(account, region, mapping)
    finally:
        with account.lock:
            account.batches.discard(mapping.uuid)


def invoke(account: Account, region: str, mapping: Any) -> None:
    function, queue = stored.function(mapping.function_arn), stored.queue(mapping.event_source_arn)
    if function is None or queue is None:
        return
    sqs = callers.client(account, "sqs", region, function.role, function.function_name, LAMBDA)
    url = f"{account.url}/{account.number}/{queue.name}"
    received = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=min(int(mapping.batch_size or 10), 10),
        AttributeNames=["All"],
        MessageAttributeNames=["All"],
    ).get("Messages", [])
    if not received:
        return
    records = [record(message, mapping.event_source_arn, region) for message in received]
    ran = deliver_lambda.run(account, function, json.dumps({"Records": records}))
    failed = failures(ran, received, "ReportBatchItemFailures" in (mapping.function_response_types or []))
    for message in received:
        where = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
        if message["MessageId"] not in failed:
            sqs.delete_message(**where)
            continue
        seconds = float(queue.visibility_timeout) / account.speed
        stored_message = next((each for each in queue._messages if each.id == message["MessageId"]), None)
        if stored_message is not None:
            stored_message.visible_at = unix_time_millis() + seconds * 1000


def failures(ran: Any, received: list[dict[str, Any]], partial: bool) -> set[str]:
    """Return the ids of failed messages: all if the function failed, else those it names if ``partial``."""
    every = {message["MessageId"] for message in received}
    if ran.error:
        return every
    if not partial:
        return set()
    answer = json.loads(ran.payload or "null") or {}
    try:
        named = {each["itemIdentifier"] for each in answer.get("batchItemFailures") or []}
    except (AttributeError, KeyError, TypeError):
        return every
    return every if named - every else named  # an id that is not in the batch fails the whole batch


def record(message: dict[str, Any], arn: str, region: str) -> dict[str, Any]:
    attributes = {
        name: {
            "dataType": value["DataType"],
            "stringListValues": [],
            "binaryListValues": [],
            **({"stringValue": value["StringValue"]} if "StringValue" in value else {}),
        }
        for name, value in (message.get("MessageAttributes") or {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }
