# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Complete events as AWS sends them. The caller supplies the parts that distinguish one failure from another."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]

ACCOUNT = "123456789012"
REGION = "eu-central-1"
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
CLUSTER = f"{ECS}:cluster/production"
SERVICE = f"{ECS}:service/production/web"
STATE_MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:nightly"
INSTANCE = f"{ECS}:container-instance/production/2dd1b186f39845a584488d2ef155c131"
DAEMON = f"{ECS}:daemon/production/log-router"
RETRY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecs-launch-retry"

# The value of an environment variable in the overrides of some samples. No message may ever carry it.
SECRET = "correct-horse-battery-staple"  # noqa: S105

FAMILY = "nightly-import"
APP = "app"  # the container that the task is about

_SPACE = uuid.UUID("6f0b3a52-7a35-4d4e-9c76-0e3d7c1f2b11")


def envelope(name: str, source: str, detail_type: str, resources: Sequence[str], detail: Event) -> Event:
    return {
        "version": "0",
        "id": str(uuid.uuid5(_SPACE, f"event {name}")),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-11-22T03:02:11Z",
        "region": REGION,
        "resources": list(resources),
        "detail": detail,
    }


def container(name: str = APP, exit_code: int | None = None, reason: str | None = None) -> dict[str, Any]:
    """Return a container of a task. Without an exit code, it never ran, or nobody has seen its end."""
    given: dict[str, Any] = {} if exit_code is None else {"exitCode": exit_code}
    return {**given, "name": name, **({"reason": reason} if reason else {})}


def task_change(  # noqa: PLR0913 - what tells one end of a task from another
    name: str,
    containers: Sequence[Mapping[str, Any]],
    stop_code: str | None,
    stopped_reason: str | None,
    *,
    last_status: str = "STOPPED",
    desired_status: str = "STOPPED",
    group: str | None = f"family:{FAMILY}",
    started_by: str | None = None,
    family: str = FAMILY,
    environment: bool = False,
    launch_type: str = "FARGATE",
) -> Event:
    """Return an ``ECS Task State Change``. ``environment`` puts a secret into its overrides."""
    number = uuid.uuid5(_SPACE, f"task {name}").hex
    arn = f"{ECS}:task/production/{number}"
    ran = any("exitCode" in each for each in containers) or last_status == "RUNNING"
    stopped = last_status == "STOPPED"
    variables = [{"name": "DATABASE_PASSWORD", "value": SECRET}]
    detail: dict[str, Any] = {
        "attachments": [
            {
                "id": str(uuid.uuid5(_SPACE, f"attachment {name}")),
                "type": "eni",
                "status": "DELETED" if stopped else "ATTACHED",
                "details": [
                    {"name": "subnetId", "value": "subnet-0a1b2c3d4e5f60718"},
                    {"name": "networkInterfaceId", "value": "eni-0f1e2d3c4b5a69788"},
                    {"name": "privateIPv4Address", "value": "10.0.215.105"},
                ],
            }
        ],
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": f"{REGION}a",
        "clusterArn": CLUSTER,
        "connectivity": "CONNECTED",
        "connectivityAt": "2026-11-22T03:00:19.928Z",
        "containers": [_container(name, number, arn, each, last_status) for each in containers],
        "cpu": "256",
        "createdAt": "2026-11-22T03:00:14.98Z",
        "desiredStatus": desired_status,
        "enableExecuteCommand": False,
        "ephemeralStorage": {"sizeInGiB": 20},
        "launchType": launch_type,
        "lastStatus": last_status,
        "memory": "512",
        "overrides": {
            "containerOverrides": [
                {"name": each["name"], **({"environment": variables} if environment else {})} for each in containers
            ]
        },
        "platformVersion": "1.4.0",
        "pullStartedAt": "2026-11-22T03:00:25.101Z",
        "taskArn": arn,
        "taskDefinitionArn": f"{ECS}:task-definition/{family}:10",
        "updatedAt": "2026-11-22T03:02:11.177Z",
        "version": 6 if stopped else 5,
    }
    given = {
        "group": group,
        "startedBy": started_by,
        "stopCode": stop_code,
        "stoppedReason": stopped_reason,
        "startedAt": "2026-11-22T03:00:34.52Z" if ran else None,
        "pullStoppedAt": "2026-11-22T03:00:31.317Z" if ran else None,
        "executionStoppedAt": "2026-11-22T03:01:48.391Z" if ran and desired_status == "STOPPED" else None,
        "stoppingAt": "2026-11-22T03:01:38.974Z" if desired_status == "STOPPED" else None,
        "stoppedAt": "2026-11-22T03:02:11.177Z" if stopped else None,
    }
    detail.update({key: value for key, value in given.items() if value is not None})
    return envelope(name, "aws.ecs", "ECS Task State Change", [arn], detail)


