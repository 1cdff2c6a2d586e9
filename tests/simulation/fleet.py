# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play whole fleets: several services, each with its own dangers, and kills, signals and rival runs for all of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.run import FleetReport, Job, recycle_fleet
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.schedule import Limits
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import RECORD_TAG
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.report import Report
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self

from tests.sandbox.model.scheduler import Cluster

from .invariants import Broken
from .play import Stage, set_stage
from .scenario import START, Scenario, draw, draw_call_faults, draw_health, draw_scale_in, draw_tags
from .side_by_side import SideBySide
from .virtual_account import VirtualAccount
from .virtual_world import CallFaults, VirtualWorld

_DAY = 86400.0


@dataclass
class FleetScenario:
    """Several services, and what happens to the process that recycles all of them."""

    number: int
    services: list[Scenario]
    waves: list[int]
    limits: Limits
    call_seconds: float
    incarnations: list[CallFaults]
    restart_after: list[float]
    dead_is_seen: bool
    end_at: float | None
    rival_at: float | None
    timeout: float | None

    @property
    def undisturbed(self) -> bool:
        """Return whether nothing happens to the process, so every service gets its turn."""
        quiet = [CallFaults()] == self.incarnations and self.limits.max_failed is None
        return quiet and self.end_at is None and self.rival_at is None and self.timeout is None


def draw_fleet(number: int) -> FleetScenario:
    """Return the fleet scenario of a number. The same number always gives the same scenario."""
    rng = random.Random(f"fleet {number}")
    count = rng.choice([2, 3, 3, 4, 5, 6])
    seconds = rng.choice([0.0, 0.05, 0.05])
    first = draw(rng.randrange(10**9))
    services = [_draw_service(rng, f"s{index}", first, seconds * count) for index in range(count)]
    kills = rng.choice([0, 0, 0, 1, 1, 2])
    quiet = rng.random() < 0.4
    faults = [draw_call_faults(rng, index < kills, 14 * count) for index in range(kills + 1)]
    return FleetScenario(
        number=number,
        services=services,
        waves=[rng.choice([0, 0, 1]) for _service in services] if rng.random() < 0.3 else [0] * count,
        limits=Limits(
            concurrency=rng.choice([1, 2, 3, 20]),
            max_failed=None if quiet else rng.choice([None, None, 0, 1]),
            wave_wait=rng.choice([0.0, 300.0]),
        ),
        call_seconds=seconds,
        incarnations=[CallFaults()] if quiet else faults,
        restart_after=[] if quiet else [rng.choice([0.0, 5.0, 60.0, 900.0]) for _time in range(kills)],
        dead_is_seen=rng.random() < 0.5,
        end_at=rng.uniform(0, 900) if not quiet and rng.random() < 0.15 else None,
        rival_at=rng.uniform(0, 600) if not quiet and rng.random() < 0.2 else None,
        timeout=rng.uniform(60, 1500) if not quiet and rng.random() < 0.1 else None,
    )


def _draw_service(rng: random.Random, name: str, first: Scenario, seconds: float) -> Scenario:
    """Return the scenario of one service. All have the latencies of the first; half of them are left undisturbed."""
    family = rng.choice([draw, draw, draw_scale_in, draw_health, draw_tags])
    base = family(rng.randrange(10**9))
    while base.service["desired"] > 15 or base.settings.selector is None:
        base = family(rng.randrange(10**9))
    peace = rng.random() < 0.5
    # Between a look and a write, the process works on other services, for as long as the calls for all may take.
    base = replace(base, name=name, latencies=first.latencies, call_seconds=2 * seconds, rival_at=0.0)
    if peace:
        base = replace(base, faults=[], acts=[], scaling=None, wanted=None)
    return replace(
        base,
        service=_with_own_groups(base.service, name),
        faults=[(kind, {**details, "service": name}) for kind, details in base.faults],
    )


