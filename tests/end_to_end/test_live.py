# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smoke test for a live account, on the sandbox: whatever happens to a run, it leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.aws import REGION, aws_client
from tests.end_to_end.conftest import SPEED
from tests.end_to_end.programs import Warm, until
from tests.end_to_end.warm_python import SETTINGS
from tests.sandbox.client import Sandbox

ROOT = Path(__file__).parents[2]
NO_IMAGE = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found"
NO_SUBNET = (
    "Error retrieving subnet information for [subnet-00000000000000000]: The subnet ID 'subnet-00000000000000000' does"
    " not exist (ErrorCode: InvalidSubnetID.NotFound)"
)
NO_PASS = (
    "User: arn:aws:sts::123456789012:assumed-role/steadyops-live-runner/steadyops-live-runner is not authorized to"
    " perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/steadyops-live-runner"
)
SLOW = 40  # speed of the sandbox where answers depend on how soon a call follows another
# Questions whose answer depends on how busy this machine is.
TIMING = {
    "Does ECS stop a second task if the desired count is lowered within 3 s after StopTask?",
    "Does ListExecutions list a new execution within 5 s?",
    "What becomes of a service deployment when a newer one begins?",
    "From which revision is a task replaced that is stopped during a deployment?",
}
# Questions that the sandbox cannot answer, or answers as moto does.
OTHERWISE = {
    "How long does ECS take to register a target again that somebody deregistered?": "not observed",
    "What is the field with the IPv6 address of a task called?": "not observed",
    "Does one page hold all 50 tags of a DynamoDB table?": "DIFFERS",
}
LISTS = {
    ("ecs", "list_task_definitions"): "taskDefinitionArns",
    ("elbv2", "describe_load_balancers"): "LoadBalancers",
    ("elbv2", "describe_target_groups"): "TargetGroups",
    ("sqs", "list_queues"): "QueueUrls",
    ("events", "list_rules"): "Rules",
    ("lambda", "list_functions"): "Functions",
    ("lambda", "list_event_source_mappings"): "EventSourceMappings",
    ("iam", "list_roles"): "Roles",
    ("logs", "describe_log_groups"): "logGroups",
    ("cloudwatch", "describe_alarms"): "MetricAlarms",
    ("stepfunctions", "list_state_machines"): "stateMachines",
    ("scheduler", "list_schedules"): "Schedules",
    ("dynamodb", "list_tables"): "TableNames",
}