def _container(name: str, task: str, task_arn: str, given: Mapping[str, Any], last_status: str) -> dict[str, Any]:
    number = uuid.uuid5(_SPACE, f"container {name} {given['name']}")
    repository = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{given['name']}"
    return {
        "containerArn": f"{ECS}:container/production/{task}/{number}",
        "lastStatus": "RUNNING" if last_status == "RUNNING" else "STOPPED",
        "image": f"{repository}:latest",
        "runtimeId": f"{task}-{number.int % 10**10:010}",
        "taskArn": task_arn,
        "networkInterfaces": [{"attachmentId": str(number), "privateIpv4Address": "10.0.215.105"}],
        "cpu": "0",
        **given,
    }


def service_action(name: str, event_type: str, event_name: str, **more: Any) -> Event:
    """Return an ``ECS Service Action``."""
    detail = {
        "eventType": event_type,
        "eventName": event_name,
        "clusterArn": CLUSTER,
        "createdAt": "2026-11-22T03:02:10.502Z",
        **more,
    }
    return envelope(name, "aws.ecs", "ECS Service Action", [SERVICE], detail)


def deployment_change(name: str, event_type: str, event_name: str, reason: str) -> Event:
    """Return an ``ECS Deployment State Change``, which names its cluster only in the ARN of its service."""
    detail = {
        "eventType": event_type,
        "eventName": event_name,
        "deploymentId": "ecs-svc/8646900195280463695",
        "updatedAt": "2026-11-22T03:02:10.502Z",
        "reason": reason,
    }
    return envelope(name, "aws.ecs", "ECS Deployment State Change", [SERVICE], detail)


def hook_change(name: str, event_name: str, hook_type: str) -> Event:
    """Return an ``ECS Hook State Change`` as on AWS's page "Amazon ECS service deployment hook state change events"."""
    deployment = f"{ECS}:service-deployment/production/web/0EYSiB0qap8xf0N76FsbE"
    detail = {
        "eventType": "INFO",
        "eventName": event_name,
        "hookId": "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw",
        "hookType": hook_type,
        "expiresAt": "2026-11-22T04:02:10Z",
        "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
        "clusterArn": CLUSTER,
        "serviceArn": SERVICE,
        "serviceDeploymentArn": deployment,
        "updatedAt": "2026-11-22T03:02:10.618059641Z",
    }
    return envelope(name, "aws.ecs", "ECS Hook State Change", [deployment], detail)


def daemon_action(name: str, failure_type: str, reason: str) -> Event:
    """Return an ``ECS Daemon Service Action``, as on AWS's page "Daemon events"."""
    task = {"taskArn": f"{ECS}:task/production/a1b2c3d4e5f6"} if failure_type == "TASK_FAILED_TO_RUN" else {}
    detail = {
        "eventType": "WARNING",
        "eventName": "DAEMON_TASK_START_IMPAIRED",
        "clusterArn": CLUSTER,
        "containerInstanceArn": INSTANCE,
        **task,
        "daemonRevisionArn": f"{DAEMON.replace(':daemon/', ':daemon-revision/')}/a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "capacityProviderName": "managed",
        "daemonArn": DAEMON,
        "daemonTaskDefinitionArn": f"{ECS}:daemon-task-definition/log-router:1",
        "failureType": failure_type,
        "createdAt": "2026-11-22T03:02:10.000Z",
        "reason": reason,
    }
    return envelope(name, "aws.ecs", "ECS Daemon Service Action", list(task.values()), detail)


def daemon_deployment(name: str, event_type: str, event_name: str) -> Event:
    """Return an ``ECS Daemon Deployment State Change``, as on the same page."""
    detail = {
        "eventType": event_type,
        "eventName": event_name,
        "clusterArn": CLUSTER,
        "daemonArn": DAEMON,
        "daemonDeploymentArn": f"{DAEMON.replace(':daemon/', ':daemon-deployment/')}/0EYSiB0qap8xf0N76FsbE",
        "targetDaemonRevisionArn": f"{DAEMON.replace(':daemon/', ':daemon-revision/')}/85707969-3732-4b6a-a37d",
        "updatedAt": "2026-11-22T03:02:10.618059641Z",
    }
    return envelope(name, "aws.ecs", "ECS Daemon Deployment State Change", [DAEMON], detail)


def instance_health(name: str, status: str, check: str, reason: str | None) -> Event:
    """Return an event as on AWS's page "Amazon ECS container instance health change events"."""
    seen = {"lastStatusChange": "2026-11-22T03:01:53Z", "lastUpdated": "2026-11-22T03:02:09Z"}
    detail = {
        "clusterArn": CLUSTER,
        "containerInstanceArn": INSTANCE,
        "capacityProviderName": "managed",
        "ec2InstanceId": "i-0a1b2c3d4e5f60718",
        "overallStatus": status,
        "healthChecks": [{"type": check, "status": status, **seen, "statusReason": reason}],
    }
    return envelope(name, "aws.ecs", "ECS Container Instance Health Change", [INSTANCE], detail)


