# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Find the mistakes in an event pattern: what EventBridge would refuse, and what it accepts but never matches."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .ecs_events import known_mistakes
from .findings import Finding, error, warning
from .match import OR, lost_conditions, ways_through
from .operators import COMPARISONS, UnreadablePattern, is_number, listed, wildcard
from .parse import pattern_text

LONGEST = 4096  # characters that PutRule accepts
QUOTA = 2048  # characters that an account may use, unless it has asked for more
MOST_WAYS = 1000  # sets of conditions that $or may make of one pattern
FARTHEST = 5e9  # EventBridge promises to compare numbers between this and its negative

OPERATORS = ("prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "exists", "cidr")
_EXCLUDABLE = ("prefix", "suffix", "equals-ignore-case", "wildcard")

# EventBridge treats $or as the name of a field if a field inside of it has one of these names.
_RESERVED = {*OPERATORS, *COMPARISONS, "exactly", "regex", "not-wildcard", "not-equals-ignore-case"}


def lint(pattern: Mapping[str, Any], repeats_are_meant: bool = False) -> list[Finding]:
    """Return all findings about a pattern, errors first. EventBridge accepts a pattern without errors.

    ``repeats_are_meant``: the rule is meant to match a task at every change of its state.
    """
    found = list(_object(pattern, "", 0))
    size = len(pattern_text(pattern))
    if size > LONGEST:
        found.append(
            error("", f"it has {size} characters, but EventBridge allows {LONGEST}: split it into several rules")
        )
    elif size > QUOTA:
        words = f"it has {size} characters, but the quota is {QUOTA} unless AWS has raised it for your account"
        found.append(warning("", f"{words}: split it into several rules, or request a higher quota"))
    if not any(finding.is_error for finding in found):
        words = (
            "it is used both outside and inside of $or, or in two of them, and EventBridge would ignore one of the "
            "conditions: put the field into every object of one $or, and nowhere else"
        )
        found += [error(path, words) for path in sorted(lost_conditions(pattern))]
        for way in ways_through(pattern):
            found += known_mistakes(way, repeats_are_meant)
    return sorted(dict.fromkeys(found), key=lambda finding: not finding.is_error)


def _object(inner: Mapping[str, Any], path: str, depth: int) -> Iterator[Finding]:
    if not inner:
        yield error(path, "it is an empty object: name a field of the event in it, or omit it")
    if depth == 0 and _ways(inner) > MOST_WAYS:
        yield error(path, f"its $or make more than {MOST_WAYS} combinations: split it into several rules")
        return
    for name, value in inner.items():
        if name == OR:
            yield from _or(value, path, depth)
        elif isinstance(value, Mapping):
            yield from _object(value, f"{path}.{name}" if path else name, depth + 1)
        else:
            yield from _leaf(value, f"{path}.{name}" if path else name)


def _or(value: Any, path: str, depth: int) -> Iterator[Finding]:
    place = f"{path}.{OR}" if path else OR
    if not isinstance(value, (list, tuple)) or not all(isinstance(branch, Mapping) for branch in value):
        yield error(place, "it must be a list of objects, each with the conditions of one alternative")
        return
    if len(value) < 2:
        yield error(place, f"it must have two objects or more (got {len(value)}): without alternatives, omit $or")
    for branch in value:
        if not branch:
            yield error(place, "one of its objects is empty: name a field in it, or omit it")
            continue
        reserved = sorted(_names(branch) & _RESERVED)
        if reserved:
            yield error(place, f"EventBridge does not allow {reserved[0]!r} as the name of a field in it")
        yield from _object(branch, path, depth + 1)


def _names(inner: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields in it, at any depth."""
    deeper = [_names(value) for value in inner.values() if isinstance(value, Mapping)]
    return set(inner).union(*deeper) - {OR}


def _ways(inner: Any) -> int:
    """Return the number of sets of conditions into which ``$or`` divides it."""
    if not isinstance(inner, Mapping):
        return 1
    return math.prod(
        sum(_ways(branch) for branch in listed(value)) if name == OR else _ways(value) for name, value in inner.items()
    )


def _leaf(value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, (list, tuple)):
        yield error(path, f"its value must be a list of alternatives: write [{_shown(value)}]")
        return
    if not value:
        yield error(path, "it is an empty list, which nothing can match: name a value in it, or omit it")
    for entry in value:
        if isinstance(entry, Mapping):
            yield from _operator(entry, path)
        elif isinstance(entry, (list, tuple)):
            yield error(path, "its list contains a list: put all alternatives into one list")
    starred = [
        entry for entry in value if isinstance(entry, Mapping) and str(entry.get("wildcard", "")).startswith("*")
    ]
    if len(starred) > 10:
        words = f"it has {len(starred)} wildcards that begin with *, which EventBridge may refuse as too complex"
        yield warning(path, f"{words}: use prefix or suffix, or split it into several rules")


def _operator(entry: Mapping[str, Any], path: str) -> Iterator[Finding]:
    if len(entry) != 1:
        yield error(path, f"each operator needs an object of its own, but this one has {len(entry)}: {_list(entry)}")
        return
    ((name, operand),) = entry.items()
    if name not in OPERATORS:
        import difflib  # noqa: PLC0415 - slow to import, and only mistakes need it

        near = difflib.get_close_matches(str(name).replace("_", "-"), OPERATORS, 1)
        meant = f"is {near[0]!r} meant?" if near else f"they are {_list(OPERATORS)}"
        yield error(path, f"{name!r} is not an operator of EventBridge: {meant}")
        return
    said = _CHECKS[name](operand)
    if said:
        yield error(path, f"{name} {said}")
    elif name == "numeric" and any(abs(bound) > FARTHEST for bound in operand[1::2]):
        yield warning(path, "EventBridge promises to compare numbers from -5e9 to 5e9 only: use smaller ones")


def _text_or_ignoring_case(operand: Any) -> str | None:
    if isinstance(operand, Mapping):
        inside = operand.get("equals-ignore-case")
        return (
            None if len(operand) == 1 and isinstance(inside, str) else 'takes a string or {"equals-ignore-case": "..."}'
        )
    return _string(operand)


def _string(operand: Any) -> str | None:
    return None if isinstance(operand, str) else f"takes a string, not {_shown(operand)}"


def _wildcard(operand: Any) -> str | None:
    if not isinstance(operand, str):
        return _string(operand)
    try:
        wildcard(operand)
    except UnreadablePattern:
        return r"takes a backslash only in front of * and of another backslash: write \\ for it"
    if "**" in operand.replace("\\\\", "").replace("\\*", ""):
        return "does not take two * one after another: write one"
    return None


def _exists(operand: Any) -> str | None:
    return None if isinstance(operand, bool) else f"takes true or false, not {_shown(operand)}"


def _cidr(operand: Any) -> str | None:
    try:
        network = ipaddress.ip_network(operand, strict=False)
        if isinstance(operand, str) and "/" in operand and network.prefixlen < network.max_prefixlen:
            return None
    except (ValueError, TypeError):
        pass
    return "takes a block of addresses such as 10.0.0.0/24; a single address is written as it is, without an operator"


def _numeric(operand: Any) -> str | None:
    if not isinstance(operand, (list, tuple)) or len(operand) not in {2, 4}:
        return 'takes a list of one comparison or two, such as [">", 0, "<=", 5]'
    signs, bounds = operand[::2], operand[1::2]
    if not all(isinstance(sign, str) and sign in COMPARISONS for sign in signs):
        return f"compares with {_list(COMPARISONS)}; for everything else there is anything-but"
    if not all(map(is_number, bounds)):
        return "compares with numbers, which are written without quotes"
    if len(signs) == 2 and not (signs[0] in {">", ">="} and signs[1] in {"<", "<="}):
        return 'takes the lower bound first and the upper bound second, such as [">", 0, "<=", 5]'
    if len(signs) == 2 and bounds[0] >= bounds[1]:
        return "has a lower bound that is not below its upper bound"
    return None


def _anything_but(operand: Any) -> str | None:
    if isinstance(operand, Mapping):
        if len(operand) != 1 or not operand.keys() <= set(_EXCLUDABLE):
            return f"takes values, or one of {_list(_EXCLUDABLE)}"
        name, inner = next(iter(operand.items()))
        said = [_CHECKS[name](text) if isinstance(text, str) else _string(text) for text in listed(inner)]
        if not said or (name in {"prefix", "suffix"} and "" in listed(inner)):
            return f"with {name} needs a text to exclude"
        return next((f"with {name} {words}" for words in said if words), None)
    values = listed(operand)
    if not values:
        return "needs a value to exclude"
    if all(isinstance(value, str) for value in values) or all(map(is_number, values)):
        return None
    return "takes either strings or numbers in one list. Write two conditions, or remove one kind"


_CHECKS = {
    "prefix": _text_or_ignoring_case,
    "suffix": _text_or_ignoring_case,
    "equals-ignore-case": _string,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
}


def _shown(value: Any) -> str:
    return pattern_text({"": value})[4:-1]


def _list(names: Iterable[Any]) -> str:
    return ", ".join(map(str, names))
