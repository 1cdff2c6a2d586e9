# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The retry function as Lambda runs it: out of its package, in clean processes, with what CloudTrail has recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import iso

from tests.end_to_end.programs import until
from tests.unit.core.retry.samples import CAPACITY, cloudtrail, event, messages, subscription

ROOT = Path(__file__).parents[2]
# The collection as it is installed: from there the role runs the program.
PACK = ROOT / "build/collections/ansible_collections/steadyops/ecs/roles/launch_retry/files/package_function.py"
REGION, NUMBER = "eu-central-1", "123456789012"
FUNCTION = f"arn:aws:lambda:{REGION}:{NUMBER}:function:launch-retry"
ROLE = f"arn:aws:iam::{NUMBER}:role/launch-retry"
TOPIC = f"arn:aws:sns:{REGION}:{NUMBER}:alerts"
DELIVERIES = ["eventbridge", "log_subscription"]
MOST_MEMORY = 128 * 1024  # kB, the least that a function can have
POLICY = {"max_attempts": 3, "base_delay": 20, "max_delay": 60, "own_role_arns": [ROLE]}

# A job with all that a call on Fargate can say.
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


def pack(folder: Path, *more: str) -> dict[str, Any]:
    command = [sys.executable, str(PACK), "--output", str(folder / "retry.zip"), *more]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


class Stack:
    """The function with its queues and topic, a trail with its log group, and a cluster with a job."""

    def __init__(self, sandbox: Any, folder: Path) -> None:
        session = boto3.session.Session("sandbox", "sandbox", region_name=REGION)
        self.sandbox = sandbox
        self.aws = {
            name: session.client(name, endpoint_url=sandbox.url)
            for name in ("cloudtrail", "ecs", "events", "iam", "lambda", "logs", "s3", "sns", "sqs")
        }
        self.folder = folder
        self.begin()

    def begin(self) -> None:
        aws = self.aws
        for role in ("launch-retry", "trail"):
            aws["iam"].create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        self.trail()
        aws["ecs"].create_cluster(clusterName="prod")
        aws["ecs"].register_task_definition(
            family="report",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "app", "image": "report:1", "memory": 512}],
        )
        names = ("retry", "dead", "alerts")
        self.queues = {name: aws["sqs"].create_queue(QueueName=name)["QueueUrl"] for name in names}
        aws["sns"].create_topic(Name="alerts")
        alerts = f"arn:aws:sqs:{REGION}:{NUMBER}:alerts"
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": alerts}],
        }
        aws["sqs"].set_queue_attributes(QueueUrl=self.queues["alerts"], Attributes={"Policy": json.dumps(policy)})
        aws["sns"].subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=alerts)
        self.function()

    def trail(self) -> None:
        aws = self.aws
        aws["s3"].create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION})
        aws["logs"].create_log_group(logGroupName="trail")
        aws["cloudtrail"].create_trail(
            Name="trail",
            S3BucketName="trail",
            IsMultiRegionTrail=True,
            CloudWatchLogsLogGroupArn=f"arn:aws:logs:{REGION}:{NUMBER}:log-group:trail:*",
            CloudWatchLogsRoleArn=f"arn:aws:iam::{NUMBER}:role/trail",
        )
        aws["cloudtrail"].start_logging(Name="trail")

    def function(self) -> None:
        variables = {
            "RETRY_QUEUE_URL": self.queues["retry"],
            "DEAD_LETTER_QUEUE_URL": self.queues["dead"],
            "TOPIC_ARN": TOPIC,
            "RETRY_POLICY": json.dumps(POLICY),
        }
        self.aws["lambda"].create_function(
            FunctionName="launch-retry",
            Runtime="python3.12",
            Role=ROLE,
            Handler="handler.handler",
            Timeout=60,
            Code={"ZipFile": Path(pack(self.folder)["path"]).read_bytes()},
            Environment={"Variables": variables},
        )
        self.aws["lambda"].create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{REGION}:{NUMBER}:retry",
            FunctionName="launch-retry",
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def keep_running(self, **policy: Any) -> None:
        """Have tasks started again that stopped, as the policy says."""
        variables = self.aws["lambda"].get_function_configuration(FunctionName="launch-retry")["Environment"][
            "Variables"
        ]
        variables["RETRY_POLICY"] = json.dumps({**POLICY, **policy})
        self.aws["lambda"].update_function_configuration(
            FunctionName="launch-retry", Environment={"Variables": variables}
        )
        self.from_eventbridge({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]})

    def from_eventbridge(self, pattern: dict[str, Any] | None = None) -> None:
        calls = {"source": ["aws.ecs"], "detail-type": ["AWS API Call via CloudTrail"]}
        pattern = pattern or {**calls, "detail": {"eventName": ["RunTask"]}}
        rule = self.aws["events"].put_rule(Name="refused", EventPattern=json.dumps(pattern))["RuleArn"]
        self.aws["lambda"].add_permission(
            FunctionName="launch-retry",
            StatementId="events",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )
        self.aws["events"].put_targets(Rule="refused", Targets=[{"Id": "retry", "Arn": FUNCTION}])

    def deliver(self, way: str, record: dict[str, Any], times: int) -> None:
        """Hand over a record so many times."""
        for _ in range(times):
            if way == "eventbridge":
                self.sandbox.publish({**event(record), "account": NUMBER})
            else:
                self.aws["logs"].put_log_events(
                    logGroupName="trail",
                    logStreamName="s",
                    logEvents=[{"timestamp": 1000 * int(time.time()), "message": json.dumps(record)}],
                )

    def invoke(self, delivery: dict[str, Any]) -> dict[str, Any]:
        answer = self.aws["lambda"].invoke(FunctionName="launch-retry", Payload=json.dumps(delivery))
        told = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return told

    def calls(self) -> list[dict[str, Any]]:
        """All calls of RunTask, whoever made them."""
        return [call for call in self.sandbox.journal()["calls"] if call["operation"] == "RunTask"]

    def tasks(self) -> list[dict[str, Any]]:
        arns = self.aws["ecs"].list_tasks(cluster="prod")["taskArns"]
        return self.aws["ecs"].describe_tasks(cluster="prod", tasks=arns)["tasks"] if arns else []

    def in_queue(self, name: str) -> list[str]:
        """All messages of a queue, which is empty afterwards."""
        found = []
        while (
            some := self.aws["sqs"].receive_message(QueueUrl=self.queues[name], MaxNumberOfMessages=10).get("Messages")
        ):
            found += [message["Body"] for message in some]
        return found

    def lines(self) -> list[dict[str, Any]]:
        """What the function has logged."""
        groups = self.aws["logs"].describe_log_groups(logGroupNamePrefix="/aws/lambda/launch-retry")["logGroups"]
        if not groups:
            return []
        told = self.aws["logs"].filter_log_events(logGroupName="/aws/lambda/launch-retry", limit=1000)["events"]
        return [json.loads(each["message"]) for each in told if each["message"].startswith("{")]

    def decided(self, decision: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["decision"] == decision]


