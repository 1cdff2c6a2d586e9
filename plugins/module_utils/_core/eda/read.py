# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Reduce events of AWS to the few checked values that a rulebook may act on.

ansible-rulebook hands its events to playbooks as extra variables, and Ansible evaluates templates in those. An event
contains texts that others wrote, such as the user agent in a record of CloudTrail. So only names, ARNs and instants
that match a pattern without braces are passed on.

Sources: "AWS Fargate task maintenance" and "Amazon ECS task state change events" in the ECS Developer Guide; "Match
AWS Secrets Manager events with Amazon EventBridge" and "Log AWS Secrets Manager events with AWS CloudTrail" in the
Secrets Manager User Guide; "Setting up notifications or triggering actions based on Parameter Store events" in the
Systems Manager User Guide. A RotationSucceeded of 2021, published by AWS, has the ARN in
``additionalEventData.SecretId``. Newer ones are reported to have it in ``serviceEventDetails.secretId`` (assumed).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from ..amounts import iso, parse_instant
from ..arns import Arn, parse_arn
from ..ecs.secrets import Named, names_in
from ..errors import Refused
from ..names import CLUSTER, ECS_NAME

Facts = dict[str, Any]

OLDEST = 14 * 86400  # seconds; SQS keeps no message longer
MOST_SERVICES = 1000
_RETIREMENT = "AWS_ECS_TASK_PATCHING_RETIREMENT"
_UNHEALTHY = re.compile(r"failed (ELB|container) health checks")
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_HEALTH_EVENT = re.compile(r"arn:aws[a-z0-9-]*:health:[a-z0-9-]*:[0-9]*:event/[A-Za-z0-9_/-]{1,200}")
# Documentation of CreateSecret and PutParameter: the characters of their names.
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_SECRET_RESOURCE = re.compile(r"secret:[A-Za-z0-9/_+=.@!-]{1,519}")
_PARAMETER = re.compile(r"[A-Za-z0-9/_.-]{1,2048}")


def read_event(message: object, now: float) -> Facts:
    """Return the facts of an event, with its ``kind``; ``{"kind": "ignored", "why": ...}`` if it must not be acted on.

    ``message`` is the event as EventBridge delivers it, or the flat document that the role failure_alerts sends to a
    queue. ``now`` is epoch seconds. Every other kind has ``id``, ``at`` (never after ``now``), ``account`` and
    ``region``.
    """
    try:
        event = _whole(_mapping("the message", message))
        detail = _mapping("detail", event.get("detail"))
        read = _READERS.get((str(event.get("source")), str(event.get("detail-type"))))
        if read is None:
            raise Refused("no rulebook handles events of its source and type")
        return {**_envelope(event, now), **read(detail)}
    except Refused as refused:
        return {"kind": "ignored", "why": str(refused)}


class Seen:
    """Remembers events that were read, up to a limit, so that an event that is delivered twice counts once."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def read(self, message: object, now: float) -> Facts:
        """Return the same as ``read_event``, but ignore an event that was read before."""
        facts = read_event(message, now)
        if facts["kind"] == "ignored":
            return facts
        if facts["id"] in self._ids:
            return {"kind": "ignored", "why": "it was already read"}
        self._ids[facts["id"]] = None
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)
        return facts


def _whole(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the event that a flat document was made of, with the fields that it kept; any other message as it is.

    See ``plain`` in ``_core/events/target/messages``. The role's rule has already excluded closed retirements.
    """
    kind = message.get("detail_type")
    if "event_id" not in message or kind not in ("AWS Health Event", "ECS Task State Change"):
        return message
    envelope = {name: message.get(name) for name in ("time", "account", "region")}
    event = {"id": message["event_id"], "detail-type": kind, **envelope}
    if kind == "ECS Task State Change":
        names = {"clusterArn": "cluster", "group": "group", "stoppedReason": "reason"}
        detail = {key: message.get(name) for key, name in names.items()}
        return {**event, "source": "aws.ecs", "detail": {**detail, "lastStatus": "STOPPED"}}
    affected = message.get("affected")
    entities = [{"entityValue": each} for each in affected] if isinstance(affected, list) else None
    detail = {
        "eventTypeCode": message.get("event_type"),
        "eventArn": message.get("health_event"),
        "affectedEntities": entities,
    }
    return {**event, "source": "aws.health", "detail": detail}


def _envelope(event: Mapping[str, Any], now: float) -> Facts:
    at = min(parse_instant("time", _text("time", event.get("time"), re.compile(r"[0-9TZ:.+-]{1,40}"))), now)
    if at < now - OLDEST:
        raise Refused("it is older than 14 days")
    return {
        "id": _text("id", event.get("id"), _ID),
        "at": iso(at),
        "account": _text("account", event.get("account"), _ACCOUNT),
        "region": _text("region", event.get("region"), _REGION),
    }


