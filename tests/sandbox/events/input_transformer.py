# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render what a target receives for an event: Input, InputPath, InputTransformer, or the event itself.

This module does what AWS documents or was seen to do:

* Input is sent as it was written. InputPath sends the JSON of what it names, so a string is in quotes.
* A template is a sequence of JSON values separated by white space: one object, one array, or one or more lines of
  quoted text. Placeholders stand inside strings or in place of values, never in place of a key. PutTargets refuses
  other templates, and placeholders that neither InputPathsMap nor AWS defines.
* Outside a string, a placeholder becomes the JSON of its value: a text in quotes and escaped, an object, a number.
* Inside a string of a JSON document, a text is inserted as it is, NOT escaped, and any other value as its JSON. A text
  with a quote or a line break, an object or an array thus make invalid JSON, which is not delivered (INVALID_JSON).
* Inside a line of text, the JSON of an object or an array loses its quotes: `[a,b]`, `{id:7}`. The lines keep theirs,
  and their escapes, even in a mail.
* A path that finds nothing becomes nothing inside a string and `""` outside of one.
* <aws.events.event> is the event without `detail`, and with `detailType` for `detail-type`; <aws.events.event.json> is
  all of it.
* A JSON document is minified.

AWS's behaviour is not known for these, so this module decides:

* A text with a quote is inserted into a line of text as it is; the result is not checked.
* An InputPath that finds nothing becomes `null`. null itself is `null` everywhere.
* A wildcard that finds nothing becomes an empty array. A path that AWS does not document (filters, `..`, and brackets
  with quotes in a transformer) finds nothing.
* <aws.events.event> keeps the event's order of keys and its time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

RESERVED = {
    "aws.events.event",
    "aws.events.event.json",
    "aws.events.rule-name",
    "aws.events.rule-arn",
    "aws.events.event.ingestion-time",
}
MISSING = object()
STEP = re.compile(r"\.(?P<name>[\w/-]+|\*)|\[(?P<index>\d+|\*)\]|\['(?P<quoted>[^']+)'\]", re.ASCII)
# PART is a string of the template, or the text between two strings; PLACEHOLDER is a placeholder in either.
PART = re.compile(r'"(?:[^"\\]|\\.)*"?|[^"]+', re.DOTALL)
PLACEHOLDER = re.compile(r"<([^<>]*)>")


class NotRendered(ValueError):
    """The event cannot be rendered as the target's transformer demands."""


def render(target: dict[str, Any], event: dict[str, Any], rule_arn: str, ingestion_time: str) -> str:
    """Return the text for a target (PutTargets' shape). Raise NotRendered if a JSON template becomes invalid JSON."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        found = find(event, target["InputPath"], brackets=True)
        return compact(None if found is MISSING else found)
    if not target.get("InputTransformer"):
        return compact(event)
    transformer = target["InputTransformer"]
    values = {name: find(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values.update(reserved(event, rule_arn, ingestion_time))
    template = transformer["InputTemplate"]
    if not is_document(template):
        return substitute(template, lambda name: text_of(values.get(name, MISSING)), values)
    filled = substitute(template, lambda name: raw_of(values.get(name, MISSING)), values)
    try:
        return compact(json.loads(filled))
    except ValueError as problem:
        raise NotRendered(f"Invalid JSON provided. Reason: {problem}") from problem


def reserved(event: dict[str, Any], rule_arn: str, ingestion_time: str) -> dict[str, Any]:
    return {
        "aws.events.event": {
            "detailType" if key == "detail-type" else key: value for key, value in event.items() if key != "detail"
        },
        "aws.events.event.json": event,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.rule-arn": rule_arn,
        "aws.events.event.ingestion-time": ingestion_time,
    }


def find(event: Any, path: str, brackets: bool = False) -> Any:
    """Return what a path names: a value, a list if it has a wildcard, or MISSING. Only InputPath takes ``['name']``."""
    steps = list(STEP.finditer(path, 1))
    if not path.startswith("$") or 1 + sum(len(step.group()) for step in steps) != len(path):
        return MISSING
    if not brackets and any(step["quoted"] for step in steps):
        return MISSING
    found, many = [event], False
    for step in steps:
        key = step["name"] or step["index"] or step["quoted"]
        many |= key == "*"
        found = [below for each in found for below in children(each, key, is_index=step["index"] is not None)]
    if many:
        return found
    return found[0] if found else MISSING


def children(value: Any, key: str, is_index: bool) -> Iterator[Any]:
    if key == "*":
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif is_index:
        if isinstance(value, list) and int(key) < len(value):
            yield value[int(key)]
    elif isinstance(value, dict) and key in value:
        yield value[key]


def substitute(template: str, inside: Callable[[str], str], values: dict[str, Any]) -> str:
    def part(match: re.Match[str]) -> str:
        if match.group().startswith('"'):
            return PLACEHOLDER.sub(lambda found: inside(found[1]), match.group())
        return PLACEHOLDER.sub(lambda found: json_of(values.get(found[1], MISSING)), match.group())

    return PART.sub(part, template)


def json_of(value: Any) -> str:
    return '""' if value is MISSING else compact(value)


def raw_of(value: Any) -> str:
    if value is MISSING:
        return ""
    return value if isinstance(value, str) else compact(value)


def text_of(value: Any) -> str:
    return raw_of(value).replace('"', "") if isinstance(value, (dict, list)) else raw_of(value)


def is_document(template: str) -> bool:
    return template.lstrip()[:1] in ("{", "[")


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def complaint(target_id: str, transformer: dict[str, Any]) -> str | None:
    """Return PutTargets' error message for a transformer, or None."""
    template, paths = transformer.get("InputTemplate") or "", transformer.get("InputPathsMap") or {}
    for name in PLACEHOLDER.findall(template):
        if name not in paths and name not in RESERVED:
            return f"InputTemplate for target {target_id} contains invalid placeholder {name}."
    for name in paths:
        if name.lower().startswith("aws."):
            return f"InputPathsMap for target {target_id} contains reserved key {name}."
    filled = PART.sub(lambda part: PLACEHOLDER.sub("" if part.group().startswith('"') else "0", part.group()), template)
    try:
        for _value in json_values(filled):
            pass
    except ValueError as problem:
        return f"Invalid InputTemplate for target {target_id} : [Source: (String){json.dumps(template)}; {problem}]."
    return None


def json_values(text: str) -> Iterator[Any]:
    """Yield the JSON values of a text in which white space separates them. Raise ValueError for any other text."""
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        value, position = decoder.raw_decode(text, position)
        yield value
