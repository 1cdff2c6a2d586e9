# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Compare what two patterns mean, however they are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .match import OR
from .operators import listed


def same_pattern(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether both mean the same. The order of keys and alternatives, and repetitions, make no difference."""
    return _canonical(one) == _canonical(other)


def _canonical(pattern: Mapping[str, Any]) -> str:
    return _text(
        {
            name: _alternatives(_canonical(branch) for branch in inner)
            if name == OR and isinstance(inner, (list, tuple)) and all(isinstance(each, Mapping) for each in inner)
            else _canonical(inner)
            if isinstance(inner, Mapping)
            else _alternatives(_entry(entry) for entry in listed(inner))
            for name, inner in pattern.items()
        }
    )


def _entry(entry: Any) -> str:
    """Return one alternative as text. The values of anything-but have no order either; those of numeric have one."""
    if isinstance(entry, Mapping) and "anything-but" in entry:
        operand = entry["anything-but"]
        return _text({**entry, "anything-but": _excluded(operand)})
    return _text(entry)


def _excluded(operand: Any) -> Any:
    if isinstance(operand, Mapping):
        return {name: _alternatives(_text(each) for each in listed(values)) for name, values in operand.items()}
    return _alternatives(_text(each) for each in listed(operand))


def _alternatives(texts: Iterable[str]) -> list[str]:
    return sorted(set(texts))


def _text(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    """Return the value with whole floats as integers, because 1.0 and 1 are one number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value
