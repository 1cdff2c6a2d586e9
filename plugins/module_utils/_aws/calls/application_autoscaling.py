# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Application Auto Scaling: the suspend flags of a service's scalable target. May raise ``CallFailed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from ..._core.recycle.model import Scaling
from .pages import pages

# Field of Scaling -> member of SuspendedState.
FLAGS = {
    "dynamic_in": "DynamicScalingInSuspended",
    "dynamic_out": "DynamicScalingOutSuspended",
    "scheduled": "ScheduledScalingSuspended",
}
DIMENSION = "ecs:service:DesiredCount"


@aws_call("application-autoscaling:DescribeScalableTargets")
def scaling(autoscaling: Any, cluster: str, service: str) -> Scaling | None:
    """Return the service's scalable target, or None if it has none. ``cluster`` and ``service`` are names."""
    answer = autoscaling.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[f"service/{cluster}/{service}"], ScalableDimension=DIMENSION
    )
    return next((_scaling(found) for found in answer["ScalableTargets"]), None)


@pages("application-autoscaling:DescribeScalableTargets")
def scaling_of_several(autoscaling: Any, services: list[str], **page: str) -> Any:
    """List pairs of service (``cluster/service``) and scalable target, for those that have one. At most fifty."""
    answer = autoscaling.describe_scalable_targets(
        ServiceNamespace="ecs",
        ResourceIds=[f"service/{service}" for service in services],
        ScalableDimension=DIMENSION,
        **page,
    )
    return [
        (found["ResourceId"].removeprefix("service/"), _scaling(found)) for found in answer["ScalableTargets"]
    ], answer


@aws_call("application-autoscaling:RegisterScalableTarget")
def suspend(autoscaling: Any, cluster: str, service: str, wanted: Scaling) -> None:
    """Set all three suspend flags. Minimum and maximum are not sent, so they keep their values."""
    autoscaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{cluster}/{service}",
        ScalableDimension=DIMENSION,
        SuspendedState={FLAGS[name]: value for name, value in wanted.as_dict().items()},
    )


def _scaling(target: Mapping[str, Any]) -> Scaling:
    state = target.get("SuspendedState", {})
    return Scaling(
        **{name: state.get(theirs, False) for name, theirs in FLAGS.items()},
        minimum=target["MinCapacity"],
        maximum=target["MaxCapacity"],
    )
