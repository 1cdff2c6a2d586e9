# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring a queue or a topic into its wanted state: the calls in order."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

from ..._core.arns import Arn
from ..._core.change import Change, tag_writes
from ..calls import sns, sqs


def write_queue(client: Any, arn: Arn, change: Change) -> Iterator[str]:
    """Make the writes of a change of ``plan_queue``."""
    if change.after is None:
        sqs.delete_queue(client, arn)
        yield "deleted the queue"
        return
    after = change.after
    if change.before is None:
        sqs.create_queue(client, arn.resource, after["attributes"], after["tags"])
        yield "created the queue"
        return
    attributes = _differing(change)
    if attributes:
        sqs.set_queue_attributes(client, arn, attributes)
        yield f"set {', '.join(attributes)}"
    to_set, to_remove = tag_writes(change.before["tags"], after["tags"])
    if to_set:
        sqs.tag_queue(client, arn, to_set)
        yield f"set the tags {', '.join(sorted(to_set))}"
    if to_remove:
        sqs.untag_queue(client, arn, to_remove)
        yield f"removed the tags {', '.join(to_remove)}"


def write_topic(client: Any, arn: Arn, wanted: Mapping[str, Any], change: Change) -> Generator[str, None, None]:
    """Make the writes of a change of ``plan_topic``."""
    if change.after is None:
        sns.delete_topic(client, str(arn))
        yield "deleted the topic"
        return
    after, before = change.after, change.before or {"tags": {}, "subscriptions": []}
    if change.before is None:
        sns.create_topic(client, arn.resource, after["attributes"], after["tags"])
        yield "created the topic"
    else:
        for name, value in _differing(change).items():
            sns.set_topic_attribute(client, str(arn), name, value)
            yield f"set {name}"
        to_set, to_remove = tag_writes(before["tags"], after["tags"])
        if to_set:
            sns.tag_topic(client, str(arn), to_set)
            yield f"set the tags {', '.join(sorted(to_set))}"
        if to_remove:
            sns.untag_topic(client, str(arn), to_remove)
            yield f"removed the tags {', '.join(to_remove)}"
    for each in wanted["subscriptions"]:
        if f"{each['protocol']} {each['endpoint']}" not in before["subscriptions"]:
            sns.subscribe(client, str(arn), each["protocol"], each["endpoint"])
            yield f"subscribed {each['endpoint']}"
    for subscription in wanted["unsubscribe"]:
        sns.unsubscribe(client, subscription)
        yield "removed a subscription"


def _differing(change: Change) -> dict[str, str]:
    before = (change.before or {})["attributes"]
    return {key: value for key, value in (change.after or {})["attributes"].items() if before.get(key) != value}
