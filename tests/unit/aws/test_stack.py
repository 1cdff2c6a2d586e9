# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ecs_stack_info reads: the calls for each kind, and what becomes of the answers."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.stack import READERS, find_stack
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.place import StackPlace

from tests.unit.aws.clients import Clients

REGION, ACCOUNT = "eu-central-1", "111122223333"
HERE = StackPlace("aws", REGION, ACCOUNT)
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:lost"
GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/alerts-task"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tell"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all"
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/lost"
TAGS = [{"Key": "team", "Value": "shop"}]
READ = {"team": "shop"}
DESCRIBED_RULE = {"Name": "alerts-task", "Arn": RULE, "State": "ENABLED", "EventPattern": "{}"}
FACTS_OF_RULE = {
    "name": "alerts-task",
    "arn": RULE,
    "bus": "default",
    "state": "ENABLED",
    "pattern_text": "{}",
    "description": "",
    "role_arn": None,
    "schedule": None,
    "managed_by": None,
    "tags": READ,
}
TARGETS = ("events.list_targets_by_rule", None, {"Targets": [{"Id": "mail", "Arn": TOPIC}]})
TAGS_OF_RULE = ("events.list_tags_for_resource", {"ResourceARN": RULE}, {"Tags": TAGS})


def find(clients, names=None, trails=False):
    found = find_stack(clients, HERE, names or {}, trails)
    clients.assert_all_asked()
    assert [found.pop(key) for key in ("account", "partition", "region")] == [ACCOUNT, "aws", REGION]
    return found


