# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules, targets, queues, topics, functions and roles as the tests of deliveries need them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from .conftest import NUMBER, REGION, Aws

FAILED = {
    "detail-type": "ECS Task State Change",
    "source": "aws.ecs",
    "detail": {"lastStatus": "STOPPED", "group": "family:nightly", "containers": [{"name": "app", "exitCode": 137}]},
}


def rule(aws: Aws, name: str = "failures", **details: Any) -> str:
    pattern = {"source": ["aws.ecs"], "detail": {"containers": {"exitCode": [137]}}}
    return str(aws("events").put_rule(Name=name, EventPattern=json.dumps(pattern), **details)["RuleArn"])


def target(aws: Aws, arn: str, rule_name: str = "failures", name: str = "t", **details: Any) -> None:
    answer = aws("events").put_targets(Rule=rule_name, Targets=[{"Id": name, "Arn": arn, **details}])
    assert answer["FailedEntryCount"] == 0


def statement(action: str, resource: str, source: str | None, **more: Any) -> dict[str, Any]:
    condition = {"Condition": {"ArnEquals": {"aws:SourceArn": source}}} if source else {}
    return {
        "Sid": "Events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": action,
        "Resource": resource,
        **condition,
        **more,
    }


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def queue(aws: Aws, name: str = "alerts", source: str | None = None, **attributes: str) -> str:
    """Create a queue to which EventBridge may send for the rule ``source``, and return its ARN."""
    arn = f"arn:aws:sqs:{REGION}:{NUMBER}:{name}"
    if source:
        attributes["Policy"] = policy(statement("sqs:SendMessage", arn, source))
    aws("sqs").create_queue(QueueName=name, Attributes=attributes)
    return arn


def messages(aws: Aws, name: str = "alerts") -> list[dict[str, Any]]:
    url = aws("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    answer = aws("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def topic(aws: Aws, name: str = "alerts", allowed: bool = True, **attributes: str) -> str:
    arn = f"arn:aws:sns:{REGION}:{NUMBER}:{name}"
    if allowed:
        attributes["Policy"] = policy(statement("sns:Publish", arn, None))
    aws("sns").create_topic(Name=name, Attributes=attributes)
    return arn


def role(aws: Aws, action: str, resource: str, name: str = "events", service: str = "events.amazonaws.com") -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    found = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    allow = {"Effect": "Allow", "Action": action, "Resource": resource}
    aws("iam").put_role_policy(RoleName=name, PolicyName="deliver", PolicyDocument=policy(allow))
    return str(found["Arn"])


def function(aws: Aws, code: str, name: str = "alert", files: Mapping[str, str] | None = None, **details: Any) -> str:
    role(aws, "logs:*", "*", f"{name}-function", "lambda.amazonaws.com")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path, text in {"handler.py": code, **(files or {})}.items():
            archive.writestr(path, text)
    answer = aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=f"arn:aws:iam::{NUMBER}:role/{name}-function",
        Handler="handler.main",
        Code={"ZipFile": data.getvalue()},
        **details,
    )
    return str(answer["FunctionArn"])
