# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our words about amazon.aws's options describe the options that the installed amazon.aws really has."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.amazon.aws.plugins.doc_fragments import assume_role, common, region
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec
from ansible_collections.steadyops.ecs.plugins.doc_fragments import (
    attributes,
    aws,
    failures,
    recycle,
    stale_tasks,
    waiting,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._failure_options import FAILURES
from ansible_collections.steadyops.ecs.plugins.module_utils._recycle_options import RECYCLE
from ansible_collections.steadyops.ecs.plugins.module_utils._stale_task_options import SERVICE, STALE_TASKS
from ansible_collections.steadyops.ecs.plugins.module_utils._wait_options import patience_options, wait_options

ROOT = Path(__file__).parents[3]
OURS = yaml.safe_load(aws.ModuleDocFragment.DOCUMENTATION)
THEIRS = {
    name: option
    for fragment in (common, region)
    for name, option in yaml.safe_load(fragment.ModuleDocFragment.MODULES)["options"].items()
}
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
SPEC = aws_argument_spec()
OUR_PLUGINS = yaml.safe_load(aws.ModuleDocFragment.PLUGINS)
THEIR_PLUGINS = {
    name: option
    for fragment in (common, region, assume_role)
    for name, option in yaml.safe_load(fragment.ModuleDocFragment.PLUGINS)["options"].items()
}


def test_no_option_is_missing_or_invented():
    assert OURS["options"].keys() == THEIRS.keys() == SPEC.keys()


@pytest.mark.parametrize("name", sorted(OURS["options"]))
def test_an_option_is_documented_as_amazon_aws_documents_it(name):
    facts = [{k: v for k, v in side[name].items() if k != "description"} for side in (OURS["options"], THEIRS)]
    assert facts[0] == facts[1]


def test_plugins_have_the_options_that_plugins_of_amazon_aws_have():
    assert OUR_PLUGINS["options"].keys() == THEIR_PLUGINS.keys()
    for name, ours in OUR_PLUGINS["options"].items():
        theirs = {"type": "str", **THEIR_PLUGINS[name]}
        assert {**ours, "description": ""} == {**theirs, "description": ""}, name


@pytest.mark.parametrize("name", sorted(OURS["options"]))
def test_an_option_is_documented_as_amazon_aws_reads_it(name):
    documented, read = OURS["options"][name], SPEC[name]
    assert documented["type"] == read.get("type", "str")
    assert documented.get("aliases", []) == read.get("aliases", [])
    assert documented.get("default") == read.get("default")
    assert documented.get("required", False) == read.get("required", False)


@pytest.mark.parametrize("name", sorted(OURS["options"]))
def test_the_environment_variables_that_count_are_named_in_their_order(name):
    _function, variables = SPEC[name].get("fallback", (None, []))
    assert re.findall(r"E\((\w+)\)", "".join(OURS["options"][name]["description"])) == list(variables)


@pytest.mark.parametrize("name", sorted(OURS["options"]))
def test_the_words_are_our_own(name):
    # Both are GPL, but nobody would notice if a copy became outdated.
    assert not set(OURS["options"][name]["description"]) & set(THEIRS[name]["description"])


def test_modules_that_only_read_leave_no_attribute_open():
    all_modules, readers = (
        yaml.safe_load(text)["attributes"]
        for text in (attributes.ModuleDocFragment.DOCUMENTATION, attributes.ModuleDocFragment.INFO)
    )
    assert {name for name, facts in all_modules.items() if "support" not in facts} == readers.keys()


@pytest.mark.parametrize(
    ("texts", "arguments"),
    [
        ([failures.ModuleDocFragment.DOCUMENTATION], FAILURES),
        ([stale_tasks.ModuleDocFragment.DOCUMENTATION], STALE_TASKS),
        ([stale_tasks.ModuleDocFragment.SERVICE], SERVICE),
        ([recycle.ModuleDocFragment.DOCUMENTATION], RECYCLE),
        ([waiting.ModuleDocFragment.DOCUMENTATION], patience_options(timeout=1)),
        ([waiting.ModuleDocFragment.DOCUMENTATION, waiting.ModuleDocFragment.WAIT], wait_options(timeout=1)),
    ],
    ids=["failures", "stale_tasks", "service", "recycle", "patience", "wait"],
)
def test_a_fragment_documents_its_set_of_arguments(texts, arguments):
    documented = {name: facts for text in texts for name, facts in yaml.safe_load(text)["options"].items()}
    # Every module has its own longest wait.
    own = "wait_timeout" in documented and "default" not in documented["wait_timeout"]
    read = {name: {key: fact for key, fact in facts.items() if key != "no_log"} for name, facts in arguments.items()}
    if own:
        del read["wait_timeout"]["default"]
    assert {
        name: {key: fact for key, fact in facts.items() if key != "description"} for name, facts in documented.items()
    } == read


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(
    ("option", "fragment"),
    [
        ("ignore_exit_codes", "failures"),
        ("max_task_age", "stale_tasks"),
        ("stop_method", "recycle"),
        ("wait_timeout", "waiting"),
    ],
)
def test_a_module_with_shared_options_takes_them_from_the_fragment(name, option, fragment):
    module = importlib.import_module(f"ansible_collections.steadyops.ecs.plugins.modules.{name}")
    documentation = yaml.safe_load(module.DOCUMENTATION)
    taken = f"steadyops.ecs.{fragment}" in documentation["extends_documentation_fragment"]
    assert taken == (option in module.ARGUMENTS)
    assert "type" not in documentation.get("options", {}).get(option, {}), "the fragment has it"
