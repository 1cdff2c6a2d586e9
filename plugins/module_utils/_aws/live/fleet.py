# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Reads a whole fleet of services: several calls in flight at once, and no faster than AWS allows."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any

from ..._core.errors import CallFailed, Failed
from ..._core.fleet.bucket import Bucket
from ..._core.fleet.selection import Clusters, Selection
from ..._core.waiting import Reach
from ..calls import ecs_lists as ecs

# What AWS grants an account in a region for ListServices and DescribeServices together is 100 calls at once and 20 a
# second (developer guide, "Request throttling for the Amazon ECS API"). The console and all other tools share it, so
# half of it is left to them.
CALLS_AT_ONCE = 50

TOLD_EVERY = 2.0  # seconds
LONGEST_PAUSE = 20.0  # seconds between two tries of a call


@dataclass
class Progress:
    """How far it is. ``listed`` services passed by name, ``described`` of them are known."""

    clusters: int = 0
    listed: int = 0
    described: int = 0
    calls: int = 0
    retries: int = 0
    listing: int = 0  # lists that have further pages
    seconds: float = 0.0


@dataclass
class Fleet:
    """``services``: facts of those selected. ``clusters``: region -> names of those that were looked through.

    ``gone``: clusters that were found and were gone when they were read, in words.
    """

    services: list[dict[str, Any]] = field(default_factory=list)
    clusters: dict[str, list[str]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)


class _Cancelled(Exception):
    """Another call has failed for good."""


class _Region:
    """A region's client, and the pace at which it is asked."""

    def __init__(self, name: str, client: Any, rate: float, now: float) -> None:
        self.name, self.client = name, client
        self.lock = threading.Lock()
        self.bucket = Bucket(rate, min(CALLS_AT_ONCE, 3 * rate), now)
        self.reach = Reach()


