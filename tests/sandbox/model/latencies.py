# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long AWS's actions take, in seconds."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, fields, replace


@dataclass(frozen=True)
class Latencies:
    """Durations in seconds. ``jitter`` is a share: 0.2 draws each duration from 80 to 120 percent."""

    reaction: float = 10.0  # until the scheduler acts on a change
    launch: float = 40.0  # from creation to RUNNING
    health: float = 20.0  # from RUNNING to HEALTHY
    target: float = 20.0  # from RUNNING to a target that is healthy
    unhealthy: float = 60.0  # from RUNNING to the verdict that a task will not become healthy
    stop: float = 30.0  # from StopTask to STOPPED
    leave: float = 1.0  # from StopTask until the task no longer counts as RUNNING
    cancel: float = 5.0  # until a task that never ran is STOPPED
    policy: float = 60.0  # between two evaluations of a scaling policy
    retry_max: float = 1620.0  # ECS waits up to 27 minutes between launches that fail
    jitter: float = 0.0
    # Later additions are excluded from repr, because repr identifies the simulation's scenarios.
    # From CreateConnection to AUTHORIZED, and from DeleteConnection until the connection is gone:
    connection: float = field(default=5.0, repr=False)
    ending: float = field(default=0.0, repr=False)  # from when a task ends on its own until it is STOPPED
    trail: float = field(default=30.0, repr=False)  # from a call to its CloudTrail event on the bus
    trail_log: float = field(default=120.0, repr=False)  # from a call to its record in the trail's log group

    # ECS repeats an event while its cause lasts (developer guide on service event messages: six hours).
    event_repeat: float = field(default=21600.0, repr=False)

    def draw(self, seconds: float, chance: random.Random) -> float:
        return seconds * chance.uniform(1 - self.jitter, 1 + self.jitter) if self.jitter else seconds

    def divided(self, speed: float) -> Latencies:
        """Return the latencies of a world that is ``speed`` times as fast."""
        return replace(self, **{f.name: getattr(self, f.name) / speed for f in fields(self) if f.name != "jitter"})
