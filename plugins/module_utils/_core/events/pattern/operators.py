# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Compare one value of an event with one entry of a pattern's list.

A value is what JSON has: a string, a number, true, false or null. The string operators compare strings, ``numeric``
compares numbers. An operator never fits a value of another type, and therefore ``anything-but`` always does.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class UnreadablePattern(ValueError):
    """EventBridge would not accept this pattern either."""


def fits(value: Any, entry: Any) -> bool:
    """Return whether a value that is present satisfies one entry of the list. Raises ``UnreadablePattern``."""
    if not isinstance(entry, Mapping):
        return _equal(value, entry)
    name, operand = only(entry)
    if name == "exists":
        return bool(operand)
    if name == "anything-but":
        return _anything_but(value, operand)
    if name == "numeric":
        return is_number(value) and _numeric(value, operand)
    if name == "cidr":
        return _inside(value, operand)
    return isinstance(value, str) and _string(name, value, operand)


def demands_absence(entry: Any) -> bool:
    """Return whether the entry is ``{"exists": false}``, which an absent field satisfies."""
    return isinstance(entry, Mapping) and only(entry) == ("exists", False)


def only(entry: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the operator and its operand. Raises ``UnreadablePattern``."""
    if len(entry) != 1:
        raise UnreadablePattern(f"{dict(entry)} must have one operator (got {len(entry)})")
    return next(iter(entry.items()))


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _equal(value: Any, expected: Any) -> bool:
    """Return whether both are equal. 1 and 1.0 are; 1, "1" and true are not. Addresses are compared as addresses."""
    if isinstance(expected, str) and isinstance(value, str):
        return value == expected or (_address(expected) is not None and _address(value) == _address(expected))
    if is_number(expected) and is_number(value):
        return bool(value == expected)
    return value is expected


def _anything_but(value: Any, operand: Any) -> bool:
    if isinstance(operand, Mapping):
        name, texts = only(operand)
        if name not in {"prefix", "suffix", "wildcard", "equals-ignore-case"}:
            raise UnreadablePattern(f"anything-but does not take {name!r}")
        return not isinstance(value, str) or not any(_string(name, value, text) for text in listed(texts))
    # Unlike in a plain entry, an address is compared as text here: this is what EventBridge's engine does.
    return all(is_number(value) is not is_number(other) or bool(value != other) for other in listed(operand))


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and any other value as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _string(name: str, value: str, operand: Any) -> bool:
    ignoring_case = False
    if name in {"prefix", "suffix"} and isinstance(operand, Mapping):
        inner, operand = only(operand)
        if inner != "equals-ignore-case":
            raise UnreadablePattern(f"{name} does not take {inner!r}")
        ignoring_case = True
    if not isinstance(operand, str):
        raise UnreadablePattern(f"{name} takes a string, not {operand!r}")
    if ignoring_case or name == "equals-ignore-case":
        value, operand = value.lower(), operand.lower()
    if name == "prefix":
        return value.startswith(operand)
    if name == "suffix":
        return value.endswith(operand)
    if name == "equals-ignore-case":
        return bool(value == operand)
    if name == "wildcard":
        return wildcard(operand).fullmatch(value) is not None
    raise UnreadablePattern(f"{name!r} is not an operator of EventBridge")


@lru_cache(maxsize=256)
def wildcard(text: str) -> re.Pattern[str]:
    """Compile a wildcard: ``*`` stands for any characters; a backslash makes an asterisk or a backslash literal."""
    meant = {"*": ".*", "\\*": re.escape("*"), "\\\\": re.escape("\\")}
    parts = re.findall(r"\\[*\\]|.", text, re.DOTALL)
    if "\\" in parts:
        raise UnreadablePattern(f"the wildcard {text!r} has a backslash that is before neither * nor \\")
    return re.compile("".join(meant.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _numeric(value: float, operand: Any) -> bool:
    if not isinstance(operand, (list, tuple)) or len(operand) not in {2, 4}:
        raise UnreadablePattern(f'numeric takes a list such as [">", 0, "<=", 5], not {operand!r}')
    for comparison, bound in zip(operand[::2], operand[1::2], strict=True):
        if comparison not in COMPARISONS or not is_number(bound):
            raise UnreadablePattern(f"numeric does not take {comparison!r} {bound!r}")
        if not COMPARISONS[comparison](value, bound):
            return False
    return True


def _inside(value: Any, block: Any) -> bool:
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        raise UnreadablePattern(f"cidr takes a block of addresses such as 10.0.0.0/24, not {block!r}") from None
    address = _address(value) if isinstance(value, str) else None
    return address is not None and bool(address in network)


@lru_cache(maxsize=1024)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    if not text or text[-1] not in "0123456789abcdefABCDEF:":
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
