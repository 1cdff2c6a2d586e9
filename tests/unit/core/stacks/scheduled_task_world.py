# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account in which plans of scheduled_task are carried out, in the shape of ecs_stack_info."""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.steadyops.ecs.plugins.filter.scheduled_task_plan import read_options
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.parse import pattern_text
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.scheduled_task.plan import (
    TASKS,
    make_plan,
    names_to_find,
)

from tests.unit.core.stacks.roles import bare, role_facts

NOW = 1_795_521_600.0
ACCOUNT, REGION = "123456789012", "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
OWN_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:report-failures"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:report"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1b2c"
TAGS = {"team": "shop", "steadyops.ecs/scheduled-task": "report"}
USUAL = {
    "name": "report",
    "cluster": "prod",
    "task_definition": "report",
    "timeout": "2h",
    "subnets": ["subnet-1"],
    "schedule_expression": "rate(1 day)",
    "topic_arn": TOPIC,
    "tags": {"team": "shop"},
}


def variables(**given: Any) -> dict[str, Any]:
    """Return the usual variables and the given ones. None omits a variable."""
    return {name: value for name, value in {**USUAL, **given}.items() if value is not None}


def empty() -> dict[str, Any]:
    """Return an account with nothing of the role, but with everything that it needs."""
    kinds = ("state_machines", "schedules", "rules", "iam_roles", "log_groups", "topics")
    return {
        "account": ACCOUNT,
        "partition": "aws",
        "region": REGION,
        **{kind: {} for kind in kinds},
        "topic_policies": {TOPIC: {"attributes": {}, "denied": None}},
        "task_definitions": {
            name: {"task_role_arn": f"{ROLE}app", "execution_role_arn": None} for name in ("report", "report:7")
        },
        "schedule_groups": {"jobs": {}},
    }


def plan(stack: dict[str, Any], **given: Any) -> dict[str, Any]:
    return make_plan(variables(**given), stack, read_options, NOW)


def names(**given: Any) -> dict[str, list[str]]:
    return names_to_find(variables(**given), read_options)


def labels(planned: dict[str, Any]) -> dict[str, list[str]]:
    """Return the labels of the changes, by step."""
    return {key: [change["label"] for _params, change in pairs] for key, pairs in _by_step(planned).items()}


