# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check event patterns as EventBridge does. The collection's matcher decides whether an event matches a pattern.

The messages are AWS's own where those are known, but omit the position in the text that AWS adds.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

STRINGS = ("prefix", "suffix", "wildcard", "equals-ignore-case")
TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard "
    "character"
)


def read_pattern(text: str) -> dict[str, Any]:
    """Parse a pattern. Raise ValueError with AWS's reason if it is invalid."""
    try:
        pattern = json.loads(text)
    except ValueError as problem:
        raise ValueError(f"Unrecognized token: {problem}") from problem
    if not isinstance(pattern, dict):
        raise ValueError("Filter is not an object")  # noqa: TRY004 - one error for all that AWS refuses
    for reason in reasons(pattern):
        raise ValueError(reason)
    return pattern


def reasons(pattern: dict[str, Any]) -> Iterator[str]:
    if not pattern:
        yield "Empty objects are not allowed"
    for name, value in pattern.items():
        if name == "$or" and isinstance(value, list):
            if len(value) < 2 or not all(isinstance(each, dict) for each in value):
                yield "There must have at least 2 Objects in $or relationship."
            else:
                for each in value:
                    yield from reasons(each)
        elif isinstance(value, dict):
            yield from reasons(value)
        elif not isinstance(value, list):
            yield f'"{name}" must be an object or an array'
        elif not value:
            yield "Empty arrays are not allowed"
        else:
            for entry in value:
                yield from entry_reasons(entry)


def entry_reasons(entry: Any) -> Iterator[str]:
    if isinstance(entry, list):
        yield "Match value must be String, number, true, false, or null"
    if not isinstance(entry, dict):
        return
    if len(entry) != 1:
        yield "Only one key allowed in match expression"
        return
    ((kind, value),) = entry.items()
    if kind in ("prefix", "suffix") and isinstance(value, dict) and list(value) == ["equals-ignore-case"]:
        kind, value = "equals-ignore-case", value["equals-ignore-case"]
    if kind in STRINGS:
        yield from string_reasons(kind, value)
    elif kind == "anything-but":
        yield from anything_but(value)
    elif kind == "numeric":
        yield from numeric(value)
    elif kind == "exists":
        if not isinstance(value, bool):
            yield "exists match pattern must be either true or false."
    elif kind == "cidr":
        yield from cidr(value)
    else:
        yield f"Unrecognized match type {kind}"


def string_reasons(kind: str, value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{kind} match pattern must be a string"
    elif kind == "wildcard":
        if "**" in value:
            yield f"Consecutive wildcard characters at pos {value.index('**')}"
        elif len(value.split("*")) > 6:  # AWS counts states; this is close enough to refuse what AWS was seen to refuse
            yield TOO_COMPLEX


def anything_but(value: Any) -> Iterator[str]:
    wrong = "Value of anything-but must be an array or single string/number value."
    if isinstance(value, dict):
        ((kind, inner),) = value.items() if len(value) == 1 else (("", None),)
        each = inner if isinstance(inner, list) else [inner]
        if kind not in STRINGS or isinstance(inner, dict):
            yield wrong
        elif kind == "equals-ignore-case" and not all(isinstance(text, str) for text in each):
            yield "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."
        elif not each or not all(isinstance(text, str) for text in each):
            yield f"{'wildcard' if kind == 'wildcard' else 'prefix/suffix'} match pattern must be a string"
        elif kind in ("prefix", "suffix") and "" in each:
            yield "Null prefix/suffix not allowed"
    elif isinstance(value, list):
        kinds = {str if isinstance(each, str) else float for each in value if is_scalar(each)}
        if not value or not all(map(is_scalar, value)):
            yield "Inside anything but list, start|null|boolean is not supported."
        elif len(kinds) > 1:
            yield "Inside anything but list, either all values are number or string, mixed type is not supported"
    elif not is_scalar(value):
        yield wrong


def is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def numeric(value: Any) -> Iterator[str]:
    if not isinstance(value, list):
        yield "Value of numeric must be an array."
        return
    operators = value[::2]
    if not operators or operators[0] not in ("=", "<", "<=", ">", ">="):
        yield f"Unrecognized numeric range operator: {operators[0] if operators else ''}"
        return
    for place, operator in enumerate(operators):
        numbers = value[2 * place + 1 : 2 * place + 2]
        if not numbers or isinstance(numbers[0], (str, bool)) or not isinstance(numbers[0], (int, float)):
            yield f"Value of {operator} must be numeric"
            return
        if not -5e9 <= numbers[0] <= 5e9:
            yield f"Value must be between -5.0E9 and 5.0E9, inclusive: {numbers[0]}"
    if len(operators) > 2 or (
        len(operators) == 2 and not (operators[0][0] == ">" and str(operators[1])[:1] == "<" and value[1] < value[3])
    ):
        yield f"Bad numeric range operator: {operators[1]}"


def cidr(value: Any) -> Iterator[str]:
    if not isinstance(value, str):
        yield "prefix match pattern must be a string"
        return
    address, slash, bits = value.partition("/")
    if not slash:
        yield "Malformed CIDR, one '/' required"
    elif not bits.isdigit():
        yield "Malformed CIDR, mask bits must be an integer"
    else:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield f"Nonstandard IP address: {address}"
