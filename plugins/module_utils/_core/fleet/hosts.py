# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Services as inventory hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import Refused

PREFIX = "ecs_"


def host_vars(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the host's variables. They share a prefix: 'tags' is a play keyword, and 'service' a common variable.

    Nobody can log in to a service, so the connection is local: work on it is done where Ansible runs.
    """
    return {**{f"{PREFIX}{name}": value for name, value in facts.items()}, "ansible_connection": "local"}


def host_name(facts: Mapping[str, Any], with_region: bool) -> str:
    """Return ``service.cluster`` or ``service.cluster.region``.

    ECS names contain no dots, so no two services get the same, and ``inventory_hostname_short`` is the service's name.
    """
    parts = [facts["service"], facts["cluster"], *([facts["region"]] if with_region else [])]
    return ".".join(parts)


def refuse_same_names(named: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Raise ``Refused`` if two services would be one host. ``named`` are pairs of host name and service facts."""
    seen: dict[str, str] = {}
    for name, facts in named:
        other = seen.setdefault(name, facts["service_arn"])
        if other != facts["service_arn"]:
            raise Refused(
                f"hostname: {other} and {facts['service_arn']} are both named '{name}'. Use an expression that gives"
                " different names, for example with ecs_cluster and ecs_region"
            )
