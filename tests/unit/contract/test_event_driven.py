# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks reduce every event of a queue to facts before a rule sees it, and start playbooks that exist."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
EDA = ROOT / "extensions/eda"
README = (EDA / "README.md").read_text()
RULEBOOKS = sorted((EDA / "rulebooks").glob("*.yml"))
FILTER = EDA / "plugins/event_filter/ecs_event.py"


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_rulebooks(path):
    for ruleset in yaml.safe_load(path.read_text()):
        (source,) = ruleset["sources"]
        reads_queue = "ansible.eda.aws_sqs_queue" in source
        assert source.get("filters") == ([{"steadyops.ecs.ecs_event": None}] if reads_queue else None)
        for rule in ruleset["rules"]:
            assert re.match(r"event\.ecs\.kind == " if reads_queue else r"event\.check == ", rule["condition"])
            if "run_playbook" in rule["action"]:
                collection, _dot, name = rule["action"]["run_playbook"]["name"].rpartition(".")
                assert collection == "steadyops.ecs"
                assert (ROOT / "playbooks" / f"{name}.yml").is_file()
    assert f"`steadyops.ecs.{path.stem}`" in README


def test_the_guide_names_what_exists():
    """The guide names all variables of the rulebooks, and only existing playbooks."""
    read = {name for path in RULEBOOKS for name in re.findall(r"{{ (\w+) \| default", path.read_text())}
    (variables,) = [
        block
        for block in re.findall(r"^```yaml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
        if block.startswith("region:")
    ]
    assert set(yaml.safe_load(variables)) == read
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("eda_*.yml")}
    assert set(re.findall(r"`(eda_\w+)`", README)) == playbooks


@pytest.mark.skipif("ansible_pytest_collections" in sys.modules, reason="ansible-test runs inside of Ansible")
def test_the_filter_runs_outside_of_ansible():
    main = runpy.run_path(str(FILTER))["main"]
    assert main({"body": "{{ x }}", "meta": {}}) == {
        "ecs": {"kind": "ignored", "why": "the message is not a JSON object"}
    }
    assert main("text") == main({}) == main({"body": None})
