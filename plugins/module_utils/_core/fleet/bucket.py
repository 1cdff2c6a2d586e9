# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The rate at which AWS may be called."""

from __future__ import annotations


class Bucket:
    """A token bucket like those of AWS: it allows ``size`` calls at once and ``rate`` calls per second after that.

    It has no clock. ``now`` is in seconds of whatever clock the caller uses.
    """

    def __init__(self, rate: float, size: float, now: float) -> None:
        self._rate, self._size = rate, size
        self._tokens, self._at = size, now

    def take(self, now: float) -> float:
        """Take the right to make one call. Return the seconds to wait before it. Later callers wait longer."""
        self._fill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def empty(self, now: float) -> None:
        """Drop the saved calls. AWS says that we are too fast, so others are calling it as well."""
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
