# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run processes side by side on one virtual clock, kill and restart them, and let others act meanwhile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, Protocol, TypeVar

from tests.sandbox.model.scheduler import Cluster

from .invariants import Broken
from .scenario import START
from .virtual_world import CallFaults, Killed

_LONGEST = 60 * 86400.0  # a play that takes more virtual seconds counts as endless


class Process(Protocol):
    owner: str
    steps: Generator[float, None, Any]
    wake: float
    over: bool


P = TypeVar("P", bound=Process)


class SideBySide(ABC, Generic[P]):
    def __init__(self, cluster: Cluster, incarnations: Sequence[CallFaults], restart_after: Sequence[float]) -> None:
        self.cluster = cluster
        self.dead: set[str] = set()
        self.runs: list[P] = []
        self.due: list[tuple[float, Callable[[], object]]] = []
        self.left, self.restarts = list(incarnations), list(restart_after)

    @abstractmethod
    def begin(self, faults: CallFaults) -> P:
        """Begin a process, and add it to ``runs``."""

    @abstractmethod
    def has_ended(self, run: P, result: Any) -> None:
        """Handle a process that came to its end."""

    @abstractmethod
    def was_killed(self) -> None:
        """Handle a process that was killed."""

    def at(self, seconds: float, what: Callable[[], object]) -> None:
        """Schedule ``what`` for the given number of seconds after the start."""
        self.due.append((START + seconds, what))
        self.due.sort(key=lambda item: item[0])

    def run_all(self) -> None:
        """Run until every process has ended and nobody else has anything to do."""
        while True:
            run = min((run for run in self.runs if not run.over), key=lambda run: run.wake, default=None)
            if self.due and (run is None or self.due[0][0] <= run.wake):
                at, what = self.due.pop(0)
                self.cluster.advance(at)
                what()
            elif run is None:
                return
            else:
                self._step(run)
            if self.cluster.now - START > _LONGEST:
                raise Broken("it does not end")

    def _step(self, run: P) -> None:
        self.cluster.advance(run.wake)
        try:
            pause = next(run.steps)
            if pause <= 0:
                raise Broken(f"a pause of {pause} seconds")
            run.wake = self.cluster.now + pause
        except StopIteration as end:
            run.over = True
            self.has_ended(run, end.value)
        except Killed:
            run.over = True
            self.dead.add(run.owner)
            self.was_killed()
            faults = self.left.pop(0)
            self.at(self.cluster.now + self.restarts.pop(0) - START, lambda: self.begin(faults))
