# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths and intrinsic functions of the Amazon States Language that our JSONPath state machines use."""

from __future__ import annotations

import base64
import copy
import json
import random
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, NamedTuple

STEP = re.compile(
    r"""(?P<all>\[\*\]|\.\*) | \.(?P<name>[^.\[\]]+) | \['(?P<quoted>[^']*)'\] | \[(?P<index>-?\d+)\]
    | \[\?\(@(?P<of>[^=!]*?)\s*(?P<sign>==|!=)\s*(?P<value>'[^']*'|[^'\s]+)\s*\)\]""",
    re.VERBOSE,
)


class Those(NamedTuple):
    """The members for which a filter such as [?(@.Name == 'app')] holds. Without a filter: all members."""

    way: tuple[Any, ...] = ()
    value: Any = None
    equal: bool | None = None  # None: no filter

    def hold(self, value: Any) -> bool:
        if self.equal is None:
            return True
        for step in self.way:
            if not has(value, step):
                return False
            value = value[step]
        return bool((value == self.value) == self.equal)


Step = str | int | Those


def compact(value: Any) -> str:
    """Return JSON as Step Functions writes it."""
    return json.dumps(value, separators=(",", ":"))


def timestamp(instant: float) -> str:
    """Format epoch seconds as in the context object and in the answers of AWS SDK integrations."""
    milliseconds = round(instant * 1000)
    second = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"


class AslError(Exception):
    """An error with its name in the States Language and its cause."""

    def __init__(self, error: str, cause: str = "") -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


def steps(path: str) -> list[Step]:
    """Return the steps that a path takes below ``$``."""
    text = path.removeprefix("$")
    found: list[Step] = []
    at = 0
    while at < len(text):
        match = STEP.match(text, at)
        if not match:
            raise AslError(
                "States.Runtime", f"Invalid path '{path}': the sandbox knows no more than names and indices."
            )
        at = match.end()
        if match["all"]:
            found.append(Those())
        elif match["sign"]:
            value = match["value"]
            wanted = value[1:-1] if value.startswith("'") else json.loads(value)
            found.append(Those(tuple(steps(match["of"])), wanted, match["sign"] == "=="))
        elif match["index"] is not None:
            found.append(int(match["index"]))
        else:
            found.append(match["name"] if match["name"] is not None else match["quoted"])
    return found


def look_up(path: str, data: Any, context: dict[str, Any]) -> Any:
    """Return the value at a path of the input (``$``) or context object (``$$``). Raise LookupError if missing."""
    if path.startswith("$$"):
        path, data = path[1:], context
    values, several = [data], False
    for step in steps(path):
        if isinstance(step, Those):
            several = True
            values = [each for value in values for each in members(value) if step.hold(each)]
        elif several:  # a path that may match several values skips missing ones
            values = [value[step] for value in values if has(value, step)]
        else:
            values = [member(value, step, path) for value in values]
    return values if several else values[0]


