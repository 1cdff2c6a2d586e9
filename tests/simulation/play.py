# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Play a scenario on one virtual clock: the engine, its kills and restarts, a rival run, and what others do."""

from __future__ import annotations

import math
import random
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import LONGEST_LEASE, RECORD_TAG
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.report import Report
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.run import recycle
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import SandboxError

from .invariants import PROTECTED_FOR, Broken, Watch
from .scenario import START, Act, Scenario
from .side_by_side import SideBySide
from .virtual_world import CallFaults, VirtualWorld

PERCENTAGES = ("maximum_percent", "minimum_healthy_percent")
RESIZING = ("rescale", "scale_out", "scale", "instances")
DEPLOYING = ("deploy", "external_task_set", "finish", "roll_back")


@dataclass
class Run:
    """One process that recycles."""

    owner: str
    world: VirtualWorld
    steps: Generator[float, None, Report]
    wake: float
    ending: list[str]
    progress: Report  # filled while it runs
    over: bool = False


@dataclass
class Play:
    """The result of playing a scenario."""

    scenario: Scenario
    cluster: Cluster
    watch: Watch
    reports: list[Report] = field(default_factory=list)
    killed: int = 0
    calls: int = 0

    @property
    def seconds(self) -> float:
        return self.cluster.now - START


def play(scenario: Scenario) -> Play:
    """Play the scenario to its end and return the result. Raises Broken if an invariant fails."""
    rng = random.Random(scenario.number + 1)
    cluster = Cluster(rng, START, scenario.latencies)
    cluster.waits_for_protected = scenario.settings.stop_method == "scale_in"
    stage = set_stage(scenario, cluster, rng)
    stage.perform()
    return stage.play


def set_stage(scenario: Scenario, cluster: Cluster, rng: random.Random) -> Stage:
    """Create the service of a scenario, with its faults."""
    cluster.create_service(scenario.name, **scenario.service, tags={"team": "red"})
    scenario = _name_tasks(scenario, cluster)
    if scenario.scaling:
        cluster.register_scalable_target(scenario.name, **scenario.scaling)
        cluster.policy_wants(scenario.name, scenario.wanted)
    for kind, details in scenario.faults:
        cluster.fault(kind, **details)
    return Stage(Play(scenario, cluster, Watch(scenario, cluster)), rng)


def _name_tasks(scenario: Scenario, cluster: Cluster) -> Scenario:
    """Name every other task in the selector ``tasks``. Their ids are known only once the service exists."""
    selector = scenario.settings.selector
    if selector is None or selector.kind != "tasks":
        return scenario
    named = frozenset(arn.rsplit("/", 1)[-1] for arn in list(cluster.service(scenario.name).live)[1::2])
    return replace(scenario, settings=replace(scenario.settings, selector=replace(selector, value=named)))


