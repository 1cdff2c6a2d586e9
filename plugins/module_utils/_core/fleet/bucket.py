# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The rate at which AWS may be asked."""

from __future__ import annotations


class Bucket:
    """A token bucket, as AWS has them: so many calls at once, and so many a second after that.

    It knows no clock: ``now`` is seconds of whatever clock the caller keeps to.
    """

    def __init__(self, rate: float, size: float, now: float) -> None:
        self._rate, self._size = rate, size
        self._tokens, self._at = size, now

    def take(self, now: float) -> float:
        """Take the right to one call. Returns the seconds to wait before it; those who come later wait longer."""
        self._fill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def empty(self, now: float) -> None:
        """AWS says that we are too fast, so others ask as well: whatever was saved up is gone."""
        self._fill(now)
        self._tokens = min(self._tokens, 0.0)

    def _fill(self, now: float) -> None:
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
