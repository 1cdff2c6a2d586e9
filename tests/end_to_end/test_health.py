# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health as the users' traffic sees it: load balancers of all kinds, and services that are unhealthy from the start."""

from __future__ import annotations

import pytest

from tests.end_to_end.programs import until, warnings
from tests.end_to_end.witness import Witness

HOST = {"launch_type": "EC2", "network_mode": "host", "port": 8080, "target_groups": 1}
BRIDGE = {"launch_type": "EC2", "target_groups": 1}
CLASSIC = {"launch_type": "EC2", "classic": 1}
LATTICE = {"lattice": 1}
TARGETS, INSTANCES, LATTICE_TARGETS = "DescribeTargetHealth", "DescribeInstanceHealth", "ListTargets"
KINDS = [
    pytest.param(HOST, TARGETS, id="host"),
    pytest.param(BRIDGE, TARGETS, id="bridge"),
    pytest.param({"target_groups": 1, "ipv6": "eni"}, TARGETS, id="IPv4 targets of tasks with two addresses"),
    pytest.param({"target_groups": 1, "ipv6": "targets"}, TARGETS, id="IPv6 targets of tasks with two addresses"),
    pytest.param({"target_groups": 1, "ipv6": "only"}, TARGETS, id="IPv6 targets"),
    pytest.param(CLASSIC, INSTANCES, id="Classic Load Balancer"),
    pytest.param(LATTICE, LATTICE_TARGETS, id="VPC Lattice"),
]


@pytest.mark.parametrize(("kind", "asked"), KINDS)
def test_every_kind_of_target_is_waited_for(sandbox, recycle, kind, asked):
    sandbox.service("web", tasks=2, **kind)
    witness = Witness(sandbox)
    result = recycle(max_task_age="1h")
    assert (result["recycle"]["status"], result["recycle"]["plan"]["wait_for"]) == ("recycled", "target_healthy")
    assert result["recycle"]["api_calls"][asked] >= 3
    assert warnings(result) == []
    witness.kept()
    witness.replaced()


@pytest.mark.parametrize(("kind", "_asked"), KINDS)
def test_no_old_task_is_stopped_before_the_targets_of_a_new_one_are_healthy(sandbox, recycle, kind, _asked):
    sandbox.service("web", tasks=2, **kind)
    sandbox.fault("targets_never_healthy")
    witness = Witness(sandbox)
    result = recycle(max_task_age="1h", wait_timeout=2)
    assert result["failed"]
    assert witness.stopped() == set()
    witness.kept()
    sandbox.clear_faults()
    witness.given_back()


def unused(sandbox):
    sandbox.act("use_group", "web", used=False)


def unavailable(sandbox):
    for task in sandbox.find("web")["tasks"]:
        sandbox.act("target_state", "web", task=task["arn"], state="unavailable")


def denied(sandbox):
    sandbox.fault("access_denied", operations=[INSTANCES])
    message = "User: arn:aws:sts::123456789012:assumed-role/x is not authorized to perform: vpc-lattice:ListTargets"
    sandbox.fault("error", operations=["vpc-lattice:*"], code="AccessDeniedException", message=message, status=403)


@pytest.mark.parametrize(
    ("kind", "happens", "words"),
    [
        pytest.param({"target_groups": 1}, unused, "no listener forwards to it", id="unused"),
        pytest.param({"target_groups": 1}, unavailable, "health checks are turned off", id="unavailable"),
        pytest.param(LATTICE, unavailable, "health checks are turned off", id="VPC Lattice without checks"),
        pytest.param(CLASSIC, denied, f"Allow elasticloadbalancing:{INSTANCES} to", id="a permission is missing"),
        pytest.param(LATTICE, denied, f"Allow vpc-lattice:{LATTICE_TARGETS} to", id="another permission is missing"),
    ],
)
def test_health_that_cannot_be_read_is_no_health(sandbox, recycle, kind, happens, words):
    service = sandbox.service("web", tasks=2, **kind)
    happens(sandbox)
    witness = Witness(sandbox)
    refused = recycle(max_task_age="1h")
    assert words in refused["msg"]
    assert "or set stabilize_time" in refused["msg"]
    for group in service["target_groups"]:
        assert group in refused["msg"]
    witness.untouched()
    assert "and wait_for: auto" in recycle(max_task_age="1h", wait_for="target_healthy", stabilize_time=0.2)["msg"]
    witness.untouched()

    result = recycle(max_task_age="1h", stabilize_time=0.2)
    assert (result["recycle"]["status"], result["recycle"]["plan"]["wait_for"]) == ("recycled", "running")
    assert any(words in warning and "stabilize_time (0.2 s)" in warning for warning in warnings(result))
    witness.replaced()


