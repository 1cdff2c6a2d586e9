# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluate the rules of a Choice state."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .asl_paths import AslError, look_up

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
}


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_timestamp(value: Any) -> bool:
    try:
        return isinstance(value, str) and "T" in value and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


TYPES: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str),
    "Numeric": is_number,
    "Boolean": lambda value: isinstance(value, bool),
    "Timestamp": is_timestamp,
}
TESTS: dict[str, Callable[[Any], bool]] = {
    "IsNull": lambda value: value is None,
    "IsString": TYPES["String"],
    "IsNumeric": is_number,
    "IsBoolean": TYPES["Boolean"],
    "IsTimestamp": is_timestamp,
}


def holds(rule: dict[str, Any], data: Any, context: dict[str, Any]) -> bool:
    if "And" in rule:
        return all(holds(each, data, context) for each in rule["And"])
    if "Or" in rule:
        return any(holds(each, data, context) for each in rule["Or"])
    if "Not" in rule:
        return not holds(rule["Not"], data, context)
    name = next((key for key in rule if key not in ("Variable", "Next", "Comment", "Assign")), "")
    wanted = rule.get(name)
    try:
        value = look_up(rule["Variable"], data, context)
    except LookupError:
        if name == "IsPresent":
            return not wanted
        raise AslError("States.Runtime", f"Invalid path '{rule.get('Variable')}': the choice state's condition path "
                       "references an invalid value.") from None  # fmt: skip
    if name == "IsPresent":
        return bool(wanted)
    if name in TESTS:
        return TESTS[name](value) == wanted
    if name.endswith("Path"):
        name, wanted = name.removesuffix("Path"), look_up(str(wanted), data, context)
    return compare(name, value, wanted)


def compare(name: str, value: Any, wanted: Any) -> bool:
    """Compare two values. The result is False if either is not of the comparison's type."""
    if name == "StringMatches":
        pieces = re.split(r"(\\\*|\*)", wanted)  # an escaped asterisk is literal, any other is a wildcard
        pattern = "".join(".*" if each == "*" else re.escape(each.replace("\\*", "*")) for each in pieces)
        return isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None
    for kind, is_one in TYPES.items():
        order = name.removeprefix(kind)
        if name.startswith(kind) and order in ORDERS:
            if not is_one(value) or not is_one(wanted):
                return False
            if kind == "Timestamp":
                value, wanted = datetime.fromisoformat(value), datetime.fromisoformat(wanted)
            return ORDERS[order](value, wanted)
    raise AslError("States.Runtime", f"The sandbox knows no comparison {name}.")
