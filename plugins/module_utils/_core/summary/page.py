# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The summary as a page: one file that needs nothing else, neither a server nor a script.

Whatever comes from outside is escaped where it is put in, and the page's own policy forbids scripts and resources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from .chart import Bar, bar_words, clock, draw, read_bars
from .rows import FAILED, NOT_STARTED, Row, Totals, add_up, count_shown
from .style import STYLE
from .table import healthy_words, not_started_words

_HEADINGS = ("Replaced", "Skipped", "Failed", "Left", "Least healthy", "Time")
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
    """``when`` is the instant at which it is made, in words."""
    totals = add_up(list(rows))
    title = f"Recycle of {_count(totals.services, 'service')}"
    drawn = [row for row in rows if row.timeline.get("tasks")]
    keys = {id(row): f"s{number}" for number, row in enumerate(drawn, 1)}
    failed = [row for row in rows if row.status == FAILED]
    return "\n".join([
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
        _PATTERNS,
        f"<header>\n<h1>{escape(title)}</h1>\n<p>{escape(when)}</p>\n</header>\n<main>",
        _tiles(totals, count_shown(rows)),
        *(["<p class=\"note\">Check mode: nothing was changed. What is left would be replaced.</p>"]
          if any(row.check for row in rows) else []),
        _problems(failed, rows),
        _table(rows, keys),
        *([_legend(), *(_section(row, keys[id(row)]) for row in drawn)] if drawn else []),
        "</main>\n</body>\n</html>\n",
    ])  # fmt: skip


def _tiles(totals: Totals, shown: Mapping[str, int]) -> str:
    tiles = [*shown.items(), ("tasks replaced", totals.replaced), ("failed launches", totals.failures)]
    words = "".join(f"<div><dt>{escape(name)}</dt><dd>{count}</dd></div>" for name, count in tiles)
    return f'<dl class="tiles">{words}<div><dt>slowest service</dt><dd>{clock(totals.seconds)}</dd></div></dl>'


def _problems(failed: Sequence[Row], rows: Sequence[Row]) -> str:
    told = [(row.name, row.message or "It failed and told no reason.") for row in failed]
    told += [(row.name, each) for row in rows for each in row.untold]
    items = "".join(f"<li><b>{escape(name)}</b> {escape(words)}</li>" for name, words in told)
    items += "".join(f"<li>{escape(words)}</li>" for words in not_started_words(rows))
    if not items:
        return ""
    return f'<section aria-labelledby="problems">\n<h2 id="problems">What went wrong</h2>\n<ul>{items}</ul>\n</section>'


def _table(rows: Sequence[Row], keys: dict[int, str]) -> str:
    lines = []
    for row in rows:
        key = keys.get(id(row))
        name = f'<a href="#{key}">{escape(row.name)}</a>' if key else escape(row.name)
        badge = f'<span class="badge {row.status.replace(" ", "-")}">{escape(row.shown)}</span>'
        numbers = [row.replaced, row.skipped, row.failures, row.remaining, healthy_words(row), _time(row)]
        cells = "".join(f"<td>{escape(str(each))}</td>" for each in numbers)
        lines.append(f'<tr><th scope="row">{name}</th><td class="status">{badge}</td>{cells}</tr>')
    heads = "".join(f'<th scope="col">{each}</th>' for each in _HEADINGS)
    return (
        '<div class="wide" tabindex="0" role="region" aria-labelledby="services">\n<table>'
        '<caption id="services">Services</caption>\n'
        f'<thead><tr><th scope="col">Service</th><th scope="col" class="status">Status</th>{heads}</tr></thead>\n'
        "<tbody>\n" + "\n".join(lines) + "\n</tbody></table>\n</div>"
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


def _section(row: Row, key: str) -> str:
    bars = read_bars(row.timeline)
    return "\n".join([
        f'<section class="course" id="{key}" aria-labelledby="{key}-name">',
        f'<h3 id="{key}-name">{escape(row.name)}</h3>',
        f"<p>{escape(_words(row))}</p>",
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(row.name)}, drawn">',
        draw(row.timeline, bars, row.floor, f"{row.name}: {_words(row)}", key),
        "</div>",
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


# What is drawn refers to them by name, from anywhere in the page.
_PATTERNS = """<svg width="0" height="0" class="patterns" aria-hidden="true"><defs>
<pattern id="hatched" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<rect class="hatched-ground" width="6" height="6"/><rect class="hatched-stripe" width="2.5" height="6"/></pattern>
<pattern id="crossed" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
<rect class="crossed-ground" width="6" height="6"/><rect class="crossed-stripe" width="2.5" height="6"/></pattern>
</defs></svg>"""
