# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account in which plans of launch_retry are carried out, in the shape of ecs_stack_info."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.statements import statement_for
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.model import (
    statement_for as logs_statement_for,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.launch_retry.plan import (
    names_to_find,
    plan_stack,
)

from tests.unit.core.stacks.roles import role_facts

REGION, ACCOUNT, NAME = "eu-central-1", "111122223333", "launch-retry"
TAG = "steadyops.ecs/launch-retry"
TAGS = {TAG: NAME}
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
QUEUE, DEAD = (f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in (NAME, f"{NAME}-dead-letters"))
OWN_TOPIC, TOPIC = (f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}" for name in (f"{NAME}-given-up", "alerts"))
TASK_ROLE, EXECUTION_ROLE, VOLUME_ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("task", "execution", "service-role/volumes")
)
LEAST = {"clusters": ["prod"], "task_families": ["report"], "pass_role_arns": [TASK_ROLE]}
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1a2b"
TEMPLATES = {"report": {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}}
PACKAGE = {"path": "/cache/x.zip", "code_sha256": "abc="}
HERE = {"account": ACCOUNT, "partition": "aws", "region": REGION}
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
LOG = {**LEAST, "source": "log_subscription", "log_group": "trail"}
CHANGED = {
    "alarm_actions": [TOPIC],
    "log_retention_days": 90,
    "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "reserved_concurrency": -1,
    "runtime": "python3.12",
    "tags": {"team": "shop", "cost": 7},
}
EVERY_VARIABLE = {
    **CHANGED,
    "kms_key": KEY,
    "clusters": ["prod", f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/dev"],
    "task_families": ["report", "import"],
    "pass_role_arns": {"report": [TASK_ROLE, EXECUTION_ROLE], "import": []},
    "volume_role_arns": [VOLUME_ROLE],
    "rebuild_hidden": True,
    "allow_role_overrides": True,
    "launch_templates": TEMPLATES,
    "stopped_tasks": ["spot"],
    "emails": ["ops@example.com", "dev@example.com"],
    "reserved_concurrency": 7,
}


def nothing(variables: dict[str, Any]) -> dict[str, Any]:
    """Return an account without anything of the stack."""
    found = names_to_find(variables)
    kinds = {kind: dict.fromkeys(names) for kind, names in found.items() if isinstance(names, list)}
    return {**HERE, **kinds, "trails": {"logs_launches": True, "denied": None}}


def plan(variables: dict[str, Any], stack: dict[str, Any], *package: Any) -> dict[str, Any]:
    return plan_stack(variables, stack, *(package or (PACKAGE,))).facts()


def after(variables: dict[str, Any]) -> dict[str, Any]:
    """Return an account in which a plan for an empty account was carried out."""
    stack = nothing(variables)
    facts = plan(variables, stack)
    (role,) = (each["iam_role"] for each in facts["roles"])
    stack["iam_roles"][NAME] = role_facts(role, {"arn": ROLE, "attached_policies": []})
    (group,) = facts["log_groups"]
    key = group.get("kms_key_id")
    retention = {"retention_days": group["retention"], "tags": group["tags"], "kms_key_arn": key}
    stack["log_groups"][group["log_group_name"]] = retention
    targets = [each["target"] for each in facts["targets"]]
    for queue in (item["queue"] for item in facts["queues"]):
        attributes = dict(queue["attributes"])
        if "RedrivePolicy" in attributes:
            redrive = json.loads(attributes["RedrivePolicy"])
            attributes["RedrivePolicy"] = json.dumps({**redrive, "maxReceiveCount": "10"}, separators=(",", ":"))
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue['name']}"
        if targets and arn == DEAD:
            lets = [statement_for(parse_arn(DEAD), rule_arn(each["rule"]), "dead letters") for each in targets]
            attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": lets})
        found = {"arn": arn, "url": f"{URL}/{queue['name']}", "attributes": attributes, "tags": queue["tags"]}
        stack["queues"][queue["name"]] = found
    for topic in (item["topic"] for item in facts["topics"]):
        subscriptions = [{**each, "arn": "PendingConfirmation"} for each in topic["subscriptions"]]
        made = {"attributes": topic["attributes"], "tags": topic["tags"], "subscriptions": subscriptions}
        stack["topics"][topic["name"]] = made
    (function,) = facts["functions"]
    environment = {
        "RETRY_QUEUE_URL": f"{URL}/{NAME}",
        "DEAD_LETTER_QUEUE_URL": f"{URL}/{NAME}-dead-letters",
        **function["environment_variables"],
    }
    reserved = [each["reserved_concurrent_executions"] for each in facts["concurrency"]]
    keys = ("description", "handler", "runtime", "timeout", "memory_size", "dead_letter_arn", "tags")
    stack["functions"][NAME] = {
        **{key: function[key] for key in keys},
        "kms_key_arn": function.get("kms_key_arn"),
        "role_arn": function["role"],
        "code_sha256": PACKAGE["code_sha256"],
        "environment": {key: hashlib.sha256(value.encode()).hexdigest() for key, value in environment.items()},
        "reserved_concurrency": reserved[0] if reserved else None,
    }
    statements = [statement_for(parse_arn(FUNCTION), rule_arn(each["rule"]), "retry") for each in targets]
    groups = [each["log_group"] for each in facts["subscriptions"]]
    statements += [logs_statement_for(parse_arn(FUNCTION), group, NAME) for group in groups]
    stack["function_policies"][NAME] = {"policy": json.dumps({"Statement": statements})} if statements else None
    (mapping,) = facts["mappings"]
    found = {"uuid": "1", "source_arn": mapping["source_arn"], "batch_size": mapping["batch_size"], "state": "Enabled"}
    stack["event_source_mappings"][NAME] = [found]
    (alarm,) = facts["alarms"]
    described = {key: value for key, value in alarm.items() if key != "name"}
    stack["alarms"][alarm["name"]] = {**described, "threshold": 0.0, "tags": {}}
    for rule in (each["rule"] for each in facts["rules"]):
        stack["rules"][rule["name"]] = {
            "name": rule["name"],
            "arn": rule_arn(rule["name"]),
            "bus": "default",
            "state": "ENABLED",
            "pattern_text": json.dumps(rule["event_pattern"]),
            "description": rule["description"],
            "role_arn": None,
            "schedule": None,
            "managed_by": None,
            "tags": rule["tags"],
            "targets": [target_facts(each) for each in targets if each["rule"] == rule["name"]],
        }
    return stack


