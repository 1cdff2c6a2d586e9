# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module's documentation, argument spec, attributes and action group agree with each other."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible_collections.steadyops.ecs.plugins.doc_fragments.aws import ModuleDocFragment

ROOT = Path(__file__).parents[3]
NAMES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if path.stem != "__init__")
FQCN = "steadyops.ecs."
AWS_OPTIONS = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"].keys()

every_module = pytest.mark.parametrize("name", NAMES)


@cache
def all_documentation() -> dict[str, Any]:
    """Return the documentation of all modules as one run of ansible-doc shows it, with resolved fragments."""
    command = ["ansible-doc", "--type", "module", "--json", *(FQCN + name for name in NAMES)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def documentation(name: str) -> dict[str, Any]:
    return all_documentation()[FQCN + name]


def arguments(name: str) -> dict[str, Any]:
    return importlib.import_module(f"ansible_collections.steadyops.ecs.plugins.modules.{name}").ARGUMENTS


def facts(option: dict[str, Any], nested: str) -> dict[str, Any]:
    """Return the facts on which an option's documentation and its argument spec must agree."""
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "required": option.get("required", False),
        "default": option.get("default"),
        "choices": list(option.get("choices") or []),
        "aliases": sorted(option.get("aliases") or []),
        "options": {name: facts(inner, nested) for name, inner in (option.get(nested) or {}).items()},
    }


def examples(name: str) -> list[dict[str, Any]]:
    """Return the tasks of EXAMPLES, including those of plays and blocks."""

    def tasks(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = []
        for item in items:
            inner = [key for key in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always") if key in item]
            found += [task for key in inner for task in tasks(item[key])] if inner else [item]
        return found

    return tasks(yaml.safe_load(documentation(name)["examples"]))


def action(task: dict[str, Any]) -> str:
    keywords = set(Task.fattributes) | set(Play.fattributes)
    actions = [key for key in task if key not in keywords and not key.startswith("with_")]
    assert len(actions) == 1, f"not one action: {actions}"
    return actions[0]


@every_module
def test_an_old_python_is_refused_before_other_files_are_read(name):
    first = re.search(r"^from \.\.module_utils.*$", (ROOT / f"plugins/modules/{name}.py").read_text(), re.MULTILINE)
    assert first[0].startswith("from ..module_utils import _python ")


def test_there_are_modules():
    assert NAMES


@every_module
def test_the_documentation_can_be_shown(name):
    shown = documentation(name)["doc"]
    assert shown["short_description"]
    assert shown["description"]
    assert shown["author"]


@every_module
def test_documented_options_are_the_argument_spec(name):
    documented = documentation(name)["doc"]["options"]
    own = {option: facts(spec, "suboptions") for option, spec in documented.items() if option not in AWS_OPTIONS}
    assert own == {option: facts(spec, "options") for option, spec in arguments(name).items()}


@every_module
def test_the_options_of_amazon_aws_are_documented_and_not_redefined(name):
    assert documentation(name)["doc"]["options"].keys() >= AWS_OPTIONS
    assert not arguments(name).keys() & AWS_OPTIONS


@every_module
def test_options_that_sound_secret_say_whether_they_are(name):
    # ansible-core warns users about an option such as "token" that does not set no_log.
    secret = re.compile("pass|secret|token|key|cred", re.IGNORECASE)
    assert [option for option, spec in arguments(name).items() if secret.search(option) and "no_log" not in spec] == []


@every_module
def test_attributes_are_complete(name):
    attributes = documentation(name)["doc"]["attributes"]
    assert attributes.keys() >= {"action_group", "check_mode", "diff_mode", "idempotent"}
    assert [attribute for attribute, facts in attributes.items() if "support" not in facts] == []
    partial = [facts for facts in attributes.values() if facts["support"] in {"partial", "none"}]
    assert [facts for facts in partial if not facts.get("details")] == []


@every_module
def test_check_mode_is_supported(name):
    assert documentation(name)["doc"]["attributes"]["check_mode"]["support"] == "full"


def test_no_module_object_is_made_without_check_mode():
    # Ansible's default is to skip the task without a message.
    sources = [path for folder in ("modules", "module_utils") for path in (ROOT / "plugins" / folder).rglob("*.py")]
    calls = [node for path in sources for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    made = [
        {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        for call in calls
        if any(keyword.arg == "argument_spec" for keyword in call.keywords)
    ]
    assert made
    assert [keywords for keywords in made if keywords.get("supports_check_mode") != "True"] == []


def test_the_action_group_lists_every_module():
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    assert groups["all"] == NAMES


@every_module
def test_the_documented_action_groups_exist_and_hold_the_module(name):
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    membership = documentation(name)["doc"]["attributes"]["action_group"]["membership"]
    assert membership == [f"{FQCN}all", f"{FQCN}aws"]
    assert f"{FQCN}all" in groups["aws"][0]["metadata"]["extend_group"]


def test_the_group_of_the_roles_holds_what_roles_and_playbooks_call():
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["roles"]
    assert group[0] == {"metadata": {"extend_group": [f"{FQCN}all"]}}
    paths = [*(ROOT / "roles").glob("*/tasks/*.yml"), *(ROOT / "playbooks").glob("*.yml")]
    called = re.findall(
        r"^ *(?:- )?((?:amazon|community)\.aws\.\w+):", "\n".join(path.read_text() for path in paths), re.MULTILINE
    )
    assert group[1:] == sorted(set(called))


@every_module
def test_examples_are_tasks_with_full_names(name):
    actions = [action(task) for task in examples(name)]
    assert FQCN + name in actions
    assert [used for used in actions if used.count(".") < 2] == []


@every_module
def test_examples_use_options_that_exist(name):
    options = documentation(name)["doc"]["options"]
    known = set(options) | {alias for spec in options.values() for alias in spec.get("aliases", [])}
    used = [task[FQCN + name] for task in examples(name) if action(task) == FQCN + name]
    assert {option for task in used for option in task} <= known


@every_module
def test_results_are_documented(name):
    results = documentation(name)["return"]
    assert results
    for result, spec in results.items():
        assert spec.keys() >= {"description", "returned", "type"}, result