def _with_own_groups(service: dict[str, Any], name: str) -> dict[str, Any]:
    """Give the service its own target groups: two services that share a group and an instance would share a target."""
    groups = {group: f"{name}/{group}" for group in service["target_groups"]}
    blue_green = service.get("alternates") or {}
    return {
        **service,
        "target_groups": list(groups.values()),
        "alternates": {groups.get(group, group): f"{name}/{other}" for group, other in blue_green.items()},
        "classic": [f"{name}-{balancer}" for balancer in service.get("classic", ())],
        "unhealthy_by": groups.get(service.get("unhealthy_by", ""), service.get("unhealthy_by", "")),
    }


@dataclass
class FleetRun:
    """One process that recycles the fleet."""

    owner: str
    account: VirtualAccount
    steps: Generator[float, None, None]
    wake: float
    report: FleetReport
    ending: list[str] = field(default_factory=list)
    over: bool = False


@dataclass
class FleetPlay:
    """The result of playing a fleet scenario."""

    scenario: FleetScenario
    cluster: Cluster
    reports: list[FleetReport] = field(default_factory=list)
    killed: int = 0
    calls: int = 0

    @property
    def statuses(self) -> Counter[str]:
        return Counter(row["status"] for report in self.reports for row in report.rows.values())


def play_fleet(scenario: FleetScenario) -> FleetPlay:
    """Play the scenario to its end and return the result. Raises Broken if an invariant fails."""
    rng = random.Random(scenario.number + 1)
    cluster = Cluster(rng, START, scenario.services[0].latencies)
    cluster.waits_for_protected = any(each.settings.stop_method == "scale_in" for each in scenario.services)
    stages = [set_stage(each, cluster, rng) for each in scenario.services]
    return _Theatre(FleetPlay(scenario, cluster), stages, rng).perform()


