# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox over HTTP, as boto3 and its control endpoint see it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.sandbox.client import Sandbox

from .aws import client, code, until


def test_a_life(sandbox: Sandbox) -> None:
    sandbox.service("web", tasks=3, health_check=True, target_groups=2, scaling={"min": 1, "max": 9})
    ecs, elb = client(sandbox, "ecs"), client(sandbox, "elbv2")
    (service,) = ecs.describe_services(services=["web"], include=["TAGS"])["services"]
    assert (service["desiredCount"], service["runningCount"], service["tags"]) == (3, 3, [])
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert definition["containerDefinitions"][0]["healthCheck"]
    arns = ecs.list_tasks(serviceName="web")["taskArns"]
    answer = ecs.describe_tasks(tasks=[*arns, "0" * 32])
    assert [failure["reason"] for failure in answer["failures"]] == ["MISSING"]
    addresses = {
        detail["value"]
        for task in answer["tasks"]
        for detail in task["attachments"][0]["details"]
        if detail["name"] == "privateIPv4Address"
    }
    for balancer in service["loadBalancers"]:
        health = elb.describe_target_health(TargetGroupArn=balancer["targetGroupArn"])["TargetHealthDescriptions"]
        assert {each["Target"]["Id"] for each in health} == addresses
        assert {each["TargetHealth"]["State"] for each in health} == {"healthy"}
    assert ecs.stop_task(task=arns[0], reason="test")["task"]["desiredStatus"] == "STOPPED"
    until(lambda: sandbox.healthy("web") == 3)
    assert min(change["healthy"] for change in sandbox.journal("web")["changes"]) == 2
    stops = [call for call in sandbox.journal()["calls"] if call["operation"] == "StopTask"]
    assert [(call["parameters"]["task"], call["write"], call["outcome"]) for call in stops] == [(arns[0], True, "ok")]


def test_made_by_api_calls_alone(sandbox: Sandbox) -> None:
    ecs = client(sandbox, "ecs")
    ecs.create_cluster(clusterName="prod")
    container = {"name": "app", "image": "x", "memory": 64, "essential": True}
    ecs.register_task_definition(family="job", containerDefinitions=[container], networkMode="awsvpc")
    ecs.create_service(cluster="prod", serviceName="new", taskDefinition="job", desiredCount=2, launchType="FARGATE")
    until(lambda: sandbox.healthy("new") == 2)
    ecs.update_service(cluster="prod", service="new", forceNewDeployment=True)
    (service,) = ecs.describe_services(cluster="prod", services=["new"])["services"]
    assert [each["status"] for each in service["deployments"]] == ["PRIMARY", "ACTIVE"]
    (found,) = ecs.list_service_deployments(cluster="prod", service="new", status=["IN_PROGRESS"])["serviceDeployments"]
    assert found["serviceArn"] == service["serviceArn"]
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    (task,) = ecs.run_task(cluster="prod", taskDefinition="job", launchType="FARGATE", networkConfiguration=network)[
        "tasks"
    ]
    assert task["group"] == "family:job"
    assert code(ecs.delete_cluster, cluster="prod") == "ClusterContainsServicesException"
    ecs.delete_service(cluster="prod", service="new", force=True)

    def status():
        return ecs.describe_services(cluster="prod", services=["new"])["services"][0]["status"]

    until(lambda: status() == "INACTIVE")


def test_pages(sandbox: Sandbox) -> None:
    sandbox.service("web", tasks=250, launch_type="EC2", cluster="prod")
    ecs = client(sandbox, "ecs")
    pages = list(ecs.get_paginator("list_tasks").paginate(cluster="prod", serviceName="web"))
    assert [len(page["taskArns"]) for page in pages] == [100, 100, 50]
    arns = [arn for page in pages for arn in page["taskArns"]]
    assert len(set(arns)) == 250
    assert code(ecs.describe_tasks, cluster="prod", tasks=arns[:101]) == "InvalidParameterException"
    (task,) = ecs.describe_tasks(cluster="prod", tasks=arns[:1])["tasks"]
    instances = ecs.describe_container_instances(cluster="prod", containerInstances=[task["containerInstanceArn"]])
    assert instances["containerInstances"][0]["ec2InstanceId"].startswith("i-")
    assert task["containers"][0]["networkBindings"][0]["hostPort"] >= 32768


