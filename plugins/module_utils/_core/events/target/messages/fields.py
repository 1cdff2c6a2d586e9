# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What messages can say about each kind of event, and where the event has it.

An input transformer copies values and cannot change them: it cuts no name out of an ARN, and it escapes nothing that
it puts into a text. So a headline has short names only if the event has one that needs no escapes, or if the rule
itself names what it is about (``subject.py``). A rule for all families names the first container of the task. The ARN
with the family comes last, because ``group`` is free text of the caller.

No field can contain the value of an environment variable: there is no ``overrides``, no whole ``requestParameters``, no
input or output of an execution, and not its ``cause`` either, which quotes the overrides of the task that it ran.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Field:
    """One field of an event. ``free``: a person or a program wrote the text, so it may have quotes and line breaks.
    EventBridge does not escape what it puts into a text, so such a value is only ever a whole JSON value."""

    label: str
    path: str
    free: bool = False


@dataclass(frozen=True)
class EventKind:
    """What messages say about a kind of event. ``code`` is the field that distinguishes events of this kind. The texts
    have placeholders.

    ``source`` says where it happened and is never empty. ``same`` is equal for two events that a quiet period
    combines. ``who`` is the short name of what failed. ``cause`` says what went wrong, in few words of limited length.
    ``arn`` is the field that names what failed if there is no short name. ``link`` is the field with the ARN that the
    AWS console opens.
    """

    title: str
    code: str
    source: str
    same: str
    fields: Mapping[str, Field]
    details: Mapping[str, Field] = field(default_factory=dict)  # lists and objects, for programs
    who: str = ""
    cause: str = ""
    arn: str = ""
    link: str = ""

    def all_fields(self) -> dict[str, Field]:
        return {**self.fields, **self.details, **ENVELOPE}


ENVELOPE = {
    "time": Field("Time", "$.time"),
    "account": Field("Account", "$.account"),
    "region": Field("Region", "$.region"),
    "event_id": Field("Event", "$.id"),
    "detail_type": Field("Type of event", "$.detail-type"),
}

# Fields of an event that the function of a quiet period sends (functions/quiet_period.py).
REPETITIONS = {
    "times": Field("How often", "$.detail.quiet_period.times"),
    "count": Field("Count", "$.detail.quiet_period.count"),
}

_CLUSTER = Field("Cluster", "$.detail.clusterArn")
_SERVICE = Field("Service", "$.resources[0]")
_REASON = Field("Reason", "$.detail.reason", free=True)

_GROUP = Field("Group", "$.detail.group", free=True)

_TASK = {
    "group": _GROUP,
    "reason": Field("Reason", "$.detail.stoppedReason", free=True),
    "stop_code": Field("Stop code", "$.detail.stopCode"),
    "exit_codes": Field("Exit codes", "$.detail.containers[*].exitCode"),
    "started_by": Field("Started by", "$.detail.startedBy", free=True),
    "cluster": _CLUSTER,
    "task_definition": Field("Task definition", "$.detail.taskDefinitionArn"),
    "task": Field("Task", "$.detail.taskArn"),
}
_CONTAINERS = {
    # ECS allows letters, digits, "-" and "_" in names of containers (API model, ContainerDefinition.name), so this name
    # can be put into a text. Input transformers may select an array entry by its number (EventBridge's user guide).
    "container": Field("First container", "$.detail.containers[0].name"),
    "created_at": Field("Created", "$.detail.createdAt"),
    "container_reasons": Field("Reasons of containers", "$.detail.containers[*].reason", free=True),
    "containers": Field("Containers", "$.detail.containers", free=True),
}