def members(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def has(value: Any, step: str | int) -> bool:
    if isinstance(step, int):
        return isinstance(value, list) and -len(value) <= step < len(value)
    return isinstance(value, dict) and step in value


def member(value: Any, step: str | int, path: str) -> Any:
    try:
        return value[step]
    except (LookupError, TypeError):
        text = f"The JSONPath '{path}' could not be found in the input '{json.dumps(value)[:500]}'"
        raise LookupError(text) from None


def put(path: str, data: Any, result: Any) -> Any:
    """Return the input with the result at a path. Missing objects on the way are created."""
    way = steps(path)
    if not way:
        return result
    if any(isinstance(step, Those) for step in way):
        raise AslError("States.ResultPathMatchFailure", f"'{path}' is no reference path.")
    if not isinstance(data, dict):
        raise AslError("States.ResultPathMatchFailure", f"Unable to apply step '{way[0]}' of '{path}' to the input.")
    made = copy.deepcopy(data)
    inside: Any = made
    for step in way[:-1]:
        if isinstance(inside, dict) and not isinstance(inside.get(step), (dict, list)):
            inside[step] = {}
        inside = inside[step]
    inside[way[-1]] = result
    return made


def fill(template: Any, data: Any, context: dict[str, Any]) -> Any:
    """Fill a payload template: fields whose names end in ``.$`` are looked up or computed."""
    if isinstance(template, list):
        return [fill(each, data, context) for each in template]
    if not isinstance(template, dict):
        return template
    filled = {}
    for key, value in template.items():
        if key.endswith(".$"):
            filled[key[:-2]] = evaluate(value, data, context)
        else:
            filled[key] = fill(value, data, context)
    return filled


def evaluate(expression: str, data: Any, context: dict[str, Any]) -> Any:
    """Evaluate a path or a call of an intrinsic function."""
    if expression.startswith("States."):
        value, rest = parse(expression, data, context)
        if rest.strip():
            raise AslError("States.IntrinsicFailure", f"Unexpected text after the function: {rest}")
        return value
    try:
        return look_up(expression, data, context)
    except LookupError as missing:
        raise AslError("States.ParameterPathFailure", str(missing.args[0])) from None


# -- intrinsic functions --------------------------------------------------------------------------------------------

NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")
CALL = re.compile(r"(States\.\w+)\(")
PATH = re.compile(r"\$[^,)]*")
WORDS = {"true": True, "false": False, "null": None}


def parse(text: str, data: Any, context: dict[str, Any]) -> tuple[Any, str]:
    """Return the value of the expression with which a text begins, and the rest of the text."""
    text = text.lstrip()
    if text.startswith("'"):
        return literal(text)
    if match := CALL.match(text):
        arguments, rest = [], text[match.end() :].lstrip()
        while not rest.startswith(")"):
            value, rest = parse(rest.removeprefix(","), data, context)
            arguments.append(value)
            rest = rest.lstrip()
            if not rest:
                raise AslError("States.IntrinsicFailure", "A parenthesis is missing.")
        return call(match[1], arguments), rest[1:]
    if match := PATH.match(text):
        return evaluate(match[0].strip(), data, context), text[match.end() :]
    if match := NUMBER.match(text):
        return json.loads(match[0]), text[match.end() :]
    for word, value in WORDS.items():
        if text.startswith(word):
            return value, text[len(word) :]
    raise AslError("States.IntrinsicFailure", f"Not understood: {text}")


def literal(text: str) -> tuple[str, str]:
    """Parse a text in single quotes, in which a backslash escapes the next character. Return it and the rest."""
    found, at = "", 1
    while at < len(text) and text[at] != "'":
        at += text[at] == "\\"
        found += text[at : at + 1]
        at += 1
    return found, text[at + 1 :]


def call(name: str, arguments: list[Any]) -> Any:
    function = FUNCTIONS.get(name)
    if function is None:
        raise AslError("States.Runtime", f"The sandbox knows no {name}; there are {', '.join(FUNCTIONS)}.")
    try:
        return function(*arguments)
    except (TypeError, ValueError, LookupError, AttributeError) as problem:
        raise AslError("States.IntrinsicFailure", f"{name}: {problem}") from None


def formatted(template: str, *values: Any) -> str:
    parts = template.split("{}")
    if len(parts) != len(values) + 1:
        raise ValueError(f"{len(parts) - 1} places for {len(values)} values")
    texts = [value if isinstance(value, str) else compact(value) for value in values]
    return "".join(part + text for part, text in zip(parts, [*texts, ""], strict=True))


def array_range(first: int, last: int, step: int) -> list[int]:
    return list(range(first, last + (1 if step > 0 else -1), step))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "States.Array": lambda *values: list(values),
    "States.ArrayContains": lambda array, value: value in array,
    "States.ArrayGetItem": lambda array, index: array[index],
    "States.ArrayLength": len,
    "States.ArrayRange": array_range,
    "States.ArrayUnique": lambda array: list(dict.fromkeys(array)),
    "States.Base64Decode": lambda text: base64.b64decode(text).decode(),
    "States.Base64Encode": lambda text: base64.b64encode(text.encode()).decode(),
    "States.Format": formatted,
    "States.JsonMerge": lambda one, other, _deep: {**one, **other},
    "States.JsonToString": compact,
    "States.MathAdd": lambda one, other: one + other,
    "States.MathRandom": random.randrange,
    "States.StringSplit": lambda text, by: [part for part in re.split(f"[{re.escape(by)}]", text) if part],
    "States.StringToJson": json.loads,
    "States.UUID": lambda: str(uuid.uuid4()),
}
