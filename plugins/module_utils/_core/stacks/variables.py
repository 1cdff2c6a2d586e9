# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The variables of a role, as users write them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..errors import Refused

_WORDS = {**dict.fromkeys(("yes", "true", "on", "1"), True), **dict.fromkeys(("no", "false", "off", "0"), False)}


def check_known(role: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raise ``Refused`` for variables that the role does not have; names are without the prefix of the role."""
    unknown = sorted(set(given) - set(known))
    if not unknown:
        return
    named = ", ".join(f"{role}_{name}" for name in unknown)
    near = [match for name in unknown for match in difflib.get_close_matches(name, sorted(known), 1)]
    meant = f" Did you mean {', '.join(f'{role}_{name}' for name in near)}?" if near else ""
    raise Refused(
        f"{named}: the role {role} has no such variable, so it would do nothing.{meant} ansible-doc -t role"
        f" steadyops.ecs.{role} lists all variables."
    )


def as_list(value: Any) -> list[Any]:
    """Return a list; a single value is a list of one, and nothing (null, an empty text) is an empty list."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_int(variable: str, value: Any) -> int:
    """Return a whole number. ansible-core 2.17 and 2.18 make texts of numbers that come from templates."""
    try:
        return int(str(value))
    except ValueError:
        raise Refused(f"{variable} must be a whole number (got {value!r})") from None


def as_bool(variable: str, value: Any) -> bool:
    """Return true or false, as Ansible reads them."""
    read = _WORDS.get(str(value).lower())
    if read is None:
        raise Refused(f"{variable} must be true or false (got {value!r})")
    return read


def as_mapping(variable: str, value: Any) -> Mapping[str, Any]:
    """Return a dictionary; nothing is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Refused(f"{variable} must be a dictionary (got {type(value).__name__})")
    return value
