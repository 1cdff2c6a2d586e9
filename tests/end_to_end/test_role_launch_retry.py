# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role launch_retry: its stack retries refused launches from both sources, and is removed again."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import failure_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import read_filters
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.failure_alerts.variables import read_alerts
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.launch_retry.plan import TASKS as STEPS
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.launch_retry.read import known_variables

from tests.end_to_end.aws import aws_client
from tests.end_to_end.launches import (
    FUNCTION,
    JOB,
    KNOWN,
    NAME,
    NUMBER,
    REGION,
    ROLE,
    TOPIC,
    Launches,
    five_broken_among_fifty,
    refusals_for_ever,
    seven_of_ten,
    the_same_record_three_times,
    three_refusals_and_then_a_task,
    what_would_be_refused_again,
)
from tests.end_to_end.programs import Warm, until
from tests.end_to_end.refused_variables import unsaid
from tests.end_to_end.warm_python import SETTINGS
from tests.policies import complaints
from tests.sandbox.access.policy_check import why_not

WHOLE = {
    "clusters": ["prod", "nowhere"],
    "task_families": ["report"],
    "log_group": "trail",
    "max_attempts": 3,
    "base_delay": 20,
    "max_delay": 60,
    "topic_arn": TOPIC,
    "tags": {"team": "shop"},
    "launch_templates": KNOWN,
}
RULES = [f"{NAME}-launch", f"{NAME}-stopped"]
# The only resources of ListTasks are container instances, and the role names none, so AWS's own examples have a star.
STAR = ["RESOURCE_STAR:  ['ecs:ListTasks']"]
TASKS, DEFINITIONS = (f"arn:aws:ecs:{REGION}:{NUMBER}:{kind}" for kind in ("task", "task-definition"))


def labels(result: dict[str, Any]) -> list[str | None]:
    """Return the labels of what a task has changed. ecs_stack changes many resources in one task."""
    changes = result.get("changes")
    return [each["label"] for each in changes] if changes else [result.get("_ansible_item_label")]


class Role(Launches):
    """The role, run again and again on one account."""

    def __init__(self, sandbox: Any, folder: Path, warm: Warm) -> None:
        super().__init__(sandbox)
        self.folder, self.warm = folder, warm
        self.before = self.left()

    def run(self, *options: str, **variables: Any) -> dict[str, Any]:
        """Run the role. Return ``changed`` (what changed, in order), ``writes``, and the words of failures."""
        said = {f"launch_retry_{name}": value for name, value in variables.items()}
        said["launch_retry_package_dir"] = str(self.folder)
        play = {"hosts": "localhost", "gather_facts": False, "vars": said, "roles": ["steadyops.ecs.launch_retry"]}
        playbook = self.folder / "retry.yml"
        playbook.write_text(yaml.safe_dump([play]))
        seen = self.sandbox.state()["calls"]
        command = self.warm.command("ansible-playbook", str(playbook), "--diff", *options)
        environment = {**os.environ, **SETTINGS, "AWS_URL": self.sandbox.url}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stdout + done.stderr, done.stdout
        results = [
            (task["task"]["name"].rpartition(" : ")[2], each)
            for play in json.loads(done.stdout)["plays"]
            for task in play["tasks"]
            for result in [task["hosts"].get("localhost", {})]
            for each in result.get("results", [result])
        ]
        calls = self.sandbox.journal(since=seen)["calls"]
        return {
            "calls": calls,
            "changed": [(name, label) for name, each in results if each.get("changed") for label in labels(each)],
            "writes": [call["operation"] for call in calls if call["write"]],
            "failed": [str(each["msg"]) for _name, each in results if each.get("failed") and each.get("msg")],
            "result": next((each["ansible_facts"] for _name, each in results[::-1] if "ansible_facts" in each), {}),
            "notes": [
                note for name, each in results if name == "Show what needs attention" for note in each.get("msg", [])
            ],
        }

    def done(self, *options: str, **variables: Any) -> dict[str, Any]:
        """Run the role in check mode and then really. Assert that the prediction holds, and return the real run."""
        predicted = self.run("--check", *options, **variables)
        assert (predicted["failed"], predicted["writes"]) == ([], [])
        made = self.run(*options, **variables)
        assert made["failed"] == []
        assert made["changed"] == predicted["changed"]
        return made

    def left(self) -> dict[str, Any]:
        """Return what exists in the account."""
        aws = self.aws
        trail = aws["logs"].describe_subscription_filters(logGroupName="trail")["subscriptionFilters"]
        functions = [each["FunctionName"] for each in aws["lambda"].list_functions()["Functions"]]
        return {
            "rules": sorted(each["Name"] for each in aws["events"].list_rules()["Rules"]),
            "filters": [each["filterName"] for each in trail],
            "topics": [each["TopicArn"] for each in aws["sns"].list_topics()["Topics"]],
            "queues": [url.rsplit("/", 1)[-1] for url in aws["sqs"].list_queues().get("QueueUrls", [])],
            "roles": [each["RoleName"] for each in aws["iam"].list_roles()["Roles"]],
            "functions": functions,
            "mappings": len(aws["lambda"].list_event_source_mappings()["EventSourceMappings"]),
            "alarms": [each["AlarmName"] for each in aws["cloudwatch"].describe_alarms()["MetricAlarms"]],
            "logs": [each["logGroupName"] for each in aws["logs"].describe_log_groups()["logGroups"]],
            "let in": sorted(self.let_in()) if functions else [],
        }

    def let_in(self) -> list[str]:
        """Return who may invoke the function: each service with its source ARN."""
        try:
            policy = json.loads(self.aws["lambda"].get_policy(FunctionName=NAME)["Policy"])
        except self.aws["lambda"].exceptions.ResourceNotFoundException:
            return []
        return [
            f"{each['Principal']['Service']} {each['Condition']['ArnLike']['AWS:SourceArn']}"
            for each in policy["Statement"]
        ]

    def allowed(self) -> dict[str, Any]:
        """Return the policy of the function's role."""
        return self.aws["iam"].get_role_policy(RoleName=NAME, PolicyName="start-tasks-again")["PolicyDocument"]


