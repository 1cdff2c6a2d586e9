# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon SNS: each function makes one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from .pages import pages


@aws_call("sns:GetTopicAttributes", expected="NotFound")
def topic_attributes(sns: Any, arn: str) -> Mapping[str, str] | None:
    """Return attributes such as ``Policy`` and ``KmsMasterKeyId``, or None if the topic does not exist."""
    return sns.get_topic_attributes(TopicArn=arn)["Attributes"]


@aws_call("sns:SetTopicAttributes")
def set_topic_policy(sns: Any, arn: str, policy: str) -> None:
    """Replace the topic's policy with ``policy``, which is JSON."""
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


@aws_call("sns:ListTagsForResource")
def topic_tags(sns: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in sns.list_tags_for_resource(ResourceArn=arn)["Tags"]}


@pages("sns:ListSubscriptionsByTopic", expected="NotFound")
def subscriptions(sns: Any, arn: str, **page: str) -> Any:
    """List boto3's subscriptions of a topic, or return None if the topic does not exist."""
    answer = sns.list_subscriptions_by_topic(TopicArn=arn, **page)
    return answer["Subscriptions"], answer


@aws_call("sns:CreateTopic")
def create_topic(sns: Any, name: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Create a topic. A second call with the same attributes and tags does no harm."""
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    sns.create_topic(Name=name, Attributes=dict(attributes), **({"Tags": listed} if listed else {}))


@aws_call("sns:SetTopicAttributes")
def set_topic_attribute(sns: Any, arn: str, name: str, value: str) -> None:
    sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)


@aws_call("sns:Subscribe")
def subscribe(sns: Any, arn: str, protocol: str, endpoint: str) -> None:
    """Subscribe an endpoint. A second call for the same one does no harm."""
    sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)


@aws_call("sns:Unsubscribe", expected="NotFound")
def unsubscribe(sns: Any, subscription: str) -> None:
    """Remove a confirmed subscription by its ARN."""
    sns.unsubscribe(SubscriptionArn=subscription)


@aws_call("sns:TagResource")
def tag_topic(sns: Any, arn: str, tags: Mapping[str, str]) -> None:
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])


@aws_call("sns:UntagResource")
def untag_topic(sns: Any, arn: str, keys: list[str]) -> None:
    sns.untag_resource(ResourceArn=arn, TagKeys=keys)


@aws_call("sns:DeleteTopic", expected="NotFound")
def delete_topic(sns: Any, arn: str) -> None:
    """Delete a topic and its subscriptions if it exists."""
    sns.delete_topic(TopicArn=arn)
