# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""AWS CloudTrail: each function makes one call and may raise ``CallFailed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call


@aws_call("cloudtrail:DescribeTrails")
def trails(cloudtrail: Any) -> list[Mapping[str, Any]]:
    """Return the trails that record this region, as boto3 does: its own, multi-region and organization trails."""
    found: list[Mapping[str, Any]] = cloudtrail.describe_trails(includeShadowTrails=True)["trailList"]
    return found


@aws_call("cloudtrail:GetTrailStatus", expected="TrailNotFoundException", then=False)
def is_logging(cloudtrail: Any, arn: str) -> bool:
    """Return whether a trail is recording now. A trail that no longer exists is not."""
    return bool(cloudtrail.get_trail_status(Name=arn)["IsLogging"])


@aws_call("cloudtrail:GetEventSelectors", expected="TrailNotFoundException")
def event_selectors(cloudtrail: Any, arn: str) -> Mapping[str, Any] | None:
    """Return a trail's ``EventSelectors`` or ``AdvancedEventSelectors``, or None if the trail no longer exists."""
    answer: Mapping[str, Any] = cloudtrail.get_event_selectors(TrailName=arn)
    return answer
