# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments by controller and strategy, as DescribeServices and ListTasks show them. On a virtual clock."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import SandboxError

from .test_scheduler import after, cluster, messages

BLUE, GREEN = "tg", "tg-alternate"


def deployments(made: Cluster) -> list[tuple[str, str]]:
    return [(each.status, each.rollout_state) for each in made.describe_service("web").deployments]


def task_sets(made: Cluster) -> list[tuple[str, int, int, str]]:
    found = made.describe_service("web").task_sets
    return [(each.status, each.desired, each.running, each.stability) for each in found]


def started_by(made: Cluster) -> Counter[str]:
    """Return how many of the tasks that ListTasks names belong to each deployment or task set."""
    return Counter(state.deployment for state in made.describe_tasks(made.list_tasks("web")))


def ids(made: Cluster) -> list[str]:
    state = made.describe_service("web")
    return [each.id for each in (*state.deployments, *state.task_sets)]


def native(**service: Any) -> Cluster:
    details = {"desired": 3, "target_groups": [BLUE], "strategy": "BLUE_GREEN", "bake": 600.0, **service}
    return cluster(**details)


def code_deploy(**service: Any) -> Cluster:
    return cluster(**{"desired": 3, "target_groups": [BLUE], "controller": "CODE_DEPLOY", **service})


# -- ECS, rolling


def test_a_failed_deployment_that_nobody_rolls_back_stays_and_launches_nothing() -> None:
    made = cluster(desired=3)
    made.fail_deployment("web")
    assert deployments(made) == [("PRIMARY", "FAILED"), ("ACTIVE", "COMPLETED")]
    made.stop_task(made.list_tasks("web")[0])
    after(made, 7 * 3600)
    assert deployments(made) == [("PRIMARY", "FAILED"), ("ACTIVE", "COMPLETED")]
    assert len(made.list_tasks("web")) == 2
    assert messages(made)[0].endswith("deployment failed: tasks failed to start.")
    made.update_service("web", force_new_deployment=True)  # ends it
    after(made, 600)
    assert deployments(made) == [("PRIMARY", "COMPLETED")]
    assert made.healthy("web") == 3


def test_a_deployment_can_fail_without_another_beside_it() -> None:
    made = cluster(desired=3)
    made.fail_deployment("web", alone=True)
    made.stop_task(made.list_tasks("web")[0])
    after(made, 3600)
    assert deployments(made) == [("PRIMARY", "FAILED")]
    assert made.describe_service("web").rollouts[0].status == "STOPPED"
    assert made.healthy("web") == 2


def test_a_rollback_is_a_deployment_beside_the_failed_one() -> None:
    made = cluster(desired=3, task_definition="web:1", health_check=True)
    made.update_service("web", task_definition="web:2")
    after(made, 15)
    made.fail_deployment("web", rollback=True)
    assert deployments(made) == [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "FAILED"), ("ACTIVE", "COMPLETED")]
    first = made.describe_service("web").rollouts[0]
    assert (first.status, first.rollback) == ("ROLLBACK_IN_PROGRESS", ids(made)[0])
    after(made, 600)
    assert deployments(made) == [("PRIMARY", "COMPLETED")]
    state = made.describe_service("web")
    assert state.task_definition.endswith("/web:1")
    assert [each.status for each in state.rollouts] == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]


@pytest.mark.parametrize("own_revision", [False, True])
def test_a_task_that_is_stopped_during_a_rolling_deployment(own_revision: bool) -> None:
    made = cluster(desired=4, maximum_percent=150, health_check=True)
    made.own_revision = own_revision
    made.update_service("web", task_definition="web:2")
    new, old = ids(made)
    after(made, 15)
    assert started_by(made) == {old: 4, new: 2}
    made.stop_task(next(s.arn for s in made.describe_tasks(made.list_tasks("web")) if s.deployment == old))
    after(made, 15)
    assert started_by(made) == ({old: 4, new: 2} if own_revision else {old: 3, new: 3})
    after(made, 600)
    assert started_by(made) == {new: 4}
    assert deployments(made) == [("PRIMARY", "COMPLETED")]


