# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The summary as text, for the output of a playbook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .rows import FAILED, NOT_STARTED, Row, add_up, count_shown

_HEADINGS = ("service", "status", "replaced", "skipped", "failed", "left", "least healthy", "seconds")
_LEFT_ALIGNED = 2  # columns


def table_lines(rows: Sequence[Row]) -> list[str]:
    """Return a line for each service, one with the totals, and one for each problem."""
    cells = [_HEADINGS, *map(_cells, rows)]
    if len(rows) > 1:
        cells.append(_total_cells(list(rows)))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(_padded(row, widths)).rstrip() for row in cells]
    rule = "  ".join("-" * width for width in widths)
    lines.insert(1, rule)
    if len(rows) > 1:
        lines.insert(-1, rule)
    if any(row.check for row in rows):
        lines.append("check mode: nothing was changed; the tasks left would be replaced")
    lines += [f"{row.name}: {row.message}" for row in rows if row.status == FAILED]
    lines += not_started_words(rows)
    lines += [f"{row.name}: {each}" for row in rows for each in row.untold]
    return lines


def not_started_words(rows: Sequence[Row]) -> list[str]:
    """Return one sentence for each reason why services were not started."""
    reasons = Counter(row.message or "too many services had failed before" for row in rows if row.status == NOT_STARTED)
    return [f"{count} not started: {why}" for why, count in reasons.items()]


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        row.shown,
        str(row.replaced),
        str(row.skipped),
        str(row.failures),
        str(row.remaining),
        healthy_words(row),
        "-" if row.status == NOT_STARTED else f"{row.seconds:.1f}",
    )


def healthy_words(row: Row) -> str:
    """Return the fewest healthy tasks that were seen and the floor, such as ``3 of 3``."""
    if row.least_healthy is None or row.floor is None:
        return "-"
    return f"{row.least_healthy} of {row.floor}"


def _total_cells(rows: list[Row]) -> tuple[str, ...]:
    totals = add_up(rows)
    return (
        f"{totals.services} services",
        ", ".join(f"{count} {status}" for status, count in count_shown(rows).items()),
        str(totals.replaced),
        str(totals.skipped),
        str(totals.failures),
        str(totals.remaining),
        "",
        f"{totals.seconds:.1f}",
    )


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if number < _LEFT_ALIGNED else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
