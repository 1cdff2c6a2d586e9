# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""stop_method: scale_in - ECS itself drains and stops the stale tasks while the tasks that must stay are protected."""

from __future__ import annotations

import pytest

from tests.end_to_end.programs import until
from tests.end_to_end.witness import Witness

TASK = {"max_task_age": "1h", "stop_method": "scale_in"}


def protected(witness):
    """Return the ARNs of the tasks protected now."""
    return {task["arn"] for task in witness.now()["tasks"] if task["protected_until"]}


def check_replaced(witness, kept=frozenset()):
    """Assert that ECS itself stopped every stale task, and that nothing is left behind."""
    witness.kept()
    witness.given_back()
    assert witness.stops() == []
    alive = {task["arn"] for task in witness.now()["tasks"] if task["desired_status"] == "RUNNING"}
    assert alive & witness.old == kept
    assert protected(witness) == kept


@pytest.mark.parametrize("tasks", [1, 3, 10])
def test_services_with_target_groups(sandbox, recycle, tasks):
    sandbox.service("web", tasks=tasks, health_check=True, target_groups=1, scaling={"min": 1, "max": 20})
    sandbox.act("policy_wants", "web", desired=tasks)
    witness = Witness(sandbox)
    planned = recycle(**TASK, check=True)
    witness.untouched()
    result = recycle(**TASK)
    assert planned["recycle"]["plan"] == result["recycle"]["plan"]
    assert result["recycle"]["status"] == "recycled"
    assert {each["task"] for each in result["recycle"]["replaced"]} == witness.old
    assert len({new for each in result["recycle"]["replaced"] for new in each["new_tasks"]}) == tasks
    assert result["recycle"]["capacity"] == {"before": tasks, "peak": tasks + 1, "after": tasks}
    check_replaced(witness)

    again = Witness(sandbox)
    assert not recycle(**TASK)["changed"]
    again.untouched()


def test_steps_of_several_tasks(sandbox, recycle):
    sandbox.service("web", tasks=7, health_check=True)
    witness = Witness(sandbox)
    result = recycle(**TASK, batch_size="3")
    assert len(result["recycle"]["replaced"]) == 7
    assert result["recycle"]["capacity"]["peak"] == 10
    witness.kept(surge=3)
    assert protected(witness) == set()
    assert "StopTask" not in witness.writes()


def test_protections_of_others_stay(sandbox, recycle):
    sandbox.service("web", tasks=4, health_check=True)
    witness = Witness(sandbox)
    own = sandbox.act("protect", "web", task="oldest", minutes=90)["tasks"]
    (busy,) = {task["arn"] for task in own if task["protected_until"]}
    before = {task["arn"]: task["protected_until"] for task in own}[busy]
    result = recycle(**TASK)
    assert result["recycle"]["skipped"] == [{"task": busy, "reason": "protected"}]
    assert len(result["recycle"]["replaced"]) == 3
    check_replaced(witness, kept={busy})
    assert {task["arn"]: task["protected_until"] for task in witness.now()["tasks"]}[busy] == before


def test_tasks_that_are_not_stale_are_not_touched(sandbox, recycle, task_info):
    sandbox.service("web", tasks=5, health_check=True)
    witness = Witness(sandbox)
    named = [task["task"] for task in task_info()["tasks"]][:2]
    result = recycle(tasks=named, stop_method="scale_in")
    assert {each["task"] for each in result["recycle"]["replaced"]} == set(named)
    alive = {task["arn"] for task in witness.now()["tasks"] if task["desired_status"] == "RUNNING"}
    assert alive & witness.old == witness.old - set(named)
    assert protected(witness) == set()


def test_the_rest_stays_with_max_tasks(sandbox, recycle):
    sandbox.service("web", tasks=5, health_check=True)
    witness = Witness(sandbox)
    result = recycle(**TASK, max_tasks=2)
    oldest = result["recycle"]["plan"]["tasks"]
    assert {each["task"] for each in result["recycle"]["replaced"]} == set(oldest)
    assert len(result["recycle"]["remaining"]) == 3
    assert protected(witness) == set()


def test_a_canary_that_never_becomes_healthy(sandbox, recycle):
    sandbox.service("web", tasks=3, health_check=True)
    witness = Witness(sandbox)
    sandbox.fault("never_healthy")
    result = recycle(**TASK)
    assert result["recycle"]["status"] == "failed"
    assert witness.calls("UpdateTaskProtection") == []
    sandbox.clear_faults()
    witness.given_back()
    assert {task["arn"] for task in witness.now()["tasks"]} >= witness.old