def test_somebody_deploys_later() -> None:
    made = cluster(desired=3)
    made.later(90, made.begin_deployment, "web", task_definition="web:2")
    assert len(deployments(after(made, 89))) == 1
    assert len(deployments(after(made, 2))) == 2


# -- ECS, BLUE_GREEN, LINEAR and CANARY


def test_a_native_blue_green_deployment() -> None:
    made = native()
    before = made.list_tasks("web")
    made.begin_deployment("web", "web:2")
    assert deployments(made) == [("PRIMARY", ""), ("ACTIVE", "")]
    green, blue = ids(made)
    after(made, 100)  # scaled up, shifted, baking
    state = made.describe_service("web")
    assert (state.rollouts[0].stage, state.rollouts[0].weight) == ("BAKE_TIME", 100)
    assert state.target_groups == (GREEN,)
    assert started_by(made) == {blue: 3, green: 3}
    assert set(made.target_states(BLUE).values()) == set(made.target_states(GREEN).values()) == {"healthy"}
    assert [each.target_groups for each in state.deployments] == [(GREEN,), (BLUE,)]
    assert after(made, 400).describe_service("web").rollouts[0].stage == "BAKE_TIME"
    after(made, 300)
    assert ids(made) == [green]
    assert started_by(made) == {green: 3}
    assert not set(before) & set(made.list_tasks("web"))
    assert made.target_states(BLUE) == {}
    assert [each.status for each in made.describe_service("web").rollouts] == ["SUCCESSFUL", "SUCCESSFUL"]
    assert min(change.healthy for change in made.journal) == 3
    made.begin_deployment("web")  # and back to the first group
    assert after(made, 900).describe_service("web").target_groups == (BLUE,)


def test_a_stopped_task_is_replaced_from_its_own_revision() -> None:
    made = native()
    made.begin_deployment("web", running=True)
    after(made, 20)
    green, blue = ids(made)
    for deployment in (blue, green):
        victim = next(s.arn for s in made.describe_tasks(made.list_tasks("web")) if s.deployment == deployment)
        made.stop_task(victim)
    after(made, 100)
    assert started_by(made) == {blue: 3, green: 3}


@pytest.mark.parametrize("roll_back", [False, True])
def test_a_pause_hook_holds_a_deployment(roll_back: bool) -> None:
    made = native(hooks=[{"stage": "POST_SCALE_UP"}])
    made.begin_deployment("web", "web:2")
    after(made, 20 * 3600)
    rollout = made.describe_service("web").rollouts[0]
    assert (rollout.stage, rollout.status) == ("POST_SCALE_UP", "IN_PROGRESS")
    assert rollout.hook.expires_at > made.now
    assert len(made.list_tasks("web")) == 6
    made.continue_deployment("web", roll_back)
    after(made, 900)
    assert len(made.list_tasks("web")) == 3
    state = made.describe_service("web")
    assert state.target_groups == ((BLUE,) if roll_back else (GREEN,))
    assert state.task_definition.endswith("/web:1" if roll_back else "/web:2")
    assert state.rollouts[0].status == ("ROLLBACK_SUCCESSFUL" if roll_back else "SUCCESSFUL")


@pytest.mark.parametrize(("action", "end"), [("CONTINUE", "SUCCESSFUL"), ("ROLLBACK", "ROLLBACK_SUCCESSFUL")])
def test_a_hook_that_nobody_answers_times_out(action: str, end: str) -> None:
    made = native(hooks=[{"stage": "PRE_SCALE_UP", "seconds": 3600, "on_timeout": action}])
    made.begin_deployment("web")
    assert after(made, 3500).describe_service("web").rollouts[0].status == "IN_PROGRESS"
    assert after(made, 2000).describe_service("web").rollouts[0].status == end


@pytest.mark.parametrize(
    ("strategy", "steps"), [("CANARY", [(5.0, 300.0)]), ("LINEAR", [(25.0, 100.0), (50.0, 100.0), (75.0, 100.0)])]
)
def test_traffic_shifts_in_steps(strategy: str, steps: list[tuple[float, float]]) -> None:
    made = native(strategy=strategy, steps=steps)
    made.begin_deployment("web")
    weights, groups = [], []
    for _ten in range(60):
        state = after(made, 10).describe_service("web")
        weights.append(state.rollouts[0].weight)
        groups.append(state.target_groups)
    assert sorted(set(weights)) == [0, *(percent for percent, _seconds in steps), 100]
    assert weights == sorted(weights)
    assert groups == [(GREEN,) if weight == 100 else (BLUE,) for weight in weights]


