# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role failure_alerts offers what its modules offer: its variables, defaults and tasks agree with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.amazon.aws.plugins.modules import cloudwatchlogs_log_group
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.failure_alerts.plan import MESSAGES
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.failure_alerts.variables import (
    CHANNELS,
    KINDS,
    KNOWN,
    RETENTION_DAYS,
    RULE_OPTIONS,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.steps import OPTIONS, REQUIRED
from ansible_collections.steadyops.ecs.plugins.modules import ecs_failure_rule, ecs_notification_target

ROLE = Path(__file__).parents[3] / "roles/failure_alerts"
# The role has no variables for these yet.
OF_THE_ROLE = {"name", "kind", "state", "tags", "purge_tags", "event_bus_name", "event_pattern"}


def read(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text())


def variables() -> dict[str, dict[str, Any]]:
    return read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def test_the_documented_defaults_are_the_defaults():
    documented = {name: spec["default"] for name, spec in variables().items() if "default" in spec}
    assert documented == read("defaults/main.yml")


def test_the_variables_that_are_known_are_those_documented():
    assert {f"failure_alerts_{name}" for name in KNOWN} == variables().keys()


def test_all_options_of_a_rule_may_stand_in_rule_options():
    assert set(RULE_OPTIONS) == ecs_failure_rule.ARGUMENTS.keys() - OF_THE_ROLE


def test_kinds_and_messages_are_those_of_the_modules():
    assert list(KINDS) == variables()["failure_alerts_kinds"]["choices"]
    assert set(KINDS) == set(ecs_failure_rule.ARGUMENTS["kind"]["choices"]) - {"all_task_changes"}
    assert set(MESSAGES.values()) <= set(ecs_notification_target.ARGUMENTS["message_template"]["choices"])
    assert set(MESSAGES) == set(CHANNELS) - {"topic", "log", "sentry-function"}


def test_steps_have_the_options_of_the_modules():
    for kind, module, more in (
        ("rule", ecs_failure_rule, set()),
        ("target", ecs_notification_target, {"api_destination"}),
    ):
        options = {name: value for name, value in OPTIONS[kind].items() if name not in more}
        required = {name for name, value in options.items() if value is REQUIRED}
        assert required == {name for name, spec in module.ARGUMENTS.items() if spec.get("required")}
        defaults = {name: spec.get("default") for name, spec in module.ARGUMENTS.items() if name not in required}
        assert {name: value for name, value in options.items() if name not in required} == defaults


def test_no_log_group_is_kept_for_a_number_of_days_for_which_it_would_be_deleted():
    source = Path(cloudwatchlogs_log_group.__file__).read_text()
    choices = variables()["failure_alerts_log_retention_days"]["choices"]
    assert f"permited_values = {choices}" in source
    assert choices == list(RETENTION_DAYS)
