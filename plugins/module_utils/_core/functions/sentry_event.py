# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What Sentry is told of an event of EventBridge. It goes into the function's package, and imports nothing of ours.

Only what is named here is taken: an event has environment values in its overrides, in the request that CloudTrail
recorded, in the input of an execution and in its cause.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

LOGGER = "aws.ecs"

_LONGEST_TAG = 200  # characters, of Sentry
_LONGEST_TEXT = 2000
_PASSING_BY = frozenset({"SpotInterruption", "TerminationNotice", "UserInitiated"})
_INJECTED = ("aws-guardduty-agent-", "ecs-service-connect-")  # by AWS, with a name that is new for every task
_TERMINATED = 143
_LEVELS = {"INFO": "info", "WARN": "warning", "ERROR": "error"}

Event = Mapping[str, Any]


def sentry_event(event: Any) -> dict[str, Any]:
    """Sentry's event for one of EventBridge's; for one that ECS or Step Functions sends, with what matters of it.

    Sentry groups by ``fingerprint``: what fails again in the same way is one issue. ``event_id`` is that of the event,
    so one that is delivered twice counts once. Raises ``ValueError`` for what is no event of EventBridge.
    """
    if not isinstance(event, Mapping) or "detail-type" not in event or not isinstance(event.get("detail"), Mapping):
        raise ValueError("this is no event of EventBridge: leave its target without input, input_path and message")
    kind = _text(event["detail-type"])
    facts = _READERS.get(kind, _of_another)(event, event["detail"])
    tags = {"detail_type": kind, "account": event.get("account"), "region": event.get("region"), **facts.pop("tags")}
    resources = [_text(each) for each in event.get("resources") or ()]
    return {
        "event_id": _event_id(event),
        "timestamp": event.get("time"),
        "logger": LOGGER,
        "level": facts["level"],
        "message": _text(facts["message"]),
        "fingerprint": ["ecs", kind, *(_text(part) for part in facts["fingerprint"])],
        "tags": {name: _text(value)[:_LONGEST_TAG] for name, value in tags.items() if value not in (None, "")},
        "extra": {"resources": resources, **{key: value for key, value in facts["extra"].items() if value is not None}},
    }


def _of_task(_event: Event, detail: Event) -> dict[str, Any]:
    cluster, family = _last(detail.get("clusterArn")), _family(detail.get("taskDefinitionArn"))
    code, reason = _text(detail.get("stopCode")), _text(detail.get("stoppedReason"))
    containers = [_container(each) for each in _maps(detail.get("containers"))]
    failed = _failed(containers)
    causes = [
        " ".join(filter(None, (each["name"], _text(each.get("exit_code")), _word(each.get("reason")))))
        for each in failed
    ]
    # Of a task that never ran, or that ECS stopped, the reason tells one failure from another.
    cause = causes if code in ("", "EssentialContainerExited") else [_word(reason)]
    what = ", ".join(causes) if causes else _word(reason)
    return {
        "level": "warning" if code in _PASSING_BY else "error",
        "message": f"ECS task {family or '?'}: {code or detail.get('lastStatus')}{f' ({what})' if what else ''}",
        "fingerprint": [cluster, family, code, *cause],
        "tags": {
            "cluster": cluster,
            "family": family,
            "stop_code": code,
            "group": detail.get("group"),
            "launch_type": detail.get("launchType"),
            "exit_code": next((each["exit_code"] for each in failed if "exit_code" in each), None),
            "container": next((each["name"] for each in failed), None),
        },
        "extra": {
            "reason": reason or None,
            "containers": containers,
            "task": detail.get("taskArn"),
            "task_definition": detail.get("taskDefinitionArn"),
            "started_by": detail.get("startedBy"),
            "last_status": detail.get("lastStatus"),
            "created_at": detail.get("createdAt"),
            "started_at": detail.get("startedAt"),
            "stopped_at": detail.get("stoppedAt"),
        },
    }


