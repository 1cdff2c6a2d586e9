# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The services of a fleet, named in the options or selected by clusters, names and tags, with the needed facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..._core.errors import Refused
from ..._core.fleet.jobs import LARGEST_FIRST, Wanted, of_facts
from ..._core.fleet.selection import read_selection
from ..calls.ecs_lists import SERVICES_AT_ONCE, describe_services
from .fleet import FleetReader

WORKERS = 8  # calls in flight while the services are searched


@dataclass
class Members:
    """Services to recycle. ``facts`` are by ``cluster/service``, and may be missing if they are not needed."""

    wanted: list[Wanted]
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def find_members(ecs: Any, named: Sequence[Wanted], params: Mapping[str, Any]) -> Members:
    """Return the ``named`` services or, if there are none, those that ``clusters``, ``names`` and ``tags`` select.

    Raises ``Refused``, ``Failed`` and ``CallFailed``.
    """
    if not named:
        return _chosen(ecs, params)
    members = Members(list(named))
    if not params["wave_tag"] and params["fleet_order"] != LARGEST_FIRST:
        return members
    clusters: dict[str, list[str]] = {}
    for each in named:
        clusters.setdefault(each.cluster, []).append(each.service)
    for cluster, services in clusters.items():
        for first in range(0, len(services), SERVICES_AT_ONCE):
            for facts in describe_services(ecs, cluster, services[first : first + SERVICES_AT_ONCE]):
                members.facts[f"{facts['cluster']}/{facts['service']}"] = facts
    return members


def _chosen(ecs: Any, params: Mapping[str, Any]) -> Members:
    region = ecs.meta.region_name
    options = {"clusters": params["clusters"], "services": params["names"], "tags": params["tags"]}
    selection = read_selection({**options, "regions": [], "statuses": ["ACTIVE"]}, region)
    elsewhere = [each for each in selection.regions if each != region]
    if elsewhere:
        raise Refused(
            f"clusters names a cluster in {', '.join(elsewhere)}, but region is {region}. Use a task for each region"
        )
    rate, patience = params["calls_per_second"], params["wait_timeout"]
    found = FleetReader({region: ecs}, selection, WORKERS, rate, patience).read()
    names, patterns = selection.not_found(found.clusters)
    if names:
        raise Refused(f"clusters: no cluster in {region} is named {', '.join(names)}. Check clusters and region")
    warnings = [f"no cluster in {region} matches {pattern}" for pattern in patterns]
    warnings += [f"{words} was deleted while it was read, and is omitted" for words in sorted(set(found.gone))]
    if not found.services:
        warnings.append("no service matches clusters, names and tags, so nothing was done")
    facts = {f"{each['cluster']}/{each['service']}": each for each in found.services}
    return Members(of_facts(found.services), dict(facts), warnings)
