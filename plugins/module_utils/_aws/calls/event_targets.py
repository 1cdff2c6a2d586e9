# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Targets of EventBridge's rules: one call, one function. ``bus`` is the name or the ARN of an event bus.

Targets are those of boto3; ``shapes`` has the functions that read and write them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._amazon import NOT_FOUND, aws_call, call_failed
from ..._core.aws_errors import kind_of
from .pages import pages


@pages("events:ListTargetsByRule", expected=NOT_FOUND)
def list_targets(events: Any, rule: str, bus: str, **page: str) -> Any:
    """List the targets of the rule; None when there is no such rule, or no such bus."""
    answer = events.list_targets_by_rule(Rule=rule, EventBusName=bus, **page)
    return answer["Targets"], answer


@aws_call("events:PutTargets")
def put_target(events: Any, rule: str, bus: str, target: Mapping[str, Any]) -> None:
    """Add a target, or replace the one of its id."""
    _check_entries("events:PutTargets", events.put_targets(Rule=rule, EventBusName=bus, Targets=[target]))


@aws_call("events:RemoveTargets")
def remove_targets(events: Any, rule: str, bus: str, ids: Sequence[str]) -> None:
    """Remove targets, at most a hundred, as far as they are there."""
    _check_entries("events:RemoveTargets", events.remove_targets(Rule=rule, EventBusName=bus, Ids=list(ids)))


def _check_entries(action: str, answer: Mapping[str, Any]) -> None:
    """EventBridge answers 200 and lists what it has not done. Raises ``CallFailed`` for the first entry."""
    for entry in answer.get("FailedEntries") or ([{}] if answer.get("FailedEntryCount") else []):
        code = entry.get("ErrorCode") or "Unknown"
        message = entry.get("ErrorMessage") or "no further words"
        said = f"{message.rstrip('.')} (target {entry.get('TargetId', 'unknown')})"
        raise call_failed(action, code, said, kind_of(code, message))
