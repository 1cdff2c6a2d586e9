# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon SQS: each function makes one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._amazon import aws_call
from ..._core.arns import Arn

NO_QUEUE = r"(AWS\.SimpleQueueService\.)?NonExistentQueue|QueueDoesNotExist"


@aws_call("sqs:GetQueueAttributes", expected=NO_QUEUE)
def queue_attributes(sqs: Any, queue: Arn) -> Mapping[str, str] | None:
    """Return attributes such as ``Policy`` and ``KmsMasterKeyId``, or None if the queue does not exist."""
    # Ask for all: SQS rejects a request for FIFO attributes of a standard queue.
    return sqs.get_queue_attributes(QueueUrl=queue_url(sqs, queue), AttributeNames=["All"]).get("Attributes", {})


@aws_call("sqs:SetQueueAttributes")
def set_queue_policy(sqs: Any, queue: Arn, policy: str) -> None:
    """Replace the queue's policy with ``policy``, which is JSON. An empty text removes it."""
    sqs.set_queue_attributes(QueueUrl=queue_url(sqs, queue), Attributes={"Policy": policy})


@aws_call("sqs:ListQueueTags", expected=NO_QUEUE, then={})
def queue_tags(sqs: Any, queue: Arn) -> dict[str, str]:
    return dict(sqs.list_queue_tags(QueueUrl=queue_url(sqs, queue)).get("Tags") or {})


def queue_url(sqs: Any, queue: Arn) -> str:
    """Build the URL of a queue, which saves a GetQueueUrl call each time."""
    return f"{sqs.meta.endpoint_url.rstrip('/')}/{queue.account}/{queue.resource}"


@aws_call("sqs:CreateQueue")
def create_queue(sqs: Any, name: str, attributes: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """Create a queue. A second call with the same attributes does no harm."""
    sqs.create_queue(QueueName=name, Attributes=dict(attributes), **({"tags": dict(tags)} if tags else {}))


@aws_call("sqs:SetQueueAttributes")
def set_queue_attributes(sqs: Any, queue: Arn, attributes: Mapping[str, str]) -> None:
    """Set these attributes and keep all others."""
    sqs.set_queue_attributes(QueueUrl=queue_url(sqs, queue), Attributes=dict(attributes))


@aws_call("sqs:TagQueue")
def tag_queue(sqs: Any, queue: Arn, tags: Mapping[str, str]) -> None:
    sqs.tag_queue(QueueUrl=queue_url(sqs, queue), Tags=dict(tags))


@aws_call("sqs:UntagQueue")
def untag_queue(sqs: Any, queue: Arn, keys: list[str]) -> None:
    sqs.untag_queue(QueueUrl=queue_url(sqs, queue), TagKeys=keys)


@aws_call("sqs:DeleteQueue", expected=NO_QUEUE)
def delete_queue(sqs: Any, queue: Arn) -> None:
    """Delete a queue and its messages if it exists."""
    sqs.delete_queue(QueueUrl=queue_url(sqs, queue))
