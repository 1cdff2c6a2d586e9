# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine on a virtual clock: many histories, the named cases, every kill, and its speed."""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import Amount
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Service
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import RECORD_TAG
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.report import Report
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.run import recycle
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.sandbox.model.latencies import Latencies
from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import Change

from .__main__ import play_one, play_range
from .cases import CASES, DRAWN, FAMILY_CASES, SCALE_IN_CASES
from .course import run_once
from .play import play
from .scenario import FAMILIES, START, draw, draw_scale_in
from .virtual_world import CallFaults, Killed, VirtualWorld

PLAYS = 100  # of each family
LONG_CASES = {415}  # ten seconds of computing
KINDS = ("recycled", "unchanged", "failed", "restored", "killed")
UNDRAWN = ("wait_for_capacity=None, ",)  # options that were added later; ``draw`` leaves them at their defaults


@pytest.mark.parametrize("family", FAMILIES)
def test_no_history_breaks_an_invariant(family: str) -> None:
    outcomes, broken = play_range(0, PLAYS, family)
    assert broken == []
    # The plays must not all be of one kind, or nothing was tried.
    assert all(outcomes[kind] for kind in KINDS if kind != "killed" or family != "forged")


@pytest.mark.parametrize(("times", "status"), [(1, "recycled"), (None, "failed")])
def test_a_role_that_cannot_be_assumed_is_waited_for_half_a_minute(
    yardstick: Latencies, times: int | None, status: str
) -> None:
    cluster = a_service(yardstick, 3)
    cluster.fault("start_refused", reason="role", times=times)
    report = run_once(cluster, everything())
    assert report.status == status
    if status == "failed":
        assert "unable to assume the role" in (report.message or "")
        assert 30 < report.seconds < 120
    assert min(change.healthy for change in cluster.journal) >= 3


def test_four_rebalances_in_a_run_are_no_failures(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 6)
    cluster.service("web").az_rebalancing = True
    for number in range(4):
        cluster.at(30 + 90 * number, lambda: cluster.rebalance_zones("web"))
    report = run_once(cluster, everything())
    assert (report.status, report.message) == ("recycled", None)
    assert min(change.healthy for change in cluster.journal) >= 6


def test_a_daemon_service_follows_its_instances(yardstick: Latencies) -> None:
    cluster = Cluster(random.Random(5), START, yardstick)
    cluster.create_service("web", desired=6, daemon=True, launch_type="EC2")
    cluster.at(100, lambda: cluster.set_instances("web", 5))
    cluster.at(300, lambda: cluster.set_instances("web", 7))
    report = run_once(cluster, everything(minimum_healthy_percent=50))
    assert (report.status, report.message, report.desired_after) == ("recycled", None, 7)
    assert all(task.created_at > START for task in cluster.live("web"))


def test_a_stopped_task_that_goes_on_running_is_told_at_the_end(yardstick: Latencies) -> None:
    cluster = Cluster(random.Random(6), START, yardstick)
    cluster.create_service("web", desired=8, launch_type="EC2")
    cluster.fault("agent_lost", times=1, status="RUNNING")
    report = run_once(cluster, everything())
    assert any("was asked to stop" in words and "is still RUNNING" in words for words in report.warnings)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=f"{number}-{why[:60]}", marks=[pytest.mark.long] if number in LONG_CASES else [])
        for number, why in SCALE_IN_CASES.items()
    ],
)
def test_what_once_went_wrong_with_scale_in(number: int) -> None:
    play(draw_scale_in(number))


@pytest.mark.parametrize(("family", "number"), FAMILY_CASES, ids=[f"{f}-{n}" for f, n in FAMILY_CASES])
def test_what_once_went_wrong_in_other_families(family: str, number: int) -> None:
    play_one(family, number)


@pytest.mark.parametrize("number", CASES, ids=[f"{number}-{why[:60]}" for number, why in CASES.items()])
def test_what_once_went_wrong(number: int) -> None:
    play(draw(number))


def test_the_numbers_still_stand_for_the_same_histories() -> None:
    told = "".join(repr(draw(number)) for number in CASES)
    for option in UNDRAWN:
        told = told.replace(option, "")
    drawn = hashlib.sha256(told.encode()).hexdigest()
    assert drawn == DRAWN, "scenario.draw draws otherwise: look for the cases again, then write this digest down"


def test_a_number_replays_its_history() -> None:
    first, second = play(draw(17)), play(draw(17))
    assert first.cluster.journal == second.cluster.journal
    assert [report.as_dict() for report in first.reports] == [report.as_dict() for report in second.reports]


