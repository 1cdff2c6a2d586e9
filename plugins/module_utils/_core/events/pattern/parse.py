# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read event patterns from JSON text, and write them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...errors import Refused
from ...json_text import read_json
from ...option_values import check_value

_ADVICE = "Give a dictionary, or the text of a JSON object"


def parse_pattern(option: str, written: object) -> dict[str, Any]:
    """Return the pattern, from JSON text or from data. Raises ``Refused``."""
    if isinstance(written, Mapping):
        check_value(option, written)
        try:
            written = json.dumps(written)
        except (TypeError, ValueError) as error:
            raise Refused(f"{option} has something that JSON does not allow: {error}") from None
    pattern = read_json(option, written, _ADVICE) if isinstance(written, str) else None
    if not isinstance(pattern, dict):
        raise Refused(f'{option} is not a JSON object. Give something like {{"source": ["aws.ecs"]}}')
    return pattern


def parse_event(written: object) -> Mapping[str, Any]:
    """Return an event, from JSON text or from data. Raises ``Refused``."""
    if isinstance(written, str):
        written = read_json("the event", written, _ADVICE, repeats_are_meant=True)
    check_value("the event", written)
    if not isinstance(written, Mapping):
        raise Refused("the event is not an object. Give a dictionary, or the text of a JSON object")
    return written


def pattern_text(pattern: Mapping[str, Any]) -> str:
    """Return the shortest JSON text, because its length is limited."""
    return json.dumps(pattern, separators=(",", ":"), ensure_ascii=False)