class Run:
    """An account with a network and a trail, in which the smoke test runs."""

    def __init__(self, sandbox: Sandbox, folder: Path, warm: Warm | None = None) -> None:
        self.sandbox, self.folder, self.warm = sandbox, folder / "live", warm
        ec2, cloudtrail = aws_client(sandbox, "ec2"), aws_client(sandbox, "cloudtrail")
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        for table in ec2.describe_route_tables()["RouteTables"]:
            place = {"RouteTableId": table["RouteTableId"], "GatewayId": gateway}
            ec2.create_route(**place, DestinationCidrBlock="0.0.0.0/0")
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        itself = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=itself)
        aws_client(sandbox, "s3").create_bucket(
            Bucket="trail", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        cloudtrail.create_trail(Name="trail", S3BucketName="trail")
        cloudtrail.start_logging(Name="trail")
        self.variables: dict[str, Any] = {
            "live_subnets": [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]][:2],
            "live_security_group": group,
            "live_speed": SPEED,
            "live_confirm": "yes",
        }
        self.before = self.account()

    def behave_as_believed(self) -> None:
        """Let tasks do what their containers would do, and let AWS refuse what the sandbox does not check."""
        sandbox, name = self.sandbox, "steadyops-live"
        sandbox.settings(own_revision=True)
        sandbox.program(f"{name}-exit", seconds=5, exit_code=1)
        sandbox.program(f"{name}-pull", fails_to_start=NO_IMAGE)
        sandbox.program(f"{name}-bad", fails_to_start=NO_IMAGE)
        sandbox.program(f"{name}-job", seconds=5)
        never = {"sidecar": {"exit_code": None}}
        words = "Task failed to start"
        sandbox.program(
            f"{name}-short", seconds=1, stop_code="TaskFailedToStart", stopped_reason=words, containers=never
        )
        self.refuse("denied", "AccessDeniedException", NO_PASS)
        self.refuse("no-instance", "InvalidParameterException", "No Container Instances were found in your cluster.")
        self.refuse("no-subnet", "InvalidParameterException", NO_SUBNET)
        # This also affects the retries of the function, which have another startedBy.
        sandbox.fault("run_task_fails", family=f"{name}-ec2")

    def refuse(self, started_by: str, code: str, message: str) -> None:
        words = {"code": code, "message": message, "status": 400}
        self.sandbox.fault("error", operations=["RunTask"], given={"startedBy": started_by}, **words)

    def account(self) -> dict[str, int]:
        """Return how many resources of each kind exist."""
        found = {
            operation: len(getattr(aws_client(self.sandbox, service), operation)().get(key) or [])
            for (service, operation), key in LISTS.items()
        }
        named = aws_client(self.sandbox, "ecs").describe_clusters(clusters=["steadyops-live"])["clusters"]
        parts = {"clusters": named, "services": self.sandbox.state()["services"]}
        return {**found, **{what: sum(each["status"] != "INACTIVE" for each in some) for what, some in parts.items()}}

    def start(self, program: str = "tests/live/smoke.yml", **variables: Any) -> subprocess.Popen[str]:
        given = ["-e", json.dumps({**self.variables, **variables})]
        if program == "tests.live":
            command = [sys.executable, "-m", program, *given]
        else:
            command = (self.warm.command if self.warm else lambda *words: [*words])("ansible-playbook", program, *given)
        place = {"AWS_ENDPOINT_URL": self.sandbox.url, "LIVE_FOLDER": str(self.folder)}
        return subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **SETTINGS, **place}, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait for the run, and return its exit code and what it printed."""
        output, errors = process.communicate(timeout=1500)
        assert "Traceback" not in output + errors, output + errors
        return process.returncode, output + errors

    def run(self, program: str = "tests/live/smoke.yml", **variables: Any) -> tuple[int, str]:
        return self.end(self.start(program, **variables))

    def report(self) -> str:
        return (self.folder / "report.md").read_text()

    def verdicts(self) -> dict[str, str]:
        """Return question -> verdict."""
        rows = [
            line.split(" | ") for line in self.report().splitlines() if line.startswith("| ") and "question" not in line
        ]
        return {row[1].partition(" *")[0]: row[0].strip("| ") for row in rows}

    def nothing_is_left(self) -> None:
        assert self.account() == self.before
        assert not (self.folder / "begun").exists()

    def wrote(self) -> list[str]:
        return [call["operation"] for call in self.sandbox.journal()["calls"] if call["write"]]


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path, warm: Warm) -> Run:
    return Run(sandbox, tmp_path, warm)


@pytest.mark.usefixtures("warm")
def test_without_a_confirmation_nothing_is_written(run):
    seen = run.wrote()
    code, said = run.run(live_confirm="no")
    assert code == 0, said
    assert "live_confirm=yes" in said
    assert "0.20 USD" in said
    aws_client(run.sandbox, "sqs").create_queue(QueueName="steadyops-live-mine", tags={"owner": "somebody else"})
    code, said = run.run(live_public_ip=False)
    assert code
    assert "is a public subnet: set live_public_ip to true" in said, said
    assert "steadyops-live-mine exists and has no tag of this test" in said
    assert run.wrote() == [*seen, "CreateQueue"]


@pytest.mark.long
def test_a_whole_run(run):
    run.sandbox.settings(speed=SLOW)
    run.behave_as_believed()
    code, said = run.run(live_speed=SLOW)
    assert code == 0, said
    run.nothing_is_left()
    found = {asks: verdict for asks, verdict in run.verdicts().items() if asks not in TIMING}
    assert {asks: verdict for asks, verdict in found.items() if verdict != "as believed"} == OTHERWISE, run.report()
    assert not re.search(r"\d{12}|arn:|subnet-[0-9a-f]{8}|10\.\d+\.\d+\.\d+", run.report().replace(8 * "0", ""))


# The first call of each observation, and a call without which a role cannot do its work.
FIRST = [
    "DescribeTrails", "UpdateService", "ecs:TagResource", "UpdateTaskProtection", "DeregisterTargets",
    "RegisterScalableTarget", "CreateTable", "TestEventPattern", "CreateStateMachine",
]  # fmt: skip


@pytest.mark.long
def test_what_cannot_be_observed_does_not_end_the_run(run):
    run.sandbox.fault("access_denied", operations=FIRST)
    for number in (6, 9):  # the first role of the collection, and the launches; earlier calls wait for IAM
        run.sandbox.fault("access_denied", operations=["AssumeRole"], nth=number)
    code, said = run.run()
    assert code == 0, said
    run.nothing_is_left()
    told = run.report()
    assert "failure_alerts: Assume the role that may manage the alerts" in told
    assert "scheduled_task: Create or update the state machine" in told
    for name in ("trail", "launches", "deploy", "stop", "protected", "deregister", "lower", "executions", "table",
                 "collect"):  # fmt: skip
        assert f"{name} could not be observed" in told, told


MAKING = [
    "CreateRole", "PutRolePolicy", "CreateTargetGroup", "CreateLoadBalancer", "CreateCluster", "CreateService",
    "RegisterTaskDefinition", "CreateQueue", "PutRule", "PutTargets",
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("operation", MAKING)
def test_a_step_that_fails(run, operation):
    run.sandbox.fault("access_denied", operations=[operation])
    run.sandbox.fault("access_denied", operations=["Delete*", "Remove*", "Deregister*"], times=3)
    code, said = run.run()
    assert code
    assert "not authorized" in said
    run.nothing_is_left()
    assert "The run ended early." in run.report()


@pytest.mark.long
def test_services_that_never_become_steady(run):
    run.sandbox.fault("no_room")
    code, said = run.run()
    assert code
    assert "The service is not steady after 480 seconds" in said
    run.nothing_is_left()


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "after"),
    [
        (signal.SIGTERM, "CreateLoadBalancer"),
        (signal.SIGINT, "POST /2015-03-31/functions"),
        (signal.SIGHUP, "StopTask"),
    ],
)
def test_a_run_that_is_interrupted(sandbox, tmp_path, number, after):
    run = Run(sandbox, tmp_path)
    process = run.start("tests.live")
    try:
        until(lambda: after in run.wrote(), after, seconds=900)
    finally:
        process.send_signal(number)
        code, said = run.end(process)
    assert code == 130, said
    assert f"{number.name}: everything that was created is going to be removed." in said
    run.nothing_is_left()


@pytest.mark.long
def test_a_run_that_is_killed_and_cleaned_up_later(run):
    warm, run.warm = run.warm, None  # tests that end a run use Python itself
    process = run.start()
    until(lambda: "CreateService" in run.wrote(), "a service", seconds=600)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    run.warm = warm
    code, said = run.run()
    assert code
    assert "cleanup.yml" in said
    code, said = run.run("tests/live/cleanup.yml")
    assert code == 0, said
    run.nothing_is_left()
    assert run.run("tests/live/cleanup.yml")[0] == 0
