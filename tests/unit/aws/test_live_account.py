# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several services in one call: which calls are made, and which services a failure affects."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils import _amazon
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.account import LiveAccount
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.line import Line
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.bucket import Bucket
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.run import Job
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.unit.aws.clients import ECS, Clients, at, service, task

SETTINGS = Settings(Selector("all_tasks"))


def named(name, cluster="prod", **more):
    return service(serviceName=name, serviceArn=f"{ECS}:service/{cluster}/{name}", **more)


def arn(number):
    return f"{ECS}:task/prod/{number:032x}"


@pytest.fixture
def clients():
    made = Clients()
    yield made
    made.assert_all_asked()


@pytest.fixture
def account(clients):
    return LiveAccount(Line(clients, lambda: 100.0, lambda: 5.0))


@pytest.fixture
def worlds(account):
    return lambda *names, cluster="prod": [account.world(Job(cluster, name, SETTINGS)) for name in names]


def asked(cluster, *names):
    return {"cluster": cluster, "services": list(names), "include": ["TAGS"]}


def test_ten_services_of_a_cluster_in_a_call(clients, account, worlds):
    names = [f"s{number}" for number in range(12)]
    clients.expect(
        ("ecs.describe_services", asked("prod", *names[:10]), {"services": [named(name) for name in names[:10]][::-1]}),
        ("ecs.describe_services", asked("prod", *names[10:]), {"services": [named(name) for name in names[10:]]}),
        ("ecs.describe_services", asked("stage", "s0"), {"services": [named("s0", "stage", desiredCount=7)]}),
    )
    every = [*worlds(*names), *worlds("s0", cluster="stage")]
    found = account.bulk.describe_services(every)
    assert [each.name for each in found] == [*names, "s0"]
    assert found[-1].desired == 7
    assert every[0].calls == {"DescribeServices": 3}, "all of them count together"


def revised(name):
    """Return a service without a load balancer: only its revision names the one that ECS created."""
    revision = {"arn": f"{ECS}:service-revision/prod/{name}/1", "requestedTaskCount": 3}
    return named(name, currentServiceRevisions=[revision])


def test_service_revisions_are_asked_for_together_and_once(clients, account, worlds):
    arns = [f"{ECS}:service-revision/prod/{name}/1" for name in "ab"]
    gone = {"arn": arns[1], "reason": "MISSING"}
    clients.expect(
        ("ecs.describe_services", None, {"services": [revised("a"), revised("b")]}),
        (
            "ecs.describe_service_revisions",
            {"serviceRevisionArns": arns},
            {
                "serviceRevisions": [{"serviceRevisionArn": arns[0]}],
                "failures": [gone],
            },
        ),
        ("ecs.describe_services", None, {"services": [revised("a"), revised("b")]}),
    )
    both = worlds("a", "b")
    assert [each.name for each in account.describe_services(both)] == ["a", "b"]
    assert [each.target_groups for each in account.describe_services(both)] == [(), ()]


def test_where_revisions_are_denied_each_service_asks_for_its_own(clients, account, worlds):
    denied = "AccessDeniedException: no"
    clients.expect(
        ("ecs.describe_services", None, {"services": [revised("a"), revised("b")]}),
        *[("ecs.describe_service_revisions", None, denied)] * 3,
    )
    assert [each.name for each in account.describe_services(worlds("a", "b"))] == ["a", "b"]


def test_a_service_that_is_missing_or_cannot_be_told_of(clients, account, worlds):
    failures = [
        {"arn": f"{ECS}:service/prod/b", "reason": "MISSING"},
        {"arn": f"{ECS}:service/prod/c", "reason": "ODD", "detail": "no words"},
    ]
    clients.expect(
        ("ecs.describe_services", asked("prod", "a", "b", "c"), {"services": [named("a")], "failures": failures})
    )
    a, b, c = account.describe_services(worlds("a", "b", "c"))
    assert (a.name, b) == ("a", None)
    assert isinstance(c, CallFailed)
    assert (c.code, c.kind) == ("ODD", "final")


@pytest.mark.parametrize("code", ["ThrottlingException", "ServerException"])
def test_what_passes_fails_for_all(clients, account, worlds, code):
    clients.expect(("ecs.describe_services", asked("prod", "a", "b"), f"{code}: later"))
    with _amazon.taking_turns(Bucket(1.0, 1.0, 0.0)):  # so the call is not repeated at once
        found = account.describe_services(worlds("a", "b"))
    assert [each.code for each in found] == [code, code]