@pytest.fixture
def role(sandbox, tmp_path, warm):
    return Role(sandbox, tmp_path, warm)


def refused_launches_come_back(role: Role, way: str) -> None:
    """Play everything that may happen to a launch in the stack that the role has created."""
    for happens in (
        three_refusals_and_then_a_task,
        refusals_for_ever,
        seven_of_ten,
        lambda launches: the_same_record_three_times(launches, way),
        lambda launches: what_would_be_refused_again(launches, "denied"),
        lambda launches: what_would_be_refused_again(launches, "unknown cluster"),
        lambda launches: what_would_be_refused_again(launches, "inactive task definition"),
        lambda launches: five_broken_among_fifty(launches, way),
    ):
        role.begin()
        happens(role)


@pytest.mark.usefixtures("within_the_policy")
def test_by_eventbridge_from_nothing_to_nothing(role):
    made = role.done(**WHOLE)
    assert made["result"]["launch_retry_result"]["function_arn"] == FUNCTION
    there = role.left()
    assert there["rules"] == RULES
    assert there["let in"] == [f"events.amazonaws.com arn:aws:events:{REGION}:{NUMBER}:rule/{name}" for name in RULES]
    nothing_to_do(role)

    function = role.aws["lambda"].get_function(FunctionName=NAME)
    assert function["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    (mapping,) = role.aws["lambda"].list_event_source_mappings()["EventSourceMappings"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    (alarm,) = role.aws["cloudwatch"].describe_alarms()["MetricAlarms"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"{NAME}-dead-letters"}]
    (group,) = role.aws["logs"].describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}")["logGroups"]
    assert group["retentionInDays"] == 30
    allows_that_and_nothing_else(role.allowed())

    with alerts_beside(role):
        refused_launches_come_back(role, "eventbridge")
        role.begin()
        what_the_function_does_not_take(role)

    role.done(state="absent", **WHOLE)
    assert role.left() == role.before
    again = role.run(state="absent", **WHOLE)
    assert (again["failed"], again["changed"], again["writes"]) == ([], [], [])