def health_event(name: str, code: str, affected: Sequence[str], status: str | None = None) -> Event:
    """Return an ``AWS Health Event``, as on AWS's page "Task retirement and maintenance for AWS Fargate"."""
    detail = {
        "eventArn": f"arn:aws:health:{REGION}::event/ECS/{code}/{code}_1",
        "service": "ECS",
        "eventScopeCode": "ACCOUNT_SPECIFIC",
        "communicationId": "7988399e2e6fb0b905ddc88e0e2de1fd17e4c9fa60349577446d95a18",
        "lastUpdatedTime": "Sun, 22 Nov 2026 03:02:10 GMT",
        "eventRegion": REGION,
        "eventTypeCode": code,
        "eventTypeCategory": "scheduledChange",
        "startTime": "Sun, 29 Nov 2026 03:02:10 GMT",
        "endTime": "Tue, 1 Dec 2026 03:02:10 GMT",
        "eventDescription": [{"language": "en_US", "latestDescription": 'Run:\n\n$ aws ecs update-service "web"\n'}],
        "affectedEntities": [{"entityValue": each} for each in affected],
        **({"statusCode": status} if status else {}),
    }
    return envelope(name, "aws.health", "AWS Health Event", affected, detail)


def launch_call(  # noqa: PLR0913 - what tells one call from another
    name: str,
    *,
    event_name: str = "RunTask",
    error: tuple[str, str] | None = None,
    failures: Sequence[Mapping[str, str]] = (),
    tasks: int = 0,
    parameters: bool = True,
    role: str = f"arn:aws:iam::{ACCOUNT}:role/scheduled-tasks",
    by: str = "events.amazonaws.com",
    cluster: str = CLUSTER,
) -> Event:
    """Return a RunTask or StartTask as CloudTrail records it. ``error`` is a code and its message."""
    role_name = role.rpartition("/")[2]
    session = uuid.uuid5(_SPACE, f"session {name}").hex
    request = {
        "cluster": cluster,
        "count": max(1, tasks + len(failures)),
        "enableECSManagedTags": True,
        "launchType": "FARGATE",
        "networkConfiguration": {
            "awsvpcConfiguration": {"assignPublicIp": "DISABLED", "subnets": ["subnet-0a1b2c3d4e5f60718"]}
        },
        "overrides": {
            "containerOverrides": [{"name": APP, "environment": [{"name": "DATABASE_PASSWORD", "value": SECRET}]}]
        },
        "startedBy": "events-rule/nightly-import",
        "taskDefinition": f"{ECS}:task-definition/{FAMILY}",
    }
    answer = {
        "failures": [dict(failure) for failure in failures],
        "tasks": [
            {
                "clusterArn": CLUSTER,
                "containers": [{"name": APP, "lastStatus": "PENDING"}],
                "desiredStatus": "RUNNING",
                "lastStatus": "PROVISIONING",
                "taskArn": f"{ECS}:task/production/{uuid.uuid5(_SPACE, f'{name} {index}').hex}",
                "taskDefinitionArn": f"{ECS}:task-definition/{FAMILY}:10",
            }
            for index in range(tasks)
        ],
    }
    detail: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLEEXAMPLE000:{session}",
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_name}/{session}",
            "accountId": ACCOUNT,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": "AROAEXAMPLEEXAMPLE000",
                    "arn": role,
                    "accountId": ACCOUNT,
                    "userName": role_name,
                },
                "attributes": {"creationDate": "2026-11-22T03:00:01Z", "mfaAuthenticated": "false"},
            },
            "invokedBy": by,
        },
        "eventTime": "2026-11-22T03:00:01Z",
        "eventSource": "ecs.amazonaws.com",
        "eventName": event_name,
        "awsRegion": REGION,
        "sourceIPAddress": by,
        "userAgent": by,
        **({"errorCode": error[0], "errorMessage": error[1]} if error else {}),
        "requestParameters": request if parameters else None,
        "responseElements": None if error else answer,
        "requestID": str(uuid.uuid5(_SPACE, f"request {name}")),
        "eventID": str(uuid.uuid5(_SPACE, f"record {name}")),
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    return envelope(name, "aws.ecs", "AWS API Call via CloudTrail", [], detail)


def execution_change(name: str, status: str, error: str | None = None, cause: str | None = None) -> Event:
    """Return a ``Step Functions Execution Status Change``."""
    execution = f"{STATE_MACHINE.replace(':stateMachine:', ':execution:')}:{uuid.uuid5(_SPACE, f'execution {name}')}"
    ended = status != "RUNNING"
    given = {"error": error, "cause": cause}
    detail = {
        "executionArn": execution,
        "stateMachineArn": STATE_MACHINE,
        "name": execution.rpartition(":")[2],
        "status": status,
        "startDate": 1795316401000,
        "stopDate": 1795316531000 if ended else None,
        "input": f'{{"password":"{SECRET}"}}',
        "output": '{"rows":1874}' if status == "SUCCEEDED" else None,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if status == "SUCCEEDED" else None,
        **{key: value for key, value in given.items() if value is not None},
    }
    return envelope(name, "aws.states", "Step Functions Execution Status Change", [execution], detail)
