# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Names with wildcards, as Ansible users write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import Refused

_WRITTEN = re.compile(r"[A-Za-z0-9_*?\[\]!-]{1,255}")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Patterns:
    """Matches names that match one of ``included`` (or any name if that is empty) and none of ``excluded``."""

    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def match(self, name: str) -> bool:
        return (not self.included or _any(self.included, name)) and not _any(self.excluded, name)

    def without_a_match(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the patterns in ``included`` that match none of the names."""
        known = list(names)
        return tuple(pattern for pattern in self.included if not any(fnmatchcase(name, pattern) for name in known))


def is_wild(pattern: str) -> bool:
    """Return whether a pattern can match a name other than the one that it spells out."""
    return bool(_WILD.search(pattern))


def read_patterns(option: str, written: Iterable[str]) -> Patterns:
    """Read patterns such as ``["web-*", "!web-test"]``. Raise ``Refused`` for a text that is not a pattern."""
    included: dict[str, None] = {}
    excluded: dict[str, None] = {}
    for text in written:
        if not _WRITTEN.fullmatch(text) or not text.lstrip("!"):
            raise Refused(
                f"{option}: {text!r} is neither a name of ECS nor a pattern. Names have letters, digits, hyphens and "
                "underscores; in patterns, * stands for any text, ? for one character, and ! in front for 'not'"
            )
        if text.startswith("!"):
            excluded[text[1:]] = None
        else:
            included[text] = None
    return Patterns(tuple(included), tuple(excluded))


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