def test_one_target_group_of_two_cannot_be_read(sandbox, recycle):
    """The other target group still counts."""
    first, second = sandbox.service("web", tasks=2, target_groups=2)["target_groups"]
    sandbox.act("use_group", "web", group=first, used=False)
    witness = Witness(sandbox)
    refused = recycle(max_task_age="1h")
    assert first in refused["msg"]
    assert second not in refused["msg"]
    witness.untouched()
    sandbox.fault("targets_never_healthy", group=second)
    assert recycle(max_task_age="1h", stabilize_time=0.2, wait_timeout=2)["failed"]
    assert witness.stopped() == set()
    sandbox.clear_faults()
    witness.given_back()
    witness = Witness(sandbox)
    result = recycle(max_task_age="1h", stabilize_time=0.2)
    assert (result["recycle"]["status"], result["recycle"]["plan"]["wait_for"]) == ("recycled", "target_healthy")
    witness.replaced(witness.old & set(witness.stops()))


LATTICE_GROUP = "arn:aws:vpc-lattice:eu-central-1:123456789012:targetgroup/tg-0123456789abcdef0"


@pytest.mark.parametrize(
    "kind", [pytest.param({"target_groups": 1}, id="ELB"), pytest.param({"lattice": [LATTICE_GROUP]}, id="VPC Lattice")]
)
def test_a_deleted_target_group_is_named(sandbox, recycle, kind):
    group = (sandbox.service("web", tasks=2, **kind)["target_groups"] or [LATTICE_GROUP])[0]
    sandbox.act("delete_target_group", "web", group=group)
    witness = Witness(sandbox)
    for options in ({}, {"stabilize_time": 60}):
        refused = recycle(max_task_age="1h", **options)
        assert f"service web in cluster default uses target group {group}, which does not exist" in refused["msg"]
        witness.untouched()


def test_a_target_group_that_is_deleted_midway(sandbox, begin):
    (group,) = sandbox.service("web", tasks=4, target_groups=1)["target_groups"]
    witness = Witness(sandbox)
    run = begin(max_task_age="1h", batch_wait=1)
    until(witness.stops, "the first stop")
    sandbox.act("delete_target_group", "web")
    result = run.result()
    assert f"uses target group {group}, which does not exist" in result["msg"]
    assert witness.old & set(witness.withdrawn()) == set()
    assert witness.now()["desired"] == 4
    assert witness.record() is None


def stopping_reasons(witness):
    return {call["parameters"]["task"]: call["parameters"]["reason"] for call in witness.calls("StopTask")}


ILL = [
    pytest.param({"health_check": True}, "container", id="containers"),
    pytest.param({"target_groups": 1}, "targets", id="targets"),
    pytest.param(HOST, "targets", id="host"),
    pytest.param(CLASSIC, "targets", id="Classic Load Balancer"),
    pytest.param(LATTICE, "targets", id="VPC Lattice"),
]


