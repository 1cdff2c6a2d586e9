# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""JSON as users write it."""

from __future__ import annotations

import json
from typing import Any

from .errors import Refused


def read_json(option: str, text: str) -> Any:
    """The value. Raises ``Refused`` for what is no JSON, and for an object with the same key twice."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _value in pairs]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise Refused(f"{option} has the key '{twice[0]}' twice in one object; AWS takes the last one. Remove one")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=members)
    except ValueError as error:
        raise Refused(f"{option} is no JSON: {error}. Correct it, or write it as YAML") from None