class FleetReader:
    """Reads one fleet, once.

    ``clients``: region -> boto3 client of ECS, which ``workers`` threads may use at once. ``rate``: calls a second and
    region. ``patience``: seconds for which one call is tried again while AWS throttles it or fails. ``tell`` is given
    the progress now and then. ``clock`` tells seconds; ``wait_for`` waits so many of them at most for an event, and
    tells whether it came.
    """

    def __init__(
        self,
        clients: Mapping[str, Any],
        selection: Selection,
        workers: int = 8,
        rate: float = 15.0,
        patience: float = 120.0,
        tell: Callable[[Progress], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait_for: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        self._clock, self._wait_for = clock, wait_for
        self._regions = {name: _Region(name, client, rate, clock()) for name, client in clients.items()}
        self._selection, self._patience, self._tell = selection, patience, tell
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ecs")
        self._waiting: dict[Future[Any], Callable[[Any], None]] = {}
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._fleet = Fleet()
        self._may_go: set[tuple[str, str]] = set()  # clusters that were found, by region and name

    def read(self) -> Fleet:
        """Raises ``Failed``, whose text tells which call it was about what."""
        began = told = time.monotonic()
        try:
            for clusters in self._selection.clusters:
                self._begin(clusters)
            # Answers are worked on in this thread only. Threads do nothing but ask.
            while self._waiting:
                done, _others = wait(self._waiting, timeout=TOLD_EVERY, return_when=FIRST_COMPLETED)
                for future in done:
                    self._waiting.pop(future)(future.result())
                self._fleet.progress.seconds = time.monotonic() - began
                if self._tell and time.monotonic() - told >= TOLD_EVERY:
                    told = time.monotonic()
                    self._tell(self._fleet.progress)
        finally:
            self._ended.set()
            self._pool.shutdown(cancel_futures=True)
        self._fleet.progress.seconds = time.monotonic() - began
        once = {facts["service_arn"]: facts for facts in self._fleet.services}  # a list that changes may repeat itself
        order = itemgetter("region", "cluster", "service")
        self._fleet.services = sorted(once.values(), key=order)
        return self._fleet

    # What is asked, and what follows from the answer.

    def _begin(self, clusters: Clusters) -> None:
        region = self._regions[clusters.region]
        self._fleet.clusters[region.name] = []
        for named in clusters.named:
            self._cluster(region, named)
        if clusters.sought:
            self._ask_clusters(region, clusters, None)

    def _ask_clusters(self, region: _Region, clusters: Clusters, page: str | None) -> None:
        about = f"the clusters of {region.name}"
        self._fleet.progress.listing += 1
        self._ask(region, about, partial(ecs.list_clusters, page=page), partial(self._clusters, region, clusters))

    def _clusters(self, region: _Region, clusters: Clusters, answer: tuple[list[str], str | None]) -> None:
        self._fleet.progress.listing -= 1
        arns, more = answer
        if more:
            self._ask_clusters(region, clusters, more)
        for name in (arn.rpartition("/")[2] for arn in arns):
            if clusters.sought and clusters.sought.match(name):
                self._cluster(region, name, found=True)

    def _cluster(self, region: _Region, cluster: str, found: bool = False) -> None:
        """``found``: it was not asked for by name, so it may go while it is read."""
        name = cluster.rpartition("/")[2]
        if name in self._fleet.clusters[region.name]:  # named twice, or named and sought
            return
        self._fleet.clusters[region.name].append(name)
        self._fleet.progress.clusters += 1
        if found:
            self._may_go.add((region.name, name))
        self._ask_services(region, cluster, None, [])

    def _ask_services(self, region: _Region, cluster: str, page: str | None, left: list[str]) -> None:
        self._fleet.progress.listing += 1
        ask = self._unless_gone(region, cluster, partial(ecs.list_services, cluster=cluster, page=page), ([], None))
        self._ask(region, self._about(region, cluster), ask, partial(self._services, region, cluster, left))

    def _services(self, region: _Region, cluster: str, left: list[str], answer: tuple[list[str], str | None]) -> None:
        """``left`` are names of earlier pages that were too few for a call."""
        self._fleet.progress.listing -= 1
        arns, more = answer
        passed = [arn for arn in arns if self._selection.services.match(arn.rpartition("/")[2])]
        self._fleet.progress.listed += len(passed)
        left = left + passed
        while left and (len(left) >= ecs.SERVICES_AT_ONCE or not more):
            now, left = left[: ecs.SERVICES_AT_ONCE], left[ecs.SERVICES_AT_ONCE :]
            ask = partial(ecs.describe_services, cluster=cluster, services=now)
            ask = self._unless_gone(region, cluster, ask, [])
            self._ask(region, self._about(region, cluster), ask, partial(self._described, len(now)))
        if more:
            self._ask_services(region, cluster, more, left)

    def _described(self, asked: int, answer: list[dict[str, Any]]) -> None:
        self._fleet.progress.described += asked
        self._fleet.services += [facts for facts in answer if self._selection.takes(facts)]

    def _about(self, region: _Region, cluster: str) -> str:
        return f"cluster {cluster.rpartition('/')[2]} in {region.name}"

    def _unless_gone(self, region: _Region, cluster: str, ask: Callable[[Any], Any], then: Any) -> Callable[[Any], Any]:
        """``ask``, which answers ``then`` for a cluster that was found and is gone by now."""

        def asked(client: Any) -> Any:
            try:
                return ask(client)
            except CallFailed as error:
                name = cluster.rpartition("/")[2]
                if error.code != "ClusterNotFoundException" or (region.name, name) not in self._may_go:
                    raise
                with self._lock:
                    self._fleet.gone.append(self._about(region, cluster))
                return then

        return asked

    # How it is asked.

    def _ask(self, region: _Region, about: str, ask: Callable[[Any], Any], then: Callable[[Any], None]) -> None:
        self._waiting[self._pool.submit(self._asked, region, about, ask)] = then

    def _asked(self, region: _Region, about: str, ask: Callable[[Any], Any]) -> Any:
        """In a thread of the pool."""
        pause, began, first = 0.5, None, None
        while True:
            with region.lock:
                turn = region.bucket.take(self._clock())
            self._sleep(turn)
            with self._lock:
                self._fleet.progress.calls += 1
            try:
                asked = self._clock()
                first = asked if first is None else first
                answer = ask(region.client)
            except CallFailed as error:
                now = self._clock()
                began = now if began is None else began
                unreached = region.reach.is_out_of_reach("", error, now - first, pause + now - asked)
                if error.kind == "final" or unreached or now - began >= self._patience:
                    raise Failed(f"{about}: {error}") from None
                with region.lock:
                    region.bucket.empty(now)
            else:
                region.reach.note_answer("")
                return answer
            with self._lock:
                self._fleet.progress.retries += 1
            self._sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _sleep(self, seconds: float) -> None:
        """Unless another call fails meanwhile: then nobody waits any longer."""
        if self._wait_for(self._ended, seconds):
            raise _Cancelled