def test_tags_and_protection(sandbox: Sandbox) -> None:
    arn = sandbox.service("web", tasks=11)["arn"]
    ecs = client(sandbox, "ecs")
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "mine", "value": "v=1 c:2 Ä"}])
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "mine", "value": "v=1 c:2 Ä"}]
    for value in ("a,b", "{}", "a\nb", "x" * 257):
        wrong = [{"key": "mine", "value": value}]
        assert code(ecs.tag_resource, resourceArn=arn, tags=wrong) == "InvalidParameterException"
    many = [{"key": str(number), "value": ""} for number in range(50)]
    assert code(ecs.tag_resource, resourceArn=arn, tags=many) == "InvalidParameterException"
    ecs.untag_resource(resourceArn=arn, tagKeys=["mine"])
    assert ecs.list_tags_for_resource(resourceArn=arn)["tags"] == []
    old = sandbox.service("old", short_arn=True)["arn"]
    assert code(ecs.tag_resource, resourceArn=old, tags=many[:1]) == "InvalidParameterException"
    tasks = ecs.list_tasks(serviceName="web")["taskArns"]
    protect = ecs.update_task_protection
    assert code(protect, cluster="default", tasks=tasks, protectionEnabled=True) == "InvalidParameterException"
    protect(cluster="default", tasks=tasks[:1], protectionEnabled=True)
    told = ecs.get_task_protection(cluster="default", tasks=tasks)["protectedTasks"]
    assert [each["taskArn"] for each in told if each["protectionEnabled"]] == tasks[:1]


def test_scaling(sandbox: Sandbox) -> None:
    sandbox.service("web", tasks=3)
    aas, ecs = client(sandbox, "application-autoscaling"), client(sandbox, "ecs")
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/default/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    assert (
        code(aas.register_scalable_target, **{**target, "ResourceId": "service/default/none"}) == "ValidationException"
    )
    aas.register_scalable_target(**target, MinCapacity=4, MaxCapacity=8)
    assert ecs.describe_services(services=["web"])["services"][0]["desiredCount"] == 4
    aas.register_scalable_target(**target, SuspendedState={"DynamicScalingInSuspended": True})
    (found,) = aas.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=["service/default/web"])[
        "ScalableTargets"
    ]
    assert found["SuspendedState"]["DynamicScalingInSuspended"]
    sandbox.act("policy_wants", "web", desired=8)
    until(lambda: sandbox.healthy("web") == 8)
    aas.deregister_scalable_target(**target)
    assert aas.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


def test_errors(sandbox: Sandbox) -> None:
    sandbox.service("web")
    ecs = client(sandbox, "ecs")
    assert code(ecs.list_tasks, cluster="nowhere") == "ClusterNotFoundException"
    assert code(ecs.list_tasks, serviceName="nothing") == "ServiceNotFoundException"
    assert code(ecs.stop_task, task="0" * 32) == "InvalidParameterException"
    assert ecs.describe_services(services=["nothing"])["failures"][0]["reason"] == "MISSING"
    with pytest.raises(ValueError, match="no such fault"):
        sandbox.fault("gremlins")


@pytest.mark.parametrize(
    ("kind", "of_json", "of_query"),
    [
        ("throttling", "ThrottlingException", "Throttling"),
        ("server_error", "ServerException", "InternalFailure"),
        ("access_denied", "AccessDeniedException", "AccessDenied"),
        ("expired_token", "ExpiredTokenException", "ExpiredToken"),
    ],
)
def test_calls_that_fail(sandbox: Sandbox, kind: str, of_json: str, of_query: str) -> None:
    (group,) = sandbox.service("web", target_groups=1)["target_groups"]
    sandbox.fault(kind, operations=["ListTasks", "elasticloadbalancing:*"])
    ecs, elb = client(sandbox, "ecs"), client(sandbox, "elbv2")
    assert code(ecs.list_tasks, serviceName="web") == of_json
    assert code(elb.describe_target_health, TargetGroupArn=group) == of_query
    ecs.describe_services(services=["web"])
    sandbox.clear_faults()
    ecs.list_tasks(serviceName="web")


