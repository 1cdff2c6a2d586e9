# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM permissions in a module's documentation are those of the calls that the module makes."""

from __future__ import annotations

import importlib
import re

import pytest
import yaml
from ansible_collections.steadyops.ecs.plugins.inventory import ecs_services

from tests.permissions.actions import INVENTORY, MODULES, actions
from tests.unit.contract.calls_of_modules import PLUGINS, calls_of, source


def permissions(documentation: str) -> set[str]:
    """Return the permissions that the one note about permissions names."""
    (note,) = [note for note in yaml.safe_load(documentation)["notes"] if note.startswith("IAM permissions")]
    return set(re.findall(r"C\(([a-z0-9-]+:[A-Z]\w+)\)", note))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_documents_the_permissions_of_its_calls(name):
    module = importlib.import_module(f"ansible_collections.steadyops.ecs.plugins.modules.{name}")
    assert permissions(module.DOCUMENTATION) == actions(name)


def test_the_inventory_documents_the_permissions_of_its_calls():
    assert permissions(ecs_services.DOCUMENTATION) == actions(INVENTORY)


def test_the_analysis_misses_no_call():
    """For all plugins together, the analysis finds every existing call: it follows methods, tables and closures."""
    found = calls_of("inventory/ecs_services.py", "InventoryModule").union(
        *(calls_of(f"modules/{n}.py") for n in MODULES)
    )
    files = (PLUGINS / "module_utils/_aws").rglob("*.py")
    assert found == {each.call for file in files for each in source(file).definitions.values() if each.call}
