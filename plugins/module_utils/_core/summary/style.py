# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""How the page looks: by day, by night, on paper, and on a telephone."""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --ink: #1b1f27; --faint: #59616f; --rule: #d8dce3; --grid: #eceef2;
  --old: #98a1b0; --new: #2563c9; --pale: #cfdff8; --bad: #b3261e; --bad-pale: #f6d5d2;
  --healthy: #137a3f; --desired: #59616f; --floor: #b3261e; --warn: #8a5300; --link: #1d4fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --raised: #1e232b; --ink: #e8ebf0; --faint: #a3acba; --rule: #363d49; --grid: #252b34;
    --old: #6d7788; --new: #6ea3f5; --pale: #263a5c; --bad: #f2867d; --bad-pale: #57211d;
    --healthy: #5fd08c; --desired: #a3acba; --floor: #f2867d; --warn: #efb45b; --link: #8db8fa;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1.05rem; overflow-wrap: anywhere; }
p { margin: .25rem 0 .75rem; color: var(--faint); overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.patterns { position: absolute; }
.note { padding: .5rem .75rem; border-left: 3px solid var(--warn); background: var(--raised); color: var(--ink); }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.tiles div { flex: 1 1 7.5rem; padding: .6rem .8rem; border: 1px solid var(--rule); border-radius: 6px;
  background: var(--raised); }
dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
ul { margin: 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { padding: 1.5rem 0 .5rem; text-align: left; font-size: 1.25rem; font-weight: 700; }
th, td { padding: .4rem .75rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th:first-child, .status { text-align: left; }
thead th { color: var(--faint); font-size: .85rem; font-weight: 600; }
tbody th { font-weight: 500; }
.badge { display: inline-block; padding: 0 .55rem; border: 1px solid currentColor; border-radius: 1rem;
  font-size: .85rem; }
.badge.recycled { color: var(--healthy); }
.badge.restored, .badge.not-started { color: var(--warn); }
.badge.failed { color: var(--bad); font-weight: 700; }
.badge.unchanged { color: var(--faint); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; color: var(--faint);
  font-size: .9rem; }
.legend svg { margin-right: .4rem; vertical-align: -1px; }
.course { margin-top: 1.5rem; padding: 1rem; border: 1px solid var(--rule); border-radius: 6px; }
.course svg { display: block; min-width: 44rem; width: 100%; height: auto; }
details { margin-top: .5rem; color: var(--faint); font-size: .9rem; }
summary { cursor: pointer; }
text { fill: var(--faint); font-size: 11px; }
.name { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 10px; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--rule); }
.old { fill: var(--old); }
.new { fill: var(--new); }
.starting { fill: url(#hatched); stroke: var(--new); stroke-width: .75; }
.bad { fill: url(#crossed); stroke: var(--bad); stroke-width: .75; }
.hatched-ground { fill: var(--pale); }
.hatched-stripe { fill: var(--new); opacity: .55; }
.crossed-ground { fill: var(--bad-pale); }
.crossed-stripe { fill: var(--bad); opacity: .55; }
.healthy, .desired, .floor { fill: none; }
.healthy { stroke: var(--healthy); stroke-width: 2.25; }
.desired { stroke: var(--desired); stroke-width: 1.25; stroke-dasharray: 2 3; }
.floor { stroke: var(--floor); stroke-width: 1.25; stroke-dasharray: 7 4; }
@media print {
  body { max-width: none; padding: 0; }
  .course { break-inside: avoid; }
  .course svg { min-width: 0; }
}
"""
