# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The reports about a decision: the log line, the dead letter and the notification."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from ..amounts import iso
from .masking import masked, name_of, without_values
from .model import Decision, GiveUp, Launch, Retry, StoppedTask, Wish

LONGEST = 500  # characters of AWS's words
LONGEST_SUBJECT = 99  # printable ASCII characters; SNS documents fewer than 100 (API reference of Publish)
LARGEST = 200_000  # characters of a letter; Amazon SQS takes 256 KiB
MOST_TASKS = 10  # that one call of RunTask starts

MOST_REASONS = 20

# Patterns for ids of the record, in JSON or in JSON nested in it. Their form shows that they are not secrets.
_IDS = {
    "event_id": re.compile(r'"eventID\\*":\s*\\*"([0-9a-f-]{36})\\*"'),
    "event_time": re.compile(r'"eventTime\\*":\s*\\*"([0-9-]{10}T[0-9:]{8}Z)\\*"'),
    "task": re.compile(r'"taskArn\\*":\s*\\*"(arn:[a-z-]+:ecs:[a-z0-9-]+:[0-9]{12}:task/[\w/-]{1,300})\\*"'),
}
# Parameters of a request that are shown. Overrides, tags and volumes may contain secrets, so they are not.
_SHOWN = ("cluster", "taskDefinition", "count", "group", "launchType", "capacityProviderStrategy", "startedBy")


def line(decision: Decision | str, record: Launch | StoppedTask | Wish | None = None, **more: Any) -> str:
    """Return one line of JSON for the log. It contains no value of an override, a command or a tag."""
    if isinstance(decision, str):
        facts: dict[str, Any] = {"decision": decision}
    elif isinstance(decision, Retry):
        facts = {"decision": "retry", "attempt": decision.wish.attempt, "delay": decision.delay}
        facts["missing"] = decision.wish.missing
    else:
        facts = {"decision": "give up" if isinstance(decision, GiveUp) else "ignore", "why": decision.why[:LONGEST]}
    if record is not None:
        facts |= _about(record)
    return json.dumps({**facts, **{key: value for key, value in more.items() if value}})


def _about(record: Launch | StoppedTask | Wish) -> dict[str, Any]:
    facts: dict[str, Any] = {"origin": name_of(record.origin), "region": name_of(record.region)}
    told, definition, cluster = _told(record)
    facts |= {"task_definition": name_of(told.get(definition)), "cluster": name_of(told.get(cluster))}
    if isinstance(record, StoppedTask):
        facts["stop_code"] = name_of(record.stop_code)
    if not isinstance(record, Wish):
        facts["reasons"] = reasons(record)
    return {key: value for key, value in facts.items() if value}


def _told(record: Launch | StoppedTask | Wish) -> tuple[Mapping[str, Any], str, str]:
    """Return the fields of a call or a task, and the keys of its task definition and its cluster."""
    if isinstance(record, StoppedTask):
        return record.detail, "taskDefinitionArn", "clusterArn"
    return record.request if isinstance(record.request, Mapping) else {}, "taskDefinition", "cluster"


def reasons(record: Launch | StoppedTask) -> list[str]:
    """Return AWS's words, shortened, with stars for values of overrides, commands and tags that they repeat."""
    request = record.detail if isinstance(record, StoppedTask) else record.request
    return [masked(words, request)[:LONGEST] for words in record.reasons[:MOST_REASONS]]


def dead_letter(give_up: GiveUp, record: Launch | StoppedTask, attempts: int) -> str:
    """Return all that is known, with stars for values of overrides and tags, which queue readers must not see."""
    wish = record.wish if isinstance(record, Launch) else None
    letter = {
        "kind": "steadyops.ecs.retry.given_up/1",
        "why": give_up.why[:LONGEST],
        "attempts": attempts,
        "origin": name_of(record.origin),
        "at": iso(record.at),
        "region": name_of(record.region),
        "reasons": reasons(record),
        "missing": wish.missing - len(record.started) if wish and isinstance(record, Launch) else None,
        "request": without_values(record.request if isinstance(record, Launch) else record.detail),
    }
    return _fit(json.dumps({key: value for key, value in letter.items() if value is not None}))


def unreadable_letter(problem: str, raw: str) -> str:
    """Describe an unreadable item by its size, its digest and the ids under which AWS's own records have it."""
    digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
    letter = {"kind": "steadyops.ecs.retry.unreadable/1", "why": problem[:LONGEST], "size": len(raw), "sha256": digest}
    return json.dumps(letter | {key: found[1] for key, text in _IDS.items() if (found := text.search(raw))})


def _fit(text: str) -> str:
    return (
        text
        if len(text) <= LARGEST
        else json.dumps({"kind": "steadyops.ecs.retry.too_large/1", "begin": text[: LARGEST // 2]})
    )


def notification(
    give_up: GiveUp, record: Launch | StoppedTask, attempts: int, now: float, account: str
) -> tuple[str, dict[str, Any]]:
    """Return the subject and an event in the format that failure rules deliver, with ``detail.retry`` added.

    A refused launch has the format of a CloudTrail record from EventBridge, a task the format of an ECS event.
    """
    of_call = isinstance(record, Launch)
    detail = _call_detail(record) if isinstance(record, Launch) else _task_detail(record)
    detail["retry"] = {"gaveUp": give_up.why[:LONGEST], "attempts": attempts, "origin": name_of(record.origin)}
    event = {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{record.origin!a} {attempts}")),
        "detail-type": "AWS API Call via CloudTrail" if of_call else "ECS Task State Change",
        "source": "aws.ecs",
        "account": name_of(record.account) or account,
        "time": iso(int(now)),
        "region": name_of(record.region),
        "resources": [] if of_call else [name_of(record.origin)],
        "detail": detail,
    }
    told, definition, _cluster = _told(record)
    name = name_of(told.get(definition)) or "unknown task"
    subject = f"ECS task not started: {name.rpartition('/')[2]}"
    return "".join(c if " " <= c <= "~" else "?" for c in subject)[:LONGEST_SUBJECT], event


def _call_detail(launch: Launch) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "eventTime": iso(launch.at),
        "eventSource": "ecs.amazonaws.com",
        "eventName": "RunTask",
        "awsRegion": name_of(launch.region),
    }
    if isinstance(launch.request, Mapping):
        shown = without_values(launch.request)
        detail["requestParameters"] = {key: shown[key] for key in _SHOWN if key in shown}
    words = reasons(launch)
    if launch.error:
        detail |= {"errorCode": name_of(launch.error), "errorMessage": words[0].removeprefix(f"{launch.error}: ")}
        detail["responseElements"] = None
    else:
        tasks = [{"taskArn": name_of(arn)} for arn in launch.started[:MOST_TASKS]]
        detail["responseElements"] = {"tasks": tasks, "failures": [{"reason": each} for each in words]}
    return detail


def _task_detail(task: StoppedTask) -> dict[str, Any]:
    kept = ("taskArn", "clusterArn", "taskDefinitionArn", "group", "startedBy", "launchType", "lastStatus", "stopCode")
    shown = without_values(task.detail)
    detail = {key: shown[key] for key in kept if key in shown}
    detail["stoppedReason"] = (reasons(task) or [""])[0] if task.reason else ""
    detail["containers"] = [
        {"name": name_of(end.container), **({} if end.code is None else {"exitCode": end.code})}
        for end in task.exits[:MOST_REASONS]
    ]
    return detail
