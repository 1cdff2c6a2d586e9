# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters without room for another task: a run waits for those that grow on demand, and not for others."""

from __future__ import annotations

import pytest

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import until, warnings
from tests.end_to_end.witness import Witness

TASK = {"max_task_age": "1h"}
GROUP = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:1:autoScalingGroupName/instances"
FULL = {"tasks": 3, "room": 3, "launch_type": "EC2", "all_events": True}
SOON = 200  # AWS's seconds until there is room: two seconds here


@pytest.fixture
def provider(sandbox):
    """Create a capacity provider, with or without managed scaling."""
    ecs = aws_client(sandbox, "ecs")

    def make(status):
        scaling = {"autoScalingGroupArn": GROUP, "managedScaling": {"status": status}}
        ecs.create_capacity_provider(name="ours", autoScalingGroupProvider=scaling)
        return "ours"

    return make


def test_a_cluster_that_grows_on_demand_is_waited_for(sandbox, recycle, provider):
    sandbox.service("web", capacity_provider=provider("ENABLED"), grows_after=SOON, **FULL)
    witness = Witness(sandbox)
    result = recycle(**TASK)
    assert result["recycle"]["status"] == "recycled"
    assert len(witness.calls("DescribeCapacityProviders")) == 1
    witness.kept()
    witness.replaced()


@pytest.mark.parametrize("provided", [True, False], ids=["managed scaling is off", "a launch type"])
def test_a_cluster_that_does_not_grow_is_not(sandbox, recycle, provider, provided):
    sandbox.service("web", capacity_provider=provider("DISABLED") if provided else None, **FULL)
    witness = Witness(sandbox)
    result = recycle(**TASK)
    assert "ECS says: (service web) was unable to place a task because no container instance" in result["msg"]
    assert result["msg"].endswith("No old task was stopped; 3 of 3 tasks are healthy; the desired count is 3 again.")
    assert len(witness.calls("DescribeCapacityProviders")) == provided
    witness.kept()
    witness.given_back()


def test_the_wait_for_room_has_an_end(sandbox, recycle):
    """The option alone decides, so the module does not look at the capacity provider."""
    sandbox.service("web", capacity_provider="ours", **FULL)
    witness = Witness(sandbox)
    result = recycle(**TASK, wait_for_capacity=2)
    assert "waited 2 s (wait_for_capacity) for room: ECS says: (service web) was unable to place" in result["msg"]
    assert witness.calls("DescribeCapacityProviders") == []
    witness.kept()
    witness.given_back()


def test_the_wait_for_room_is_none_of_wait_timeout(sandbox, recycle):
    sandbox.service("web", grows_after=4 * 100, **FULL)
    witness = Witness(sandbox)
    result = recycle(**TASK, wait_timeout=2, wait_for_capacity=60)
    assert result["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


def test_a_capacity_provider_that_may_not_be_looked_at(sandbox, recycle, provider):
    sandbox.service("web", capacity_provider=provider("ENABLED"), **FULL)
    witness = Witness(sandbox)
    sandbox.fault("access_denied", operations=["DescribeCapacityProviders"])
    result = recycle(**TASK)
    assert "was unable to place a task" in result["msg"]
    assert any("set wait_for_capacity" in words for words in warnings(result))
    witness.given_back()


@pytest.mark.parametrize("provider_name", ["FARGATE", "FARGATE_SPOT"])
def test_fargate_is_waited_for_where_it_is_a_capacity_provider(sandbox, recycle, provider_name):
    sandbox.service("web", tasks=3, capacity_provider=provider_name)
    witness = Witness(sandbox)
    sandbox.fault("start_refused", reason="capacity", times=2)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    assert witness.calls("DescribeCapacityProviders") == []
    witness.kept()
    witness.replaced()


def test_a_task_set_that_is_scaled_to_a_half(sandbox, recycle):
    """Nine tasks are desired and five must run. No desired count adds one and is sure to lead back."""
    sandbox.service("web", tasks=9, controller="EXTERNAL", scale=50, target_groups=1)
    witness = Witness(sandbox)
    assert len(witness.old) == 5
    refused = recycle(**TASK)
    assert "the PRIMARY task set of service web has a scale below 100%" in refused["msg"]
    witness.untouched()

    result = recycle(**TASK, minimum_healthy_percent=80)["recycle"]
    assert (result["status"], result["capacity"]) == ("recycled", {"before": 5, "peak": 5, "after": 5})
    assert set(witness.stops()) == witness.old
    assert "UpdateService" not in witness.writes()
    witness.kept(floor=4, surge=0)
    now = until(lambda: [each for each in [witness.now()] if each["running"] == 5], "the last replacement")[0]
    assert (now["desired"], witness.record()) == (9, None)


def test_a_task_set_that_is_scaled_down_midway(sandbox, recycle, begin):
    """The run still gives back what it added to the desired count."""
    sandbox.service("web", tasks=6, controller="EXTERNAL", target_groups=1)
    witness = Witness(sandbox)
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(**TASK)
    until(witness.stops, "the first stop")
    sandbox.act("scale_task_set", "web", scale=50, task_set="PRIMARY")
    sandbox.release()
    result = module.result()
    assert "lowered the desired count to 4" in result["msg"]
    until(lambda: witness.now()["running"] == 3, "the scheduler")
    assert (witness.now()["desired"], witness.record()) == (6, None)
