# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls for a target and the policies of the resources it reaches: what they send and make of the answer."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import (
    event_targets,
    functions,
    log_groups,
    sns,
    sqs,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.shapes.event_target import boto_target, target_facts
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.options import read_target
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.statements import statement_for

from tests.unit.aws.clients import stubbed
from tests.unit.core.events import target_options as of
from tests.unit.core.events.target_options import RULE, params, template
from tests.unit.core.events.test_target_plan import TASKS

ON = {"Rule": "failures", "EventBusName": "central"}
TARGET = {"Id": "a", "Arn": of.TOPIC}
SETTINGS = read_target(params()).facts
QUEUE, FUNCTION, ALIAS = (parse_arn(arn) for arn in (of.QUEUE, of.FUNCTION, f"{of.FUNCTION}:live"))
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/alerts"
STATEMENT = statement_for(FUNCTION, RULE, "a")
SID = STATEMENT["Sid"]
POLICY = json.dumps({"Statement": [STATEMENT]})
GROUP = {"resourceArn": of.LOG_GROUP}


@pytest.mark.parametrize(
    ("function", "arguments", "service", "operation", "request_", "response", "expected"),
    [
        (
            event_targets.list_targets,
            ("failures", "central"),
            "events",
            "list_targets_by_rule",
            ON,
            {"Targets": [TARGET]},
            [TARGET],
        ),
        (
            event_targets.put_target,
            ("failures", "central", boto_target(SETTINGS)),
            "events",
            "put_targets",
            {**ON, "Targets": [TARGET]},
            {"FailedEntryCount": 0, "FailedEntries": []},
            None,
        ),
        (
            event_targets.remove_targets,
            ("failures", "central", ["a"]),
            "events",
            "remove_targets",
            {**ON, "Ids": ["a"]},
            {"FailedEntryCount": 0},
            None,
        ),
        (
            sns.topic_attributes,
            (of.TOPIC,),
            "sns",
            "get_topic_attributes",
            {"TopicArn": of.TOPIC},
            {"Attributes": {"Policy": POLICY}},
            {"Policy": POLICY},
        ),
        (
            sns.set_topic_policy,
            (of.TOPIC, POLICY),
            "sns",
            "set_topic_attributes",
            {"TopicArn": of.TOPIC, "AttributeName": "Policy", "AttributeValue": POLICY},
            {},
            None,
        ),
        (
            sqs.queue_attributes,
            (QUEUE,),
            "sqs",
            "get_queue_attributes",
            {"QueueUrl": URL, "AttributeNames": ["All"]},
            {},
            {},
        ),
        (
            sqs.set_queue_policy,
            (QUEUE, POLICY),
            "sqs",
            "set_queue_attributes",
            {"QueueUrl": URL, "Attributes": {"Policy": POLICY}},
            {},
            None,
        ),
        (
            functions.function_policy,
            (ALIAS,),
            "lambda",
            "get_policy",
            {"FunctionName": of.FUNCTION, "Qualifier": "live"},
            {"Policy": POLICY},
            POLICY,
        ),
        (
            functions.function_exists,
            (FUNCTION,),
            "lambda",
            "get_function_configuration",
            {"FunctionName": of.FUNCTION},
            {"FunctionName": "alerts"},
            True,
        ),
        (
            functions.add_permission,
            (ALIAS, STATEMENT),
            "lambda",
            "add_permission",
            {
                "FunctionName": of.FUNCTION,
                "Qualifier": "live",
                "StatementId": SID,
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": RULE,
            },
            {},
            None,
        ),
        (
            functions.remove_permission,
            (FUNCTION, SID),
            "lambda",
            "remove_permission",
            {"FunctionName": of.FUNCTION, "StatementId": SID},
            {},
            None,
        ),
        (
            log_groups.log_group_policy,
            (of.LOG_GROUP,),
            "logs",
            "describe_resource_policies",
            {**GROUP, "policyScope": "RESOURCE"},
            {"resourcePolicies": [{"policyDocument": POLICY, "revisionId": "7"}]},
            (POLICY, "7"),
        ),
        (
            log_groups.log_group_policy,
            (of.LOG_GROUP,),
            "logs",
            "describe_resource_policies",
            {**GROUP, "policyScope": "RESOURCE"},
            {"resourcePolicies": []},
            (None, None),
        ),
        (
            log_groups.log_group,
            ("/ecs/alerts",),
            "logs",
            "describe_log_groups",
            {"logGroupNamePrefix": "/ecs/alerts"},
            {"logGroups": [{"logGroupName": "/ecs/alerts"}, {"logGroupName": "/ecs/alerts2"}]},
            {"logGroupName": "/ecs/alerts"},
        ),
        (
            log_groups.log_group,
            ("/ecs/alert",),
            "logs",
            "describe_log_groups",
            {"logGroupNamePrefix": "/ecs/alert"},
            {"logGroups": [{"logGroupName": "/ecs/alerts"}]},
            None,
        ),
        (
            log_groups.put_log_group_policy,
            (of.LOG_GROUP, {"Statement": []}, None),
            "logs",
            "put_resource_policy",
            {**GROUP, "policyDocument": '{"Statement": []}'},
            {},
            None,
        ),
        (
            log_groups.put_log_group_policy,
            (of.LOG_GROUP, {"Statement": []}, "7"),
            "logs",
            "put_resource_policy",
            {**GROUP, "policyDocument": '{"Statement": []}', "expectedRevisionId": "7"},
            {},
            None,
        ),
        (
            log_groups.delete_log_group_policy,
            (of.LOG_GROUP, "7"),
            "logs",
            "delete_resource_policy",
            {**GROUP, "expectedRevisionId": "7"},
            {},
            None,
        ),
    ],
)
def test_a_call_sends_and_returns(function, arguments, service, operation, request_, response, expected):
    client, stub = stubbed(service)
    stub.add_response(operation, response, request_)
    assert function(client, *arguments) == expected
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("function", "arguments", "service", "operation", "code", "expected"),
    [
        (event_targets.list_targets, ("r", "b"), "events", "list_targets_by_rule", "ResourceNotFoundException", None),
        (sns.topic_attributes, (of.TOPIC,), "sns", "get_topic_attributes", "NotFound", None),
        (
            sqs.queue_attributes,
            (QUEUE,),
            "sqs",
            "get_queue_attributes",
            "AWS.SimpleQueueService.NonExistentQueue",
            None,
        ),
        (sqs.queue_attributes, (QUEUE,), "sqs", "get_queue_attributes", "QueueDoesNotExist", None),
        (functions.function_policy, (FUNCTION,), "lambda", "get_policy", "ResourceNotFoundException", None),
        (
            functions.function_exists,
            (FUNCTION,),
            "lambda",
            "get_function_configuration",
            "ResourceNotFoundException",
            False,
        ),
        (
            functions.remove_permission,
            (FUNCTION, SID),
            "lambda",
            "remove_permission",
            "ResourceNotFoundException",
            None,
        ),
        (
            functions.add_permission,
            (FUNCTION, STATEMENT),
            "lambda",
            "add_permission",
            "ResourceConflictException",
            None,
        ),
        (
            log_groups.log_group_policy,
            (of.LOG_GROUP,),
            "logs",
            "describe_resource_policies",
            "ResourceNotFoundException",
            (None, None),
        ),
    ],
)
def test_what_is_not_there_is_a_value(function, arguments, service, operation, code, expected):
    client, stub = stubbed(service)
    stub.add_client_error(operation, code)
    assert function(client, *arguments) == expected


