# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a task is registered and who says that it is healthy, by network mode and load balancer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .aws import client, code, until
from .test_scheduler import after, cluster


def tasks_of(sandbox: Sandbox) -> list[dict[str, Any]]:
    ecs = client(sandbox, "ecs")
    return ecs.describe_tasks(tasks=ecs.list_tasks(serviceName="web")["taskArns"])["tasks"]  # type: ignore[no-any-return]


def targets_of(sandbox: Sandbox, group: str) -> dict[tuple[str, int], tuple[str, str | None]]:
    elb = client(sandbox, "elbv2")
    found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {
        (each["Target"]["Id"], each["Target"]["Port"]): (
            each["TargetHealth"]["State"],
            each["TargetHealth"].get("Reason"),
        )
        for each in found
    }


def test_in_the_mode_host_a_task_has_no_bindings(sandbox: Sandbox) -> None:
    made = sandbox.service("web", launch_type="EC2", network_mode="host", port=8080, target_groups=1)
    ecs = client(sandbox, "ecs")
    found = tasks_of(sandbox)
    assert all(task["attachments"] == [] for task in found)
    assert all(container["networkBindings"] == [] for task in found for container in task["containers"])
    definition = ecs.describe_task_definition(taskDefinition=made["task_definition"])["taskDefinition"]
    assert definition["containerDefinitions"][0]["portMappings"][0]["containerPort"] == 8080
    arns = [task["containerInstanceArn"] for task in found]
    hosts = {
        each["ec2InstanceId"]
        for each in ecs.describe_container_instances(containerInstances=arns)["containerInstances"]
    }
    assert len(hosts) == 3
    (group,) = made["target_groups"]
    assert targets_of(sandbox, group) == {(host, 8080): ("healthy", None) for host in hosts}


@pytest.mark.parametrize("ipv6", ["eni", "targets", "only"])
def test_ipv6(sandbox: Sandbox, ipv6: str) -> None:
    (group,) = sandbox.service("web", tasks=2, ipv6=ipv6, target_groups=1)["target_groups"]
    interfaces = [task["containers"][0]["networkInterfaces"][0] for task in tasks_of(sandbox)]
    assert all(("privateIpv4Address" in each) == (ipv6 != "only") for each in interfaces)
    told = {each["privateIpv4Address" if ipv6 == "eni" else "ipv6Address"] for each in interfaces}
    assert {address for address, _port in targets_of(sandbox, group)} == told
    kinds = client(sandbox, "elbv2").describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert kinds[0]["IpAddressType"] == ("ipv4" if ipv6 == "eni" else "ipv6")


def test_a_classic_load_balancer(sandbox: Sandbox) -> None:
    sandbox.service("web", launch_type="EC2", classic=1)
    ecs, elb = client(sandbox, "ecs"), client(sandbox, "elb")
    (service,) = ecs.describe_services(services=["web"])["services"]
    (balancer,) = service["loadBalancers"]
    assert balancer == {"loadBalancerName": "web-1", "containerName": "app", "containerPort": 80}
    assert "rolloutState" not in service["deployments"][0]

    def states() -> list[tuple[str, str]]:
        found = elb.describe_instance_health(LoadBalancerName="web-1")["InstanceStates"]
        return [(each["State"], each["ReasonCode"]) for each in found]

    assert states() == [("InService", "N/A")] * 3
    sandbox.act("fail_health", "web", group="classic/web-1")
    assert sorted(states()) == [("InService", "N/A"), ("InService", "N/A"), ("OutOfService", "Instance")]
    assert sandbox.healthy("web") == 2
    until(lambda: states() == [("InService", "N/A")] * 3)  # ECS has replaced the task
    (found,) = elb.describe_instance_health(LoadBalancerName="web-1", Instances=[{"InstanceId": "i-0"}])[
        "InstanceStates"
    ]
    assert (found["State"], found["Description"]) == (
        "OutOfService",
        "Instance is not currently registered with the LoadBalancer.",
    )
    assert code(elb.describe_instance_health, LoadBalancerName="none") == "LoadBalancerNotFound"


