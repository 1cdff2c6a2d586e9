# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module returns in check mode for a resource that does not exist yet: every documented key.

Values that only AWS can know are null and never missing, so playbooks can use ``result.rule.arn``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events import api_destination
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.plan import plan_connection
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.read import read_connection
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.options import read_target
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.plan import Found, plan_target
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.rule import plan_rule, read_rule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.concurrency import (
    plan_concurrency,
    read_concurrency,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.log_subscription.plan import (
    plan_subscription,
    read_subscription,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.schedules.plan import plan_schedule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.schedules.schedule import read_schedule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.machine import plan_machine, read_machine

from tests.unit.contract.test_modules import NAMES, ROOT, arguments

REGION, ACCOUNT = "eu-central-1", "123456789012"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:launch-retry"
MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:report"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/jobs"
COMPUTED = {"covers"}  # the module computes it from the pattern


def new_machine(params):
    wanted = read_machine(params)
    return plan_machine(wanted, wanted.arn(wanted.known, REGION), None)


def new_api_destination(params):
    return api_destination.plan_api_destination(api_destination.read_api_destination(params), None, None)


# How each module plans a resource that does not exist yet, and the least options that it takes.
NEW: dict[str, tuple[Any, dict[str, Any]]] = {
    "ecs_failure_rule": (lambda params: plan_rule(read_rule(params), None), {"name": "alerts", "kind": "task"}),
    "ecs_notification_target": (
        lambda params: plan_target(read_target(params), Found(), None),
        {"rule": "alerts", "id": "mail", "arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"},
    ),
    "ecs_retry_subscription": (
        lambda params: plan_subscription(read_subscription(params, REGION), [], None),
        {"name": "refused", "log_group": "trail", "function_arn": FUNCTION},
    ),
    "ecs_task_schedule": (
        lambda params: plan_schedule(read_schedule(params), None, (), REGION, time.time()),
        {"name": "x", "schedule_expression": "rate(1 day)", "role_arn": ROLE, "state_machine_arn": MACHINE},
    ),
    "ecs_task_state_machine": (
        new_machine,
        {"name": "x", "role_arn": ROLE, "definition": '{"StartAt": "a", "States": {"a": {"Type": "Succeed"}}}'},
    ),
    "events_api_destination": (
        new_api_destination,
        {"name": "slack", "connection": "slack", "invocation_endpoint": "https://slack.com/api/chat.postMessage"},
    ),
    "events_connection": (
        lambda params: plan_connection(read_connection(params), None),
        {"name": "slack", "api_key": {"name": "Authorization", "value": "x"}},
    ),
    "lambda_function_concurrency": (
        lambda params: plan_concurrency(read_concurrency(params), None),
        {"function_name": "x", "reserved_concurrent_executions": 5},
    ),
}


def returned(name: str) -> Mapping[str, Any]:
    """Return the documented keys of the one resource that a module manages."""
    text = (ROOT / f"plugins/modules/{name}.py").read_text().partition('RETURN = r"""')[2].partition('"""')[0]
    return next(iter(yaml.safe_load(text).values()))["contains"]


def test_every_module_that_creates_something_is_in_the_table():
    creating = [name for name in NAMES if arguments(name).get("state", {}).get("choices") == ["present", "absent"]]
    assert creating == sorted(NEW)


@pytest.mark.parametrize("name", sorted(NEW))
def test_check_mode_returns_every_key_of_what_does_not_exist_yet(name):
    plan, options = NEW[name]
    defaults = {option: spec.get("default") for option, spec in arguments(name).items()}
    change = plan({**defaults, **options})
    assert change.before is None
    assert change.after.keys() == returned(name).keys() - COMPUTED
    assert {spec["returned"] for key, spec in returned(name).items() if key not in COMPUTED} == {"always"}