def nothing_to_do(role: Role) -> None:
    """Run the playbook again, as a user would see it."""
    said = {f"launch_retry_{name}": value for name, value in WHOLE.items()}
    (role.folder / "said.json").write_text(json.dumps({**said, "launch_retry_package_dir": str(role.folder)}))
    seen = role.sandbox.state()["calls"]
    command = role.warm.command("ansible-playbook", "steadyops.ecs.launch_retry", "-e", f"@{role.folder}/said.json")
    environment = {**os.environ, "AWS_URL": role.sandbox.url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "changed=0" in done.stdout, done.stdout
    assert "failed=0" in done.stdout
    assert [call["operation"] for call in role.sandbox.journal(since=seen)["calls"] if call["write"]] == []
    assert f"{FUNCTION} retries refused launches (eventbridge) and tells {TOPIC}" in done.stdout
    assert len((done.stdout + done.stderr).splitlines()) <= 40, done.stdout


@contextmanager
def alerts_beside(role: Role) -> Iterator[None]:
    """Create failure_alerts' rule for refused launches, with the queue to which the function's topic also sends.

    So a launch that both report leaves two messages there, and one that neither reports leaves none.
    """
    beside = {"retried_clusters": WHOLE["clusters"], "retried_task_families": WHOLE["task_families"]}
    said = read_alerts({"queue": "alerts", "kinds": ["launch"], "rule_options": {"launch": beside}}).rules["launch"]
    pattern = failure_pattern("launch", read_filters("launch", said))
    role.aws["events"].put_rule(Name="alerts", EventPattern=json.dumps(pattern))
    queue = f"arn:aws:sqs:{REGION}:{NUMBER}:alerts"
    role.aws["events"].put_targets(Rule="alerts", Targets=[{"Id": "queue", "Arn": queue}])
    yield
    role.aws["events"].remove_targets(Rule="alerts", Ids=["queue"])
    role.aws["events"].delete_rule(Name="alerts")


def what_the_function_does_not_take(role: Role) -> None:
    """Assert that only failure_alerts reports a launch elsewhere."""
    with pytest.raises(role.aws["ecs"].exceptions.ClientError):
        role.aws["ecs"].run_task(**{**JOB, "cluster": "elsewhere"})
    alerts: list[str] = []
    until(lambda: alerts.extend(role.in_queue("alerts")) or alerts, "the alert")
    (alert,) = map(json.loads, alerts)
    assert alert["detail"]["requestParameters"]["cluster"] == "elsewhere"
    assert role.in_queue(f"{NAME}-dead-letters") == []


def allows_that_and_nothing_else(policy: dict[str, Any]) -> None:
    assert complaints(policy) == STAR
    prod, other = ({"ecs:cluster": f"arn:aws:ecs:{REGION}:{NUMBER}:cluster/{name}"} for name in ("prod", "other"))
    ecs, ec2 = ({"iam:passedtoservice": f"{name}.amazonaws.com"} for name in ("ecs-tasks", "ec2"))
    created = {"ecs:createaction": "RunTask"}
    sqs = f"arn:aws:sqs:{REGION}:{NUMBER}"
    task, execution, admin = (f"arn:aws:iam::{NUMBER}:role/{name}" for name in ("task", "execution", "admin"))
    for action, resource, context in (
        ("ecs:RunTask", f"{DEFINITIONS}/report:7", prod),
        ("ecs:TagResource", f"{TASKS}/prod/1", created),
        ("ecs:ListTasks", None, prod),
        ("iam:PassRole", task, ecs),
        ("iam:PassRole", execution, ecs),
        ("sqs:SendMessage", f"{sqs}:{NAME}", {}),
        ("sqs:SendMessage", f"{sqs}:{NAME}-dead-letters", {}),
        ("sqs:ReceiveMessage", f"{sqs}:{NAME}", {}),
        ("sns:Publish", TOPIC, {}),
        ("logs:PutLogEvents", f"arn:aws:logs:{REGION}:{NUMBER}:log-group:/aws/lambda/{NAME}:log-stream:x", {}),
    ):
        assert why_not(policy, None, action, resource, context) is None
    for action, resource, context in (
        ("ecs:RunTask", f"{DEFINITIONS}/report:7", other),
        ("ecs:RunTask", f"{DEFINITIONS}/report-2:7", prod),
        ("ecs:TagResource", f"{TASKS}/prod/1", {}),
        ("ecs:StopTask", f"{TASKS}/prod/1", {}),
        ("ecs:ListTasks", None, other),
        ("iam:PassRole", admin, ecs),
        ("iam:PassRole", task, ec2),
        ("sqs:SendMessage", f"{sqs}:alerts", {}),
        ("sqs:ReceiveMessage", f"{sqs}:{NAME}-dead-letters", {}),
        ("sns:Publish", f"{TOPIC}-2", {}),
    ):
        assert why_not(policy, None, action, resource, context)


@pytest.mark.long
@pytest.mark.usefixtures("within_the_policy")
def test_by_the_log_of_the_trail_and_then_by_eventbridge(role):
    by_log = {**WHOLE, "source": "log_subscription"}
    assert role.run(**by_log)["failed"] == []
    there = role.left()
    assert (there["rules"], there["filters"]) == (RULES[1:], [NAME])
    assert there["let in"] == [
        f"events.amazonaws.com arn:aws:events:{REGION}:{NUMBER}:rule/{NAME}-stopped",
        f"logs.amazonaws.com arn:aws:logs:{REGION}:{NUMBER}:log-group:trail:*",
    ]
    again = role.run(**by_log)
    assert (again["failed"], again["changed"], again["writes"]) == ([], [], [])
    refused_launches_come_back(role, "log_subscription")

    # The log group is no longer named, and from now on the function also gets stopped tasks.
    switched = {name: value for name, value in WHOLE.items() if name not in ("log_group", "topic_arn")}
    template = {"networkConfiguration": JOB["networkConfiguration"]}
    switched |= {"emails": ["ops@example.com"], "stopped_tasks": ["spot"], "launch_templates": {"report": template}}
    made = role.done(**switched)
    there = role.left()
    assert (there["rules"], there["filters"]) == (RULES, [])
    assert [each.partition(" ")[0] for each in there["let in"]] == ["events.amazonaws.com"] * 2
    assert made["result"]["launch_retry_result"]["unconfirmed_emails"] == ["ops@example.com"]
    assert complaints(role.allowed()) == STAR

    role.begin()
    (first,) = role.aws["ecs"].run_task(**JOB)["tasks"]
    until(lambda: role.tasks()[0]["lastStatus"] == "RUNNING", "the task")
    role.sandbox.act("interrupt", task=first["taskArn"])
    until(lambda: len(role.calls()) == 2, "the second call")
    until(lambda: [task["taskArn"] for task in role.tasks()] not in ([], [first["taskArn"]]), "the other task")

    # After one variable is changed back, nothing of EventBridge and of the mails is left.
    assert role.run(**by_log)["failed"] == []
    there = role.left()
    assert (there["rules"], there["filters"]) == (RULES[1:], [NAME])
    assert there["let in"] == [
        f"events.amazonaws.com arn:aws:events:{REGION}:{NUMBER}:rule/{NAME}-stopped",
        f"logs.amazonaws.com arn:aws:logs:{REGION}:{NUMBER}:log-group:trail:*",
    ]
    assert there["topics"] == role.before["topics"]
    assert role.run(state="absent")["failed"] == []
    assert role.left() == role.before


TAG = f"steadyops.ecs/launch-retry={NAME}"
EVERYTHING = [
    f"rule {NAME}-launch",
    f"rule {NAME}-stopped",
    f"role {NAME}",
    f"queue {NAME}-dead-letters",
    f"queue {NAME}",
    f"topic {NAME}-given-up",
    f"function {NAME}",
    f"log group /aws/lambda/{NAME}",
    f"alarm {NAME}-dead-letters",
    f"subscription filter {NAME} of trail",
]


def somebody_elses(aws: dict[str, Any]) -> None:
    """Create a resource without the tag under every name that the role uses."""
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": NUMBER}, "Action": "*"}]}
    aws["iam"].create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust))
    for queue in (NAME, f"{NAME}-dead-letters"):
        aws["sqs"].create_queue(QueueName=queue, tags={"steadyops.ecs/launch-retry": "another"})
    aws["sns"].create_topic(Name=f"{NAME}-given-up")
    for rule in ("launch", "stopped"):
        aws["events"].put_rule(Name=f"{NAME}-{rule}", EventPattern='{"source": ["aws.ecs"]}')
        aws["events"].put_targets(Rule=f"{NAME}-{rule}", Targets=[{"Id": "retry", "Arn": FUNCTION}])
    code = {"ZipFile": b"x"}
    for function in (NAME, "other"):
        aws["lambda"].create_function(FunctionName=function, Role=ROLE, Runtime="python3.13", Handler="a.b", Code=code)
    queue = f"arn:aws:sqs:{REGION}:{NUMBER}:{NAME}"
    aws["lambda"].create_event_source_mapping(FunctionName=FUNCTION, EventSourceArn=queue)
    aws["logs"].create_log_group(logGroupName=f"/aws/lambda/{NAME}")
    aws["cloudwatch"].put_metric_alarm(
        AlarmName=f"{NAME}-dead-letters", Namespace="AWS/SQS", MetricName="NumberOfMessagesSent", Period=60,
        Dimensions=[{"Name": "QueueName", "Value": f"{NAME}-dead-letters"}], EvaluationPeriods=1, Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold", Threshold=5,
    )  # fmt: skip
    other = f"{FUNCTION.rpartition(':')[0]}:other"
    aws["lambda"].add_permission(
        FunctionName="other", StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com"
    )
    # Nothing matches the filter, but CloudWatch Logs invokes the function once as a check, which creates its log group.
    never = {"filterPattern": "never", "destinationArn": other}
    aws["logs"].put_subscription_filter(logGroupName="trail", filterName=NAME, **never)


