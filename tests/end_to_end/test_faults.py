# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault that the sandbox knows, and what a run does about it."""

from __future__ import annotations

import pytest

from tests.end_to_end.programs import until, warnings
from tests.end_to_end.witness import RECORD_TAG, Witness

TASK = {"max_task_age": "1h"}


@pytest.fixture
def witness(sandbox):
    sandbox.service("web", tasks=3, health_check=True, target_groups=1, scaling={"min": 1, "max": 9}, tags={"a": "b"})
    return Witness(sandbox)


# -- calls ----------------------------------------------------------------------------------------------------------


# A call is repeated after a quarter of a second, and real ECS takes longer than that to react to the call before. At a
# hundred times the speed it would react first, so let it take longer here.
AS_SLOW_AS_ECS = {"reaction": 60}
WRITES = ["TagResource", "RegisterScalableTarget", "UpdateService", "StopTask", "UntagResource"]


def disturb(sandbox, kind, **details):
    """Let a share of all reads fail, and the first and the third attempt of every write."""
    sandbox.settings(latencies=AS_SLOW_AS_ECS)
    sandbox.fault(kind, only="reads", share=0.2)
    for operation in WRITES:
        for number in (1, 3):
            sandbox.fault(kind, operations=[operation], nth=number, **details)


def test_throttling_slows_down_and_fails_nothing(sandbox, witness, recycle):
    disturb(sandbox, "throttling")
    for operation in ("DescribeServices", "DescribeTasks"):  # at least once, whatever chance decides
        sandbox.fault("throttling", operations=[operation], nth=1)
    result = recycle(**TASK)
    assert result["recycle"]["status"] == "recycled"
    throttled = {call["operation"] for call in witness.calls() if call["outcome"].startswith("Throttling")}
    assert throttled >= {*WRITES, "DescribeServices", "DescribeTasks"}
    assert sum(result["recycle"]["api_calls"].values()) == len(witness.calls()), "repeated calls are counted"
    witness.kept()
    witness.replaced()


@pytest.mark.parametrize("carried_out", [False, True])
def test_errors_of_the_service_pass(sandbox, witness, recycle, carried_out):
    """This includes errors of calls that were nevertheless carried out."""
    disturb(sandbox, "server_error", carried_out=carried_out)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    codes = {call["outcome"] for call in witness.calls()}
    assert {"ServerException", "ServerException, carried out"} & codes
    witness.kept()
    witness.replaced()


@pytest.mark.parametrize("operation", WRITES)
def test_a_reset_after_the_call_was_accepted(sandbox, witness, recycle, operation):
    """Every second call is reset, so the next attempt may be the first one that is answered."""
    sandbox.fault("connection_reset", operations=[operation], nth=1)
    sandbox.fault("connection_reset", operations=[operation], nth=3)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    assert witness.calls(operation)[0]["outcome"] == "ok, reset"
    witness.kept()
    witness.replaced()


def test_stale_reads(sandbox, witness, recycle):
    """Reads after a write return the state before it, but there is no second stop and no second surge."""
    sandbox.fault("stale_reads", seconds=60, operations=["StopTask", "UpdateService", "TagResource"])
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()
    assert witness.writes().count("StopTask") == 3


def test_lost_events_and_lists_that_lag_behind(sandbox, witness, recycle):
    sandbox.fault("events_lost")
    sandbox.fault("list_omits_new", seconds=30)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


def test_an_answer_that_is_late(sandbox, witness, recycle):
    sandbox.fault("slow", seconds=3, share=0.5)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


# -- launches -------------------------------------------------------------------------------------------------------


def failed_without_a_stop(witness, result, *words):
    """Assert that only the added task, the canary, ended, and that no other task was stopped."""
    assert (result["failed"], result["recycle"]["status"], result["recycle"]["replaced"]) == (True, "failed", [])
    for word in words:
        assert word in result["msg"]
    assert witness.stopped() == set()
    assert set(result["recycle"]["remaining"]) == witness.old
    witness.kept()
    witness.given_back()


def test_a_launch_that_fails(sandbox, witness, recycle):
    reason = "CannotPullContainerError: pull image manifest has been retried 7 time(s): image not found"
    sandbox.fault("launch_fails", reason=reason)
    result = recycle(**TASK)
    failed_without_a_stop(witness, result, "TaskFailedToStart", reason)
    failure = result["recycle"]["failures"][0]
    assert (failure["stop_code"], reason in failure["reason"]) == ("TaskFailedToStart", True)
    assert failure["task"] not in witness.old
    assert len(witness.calls()) < 40, "at once, not at the timeout"


def test_a_launch_that_crashes_after_running(sandbox, witness, recycle):
    sandbox.fault("launch_crashes", seconds=5, exit_code=137)
    result = recycle(**TASK)
    failed_without_a_stop(witness, result, "EssentialContainerExited", "exited with code 137")


