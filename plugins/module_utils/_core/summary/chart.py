# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The course of one recycle as a drawing: a bar for each task, and above them the healthy tasks as a line.

SVG, to be put into a page as it is. Colours and patterns are the page's: see style.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH = 960
_LEFT, _RIGHT = 84, 16  # of the plot; on the left there are names
_LINE_TOP, _LINE_HEIGHT = 14, 84
_AXIS = 30  # below the line: ticks and their words
_TICKS = 7  # at the most
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400)
_SMALL = 20  # tasks; the line of larger services does not begin at 0
_NAMED = 60  # with more bars than that, they are thin and bear no names


@dataclass(frozen=True)
class Bar:
    """One task, in seconds since the start. ``good`` is None for a new task that never was; ``end`` if it still ran."""

    task: str
    new: bool
    begin: float
    good: float | None
    end: float | None


def read_bars(timeline: Mapping[str, Any]) -> list[Bar]:
    """Old tasks in the order in which they went, then new ones in that in which they came: a stairway each."""
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
    """``key`` is an id of the page that no other drawing has; ``title`` says in words what can be seen."""
    counts = [(float(each["at"]), int(each["healthy"]), int(each["desired"])) for each in timeline.get("counts", ())]
    whole = max(
        [float(timeline.get("seconds") or 0), 0.1, *(span.end or 0 for span in bars), *(each[0] for each in counts)]
    )
    thick, gap = (11, 4) if len(bars) <= _NAMED else (3, 1)
    top = _LINE_TOP + _LINE_HEIGHT + _AXIS
    height = top + len(bars) * (thick + gap) + 4

    def x(seconds: float) -> float:
        return _LEFT + min(max(seconds, 0.0), whole) / whole * (WIDTH - _LEFT - _RIGHT)

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{key}-title">',
        f'<title id="{key}-title">{escape(title)}</title>',
        *_grid(whole, height, x),
        *_line(counts, floor, whole, x),
    ]
    for number, span in enumerate(bars):
        y = top + number * (thick + gap)
        if len(bars) <= _NAMED:
            parts.append(
                f'<text class="name" x="{_LEFT - 8}" y="{y + thick - 2}" text-anchor="end">'
                f"{escape(span.task[:8])}</text>"
            )
        parts.append(_bar(span, y, thick, whole, x))
    parts.append("</svg>")
    return "\n".join(parts)


def _bar(span: Bar, y: float, thick: int, whole: float, x: Callable[[float], float]) -> str:
    end = whole if span.end is None else span.end
    good = end if span.good is None else min(span.good, end)
    pieces = [("old", span.begin, end)]
    if span.new:
        pieces = [
            ("bad" if span.good is None and span.end is not None else "starting", span.begin, good),
            ("new", good, end),
        ]
    # What came and went between two looks has no length: at least where it was can be seen.
    shown = [piece for piece in pieces if piece[2] > piece[1]] or pieces[:1]
    rectangles = "".join(
        f'<rect class="{kind}" x="{x(begin):.1f}" y="{y}" height="{thick}"'
        f' width="{max(x(until) - x(begin), 0.5):.1f}"/>'
        for kind, begin, until in shown
    )
    return f"<g><title>{escape(bar_words(span))}</title>{rectangles}</g>"


def bar_words(span: Bar) -> str:
    until = "" if span.end is None else f", until {clock(span.end)}"
    if not span.new:
        return f"{span.task}: old{until or ', still there at the end'}"
    good = f", good at {clock(span.good)}" if span.good is not None else ", never good"
    return f"{span.task}: new, from {clock(span.begin)}{good}{until}"


def _grid(whole: float, height: float, x: Callable[[float], float]) -> list[str]:
    step = next((step for step in _STEPS if whole / step <= _TICKS), math.ceil(whole / _TICKS / 86400) * 86400)
    base = _LINE_TOP + _LINE_HEIGHT
    parts = [f'<line class="axis" x1="{_LEFT}" y1="{base}" x2="{WIDTH - _RIGHT}" y2="{base}"/>']
    for number in range(int(whole / step) + 1):
        at = x(number * step)
        parts.append(f'<line class="grid" x1="{at:.1f}" y1="{_LINE_TOP}" x2="{at:.1f}" y2="{height}"/>')
        parts.append(
            f'<text class="tick" x="{at:.1f}" y="{base + 16}" text-anchor="middle">{clock(number * step)}</text>'
        )
    return parts


def _line(
    counts: Sequence[tuple[float, int, int]], floor: int | None, whole: float, x: Callable[[float], float]
) -> list[str]:
    most = max([1, floor or 0, *(max(healthy, desired) for _at, healthy, desired in counts)])
    fewest = min([most, *([floor] if floor else []), *(min(healthy, desired) for _at, healthy, desired in counts)])
    # One task of a hundred would not be seen above 0: then the line begins higher up, which its number tells.
    lowest = 0 if most <= _SMALL else max(0, fewest - 2 * (most - fewest) - 1)
    base = _LINE_TOP + _LINE_HEIGHT

    def y(count: int) -> float:
        return base - (count - lowest) / (most - lowest) * _LINE_HEIGHT

    def stairs(values: Sequence[tuple[float, int]]) -> str:
        path = f"M{x(values[0][0]):.1f} {y(values[0][1]):.1f}"
        for at, count in values[1:]:
            path += f"H{x(at):.1f}V{y(count):.1f}"
        return f"{path}H{x(whole):.1f}"

    parts = [
        f'<text class="tick" x="{_LEFT - 8}" y="{_LINE_TOP + 4}" text-anchor="end">{most}</text>',
        f'<text class="tick" x="{_LEFT - 8}" y="{base + 4}" text-anchor="end">{lowest}</text>',
    ]
    if counts:
        parts.append(f'<path class="desired" d="{stairs([(at, desired) for at, _healthy, desired in counts])}"/>')
        parts.append(f'<path class="healthy" d="{stairs([(at, healthy) for at, healthy, _desired in counts])}"/>')
    if floor:  # over the line, which lies on it most of the time
        parts.append(f'<path class="floor" d="{stairs([(0.0, floor)])}"/>')
    return parts


def clock(seconds: float) -> str:
    """``0 s``, ``2.5 s``, ``2:30`` minutes, ``1:02:30`` hours."""
    if seconds < 60:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _maybe(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
