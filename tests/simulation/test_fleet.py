# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets on a virtual clock: drawn histories, time and calls, kills, rivals, and who waits for whom."""

from __future__ import annotations

import gc
import json
import random
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.run import FleetReport, Job, recycle_fleet
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.schedule import Limits
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.watch import FleetWatch
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import RECORD_TAG
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.report import Report
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.sandbox.model.latencies import Latencies
from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import Change

from .__main__ import FLEET, play_range
from .course import run_once
from .scenario import START
from .virtual_account import VirtualAccount
from .virtual_world import CallFaults, Killed, VirtualWorld

YARDSTICK = Latencies(reaction=10.0, launch=40.0, health=20.0)
ALL = Settings(Selector("all_tasks"))
WEEKLY = Settings(Selector("max_task_age", 3600.0))
PLAYS, PARTS = 100, 4


class Fleet:
    """Services of three tasks in one cluster, and what happens to them."""

    def __init__(self, services: int, latencies: Latencies = YARDSTICK, settings: Settings = ALL) -> None:
        self.cluster = Cluster(random.Random(services), START, latencies)
        self.names = [f"s{number:03}" for number in range(services)]
        for name in self.names:
            self.cluster.create_service(name, "prod", desired=3, health_check=True)
        self.jobs = [Job("prod", name, settings) for name in self.names]
        self.lowest = dict.fromkeys(self.names, 3)
        self.highest = dict.fromkeys(self.names, 3)
        self.cluster.on_change(self._note)
        self.lines: list[str] = []
        self.account = VirtualAccount(self.cluster)
        self.most = 0  # most services that were at work at the same time
        self.seen: dict[str, weakref.ref[Report]] = {}

    def _note(self, change: Change) -> None:
        self.lowest[change.service] = min(self.lowest[change.service], change.healthy)
        self.highest[change.service] = max(self.highest[change.service], change.desired)

    def run(
        self,
        limits: Limits,
        owner: str = "first",
        faults: CallFaults | None = None,
        ending: Callable[[], str | None] = lambda: None,
        timeout: float | None = None,
        others_are_dead: bool = True,
        on_world: Callable[[Job, VirtualWorld], None] = lambda _job, _world: None,
        call_seconds: float = 0.0,
        timelines: bool = True,
    ) -> FleetReport:
        """Run the fleet to its end and return its report. Raises Killed if the faults say so."""
        self.account = VirtualAccount(self.cluster, None, call_seconds, faults, on_world)
        me = Self(owner, lambda _other: others_are_dead, ending)
        report = FleetReport()
        watch = FleetWatch(self.lines.append)
        for pause in recycle_fleet(self.jobs, limits, self.account, me, report, timeout, watch, timelines):
            self.most = max(self.most, len(report.working))
            self.seen |= {title: weakref.ref(each) for title, each in report.working.items()}
            assert pause > 0
            self.cluster.advance(self.cluster.now + pause)
        return report

    def is_whole(self) -> bool:
        """Assert that no healthy task was lost and nothing is left behind. Return whether every task is new."""
        assert set(self.lowest.values()) == {3}
        assert max(self.highest.values()) <= 4
        self.check_given_back()
        return all(task.created_at > START for name in self.names for task in self.cluster.service(name).live.values())

    def check_given_back(self) -> None:
        states = [self.cluster.service(name) for name in self.names]
        assert {state.desired for state in states} == {3}
        assert not any(state.tags for state in states)


