# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the smoke test for a live account decides from its record, and what its report shows."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from tests.live.check import problems_of_network
from tests.live.questions import NOT_ASKED, QUESTIONS
from tests.live.report import masked, report
from tests.live.sweep import is_ours

ROOT = Path(__file__).parents[3]
LIVE, TASK, MARK = "steadyops-live", "ECS Task State Change", "steadyops.ecs/live-mark"


def task(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "status": "RUNNING", "desired": "RUNNING", "zone": "a", "tags": {}, "details": [], **more}


def alert(kind: str, name: str) -> dict[str, Any]:
    return {"detail_type": kind, "service" if kind != TASK else "task_definition": f"arn:x:y/{LIVE}-{name}:7"}


def launch(what: str, code: str | None = None, message: str = "", **more: Any) -> dict[str, Any]:
    return {"what": what, "code": code, "message": message, "failures": [], "tasks": [what], **more}


def decision(decided: str, family: str) -> dict[str, Any]:
    return {"decision": decided, **({"task_definition": f"{LIVE}-{family}:1"} if family else {})}


def record_of_launch(started_by: str, environment: Any) -> dict[str, Any]:
    asked = {"cluster": LIVE, "taskDefinition": f"{LIVE}-exit", "launchType": "FARGATE", "networkConfiguration": {}}
    overrides = {"containerOverrides": [{"name": "app", "environment": environment}]}
    parameters = {**asked, "startedBy": started_by, "overrides": overrides}
    return {"detail-type": "AWS API Call via CloudTrail", "detail": {"requestParameters": parameters}}


OLD = task("old", stopping=100.0, execution_stopped=101.0, exit_codes=[0], details=["ipv6Address", "subnetId"])
NEW = task("new", tags={MARK: "before"})
NO_ROOM = "No Container Instances were found in your cluster."
BELIEVED: dict[str, Any] = {
    "run": {"speed": 1, "region": "eu-central-1"},
    "trail": {"logging": True},
    "stop": {
        "drain": 45,
        "looks": [
            {"at": 0.0, "old": OLD, "target": "draining", "new": None, "new_target": "none"},
            {"at": 60.0, "old": OLD, "target": "none", "new": NEW, "new_target": "none"},
            {"at": 75.0, "old": OLD, "target": "none", "new": NEW, "new_target": "healthy"},
        ],
        "later": NEW,
        "untag": {"unknown": {"code": "InvalidParameterException", "message": "The task was not found."}},
    },
    "protected": {"code": None, "looks": [{"task": task("old", desired="STOPPED", status="DEACTIVATING")}]},
    "deregister": {
        "looks": [{"at": at, "target": target, "desired": "RUNNING"} for at, target in
                  ((0, "healthy"), (1, "draining"), (9, "initial"))],
    },
    "lower": {
        "above": [{"desired": 4}],
        "before": [task(name) for name in "abcd"],
        "lowered": [{"at": 0, "kept": [*"abcd"]}, {"at": 14, "kept": [*"acd"]}],
        "three": [task(name) for name in "acd"],
        "within": 0.4,
        "stopped": [{"at": 0, "kept": [*"cd"]}],
        "max_suspended": 2,
        "max_resumed": 2,
    },
    "recycle_stop_task": {"recycle": {"status": "recycled", "replaced": [1, 2]}},
    "recycle_scale_in": {"recycle": {"status": "recycled", "replaced": [1, 2]}},
    "role_failure_alerts": {"role": "failure_alerts", "refused": False, "works": True, "message": ""},
    "leftovers": [],
    "deploy": {"old": f"{LIVE}-other", "looks": [{"new": [f"{LIVE}-bad", f"{LIVE}-other"]}]},
    "patterns": {"compared": 9, "different": [], "refused": []},
    "launches": [
        launch("denied", "AccessDeniedException", "no iam:PassRole"),
        launch("short"),
        launch("no-instance", "InvalidParameterException", NO_ROOM),
        launch("no-subnet", "InvalidParameterException", "does not exist (ErrorCode: InvalidSubnetID.NotFound)"),
        launch("inactive", "ClientException", "TaskDefinition is inactive"),
    ],
    "executions": {"listed": True, "seconds": 1.2, "ended": "ABORTED", "code": None, "afterwards": "ABORTED"},
    "table": {"tags": 50, "more": False},
    "collect": {
        "deployments": [{"status": "ROLLBACK_SUCCESSFUL"}, {"status": "STOPPED"}],
        "executions": ["RUNNING", "SUCCEEDED"],
        "tasks": [task("short", stop_code="TaskFailedToStart", reason="Task failed to start", exit_codes=[0, None])],
        "service_events": [f"(service {LIVE}-web) has reached a steady state."],
        "events": [
            {"detail-type": "ECS Deployment State Change", "detail": {"eventName": "SERVICE_DEPLOYMENT_FAILED"}},
            record_of_launch("exit", "HIDDEN_DUE_TO_SECURITY_REASONS"),
            {"detail-type": "AWS API Call via CloudTrail",
             "detail": {"requestParameters": None, "errorCode": "AccessDenied", "errorMessage": "no"}},
        ],
        "alerts": [alert(TASK, "exit"), alert(TASK, "pull"), alert(TASK, "bad"),
                   alert("ECS Deployment State Change", "other")],
        "decisions": [*[decision("retry", "ec2")] * 2, decision("give up", "ec2"), decision("give up", "exit"),
                      decision("give up", "inactive"), decision("give up", ""), decision("ignore", "exit")],
    },
}  # fmt: skip
BY_NAME = {each.decide.__name__: each for each in QUESTIONS}
PATH = re.compile(r"\w+")

