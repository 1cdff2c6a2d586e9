# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Names and ARNs of all resources that the role creates."""

from __future__ import annotations

from dataclasses import dataclass

from ..place import StackPlace

# The ways to notify that are rules: the suffix of each rule's name, and the kind of failure that it matches.
RULES = {"execution": "state_machine", "task": "task"}


@dataclass(frozen=True)
class Names:
    """The names. ``name`` is that of the state machine and of the schedule; all others contain it."""

    name: str
    place: StackPlace

    def arn(self, service: str, resource: str) -> str:
        return str(self.place.arn(service, resource))

    @property
    def states_role(self) -> str:
        return f"{self.name}-states"

    @property
    def schedule_role(self) -> str:
        return f"{self.name}-schedule"

    @property
    def log_group(self) -> str:
        # CloudWatch Logs allows few resource policies. Groups with this prefix do not use them up: "Logging and Amazon
        # CloudWatch Logs" in the Step Functions Developer Guide.
        return f"/aws/vendedlogs/states/{self.name}"

    @property
    def topic(self) -> str:
        return f"{self.name}-failures"

    def rule(self, way: str) -> str:
        return f"{self.name}-{way}"

    @property
    def machine_arn(self) -> str:
        return self.arn("states", f"stateMachine:{self.name}")

    @property
    def topic_arn(self) -> str:
        return self.arn("sns", self.topic)

    def role_arn(self, role: str) -> str:
        return self.arn("iam", f"role/{role}")

    def rule_arn(self, name: str) -> str:
        return self.arn("events", f"rule/{name}")
