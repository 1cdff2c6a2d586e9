# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read a whole fleet of services, with several calls in flight but no faster than AWS allows."""

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

# AWS allows an account, in each region, a burst of 100 calls and 20 calls a second for ListServices and
# DescribeServices together (developer guide, "Request throttling for the Amazon ECS API"). The console and all other
# tools share this limit, so half of the burst is left to them.
CALLS_AT_ONCE = 50

TOLD_EVERY = 2.0  # seconds
LONGEST_PAUSE = 20.0  # seconds between two tries of the same call


@dataclass
class Progress:
    """Progress so far. ``listed`` counts the services whose name matches, ``described`` those that have been read."""

    clusters: int = 0
    listed: int = 0
    described: int = 0
    calls: int = 0
    retries: int = 0
    listing: int = 0  # lists with pages still to read
    seconds: float = 0.0


@dataclass
class Fleet:
    """The result. ``services`` are the facts of the selected services; ``clusters`` the names searched, by region.

    ``gone`` describes the clusters that were found but were deleted before they could be read.
    """

    services: list[dict[str, Any]] = field(default_factory=list)
    clusters: dict[str, list[str]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    progress: Progress = field(default_factory=Progress)


class _Cancelled(Exception):
    """Another call has failed permanently."""


class _Region:
    """A region's client, and the rate at which it may be called."""

    def __init__(self, name: str, client: Any, rate: float, now: float) -> None:
        self.name, self.client = name, client
        self.lock = threading.Lock()
        self.bucket = Bucket(rate, min(CALLS_AT_ONCE, 3 * rate), now)
        self.reach = Reach()


class FleetReader:
    """Reads one fleet, once.

    ``clients`` holds a boto3 client of ECS for each region, which ``workers`` threads may use at once. ``rate`` is in
    calls per second and region. ``patience`` is the number of seconds for which one call is retried while AWS throttles
    it or fails. ``tell`` is called with the progress now and then. ``clock`` returns seconds. ``wait_for`` waits for an
    event for at most this many seconds, and returns whether the event came.
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
        """Read and return the fleet. Raise ``Failed``, whose text names the call and its subject."""
        began = told = time.monotonic()
        try:
            for clusters in self._selection.clusters:
                self._begin(clusters)
            # Only this thread processes answers. The other threads only make calls.
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
        once = {facts["service_arn"]: facts for facts in self._fleet.services}  # a list that changes may repeat entries
        order = itemgetter("region", "cluster", "service")
        self._fleet.services = sorted(once.values(), key=order)
        return self._fleet

    # Which calls are made, and how their answers are processed.

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
        """Read a cluster. One that a pattern has ``found`` may be deleted meanwhile, which is no error."""
        name = cluster.rpartition("/")[2]
        if name in self._fleet.clusters[region.name]:  # named twice, or both named and matched by a pattern
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
        """Process one page of services. ``left`` holds services of earlier pages that did not fill a call."""
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
        """Wrap ``ask`` so that it returns ``then`` if a cluster that a pattern matched has been deleted."""

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

    # How calls are made.

    def _ask(self, region: _Region, about: str, ask: Callable[[Any], Any], then: Callable[[Any], None]) -> None:
        self._waiting[self._pool.submit(self._asked, region, about, ask)] = then

    def _asked(self, region: _Region, about: str, ask: Callable[[Any], Any]) -> Any:
        """Make a call in a thread of the pool, with retries."""
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
        """Sleep. Raise ``_Cancelled`` as soon as the reading has ended because another call failed."""
        if self._wait_for(self._ended, seconds):
            raise _Cancelled