_KINDS: dict[str, EventKind] = {
    "task": EventKind(
        title="ECS task failed",
        code="stop_code",
        source="<cluster>",
        same="<task_definition> <stop_code>",
        fields=_TASK,
        details=_CONTAINERS,
        who="container <container>",
        cause="<stop_code> <exit_codes>",
        arn="task_definition",
        link="task",
    ),
    # ECS refuses a caller's own group if it begins with "service:" ("Invalid namespace for group", as public code
    # reports), and names of services have no quotes, so this group can be put into a text.
    "service_task": EventKind(
        title="ECS task failed",
        code="stop_code",
        source="<cluster>",
        same="<cluster> <group> <stop_code>",
        fields={**_TASK, "group": Field("Group", "$.detail.group")},
        details=_CONTAINERS,
        who="<group>",
        cause="<stop_code> <exit_codes>",
        link="task",
    ),
    "all_task_changes": EventKind(
        title="ECS task changed",
        code="last_status",
        source="<cluster>",
        same="<task>",
        fields={"last_status": Field("Status", "$.detail.lastStatus"), **_TASK},
        details=_CONTAINERS,
        who="container <container>",
        cause="<last_status>",
        arn="task_definition",
        link="task",
    ),
    "service_action": EventKind(
        title="ECS service in trouble",
        code="event_name",
        source="<service>",
        same="<service> <event_name>",
        fields={
            "event_name": Field("Event", "$.detail.eventName"),
            "reason": _REASON,
            "service": _SERVICE,
            "cluster": _CLUSTER,
        },
        cause="<event_name>",
        arn="service",
        link="service",
    ),
    "deployment": EventKind(
        title="ECS deployment failed",
        code="event_name",
        source="<service>",
        same="<service> <deployment>",
        fields={
            "event_name": Field("Event", "$.detail.eventName"),
            "reason": _REASON,
            "service": _SERVICE,
            "deployment": Field("Deployment", "$.detail.deploymentId"),
        },
        cause="<event_name>",
        arn="service",
        link="service",
    ),
    "deployment_hook": EventKind(
        title="ECS deployment held up by a hook",
        code="event_name",
        source="<service>",
        same="<service> <hook>",
        fields={
            "event_name": Field("Event", "$.detail.eventName"),
            "stage": Field("Stage", "$.detail.lifecycleStage"),
            "hook_type": Field("Type of hook", "$.detail.hookType"),
            "expires": Field("Expires", "$.detail.expiresAt"),
            "service": Field("Service", "$.detail.serviceArn"),
            "cluster": _CLUSTER,
            "hook": Field("Hook", "$.detail.hookId"),
            "deployment": Field("Deployment", "$.detail.serviceDeploymentArn"),
        },
        cause="<event_name>",
        arn="service",
        link="service",
    ),
    "daemon": EventKind(
        title="ECS daemon in trouble",
        code="event_name",
        source="<daemon>",
        same="<daemon> <event_name> <failure_type>",
        fields={
            "event_name": Field("Event", "$.detail.eventName"),
            "failure_type": Field("Type of failure", "$.detail.failureType"),
            "reason": _REASON,
            "daemon": Field("Daemon", "$.detail.daemonArn"),
            "cluster": _CLUSTER,
            "instance": Field("Container instance", "$.detail.containerInstanceArn"),
            "task": Field("Task", "$.detail.taskArn"),
        },
        cause="<event_name> <failure_type>",
        arn="daemon",
        link="daemon",
    ),
    "container_instance": EventKind(
        title="ECS container instance impaired",
        code="check",
        source="<instance>",
        same="<instance> <check>",
        fields={
            # The first check of the list, which may be one that passed; programs get all of them.
            "check": Field("Health check", "$.detail.healthChecks[0].type"),
            "reason": Field("Reason", "$.detail.healthChecks[0].statusReason", free=True),
            "status": Field("Status", "$.detail.overallStatus"),
            "host": Field("EC2 instance", "$.detail.ec2InstanceId"),
            "cluster": _CLUSTER,
            "instance": Field("Container instance", "$.detail.containerInstanceArn"),
        },
        details={"health_checks": Field("Health checks", "$.detail.healthChecks", free=True)},
        who="<host>",
        cause="<check>",
        link="instance",
    ),
    "task_retirement": EventKind(
        title="AWS will retire Fargate tasks",
        code="starts",
        source="<resource>",
        same="<resource> <starts>",
        fields={
            "starts": Field("Not before", "$.detail.startTime"),
            "resource": Field("First of those affected", "$.resources[0]"),
            "event_type": Field("Type of event", "$.detail.eventTypeCode"),
            "health_event": Field("Event of AWS Health", "$.detail.eventArn"),
        },
        details={"affected": Field("Affected", "$.resources", free=True)},
        who="<resource>",
        cause="<starts>",
    ),
    # The cluster and the task definition are as the caller wrote them. Some calls are refused because one is wrong.
    "launch": EventKind(
        title="ECS task not launched",
        code="call",
        source="<account> <region>",
        same="<event_id>",
        fields={
            "call": Field("Call", "$.detail.eventName"),
            "reason": Field("Reason", "$.detail.responseElements.failures[0].reason", free=True),
            "error_code": Field("Error", "$.detail.errorCode"),
            "error_message": Field("Message", "$.detail.errorMessage", free=True),
            "task_definition": Field("Task definition", "$.detail.requestParameters.taskDefinition", free=True),
            "cluster": Field("Cluster", "$.detail.requestParameters.cluster", free=True),
            "started_by": Field("Started by", "$.detail.requestParameters.startedBy", free=True),
            "caller": Field("Caller", "$.detail.userIdentity.arn"),
        },
        details={"failures": Field("Failures", "$.detail.responseElements.failures", free=True)},
        cause="<call> <error_code>",
        arn="caller",
    ),
    "state_machine": EventKind(
        title="Step Functions execution did not succeed",
        code="status",
        source="<state_machine>",
        same="<state_machine> <status>",
        fields={
            "status": Field("Status", "$.detail.status"),
            "error": Field("Error", "$.detail.error", free=True),
            "state_machine": Field("State machine", "$.detail.stateMachineArn"),
            "execution": Field("Execution", "$.detail.executionArn"),
        },
        cause="<status>",
        arn="state_machine",
        link="execution",
    ),
    "any": EventKind(
        title="AWS event",
        code="detail_type",
        source="<account> <region>",
        same="<event_id>",
        fields={"source": Field("Source", "$.source"), "resource": Field("Resource", "$.resources[0]")},
        cause="<detail_type>",
        arn="resource",
    ),
}