def statuses(report: FleetReport) -> list[str]:
    return [row["status"] for row in report.rows.values()]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_history_of_a_fleet_breaks_an_invariant(part: int) -> None:
    outcomes, broken = play_range(part * PLAYS // PARTS, PLAYS // PARTS, FLEET)
    assert broken == []
    assert all(outcomes[kind] for kind in ("recycled", "unchanged", "failed", "killed"))


@pytest.mark.parametrize(("call_seconds", "more"), [(0.0, 1.10), (0.05, 1.20)])
def test_five_hundred_services_a_hundred_at_a_time(call_seconds: float, more: float) -> None:
    """The best possible time is five chains of three steps of 70 s. One thread makes 5800 calls one after another."""
    fleet = Fleet(500)
    report = fleet.run(Limits(concurrency=100), call_seconds=call_seconds)
    assert report.message is None
    assert fleet.is_whole()
    assert fleet.most == 100
    assert report.seconds <= more * 5 * 3 * 70
    assert sum(fleet.account.calls.values()) <= 4 * 3 * 500
    assert {row["replaced"] for row in report.rows.values()} == {3}


def test_what_has_ended_is_forgotten() -> None:
    """Once a service has ended, the report keeps only its row; its tasks, plan and timeline are gone."""
    fleet = Fleet(20)
    report = fleet.run(Limits(concurrency=5), timelines=False)
    gc.collect()
    assert len(fleet.seen) == 20
    assert [each() for each in fleet.seen.values() if each() is not None] == []
    assert len(json.dumps(report.as_dict(fleet.account.calls))) < 500 * 20


def test_no_batch_waits_for_its_slowest_service() -> None:
    fleet = Fleet(40, replace(YARDSTICK, jitter=0.4))
    report = fleet.run(Limits(concurrency=10))
    assert fleet.is_whole()
    seconds = [row["seconds"] for row in report.rows.values()]
    assert report.seconds <= sum(seconds) / 10 + max(seconds)


def test_calls_for_each_task_fall_with_the_size_of_the_fleet() -> None:
    alone = Fleet(1)
    single = run_once(alone.cluster, ALL, world=VirtualWorld(alone.cluster, "s000"), name="s000").calls
    calls = [float(sum(single.values()))]
    for services in (1, 5, 50):
        fleet = Fleet(services)
        fleet.run(Limits(concurrency=50))
        calls.append(sum(fleet.account.calls.values()) / services)
    assert calls == sorted(calls, reverse=True)
    assert calls[-1] < calls[0] / 3


@pytest.mark.parametrize("write", range(1, 36))
def test_killed_after_a_write_and_run_again(write: int) -> None:
    fleet = Fleet(5, replace(YARDSTICK, jitter=0.3), WEEKLY)
    with pytest.raises(Killed):
        fleet.run(Limits(concurrency=3), faults=CallFaults(kill_after_write=write))
    report = fleet.run(Limits(concurrency=3), owner="second")
    assert report.message is None
    assert fleet.is_whole()
    assert fleet.run(Limits(), owner="third").changed is False


def test_sigterm_gives_everything_back_side_by_side() -> None:
    fleet = Fleet(60)
    ending: list[str] = []
    fleet.cluster.at(100, lambda: ending.append("SIGTERM was received"))
    report = fleet.run(Limits(concurrency=40), ending=lambda: ending[0] if ending else None)
    assert report.seconds < 100 + 60
    assert statuses(report) == ["failed"] * 40 + ["not started"] * 20
    assert (report.message or "").count("SIGTERM was received") == 2
    assert "20 of 60 services were not begun: SIGTERM was received" in (report.message or "")
    assert set(fleet.lowest.values()) == {3}
    fleet.check_given_back()


def test_after_its_time_the_whole_fleet_ends() -> None:
    fleet = Fleet(8)
    report = fleet.run(Limits(concurrency=4), timeout=150.0)
    assert 150 <= report.seconds < 250
    assert "the run reached its fleet_timeout of 150 s" in (report.message or "")
    assert statuses(report) == ["failed"] * 4 + ["not started"] * 4
    fleet.check_given_back()


def test_no_service_is_begun_after_too_many_failures_and_those_at_work_go_on() -> None:
    fleet = Fleet(6)
    fleet.cluster.fault("launch_fails", service="s001")
    report = fleet.run(Limits(concurrency=3, max_failed=0))
    assert statuses(report) == ["recycled", "failed", "recycled", "not started", "not started", "not started"]
    assert "which is more than the 0 that max_failed_services allows" in (report.stopped or "")
    assert set(fleet.lowest.values()) == {3}


def test_a_wave_begins_so_long_after_the_wave_before() -> None:
    fleet = Fleet(4)
    fleet.jobs = [replace(job, wave=number // 2) for number, job in enumerate(fleet.jobs)]
    report = fleet.run(Limits(wave_wait=1000.0))
    assert fleet.is_whole()
    assert 1000 + 2 * 210 < report.seconds < 1000 + 2 * 240
    assert any("a wave has ended; the next one begins in 17 min" in line for line in fleet.lines)


def lease_of_another(fleet: Fleet, name: str, seconds: float) -> None:
    begun, cutoff, end = START - 60, START - 3600, START + seconds
    text = f"v=1 o=3 s=0 b={begun:.3f} k=max_task_age c={cutoff:.3f} q=- ph=claimed w=other x={end:.0f}"
    fleet.cluster.tag(name, {RECORD_TAG: text})


def test_a_service_that_another_run_works_on_gives_way_to_the_others() -> None:
    fleet = Fleet(3, settings=WEEKLY)
    lease_of_another(fleet, "s000", 700)
    report = fleet.run(Limits(concurrency=1), others_are_dead=False)
    assert report.message is None
    assert fleet.is_whole()
    assert list(report.rows) == ["prod/s000", "prod/s001", "prod/s002"]
    assert report.seconds < 1.15 * (700 + 210)


def test_where_all_are_worked_on_by_another_run_they_are_waited_for_in_turn() -> None:
    fleet = Fleet(3, settings=WEEKLY)
    for name in fleet.names:
        lease_of_another(fleet, name, 300)
    report = fleet.run(Limits(concurrency=1), others_are_dead=False)
    assert (report.message, fleet.is_whole()) == (None, True)


def test_two_fleets_that_overlap_recycle_no_service_twice() -> None:
    fleet = Fleet(12, settings=WEEKLY)
    reports, wakes, runs = [FleetReport(), FleetReport()], {0: START, 1: START}, {}
    for number, jobs in enumerate((fleet.jobs[:8], fleet.jobs[4:][::-1])):
        me = Self(f"run{number}", lambda _other: False, lambda: None)
        account = VirtualAccount(fleet.cluster)
        runs[number] = recycle_fleet(jobs, Limits(concurrency=3), account, me, reports[number])
    while wakes:
        number = min(wakes, key=lambda each: wakes[each])
        fleet.cluster.advance(wakes[number])
        try:
            wakes[number] = fleet.cluster.now + next(runs[number])
        except StopIteration:
            del wakes[number]
    assert [report.message for report in reports] == [None, None]
    assert fleet.is_whole()
    assert sum(row["replaced"] for report in reports for row in report.rows.values()) == 36


def test_an_error_of_ours_ends_one_service_and_no_other() -> None:
    fleet = Fleet(3)

    def break_one(job: Job, world: VirtualWorld) -> None:
        if job.service == "s001":
            del world.cluster

    report = fleet.run(Limits(), on_world=break_one)
    assert statuses(report) == ["recycled", "failed", "recycled"]
    assert "An error in the collection itself ended the recycle of prod/s001 (AttributeError" in (report.message or "")


def test_counts_are_told_every_minute_and_each_service_when_it_ends() -> None:
    fleet = Fleet(30)
    fleet.run(Limits(concurrency=10))
    counts = [line for line in fleet.lines if line.startswith("fleet: ")]
    assert counts[:2] == ["fleet: 30 services, 10 at a time", "fleet: 0 of 30 done, 10 running, 20 waiting"]
    assert any("about" in line and line.startswith("fleet: 10 of 30 done, 10 running, 10 waiting") for line in counts)
    assert len(counts) <= 2 + 3 * 230 / 60
    mine = [line for line in fleet.lines if line.startswith("prod/s017: ")]
    assert [line.split(":")[1].split()[0] for line in mine] == ["replaces", "step", "step", "step", "recycled"]
    assert mine[-1].startswith("prod/s017: recycled: 3 tasks in ")
    assert mine[-1].endswith(" of 30 services done)")
