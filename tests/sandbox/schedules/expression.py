# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute when a schedule is due: at(), rate() and cron() of EventBridge. Pure; instants are epoch seconds."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
FARTHEST = 366 * 9  # days: the next 29th of February is at most eight years away


def next_due(expression: str, after: float, began: float, zone: str = "UTC") -> float | None:
    """Return the first due instant after ``after``, or None. A rate counts from ``began``.

    Raise ValueError if ``expression`` is not a schedule expression.
    """
    kind, _bracket, rest = expression.partition("(")
    if not rest.endswith(")") or kind not in ("at", "rate", "cron"):
        raise ValueError(f"not a schedule expression: {expression}")
    inside = rest[:-1].strip()
    if kind == "at":
        due = datetime.fromisoformat(inside).replace(tzinfo=ZoneInfo(zone)).timestamp()
        return due if due > after else None
    if kind == "rate":
        match = re.fullmatch(r"(\d+) (second|minute|hour|day)s?", inside)
        if not match or not int(match[1]):
            raise ValueError(f"not a rate: {expression}")
        period = int(match[1]) * UNITS[match[2]]
        return began + (max(0, (after - began) // period) + 1) * period
    return next_cron(inside, after, zone)


def next_cron(fields: str, after: float, zone: str) -> float | None:
    parts = fields.upper().split()
    if len(parts) != 6:
        raise ValueError(f"cron has six fields, not {len(parts)}: {fields}")
    minutes, hours = numbers(parts[0], 0, 59), numbers(parts[1], 0, 23)
    months, years = numbers(parts[3], 1, 12, MONTHS), numbers(parts[5], 1970, 2199)
    if (parts[2] == "?") == (parts[4] == "?"):
        raise ValueError(f"exactly one of day of month and day of week is a question mark: {fields}")
    day = datetime.fromtimestamp(after, ZoneInfo(zone)).date()
    for _day in range(FARTHEST):
        if day.year in years and day.month in months and on_day(day, parts[2], parts[4]):
            for hour in hours:
                for minute in minutes:
                    due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp()
                    if due > after:
                        return due
        day += timedelta(days=1)
    return None


def numbers(field: str, lowest: int, highest: int, names: dict[str, int] | None = None) -> list[int]:
    """Return the numbers that a field stands for. Fields are written like * 1,5 1-5 0/15 MON-FRI."""
    found: set[int] = set()
    for part in field.split(","):
        span, _slash, step = part.partition("/")
        first, _hyphen, last = span.partition("-")
        low = lowest if first in ("*", "?") else number(first, names)
        open_end = highest if step or first in ("*", "?") else low
        high = number(last, names) if last else open_end
        if not lowest <= low <= highest or not lowest <= high <= highest:
            raise ValueError(f"out of range: {field}")
        found.update(range(low, high + 1, int(step or 1)))
    return sorted(found)


def number(text: str, names: dict[str, int] | None) -> int:
    return names[text] if names and text in names else int(text)


def on_day(day: date, of_month: str, of_week: str) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    weekday = day.isoweekday() % 7 + 1  # Sunday is 1
    if of_week == "?":
        if of_month == "L":
            return day.day == last
        if of_month.endswith("W"):
            return day == nearest_weekday(day, int(of_month[:-1]))
        return day.day in numbers(of_month, 1, 31)
    if "#" in of_week:
        name, _hash, which = of_week.partition("#")
        return weekday == number(name, DAYS) and (day.day - 1) // 7 + 1 == int(which)
    if of_week.endswith("L") and of_week != "L":
        return weekday == number(of_week[:-1], DAYS) and day.day + 7 > last
    return weekday in numbers("7" if of_week == "L" else of_week, 1, 7, DAYS)


def nearest_weekday(day: date, wanted: int) -> date:
    last = calendar.monthrange(day.year, day.month)[1]
    target = day.replace(day=min(wanted, last))
    if target.isoweekday() == 6:
        return target - timedelta(days=1) if target.day > 1 else target + timedelta(days=2)
    if target.isoweekday() == 7:
        return target + timedelta(days=1) if target.day < last else target - timedelta(days=2)
    return target
