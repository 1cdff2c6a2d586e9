# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Step Functions of the sandbox: executions that run tasks, and what is reported about them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .aws import client, code, until

ROLE = "arn:aws:iam::123456789012:role/workflow"
RUN = {
    "Cluster": "default",
    "TaskDefinition": "job",
    "LaunchType": "FARGATE",
    "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}},
    "Overrides": {"ContainerOverrides": [{"Name": "app", "Environment": [{"Name": "A", "Value": "b"}]}]},
}


@pytest.fixture
def states(sandbox: Sandbox, ecs: Any) -> Any:
    return client(sandbox, "stepfunctions")


def job(**state: Any) -> dict[str, Any]:
    """Return the definition of one ecs:runTask.sync."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Parameters": RUN, "End": True}
    return {"StartAt": "Run", "States": {"Run": {**task, **state}, "Caught": {"Type": "Succeed"}}}


def start(states: Any, definition: dict[str, Any], given: Any = None, **machine: Any) -> str:
    arn = states.create_state_machine(**{"name": "m", "roleArn": ROLE, **machine}, definition=json.dumps(definition))
    return str(
        states.start_execution(stateMachineArn=arn["stateMachineArn"], input=json.dumps(given or {}))["executionArn"]
    )


def ended(states: Any, arn: str) -> dict[str, Any]:
    def described() -> Any:
        found = states.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    return until(described)  # type: ignore[no-any-return]


def changes(sandbox: Sandbox) -> list[dict[str, Any]]:
    found = [each["event"] for each in sandbox.events()]
    return [event["detail"] for event in found if event["source"] == "aws.states"]


def run_tasks(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [call for call in sandbox.journal()["calls"] if call["operation"] == "RunTask"]


def test_a_job_that_works(sandbox: Sandbox, states: Any) -> None:
    sandbox.program("job", seconds=5, containers={"side": {"exit_code": 143}})
    arn = start(states, job(), {"in": 1})
    found = ended(states, arn)
    assert found["status"] == "SUCCEEDED"
    output = json.loads(found["output"])
    assert {each["Name"]: each["ExitCode"] for each in output["Containers"]} == {"app": 0, "side": 143}
    assert (output["StartedBy"], output["StopCode"]) == ("AWS Step Functions", "EssentialContainerExited")
    assert output["Overrides"]["ContainerOverrides"][0]["Environment"] == [{"Name": "A", "Value": "b"}]
    (call,) = run_tasks(sandbox)
    assert call["parameters"]["networkConfiguration"] == {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    started, done = until(lambda: changes(sandbox)[1:] and changes(sandbox))
    assert (started["status"], started["stopDate"], started["input"]) == ("RUNNING", None, '{"in": 1}')
    assert (done["status"], done["executionArn"], done["output"]) == ("SUCCEEDED", arn, found["output"])
    types = [event["type"] for event in states.get_execution_history(executionArn=arn)["events"]]
    assert types == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_a_job_that_exits_otherwise_tells_why_in_pascal_case(sandbox: Sandbox, states: Any) -> None:
    sandbox.program("job", seconds=1, exit_code=3)
    found = ended(states, start(states, job()))
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(found["cause"])
    assert (cause["StopCode"], cause["Containers"][0]["ExitCode"]) == ("EssentialContainerExited", 3)
    assert cause["StoppedReason"] == "Essential container in task exited"
    assert until(lambda: changes(sandbox)[1:])[0]["error"] == "States.TaskFailed"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "run_task_fails", "reason": "Capacity is unavailable at this time."}, "ECS.AmazonECSException"),
        ({"kind": "throttling", "operations": ["RunTask"]}, "ECS.ThrottlingException"),
        ({"kind": "server_error", "operations": ["RunTask"]}, "ECS.ServerException"),
        ({"kind": "access_denied", "operations": ["RunTask"]}, "ECS.AccessDeniedException"),
    ],
)
def test_a_launch_that_fails(sandbox: Sandbox, states: Any, fault: dict[str, Any], error: str) -> None:
    sandbox.fault(**fault)
    found = ended(states, start(states, job()))
    assert (found["status"], found["error"]) == ("FAILED", error)


def test_a_launch_is_tried_again_after_the_interval_and_at_last_caught(sandbox: Sandbox, states: Any) -> None:
    sandbox.fault("run_task_fails", times=2)
    sandbox.program("job", {"seconds": 1, "exit_code": 1})
    names = ["ECS.AmazonECSException", "AmazonECS.Unknown"]
    found = ended(
        states,
        start(
            states,
            job(
                Retry=[{"ErrorEquals": names, "IntervalSeconds": 20, "BackoffRate": 2, "MaxAttempts": 5}],
                Catch=[{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.problem", "Next": "Caught"}],
            ),
        ),
    )
    assert found["status"] == "SUCCEEDED"
    assert json.loads(json.loads(found["output"])["problem"]["Cause"])["Containers"][0]["ExitCode"] == 1
    first, second, third = (call["time"] for call in run_tasks(sandbox))
    assert second - first >= 0.2
    assert third - second >= 0.4


def test_a_job_that_takes_too_long_is_stopped(sandbox: Sandbox, states: Any, ecs: Any) -> None:
    found = ended(states, start(states, job(TimeoutSeconds=60)))
    assert (found["status"], found["error"]) == ("FAILED", "States.Timeout")
    until(lambda: ecs.list_tasks(desiredStatus="STOPPED")["taskArns"])


def test_an_execution_that_takes_too_long(sandbox: Sandbox, states: Any) -> None:
    found = ended(states, start(states, {**job(), "TimeoutSeconds": 60}))
    assert found["status"] == "TIMED_OUT"
    assert until(lambda: changes(sandbox)[1:])[0]["status"] == "TIMED_OUT"


def test_stopping_an_execution_stops_its_task(sandbox: Sandbox, states: Any, ecs: Any) -> None:
    arn = start(states, job())
    (task,) = until(lambda: ecs.list_tasks()["taskArns"])
    states.stop_execution(executionArn=arn, error="Enough", cause="of that")
    found = states.describe_execution(executionArn=arn)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "of that")
    until(lambda: ecs.describe_tasks(tasks=[task])["tasks"][0]["desiredStatus"] == "STOPPED")
    machine = states.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    listed = states.list_executions(stateMachineArn=machine, statusFilter="ABORTED")["executions"]
    assert [each["executionArn"] for each in listed] == [arn]


def test_a_role_that_may_run_a_task_and_not_wait_for_it(sandbox: Sandbox, states: Any) -> None:
    iam = client(sandbox, "iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="workflow", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    family = "arn:aws:ecs:eu-central-1:123456789012:task-definition/job:*"
    cluster = {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/default"}}
    may: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "ecs:RunTask", "Resource": family, "Condition": cluster}]

    def outcome(name: str) -> tuple[str, str]:
        document = json.dumps({"Version": "2012-10-17", "Statement": may})
        iam.put_role_policy(RoleName="workflow", PolicyName="run", PolicyDocument=document)
        found = ended(states, start(states, job(), name=name))
        return found["status"], found.get("error", "")

    sandbox.program("job", seconds=1)
    assert outcome("without") == ("FAILED", "ECS.AccessDeniedException")
    rule = "arn:aws:events:eu-central-1:123456789012:rule/StepFunctionsGetEventsForECSTaskRule"
    actions = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
    may += [{"Effect": "Allow", "Action": actions, "Resource": rule}]
    may += [{"Effect": "Allow", "Action": ["ecs:StopTask", "ecs:DescribeTasks"], "Resource": "*"}]
    assert outcome("with") == ("SUCCEEDED", "")


def test_express_workflows_tell_nothing(sandbox: Sandbox, states: Any) -> None:
    quick = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    arn = start(states, quick, type="EXPRESS")
    ended(states, arn)
    assert changes(sandbox) == []


def test_messages_are_sent(sandbox: Sandbox, states: Any) -> None:
    sqs, sns = client(sandbox, "sqs"), client(sandbox, "sns")
    url = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    tell = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Next": "Publish", "ResultPath": None}
    tell["Parameters"] = {"QueueUrl": url, "MessageBody": {"failed.$": "$.name"}}
    publish = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}
    publish["Parameters"] = {"TopicArn": topic, "Message.$": "$.name", "Subject": "s"}
    found = ended(
        states, start(states, {"StartAt": "Tell", "States": {"Tell": tell, "Publish": publish}}, {"name": "x"})
    )
    assert found["status"] == "SUCCEEDED", found
    assert json.loads(found["output"])["MessageId"]
    assert json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]) == {"failed": "x"}


def test_cloudtrail_names_step_functions(sandbox: Sandbox, states: Any) -> None:
    sandbox.settings(cloudtrail=True, latencies={"trail": 1})
    start(states, job())

    def records():
        return [each["event"]["detail"] for each in sandbox.events() if "CloudTrail" in each["event"]["detail-type"]]

    (record,) = until(records)
    assert record["userIdentity"]["invokedBy"] == record["sourceIPAddress"] == "states.amazonaws.com"
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == ROLE
    assert record["requestParameters"]["startedBy"] == "AWS Step Functions"


def test_names_are_idempotent_and_unknown_ones_are_refused(states: Any) -> None:
    machine = states.create_state_machine(name="m", definition=json.dumps(job()), roleArn=ROLE)["stateMachineArn"]
    first = states.start_execution(stateMachineArn=machine, name="one", input="{}")
    assert (
        states.start_execution(stateMachineArn=machine, name="one", input="{}")["executionArn"] == first["executionArn"]
    )
    assert code(states.start_execution, stateMachineArn=machine, name="one", input="1") == "ExecutionAlreadyExists"
    assert code(states.start_execution, stateMachineArn=machine, input="{") == "InvalidExecutionInput"
    assert code(states.start_execution, stateMachineArn=machine + "x") == "StateMachineDoesNotExist"
    assert code(states.describe_execution, executionArn=machine) == "ExecutionDoesNotExist"
    wrong = json.dumps({"StartAt": "A", "States": {}})
    assert code(states.create_state_machine, name="n", definition=wrong, roleArn=ROLE) == "InvalidDefinition"
