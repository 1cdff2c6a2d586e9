# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A role that wraps a module offers all that the module offers: its variables, their defaults and the task agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from ansible_collections.steadyops.ecs.plugins.modules.ecs_service_recycle import ARGUMENTS

ROLE = Path(__file__).parents[3] / "roles/service_recycle"
NOTIFICATIONS = {"mail", "topic_arn", "notify_on", "subject_prefix"}
OWN = {"region", "profile", "assume_role_arn", "assume_role_duration", *NOTIFICATIONS}


def read(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text())


def variables() -> dict[str, dict[str, Any]]:
    options = read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    return {name.removeprefix("service_recycle_"): spec for name, spec in options.items()}


def test_every_option_is_a_variable_of_the_same_kind():
    facts = ("type", "elements", "choices", "default", "required", "no_log")
    of_role = {name: {f: spec[f] for f in facts if f in spec} for name, spec in variables().items() if name not in OWN}
    assert of_role == {name: {f: spec[f] for f in facts if f in spec} for name, spec in ARGUMENTS.items()}


def test_the_documented_defaults_are_the_defaults():
    documented = {f"service_recycle_{name}": spec["default"] for name, spec in variables().items() if "default" in spec}
    assert documented == read("defaults/main.yml")


def test_every_variable_reaches_the_module():
    ((block, _always),) = (list(map(task.get, ("block", "always"))) for task in read("tasks/main.yml"))
    planned, done = (
        task["steadyops.ecs.ecs_service_recycle"] for task in block if "steadyops.ecs.ecs_service_recycle" in task
    )
    assert [name for name in ARGUMENTS if f"service_recycle_{name}" not in done.get(name, "")] == []
    assert planned == done, "what is told before is what is done"