@pytest.fixture
def stack(sandbox, tmp_path):
    return Stack(sandbox, tmp_path)


@pytest.fixture(params=DELIVERIES)
def way(request, stack, start):
    if request.param == "eventbridge":
        stack.from_eventbridge()
    else:
        options = {"name": "refused", "log_group": "trail", "function_arn": FUNCTION, "transient_errors_only": False}
        result = start("ecs_retry_subscription", **options, exclude_role_arns=[ROLE]).result()
        assert result["changed"]
        stack.aws["logs"].create_log_stream(logGroupName="trail", logStreamName="s")
    return request.param


def quiet(stack: Stack, seconds: float = 1.5) -> None:
    """Wait until the function has had nothing to do for a while."""
    seen, since = -1, time.monotonic()
    end = since + 60
    while time.monotonic() < end:
        count = len(stack.lines()) + len(stack.calls())
        if count != seen:
            seen, since = count, time.monotonic()
        elif time.monotonic() - since > seconds:
            return
        time.sleep(0.1)
    raise AssertionError("it does not come to rest")


def recent(**more: Any) -> dict[str, Any]:
    record = cloudtrail(dict(JOB), eventTime=iso(int(time.time())), recipientAccountId=NUMBER, **more)
    return {**record, "userIdentity": {**record["userIdentity"], "accountId": NUMBER}}


