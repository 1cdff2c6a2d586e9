# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Convert AWS's records of calls and tasks into the inputs of a retry decision."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .classify import QUOTA, TRANSIENT, of_error
from .model import Exit, Launch, StoppedTask, Unreadable, Wish
from .request import STARTED_BY


def from_cloudtrail(record: object, region: str, key: str = "") -> Launch | None:
    """Return the RunTask call in a CloudTrail record, or None for other calls.

    ``region`` and ``key`` (an id) are used if the record has none. Raises ``Unreadable``.
    """
    if not isinstance(record, Mapping):
        raise Unreadable("the record is not a JSON object")
    if record.get("eventName") != "RunTask" or record.get("eventSource") not in (None, "ecs.amazonaws.com"):
        return None
    request, error, answer = record.get("requestParameters"), _text(record, "errorCode"), record.get("responseElements")
    answer = answer if isinstance(answer, Mapping) else {}
    identity = _inner(record, "userIdentity")
    role_arn = _text(_inner(_inner(identity, "sessionContext"), "sessionIssuer"), "arn")
    return Launch(
        origin=_origin(record, request, error, key),
        at=instant(record.get("eventTime")),
        region=_text(record, "awsRegion") or region,
        request=request,
        account=_text(record, "recipientAccountId") or _text(identity, "accountId"),
        started=started_in(answer),
        refusals=refusals_in(answer),
        error=error,
        message=_text(record, "errorMessage"),
        role_arn=role_arn,
        caller_arn=role_arn or _text(identity, "arn"),
        invoked_by=_text(identity, "invokedBy"),
    )


def _origin(record: Mapping[str, Any], request: object, error: str, key: str) -> str:
    """Return the id of the wish that a record belongs to.

    A throttled SDK repeats the call with the same client token, and each call has its own record. These records belong
    to one wish. An answer with ``failures`` completes the call: if the caller calls again, that is a new request.
    """
    if isinstance(request, Mapping) and error and of_error(error, _text(record, "errorMessage")) in (TRANSIENT, QUOTA):
        token = _text(request, "clientToken")
        if token:
            return token
    return _text(record, "eventID") or key or _digest(record)


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=str).encode()).hexdigest()[:32]


def from_answer(wish: Wish, answer: Mapping[str, Any]) -> Launch:
    """Return our own call as a launch, from the answer that boto3 returned."""
    return Launch(
        wish.origin, wish.at, wish.region, wish.request,
        started=started_in(answer), refusals=refusals_in(answer), wish=wish,
    )  # fmt: skip


def from_error(wish: Wish, code: str, message: str, status: int = 0) -> Launch:
    """Return our own call as a launch, from the error that boto3 raised. ``status`` is the HTTP status."""
    return Launch(
        wish.origin, wish.at, wish.region, wish.request,
        error=code, message=message, status=status, wish=wish,
    )  # fmt: skip


def from_task_event(event: Mapping[str, Any], region: str) -> StoppedTask | None:
    """Return the stopped task in an ECS event, or None if the task has not stopped. Raises ``Unreadable``."""
    detail = event.get("detail")
    if not isinstance(detail, Mapping) or not isinstance(detail.get("taskArn"), str):
        raise Unreadable("the event has no task")
    if detail.get("lastStatus") != "STOPPED":
        return None
    containers = detail.get("containers") or []
    if not isinstance(containers, list) or not all(isinstance(each, Mapping) for each in containers):
        raise Unreadable("the containers of the event are not a list of JSON objects")
    return StoppedTask(
        origin=detail["taskArn"],
        at=instant(detail.get("stoppedAt") or event.get("time")),
        region=_text(event, "region") or region,
        detail=detail,
        account=_text(event, "account"),
        stop_code=_text(detail, "stopCode"),
        reason=_text(detail, "stoppedReason"),
        exits=tuple(
            Exit(_text(each, "name"), _code(each.get("exitCode")), _text(each, "reason")) for each in containers
        ),
    )


def attempts_of(started_by: object) -> int:
    """Return how many retries led to a task, read from its ``startedBy``."""
    match = STARTED_BY.fullmatch(started_by) if isinstance(started_by, str) else None
    return int(match[1]) if match else 0


def started_in(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ARNs of the tasks in RunTask's answer, or in the part of it that CloudTrail keeps."""
    tasks = answer.get("tasks") or []
    if not isinstance(tasks, list):
        raise Unreadable("the tasks of the response are not a list")
    return tuple(str(task["taskArn"]) for task in tasks if isinstance(task, Mapping) and task.get("taskArn"))


def refusals_in(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the reasons in ``failures`` of RunTask's answer."""
    failures = answer.get("failures") or []
    if not isinstance(failures, list):
        raise Unreadable("the failures of the response are not a list")
    return tuple(str(each.get("reason") or "no reason") for each in failures if isinstance(each, Mapping))


def instant(text: object) -> float:
    """Return the epoch seconds of an ISO 8601 instant. Raises ``Unreadable``."""
    try:
        # Python 3.10 reads neither the Z nor fractions that do not have three or six digits.
        whole, _point, fraction = str(text).removesuffix("Z").partition(".")
        moment = datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")
    except ValueError:
        raise Unreadable("it has no time") from None
    return moment.timestamp()


def _code(code: object) -> int | None:
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""


def _inner(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = mapping.get(key)
    return value if isinstance(value, Mapping) else {}
