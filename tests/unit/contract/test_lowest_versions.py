# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lowest supported versions are the same in every text, and are those that ``tests.versions`` runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomllib
import yaml
from ansible_collections.steadyops.ecs.plugins.doc_fragments.aws import ModuleDocFragment
from ansible_collections.steadyops.ecs.plugins.module_utils._core.sdk_versions import LOWEST
from ansible_collections.steadyops.ecs.plugins.module_utils._python import LOWEST as LOWEST_PYTHON

from tests.versions.matrix import ENVIRONMENTS

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
COLLECTIONS = yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]
CORE = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"].removeprefix(">=")
PYTHON = ".".join(map(str, LOWEST_PYTHON))
OLDEST = ENVIRONMENTS["lowest"]


def short(version: str) -> str:
    """Return a version as texts name it: 1.40.0 is 1.40, and 10.0.0 is 10."""
    return re.sub(r"\.0$", "", re.sub(r"\.0$", "", version))


@pytest.mark.parametrize("library", ["boto3", "botocore"])
def test_the_sdk(library):
    for text in (ModuleDocFragment.DOCUMENTATION, ModuleDocFragment.PLUGINS):
        assert f"{library} >= {LOWEST}" in yaml.safe_load(text)["requirements"]
    assert f"{library}>={LOWEST}" in (ROOT / "requirements.txt").read_text().splitlines()
    assert f"boto3 and botocore {short(LOWEST)} or newer" in README
    assert f"{library}=={LOWEST}" in OLDEST.requirements


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_collections(collection):
    lowest = COLLECTIONS[collection].removeprefix(">=")
    assert f"`{collection}` {short(lowest)} or newer" in README
    assert OLDEST.collections[collection] == lowest
    if collection == "amazon.aws":
        assert f"`{collection}` {short(lowest)} and newer" in CONTRIBUTING


def test_python():
    for text in (ModuleDocFragment.DOCUMENTATION, ModuleDocFragment.PLUGINS):
        assert f"python >= {PYTHON}" in yaml.safe_load(text)["requirements"]
    assert f"Python {PYTHON} or newer" in README
    assert f"Python {PYTHON} and newer" in CONTRIBUTING
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert tools["mypy"]["python_version"] == PYTHON
    assert tools["ruff"]["target-version"] == f"py{PYTHON.replace('.', '')}"
    config = yaml.safe_load((ROOT / "tests/config.yml").read_text())
    assert config["modules"]["python_requires"] == f">={PYTHON}"
    assert OLDEST.python == PYTHON


def test_ansible_core():
    core = CORE.removesuffix(".0")
    assert f"ansible-core {core} or newer" in README
    assert f"ansible-core {core} and newer" in CONTRIBUTING
    assert f"ansible-core=={core}.*" in OLDEST.requirements