# Question, what was seen instead (a path into the record and its value), the verdict, and words of the answer.
OTHERWISE = [
    ("stop_drains", "stop.looks.2.old.execution_stopped", 145.0, False, "SIGTERM 45 s after StopTask"),
    ("stop_drains", "stop.looks.2.old.execution_stopped", None, None, "did not end"),
    ("stop_protected", "protected.code", "ClientException", False, "refused: ClientException"),
    ("stop_protected", "protected.looks.0.task.desired", "RUNNING", False, "desired status RUNNING"),
    ("second_stop", "lower.stopped.0.kept", ["c"], False, "2 of 3 tasks stopped, 0 started"),
    ("second_stop", "lower.stopped.0.kept", ["c", "d", "e"], False, "1 of 3 tasks stopped, 1 started"),
    ("second_stop", "lower.within", 8.0, None, "lowered after 8.0 s"),
    ("surplus", "lower.lowered.1.at", 61, False, "after 61 s"),
    ("surplus", "lower.lowered.1.kept", [*"abcd"], False, "nothing stopped"),
    ("choice", "lower.lowered.1.kept", [*"abcd"], None, "not reached"),
    ("registered", "stop.looks.2.at", 400.0, False, "after 340 s"),
    ("registered", "stop.looks.2.new_target", "none", False, "no new task"),
    ("reregistered", "deregister.looks.2.target", "none", False, "not registered again"),
    ("reregistered", "deregister.looks.1.target", "healthy", None, "stayed registered"),
    ("tags_of_new_tasks", "stop.later.tags", {MARK: "after"}, False, "'after' after the tag changed"),
    ("untag_gone", "stop.untag.unknown.code", "ClientException", False, "unknown: ClientException"),
    ("ipv6_field", "stop.looks.0.old.details", ["privateIPv6Address"], False, "privateIPv6Address"),
    ("ipv6_field", "stop.looks.0.old.details", ["subnetId"], None, "subnetId"),
    ("clamped", "lower.above", [{"desired": 4}, {"desired": 2}], False, "desired count: 4, 2"),
    ("missed", "lower.max_resumed", 9, False, "9 afterwards"),
    ("recycled_by_stop_task", "recycle_stop_task.recycle.status", "failed", False, "status failed"),
    ("recycled_by_scale_in", "recycle_scale_in", {"failed": True, "msg": "denied"}, False, "denied"),
    ("policies", "role_failure_alerts.refused", True, False, "failure_alerts"),
    ("removed", "leftovers", ["rule x"], False, "rule x"),
    ("failed_deployment", "collect.events.0.detail-type", "ECS Service Action", False, "ECS Service Action"),
    ("failed_deployment", "collect.events", [], None, "no such event"),
    ("superseded", "collect.deployments.1.status", "SUCCESSFUL", False, "SUCCESSFUL, ROLLBACK_SUCCESSFUL"),
    ("own_revision", "deploy.looks.0.new", [f"{LIVE}-bad"], False, "new tasks of steadyops-live-bad"),
    ("service_events", "collect.service_events.0", "is on holiday", False, "is on holiday"),
    ("same_matches", "patterns.different", ["exit_1"], False, "exit_1"),
    ("same_matches", "role_failure_alerts.works", False, False, "9 events"),
    ("alerts_of_failures", "collect.alerts.0", alert(TASK, "web"), False, "steadyops-live-exit"),
    ("short_job", "collect.tasks.0.reason", "StoppedForANewReason", False, "StoppedForANewReason"),
    ("short_job", "collect.alerts.0", alert(TASK, "short"), False, "an alert"),
    ("short_job", "collect.tasks.0.stop_code", None, None, "did not end"),
    ("hidden", "collect.events.1", record_of_launch("exit", [{"name": "A"}]), False, '"name": "A"'),
    ("hidden", "trail.logging", False, None, "no trail"),
    ("denied", "launches.0.code", None, False, "was not refused"),
    ("denied", "collect.events.2.detail.errorCode", "AccessDeniedException", False, "AccessDeniedException"),
    ("denied", "collect.events.2.detail.errorCode", None, None, "did not arrive"),
    ("refusals", "launches.2.message", "There is no room.", False, "There is no room."),
    ("retried", "collect.decisions.0", decision("give up", "ec2"), False, "retry steadyops-live-ec2: 1"),
    ("listed", "executions.seconds", 6.0, False, "after 6.0 s"),
    ("stopped_twice", "executions.code", "ValidationException", False, "ValidationException"),
    ("scheduled", "collect.executions", ["FAILED"], False, "FAILED"),
    ("tags_of_table", "table.tags", 10, False, "10 tags"),
]  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    record: Any = copy.deepcopy(BELIEVED)
    inside, places = record, [record]
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        inside = inside[part]
        places.append(inside)
    inside[last] = value
    return record