# The kind, the name, the calls, and the resource that was found, or some of its keys.
CASES = [
    (
        "queues",
        "lost",
        [("sqs.get_queue_attributes", {"QueueUrl": URL, "AttributeNames": ["All"]}, "QueueDoesNotExist")],
        None,
    ),
    (
        "queues",
        QUEUE,
        [
            ("sqs.get_queue_attributes", None, {"Attributes": {"Policy": "{}"}}),
            ("sqs.list_queue_tags", {"QueueUrl": URL}, {"Tags": READ}),
        ],
        {"arn": QUEUE, "url": URL, "attributes": {"Policy": "{}"}, "tags": READ},
    ),
    ("topics", "alerts", [("sns.get_topic_attributes", {"TopicArn": TOPIC}, "NotFound")], None),
    (
        "topics",
        "alerts",
        [
            ("sns.get_topic_attributes", {"TopicArn": TOPIC}, {"Attributes": {"DisplayName": "x"}}),
            (
                "sns.list_subscriptions_by_topic",
                {"TopicArn": TOPIC},
                {
                    "Subscriptions": [
                        {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "a@b.c"}
                    ]
                },
            ),
            ("sns.list_tags_for_resource", {"ResourceArn": TOPIC}, {"Tags": TAGS}),
        ],
        {
            "arn": TOPIC,
            "attributes": {"DisplayName": "x"},
            "tags": READ,
            "subscriptions": [{"arn": "PendingConfirmation", "protocol": "email", "endpoint": "a@b.c"}],
        },
    ),
    ("log_groups", "/ecs", [("logs.describe_log_groups", {"logGroupNamePrefix": "/ecs"}, {"logGroups": []})], None),
    (
        "log_groups",
        f"{GROUP}",
        [
            (
                "logs.describe_log_groups",
                {"logGroupNamePrefix": "/ecs"},
                {"logGroups": [{"logGroupName": "/ecs", "retentionInDays": 30}]},
            ),
            ("logs.list_tags_for_resource", {"resourceArn": GROUP}, {"tags": READ}),
        ],
        {"arn": GROUP, "retention_days": 30, "kms_key_arn": None, "tags": READ},
    ),
    ("log_group_policies", "/ecs", [("logs.describe_resource_policies", None, "ResourceNotFoundException")], None),
    (
        "log_group_policies",
        "/ecs",
        [
            (
                "logs.describe_resource_policies",
                {"resourceArn": GROUP, "policyScope": "RESOURCE"},
                {"resourcePolicies": [{"policyDocument": "{}", "revisionId": "7"}]},
            )
        ],
        {"policy": "{}", "revision": "7"},
    ),
    ("iam_roles", "tell", [("iam.get_role", {"RoleName": "tell"}, "NoSuchEntity")], None),
    ("functions", "tell", [("lambda.get_function", {"FunctionName": "tell"}, "ResourceNotFoundException")], None),
    (
        "functions",
        "tell",
        [
            (
                "lambda.get_function",
                None,
                {
                    "Configuration": {
                        "FunctionArn": FUNCTION,
                        "Role": "arn:aws:iam::111122223333:role/tell",
                        "CodeSha256": "abc",
                        "Environment": {"Variables": {"DSN": "secret"}},
                    },
                    "Tags": READ,
                    "Concurrency": {"ReservedConcurrentExecutions": 2},
                },
            )
        ],
        {
            "arn": FUNCTION,
            "code_sha256": "abc",
            "environment": {"DSN": hashlib.sha256(b"secret").hexdigest()},
            "reserved_concurrency": 2,
            "tags": READ,
            "dead_letter_arn": None,
        },
    ),
    (
        "function_policies",
        "tell",
        [("lambda.get_policy", {"FunctionName": FUNCTION}, {"Policy": "{}"})],
        {"policy": "{}"},
    ),
    (
        "event_source_mappings",
        "tell",
        [
            (
                "lambda.list_event_source_mappings",
                {"FunctionName": FUNCTION},
                {
                    "EventSourceMappings": [{"UUID": "1" * 36, "EventSourceArn": QUEUE, "State": "Enabled"}],
                    "NextMarker": "x",
                },
            ),
            (
                "lambda.list_event_source_mappings",
                {"FunctionName": FUNCTION, "Marker": "x"},
                {"EventSourceMappings": []},
            ),
        ],
        [
            {
                "uuid": "1" * 36,
                "source_arn": QUEUE,
                "state": "Enabled",
                "batch_size": None,
                "function_response_types": [],
                "maximum_concurrency": None,
            }
        ],
    ),
    ("connections", "slack", [("events.describe_connection", {"Name": "slack"}, "ResourceNotFoundException")], None),
    ("api_destinations", "slack", [("events.describe_api_destination", None, "ResourceNotFoundException")], None),
    ("topic_policies", TOPIC, [("sns.get_topic_attributes", {"TopicArn": TOPIC}, "NotFound")], None),
    (
        "topic_policies",
        TOPIC,
        [("sns.get_topic_attributes", {"TopicArn": TOPIC}, {"Attributes": {"Policy": "{}"}})],
        {"attributes": {"Policy": "{}"}, "denied": None},
    ),
    (
        "topic_policies",
        TOPIC,
        [("sns.get_topic_attributes", {"TopicArn": TOPIC}, "AuthorizationError")],
        {"attributes": {}, "denied": "AuthorizationError"},
    ),
    (
        "schedule_groups",
        "jobs",
        [("scheduler.get_schedule_group", {"Name": "jobs"}, "ResourceNotFoundException")],
        None,
    ),
    ("schedule_groups", "jobs", [("scheduler.get_schedule_group", {"Name": "jobs"}, {"Name": "jobs"})], {}),
    (
        "schedules",
        "jobs/a",
        [("scheduler.get_schedule", {"GroupName": "jobs", "Name": "a"}, "ResourceNotFoundException")],
        None,
    ),
    (
        "schedules",
        "a",
        [("scheduler.get_schedule", {"GroupName": "default", "Name": "a"}, "ResourceNotFoundException")],
        None,
    ),
    (
        "state_machines",
        "job",
        [
            (
                "stepfunctions.describe_state_machine",
                {"stateMachineArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:job"},
                "StateMachineDoesNotExist",
            )
        ],
        None,
    ),
    (
        "subscription_filters",
        "trail",
        [("logs.describe_subscription_filters", None, "ResourceNotFoundException")],
        None,
    ),
    ("alarms", "lost", [("cloudwatch.describe_alarms", None, {"MetricAlarms": []})], None),
    (
        "alarms",
        "lost",
        [
            (
                "cloudwatch.describe_alarms",
                {"AlarmNames": ["lost"], "AlarmTypes": ["MetricAlarm"], "MaxRecords": 100},
                {"MetricAlarms": [{"AlarmName": "lost", "AlarmArn": "arn:x", "Threshold": 0.0}]},
            ),
            ("cloudwatch.list_tags_for_resource", {"ResourceARN": "arn:x"}, {"Tags": TAGS}),
        ],
        {"arn": "arn:x", "threshold": 0.0, "tags": READ, "treat_missing_data": "missing"},
    ),
    ("tables", "windows", [("dynamodb.describe_table", {"TableName": "windows"}, "ResourceNotFoundException")], None),
    (
        "tables",
        "windows",
        [
            (
                "dynamodb.describe_table",
                {"TableName": "windows"},
                {
                    "Table": {
                        "TableArn": "arn:x",
                        "TableStatus": "ACTIVE",
                        "KeySchema": [{"AttributeName": "window", "KeyType": "HASH"}],
                        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                    }
                },
            ),
            ("dynamodb.list_tags_of_resource", {"ResourceArn": "arn:x"}, {"Tags": TAGS}),
        ],
        {
            "arn": "arn:x",
            "status": "ACTIVE",
            "hash_key_name": "window",
            "billing_mode": "PAY_PER_REQUEST",
            "tags": READ,
        },
    ),
    (
        "task_definitions",
        "job",
        [("ecs.describe_task_definition", None, "ClientException: Unable to describe task definition.")],
        None,
    ),
    (
        "task_definitions",
        "job:2",
        [
            (
                "ecs.describe_task_definition",
                {"taskDefinition": "job:2"},
                {
                    "taskDefinition": {
                        "taskDefinitionArn": "arn:job",
                        "family": "job",
                        "revision": 2,
                        "containerDefinitions": [{"name": "app"}],
                    }
                },
            )
        ],
        {"arn": "arn:job", "family": "job", "revision": 2, "container_names": ["app"], "task_role_arn": None},
    ),
    (
        "rules",
        "alerts-task",
        [("events.describe_rule", None, "ResourceNotFoundException: Rule alerts-task does not exist.")],
        None,
    ),
    ("rules", "alerts-task", [("events.describe_rule", None, DESCRIBED_RULE), TARGETS, TAGS_OF_RULE], FACTS_OF_RULE),
]


