# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole plans of the roles that plan in Python, one file for each: the variables, and all writes.

After an intended change, write the files again and read the difference:

    .venv/bin/python -m tests.unit.core.stacks.golden_plans
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    importlib.import_module("tests.conftest")  # builds the current collection, as under pytest

from tests.unit.core.stacks import launch_retry_world as retry
from tests.unit.core.stacks import scheduled_task_world as scheduled
from tests.unit.core.stacks.alert_world import ACCOUNT, REGION, World

WIDTH = 118
Planned = tuple[dict[str, Any], dict[str, Any]]  # the variables, and the plan for them


def new_retry(**more: Any) -> Planned:
    variables = {**retry.LEAST, **more}
    return variables, retry.plan(variables, retry.nothing(variables))


def changed_retry() -> Planned:
    """Some variables differ from what stands, and somebody has changed what the role wrote."""
    stack = retry.after(retry.LEAST)
    by_hand = {"handler": "x.y", "description": "x", "memory_size": 256, "dead_letter_arn": None}
    stack["functions"][retry.NAME].update(by_hand)
    stack["event_source_mappings"][retry.NAME][0].update(state="Disabled", batch_size=1)
    stack["alarms"][f"{retry.NAME}-dead-letters"].update(threshold=5.0)
    stack["rules"][f"{retry.NAME}-stopped"]["targets"][0]["dead_letter_arn"] = None
    variables = {**retry.LEAST, **retry.CHANGED}
    return variables, only_changes(retry.plan(variables, stack), "concurrency")