def test_what_is_somebody_elses_is_left_alone(role):
    somebody_elses(role.aws)
    assert role.sandbox.settle()
    theirs = role.left()
    for options in ((), ("--check",)):
        refused = role.run(*options, **WHOLE)
        assert refused["writes"] == []
        assert refused["failed"] == [
            f"Not managed by this role: {', '.join(EVERYTHING)}. Nothing was changed. Choose another "
            f"launch_retry_name, or hand the resources over to the role by tagging them {TAG}."
        ]
    gone = role.run(state="absent", log_group="trail")
    assert (gone["failed"], gone["changed"], gone["writes"]) == ([], [], [])
    assert gone["result"]["launch_retry_result"]["not_managed"] == EVERYTHING
    assert gone["notes"] == [f"Not removed, because this role does not manage them: {', '.join(EVERYTHING)}."]
    assert role.left() == theirs


@pytest.mark.long
def test_every_change_is_predicted_and_check_mode_writes_nothing(role):
    """The role starts from nothing, changes everything, changes everything back, and removes everything."""
    template = {"networkConfiguration": JOB["networkConfiguration"]}
    boundary = f"arn:aws:iam::{NUMBER}:policy/boundary"
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    role.aws["iam"].create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))
    first = {"clusters": "prod", "task_families": "report", "max_attempts": "{{ 3 }}", "source": "eventbridge"}
    changed = {
        "source": "log_subscription",
        "log_group": f"arn:aws:logs:{REGION}:{NUMBER}:log-group:trail:*",
        "clusters": ["prod", "other"],
        "task_families": ["report", "import"],
        "pass_role_arns": {"report": [f"arn:aws:iam::{NUMBER}:role/task"], "import": []},
        "volume_role_arns": f"arn:aws:iam::{NUMBER}:role/volumes",
        "rebuild_hidden": True,
        "allow_role_overrides": True,
        "allow_execute_command": "yes",
        "trusted_callers": f"arn:aws:iam::{NUMBER}:role/pipeline-*",
        "max_attempts": 4,
        "max_age": 7200,
        "base_delay": 30,
        "max_delay": 60,
        "rotate_subnets": False,
        "fargate_after": 1,
        "retry_quota": True,
        "tag_tasks": False,
        "stopped_tasks": "spot",
        "launch_templates": {"report": template},
        "rules": [{"action": "retry", "exit_codes": "75"}],
        "left_alone_started_by": [],
        "left_alone_clusters": "batch-*",
        "left_alone_services": [],
        "errors_left_to": [],
        "emails": "ops@example.com",
        "alarm_actions": TOPIC,
        "reserved_concurrency": -1,
        "runtime": "python3.12",
        "log_retention_days": 60,
        "permissions_boundary": boundary,
        "kms_key": aws_client(role.sandbox, "kms").create_key()["KeyMetadata"]["Arn"],
        "tags": {"team": "shop"},
    }
    assert changed.keys() | {"state", "name"} >= set(known_variables()) - set(EXCLUSIVE)
    role.done(**first)
    made = role.done("--diff", **changed)
    assert {task for task, _label in made["changed"]} == CHANGES_EVERYTHING
    again = role.run(**changed)
    assert (again["failed"], again["changed"], again["writes"]) == ([], [], [])
    assert no_call_twice(again["calls"]) == []
    (log,) = role.aws["logs"].describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    assert log["retentionInDays"] == 60
    back = role.done(**first)
    assert f"topic {NAME}-given-up" in {label for task, label in back["changed"] if task == STEPS["old_topics"]}
    again = role.run(**first)
    assert (again["failed"], again["changed"], again["writes"]) == ([], [], [])
    assert no_call_twice(again["calls"]) == []
    role.done(state="absent")
    assert role.left() == role.before


