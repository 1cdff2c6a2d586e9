# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Route events from a bus to the targets of every enabled rule that matches."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches

from .. import stored
from ..account import Account
from .targets import Matched, deliver

ALL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def route(account: Account, region: str, bus: str, event: dict[str, Any], hops: int) -> None:
    for rule in stored.rules(region, bus):
        pattern = rule.event_pattern.dump()
        if pattern and listens(rule.state, event) and matches(json.loads(pattern), event):
            for target in list(rule.targets):
                deliver(Matched(account, rule.arn, dict(target), event, hops), region)


def listens(state: str, event: dict[str, Any]) -> bool:
    """Return whether a rule in this state gets the event. CloudTrail's records of reads need more than ENABLED."""
    detail = event.get("detail") or {}
    if "via CloudTrail" in event.get("detail-type", "") and detail.get("readOnly") in (True, "true"):
        return state == ALL_MANAGEMENT_EVENTS
    return state in ("ENABLED", ALL_MANAGEMENT_EVENTS)
