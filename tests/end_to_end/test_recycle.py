# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recycle in which everything goes well: services of all sizes and kinds."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.end_to_end.programs import until
from tests.end_to_end.witness import Witness

PLAIN = {}
GUARDED = {"health_check": True, "target_groups": 2, "scaling": {"min": 1, "max": 300, "dynamic_out": True}}


def policy_at_work(sandbox, service):
    """Add a scaling policy that wants the current number of tasks, and removes added tasks at once."""
    sandbox.settings(latencies={"policy": 5})
    sandbox.act("policy_wants", "web", desired=service["desired"])


@pytest.mark.parametrize(
    ("tasks", "batch", "surge"),
    [(1, 1, 1), (3, 1, 1), (10, "20%", 2), (40, "25%", 10), pytest.param(120, "25%", 30, marks=pytest.mark.long)],
)
@pytest.mark.parametrize("kind", [PLAIN, GUARDED], ids=["plain", "guarded"])
def test_services_of_all_sizes(sandbox, recycle, tasks, batch, surge, kind):
    if tasks > 100:
        # Thirty stops, each with a look, take this machine longer than such a fast ECS needs to react.
        sandbox.settings(latencies={"reaction": 30})
    service = sandbox.service("web", tasks=tasks, tags={"team": "shop"}, **kind)
    if kind:
        policy_at_work(sandbox, service)
    witness = Witness(sandbox)

    result = recycle(max_task_age="1h", batch_size=batch)

    assert result["changed"]
    told = result["recycle"]
    assert (told["status"], told["remaining"], told["skipped"], told["failures"]) == ("recycled", [], [], [])
    assert [each["task"] for each in told["replaced"]] == witness.stops()
    assert told["capacity"] == {"before": tasks, "peak": tasks + surge, "after": tasks}
    assert tasks <= told["minimum_healthy"] < tasks + surge
    witness.kept(surge=surge)
    witness.replaced()
    created = {task["arn"]: task["created_at"] for task in witness.before["tasks"]}
    assert witness.stops() == sorted(witness.old, key=created.get), "oldest first"
    # There are no more launches than replacements: the added tasks replace the last old ones.
    extra = len(witness.withdrawn())
    assert extra <= surge
    assert told["withdrawn"] == witness.withdrawn()
    assert len(sandbox.find("web")["tasks"]) <= 2 * tasks + extra
    assert len(witness.calls()) == sum(told["api_calls"].values()) <= 15 * tasks + 15 + 10 * extra

    again = Witness(sandbox)
    result = recycle(max_task_age="1h", batch_size=batch)
    assert (result["changed"], result["recycle"]["status"]) == (False, "unchanged")
    assert not result.get("diff")
    again.untouched()


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param({"launch_type": "EC2", "target_groups": 1}, id="ports of instances"),
        pytest.param({"launch_type": "EC2", "network_mode": "awsvpc", "target_groups": 1}, id="instances"),
        pytest.param({"capacity_provider": "FARGATE_SPOT", "health_check": True}, id="capacity provider"),
        pytest.param({"controller": "CODE_DEPLOY", "target_groups": 1}, id="CODE_DEPLOY"),
        pytest.param({"controller": "EXTERNAL", "health_check": True}, id="EXTERNAL"),
        pytest.param({"cluster": "prod"}, id="another cluster"),
    ],
)
def test_services_of_all_kinds(sandbox, recycle, kind):
    sandbox.service("web", tasks=2, **kind)
    witness = Witness(sandbox)
    result = recycle(max_task_age="1h", cluster=kind.get("cluster", "default"))
    assert result["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


def test_a_daemon_is_stopped_first_and_started_then(sandbox, recycle):
    sandbox.service("web", tasks=4, daemon=True, health_check=True)
    witness = Witness(sandbox)
    refused = recycle(max_task_age="1h")
    assert "(DAEMON), and no task can be added to it" in refused["msg"]
    witness.untouched()
    result = recycle(max_task_age="1h", minimum_healthy_percent=50, batch_size=2)
    assert (result["recycle"]["plan"]["surge"], result["recycle"]["plan"]["batch_size"]) == (0, 2)
    witness.kept(floor=2, surge=0)
    witness.replaced()
    assert "UpdateService" not in witness.writes()


def test_without_a_surge_the_floor_is_lower(sandbox, recycle):
    sandbox.service("web", tasks=4, health_check=True, room=4)
    witness = Witness(sandbox)
    result = recycle(max_task_age="1h", surge=0, minimum_healthy_percent=75)
    assert result["recycle"]["capacity"]["peak"] == 4
    witness.kept(floor=3, surge=0)
    witness.replaced()


def test_a_surge_as_large_as_the_service_launches_nothing_twice(sandbox, recycle):
    """A stopped task may end between the count and the look at the tasks; it is not taken for a replacement."""
    sandbox.settings(latencies={"reaction": 300})  # otherwise, a busy machine would lower the count too late
    sandbox.service("web", tasks=4, health_check=True)
    witness = Witness(sandbox)
    recycle(max_task_age="1h", surge=4, batch_size="100%")
    witness.kept(surge=4)
    witness.replaced()
    assert len({task["arn"] for task in sandbox.find("web")["tasks"]} - witness.old) == 4


def test_a_service_of_no_tasks(sandbox, recycle):
    sandbox.service("web", tasks=0)
    witness = Witness(sandbox)
    assert recycle(all_tasks=True)["recycle"]["status"] == "unchanged"
    witness.untouched()


def test_only_what_is_stale(sandbox, recycle):
    sandbox.service("web", tasks=5, health_check=True, started=True)
    witness = Witness(sandbox)
    born = sorted(task["created_at"] for task in witness.before["tasks"])
    stale = {task["arn"] for task in witness.before["tasks"] if task["created_at"] < born[2]}
    result = recycle(started_before=f"{born[2] - 0.001:.3f}")
    assert len(result["recycle"]["replaced"]) == 2
    witness.kept()
    witness.replaced(stale)


def test_a_token_is_for_one_time(sandbox, recycle):
    sandbox.service("web", tasks=2, health_check=True)
    witness = Witness(sandbox)
    first = recycle(token="build 7")
    assert len(first["recycle"]["replaced"]) == 2
    witness.replaced(tokens=True)

    again = Witness(sandbox)
    second = recycle(token="build 7")
    assert (second["changed"], second["recycle"]["cutoff"]) == (False, first["recycle"]["cutoff"])
    again.untouched()

    third = recycle(token="build 8")
    assert len(third["recycle"]["replaced"]) == 2
    assert len(sandbox.find("web")["tags"]["steadyops.ecs/recycle-tokens"].split()) == 2


def test_all_tasks_is_for_every_time(sandbox, recycle):
    sandbox.service("web", tasks=1, health_check=True)
    for _time in range(2):
        witness = Witness(sandbox)
        assert recycle(all_tasks=True)["changed"]
        witness.replaced()


def test_the_reason_of_a_stop(sandbox, recycle):
    sandbox.service("web", tasks=1, health_check=True)
    witness = Witness(sandbox)
    recycle(max_task_age="1h", reason="Secret rotated, see CHG-1")
    (stop,) = witness.calls("StopTask")
    assert stop["parameters"]["reason"].startswith("Secret rotated, see CHG-1 (ecs_service_recycle ")


def test_the_pause_between_steps(sandbox, recycle):
    sandbox.service("web", tasks=3, health_check=True)
    witness = Witness(sandbox)
    recycle(max_task_age="1h", wait_time=1.2)
    times = [call["time"] for call in witness.calls("StopTask")]
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 1.2


def test_a_new_task_has_to_stay_good(sandbox, recycle):
    sandbox.service("web", tasks=1)
    witness = Witness(sandbox)
    recycle(max_task_age="1h", stabilize_time=2)
    ran = min(task["started_at"] for task in sandbox.find("web")["tasks"] if task["arn"] not in witness.old)
    assert witness.calls("StopTask")[0]["time"] - ran > 1, "AWS's clock is known to a second"


@pytest.mark.parametrize(
    ("wait_for", "expected"), [("running", "running"), ("healthy", "healthy"), ("auto", "target_healthy")]
)
def test_what_is_waited_for(sandbox, recycle, wait_for, expected):
    sandbox.service("web", tasks=1, health_check=True, target_groups=1)
    result = recycle(max_task_age="1h", wait_for=wait_for)
    assert result["recycle"]["plan"]["wait_for"] == expected
    assert ("DescribeTargetHealth" in result["recycle"]["api_calls"]) is (expected == "target_healthy")


@pytest.mark.parametrize(
    ("asked", "suspended"),
    [
        (["dynamic_in"], {"dynamic_in"}),
        (["dynamic_in", "dynamic_out", "scheduled"], {"dynamic_in", "dynamic_out", "scheduled"}),
        ([], set()),
    ],
)
def test_what_is_suspended_meanwhile(sandbox, begin, asked, suspended):
    sandbox.service("web", tasks=2, health_check=True, scaling={"min": 1, "max": 9, "scheduled": True})
    witness = Witness(sandbox)
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(max_task_age="1h", suspend_scaling=asked)
    until(witness.stops, "the first stop")
    during = witness.now()["scaling"]
    sandbox.release()
    module.result()
    # What was suspended before stays suspended, during and after the run. Minimum and maximum are never changed.
    assert {flag for flag in ("dynamic_in", "dynamic_out", "scheduled") if during[flag]} == suspended | {"scheduled"}
    assert (during["minimum"], during["maximum"]) == (1, 9)
    witness.replaced()


def test_scaling_out_goes_on_meanwhile_and_stays(sandbox, begin):
    sandbox.service("web", tasks=2, health_check=True, scaling={"min": 1, "max": 9})
    sandbox.settings(latencies={"policy": 5})
    witness = Witness(sandbox)
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(max_task_age="1h")
    until(witness.stops, "the first stop")
    sandbox.act("policy_wants", "web", desired=6)
    until(lambda: witness.now()["desired"] == 6, "the policy")
    sandbox.release()
    result = module.result()
    assert result["recycle"]["status"] == "recycled"
    assert result["recycle"]["capacity"]["before"] == 2
    # The run takes away what it added. Only the policy may add it again.
    until(lambda: witness.now()["desired"] == witness.now()["running"] == 6, "the policy")
    witness.kept(surge=4)
    assert witness.stopped() == set(witness.stops()) == witness.old
    assert witness.record() is None


def test_the_clock_of_the_controller_does_not_matter(sandbox, recycle):
    for offset in (-600, 600):
        sandbox.reset(clock_offset=offset)
        sandbox.service("web", tasks=2, health_check=True, oldest=300, newest=200)
        witness = Witness(sandbox)
        result = recycle(max_task_age="150s", lease=5)
        assert len(result["recycle"]["replaced"]) == 2
        witness.kept()
        witness.replaced()
        # Fresh tasks are not old, and an instant that is past for AWS is not in the future.
        again = Witness(sandbox)
        assert recycle(max_task_age="150s")["recycle"]["status"] == "unchanged"
        assert recycle(started_before=str(time.time() + offset - 400))["recycle"]["status"] == "unchanged"
        assert "must be in the past" in recycle(started_before=str(time.time() + offset + 60))["msg"]
        again.untouched()
        assert len(recycle(token="once")["recycle"]["replaced"]) == 2
        assert recycle(token="once")["recycle"]["status"] == "unchanged"