@pytest.mark.parametrize("name", BY_NAME)
def test_what_is_believed(name):
    assert BY_NAME[name].answer(BELIEVED).agrees is True, BY_NAME[name].answer(BELIEVED)
    assert BY_NAME[name].answer({}).agrees is None


@pytest.mark.parametrize(("name", "path", "value", "agrees", "words"), OTHERWISE)
def test_what_is_otherwise(name, path, value, agrees, words):
    answer = BY_NAME[name].answer(changed(path, value))
    assert answer.agrees is agrees, answer
    assert words in answer.seen


def test_every_question_can_turn_out_otherwise():
    assert {name for name, *_rest in OTHERWISE} == set(BY_NAME)


def test_what_could_not_be_observed():
    answer = BY_NAME["stop_drains"].answer({**BELIEVED, "stop": {"looks": []}})
    assert answer == ("the record cannot be read: IndexError: list index out of range", None)
    answer = BY_NAME["stop_drains"].answer({**BELIEVED, "stop": {"error": "ClientError: denied"}})
    assert answer == ("stop could not be observed: ClientError: denied", None)


def test_every_assumption_is_asked_or_has_a_reason():
    """The guide has one row for each file that contains the word."""
    guide = (ROOT / "docs/docsite/rst/untried.rst").read_text()
    named = set(re.findall(r"``((?:plugins|tests)/[\w/]+\.py)``", guide))
    asked = {file for each in QUESTIONS for file in each.where.split()}
    assert named <= asked | NOT_ASKED.keys()
    assert [file for file in asked | NOT_ASKED.keys() if not (ROOT / file).exists()] == []


