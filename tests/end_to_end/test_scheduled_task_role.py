# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role scheduled_task on the sandbox: it creates a whole stack, then changes nothing, then removes everything."""

from __future__ import annotations

import json
import os
import subprocess

import parliament
import pytest
import yaml

from tests.end_to_end.aws import aws_client
from tests.end_to_end.refused_variables import unsaid

ACCOUNT = "123456789012"
REGION = "eu-central-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1b2c"
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


@pytest.fixture(autouse=True)
def aws(sandbox):
    """Creates what the role needs."""

    def client(name):
        return aws_client(sandbox, name)

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
        return warm_playbook([included(**variables)], *options).results()

    return run


@pytest.fixture
def course(sandbox, warm_playbook):
    """Runs the role several times in one play, each time in check mode, then really, then once more.

    Returns the three runs of each: results and calls. The keyword ``check_mode`` turns on check mode.
    """

    def play(*variables):
        tasks, seen = [], sandbox.state()["calls"]
        for given in variables:
            for check in (True, False, False):
                end = {"ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}, "failed_when": True}
                tasks.append(
                    {"block": [included(**given)], "check_mode": check, "rescue": [end], "ignore_errors": True}
                )
                tasks.append({"ansible.builtin.debug": {"msg": END}})
        runs = [[]]
        for result in warm_playbook(tasks).results():
            runs[-1].append(result)
            if result.get("msg") == END:
                runs.append([])
        calls = []
        for call in sandbox.journal(since=seen)["calls"]:
            if call["operation"] == "ListRules":  # the first look of a run
                calls.append([])
            if calls:
                calls[-1].append(call)
        assert len(calls) == len(runs) - 1 == 3 * len(variables), [failures(run) for run in runs]
        done = list(zip(runs, calls, strict=False))
        return [done[place : place + 3] for place in range(0, len(done), 3)]

    return play


def check_course(runs):
    """Check mode predicts the changes and writes nothing; a second run looks at each resource once."""
    for (planned, looks), (made, _calls), (again, calls) in runs:
        assert (failures(planned), failures(made), failures(again)) == ([], [], [])
        assert (changes(planned), changes(again)) == (changes(made), 0)
        assert [each["action"] for each in again if each["action"] not in OF_A_QUIET_RUN] == []
        assert [call["operation"] for call in looks + calls if call["write"]] == []
        asked = [(call["operation"], json.dumps(call["parameters"])) for call in calls]
        assert [each for each in asked if asked.count(each) > 1] == []
        assert len(asked) <= 24
        assert result_of(planned) == result_of(made) == result_of(again)


OF_A_QUIET_RUN = {
    "ansible.builtin.debug",
    "ansible.builtin.fail",
    "ansible.builtin.include_role",
    "ansible.builtin.include_tasks",
    "ansible.builtin.set_fact",
    "ansible.builtin.validate_argument_spec",
    "steadyops.ecs.ecs_stack_info",
}
END = "the end of this run"


def included(**variables):
    given = {name: value for name, value in {**STACK, **variables}.items() if value is not None}
    return {"ansible.builtin.include_role": {"name": "steadyops.ecs.scheduled_task"}, "vars": given}


def changes(results):
    """Return how many resources were changed or would be changed."""
    items = [item for result in results for item in result.get("results", [result])]
    # ecs_stack changes many resources in one task.
    return sum(len(item.get("changes") or [item]) for item in items if item.get("changed"))


def failures(results):
    return [result.get("msg") for result in results if result.get("failed")]


def result_of(results):
    facts = [each["ansible_facts"] for each in results if "scheduled_task_result" in each.get("ansible_facts", {})]
    return facts[-1]["scheduled_task_result"]


def writes(sandbox, since=0):
    calls = [call for call in sandbox.journal()["calls"] if call["service"] in WRITES and call["write"]]
    return [call["operation"] for call in calls][since:]


def everything(aws):
    """Return what exists in the account that the role could have created."""
    return {
        "machines": [each["name"] for each in aws("stepfunctions").list_state_machines()["stateMachines"]],
        "schedules": [each["Name"] for each in aws("scheduler").list_schedules()["Schedules"]],
        "rules": sorted(each["Name"] for each in aws("events").list_rules()["Rules"]),
        "roles": sorted(each["RoleName"] for each in aws("iam").list_roles()["Roles"]),
        "groups": [each["logGroupName"] for each in aws("logs").describe_log_groups()["logGroups"]],
        "topics": [each["TopicArn"] for each in aws("sns").list_topics()["Topics"]],
        "policy": aws("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["Policy"],
    }


def findings(policy):
    return [each for each in parliament.analyze_policy_string(json.dumps(policy)).findings if each.severity != "MUTE"]


# Everything that a variable can change without changing a name.
CHANGED = {
    "scheduled_task_task_definition": "report:1",
    "scheduled_task_timeout": "3h",
    "scheduled_task_subnets": "subnet-3",
    "scheduled_task_security_groups": "sg-1",
    "scheduled_task_assign_public_ip": True,
    "scheduled_task_job": {"launch_type": "FARGATE", "retry_failures": {"exit_codes": ["75"]}},
    "scheduled_task_schedule_expression": "cron(0 4 * * ? 2199)",
    "scheduled_task_timezone": "UTC",
    "scheduled_task_suspend": True,
    "scheduled_task_concurrency": "replace",
    "scheduled_task_starting_deadline": "600",
    "scheduled_task_input": {"full": True},
    "scheduled_task_dead_letter_arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead",
    "scheduled_task_schedule": {"flexible_time_window": "15", "maximum_retry_attempts": 3, "description": "Nightly"},
    "scheduled_task_notify": ["catch", "task", "skipped"],
    "scheduled_task_pass_role_arns": f"arn:aws:iam::{ACCOUNT}:role/other",
    "scheduled_task_logging_level": "ALL",
    "scheduled_task_log_retention_days": "60",
    "scheduled_task_tracing": "no",
    "scheduled_task_permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/bounds",
    "scheduled_task_kms_key": KEY,
    "scheduled_task_tags": {"team": "web"},
}
BY_RULE = {"scheduled_task_schedule": {"using": "rule"}, "scheduled_task_timezone": None}
MAIL = {**BY_RULE, "scheduled_task_topic_arn": None, "scheduled_task_emails": "ops@example.org"}
QUIET = {**STACK, "scheduled_task_topic_arn": None, "scheduled_task_logging_level": "OFF"}
ALL_WAYS = {
    **STACK,
    "scheduled_task_topic_arn": None,
    "scheduled_task_emails": ["ops@example.org"],
    "scheduled_task_notify": ["execution", "task"],
}
ABSENT = {"scheduled_task_state": "absent"}


@pytest.mark.usefixtures("within_the_policy")
def test_a_whole_stack(sandbox, aws, role):
    """The role runs with --check and --diff, as a user would run it."""
    before = everything(aws)
    since = len(writes(sandbox))
    planned = role("--check", "--diff")
    assert (failures(planned), writes(sandbox, since)) == ([], [])
    made = role()
    assert (failures(made), changes(made)) == ([], changes(planned))
    assert result_of(made) == result_of(planned)
    assert result_of(made)["schedule"]["schedule_expression_timezone"] == "Europe/Berlin"
    there = everything(aws)
    assert (there["machines"], there["schedules"], there["rules"]) == (["report"], ["report"], ["report-execution"])
    assert there["roles"] == sorted([*before["roles"], "report-schedule", "report-states"])
    assert there["groups"] == [*before["groups"], "/aws/vendedlogs/states/report"]

    seen = sandbox.state()["calls"]
    again = role()
    calls = [(call["operation"], json.dumps(call["parameters"])) for call in sandbox.journal(since=seen)["calls"]]
    assert (failures(again), changes(again)) == ([], 0)
    assert len(set(calls)) == len(calls) <= 20, "each resource is looked at once"

    since = len(writes(sandbox))
    planned = role("--check", scheduled_task_state="absent")
    assert (failures(planned), writes(sandbox, since)) == ([], [])
    gone = role(scheduled_task_state="absent")
    assert (failures(gone), changes(gone)) == ([], changes(planned))
    assert {**everything(aws), "policy": ""} == {**before, "policy": ""}
    assert "report" not in everything(aws)["policy"]


@pytest.mark.long
@pytest.mark.usefixtures("within_the_policy")
def test_every_variable_changes(sandbox, role, course, warm, tmp_path):
    assert failures(role()) == []
    ((_planned, (changed, _calls), _again),) = runs = course(CHANGED)
    check_course(runs)
    # Both roles, the log group and its key, the state machine, the schedule, the rule that comes
    # with its target, and the one that goes with its target.
    assert changes(changed) == 2 + 2 + 1 + 1 + 2 + 2
    assert_quiet(sandbox, warm, tmp_path, included(**CHANGED))


def assert_quiet(sandbox, warm, folder, task):
    """Assert that a run that changes nothing prints little, and no deprecation warning."""
    playbook = folder / "quiet.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    command = warm.command("ansible-playbook", str(playbook))
    environment = {**os.environ, "AWS_URL": sandbox.url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert len((done.stdout + done.stderr).splitlines()) <= 40, done.stdout
    assert "changed=0" in done.stdout
    assert "DEPRECATION" not in done.stdout + done.stderr


@pytest.mark.long
def test_every_variable_changes_back(aws, course):
    check_course(course(CHANGED, {}, ABSENT))
    assert aws("scheduler").list_schedules()["Schedules"] == []


TWO = {**MAIL, "scheduled_task_emails": ["a@example.org", "b@example.org"], "scheduled_task_kms_key": KEY}


@pytest.mark.long
@pytest.mark.usefixtures("within_the_policy")
def test_the_kind_of_schedule_and_the_topic_change(sandbox, aws, course):
    runs = course(BY_RULE, {}, BY_RULE, MAIL, TWO)
    check_course(runs)
    assert result_of(runs[-1][-1][0])["unconfirmed_emails"] == ["a@example.org", "b@example.org"]
    there = everything(aws)
    assert (there["schedules"], there["rules"]) == ([], ["report", "report-execution"])
    assert "report" not in there["policy"]
    topic = TOPIC.replace("alerts", "report-failures")
    assert aws("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["KmsMasterKeyId"] == KEY
    sandbox.confirm_subscription("a@example.org")
    runs = course({**MAIL, "scheduled_task_emails": ["b@example.org"]}, QUIET)
    check_course(runs)
    there = everything(aws)
    assert (there["schedules"], there["rules"], there["topics"]) == (["report"], [], [TOPIC])
    assert there["groups"] == []
    check_course(course(ABSENT))


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
        (source,) = trust["Condition"]["ArnEquals"]["aws:SourceArn"]
        assert source.startswith("arn:aws:")


def test_things_of_others_stay(sandbox, aws, role):
    """Somebody else owns a resource under every name: the role touches none, and one message names all."""
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arns = {}
    for name in ("report-states", "report-schedule"):
        made = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
        arns[name] = made["Role"]["Arn"]
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    tags = [{"key": "team", "value": "web"}]
    machine = aws("stepfunctions").create_state_machine(
        name="report", definition=definition, roleArn=arns["report-states"], tags=tags
    )
    aws("logs").create_log_group(logGroupName="/aws/vendedlogs/states/report")
    aws("sns").create_topic(Name="report-failures")
    for name in ("report", "report-execution", "report-task"):
        aws("events").put_rule(Name=name, EventPattern='{"source": ["aws.ecs"]}')
    target = {"Arn": machine["stateMachineArn"], "RoleArn": arns["report-states"]}
    aws("scheduler").create_schedule(
        Name="report", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )
    before, since = everything(aws), len(writes(sandbox))
    told = []
    for options in (ALL_WAYS, {**ALL_WAYS, **BY_RULE}):
        (message,) = failures(role(**options))
        told.append(message)
    theirs = "state machine report, role report-states, role report-schedule, log group /aws/vendedlogs/states/report, "
    theirs += "rule report-execution, rule report-task, topic report-failures"
    assert told[0].startswith(f"Not managed by this role: {theirs}, schedule report. Nothing was changed.")
    assert told[1].startswith(f"Not managed by this role: {theirs}, rule report. Nothing was changed.")
    assert "tagging them steadyops.ecs/scheduled-task=report" in told[0]
    gone = role(**ABSENT)
    assert (failures(gone), changes(gone)) == ([], 0)
    assert result_of(gone)["not_managed"] == [*theirs.split(", "), "schedule report", "rule report"]
    assert (everything(aws), writes(sandbox, since)) == (before, [])


@pytest.mark.long
def test_a_schedule_by_rule_that_is_the_same_is_taken_over(aws, course, role):
    """Somebody created the same rule with another target id. The role's own resources exist."""
    assert failures(role(**BY_RULE)) == []
    events = aws("events")
    (target,) = events.list_targets_by_rule(Rule="report")["Targets"]
    events.remove_targets(Rule="report", Ids=[target["Id"]])
    events.put_targets(Rule="report", Targets=[{**target, "Id": "theirs"}])
    arn = events.describe_rule(Name="report")["Arn"]
    events.untag_resource(ResourceARN=arn, TagKeys=["steadyops.ecs/scheduled-task"])
    check_course(course({**BY_RULE, "scheduled_task_input": {"full": True}}))
    (target,) = aws("events").list_targets_by_rule(Rule="report")["Targets"]
    assert (target["Id"], json.loads(target["Input"])) == ("theirs", {"full": True})
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert failures(role(**ABSENT)) == []
    assert everything(aws)["rules"] == []


@pytest.mark.long
def test_a_rule_that_others_use_stays_without_our_target(aws, course, role):
    """The rule must not go on to start a state machine that is gone. The target of others goes on being reached."""
    assert failures(role(**BY_RULE)) == []
    events = aws("events")
    events.put_targets(Rule="report", Targets=[{"Id": "theirs", "Arn": TOPIC}])
    check_course(course({**BY_RULE, **ABSENT}))
    assert [each["Id"] for each in events.list_targets_by_rule(Rule="report")["Targets"]] == ["theirs"]
    assert everything(aws)["rules"] == ["report"]
    assert aws("stepfunctions").list_state_machines()["stateMachines"] == []
    assert result_of(role(**BY_RULE, **ABSENT))["kept"] == ["rule report"]


@pytest.mark.long
def test_variables_that_cannot_be_meant(sandbox, aws, tmp_path, warm):
    cases = [
        ({"scheduled_task_name": "a b"}, "`scheduled_task_name` must be 1 to 50 letters"),
        ({"scheduled_task_name": None}, "scheduled_task_name"),
        ({"scheduled_task_state": "paused"}, "scheduled_task_state"),
        ({"scheduled_task_timeout": None}, "`scheduled_task_timeout` is required"),
        ({"scheduled_task_notify": []}, "`scheduled_task_notify` is empty"),
        ({"scheduled_task_notify": ["mail"]}, "scheduled_task_notify"),
        ({"scheduled_task_emails": ["a@b.example"]}, "are mutually exclusive"),
        ({"scheduled_task_log_retention_days": 31}, "scheduled_task_log_retention_days"),
        ({"scheduled_task_schedule": {"input": {}}}, "`scheduled_task_schedule` must not have the key input"),
        ({"scheduled_task_schedule": {"group_name": "none"}}, "The schedule group none does not exist"),
        ({"scheduled_task_schedule": {"using": "rule"}}, "scheduled_task_timezone is not for using=rule"),
        (
            {"scheduled_task_suspend": True, "scheduled_task_enabled": True},
            "`scheduled_task_enabled` are mutually exclusive",
        ),
        ({"scheduled_task_kms_key": KEY.replace(REGION, "us-east-1")}, "is not a key of eu-central-1"),
        ({"scheduled_task_concurrency": "deny"}, "scheduled_task_concurrency"),
        ({"scheduled_task_starting_deadline": "soon"}, "scheduled_task_starting_deadline must be an age such as 7d"),
        ({"scheduled_task_job": {"timeout": 5}}, "`scheduled_task_job` must not have the key timeout"),
        ({"scheduled_task_job": {"launch_typ": "EC2"}}, "launch_typ"),
        (
            {"scheduled_task_schedule_expression": "hourly"},
            "scheduled_task_schedule_expression must be a schedule such as",
        ),
        ({"scheduled_task_task_definition": "unknown"}, "The task definition unknown cannot be seen in eu-central-1"),
        ({"scheduled_task_timeout": "soon"}, "scheduled_task_timeout must be an age such as 7d"),
        ({"scheduled_task_topic_arn": f"{TOPIC}2"}, f"The topic {TOPIC}2 does not exist"),
        ({"scheduled_task_topicarn": TOPIC}, "Did you mean scheduled_task_topic_arn?"),
    ]
    assert unsaid(sandbox, tmp_path, warm, "steadyops.ecs.scheduled_task", STACK, cases) == []