def test_a_native_deployment_is_rolled_back_in_its_bake_time() -> None:
    made = native()
    made.begin_deployment("web", "web:2")
    after(made, 200)
    green, blue = ids(made)
    made.roll_back("web")
    state = made.describe_service("web")
    assert [(each.id, each.status) for each in state.deployments] == [(blue, "PRIMARY"), (green, "ACTIVE")]
    assert (state.rollouts[0].status, state.target_groups) == ("ROLLBACK_IN_PROGRESS", (BLUE,))
    after(made, 100)
    assert started_by(made) == {blue: 3}
    assert made.describe_service("web").rollouts[0].status == "ROLLBACK_SUCCESSFUL"


def test_acts_skip_the_waiting_of_a_native_deployment() -> None:
    made = native(hooks=[{"stage": "TEST_TRAFFIC_SHIFT"}])
    made.begin_deployment("web", running=True)
    made.shift("web")
    assert made.describe_service("web").target_groups == (GREEN,)
    made.finish("web")
    after(made, 60)
    assert len(ids(made)) == 1
    assert made.healthy("web") == 3


def test_what_a_native_service_may_show_otherwise() -> None:
    made = native(shows_rollout_state=True, names_declared_groups=True)
    assert deployments(made) == [("PRIMARY", "COMPLETED")]
    made.begin_deployment("web", running=True)
    after(made, 60)
    assert deployments(made) == [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "COMPLETED")]
    state = made.describe_service("web")
    assert state.target_groups == (BLUE,)
    assert state.deployments[0].target_groups == (GREEN,)


def test_a_native_service_that_is_new() -> None:
    made = native(started=False)
    assert made.describe_service("web").rollouts[0].status == "IN_PROGRESS"
    after(made, 100)
    assert made.healthy("web") == 3
    assert made.describe_service("web").rollouts[0].status == "SUCCESSFUL"


# -- CODE_DEPLOY and EXTERNAL


def test_codedeploy() -> None:
    made = code_deploy()
    assert deployments(made) == []
    assert task_sets(made) == [("PRIMARY", 3, 3, "STEADY_STATE")]
    (blue,) = ids(made)
    assert started_by(made) == {blue: 3}
    made.codedeploy("web", "web:2", shift=300, keep=3600)
    after(made, 20)
    assert task_sets(made) == [("PRIMARY", 3, 3, "STEADY_STATE"), ("ACTIVE", 3, 0, "STABILIZING")]
    green = ids(made)[1]
    after(made, 280)
    assert task_sets(made) == [("PRIMARY", 3, 3, "STEADY_STATE"), ("ACTIVE", 3, 3, "STEADY_STATE")]
    assert started_by(made) == {blue: 3, green: 3}
    assert made.describe_service("web").target_groups == (BLUE,)
    after(made, 300)
    state = made.describe_service("web")
    assert [(each.id, each.status) for each in state.task_sets] == [(green, "PRIMARY"), (blue, "ACTIVE")]
    assert (state.target_groups, state.task_definition[-5:]) == ((GREEN,), "web:2")
    after(made, 3330)
    assert task_sets(made)[1][0] == "ACTIVE"
    while len(task_sets(made)) == 2 and task_sets(made)[1][0] == "ACTIVE":
        after(made, 1)
    assert [each[0] for each in task_sets(made)] == ["PRIMARY", "DRAINING"]
    after(made, 60)
    assert ids(made) == [green]
    assert made.healthy("web") == 3
    assert deployments(made) == []
    assert min(change.healthy for change in made.journal) == 3


def test_a_codedeploy_deployment_waits_for_acts() -> None:
    made = code_deploy()
    made.codedeploy("web", shift=None, keep=None, running=True)
    after(made, 48 * 3600)
    assert [each[0] for each in task_sets(made)] == ["PRIMARY", "ACTIVE"]
    made.shift("web")
    after(made, 48 * 3600)
    assert [each[0] for each in task_sets(made)] == ["PRIMARY", "ACTIVE"]
    made.finish("web")
    after(made, 60)
    assert len(task_sets(made)) == 1
    assert made.describe_service("web").target_groups == (GREEN,)


