# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Checks that apply to every option of every module."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from .errors import Refused

DEEPEST = 100  # levels; AWS allows fewer everywhere
LARGEST = 2**63 - 1  # AWS has no larger integer


def check_value(option: str, value: object) -> None:
    """Raise ``Refused`` for a value, or a value nested in it, that neither a request to AWS nor a result can carry."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise too_deep(option)
        for each in level:
            _check_scalar(option, each)
        level, depth = [inner for each in level for inner in _inside(each)], depth + 1


def too_deep(option: str) -> Refused:
    """Return the error for a value that is nested too deeply."""
    return Refused(f"{option} must not be nested more than {DEEPEST} levels deep. Flatten it")


def _check_scalar(option: str, value: object) -> None:
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused(
            f"{option} must be Unicode text, but contains half of a surrogate pair (U+D800 to U+DFFF). "
            "Write the character itself"
        )
    if isinstance(value, (int, float)):
        _check_number(option, value)


def _inside(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, (list, tuple)) else []


def given_values(arguments: Mapping[str, Any], values: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Return the values that the user gave, by name. An option or suboption that is null counts as omitted.

    Ansible would pass null on, even for an option with a default. ``arguments`` is an argument spec. Options that it
    does not contain are kept, because Ansible reports them. Raises ``Refused``.
    """
    known = {name: spec for option, spec in arguments.items() for name in (option, *spec.get("aliases", ()))}
    given = {}
    for name, value in values.items():
        if value is not None:
            check_value("The name of an option", name)
            check_value(within + name, value)
            given[name] = _given(within + name, known.get(name, {}), value)
    return given


def _given(option: str, spec: Mapping[str, Any], value: Any) -> Any:
    sort, inner = spec.get("type", "str"), spec.get("options")
    if sort in ("int", "float") and isinstance(value, str):
        _check_number(option, value)
    elif sort == "list":
        if isinstance(value, (str, int, float)):
            value = str(value).split(",")  # as Ansible does
        if not isinstance(value, list):
            raise Refused(f"{option} must be a list (got {type(value).__name__}). Write its entries")
        return [_given(option, {"type": spec.get("elements"), "options": inner}, each) for each in value]
    elif sort == "dict":
        value = _read_dict(value) if isinstance(value, str) else value
        check_value(option, value)
        if isinstance(value, Mapping):
            return given_values(inner, value, f"{option}.") if inner else value
        if not isinstance(value, str) or value.startswith("{") or "=" not in value:  # Ansible reads a=b, c=d
            sort = type(value).__name__ if value is not None else "null"
            # ansible-lint recognises these words of Ansible's own error, and ignores them if the text is a template.
            raise Refused(f"argument '{option}' is of type {sort} and must be a dictionary. Write keys and values")
    return value


def _check_number(option: str, written: float | str) -> None:
    """Raise ``Refused`` for a number that is not finite or too large, which Ansible may take for ever to convert."""
    try:
        number = written if isinstance(written, int) else float(written)
    except ValueError:
        return  # Ansible reports it
    if not -LARGEST <= number <= LARGEST:
        got = "a larger one" if isinstance(number, int) else f"{number:g}"
        raise Refused(f"{option} must be a number from -2^63 to 2^63 (got {got})")


def _read_dict(text: str) -> object:
    """Return the dictionary that is written as JSON or Python, the two forms that Ansible reads; otherwise the text."""
    if text.startswith("{"):
        for read in (json.loads, ast.literal_eval):
            try:
                value: object = read(text)
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue
            return value
    return text
