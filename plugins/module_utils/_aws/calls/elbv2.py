# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Elastic Load Balancing: the health of targets. May raise ``CallFailed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from ..._core.recycle.lacking import reason_words
from ..shapes.ecs_targets import target_name


@aws_call("elasticloadbalancing:DescribeTargetHealth", expected="TargetGroupNotFound")
def target_states(elbv2: Any, group: str) -> dict[str, tuple[str, str]] | None:
    """Return the state (healthy, initial, draining ...) and the reason of every target, by its ``target_name``.

    Return None if the target group does not exist. Source of the reason: API model, TargetHealth.
    """
    answer = elbv2.describe_target_health(TargetGroupArn=group)
    return {
        target_name(found["Target"]["Id"], found["Target"].get("Port")): _said(found["TargetHealth"])
        for found in answer["TargetHealthDescriptions"]
    }


def _said(health: Mapping[str, str]) -> tuple[str, str]:
    return health["State"], reason_words(health.get("Reason"), health.get("Description"))