@pytest.mark.parametrize("shifted", [False, True])
def test_codedeploy_is_rolled_back(shifted: bool) -> None:
    made = code_deploy()
    (blue,) = ids(made)
    made.codedeploy("web", "web:2", shift=None, keep=None, running=True)
    if shifted:
        made.shift("web")
    made.roll_back("web")
    assert [each[0] for each in task_sets(made)] == ["PRIMARY", "DRAINING"]
    after(made, 60)
    assert ids(made) == [blue]
    state = made.describe_service("web")
    assert (state.target_groups, state.task_definition[-5:]) == ((BLUE,), "web:1")


def test_a_stopped_task_is_replaced_from_its_own_task_set() -> None:
    made = code_deploy()
    made.codedeploy("web", shift=None, running=True)
    blue, green = ids(made)
    for owner in (blue, green):
        made.stop_task(next(s.arn for s in made.describe_tasks(made.list_tasks("web")) if s.deployment == owner))
    assert started_by(after(made, 100)) == {blue: 3, green: 3}
    made.update_service("web", desired=5)  # each set follows
    assert started_by(after(made, 100)) == {blue: 5, green: 5}


def test_external_task_sets_have_a_scale() -> None:
    made = cluster(desired=3, target_groups=[BLUE], controller="EXTERNAL")
    made.external_task_set("web", "web:2", scale=50, external_id="mine")
    after(made, 100)
    assert [each[:3] for each in task_sets(made)] == [("PRIMARY", 3, 3), ("ACTIVE", 2, 2)]
    second = made.describe_service("web").task_sets[1]
    assert (second.external_id, second.scale, second.started_by) == ("mine", 50, "")
    assert any("updated computedDesiredCount for taskSet ecs-svc/" in text for text in messages(made))
    made.scale_task_set("web", 100)
    made.scale_task_set("web", 0, "PRIMARY")
    after(made, 100)
    assert [each[:3] for each in task_sets(made)] == [("PRIMARY", 0, 0), ("ACTIVE", 3, 3)]
    made.shift("web")
    made.finish("web")
    after(made, 60)
    assert [each[:3] for each in task_sets(made)] == [("PRIMARY", 3, 3)]
    with pytest.raises(SandboxError, match="Cannot force a new deployment on services with an EXTERNAL"):
        made.update_service("web", force_new_deployment=True)


@pytest.mark.parametrize(
    ("service", "shown"),
    [
        ({}, [("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "COMPLETED")]),
        ({"strategy": "BLUE_GREEN"}, [("PRIMARY", ""), ("ACTIVE", "")]),
        ({"controller": "CODE_DEPLOY"}, [("PRIMARY", "d"), ("ACTIVE", "d")]),
        ({"controller": "EXTERNAL"}, [("PRIMARY", ""), ("ACTIVE", "")]),
    ],
)
def test_a_deployment_begins_midway_in_each_kind_of_service(service: dict[str, Any], shown: list[Any]) -> None:
    made = cluster(desired=3, target_groups=[BLUE], **service)
    made.fault("deployment_midway", after=2)
    for arn in made.list_tasks("web")[:2]:
        assert len(ids(made)) == 1
        made.stop_task(arn)
    if "controller" in service:
        assert [each[0] for each in task_sets(made)] == [status for status, _state in shown]
        assert deployments(made) == []
    else:
        assert deployments(made) == shown


def test_protected_tasks_hold_what_is_to_go() -> None:
    made = code_deploy()
    made.codedeploy("web", shift=None, keep=None, running=True)
    blue = ids(made)[0]
    kept = next(s.arn for s in made.describe_tasks(made.list_tasks("web")) if s.deployment == blue)
    made.protect(kept, made.now + 3600)
    made.finish("web")
    after(made, 3500)
    assert task_sets(made)[1][:2] == ("DRAINING", 0)
    told = [
        text for text in messages(made) if "was unable to scale in due to (reason 1 tasks under protection)" in text
    ]
    assert len(told) == 1
    after(made, 200)
    assert len(task_sets(made)) == 1
