# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Execute the definitions that the module creates: what starts, what is retried, and who is notified."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import until

ACCOUNT = "123456789012"
REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nobody-has-made-it"
ENVIRONMENT = {"containers": [{"name": "app", "environment": {"PASSWORD": "hunter2"}}]}
JOB = {
    "cluster": "prod",
    "task_definition": "report",
    "timeout": "10m",
    "launch_type": "FARGATE",
    "network_configuration": {"subnets": ["subnet-1", "subnet-2"]},
    "overrides": ENVIRONMENT,
    "notify_topic_arn": TOPIC,
}


@pytest.fixture
def aws(sandbox):
    sandbox.settings(events=True)

    def client(name):
        return aws_client(sandbox, name)

    client("ecs").create_cluster(clusterName="prod")
    containers = [{"name": name, "image": "x", "memory": 64, "essential": name == "app"} for name in ("app", "side")]
    client("ecs").register_task_definition(
        family="report", networkMode="awsvpc", containerDefinitions=containers, taskRoleArn=ROLE
    )
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:mail",
        "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queue = client("sqs").create_queue(QueueName="mail", Attributes={"Policy": policy})["QueueUrl"]
    client("sns").create_topic(Name="alerts")
    client("sns").subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:mail")
    client.mail = lambda: [
        json.loads(each["Body"])
        for each in client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    ]
    return client


@pytest.fixture
def executed(start, aws):
    """Creates the state machine, executes it to its end, and returns the outcome."""

    def run(**job):
        options = {"name": "report", "role_arn": ROLE, "job": {**JOB, **job}}
        made = start("ecs_task_state_machine", **options).result()
        states = aws("stepfunctions")
        arn = states.start_execution(stateMachineArn=made["state_machine"]["arn"])["executionArn"]

        def ended():
            found = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return until(ended, "the end of the execution")

    return run


def launches(sandbox):
    found = [call for call in sandbox.journal()["calls"] if call["operation"] == "RunTask"]
    return [call["parameters"] for call in found]


RETRY = {"exit_codes": [75], "max_attempts": 2, "interval": 10, "jitter": False}


def test_it_fails_twice_and_then_succeeds(sandbox, aws, executed):
    sandbox.program("report", {"seconds": 5, "exit_code": 75, "times": 2}, {"seconds": 5})
    ended = executed(retry_failures=RETRY)
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"])["Containers"][0]["ExitCode"] == 0
    assert len(launches(sandbox)) == 3
    assert aws.mail() == []


def test_it_always_fails(sandbox, aws, executed):
    sandbox.program("report", seconds=5, exit_code=75)
    ended = executed(retry_failures=RETRY)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(ended["cause"])
    assert cause["StopCode"] == "EssentialContainerExited"
    assert len(launches(sandbox)) == 3
    (mail,) = until(aws.mail, "the message")
    assert mail["Subject"] == "ECS job report failed"
    lines = dict(line.split(": ", 1) for line in mail["Message"].splitlines() if ": " in line)
    assert lines["ECS task failed"] == "EssentialContainerExited"
    assert lines["Reason"] == cause["StoppedReason"]
    assert json.loads(lines["Exit codes"]) == [each["ExitCode"] for each in cause["Containers"]]
    assert lines["Task"] == cause["TaskArn"]
    assert lines["Execution"] == ended["executionArn"]
    assert "hunter2" not in mail["Message"]
    assert aws.mail() == []


def test_it_runs_out_of_time_and_is_stopped(sandbox, aws, executed):
    ended = executed(timeout=60)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")
    (mail,) = until(aws.mail, "the message")
    assert mail["Message"].startswith("ECS task timed out: States.Timeout\n")
    ecs = aws("ecs")

    def stopped():
        return ecs.list_tasks(cluster="prod", desiredStatus="STOPPED")["taskArns"]

    (task,) = until(stopped, "the end of the task")
    assert ecs.describe_tasks(cluster="prod", tasks=[task])["tasks"][0]["stopCode"] == "UserInitiated"
    assert len(launches(sandbox)) == 1


@pytest.mark.parametrize(
    ("program", "rule", "attempts"),
    [
        ({"exit_code": 1}, RETRY, 1),
        ({"exit_code": 75}, {**RETRY, "container": "app"}, 3),
        ({"exit_code": 1, "containers": {"side": {"exit_code": 75}}}, {**RETRY, "container": "app"}, 1),
        ({"exit_code": 1, "containers": {"side": {"exit_code": 75}}}, RETRY, 3),
        ({"interrupted": True}, {**RETRY, "exit_codes": [], "stop_codes": ["SpotInterruption"]}, 3),
        ({"interrupted": True}, RETRY, 1),
        ({"fails_to_start": "CannotPullContainerError: not found"}, RETRY, 1),
        ({"fails_to_start": "CannotPullContainerError: not found"}, {**RETRY, "container": "app"}, 1),
        ({"exit_code": 9}, {"max_attempts": 1, "interval": 10}, 2),
    ],
    ids=str,
)
def test_only_failures_that_were_named_are_tried_again(sandbox, aws, executed, program, rule, attempts):
    sandbox.program("report", **{"seconds": 5, **program})
    ended = executed(retry_failures=rule)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert len(launches(sandbox)) == attempts
    assert len(until(aws.mail, "the message")) == 1


