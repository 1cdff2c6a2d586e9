# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-builder makes of the execution environment, and what it finds in the collection by itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
DEFINITION = yaml.safe_load((ROOT / "execution-environment.yml").read_text())
GALAXY = yaml.safe_load((ROOT / "galaxy.yml").read_text())


def builder(*arguments):
    command = ["ansible-builder", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_containerfile_can_be_made(tmp_path):
    builder(
        "create",
        "--file",
        ROOT / "execution-environment.yml",
        "--context",
        tmp_path,
        "--output-filename",
        "Containerfile",
    )
    text = (tmp_path / "Containerfile").read_text()
    assert DEFINITION["images"]["base_image"]["name"] in text
    collections = yaml.safe_load((tmp_path / "_build/requirements.yml").read_text())["collections"]
    assert [each["name"] for each in collections] == [f"{GALAXY['namespace']}.{GALAXY['name']}"]


@pytest.mark.skipif("ansible_pytest_collections" in sys.modules, reason="`make build` makes the archive")
def test_what_the_readme_says_of_the_collection_of_a_checkout(tmp_path):
    galaxy, files = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "awx/README.md").read_text(), re.MULTILINE | re.DOTALL)
    before, _collections = (ROOT / "execution-environment.yml").read_text().split("    collections:\n")
    (tmp_path / "ee.yml").write_text(before + galaxy + files)
    archive = f"{GALAXY['namespace']}-{GALAXY['name']}-{GALAXY['version']}.tar.gz"
    (tmp_path / "build").symlink_to(ROOT / "build")
    builder("create", "--file", tmp_path / "ee.yml", "--context", tmp_path / "context")
    assert (tmp_path / "context/_build/collections" / archive).exists()
    (collection,) = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())["collections"]
    assert collection == {"name": f"/build/collections/{archive}", "type": "file"}


def test_the_python_requirements_are_found_in_the_collection():
    """They are found in the installed build, because the archive contains meta/execution-environment.yml."""
    found = builder("introspect", os.environ["ANSIBLE_COLLECTIONS_PATH"])
    wanted = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert wanted
    assert [line for line in wanted if f"{line}  # from collection steadyops.ecs" not in found] == []


def test_what_runs_the_collection_is_what_the_collection_is_for():
    (collection,) = DEFINITION["dependencies"]["galaxy"]["collections"]
    assert collection["version"] == f">={GALAXY['version']}"
    assert "awx" in GALAXY["build_ignore"], "users of Galaxy get what runs; awx/ is for those who clone the repository"
