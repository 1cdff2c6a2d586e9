# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-test looks for in the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def lines(path):
    return {line for line in (ROOT / path).read_text().splitlines() if line and not line.startswith("#")}


def test_every_module_has_integration_tests_and_no_other_target_hides_among_them():
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    targets = {path.name for path in (ROOT / "tests/integration/targets").iterdir()}
    assert {name for name in targets if not name.startswith("setup_")} == modules


@pytest.mark.parametrize("command", ["integration", "unit"])
def test_its_requirements_are_those_of_the_development_environment(command):
    assert lines(f"tests/{command}/requirements.txt") <= lines("requirements/dev.in")


def test_it_ignores_nothing():
    assert list((ROOT / "tests").glob("sanity/ignore*")) == []