def with_filter(
    stack: dict[str, Any], group: str, pattern: str, function: str = FUNCTION, name: str = NAME
) -> dict[str, Any]:
    made = {
        "name": name,
        "log_group": group,
        "destination": function,
        "pattern": pattern,
        "role_arn": None,
        "distribution": None,
        "transformed": False,
        "created_at": None,
    }
    return {**stack, "subscription_filters": {group: [made]}}


def rule_arn(name: str) -> str:
    return f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"


def target_facts(target: dict[str, Any]) -> dict[str, Any]:
    keys = (
        "role_arn", "maximum_retry_attempts", "maximum_event_age_in_seconds", "input", "input_path",
        "input_transformer", "message_group_id", "partition_key_path", "http_parameters",
    )  # fmt: skip
    return {**dict.fromkeys(keys), "event_bus_name": "default", **target}


def with_trail(stack: dict[str, Any]) -> dict[str, Any]:
    return {**stack, "subscription_filters": {"trail": []}}


def after_log(stack: dict[str, Any]) -> dict[str, Any]:
    """Return the same as ``after`` for the source log_subscription."""
    made, launch, stopped_rule = after(LEAST), f"{NAME}-launch", rule_arn(f"{NAME}-stopped")
    made["rules"][launch] = None
    logs = logs_statement_for(parse_arn(FUNCTION), "trail", NAME)
    lets = {"Statement": [statement_for(parse_arn(FUNCTION), stopped_rule, "retry"), logs]}
    made["function_policies"][NAME] = {"policy": json.dumps(lets)}
    lets = {"Version": "2012-10-17", "Statement": [statement_for(parse_arn(DEAD), stopped_rule, "dead letters")]}
    made["queues"][f"{NAME}-dead-letters"]["attributes"]["Policy"] = json.dumps(lets)
    return {**stack, **{key: value for key, value in made.items() if key != "subscription_filters"}}
