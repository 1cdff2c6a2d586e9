# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Auto Scaling for the desired count of services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .state import SandboxError, ScalingState

if TYPE_CHECKING:
    from .scheduler import Cluster
    from .services import Service

FLAGS = ("dynamic_in", "dynamic_out", "scheduled")


class AutoScaling:
    """Scalable targets, and the number of tasks that a target-tracking policy wants for each service."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.targets: dict[Service, ScalingState] = {}
        self.wanted: dict[Service, int] = {}

    def register(
        self,
        service: Service,
        minimum: int | None,
        maximum: int | None,
        suspended: Mapping[str, bool] | None,
        by: str,
    ) -> None:
        """Register or update a scalable target. ``suspended`` replaces all three flags. This may scale the service."""
        found = self.targets.get(service)
        if found is None and (minimum is None or maximum is None):
            raise SandboxError("ValidationException", "Both minimum and maximum capacity are required to register.")
        found = found or ScalingState(0, 0)
        lowest = found.minimum if minimum is None else minimum
        highest = found.maximum if maximum is None else maximum
        if lowest > highest:
            raise SandboxError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        flags = found[2:] if suspended is None else tuple(bool(suspended.get(flag)) for flag in FLAGS)
        self.targets[service] = ScalingState(lowest, highest, *flags)
        self.aim(service, min(max(service.desired, lowest), highest), f"RegisterScalableTarget by {by}")

    def scheduled(self, service: Service, minimum: int | None, maximum: int | None) -> None:
        """Fire a scheduled action: it sets the limits, unless scheduled scaling is suspended."""
        target = self.targets.get(service)
        if target and not target.scheduled:
            self.register(service, minimum, maximum, None, "scheduled action")

    def want(self, service: Service, desired: int | None) -> None:
        known = service in self.wanted
        if desired is None:
            self.wanted.pop(service, None)
            return
        self.wanted[service] = desired
        if not known:
            self.cluster.at(self.cluster.draw(self.cluster.latencies.policy), self.evaluate, service)

    def evaluate(self, service: Service) -> None:
        if service not in self.wanted:
            return
        target = self.targets.get(service)
        if target:
            aim = min(max(self.wanted[service], target.minimum), target.maximum)
            # During a deployment, AWS scales out but never in.
            shut = target.dynamic_in or service.rolling if aim < service.desired else target.dynamic_out
            if not shut:
                self.aim(service, aim, "scaling policy")
        self.cluster.at(self.cluster.draw(self.cluster.latencies.policy), self.evaluate, service)

    def predict(self, service: Service, desired: int) -> None:
        """Set the desired count as a predictive scaling policy does, within the target's limits.

        SuspendedState has no flag for it (API model of application-autoscaling), so it cannot be suspended.
        """
        target = self.targets.get(service)
        aim = min(max(desired, target.minimum), target.maximum) if target else desired
        self.aim(service, aim, "predictive scaling")

    def aim(self, service: Service, desired: int, by: str) -> None:
        if desired != service.desired and not service.daemon:
            self.cluster.set_desired(service, desired, by)