@pytest.fixture
def yardstick() -> Latencies:
    """The latencies of the limits: reaction 10 s, launch 40 s, health check 20 s."""
    return Latencies(reaction=10.0, launch=40.0, health=20.0)


def a_service(latencies: Latencies, tasks: int, scaling: bool = False) -> Cluster:
    cluster = Cluster(random.Random(tasks), START, latencies)
    cluster.create_service("web", desired=tasks, health_check=True)
    if scaling:
        cluster.register_scalable_target("web", min=1, max=tasks)
        cluster.policy_wants("web", 1)
    return cluster


def everything(**options: object) -> Settings:
    return Settings(Selector("all_tasks"), **options)  # type: ignore[arg-type]


def all_replaced(cluster: Cluster, report: Report, tasks: int) -> bool:
    assert report.message is None
    assert min(change.healthy for change in cluster.journal) >= tasks
    assert cluster.describe_service("web").desired == tasks  # type: ignore[union-attr]
    return len(report.replaced) == tasks and all(task.created_at > START for task in cluster.live("web"))


@pytest.mark.parametrize("ends", [True, False], ids=["the run has to end then", "the run goes on"])
def test_what_somebody_adds_while_a_run_claims_the_service_stays(yardstick: Latencies, ends: bool) -> None:
    cluster, report = a_service(yardstick, 4), Report()
    world = VirtualWorld(cluster, "web")

    def scale(operation: str, *_details: object) -> None:
        if operation == "TagResource" and not world.writes:
            cluster.update_service("web", desired=6, by="operator")

    def ending() -> str | None:
        return "the run was told to end" if ends and "rose from 4 to 6" in (report.watch.waits_for or "") else None

    world.before_write = scale
    steps = recycle(world, everything(), "default", "web", Self("run", lambda _other: True, ending), report)
    for pause in steps:
        cluster.advance(cluster.now + pause)
    assert ("told to end" in (report.message or "")) is ends
    assert len(report.replaced) == (0 if ends else 6)
    service = cluster.describe_service("web")
    assert service
    assert (service.desired, dict(service.tags)) == (6, {})


@pytest.mark.parametrize("tasks", [3, 10, 30, 100, 300])
def test_one_at_a_time_is_quick_and_sparing(yardstick: Latencies, tasks: int) -> None:
    cluster = a_service(yardstick, tasks, scaling=True)
    report = run_once(cluster, everything())
    assert all_replaced(cluster, report, tasks)
    assert report.seconds <= 1.10 * tasks * 70
    assert sum(report.calls.values()) <= 15 * tasks
    assert len(cluster.tasks) - tasks <= tasks  # as many launches as tasks replaced


def test_calls_grow_linearly(yardstick: Latencies) -> None:
    calls = {n: sum(run_once(a_service(yardstick, n), everything()).calls.values()) for n in (50, 100, 200)}
    assert calls[200] - calls[100] <= 2.1 * (calls[100] - calls[50])


def test_a_tenth_at_a_time_takes_a_tenth_of_the_time(yardstick: Latencies) -> None:
    single = run_once(a_service(yardstick, 100), everything())
    cluster = a_service(yardstick, 100)
    tenth = run_once(cluster, everything(batch_size=Amount(10, percent=True)))
    assert all_replaced(cluster, tenth, 100)
    assert tenth.seconds <= single.seconds / 10 * 1.10


@pytest.mark.parametrize("stop", [30.0, 45.0, 100.0, 300.0])
def test_a_full_instance_has_room_once_a_stopped_task_is_gone(yardstick: Latencies, stop: float) -> None:
    """Until then ECS reports that it cannot place another task, and every look still shows this for a while."""
    cluster = Cluster(random.Random(1), START, replace(yardstick, stop=stop))
    cluster.create_service("web", desired=4, launch_type="EC2", room=4)
    report = run_once(cluster, everything(surge=0, minimum_healthy_percent=75))
    assert (report.message, len(report.replaced)) == (None, 4)
    assert any("unable to place a task" in event.message for event in cluster.describe_service("web").events)  # type: ignore[union-attr]


def test_a_thousand_tasks(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 1000)
    report = run_once(cluster, everything(batch_size=Amount(10, percent=True)))
    assert all_replaced(cluster, report, 1000)
    assert sum(report.calls.values()) <= 15 * 1000