def test_where_one_is_denied_each_is_asked_for_alone(clients, account, worlds):
    """A policy may allow only some services, and IAM then denies the call for all."""
    clients.expect(
        ("ecs.describe_services", asked("prod", "a", "b"), "AccessDeniedException: not all of them"),
        ("ecs.describe_services", asked("prod", "a"), {"services": [named("a")]}),
        ("ecs.describe_services", asked("prod", "b"), "AccessDeniedException: not b"),
    )
    a, b = account.describe_services(worlds("a", "b"))
    assert a.name == "a"
    assert "not b" in str(b)


def test_an_arn_of_another_region_or_account_concerns_that_service_only(clients, account):
    here, there = (
        account.world(Job("prod", name, SETTINGS, arn=f"arn:aws:ecs:{place}:service/prod/{name}"))
        for name, place in [("a", "eu-central-1:111122223333"), ("b", "eu-west-1:111122223333")]
    )
    other = account.world(Job("prod", "c", SETTINGS, arn="arn:aws:ecs:eu-central-1:999922223333:service/prod/c"))
    clients.expect(("ecs.describe_services", asked("prod", "a", "c"), {"services": [named("a"), named("c")]}))
    found = account.describe_services([here, there, other])
    assert found[0].name == "a"
    assert [type(each) for each in found[1:]] == [Refused, Refused]


def test_a_hundred_tasks_of_any_services_in_a_call(clients, account, worlds):
    a, b, c = worlds("a", "b", "c")
    clients.expect(
        ("ecs.describe_services", None, {"services": [named("a"), named("b", propagateTags="SERVICE"), named("c")]}),
        (
            "ecs.describe_tasks",
            {"cluster": "prod", "tasks": [arn(n) for n in (1, 2, 3, 4, 5)], "include": ["TAGS"]},
            {"tasks": [task(4), task(3), task(1)], "failures": [{"arn": arn(5), "reason": "ODD"}]},
        ),
    )
    account.describe_services([a, b, c])
    found = account.describe_tasks([(a, [arn(1), arn(2)]), (b, [arn(3), arn(4)]), (c, [arn(5)])])
    assert [each.arn for each in found[0]] == [arn(1)]
    assert [each.arn for each in found[1]] == [arn(3), arn(4)]
    assert (found[2].code, found[2].kind) == ("ODD", "passing")


def test_more_than_a_hundred_tasks(clients, account, worlds):
    a, b = worlds("a", "b")
    names = [arn(number) for number in range(150)]
    clients.expect(
        ("ecs.describe_services", None, {"services": [named("a"), named("b")]}),
        ("ecs.describe_tasks", {"cluster": "prod", "tasks": names[:100]}, {"tasks": [task(n) for n in range(100)]}),
        (
            "ecs.describe_tasks",
            {"cluster": "prod", "tasks": names[100:]},
            {"tasks": [task(n) for n in range(100, 150)]},
        ),
    )
    account.describe_services([a, b])
    found = account.describe_tasks([(a, names[:80]), (b, names[80:])])
    assert [len(each) for each in found] == [80, 70]


def test_protection(clients, account, worlds):
    a, b, c = worlds("a", "b", "c")
    protected = [
        {"taskArn": arn(1), "protectionEnabled": True, "expirationDate": at(9000.0)},
        {"taskArn": arn(2), "protectionEnabled": True, "expirationDate": at(1.0)},
        {"taskArn": arn(3), "protectionEnabled": True},
    ]
    failures = [{"arn": arn(4), "reason": "MISSING"}, {"arn": arn(5), "reason": "ODD"}]
    clients.expect(
        (
            "ecs.get_task_protection",
            {"cluster": "prod", "tasks": [arn(n) for n in (1, 2, 3, 4, 5)]},
            {"protectedTasks": protected, "failures": failures},
        )
    )
    found = account.protected_until([(a, [arn(1), arn(2)]), (b, [arn(3), arn(4)]), (c, [arn(5)])])
    assert found[:2] == [{arn(1): 9000.0}, {arn(3): float("inf")}]
    assert isinstance(found[2], CallFailed)


def test_scalable_targets(clients, account, worlds):
    state = {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 1,
        "RoleARN": "arn:aws:iam::1:role/x",
        "CreationTime": at(1.0),
    }
    ids = {"ResourceIds": ["service/prod/a", "service/prod/b", "service/stage/c"]}
    request = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", **ids}
    first = {"ScalableTargets": [{**state, "ResourceId": "service/prod/a", "MaxCapacity": 4}], "NextToken": "more"}
    second = {"ScalableTargets": [{**state, "ResourceId": "service/stage/c", "MaxCapacity": 9}]}
    clients.expect(
        ("application-autoscaling.describe_scalable_targets", request, first),
        ("application-autoscaling.describe_scalable_targets", {**request, "NextToken": "more"}, second),
    )
    found = account.scaling([*worlds("a", "b"), *worlds("c", cluster="stage")])
    assert [each and each.maximum for each in found] == [4, None, 9]
