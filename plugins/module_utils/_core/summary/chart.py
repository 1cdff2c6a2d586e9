# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Draw the course of one recycle: a bar for each task, and above them the number of healthy tasks as a line.

The result is SVG for a page. It is as wide as the page, so positions are in percent of the plot and text keeps its
size. Names and numbers are in the left margin. The page provides the colours and patterns: see style.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_LINE_TOP, _LINE_HEIGHT = 14, 84
_LINE_WIDTH = 1000  # horizontal units of the lines, which are stretched to the width of the plot
_AXIS = 30  # height below the lines, for ticks and their labels
_TICKS = 7  # at most; on a phone, every other one has a label
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
_TEXT = 14  # pixels from one line of text to the next
_NAMED = 60  # if there are more bars, they are thin and have no names
_LEAST = 0.3  # minimum width of a bar, in percent


@dataclass(frozen=True)
class Bar:
    """One task, in seconds since the start. ``good`` is None if it never became good, ``end`` if it still ran."""

    task: str
    new: bool
    begin: float
    good: float | None
    end: float | None


def read_bars(timeline: Mapping[str, Any]) -> list[Bar]:
    """Return the old tasks sorted by end, then the new ones sorted by start, so each group looks like stairs."""
    bars = [
        Bar(str(each["task"]), bool(each["new"]), float(each["from"]), _maybe(each["good"]), _maybe(each["to"]))
        for each in timeline.get("tasks", ())
    ]
    endless = float("inf")
    return sorted(
        bars,
        key=lambda span: (span.new, span.begin if span.new else (endless if span.end is None else span.end), span.task),
    )


def draw(timeline: Mapping[str, Any], bars: Sequence[Bar], floor: int | None, title: str, key: str) -> str:
    """Return the drawing as SVG. ``key`` is an id that is unique in the page. ``title`` describes the drawing."""
    counts = [(float(each["at"]), int(each["healthy"]), int(each["desired"])) for each in timeline.get("counts", ())]
    whole = max(
        [float(timeline.get("seconds") or 0), 0.1, *(span.end or 0 for span in bars), *(each[0] for each in counts)]
    )
    named = len(bars) <= _NAMED
    thick, pitch = (11, 16) if named else (3, 4)
    top = _LINE_TOP + _LINE_HEIGHT + _AXIS
    height = top + len(bars) * pitch + 4

    def x(seconds: float) -> float:
        return min(max(seconds, 0.0), whole) / whole

    parts = [
        f'<svg height="{height}" role="img" aria-labelledby="{key}-title">',
        f'<title id="{key}-title">{escape(title)}</title>',
        *_grid(whole, height, x),
        *_line(counts, floor, x),
    ]
    for number, span in enumerate(bars):
        y = top + number * pitch
        if named:
            parts.append(f'<text class="name" x="-8" y="{y + thick - 1}">{escape(span.task[:8])}</text>')
        parts.append(_bar(span, y, thick, whole, x))
    parts.append("</svg>")
    return "\n".join(parts)


def _bar(span: Bar, y: int, thick: int, whole: float, x: Callable[[float], float]) -> str:
    end = whole if span.end is None else span.end
    good = end if span.good is None else min(span.good, end)
    pieces = [("old", span.begin, end)]
    if span.new:
        pieces = [
            ("bad" if span.good is None and span.end is not None else "starting", span.begin, good),
            ("new", good, end),
        ]
    # A task that came and went between two checks has no length. Draw it anyway, to show where it was.
    shown = [piece for piece in pieces if piece[2] > piece[1]] or pieces[:1]
    rectangles = "".join(
        f'<rect class="{kind}" x="{min(100 * x(begin), 100 - _LEAST):.2f}%" y="{y}" height="{thick}"'
        f' width="{max(100 * (x(until) - x(begin)), _LEAST):.2f}%"/>'
        for kind, begin, until in shown
    )
    return f"<g><title>{escape(bar_words(span))}</title>{rectangles}</g>"


def bar_words(span: Bar) -> str:
    until = "" if span.end is None else f", until {clock(span.end)}"
    if not span.new:
        return f"{span.task}: old{until or ', still there at the end'}"
    good = f", good at {clock(span.good)}" if span.good is not None else ", never good"
    return f"{span.task}: new, from {clock(span.begin)}{good}{until}"


def _grid(whole: float, height: int, x: Callable[[float], float]) -> list[str]:
    step = next((step for step in _STEPS if whole / step <= _TICKS), math.ceil(whole / _TICKS / 86400) * 86400)
    base = _LINE_TOP + _LINE_HEIGHT
    parts = [f'<line class="axis" x2="100%" y1="{base}" y2="{base}"/>']
    for number in range(int(whole / step) + 1):
        at = f"{100 * x(number * step):.2f}%"
        parts.append(f'<line class="grid" x1="{at}" y1="{_LINE_TOP}" x2="{at}" y2="{height}"/>')
        parts.append(f'<text class="tick{number % 2}" x="{at}" y="{base + 16}">{clock(number * step)}</text>')
    return parts


def _line(counts: Sequence[tuple[float, int, int]], floor: int | None, x: Callable[[float], float]) -> list[str]:
    """Draw the lines on top of each other, the uppermost the thinnest, so each is visible where they meet."""
    most = max([1, floor or 0, *(max(healthy, desired) for _at, healthy, desired in counts)])
    fewest = min([most, *([floor] if floor else []), *(min(healthy, desired) for _at, healthy, desired in counts)])
    # One task in a hundred would not be visible above 0. Then the scale starts higher, as its number shows.
    lowest = 0 if most * _TEXT <= _LINE_HEIGHT else max(0, fewest - 2 * (most - fewest) - 1)

    def y(count: int) -> float:
        return _LINE_HEIGHT - (count - lowest) / (most - lowest) * _LINE_HEIGHT

    def stairs(kind: str, values: Sequence[tuple[float, int]]) -> str:
        path = f"M0 {y(values[0][1]):.1f}"
        for at, count in values[1:]:
            path += f"H{_LINE_WIDTH * x(at):.1f}V{y(count):.1f}"
        return f'<path class="{kind}" d="{path}H{_LINE_WIDTH}"/>'

    numbers = [most, lowest]
    if floor and all(abs(y(floor) - y(number)) >= _TEXT for number in numbers):
        numbers.append(floor)
    return [
        *(f'<text class="number" x="-8" y="{_LINE_TOP + y(number) + 4:.1f}">{number}</text>' for number in numbers),
        f'<svg class="lines" y="{_LINE_TOP}" width="100%" height="{_LINE_HEIGHT}"'
        f' viewBox="0 0 {_LINE_WIDTH} {_LINE_HEIGHT}" preserveAspectRatio="none">',
        *([stairs("desired", [(at, desired) for at, _healthy, desired in counts])] if counts else []),
        *([stairs("floor", [(0.0, floor)])] if floor else []),
        *([stairs("healthy", [(at, healthy) for at, healthy, _desired in counts])] if counts else []),
        "</svg>",
    ]


def clock(seconds: float) -> str:
    """Return words such as ``0 s``, ``2.5 s``, ``2:30`` (minutes) or ``1:02:30`` (hours)."""
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _maybe(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
