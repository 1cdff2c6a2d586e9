# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The style of the page: in light and dark mode, on paper and on a phone."""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f6f8; --ink: #1b1f27; --faint: #59616f; --rule: #d8dce3; --grid: #eceef2;
  --old: #98a1b0; --new: #2563c9; --pale: #cfdff8; --bad: #b3261e; --bad-pale: #f6d5d2;
  --healthy: #137a3f; --desired: #c3cad6; --floor: #b3261e; --warn: #8a5300; --link: #1d4fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --raised: #1e232b; --ink: #e8ebf0; --faint: #a3acba; --rule: #363d49; --grid: #252b34;
    --old: #6d7788; --new: #6ea3f5; --pale: #263a5c; --bad: #f2867d; --bad-pale: #57211d;
    --healthy: #5fd08c; --desired: #454e5d; --floor: #f2867d; --warn: #efb45b; --link: #8db8fa;
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
[hidden] { display: none !important; }
#search { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.25rem; margin: 1.25rem 0; }
#search label { display: flex; align-items: center; gap: .5rem; }
#search label:first-child { flex: 1 1 16rem; }
input, select { min-width: 0; padding: .4rem .6rem; border: 1px solid var(--faint); border-radius: 6px;
  background: var(--ground); color: var(--ink); font: inherit; }
input { flex: 1; }
output { color: var(--faint); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { padding: 1.5rem 0 .5rem; text-align: left; font-size: 1.25rem; font-weight: 700; }
th, td { padding: .4rem .75rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th:first-child { min-width: 12rem; padding-left: 0; white-space: normal; overflow-wrap: anywhere; }
th:first-child, .status { text-align: left; }
small { display: block; color: var(--faint); font-size: .8rem; font-weight: 400; }
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
.course { margin-top: 1.5rem; padding: 1rem; border: 1px solid var(--rule); border-radius: 6px;
  content-visibility: auto; contain-intrinsic-size: auto 22rem; } /* what is not in view costs nothing */
.course > svg { display: block; width: calc(100% - 5.75rem); margin-left: 4.5rem; overflow: visible; }
.lines { overflow: visible; }
details { margin-top: .5rem; color: var(--faint); font-size: .9rem; }
summary { cursor: pointer; }
text { fill: var(--faint); font-size: 12px; text-anchor: middle; }
.name, .number { text-anchor: end; }
.name { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
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
.healthy, .desired, .floor { fill: none; vector-effect: non-scaling-stroke; }
.desired { stroke: var(--desired); stroke-width: 10; }
.floor { stroke: var(--floor); stroke-width: 6; stroke-dasharray: 7 4; }
.healthy { stroke: var(--healthy); stroke-width: 2; }
@media (max-width: 56rem) {
  thead { display: none; } /* each cell tells what it is */
  tbody tr { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .5rem 0; border-bottom: 1px solid var(--rule); }
  tbody th, td { padding: 0; border: 0; }
  tbody th { flex: 1 1 60%; }
  .status { flex: none; }
  td[data-name] { color: var(--faint); font-size: .85rem; }
  td[data-name]::before { content: attr(data-name) " "; }
  .none { display: none; }
}
@media (max-width: 40rem) {
  .course { padding: .75rem .5rem; }
  .tick1 { display: none; }
}
@media print {
  body { max-width: none; padding: 0; }
  #search { display: none; }
  .course { break-inside: avoid; content-visibility: visible; }
}
"""
