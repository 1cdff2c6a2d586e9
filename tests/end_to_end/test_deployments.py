# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments of every controller and strategy, at the start or midway: none of their tasks is ever stopped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.programs import until
from tests.end_to_end.witness import Witness

TASK = {"max_task_age": "1h", "deployment_timeout": 60}
PAUSED = {"strategy": "BLUE_GREEN", "hooks": [{"stage": "POST_SCALE_UP", "seconds": 86400}]}
# Options of the service, and the act that begins a deployment.
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "rolling": ({}, {"act": "deploy"}),
    "blue_green": (PAUSED, {"act": "deploy"}),
    "linear": ({**PAUSED, "strategy": "LINEAR", "steps": [[10, 60]]}, {"act": "deploy"}),
    "canary": ({**PAUSED, "strategy": "CANARY", "steps": [[10, 60]]}, {"act": "deploy"}),
    "code_deploy": ({"controller": "CODE_DEPLOY"}, {"act": "codedeploy", "shift": None}),
    "external": ({"controller": "EXTERNAL"}, {"act": "external_task_set"}),
}
NEVER = {"launch": 10_000_000}
every_kind = pytest.mark.parametrize("kind", KINDS)


def staged(sandbox, kind: str, **options: Any) -> Witness:
    """A service of three tasks behind a target group."""
    sandbox.service("web", tasks=3, health_check=True, target_groups=1, **{**KINDS[kind][0], **options})
    return Witness(sandbox)


def deploy(sandbox, kind: str) -> None:
    """Begin a deployment that does not end by itself, however slow this machine is."""
    if kind == "rolling":
        sandbox.settings(latencies=NEVER)
    act = dict(KINDS[kind][1])
    sandbox.act(act.pop("act"), "web", **act)


def finish(sandbox, witness: Witness, kind: str) -> None:
    """End the deployment, once the run has seen it."""
    seen = len(witness.calls("DescribeServices"))
    until(lambda: len(witness.calls("DescribeServices")) > seen + 2, "three looks at the deployment")
    if kind == "rolling":  # stop the tasks that would start for ever, so that ECS starts others
        sandbox.settings(latencies={"launch": 20})
        for task in witness.now()["tasks"]:
            if task["last_status"] != "RUNNING" and task["desired_status"] == "RUNNING":
                sandbox.act("stop_task", "web", task=task["arn"])
    else:
        sandbox.act("finish", "web")


def owners(found: dict[str, Any]) -> dict[str, str]:
    """Return task -> the deployment or task set that launched it."""
    return {task["arn"]: task["deployment"] for task in found["tasks"]}


def stopped_deployments(witness: Witness) -> set[str]:
    """Return the deployments and task sets of the tasks that the run stopped."""
    known = {**owners(witness.before), **owners(witness.now())}
    return {known.get(arn, "unknown") for arn in [*witness.stops(), *witness.withdrawn()]}


@every_kind
def test_a_deployment_at_the_start_is_refused(sandbox, recycle, kind):
    witness = staged(sandbox, kind)
    deploy(sandbox, kind)
    result = recycle(**TASK)
    assert "a deployment of service web in cluster default is in progress" in result["msg"]
    witness.untouched()


@every_kind
def test_a_deployment_at_the_start_is_waited_for(sandbox, begin, kind):
    """The deployment's tasks are young, so nothing is left to do."""
    witness = staged(sandbox, kind)
    deploy(sandbox, kind)
    run = begin(**TASK, on_deployment="wait")
    finish(sandbox, witness, kind)
    result = run.result()
    assert result["recycle"]["status"] == "unchanged", result
    witness.untouched()


@every_kind
def test_a_deployment_that_begins_midway_ends_the_run(sandbox, begin, kind):
    witness = staged(sandbox, kind)
    ours = set(owners(witness.before).values())
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    run = begin(**TASK)
    until(witness.stops, "the first stop")
    deploy(sandbox, kind)
    sandbox.release()
    result = run.result()
    assert "a deployment of service web in cluster default is in progress" in result["msg"]
    assert stopped_deployments(witness) <= ours
    assert witness.now()["desired"] == 3
    assert witness.record() is None


@every_kind
def test_a_deployment_that_begins_midway_is_waited_for(sandbox, begin, kind):
    witness = staged(sandbox, kind)
    ours = set(owners(witness.before).values())
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    run = begin(**TASK, on_deployment="wait")
    until(witness.stops, "the first stop")
    deploy(sandbox, kind)
    sandbox.release()
    finish(sandbox, witness, kind)
    assert stopped_deployments(witness) <= ours, "before its end, no task of the deployment is the run's"
    result = run.result()
    assert (result["recycle"]["status"], result["recycle"]["remaining"]) == ("recycled", []), result
    assert result["recycle"]["failures"] == []
    assert witness.now()["desired"] == 3
    assert witness.record() is None


@pytest.mark.parametrize("kind", ["blue_green", "code_deploy"])
def test_after_the_swap_the_other_target_group_counts(sandbox, begin, kind):
    """Tasks that are old after a deployment are replaced behind the target group that they are in at that time."""
    witness = staged(sandbox, kind)
    deploy(sandbox, kind)
    run = begin(all_tasks=True, deployment_timeout=60, on_deployment="wait")
    finish(sandbox, witness, kind)
    result = run.result()
    assert result["recycle"]["status"] == "recycled", result
    assert len(result["recycle"]["replaced"]) == 3
    assert witness.now()["desired"] == 3


def test_a_paused_deployment_is_named_with_its_hook(sandbox, recycle):
    witness = staged(sandbox, "blue_green")
    deploy(sandbox, "blue_green")
    sandbox.settings(latencies={"launch": 1})
    until(lambda: witness.now()["rollout"]["hook"], "the hook")
    result = recycle(**{**TASK, "deployment_timeout": 1}, on_deployment="wait")
    assert "waited 1 s, but a deployment of service web" in result["msg"]
    assert "; the lifecycle hook " in result["msg"]
    assert "pauses it in stage POST_SCALE_UP until 20" in result["msg"]
    witness.untouched()


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("options", [{}, {"on_deployment": "wait"}, {"surge": 0, "minimum_healthy_percent": 0}])
def test_a_failed_deployment_is_refused(sandbox, recycle, alone, options):
    witness = staged(sandbox, "rolling")
    sandbox.act("fail_deployment", "web", alone=alone)
    result = recycle(**TASK, **options)
    assert "has FAILED and was not rolled back. ECS launches no further tasks for it" in result["msg"]
    witness.untouched()


def test_a_deployment_that_fails_midway_ends_the_run(sandbox, begin):
    witness = staged(sandbox, "rolling")
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    run = begin(**TASK, on_deployment="wait")
    until(witness.stops, "the first stop")
    sandbox.act("fail_deployment", "web")
    sandbox.release()
    assert "has FAILED and was not rolled back" in run.result()["msg"]
    assert witness.now()["desired"] == 3
    assert witness.record() is None


def test_a_rollback_is_a_deployment(sandbox, recycle):
    witness = staged(sandbox, "rolling")
    sandbox.settings(latencies=NEVER)
    sandbox.act("fail_deployment", "web", rollback=True)
    assert "a deployment of service web in cluster default is in progress" in recycle(**TASK)["msg"]
    witness.untouched()
