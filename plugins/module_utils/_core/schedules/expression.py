# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Check schedule expressions (rate(...), cron(...) and at(...)) before they are sent to AWS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ..errors import Refused

EXAMPLES = "rate(5 minutes), cron(0 3 * * ? *) or at(2026-12-31T03:00:00)"
FEWEST_FIELDS = 6
_FORM = re.compile(r"(rate|cron|at)\((.*)\)")
_RATE = re.compile(r"([1-9][0-9]*) (minute|hour|day)(s?)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass(frozen=True)
class Field:
    """One field of cron: its bounds, names for numbers, and the forms that it allows besides , - * /."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str | None = None  # a regular expression for a whole member of the list


FIELDS = (
    Field("minutes", 0, 59),
    Field("hours", 0, 23),
    Field("day of month", 1, 31, special=r"\?|L|LW|([1-9]|[12][0-9]|3[01])W"),
    Field("month", 1, 12, tuple(_MONTHS)),
    Field("day of week", 1, 7, tuple(_DAYS), special=r"\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
    Field("year", 1970, 2199),
)
DAY_OF_MONTH, DAY_OF_WEEK = 2, 4


def check_expression(option: str, text: str, once: bool = True) -> str:
    """Return the expression unchanged. Raises ``Refused`` if it is invalid, and for at(...) unless ``once``."""
    match = _FORM.fullmatch(text)
    if not match:
        raise Refused(f"{option} must be a schedule such as {EXAMPLES} (got '{text}')")
    form, inside = match.groups()
    if form == "rate":
        _check_rate(option, text, inside)
    elif form == "cron":
        _check_cron(option, text, inside)
    elif not once:
        raise Refused(f"{option}: EventBridge rules do not support at(...). Set using=scheduler for '{text}'")
    else:
        _check_at(option, text, inside)
    return text


def check_timezone(option: str, text: str) -> str:
    """Return the name unchanged. Raises ``Refused`` if it is not in this machine's list of time zones."""
    import zoneinfo  # noqa: PLC0415 - slow to import, and only this option needs it

    known = zoneinfo.available_timezones()  # empty on a machine without the list
    if known and text not in known:
        raise Refused(f"{option} must be the IANA name of a time zone, such as Europe/Berlin or UTC (got '{text}')")
    return text


def _check_rate(option: str, text: str, inside: str) -> None:
    match = _RATE.fullmatch(inside)
    if not match:
        raise Refused(f"{option}: '{text}' needs a number above 0 and minutes, hours or days, as in rate(5 minutes)")
    number, unit, plural = match.groups()
    if (int(number) == 1) == bool(plural):
        right = f"rate({number} {unit}{'' if int(number) == 1 else 's'})"
        raise Refused(f"{option}: AWS does not accept '{text}'. Write {right}")


def _check_at(option: str, text: str, inside: str) -> None:
    try:
        datetime.strptime(inside, "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - its zone is another option
    except ValueError:
        raise Refused(
            f"{option}: '{text}' needs a day and a time without a zone, as in at(2026-12-31T03:00:00)"
        ) from None


def _check_cron(option: str, text: str, inside: str) -> None:
    written = inside.split()
    if len(written) != FEWEST_FIELDS:
        raise Refused(
            f"{option}: '{text}' has {len(written)} fields, and AWS's cron has six: minutes, hours, day of month, "
            "month, day of week, year. For three o'clock every night, write cron(0 3 * * ? *)"
        )
    for field, value in zip(FIELDS, written, strict=True):
        for member in value.split(","):
            why = _wrong(field, member.upper())
            if why:
                raise Refused(f"{option}: in '{text}' the {field.name} '{value}' {why}. Correct it")
    if [written[DAY_OF_MONTH], written[DAY_OF_WEEK]].count("?") != 1:
        raise Refused(
            f"{option}: in '{text}' exactly one of day of month and day of week must be ?. Write ? for the one that"
            " does not matter"
        )


def _wrong(field: Field, member: str) -> str | None:
    """Return why a member of a field's list is invalid; None if it is valid."""
    if field.special and re.fullmatch(field.special, member):
        return None
    span, slash, step = member.partition("/")
    if slash and not re.fullmatch(r"[1-9][0-9]*", step):
        return "must have a number above 0 as its step"
    if span == "*":
        return None
    ends = [_number(field, end) for end in span.split("-")]
    if len(ends) > 2 or None in ends:  # a range such as 20-2, over midnight, is allowed
        return f"must be {field.low} to {field.high}, a list or range of these, or *"
    return None


def _number(field: Field, text: str) -> int | None:
    if text in field.names:
        return field.low + field.names.index(text)
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) and field.low <= int(text) <= field.high else None
