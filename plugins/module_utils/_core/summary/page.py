# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The summary as an HTML page in one self-contained file.

All text from outside is escaped when it is inserted. The page's own policy forbids resources, and every style and
script except its own two, which it names by their digests.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape

from .chart import Bar, bar_words, clock, draw, read_bars
from .rows import FAILED, NOT_STARTED, Row, Totals, add_up, count_shown
from .script import SCRIPT
from .style import STYLE
from .table import healthy_words, not_started_words

_HEADINGS = ("Replaced", "Skipped", "Failed", "Left", "Least healthy", "Time")
_LISTED = 6  # places, or options, that the head of the page lists
_LEGEND = (
    ("old", "old task"),
    ("starting", "new task, not good yet"),
    ("new", "new task, good"),
    ("bad", "new task that never became good"),
    ("healthy", "healthy tasks"),
    ("desired", "desired count"),
    ("floor", "floor"),
)


def make_page(rows: Sequence[Row], when: str) -> str:
    """Return the page. ``when`` is the time at which it is made, in words."""
    totals, shown = add_up(list(rows)), count_shown(rows)
    title = f"Recycle of {_count(totals.services, 'service')}"
    several = len(rows) > 1
    drawn = [(number, row) for number, row in enumerate(rows, 1) if row.timeline.get("tasks")]
    return "\n".join([
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        _PATTERNS,
        f"<header>\n<h1>{escape(title)}</h1>\n<p>{escape(when)}</p>\n</header>\n<main>",
        _facts(rows),
        _tiles(totals, shown),
        *(["<p class=\"note\">Check mode: nothing was changed. What is left would be replaced.</p>"]
          if any(row.check for row in rows) else []),
        _search(shown) if several else "",
        _problems(rows),
        _table(rows),
        *([_legend(), *(_section(row, number) for number, row in drawn)] if drawn else []),
        "</main>",
        f"<script>{SCRIPT}</script>" if several else "",
        "</body>\n</html>\n",
    ])  # fmt: skip


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


_POLICY = (
    f"default-src 'none'; style-src {_digest(STYLE)}; script-src {_digest(SCRIPT)}; base-uri 'none'; form-action 'none'"
)


def _facts(rows: Sequence[Row]) -> str:
    """Return the regions, accounts and options of all services, each only once."""
    found = {
        "Where": {row.place for row in rows},
        "Tasks to replace": {row.selector for row in rows},
    }
    lines = []
    for name, told in found.items():
        words = sorted(filter(None, told))
        more = [f"{len(words) - _LISTED} more"] if len(words) > _LISTED else []
        if words:
            lines.append(f"<p><b>{name}</b> {escape('; '.join([*words[:_LISTED], *more]))}</p>")
    return "".join(lines)


def _search(shown: Mapping[str, int]) -> str:
    options = "".join(
        f'<option value="{escape(each)}">{escape(each)} ({count})</option>' for each, count in shown.items()
    )
    return (
        '<div id="search" role="search" aria-label="Filter services" hidden>'
        '<label>Filter by text <input id="text" type="search" autocomplete="off" spellcheck="false"></label>'
        f'<label>Status <select id="status"><option value="">all</option>{options}</select></label>'
        '<output id="told" for="text status"></output></div>'
    )


def _tiles(totals: Totals, shown: Mapping[str, int]) -> str:
    tiles = [*shown.items(), ("tasks replaced", totals.replaced), ("failed launches", totals.failures)]
    words = "".join(f"<div><dt>{escape(name)}</dt><dd>{count}</dd></div>" for name, count in tiles)
    return f'<dl class="tiles">{words}<div><dt>slowest service</dt><dd>{clock(totals.seconds)}</dd></div></dl>'


def _problems(rows: Sequence[Row]) -> str:
    numbered = list(enumerate(rows, 1))
    told = [
        (number, row.name, row.message or "It failed without a reason.")
        for number, row in numbered
        if row.status == FAILED
    ]
    told += [(number, row.name, words) for number, row in numbered for words in row.untold]
    items = "".join(
        f'<li data-of="{number}"><b>{escape(name)}</b> {escape(words)}</li>' for number, name, words in told
    )
    items += "".join(f"<li>{escape(words)}</li>" for words in not_started_words(rows))
    if not items:
        return ""
    return f'<section aria-labelledby="problems">\n<h2 id="problems">What went wrong</h2>\n<ul>{items}</ul>\n</section>'


