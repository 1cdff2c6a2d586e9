# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the actions that AWS takes later and on its own, until they are due."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[], None]


class Agenda:
    """A queue of actions by due time. Instants are epoch seconds of this machine."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Action]] = []
        self._sequence = 0

    def at(self, instant: float, action: Action) -> None:
        self._sequence += 1
        heapq.heappush(self._due, (instant, self._sequence, action))

    @property
    def next_due(self) -> float | None:
        return self._due[0][0] if self._due else None

    def take(self, now: float) -> list[Action]:
        """Remove and return the actions that are due, in order."""
        taken = []
        while self._due and self._due[0][0] <= now:
            taken.append(heapq.heappop(self._due)[2])
        return taken
