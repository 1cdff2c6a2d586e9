# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Event patterns from JSON text, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from ...errors import Refused

DEEPEST = 100
_TOO_DEEP = object()
_EXAMPLE = 'Give something like {"source": ["aws.ecs"]}'


def parse_pattern(option: str, written: str | Mapping[str, Any]) -> dict[str, Any]:
    """The pattern, from JSON text or from data. Raises ``Refused``, also for a key that an object has twice.

    EventBridge takes the last of such keys, and says nothing about the conditions that are lost.
    """
    if isinstance(written, Mapping):
        try:
            written = json.dumps(written)
        except (TypeError, ValueError) as error:
            raise Refused(f"{option} has something that JSON has not: {error}") from None
    if not isinstance(written, str):
        raise Refused(f"{option} is not a JSON object. {_EXAMPLE}")

    def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _value in pairs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise Refused(
                f"{option}: '{twice}' is written twice in one object, and EventBridge would forget the first. "
                "Put the values of both into one list, or the objects into one"
            )
        return dict(pairs)

    def no_number(text: str) -> NoReturn:
        raise Refused(f"{option}: {text} is not JSON")

    try:
        pattern = json.loads(written, object_pairs_hook=unique, parse_constant=no_number)
    except ValueError as error:
        raise Refused(f"{option} is not JSON: {error}. Give a dictionary, or the text of a JSON object") from None
    except RecursionError:
        pattern = _TOO_DEEP
    if pattern is _TOO_DEEP or _depth(pattern) > DEEPEST:
        raise Refused(f"{option} is nested more than {DEEPEST} levels deep, and no event is")
    if not isinstance(pattern, dict):
        raise Refused(f"{option} is not a JSON object. {_EXAMPLE}")
    return pattern


def _depth(value: Any) -> int:
    """How many objects and arrays lie in each other."""
    level, depth = [value], 0
    while level := [inner for each in level if isinstance(each, (dict, list)) for inner in _inside(each)]:
        depth += 1
    return depth


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def parse_event(written: str | Mapping[str, Any]) -> Mapping[str, Any]:
    """An event, from JSON text or from data. Raises ``Refused``."""
    if isinstance(written, str):
        try:
            written = json.loads(written)
        except ValueError as error:
            raise Refused(f"the event is not JSON: {error}") from None
    if not isinstance(written, Mapping):
        raise Refused("the event is not an object. Give a dictionary, or the text of a JSON object")
    return written


def pattern_text(pattern: Mapping[str, Any]) -> str:
    """The shortest JSON, because its length is limited."""
    return json.dumps(pattern, separators=(",", ":"), ensure_ascii=False)
