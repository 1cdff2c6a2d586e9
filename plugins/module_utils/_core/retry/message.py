# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A wish as the text of a message that waits in the queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from .model import Unreadable, Wish

KIND = "steadyops.ecs.retry/1"
_KINDS = {
    "origin": str, "at": (int, float), "region": str, "request": Mapping, "missing": int, "attempt": int, "bears": int,
    "token": str, "started": list,
}  # fmt: skip


def written(wish: Wish) -> str:
    """JSON. It holds the request with all its values, as the queue has to."""
    return json.dumps({"kind": KIND, **asdict(wish)}, separators=(",", ":"))


def is_ours(body: object) -> bool:
    """Whether a message's JSON is a wish, well-formed or not."""
    return isinstance(body, Mapping) and body.get("kind") == KIND


def read(body: Mapping[str, Any]) -> Wish:
    """The wish in a message's JSON. Raises ``Unreadable``."""
    for name in (each.name for each in fields(Wish)):
        if not isinstance(body.get(name), _KINDS[name]):  # type: ignore[arg-type]
            raise Unreadable(f"the message has no {name}, or one of another kind")
    if body["missing"] < 1 or not 1 <= body["bears"] <= body["attempt"]:
        raise Unreadable("the numbers in the message do not agree")
    values = {each.name: body[each.name] for each in fields(Wish)}
    return Wish(**{**values, "started": tuple(str(arn) for arn in body["started"])})
