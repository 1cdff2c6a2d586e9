# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments by controller and strategy, as boto3 and the control endpoint see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .aws import client, code, until


def described(ecs: Any) -> dict[str, Any]:
    return ecs.describe_services(services=["web"], include=["TAGS"])["services"][0]  # type: ignore[no-any-return]


def owners(ecs: Any) -> set[str]:
    arns = ecs.list_tasks(serviceName="web")["taskArns"]
    return {task["startedBy"] for task in ecs.describe_tasks(tasks=arns)["tasks"]}


def test_a_blue_green_service(sandbox: Sandbox) -> None:
    details = {"strategy": "BLUE_GREEN", "bake": 120, "hooks": [{"stage": "POST_SCALE_UP", "on_timeout": "CONTINUE"}]}
    sandbox.service("web", tasks=2, target_groups=1, **details)
    ecs, elb = client(sandbox, "ecs"), client(sandbox, "elbv2")
    before = described(ecs)
    assert before["deploymentConfiguration"]["strategy"] == "BLUE_GREEN"
    assert "rolloutState" not in before["deployments"][0]
    (balancer,) = before["loadBalancers"]
    blue, green = balancer["targetGroupArn"], balancer["advancedConfiguration"]["alternateTargetGroupArn"]
    (first,) = before["currentServiceRevisions"]
    assert (first["requestedTaskCount"], first["runningTaskCount"]) == (2, 2)
    sandbox.act("deploy", "web")
    until(lambda: sandbox.find("web")["rollout"]["hook"])
    during = described(ecs)
    assert len(during["deployments"]) == len(during["currentServiceRevisions"]) == 2
    assert owners(ecs) == {each["id"] for each in during["deployments"]}
    arn = during["currentServiceDeployment"]
    (found,) = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    (hook,) = found["lifecycleHookDetails"]
    assert (found["status"], found["lifecycleStage"], hook["status"]) == (
        "IN_PROGRESS",
        "POST_SCALE_UP",
        "AWAITING_ACTION",
    )
    assert found["targetServiceRevision"]["requestedProductionTrafficWeight"] == 0
    assert code(ecs.update_service, service="web", forceNewDeployment=True) == "ConflictException"
    ecs.continue_service_deployment(serviceDeploymentArn=arn, hookId=hook["hookId"])
    until(lambda: len(described(ecs)["deployments"]) == 1)
    after = described(ecs)
    assert after["loadBalancers"][0]["targetGroupArn"] == green
    assert after["loadBalancers"][0]["advancedConfiguration"]["alternateTargetGroupArn"] == blue
    (revision,) = ecs.describe_service_revisions(serviceRevisionArns=[after["currentServiceRevisions"][0]["arn"]])[
        "serviceRevisions"
    ]
    assert revision["resolvedConfiguration"]["loadBalancers"][0]["targetGroupArn"] == green
    assert len(elb.describe_target_health(TargetGroupArn=green)["TargetHealthDescriptions"]) == 2
    listed = ecs.list_service_deployments(service="web")["serviceDeployments"]
    assert [each["status"] for each in listed] == ["SUCCESSFUL", "SUCCESSFUL"]
    assert "currentServiceDeployment" not in after


def test_a_codedeploy_service(sandbox: Sandbox) -> None:
    acts = [{"act": "codedeploy", "shift": None, "keep": None, "running": True}]
    sandbox.service("web", tasks=2, target_groups=1, controller="CODE_DEPLOY", acts=acts)
    ecs = client(sandbox, "ecs")
    found = described(ecs)
    assert found["deployments"] == []
    blue, green = found["taskSets"]
    assert (blue["status"], green["status"], green["startedBy"]) == ("PRIMARY", "ACTIVE", "CODE_DEPLOY")
    assert green["computedDesiredCount"] == green["runningCount"] == 2
    assert green["loadBalancers"][0]["targetGroupArn"] != blue["loadBalancers"][0]["targetGroupArn"]
    assert found["loadBalancers"] == blue["loadBalancers"]
    assert owners(ecs) == {blue["id"], green["id"]}
    assert code(ecs.update_service, service="web", forceNewDeployment=True) == "InvalidParameterException"
    sandbox.act("shift", "web")
    assert described(ecs)["loadBalancers"] == green["loadBalancers"]
    sandbox.act("finish", "web")
    assert [each["status"] for each in described(ecs)["taskSets"]] == ["PRIMARY", "DRAINING"]
    until(lambda: len(described(ecs)["taskSets"]) == 1)
    assert owners(ecs) == {green["id"]}


