# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry function as Lambda runs it: from its package, in clean processes, with what CloudTrail has recorded.

``test_role_launch_retry`` tests what it does in the stack of the role, for both deliveries.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.launches import (
    FUNCTION,
    JOB,
    KNOWN,
    NAME,
    NUMBER,
    OVERRIDES,
    REGION,
    ROLE,
    TOPIC,
    Launches,
    recent,
)
from tests.end_to_end.programs import until
from tests.unit.core.retry.samples import CAPACITY, event, subscription

ROOT = Path(__file__).parents[2]
# The installed collection, from which the role runs the program.
PACK = ROOT / "build/collections/ansible_collections/steadyops/ecs/roles/launch_retry/files/package_function.py"
MOST_MEMORY = 128 * 1024  # kB, the smallest memory size of a function
OPTIONS = {
    "max_attempts": 3,
    "base_delay": 20,
    "max_delay": 60,
    "own_role_arns": [ROLE],
    "launch_templates": KNOWN,
    "rebuild_hidden": True,
}


def pack(folder: Path, *more: str) -> dict[str, Any]:
    command = [sys.executable, str(PACK), "--output", str(folder / "retry.zip"), *more]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


class Stack(Launches):
    """The account with the function and its queues, created by hand."""

    def __init__(self, sandbox: Any, folder: Path) -> None:
        super().__init__(sandbox)
        self.folder = folder
        self.aws["iam"].create_role(RoleName=NAME, AssumeRolePolicyDocument="{}")
        names = (NAME, f"{NAME}-dead-letters")
        self.queues = [self.aws["sqs"].create_queue(QueueName=name)["QueueUrl"] for name in names]
        self.function()

    def function(self) -> None:
        variables = {
            "RETRY_QUEUE_URL": self.queues[0],
            "DEAD_LETTER_QUEUE_URL": self.queues[1],
            "TOPIC_ARN": TOPIC,
            "RETRY_OPTIONS": json.dumps(OPTIONS),
        }
        self.aws["lambda"].create_function(
            FunctionName=NAME,
            Runtime="python3.12",
            Role=ROLE,
            Handler="handler.handler",
            Timeout=60,
            Code={"ZipFile": Path(pack(self.folder)["path"]).read_bytes()},
            Environment={"Variables": variables},
        )
        self.aws["lambda"].create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:{REGION}:{NUMBER}:{NAME}",
            FunctionName=NAME,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def keep_running(self, **options: Any) -> None:
        """Have tasks started again that stopped, as the options say."""
        variables = self.aws["lambda"].get_function_configuration(FunctionName=NAME)["Environment"]["Variables"]
        variables["RETRY_OPTIONS"] = json.dumps({**OPTIONS, **options})
        self.aws["lambda"].update_function_configuration(FunctionName=NAME, Environment={"Variables": variables})
        self.from_eventbridge({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]})

    def starter(self, by: str) -> str:
        """The ARN of a role with which schedules, or rules, start the job."""
        service = {"schedule": "scheduler", "rule": "events"}[by]
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        may = {"Effect": "Allow", "Action": ["ecs:RunTask", "ecs:TagResource", "iam:PassRole"], "Resource": "*"}
        policy, role = ({"Version": "2012-10-17", "Statement": [each]} for each in (may, trust))
        made = self.aws["iam"].create_role(RoleName="starter", AssumeRolePolicyDocument=json.dumps(role))
        self.aws["iam"].put_role_policy(RoleName="starter", PolicyName="start", PolicyDocument=json.dumps(policy))
        return made["Role"]["Arn"]

    def from_eventbridge(self, pattern: dict[str, Any] | None = None) -> None:
        calls = {"source": ["aws.ecs"], "detail-type": ["AWS API Call via CloudTrail"]}
        pattern = pattern or {**calls, "detail": {"eventName": ["RunTask"]}}
        rule = self.aws["events"].put_rule(Name="refused", EventPattern=json.dumps(pattern))["RuleArn"]
        self.aws["lambda"].add_permission(
            FunctionName=NAME,
            StatementId="events",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )
        self.aws["events"].put_targets(Rule="refused", Targets=[{"Id": "retry", "Arn": FUNCTION}])


@pytest.fixture
def stack(sandbox, tmp_path):
    return Stack(sandbox, tmp_path)


@pytest.mark.long
def test_a_record_that_is_delivered_three_times_while_nothing_starts(stack):
    stack.from_eventbridge()
    stack.sandbox.fault("run_task_fails", family="report", reason=CAPACITY, times=1)
    stack.deliver("eventbridge", recent(), times=3)
    until(stack.tasks, "the task")
    stack.quiet()
    assert len(stack.tasks()) == 1
    assert stack.given_up() == ([], [])


@pytest.mark.parametrize("fault", ["connection_reset", "server_error", "throttling"])
@pytest.mark.sampled(3)
def test_an_answer_that_is_lost_starts_nothing_twice(stack, fault):
    carried_out = {} if fault == "throttling" else {"carried_out": True}
    stack.sandbox.fault(fault, operations=["RunTask"], times=1, **carried_out)
    stack.invoke(event(recent()))
    until(lambda: len(stack.calls()) > 1, "the second call")
    stack.quiet()
    first, second = (call["parameters"] for call in stack.calls())
    assert first == second
    assert len(stack.tasks()) == 1


