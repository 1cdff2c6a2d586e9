# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Classic Load Balancers: the health of instances. May raise ``CallFailed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from ..._core.recycle.lacking import reason_words

# Start of the description of an instance that is out of service or leaving it -> the matching target group state.
# Source: API model of elasticloadbalancing 2012-06-01, InstanceState.
_STATES = (
    ("Instance registration is still in progress", "initial"),
    ("Instance has not passed the configured HealthyThreshold", "initial"),
    ("Instance deregistration currently in progress", "draining"),
    ("Instance is not currently registered", "unused"),
)


@aws_call("elasticloadbalancing:DescribeInstanceHealth", expected="LoadBalancerNotFound|AccessPointNotFound")
def instance_states(elb: Any, load_balancer: str) -> dict[str, tuple[str, str]] | None:
    """Return the state and the reason of every registered instance, by instance id.

    States are named like those of target groups. Return None if the load balancer does not exist.
    """
    answer = elb.describe_instance_health(LoadBalancerName=load_balancer)
    return {
        found["InstanceId"]: (_state(found), reason_words(found.get("ReasonCode"), found.get("Description")))
        for found in answer["InstanceStates"]
    }


def _state(found: Mapping[str, Any]) -> str:
    """Return the target group state. ``unknown`` is a transient error of the load balancer."""
    said = found.get("Description") or ""
    usual = {"InService": "healthy", "Unknown": "unknown"}.get(found["State"], "unhealthy")
    return next((state for start, state in _STATES if said.startswith(start)), usual)
