# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags that tasks take from their service, and agents that no longer answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .aws import client, code, until
from .test_scheduler import after, cluster, messages


def tags(pairs: list[dict[str, str]]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in pairs}


def test_a_task_takes_the_tags_of_the_moment_it_is_launched() -> None:
    made = cluster(desired=2, tags={"team": "red"}, propagate_tags="SERVICE")
    old = made.list_tasks("web")
    assert [made.tags_of_task(arn) for arn in old] == [{"team": "red"}] * 2
    made.tag("web", {"steadyops.ecs/recycle": "v=1"})
    made.stop_task(old[0])
    after(made, 60)
    (new,) = set(made.list_tasks("web")) - set(old)
    made.untag("web", ["steadyops.ecs/recycle"])
    after(made, 3600)
    assert made.tags_of_task(new) == {"team": "red", "steadyops.ecs/recycle": "v=1"}
    assert made.tags_of_task(old[1]) == {"team": "red"}


def test_without_propagation_a_task_has_no_tags() -> None:
    made = cluster(desired=1, tags={"team": "red"})
    assert made.tags_of_task(made.list_tasks("web")[0]) == {}


def test_tags_of_tasks_through_the_api(sandbox: Sandbox) -> None:
    sandbox.service("web", tasks=2, tags={"team": "red"}, propagate_tags="SERVICE")
    ecs = client(sandbox, "ecs")
    assert ecs.describe_services(services=["web"])["services"][0]["propagateTags"] == "SERVICE"
    arn, other = ecs.list_tasks(serviceName="web")["taskArns"]

    def described(**more: Any) -> dict[str, str]:
        return tags(ecs.describe_tasks(tasks=[arn], **more)["tasks"][0]["tags"])

    assert (described(), described(include=["TAGS"])) == ({}, {"team": "red"})
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "mine", "value": "1"}])
    assert tags(ecs.list_tags_for_resource(resourceArn=arn)["tags"]) == {"team": "red", "mine": "1"}
    ecs.untag_resource(resourceArn=arn, tagKeys=["mine", "none"])
    assert described(include=["TAGS"]) == {"team": "red"}
    wrong = [{"key": "mine", "value": "{}"}]
    assert code(ecs.tag_resource, resourceArn=arn, tags=wrong) == "InvalidParameterException"
    gone = arn.replace(arn.rsplit("/", 1)[-1], "0" * 32)
    assert code(ecs.tag_resource, resourceArn=gone, tags=[]) == "ResourceNotFoundException"
    ecs.stop_task(task=arn)
    assert described(include=["TAGS"]) == {}  # StopTask deletes them
    sandbox.act("tag_task", "web", task=other, tags={"by": "hand"})
    assert tags(ecs.list_tags_for_resource(resourceArn=other)["tags"])["by"] == "hand"
    ecs.update_service(service="web", propagateTags="NONE")
    ecs.stop_task(task=other)
    until(lambda: sandbox.healthy("web") == 2)
    last = max(
        ecs.describe_tasks(tasks=ecs.list_tasks(serviceName="web")["taskArns"], include=["TAGS"])["tasks"],
        key=lambda task: task["createdAt"],
    )
    assert last["tags"] == []


def test_tags_of_run_task(sandbox: Sandbox) -> None:
    definition = sandbox.service("web", tasks=1)["task_definition"]
    ecs = client(sandbox, "ecs")
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    asked = {"launchType": "FARGATE", "networkConfiguration": network, "tags": [{"key": "a", "value": "b"}]}
    (task,) = ecs.run_task(taskDefinition=definition, **asked)["tasks"]
    assert tags(task["tags"]) == tags(ecs.list_tags_for_resource(resourceArn=task["taskArn"])["tags"]) == {"a": "b"}


@pytest.mark.parametrize("status", ["RUNNING", "STOPPING"])
def test_without_its_agent_a_stopped_task_does_not_stop(status: str) -> None:
    made = cluster(desired=2, launch_type="EC2")
    victim = made.list_tasks("web")[0]
    made.lose_agent(victim, status)
    made.stop_task(victim)
    after(made, 3600)
    (state,) = made.describe_tasks([victim])
    assert (state.last_status, state.desired_status, state.connected) == (status, "STOPPED", False)
    assert victim not in made.list_tasks("web")
    assert victim in made.list_tasks("web", "STOPPED")
    assert made.healthy("web") == 2
    assert made.describe_service("web").running == (3 if status == "RUNNING" else 2)
    assert "has reached a steady state." not in messages(made)[0] or status == "STOPPING"
    made.restore_agents("web")
    after(made, 60)
    assert made.describe_tasks([victim])[0].last_status == "STOPPED"
    assert made.describe_service("web").running == 2


def test_the_same_as_a_fault_that_strikes_the_next_task(sandbox: Sandbox) -> None:
    sandbox.service("web", tasks=2, launch_type="EC2")
    ecs = client(sandbox, "ecs")
    sandbox.fault("agent_lost", service="web", times=1)
    arns = ecs.list_tasks(serviceName="web")["taskArns"]
    for arn in arns:
        ecs.stop_task(task=arn)
    until(lambda: ecs.describe_tasks(tasks=arns)["tasks"][1]["lastStatus"] == "STOPPED")
    stuck = ecs.describe_tasks(tasks=arns)["tasks"][0]
    assert (stuck["lastStatus"], stuck["desiredStatus"], stuck["connectivity"]) == (
        "RUNNING",
        "STOPPED",
        "DISCONNECTED",
    )
    (instance,) = ecs.describe_container_instances(containerInstances=[stuck["containerInstanceArn"]])[
        "containerInstances"
    ]
    assert not instance["agentConnected"]
