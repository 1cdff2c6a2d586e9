# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The tag that stores an announced retirement until the maintenance window, so no process has to live that long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..amounts import parse_instant
from ..errors import Refused

_MARK = re.compile(r"(?P<at>[0-9TZ:.+-]{1,40}) (?P<announcement>[A-Za-z0-9_-]{1,200})")


def mark(present: object, facts: Mapping[str, Any]) -> str:
    """Return the tag's value after an announcement: the instant before which tasks are stale, and the announcement.

    AWS repeats announcements and may send an older one late. The first instant of an announcement is kept, so that
    tasks launched since then are not stale. Of two announcements, the later one counts. A value that this collection
    did not write is replaced.
    """
    value = f"{facts['at']} {facts['announcement']}"
    at = started_before(present)
    if at is None:
        return value
    kept = str(present)
    same = kept.partition(" ")[2] == facts["announcement"]
    return kept if same or parse_instant("at", at) >= parse_instant("at", facts["at"]) else value


def started_before(present: object) -> str | None:
    """Return the instant in a tag's value, or None if ``mark`` would not write such a value."""
    match = _MARK.fullmatch(present) if isinstance(present, str) else None
    if match is None:
        return None
    try:
        parse_instant("the tag", match["at"])
    except Refused:
        return None
    return match["at"]
