# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a fleet is read: which calls are made, how many, how many at once, and what happens to failures.

The client is a stand-in for boto3's, because botocore's Stubber needs calls in an order that threads do not keep.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import ecs_lists
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.fleet import FleetReader
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.selection import read_selection
from botocore.exceptions import ClientError

from tests.unit.aws.clients import ECS, GROUP, at, service, stubbed

HERE = "eu-central-1"
SERVICE = f"{ECS}:service/prod/web"


class Account:
    """Answers in pages, as ECS does. ``clusters``: name -> number of services.

    With ``together``, calls that describe services get no answer before that many of them wait.
    """

    def __init__(self, clusters, together=1, fail=None):
        self.clusters = clusters
        self.calls = Counter()
        self.asked = []
        self.now = self.most = 0
        self.fail = fail or (lambda operation, number: None)
        self.all_there = threading.Barrier(together, timeout=30)
        self.lock = threading.Lock()

    def _answer(self, operation, answer):
        with self.lock:
            self.calls[operation] += 1
            number = self.calls[operation]
            self.now += 1
            self.most = max(self.most, self.now)
        if operation == "DescribeServices":
            self.all_there.wait()
        with self.lock:
            self.now -= 1
        if code := self.fail(operation, number):
            raise ClientError({"Error": {"Code": code, "Message": "so it is"}}, operation)
        return answer

    def _page(self, operation, key, arns, maxResults, nextToken="0"):  # noqa: N803 - boto3's names
        begin = int(nextToken)
        more = {"nextToken": str(begin + maxResults)} if begin + maxResults < len(arns) else {}
        return self._answer(operation, {key: arns[begin : begin + maxResults], **more})

    def list_clusters(self, **page):
        arns = [f"{ECS}:cluster/{name}" for name in self.clusters]
        return self._page("ListClusters", "clusterArns", arns, **page)

    def list_services(self, cluster, **page):
        arns = [f"{ECS}:service/{cluster}/s{number}" for number in range(self.clusters[cluster])]
        return self._page("ListServices", "serviceArns", arns, **page)

    def describe_services(self, cluster, services, include):
        assert include == ["TAGS"]
        assert 1 <= len(services) <= 10
        self.asked += services
        found = [
            service(serviceArn=arn, serviceName=arn.rpartition("/")[2], clusterArn=f"{ECS}:cluster/{cluster}")
            for arn in services
        ]
        return self._answer("DescribeServices", {"services": found})


class Clock:
    """A clock that each pause advances. If several threads pause at once, it moves to the latest end."""

    def __init__(self):
        self.now = 0.0
        self.lock = threading.Lock()

    def wait_for(self, event, seconds):
        end = self.now + seconds
        with self.lock:
            self.now = max(self.now, end)
        return event.is_set()


