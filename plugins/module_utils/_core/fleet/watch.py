# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Reports the progress of a fleet: a line for each service that ends, and counts from time to time."""

from __future__ import annotations

from collections.abc import Callable

from ..plain_text import one_line
from ..recycle.report import FAILED, RECYCLED, RESTORED, Report
from ..recycle.watch import HEARTBEAT, duration_words


class FleetWatch:
    """Reports the fleet as a whole. Each service's own watch reports the steps of that service."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        """``tell`` receives each line at once."""
        self.tell = tell or (lambda _line: None)
        self._told_clock = 0.0
        self._stopped = False

    def begin(self, services: int, concurrency: int, clock: float) -> None:
        self._told_clock = clock
        at_once = min(services, concurrency)
        self._say(f"{_services(services)}, {at_once} at a time" if at_once < services else _services(services))

    def ended(self, title: str, report: Report, done: int, services: int) -> None:
        """Report that one service has ended. ``done`` services have ended so far."""
        count = len(report.replaced)
        words = {
            FAILED: f"failed: {report.message}",
            RECYCLED: f"recycled: {count} {'task' if count == 1 else 'tasks'} in {duration_words(report.seconds)}",
            RESTORED: "restored",
        }.get(report.status, "nothing to do")
        self.tell(one_line(f"{title}: {words} ({done} of {services} services done)"))

    def gives_way(self, title: str, what: str) -> None:
        self.tell(one_line(f"{title}: moved to the end of the queue: {what}"))

    def wave_waits(self, seconds: float) -> None:
        self._say(f"a wave has ended; the next one begins in {duration_words(seconds)}")

    def stops(self, why: str) -> None:
        """Report, once only, that no other service is begun."""
        if not self._stopped:
            self._stopped = True
            self._say(f"starts no further service: {why}")

    @property
    def due(self) -> float:
        """The instant at which the counts must be reported next."""
        return self._told_clock + HEARTBEAT

    def counts(self, clock: float, done: int, failed: int, running: int, waiting: int, left: float | None) -> None:
        self._told_clock = clock
        lost = f" ({failed} failed)" if failed else ""
        ends = f"; about {duration_words(left)} left" if left is not None else ""
        self._say(f"{done} of {done + running + waiting} done{lost}, {running} running, {waiting} waiting{ends}")

    def _say(self, words: str) -> None:
        self.tell(one_line(f"fleet: {words}"))


def _services(count: int) -> str:
    return f"{count} {'service' if count == 1 else 'services'}"
