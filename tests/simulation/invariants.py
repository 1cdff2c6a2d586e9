# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check what must hold at every moment of every play, against the model's true state and not against what runs read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import (
    RECORD_TAG,
    NotOurs,
    Record,
    read_record,
)

from tests.sandbox.model import deployments
from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import Change, TaskState

from .scenario import START, Scenario
from .virtual_world import to_task

PROTECTED_FOR = 1800.0  # seconds for which others protect a task


class Broken(AssertionError):
    """An invariant does not hold."""


class Watch:
    """Checks every change of the cluster, and every write before it is carried out."""

    def __init__(self, scenario: Scenario, cluster: Cluster) -> None:
        self.scenario = scenario
        self.name = scenario.name
        self.cluster = cluster
        self.original = scenario.service["desired"]
        self.highest_of_others = self.original  # highest desired count that others set
        self.lowest_of_others = self.original
        self.others_scaled = 0
        self.deployed = False
        self.surge = 0  # largest surge that a run wrote into its record
        self.stopped: list[str] = []
        self.lowered = False  # whether our last change of the count lowered it
        self.gained_at = -math.inf  # when a task last became healthy
        self.lost_at = -math.inf  # when somebody else last took a healthy task away
        self.looked_at = cluster.now  # when the run that wrote last had looked, minus what stale reads hide
        self.lowered_after = cluster.now  # the same, for the last UpdateService of a run
        self.lowered_at = -math.inf  # when that UpdateService was
        self.hindered = False  # whether the run was killed since, or AWS refused the last StopTask
        self.giving_back = False  # whether the run that wrote last has failed, or restores
        self.draining = False  # whether ECS may stop only stale tasks for the count that was lowered last
        self.protected: dict[str, float] = {}  # ARN -> end of a protection that a run set
        self.protected_by_others: dict[str, float] = {}
        self.owners: list[tuple[float, str]] = []  # since when a run may stop the tasks of a deployment, and its id
        self.note_owner()
        self.live = dict(cluster.service(self.name).live)
        self.warnings: Callable[[], list[str]] = list  # of all runs so far
        self.healthy = cluster.healthy(self.name)
        cluster.on_change(self.changed)

    @property
    def record_lost(self) -> bool:
        return any(kind == "tags_lost" for kind, _details in self.scenario.faults)

    @property
    def forged_at(self) -> float | None:
        """Return the seconds after the start at which somebody forges a record, or None if nobody does."""
        return next((act.at for act in self.scenario.acts if act.kind == "forge"), None)

    @property
    def lowest_scale(self) -> float:
        """Return the lowest percentage of the desired count to which the task set is scaled at any time."""
        midway = [act.details["scale"] for act in self.scenario.acts if act.kind == "scale"]
        return float(min([self.scenario.service.get("scale", 100.0), *midway]))

    def record(self) -> Record | None:
        try:
            return read_record(self.cluster.service(self.name).tags)
        except NotOurs:
            return None

    def note_owner(self) -> None:
        """Note that runs may stop the tasks of the primary deployment, unless a deployment is under way.

        While it is, runs may stop the tasks that it replaces, but not the tasks that it started.
        """
        service = self.cluster.service(self.name)
        parts = [each for each in service.deployments if each.status != "DRAINING"]
        under_way = len(parts) > 1 or service.rolling or deployments.current(service)
        if not self.owners or (not under_way and self.owners[-1][1] != service.primary.id):
            self.owners.append((self.cluster.now, service.primary.id))

    # ---- what changes in the world

    def changed(self, change: Change) -> None:
        if change.service != self.name:
            return
        fewer, before = change.healthy < self.healthy, self.healthy
        self.healthy = change.healthy
        # A scale-in after we raised the count is still caused by the user who lowered the count before.
        ours = change.cause == "StopTask by client" or (
            change.cause == "scale-in after UpdateService by client" and self.lowered
        )
        if change.healthy > before:
            self.gained_at = change.time
        if fewer and not ours:
            self.lost_at = change.time
        if change.cause == "deployment":
            self.deployed = True
        if change.desired != self.cluster.service(self.name).desired:
            raise AssertionError("the journal is behind")
        by = self.cluster.service(self.name).desired_by
        if by not in ("UpdateService by client", "CreateService"):
            self.others_scaled += by in (change.cause, "instances")
            self.highest_of_others = max(self.highest_of_others, change.desired)
            self.lowest_of_others = min(self.lowest_of_others, change.desired)
        if fewer and ours:
            self._check_floor(change, before)
        if change.cause.startswith("scale-in") and self.draining and not self.others_scaled:
            self._check_drained()
        self.live = dict(self.cluster.service(self.name).live)
        self.note_owner()

    def _check_drained(self) -> None:
        """Raise Broken if our lower count made ECS stop a task that ran, is not stale and was protected by a run."""
        record = self.record()
        if record is None or self.record_lost or self._blind() or self.forged_at is not None:
            return
        for arn in self.live.keys() - self.cluster.service(self.name).live.keys():
            state = self.cluster.tasks[arn].state()
            stale = self._is_stale(state, record)
            young = state.created_at >= self.looked_at  # the run could not know yet that it exists
            if not (state.stopped_reason or "").startswith("Scaling activity"):
                continue  # ECS replaced it at the same moment because it is unhealthy
            if not stale and not young and state.started_at is not None and arn in self.protected:
                raise Broken(f"ECS stopped a task that was to stay, for a count that we lowered: {arn}")

    def _check_floor(self, change: Change, before: int) -> None:
        settings = self.scenario.settings
        if self.forged_at:  # midway: a run gives back young tasks for it, and these may be replacements
            return
        base = math.ceil(min(self.original, self.lowest_of_others) * self.lowest_scale / 100)
        floor = math.ceil(base * settings.minimum_healthy_percent / 100)
        if change.healthy >= floor:
            return
        # A run cannot see yet what somebody else took away a moment ago, nor what stale reads hide.
        unseen = (
            self._blind()
            + self.scenario.latencies.reaction * 1.5
            + self.scenario.latencies.leave
            + 4 * self.scenario.call_seconds
        )
        nameless = {"events_lost", "list_omits_new"} <= {kind for kind, _details in self.scenario.faults}
        if change.time - self.lost_at <= unseen + 0.001 or self.deployed or nameless:
            return
        if change.cause.startswith("scale-in") and any("although" in words for words in self.warnings()):
            return  # the run waited long enough and warned about it
        if change.cause == "StopTask by client" and self.gained_at >= self.looked_at:
            return  # a task became healthy after the look, and it may be the one that was stopped
        # ECS picks at random among the running tasks. A run cannot withdraw in advance what ECS itself starts
        # between the look and the lower count to replace unhealthy tasks.
        # Nor can it do so if AWS refuses the StopTask, if the run is killed, or if ECS acts on the count at once.
        at_once = change.time - self.lowered_at <= unseen
        since = self.lowered_after if self.hindered or at_once else self.looked_at
        tasks = self.live.values()  # includes the one that ECS has just stopped
        # Among tasks that were not healthy before, and that no run may stop, one more is one that ECS can spare.
        ill = any(task.created_at < since and not task.healthy for task in tasks)
        started = [task for task in tasks if task.created_at >= since and (ill or not task.healthy)]
        if change.cause.startswith("scale-in") and started:
            return
        raise Broken(
            f"{change.cause} at {change.time - START:.1f} led from {before} to"
            f" {change.healthy} healthy tasks; the floor is {floor}"
        )

    def _blind(self) -> float:
        """Return the seconds for which reads may be stale."""
        return max([0.0, *(d.get("seconds", 0.0) for kind, d in self.scenario.faults if kind == "stale_reads")])

    # ---- what our runs write

    def before_write(self, operation: str, arguments: tuple[Any, ...], looked_at: float) -> None:
        self.looked_at = looked_at - self._blind()
        self.note_owner()
        if operation == "StopTask":
            self.hindered = False
            self._check_stop(arguments[0], looked_at)
        elif operation == "UpdateService":
            self.lowered = arguments[0] < self.cluster.service(self.name).desired
            self.lowered_after, self.lowered_at, self.hindered = self.looked_at, self.cluster.now, False
            self._check_desired(arguments[0])
            self.draining = self.lowered and not self.giving_back and self.scenario.settings.stop_method == "scale_in"
            stale_left = self._stale_left()
            self.draining = self.draining and stale_left
        elif operation == "UpdateTaskProtection":
            self._check_protection(*arguments)
        elif operation == "TagResource" and RECORD_TAG in arguments[0]:
            record = read_record(arguments[0])
            assert record
            self.surge = max(self.surge, record.surge)

    def refused(self, operation: str) -> None:
        """Note that AWS did not carry out a call of a run."""
        self.hindered = self.hindered or operation == "StopTask"

    def _check_stop(self, arn: str, looked_at: float) -> None:
        task = self.cluster.tasks[arn]
        record = self.record()
        if task.desired_status == "STOPPED":
            return  # ECS does nothing then
        if task.deployment not in {owner for since, owner in self.owners if since <= looked_at}:
            raise Broken(f"a task of another user's deployment was stopped: {arn} of {task.deployment}")
        if self.forged_at is not None:
            if task.created_at < START and not self._is_asked_for(task.state()):
                raise Broken(f"a task was stopped for a forged record: {arn}")
            return
        if record is None:
            if self.record_lost:
                return
            raise Broken(f"a task was stopped with no record of the run: {arn}")
        if self._is_stale(task.state(), record):
            self.stopped.append(arn)
            return
        # A run that gives up withdraws the added tasks that it does not know to be good: those still on
        # probation, and those that became good only after its last look.
        latencies = self.scenario.latencies
        checks = (latencies.health + latencies.target) * (1 + latencies.jitter)
        known_good_after = 60.0 + checks + self._blind() + (self.scenario.settings.stabilize_time or 0.0)
        young = task.started_at is None or self.cluster.now - task.started_at < known_good_after
        probation = self.scenario.settings.stabilize_time != 0.0
        if task.created_at < record.begun or (task.healthy and not young and not probation):
            raise Broken(f"a task was stopped that is neither stale nor an added one that is not good: {arn}")

    def _check_desired(self, count: int) -> None:
        if self.record_lost:
            return  # a later run can only assume that the count it finds was wanted
        if self.forged_at is not None:
            self._check_forged(count)
            return
        if count > self.highest_of_others + self.surge * (2 if self._overlooks_added() else 1):
            raise Broken(
                f"the desired count was set to {count}: originally {self.original}, others at most"
                f" {self.highest_of_others}, added at most {self.surge}"
            )
        if count < min(self.original, self.lowest_of_others):
            raise Broken(f"the desired count was set to {count}, below {self.original} and {self.lowest_of_others}")

    def _overlooks_added(self) -> bool:
        """Return whether a run has warned that it cannot find the tasks a killed run added, and may be right: ECS
        stopped them when the task set was scaled down, or has no room for them beside replacements of unhealthy tasks.
        """
        ill = self.scenario.service.get("unhealthy", 0) > 0 or any(
            "never_healthy" in kind for kind, _details in self.scenario.faults
        )
        full = self.scenario.service["room"] is not None and ill
        return (self.lowest_scale < 100 or full) and any("of them exist" in words for words in self.warnings())

    def _check_forged(self, count: int) -> None:
        """Raise Broken if a run adds more than the settings allow, or gives back more than there are young tasks."""
        service, settings = self.cluster.service(self.name), self.scenario.settings

        def most_of(tasks: int) -> int:
            return max(1, settings.batch_size.of(tasks) if settings.surge is None else settings.surge)

        most = most_of(self.original)
        highest = self.original + most
        young = sum(task.created_at >= START for task in service.live.values())
        if self.forged_at:  # midway: a run must leave its added tasks to the run that seems to have taken over
            highest += most_of(highest)
        else:
            young = most
        if count > max(service.desired, highest):
            raise Broken(f"the desired count was raised from {service.desired} to {count} for a forged record")
        if count < min(service.desired - max(0, young + service.desired - len(service.live)), self.original):
            raise Broken(f"the desired count was lowered from {service.desired} to {count} for a forged record")
        if not self.forged_at and count < self.original:
            raise Broken(f"the desired count was set to {count}, below {self.original}, for a forged record")

    def _is_asked_for(self, task: TaskState) -> bool:
        """Return whether the task is stale by the play's selector, whatever a record says."""
        selector = self.scenario.settings.selector
        assert selector
        if selector.kind == "tasks":
            return to_task(task).id in selector.value
        if selector.kind == "max_task_age":
            return task.created_at < self.cluster.now - selector.value
        return selector.kind != "started_before" or task.created_at < selector.value

    def _stale_left(self) -> bool:
        record, service = self.record(), self.cluster.service(self.name)
        return record is not None and any(
            self._is_stale(task.state(), record) and task.protected_until <= self.cluster.now
            for task in service.live.values()
        )

    def _is_stale(self, task: TaskState, record: Record) -> bool:
        """Return whether the task was created before the record's cutoff or, if it has none, is named by the play."""
        selector = self.scenario.settings.selector
        if record.cutoff is not None:
            return task.created_at < record.cutoff
        # A forged record may have no cutoff although the play's selector is not ``tasks``.
        return selector is not None and selector.kind == "tasks" and to_task(task).id in selector.value

    def _check_protection(self, arns: tuple[str, ...], end: float | None) -> None:
        record = self.record()
        if end is None:
            for arn in arns:
                self.protected.pop(arn, None)
            return
        forged = self.forged_at is not None and self.looked_at <= START + self.forged_at  # forged since the last look
        if (record is None or not record.shields(end)) and not (self.record_lost or forged):
            raise Broken(f"tasks were protected until {end} and the record does not say so: {record}")
        now, seconds = self.cluster.now, 5.0 + 2 * self.scenario.call_seconds + self._blind()
        for arn in arns:  # the run could not know of a task that has just protected itself
            if self.protected_by_others.pop(arn, 0.0) - PROTECTED_FOR > now - seconds:
                continue
            theirs = self.cluster.tasks[arn].protected_until
            # A run may replace one that ends within a minute, while ECS may still act on a lower count.
            if theirs > now + 60 and arn not in self.protected and not self._blind():
                raise Broken(f"the protection of somebody else was overwritten: {arn}")
        self.protected.update(dict.fromkeys(arns, end))

    # ---- the end

    def check_end(self, killed: bool) -> None:
        service = self.cluster.service(self.name)
        if self.record_lost and (killed or self.scenario.rival_at is not None):
            return  # a later run cannot know what an earlier one had added
        if RECORD_TAG in service.tags:
            raise Broken(f"the record was left behind: {service.tags[RECORD_TAG]}")
        left = set(service.tags) - {"team"} - {"steadyops.ecs/recycle-tokens"}
        if left or service.tags.get("team") != "red":
            raise Broken(f"tags are not as before: {service.tags}")
        if self.forged_at:
            return
        self._check_flags()
        self._check_protections()
        self._check_count(service.desired, killed)

    def _check_flags(self) -> None:
        if self.scenario.scaling is None:
            return
        state = self.cluster.scaling(self.name)
        assert state
        found = {"dynamic_in": state.dynamic_in, "dynamic_out": state.dynamic_out, "scheduled": state.scheduled}
        wanted = dict(self.scenario.scaling["suspended"])
        if self.forged_at is not None:  # the forged record may say that a run had suspended them
            wanted = {flag: value and found[flag] for flag, value in wanted.items()}
        if any(kind == "reregistered" and "suspended" in details for kind, details in self.scenario.faults):
            wanted = {flag: value and found[flag] for flag, value in wanted.items()}
        if found != wanted:
            raise Broken(f"the scaling switches are {found}, and were {wanted}")

    def _check_protections(self) -> None:
        if self.record_lost:
            return
        for arn, task in self.cluster.service(self.name).live.items():
            ours, others = self.protected.get(arn), self.protected_by_others.get(arn, 0.0)
            if ours == task.protected_until > self.cluster.now:
                raise Broken(f"a protection was left behind: {arn} until {ours}")
            if others > self.cluster.now and not task.protected_until:
                raise Broken(f"the protection of somebody else was ended: {arn} until {others}")

    def check_task_tags(self) -> None:
        """Raise Broken if a task still carries the record after a run in peace."""
        marked = [arn for arn, task in self.cluster.service(self.name).live.items() if RECORD_TAG in task.tags]
        if marked:
            raise Broken(f"tasks still carry the tag {RECORD_TAG}: {marked}")

    def _check_count(self, desired: int, killed: bool) -> None:
        if not self.others_scaled:
            if self._overlooks_added():
                return
            if desired != self.original:
                raise Broken(f"the desired count is {desired}, and was {self.original}")
            return
        lowest = min(self.original, self.lowest_of_others)
        if not lowest <= desired <= self.highest_of_others:
            raise Broken(f"the desired count is {desired}; others wanted {lowest} to {self.highest_of_others}")
