# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Decide whether an event matches an event pattern, as EventBridge does.

Both are taken apart first. The event becomes its leaves, each with its path and its place in the arrays on the way. The
pattern becomes one set of conditions for each way through its ``$or``. A set holds if every path has a leaf that
satisfies one entry of its list, and no two of these leaves come from different elements of the same array.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from .operators import UnreadablePattern, demands_absence, fits

Place = Mapping[int, int]  # the number of an array -> the index in it
Leaves = Mapping[str, Sequence[tuple[Any, Place]]]
Conditions = Mapping[str, Sequence[Any]]  # the path -> the entries, one of which must be satisfied
_Ways = list[dict[str, Sequence[Any]]]

OR = "$or"


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Return whether EventBridge would deliver the event to the targets of a rule with this pattern.

    Both must be parsed JSON. Raises ``UnreadablePattern`` (a ``ValueError``) for a pattern that EventBridge would
    refuse, but only if this event reveals it; ``lint`` finds every such mistake.
    """
    ways = ways_through(pattern)
    return holds(ways, leaves_of(event, places_in(ways)))


def holds(ways: Sequence[Conditions], leaves: Leaves) -> bool:
    """Return the same as ``matches``, for callers that take patterns and events apart once to compare many of them."""
    return any(_hold(list(conditions.items()), leaves, {}) for conditions in ways)


def ways_through(pattern: Mapping[str, Any]) -> list[Conditions]:
    """Return the sets of conditions that ``$or`` makes of a pattern, in the order of their paths; one must hold.

    If a field is both outside and inside of ``$or``, the condition that is written last counts and the other one is
    lost. AWS's engine does this, so this function must do the same.
    """
    return [dict(sorted(conditions.items())) for conditions in _read(pattern, "", [{}], set())]


def lost_conditions(pattern: Mapping[str, Any]) -> set[str]:
    """Return the paths of fields that lose a condition: see ``ways_through``."""
    lost: set[str] = set()
    _read(pattern, "", [{}], lost)
    return lost


def _read(pattern: Mapping[str, Any], path: str, ways: _Ways, lost: set[str]) -> _Ways:
    """Return the ways, with the conditions of this part of the pattern added to each."""
    for name, inner in pattern.items():
        if name == OR:
            ways = [
                way for branch in _branches(inner) for way in _read(branch, path, [dict(way) for way in ways], lost)
            ]
        elif isinstance(inner, Mapping):
            ways = _read(inner, f"{path}{name}.", ways, lost)
        elif isinstance(inner, (list, tuple)):
            for way in ways:
                if path + name in way:
                    lost.add(path + name)
                way[path + name] = inner
        else:
            raise UnreadablePattern(f"{path}{name} must be a list or an object, not {inner!r}")
    return ways


def _branches(inner: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(inner, (list, tuple)) or not all(isinstance(branch, Mapping) for branch in inner):
        raise UnreadablePattern("$or takes a list of objects")
    return inner


def places_in(ways: Sequence[Conditions]) -> set[str]:
    """Return the paths of the conditions and of the objects around them."""
    paths = {path for way in ways for path in way}
    return {place for path in paths for place in accumulate(path.split("."), "{}.{}".format)}


def leaves_of(event: Mapping[str, Any], places: Container[str]) -> Leaves:
    """Return the event's leaves in these places, by path. An empty array or object has none, as if it were absent."""
    leaves: dict[str, list[tuple[Any, Place]]] = {}
    arrays = iter(range(1_000_000))

    def take(value: Any, path: str, place: Place) -> None:
        # Most values are text, and checking for str is faster than checking for Mapping.
        if not isinstance(value, str) and isinstance(value, Mapping):
            for name, inner in value.items():
                inside = f"{path}.{name}" if path else name
                if inside in places:
                    take(inner, inside, place)
        elif isinstance(value, (list, tuple)):
            number = next(arrays)
            for index, inner in enumerate(value):
                # Only objects and arrays tie other conditions to their element; a scalar contains nothing else.
                bound = {**place, number: index} if isinstance(inner, (Mapping, list, tuple)) else place
                take(inner, path, bound)
        else:
            leaves.setdefault(path, []).append((value, place))

    take(event, "", {})
    return leaves


def _hold(conditions: Sequence[tuple[str, Sequence[Any]]], leaves: Leaves, place: Place) -> bool:
    """Return whether these conditions, in the order of their paths, hold for leaves that agree with the place."""
    if not conditions:
        return True
    (path, entries), *rest = conditions
    candidates = list(_agreeing(leaves.get(path, ()), place))
    # A field is absent if no element that the earlier conditions allow has it. Without earlier ones, all are allowed.
    if not candidates and any(demands_absence(entry) for entry in entries) and _hold(rest, leaves, place):
        return True
    return any(
        any(fits(value, entry) for entry in entries) and _hold(rest, leaves, joined) for value, joined in candidates
    )


def _agreeing(leaves: Sequence[tuple[Any, Place]], place: Place) -> Iterator[tuple[Any, Place]]:
    for value, where in leaves:
        if not where:
            yield value, place
        elif all(place.get(number, index) == index for number, index in where.items()):
            yield value, {**place, **where}