@pytest.mark.parametrize("by", ["schedule", "rule"])
def test_a_hidden_environment_comes_from_what_made_the_launch(stack, by):
    """``startedBy`` has part of the schedule's or rule's name, and another job's task has the same part."""
    name = "nightly-report-of-the-shop"
    stack.from_eventbridge()
    stack.sandbox.fault("run_task_fails", family="report", reason=CAPACITY, times=1)
    network = {"awsvpcConfiguration": {"Subnets": ["subnet-a"], "SecurityGroups": ["sg-1"]}}
    environment = [{"name": "TOKEN", "value": "other-s3cr3t"}]
    overrides = {"containerOverrides": [{"name": "app", "command": ["report"], "environment": environment}]}
    definition = f"arn:aws:ecs:{REGION}:{NUMBER}:task-definition/report:1"
    target = {
        "Arn": f"arn:aws:ecs:{REGION}:{NUMBER}:cluster/prod",
        "RoleArn": stack.starter(by),
        "Input": json.dumps(overrides),
    }
    inside = {"TaskDefinitionArn": definition, "LaunchType": "FARGATE"}
    if by == "schedule":
        for each, job in ((name, definition), (name + "-too", definition.replace("report", "other"))):
            stack.aws["scheduler"].create_schedule(
                Name=each,
                ScheduleExpression="rate(30 days)",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target={
                    **target,
                    "EcsParameters": {**inside, "TaskDefinitionArn": job, "NetworkConfiguration": network},
                },
            )
    else:
        stack.aws["events"].put_rule(Name=name, ScheduleExpression="rate(30 days)")
        inside["NetworkConfiguration"] = {"awsvpcConfiguration": {"Subnets": ["subnet-a"], "SecurityGroups": ["sg-1"]}}
        stack.aws["events"].put_targets(Rule=name, Targets=[{**target, "Id": "job", "EcsParameters": inside}])
    stack.sandbox.act("fire_schedule", name=name)
    until(stack.tasks, "the task")
    stack.quiet()
    first, second = (call["parameters"] for call in stack.calls())
    assert len(first["startedBy"]) == 36
    assert second["overrides"] == first["overrides"] == overrides
    assert second["startedBy"].startswith("retry/1/")
    assert stack.given_up() == ([], [])
    assert "s3cr3t" not in json.dumps(stack.lines())


TEMPLATE = {"networkConfiguration": JOB["networkConfiguration"], "tags": JOB["tags"]}


def test_a_task_on_spot_that_was_interrupted(stack):
    stack.keep_running(stopped_tasks=["spot"], launch_templates={"report": TEMPLATE})
    (first,) = stack.aws["ecs"].run_task(**JOB)["tasks"]
    until(lambda: stack.tasks()[0]["lastStatus"] == "RUNNING", "the task")
    stack.sandbox.act("interrupt", task=first["taskArn"])
    until(lambda: len(stack.calls()) == 2, "the second call")
    stack.quiet()
    (task,) = stack.tasks()
    assert task["taskArn"] != first["taskArn"]
    call = stack.calls()[1]["parameters"]
    same = ("capacityProviderStrategy", "overrides", "group", "platformVersion")
    for key in same[1:]:
        assert call[key] == {**JOB, "overrides": OVERRIDES}[key]
    assert call["capacityProviderStrategy"][0]["capacityProvider"] == "FARGATE_SPOT"
    assert call["startedBy"].startswith("retry/1/")
    assert {"key": "team", "value": "shop"} in call["tags"]


@pytest.mark.parametrize(("exit_code", "calls"), [(1, 1), (75, 2)])
@pytest.mark.sampled(2)
def test_only_listed_exit_codes_are_retried(stack, exit_code, calls):
    rules = [{"action": "retry", "exit_codes": [75]}]
    stack.keep_running(stopped_tasks=["spot", "host_loss"], rules=rules, launch_templates={"report": TEMPLATE})
    stack.sandbox.program("report", {"seconds": 5, "exit_code": exit_code, "times": 1}, {"seconds": 3600})
    stack.aws["ecs"].run_task(**JOB)
    until(lambda: stack.decided("ignore" if calls == 1 else "started"), "the decision")
    stack.quiet()
    assert len(stack.calls()) == calls


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells")
@pytest.mark.parametrize("records", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_many_records_in_one_event(stack, tmp_path, records):
    """The function is started like any program, so all of its memory is its own.

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
    delivery = json.dumps(subscription(*[recent(eventID=f"id-{number}") for number in range(records)]))
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": stack.sandbox.url,
        "AWS_REGION": REGION,
        "RETRY_QUEUE_URL": stack.aws["sqs"].get_queue_url(QueueName="alerts")["QueueUrl"],  # nothing reads from it
        "RETRY_OPTIONS": json.dumps(OPTIONS),
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
    assert [json.loads(line)["decision"] for line in decisions] == ["retry"] * records
    print(f"peak memory for {records} records: {peak} kB")
    assert int(peak) < MOST_MEMORY


def test_the_package_is_the_same_from_run_to_run(tmp_path):
    first = pack(tmp_path)
    assert first["changed"]
    again = pack(tmp_path)
    assert again == {**first, "changed": False}
    options = tmp_path / "options.json"
    options.write_text('{"max_attempts": 2}')
    other = pack(tmp_path, "--options", str(options), "--pack-options")
    assert other["changed"]
    assert other["code_sha256"] != first["code_sha256"]


def test_options_that_cannot_be_meant_are_not_packed(tmp_path):
    options = tmp_path / "options.json"
    options.write_text('{"max_attempts": 0}')
    with pytest.raises(subprocess.CalledProcessError) as failed:
        pack(tmp_path, "--options", str(options))
    assert "max_attempts must be a whole number from 1 to 50" in failed.value.stderr
    assert "Traceback" not in failed.value.stderr
    assert not (tmp_path / "retry.zip").exists()
