# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Convert an EventBridge event into a Sentry event.

This file is copied into the function's package, so it imports nothing from this collection.

Only the fields named here are copied: an event can contain environment values in its overrides, in the request that
CloudTrail recorded, and in the input and the cause of an execution.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

LOGGER = "aws.ecs"

_LONGEST_TAG = 200  # characters that Sentry accepts
_LONGEST_TEXT = 2000
_PASSING_BY = frozenset({"SpotInterruption", "TerminationNotice", "UserInitiated"})
_INJECTED = ("aws-guardduty-agent-", "ecs-service-connect-")  # added by AWS, with a new name for every task
_TERMINATED = 143
_LEVELS = {"INFO": "info", "WARN": "warning", "WARNING": "warning", "ERROR": "error"}
_CAUSES = {"OutOfMemoryError": "out of memory"}
_CONSOLES = {"aws": "aws.amazon.com", "aws-us-gov": "amazonaws-us-gov.com", "aws-cn": "amazonaws.cn"}

Event = Mapping[str, Any]


def sentry_event(event: Any, log_group: str = "", stream_prefix: str = "") -> dict[str, Any]:
    """Return the Sentry event for an EventBridge event, with its important fields if its type is known here.

    Sentry groups events by ``fingerprint``, so repeated failures of the same kind are one issue. ``event_id`` is the id
    of the EventBridge event, so an event that is delivered twice counts once. ``log_group`` and ``stream_prefix`` are
    those of the log driver ``awslogs``; with them, a task event links to the log stream of the failed container.

    Raises ``ValueError`` if ``event`` is not an EventBridge event.
    """
    if not isinstance(event, Mapping) or "detail-type" not in event or not isinstance(event.get("detail"), Mapping):
        raise ValueError("this is not an EventBridge event. Set no input, input_path or message on the target")
    kind = _text(event["detail-type"])
    facts = _READERS.get(kind, _of_another)(event, event["detail"])
    if kind == "ECS Task State Change" and log_group and stream_prefix and facts["extra"]["links"]:
        facts["extra"]["links"]["logs"] = _log_stream(event["detail"], facts, log_group, stream_prefix)
    tags = {"detail_type": kind, "account": event.get("account"), "region": event.get("region"), **facts.pop("tags")}
    repetitions = _map(event["detail"].get("quiet_period"))
    resources = [_text(each) for each in event.get("resources") or ()]
    return {
        "event_id": _event_id(event),
        "timestamp": event.get("time"),
        "logger": LOGGER,
        "level": facts["level"],
        "message": ", ".join(filter(None, [_text(facts["message"]), _text(repetitions.get("times"))])),
        "fingerprint": ["ecs", kind, *(_text(part) for part in facts["fingerprint"])],
        "tags": {name: _text(value)[:_LONGEST_TAG] for name, value in tags.items() if value not in (None, "")},
        "extra": {
            "resources": resources,
            **({"count": repetitions["count"]} if "count" in repetitions else {}),
            **{key: value for key, value in facts["extra"].items() if value is not None},
        },
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
    # For a task that never ran or that ECS stopped, the reason distinguishes the failures.
    cause = causes if code in ("", "EssentialContainerExited") else [_word(reason)]
    group = _text(detail.get("group"))
    service = group.partition(":")[2] if group.startswith("service:") else ""
    task = _text(detail.get("taskArn"))
    return {
        "level": "warning" if code in _PASSING_BY else "error",
        "message": f"{_named(service or family, cluster)}{_how_it_ended(detail, failed, causes)}",
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
            "links": _links(
                task, {"task": f"tasks/{_last(task)}", "service": f"services/{service}" if service else ""}
            ),
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


def _named(name: str, cluster: str) -> str:
    return f"{name or '?'} in {cluster}" if cluster else name or "?"


def _how_it_ended(detail: Event, failed: list[dict[str, Any]], causes: list[str]) -> str:
    """Return ``exited with 137 (out of memory)`` if a container failed by itself, else the stop code and the causes."""
    code, reason = _text(detail.get("stopCode")), _text(detail.get("stoppedReason"))
    ended = next((each for each in failed if "exit_code" in each), None)
    if ended and code in ("", "EssentialContainerExited", "TaskFailedToStart"):
        word = _word(ended.get("reason"))
        return f" exited with {ended['exit_code']}{f' ({_CAUSES.get(word, word)})' if word else ''}"
    what = ", ".join(causes) if causes else _word(reason)
    return f": {code or detail.get('lastStatus')}{f' ({what})' if what else ''}"


def _links(arn: str, pages: Mapping[str, str]) -> dict[str, str] | None:
    """Return the URLs of pages of the ECS console, in the cluster that the ARN of a task or service names."""
    _arn, partition, _ecs, region, *_rest = [*arn.split(":", 5), "", "", "", ""]
    path = arn.rpartition(":")[2].split("/")
    if partition not in _CONSOLES or len(path) < 3:
        return None
    begin = f"https://{region}.console.{_CONSOLES[partition]}/ecs/v2/clusters/{path[1]}"
    return {name: f"{begin}/{page}?region={region}" for name, page in pages.items() if page}


def _log_stream(detail: Event, facts: Mapping[str, Any], log_group: str, stream_prefix: str) -> str:
    """Return the URL of log stream ``prefix/container/task``. The console needs names encoded twice, with $ for %."""
    first = next((each["name"] for each in facts["extra"]["containers"]), "")
    stream = f"{stream_prefix}/{facts['tags']['container'] or first}/{_last(detail.get('taskArn'))}"
    group, stream = (quote(quote(name, safe=""), safe="").replace("%", "$") for name in (log_group, stream))
    begin, _ecs, _path = str(facts["extra"]["links"]["task"]).partition("/ecs/")
    region = begin.removeprefix("https://").partition(".")[0]
    return f"{begin}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{stream}"


def _failed(containers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the containers that may be the cause; those stopped after another (143) only if there are no others."""
    ours = [each for each in containers if not str(each["name"]).startswith(_INJECTED)]
    failed = [each for each in ours if each.get("exit_code") != 0 and ("exit_code" in each or "reason" in each)]
    return [each for each in failed if each.get("exit_code") != _TERMINATED] or failed


def _container(container: Event) -> dict[str, Any]:
    """Return name, exit code, reason, last status and image. Fields that the container does not have are omitted."""
    names = {"name": "name", "exit_code": "exitCode", "reason": "reason", "last_status": "lastStatus", "image": "image"}
    return {
        "name": "?",
        **{ours: container[theirs] for ours, theirs in names.items() if container.get(theirs) is not None},
    }


def _of_service(event: Event, detail: Event) -> dict[str, Any]:
    """Read a service action, or a deployment, whose cluster appears only in the service's ARN."""
    path = _text(next(iter(event.get("resources") or ()), "")).rpartition(":")[2].split("/")
    cluster = path[1] if len(path) > 2 else _last(detail.get("clusterArn"))
    name = _text(detail.get("eventName"))
    reason = _text(detail.get("reason")) or None
    return {
        "level": _LEVELS.get(_text(detail.get("eventType")), "error"),
        "message": f"ECS service {_named(path[-1], cluster)}: {name}{f' ({reason})' if reason else ''}",
        "fingerprint": [cluster, path[-1], name],
        "tags": {"cluster": cluster, "service": path[-1], "event_name": name},
        "extra": {
            "reason": reason,
            "deployment": detail.get("deploymentId"),
            "links": _links(_text(next(iter(event.get("resources") or ()), "")), {"service": f"services/{path[-1]}"}),
        },
    }


def _of_hook(_event: Event, detail: Event) -> dict[str, Any]:
    service, cluster = _text(detail.get("serviceArn")), _last(detail.get("clusterArn"))
    name = _text(detail.get("eventName"))
    facts = ("hookType", "lifecycleStage", "hookId", "expiresAt", "serviceDeploymentArn")
    return {
        "level": "error" if name in {"HOOK_FAILED", "HOOK_TIMED_OUT"} else "warning",
        "message": f"Deployment of {_named(_last(service), cluster)}: {name} at {_text(detail.get('lifecycleStage'))}",
        "fingerprint": [cluster, _last(service), name],
        "tags": {"cluster": cluster, "service": _last(service), "event_name": name},
        "extra": {
            **{fact: detail.get(fact) for fact in facts},
            "links": _links(service, {"service": f"services/{_last(service)}"}),
        },
    }


def _of_daemon(_event: Event, detail: Event) -> dict[str, Any]:
    daemon, cluster = _last(detail.get("daemonArn")), _last(detail.get("clusterArn"))
    name, why = _text(detail.get("eventName")), _text(detail.get("failureType"))
    facts = ("reason", "containerInstanceArn", "taskArn", "daemonDeploymentArn")
    return {
        "level": _LEVELS.get(_text(detail.get("eventType")), "error"),
        "message": f"ECS daemon {_named(daemon, cluster)}: {name}{f' ({why})' if why else ''}",
        "fingerprint": [cluster, daemon, name, why],
        "tags": {"cluster": cluster, "daemon": daemon, "event_name": name, "failure_type": why},
        "extra": {fact: detail.get(fact) for fact in facts},
    }


def _of_instance(_event: Event, detail: Event) -> dict[str, Any]:
    cluster, status = _last(detail.get("clusterArn")), _text(detail.get("overallStatus"))
    checks = [each for each in _maps(detail.get("healthChecks")) if each.get("status") != "OK"]
    types = ", ".join(_text(each.get("type")) for each in checks)
    instance = _text(detail.get("ec2InstanceId")) or _last(detail.get("containerInstanceArn"))
    return {
        "level": "error" if status == "IMPAIRED" else "info",
        "message": f"ECS container instance {_named(instance, cluster)} is {status}{f' ({types})' if types else ''}",
        "fingerprint": [cluster, instance, types],
        "tags": {"cluster": cluster, "instance": instance, "status": status},
        "extra": {"checks": [{key: each.get(key) for key in ("type", "status", "statusReason")} for each in checks]},
    }


def _of_health(event: Event, detail: Event) -> dict[str, Any]:
    code, start = _text(detail.get("eventTypeCode")), _text(detail.get("startTime"))
    return {
        "level": "warning",
        "message": f"AWS Health: {code} for {_text(next(iter(event.get('resources') or ()), '?'))}, not before {start}",
        "fingerprint": [code, _text(detail.get("eventArn"))],
        "tags": {"event_type": code},
        "extra": {"starts": start or None, "ends": detail.get("endTime"), "health_event": detail.get("eventArn")},
    }


def _of_launch(_event: Event, detail: Event) -> dict[str, Any]:
    """Read a call that CloudTrail recorded."""
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
    """Return the containers and the stop reason of a failed task, or the text that Step Functions itself wrote."""
    if text is None:
        return None
    try:
        task = json.loads(text)
    except (TypeError, ValueError):
        # This may be the description of a task, cut off before its end.
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
    """Read an event of an unknown type. Nothing of its detail is copied."""
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
    "ECS Hook State Change": _of_hook,
    "ECS Daemon Service Action": _of_daemon,
    "ECS Daemon Deployment State Change": _of_daemon,
    "ECS Container Instance Health Change": _of_instance,
    "AWS Health Event": _of_health,
    "AWS API Call via CloudTrail": _of_launch,
    "Step Functions Execution Status Change": _of_execution,
}


def _event_id(event: Event) -> str:
    """Return 32 hexadecimal digits, always the same for the same event."""
    try:
        return uuid.UUID(_text(event.get("id"))).hex
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(event, sort_keys=True, default=str)).hex


def _word(reason: Any) -> str:
    """Return the kind of reason: ``CannotPullContainerError`` from ``CannotPullContainerError: ref ... not found``."""
    kind, colon, _rest = _text(reason).partition(":")
    return kind if colon else _text(reason).partition("(")[0].strip()[:80]


def _last(arn: Any) -> str:
    return _text(arn).rpartition("/")[2]


def _family(task_definition: Any) -> str:
    return _last(task_definition).partition(":")[0]


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:_LONGEST_TEXT]


def _map(value: Any) -> Event:
    # CloudTrail may have replaced a hidden value with a text.
    return value if isinstance(value, Mapping) else {}


def _maps(value: Any) -> list[Event]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []
