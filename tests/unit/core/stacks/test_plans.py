# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole plans, as a person reads them."""

from __future__ import annotations

import json

import pytest

from tests.unit.core.stacks.golden_plans import PLANS, golden, path_of


@pytest.mark.parametrize("name", PLANS)
def test_plans_are_those_of_the_golden_files(name):
    # After an intended change: .venv/bin/python -m tests.unit.core.stacks.golden_plans
    assert golden(name) == path_of(name).read_text()


def test_every_golden_file_belongs_to_a_plan():
    assert {path.stem for path in path_of("").parent.iterdir()} == PLANS.keys()
    assert all(json.loads(path_of(name).read_text()) for name in PLANS)
