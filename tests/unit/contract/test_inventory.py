# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's documentation can be shown, and its examples use it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.inventory import ecs_services

from tests.unit.aws.clients import service

ROOT = Path(__file__).parents[3]
NAME = "steadyops.ecs.ecs_services"
EXAMPLES = list(yaml.safe_load_all(ecs_services.EXAMPLES))


@pytest.fixture(scope="module")
def shown():
    command = ["ansible-doc", "--type", "inventory", "--json", NAME]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)[NAME]


def test_the_documentation_can_be_shown(shown):
    assert shown["doc"]["short_description"]
    assert shown["doc"]["options"].keys() >= {
        "plugin",
        "region",
        "profile",
        "cache",
        "keyed_groups",
        "compose",
        "strict",
    }
    assert shown["doc"]["options"]["plugin"]["choices"] == [NAME] == [ecs_services.InventoryModule.NAME]


def test_options_that_are_read_are_documented(shown):
    read = re.findall(r'get_option\("(\w+)"\)', (ROOT / "plugins/inventory/ecs_services.py").read_text())
    assert read
    assert set(read) <= shown["doc"]["options"].keys()


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_use_options_that_exist(shown, example):
    assert example["plugin"] == NAME
    assert example.keys() <= shown["doc"]["options"].keys()


def test_examples_and_notes_use_variables_that_exist(shown):
    from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls.ecs_lists import service_facts  # noqa: PLC0415

    variables = {f"ecs_{name}" for name in service_facts(service())} | {"ecs_services"}
    used = set(re.findall(r"\becs_\w+", ecs_services.EXAMPLES)) | set(re.findall(r"C\((ecs_\w+)\)", str(shown["doc"])))
    assert used <= variables | {"ecs_"}
