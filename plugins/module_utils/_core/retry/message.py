# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Write a wish as the text of a queue message, and read it back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from .model import Unreadable, Wish
from .request import MOST_TASKS

MOST_ATTEMPTS = 51  # one more than the options allow: the attempt that is given up
LATEST = 4_102_444_800  # the year 2100

KIND = "steadyops.ecs.retry/1"
_KINDS = {
    "origin": str, "at": (int, float), "region": str, "request": Mapping, "missing": int, "attempt": int, "bears": int,
    "token": str, "started": list,
}  # fmt: skip


def written(wish: Wish) -> str:
    """Return the wish as JSON. It contains all values of the request, since the queue must keep them."""
    return json.dumps({"kind": KIND, **asdict(wish)}, separators=(",", ":"))


def is_ours(body: object) -> bool:
    """Return whether a message's JSON claims to be a wish, whether or not it is well-formed."""
    return isinstance(body, Mapping) and body.get("kind") == KIND


def read(body: Mapping[str, Any]) -> Wish:
    """Return the wish in a message's JSON. Raises ``Unreadable``."""
    for name in (each.name for each in fields(Wish)):
        if not isinstance(body.get(name), _KINDS[name]):  # type: ignore[arg-type]
            raise Unreadable(f"the message has no {name}, or one of another type")
    numbers = [body[name] for name in ("at", "missing", "attempt", "bears")]
    if any(isinstance(number, bool) for number in numbers) or not math.isfinite(body["at"]):
        raise Unreadable("the message has an invalid number")
    if not 1 <= body["missing"] <= MOST_TASKS or not 1 <= body["bears"] <= body["attempt"] <= MOST_ATTEMPTS:
        raise Unreadable("the numbers in the message do not agree")
    if not 0 <= body["at"] <= LATEST or len(body["started"]) > MOST_TASKS * MOST_ATTEMPTS:
        raise Unreadable("this function did not write the message")
    values = {each.name: body[each.name] for each in fields(Wish)}
    return Wish(**{**values, "started": tuple(str(arn) for arn in body["started"])})