@pytest.mark.parametrize(
    ("method", "scaling", "least"),
    [("stop_task", False, 6), ("stop_task", True, 6), ("scale_in", True, 15)],
    ids=["alone", "with a scaling policy at work", "by scaling in"],
)
@pytest.mark.parametrize("batch", [1, 2])
def test_killed_after_every_single_write(
    yardstick: Latencies, method: str, scaling: bool, least: int, batch: int
) -> None:
    """The run that finishes the work is killed once too, and may use either stop method."""
    writes = 0
    while True:
        writes += 1
        cluster = a_service(yardstick, 3, scaling)
        before = cluster.scaling("web")
        settings = everything(stop_method=method, batch_size=Amount(batch))
        second = everything(stop_method=(method, "stop_task")[writes % 2], batch_size=Amount(batch))
        try:
            run_once(cluster, settings, faults=CallFaults(kill_after_write=writes))
            break
        except Killed:
            pass
        try:
            run_once(cluster, second, owner="second", faults=CallFaults(kill_after_write=writes // 2 + 1))
        except Killed:
            run_once(cluster, second, owner="third")
        state = cluster.describe_service("web")
        assert state is not None
        assert (state.desired, dict(state.tags), cluster.scaling("web")) == (3, {}, before)
        assert max(change.desired for change in cluster.journal) <= 3 + batch
        assert min(change.healthy for change in cluster.journal) >= 3
        assert all(task.created_at > START for task in cluster.live("web"))
        assert no_protections(cluster)
    assert writes > least


def no_protections(cluster: Cluster) -> bool:
    return not any(task.protected_until > cluster.now for task in cluster.tasks.values())


@pytest.mark.parametrize("tasks", [1, 3, 10, 30, 130])
def test_scale_in_launches_no_more_and_leaves_nothing(yardstick: Latencies, tasks: int) -> None:
    cluster = a_service(yardstick, tasks, scaling=True)
    launched: set[str] = set()
    cluster.on_change(lambda _change: launched.update(cluster.service("web").live))
    report = run_once(cluster, everything(stop_method="scale_in"))
    assert all_replaced(cluster, report, tasks)
    assert len(launched) <= 2 * tasks
    assert not any(change.cause.startswith("StopTask") for change in cluster.journal)
    assert no_protections(cluster)
    assert max(change.desired for change in cluster.journal) == tasks + 1
    assert all(len(new) == 1 for _old, new, _seconds in report.replaced)
    assert sum(report.calls.values()) <= 25 * tasks + 20


def test_scale_in_renews_protections_that_would_end_before_the_run(yardstick: Latencies) -> None:
    """The run pauses forty times for ten minutes, and protects no task for longer than an hour."""
    cluster = a_service(yardstick, 40)
    report = run_once(cluster, everything(stop_method="scale_in", batch_wait=600.0))
    assert all_replaced(cluster, report, 40)
    assert report.seconds > 5 * 3600
    assert no_protections(cluster)


def test_scale_in_leaves_the_protections_of_others(yardstick: Latencies) -> None:
    """A stale task that protects itself is skipped; a new task that protects itself keeps its protection."""
    cluster = a_service(yardstick, 3)
    oldest = min(cluster.live("web"), key=lambda task: task.created_at)
    cluster.protect(oldest.arn, cluster.now + 7200)
    at_once = cluster.now + 1.0

    def protect_itself(_change: object) -> None:
        for task in cluster.service("web").live.values():
            if task.created_at > at_once and task.healthy and not task.protected_until:
                cluster.protect(task.arn, cluster.now + 9000)

    cluster.on_change(protect_itself)
    report = run_once(cluster, everything(stop_method="scale_in"))
    assert (report.status, len(report.replaced)) == ("recycled", 2)
    assert [(task.arn, why) for task, why in report.skipped] == [(oldest.arn, "protected")]
    assert all(cluster.tasks[task.arn].protected_until > cluster.now for task in cluster.live("web"))


def test_scale_in_skips_tasks_that_come_under_protection_while_the_count_is_low(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 3)

    def protect_all(change: Change) -> None:
        if change.cause.startswith("UpdateService") and change.desired == 3:
            for task in cluster.service("web").live.values():
                task.protected_until, task.seen = max(task.protected_until, cluster.now + 9000), None

    cluster.on_change(protect_all)
    report = run_once(cluster, everything(stop_method="scale_in"))
    assert report.message is None
    assert {why for _task, why in report.skipped} == {"protected"}
    assert report.replaced == []
    state = cluster.describe_service("web")
    assert state is not None
    assert (state.desired, state.tags) == (3, {})


@pytest.mark.parametrize("earlier", [False, True], ids=["by hand", "to what it was before"])
def test_a_record_that_somebody_changes_under_the_name_of_the_run_is_written_again(
    yardstick: Latencies, earlier: bool
) -> None:
    """The run after a killed one finds the killed run's protections and added tasks in the record."""
    cluster = a_service(yardstick, 4)
    texts: list[str] = []

    def note() -> None:
        texts.append(cluster.service("web").tags[RECORD_TAG])

    def change() -> None:
        note()
        by_hand = re.sub(r" p=\S+", "", texts[-1].replace("o=4", "o=1"))
        cluster.tag("web", {RECORD_TAG: texts[0] if earlier else by_hand})

    cluster.at(6, note)
    cluster.at(200, change)
    cluster.at(240, note)
    report = run_once(cluster, everything(stop_method="scale_in"))
    assert (report.status, len(report.replaced)) == ("recycled", 4)
    assert [word for word in texts[2].split() if word.startswith(("o=", "p="))] == ["o=4", *texts[1].split()[-1:]]
    assert " p=" in texts[1]
    assert " p=" not in texts[0]
    assert len([words for words in report.warnings if "someone changed the tag" in words]) == 1


def test_scale_in_makes_way_for_a_deployment(yardstick: Latencies) -> None:
    """A deployment cannot stop protected tasks, but it must not have to wait for an hour."""
    cluster = a_service(yardstick, 4)
    cluster.waits_for_protected = True
    settings = everything(stop_method="scale_in", on_deployment="wait")
    cluster.at(300, lambda: cluster.update_service("web", force_new_deployment=True, by="operator"))
    report = run_once(cluster, settings)
    assert report.message is None
    assert report.seconds < 1800
    assert min(change.healthy for change in cluster.journal) >= 4
    assert no_protections(cluster)


def test_a_run_that_took_over_from_scale_in_makes_way_for_a_deployment(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 8)
    cluster.waits_for_protected = True
    with pytest.raises(Killed):
        run_once(cluster, everything(stop_method="scale_in"), faults=CallFaults(kill_after_write=6))
    assert not no_protections(cluster)
    cluster.at(100, lambda: cluster.update_service("web", force_new_deployment=True, by="operator"))
    report = run_once(cluster, everything(on_deployment="wait"), owner="second")
    assert report.message is None
    assert report.seconds < 1800
    assert no_protections(cluster)


@pytest.mark.parametrize(("on_deployment", "status"), [("wait", "restored"), ("fail", "failed")])
@pytest.mark.parametrize("strategy", ["ROLLING", "BLUE_GREEN"])
def test_protections_of_a_killed_run_do_not_hold_up_a_deployment_that_is_under_way(
    yardstick: Latencies, strategy: str, on_deployment: str, status: str
) -> None:
    """The deployment waits until the protections end, so the next run ends them before it waits for the deployment."""
    cluster = Cluster(random.Random(8), START, yardstick)
    cluster.create_service("web", desired=8, health_check=True, target_groups=["tg"], strategy=strategy)
    cluster.waits_for_protected = True
    with pytest.raises(Killed):
        run_once(cluster, everything(stop_method="scale_in"), faults=CallFaults(kill_after_write=6))
    ends = {task.arn: cluster.tasks[task.arn].protected_until for task in cluster.live("web")}
    theirs = next(arn for arn, end in ends.items() if not end)
    cluster.protect(theirs, START + 1800)
    cluster.update_service("web", force_new_deployment=True, by="operator")
    cluster.advance(START + 1200)
    assert len(cluster.service("web").deployments) == 2
    report = run_once(cluster, everything(on_deployment=on_deployment), owner="second")
    assert (report.status, "deployment of service web" in (report.message or "")) == (status, status == "failed")
    assert report.seconds < (1200 if on_deployment == "wait" else 60)
    assert (RECORD_TAG in cluster.service("web").tags) == (on_deployment == "fail")
    assert cluster.tasks[theirs].protected_until == START + 1800
    assert all(end == 0 or cluster.tasks[arn].protected_until <= cluster.now for arn, end in ends.items())


class DeploysAgain(VirtualWorld):
    """Starts another deployment at the moment when a run sees that a deployment has ended."""

    records: tuple[str, ...] = ()

    def describe_service(self) -> Service | None:
        found = super().describe_service()
        if found and found.deploying:
            self.records += (found.tags.get(RECORD_TAG, ""),)
        elif self.records and len(self.cluster.service("web").rollouts) == 2:
            self.cluster.update_service("web", force_new_deployment=True, by="operator")
        return found


def test_a_run_that_waits_for_a_second_deployment_names_no_protections_in_its_record(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 4)
    cluster.waits_for_protected = True
    cluster.at(300, lambda: cluster.update_service("web", force_new_deployment=True, by="operator"))
    world = DeploysAgain(cluster, "web")
    report = run_once(cluster, everything(stop_method="scale_in", on_deployment="wait"), world=world)
    assert (report.message, len(cluster.service("web").rollouts)) == (None, 3)
    assert " p=" in world.records[0]
    assert " p=" not in world.records[-1]
    assert no_protections(cluster)


class LosesAnswers(VirtualWorld):
    """Loses the answer to every StopTask."""

    def stop_task(self, arn: str, reason: str) -> bool:
        super().stop_task(arn, reason)
        raise CallFailed("StopTask", "ConnectionClosedError", "Connection was closed", "passing")


def test_a_step_whose_answers_were_lost_took_as_long_as_any_other(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 4)
    report = run_once(cluster, everything(), world=LosesAnswers(cluster, "web"))
    assert (report.message, len(report.replaced)) == (None, 4)
    assert all(0 < seconds < 120 for _old, _new, seconds in report.replaced)


@pytest.mark.parametrize("method", ["stop_task", "scale_in"])
@pytest.mark.parametrize(("ill", "batch"), [(1, 1), (6, 2), (10, 3)])
def test_an_ill_service_is_made_well(yardstick: Latencies, method: str, ill: int, batch: int) -> None:
    """Healthy tasks stay until every unhealthy task has been replaced."""
    cluster = Cluster(random.Random(ill), START, yardstick)
    cluster.create_service("web", desired=10, target_groups=["tg"], unhealthy=ill, replaces_unhealthy=False)
    before = len(cluster.journal)
    report = run_once(cluster, everything(batch_size=Amount(batch), stop_method=method))
    assert (report.message, len(report.replaced), report.withdrawn) == (None, 10, [])
    assert min(change.healthy for change in cluster.journal[before:]) >= 10 - ill
    assert cluster.healthy("web") == 10


@pytest.mark.parametrize("controller", ["ECS", "CODE_DEPLOY"])
def test_a_deployment_that_begins_midway_costs_no_good_task(yardstick: Latencies, controller: str) -> None:
    """The service then names the target group of the new deployment, which does not contain the run's own tasks."""
    cluster = Cluster(random.Random(4), START, yardstick)
    strategy = "BLUE_GREEN" if controller == "ECS" else "ROLLING"
    groups = {"target_groups": ["tg/0"], "alternates": {"tg/0": "tg/0-green"}}
    cluster.create_service("web", desired=8, controller=controller, strategy=strategy, bake=3000.0, **groups)
    details = {"shift": 0.0, "keep": 5000.0} if controller == "CODE_DEPLOY" else {}
    cluster.at(145, lambda: cluster.begin_deployment("web", running=True, **details))
    report = run_once(cluster, everything(surge=2))
    assert "a deployment of service web" in (report.message or "")
    assert (report.withdrawn, report.desired_after) == ([], 8)


def test_tasks_that_ecs_is_about_to_stop_are_not_kept_as_added_ones(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 5)
    cluster.update_service("web", desired=8, by="operator")
    cluster.advance(cluster.now + 300)
    cluster.update_service("web", desired=5, by="operator")
    report = run_once(cluster, everything(surge=3))
    assert all_replaced(cluster, report, 5)


def test_tasks_that_protection_keeps_above_the_count_do_not_hold_up_a_run(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 5)
    for task in cluster.live("web"):
        cluster.protect(task.arn, cluster.now + 7200)
    cluster.update_service("web", desired=3, by="operator")
    report = run_once(cluster, everything(protected_tasks="recycle"))
    assert (report.message, report.desired_after) == (None, 3)


def test_the_second_run_writes_nothing(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 5)
    settings = Settings(Selector("token", "release 7"))
    run_once(cluster, settings)
    world = VirtualWorld(cluster, "web")
    report = run_once(cluster, settings, world=world)
    assert (report.status, report.changed, world.writes) == ("unchanged", False, [])


def test_a_step_whose_last_task_ends_by_itself_is_reported(yardstick: Latencies) -> None:
    cluster = a_service(yardstick, 2)
    first, second = sorted(cluster.live("web"), key=lambda task: task.created_at)
    world = VirtualWorld(cluster, "web", call_seconds=2.0)  # so that another look comes before the next stop
    stops: list[str] = []

    def crash_the_other(operation: str, arguments: tuple[object, ...], _looked_at: float) -> None:
        if operation == "StopTask" and not stops:
            stops.append(str(arguments[0]))
            cluster.crash(second.arn if stops[0] == first.arn else first.arn)

    world.before_write = crash_the_other
    settings = everything(batch_size=Amount(2), surge=0, minimum_healthy_percent=0, bake_time=60.0)
    report = run_once(cluster, settings, world=world)
    assert report.status == "recycled"
    assert [task.arn for task, _new, _seconds in report.replaced] == stops
