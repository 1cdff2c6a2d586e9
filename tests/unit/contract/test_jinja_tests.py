# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Jinja tests: every one is documented, and every documentation is of one."""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError

FOLDER = Path(__file__).parents[3] / "plugins/test"
PACKAGE = "ansible_collections.steadyops.ecs.plugins.test."
FQCN = "steadyops.ecs."


def functions():
    found = {}
    for path in FOLDER.glob("*.py"):
        found |= importlib.import_module(PACKAGE + path.stem).TestModule().tests()
    return found


def test_each_has_documentation_that_can_be_shown():
    names = sorted(functions())
    assert names == sorted(path.stem for path in FOLDER.glob("*.yml"))
    command = ["ansible-doc", "--type", "test", "--json", *(FQCN + name for name in names)]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name in names:
        told = shown[FQCN + name]
        assert told["doc"]["short_description"]
        assert told["return"]["_value"]["type"] == "bool"
        assert f"is {FQCN}{name}(" in told["examples"]
        assert yaml.safe_load(told["examples"])


def test_what_cannot_be_decided_is_an_error_of_ansible():
    ask = functions()["matches_event_pattern"]
    assert ask({"a": 1}, {"a": [1]})
    for event, pattern in (({}, {}), ({}, "{"), ("[]", {"a": [1]}), ({}, {"a": 1}), (None, {"a": [1]})):
        with pytest.raises(AnsibleError, match=r"^steadyops\.ecs\.matches_event_pattern: the "):
            ask(event, pattern)
