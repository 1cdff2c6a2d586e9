# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The line to AWS of one account and region: clients, how often they were asked, and AWS's clock."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from ..calls import ecs

DEFINITIONS_KEPT = 200  # task definitions, of which each may have 64 KB


class Line:
    """Shared by services that are asked for in turn; one thread uses it."""

    def __init__(
        self,
        client: Callable[[str], Any],
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``client`` makes the boto3 client of an AWS service. It is asked for one when the first call needs it."""
        self.clock = monotonic
        self._definitions: dict[str, Sequence[Mapping[str, Any]]] = {}  # containers by task definition
        self._make_client = client
        self._wall = wall
        self._clients: dict[str, Any] = {}
        self._calls: Counter[str] = Counter()
        self._ahead: float | None = None  # of AWS's clock, before ours

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls made so far, by operation."""
        return dict(self._calls)

    def containers(self, revision: str) -> Sequence[Mapping[str, Any]]:
        """Those of a task definition, which never changes. Services may share it."""
        if revision not in self._definitions:
            if len(self._definitions) >= DEFINITIONS_KEPT:
                del self._definitions[next(iter(self._definitions))]
            self._definitions[revision] = ecs.containers(self.client("ecs"), revision)
        return self._definitions[revision]

    def now(self) -> float:
        """AWS's clock, from the date of its answers: epoch seconds, at most a second behind."""
        # Before the first answer there is only our own clock.
        return self._wall() if self._ahead is None else self.clock() + self._ahead

    def client(self, name: str) -> Any:
        """The boto3 client of an AWS service, whose calls are counted."""
        if name not in self._clients:
            client = self._make_client(name)
            client.meta.events.register("after-call", self._answered)
            client.meta.events.register("after-call-error", self._not_answered)
            self._clients[name] = client
        return self._clients[name]

    def _answered(self, parsed: Mapping[str, Any], model: Any, **_more: Any) -> None:
        """boto3 calls this for every answer, errors included. Count the answer, and set the clock by it."""
        meta = parsed.get("ResponseMetadata", {})
        self._calls[model.name] += 1 + meta.get("RetryAttempts", 0)
        # Only ECS's own date counts: it is the clock that stamps createdAt.
        if model.service_model.service_name == "ecs" and (date := meta.get("HTTPHeaders", {}).get("date")):
            try:
                ahead = parsedate_to_datetime(date).timestamp() - self.clock()
            except ValueError:
                return
            # The date is cut to a second and takes a while to get here: the largest is the nearest.
            self._ahead = ahead if self._ahead is None else max(self._ahead, ahead)

    def _not_answered(self, event_name: str, **_more: Any) -> None:
        """... and here of every call that got none."""
        self._calls[event_name.rpartition(".")[2]] += 1
