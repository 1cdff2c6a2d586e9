# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records and deliveries as AWS writes them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ECS = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/events"
OWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/launch-retry"
CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
NOON = 1_795_521_600.0  # 2026-11-24T12:00:00Z

# Every parameter that RunTask has, with every structure inside.
WHOLE: dict[str, Any] = {
    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 2}],
    "clientToken": "4e6c7c2a-8f8a-4b53-a7ec-1f1d1a1c1b1e",
    "cluster": f"{ECS}:cluster/prod",
    "count": 3,
    "enableECSManagedTags": True,
    "enableExecuteCommand": False,
    "group": "nightly",
    "launchType": "EC2",
    "networkConfiguration": {
        "awsvpcConfiguration": {
            "subnets": ["subnet-a", "subnet-b", "subnet-c"],
            "securityGroups": ["sg-1"],
            "assignPublicIp": "DISABLED",
        }
    },
    "overrides": {
        "containerOverrides": [
            {
                "name": "app",
                "command": ["report", "--day", "yesterday"],
                "environment": [{"name": "TOKEN", "value": "s3cr3t-value"}],
                "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/env"}],
                "cpu": 256,
                "memory": 512,
                "memoryReservation": 256,
                "resourceRequirements": [{"type": "GPU", "value": "1"}],
            }
        ],
        "cpu": "512",
        "memory": "1024",
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/task",
        "ephemeralStorage": {"sizeInGiB": 30},
    },
    "placementConstraints": [{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}],
    "placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
    "platformVersion": "1.4.0",
    "propagateTags": "TASK_DEFINITION",
    "referenceId": "ref",
    "startedBy": "events-rule/nightly",
    "tags": [{"key": "team", "value": "shop"}],
    "taskDefinition": f"{ECS}:task-definition/report:7",
    "volumeConfigurations": [
        {"name": "data", "managedEBSVolume": {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/ebs", "sizeInGiB": 20}}
    ],
}


def request(**more: Any) -> dict[str, Any]:
    """Return the request of a schedule."""
    network = {"awsvpcConfiguration": {"subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-1"]}}
    plain = {"cluster": "prod", "taskDefinition": "report", "count": 1, "launchType": "FARGATE"}
    return {**plain, "networkConfiguration": network, **more}


def answer(started: int = 0, *reasons: str) -> dict[str, Any]:
    """Return ``responseElements`` of RunTask."""
    tasks = [{"taskArn": f"{ECS}:task/prod/{number:032x}"} for number in range(started)]
    return {"tasks": tasks, "failures": [{"reason": reason} for reason in reasons]}


def cloudtrail(asked: Any = None, answered: Any = None, **more: Any) -> dict[str, Any]:
    """Return a record of a RunTask that was refused because capacity was missing."""
    return {
        "eventVersion": "1.08",
        "userIdentity": {
            "type": "AssumedRole",
            "accountId": ACCOUNT,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}},
            "invokedBy": "events.amazonaws.com",
        },
        "eventTime": "2026-11-24T12:00:00Z",
        "eventSource": "ecs.amazonaws.com",
        "eventName": "RunTask",
        "awsRegion": REGION,
        "requestParameters": request() if asked is None else asked,
        "responseElements": answer(0, CAPACITY) if answered is None else answered,
        "eventID": "5a5e1f50-1c1d-4d0e-9b1c-0a0b0c0d0e0f",
        "recipientAccountId": ACCOUNT,
        **more,
    }


def caller(arn: str = ROLE, **more: Any) -> dict[str, Any]:
    """Return ``userIdentity``."""
    return {"type": "AssumedRole", "accountId": ACCOUNT, "sessionContext": {"sessionIssuer": {"arn": arn}}, **more}


def refused(code: str, message: str = "no", asked: Any = None, **more: Any) -> dict[str, Any]:
    """Return a record of a person's RunTask call that failed with an error."""
    denied = {"requestParameters": None} if code.startswith("AccessDenied") else {}
    return {
        **cloudtrail(asked, userIdentity=caller()),
        **denied,
        "responseElements": None,
        "errorCode": code,
        "errorMessage": message,
        **more,
    }


def event(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "0d079340-135a-c8c6-95c2-41fb8f496c53",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecs",
        "account": (isinstance(record, dict) and record.get("recipientAccountId")) or ACCOUNT,
        "time": "2026-11-24T12:00:05Z",
        "region": REGION,
        "resources": [],
        "detail": record,
    }


def subscription(*messages: Any, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """Return records as CloudWatch Logs delivers them: texts unchanged, everything else as JSON."""
    events = [
        {"id": f"{number:056d}", "timestamp": 1, "message": text if isinstance(text, str) else json.dumps(text)}
        for number, text in enumerate(messages)
    ]
    payload = {
        "messageType": kind,
        "owner": ACCOUNT,
        "logGroup": "trail",
        "logStream": f"{ACCOUNT}_CloudTrail_{REGION}",
        "subscriptionFilters": ["refused-launches"],
        "logEvents": events,
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


def messages(*bodies: str) -> dict[str, Any]:
    """Return messages as Lambda receives them from a queue."""
    return {
        "Records": [
            {"messageId": f"message-{number}", "body": body, "eventSource": "aws:sqs", "attributes": {}}
            for number, body in enumerate(bodies)
        ]
    }


def stopped(
    code: str = "SpotInterruption", reason: str = "Your Spot Task was interrupted.", **more: Any
) -> dict[str, Any]:
    """Return an event of ECS about a stopped standalone task on Fargate."""
    detail = {
        "taskArn": f"{ECS}:task/prod/{7:032x}",
        "clusterArn": f"{ECS}:cluster/prod",
        "taskDefinitionArn": f"{ECS}:task-definition/report:7",
        "group": "family:report",
        "startedBy": "events-rule/nightly",
        "lastStatus": "STOPPED",
        "desiredStatus": "STOPPED",
        "launchType": "FARGATE",
        "capacityProviderName": "FARGATE_SPOT",
        "platformVersion": "1.4.0",
        "enableExecuteCommand": False,
        "attachments": [{"type": "eni", "status": "DELETED", "details": [{"name": "subnetId", "value": "subnet-a"}]}],
        "overrides": {
            "containerOverrides": [
                {"name": "app", "environment": [{"name": "TOKEN", "value": "s3cr3t-value"}]},
                {"name": "proxy"},
            ],
            "inferenceAcceleratorOverrides": [],
        },
        "containers": [{"name": "app", "exitCode": 143, "lastStatus": "STOPPED"}],
        "stopCode": code,
        "stoppedReason": reason,
        "stoppedAt": "2026-11-24T12:00:00.5Z",
        "version": 6,
        **more,
    }
    return {**event({}), "detail-type": "ECS Task State Change", "resources": [detail["taskArn"]], "detail": detail}
