# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Split the events that the function receives from three services into single items to handle."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import message
from .model import Launch, StoppedTask, Unreadable, Wish
from .records import from_cloudtrail, from_task_event

SOURCE = "aws.ecs"  # EventBridge accepts sources that begin with "aws." only from AWS
CALL, TASK = KINDS = ("AWS API Call via CloudTrail", "ECS Task State Change")
# Bytes. A CloudWatch Logs subscription sends a few megabytes at most. With its JSON, this fits a function of 128 MB.
MOST_UNPACKED = 16 * 1024 * 1024


@dataclass(frozen=True)
class Delivered:
    """One item to handle: a wish that is due, or a record.

    If it is neither, ``problem`` says why it cannot be read. If ``problem`` is empty, too, there is nothing to do.
    ``raw`` is the original text. ``message_id`` is the id of the Amazon SQS message, if the item came in one.
    """

    raw: str
    record: Launch | StoppedTask | None = None
    wish: Wish | None = None
    problem: str = ""
    message_id: str = ""


def read_delivery(event: object, region: str, account: str = "") -> Iterator[Delivered]:
    """Split the event that Lambda passes in, and yield one item after another.

    ``region`` and ``account`` are those of the function. If ``account`` is empty, an event's account is not checked.

    Supported are CloudWatch Logs subscriptions, EventBridge events and Amazon SQS messages, which may also contain
    EventBridge events. No content raises an exception: content that cannot be read is yielded as a problem.
    """
    if not isinstance(event, Mapping):
        yield Delivered(_raw(event), problem="the event is not a JSON object")
    elif "awslogs" in event:
        yield from _from_logs(event["awslogs"], region)
    elif isinstance(event.get("Records"), list):
        for each in event["Records"]:
            yield _from_queue(each, region, account)
    else:
        yield _tried(_raw(event), lambda: _of_event(event, region, account))


def _from_logs(envelope: Any, region: str) -> Iterator[Delivered]:
    try:
        content = _unpacked(base64.b64decode(envelope["data"], validate=True))
        payload = json.loads(content)
        control, events = payload["messageType"] != "DATA_MESSAGE", payload["logEvents"]
        if not isinstance(events, list):
            raise TypeError
    except (binascii.Error, zlib.error, ValueError, TypeError, KeyError, RecursionError):
        yield Delivered(_raw(envelope), problem="the payload is not from a CloudWatch Logs subscription")
        return
    del content, payload
    while not control and events:
        yield _from_log_event(events.pop(0), region)


def _unpacked(data: bytes) -> bytes:
    """Return the content of a gzip file. A file too large for the function's memory is never unpacked completely."""
    unpacking = zlib.decompressobj(47)  # any window size, with gzip's header and checksum
    content = unpacking.decompress(data, MOST_UNPACKED)
    if not unpacking.eof:
        raise ValueError
    return content


def _from_log_event(each: Any, region: str) -> Delivered:
    if not isinstance(each, Mapping) or not isinstance(each.get("message"), str):
        return Delivered(_raw(each), problem="the log event has no message")
    text = each["message"]
    return _tried(text, lambda: Delivered(text, from_cloudtrail(json.loads(text), region, str(each.get("id") or ""))))


def _from_queue(each: Any, region: str, account: str) -> Delivered:
    if not isinstance(each, Mapping) or not isinstance(each.get("body"), str):
        return Delivered(_raw(each), problem="the record is not an Amazon SQS message")
    text = each["body"]

    def parse() -> Delivered:
        body = json.loads(text)
        return Delivered(text, wish=message.read(body)) if message.is_ours(body) else _of_event(body, region, account)

    found = _tried(text, parse)
    return Delivered(found.raw, found.record, found.wish, found.problem, str(each.get("messageId") or ""))


def _of_event(event: Any, region: str, account: str) -> Delivered:
    raw = _raw(event)
    if not isinstance(event, Mapping):
        raise Unreadable("it is not a JSON object")
    kind = event.get("detail-type")
    if kind in KINDS and event.get("source") != SOURCE:
        raise Unreadable(f"its source is not {SOURCE}")
    if kind in KINDS and account and event.get("account") != account:
        raise Unreadable("its account is not that of this function")
    if kind == CALL:
        where = str(event.get("region") or region)
        return Delivered(raw, from_cloudtrail(event.get("detail"), where, str(event.get("id") or "")))
    if kind == TASK:
        return Delivered(raw, from_task_event(event, region))
    raise Unreadable("it is not an event that this function supports")


def _tried(raw: str, parse: Callable[[], Delivered]) -> Delivered:
    try:
        return parse()
    except Unreadable as problem:
        return Delivered(raw, problem=str(problem))
    except (ValueError, RecursionError):
        return Delivered(raw, problem="it is not JSON")
    except (TypeError, AttributeError, KeyError):
        return Delivered(raw, problem="it does not have the format of AWS")


def _raw(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)