def test_a_later_launch_that_crashes(sandbox, witness, begin):
    """The canary survives, so the first task is stopped; its replacement crashes, and no other task is stopped."""
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(**TASK)
    until(witness.stops, "the first stop")
    sandbox.fault("launch_crashes", seconds=5, exit_code=3)
    sandbox.release()
    result = module.result()
    assert "EssentialContainerExited" in result["msg"]
    assert len(witness.stopped()) == 1
    assert len(result["recycle"]["remaining"]) == 2
    sandbox.clear_faults()
    witness.kept()
    witness.given_back()


def test_no_room(sandbox, witness, recycle):
    sandbox.fault("no_room")
    result = recycle(**TASK)
    failed_without_a_stop(witness, result, "unable to place a task", "Capacity is unavailable at this time")


def test_container_checks_that_never_pass(sandbox, witness, recycle):
    sandbox.fault("never_healthy")
    result = recycle(**TASK)
    failed_without_a_stop(witness, result, "failed container health checks")


def test_targets_that_never_become_healthy(sandbox, witness, recycle):
    sandbox.fault("targets_never_healthy")
    result = recycle(**TASK)
    failed_without_a_stop(witness, result, "failed ELB health checks")


def test_targets_that_never_become_healthy_and_are_not_given_up_by_ecs(sandbox, witness, recycle):
    sandbox.settings(latencies={"unhealthy": 6000})
    sandbox.fault("targets_never_healthy")
    result = recycle(**TASK, wait_timeout=2)
    failed_without_a_stop(witness, result, "waited 2 s (wait_timeout) for the added tasks to become good")
    # For a lower count, ECS would choose a task itself, so the module stops the one that never became good.
    assert result["recycle"]["withdrawn"] == witness.withdrawn()
    assert len(witness.withdrawn()) == 1


# -- others at work -------------------------------------------------------------------------------------------------


def test_a_deployment_at_the_start(sandbox, witness, recycle):
    sandbox.settings(latencies={"launch": 6000})
    sandbox.act("deploy", "web")
    result = recycle(**TASK)
    assert "a deployment of service web in cluster default is in progress" in result["msg"]
    waited = recycle(**TASK, on_deployment="wait", deployment_timeout=1)
    assert "waited 1 s" in waited["msg"]
    witness.untouched()


def test_a_deployment_at_the_start_is_waited_for(sandbox, witness, recycle):
    sandbox.act("deploy", "web")
    result = recycle(**TASK, on_deployment="wait")
    assert result["recycle"]["status"] == "unchanged", "the deployment has replaced all tasks"
    witness.untouched()


def deploy_midway(sandbox, witness, module):
    """Let a deployment of a second or two begin with the first stop."""
    until(witness.stops, "the first stop")
    sandbox.settings(latencies={"launch": 150})
    sandbox.act("deploy", "web")
    sandbox.release()
    return module.result()


def test_a_deployment_that_starts_midway(sandbox, witness, begin):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    result = deploy_midway(sandbox, witness, begin(**TASK))
    assert "a deployment of service web in cluster default is in progress" in result["msg"]
    assert len(witness.stops()) == 1, "the deployment replaces the others"
    witness.kept(surge=1)
    until(lambda: len(witness.now()["deployments"]) == 1, "the deployment")
    witness.given_back()


def test_a_deployment_that_starts_midway_is_waited_for(sandbox, witness, begin):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    result = deploy_midway(sandbox, witness, begin(**TASK, on_deployment="wait"))
    assert (result["recycle"]["status"], result["recycle"]["remaining"]) == ("recycled", [])
    assert len(witness.stops()) == 1
    witness.kept()
    witness.given_back()


def test_a_deployment_that_comes_and_goes_between_two_looks(sandbox, witness, recycle):
    sandbox.fault("deployment_midway", after=1)
    result = recycle(**TASK, on_deployment="wait")
    assert (result["recycle"]["status"], result["recycle"]["remaining"]) == ("recycled", [])
    witness.kept()
    witness.given_back()


@pytest.mark.parametrize("treatment", ["skip", "recycle"])
def test_a_protected_task(sandbox, witness, recycle, treatment):
    sandbox.act("protect", "web", task="oldest")
    (protected,) = [task["arn"] for task in witness.now()["tasks"] if task["protected_until"]]
    result = recycle(**TASK, protected_tasks=treatment)
    assert result["recycle"]["status"] == "recycled"
    skipped = [{"task": protected, "reason": "protected"}] if treatment == "skip" else []
    assert result["recycle"]["skipped"] == skipped
    witness.kept()
    witness.replaced(witness.old - {protected} if skipped else witness.old)