EXCLUSIVE = {"topic_arn", "event_pattern", "filter_pattern", "region", "profile", "assume_role_arn",
             "assume_role_duration", "package_dir", "result"}  # fmt: skip
CHANGES_EVERYTHING = {
    STEPS[key]
    for key in (
        "roles", "log_groups", "log_group_keys", "queues", "topics", "functions", "concurrency", "alarms",
        "rules", "subscriptions", "old_targets", "old_rules",
    )
}  # fmt: skip


def no_call_twice(calls: list[dict[str, Any]]) -> list[str]:
    """Return the calls that were made more than once with the same parameters."""
    counts = Counter(f"{call['operation']} {json.dumps(call['parameters'], sort_keys=True)}" for call in calls)
    return [call for call, count in counts.items() if count > 1]


@pytest.mark.parametrize(
    ("trail", "words"),
    [("stopped", "No CloudTrail trail logs management events"), ("denied", "may not read trails"), ("logging", "")],
)
@pytest.mark.sampled(3)
def test_without_a_trail_there_is_a_note(role, trail, words):
    if trail == "stopped":
        role.aws["cloudtrail"].stop_logging(Name="trail")
    if trail == "denied":
        role.sandbox.fault("access_denied", operations=["DescribeTrails"])
    done = role.run("--check", **WHOLE)
    assert done["failed"] == []
    assert [words in note for note in done["notes"]] == ([True] if words else [])


