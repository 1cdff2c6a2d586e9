# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with a job whose launches are refused, a trail that records this, and the receivers of the messages."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import iso

from tests.end_to_end.aws import aws_client
from tests.end_to_end.conftest import LATENCIES, SPEED
from tests.end_to_end.programs import PATIENCE, until
from tests.unit.core.retry.samples import CAPACITY, cloudtrail, event, messages, subscription

REGION, NUMBER = "eu-central-1", "123456789012"
NAME = "launch-retry"
FUNCTION = f"arn:aws:lambda:{REGION}:{NUMBER}:function:{NAME}"
ROLE = f"arn:aws:iam::{NUMBER}:role/{NAME}"
TRAIL = 40.0  # AWS's seconds from a call to its record
TOPIC = f"arn:aws:sns:{REGION}:{NUMBER}:alerts"

# A job with everything that a call on Fargate can specify.
JOB: dict[str, Any] = {
    "cluster": "prod",
    "taskDefinition": "report",
    "count": 1,
    "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}],
    "networkConfiguration": {
        "awsvpcConfiguration": {
            "subnets": ["subnet-a", "subnet-b"],
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
                "cpu": 128,
            }
        ],
        "cpu": "512",
        "memory": "1024",
        "taskRoleArn": f"arn:aws:iam::{NUMBER}:role/task",
        "ephemeralStorage": {"sizeInGiB": 30},
    },
    "platformVersion": "1.4.0",
    "propagateTags": "TASK_DEFINITION",
    "enableECSManagedTags": True,
    "enableExecuteCommand": False,
    "group": "nightly",
    "startedBy": "pipeline",
    "tags": [{"key": "team", "value": "shop"}],
}
CHANGED = {"count", "clientToken", "startedBy", "tags", "networkConfiguration"}
# CloudTrail hides the environment of overrides, so a user must configure what it was.
KNOWN = {"report": {"overrides": {"containerOverrides": [
    {key: JOB["overrides"]["containerOverrides"][0][key] for key in ("name", "environment")}
]}}}  # fmt: skip
# The overrides of a retry: it takes roles from the task definition.
OVERRIDES = {name: value for name, value in JOB["overrides"].items() if name != "taskRoleArn"}


