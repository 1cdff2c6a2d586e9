# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""How the targets of load balancers are named."""

from __future__ import annotations

import ipaddress


def target_name(address: str, port: int | None) -> str:
    """``10.0.1.7:8080`` or ``i-0abc:32768``; an IPv6 address always in its shortest form."""
    return f"{plain_address(address)}:{port}"


def plain_address(address: str) -> str:
    """An IPv6 address in its shortest form; anything else as it is."""
    return ipaddress.ip_address(address).compressed if ":" in address else address