def test_an_external_service_by_calls(sandbox: Sandbox) -> None:
    arn = sandbox.service("web", tasks=3, target_groups=1, controller="EXTERNAL")["task_definition"]
    ecs = client(sandbox, "ecs")
    made = ecs.create_task_set(
        cluster="default", service="web", taskDefinition=arn, externalId="mine", scale={"value": 50, "unit": "PERCENT"}
    )["taskSet"]
    assert (made["status"], made["computedDesiredCount"], made["stabilityStatus"]) == ("ACTIVE", 2, "STABILIZING")
    chosen = {"cluster": "default", "service": "web", "taskSet": made["id"]}
    ecs.update_task_set(**chosen, scale={"value": 100, "unit": "PERCENT"})
    until(lambda: ecs.describe_task_sets(cluster="default", service="web")["taskSets"][1]["runningCount"] == 3)
    old = described(ecs)["taskSets"][0]
    ecs.update_service_primary_task_set(cluster="default", service="web", primaryTaskSet=made["taskSetArn"])
    assert described(ecs)["taskSets"][0]["id"] == made["id"]
    ecs.delete_task_set(cluster="default", service="web", taskSet=old["id"], force=True)
    until(lambda: [each["id"] for each in described(ecs)["taskSets"]] == [made["id"]])
    assert code(ecs.delete_task_set, **{**chosen, "taskSet": "ecs-svc/0"}) == "TaskSetNotFoundException"


def test_somebody_deploys_after_a_while(sandbox: Sandbox) -> None:
    sandbox.service("web", tasks=2, acts=[{"act": "deploy", "after": 60}, {"act": "fail_deployment", "after": 70}])
    ecs = client(sandbox, "ecs")
    assert len(described(ecs)["deployments"]) == 1
    until(lambda: [each["rolloutState"] for each in described(ecs)["deployments"]] == ["FAILED", "COMPLETED"])
    assert "tasks failed to start" in described(ecs)["deployments"][0]["rolloutStateReason"]


@pytest.mark.parametrize(
    ("limits", "steps"),
    [
        ({"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1}, 0),
        ({"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1}}, 1),
        ({"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 25.0, "stepBakeTimeInMinutes": 1}}, 3),
    ],
)
def test_made_by_calls_alone(sandbox: Sandbox, limits: dict[str, Any], steps: int) -> None:
    arns = sandbox.service("other", target_groups=["blue", "green"])["target_groups"]
    ecs = client(sandbox, "ecs")
    container = {"name": "app", "image": "x", "memory": 64, "portMappings": [{"containerPort": 8080}]}
    ecs.register_task_definition(family="job", containerDefinitions=[container], networkMode="awsvpc")
    advanced = {"alternateTargetGroupArn": arns[1], "productionListenerRule": "arn:rule", "roleArn": "arn:role"}
    balancer = {"targetGroupArn": arns[0], "containerName": "app", "containerPort": 8080}
    ecs.create_service(
        serviceName="web",
        taskDefinition="job",
        desiredCount=2,
        launchType="FARGATE",
        deploymentConfiguration=limits,
        loadBalancers=[{**balancer, "advancedConfiguration": advanced}],
    )
    until(lambda: sandbox.healthy("web") == 2 and not sandbox.find("web")["rollout"])
    ecs.update_service(service="web", forceNewDeployment=True)
    seen = set()

    def over() -> bool:
        rollout = sandbox.find("web")["rollout"]
        seen.add(rollout["weight"] if rollout else 100)
        return rollout is None

    until(over, 20)
    assert len(seen - {0, 100}) <= steps
    (found,) = described(ecs)["loadBalancers"]
    assert found == {
        **balancer,
        "targetGroupArn": arns[1],
        "advancedConfiguration": {**advanced, "alternateTargetGroupArn": arns[0]},
    }
