# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module fails with one sentence on a host whose Python is too old for the collection."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = sorted(path.stem for path in (Path(__file__).parents[3] / "plugins/modules").glob("*.py"))
# Importing anything of ansible or boto3 would fail here, because -S leaves site-packages out.
OLD = """
import platform, runpy, sys
sys.version_info = (3, 9, 18, "final", 0)
platform.python_version = lambda: "3.9.18"
runpy.run_module("ansible_collections.steadyops.ecs.plugins.modules.{}", run_name="__main__")
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_module_refuses_an_old_python_before_it_imports_what_needs_a_newer_one(name):
    done = subprocess.run([sys.executable, "-S", "-c", OLD.format(name)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout) == {
        "failed": True,
        "msg": "steadyops.ecs requires Python 3.10 or newer on the host that runs the module, but "
        f"{sys.executable} is Python 3.9.18. Set ansible_python_interpreter to a newer Python that has boto3.",
    }
