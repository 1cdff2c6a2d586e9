# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudTrail's records of RunTask: on the event bus, and in the log group of a trail."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.client import Sandbox

from .aws import client, until

CONTAINERS = [{"name": "app", "image": "x", "memory": 64}]
OVERRIDES = {"containerOverrides": [{"name": "app", "environment": [{"name": "A", "value": "b"}]}]}
JOB = {"taskDefinition": "job", "overrides": OVERRIDES, "startedBy": "me", "tags": [{"key": "k", "value": "v"}]}


@pytest.fixture
def ecs(sandbox: Sandbox) -> Any:
    sandbox.settings(events=True, latencies={"trail": 5, "trail_log": 5})
    made = client(sandbox, "ecs")
    made.create_cluster(clusterName="default")
    made.register_task_definition(family="job", containerDefinitions=CONTAINERS, networkMode="bridge")
    return made


def events(sandbox: Sandbox) -> list[dict[str, Any]]:
    found = [each["event"] for each in sandbox.events()]
    return [event for event in found if event["detail-type"] == "AWS API Call via CloudTrail"]


def record(sandbox: Sandbox) -> dict[str, Any]:
    return until(lambda: events(sandbox))[-1]["detail"]  # type: ignore[no-any-return]


def test_nothing_is_recorded_without_a_trail_that_is_logging(sandbox: Sandbox, ecs: Any) -> None:
    trails, s3 = client(sandbox, "cloudtrail"), client(sandbox, "s3")
    s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    trails.create_trail(Name="all", S3BucketName="trail")
    ecs.run_task(**JOB)
    trails.start_logging(Name="all")
    ecs.run_task(**{**JOB, "startedBy": "second"})
    until(lambda: events(sandbox))
    assert [event["detail"]["requestParameters"]["startedBy"] for event in events(sandbox)] == ["second"]


def test_a_call_that_worked(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.settings(cloudtrail=True)
    arn = ecs.run_task(**JOB)["tasks"][0]["taskArn"]
    told = record(sandbox)
    assert (told["eventSource"], told["eventName"], told["readOnly"]) == ("ecs.amazonaws.com", "RunTask", False)
    hidden = {"containerOverrides": [{"name": "app", "environment": "HIDDEN_DUE_TO_SECURITY_REASONS"}]}
    token = told["requestParameters"].get("clientToken")
    assert told["requestParameters"] == JOB | {"overrides": hidden, "clientToken": token}
    assert told["responseElements"]["failures"] == []
    assert told["responseElements"]["tasks"][0]["taskArn"] == arn
    assert "errorCode" not in told
    assert told["userIdentity"]["type"] == "IAMUser"


def test_a_launch_that_is_refused(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.settings(cloudtrail=True)
    sandbox.fault("run_task_fails", reason="RESOURCE:MEMORY")
    ecs.run_task(**JOB)
    told = record(sandbox)
    assert told["responseElements"]["tasks"] == []
    assert [each["reason"] for each in told["responseElements"]["failures"]] == ["RESOURCE:MEMORY"]
    assert "errorCode" not in told


def test_an_environment_is_shown_only_when_it_is_asked_for(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.settings(cloudtrail=True, redact=[])
    ecs.run_task(**JOB)
    assert record(sandbox)["requestParameters"]["overrides"] == OVERRIDES


@pytest.mark.parametrize(
    ("kind", "expected", "hidden"),
    [
        ("access_denied", "AccessDenied", True),
        ("throttling", "ThrottlingException", False),
        ("server_error", "ServerException", False),
    ],
)
def test_a_call_that_failed(sandbox: Sandbox, ecs: Any, kind: str, expected: str, hidden: bool) -> None:
    sandbox.settings(cloudtrail=True)
    sandbox.fault(kind, operations=["RunTask"])
    with contextlib.suppress(ClientError):
        ecs.run_task(**JOB)
    told = record(sandbox)
    assert told["errorCode"] == expected
    assert told["responseElements"] is None
    assert (told["requestParameters"] is None) == hidden


def test_an_error_of_ecs_itself(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.settings(cloudtrail=True)
    with contextlib.suppress(ClientError):
        ecs.run_task(cluster="nowhere", taskDefinition="job")
    assert record(sandbox)["errorCode"] == "ClusterNotFoundException"


def test_what_cloudtrail_hides(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.settings(cloudtrail=True, redact=["overrides.containerOverrides"])
    ecs.run_task(**JOB)
    assert record(sandbox)["requestParameters"]["overrides"] == {"containerOverrides": "HIDDEN_DUE_TO_SECURITY_REASONS"}


def test_a_role_is_named_with_its_session(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.settings(cloudtrail=True)
    role = client(sandbox, "iam").create_role(RoleName="retrier", AssumeRolePolicyDocument="{}")["Role"]
    keys = client(sandbox, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="run-1")["Credentials"]
    client(sandbox, "ecs", keys["AccessKeyId"], keys["SessionToken"]).run_task(**JOB)
    who = record(sandbox)["userIdentity"]
    assert (who["type"], who["arn"]) == ("AssumedRole", "arn:aws:sts::123456789012:assumed-role/retrier/run-1")
    assert who["principalId"] == f"{role['RoleId']}:run-1"
    assert who["sessionContext"]["sessionIssuer"]["arn"] == role["Arn"]


def test_the_log_group_of_a_trail(sandbox: Sandbox, ecs: Any) -> None:
    logs, trails, s3 = client(sandbox, "logs"), client(sandbox, "cloudtrail"), client(sandbox, "s3")
    s3.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    logs.create_log_group(logGroupName="trail")
    arn = logs.describe_log_groups()["logGroups"][0]["arn"]
    role = "arn:aws:iam::123456789012:role/trail"
    trails.create_trail(Name="all", S3BucketName="trail", CloudWatchLogsLogGroupArn=arn, CloudWatchLogsRoleArn=role)
    trails.start_logging(Name="all")
    sandbox.fault("run_task_fails")
    ecs.run_task(**JOB)
    (line,) = until(lambda: logs.filter_log_events(logGroupName="trail")["events"])
    assert line["logStreamName"] == "123456789012_CloudTrail_eu-central-1"
    assert json.loads(line["message"])["eventID"] == record(sandbox)["eventID"]
