# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job slicing: which part of an inventory AWX hands to each job of a sliced job template."""

from __future__ import annotations

from typing import Any


def slice_of(inventory: dict[str, Any], number: int, count: int) -> dict[str, Any]:
    """Return the inventory of slice ``number``, from 1, of ``count``. Source: Inventory.get_script_data of AWX.

    ``inventory`` is what ``ansible-inventory --list`` prints, which AWX keeps. A slice gets every ``count``-th host,
    ordered by name. Its groups contain only hosts of the slice.
    """
    hostvars = inventory["_meta"]["hostvars"]
    hosts = sorted(hostvars)[number - 1 :: count]
    groups = {
        name: {**group, "hosts": [host for host in group.get("hosts", []) if host in hosts]}
        for name, group in inventory.items()
        if name != "_meta"
    }
    return {**groups, "_meta": {"hostvars": {host: hostvars[host] for host in hosts}}}
