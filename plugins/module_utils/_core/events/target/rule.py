# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The rule that a target belongs to: its name, its bus, its ARN."""

from __future__ import annotations

from dataclasses import dataclass

from ...arns import Arn
from ...names import EVENTS_NAME, read_name
from ..rule import bus_name

DEFAULT_BUS = "default"


@dataclass(frozen=True)
class RuleName:
    """The name of a rule and of its bus. ``bus`` is as the user wrote it, and may be an ARN."""

    name: str
    bus: str = DEFAULT_BUS

    @property
    def bus_name(self) -> str:
        return bus_name(self.bus)

    def arn(self, partition: str, region: str, account: str) -> str:
        bus = "" if self.bus_name == DEFAULT_BUS else f"{self.bus_name}/"
        return str(Arn(partition, "events", region, account, f"rule/{bus}{self.name}"))

    def __str__(self) -> str:
        return f"rule {self.name}" + ("" if self.bus_name == DEFAULT_BUS else f" of the bus {self.bus_name}")


def read_rule_name(name: str, bus: str) -> RuleName:
    """Return the rule from the options ``rule`` and ``event_bus_name``. Raises ``Refused``."""
    bus_name(bus)
    return RuleName(read_name("rule", name, EVENTS_NAME), bus)
