# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's World on the sandbox's scheduler and a virtual clock: no HTTP, no waiting."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import (
    Deployment,
    Event,
    FoundImage,
    Hold,
    RegistryImage,
    Scaling,
    Service,
    Targets,
    Task,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import OUR_TAGS

from tests.sandbox.model.deployments import DONE
from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.state import SandboxError, ServiceState, TaskState
from tests.sandbox.model.tasks import CLASSIC

T = TypeVar("T")

WRITES = ("StopTask", "UpdateService", "TagResource", "UntagResource", "RegisterScalableTarget", "UpdateTaskProtection")


class Killed(BaseException):
    """Stands for SIGKILL: none of the engine's code runs after it."""


@dataclass
class CallFaults:
    """How calls fail. The fractions are probabilities."""

    throttled: float = 0.0
    server_error: float = 0.0
    reset: float = 0.0  # a write is carried out, but its answer is lost
    kill_after_write: int | None = None  # SIGKILL right after the n-th write of this world


class VirtualWorld:
    """One client's view of one service. Several may share a cluster."""

    def __init__(
        self,
        cluster: Cluster,
        service: str,
        rng: random.Random | None = None,
        call_seconds: float = 0.0,
        faults: CallFaults | None = None,
    ) -> None:
        self.cluster = cluster
        self.service = service
        self.calls: Counter[str] = Counter()
        self.writes: list[tuple[float, str, tuple[Any, ...]]] = []
        self.call_seconds = call_seconds
        self.faults = faults or CallFaults()
        self.random = rng or random.Random(0)
        self.looked_at = cluster.now
        self.definitions: dict[tuple[str, bool], bool] = {}  # (revision, health_check of the model's service) -> answer
        self._tasks: dict[str, tuple[TaskState, Task]] = {}
        self.before_write: Callable[[str, tuple[Any, ...], float], None] = lambda operation, arguments, looked_at: None
        self.refused: Callable[[str], None] = lambda operation: None

    def now(self) -> float:
        return float(int(self.cluster.now))  # the date of an answer has no fractions of a second

    def clock(self) -> float:
        return self.cluster.now

    def call(self, operation: str, act: Callable[[], T], *arguments: Any) -> T:
        self.calls[operation] += 1
        if operation == "DescribeServices":
            self.looked_at = self.cluster.now
        if self.call_seconds:
            self.cluster.advance(self.cluster.now + self.call_seconds)
        chance = self.random.random()
        if chance < self.faults.throttled + self.faults.server_error:
            self.refused(operation)
        if chance < self.faults.throttled:
            raise CallFailed(operation, "ThrottlingException", "Rate exceeded", "throttled")
        if chance < self.faults.throttled + self.faults.server_error:
            raise CallFailed(operation, "ServerException", "Internal failure", "passing")
        write = operation in WRITES
        if write:
            self.before_write(operation, arguments, self.looked_at)
        try:
            result = act()
        except SandboxError as error:
            raise CallFailed(operation, error.code, error.message) from None
        if write:
            self.writes.append((self.cluster.now, operation, arguments))
            if len(self.writes) == self.faults.kill_after_write:
                raise Killed(operation)
            if self.random.random() < self.faults.reset:
                raise CallFailed(operation, "ConnectionClosedError", "Connection was closed", "passing")
        return result

    # ---- reads

    def describe_service(self) -> Service | None:
        state = self.call("DescribeServices", lambda: self.cluster.describe_service(self.service))
        return None if state is None else to_service(state)

    def list_tasks(self) -> list[str]:
        arns = self.call("ListTasks", lambda: self.cluster.list_tasks(self.service))
        self.calls["ListTasks"] += max(0, -(-len(arns) // 100) - 1)
        return arns

    def describe_tasks(self, arns: Iterable[str]) -> list[Task]:
        found: list[Task] = []
        for chunk in hundreds(arns):
            names = [self.arn(name) for name in chunk]
            states = self.call("DescribeTasks", lambda names=names: self.cluster.describe_tasks(names))  # type: ignore[misc]
            found.extend(self.task(state) for state in states)
        return found

    def task(self, state: TaskState) -> Task:
        """Return a task as the engine sees it. The scheduler returns the same state object until the task changes."""
        known = self._tasks.get(state.arn)
        if known is None or known[0] is not state:
            task = to_task(state)
            instance = dict.fromkeys(self.cluster.service(self.service).classic, (state.address,))
            known = self._tasks[state.arn] = (state, replace(task, targets={**task.targets, **instance}))
        return known[1]

    def arn(self, name: str) -> str:
        if name.startswith("arn:"):
            return name
        service = self.cluster.service(self.service)
        return f"{self.cluster.arn_prefix}:task/{service.cluster}/{name}"

    def has_health_check(self, revision: str) -> bool:
        key = (revision, self.cluster.service(self.service).health_check)
        if key not in self.definitions:
            self.definitions[key] = self.call("DescribeTaskDefinition", lambda: key[1])
        return self.definitions[key]

    def fixed_images(self, revision: str) -> frozenset[str]:
        raise NotImplementedError("tasks of the model have no image")

    def find_image(self, image: RegistryImage) -> FoundImage | None:
        raise NotImplementedError("tasks of the model have no image")

    def secrets_changed_at(self, revision: str) -> float:
        raise NotImplementedError("no play asks for it")

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        return self.call("DescribeAlarms", lambda: dict.fromkeys(names, "OK"))

    def grows_on_demand(self, providers: Sequence[str]) -> bool:
        grows = self.cluster.service(self.service).grows_after is not None
        return self.call("DescribeCapacityProviders", lambda: grows)

    def target_states(self, group: str) -> Targets | None:
        if group in self.cluster.service(self.service).classic:
            states = self.call("DescribeInstanceHealth", lambda: self.cluster.target_states(f"{CLASSIC}{group}"))
            return Targets({target.rpartition(":")[0]: state for target, state in states.items()})
        if group in self.cluster.deleted_groups:
            return self.call("DescribeTargetHealth", lambda: None)
        return Targets(self.call("DescribeTargetHealth", lambda: self.cluster.target_states(group)))

    def protected_until(self, arns: Iterable[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for chunk in hundreds(arns):
            found |= self.call("GetTaskProtection", lambda chunk=chunk: self.cluster.protected(chunk))  # type: ignore[misc]
        return found

    def scaling(self) -> Scaling | None:
        state = self.call("DescribeScalableTargets", lambda: self.cluster.scaling(self.service))
        return None if state is None else Scaling(*state[2:], *state[:2])

    # ---- writes

    def suspend(self, scaling: Scaling) -> None:
        flags = scaling.as_dict()
        self.call("RegisterScalableTarget", lambda: self.cluster.suspend(self.service, **flags), flags)

    def set_desired(self, count: int) -> None:
        self.call("UpdateService", lambda: self.cluster.update_service(self.service, desired=count), count)

    def stop_task(self, arn: str, reason: str) -> bool:
        try:
            self.call("StopTask", lambda: self.cluster.stop_task(arn, reason), arn)
        except CallFailed as failure:
            if failure.code == "InvalidParameterException":
                return False
            raise
        return True

    def protect(self, arns: Iterable[str], until: float) -> set[str]:
        chunk, end = tuple(arns), self.cluster.now + 60 * max(1, round((until - self.now()) / 60))
        done, failures = self.call(
            "UpdateTaskProtection", lambda: self.cluster.update_protection(chunk, end), chunk, end
        )
        if "DEPLOYMENT_BLOCKED" in failures.values():
            raise CallFailed("UpdateTaskProtection", "DEPLOYMENT_BLOCKED", "a deployment is blocked", "final")
        return set(done)

    def unprotect(self, arns: Iterable[str]) -> None:
        chunk = tuple(arns)
        self.call("UpdateTaskProtection", lambda: self.cluster.update_protection(chunk, None), chunk, None)

    def tag(self, tags: Mapping[str, str]) -> None:
        self.call("TagResource", lambda: self.cluster.tag(self.service, tags), dict(tags))

    def untag(self, keys: Iterable[str]) -> None:
        self.call("UntagResource", lambda: self.cluster.untag(self.service, keys), list(keys))

    def untag_task(self, arn: str, keys: Iterable[str]) -> None:
        try:
            self.call("UntagResource", lambda: self.cluster.untag_task(arn, keys), list(keys))
        except CallFailed as failure:
            if failure.code != "ResourceNotFoundException":
                raise


def hundreds(names: Iterable[str]) -> Iterator[list[str]]:
    every = list(names)
    for start in range(0, len(every), 100):
        yield every[start : start + 100]


def to_service(state: ServiceState) -> Service:
    return Service(
        arn=state.arn,
        cluster=state.cluster,
        name=state.name,
        status=state.status,
        desired=state.desired,
        running=state.running,
        pending=state.pending,
        revision=state.task_definition,
        daemon=state.scheduling == "DAEMON",
        computed=next((e.desired for e in state.task_sets if e.status == "PRIMARY" and e.scale != 100.0), None),
        controller=state.controller,
        deployments=to_deployments(state),
        hold=to_hold(state),
        maximum_percent=state.maximum_percent,
        capacity_providers=(state.capacity_provider,) if state.capacity_provider else (),
        target_groups=(
            *next((e.target_groups for e in state.task_sets if e.status == "PRIMARY"), state.target_groups),
            *state.classic,
            *state.lattice,
        ),
        tags=dict(state.tags),
        propagates_tags=state.propagate_tags == "SERVICE",
        events=tuple(Event(*event) for event in state.events),
    )


def to_deployments(state: ServiceState) -> tuple[Deployment, ...]:
    sets = [
        Deployment(each.id, each.status, created_at=each.created_at)
        for each in state.task_sets
        if each.status != "DRAINING"
    ]
    rolling = state.strategy == "ROLLING"
    parts = sets or [
        Deployment(each.id, each.status, each.rollout_state if rolling else "", each.created_at)
        for each in state.deployments
    ]
    return tuple(sorted(parts, key=lambda each: each.status != "PRIMARY"))


def to_hold(state: ServiceState) -> Hold | None:
    found = state.rollouts[0] if state.rollouts and state.strategy != "ROLLING" else None
    if found is None or found.status in DONE:
        return None
    return Hold(found.status, found.stage, found.hook.id if found.hook else "")


def to_task(state: TaskState) -> Task:
    return Task(
        arn=state.arn,
        created_at=state.created_at,
        status=state.last_status,
        stopping=state.desired_status == "STOPPED",
        started_at=state.started_at,
        health=state.health,
        revision=state.task_definition,
        started_by=state.deployment,
        stop_code=state.stop_code,
        stopped_reason=state.stopped_reason,
        zone=state.zone,
        capacity_provider=state.capacity_provider,
        launch_type=state.launch_type,
        on_instance=state.instance is not None,
        targets=state.targets,
        marks=tuple(key for key in state.tags if key in OUR_TAGS),
    )