class Launches:
    """The account and what happened in it. ``begin`` forgets what happened so far."""

    def __init__(self, sandbox: Any) -> None:
        self.sandbox = sandbox
        sandbox.settings(latencies={**LATENCIES, "trail": TRAIL, "trail_log": TRAIL})
        names = ("cloudtrail", "cloudwatch", "ecs", "events", "iam", "lambda", "logs", "s3", "scheduler", "sns", "sqs")
        self.aws = {name: aws_client(sandbox, name) for name in names}
        self.seen, self.known, self.read = 0, set[str](), 0
        self.aws["ecs"].create_cluster(clusterName="prod")
        self.register()
        self.trail()
        self.topic()

    def register(self) -> None:
        """Register another revision of the job."""
        self.aws["ecs"].register_task_definition(
            family="report",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            taskRoleArn=f"arn:aws:iam::{NUMBER}:role/task",
            executionRoleArn=f"arn:aws:iam::{NUMBER}:role/execution",
            containerDefinitions=[{"name": "app", "image": "report:1", "memory": 512}],
        )

    def trail(self) -> None:
        aws = self.aws
        aws["iam"].create_role(RoleName="trail", AssumeRolePolicyDocument="{}")
        aws["s3"].create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION})
        aws["logs"].create_log_group(logGroupName="trail")
        aws["logs"].create_log_stream(logGroupName="trail", logStreamName="s")
        aws["cloudtrail"].create_trail(
            Name="trail",
            S3BucketName="trail",
            IsMultiRegionTrail=True,
            CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{NUMBER}:log-group:trail:*",
            CloudWatchLogsRoleArn=f"arn:aws:iam::{NUMBER}:role/trail",
        )
        aws["cloudtrail"].start_logging(Name="trail")

    def topic(self) -> None:
        """Create a topic whose messages can be read in the queue alerts."""
        aws = self.aws
        url = aws["sqs"].create_queue(QueueName="alerts")["QueueUrl"]
        aws["sns"].create_topic(Name="alerts")
        alerts = f"arn:aws:sqs:{REGION}:{NUMBER}:alerts"
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": alerts}],
        }
        aws["sqs"].set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        aws["sns"].subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=alerts)

    def begin(self) -> None:
        """Ignore what happened so far, clear all faults and empty the queues."""
        self.sandbox.clear_faults()
        for task in self.tasks():
            self.known.add(task["taskArn"])
        self.seen = self.sandbox.state()["calls"]
        self.read += len(self.lines())
        for queue in ("alerts", f"{NAME}-dead-letters"):
            self.in_queue(queue)

    def deliver(self, way: str, record: dict[str, Any], times: int) -> None:
        """Deliver a record the given number of times."""
        for _time in range(times):
            if way == "eventbridge":
                self.sandbox.publish({**event(record), "account": NUMBER})
            else:
                self.aws["logs"].put_log_events(
                    logGroupName="trail",
                    logStreamName="s",
                    logEvents=[{"timestamp": 1000 * int(time.time()), "message": json.dumps(record)}],
                )

    def invoke(self, delivery: dict[str, Any]) -> dict[str, Any]:
        answer = self.aws["lambda"].invoke(FunctionName=NAME, Payload=json.dumps(delivery))
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return told

    def calls(self) -> list[dict[str, Any]]:
        """Return all calls of RunTask, by any caller."""
        return [call for call in self.sandbox.journal(since=self.seen)["calls"] if call["operation"] == "RunTask"]

    def tasks(self) -> list[dict[str, Any]]:
        """Return the tasks that run and are new since ``begin``."""
        arns = [arn for arn in self.aws["ecs"].list_tasks(cluster="prod")["taskArns"] if arn not in self.known]
        return self.aws["ecs"].describe_tasks(cluster="prod", tasks=arns)["tasks"] if arns else []

    def in_queue(self, name: str) -> list[str]:
        """Return all messages of a queue and remove them from it."""
        sqs, found = self.aws["sqs"], []
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in some:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += [message["Body"] for message in some]
        return found

    def given_up(self) -> tuple[list[str], list[str]]:
        """Return the dead letters and the alerts."""
        return self.in_queue(f"{NAME}-dead-letters"), self.in_queue("alerts")

    def lines(self) -> list[dict[str, Any]]:
        """Return what the function has logged since ``begin``."""
        group = f"/aws/lambda/{NAME}"
        if not self.aws["logs"].describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        told = self.aws["logs"].filter_log_events(logGroupName=group, limit=10000)["events"]
        return [json.loads(each["message"]) for each in told if each["message"].startswith("{")][self.read :]

    def decided(self, decision: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["decision"] == decision]

    def quiet(self) -> None:
        """Wait until the queue of retries is empty, no function runs, and no new calls or log lines appear."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            seen = len(self.lines()) + len(self.calls())
            time.sleep(3 * TRAIL / SPEED)
            assert self.sandbox.settle()
            if not self.waiting() and seen == len(self.lines()) + len(self.calls()):
                return
        raise AssertionError("it does not come to rest")

    def waiting(self) -> int:
        """Return the number of retries that wait or are being handled."""
        sqs = self.aws["sqs"]
        url = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
        told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(count) for name, count in told.items() if name.startswith("ApproximateNumberOf"))


def recent(**more: Any) -> dict[str, Any]:
    record = cloudtrail(dict(JOB), eventTime=iso(int(time.time())), recipientAccountId=NUMBER, **more)
    return {**record, "userIdentity": {**record["userIdentity"], "accountId": NUMBER}}


def three_refusals_and_then_a_task(launches: Launches) -> None:
    launches.sandbox.fault("run_task_fails", family="report", reason=CAPACITY, times=3)
    assert launches.aws["ecs"].run_task(**JOB)["failures"]
    until(launches.tasks, "the task")
    launches.quiet()
    (task,) = launches.tasks()
    calls = [call["parameters"] for call in launches.calls()]
    assert len(calls) == 4  # the records of our own calls cause no further retries
    assert {key: value for key, value in calls[3].items() if key not in CHANGED} == {
        key: value for key, value in {**JOB, "overrides": OVERRIDES}.items() if key not in CHANGED
    }
    assert calls[3]["count"] == 1
    assert task["startedBy"] == calls[3]["startedBy"]
    assert task["startedBy"].startswith("retry/3/")
    subnets = [call["networkConfiguration"]["awsvpcConfiguration"]["subnets"][0] for call in calls]
    assert subnets == ["subnet-a", "subnet-b", "subnet-a", "subnet-b"]
    assert len({call["clientToken"] for call in calls}) == 4
    tags = {tag["key"]: tag["value"] for tag in calls[3]["tags"]}
    assert tags.pop("retry-origin")
    assert tags == {"team": "shop", "retry-attempt": "3", "original-started-by": "pipeline"}
    assert launches.given_up() == ([], [])
    assert "s3cr3t-value" not in json.dumps(launches.lines())


def refusals_for_ever(launches: Launches) -> None:
    launches.sandbox.fault("run_task_fails", family="report", reason=CAPACITY)
    launches.aws["ecs"].run_task(**JOB)
    until(lambda: launches.decided("give up"), "the end")
    launches.quiet()
    assert len(launches.calls()) == 4
    assert launches.tasks() == []
    (letter,), (alert,) = launches.given_up()
    assert json.loads(letter)["request"]["overrides"]["memory"] == "***"
    assert "s3cr3t-value" not in letter
    told = json.loads(json.loads(alert)["Message"])
    assert told["detail-type"] == "AWS API Call via CloudTrail"
    assert told["detail"]["responseElements"]["failures"] == [{"reason": CAPACITY}]
    assert told["detail"]["retry"]["gaveUp"] == "all 3 attempts were refused"
    assert "s3cr3t-value" not in alert


def seven_of_ten(launches: Launches) -> None:
    launches.sandbox.fault("run_task_fails", family="report", reason=CAPACITY, started=7, times=1)
    assert len(launches.aws["ecs"].run_task(**{**JOB, "count": 10})["tasks"]) == 7
    until(lambda: len(launches.tasks()) == 10, "the other three")
    launches.quiet()
    assert [call["parameters"]["count"] for call in launches.calls()] == [10, 3]
    assert len(launches.tasks()) == 10


def the_same_record_three_times(launches: Launches, way: str) -> None:
    launches.deliver(way, recent(eventID="three-times"), times=3)
    until(launches.tasks, "the task")
    launches.quiet()
    assert len(launches.tasks()) == 1
    assert launches.given_up() == ([], [])


def what_would_be_refused_again(launches: Launches, case: str) -> None:
    """A launch that would be refused again is not retried. ``case``: denied, unknown cluster, or inactive task
    definition.
    """
    job, ecs = dict(JOB), launches.aws["ecs"]
    if case == "denied":
        launches.sandbox.fault("access_denied", operations=["RunTask"], times=1)
    elif case == "unknown cluster":
        job["cluster"] = "nowhere"
    else:
        revision = ecs.describe_task_definition(taskDefinition="report")["taskDefinition"]["revision"]
        job["taskDefinition"] = f"report:{revision}"
        launches.register()
        ecs.deregister_task_definition(taskDefinition=job["taskDefinition"])
    with pytest.raises(ecs.exceptions.ClientError):
        ecs.run_task(**job)
    until(lambda: launches.decided("give up"), "the decision")
    launches.quiet()
    assert len(launches.calls()) == 1
    letters, alerts = launches.given_up()
    assert len(letters) == len(alerts) == 1


def five_broken_among_fifty(launches: Launches, way: str) -> None:
    """Five broken records among fifty do not hold up the rest, in one subscription or as events in one SQS batch."""
    records = [recent(eventID=f"{way}-{number}") for number in range(45)]
    texts = [json.dumps(record if way == "log_subscription" else event(record)) for record in records]
    for place, broken in zip((0, 9, 18, 27, 49), ("", "{", "[]", '{"eventName": "RunTask"}', "null"), strict=True):
        texts.insert(place, broken)
    told = launches.invoke(subscription(*texts) if way == "log_subscription" else messages(*texts))
    assert told == {"batchItemFailures": []}
    until(lambda: len(launches.calls()) >= 45, "the calls")
    launches.quiet()
    assert len({call["parameters"]["startedBy"] for call in launches.calls()}) == len(launches.calls()) == 45
    assert len(launches.in_queue(f"{NAME}-dead-letters")) == 5