def subnets(launch):
    return launch["networkConfiguration"]["awsvpcConfiguration"]["subnets"]


def test_refused_launches_come_back(sandbox, aws, executed):
    sandbox.program("report", seconds=5)
    sandbox.fault("run_task_fails", family="report", reason="Capacity is unavailable at this time.", times=3)
    ended = executed(retry_launch={"interval": 10})
    assert ended["status"] == "SUCCEEDED"
    assert [subnets(each) for each in launches(sandbox)] == [["subnet-1", "subnet-2"]] * 4
    assert aws.mail() == []


def test_refused_launches_go_elsewhere(sandbox, aws, executed, start):
    sandbox.program("report", {"seconds": 5, "exit_code": 75, "times": 1}, {"seconds": 5})
    sandbox.fault("run_task_fails", family="report", reason="Capacity is unavailable at this time.", times=3)
    spot, on_demand = ([{"capacity_provider": name}] for name in ("FARGATE_SPOT", "FARGATE"))
    options = {key: value for key, value in JOB.items() if key != "launch_type"}
    options |= {
        "capacity_provider_strategy": spot,
        "fallback_capacity_provider_strategy": on_demand,
        "rotate_subnets": True,
        "retry_launch": {"interval": 10},
        "retry_failures": RETRY,
    }
    made = start("ecs_task_state_machine", name="report", role_arn=ROLE, job=options).result()
    states = aws("stepfunctions")
    arn = states.start_execution(stateMachineArn=made["state_machine"]["arn"])["executionArn"]
    until(lambda: states.describe_execution(executionArn=arn)["status"] == "SUCCEEDED", "success")
    found = launches(sandbox)
    first = ["subnet-1", "subnet-2"]
    assert [subnets(each) for each in found] == [first, ["subnet-1"], ["subnet-2"], ["subnet-1"], first]
    providers = [each["capacityProviderStrategy"][0]["capacityProvider"] for each in found]
    assert providers == ["FARGATE_SPOT", "FARGATE", "FARGATE", "FARGATE", "FARGATE_SPOT"]


def test_launches_that_are_refused_for_ever(sandbox, aws, executed):
    sandbox.fault("run_task_fails", family="report", reason="Capacity is unavailable at this time.")
    ended = executed(retry_launch={"interval": 10, "max_attempts": 2}, rotate_subnets=True)
    assert ended["status"] == "FAILED"
    assert ended["error"] in {"ECS.AmazonECSException", "AmazonECS.Unknown"}
    assert len(launches(sandbox)) == 3
    (mail,) = until(aws.mail, "the message")
    assert "Capacity is unavailable at this time." in mail["Message"]


def test_what_can_never_work_is_not_tried_again(sandbox, aws, executed):
    ended = executed(cluster="nowhere")
    assert (ended["status"], ended["error"]) == ("FAILED", "ECS.ClusterNotFoundException")
    assert len(launches(sandbox)) == 1
    assert len(until(aws.mail, "the message")) == 1


SKIPS = {"starting_deadline": 60, "skipped_topic_arn": TOPIC}


@pytest.mark.parametrize(("concurrency", "ends"), [("forbid", 2), ("replace", 2)])
def test_executions_that_start_at_once(sandbox, aws, start, concurrency, ends):
    """Three executions start at the same time, and a fourth comes too late."""
    sandbox.settings(speed=30)  # the newest execution stops the others within the 30 seconds that they wait for it
    sandbox.program("report", seconds=30)
    job = {**JOB, **SKIPS, "concurrency": concurrency}
    machine = start("ecs_task_state_machine", name="report", role_arn=ROLE, job=job).result()["state_machine"]["arn"]
    states = aws("stepfunctions")

    def begin(at):
        return states.start_execution(stateMachineArn=machine, input=json.dumps({"scheduled_time": at}))["executionArn"]

    def ended():
        found = [states.describe_execution(executionArn=arn) for arn in arns]
        return found if all(each["status"] != "RUNNING" for each in found) else None

    late = begin("2001-01-01T00:00:00Z")
    arns = [begin("2199-01-01T00:00:00Z") for _each in range(3)]
    until(ended, "the end of all")
    outputs = [json.loads(each.get("output", "{}")) for each in ended()]
    done = [each for each in outputs if each.get("Containers")]
    assert len(done) == 3 - ends
    arns.append(late)
    skipped = [json.loads(each.get("output", "{}")).get("skipped") for each in ended()]
    assert skipped.count("starting_deadline") == 1
    assert skipped.count("concurrency") == (ends if concurrency == "forbid" else 0)
    assert [each["status"] for each in ended()].count("ABORTED") == (ends if concurrency == "replace" else 0)
    if concurrency == "forbid":
        assert len(launches(sandbox)) == 1
    mails = []
    until(lambda: mails.extend(aws.mail()) or len(mails) >= ends + 1, "a message for each")
    said = {"forbid": "skipped", "replace": "replaced"}[concurrency]
    expected = ["ECS job report skipped", *[f"ECS job report {said}"] * ends]
    assert sorted(each["Subject"] for each in mails) == sorted(expected)


