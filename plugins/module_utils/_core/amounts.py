# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Numbers as users write them: counts, percentages, ages and instants."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal

from .errors import Refused

LARGEST_COUNT = 10**9 - 1  # of tasks; ECS runs fewer
_LATEST = 253402300799  # the last second whose year ISO 8601 writes with four digits
_OLDEST = 100 * 365 * 86400  # seconds; ECS is younger
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)")
_EPOCH = re.compile(r"\d+(?:\.\d+)?")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d+)?\s*([Zz]|[+-]\d\d:?[0-5]\d)")


@dataclass(frozen=True)
class Amount:
    """A count, or a percentage of a whole."""

    number: float
    percent: bool = False

    def of(self, whole: int) -> int:
        """Return the count for ``whole``. A percentage is rounded up to at least 1."""
        if not self.percent:
            return int(self.number)
        return max(1, math.ceil(Decimal(str(self.number)) * whole / 100))


def read_seconds(option: str, value: float, zero: bool = False) -> float:
    """Return a number of seconds. Raise ``Refused`` if it is out of range; 0 is allowed only with ``zero``."""
    if not 0 <= value <= _OLDEST or (value == 0 and not zero):
        least = ", 0 or more" if zero else " above 0"
        raise Refused(f"{option} must be a number of seconds{least}, at most a hundred years (got {value})")
    return float(value)


def parse_amount(option: str, text: object) -> Amount:
    """Return the amount of ``3`` or ``"25%"``. Raises ``Refused``."""
    written = str(text).strip()
    match = re.fullmatch(r"(\d+)|(\d+(?:\.\d+)?)\s*%", written)
    number = float(match[1] or match[2]) if match else 0.0
    percent = bool(match and match[2])
    if not 1 <= number <= (100 if percent else LARGEST_COUNT):
        raise Refused(f"{option} must be a number of tasks from 1, or a percentage from 1% to 100% (got {written!r})")
    return Amount(number, percent)


def parse_age(option: str, text: object) -> float:
    """Return the seconds of an age such as ``604800`` or ``7d``. Raises ``Refused``."""
    match = _AGE.fullmatch(str(text).strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= _OLDEST:
        raise Refused(
            f"{option} must be an age such as 7d, 12h or 30m, or a number of seconds above 0 (got {str(text)!r})"
        )
    return seconds


def parse_instant(option: str, text: object) -> float:
    """Return epoch seconds from RFC 3339 (with its zone) or from epoch seconds. Raises ``Refused``."""
    written = str(text).strip()
    if _EPOCH.fullmatch(written):
        if float(written) > _LATEST:
            raise Refused(f"{option} must be epoch seconds before the year 10000 (got {written!r})")
        return float(written)
    match = _RFC3339.fullmatch(written)
    try:
        if match:
            day, time, fraction, zone = match.groups()
            micros = f".{(fraction or '.0')[1:7]:0<6}"
            offset = "+00:00" if zone in "Zz" else f"{zone[:3]}:{zone[-2:]}"
            instant = datetime.fromisoformat(f"{day}T{time}{micros}{offset}").timestamp()
            if 0 <= instant <= _LATEST:
                return instant
    except ValueError:
        pass
    raise Refused(
        f"{option} must be an instant with a time zone (got {written!r}), as in 2026-11-22T03:00:00Z"
        " or 2026-11-22T03:00:00+01:00, or epoch seconds"
    )


def iso(instant: float) -> str:
    """Format an instant for people and results: ISO 8601 in UTC, with milliseconds only if there are any."""
    moment = datetime.fromtimestamp(round(instant, 3), timezone.utc)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