@pytest.mark.parametrize(("kind", "name", "calls", "expected"), CASES)
def test_each_kind_takes_few_calls_and_a_missing_one_is_none(kind, name, calls, expected):
    clients = Clients()
    clients.expect(*calls)
    found = find(clients, {kind: [name]})[kind][name]
    if isinstance(expected, dict):
        assert {key: found[key] for key in expected} == expected
    else:
        assert found == expected


def test_every_kind_is_in_the_table():
    assert {case[0] for case in CASES} == READERS.keys()


def test_one_call_finds_all_rules_whose_names_begin_alike():
    clients = Clients()
    listed = ("events.list_rules", {"EventBusName": "default", "NamePrefix": "alerts-"}, {"Rules": [DESCRIBED_RULE]})
    clients.expect(listed, TARGETS, TAGS_OF_RULE)
    found = find(clients, {"rules": ["alerts-task", "alerts-launch"]})["rules"]
    assert found["alerts-launch"] is None
    assert found["alerts-task"]["targets"][0]["arn"] == TOPIC


def test_a_role_comes_with_its_policies():
    clients = Clients()
    role = {
        "Arn": "arn:aws:iam::111122223333:role/tell",
        "Path": "/",
        "RoleName": "tell",
        "RoleId": "AROA0000000000000000",
        "CreateDate": 0,
        "AssumeRolePolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%7D",
        "Description": "d",
        "Tags": TAGS,
        "PermissionsBoundary": {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/x",
        },
    }
    named = {"RoleName": "tell", "PolicyName": "log"}
    clients.expect(
        ("iam.get_role", {"RoleName": "tell"}, {"Role": role}),
        ("iam.list_role_policies", {"RoleName": "tell"}, {"PolicyNames": ["log"]}),
        ("iam.get_role_policy", named, {**named, "PolicyDocument": "%7B%22Statement%22%3A%5B%5D%7D"}),
        ("iam.list_attached_role_policies", {"RoleName": "tell"}, {"AttachedPolicies": []}),
    )
    found = find(clients, {"iam_roles": ["tell"]})["iam_roles"]["tell"]
    assert found["boundary"] == "arn:aws:iam::aws:policy/x"
    assert found["tags"] == READ
    assert found["policies"].keys() == {"log"}


LISTED = ("cloudtrail.describe_trails", {"includeShadowTrails": True}, {"trailList": [{"TrailARN": TRAIL}]})
LOGGING = ("cloudtrail.get_trail_status", {"Name": TRAIL}, {"IsLogging": True})
SELECTORS = ("cloudtrail.get_event_selectors", {"TrailName": TRAIL}, {"EventSelectors": [{"ReadWriteType": "All"}]})


@pytest.mark.parametrize(
    ("calls", "logs_launches", "denied"),
    [
        ([("cloudtrail.describe_trails", None, {"trailList": []})], False, None),
        ([LISTED, ("cloudtrail.get_trail_status", None, {"IsLogging": False})], False, None),
        ([LISTED, LOGGING, SELECTORS], True, None),
        ([LISTED, LOGGING, ("cloudtrail.get_event_selectors", None, "TrailNotFoundException")], False, None),
        (
            [("cloudtrail.describe_trails", None, "AccessDeniedException")],
            None,
            "DescribeTrails: AccessDeniedException",
        ),
    ],
)
def test_a_trail_that_records_launches(calls, logs_launches, denied):
    clients = Clients()
    clients.expect(*calls)
    assert find(clients, trails=True)["trails"] == {"logs_launches": logs_launches, "denied": denied}


def test_another_failure_about_trails_is_one():
    clients = Clients()
    clients.expect(("cloudtrail.describe_trails", None, "UnsupportedOperationException"))
    with pytest.raises(CallFailed):
        find_stack(clients, HERE, {}, trails=True)
