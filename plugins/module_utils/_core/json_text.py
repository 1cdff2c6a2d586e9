# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""JSON as users write it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from .errors import Refused
from .option_values import check_value, too_deep


def read_json(
    option: str, text: str, advice: str = "Correct it, or write it as YAML", repeats_are_meant: bool = False
) -> Any:
    """Return the value of a JSON text. Raise ``Refused`` if it is invalid, or if an object has a key twice.

    AWS uses the last of such keys and does not report what is lost. With ``repeats_are_meant``, so does this function.
    """

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if len(read) < len(pairs) and not repeats_are_meant:
            names = [name for name, _value in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise Refused(
                f"{option}: {twice!r} is written twice in one object, and AWS would use only the last one. "
                "Merge them, or remove one"
            )
        return read

    def no_number(word: str) -> NoReturn:
        raise Refused(f"{option}: {word} is not JSON. Write a number")

    try:
        value = json.loads(text, object_pairs_hook=members, parse_constant=no_number)
    except ValueError as error:
        raise Refused(f"{option} is not JSON: {error}. {advice}") from None
    except RecursionError:
        raise too_deep(option) from None
    check_value(option, value)
    return value