def test_the_report_shows_what_differs_first():
    told = report(changed("table.tags", 10))
    assert f"as believed: {len(QUESTIONS) - 1}; DIFFERS: 1; not observed: 0" in told
    assert told.index("10 tags") < told.index("SIGTERM 1 s after StopTask")
    assert "The run ended early. Create the cluster: no" in report({"failed": {"message": "Create the cluster: no"}})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("arn:aws:ecs:eu-central-1:123456789012:service/x/steadyops-live-web", "ARN of steadyops-live-web"),
        ("User: arn:aws:sts::123456789012:assumed-role/Admin/jo@example.com is not", "User: ARN of sts is not"),
        ("account 123456789012, subnet-0a1b2c3d, sg-0a1b2c3d4e5f60718", "account ACCOUNT, subnet-ID, sg-ID"),
        ("task 8378fd0fc0d744109128c8d6a0b71524 at 10.0.3.4", "task ID at ADDRESS"),
        ("request 4f1f4e9a-d3b9-4eb0-a5d4-f5a1a7a3b6c1, key ASIAIOSFODNN7EXAMPLE", "request ID, key KEY"),
        ("http://internal-x-1.eu-central-1.elb.amazonaws.com/", "http://HOST/"),
        ("45 s, exit code 143, ecs-svc/8646900195280463695", "45 s, exit code 143, ecs-svc/ID"),
    ],
)  # fmt: skip
def test_nothing_in_the_report_tells_which_account_it_was(text, shown):
    assert masked(text) == shown


SUBNETS = [
    {"SubnetId": f"subnet-{zone}", "VpcId": "vpc-1", "AvailabilityZone": zone, "AvailableIpAddressCount": 250}
    for zone in "ab"
]
GROUP = {
    "GroupId": "sg-1",
    "VpcId": "vpc-1",
    "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 9000, "UserIdGroupPairs": [{"GroupId": "sg-1"}]}
    ],
    "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
}  # fmt: skip
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
OUT = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}
TABLE = {"Associations": [{"Main": True}], "Routes": [{"DestinationCidrBlock": "10.0.0.0/16"}, OUT]}
PRIVATE = {"Associations": [{"Main": True}], "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}]}


@pytest.mark.parametrize(
    ("subnets", "group", "table", "public_ip", "words"),
    [
        (SUBNETS, GROUP, TABLE, True, None),
        (SUBNETS, GROUP, PRIVATE, False, None),
        (SUBNETS, GROUP, PRIVATE, True, "set live_public_ip to false"),
        (SUBNETS, GROUP, TABLE, False, "set live_public_ip to true"),
        (SUBNETS, GROUP, {**TABLE, "Routes": []}, True, "no route to 0.0.0.0/0"),
        (SUBNETS[:1], GROUP, TABLE, True, "two availability zones"),
        ([{**each, "AvailableIpAddressCount": 3} for each in SUBNETS], GROUP, TABLE, True, "3 free addresses"),
        (SUBNETS, {**GROUP, "VpcId": "vpc-2"}, TABLE, True, "in one VPC"),
        (SUBNETS, {**GROUP, "IpPermissions": []}, TABLE, True, "must let itself in at port 8080"),
        (SUBNETS, {**GROUP, "IpPermissionsEgress": [HTTPS]}, TABLE, True, "to reach itself at port 8080"),
        (SUBNETS, {**GROUP, "IpPermissionsEgress": GROUP["IpPermissions"]}, TABLE, True, "reach port 443"),
    ],
)
def test_the_network_is_checked(subnets, group, table, public_ip, words):
    found = problems_of_network(subnets, [group], [table], public_ip)
    assert all(words in each for each in found) if words else found == []
    assert bool(found) == bool(words)


@pytest.mark.parametrize(
    ("tags", "mine"),
    [([], True), ({}, True), ([{"key": "steadyops.ecs/live-test", "value": "true"}], True),
     ({"steadyops.ecs/live-test": "true", "a": "b"}, True), ([{"Key": "owner", "Value": "x"}], False)],
)  # fmt: skip
def test_what_is_tagged_by_somebody_else_is_not_ours(tags, mine):
    assert is_ours(tags) is mine
