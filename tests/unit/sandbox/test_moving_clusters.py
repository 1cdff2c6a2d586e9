# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters and counts that move while somebody works on a service, and endpoints that do not answer."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from tests.sandbox.client import Sandbox

from .aws import client, until
from .test_scheduler import after, cluster, messages


def test_room_that_comes_after_a_placement_failed() -> None:
    made = cluster(desired=2, launch_type="EC2", room=2, grows_after=180)
    made.update_service("web", desired=4)
    after(made, 100)
    assert "no container instance met all of its requirements" in messages(made)[0]
    assert len(made.list_tasks("web")) == 2
    after(made, 200)
    assert made.healthy("web") == 4
    assert made.service("web").room == 4


def test_a_daemon_follows_the_instances() -> None:
    made = cluster(desired=3, daemon=True)
    made.set_instances("web", 5)
    assert after(made, 100).healthy("web") == 5
    made.set_instances("web", 2)
    assert after(made, 100).describe_service("web").desired == 2
    assert sorted(state.instance or 0 for state in made.live("web")) == [0, 1]
    assert {s.stop_code for s in made.describe_tasks(made.list_tasks("web", "STOPPED"))} == {"TerminationNotice"}
    assert "instances" in {change.cause for change in made.journal}


def test_predictive_scaling_knows_no_suspension() -> None:
    made = cluster(desired=5)
    made.register_scalable_target("web", min=1, max=8)
    made.suspend("web", dynamic_in=True, dynamic_out=True, scheduled=True)
    made.predictive_scaling("web", 12)
    assert made.describe_service("web").desired == 8
    assert made.journal[-1].cause == "predictive scaling"
    made.predictive_scaling("web", 2)
    assert made.describe_service("web").desired == 2


def test_all_of_it_through_the_control_endpoint(sandbox: Sandbox) -> None:
    acts = [{"act": "predictive_scaling", "desired": 4, "after": 30}, {"act": "rebalance_zones", "placed": False}]
    sandbox.service("web", tasks=2, launch_type="EC2", room=2, grows_after=60, az_rebalancing=True, acts=acts)
    (service,) = client(sandbox, "ecs").describe_services(services=["web"])["services"]
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    until(lambda: sandbox.healthy("web") == 4)
    sandbox.service("agent", tasks=2, daemon=True)
    sandbox.act("instances", "agent", count=3)
    until(lambda: sandbox.healthy("agent") == 3)


def test_rebalancing_is_on_for_services_that_calls_create(sandbox: Sandbox) -> None:
    ecs = client(sandbox, "ecs")
    ecs.create_cluster(clusterName="default")
    container = {"name": "app", "image": "x", "memory": 64}
    ecs.register_task_definition(family="job", containerDefinitions=[container], networkMode="awsvpc")
    made = ecs.create_service(serviceName="new", taskDefinition="job", desiredCount=0, launchType="FARGATE")["service"]
    assert made["availabilityZoneRebalancing"] == "ENABLED"
    changed = ecs.update_service(service="new", availabilityZoneRebalancing="DISABLED")["service"]
    assert changed["availabilityZoneRebalancing"] == "DISABLED"


def impatient(url: str, region: str = "eu-central-1", seconds: float = 0.3) -> Any:
    config = Config(retries={"max_attempts": 0}, connect_timeout=1, read_timeout=seconds)
    keys = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}
    return boto3.client("ecs", region_name=region, endpoint_url=url, config=config, **keys)


@pytest.mark.parametrize(("answers", "error"), [("silent", ReadTimeoutError), ("refused", EndpointConnectionError)])
def test_an_endpoint_that_does_not_answer(sandbox: Sandbox, answers: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        impatient(sandbox.endpoint(answers)).list_clusters()


def test_a_region_that_does_not_answer(sandbox: Sandbox) -> None:
    sandbox.service("web")
    sandbox.fault("silent", regions=["eu-west-1"])
    with pytest.raises(ReadTimeoutError):
        impatient(sandbox.url, "eu-west-1").update_service(service="web", desiredCount=9)
    assert impatient(sandbox.url, seconds=10).describe_services(services=["web"])["services"][0]["desiredCount"] == 3
    assert sandbox.journal()["calls"][0]["outcome"] == "silent, not carried out"


def test_a_silent_call_ends_with_the_release(sandbox: Sandbox) -> None:
    sandbox.service("web")
    sandbox.fault("silent", operations=["ListTasks"], times=1)
    began = time.monotonic()
    sandbox.act("release")  # releases only calls that are held already: none
    with pytest.raises(ReadTimeoutError):
        impatient(sandbox.url).list_tasks(serviceName="web")
    assert time.monotonic() - began < 5
    assert len(impatient(sandbox.url, seconds=10).list_tasks(serviceName="web")["taskArns"]) == 3


def test_what_is_not_implemented(sandbox: Sandbox) -> None:
    sandbox.service("web")
    sandbox.fault("not_implemented", operations=["DescribeServiceRevisions"])
    with pytest.raises(ClientError) as caught:
        impatient(sandbox.url, seconds=10).describe_service_revisions(serviceRevisionArns=["arn"])
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    sandbox.fault("connection_reset", operations=["ListTasks"], carried_out=False)
    with pytest.raises(ConnectionClosedError):
        impatient(sandbox.url, seconds=10).list_tasks()
