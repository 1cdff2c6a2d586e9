# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of one account on the sandbox's scheduler and a virtual clock, read one by one or in bulk."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.run import Job
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Scaling, Service, Task

from tests.sandbox.model.scheduler import Cluster

from .virtual_world import CallFaults, VirtualWorld, hundreds, to_service

SERVICES_AT_ONCE, TARGETS_AT_ONCE = 10, 50  # source: API models, DescribeServices and DescribeScalableTargets


class VirtualAccount:
    """One client's view of an account. ``bulk`` returns the account itself. All services share one count of calls."""

    def __init__(
        self,
        cluster: Cluster,
        rng: random.Random | None = None,
        call_seconds: float = 0.0,
        faults: CallFaults | None = None,
        on_world: Callable[[Job, VirtualWorld], None] = lambda _job, _world: None,
    ) -> None:
        self.cluster, self.on_world = cluster, on_world
        self.calls: Counter[str] = Counter()
        self._more = (rng or random.Random(0), call_seconds, faults or CallFaults())
        self._writes: list[tuple[float, str, tuple[object, ...]]] = []
        self._definitions: dict[tuple[str, bool], bool] = {}
        self._asks = self._world("")

    @property
    def bulk(self) -> VirtualAccount:
        return self

    def clock(self) -> float:
        return self.cluster.now

    def world(self, job: Job) -> VirtualWorld:
        world = self._world(job.title)
        self.on_world(job, world)
        return world

    def _world(self, name: str) -> VirtualWorld:
        rng, seconds, faults = self._more
        world = VirtualWorld(self.cluster, name, rng, seconds, faults)
        world.calls, world.writes = self.calls, self._writes  # kill_after_write counts the writes of all services
        world.definitions = self._definitions  # a revision never changes
        return world

    # ---- as Bulk

    def describe_services(self, worlds: Sequence[VirtualWorld]) -> list[Service | Exception | None]:
        found: list[Service | Exception | None] = []
        for some in _parts(worlds, SERVICES_AT_ONCE):
            for world in some:
                world.looked_at = self.cluster.now
            found += self._each("DescribeServices", some, lambda world: _service(self.cluster, world.service))
        return found

    def describe_tasks(self, asked: Sequence[tuple[VirtualWorld, Sequence[str]]]) -> list[list[Task] | Exception]:
        named = [(world, [world.arn(name) for name in names]) for world, names in asked]
        states = {}
        for chunk in hundreds([arn for _world, arns in named for arn in arns]):
            found = self._asks.call("DescribeTasks", lambda chunk=chunk: self.cluster.describe_tasks(chunk))  # type: ignore[misc]
            states |= {state.arn: state for state in found}
        return [[world.task(states[arn]) for arn in arns if arn in states] for world, arns in named]

    def protected_until(
        self, asked: Sequence[tuple[VirtualWorld, Sequence[str]]]
    ) -> list[Mapping[str, float] | Exception]:
        found: dict[str, float] = {}
        for chunk in hundreds([arn for _world, arns in asked for arn in arns]):
            found |= self._asks.call("GetTaskProtection", lambda chunk=chunk: self.cluster.protected(chunk))  # type: ignore[misc]
        return [{arn: found[arn] for arn in arns if arn in found} for _world, arns in asked]

    def scaling(self, worlds: Sequence[VirtualWorld]) -> list[Scaling | Exception | None]:
        found: list[Scaling | Exception | None] = []
        for some in _parts(worlds, TARGETS_AT_ONCE):
            found += self._each("DescribeScalableTargets", some, lambda world: _scaling(self.cluster, world.service))
        return found

    def _each(self, operation: str, some: Sequence[VirtualWorld], read: Callable[[VirtualWorld], object]) -> list:  # type: ignore[type-arg]
        try:
            return self._asks.call(operation, lambda: [read(world) for world in some])
        except CallFailed as error:
            return [error] * len(some)


def _parts(worlds: Sequence[VirtualWorld], size: int) -> list[Sequence[VirtualWorld]]:
    return [worlds[first : first + size] for first in range(0, len(worlds), size)]


def _service(cluster: Cluster, name: str) -> Service | None:
    state = cluster.describe_service(name)
    return None if state is None else to_service(state)


def _scaling(cluster: Cluster, name: str) -> Scaling | None:
    state = cluster.scaling(name)
    return None if state is None else Scaling(*state[2:], *state[:2])