def test_a_deployment_is_not_held_up(sandbox, begin):
    """A deployment cannot stop protected tasks, so the run ends the protections as soon as it sees one."""
    sandbox.service("web", tasks=6, health_check=True)
    witness = Witness(sandbox)
    module = begin(**TASK, on_deployment="wait")
    until(lambda: len(protected(witness)) >= 2, "two protected tasks")
    sandbox.act("deploy", "web")
    assert not module.result().get("failed")
    assert protected(witness) == set()
    assert witness.record() is None


def test_without_the_permission_nothing_is_stopped(sandbox, recycle):
    sandbox.service("web", tasks=3, health_check=True)
    witness = Witness(sandbox)
    sandbox.fault("access_denied", operations=["UpdateTaskProtection"])
    result = recycle(**TASK)
    assert "ecs:UpdateTaskProtection" in result["msg"]
    assert not result["changed"]
    sandbox.clear_faults()
    witness.given_back()


@pytest.mark.parametrize(
    ("service", "options", "words"),
    [
        pytest.param({}, {"surge": 0}, "surge is 0", id="nothing to lower"),
        pytest.param({}, {"protected_tasks": "recycle"}, "protected_tasks is recycle", id="protected ones"),
        pytest.param({}, {"protected_tasks": "wait"}, "protected_tasks is wait", id="ones that are waited for"),
        pytest.param({"maximum_percent": 100}, {}, "Set surge: 1", id="no room"),
        pytest.param(
            {"daemon": True}, {"surge": 1, "minimum_healthy_percent": 50}, "Set stop_method: stop_task", id="daemon"
        ),
    ],
)
def test_what_is_refused(sandbox, recycle, service, options, words):
    sandbox.service("web", tasks=3, **service)
    witness = Witness(sandbox)
    assert words in recycle(**TASK, **options)["msg"]
    witness.untouched()


# Every write of an undisturbed run of three tasks.
STEP = ["UpdateTaskProtection", "UpdateService", "TagResource"]
WRITES = [
    "TagResource",
    "RegisterScalableTarget",
    "UpdateService",
    "TagResource",
    *STEP,
    *["TagResource", "UpdateService", *STEP] * 2,
    "UpdateTaskProtection",
    "RegisterScalableTarget",
    "UntagResource",
]
each_write = pytest.mark.parametrize(
    "write",
    [
        pytest.param(number, id=f"{number}-{name}", marks=[pytest.mark.long] if number % 2 else [])
        for number, name in enumerate(WRITES, 1)
    ],
)


@pytest.fixture
def witness(sandbox):
    sandbox.service("web", tasks=3, health_check=True, target_groups=1, scaling={"min": 1, "max": 9}, tags={"a": "b"})
    sandbox.act("policy_wants", "web", desired=3)
    return Witness(sandbox)


@pytest.fixture
def killed_after(sandbox, begin):
    def run(write):
        before = sandbox.state()["calls"]
        sandbox.fault("hold", nth=write)
        module = begin(**TASK)

        def held():
            return any(call["outcome"] == "held" for call in sandbox.journal(since=before)["calls"])

        until(lambda: held() or not module.runs, "the write")
        module.kill()
        until(lambda: not held(), "the sandbox to see that the client is gone")
        sandbox.clear_faults()

    return run


def test_these_are_all_writes(witness, recycle):
    recycle(**TASK)
    assert witness.writes() == WRITES
    check_replaced(witness)


@each_write
@pytest.mark.sampled(3)
def test_killed_once(witness, recycle, killed_after, write):
    """The run that takes over cleans up, whichever way it stops tasks."""
    killed_after(write)
    result = recycle(**{**TASK, "stop_method": ("scale_in", "stop_task")[write % 2]})
    assert result["recycle"]["resumed"] is (write < len(WRITES))
    witness.kept()
    witness.given_back()
    assert not {task["arn"] for task in witness.now()["tasks"] if task["desired_status"] == "RUNNING"} & witness.old
    assert protected(witness) == set()
    assert not recycle(**TASK)["changed"]


@pytest.mark.parametrize("write", [4, 5, 6, 10, 12])
def test_killed_and_restored(witness, recycle, killed_after, write):
    killed_after(write)
    result = recycle(state="restored")
    assert result["recycle"]["status"] == "restored"
    witness.kept()
    witness.given_back()
    assert protected(witness) == set()
