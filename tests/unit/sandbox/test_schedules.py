# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Schedules of Scheduler and of rules fire, and reach state machines, clusters and queues."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .aws import code, until
from .conftest import NUMBER, REGION, Aws
from .event_stack import policy, queue, role

CLUSTER = f"arn:aws:ecs:{REGION}:{NUMBER}:cluster/default"
ECS = {
    "TaskDefinitionArn": f"arn:aws:ecs:{REGION}:{NUMBER}:task-definition/job",
    "TaskCount": 2,
    "LaunchType": "FARGATE",
    "Group": "nightly",
    "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "AssignPublicIp": "DISABLED"}},
}
INPUT = json.dumps({"containerOverrides": [{"name": "app", "command": ["<aws.scheduler.scheduled-time>"]}]})


def soon(minutes: int = 2) -> str:
    """Return an at() some minutes ahead in AWS's time, which is a fraction of a second at speed 500."""
    return (datetime.now(timezone.utc) + timedelta(minutes=minutes)).strftime("at(%Y-%m-%dT%H:%M:%S)")


@pytest.fixture
def job(aws: Aws) -> None:
    aws("ecs").create_cluster(clusterName="default")
    container = {"name": "app", "image": "x", "memory": 64}
    aws("ecs").register_task_definition(
        family="job",
        containerDefinitions=[container],
        networkMode="awsvpc",
        executionRoleArn=f"arn:aws:iam::{NUMBER}:role/execution",
    )


def scheduler_role(aws: Aws, action: str = "ecs:RunTask", passes: bool = True) -> str:
    arn = role(aws, action, "*", "schedules", "scheduler.amazonaws.com")
    if passes:
        may_pass(aws, "schedules")
    return arn


def may_pass(aws: Aws, name: str) -> None:
    condition = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    allow = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition}
    aws("iam").put_role_policy(RoleName=name, PolicyName="pass", PolicyDocument=policy(allow))


def schedule(aws: Aws, expression: str, target: dict[str, Any], **details: Any) -> None:
    aws("scheduler").create_schedule(
        Name="nightly", ScheduleExpression=expression, FlexibleTimeWindow={"Mode": "OFF"}, Target=target, **details
    )


def tasks(aws: Aws) -> list[dict[str, Any]]:
    arns = aws("ecs").list_tasks()["taskArns"]
    return list(aws("ecs").describe_tasks(tasks=arns)["tasks"]) if arns else []


def test_one_time_a_task_and_then_the_schedule_is_gone(events: Sandbox, aws: Aws, job: None) -> None:
    target = {"Arn": CLUSTER, "RoleArn": scheduler_role(aws), "EcsParameters": ECS, "Input": INPUT}
    schedule(aws, soon(), target, ActionAfterCompletion="DELETE")
    found = until(lambda: tasks(aws))
    assert {(each["startedBy"], each["group"]) for each in found} == {("chronos-schedule/nightly", "nightly")}
    assert len(found) == 2
    assert found[0]["overrides"]["containerOverrides"][0]["command"][0].endswith("Z")
    until(lambda: code(aws("scheduler").get_schedule, Name="nightly") == "ResourceNotFoundException")


def test_a_rate_fires_again_and_again(events: Sandbox, aws: Aws) -> None:
    arn = queue(aws)
    url = aws("sqs").get_queue_url(QueueName="alerts")["QueueUrl"]
    target = {"Arn": arn, "RoleArn": scheduler_role(aws, "sqs:SendMessage"), "Input": '{"n": 1}'}
    schedule(aws, "rate(5 minutes)", target)

    def count():
        told = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(told["ApproximateNumberOfMessages"])

    until(lambda: count() >= 2)


def test_a_schedule_starts_a_state_machine_when_it_is_told_to(events: Sandbox, aws: Aws) -> None:
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    machine = aws("stepfunctions").create_state_machine(
        name="m", definition=definition, roleArn=f"arn:aws:iam::{NUMBER}:role/workflow"
    )["stateMachineArn"]
    target = {"Arn": machine, "RoleArn": scheduler_role(aws, "states:StartExecution"), "Input": '{"a": 1}'}
    schedule(aws, "cron(0 3 * * ? *)", target, ScheduleExpressionTimezone="Europe/Berlin")
    events.act("fire_schedule", name="nightly")
    (execution,) = until(lambda: aws("stepfunctions").list_executions(stateMachineArn=machine)["executions"])
    found = aws("stepfunctions").describe_execution(executionArn=execution["executionArn"])
    assert found["input"] == '{"a": 1}'
    (line,) = [each for each in events.deliveries() if each["kind"] == "schedule"]
    assert line["outcome"] == "delivered"


@pytest.mark.parametrize(
    ("action", "passes", "words"),
    [("ecs:StopTask", True, "may not ecs:RunTask"), ("ecs:RunTask", False, "may not iam:PassRole")],
)
def test_a_role_that_lacks_something(
    events: Sandbox, aws: Aws, job: None, action: str, passes: bool, words: str
) -> None:
    target = {"Arn": CLUSTER, "RoleArn": scheduler_role(aws, action, passes), "EcsParameters": ECS}
    schedule(aws, "rate(1 day)", target)
    events.act("fire_schedule", name="nightly")
    assert events.settle()
    (line,) = [each for each in events.deliveries() if each["kind"] == "schedule"]
    assert line["outcome"] == "lost"
    assert words in line["error"]["message"]
    assert tasks(aws) == []


def test_a_universal_target(events: Sandbox, aws: Aws, job: None) -> None:
    given = {"Cluster": "default", "TaskDefinition": "job", "LaunchType": "FARGATE"}
    given["NetworkConfiguration"] = {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}}
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:ecs:runTask",
        "RoleArn": scheduler_role(aws),
        "Input": json.dumps(given),
    }
    schedule(aws, "rate(1 day)", target)
    events.act("fire_schedule", name="nightly")
    until(lambda: tasks(aws))


def test_a_rule_with_a_schedule_runs_a_task(events: Sandbox, aws: Aws, job: None) -> None:
    events.settings(cloudtrail=True, events=True)
    arn = role(aws, "ecs:RunTask", "arn:aws:ecs:*:*:task-definition/job:*")
    may_pass(aws, "events")
    aws("events").put_rule(Name="nightly", ScheduleExpression="rate(1 minute)")
    aws("events").put_targets(
        Rule="nightly", Targets=[{"Id": "t", "Arn": CLUSTER, "RoleArn": arn, "EcsParameters": ECS, "Input": INPUT}]
    )
    found = until(lambda: tasks(aws))
    aws("events").disable_rule(Name="nightly")
    assert found[0]["startedBy"] == "events-rule/nightly"

    def records():
        return [each["event"]["detail"] for each in events.events() if "CloudTrail" in each["event"]["detail-type"]]

    who = until(records)[0]["userIdentity"]
    assert who["invokedBy"] == "events.amazonaws.com"
    assert len(who["principalId"].split(":")[1]) == 32
