# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the variables of a role as users write them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..errors import Refused

_WORDS = {**dict.fromkeys(("yes", "true", "on", "1"), True), **dict.fromkeys(("no", "false", "off", "0"), False)}


def check_known(role: str, given: Iterable[str], known: Collection[str]) -> None:
    """Raise ``Refused`` for variables that the role does not have. All names are without the prefix of the role."""
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
    """Return the value as a list: a single value becomes a list of one, null or an empty text an empty list."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def as_int(variable: str, value: Any) -> int:
    """Return the value as a whole number. ansible-core 2.17 and 2.18 turn numbers from templates into text."""
    try:
        return int(str(value))
    except ValueError:
        raise Refused(f"{variable} must be a whole number (got {value!r})") from None


def as_bool(variable: str, value: Any) -> bool:
    """Return the value as a boolean. The words are those of Ansible: yes, true, on, 1 and no, false, off, 0."""
    read = _WORDS.get(str(value).lower())
    if read is None:
        raise Refused(f"{variable} must be true or false (got {value!r})")
    return read


def as_mapping(variable: str, value: Any) -> Mapping[str, Any]:
    """Return the value as a dictionary: null becomes an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Refused(f"{variable} must be a dictionary (got {type(value).__name__})")
    return value
