# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Rules of Amazon EventBridge that fire by a schedule: one call, one function. May raise ``CallFailed``.

Every function takes the boto3 client first. Only the default event bus has such rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._amazon import aws_call, call_failed
from ..._core.errors import CallFailed
from ..shapes.scheduled_target import target_request

TAG_KEYS = ("Key", "Value")


def describe(events: Any, name: str) -> dict[str, Any] | None:
    """boto3's rule; None when there is none."""
    try:
        return _describe(events, name)
    except CallFailed as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise


@aws_call("events:DescribeRule")
def _describe(events: Any, name: str) -> dict[str, Any]:
    answer = events.describe_rule(Name=name)
    return {"Name": answer["Name"], **answer}


@aws_call("events:ListTargetsByRule")
def targets(events: Any, name: str) -> list[dict[str, Any]]:
    """boto3's targets. A rule has five at most, which is one page."""
    answer: list[dict[str, Any]] = events.list_targets_by_rule(Rule=name)["Targets"]
    return answer


@aws_call("events:PutRule")
def put(events: Any, schedule: Mapping[str, Any]) -> None:
    """Make the rule or replace it: what is not said is taken away."""
    description = {"Description": schedule["description"]} if schedule["description"] else {}
    events.put_rule(
        Name=schedule["name"],
        ScheduleExpression=schedule["schedule_expression"],
        State="ENABLED" if schedule["enabled"] else "DISABLED",
        **description,
    )


@aws_call("events:PutTargets")
def put_target(events: Any, name: str, id_: str, target: Mapping[str, Any]) -> None:
    request = {"Id": id_, **target_request(target, TAG_KEYS)}
    _check("events:PutTargets", events.put_targets(Rule=name, Targets=[request]))


@aws_call("events:RemoveTargets")
def remove_targets(events: Any, name: str, ids: Iterable[str]) -> None:
    _check("events:RemoveTargets", events.remove_targets(Rule=name, Ids=list(ids)))


@aws_call("events:DeleteRule")
def delete(events: Any, name: str) -> None:
    """Delete a rule without targets. That it is gone already does no harm."""
    events.delete_rule(Name=name)


def _check(action: str, answer: Mapping[str, Any]) -> None:
    """EventBridge answers 200 and lists what it could not do."""
    for failure in answer.get("FailedEntries") or []:
        code, message = failure.get("ErrorCode", "Unknown"), failure.get("ErrorMessage", "no further words")
        raise call_failed(action, code, message, "passing" if code == "ConcurrentModificationException" else "final")
