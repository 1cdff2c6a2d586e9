# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Targets of EventBridge's rules: one call, one function. ``bus`` is the name or the ARN of an event bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call, call_failed
from ..._core.aws_errors import kind_of
from ..._core.errors import CallFailed
from ..shapes.event_target import boto_target


def list_targets(events: Any, rule: str, bus: str) -> list[Mapping[str, Any]] | None:
    """boto3's targets of the rule, for ``event_target_shapes``; None when there is no such rule."""
    found: list[Mapping[str, Any]] = []
    page = None
    try:
        while True:
            targets, page = _list_targets(events, rule, bus, page)
            found += targets
            if page is None:
                return found
    except CallFailed as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise


@aws_call("events:ListTargetsByRule")
def _list_targets(events: Any, rule: str, bus: str, page: str | None) -> tuple[list[Mapping[str, Any]], str | None]:
    more = {"NextToken": page} if page else {}
    answer = events.list_targets_by_rule(Rule=rule, EventBusName=bus, **more)
    return answer["Targets"], answer.get("NextToken") or None


@aws_call("events:PutTargets")
def put_target(events: Any, rule: str, bus: str, target: Mapping[str, Any]) -> None:
    """Make a target, in the shape of results, or replace the one of its id."""
    answer = events.put_targets(Rule=rule, EventBusName=bus, Targets=[boto_target(target)])
    _check_entries("events:PutTargets", answer)


@aws_call("events:RemoveTargets")
def remove_target(events: Any, rule: str, bus: str, target_id: str) -> None:
    """Remove a target; one that is not there does no harm."""
    answer = events.remove_targets(Rule=rule, EventBusName=bus, Ids=[target_id])
    _check_entries("events:RemoveTargets", answer)


def _check_entries(action: str, answer: Mapping[str, Any]) -> None:
    """EventBridge answers 200 and tells in the answer what it has not done. Raises ``CallFailed``."""
    if answer.get("FailedEntryCount"):
        entry = (answer.get("FailedEntries") or [{}])[0]
        code = entry.get("ErrorCode") or "Unknown"
        message = entry.get("ErrorMessage") or "no further words"
        raise call_failed(action, code, message, kind_of(code, message))
