# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Targets of EventBridge rules: each function makes one call. ``bus`` is the name or the ARN of an event bus.

Targets have boto3's shape. ``shapes`` has the functions that convert them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._amazon import NOT_FOUND, aws_call, call_failed
from ..._core.aws_errors import kind_of
from .pages import pages


@pages("events:ListTargetsByRule", expected=NOT_FOUND)
def list_targets(events: Any, rule: str, bus: str, **page: str) -> Any:
    """List the targets of the rule, or return None if the rule or the bus does not exist."""
    answer = events.list_targets_by_rule(Rule=rule, EventBusName=bus, **page)
    return answer["Targets"], answer


@aws_call("events:PutTargets")
def put_target(events: Any, rule: str, bus: str, target: Mapping[str, Any]) -> None:
    """Add a target, or replace the one with the same id."""
    _check_entries("events:PutTargets", events.put_targets(Rule=rule, EventBusName=bus, Targets=[target]))


@aws_call("events:RemoveTargets")
def remove_targets(events: Any, rule: str, bus: str, ids: Sequence[str]) -> None:
    """Remove targets, at most a hundred. Missing ones are ignored."""
    _check_entries("events:RemoveTargets", events.remove_targets(Rule=rule, EventBusName=bus, Ids=list(ids)))


def _check_entries(action: str, answer: Mapping[str, Any]) -> None:
    """Raise ``CallFailed`` for the first failed entry. EventBridge answers 200 and lists what it has not done."""
    for entry in answer.get("FailedEntries") or ([{}] if answer.get("FailedEntryCount") else []):
        code = entry.get("ErrorCode") or "Unknown"
        message = entry.get("ErrorMessage") or "no further words"
        said = f"{message.rstrip('.')} (target {entry.get('TargetId', 'unknown')})"
        raise call_failed(action, code, said, kind_of(code, message))
