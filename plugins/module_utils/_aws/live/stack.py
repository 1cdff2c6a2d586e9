# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read the resources of a stack: one function for each kind, all in one process.

Each function takes the clients, the place and the names to look up. It returns the facts of each resource by name, or
None for one that does not exist.
"""

from __future__ import annotations

import hashlib
import json
import os.path
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._core.arns import Arn
from ..._core.aws_errors import is_denied
from ..._core.errors import CallFailed
from ..._core.log_subscription.model import log_groups_in
from ..._core.stacks.found import as_found
from ..._core.stacks.place import StackPlace
from ..._core.stacks.trails import logs_launches
from ..calls import (
    api_destinations,
    cloudtrail,
    cloudwatch,
    dynamodb,
    ecs,
    event_connections,
    event_rules,
    event_sources,
    event_targets,
    functions,
    iam,
    log_groups,
    log_subscriptions,
    scheduler,
    sns,
    sqs,
    stepfunctions,
)
from ..calls.pages import hundreds
from ..shapes.event_target import target_facts

Client = Callable[[str], Any]
Names = Sequence[str]
Found = dict[str, Any]

BUS = "default"


def find_rules(client: Client, _place: StackPlace, names: Names) -> Found:
    """Return rules of the default bus: in one call if the names share a prefix, plus two for each rule that exists."""
    events = client("events")
    prefix = os.path.commonprefix(list(names))  # noqa: RUF071 - of names, not of paths
    if len(names) > 1 and prefix:
        rules = {rule.name: rule for rule in event_rules.list_rules(events, BUS, prefix) or ()}
    else:
        described = {name: event_rules.describe_rule(events, name, BUS) for name in names}
        rules = {name: rule for name, rule in described.items() if rule}
    found: Found = {}
    for name in names:
        rule = rules.get(name)
        if rule:
            listed = event_targets.list_targets(events, name, BUS) or []
            targets = [target_facts(each, name, BUS) for each in listed]
            rule = replace(rule, tags=event_rules.tags_of(events, rule.arn), targets=targets)
        found[name] = rule and as_found(rule)
    return found


def find_queues(client: Client, place: StackPlace, names: Names) -> Found:
    return {name: _queue(client("sqs"), place.named("sqs", name)) for name in names}


def _queue(client: Any, arn: Arn) -> Found | None:
    attributes = sqs.queue_attributes(client, arn)
    if attributes is None:
        return None
    url = sqs.queue_url(client, arn)
    return {"arn": str(arn), "url": url, "attributes": dict(attributes), "tags": sqs.queue_tags(client, arn)}


def find_topics(client: Client, place: StackPlace, names: Names) -> Found:
    return {name: _topic(client("sns"), str(place.named("sns", name))) for name in names}


def _topic(client: Any, arn: str) -> Found | None:
    attributes = sns.topic_attributes(client, arn)
    if attributes is None:
        return None
    subscriptions = [
        {"arn": each["SubscriptionArn"], "protocol": each["Protocol"], "endpoint": each.get("Endpoint", "")}
        for each in sns.subscriptions(client, arn) or ()
    ]
    tags = sns.topic_tags(client, arn)
    return {"arn": arn, "attributes": dict(attributes), "tags": tags, "subscriptions": subscriptions}


def find_log_groups(client: Client, place: StackPlace, names: Names) -> Found:
    return {name: _log_group(client("logs"), place.named("logs", name, "log-group:")) for name in names}


def _log_group(client: Any, arn: Arn) -> Found | None:
    group = log_groups.log_group(client, _group_name(arn))
    if group is None:
        return None
    return {
        "arn": str(arn),
        "retention_days": group.get("retentionInDays"),
        "kms_key_arn": group.get("kmsKeyId"),
        "tags": log_groups.log_group_tags(client, str(arn)),
    }


def find_log_group_policies(client: Client, place: StackPlace, names: Names) -> Found:
    found: Found = {}
    for name in names:
        arn = place.named("logs", name, "log-group:")
        policy, revision = log_groups.log_group_policy(client("logs"), str(arn).removesuffix(":*"))
        found[name] = None if policy is None else {"policy": policy, "revision": revision}
    return found


def find_iam_roles(client: Client, _place: StackPlace, names: Names) -> Found:
    roles = {name: find_role(client("iam"), name) for name in names}
    for name, role in roles.items():
        if role is not None:
            role["attached_policies"] = iam.attached_policy_arns(client("iam"), name) or []
    return roles


def find_role(client: Any, name: str, policies: Names | None = None) -> Found | None:
    """Return a role with these of its inline policies. If ``policies`` is None, with all of them."""
    role = iam.role(client, name)
    if role is None:
        return None
    if policies is None:
        policies = iam.inline_policy_names(client, name) or ()
    return {
        "arn": role["Arn"],
        "trust": role["AssumeRolePolicyDocument"],
        "description": role.get("Description") or "",
        "boundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "tags": {tag["Key"]: tag["Value"] for tag in role.get("Tags") or ()},
        "policies": {policy: iam.inline_policy(client, name, policy) for policy in policies},
    }


def find_functions(client: Client, _place: StackPlace, names: Names) -> Found:
    return {name: _function(functions.whole_function(client("lambda"), name)) for name in names}


def _function(answer: Mapping[str, Any] | None) -> Found | None:
    if answer is None:
        return None
    function = answer["Configuration"]
    environment = (function.get("Environment") or {}).get("Variables") or {}
    return {
        "arn": function["FunctionArn"],
        "description": function.get("Description") or "",
        "handler": function.get("Handler"),
        "runtime": function.get("Runtime"),
        "role_arn": function["Role"],
        "timeout": function.get("Timeout"),
        "memory_size": function.get("MemorySize"),
        "code_sha256": function["CodeSha256"],
        "dead_letter_arn": (function.get("DeadLetterConfig") or {}).get("TargetArn") or None,
        "kms_key_arn": function.get("KMSKeyArn") or None,
        "environment": {key: hashlib.sha256(value.encode()).hexdigest() for key, value in environment.items()},
        "reserved_concurrency": (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions"),
        "tags": dict(answer.get("Tags") or {}),
    }


def find_function_policies(client: Client, place: StackPlace, names: Names) -> Found:
    found: Found = {}
    for name in names:
        policy = functions.function_policy(client("lambda"), place.named("lambda", name, "function:"))
        found[name] = None if policy is None else {"policy": policy}
    return found


def find_event_source_mappings(client: Client, place: StackPlace, names: Names) -> Found:
    """Return the event source mappings by function name."""
    arns = {name: str(place.named("lambda", name, "function:")) for name in names}
    return {
        name: [
            {
                "uuid": each["UUID"],
                "source_arn": each.get("EventSourceArn"),
                "state": each.get("State"),
                "batch_size": each.get("BatchSize"),
                "function_response_types": each.get("FunctionResponseTypes") or [],
                "maximum_concurrency": (each.get("ScalingConfig") or {}).get("MaximumConcurrency"),
            }
            for each in event_sources.event_source_mappings(client("lambda"), arn) or ()
        ]
        for name, arn in arns.items()
    }


def find_connections(client: Client, _place: StackPlace, names: Names) -> Found:
    found = {name: event_connections.describe_connection(client("events"), name) for name in names}
    return {name: each and as_found(each) for name, each in found.items()}


def find_api_destinations(client: Client, _place: StackPlace, names: Names) -> Found:
    found = {name: api_destinations.describe_api_destination(client("events"), name) for name in names}
    return {name: each and as_found(each) for name, each in found.items()}


def find_schedules(client: Client, _place: StackPlace, names: Names) -> Found:
    """Return schedules by ``group/name``, or by ``name`` for the group ``default``."""
    found: Found = {}
    for name in names:
        group, _slash, short = name.rpartition("/")
        schedule = scheduler.get(client("scheduler"), group or "default", short)
        found[name] = schedule and {**schedule[0], "foreign": list(schedule[1])}
    return found


def find_schedule_groups(client: Client, _place: StackPlace, names: Names) -> Found:
    found = {name: scheduler.group_exists(client("scheduler"), name) for name in names}
    return {name: {} if exists else None for name, exists in found.items()}


def find_topic_policies(client: Client, place: StackPlace, names: Names) -> Found:
    """Return only the attributes of topics, which need not be owned by us."""
    return {name: _topic_policy(client("sns"), str(place.named("sns", name))) for name in names}


def _topic_policy(client: Any, arn: str) -> Found | None:
    try:
        attributes = sns.topic_attributes(client, arn)
    except CallFailed as error:
        if not is_denied(error.code):
            raise
        return {"attributes": {}, "denied": error.code}
    return None if attributes is None else {"attributes": dict(attributes), "denied": None}


def find_state_machines(client: Client, place: StackPlace, names: Names) -> Found:
    states = client("stepfunctions")
    found: Found = {}
    for name in names:
        arn = str(place.named("states", name, "stateMachine:"))
        described = stepfunctions.describe(states, arn)
        found[name] = described and {
            **described.machine,
            "status": described.state,
            "tags": stepfunctions.tags(states, arn),
        }
    return found


def find_subscription_filters(client: Client, _place: StackPlace, names: Names) -> Found:
    """Return the filters by log group name, or None for a log group that does not exist."""
    found = {name: log_subscriptions.subscription_filters(client("logs"), name) for name in names}
    return {name: each if each is None else [as_found(one) for one in each] for name, each in found.items()}


def find_alarms(client: Client, _place: StackPlace, names: Names) -> Found:
    found: Found = dict.fromkeys(names)
    for some in hundreds(names):
        for name, alarm in cloudwatch.metric_alarms(client("cloudwatch"), some).items():
            found[name] = {
                "arn": alarm["AlarmArn"],
                "description": alarm.get("AlarmDescription") or "",
                "namespace": alarm.get("Namespace"),
                "metric": alarm.get("MetricName"),
                "statistic": alarm.get("Statistic"),
                "dimensions": {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or ()},
                "comparison": alarm.get("ComparisonOperator"),
                "threshold": alarm.get("Threshold"),
                "period": alarm.get("Period"),
                "evaluation_periods": alarm.get("EvaluationPeriods"),
                "treat_missing_data": alarm.get("TreatMissingData") or "missing",
                "alarm_actions": list(alarm.get("AlarmActions") or ()),
                "ok_actions": list(alarm.get("OKActions") or ()),
                "tags": cloudwatch.alarm_tags(client("cloudwatch"), alarm["AlarmArn"]),
            }
    return found


def find_task_definitions(client: Client, _place: StackPlace, names: Names) -> Found:
    """Return task definitions by ``family`` or ``family:revision``, without the configuration of their containers."""
    found: Found = {}
    for name in names:
        definition = ecs.task_definition(client("ecs"), name)
        found[name] = definition and {
            "arn": definition["taskDefinitionArn"],
            "family": definition["family"],
            "revision": definition["revision"],
            "status": definition.get("status"),
            "task_role_arn": definition.get("taskRoleArn"),
            "execution_role_arn": definition.get("executionRoleArn"),
            "network_mode": definition.get("networkMode"),
            "container_names": [each["name"] for each in definition["containerDefinitions"]],
        }
    return found


def find_tables(client: Client, _place: StackPlace, names: Names) -> Found:
    found: Found = {}
    for name in names:
        table = dynamodb.table(client("dynamodb"), name)
        found[name] = table and {
            "arn": table["TableArn"],
            "status": table["TableStatus"],
            "hash_key_name": next(key["AttributeName"] for key in table["KeySchema"] if key["KeyType"] == "HASH"),
            "billing_mode": (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"),
            "tags": dynamodb.table_tags(client("dynamodb"), table["TableArn"]),
        }
    return found


READERS: Mapping[str, Callable[[Client, StackPlace, Names], Found]] = {
    "rules": find_rules,
    "queues": find_queues,
    "topics": find_topics,
    "topic_policies": find_topic_policies,
    "log_groups": find_log_groups,
    "log_group_policies": find_log_group_policies,
    "iam_roles": find_iam_roles,
    "functions": find_functions,
    "function_policies": find_function_policies,
    "event_source_mappings": find_event_source_mappings,
    "connections": find_connections,
    "api_destinations": find_api_destinations,
    "schedules": find_schedules,
    "schedule_groups": find_schedule_groups,
    "state_machines": find_state_machines,
    "subscription_filters": find_subscription_filters,
    "alarms": find_alarms,
    "task_definitions": find_task_definitions,
    "tables": find_tables,
}


def find_trails(client: Client) -> Found:
    """Return whether a trail records launches in this region. If a call is denied, this stays unknown (None)."""
    trail = client("cloudtrail")
    try:
        logging = [each["TrailARN"] for each in cloudtrail.trails(trail)]
        found = any(
            cloudtrail.is_logging(trail, arn) and logs_launches(cloudtrail.event_selectors(trail, arn))
            for arn in logging
        )
    except CallFailed as error:
        if not is_denied(error.code):
            raise
        return {"logs_launches": None, "denied": f"{error.operation}: {error.code}"}
    return {"logs_launches": found, "denied": None}


def find_stack(client: Client, place: StackPlace, names: Mapping[str, Names], trails: bool) -> Found:
    """Return the requested resources by kind and name. With ``trails``, also whether a trail records launches."""
    found: Found = {"account": place.account, "partition": place.partition, "region": place.region}
    for kind, some in names.items():
        found[kind] = READERS[kind](client, place, list(dict.fromkeys(some)))
    filters, fed_by = found.get("subscription_filters", {}), _feeding_log_groups(found)
    if fed_by:
        more = find_subscription_filters(client, place, [group for group in fed_by if group not in filters])
        found["subscription_filters"] = {**filters, **more}
    if trails:
        found["trails"] = find_trails(client)
    # Convert to plain JSON values: boto3 returns dates and its own types.
    plain: Found = json.loads(json.dumps(found, default=str))
    return plain


def _feeding_log_groups(found: Mapping[str, Any]) -> list[str]:
    """Return the log groups that ``ecs_retry_subscription`` has allowed to call the functions that were found."""
    policies = [each["policy"] for each in found.get("function_policies", {}).values() if each]
    return sorted({group for policy in policies for group in log_groups_in(policy)})


def _group_name(arn: Arn) -> str:
    return arn.resource.removeprefix("log-group:").removesuffix(":*")
