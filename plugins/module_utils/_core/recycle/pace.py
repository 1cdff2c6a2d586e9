# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Decide when to look again: often enough to lose little time, seldom enough to make few calls."""

from __future__ import annotations

import math
from collections.abc import Iterable

from .model import Task

LONGEST = 15.0  # seconds between two looks
_GROWTH = 1.5
_DRIFT = 0.98  # how fast the knowledge "not before" fades from step to step

# Before the first replacement, the only known time is how long the old tasks took from creation to RUNNING.
# The scheduler's reaction before that and the health check after it are estimated at another 3/4 of it.
_WHOLE_PER_LAUNCH = 1.75


class Pace:
    """Learns how long after an action a replacement becomes good, as a lower and an upper bound."""

    def __init__(self, shortest: float, tasks: Iterable[Task]) -> None:
        from statistics import median  # noqa: PLC0415 - slow to import, and a run without replacements does not need it

        self.shortest = shortest
        launches = [task.started_at - task.created_at for task in tasks if task.started_at is not None]
        self._early = 0.0  # seconds after the action at which it was not good yet
        self._late = median(launches) * _WHOLE_PER_LAUNCH if launches else 0.0  # seconds at which it was good
        self._missed = 0

    def pause(self, elapsed: float) -> float:
        """Return the seconds until the next look, ``elapsed`` seconds after the action that the run waits for."""
        ahead = self._aim() - elapsed
        if ahead > self.shortest / 2:
            self._missed = 0
            return max(self.shortest, ahead / math.ceil(ahead / LONGEST))
        self._missed += 1
        return max(self.shortest, min(LONGEST, self.shortest * _GROWTH ** min(self._missed - 1, 60)))

    def too_early(self, elapsed: float) -> bool:
        """Return whether, from what is known, a look would find nothing new."""
        return elapsed < self._aim() - self.shortest / 2

    def learn(self, early: float, late: float) -> None:
        """Learn that a replacement was not good ``early`` seconds after the action, but good after ``late`` seconds."""
        self._missed = 0
        self._early = min(late, max(early, self._early * _DRIFT))
        self._late = late

    def _aim(self) -> float:
        gap = self._late - self._early
        if self._early == 0.0 or gap <= self.shortest:
            return self._late
        return self._late - max(self.shortest / 2, gap / 6)