def params(planned: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the parameters of the writes of a step of the plan."""
    return [each for each, _change in _by_step(planned).get(key, [])]


def _by_step(planned: dict[str, Any]) -> dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Return parameters and change of each item, by step. A task of ``ecs_stack`` carries out several steps in turn."""
    changes = {each["task"]: iter(each["items"]) for each in planned["changes"]}
    pairs = {
        key: [(bare(item), next(changes[task])) for item in planned[key]] for key, task in TASKS.items() if planned[key]
    }
    assert [left for each in changes.values() for left in each] == []
    return pairs


def settled(stack: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """Return the account after a run of the role."""
    stack = copy.deepcopy(empty() if stack is None else stack)
    for key, pairs in _by_step(plan(stack, **given)).items():
        for item, change in pairs:
            _APPLY[key](stack, item, copy.deepcopy(change["after"]))
    return stack


def _role(stack, item, _after):
    found = stack["iam_roles"].get(item["name"], {"policies": {}, "boundary": None})
    stack["iam_roles"][item["name"]] = role_facts(item, found)


def _topic(stack, item, after):
    found = stack["topics"].get(item["name"]) or {"arn": OWN_TOPIC, "attributes": {}, "subscriptions": []}
    there = [each for each in found["subscriptions"] if each["arn"] not in item["unsubscribe"]]
    known = [(each["protocol"], each["endpoint"]) for each in there]
    added = [
        {**each, "arn": "PendingConfirmation"}
        for each in item["subscriptions"]
        if (each["protocol"], each["endpoint"]) not in known
    ]
    stack["topics"][item["name"]] = {
        **found,
        "attributes": {**found["attributes"], **after["attributes"]},
        "tags": item["tags"],
        "subscriptions": [*there, *added],
    }


def _log_group(stack, item, _after):
    found = stack["log_groups"].get(item["name"]) or {"kms_key_arn": item.get("kms_key_id")}
    stack["log_groups"][item["name"]] = {**found, "retention_days": item["retention_days"], "tags": item["tags"]}


def _log_group_key(stack, item, _after):
    stack["log_groups"][item["name"]]["kms_key_arn"] = item["kms_key_arn"]


def _machine(stack, item, after):
    stack["state_machines"][item["name"]] = {**after, "status": "ACTIVE"}


def _rule(stack, item, after):
    found = stack["rules"].get(item["name"]) or {"targets": []}
    stack["rules"][item["name"]] = {
        "name": item["name"],
        "arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{item['name']}",
        "bus": "default",
        "state": after["state"],
        "pattern_text": pattern_text(after["event_pattern"]),
        "description": after["description"],
        "tags": after["tags"],
        "targets": found["targets"],
    }


def _target(stack, item, after):
    statements = after.pop("permissions")
    rule = stack["rules"][item["rule"]]
    rule["targets"] = [each for each in rule["targets"] if each["id"] != item["id"]] + [after]
    for each in statements:
        attributes = _attributes(stack, each["resource"])
        policy = json.loads(attributes.get("Policy", '{"Version": "2012-10-17", "Statement": []}'))
        policy["Statement"].append(each["statement"])
        attributes["Policy"] = json.dumps(policy)


def _attributes(stack, arn):
    own = stack["topics"].get("report-failures")
    return own["attributes"] if arn == OWN_TOPIC else stack["topic_policies"][arn]["attributes"]


def _no_target(stack, item, _after):
    rule = stack["rules"].get(item["rule"])
    if rule:
        rule["targets"] = [each for each in rule["targets"] if each["id"] != item["id"]]
    for arn in (TOPIC, *([OWN_TOPIC] if "report-failures" in stack["topics"] else [])):
        attributes = _attributes(stack, arn)
        if "Policy" in attributes:
            policy = json.loads(attributes["Policy"])
            policy["Statement"] = [
                each for each in policy["Statement"] if item["rule"].replace("-", "") not in each["Sid"]
            ]
            attributes["Policy"] = json.dumps(policy)


def _schedule(stack, item, after):
    if item.get("using") != "rule":
        stack["schedules"][f"{item.get('group_name', 'default')}/{item['name']}"] = {**after, "foreign": []}
        return
    target = after["target"]
    text = None if target["input"] is None else json.dumps(target["input"])
    stack["rules"][item["name"]] = {
        "name": item["name"],
        "arn": after["arn"],
        "bus": "default",
        "state": "ENABLED" if after["enabled"] else "DISABLED",
        "schedule": after["schedule_expression"],
        "description": after["description"] or "",
        "tags": after["tags"],
        "targets": [{**target, "id": "schedule", "input": text}],
    }


def _remove_schedule(stack, item, _after):
    if item["using"] == "rule":
        del stack["rules"][item["name"]]
    else:
        del stack["schedules"][f"{item['group_name']}/{item['name']}"]


def _remove(kind):
    return lambda stack, item, _after: stack[kind].pop(item["name"])


_APPLY = {
    "roles": _role,
    "topics": _topic,
    "log_groups": _log_group,
    "log_group_keys": _log_group_key,
    "state_machines": _machine,
    "rules": _rule,
    "targets": _target,
    "removed_schedules": _remove_schedule,
    "schedules": _schedule,
    "removed_state_machines": _remove("state_machines"),
    "removed_targets": _no_target,
    "removed_rules": _remove("rules"),
    "removed_topics": _remove("topics"),
    "removed_log_groups": _remove("log_groups"),
    "removed_roles": _remove("iam_roles"),
}
