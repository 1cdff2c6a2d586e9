# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Report which of the known failures a pattern would match if they were failures of what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..events.pattern.ecs_events import has_arns, never_an_arn
from ..events.pattern.match import OR, holds, leaves_of, places_in, ways_through
from ..events.pattern.operators import UnreadablePattern
from .catalogue import CATALOGUE
from .sample_events import APP

# Conditions on whose events are meant, and not on which events.
_WHOSE = {
    "account", "region", "resources", "time",
    "detail.clusterArn", "detail.serviceArn", "detail.taskDefinitionArn", "detail.startedBy", "detail.taskArn",
    "detail.stateMachineArn", "detail.requestParameters.cluster", "detail.requestParameters.taskDefinition",
    "detail.requestParameters.group", "detail.requestParameters.startedBy",
}  # fmt: skip
_OF_A_SERVICE = "service:"


def covers(pattern: Mapping[str, Any] | None) -> list[dict[str, Any]] | None:
    """Return a row for each sample of the catalogue that says whether it would match.

    The result is None without a pattern, or if EventBridge would not accept it. The samples are of one cluster, one
    family and one service. To compare a rule for others with them, conditions on these are taken as fulfilled; a named
    container stands for the main one.
    """
    if pattern is None:
        return None
    try:
        ways = ways_through(_which(pattern, "", pattern.get("source", ())))
        places = places_in(ways)
        return [
            {
                "name": sample.name,
                "description": sample.description,
                "kind": sample.kind,
                "failure": sample.failure,
                "alert": holds(ways, leaves_of(sample.event, places)),
            }
            for sample in CATALOGUE
        ]
    except UnreadablePattern:
        return None


def _which(pattern: Mapping[str, Any], path: str, sources: Any) -> dict[str, Any]:
    """Return the pattern without conditions on whose events are meant. Conditions that nothing can meet are kept."""
    kept: dict[str, Any] = {}
    for name, inner in pattern.items():
        place = f"{path}{name}"
        if name == OR and isinstance(inner, (list, tuple)):
            kept[name] = [_which(branch, path, sources) if isinstance(branch, Mapping) else branch for branch in inner]
        elif isinstance(inner, Mapping):
            kept[name] = _which(inner, f"{place}.", sources)
        elif place == "detail.group" and isinstance(inner, (list, tuple)):
            kept[name] = [group for entry in inner for group in _any_group(entry)]
        elif place == "detail.containers.name" and isinstance(inner, (list, tuple)):
            kept[name] = [entry if _excludes(entry) else APP for entry in inner]
        elif place not in _WHOSE or _never(place, inner, sources):
            kept[name] = inner
    return kept


def _never(place: str, entries: Any, sources: Any) -> bool:
    """Return whether nothing can meet a condition, such as the name of a cluster where events have its ARN."""
    if not isinstance(entries, (list, tuple)) or not isinstance(sources, (list, tuple)):
        return False
    return has_arns(place, sources) and bool(entries) and all(map(never_an_arn, entries))


def _any_group(entry: Any) -> list[Any]:
    """Replace one service by any service, and one group of tasks by any other group or none."""
    text = entry if isinstance(entry, str) else next(iter(entry.values()), "") if isinstance(entry, Mapping) else ""
    if _excludes(entry) or not isinstance(text, str):
        return [entry]
    of_services = {"prefix": _OF_A_SERVICE}
    return [of_services] if text.startswith(_OF_A_SERVICE) else [{"anything-but": of_services}, {"exists": False}]


def _excludes(entry: Any) -> bool:
    return isinstance(entry, Mapping) and not entry.keys().isdisjoint({"anything-but", "exists"})
