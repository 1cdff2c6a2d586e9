# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""How often something is retried, and how long to wait before each retry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..errors import Refused

LONGEST = 31622400  # seconds, for IntervalSeconds and MaxDelaySeconds in the States Language
MOST = 1000  # attempts; far below the 25,000 events that one execution may have
STEEPEST = 100


@dataclass(frozen=True)
class Backoff:
    """The wait before retry n, counted from 0, is ``interval * backoff_rate ** n`` seconds, at most ``max_delay``. With
    ``jitter`` it is a random part of that, from none to all of it."""

    max_attempts: int
    interval: int
    backoff_rate: float = 2.0
    max_delay: int | None = None
    jitter: bool = True

    def delays(self) -> list[int]:
        """Return the longest wait before each retry, in seconds."""
        longest = self.max_delay or LONGEST
        delays: list[int] = []
        delay = float(self.interval)
        for _attempt in range(self.max_attempts):
            delays.append(max(1, int(min(delay, longest))))
            delay = min(delay * self.backoff_rate, float(LONGEST))
        return delays

    def retrier(self, errors: Sequence[str]) -> dict[str, Any]:
        """Return a member of ``Retry`` in the States Language."""
        if not self.max_attempts:
            return {"ErrorEquals": list(errors), "MaxAttempts": 0}
        rate = int(self.backoff_rate) if float(self.backoff_rate).is_integer() else self.backoff_rate
        return {
            "ErrorEquals": list(errors),
            "IntervalSeconds": self.interval,
            "BackoffRate": rate,
            "MaxAttempts": self.max_attempts,
            **({"MaxDelaySeconds": self.max_delay} if self.max_delay else {}),
            **({"JitterStrategy": "FULL"} if self.jitter else {}),
        }


def read_backoff(option: str, given: Mapping[str, Any]) -> Backoff:
    """Read the option ``option``, a dictionary whose keys are the fields of ``Backoff``. Raises ``Refused``."""
    backoff = Backoff(**{each.name: given[each.name] for each in fields(Backoff)})
    if not 0 <= backoff.max_attempts <= MOST:
        raise Refused(f"{option}.max_attempts must be a number from 0 to {MOST} (got {backoff.max_attempts})")
    if not 1 <= backoff.interval <= LONGEST:
        raise Refused(f"{option}.interval must be a number of seconds from 1 to {LONGEST} (got {backoff.interval})")
    if not 1 <= backoff.backoff_rate <= STEEPEST:
        raise Refused(
            f"{option}.backoff_rate must be 1 for equal waits, or more, such as 2 (got {backoff.backoff_rate})"
        )
    if backoff.max_delay is not None and not backoff.interval <= backoff.max_delay <= LONGEST:
        raise Refused(
            f"{option}.max_delay must be a number of seconds from {option}.interval, which is {backoff.interval}, to"
            f" {LONGEST} (got {backoff.max_delay})"
        )
    return backoff