class Stage(SideBySide[Run]):
    def __init__(self, result: Play, rng: random.Random) -> None:
        super().__init__(result.cluster, result.scenario.incarnations, result.scenario.restart_after)
        self.play = result
        self.scenario = result.scenario
        self.name = result.scenario.name
        self.random = rng
        self.before = set(self.cluster.service(self.name).live)
        result.watch.warnings = lambda: [words for run in self.runs for words in run.progress.warnings]

    def perform(self) -> None:
        scenario = self.scenario
        self.begin(self.left.pop(0))
        if scenario.end_at is not None:
            self.at(scenario.end_at, lambda: self.runs[0].ending.append("SIGTERM was received"))
        if scenario.rival_at is not None:
            self.at(scenario.rival_at, lambda: self.begin(replace(scenario.incarnations[-1], kill_after_write=None)))
        for act in scenario.acts:
            self.at(act.at, lambda act=act: self.act(act))  # type: ignore[misc]
        self.run_all()
        if self.play.watch.forged_at is not None:
            self.cluster.advance(self.cluster.now + LONGEST_LEASE + 120)  # no lease can last longer
        if RECORD_TAG in self.cluster.service(self.name).tags:
            # Either the last run refused to begin and left the record of a killed run. Or somebody had removed
            # the record, a run was killed while it wrote it again, and the last run read too early to see it.
            unseen = self.play.watch.record_lost and any(kind == "stale_reads" for kind, _details in scenario.faults)
            if self.play.reports[-1].status != "failed" and not self.play.watch.forged_at and not unseen:
                raise Broken("a run that did not fail left the record behind")
            self._once(replace(scenario.settings, selector=None))
        self.play.watch.check_end(bool(self.play.killed))
        old = {arn for report in self.play.reports for arn in report.withdrawn} & self.before
        if old:
            raise Broken(f"tasks that were there before the run are called withdrawn: {old}")
        self._check_calls()
        self._make_peace()

    def begin(self, faults: CallFaults, settings: Settings | None = None) -> Run:
        owner = f"run{len(self.runs)}"
        world = VirtualWorld(
            self.cluster, self.name, random.Random(self.random.random()), self.scenario.call_seconds, faults
        )
        ending: list[str] = []
        me = Self(
            owner,
            lambda other: self.scenario.dead_is_seen and other in self.dead,
            lambda: ending[0] if ending else None,
        )
        progress = Report()

        def before_write(operation: str, arguments: tuple[Any, ...], looked_at: float) -> None:
            restores = (settings or self.scenario.settings).selector is None
            self.play.watch.giving_back = restores or progress.status == "failed"
            self.play.watch.before_write(operation, arguments, looked_at)

        world.before_write = before_write
        world.refused = self.play.watch.refused
        steps = recycle(world, settings or self.scenario.settings, "default", self.name, me, progress)
        run = Run(owner, world, steps, self.cluster.now, ending, progress)
        self.runs.append(run)
        return run

    def has_ended(self, run: Run, result: Report) -> None:
        self.play.reports.append(result)

    def was_killed(self) -> None:
        self.play.killed += 1
        self.play.watch.hindered = True

    def act(self, act: Act) -> None:
        cluster, service = self.cluster, self.cluster.service(self.name)
        running = [task for task in service.live.values() if task.healthy]
        if act.kind == "forge":
            cluster.tag(self.name, act.details["tags"])
        elif act.kind in DEPLOYING:
            self.deploy(act)
        elif act.kind in RESIZING:
            self._resize(act, service.desired)
        elif act.kind == "rebalance_zones" and running and not service.rolling:
            cluster.rebalance_zones(self.name, placed=self.random.random() < 0.8)
        elif running:
            task = self.random.choice(running)
            if act.kind == "target_state":
                cluster.target_state(task.arn, act.details["state"])
            elif act.kind == "interrupt":
                cluster.interrupt(task.arn)
            elif act.kind == "protect":
                cluster.protect(task.arn, cluster.now + PROTECTED_FOR)
                self.play.watch.protected_by_others[task.arn] = cluster.now + PROTECTED_FOR
            elif act.kind == "sicken":
                cluster.fail_health(task.arn)

    def _resize(self, act: Act, desired: int) -> None:
        """Change how many tasks the service must have, as somebody else would."""
        if act.kind == "scale":
            self.cluster.scale_task_set(self.name, **act.details, task_set="PRIMARY")
        elif act.kind == "instances":
            self.cluster.set_instances(self.name, max(1, desired + act.amount))
        elif act.kind == "scale_out":
            self.cluster.policy_wants(self.name, desired + abs(act.amount))
        elif not self.cluster.service(self.name).daemon:
            self.cluster.update_service(self.name, desired=max(0, desired + act.amount), by="operator")

    def deploy(self, act: Act) -> None:
        """Begin or end a deployment as somebody else would, if that is possible."""
        cluster = self.cluster
        with suppress(LookupError, ValueError, SandboxError):
            if act.kind == "finish":
                cluster.finish(self.name)
            elif act.kind == "roll_back":
                cluster.roll_back(self.name)
            else:
                before = set(cluster.service(self.name).live)
                cluster.begin_deployment(self.name, **act.details)
                # No task is older than its deployment, not even one that already runs.
                for arn in cluster.service(self.name).live.keys() - before:
                    task = cluster.tasks[arn]
                    task.created_at, task.seen = cluster.now, None
        self.play.watch.deployed = True
        self.play.watch.note_owner()

    def _check_calls(self) -> None:
        """Raise Broken if a run made more calls than a constant, plus a share for each task and for each pause."""
        scenario = self.scenario
        seconds = max(self.play.seconds, 1.0)
        size = max(scenario.service["desired"], self.play.watch.highest_of_others)
        for run in self.runs:
            calls = sum(run.world.calls.values())
            self.play.calls += calls
            groups = [scenario.service.get(kind, ()) for kind in ("target_groups", "classic", "lattice")]
            looks = seconds / scenario.settings.wait_delay * (4 + sum(map(len, groups)))
            allowed = 60 + 30 * size + looks
            if calls > allowed:
                raise Broken(f"{calls} calls of one run for {size} tasks in {seconds:.0f} s: {dict(run.world.calls)}")

    def _make_peace(self) -> None:
        """Clear every fault and run the same task twice: first it finishes the work, then it changes nothing."""
        cluster, scenario = self.cluster, self.scenario
        cluster.clear_faults()
        self.make_calm()
        for _day in range(7):  # so even a DAEMON service rolls to its end, and ECS replaces unhealthy tasks one by one
            cluster.advance(cluster.now + 7200)
            if not cluster.service(self.name).rolling and not cluster.service(self.name).bad:
                break
            cluster.advance(cluster.now + 86400)
        first = self._once()
        if first.status == "failed" and not self.may_refuse(first):
            raise Broken(f"in peace, the run failed: {first.message}")
        if first.status == "failed":
            return
        cluster.advance(cluster.now + 300)
        second = self._once()
        selector = scenario.settings.selector
        repeats = selector and selector.kind in ("all_tasks", "max_task_age")  # tasks grow older meanwhile
        partial = scenario.settings.max_tasks is not None and first.remaining
        if not repeats and not partial and (second.changed or self.runs[-1].world.writes):
            raise Broken(f"the second run in peace changed something: {second.as_dict()}")
        self.play.watch.check_end(bool(self.play.killed))
        self.play.watch.check_task_tags()

    def make_calm(self) -> None:
        """Stop what others do to the service, and undo what they did."""
        self.cluster.policy_wants(self.name, None)
        self.deploy(Act(0, "finish"))
        for task in self.cluster.tasks.values():
            task.protected_until = 0.0
            task.seen = None
        self.heal()

    def heal(self) -> None:
        """Undo what somebody did to targets. If every task is stale, unhealthy tasks stay unhealthy, because the run
        replaces them, unless they hold up a deployment that the run would wait for."""
        cluster, service, selector = self.cluster, self.cluster.service(self.name), self.scenario.settings.selector
        for task in service.live.values():
            ill = {group for group in task.unready if cluster.groups[group].get(task.target) == "unhealthy"}
            cured = not selector or selector.kind != "all_tasks" or service.rolling
            if cured and task.last_status == "RUNNING" and service.health_check:
                task.health = "HEALTHY"
            for group in task.unready - (set() if cured else ill):
                cluster.target_state(task.arn, "healthy", group)
            cluster.changed(task, "health")
            if task.healthy:
                service.bad.pop(task.arn, None)
        cluster.poke(service)

    def _once(self, settings: Settings | None = None) -> Report:
        run = self.begin(CallFaults(), settings)
        self.run_all()
        return run.progress

    def may_refuse(self, report: Report) -> bool:
        """Return whether the options explain why a run failed: it may not stop a single task, or it cannot place one at
        all or in time.
        """
        assert report.message
        full = self.scenario.service["room"] is not None and (
            "unable to place" in report.message or "a deployment of service" in report.message
        )
        said = ("no task of service", "stop_method: scale_in adds tasks before")
        latencies, grows_after = self.scenario.latencies, self.scenario.service.get("grows_after") or 0.0
        in_time = grows_after + latencies.reaction + latencies.launch < self.scenario.settings.wait_timeout
        full = full or (not in_time and "for the added tasks to become good" in report.message)
        # With 100% and 150% of one task, ECS may neither start a second one nor stop the only one: API model,
        # DeploymentConfiguration, rounds the percentages down and up.
        most, least, desired = (
            *(self.scenario.service[key] for key in PERCENTAGES),
            self.cluster.service(self.name).desired,
        )
        stuck = desired * most // 100 <= math.ceil(desired * least / 100)
        full = full or (stuck and "a deployment of service" in report.message)
        scaled = "has a scale below 100%" in report.message
        return report.message.startswith(said) or full or scaled
