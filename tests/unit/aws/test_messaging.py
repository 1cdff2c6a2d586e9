# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of queues, topics and keys of log groups: requests as AWS takes them, in their order."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.messaging import write_queue, write_topic
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.stack_steps import plan_step
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Failed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.place import StackPlace

from tests.unit.aws.clients import Clients

PLACE = "eu-central-1:111122223333"
URL = "https://sqs.eu-central-1.amazonaws.com/111122223333/lost"
QUEUE, TOPIC = (parse_arn(f"arn:aws:{each}") for each in (f"sqs:{PLACE}:lost", f"sns:{PLACE}:alerts"))
OLD = {"attributes": {"A": "1", "B": "2"}, "tags": {"a": "1", "b": "2"}, "subscriptions": ["email ops"]}
NEW = {"attributes": {"A": "3", "B": "2"}, "tags": {"a": "3"}, "subscriptions": ["email dev", "email ops"]}
SUBSCRIPTIONS = [{"protocol": "email", "endpoint": each} for each in ("ops", "dev")]
ARN = {"TopicArn": str(TOPIC)}


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        (
            Change(None, NEW),
            [("create_queue", {"QueueName": "lost", "Attributes": {"A": "3", "B": "2"}, "tags": {"a": "3"}})],
        ),
        (
            Change(OLD, NEW),
            [
                ("set_queue_attributes", {"QueueUrl": URL, "Attributes": {"A": "3"}}),
                ("tag_queue", {"QueueUrl": URL, "Tags": {"a": "3"}}),
                ("untag_queue", {"QueueUrl": URL, "TagKeys": ["b"]}),
            ],
        ),
        (Change(OLD, None), [("delete_queue", {"QueueUrl": URL})]),
        (Change(None, {"attributes": {}, "tags": {}}), [("create_queue", {"QueueName": "lost", "Attributes": {}})]),
    ],
)
def test_a_queue(change, calls):
    clients = Clients()
    clients.expect(*((f"sqs.{name}", request, {}) for name, request in calls))
    assert len(list(write_queue(clients("sqs"), QUEUE, change))) == len(calls)
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("change", "unsubscribe", "calls"),
    [
        (
            Change(None, NEW),
            [],
            [
                (
                    "create_topic",
                    {"Name": "alerts", "Attributes": NEW["attributes"], "Tags": [{"Key": "a", "Value": "3"}]},
                ),
                ("subscribe", {**ARN, "Protocol": "email", "Endpoint": "ops"}),
                ("subscribe", {**ARN, "Protocol": "email", "Endpoint": "dev"}),
            ],
        ),
        (
            Change(OLD, NEW),
            ["arn:old"],
            [
                ("set_topic_attributes", {**ARN, "AttributeName": "A", "AttributeValue": "3"}),
                ("tag_resource", {"ResourceArn": str(TOPIC), "Tags": [{"Key": "a", "Value": "3"}]}),
                ("untag_resource", {"ResourceArn": str(TOPIC), "TagKeys": ["b"]}),
                ("subscribe", {**ARN, "Protocol": "email", "Endpoint": "dev"}),
                ("unsubscribe", {"SubscriptionArn": "arn:old"}),
            ],
        ),
        (Change(OLD, None), [], [("delete_topic", ARN)]),
    ],
)
def test_a_topic(change, unsubscribe, calls):
    clients = Clients()
    clients.expect(*((f"sns.{name}", request, {}) for name, request in calls))
    wanted = {"subscriptions": SUBSCRIPTIONS, "unsubscribe": unsubscribe}
    assert len(list(write_topic(clients("sns"), TOPIC, wanted, change))) == len(calls)
    clients.assert_all_asked()


def test_what_is_gone_already_is_no_failure():
    clients = Clients()
    clients.expect(
        ("sqs.delete_queue", {"QueueUrl": URL}, "AWS.SimpleQueueService.NonExistentQueue"),
        ("sns.delete_topic", ARN, "NotFound"),
        ("sns.unsubscribe", {"SubscriptionArn": "arn:old"}, "NotFound"),
    )
    assert list(write_queue(clients("sqs"), QUEUE, Change(OLD, None))) == ["deleted the queue"]
    assert list(write_topic(clients("sns"), TOPIC, {}, Change(OLD, None))) == ["deleted the topic"]
    wanted = {"subscriptions": [], "unsubscribe": ["arn:old"]}
    assert list(write_topic(clients("sns"), TOPIC, wanted, Change(OLD, OLD))) == ["removed a subscription"]


KEY = "arn:aws:kms:eu-central-1:111122223333:key/1b2c"


@pytest.mark.parametrize(
    ("found", "changed"), [({}, True), ({"kmsKeyId": f"{KEY}3d"}, True), ({"kmsKeyId": KEY}, False)]
)
def test_a_key_of_a_log_group(found, changed):
    clients = Clients()
    read = (
        "logs.describe_log_groups",
        {"logGroupNamePrefix": "/ecs"},
        {"logGroups": [{"logGroupName": "/ecs", **found}]},
    )
    write = ("logs.associate_kms_key", {"logGroupName": "/ecs", "kmsKeyId": KEY}, {})
    clients.expect(*([read, write] if changed else [read]))
    place = StackPlace("aws", "eu-central-1", "111122223333")
    planned = plan_step(clients, place, "log_group_key", {"name": "/ecs", "kms_key_arn": KEY})
    assert planned.change.changed is changed
    if changed:
        assert list(planned.write(planned.change)) == ["set the KMS key"]
    clients.assert_all_asked()


def test_a_key_needs_its_log_group():
    clients = Clients()
    clients.expect(("logs.describe_log_groups", {"logGroupNamePrefix": "/ecs"}, {"logGroups": []}))
    with pytest.raises(Failed, match=r"The log group /ecs does not exist\. Create it first"):
        plan_step(clients, StackPlace("aws", "x", "1"), "log_group_key", {"name": "/ecs", "kms_key_arn": KEY})