def _table(rows: Sequence[Row]) -> str:
    lines = []
    for number, row in enumerate(rows, 1):
        name = f'<a href="#s{number}">{escape(row.name)}</a>' if row.timeline.get("tasks") else escape(row.name)
        place = f"<small>{escape(row.place)}</small>" if row.place else ""
        badge = f'<span class="badge {row.status.replace(" ", "-")}">{escape(row.shown)}</span>'
        numbers = [row.replaced, row.skipped, row.failures, row.remaining, healthy_words(row), _time(row)]
        cells = "".join(
            f'<td data-name="{heading}"{" class=none" if each in (0, "-") else ""}>{escape(str(each))}</td>'
            for heading, each in zip(_HEADINGS, numbers, strict=True)
        )
        lines.append(
            f'<tr data-of="{number}" data-status="{escape(row.shown)}"><th scope="row">{name}{place}</th>'
            f'<td class="status">{badge}</td>{cells}</tr>'
        )
    heads = "".join(f'<th scope="col">{each}</th>' for each in _HEADINGS)
    return (
        "<table><caption>Services</caption>\n"
        f'<thead><tr><th scope="col">Service</th><th scope="col" class="status">Status</th>{heads}</tr></thead>\n'
        "<tbody>\n" + "\n".join(lines) + "\n</tbody></table>"
    )


def _time(row: Row) -> str:
    return "-" if row.status == NOT_STARTED else clock(row.seconds)


def _legend() -> str:
    items = "".join(f"<li>{_sample(kind)}{words}</li>" for kind, words in _LEGEND)
    return (
        '<section aria-labelledby="courses">\n<h2 id="courses">Courses</h2>\n'
        f'<ul class="legend">{items}</ul>\n</section>'
    )


def _sample(kind: str) -> str:
    line = kind in ("healthy", "desired", "floor")
    drawn = f'<path class="{kind}" d="M0 6H22"/>' if line else f'<rect class="{kind}" width="22" height="12"/>'
    return f'<svg viewBox="0 0 22 12" width="22" height="12" aria-hidden="true">{drawn}</svg>'


def _section(row: Row, number: int) -> str:
    bars, key, words = read_bars(row.timeline), f"s{number}", _words(row)
    return "\n".join([
        f'<section class="course" id="{key}" data-of="{number}" aria-labelledby="{key}-name">',
        f'<h3 id="{key}-name">{escape(row.name)}</h3>',
        f"<p>{escape(words)}<small>{escape('; '.join(filter(None, [row.place, row.selector])))}</small></p>",
        draw(row.timeline, bars, row.floor, f"{row.name}: {words}", key),
        _details(bars),
        "</section>",
    ])  # fmt: skip


def _words(row: Row) -> str:
    left = f", {row.remaining} left" if row.remaining else ""
    healthy = "" if row.least_healthy is None else f", never fewer than {row.least_healthy} healthy"
    floor = f" (floor {row.floor})" if healthy and row.floor is not None else ""
    return f"{row.status}, {_count(row.replaced, 'task')} replaced in {clock(row.seconds)}{left}{healthy}{floor}"


def _details(bars: Sequence[Bar]) -> str:
    items = "".join(f"<li>{escape(bar_words(span))}</li>" for span in bars)
    return f"<details><summary>{_count(len(bars), 'task')} in words</summary><ul>{items}</ul></details>"


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


# The drawings refer to these patterns by id, from anywhere in the page.
_PATTERNS = """<svg width="0" height="0" class="patterns" aria-hidden="true"><defs>
<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect class="hatched-ground" width="6" height="6"/><rect class="hatched-stripe" width="2.5" height="6"/></pattern>
<pattern id="crossed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
<rect class="crossed-ground" width="6" height="6"/><rect class="crossed-stripe" width="2.5" height="6"/></pattern>
</defs></svg>"""