def test_filters_of_faults(sandbox: Sandbox) -> None:
    sandbox.service("web")
    ecs = client(sandbox, "ecs")
    sandbox.fault("throttling", only="writes", nth=2)
    sandbox.fault("server_error", operations=["List*"], after_writes=2, times=1)

    def update():
        ecs.update_service(service="web", desiredCount=3)

    ecs.list_tasks()
    update()
    assert code(update) == "ThrottlingException"
    assert code(ecs.list_tasks) == "ServerException"
    ecs.list_tasks()
    update()
    sandbox.clear_faults()
    sandbox.fault("throttling", operations=["ListTasks"], given={"serviceName": "web"})
    ecs.list_tasks()
    assert code(ecs.list_tasks, serviceName="web") == "ThrottlingException"
    sandbox.clear_faults()
    sandbox.fault("throttling", share=0.3)
    outcomes = []
    for _call in range(100):
        with contextlib.suppress(ClientError):
            outcomes.append(ecs.list_tasks())
    assert 55 < len(outcomes) < 85


def test_a_reset_call_was_carried_out(sandbox: Sandbox) -> None:
    sandbox.service("web")
    sandbox.fault("connection_reset", operations=["UpdateService"], times=1)
    with pytest.raises(ConnectionClosedError):
        client(sandbox, "ecs").update_service(service="web", desiredCount=5)
    assert sandbox.find("web")["desired"] == 5
    assert sandbox.journal()["calls"][-1]["outcome"] == "ok, reset"


WRITER = """
import boto3, sys
ecs = boto3.client("ecs", endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="a",
                   aws_secret_access_key="b")
for count in (4, 5, 6):
    ecs.update_service(service="web", desiredCount=count)
"""


@pytest.mark.parametrize("kill", [True, False])
def test_a_held_answer(sandbox: Sandbox, kill: bool) -> None:
    sandbox.service("web")
    sandbox.fault("hold", nth=2)
    environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
    process = subprocess.Popen([sys.executable, "-c", WRITER, sandbox.url], env=environment)
    until(lambda: [call for call in sandbox.journal()["calls"] if call["outcome"] == "held"])
    assert sandbox.find("web")["desired"] == 5
    if kill:
        process.send_signal(signal.SIGKILL)
    else:
        sandbox.release()
    process.wait(20)
    end = ["ok", "ok, held, client gone"] if kill else ["ok", "ok, held, released", "ok"]

    def outcomes():
        return [call["outcome"] for call in sandbox.journal()["calls"]]

    until(lambda: outcomes() == end)


def test_another_clock(sandbox: Sandbox) -> None:
    sandbox.service("web", oldest=7200, newest=7200)
    sandbox.settings(clock_offset=-3600)
    ecs = client(sandbox, "ecs")
    answer = ecs.describe_tasks(tasks=ecs.list_tasks(serviceName="web")["taskArns"])
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    assert date == pytest.approx(time.time() - 3600, abs=5)
    assert answer["tasks"][0]["createdAt"].timestamp() == pytest.approx(date - 7200, abs=5)


def test_moto_answers_the_rest(sandbox: Sandbox) -> None:
    sns = client(sandbox, "sns")
    sns.create_topic(Name="alerts")
    assert len(sns.list_topics()["Topics"]) == 1
    sandbox.reset()
    assert sns.list_topics()["Topics"] == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="CPU time is read from /proc")
def test_rests_when_nobody_asks(running: Sandbox) -> None:
    def used() -> int:
        assert running.process
        stat = Path(f"/proc/{running.process.pid}/stat").read_text(encoding="utf-8")
        return sum(map(int, stat.rsplit(")", 1)[1].split()[11:13]))

    before = used()
    time.sleep(0.5)
    assert used() - before <= 2  # hundredths of a second
