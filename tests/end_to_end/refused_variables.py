# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check what a role says about invalid variables: many cases in one run of ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.programs import Warm
from tests.end_to_end.warm_python import SETTINGS
from tests.sandbox.client import Sandbox

Case = tuple[Mapping[str, Any], str]


def unsaid(
    sandbox: Sandbox, folder: Path, warm: Warm, role: str, usual: Mapping[str, Any], cases: Sequence[Case]
) -> list[Any]:
    """Return the cases in which the role did not fail with the expected words, and all writes. Both must be empty.

    A variable that is None in a case is omitted.
    """
    tasks = []
    for number, (variables, _words) in enumerate(cases):
        given = {name: value for name, value in {**usual, **variables}.items() if value is not None}
        include = {"ansible.builtin.include_role": {"name": role}, "vars": given}
        tell = {"case": number, "words": "{{ ansible_failed_result | string }}"}
        tasks.append({"block": [include], "rescue": [{"ansible.builtin.debug": {"msg": tell}}]})
    playbook = folder / "refused.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    seen = sandbox.state()["calls"]
    command = warm.command("ansible-playbook", str(playbook))
    environment = {**os.environ, **SETTINGS, "AWS_URL": sandbox.url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stdout + done.stderr, done.stdout
    results = [task["hosts"]["localhost"] for play in json.loads(done.stdout)["plays"] for task in play["tasks"]]
    told = [each["msg"] for each in results if isinstance(each.get("msg"), dict) and "case" in each["msg"]]
    said = {each["case"]: each["words"] for each in told}
    found: list[Any] = [
        (variables, words, said.get(number, "it did not fail"))
        for number, (variables, words) in enumerate(cases)
        if words not in said.get(number, "")
    ]
    return found + [call["operation"] for call in sandbox.journal(since=seen)["calls"] if call["write"]]
