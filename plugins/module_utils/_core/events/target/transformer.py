# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Check input transformers as users write them: whether AWS accepts them, and whether their output can be right."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from ...errors import Refused
from ...limits import check_length
from ...option_values import check_value, too_deep
from .json_path import check_path

LONGEST = 8192
MOST_PATHS = 100
RESERVED = (
    "aws.events.event",
    "aws.events.event.json",
    "aws.events.event.ingestion-time",
    "aws.events.rule-arn",
    "aws.events.rule-name",
)

_KEY = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PLACEHOLDER = re.compile(r"<([^<>]*)>")
# A string, or the text between two strings.
_PART = re.compile(r'"(?:[^"\\]|\\.)*"?|[^"]+', re.DOTALL)
_WHOLE_EVENT = RESERVED[:2]
_LOG_EVENT = {"timestamp", "message"}
_MARK = "\ue000"  # stands for a placeholder in a text; a private-use character, so no template has it


def check_transformer(paths: Mapping[str, str], template: str, for_log_group: bool = False) -> None:
    """Raise ``Refused`` for what AWS would refuse, or would accept and then deliver nothing."""
    _check_paths(paths)
    if not template.strip():
        raise Refused(
            "input_template must not be empty. Write the text that the target receives, or omit input_transformer"
        )
    check_length("input_template", template, LONGEST)
    _check_placeholders(paths, template)
    values = _values(template)
    if for_log_group and not (len(values) == 1 and isinstance(values[0], dict) and set(values[0]) == _LOG_EVENT):
        raise Refused(
            'input_template: a log group takes only the form {"timestamp": <time>, "message": <message>}. '
            "Write the template in this form, or omit it to send the whole event to the log group"
        )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    for key, _value in pairs:
        if _MARK in key:
            raise Refused(
                f"input_template: a placeholder stands in a key, '{key.replace(_MARK, '<...>')}', and EventBridge "
                "fills in values only. Write the key out"
            )
    return dict(pairs)


def _check_paths(paths: Mapping[str, str]) -> None:
    if len(paths) > MOST_PATHS:
        raise Refused(f"input_paths_map has {len(paths)} paths, but EventBridge allows {MOST_PATHS}. Remove some")
    for key, path in paths.items():
        if not _KEY.fullmatch(key) or key.lower().startswith("aws"):
            raise Refused(
                f"input_paths_map: '{key}' cannot be a key. Take letters, digits, hyphens and underscores, "
                "and do not begin with aws"
            )
        check_path(f"input_paths_map, {key}", path)


def _check_placeholders(paths: Mapping[str, str], template: str) -> None:
    for name in _PLACEHOLDER.findall(template):
        if name not in paths and name not in RESERVED:
            raise Refused(
                f"input_template: <{name}> is defined nowhere. Add it to input_paths_map; where < and > are meant as "
                "such, find other words, for EventBridge cannot escape them"
            )
    for part in _PART.findall(template):
        whole = [name for name in _PLACEHOLDER.findall(part) if name in _WHOLE_EVENT]
        if part.startswith('"') and whole and template.lstrip()[:1] in {"{", "["}:
            raise Refused(
                f"input_template: <{whole[0]}> stands in quotes, where the quotes of the event would end the text. "
                "Take the quotes away"
            )


def _values(template: str) -> list[object]:
    """Return the JSON values that the template consists of, with placeholders taken as values."""
    filled = _PART.sub(lambda part: _PLACEHOLDER.sub(_MARK if part[0].startswith('"') else "0", part[0]), template)
    decoder, found, position = json.JSONDecoder(object_pairs_hook=_object), [], 0
    try:
        while position < len(filled):
            if filled[position].isspace():
                position += 1
                continue
            value, position = decoder.raw_decode(filled, position)
            check_value("input_template", value)
            found.append(value)
    except RecursionError:
        raise too_deep("input_template") from None
    except ValueError as error:
        raise Refused(
            f"input_template is not JSON with placeholders: {error}. Write a JSON document, or one or more lines of "
            'text, each in double quotes; a placeholder stands for a value, as in {"reason": <reason>}, or inside a '
            "text in quotes"
        ) from None
    return found
