# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies of the resources that a target reaches: how each is read, and how one statement is added or removed."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.policy_places import (
    put_statement,
    read_place,
    remove_statement,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.plan import Place
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.policy_document import (
    least_topic_policy_document,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.statements import statement_for

from tests.unit.aws.clients import Clients
from tests.unit.core.events import target_options as of

TOPIC, QUEUE, FUNCTION, GROUP = (parse_arn(arn) for arn in (of.TOPIC, of.QUEUE, of.FUNCTION, of.LOG_GROUP))
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/alerts"
OTHER = {"Sid": "Other", "Effect": "Allow", "Principal": "*", "Action": "x:Y", "Resource": "*"}
NOT_FOUND = "ResourceNotFoundException: no"
GET_TOPIC = ("sns.get_topic_attributes", {"TopicArn": of.TOPIC})
GET_QUEUE = ("sqs.get_queue_attributes", {"QueueUrl": URL, "AttributeNames": ["All"]})
GET_FUNCTION = ("lambda.get_policy", {"FunctionName": of.FUNCTION})
GET_GROUP = ("logs.describe_resource_policies", {"resourceArn": of.LOG_GROUP, "policyScope": "RESOURCE"})
CONFIGURATION = ("lambda.get_function_configuration", {"FunctionName": of.FUNCTION})
GROUPS = ("logs.describe_log_groups", {"logGroupNamePrefix": "/ecs/alerts"})


@pytest.mark.parametrize(
    ("arn", "calls", "place"),
    [
        (TOPIC, [(*GET_TOPIC, "NotFound: Topic does not exist")], Place(TOPIC, exists=False)),
        (TOPIC, [(*GET_TOPIC, {"Attributes": {"Policy": ""}})], Place(TOPIC)),
        (
            TOPIC,
            [(*GET_TOPIC, {"Attributes": {"Policy": "{}", "KmsMasterKeyId": "alias/mine"}})],
            Place(TOPIC, policy_document="{}", key="alias/mine"),
        ),
        (QUEUE, [(*GET_QUEUE, "AWS.SimpleQueueService.NonExistentQueue: no")], Place(QUEUE, exists=False)),
        (
            QUEUE,
            [(*GET_QUEUE, {"Attributes": {"ContentBasedDeduplication": "true"}})],
            Place(QUEUE, deduplicates=True),
        ),
        (FUNCTION, [(*GET_FUNCTION, {"Policy": "{}"})], Place(FUNCTION, policy_document="{}")),
        (FUNCTION, [(*GET_FUNCTION, NOT_FOUND), (*CONFIGURATION, {})], Place(FUNCTION)),
        (FUNCTION, [(*GET_FUNCTION, NOT_FOUND), (*CONFIGURATION, NOT_FOUND)], Place(FUNCTION, exists=False)),
        (
            GROUP,
            [(*GET_GROUP, {"resourcePolicies": [{"policyDocument": "{}", "revisionId": "7"}]})],
            Place(GROUP, policy_document="{}", revision="7"),
        ),
        (
            GROUP,
            [(*GET_GROUP, {"resourcePolicies": []}), (*GROUPS, {"logGroups": [{"logGroupName": "/ecs/alerts"}]})],
            Place(GROUP),
        ),
        (GROUP, [(*GET_GROUP, NOT_FOUND), (*GROUPS, {"logGroups": []})], Place(GROUP, exists=False)),
    ],
)
def test_a_place_is_read(arn, calls, place):
    clients = Clients()
    clients.expect(*calls)
    assert read_place(clients, arn) == place
    clients.assert_all_asked()


def ours(arn):
    return statement_for(arn, of.RULE, "a")


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def text(*statements):
    return json.dumps(document(*statements))


def set_topic(policy):
    return ("sns.set_topic_attributes", {"TopicArn": of.TOPIC, "AttributeName": "Policy", "AttributeValue": policy}, {})


def set_queue(policy):
    return ("sqs.set_queue_attributes", {"QueueUrl": URL, "Attributes": {"Policy": policy}}, {})


def add_permission(answer):
    sent = {
        "FunctionName": of.FUNCTION,
        "StatementId": ours(FUNCTION)["Sid"],
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": of.RULE,
    }
    return ("lambda.add_permission", sent, answer)


def remove_permission(answer):
    return (
        "lambda.remove_permission",
        {"FunctionName": of.FUNCTION, "StatementId": ours(FUNCTION)["Sid"]},
        answer,
    )


@pytest.mark.parametrize(
    ("place", "stands", "calls", "policy"),
    [
        (
            Place(TOPIC, policy_document=text(OTHER)),
            False,
            [set_topic(text(OTHER, ours(TOPIC)))],
            text(OTHER, ours(TOPIC)),
        ),
        (Place(QUEUE), False, [set_queue(text(ours(QUEUE)))], text(ours(QUEUE))),
        (
            Place(GROUP, policy_document=text(OTHER), revision="7"),
            False,
            [
                (
                    "logs.put_resource_policy",
                    {
                        "resourceArn": of.LOG_GROUP,
                        "policyDocument": text(OTHER, ours(GROUP)),
                        "expectedRevisionId": "7",
                    },
                    {},
                )
            ],
            text(OTHER, ours(GROUP)),
        ),
        # A function's policy is never written as a whole, so the existing statement is removed first.
        (Place(FUNCTION), False, [add_permission({})], None),
        (Place(FUNCTION), False, [add_permission("ResourceConflictException: it is there")], None),
        (Place(FUNCTION), True, [remove_permission({}), add_permission({})], None),
        (Place(FUNCTION), True, [remove_permission(NOT_FOUND), add_permission({})], None),
    ],
)
def test_a_statement_is_put(place, stands, calls, policy):
    clients = Clients()
    clients.expect(*calls)
    assert put_statement(clients, place, ours(place.arn), stands).policy_document == policy
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("place", "calls", "policy"),
    [
        (Place(TOPIC, policy_document=text(OTHER, ours(TOPIC))), [set_topic(text(OTHER))], text(OTHER)),
        # A topic cannot be without a policy.
        (
            Place(TOPIC, policy_document=text(ours(TOPIC))),
            [set_topic(json.dumps(least_topic_policy_document(TOPIC)))],
            None,
        ),
        (Place(QUEUE, policy_document=text(ours(QUEUE))), [set_queue("")], None),
        (
            Place(GROUP, policy_document=text(ours(GROUP)), revision="7"),
            [("logs.delete_resource_policy", {"resourceArn": of.LOG_GROUP, "expectedRevisionId": "7"}, {})],
            None,
        ),
        (Place(FUNCTION, policy_document=text(ours(FUNCTION))), [remove_permission({})], text(ours(FUNCTION))),
    ],
)
def test_a_statement_is_removed(place, calls, policy):
    clients = Clients()
    clients.expect(*calls)
    assert remove_statement(clients, place, ours(place.arn)["Sid"]).policy_document == policy
    clients.assert_all_asked()


def test_a_policy_that_may_not_be_written():
    clients = Clients()
    clients.expect((set_queue("")[0], None, "AccessDenied: no"))
    with pytest.raises(CallFailed, match="Allow sqs:SetQueueAttributes"):
        remove_statement(clients, Place(QUEUE, policy_document=text(ours(QUEUE))), ours(QUEUE)["Sid"])
