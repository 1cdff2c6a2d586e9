# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Selects the services of a fleet by regions, clusters, names and tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ..errors import Refused
from ..names import CLUSTER, read_arn
from .patterns import Patterns, is_wild, read_patterns


@dataclass(frozen=True)
class Clusters:
    """The clusters of one region. The ``named`` ones can be described directly; the others must be found first."""

    region: str
    named: tuple[str, ...] = ()  # names or ARNs, as the user wrote them
    sought: Patterns | None = None


@dataclass(frozen=True)
class Selection:
    """``tags``: key -> patterns, one of which must match the value. ``statuses``: empty for any."""

    clusters: tuple[Clusters, ...]
    services: Patterns = field(default_factory=Patterns)
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statuses: tuple[str, ...] = ()

    @property
    def regions(self) -> tuple[str, ...]:
        return tuple(each.region for each in self.clusters)

    def takes(self, facts: Mapping[str, Any]) -> bool:
        """Return whether a described service belongs to the fleet. Its name and cluster were checked before."""
        tags: Mapping[str, str] = facts["tags"]
        return (not self.statuses or facts["status"] in self.statuses) and all(
            key in tags and any(fnmatchcase(tags[key], pattern) for pattern in patterns)
            for key, patterns in self.tags.items()
        )

    def not_found(self, found: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
        """Return the names and patterns that match no cluster of any region. ``found``: region -> names of clusters."""
        lacking = [
            set(each.sought.without_a_match(found.get(each.region, ()))) for each in self.clusters if each.sought
        ]
        nowhere = sorted(set.intersection(*lacking)) if lacking else []
        return [text for text in nowhere if not is_wild(text)], [text for text in nowhere if is_wild(text)]


def read_selection(params: Mapping[str, Any], region: str | None) -> Selection:
    """Read the options regions, clusters, services, tags and statuses.

    ``region`` is that of the connection. It is used if ``regions`` is empty. Raise ``Refused`` for an invalid value.
    """
    return Selection(
        clusters=_clusters(params["clusters"], params["regions"] or ([region] if region else [])),
        services=read_patterns("services", params["services"]),
        tags=_tags(params["tags"]),
        statuses=tuple(params["statuses"]),
    )


def _clusters(written: Sequence[str], regions: Sequence[str]) -> tuple[Clusters, ...]:
    arns: dict[str, list[str]] = {}
    for text in written:
        if text.startswith("arn:"):
            arns.setdefault(read_arn("clusters", text, CLUSTER).region, []).append(text)
    names = read_patterns("clusters", [text for text in written if not text.startswith("arn:")])
    if not regions and (names.included or not arns):
        raise Refused(
            "No AWS region is known. Give region or regions, set AWS_REGION, or give a profile that has a region"
        )
    # A name that is spelt out can be described directly, but among several regions it hardly exists in all of them.
    spelt = tuple(name for name in names.included if not is_wild(name)) if len(set(regions)) == 1 else ()
    wild = tuple(name for name in names.included if name not in spelt)
    everything = not names.included and not arns
    asked = []
    for region in dict.fromkeys([*regions, *arns]):
        named = [*(spelt if region in regions else ()), *arns.get(region, ())]
        kept = tuple(each for each in named if Patterns((), names.excluded).match(each.rpartition("/")[2]))
        sought = Patterns(wild, names.excluded) if region in regions and (wild or everything) else None
        if kept or sought:
            asked.append(Clusters(region, tuple(dict.fromkeys(kept)), sought))
    return tuple(asked)


def _tags(written: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    tags = {}
    for key, value in written.items():
        patterns = value if isinstance(value, (list, tuple)) else [value]
        if not patterns or any(isinstance(each, (Mapping, list, tuple)) or each is None for each in patterns):
            raise Refused(f"tags: {key!r} must be a value, a pattern such as '*', or a list of these")
        tags[str(key)] = tuple(str(each) for each in patterns)
    return tags
