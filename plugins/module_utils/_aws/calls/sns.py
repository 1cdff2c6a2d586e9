# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon SNS: one call, one function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from .pages import pages


@aws_call("sns:GetTopicAttributes", expected="NotFound")
def topic_attributes(sns: Any, arn: str) -> Mapping[str, str] | None:
    """Return ``Policy``, ``KmsMasterKeyId`` and the like; None when there is no such topic."""
    return sns.get_topic_attributes(TopicArn=arn)["Attributes"]


@aws_call("sns:SetTopicAttributes")
def set_topic_policy(sns: Any, arn: str, policy: str) -> None:
    """``policy`` is JSON, and takes the place of the one there is."""
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


@aws_call("sns:ListTagsForResource")
def topic_tags(sns: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}


@pages("sns:ListSubscriptionsByTopic", expected="NotFound")
def subscriptions(sns: Any, arn: str, **page: str) -> Any:
    """List boto3's subscriptions of a topic; None when there is no such topic."""
    answer = sns.list_subscriptions_by_topic(TopicArn=arn, **page)
    return answer["Subscriptions"], answer