def only_changes(planned: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a plan with only these parameters, because the others are those of a new stack."""
    return {key: planned[key] for key in (*keys, "changes", "result", "notes")}


def subscribed_retry() -> Planned:
    """Return the plan for a log subscription, without what is the same as with a rule."""
    as_rule = retry.plan(retry.LEAST, retry.nothing(retry.LEAST))
    planned = retry.plan(retry.LOG, retry.with_trail(retry.nothing(retry.LOG)))
    return retry.LOG, {key: value for key, value in planned.items() if value != as_rule[key]}


ALERTS: dict[str, Any] = {
    "kinds": ["task", "launch"],
    "clusters": "production",
    "emails": ["ops@example.org", "dev@example.org"],
    "queue": "failures.fifo",
    "log_group": "/ecs",
    "slack": {"token": "not-a-token", "channel": "C1"},
    "sentry_function": {"dsn_parameter": "/sentry/dsn", "environment": "production"},
    "container_log_group": "/ecs/orders",
    "severity": "critical",
    "kms_key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1a2b",
    "permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "tags": {"team": "shop", "cost": 7},
}


def new_alerts(**variables: Any) -> Planned:
    planned = World().plan(**variables)
    return variables, {**planned, "result": without(planned["result"], "event_pattern", "covers")}


def standing_alerts(**variables: Any) -> World:
    world = World()
    world.carry_out(world.plan(**variables), **variables)
    world.confirm()
    return world


def changed_alerts() -> Planned:
    """Some variables differ from what stands, and somebody has changed what the role wrote."""
    usual = {name: value for name, value in ALERTS.items() if name != "slack"}
    world = standing_alerts(**usual)
    queue = world.things["queues"]["failures.fifo"]
    queue["attributes"]["ContentBasedDeduplication"], queue["tags"] = "false", {**queue["tags"], "team": "other"}
    world.things["functions"]["ecs-failures-sentry"].update(handler="x.y", memory_size=256, dead_letter_arn=None)
    subscriptions = world.things["topics"]["ecs-failures"]["subscriptions"]
    subscriptions.append({"protocol": "sqs", "endpoint": "theirs", "arn": "arn:aws:sns:theirs"})
    subscriptions.append({"protocol": "email", "endpoint": "late@example.org", "arn": "PendingConfirmation"})
    changed = {
        "emails": ["dev@example.org", "new@example.org", "new@example.org"],
        "sentry_function": {**ALERTS["sentry_function"], "runtime": "python3.12"},
        "log_retention_days": 7,
        "mail_subject": "Something is broken",
    }
    variables = {**usual, **changed}
    planned = world.plan(**variables)
    return variables, {**only_changes(planned, "log_groups", "routes"), "result": None}


def removed_alerts() -> Planned:
    variables = {**ALERTS, "kinds": "task", "quiet_period": 600}
    gone = {**variables, "state": "absent"}
    return gone, standing_alerts(**variables).plan(**gone)


def without(value: Any, *keys: str) -> Any:
    """Return a value without keys that other tests have: state machine definitions, rule patterns, what rules cover."""
    if isinstance(value, dict):
        return {key: without(each, *keys) for key, each in value.items() if key not in keys}
    return [without(each, *keys) for each in value] if isinstance(value, list) else value


JOB: dict[str, Any] = {
    "concurrency": "replace",
    "starting_deadline": "10m",
    "input": {"day": "today"},
    "security_groups": ["sg-1"],
    "assign_public_ip": False,
    "job": {"tags": {"a": "1"}, "retry_failures": {"max_attempts": 3}},
    "topic_arn": None,
    "emails": ["a@example.org", "b@example.org"],
    "notify": ["execution", "catch", "task", "skipped"],
    "kms_key": scheduled.KEY,
    "dead_letter_arn": f"arn:aws:sqs:{scheduled.REGION}:{scheduled.ACCOUNT}:dead",
    "schedule": {"group_name": "jobs", "flexible_time_window": 15},
    "timezone": "Europe/Berlin",
    "tracing": True,
    "permissions_boundary": f"arn:aws:iam::{scheduled.ACCOUNT}:policy/boundary",
}


def of_scheduled(stack: dict[str, Any], **given: Any) -> Planned:
    return scheduled.variables(**given), without(scheduled.plan(stack, **given), "definition")


def changed_scheduled() -> Planned:
    """From a rule to EventBridge Scheduler, to other addresses, tags, a key and another retention."""
    stack = scheduled.settled(topic_arn=None, emails=["a@example.org", "old@example.org"], schedule={"using": "rule"})
    for number, each in enumerate(stack["topics"]["report-failures"]["subscriptions"]):
        each["arn"] = f"{scheduled.OWN_TOPIC}:{number}"
    given = {"topic_arn": None, "emails": ["a@example.org", "b@example.org"], "log_retention_days": 60}
    variables, planned = of_scheduled(stack, **given, kms_key=scheduled.KEY, tags={"team": "other"}, enabled=False)
    shown = only_changes(planned, "log_groups", "log_group_keys", "topics", "removed_schedules")
    return variables, {**shown, "changes": without(shown["changes"], "policies")}


PLANS: dict[str, Callable[[], Planned]] = {
    "launch_retry_least": new_retry,
    "launch_retry_every_variable": lambda: new_retry(**retry.EVERY_VARIABLE),
    "launch_retry_changed": changed_retry,
    "launch_retry_log_subscription": subscribed_retry,
    "scheduled_task": lambda: of_scheduled(scheduled.empty()),
    "scheduled_task_every_variable": lambda: of_scheduled(scheduled.empty(), **JOB),
    "scheduled_task_changed": changed_scheduled,
    "failure_alerts_changed": changed_alerts,
    "failure_alerts_removed": removed_alerts,
    "failure_alerts": lambda: new_alerts(**ALERTS),
    "failure_alerts_quiet_period": lambda: new_alerts(kinds="task", emails="ops@example.org", quiet_period=600),
}


def path_of(name: str) -> Path:
    return Path(__file__).parent / "golden" / f"{name}.json"


def golden(name: str) -> str:
    """The file of a plan, without its empty lists. What fits into a line is in one."""
    variables, planned = PLANS[name]()
    shown = {key: value for key, value in planned.items() if value}
    tasks = {each["task"]: list(map(_change, each["items"])) for each in planned["changes"]}
    return text({"variables": variables, **shown, "changes": tasks}) + "\n"


def _change(item: dict[str, Any]) -> Any:
    """Return the change of an item, or only its label if it is new, because the parameters already say what it is."""
    return item if item["before"] is not None else item["label"]


def text(value: Any, indent: int = 0, used: int = 0) -> str:
    """Return JSON with as much in a line as fits. ``used`` counts what else must fit into the first and last line."""
    line = json.dumps(value, ensure_ascii=False)
    if indent + used + len(line) <= WIDTH or not isinstance(value, (dict, list)):
        return line
    named = isinstance(value, dict)
    members = [(f"{json.dumps(key)}: ", value[key]) for key in value] if named else [("", each) for each in value]
    first, last = "{}" if named else "[]"
    if len(members) == 1:
        ((name, each),) = members
        return f"{first}{name}{text(each, indent, used + len(name) + 2)}{last}"
    lines = [""]
    for name, each in members:
        part = name + text(each, indent + 2, len(name) + 1) + ","
        if "\n" in part or "\n" in lines[-1] or indent + 3 + len(lines[-1]) + len(part) > WIDTH:
            lines.append(part)
        else:
            lines[-1] += f"{' ' if lines[-1] else ''}{part}"
    between = "\n" + " " * (indent + 2)
    return first + between + between.join(filter(None, lines)).removesuffix(",") + "\n" + " " * indent + last


def write() -> None:
    path_of("").parent.mkdir(exist_ok=True)
    for name in PLANS:
        path_of(name).write_text(golden(name))


if __name__ == "__main__":
    write()