def test_only_protected_tasks(sandbox, witness, recycle):
    for task in witness.before["tasks"]:
        sandbox.act("protect", "web", task=task["arn"])
    result = recycle(**TASK)
    assert (result["changed"], len(result["recycle"]["skipped"])) == (False, 3)
    witness.untouched()


def test_a_task_that_is_protected_midway(sandbox, witness, recycle):
    sandbox.fault("protected_midway", after=1)
    result = recycle(**TASK)
    (skipped,) = result["recycle"]["skipped"]
    assert skipped["reason"] == "protected"
    witness.kept()
    witness.replaced(witness.old - {skipped["task"]})


def policy_wants(sandbox, desired):
    sandbox.settings(latencies={"policy": 5})
    sandbox.act("policy_wants", "web", desired=desired)


def test_a_scale_in_policy_at_work(sandbox, witness, recycle):
    policy_wants(sandbox, 3)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    assert "scaling policy" not in {change["cause"] for change in witness.changes()}
    witness.kept()
    witness.replaced()


def test_a_scale_in_policy_that_is_not_suspended(sandbox, witness, recycle):
    """Added tasks are removed again. Then no task is stopped, and the message says so."""
    policy_wants(sandbox, 3)
    result = recycle(**TASK, suspend_scaling=[], wait_timeout=2)
    assert "scaling policy" in {change["cause"] for change in witness.changes()}
    failed_without_a_stop(witness, result, "waited 2 s (wait_timeout) for the added tasks to become good")


def test_a_scalable_target_that_is_registered_again(sandbox, witness, recycle):
    """Terraform, for example, sets other limits and turns all switches on midway. The run leaves them like that."""
    ours = {"dynamic_in": False, "dynamic_out": False, "scheduled": True}
    sandbox.fault("reregistered", after=1, minimum=2, maximum=8, suspended=ours)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    witness.kept()
    assert witness.stopped() == witness.old
    now = witness.now()
    assert now["scaling"] == {"minimum": 2, "maximum": 8, **ours}
    assert (now["desired"], witness.record()) == (3, None)


def test_a_scalable_target_whose_new_maximum_takes_the_added_task_away(sandbox, witness, recycle):
    sandbox.fault("reregistered", after=1, maximum=3)
    result = recycle(**TASK)
    assert result["recycle"]["status"] == "recycled"
    assert any("was raised again" in warning for warning in warnings(result))
    witness.kept()
    assert witness.stopped() == witness.old
    assert (witness.now()["desired"], witness.record()) == (3, None)


@pytest.mark.parametrize("delta", [2, -1])
def test_an_operator_scales_midway(sandbox, witness, recycle, delta):
    sandbox.fault("rescaled", after=1, delta=delta)
    result = recycle(**TASK)
    assert ("someone else lowered the desired count" in result.get("msg", "")) is False
    assert result["recycle"]["capacity"]["before"] == 3
    witness.kept(floor=3, surge=max(1, 1 + delta))
    until(lambda: witness.now()["running"] == witness.now()["desired"], "the scheduler")
    assert witness.now()["desired"] == (5 if delta == 2 else 3)
    assert witness.record() is None
    assert witness.now()["scaling"] == witness.before["scaling"]


def test_an_operator_scales_in_midway(sandbox, witness, recycle):
    sandbox.fault("rescaled", after=1, delta=-2)
    result = recycle(**TASK)
    assert "someone else lowered the desired count to 2" in result["msg"]
    until(lambda: witness.now()["running"] == 2, "the scheduler")
    assert (witness.now()["desired"], witness.record()) == (2, None)
    assert witness.now()["scaling"] == witness.before["scaling"]


def test_somebody_removes_the_record(sandbox, witness, recycle):
    sandbox.fault("tags_lost", after=1, keys=[RECORD_TAG])
    result = recycle(**TASK)
    assert result["recycle"]["status"] == "recycled"
    assert any(RECORD_TAG in warning for warning in warnings(result))
    witness.kept()
    witness.replaced()


@pytest.mark.parametrize(("act", "floor"), [("interrupted", 2), ("rebalanced", 3)])
def test_ecs_itself_moves_a_task(sandbox, witness, recycle, act, floor):
    sandbox.fault(act, after=1)
    result = recycle(**TASK)
    assert result["recycle"]["status"] == "recycled"
    assert min(change["healthy"] for change in witness.changes()) >= floor
    assert witness.stopped() <= witness.old
    assert not witness.old & {task["arn"] for task in witness.now()["tasks"] if task["desired_status"] == "RUNNING"}
    witness.given_back()


def test_the_service_is_deleted_midway(sandbox, witness, begin):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(**TASK)
    until(witness.stops, "the first stop")
    sandbox.act("delete", "web")
    sandbox.release()
    result = module.result()
    assert "was deleted during the run" in result["msg"]  # DRAINING at first, then INACTIVE
    assert len(witness.stops()) == 1
