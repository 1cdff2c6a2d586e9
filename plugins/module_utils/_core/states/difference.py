# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Find the places where two JSON values differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..change import Change


def definition_changes(change: Change) -> list[dict[str, Any]]:
    """Return the differences between two definitions; none if the state machine is created or deleted."""
    if change.before is None or change.after is None:
        return []
    return differences(change.before["definition"], change.after["definition"])


def differences(before: Any, after: Any, path: str = "$") -> list[dict[str, Any]]:
    """Return each place that differs, once, as {"path", "before", "after"}. A side with nothing there has no key."""
    return list(_walk(before, after, path))


def _walk(before: Any, after: Any, path: str) -> Iterator[dict[str, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            yield from _member(before, after, key, f"{path}.{key}" if _plain(key) else f"{path}['{key}']")
    elif isinstance(before, list) and isinstance(after, list):
        sides = dict(enumerate(before)), dict(enumerate(after))
        for index in range(max(len(before), len(after))):
            yield from _member(*sides, index, f"{path}[{index}]")
    elif not same(before, after):
        yield {"path": path, "before": before, "after": after}


def _member(before: Mapping[Any, Any], after: Mapping[Any, Any], key: Any, path: str) -> Iterator[dict[str, Any]]:
    if key in before and key in after:
        yield from _walk(before[key], after[key], path)
    elif key in before:
        yield {"path": path, "before": before[key]}
    else:
        yield {"path": path, "after": after[key]}


def same(before: Any, after: Any) -> bool:
    """Return whether two values are equal as JSON: 2 equals 2.0, but true does not equal 1."""
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)


def _plain(key: str) -> bool:
    return key.isidentifier()
