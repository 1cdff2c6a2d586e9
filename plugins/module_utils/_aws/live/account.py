# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The services of one account and region, read through boto3 one by one or several in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ..._core.errors import CallFailed, Refused
from ..._core.fleet.run import Job
from ..._core.recycle.model import Scaling, Service, Task
from ..calls import application_autoscaling, ecs
from ..calls.ecs_lists import SERVICES_AT_ONCE
from ..calls.pages import hundreds
from ..calls.service_revisions import service_revisions
from ..shapes.ecs import DescribedService
from .line import Line
from .service import LiveService

TARGETS_AT_ONCE = 50  # source: API model, DescribeScalableTargets

T = TypeVar("T")
Asked = Sequence[tuple[LiveService, Sequence[str]]]


class LiveAccount:
    """See ``_core.fleet.run.Account``. Its ``bulk`` is itself; see ``_core.fleet.together.Bulk``."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.clock = line.clock

    @property
    def bulk(self) -> LiveAccount:
        return self

    def world(self, job: Job) -> LiveService:
        return LiveService(self._line, job.cluster, job.named)

    # Reads for several services in one call. A final error may be caused by a single one of them, so each is then read
    # in a separate call.

    def describe_services(self, worlds: Sequence[LiveService]) -> list[Service | Exception | None]:
        answers: dict[LiveService, Service | Exception | None] = {}
        for cluster, members in _by_cluster(worlds).items():
            for some in _parts(members, SERVICES_AT_ONCE):
                answers |= self._described(cluster, some)
        return [answers[world] for world in worlds]

    def _described(self, cluster: str, worlds: Sequence[LiveService]) -> dict[LiveService, Service | Exception | None]:
        def ask() -> dict[LiveService, Service | Exception | None]:
            names = [world.name.service for world in worlds]
            found, failures = ecs.describe_services(self._line.client("ecs"), cluster, names)
            self._learn_revisions({world: found[world.name.service] for world in worlds if world.name.service in found})
            told: dict[LiveService, Service | Exception | None] = {}
            for world in worlds:
                name = world.name.service
                # service_from may make further calls for this service.
                told[world] = failures.get(name) or (
                    _or_error(world.service_from, found[name]) if name in found else None
                )
            return told

        elsewhere = {world: error for world in worlds if (error := _or_error(world.check_region)) is not None}
        worlds = [world for world in worlds if world not in elsewhere]
        return {**elsewhere, **(_together(worlds, ask, lambda world: world.describe_service()) if worlds else {})}

    def _learn_revisions(self, found: Mapping[LiveService, DescribedService]) -> None:
        """Read the needed service revisions in one call. If it fails, each service reads its own later."""
        unknown = {world: arn for world, answer in found.items() if (arn := world.unknown_revision(answer))}
        if len(unknown) < 2:
            return
        try:
            revisions = service_revisions(self._line.client("ecs"), list(unknown.values()))
        except CallFailed:
            return
        for world, arn in unknown.items():
            world.know_revision(arn, revisions[arn])

    def describe_tasks(self, asked: Asked) -> list[list[Task] | Exception]:
        answers: dict[LiveService, list[Task] | Exception] = {}
        for cluster, members in _by_cluster(world for world, _names in asked).items():
            answers |= self._tasks(cluster, [(world, names) for world, names in asked if world in members])
        return [answers[world] for world, _names in asked]

    def _tasks(self, cluster: str, asked: Asked) -> dict[LiveService, list[Task] | Exception]:
        wanted = dict(asked)

        def ask() -> dict[LiveService, list[Task] | Exception]:
            found: dict[str, Mapping[str, Any]] = {}
            failures: dict[str, CallFailed] = {}
            with_tags = any(world.propagates_tags for world in wanted)
            for some in hundreds(name for _world, names in asked for name in names):
                more = ecs.describe_tasks_of_several(self._line.client("ecs"), cluster, some, with_tags)
                found, failures = {**found, **more[0]}, {**failures, **more[1]}
            told: dict[LiveService, list[Task] | Exception] = {}
            for world, names in asked:
                ids = [name.rpartition("/")[2] for name in names]
                failed = next((failures[task_id] for task_id in ids if task_id in failures), None)
                mine = [found[task_id] for task_id in ids if task_id in found]
                told[world] = failed or _or_error(world.tasks_from, mine)
            return told

        return _together(list(wanted), ask, lambda world: world.describe_tasks(wanted[world]))

    def protected_until(self, asked: Asked) -> list[Mapping[str, float] | Exception]:
        answers: dict[LiveService, Mapping[str, float] | Exception] = {}
        for cluster, members in _by_cluster(world for world, _names in asked).items():
            answers |= self._protected(cluster, [(world, names) for world, names in asked if world in members])
        return [answers[world] for world, _names in asked]

    def _protected(self, cluster: str, asked: Asked) -> dict[LiveService, Mapping[str, float] | Exception]:
        wanted = dict(asked)

        def ask() -> dict[LiveService, Mapping[str, float] | Exception]:
            ends: dict[str, float] = {}
            failures: dict[str, CallFailed] = {}
            for some in hundreds(name for _world, names in asked for name in names):
                more = ecs.protected_until_of_several(self._line.client("ecs"), cluster, some)
                ends, failures = {**ends, **more[0]}, {**failures, **more[1]}
            now = self._line.now()
            told: dict[LiveService, Mapping[str, float] | Exception] = {}
            for world, names in asked:
                ids = [name.rpartition("/")[2] for name in names]
                failed = next((failures[task_id] for task_id in ids if task_id in failures), None)
                told[world] = failed or {arn: ends[arn] for arn in names if ends.get(arn, 0.0) > now}
            return told

        return _together(list(wanted), ask, lambda world: world.protected_until(wanted[world]))

    def scaling(self, worlds: Sequence[LiveService]) -> list[Scaling | Exception | None]:
        answers: dict[LiveService, Scaling | Exception | None] = {}
        for some in _parts(worlds, TARGETS_AT_ONCE):
            names = {world: f"{world.name.cluster}/{world.name.service}" for world in some}

            def ask(names: Mapping[LiveService, str] = names) -> dict[LiveService, Scaling | Exception | None]:
                client = self._line.client("application-autoscaling")
                found = dict(application_autoscaling.scaling_of_several(client, list(names.values())))
                return {world: found.get(name) for world, name in names.items()}

            answers |= _together(some, ask, lambda world: world.scaling())
        return [answers[world] for world in worlds]


def _together(
    worlds: Sequence[LiveService],
    ask: Callable[[], Mapping[LiveService, T | Exception]],
    ask_alone: Callable[[LiveService], T],
) -> dict[LiveService, T | Exception]:
    """Return an answer or an error for each service. After a final error, ask for each service separately."""
    try:
        return dict(ask())
    except CallFailed as failure:
        if failure.kind != "final" or len(worlds) == 1:
            return dict.fromkeys(worlds, failure)
    return {world: _or_error(ask_alone, world) for world in worlds}


def _or_error(ask: Callable[..., T], *arguments: Any) -> T | Exception:
    try:
        return ask(*arguments)
    except (CallFailed, Refused) as error:
        return error


def _by_cluster(worlds: Iterable[LiveService]) -> dict[str, list[LiveService]]:
    found: dict[str, list[LiveService]] = {}
    for world in worlds:
        found.setdefault(world.name.cluster, []).append(world)
    return found


def _parts(worlds: Sequence[LiveService], size: int) -> list[Sequence[LiveService]]:
    return [worlds[first : first + size] for first in range(0, len(worlds), size)]
