# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What is told about a decision: a line in the log, the dead letter, the notification."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from ..amounts import iso
from .model import Decision, GiveUp, Launch, Retry, StoppedTask, Wish

LONGEST = 500  # characters of AWS's words
LONGEST_SUBJECT = 100  # characters, of printable ASCII, that Amazon SNS takes
LARGEST = 200_000  # characters of a text that is passed on as it came; Amazon SQS takes 256 KiB

# Shown of a request. Overrides, tags and volumes are not: they may hold what nobody should read here.
_SHOWN = ("cluster", "taskDefinition", "count", "group", "launchType", "capacityProviderStrategy", "startedBy")


def line(decision: Decision | str, record: Launch | StoppedTask | Wish | None = None, **more: Any) -> str:
    """One line of JSON for the log. No value of an environment is in it."""
    if isinstance(decision, str):
        facts: dict[str, Any] = {"decision": decision}
    elif isinstance(decision, Retry):
        facts = {"decision": "retry", "attempt": decision.wish.attempt, "delay": decision.delay}
        facts["missing"] = decision.wish.missing
    else:
        facts = {"decision": "give up" if isinstance(decision, GiveUp) else "ignore", "why": decision.why}
    if record is not None:
        facts |= _about(record)
    return json.dumps({**facts, **{key: value for key, value in more.items() if value}})


def _about(record: Launch | StoppedTask | Wish) -> dict[str, Any]:
    facts: dict[str, Any] = {"origin": record.origin, "region": record.region}
    if isinstance(record, StoppedTask):
        facts |= {"task_definition": record.detail.get("taskDefinitionArn"), "cluster": record.detail.get("clusterArn")}
        facts["stop_code"] = record.stop_code
    elif isinstance(record.request, Mapping):
        facts |= {"task_definition": record.request.get("taskDefinition"), "cluster": record.request.get("cluster")}
    if not isinstance(record, Wish):
        facts["reasons"] = reasons(record)
    return {key: value for key, value in facts.items() if value}


def reasons(record: Launch | StoppedTask) -> list[str]:
    """AWS's words, cut short, and with stars for what the overrides put into the environment."""
    request = record.request if isinstance(record, Launch) else record.detail
    hidden = sorted(_environment(request.get("overrides") if isinstance(request, Mapping) else None), key=len)
    shortened = []
    for words in record.reasons:
        for value in reversed(hidden):
            words = words.replace(value, "***")  # noqa: PLW2901
        shortened.append(words[:LONGEST])
    return shortened


def _environment(value: Any) -> Iterator[str]:
    """The values of all environments in overrides, but for those too short to be secrets."""
    if isinstance(value, list):
        for item in value:
            yield from _environment(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key == "environment" and isinstance(item, list):
                texts = (str(each.get("value") or "") for each in item if isinstance(each, Mapping))
                yield from (text for text in texts if len(text) > 3)
            else:
                yield from _environment(item)


def dead_letter(give_up: GiveUp, record: Launch | StoppedTask, attempts: int) -> str:
    """All that is needed to make the call by hand. The overrides are in it with their values, as the queue has to."""
    wish = record.wish if isinstance(record, Launch) else None
    letter = {
        "kind": "steadyops.ecs.retry.given_up/1",
        "why": give_up.why,
        "attempts": attempts,
        "origin": record.origin,
        "at": iso(record.at),
        "region": record.region,
        "reasons": list(record.reasons),
        "missing": wish.missing - len(record.started) if wish and isinstance(record, Launch) else None,
        "request": record.request if isinstance(record, Launch) else record.detail,
    }
    return _fit(json.dumps({key: value for key, value in letter.items() if value is not None}))


def unreadable_letter(problem: str, raw: str) -> str:
    """What could not be read, as it came."""
    return _fit(json.dumps({"kind": "steadyops.ecs.retry.unreadable/1", "why": problem, "raw": raw[:LARGEST]}))


def _fit(text: str) -> str:
    return (
        text
        if len(text) <= LARGEST * 1.2
        else json.dumps({"kind": "steadyops.ecs.retry.too_large/1", "begin": text[: LARGEST // 2]})
    )


def notification(
    give_up: GiveUp, record: Launch | StoppedTask, attempts: int, now: float, account: str
) -> tuple[str, dict[str, Any]]:
    """Subject and event, in the form in which failure rules deliver them, with ``detail.retry`` added.

    A refused launch is told as EventBridge tells a call that CloudTrail has recorded, a task as ECS does.
    """
    of_call = isinstance(record, Launch)
    detail = _call_detail(record) if isinstance(record, Launch) else _task_detail(record)
    detail["retry"] = {"gaveUp": give_up.why, "attempts": attempts, "origin": record.origin}
    event = {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{record.origin} {attempts}")),
        "detail-type": "AWS API Call via CloudTrail" if of_call else "ECS Task State Change",
        "source": "aws.ecs",
        "account": record.account or account,
        "time": iso(int(now)),
        "region": record.region,
        "resources": [] if of_call else [record.origin],
        "detail": detail,
    }
    name = (
        detail.get("requestParameters", {}).get("taskDefinition") or detail.get("taskDefinitionArn") or "unknown task"
    )
    subject = f"ECS task not started: {str(name).rpartition('/')[2]}"
    return "".join(c if " " <= c <= "~" else "?" for c in subject)[:LONGEST_SUBJECT], event


def _call_detail(launch: Launch) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "eventTime": iso(launch.at),
        "eventSource": "ecs.amazonaws.com",
        "eventName": "RunTask",
        "awsRegion": launch.region,
    }
    if isinstance(launch.request, Mapping):
        detail["requestParameters"] = {key: launch.request[key] for key in _SHOWN if key in launch.request}
    words = reasons(launch)
    if launch.error:
        detail |= {"errorCode": launch.error, "errorMessage": words[0].removeprefix(f"{launch.error}: ")}
        detail["responseElements"] = None
    else:
        tasks = [{"taskArn": arn} for arn in launch.started]
        detail["responseElements"] = {"tasks": tasks, "failures": [{"reason": each} for each in words]}
    return detail


def _task_detail(task: StoppedTask) -> dict[str, Any]:
    kept = ("taskArn", "clusterArn", "taskDefinitionArn", "group", "startedBy", "launchType", "lastStatus", "stopCode")
    detail = {key: task.detail[key] for key in kept if key in task.detail}
    detail["stoppedReason"] = (reasons(task) or [""])[0] if task.reason else ""
    detail["containers"] = [
        {"name": end.container, **({} if end.code is None else {"exitCode": end.code})} for end in task.exits
    ]
    return detail