@pytest.mark.parametrize("method", ["stop_task", "scale_in"])
@pytest.mark.parametrize(("kind", "by"), ILL)
def test_a_service_that_is_ill_is_made_well(sandbox, recycle, kind, by, method):
    """ECS leaves unhealthy tasks alone, as it does within the grace period."""
    sandbox.service("web", tasks=4, unhealthy=2, unhealthy_by=by, replaces_unhealthy=False, **kind)
    witness = Witness(sandbox)
    sick = {task["arn"] for task in witness.before["tasks"] if not task["healthy"]}
    assert len(sick) == 2
    result = recycle(max_task_age="1h", stop_method=method)
    told = result["recycle"]
    assert (told["status"], told["remaining"], told["skipped"]) == ("recycled", [], [])
    assert {each["task"] for each in told["replaced"]} == witness.old
    assert {each["task"] for each in told["replaced"][:2]} == sick, "what carries no traffic goes first"
    assert set(told["withdrawn"]) & witness.old == set()
    # The two healthy tasks stay until all others are healthy.
    witness.kept(floor=2)
    witness.given_back()
    assert sandbox.healthy("web") == 4


def test_a_service_that_ecs_makes_well_at_the_same_time(sandbox, recycle):
    sandbox.service("web", tasks=4, target_groups=1, unhealthy=2, unhealthy_by="targets")
    witness = Witness(sandbox)
    told = recycle(max_task_age="1h")["recycle"]
    assert (told["status"], told["remaining"]) == ("recycled", [])
    assert {each["task"] for each in told["replaced"]} == set(witness.stops())
    assert set(told["withdrawn"]) & witness.old == set()
    witness.kept(floor=2)
    witness.given_back()
    assert sandbox.healthy("web") == 4


def test_a_service_of_which_no_task_is_healthy(sandbox, recycle):
    sandbox.service("web", tasks=3, target_groups=1, unhealthy=3, unhealthy_by="targets", replaces_unhealthy=False)
    witness = Witness(sandbox)
    told = recycle(max_task_age="1h")["recycle"]
    assert {each["task"] for each in told["replaced"]} == witness.old
    witness.given_back()
    assert sandbox.healthy("web") == 3


@pytest.mark.parametrize("state", ["unhealthy.draining", "unhealthy", "draining", "unused"])
def test_a_task_whose_target_fails_goes_first(sandbox, recycle, state):
    sandbox.service("web", tasks=3, target_groups=1)
    newest = max(sandbox.find("web")["tasks"], key=lambda task: task["created_at"])["arn"]
    sandbox.act("target_state", "web", task=newest, state=state)
    witness = Witness(sandbox)
    told = recycle(max_task_age="1h", max_tasks=1)["recycle"]
    assert [each["task"] for each in told["replaced"]] == [newest] == witness.stops()
    witness.kept(floor=2)
    witness.given_back()
    assert sandbox.healthy("web") == 3


def test_a_new_task_in_unhealthy_draining_is_withdrawn(sandbox, begin):
    sandbox.service("web", tasks=2, target_groups=1)
    witness = Witness(sandbox)
    run = begin(max_task_age="1h", stabilize_time=60, wait_timeout=3)

    def added():
        return next((t["arn"] for t in witness.now()["tasks"] if t["arn"] not in witness.old and t["healthy"]), None)

    new = until(added, "the added task")
    sandbox.act("target_state", "web", task=new, state="unhealthy.draining")
    result = run.result()
    # ECS may have started another task before the count was lowered; that one is withdrawn, too.
    assert result["recycle"]["withdrawn"][0] == new
    assert witness.stopped() == set()
    witness.given_back()


def test_nothing_old_is_called_withdrawn(sandbox, recycle):
    """A run that ends early lowers the count but keeps the added task: an unhealthy old task goes instead."""
    sandbox.service("web", tasks=4, target_groups=1, unhealthy=2, unhealthy_by="targets", replaces_unhealthy=False)
    witness = Witness(sandbox)
    sick = {task["arn"] for task in witness.before["tasks"] if not task["healthy"]}
    result = recycle(max_task_age="1h", batch_wait=600, timeout=12)
    assert "the run reached its timeout of" in result["msg"]
    told = result["recycle"]
    assert told["withdrawn"] == []
    assert {each["task"] for each in told["replaced"]} == sick
    assert set(told["remaining"]) == witness.old - sick
    (last,) = [arn for arn, reason in stopping_reasons(witness).items() if "is replaced by a task" in reason]
    assert last in sick
    witness.kept(floor=2)
    witness.given_back()
    assert sandbox.healthy("web") == 4
