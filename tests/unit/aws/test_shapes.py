# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How services and tasks of boto3 are translated into the domain."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.shapes import ecs as shapes
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.shapes import ecs_targets
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import (
    Deployment,
    Event,
    Service,
    Task,
)

from tests.unit.aws.clients import ECS, GROUP, GROUP_2, at, service, task

SEVEN, EIGHT = f"{ECS}:task-definition/web:7", f"{ECS}:task-definition/web:8"
INSTANCE = f"{ECS}:container-instance/prod/1"
LATTICE_GROUP = "arn:aws:vpc-lattice:eu-central-1:111122223333:targetgroup/tg-0123456789abcdef0"
LATTICE = {"targetGroupArn": LATTICE_GROUP, "portName": "http", "roleArn": "arn:aws:iam::111122223333:role/x"}
PLAIN_GROUP = shapes.Balancer(GROUP, "", 80)
WEB = {"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}
PLAIN = Service(
    arn=f"{ECS}:service/prod/web",
    cluster="prod",
    name="web",
    status="ACTIVE",
    desired=3,
    running=3,
    pending=0,
    revision=SEVEN,
)


def test_a_service_with_nothing_special():
    assert shapes.described_service(service()) == shapes.DescribedService(PLAIN)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"schedulingStrategy": "DAEMON"}, {"daemon": True}),
        ({"schedulingStrategy": "REPLICA"}, {"daemon": False}),
        ({"deploymentConfiguration": {"maximumPercent": 150}}, {"maximum_percent": 150}),
        ({"deploymentConfiguration": {"minimumHealthyPercent": 50}}, {"maximum_percent": 200}),
        ({"tags": [{"key": "a", "value": "1"}, {"key": "b"}]}, {"tags": {"a": "1", "b": ""}}),
        ({"propagateTags": "SERVICE"}, {"propagates_tags": True}),
        ({"propagateTags": "TASK_DEFINITION"}, {"propagates_tags": False}),
        (
            {
                "deployments": [
                    {"id": "ecs-svc/1", "status": "ACTIVE"},
                    {"id": "ecs-svc/2", "status": "PRIMARY", "rolloutState": "IN_PROGRESS", "createdAt": at(7)},
                ]
            },
            {
                "deployments": (
                    Deployment("ecs-svc/2", "PRIMARY", "IN_PROGRESS", 7.0),
                    Deployment("ecs-svc/1", "ACTIVE"),
                ),
                "deploying": True,
            },
        ),
        (
            {
                "events": [
                    {"id": "1", "createdAt": at(10), "message": "old"},
                    {"id": "2", "createdAt": at(20.5), "message": "new"},
                ]
            },
            {"events": (Event("2", 20.5, "new"), Event("1", 10.0, "old"))},
        ),
        ({"loadBalancers": [{"loadBalancerName": "classic", "containerName": "web"}]}, {"target_groups": ("classic",)}),
        # ECS reports only deployments to VPC Lattice.
        (
            {"deployments": [{"status": "PRIMARY", "vpcLatticeConfigurations": [LATTICE]}], "loadBalancers": [WEB]},
            {"target_groups": (GROUP, LATTICE_GROUP)},
        ),
        (
            {"loadBalancers": [WEB, {**WEB, "targetGroupArn": GROUP_2}, {**WEB, "containerPort": 81}]},
            {"target_groups": (GROUP, GROUP_2)},
        ),
        # CODE_DEPLOY and EXTERNAL: the values come from the active task set.
        (
            {
                "taskDefinition": SEVEN,
                "taskSets": [
                    {"status": "DRAINING", "taskDefinition": SEVEN},
                    {"id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": EIGHT, "loadBalancers": [WEB]},
                ],
            },
            {"revision": EIGHT, "primary": "ecs-svc/2", "deploying": False, "target_groups": (GROUP,)},
        ),
        (
            {
                "taskSets": [
                    {"id": "ecs-svc/2", "status": "ACTIVE", "taskDefinition": EIGHT},
                    {"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": SEVEN},
                ],
                "loadBalancers": [WEB],
            },
            {"revision": SEVEN, "primary": "ecs-svc/1", "deploying": True, "target_groups": (GROUP,)},
        ),
        # The scale of a task set is a percentage of the desired count.
        (
            {
                "desiredCount": 5,
                "taskSets": [{"status": "PRIMARY", "scale": {"value": 50.0}, "computedDesiredCount": 3}],
            },
            {"desired": 5, "computed": 3, "wanted": 3, "grows": False},
        ),
        (  # the computed count of a task set with a scale of 100% may lag behind
            {
                "desiredCount": 5,
                "taskSets": [{"status": "PRIMARY", "scale": {"value": 100.0}, "computedDesiredCount": 4}],
            },
            {"desired": 5, "computed": None, "wanted": 5, "grows": True},
        ),
        ({"desiredCount": 5, "taskSets": [{"status": "PRIMARY", "computedDesiredCount": 4}]}, {"wanted": 5}),
        ({"currentServiceRevisions": [{"arn": "a"}, {"arn": "b"}]}, {"revisions": 2, "deploying": True}),
        ({"taskDefinition": "", "taskSets": []}, {"revision": "", "primary": "", "deploying": False}),
    ],
)
def test_services(said, expected):
    found = shapes.described_service(service(**said)).service
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_blue_green_needs():
    pair = {**WEB, "advancedConfiguration": {"alternateTargetGroupArn": GROUP_2}}
    found = shapes.described_service(service(loadBalancers=[pair], currentServiceRevisions=[{"arn": "revision"}]))
    assert found.balancers == (shapes.Balancer(GROUP, "web", 80, alternate=GROUP_2),)
    assert found.service_revision == "revision"


def test_a_task_with_nothing_special():
    said = task(taskArn="arn/1", lastStatus="PENDING")
    assert shapes.task(said, {}) == Task("arn/1", 1000.0, "PENDING", stopping=False)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"desiredStatus": "STOPPED"}, {"stopping": True}),
        ({"startedAt": at(1030)}, {"started_at": 1030.0, "created_at": 1000.0}),
        ({"createdAt": None, "startedAt": at(1030)}, {"created_at": 1030.0}),
        ({"createdAt": None}, {"created_at": float("inf")}),
        ({"healthStatus": "HEALTHY"}, {"health": "HEALTHY"}),
        ({"taskDefinitionArn": SEVEN}, {"revision": SEVEN}),
        ({"availabilityZone": "eu-central-1a"}, {"zone": "eu-central-1a"}),
        ({"capacityProviderName": "FARGATE_SPOT"}, {"capacity_provider": "FARGATE_SPOT"}),
        ({"launchType": "FARGATE"}, {"launch_type": "FARGATE", "on_instance": False}),
        ({"launchType": "EC2", "containerInstanceArn": INSTANCE}, {"launch_type": "EC2", "on_instance": True}),
        ({"containers": [{"name": "sidecar", "exitCode": 0}]}, {"stopped_reason": None}),
        ({"stopCode": "UserInitiated"}, {"stop_code": "UserInitiated", "stopped_reason": None}),
        ({"stoppedReason": "Scaling activity"}, {"stopped_reason": "Scaling activity"}),
        (
            {
                "stopCode": "EssentialContainerExited",
                "stoppedReason": "Essential container in task exited",
                "containers": [
                    {"name": "web", "exitCode": 137, "reason": "OutOfMemoryError"},
                    {"name": "log", "exitCode": 0},
                    {"name": "never-started"},
                ],
            },
            {
                "stopped_reason": "Essential container in task exited; "
                "container web exited with code 137: OutOfMemoryError; container log exited with code 0"
            },
        ),
        (
            {
                "stopCode": "TaskFailedToStart",
                "stoppedReason": "Task failed to start",
                "containers": [{"name": "web", "reason": "CannotPullContainerError: not found"}],
            },
            {"stopped_reason": "Task failed to start; container web: CannotPullContainerError: not found"},
        ),
        (  # a reason that the task repeats appears once
            {
                "stopCode": "TaskFailedToStart",
                "stoppedReason": "CannotPullContainerError: not found",
                "containers": [
                    {"name": "web", "reason": "CannotPullContainerError: not found"},
                    {"name": "log", "exitCode": 1, "reason": "CannotPullContainerError: not found"},
                ],
            },
            {"stopped_reason": "CannotPullContainerError: not found; container log exited with code 1"},
        ),
    ],
)
def test_tasks(said, expected):
    found = shapes.task(task(**said), {})
    assert {name: getattr(found, name) for name in expected} == expected


def interface(**details):
    return [
        {
            "type": "ElasticNetworkInterface",
            "details": [
                {"name": "subnetId", "value": "subnet-1"},
                *({"name": name, "value": value} for name, value in details.items()),
            ],
        }
    ]


def on_instance(*bindings, name="web"):
    return {"containerInstanceArn": INSTANCE, "containers": [{"name": name, "networkBindings": list(bindings)}]}


def binding(host, container=80):
    return {"containerPort": container, "hostPort": host, "protocol": "tcp"}


@pytest.mark.parametrize(
    ("said", "expected", "looked_up"),
    [
        # awsvpc, on Fargate and on instances: the task's own address and the container's port.
        ({"attachments": interface(privateIPv4Address="10.0.1.7")}, ("10.0.1.7:80",), False),
        (
            {"attachments": interface(privateIPv4Address="10.0.1.7"), **on_instance(binding(80))},
            ("10.0.1.7:80",),
            False,
        ),
        (
            {"containers": [{"name": "web", "networkInterfaces": [{"privateIpv4Address": "10.0.1.7"}]}]},
            ("10.0.1.7:80",),
            False,
        ),
        (
            {
                "attachments": interface(privateIPv4Address="10.0.1.7"),
                "containers": [{"name": "web", "networkInterfaces": [{"ipv6Address": "2001:db8::1"}]}],
            },
            ("10.0.1.7:80",),
            False,
        ),
        (
            {"containers": [{"name": "web", "networkInterfaces": [{"ipv6Address": "2001:DB8:0:0::1"}]}]},
            ("2001:db8::1:80",),
            False,
        ),
        # The network interface does not exist yet.
        ({"attachments": interface()}, (), False),
        ({"attachments": [{"type": "Service Connect", "details": [{"name": "portName", "value": "x"}]}]}, (), False),
        # bridge and host: the instance and the port of the instance.
        (on_instance(binding(32768)), ("i-1:32768",), True),
        (on_instance(binding(32768), binding(32768)), ("i-1:32768",), True),
        (on_instance(binding(9000, container=81)), (), False),
        (on_instance(binding(32768), name="log"), (), False),
        # bridge, and not running yet.
        ({**on_instance(), "lastStatus": "PENDING"}, (), False),
        # host: a task that runs has no bindings, and both ports are the same.
        (on_instance(), ("i-1:80",), True),
        ({}, (), False),
    ],
)
def test_targets(said, expected, looked_up):
    balancers = (shapes.Balancer(GROUP, "web", 80),)
    assert ecs_targets.hosts_to_look_up([(task(**said), balancers)]) == ({INSTANCE} if looked_up else set())
    assert ecs_targets.targets_of(task(**said), balancers, {INSTANCE: "i-1"}) == {GROUP: expected}


@pytest.mark.parametrize("said", [on_instance(), on_instance(binding(80)), {"containerInstanceArn": INSTANCE}])
def test_the_target_of_a_classic_load_balancer_is_an_instance(said):
    balancers = (shapes.Balancer("classic", "web", 80),)
    assert ecs_targets.hosts_to_look_up([(task(**said), balancers)]) == {INSTANCE}
    assert ecs_targets.targets_of(task(**said), balancers, {INSTANCE: "i-1"}) == {"classic": ("i-1",)}
    assert ecs_targets.targets_of(task(**said), balancers, {}) == {"classic": ()}


