# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Rules of Amazon EventBridge: one call, one function.

Every function takes the boto3 client first and may raise ``CallFailed``. ``bus`` is the name of an event
bus or its ARN, ``rule`` the name of a rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._amazon import aws_call, call_failed
from ..._core.errors import CallFailed
from ..._core.events.pattern.parse import pattern_text
from ..._core.failures.rule import Rule

NOT_FOUND = "ResourceNotFoundException"
AT_ONCE = 100  # targets that one call removes


def describe_rule(events: Any, rule: str, bus: str) -> Rule | None:
    """The rule, without its tags; None when the bus has none of that name. A missing bus is an error."""
    try:
        return _describe_rule(events, rule, bus)
    except CallFailed as error:
        if error.code == NOT_FOUND and not _is_about_the_bus(error):
            return None
        raise


@aws_call("events:DescribeRule")
def _describe_rule(events: Any, rule: str, bus: str) -> Rule:
    return _rule(events.describe_rule(Name=rule, EventBusName=bus))


@aws_call("events:ListRules")
def list_rules(
    events: Any, bus: str, prefix: str | None = None, page: str | None = None
) -> tuple[list[Rule], str | None]:
    """One page of rules, without their tags, and the key to the next page, if any."""
    narrowed = {"NamePrefix": prefix} if prefix else {}
    more = {"NextToken": page} if page else {}
    answer = events.list_rules(EventBusName=bus, **narrowed, **more)
    return [_rule(found) for found in answer["Rules"]], answer.get("NextToken") or None


@aws_call("events:PutRule")
def put_rule(
    events: Any,
    rule: str,
    bus: str,
    *,
    pattern: Mapping[str, Any],
    state: str,
    description: str,
    role_arn: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Make the rule, or replace it whole: what is left out is removed. Tags are heeded for a new rule only.

    Returns its ARN.
    """
    optional = {"Description": description, "RoleArn": role_arn, "Tags": _tag_list(tags or {})}
    answer = events.put_rule(
        Name=rule,
        EventBusName=bus,
        EventPattern=pattern_text(pattern),
        State=state,
        **{name: value for name, value in optional.items() if value},
    )
    return answer["RuleArn"]


@aws_call("events:DeleteRule")
def delete_rule(events: Any, rule: str, bus: str) -> None:
    """Delete a rule that has no targets. One that is not there does no harm."""
    events.delete_rule(Name=rule, EventBusName=bus)


@aws_call("events:ListTargetsByRule")
def list_targets(events: Any, rule: str, bus: str, page: str | None = None) -> tuple[list[dict[str, Any]], str | None]:
    """One page of targets - ``id``, ``arn``, ``role_arn``, ``dead_letter_arn`` -, and the key to the next page."""
    more = {"NextToken": page} if page else {}
    answer = events.list_targets_by_rule(Rule=rule, EventBusName=bus, **more)
    targets = [
        {
            "id": found["Id"],
            "arn": found["Arn"],
            "role_arn": found.get("RoleArn"),
            "dead_letter_arn": found.get("DeadLetterConfig", {}).get("Arn"),
        }
        for found in answer["Targets"]
    ]
    return targets, answer.get("NextToken") or None


@aws_call("events:RemoveTargets")
def remove_targets(events: Any, rule: str, bus: str, ids: Sequence[str]) -> None:
    """Remove targets by their ids, at most a hundred."""
    answer = events.remove_targets(Rule=rule, EventBusName=bus, Ids=list(ids))
    for failed in answer.get("FailedEntries", []):
        words = f"target {failed.get('TargetId')}: {failed.get('ErrorMessage') or 'it could not be removed'}"
        raise call_failed("events:RemoveTargets", failed.get("ErrorCode") or "Unknown", words, "final")


@aws_call("events:ListTagsForResource")
def tags_of(events: Any, arn: str) -> dict[str, str]:
    """The tags of a rule."""
    answer = events.list_tags_for_resource(ResourceARN=arn)
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


@aws_call("events:TagResource")
def tag(events: Any, arn: str, tags: Mapping[str, str]) -> None:
    """Write tags; others stay."""
    events.tag_resource(ResourceARN=arn, Tags=_tag_list(tags))


@aws_call("events:UntagResource")
def untag(events: Any, arn: str, keys: Sequence[str]) -> None:
    """Remove tags; those that are not there do no harm."""
    events.untag_resource(ResourceARN=arn, TagKeys=list(keys))


def _is_about_the_bus(error: CallFailed) -> bool:
    said = str(error).partition(f"{NOT_FOUND}: ")[2].lower().replace(" ", "")
    return said.startswith("eventbus")


def _rule(found: Mapping[str, Any]) -> Rule:
    return Rule(
        name=found["Name"],
        arn=found["Arn"],
        bus=found.get("EventBusName") or "default",
        state=found["State"],
        pattern_text=found.get("EventPattern") or None,
        description=found.get("Description") or "",
        role_arn=found.get("RoleArn") or None,
        schedule=found.get("ScheduleExpression") or None,
        managed_by=found.get("ManagedBy") or None,
    )


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
