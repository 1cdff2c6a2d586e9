# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What there is to say about each kind of event, and where in the event it is found.

Nothing here can hold the value of an environment variable: no ``overrides``, no ``requestParameters`` as a whole, no
input or output of an execution, and not its ``cause`` either, which quotes the overrides of the task that it ran.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Field:
    """``free``: text that a person or a program wrote, which may have quotes and line breaks. EventBridge does not
    escape what it puts into a text, so that such a value is only ever a whole JSON value."""

    label: str
    path: str
    free: bool = False


@dataclass(frozen=True)
class EventKind:
    """``code`` is the field that tells one sort of this event from another. ``subject`` and ``same`` are texts with
    placeholders: what the event is about, never empty, and what two events of one cause have in common."""

    title: str
    code: str
    subject: str
    same: str
    fields: Mapping[str, Field]
    details: Mapping[str, Field] = field(default_factory=dict)  # lists and objects, for programs

    @property
    def headline(self) -> str:
        return f"{self.title}: <{self.code}>"

    def all_fields(self) -> dict[str, Field]:
        return {**self.fields, **self.details, **ENVELOPE}


ENVELOPE = {
    "time": Field("Time", "$.time"),
    "account": Field("Account", "$.account"),
    "region": Field("Region", "$.region"),
    "event_id": Field("Event", "$.id"),
    "detail_type": Field("Type of event", "$.detail-type"),
}

_CLUSTER = Field("Cluster", "$.detail.clusterArn")
_SERVICE = Field("Service", "$.resources[0]")
_REASON = Field("Reason", "$.detail.reason", free=True)

_TASK = {
    "reason": Field("Reason", "$.detail.stoppedReason", free=True),
    "stop_code": Field("Stop code", "$.detail.stopCode"),
    "exit_codes": Field("Exit codes", "$.detail.containers[*].exitCode"),
    "group": Field("Group", "$.detail.group", free=True),
    "started_by": Field("Started by", "$.detail.startedBy", free=True),
    "cluster": _CLUSTER,
    "task_definition": Field("Task definition", "$.detail.taskDefinitionArn"),
    "task": Field("Task", "$.detail.taskArn"),
}
_CONTAINERS = {"containers": Field("Containers", "$.detail.containers", free=True)}

_KINDS: dict[str, EventKind] = {
    "task": EventKind(
        title="ECS task failed",
        code="stop_code",
        subject="<cluster>",
        same="<task_definition> <stop_code>",
        fields=_TASK,
        details=_CONTAINERS,
    ),
    "all_task_changes": EventKind(
        title="ECS task changed",
        code="last_status",
        subject="<cluster>",
        same="<task>",
        fields={"last_status": Field("Status", "$.detail.lastStatus"), **_TASK},
        details=_CONTAINERS,
    ),
    "service_action": EventKind(
        title="ECS service in trouble",
        code="event_name",
        subject="<service>",
        same="<service> <event_name>",
        fields={
            "event_name": Field("Event", "$.detail.eventName"),
            "reason": _REASON,
            "service": _SERVICE,
            "cluster": _CLUSTER,
        },
    ),
    "deployment": EventKind(
        title="ECS deployment failed",
        code="event_name",
        subject="<service>",
        same="<service> <deployment>",
        fields={
            "event_name": Field("Event", "$.detail.eventName"),
            "reason": _REASON,
            "service": _SERVICE,
            "deployment": Field("Deployment", "$.detail.deploymentId"),
        },
    ),
    "deployment_hook": EventKind(
        title="ECS deployment held up by a hook",
        code="event_name",
        subject="<service>",
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
    ),
    "daemon": EventKind(
        title="ECS daemon in trouble",
        code="event_name",
        subject="<daemon>",
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
    ),
    "container_instance": EventKind(
        title="ECS container instance impaired",
        code="check",
        subject="<instance>",
        same="<instance> <check>",
        fields={
            # The first check of the list, which may be one that is fine; programs get all of them.
            "check": Field("Health check", "$.detail.healthChecks[0].type"),
            "reason": Field("Reason", "$.detail.healthChecks[0].statusReason", free=True),
            "status": Field("Status", "$.detail.overallStatus"),
            "host": Field("EC2 instance", "$.detail.ec2InstanceId"),
            "cluster": _CLUSTER,
            "instance": Field("Container instance", "$.detail.containerInstanceArn"),
        },
        details={"health_checks": Field("Health checks", "$.detail.healthChecks", free=True)},
    ),
    "task_retirement": EventKind(
        title="AWS will retire Fargate tasks",
        code="starts",
        subject="<resource>",
        same="<resource> <starts>",
        fields={
            "starts": Field("Not before", "$.detail.startTime"),
            "resource": Field("First of those affected", "$.resources[0]"),
            "event_type": Field("Type of event", "$.detail.eventTypeCode"),
            "health_event": Field("Event of AWS Health", "$.detail.eventArn"),
        },
        details={"affected": Field("Affected", "$.resources", free=True)},
    ),
    # The cluster and the task definition are what the caller wrote, and a wrong one is why some calls are refused.
    "launch": EventKind(
        title="ECS task not launched",
        code="call",
        subject="<account> <region>",
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
    ),
    "state_machine": EventKind(
        title="Step Functions execution did not succeed",
        code="status",
        subject="<state_machine>",
        same="<state_machine> <status>",
        fields={
            "status": Field("Status", "$.detail.status"),
            "error": Field("Error", "$.detail.error", free=True),
            "state_machine": Field("State machine", "$.detail.stateMachineArn"),
            "execution": Field("Execution", "$.detail.executionArn"),
        },
    ),
    "any": EventKind(
        title="AWS event",
        code="detail_type",
        subject="<account> <region>",
        same="<event_id>",
        fields={"source": Field("Source", "$.source"), "resource": Field("Resource", "$.resources[0]")},
    ),
}

EVENT_KINDS = {
    kind: _KINDS["task" if kind == "service_task" else kind]
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
    """The kind of the events that a rule with this pattern, JSON, lets through; ``any`` when it is not one of ours."""
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
    if kind == "task_retirement" and "AWS_ECS_TASK_PATCHING_RETIREMENT" not in json.dumps(detail):
        return "any"
    if kind == "launch" and read.get("source") != ["aws.ecs"]:
        return "any"
    return kind
