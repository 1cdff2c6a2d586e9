# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The script of the page's filter. Without scripts, the whole page is readable and the filter is hidden."""

from __future__ import annotations

# All parts of one service have its number: its row, its drawing and its problems. The filter searches all of them.
SCRIPT = """\
{
  const [search, text, status, told] = ["search", "text", "status", "told"].map(id => document.getElementById(id));
  const services = new Map();
  for (const part of document.querySelectorAll("[data-of]")) {
    const service = services.get(part.dataset.of) ?? services.set(part.dataset.of, {parts: []}).get(part.dataset.of);
    service.parts.push(part);
    service.status ??= part.dataset.status;
  }
  const show = () => {
    const words = text.value.toLowerCase().split(/\\s+/);
    let count = 0;
    for (const service of services.values()) {
      service.text ??= service.parts.map(part => part.textContent).join(" ").toLowerCase();
      const found = words.every(word => service.text.includes(word));
      const seen = found && (!status.value || status.value === service.status);
      service.parts.forEach(part => part.hidden = !seen);
      count += seen;
    }
    told.textContent = `${count} of ${services.size} services`;
  };
  text.oninput = status.onchange = show;
  search.hidden = false;
  told.textContent = `${services.size} services`;
}
"""