@pytest.fixture
def role(warm_playbook):
    """Runs the role with a schedule that starts the job every five minutes."""
    stack = {
        "scheduled_task_name": "report",
        "scheduled_task_cluster": "prod",
        "scheduled_task_task_definition": "report",
        "scheduled_task_timeout": "10m",
        "scheduled_task_subnets": ["subnet-1"],
        "scheduled_task_schedule_expression": "rate(5 minutes)",
        "scheduled_task_topic_arn": TOPIC,
    }
    task = {"ansible.builtin.include_role": {"name": "steadyops.ecs.scheduled_task"}}

    def run(**variables):
        results = warm_playbook([{**task, "vars": {**stack, **variables}}]).results()
        assert [result["msg"] for result in results if result.get("failed")] == []

    return run


MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:report"


@pytest.mark.long
def test_a_schedule_starts_what_the_role_has_made(sandbox, aws, role):
    """The IAM roles that the role creates suffice: the sandbox checks every call of the state machine against them."""
    sandbox.program("report", seconds=5, exit_code=1)
    role()
    states = aws("stepfunctions")

    def failed():
        found = states.list_executions(stateMachineArn=MACHINE)["executions"]
        return [each for each in found if each["status"] == "FAILED"]

    until(failed, "an execution that failed")
    role(scheduled_task_enabled=False)
    until(lambda: not states.list_executions(stateMachineArn=MACHINE, statusFilter="RUNNING")["executions"], "the last")
    arns = {each["executionArn"] for each in failed()}
    for arn in arns:
        ended = states.describe_execution(executionArn=arn)
        assert ended["error"] == "States.TaskFailed", ended["cause"]
    mails = []

    def all_told():
        mails.extend(aws.mail())
        return len(mails) >= len(arns)

    until(all_told, "a message for each")
    assert len(mails) == len(arns), "one message for each failure"
    for mail in mails:
        assert any(arn in mail["Message"] for arn in arns)


@pytest.mark.long
def test_a_job_that_takes_longer_than_its_interval(sandbox, aws, role):
    """The job takes eight minutes and starts every five minutes, so every second start meets the previous one."""
    sandbox.program("report", seconds=480)
    states = aws("stepfunctions")
    mails = []

    def executions(*statuses):
        found = states.list_executions(stateMachineArn=MACHINE)["executions"]
        return [each for each in found if each["status"] in statuses]

    def outputs():
        arns = [each["executionArn"] for each in executions("SUCCEEDED")]
        return [json.loads(states.describe_execution(executionArn=arn)["output"]) for arn in arns]

    def quiet():
        """Suspend the schedule and wait until all executions have ended."""
        role(**given, scheduled_task_suspend=True)
        until(lambda: not executions("RUNNING"), "the last")

    def subjects(number):
        until(lambda: mails.extend(aws.mail()) or len(mails) >= number, "a message for each")
        return [each.get("Subject") for each in mails]

    given = {"scheduled_task_notify": ["execution", "skipped"], "scheduled_task_timeout": "30m"}
    given |= {"scheduled_task_concurrency": "forbid", "scheduled_task_starting_deadline": 60}
    role(**given)
    until(lambda: len(outputs()) > 3, "four executions")
    quiet()
    skips = [each for each in outputs() if "skipped" in each]
    done = sorted((each["StartedAt"], each["StoppedAt"]) for each in outputs() if "skipped" not in each)
    assert {each["skipped"] for each in skips} == {"concurrency"}
    assert len(done) == len(launches(sandbox)) > 1
    assert all(stopped <= started for (_began, stopped), (started, _ended) in pairwise(done)), "never two at once"
    assert executions("FAILED", "ABORTED") == []
    assert subjects(len(skips)) == ["ECS job report skipped"] * len(skips)

    given["scheduled_task_concurrency"] = "replace"
    role(**given, scheduled_task_suspend=False)
    until(lambda: len(executions("ABORTED")) > 1, "two that were replaced")
    quiet()
    replaced = executions("ABORTED")
    assert len(outputs()) == len(skips) + len(done) + 1, "the last one was left alone"
    expected = ["ECS job report skipped"] * len(skips) + ["ECS job report replaced"] * len(replaced)
    assert subjects(len(expected)) == expected, "one message each, and none about a failure"