EVENT_KINDS = {
    kind: _KINDS[kind]
    for kind in (
        "task",
        "service_task",
        "service_action",
        "deployment",
        "deployment_hook",
        "daemon",
        "container_instance",
        "task_retirement",
        "launch",
        "state_machine",
        "all_task_changes",
        "any",
    )
}


def with_repetitions(kind: EventKind) -> EventKind:
    """Return the kind as the function of a quiet period sends it: the headline says how often it has failed."""
    fields = {**kind.fields, "times": REPETITIONS["times"]}
    details = {**kind.details, "count": REPETITIONS["count"]}
    return replace(kind, fields=fields, details=details, cause=f"{kind.cause}, <times>")


_BY_DETAIL_TYPE = {
    "ECS Task State Change": "task",
    "ECS Service Action": "service_action",
    "ECS Deployment State Change": "deployment",
    "ECS Hook State Change": "deployment_hook",
    "ECS Daemon Service Action": "daemon",
    "ECS Daemon Deployment State Change": "daemon",
    "ECS Container Instance Health Change": "container_instance",
    "AWS Health Event": "task_retirement",
    "AWS API Call via CloudTrail": "launch",
    "Step Functions Execution Status Change": "state_machine",
}


def event_kind_of(pattern: str | None) -> str:
    """Return the kind of the events that a rule with this JSON pattern matches, or ``any`` if it is none of ours."""
    try:
        read = json.loads(pattern or "{}")
    except ValueError:
        read = {}
    read = read if isinstance(read, dict) else {}
    types, detail = read.get("detail-type"), read.get("detail")
    texts = types if isinstance(types, list) and all(isinstance(each, str) for each in types) else []
    kinds = {_BY_DETAIL_TYPE.get(each, "any") for each in texts}
    kind = kinds.pop() if len(kinds) == 1 else "any"
    if kind == "task" and (detail.get("lastStatus") if isinstance(detail, dict) else None) != ["STOPPED"]:
        return "all_task_changes"
    groups = detail.get("group") if isinstance(detail, dict) else None
    if kind == "task" and isinstance(groups, list) and groups and all(map(_of_service, groups)):
        return "service_task"
    if kind == "task_retirement" and "AWS_ECS_TASK_PATCHING_RETIREMENT" not in json.dumps(detail):
        return "any"
    if kind == "launch" and read.get("source") != ["aws.ecs"]:
        return "any"
    return kind


def _of_service(entry: Any) -> bool:
    """Return whether an entry of a pattern matches only groups of services."""
    text = entry.get("prefix") if isinstance(entry, dict) and len(entry) == 1 else entry
    return isinstance(text, str) and text.startswith("service:")
