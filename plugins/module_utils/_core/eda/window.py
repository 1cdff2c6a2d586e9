# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The maintenance window."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..errors import Refused

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_OPTIONS = ("start", "end", "days", "timezone")


def seconds_left(window: object, now: float) -> int:
    """Return the seconds until the window closes; 0 while it is closed. ``now`` is epoch seconds.

    A window is ``{"start": "22:00", "end": "02:00", "days": ["sat"], "timezone": "Europe/Berlin"}``. A window that ends
    at or before its start ends on the next day. ``days`` are the days on which it opens. Raises ``Refused``.
    """
    if not isinstance(window, Mapping):
        raise Refused(f"The window must be a dictionary with start and end, such as 02:00 (got {str(window)[:80]!r})")
    unknown = sorted(str(key) for key in window if key not in _OPTIONS)
    if unknown:
        raise Refused(f"The window has no option {', '.join(unknown)[:80]}. It has {', '.join(_OPTIONS)}")
    start, end = _minutes("start", window.get("start")), _minutes("end", window.get("end"))
    days, zone = _days(window.get("days", DAYS)), _zone(window.get("timezone", "UTC"))
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for midnight in (today - timedelta(days=1), today):
        # Wall-clock arithmetic: the clock of the zone shows 02:00 whether or not an hour was skipped.
        opens = midnight + timedelta(minutes=start)
        closes = midnight + timedelta(minutes=end, days=end <= start)
        if DAYS[midnight.weekday()] in days and opens.timestamp() <= now < closes.timestamp():
            return max(1, int(closes.timestamp() - now))
    return 0


def _minutes(option: str, value: Any) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not match:
        # YAML 1.1 reads 22:00 without quotes as the number 1320.
        raise Refused(f"{option} of the window must be a time such as '02:00', in quotes (got {str(value)[:80]!r})")
    return int(match[1]) * 60 + int(match[2])


def _days(value: Any) -> set[str]:
    days = {value} if isinstance(value, str) else set(map(str, value)) if isinstance(value, (list, tuple)) else set()
    if not days or not days <= set(DAYS):
        raise Refused(f"days of the window must be some of {', '.join(DAYS)} (got {str(value)[:80]!r})")
    return days


def _zone(value: Any) -> ZoneInfo | timezone:
    if value == "UTC":
        return timezone.utc
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(
            "timezone of the window must be a name that this machine knows, such as Europe/Berlin "
            f"(got {str(value)[:80]!r})"
        ) from None
