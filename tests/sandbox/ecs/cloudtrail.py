# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record RunTask and StartTask as CloudTrail does: on the default event bus and in the log groups of trails."""

from __future__ import annotations

import copy
import json
import time
import uuid
from datetime import datetime, timezone
from typing import Any

from moto.cloudtrail.models import Trail, cloudtrail_backends
from moto.logs.models import logs_backends

from ..access.callers import identity
from ..account import Account
from ..events.bus import publish
from ..wire import Answer, Call
from .events import envelope, listened_to

RECORDED = ("RunTask", "StartTask")
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
TIMES = ("createdAt", "startedAt", "stoppedAt", "connectivityAt", "pullStartedAt", "pullStoppedAt", "stoppingAt")


def record(account: Account, call: Call, answer: Answer) -> None:
    """Record a call and deliver the record later; drop it if no trail is logging and `cloudtrail` is not set."""
    if call.service != "ecs" or call.operation not in RECORDED:
        return
    with account.lock:
        trails = active_trails(account, call.region)
        if not trails and not account.cloudtrail:
            return
        now = time.time()
        made = event_record(account, call, answer, now)
        account.after(account.own.trail, lambda: to_bus(account, call.region, now, made))
        for trail in trails:
            if trail.cw_log_group_arn:
                account.after(account.own.trail_log, lambda trail=trail: to_log_group(account, trail, call, now, made))  # type: ignore[misc]


def active_trails(account: Account, region: str) -> list[Trail]:
    """Return the trails that are logging and that cover a region."""
    return [
        trail
        for backend in cloudtrail_backends[account.number].values()
        for trail in backend.trails.values()
        if trail.status.is_logging and (trail.is_multi_region or backend.region_name == region)
    ]


def to_bus(account: Account, region: str, instant: float, made: dict[str, Any]) -> None:
    if listened_to(account, region):
        publish(account, region, envelope(account, region, "aws.ecs", "AWS API Call via CloudTrail", instant, [], made))


def to_log_group(account: Account, trail: Trail, call: Call, instant: float, made: dict[str, Any]) -> None:
    parts = trail.cw_log_group_arn.split(":")
    region, group = parts[3], parts[6]
    stream = f"{account.number}_CloudTrail_{call.region}"
    with account.lock:
        backend = logs_backends[account.number][region]
        if group not in backend.groups:
            return
        backend.ensure_log_stream(group, stream)
        line = {
            "timestamp": int((instant + account.clock_offset) * 1000),
            "message": json.dumps(made, separators=(",", ":")),
        }
        backend.put_log_events(group, stream, [line])


def event_record(account: Account, call: Call, answer: Answer, instant: float) -> dict[str, Any]:
    body = json.loads(b"".join(answer.body) or b"{}")
    failed = answer.status >= 400
    caller = identity(account, call)
    denied = failed and body.get("__type", "").startswith("AccessDenied")
    made: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": caller,
        "eventTime": datetime.fromtimestamp(instant + account.clock_offset, timezone.utc).strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        ),
        "eventSource": "ecs.amazonaws.com",
        "eventName": call.operation,
        "awsRegion": call.region,
        "sourceIPAddress": caller.get("invokedBy", "203.0.113.7"),
        "userAgent": caller.get("invokedBy", call.agent),
    }
    if failed:
        # CloudTrail records a denied call as AccessDenied; the code in the answer is longer.
        made["errorCode"] = "AccessDenied" if denied else body.get("__type", "")
        made["errorMessage"] = body.get("message", "")
    made |= {
        "requestParameters": None if denied else redacted(account, dict(call.parameters)),
        "responseElements": None if failed else response_elements(body),
        "requestID": str(uuid.uuid4()),
        "eventID": str(uuid.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account.number,
        "eventCategory": "Management",
    }
    return made


def redacted(account: Account, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters with everything that the setting `redact` names replaced by a placeholder text.

    `redact` lists paths such as `overrides` or `overrides.containerOverrides`. By default it names the environment of
    overrides, as in aws-samples/siem-on-amazon-opensearch-service#430 and
    aws-samples/aws-batch-runtime-monitoring#20.
    """
    shown = copy.deepcopy(parameters)
    for path in account.redact:
        hide(shown, path.split("."))
    return shown


def hide(value: Any, path: list[str]) -> None:
    """Replace the value at a path, in place. A list on the way is searched element by element."""
    if isinstance(value, list):
        for each in value:
            hide(each, path)
    elif isinstance(value, dict) and path[0] in value:
        if len(path) == 1:
            value[path[0]] = HIDDEN
        else:
            hide(value[path[0]], path[1:])


def response_elements(body: dict[str, Any]) -> dict[str, Any]:
    tasks = [
        {key: date(value) if key in TIMES else value for key, value in task.items()} for task in body.get("tasks", [])
    ]
    return {"failures": body.get("failures", []), "tasks": tasks}


def date(instant: float) -> str:
    """Format an instant as CloudTrail formats dates inside an answer: Jun 20, 2018, 6:32:14 PM."""
    moment = datetime.fromtimestamp(instant, timezone.utc)
    return f"{moment:%b} {moment.day}, {moment.year}, {moment.hour % 12 or 12}:{moment:%M:%S %p}"