def test_vpc_lattice(sandbox: Sandbox) -> None:
    sandbox.service("web", lattice=1)
    (service,) = client(sandbox, "ecs").describe_services(services=["web"])["services"]
    assert service["loadBalancers"] == []
    (named,) = service["deployments"][0]["vpcLatticeConfigurations"]
    lattice, group = client(sandbox, "vpc-lattice"), named["targetGroupArn"]
    items = lattice.list_targets(targetGroupIdentifier=group)["items"]
    assert [each["status"] for each in items] == ["HEALTHY"] * 3
    addresses = {task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks_of(sandbox)}
    assert {each["id"] for each in items} == addresses
    sandbox.act("target_state", "web", state="unhealthy")
    short = group.rsplit("/", 1)[-1]
    states = [each["status"] for each in lattice.list_targets(targetGroupIdentifier=short)["items"]]
    assert sorted(states) == ["HEALTHY", "HEALTHY", "UNHEALTHY"]
    asked = [{"id": items[0]["id"], "port": items[0]["port"]}]
    assert len(lattice.list_targets(targetGroupIdentifier=group, targets=asked)["items"]) == 1
    assert code(lattice.list_targets, targetGroupIdentifier="tg-0123456789abcdef0") == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("state", "given", "reason"),
    [
        ("unhealthy", "", "Target.FailedHealthChecks"),
        ("unhealthy", "Target.Timeout", "Target.Timeout"),
        ("unhealthy.draining", "", "Target.FailedHealthChecks"),
        ("draining", "", "Target.DeregistrationInProgress"),
        ("initial", "Elb.RegistrationInProgress", "Elb.RegistrationInProgress"),
        ("unavailable", "", "Target.HealthCheckDisabled"),
    ],
)
def test_states_of_a_target(sandbox: Sandbox, state: str, given: str, reason: str) -> None:
    (group,) = sandbox.service("web", tasks=1, target_groups=1)["target_groups"]
    sandbox.act("target_state", "web", state=state, reason=given)
    assert list(targets_of(sandbox, group).values()) == [(state, reason)]
    assert sandbox.healthy("web") == 0
    sandbox.act("target_state", "web", state="healthy")
    assert list(targets_of(sandbox, group).values()) == [("healthy", None)]
    assert sandbox.healthy("web") == 1


def test_a_target_group_that_no_listener_uses_and_one_that_is_gone(sandbox: Sandbox) -> None:
    (group,) = sandbox.service("web", tasks=2, target_groups=1)["target_groups"]
    sandbox.act("use_group", "web", used=False)
    assert list(targets_of(sandbox, group).values()) == [("unused", "Target.NotInUse")] * 2
    sandbox.act("use_group", "web")
    assert list(targets_of(sandbox, group).values()) == [("healthy", None)] * 2
    sandbox.act("delete_target_group", "web")
    assert code(client(sandbox, "elbv2").describe_target_health, TargetGroupArn=group) == "TargetGroupNotFound"
    sandbox.act("stop_task", "web")
    ecs = client(sandbox, "ecs")

    def reasons() -> list[str]:
        arns = ecs.list_tasks(serviceName="web", desiredStatus="STOPPED")["taskArns"]
        return [task["stoppedReason"] for task in ecs.describe_tasks(tasks=arns)["tasks"]] if arns else []

    until(lambda: f"Task failed ELB health checks in (target-group {group})" in reasons())
    assert sandbox.healthy("web") == 1


@pytest.mark.parametrize(
    ("service", "by"),
    [
        ({"health_check": True}, "container"),
        ({"target_groups": ["tg"]}, "targets"),
        ({"target_groups": ["one", "two"], "health_check": True}, "two"),
        ({"classic": ["old"], "launch_type": "EC2"}, "targets"),
    ],
)
def test_a_service_can_be_unhealthy_from_the_beginning(service: dict[str, Any], by: str) -> None:
    made = cluster(desired=4, unhealthy=3, unhealthy_by=by, replaces_unhealthy=False, **service)
    assert made.healthy("web") == 1
    assert [state.last_status for state in made.live("web")] == ["RUNNING"] * 4
    assert after(made, 3600).healthy("web") == 1
    assert len(made.live("web")) == 4
    replaced = cluster(desired=4, unhealthy=3, unhealthy_by=by, **service)
    assert after(replaced, 600).healthy("web") == 4