def test_refused_three_times_and_then_granted(stack, way):
    stack.sandbox.fault("run_task_fails", family="report", reason=CAPACITY, times=3)
    assert stack.aws["ecs"].run_task(**JOB)["failures"]
    until(stack.tasks, "the task")
    quiet(stack)
    (task,) = stack.tasks()
    calls = [call["parameters"] for call in stack.calls()]
    assert len(calls) == 4  # nothing comes of the records of our own calls
    assert {key: value for key, value in calls[3].items() if key not in CHANGED} == {
        key: value for key, value in JOB.items() if key not in CHANGED
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
    assert (stack.in_queue("dead"), stack.in_queue("alerts")) == ([], [])
    assert "s3cr3t-value" not in json.dumps(stack.lines())


def test_refused_for_ever(stack, way):
    stack.sandbox.fault("run_task_fails", family="report", reason=CAPACITY)
    stack.aws["ecs"].run_task(**JOB)
    until(lambda: stack.decided("give up"), "the end")
    quiet(stack)
    assert len(stack.calls()) == 4
    assert stack.tasks() == []
    (letter,) = stack.in_queue("dead")
    assert json.loads(letter)["request"]["overrides"] == JOB["overrides"]
    (alert,) = stack.in_queue("alerts")
    told = json.loads(json.loads(alert)["Message"])
    assert told["detail-type"] == "AWS API Call via CloudTrail"
    assert told["detail"]["responseElements"]["failures"] == [{"reason": CAPACITY}]
    assert told["detail"]["retry"]["gaveUp"] == "all 3 attempts were refused"
    assert "s3cr3t-value" not in alert


@pytest.mark.parametrize("case", ["denied", "unknown cluster", "inactive task definition"])
def test_what_would_be_refused_again_is_not_called_again(stack, way, case):
    job = dict(JOB)
    if case == "denied":
        stack.sandbox.fault("access_denied", operations=["RunTask"], times=1)
    elif case == "unknown cluster":
        job["cluster"] = "nowhere"
    else:
        stack.aws["ecs"].deregister_task_definition(taskDefinition="report:1")
        job["taskDefinition"] = "report:1"
    with pytest.raises(stack.aws["ecs"].exceptions.ClientError):
        stack.aws["ecs"].run_task(**job)
    until(lambda: stack.decided("give up"), "the decision")
    quiet(stack)
    assert len(stack.calls()) == 1
    assert len(stack.in_queue("dead")) == len(stack.in_queue("alerts")) == 1


def test_seven_of_ten_started(stack, way):
    stack.sandbox.fault("run_task_fails", family="report", reason=CAPACITY, started=7, times=1)
    assert len(stack.aws["ecs"].run_task(**{**JOB, "count": 10})["tasks"]) == 7
    until(lambda: len(stack.tasks()) == 10, "the other three")
    quiet(stack)
    assert [call["parameters"]["count"] for call in stack.calls()] == [10, 3]
    assert len(stack.tasks()) == 10


@pytest.mark.parametrize("refused", [0, 1], ids=["granted at once", "refused once more"])
def test_a_record_that_is_delivered_three_times(stack, way, refused):
    if refused:
        stack.sandbox.fault("run_task_fails", family="report", reason=CAPACITY, times=refused)
    stack.deliver(way, recent(), times=3)
    until(stack.tasks, "the task")
    quiet(stack)
    assert len(stack.tasks()) == 1
    assert (stack.in_queue("dead"), stack.in_queue("alerts")) == ([], [])


@pytest.mark.parametrize("fault", ["connection_reset", "server_error", "throttling"])
def test_an_answer_that_is_lost_starts_nothing_twice(stack, fault):
    carried_out = {} if fault == "throttling" else {"carried_out": True}
    stack.sandbox.fault(fault, operations=["RunTask"], times=1, **carried_out)
    stack.invoke(event(recent()))
    until(lambda: len(stack.calls()) > 1, "the second call")
    quiet(stack)
    first, second = (call["parameters"] for call in stack.calls())
    assert first == second
    assert len(stack.tasks()) == 1


TEMPLATE = {"networkConfiguration": JOB["networkConfiguration"], "tags": JOB["tags"]}


def test_a_task_on_spot_that_was_interrupted(stack):
    stack.keep_running(stopped_tasks=["spot"], launch_templates={"report": TEMPLATE})
    (first,) = stack.aws["ecs"].run_task(**JOB)["tasks"]
    until(lambda: stack.tasks()[0]["lastStatus"] == "RUNNING", "the task")
    stack.sandbox.act("interrupt", task=first["taskArn"])
    until(lambda: len(stack.calls()) == 2, "the second call")
    quiet(stack)
    (task,) = stack.tasks()
    assert task["taskArn"] != first["taskArn"]
    call = stack.calls()[1]["parameters"]
    same = ("capacityProviderStrategy", "overrides", "group", "platformVersion")
    for key in same[1:]:
        assert call[key] == JOB[key]
    assert call["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    assert call["startedBy"].startswith("retry/1/")
    assert {"key": "team", "value": "shop"} in call["tags"]


@pytest.mark.parametrize(("exit_code", "calls"), [(1, 1), (75, 2)])
def test_only_listed_exit_codes_are_retried(stack, exit_code, calls):
    rules = [{"action": "retry", "exit_codes": [75]}]
    stack.keep_running(stopped_tasks=["spot", "host_loss"], rules=rules, launch_templates={"report": TEMPLATE})
    stack.sandbox.program("report", {"seconds": 5, "exit_code": exit_code, "times": 1}, {"seconds": 3600})
    stack.aws["ecs"].run_task(**JOB)
    until(lambda: stack.decided("ignore" if calls == 1 else "started"), "the decision")
    quiet(stack)
    assert len(stack.calls()) == calls


@pytest.mark.parametrize("way", ["queue", "log_subscription"])
def test_broken_records_stop_and_repeat_no_others(stack, way):
    if way == "queue":
        records = [json.dumps(event(recent(eventID=f"id-{number}"))) for number in range(45)]
    else:
        records = [json.dumps(recent(eventID=f"id-{number}")) for number in range(45)]
    for place, broken in zip((0, 9, 18, 27, 49), ("", "{", "[]", '{"eventName": "RunTask"}', "null"), strict=True):
        records.insert(place, broken)
    told = stack.invoke(messages(*records) if way == "queue" else subscription(*records))
    assert told == {"batchItemFailures": []}
    until(lambda: len(stack.calls()) >= 45, "the calls")
    quiet(stack)
    assert len({call["parameters"]["startedBy"] for call in stack.calls()}) == len(stack.calls()) == 45
    assert len(stack.in_queue("dead")) == 5


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
def test_a_thousand_records_in_one_event(stack, tmp_path):
    """Started like any program, so that all its memory is its own.

    Linux tells its peak: ``ru_maxrss`` would count the tests' own memory, which the process had until it began.
    """
    driver = """
import json, sys
sys.path.insert(0, sys.argv[1])
from handler import handler
class Context:
    invoked_function_arn = sys.argv[2]
print(json.dumps(handler(json.load(sys.stdin), Context())))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    delivery = json.dumps(subscription(*[recent(eventID=f"id-{number}") for number in range(1000)]))
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": stack.sandbox.url,
        "AWS_REGION": REGION,
        "RETRY_QUEUE_URL": stack.queues["alerts"],  # which nothing takes from
        "RETRY_POLICY": json.dumps(POLICY),
    }
    package = pack(tmp_path)["path"]
    ran = subprocess.run(
        [sys.executable, "-c", driver, package, FUNCTION],
        input=delivery,
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    *decisions, told, peak = ran.stdout.splitlines()
    assert json.loads(told) == {"batchItemFailures": []}
    assert [json.loads(line)["decision"] for line in decisions] == ["retry"] * 1000
    print(f"peak memory for 1000 records: {peak} kB")
    assert int(peak) < MOST_MEMORY


def test_the_package_is_the_same_from_run_to_run(tmp_path):
    first = pack(tmp_path)
    assert first["changed"]
    again = pack(tmp_path)
    assert again == {**first, "changed": False}
    policy = tmp_path / "policy.json"
    policy.write_text('{"max_attempts": 2}')
    other = pack(tmp_path, "--policy", str(policy), "--pack-policy")
    assert other["changed"]
    assert other["code_sha256"] != first["code_sha256"]


def test_a_policy_that_cannot_be_meant_is_not_packed(tmp_path):
    policy = tmp_path / "policy.json"
    policy.write_text('{"max_attempts": 0}')
    with pytest.raises(subprocess.CalledProcessError) as failed:
        pack(tmp_path, "--policy", str(policy))
    assert "max_attempts is 0. Say a whole number from 1 to 50" in failed.value.stderr
    assert "Traceback" not in failed.value.stderr
    assert not (tmp_path / "retry.zip").exists()