@pytest.mark.parametrize(
    ("function", "arguments", "service", "operation", "code", "words"),
    [
        (
            sns.topic_attributes,
            (of.TOPIC,),
            "sns",
            "get_topic_attributes",
            "AuthorizationError",
            "sns:GetTopicAttributes",
        ),
        (sqs.queue_attributes, (QUEUE,), "sqs", "get_queue_attributes", "AccessDenied", "sqs:GetQueueAttributes"),
        (functions.function_policy, (FUNCTION,), "lambda", "get_policy", "AccessDeniedException", "lambda:GetPolicy"),
        (
            log_groups.log_group_policy,
            (of.LOG_GROUP,),
            "logs",
            "describe_resource_policies",
            "AccessDeniedException",
            "logs:DescribeResourcePolicies",
        ),
        (
            event_targets.list_targets,
            ("r", "b"),
            "events",
            "list_targets_by_rule",
            "AccessDeniedException",
            "ListTargets",
        ),
    ],
)
def test_a_right_that_lacks_is_named(function, arguments, service, operation, code, words):
    client, stub = stubbed(service)
    stub.add_client_error(operation, code)
    with pytest.raises(CallFailed, match=words):
        function(client, *arguments)


@pytest.mark.parametrize(
    ("code", "kind"), [("ConcurrentModificationException", "passing"), ("InvalidArgument", "final"), (None, "final")]
)
def test_an_entry_that_failed_is_a_failure(code, kind):
    client, stub = stubbed("events")
    entry = {"TargetId": "a", **({"ErrorCode": code, "ErrorMessage": "No."} if code else {})}
    stub.add_response("put_targets", {"FailedEntryCount": 1, "FailedEntries": [entry]})
    with pytest.raises(CallFailed) as failed:
        event_targets.put_target(client, "failures", "default", boto_target(SETTINGS))
    assert (failed.value.code, failed.value.kind) == (code or "Unknown", kind)


@pytest.mark.parametrize("task", [*TASKS, template('"x"')])
def test_a_target_is_read_as_it_was_written(task):
    settings = read_target(params(**task)).facts_for("task")
    assert target_facts(boto_target(settings), "failures", "default") == settings