def _failed(containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The containers that may be why; those that were only stopped after another (143) when there is no other."""
    ours = [each for each in containers if not str(each["name"]).startswith(_INJECTED)]
    failed = [each for each in ours if each.get("exit_code") != 0 and ("exit_code" in each or "reason" in each)]
    return [each for each in failed if each.get("exit_code") != _TERMINATED] or failed


def _container(container: Event) -> dict[str, Any]:
    """Name, exit code, reason and image; without what the container has not got."""
    names = {"name": "name", "exit_code": "exitCode", "reason": "reason", "last_status": "lastStatus", "image": "image"}
    return {
        "name": "?",
        **{ours: container[theirs] for ours, theirs in names.items() if container.get(theirs) is not None},
    }


def _of_service(event: Event, detail: Event) -> dict[str, Any]:
    """Of a service action, and of a deployment, which names its cluster in the service's ARN alone."""
    path = _text(next(iter(event.get("resources") or ()), "")).rpartition(":")[2].split("/")
    cluster = path[1] if len(path) > 2 else _last(detail.get("clusterArn"))
    name = _text(detail.get("eventName"))
    reason = _text(detail.get("reason")) or None
    return {
        "level": _LEVELS.get(_text(detail.get("eventType")), "error"),
        "message": f"ECS service {path[-1] or '?'}: {name}{f' ({reason})' if reason else ''}",
        "fingerprint": [cluster, path[-1], name],
        "tags": {"cluster": cluster, "service": path[-1], "event_name": name},
        "extra": {"reason": reason, "deployment": detail.get("deploymentId")},
    }


def _of_launch(_event: Event, detail: Event) -> dict[str, Any]:
    """Of a call that CloudTrail recorded."""
    request, answer = _map(detail.get("requestParameters")), _map(detail.get("responseElements"))
    failures = [
        {key: each[key] for key in ("reason", "arn", "detail") if each.get(key)}
        for each in _maps(answer.get("failures"))
    ]
    cluster, family = _last(request.get("cluster")), _family(request.get("taskDefinition"))
    code = _text(detail.get("errorCode"))
    cause = code or next((_text(each.get("reason")) for each in failures), "")
    caller = _map(_map(_map(detail.get("userIdentity")).get("sessionContext")).get("sessionIssuer"))
    return {
        "level": "error",
        "message": f"{_text(detail.get('eventName'))} of {family or '?'} was refused: {cause or 'no reason given'}",
        "fingerprint": [_text(detail.get("eventName")), cluster, family, cause],
        "tags": {"cluster": cluster, "family": family, "error_code": code, "event_name": detail.get("eventName")},
        "extra": {
            "reason": _text(detail.get("errorMessage")) or cause or None,
            "failures": failures,
            "started": len(_maps(answer.get("tasks"))),
            "count": request.get("count"),
            "started_by": request.get("startedBy"),
            "caller": caller.get("arn"),
            "invoked_by": _map(detail.get("userIdentity")).get("invokedBy"),
        },
    }


def _of_execution(_event: Event, detail: Event) -> dict[str, Any]:
    machine = _text(detail.get("stateMachineArn")).rpartition(":")[2]
    status, error = _text(detail.get("status")), _text(detail.get("error"))
    levels = {"ABORTED": "warning", "RUNNING": "info", "SUCCEEDED": "info"}
    return {
        "level": levels.get(status, "error"),
        "message": f"Step Functions {machine}: {status}{f' ({error})' if error else ''}",
        "fingerprint": [machine, status, error],
        "tags": {"state_machine": machine, "status": status, "error": error},
        "extra": {"execution": detail.get("executionArn"), "cause": _cause(detail.get("cause"))},
    }


def _cause(text: Any) -> Any:
    """Of a task that failed: its containers and why it stopped. Of what Step Functions says itself, the words."""
    if text is None:
        return None
    try:
        task = json.loads(text)
    except (TypeError, ValueError):
        # The beginning of a task's description may have been cut off before its end.
        return None if _text(text).lstrip().startswith(("{", "[")) else _text(text)
    if not isinstance(task, Mapping):
        return None
    containers = [
        {key: each[key] for key in ("Name", "ExitCode", "Reason") if each.get(key) is not None}
        for each in _maps(task.get("Containers"))
    ]
    facts = {key: task[key] for key in ("StopCode", "StoppedReason", "TaskArn", "Group") if task.get(key)}
    return {**facts, "Containers": containers}


def _of_another(event: Event, _detail: Event) -> dict[str, Any]:
    """Of what is not known: nothing of its detail."""
    return {
        "level": "error",
        "message": f"{_text(event.get('source'))}: {_text(event['detail-type'])}",
        "fingerprint": [_text(event.get("source"))],
        "tags": {"source": event.get("source")},
        "extra": {},
    }


_READERS = {
    "ECS Task State Change": _of_task,
    "ECS Service Action": _of_service,
    "ECS Deployment State Change": _of_service,
    "AWS API Call via CloudTrail": _of_launch,
    "Step Functions Execution Status Change": _of_execution,
}


def _event_id(event: Event) -> str:
    """32 hexadecimal digits, the same for the same event."""
    try:
        return uuid.UUID(_text(event.get("id"))).hex
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(event, sort_keys=True, default=str)).hex


def _word(reason: Any) -> str:
    """What kind of reason it is: ``CannotPullContainerError`` of ``CannotPullContainerError: ref ... not found``."""
    kind, colon, _rest = _text(reason).partition(":")
    return kind if colon else _text(reason).partition("(")[0].strip()[:80]


def _last(arn: Any) -> str:
    return _text(arn).rpartition("/")[2]


def _family(task_definition: Any) -> str:
    return _last(task_definition).partition(":")[0]


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:_LONGEST_TEXT]


def _map(value: Any) -> Event:
    # CloudTrail may have put a text in the place of what it hides.
    return value if isinstance(value, Mapping) else {}


def _maps(value: Any) -> list[Event]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []
