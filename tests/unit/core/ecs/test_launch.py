# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task is started with: what is read, and what ECS would refuse."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.ecs.launch import (
    Container,
    Launch,
    Network,
    Provider,
    read_launch,
    read_strategy,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused

ECS = "arn:aws:ecs:eu-central-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/path/jobs"
PLAIN = {"cluster": "prod", "task_definition": "report"}


def read(**given):
    return read_launch("job", {**PLAIN, **given})


def providers(*names, **more):
    return [{"capacity_provider": name, **more} for name in names]


def network(count=1, **more):
    return {"network_configuration": {"subnets": [f"subnet-{number}" for number in range(count)], **more}}


def containers(*given):
    return {"overrides": {"containers": list(given)}}


def test_a_plain_launch():
    assert read() == Launch("prod", "report")


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"cluster": f"{ECS}:cluster/prod"}, "cluster", f"{ECS}:cluster/prod"),
        ({"cluster": "c" * 255}, "cluster", "c" * 255),
        ({"task_definition": "report:17"}, "task_definition", "report:17"),
        ({"task_definition": f"{ECS}:task-definition/report:7"}, "task_definition", f"{ECS}:task-definition/report:7"),
        ({"launch_type": "EC2"}, "launch_type", "EC2"),
        ({"platform_version": "LATEST"}, "platform_version", "LATEST"),
        (network(16), "network", Network(tuple(f"subnet-{number}" for number in range(16)))),
        (
            network(security_groups=[f"sg-{number}" for number in range(5)], assign_public_ip=False),
            "network",
            Network(("subnet-0",), tuple(f"sg-{number}" for number in range(5)), False),
        ),
        ({"overrides": {"cpu": 512}}, "cpu", "512"),
        ({"overrides": {"memory": "1024"}}, "memory", "1024"),
        ({"overrides": {"task_role_arn": ROLE}}, "task_role_arn", ROLE),
        ({"overrides": {"execution_role_arn": ROLE}}, "execution_role_arn", ROLE),
        (containers({"name": "app", "command": []}), "containers", (Container("app", ()),)),
        (
            containers({"name": "app", "environment": {"B": None, "A": True, "C": 1}}, {"name": "side", "cpu": 1}),
            "containers",
            (Container("app", environment=(("A", "true"), ("B", ""), ("C", "1"))), Container("side", cpu=1)),
        ),
        ({"propagate_tags": True}, "propagate_tags", True),
        ({"tags": {"a": False, "b": 1}}, "tags", {"a": "false", "b": "1"}),
        ({"tags": {str(number): "" for number in range(50)}}, "tags", {str(number): "" for number in range(50)}),
        ({"group": "g"}, "group", "g"),
        ({"enable_execute_command": False}, "enable_execute_command", False),
        ({"enable_ecs_managed_tags": True}, "enable_ecs_managed_tags", True),
        ({"capacity_provider_strategy": providers("a")}, "strategy", (Provider("a"),)),
    ],
)
def test_what_is_given(given, field, value):
    launch = read(**given)
    assert getattr(launch, field) == value
    changed = {name for name in Launch.__dataclass_fields__ if getattr(launch, name) != getattr(read(), name)}
    assert changed <= {field}


def test_a_strategy():
    given = [{"capacity_provider": "FARGATE", "weight": 1, "base": 2}, {"capacity_provider": "FARGATE_SPOT"}]
    assert read_strategy("x", given) == (Provider("FARGATE", 1, 2), Provider("FARGATE_SPOT"))
    assert read_strategy("x", None) == ()
    assert len(read_strategy("x", providers(*"abcdef", weight=1))) == 6


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cluster": ""}, "job.cluster"),
        ({"cluster": "a b"}, "job.cluster"),
        ({"cluster": "c" * 256}, "job.cluster"),
        ({"cluster": f"{ECS}:service/prod/web"}, "job.cluster"),
        ({"cluster": ROLE}, "job.cluster"),
        ({"task_definition": "report:0"}, "job.task_definition"),
        ({"task_definition": "report:latest"}, "job.task_definition"),
        ({"task_definition": f"{ECS}:cluster/prod"}, "job.task_definition"),
        ({"launch_type": "EC2", "capacity_provider_strategy": providers("a")}, "are mutually exclusive"),
        ({"launch_type": "FARGATE"}, "network_configuration"),
        ({"launch_type": "EC2", "platform_version": "LATEST"}, "job.platform_version"),
        ({"launch_type": "EXTERNAL", "platform_version": "LATEST"}, "job.platform_version"),
        ({"capacity_provider_strategy": providers(*"abcdefg", weight=1)}, "has 7 capacity providers"),
        ({"capacity_provider_strategy": providers("a", "a", weight=1)}, "twice"),
        ({"capacity_provider_strategy": providers("FARGATE", "mine", weight=1)}, "mixes Fargate"),
        ({"capacity_provider_strategy": providers("FARGATE_SPOT", "mine", weight=1)}, "mixes Fargate"),
        ({"capacity_provider_strategy": providers("a", weight=-1)}, "0 or more"),
        ({"capacity_provider_strategy": providers("a", base=-1)}, "0 or more"),
        ({"capacity_provider_strategy": providers("a", "b")}, "all weights 0"),
        ({"capacity_provider_strategy": providers("a", "b", weight=1, base=1)}, "only one"),
        ({"network_configuration": {"subnets": []}}, "subnets"),
        ({"network_configuration": {"subnets": ["a"]}}, "job.network_configuration.subnets"),
        (network(17), "subnets"),
        ({"network_configuration": {"subnets": ["subnet-1", "subnet-1"]}}, "twice"),
        (network(security_groups=["a"]), "job.network_configuration.security_groups"),
        (network(security_groups=[f"sg-{number}" for number in range(6)]), "security_groups"),
        (containers({"name": "app"}, {"name": "app"}), "a container twice"),
        ({"overrides": {"cpu": "0"}}, "job.overrides.cpu"),
        ({"overrides": {"cpu": ".5 vCPU"}}, "job.overrides.cpu"),
        ({"overrides": {"memory": "1 GB"}}, "job.overrides.memory"),
        ({"overrides": {"task_role_arn": "jobs"}}, "job.overrides.task_role_arn"),
        ({"overrides": {"execution_role_arn": "jobs"}}, "job.overrides.execution_role_arn"),
        ({"overrides": {"task_role_arn": ROLE.replace(":role/", ":user/")}}, "job.overrides.task_role_arn"),
        ({"tags": {str(number): "" for number in range(51)}}, "job.tags"),
        ({"tags": {"AWS:x": ""}}, "AWS:x"),
    ],
)
def test_what_ecs_would_refuse(given, words):
    with pytest.raises(Refused) as refused:
        read(**given)
    assert words in str(refused.value)
