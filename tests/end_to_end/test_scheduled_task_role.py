# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role scheduled_task on the sandbox: a whole stack, again without a change, and gone."""

from __future__ import annotations

import json

import boto3
import parliament
import pytest

from tests.end_to_end.refused_variables import unsaid

ACCOUNT = "123456789012"
REGION = "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
STACK = {
    "scheduled_task_name": "report",
    "scheduled_task_cluster": "prod",
    "scheduled_task_task_definition": "report",
    "scheduled_task_timeout": "2h",
    "scheduled_task_subnets": ["subnet-1", "subnet-2"],
    "scheduled_task_schedule_expression": "cron(0 3 * * ? 2199)",  # not while a test runs, at a hundredfold speed
    "scheduled_task_timezone": "Europe/Berlin",
    "scheduled_task_job": {"launch_type": "FARGATE", "tags": {"team": "shop"}},
    "scheduled_task_topic_arn": TOPIC,
    "scheduled_task_tracing": True,
    "scheduled_task_tags": {"team": "shop"},
}
WRITES = ("states", "scheduler", "events", "iam", "logs", "sns", "sqs", "ecs")


@pytest.fixture
def aws(sandbox):
    def client(name):
        return boto3.client(name, REGION, endpoint_url=sandbox.url)

    client("sns").create_topic(Name="alerts")
    client("ecs").create_cluster(clusterName="prod")
    client("ecs").register_task_definition(
        family="report",
        taskRoleArn=f"arn:aws:iam::{ACCOUNT}:role/app",
        executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/ecs",
        containerDefinitions=[{"name": "app", "image": "busybox", "memory": 128}],
    )
    return client


@pytest.fixture
def role(warm_playbook):
    def run(*options, **variables):
        given = {**STACK, **variables}
        task = {"ansible.builtin.include_role": {"name": "steadyops.ecs.scheduled_task"}, "vars": given}
        return warm_playbook([task], *options).results()

    return run


def changes(results):
    return [result for result in results if result.get("changed")]


def failures(results):
    return [result.get("msg") for result in results if result.get("failed")]


def writes(sandbox, since=0):
    calls = [call for call in sandbox.journal()["calls"] if call["service"] in WRITES and call["write"]]
    return [call["operation"] for call in calls][since:]


def everything(aws):
    """What there is in the account that the role could have made."""
    return {
        "machines": [each["name"] for each in aws("stepfunctions").list_state_machines()["stateMachines"]],
        "schedules": [each["Name"] for each in aws("scheduler").list_schedules()["Schedules"]],
        "rules": sorted(each["Name"] for each in aws("events").list_rules()["Rules"]),
        "roles": sorted(each["RoleName"] for each in aws("iam").list_roles()["Roles"]),
        "groups": [each["logGroupName"] for each in aws("logs").describe_log_groups()["logGroups"]],
        "policy": aws("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"],
    }


def findings(policy):
    return [each for each in parliament.analyze_policy_string(json.dumps(policy)).findings if each.severity != "MUTE"]


def test_a_whole_stack(sandbox, aws, role):
    before = everything(aws)
    since = len(writes(sandbox))
    assert failures(role("--check")) == []
    assert writes(sandbox, since) == []
    made = role()
    assert failures(made) == []
    assert (
        made[-1]["ansible_facts"]["scheduled_task_result"]["schedule"]["schedule_expression_timezone"]
        == "Europe/Berlin"
    )
    there = everything(aws)
    assert (there["machines"], there["schedules"], there["rules"]) == (["report"], ["report"], ["report-execution"])
    assert there["roles"] == sorted([*before["roles"], "report-schedule", "report-states"])
    assert there["groups"] == [*before["groups"], "/aws/vendedlogs/states/report"]

    since = len(writes(sandbox))
    again = role()
    assert (failures(again), changes(again), writes(sandbox, since)) == ([], [], [])

    since = len(writes(sandbox))
    planned = role("--check", scheduled_task_state="absent")
    assert (failures(planned), writes(sandbox, since)) == ([], [])
    gone = role(scheduled_task_state="absent")
    assert failures(gone) == []
    assert len(changes(planned)) == len(changes(gone)) > 0
    assert {**everything(aws), "policy": ""} == {**before, "policy": ""}
    assert "report" not in everything(aws)["policy"]
    assert changes(role(scheduled_task_state="absent")) == []


@pytest.mark.long
def test_ways_of_being_told_come_and_go(aws, role):
    assert failures(role(scheduled_task_notify=["execution", "catch", "task"])) == []
    assert everything(aws)["rules"] == ["report-execution", "report-task"]
    definition = aws("stepfunctions").describe_state_machine(
        stateMachineArn=f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:report"
    )["definition"]
    assert TOPIC in definition
    assert failures(role(scheduled_task_notify=["task"])) == []
    assert everything(aws)["rules"] == ["report-task"]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"scheduled_task_notify": ["catch"], "scheduled_task_dead_letter_arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"},
        {"scheduled_task_schedule": {"using": "rule"}, "scheduled_task_timezone": "UTC"},
    ],
    ids=str,
)
@pytest.mark.long
def test_policies(aws, role, more):
    assert failures(role(**more)) == []
    iam = aws("iam")
    documents = {
        name: iam.get_role_policy(RoleName=f"report-{name}", PolicyName=policy)["PolicyDocument"]
        for name, policy in (("states", "steadyops-run-task"), ("schedule", "steadyops-start-execution"))
    }
    for document in documents.values():
        assert findings(document) == []
    allowed = {each["Sid"]: each for each in documents["states"]["Statement"]}
    in_cluster = {"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/prod"}}
    assert allowed["RunTask"]["Resource"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/report:*"
    assert allowed["RunTask"]["Condition"] == in_cluster
    assert allowed["StopTask"]["Resource"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/prod/*"
    assert allowed["PassRole"]["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("app", "ecs")]
    assert allowed["PassRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert ("Notify" in allowed) == (more.get("scheduled_task_notify") == ["catch"])
    for name in ("states", "schedule"):
        (trust,) = iam.get_role(RoleName=f"report-{name}")["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
        assert trust["Condition"]["ArnLike"]["aws:SourceArn"].startswith("arn:aws:")


def test_variables_that_cannot_be_meant(sandbox, aws, tmp_path, warm):
    cases = [
        ({"scheduled_task_name": "a b"}, "say 1 to 50 letters"),
        ({"scheduled_task_name": None}, "scheduled_task_name"),
        ({"scheduled_task_state": "paused"}, "scheduled_task_state"),
        ({"scheduled_task_timeout": None}, "Say what to run, when and for how long at most"),
        ({"scheduled_task_notify": []}, "scheduled_task_notify is empty"),
        ({"scheduled_task_notify": ["mail"]}, "scheduled_task_notify"),
        ({"scheduled_task_log_retention_days": 31}, "scheduled_task_log_retention_days"),
        ({"scheduled_task_schedule": {"input": {}}}, "scheduled_task_schedule has input"),
        ({"scheduled_task_job": {"timeout": 5}}, "scheduled_task_job has timeout"),
        ({"scheduled_task_schedule_expression": "hourly"}, "is no schedule"),
        ({"scheduled_task_task_definition": "unknown"}, "The task definition unknown cannot be seen in eu-central-1"),
        ({"scheduled_task_timeout": "soon"}, "job.timeout is 'soon'"),
    ]
    assert unsaid(sandbox, tmp_path, warm, "steadyops.ecs.scheduled_task", STACK, cases) == []
