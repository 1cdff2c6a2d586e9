# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Delays between retries: exponential back-off with full jitter."""

from __future__ import annotations

from collections.abc import Callable

LONGEST = 900  # seconds that a message can wait in Amazon SQS


def delay(attempt: int, base: int, cap: int, chance: Callable[[], float]) -> int:
    """Return the delay before the ``attempt``-th retry, which counts from 1, in whole seconds.

    The delay is random, from 0 to base * 2^(attempt - 1), and at most cap. ``chance`` returns numbers from 0 up to 1.
    """
    longest = min(cap, LONGEST, base << min(attempt - 1, 10))
    return min(longest, int(chance() * (longest + 1)))