def test_addresses_of_a_task_that_has_two():
    both = interface(privateIPv4Address="10.0.1.7", ipv6Address="2001:DB8:0:0::1")
    one = interface(ipv6Address="2001:db8::2")
    assert ecs_targets.aliases([task(attachments=both), task(attachments=one), task()]) == {"2001:db8::1": "10.0.1.7"}


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([{"name": "web", "portMappings": [{"name": "http", "containerPort": 8080}]}], ("web", 8080)),
        ([{"name": "log"}, {"name": "web", "portMappings": [{"name": "admin", "containerPort": 1}]}], ("", 0)),
        ([{"name": "log", "portMappings": [{"containerPort": 1}]}], ("", 0)),
    ],
)
def test_a_named_port(containers, expected):
    found = ecs_targets.with_port(shapes.Balancer(LATTICE_GROUP, "", 0, port_name="http"), containers)
    assert (found.container, found.port) == expected


GATEWAY = {
    "ecsManagedResources": {
        "gatewayConnections": [
            {
                "portName": "http",
                "resources": {"hostSharedAlb": [{"targetGroupArn": GROUP, "alternateTargetGroupArn": GROUP_2}]},
            }
        ]
    }
}
EXPRESS = {
    "ecsManagedResources": {
        "ingressPaths": [{"targetGroups": [{"arn": GROUP, "port": 80}, {"arn": GROUP_2, "port": 80}, {"port": 1}]}]
    }
}


def used(*groups):
    return {"resolvedConfiguration": {"loadBalancers": [{"targetGroupArn": group} for group in groups]}}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (GATEWAY, [shapes.Balancer(GROUP, "", 0, GROUP_2, "http")]),
        ({**GATEWAY, **used(GROUP_2)}, [shapes.Balancer(GROUP_2, "", 0, GROUP_2, "http")]),
        (EXPRESS, []),  # ECS does not say which of the two it is
        ({**EXPRESS, **used(GROUP_2)}, [shapes.Balancer(GROUP_2, "", 80)]),
        ({"ecsManagedResources": {"ingressPaths": [{"targetGroups": [{"arn": GROUP, "port": 80}]}]}}, [PLAIN_GROUP]),
        (used(GROUP), []),
        ({}, []),
    ],
)
def test_load_balancers_that_ecs_has_made(said, expected):
    assert list(ecs_targets.in_use((), ecs_targets.revision(said))) == expected


def test_the_target_group_of_vpc_lattice_that_is_in_use():
    pair = {**LATTICE, "advancedConfiguration": {"alternateTargetGroupArn": "other"}}
    named = shapes.described_service(service(deployments=[{"vpcLatticeConfigurations": [pair]}]))
    resolved = {"vpcLatticeConfigurations": [{"targetGroupArn": "other"}]}
    swapped = ecs_targets.revision({"resolvedConfiguration": resolved})
    assert shapes.groups_of(ecs_targets.in_use(named.balancers, swapped)) == ("other",)
    assert shapes.groups_of(ecs_targets.in_use(named.balancers, ecs_targets.Revision())) == (LATTICE_GROUP,)


def test_two_ports_in_one_target_group_and_one_in_another():
    balancers = (
        shapes.Balancer(GROUP, "web", 80),
        shapes.Balancer(GROUP, "web", 81),
        shapes.Balancer(GROUP_2, "admin", 90),
    )
    said = task(attachments=interface(privateIPv4Address="10.0.1.7"))
    assert ecs_targets.targets_of(said, balancers, {}) == {
        GROUP: ("10.0.1.7:80", "10.0.1.7:81"),
        GROUP_2: ("10.0.1.7:90",),
    }
    assert ecs_targets.targets_of(said, (), {}) == {}
