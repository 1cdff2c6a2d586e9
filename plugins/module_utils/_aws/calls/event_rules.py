# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Rules of Amazon EventBridge: each function makes one call.

Every function takes the boto3 client first and may raise ``CallFailed``. ``bus`` is the name or the ARN of an
event bus. ``rule`` is the name of a rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._amazon import NOT_FOUND, aws_call
from ..._core.events.pattern.parse import pattern_text
from ..._core.events.rule import Rule
from .pages import pages


@aws_call("events:DescribeRule", expected=f"{NOT_FOUND}: (?!(?i:event ?bus))")
def describe_rule(events: Any, rule: str, bus: str) -> Rule | None:
    """Return the rule without its tags, or None if the bus has no rule of that name. A missing bus is an error."""
    return _rule(events.describe_rule(Name=rule, EventBusName=bus))


# To delete a rule, a missing bus is no error: without the bus there is no rule.
describe_rule_to_delete = aws_call("events:DescribeRule", expected=NOT_FOUND)(describe_rule.__wrapped__)


@pages("events:ListRules")
def list_rules(events: Any, bus: str, prefix: str | None = None, **page: str) -> Any:
    """List the rules of a bus, without their tags."""
    narrowed = {"NamePrefix": prefix} if prefix else {}
    answer = events.list_rules(EventBusName=bus, **narrowed, **page)
    return [_rule(found) for found in answer["Rules"]], answer


@aws_call("events:PutRule")
def put_rule(
    events: Any,
    rule: str,
    bus: str,
    *,
    trigger: Mapping[str, Any] | str,
    state: str,
    description: str | None,
    role_arn: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Create the rule, or replace it as a whole, and return its ARN.

    For an existing rule AWS removes the settings that are omitted and ignores ``tags``. ``trigger`` is an event pattern
    or a schedule expression.
    """
    when = {"ScheduleExpression": trigger} if isinstance(trigger, str) else {"EventPattern": pattern_text(trigger)}
    optional = {"Description": description, "RoleArn": role_arn, "Tags": _tag_list(tags or {})}
    answer = events.put_rule(
        Name=rule,
        EventBusName=bus,
        State=state,
        **when,
        **{name: value for name, value in optional.items() if value},
    )
    return answer["RuleArn"]


@aws_call("events:DeleteRule")
def delete_rule(events: Any, rule: str, bus: str) -> None:
    """Delete a rule that has no targets. A missing rule is ignored."""
    events.delete_rule(Name=rule, EventBusName=bus)


@aws_call("events:ListTagsForResource")
def tags_of(events: Any, arn: str) -> dict[str, str]:
    """Return the tags of a rule."""
    answer = events.list_tags_for_resource(ResourceARN=arn)
    return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}


@aws_call("events:TagResource")
def tag(events: Any, arn: str, tags: Mapping[str, str]) -> None:
    """Set these tags and keep all others."""
    events.tag_resource(ResourceARN=arn, Tags=_tag_list(tags))


@aws_call("events:UntagResource")
def untag(events: Any, arn: str, keys: Sequence[str]) -> None:
    """Remove tags. Missing ones are ignored."""
    events.untag_resource(ResourceARN=arn, TagKeys=list(keys))


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
