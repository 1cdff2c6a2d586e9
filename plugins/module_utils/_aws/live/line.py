# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The connection to AWS of one account and region: its clients, the number of calls, and AWS's clock."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from ..calls import ecs

DEFINITIONS_KEPT = 200  # task definitions; each may have 64 KB


class Line:
    """A connection shared by services that are read in turn, all in one thread."""

    def __init__(
        self,
        client: Callable[[str], Any],
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``client`` makes the boto3 client of an AWS service. It is called when the first call needs that client."""
        self.clock = monotonic
        self._definitions: dict[str, Sequence[Mapping[str, Any]]] = {}  # containers by task definition
        self._make_client = client
        self._wall = wall
        self._clients: dict[str, Any] = {}
        self._calls: Counter[str] = Counter()
        self._ahead: float | None = None  # seconds by which AWS's clock is ahead of ours

    @property
    def calls(self) -> Mapping[str, int]:
        """Number of calls made so far, by operation."""
        return dict(self._calls)

    def containers(self, revision: str) -> Sequence[Mapping[str, Any]]:
        """Return the container definitions of a task definition. It never changes, and services may share it."""
        if revision not in self._definitions:
            if len(self._definitions) >= DEFINITIONS_KEPT:
                del self._definitions[next(iter(self._definitions))]
            self._definitions[revision] = ecs.containers(self.client("ecs"), revision)
        return self._definitions[revision]

    def now(self) -> float:
        """Return AWS's time from the date of its answers: epoch seconds, at most a second behind."""
        # Before the first answer, only our own clock is available.
        return self._wall() if self._ahead is None else self.clock() + self._ahead

    def client(self, name: str) -> Any:
        """Return the boto3 client of an AWS service, with its calls counted."""
        if name not in self._clients:
            client = self._make_client(name)
            client.meta.events.register("after-call", self._answered)
            client.meta.events.register("after-call-error", self._not_answered)
            self._clients[name] = client
        return self._clients[name]

    def _answered(self, parsed: Mapping[str, Any], model: Any, **_more: Any) -> None:
        """Count an answer and set the clock by it. boto3 calls this for every answer, including errors."""
        meta = parsed.get("ResponseMetadata", {})
        self._calls[model.name] += 1 + meta.get("RetryAttempts", 0)
        # Use only the date of ECS, because createdAt comes from that clock.
        if model.service_model.service_name == "ecs" and (date := meta.get("HTTPHeaders", {}).get("date")):
            try:
                ahead = parsedate_to_datetime(date).timestamp() - self.clock()
            except ValueError:
                return
            # The date is truncated to a second and arrives late, so the largest difference is the most accurate.
            self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def _not_answered(self, event_name: str, **_more: Any) -> None:
        """Count a call that got no answer. boto3 calls this for each."""
        self._calls[event_name.rpartition(".")[2]] += 1
