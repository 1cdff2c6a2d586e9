# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""An EventBridge rule as it is. Targets and schedules need it without what failures/ knows about patterns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..names import BUS_NAME, EVENT_BUS, read_name_or_arn


@dataclass(frozen=True)
class Rule:
    """A rule as it is. ``pattern_text`` is the text that AWS returns, or None if the rule has no pattern."""

    name: str
    arn: str
    bus: str
    state: str
    pattern_text: str | None = None
    description: str = ""
    role_arn: str | None = None
    schedule: str | None = None
    managed_by: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    targets: Sequence[Mapping[str, Any]] | None = None  # None if they were not looked up

    @property
    def event_pattern(self) -> dict[str, Any] | None:
        """The pattern as EventBridge reads it: if a key is written twice, the last one counts."""
        return None if self.pattern_text is None else json.loads(self.pattern_text)


def bus_name(bus: str) -> str:
    """Return the name of an event bus that is given by name or ARN. Raises ``Refused``."""
    return read_name_or_arn("event_bus_name", bus, BUS_NAME, EVENT_BUS)[0]