class _Theatre(SideBySide[FleetRun]):
    def __init__(self, result: FleetPlay, stages: list[Stage], rng: random.Random) -> None:
        super().__init__(result.cluster, result.scenario.incarnations, result.scenario.restart_after)
        self.play, self.scenario = result, result.scenario
        self.stages = {stage.name: stage for stage in stages}
        self.random = rng
        self.in_peace = False  # nobody else does anything, and nothing fails
        for name, stage in self.stages.items():
            stage.play.watch.warnings = lambda name=name: self._warnings(name)  # type: ignore[misc]

    def perform(self) -> FleetPlay:
        scenario = self.scenario
        self.begin(self.left.pop(0))
        if scenario.end_at is not None:
            self.at(scenario.end_at, lambda: self.runs[0].ending.append("SIGTERM was received"))
        if scenario.rival_at is not None:
            faults = replace(scenario.incarnations[-1], kill_after_write=None)
            self.at(scenario.rival_at, lambda: self.begin(faults))
        for stage in self.stages.values():
            for act in stage.scenario.acts:
                self.at(act.at, lambda stage=stage, act=act: stage.act(act))  # type: ignore[misc]
        self.run_all()
        if any(RECORD_TAG in self.cluster.service(name).tags for name in self.stages):
            self._once(restores=True)
        for stage in self.stages.values():
            stage.play.watch.check_end(bool(self.play.killed))
        if scenario.undisturbed:
            self._check_neighbours(self.play.reports[0])
        self._make_peace()
        self.play.calls = sum(sum(run.account.calls.values()) for run in self.runs)
        return self.play

    def _check_neighbours(self, report: FleetReport) -> None:
        """Raise Broken if a service has no row, or failed although nothing happened to it."""
        if report.rows.keys() != {f"default/{name}" for name in self.stages}:
            raise Broken(f"not every service has its row: {sorted(report.rows)}")
        for name, stage in self.stages.items():
            row, mine = report.rows[f"default/{name}"], stage.scenario
            calm = not (mine.faults or mine.acts or mine.scaling)
            if row["status"] == "failed" and calm and not self._may_refuse(stage, row):
                raise Broken(f"{name} failed, although nothing happened to it: {row['message']}")

    def _may_refuse(self, stage: Stage, row: dict[str, Any]) -> bool:
        ill = stage.scenario.service.get("unhealthy")
        return bool(ill) or stage.may_refuse(Report(message=row["message"]))

    # ---- the course

    def begin(self, faults: CallFaults, restores: bool = False) -> FleetRun:
        scenario, owner = self.scenario, f"run{len(self.runs)}"
        report = FleetReport()
        settings = {name: stage.scenario.settings for name, stage in self.stages.items()}
        if restores:
            settings = {name: replace(each, selector=None) for name, each in settings.items()}
        jobs = [
            Job("default", name, each, wave)
            for (name, each), wave in zip(settings.items(), scenario.waves, strict=True)
        ]
        account = VirtualAccount(
            self.cluster,
            random.Random(self.random.random()),
            scenario.call_seconds,
            faults,
            lambda job, world: self._observe(job, world, report),
        )
        ending: list[str] = []
        me = Self(
            owner,
            lambda other: scenario.dead_is_seen and other in self.dead,
            lambda: ending[0] if ending else None,
        )
        peaceful = self.in_peace
        steps = recycle_fleet(
            sorted(jobs, key=lambda job: job.wave),
            Limits(concurrency=scenario.limits.concurrency) if peaceful else scenario.limits,
            account,
            me,
            report,
            None if peaceful else scenario.timeout,
        )
        run = FleetRun(owner, account, steps, self.cluster.now, report, ending=ending)
        self.runs.append(run)
        return run

    def _observe(self, job: Job, world: VirtualWorld, report: FleetReport) -> None:
        watch = self.stages[job.service].play.watch

        def before_write(operation: str, arguments: tuple[Any, ...], looked_at: float) -> None:
            mine = report.working[job.title]
            watch.giving_back = job.settings.selector is None or mine.status == "failed"
            watch.before_write(operation, arguments, looked_at)
            if len(report.working) > self.scenario.limits.concurrency:
                raise Broken(f"{len(report.working)} services at a time")

        world.before_write, world.refused = before_write, watch.refused

    def _warnings(self, name: str) -> list[str]:
        title = f"default/{name}"
        told = [words for run in self.runs for which, words in run.report.warnings if which == title]
        return told + [words for run in self.runs for words in _working(run.report, title)]

    def has_ended(self, run: FleetRun, result: None) -> None:
        self.play.reports.append(run.report)

    def was_killed(self) -> None:
        self.play.killed += 1
        for stage in self.stages.values():
            stage.play.watch.hindered = True

    # ---- peace

    def _make_peace(self) -> None:
        """Clear every fault and run the same task twice: first it finishes all work, then it changes nothing."""
        cluster = self.cluster
        cluster.clear_faults()
        for stage in self.stages.values():
            stage.make_calm()
        for _day in range(7):
            cluster.advance(cluster.now + 7200)
            if not any(cluster.service(name).rolling or cluster.service(name).bad for name in self.stages):
                break
            cluster.advance(cluster.now + _DAY)
        first = self._once()
        for name, stage in self.stages.items():
            row = first.rows[f"default/{name}"]
            if row["status"] == "failed" and not stage.may_refuse(Report(message=row["message"])):
                raise Broken(f"in peace, {name} failed: {row['message']}")
        cluster.advance(cluster.now + 300)
        second = self._once()
        for name, stage in self.stages.items():
            rows = [report.rows[f"default/{name}"] for report in (first, second)]
            settings = stage.scenario.settings
            repeats = settings.selector and settings.selector.kind in ("all_tasks", "max_task_age")
            partial = settings.max_tasks is not None and rows[0]["remaining"]
            if rows[0]["status"] != "failed" and not repeats and not partial and rows[1]["status"] != "unchanged":
                raise Broken(f"the second run in peace changed something: {rows[1]}")
            stage.play.watch.check_end(bool(self.play.killed))
            stage.play.watch.check_task_tags()

    def _once(self, restores: bool = False) -> FleetReport:
        self.in_peace = True
        run = self.begin(CallFaults(), restores)
        self.run_all()
        return run.report


def _working(report: FleetReport, title: str) -> list[str]:
    return report.working[title].warnings if title in report.working else []