@pytest.fixture(autouse=True)
def no_pause_of_a_call(monkeypatch):
    """Remove the pauses between the quick attempts of one call, which test_errors.py tests."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def reader(account, workers=8, rate=1e6, patience=60.0, tell=None, clock=None, **more):
    params = {"regions": [HERE], "clusters": [], "services": [], "tags": {}, "statuses": [], **more}
    clock = clock or Clock()
    selection = read_selection(params, None)
    return FleetReader({HERE: account}, selection, workers, rate, patience, tell, lambda: clock.now, clock.wait_for)


@pytest.mark.parametrize(
    "clusters",
    [
        {"prod": 5000},
        {f"c{number}": 1000 for number in range(5)},
        {f"c{number}": 50 for number in range(100)},
    ],
)
def test_five_thousand_services(clusters):
    """n services take n/10 + n/100 calls, and one for each cluster."""
    account = Account(clusters)
    fleet = reader(account).read()
    assert len(fleet.services) == len({facts["service_arn"] for facts in fleet.services}) == 5000
    assert account.calls.total() <= 5000 / 10 + 5000 / 100 + len(clusters)
    assert fleet.progress.calls == account.calls.total()
    assert (fleet.progress.listed, fleet.progress.described, fleet.progress.listing) == (5000, 5000, 0)


@pytest.mark.parametrize(
    "clusters",
    [
        {"one": 4711, "two": 289, "none": 0},
        {f"c{number}": 11 for number in range(250)},
        {f"c{number}": 0 for number in range(101)},
    ],
)
def test_no_call_could_be_saved(clusters):
    """A call covers one cluster, so the last call for each cluster may contain fewer services than it could."""
    account = Account(clusters)
    reader(account).read()
    assert account.calls == Counter(
        ListClusters=math.ceil(len(clusters) / 100),
        ListServices=sum(max(1, math.ceil(services / 100)) for services in clusters.values()),
        DescribeServices=sum(math.ceil(services / 10) for services in clusters.values()),
    )


def test_calls_are_in_flight_at_once_but_no_more_than_allowed():
    account = Account({"prod": 400}, together=5)
    reader(account, workers=5).read()
    assert account.most == 5


def test_no_more_calls_a_second_than_allowed():
    """Fifty calls may be made at once, and the others follow at the given rate, however many threads there are."""
    account = Account({"prod": 2000})
    clock = Clock()
    reader(account, workers=32, rate=500, clock=clock).read()
    assert account.calls.total() == 221
    assert clock.now >= (221 - 50) / 500


def test_names_that_do_not_match_are_not_looked_up():
    account = Account({"prod": 1000, "dev": 1000})
    fleet = reader(account, clusters=["prod", "d*"], services=["s1?"]).read()
    assert sorted(set(account.asked)) == sorted(
        f"{ECS}:service/{cluster}/s1{digit}" for cluster in ("prod", "dev") for digit in range(10)
    )
    assert account.calls["DescribeServices"] == 2
    assert len(fleet.services) == 20


def test_a_cluster_that_is_named_twice_is_read_once():
    account = Account({"prod": 5})
    fleet = reader(account, clusters=["prod", "pr*"]).read()
    assert account.calls == {"ListClusters": 1, "ListServices": 1, "DescribeServices": 1}
    assert fleet.clusters == {HERE: ["prod"]}


def test_nothing_at_all():
    fleet = reader(Account({})).read()
    assert (fleet.services, fleet.clusters) == ([], {HERE: []})


def test_what_passes_is_asked_again():
    """The reader retries transient failures more often than a single call does."""
    account = Account({"prod": 30}, fail=lambda asked, number: asked == "ListServices" and number <= 5 and "Throttling")
    fleet = reader(account).read()
    assert len(fleet.services) == 30
    assert fleet.progress.retries > 0


@pytest.mark.parametrize(
    ("operation", "about"),
    [
        ("ListClusters", "the clusters of eu-central-1"),
        ("ListServices", "cluster prod in eu-central-1"),
        ("DescribeServices", "cluster prod in eu-central-1"),
    ],
)
def test_a_failure_names_call_and_cluster_and_what_to_do(operation, about):
    code = "AccessDeniedException"
    account = Account({"prod": 300}, fail=lambda asked, number: code if asked == operation else None)
    with pytest.raises(Failed) as failure:
        reader(account).read()
    said = str(failure.value)
    assert said.startswith(f"{about}: {operation} failed with {code}: so it is")
    assert f"Allow ecs:{operation} to these credentials" in said


def test_patience_ends():
    account = Account({"prod": 30}, fail=lambda asked, number: asked == "ListServices" and "ThrottlingException")
    with pytest.raises(Failed, match="AWS throttles the calls"):
        reader(account, patience=0).read()


def test_after_a_failure_nothing_more_is_asked():
    account = Account({"prod": 5000}, fail=lambda asked, number: asked == "DescribeServices" and "AccessDenied")
    with pytest.raises(Failed):
        reader(account, workers=2).read()
    asked = account.calls.total()
    assert asked < 100
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("ecs")] == []


@pytest.mark.parametrize("operation", ["ListServices", "DescribeServices"])
def test_a_cluster_that_goes_while_it_is_read_is_left_out(operation):
    def fail(asked, number):
        return asked == operation and number == 1 and "ClusterNotFoundException"

    fleet = reader(Account({"a": 5, "b": 5}, fail=fail), workers=1).read()
    assert len(fleet.gone) == 1
    assert len(fleet.services) == 5


def test_a_cluster_that_was_asked_for_by_name_must_be_there():
    account = Account({"a": 5}, fail=lambda asked, _number: asked == "ListServices" and "ClusterNotFoundException")
    with pytest.raises(Failed, match="ClusterNotFoundException"):
        reader(account, clusters=["a"]).read()


def test_the_calls_themselves():
    ecs, stub = stubbed("ecs")
    stub.add_response("list_clusters", {"clusterArns": ["a"], "nextToken": "2"}, {"maxResults": 100})
    stub.add_response("list_clusters", {"clusterArns": []}, {"maxResults": 100, "nextToken": "2"})
    stub.add_response("list_services", {"serviceArns": [SERVICE]}, {"maxResults": 100, "cluster": "prod"})
    stub.add_response(
        "describe_services",
        {"services": [service()], "failures": [{"arn": "x", "reason": "MISSING"}]},
        {"cluster": "prod", "services": [SERVICE, "x"], "include": ["TAGS"]},
    )
    assert ecs_lists.list_clusters(ecs) == (["a"], "2")
    assert ecs_lists.list_clusters(ecs, "2") == ([], None)
    assert ecs_lists.list_services(ecs, "prod") == ([SERVICE], None)
    assert [facts["service_arn"] for facts in ecs_lists.describe_services(ecs, "prod", [SERVICE, "x"])] == [SERVICE]
    stub.assert_no_pending_responses()


def test_a_service_that_could_not_be_looked_up_is_not_taken_for_gone():
    ecs, stub = stubbed("ecs")
    stub.add_response("describe_services", {"services": [], "failures": [{"arn": SERVICE, "reason": "BUSY"}]})
    with pytest.raises(CallFailed, match="BUSY") as failure:
        ecs_lists.describe_services(ecs, "prod", [SERVICE])
    assert failure.value.kind == "passing"


def test_facts_of_the_least_that_aws_tells():
    facts = ecs_lists.service_facts(service())
    assert facts == {
        "service": "web",
        "cluster": "prod",
        "region": "eu-central-1",
        "account_id": "111122223333",
        "service_arn": SERVICE,
        "cluster_arn": f"{ECS}:cluster/prod",
        "status": "ACTIVE",
        "desired_count": 3,
        "running_count": 3,
        "pending_count": 0,
        "task_definition": f"{ECS}:task-definition/web:7",
        "task_definition_family": "web",
        "task_definition_revision": 7,
        "launch_type": None,
        "capacity_providers": [],
        "capacity_provider_strategy": [],
        "platform_version": None,
        "platform_family": None,
        "scheduling_strategy": "REPLICA",
        "deployment_controller": "ECS",
        "deploying": False,
        "rollout_state": None,
        "deployments": [],
        "minimum_healthy_percent": None,
        "maximum_percent": None,
        "target_groups": [],
        "subnets": [],
        "security_groups": [],
        "availability_zone_rebalancing": None,
        "execute_command": False,
        "created_at": None,
        "tags": {},
    }


def test_facts_of_the_most_that_aws_tells():
    deployment = {
        "id": "ecs-svc/1",
        "status": "PRIMARY",
        "rolloutState": "IN_PROGRESS",
        "taskDefinition": f"{ECS}:task-definition/web:7",
        "desiredCount": 3,
        "runningCount": 2,
        "pendingCount": 1,
        "failedTasks": 0,
        "createdAt": at(1000),
        "updatedAt": at(2000.5),
    }
    facts = ecs_lists.service_facts(
        service(
            capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 3}],
            platformVersion="1.4.0",
            platformFamily="Linux",
            schedulingStrategy="REPLICA",
            deploymentController={"type": "CODE_DEPLOY"},
            deployments=[deployment],
            deploymentConfiguration={"maximumPercent": 150, "minimumHealthyPercent": 50},
            loadBalancers=[{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}],
            networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}},
            availabilityZoneRebalancing="ENABLED",
            enableExecuteCommand=True,
            createdAt=at(0),
            tags=[{"key": "Team", "value": "shop"}, {"key": "empty"}],
            events=[{"id": "1", "createdAt": at(0), "message": "has started 1 tasks"}],
        )
    )
    assert facts["capacity_providers"] == ["FARGATE_SPOT"]
    assert facts["capacity_provider_strategy"] == [{"capacity_provider": "FARGATE_SPOT", "weight": 3, "base": 0}]
    assert (facts["platform_version"], facts["platform_family"]) == ("1.4.0", "Linux")
    assert (facts["deploying"], facts["rollout_state"], facts["deployment_controller"]) == (
        True,
        "IN_PROGRESS",
        "CODE_DEPLOY",
    )
    assert facts["deployments"] == [
        {
            "id": "ecs-svc/1",
            "status": "PRIMARY",
            "rollout_state": "IN_PROGRESS",
            "task_definition": f"{ECS}:task-definition/web:7",
            "desired_count": 3,
            "running_count": 2,
            "pending_count": 1,
            "failed_tasks": 0,
            "created_at": "1970-01-01T00:16:40Z",
            "updated_at": "1970-01-01T00:33:20.500Z",
        }
    ]
    assert (facts["minimum_healthy_percent"], facts["maximum_percent"]) == (50, 150)
    assert (facts["target_groups"], facts["subnets"], facts["security_groups"]) == ([GROUP], ["subnet-1"], ["sg-1"])
    assert (facts["availability_zone_rebalancing"], facts["execute_command"]) == ("ENABLED", True)
    assert (facts["created_at"], facts["tags"]) == ("1970-01-01T00:00:00Z", {"Team": "shop", "empty": ""})
