# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Treat an EventBridge rule as a schedule with one target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Refused
from ..events.rule import Rule
from .schedule import RULE

TARGET_ID = "schedule"


def check_is_schedule(rule: Rule) -> None:
    """Raise ``Refused`` if a rule cannot be a schedule of this module."""
    if rule.pattern_text or rule.managed_by:
        whose = f"is managed by {rule.managed_by}" if rule.managed_by else "waits for events"
        raise Refused(f"A rule {rule.name} already exists, which {whose}. Choose another name")


def target_id_of(rule: str, targets: Mapping[str, str], state_machine_arn: str | None) -> str:
    """Return the id of our target. ``targets`` maps the ids of all targets of the rule to their ARNs.

    If the only target is the given state machine, it may have any id: another tool made the same schedule. Raises
    ``Refused`` if the rule has other targets.
    """
    ours = next(iter(targets)) if list(targets.values()) == [state_machine_arn] else TARGET_ID
    others = [each for each in targets if each != ours]
    if others:
        raise Refused(
            f"The rule {rule} has targets that this module does not manage: {', '.join(others)}. Choose another name,"
            " or remove these first"
        )
    return ours


def rule_schedule(rule: Rule, target: Mapping[str, Any], tags: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the rule in the format of a schedule. ``tags`` is None if they were not looked up."""
    return {
        "name": rule.name,
        "group_name": "default",
        "using": RULE,
        "arn": rule.arn,
        "enabled": rule.state != "DISABLED",
        "schedule_expression": rule.schedule,
        "schedule_expression_timezone": "UTC",
        "flexible_time_window": None,
        "start_date": None,
        "end_date": None,
        "description": rule.description or None,
        "kms_key_arn": None,
        "action_after_completion": "NONE",
        "target": dict(target),
        "tags": tags,
    }
