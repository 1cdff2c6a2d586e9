# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role failure_alerts offers what its modules offer: its variables, defaults and tasks agree with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.amazon.aws.plugins.modules import cloudwatchlogs_log_group
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import TAKEN_BY
from ansible_collections.steadyops.ecs.plugins.modules import ecs_failure_rule, ecs_notification_target

ROLE = Path(__file__).parents[3] / "roles/failure_alerts"
OF_THE_ROLE = {"name", "kind", "state", "tags", "purge_tags", "event_bus_name", "event_pattern"}


def read(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text())


def variables() -> dict[str, dict[str, Any]]:
    return read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def test_the_documented_defaults_are_the_defaults():
    documented = {name: spec["default"] for name, spec in variables().items() if "default" in spec}
    assert documented == read("defaults/main.yml")


def test_all_options_of_a_rule_may_stand_in_rule_options_and_reach_the_module():
    known = read("vars/main.yml")["_failure_alerts_known_rule_options"]
    assert set(known) == ecs_failure_rule.ARGUMENTS.keys() - OF_THE_ROLE
    for task in read("tasks/rules.yml"):
        assert set(known) <= task["steadyops.ecs.ecs_failure_rule"].keys()


def test_kinds_and_messages_are_those_of_the_modules():
    kinds = read("vars/main.yml")["_failure_alerts_known_kinds"]
    assert kinds == variables()["failure_alerts_kinds"]["choices"]
    assert set(kinds) == set(ecs_failure_rule.ARGUMENTS["kind"]["choices"]) - {"all_task_changes"}
    messages = read("vars/main.yml")["_failure_alerts_messages"].values()
    assert set(messages) <= set(ecs_notification_target.ARGUMENTS["message_template"]["choices"])


def test_each_kind_gets_the_filters_that_it_takes():
    for kind, names in read("vars/main.yml")["_failure_alerts_filters"].items():
        of_the_kind = {name for name, kinds in TAKEN_BY.items() if kind in kinds}
        assert set(names) == of_the_kind & {"clusters", "services", "task_families", "state_machine_arns"}, kind


def test_no_log_group_is_kept_for_a_number_of_days_for_which_it_would_be_deleted():
    source = Path(cloudwatchlogs_log_group.__file__).read_text()
    choices = variables()["failure_alerts_log_retention_days"]["choices"]
    assert f"permited_values = {choices}" in source