def _retirement(detail: Mapping[str, Any]) -> Facts:
    """Services are named ``cluster|service``. ARNs are those of standalone tasks, which nobody replaces."""
    if detail.get("eventTypeCode") != _RETIREMENT:
        raise Refused("it announces no retirement of tasks")
    if detail.get("statusCode") == "closed":
        raise Refused("the retirement is over")
    entities = detail.get("affectedEntities")
    services: list[Facts] = []
    for entity in (entities if isinstance(entities, list) else [])[:MOST_SERVICES]:
        value = entity.get("entityValue") if isinstance(entity, Mapping) else None
        cluster, _bar, service = value.partition("|") if isinstance(value, str) else ("", "", "")
        pair = {"cluster": cluster, "service": service}
        if ECS_NAME.fits(cluster) and ECS_NAME.fits(service) and pair not in services:
            services.append(pair)
    if not services:
        raise Refused("it names no service")
    announcement = _text("detail.eventArn", detail.get("eventArn"), _HEALTH_EVENT).rpartition("/")[2]
    return {"kind": "task_retirement", "announcement": announcement, "services": services}


def _rotation(detail: Mapping[str, Any]) -> Facts:
    if detail.get("eventName") != "RotationSucceeded":
        raise Refused("it changes no secret")
    return _secret(
        _inside(detail, "additionalEventData", "SecretId"), _inside(detail, "serviceEventDetails", "secretId")
    )


def _secret_call(detail: Mapping[str, Any]) -> Facts:
    """Read a call. A value staged for a rotation changes nothing yet; RotationSucceeded reports when it does."""
    if detail.get("eventName") != "PutSecretValue" or detail.get("errorCode"):
        raise Refused("it changes no secret")
    stages = _inside(detail, "requestParameters", "versionStages")
    if isinstance(stages, list) and stages and "AWSCURRENT" not in stages:
        raise Refused("it changes no current value of a secret")
    # The response has the ARN, in one of these spellings; the request has what the caller wrote.
    told = [_inside(detail, "responseElements", name) for name in ("arn", "aRN", "ARN")]
    return _secret(*told, _inside(detail, "requestParameters", "secretId"))


def _secret(*told: object) -> Facts:
    text = next((each for each in told if isinstance(each, str)), "")
    arn = parse_arn(text)
    if arn and arn.service == "secretsmanager" and _SECRET_RESOURCE.fullmatch(arn.resource) and arn.region:
        return _changed(Named("secretsmanager", str(arn), arn.region))
    if arn or not _SECRET.fullmatch(text):
        raise Refused("it names no secret")
    return _changed(Named("secretsmanager", text))


def _parameter(detail: Mapping[str, Any]) -> Facts:
    if detail.get("operation") not in {"Create", "Update"}:
        raise Refused("it changes no value of a parameter")
    return _changed(Named("ssm", _text("detail.name", detail.get("name"), _PARAMETER)))


def _changed(what: Named) -> Facts:
    return {"kind": "secret_changed", "service": what.service, "name": what.name}


def _task(detail: Mapping[str, Any]) -> Facts:
    reason, group = detail.get("stoppedReason"), detail.get("group")
    if detail.get("lastStatus") != "STOPPED" or not isinstance(reason, str) or not _UNHEALTHY.search(reason):
        raise Refused("no health check ended the task")
    service = group.removeprefix("service:") if isinstance(group, str) and group.startswith("service:") else ""
    cluster = detail.get("clusterArn")
    match = CLUSTER.match(parse_arn(cluster)) if isinstance(cluster, str) else None
    if not match or not ECS_NAME.fits(service):
        raise Refused("the task is of no service")
    return {"kind": "task_unhealthy", "cluster": match["name"], "service": service}


_READERS = {
    ("aws.health", "AWS Health Event"): _retirement,
    ("aws.secretsmanager", "AWS Service Event via CloudTrail"): _rotation,
    ("aws.secretsmanager", "AWS API Call via CloudTrail"): _secret_call,
    ("aws.ssm", "Parameter Store Change"): _parameter,
    ("aws.ecs", "ECS Task State Change"): _task,
}


def names_changed(
    containers: Iterable[Mapping[str, Any]], changes: Iterable[Mapping[str, Any]] | None, region: str
) -> bool:
    """Return whether container definitions, in the format of ECS, name a secret or parameter of the given
    ``secret_changed`` facts, or any at all if ``changes`` is None.

    ``region`` is that of the service; the changes are in the service's account and region. A secret may be named by its
    name or by its ARN; ECS also accepts an ARN without the six random characters.
    """
    named = [each for each in names_in(containers) if each.service in ("secretsmanager", "ssm")]
    if changes is None:
        return bool(named)
    return any(
        each.service == change["service"]
        and (each.region or region) == change["region"]
        and (each.name == change["name"] or (each.service != "ssm" and _same_secret(each.name, change["name"])))
        for change in changes
        for each in named
    )


def _same_secret(one: str, other: str) -> bool:
    """Return whether two names or ARNs may mean one secret. A name may end in what looks like random characters."""
    first, second = parse_arn(one), parse_arn(other)
    if first and second and (first.account, first.region) != (second.account, second.region):
        return False
    return bool(_secret_names(one, first) & _secret_names(other, second))


def _secret_names(text: str, arn: Arn | None) -> set[str]:
    name = arn.resource.removeprefix("secret:") if arn else text
    return {name, re.sub(r"-[A-Za-z0-9]{6}$", "", name)} if arn else {name}


def _inside(detail: Mapping[str, Any], name: str, key: str) -> object:
    inner = detail.get(name)
    return inner.get(key) if isinstance(inner, Mapping) else None


def _mapping(what: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(f"{what} is not a JSON object")
    return value


def _text(what: str, value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Refused(f"{what} is missing or malformed")
    return value
