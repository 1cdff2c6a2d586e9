# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCENARIOS.md names a test for each scenario of a recycle, or says why there is none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (TESTS / "end_to_end/SCENARIOS.md").read_text().splitlines()
    if re.match(r"\| \d", line)
]
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def numbers(cell: str) -> list[int]:
    first, _dash, last = cell.rstrip("b").partition("-")
    return list(range(int(first), int(last or first) + 1))


def test_no_scenario_is_left_out():
    assert sorted({number for cell, _what, _tests in LINES for number in numbers(cell)}) == list(range(1, 56))


@pytest.mark.parametrize(("number", "what", "tests"), LINES, ids=[line[0] for line in LINES])
def test_each_scenario_has_tests_that_exist_or_a_reason(number, what, tests):
    named = NAMED.findall(tests)
    assert what
    assert named or tests.startswith("No test. ")
    assert [(path, name) for path, name in named if not exists(path, name)] == []


def test_the_tests_of_deployments_exist():
    text = (TESTS / "end_to_end/SCENARIOS.md").read_text().partition("## Deployments")[2]
    named = NAMED.findall(text)
    assert len(named) >= 8
    assert [(path, name) for path, name in named if not exists(path, name)] == []


def exists(path: str, name: str) -> bool:
    return re.search(rf"^def {name}\(", (TESTS / path).read_text(), re.MULTILINE) is not None