@pytest.mark.long
def test_variables_that_cannot_be_meant(role):
    cases = [
        ({"state": "paused"}, "launch_retry_state"),
        ({"max_atempts": 3}, "launch_retry_max_atempts: the role launch_retry has no such variable"),
        ({"max_atempts": 3, "state": "absent"}, "Did you mean launch_retry_max_attempts?"),
        ({"name": "my retries"}, "launch_retry_name must have 1 to 40 letters"),
        ({"rules": [{"exit_codes": [1]}]}, "action"),
        ({"max_attempts": 51}, "launch_retry_max_attempts must be a whole number from 1 to 50"),
        ({"task_families": ["unknown"]}, "The task definition unknown does not exist in eu-central-1"),
        ({"event_pattern": {"source": "aws.ecs"}}, "launch_retry_event_pattern: source"),
        ({"source": "log_subscription", "log_group": "nowhere"}, "The log group nowhere does not exist"),
        ({"source": "log_subscription", "filter_pattern": "{ $.a EXISTS }"}, "EXISTS is not supported"),
    ]
    usual = {name: each for name, each in WHOLE.items() if name != "launch_templates"}
    cases = [({f"launch_retry_{name}": each for name, each in said.items()}, words) for said, words in cases]
    usual = {f"launch_retry_{name}": each for name, each in {**usual, "package_dir": str(role.folder)}.items()}
    assert unsaid(role.sandbox, role.folder, role.warm, "steadyops.ecs.launch_retry", usual, cases) == []
