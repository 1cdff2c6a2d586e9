# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: their documentation and defaults agree with each other, and with the modules that get the variables."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.options import RetryOptions, read_options
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.launch_retry.read import known_variables
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.service_recycle import (
    ALIASES,
    OPTIONS,
)
from ansible_collections.steadyops.ecs.plugins.modules.ecs_service_recycle import ARGUMENTS

ROLES = Path(__file__).parents[3] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir())
NOTIFICATIONS = {"mail", "topic_arn", "notify_on", "subject_prefix"}
OWN = {"region", "profile", "assume_role_arn", "assume_role_duration", *NOTIFICATIONS}

every_role = pytest.mark.parametrize("role", NAMES)


def read(role: str, path: str) -> Any:
    return yaml.safe_load((ROLES / role / path).read_text())


def variables(role: str) -> dict[str, dict[str, Any]]:
    """Return the variables of a role by their names without the role's prefix."""
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert [name for name in options if not name.startswith(f"{role}_")] == []
    return {name.removeprefix(f"{role}_"): spec for name, spec in options.items()}


@every_role
def test_the_documented_defaults_are_the_defaults(role):
    documented = {f"{role}_{name}": spec["default"] for name, spec in variables(role).items() if "default" in spec}
    defaults = read(role, "defaults/main.yml")
    assert documented == {name: value for name, value in defaults.items() if name in documented}
    assert [name for name, value in defaults.items() if name not in documented and "lookup(" not in str(value)] == []


@every_role
def test_examples_use_variables_that_exist(role):
    readme = ROLES / role / "README.md"
    text = readme.read_text() if readme.exists() else ""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    used = re.findall(rf"^ *{role}_(\w+):", "".join(blocks), re.MULTILINE)
    known = variables(role)
    assert [name for name in used if name not in known] == []


def test_every_option_is_a_variable_of_the_same_kind():
    facts = ("type", "elements", "choices", "default", "required", "no_log")
    of_role = {
        name: {f: spec[f] for f in facts if f in spec}
        for name, spec in variables("service_recycle").items()
        if name not in OWN
    }
    assert of_role == {name: {f: spec[f] for f in facts if f in spec} for name, spec in ARGUMENTS.items()}


def test_the_playbook_and_the_role_know_every_variable():
    assert set(OPTIONS) == set(ARGUMENTS)
    aliases = {alias: name for name, each in ARGUMENTS.items() for alias in each.get("aliases", ())}
    assert aliases == {**ALIASES, "name": "service"}, "the playbook needs service before it hosts anything"


def test_every_retry_option_is_a_variable_with_its_default():
    made_by_the_role = {"account", "own_role_arns", "pass_role_arns", "region"}
    usual = {field.name for field in dataclasses.fields(RetryOptions)} - made_by_the_role
    names = {"families": "task_families"}
    said = {name: variables("launch_retry")[names.get(name, name)]["default"] for name in usual}
    assert read_options(said) == RetryOptions()
    assert set(known_variables()) == {*variables("launch_retry"), "result"}


def test_every_variable_reaches_the_module():
    ((block, _always),) = (
        list(map(task.get, ("block", "always")))
        for task in read("service_recycle", "tasks/main.yml")
        if "block" in task
    )
    planned, done = (
        task["steadyops.ecs.ecs_service_recycle"] for task in block if "steadyops.ecs.ecs_service_recycle" in task
    )
    assert [name for name in ARGUMENTS if f"service_recycle_{name}" not in done.get(name, "")] == []
    assert planned == done, "what is told before is what is done"


def test_every_option_reaches_the_module_for_all_services():
    plays = yaml.safe_load((ROLES.parent / "playbooks/service_recycle.yml").read_text())
    (task,) = (task for play in plays for task in play["tasks"] if "steadyops.ecs.ecs_fleet_recycle" in task)
    given = task["steadyops.ecs.ecs_fleet_recycle"]
    handed_over = {"cluster", "service"}  # given for each service
    assert [name for name in OPTIONS if f"options.{name} " not in given.get(name, "")] == [
        name for name in OPTIONS if name in handed_over
    ]


# Roles whose decisions are in _core/stacks/.
@pytest.mark.parametrize("role", sorted(path.name for path in ROLES.iterdir()))
def test_expressions_are_short(role):
    """An expression of more than two lines makes a decision and belongs in the plan."""
    for path in (ROLES / role).glob("*/*.yml"):
        if path.parent.name in ("tasks", "vars"):
            long = [each for each in re.findall(r"{[{%].*?[%}]}", path.read_text(), re.DOTALL) if each.count("\n") > 1]
            assert long == [], path
