# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""One finding about an event pattern."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One finding. ``path`` is the field concerned, such as ``detail.stopCode``; empty for the pattern as a whole."""

    path: str
    words: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.path}: {self.words}" if self.path else self.words


def error(path: str, words: str) -> Finding:
    """Return a finding with which the pattern is refused or matches nothing that it is meant for."""
    return Finding(path, words, True)


def warning(path: str, words: str) -> Finding:
    """Return a finding about something that may be intended, but usually is not."""
    return Finding(path, words, False)
