# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flaws that the module itself finds in definitions."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.lint import lint

END = {"Type": "Pass", "End": True}
SYNC = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "TimeoutSeconds": 60, "End": True}


def of(**states):
    return {"StartAt": "A", "States": states}


@pytest.mark.parametrize(
    ("definition", "express", "words"),
    [
        ({}, False, "it has no States"),
        ({"StartAt": "A", "States": []}, False, "it has no States"),
        ({"States": {"A": END}}, False, "StartAt is None"),
        (of(A="x"), False, "state 'A': its Type must be one of"),
        (of(A={**END, "Next": "A"}), False, "either Next or End: true"),
        (of(A={"Type": "Fail", "End": True}), False, "a Fail state cannot have End"),
        (of(A={"Type": "Choice", "Default": "B"}, B=END), False, "it has no Choices"),
        (of(A={"Type": "Choice", "Choices": [{"Next": "C"}], "Default": "B"}, B=END), False, "Choices[0].Next is 'C'"),
        (of(A={**SYNC, "Catch": [{"Next": "C"}]}), False, "Catch[0].Next is 'C'"),
        (of(A=SYNC), True, "EXPRESS cannot do"),
        (of(A={**SYNC, "Resource": "ecs:runTask"}), False, "Give the ARN of the resource that it runs"),
        (of(A=END, B=END), False, "nothing leads to state 'B'"),
        (of(**{"A": {"Type": "Pass", "Next": "B" * 81}, "B" * 81: END}), False, "has 81 characters"),
        (of(A={"Type": "Parallel", "End": True}), False, "it has no Branches"),
        (of(A={"Type": "Parallel", "Branches": [of(B=END)], "End": True}), False, "in branch 0: StartAt is 'A'"),
        (of(A={"Type": "Map", "ItemProcessor": of(A=SYNC), "End": True}), True, "inside of it: state 'A': "),
        (of(A={"Type": "Map", "Iterator": {}, "End": True}), False, "inside of it: it has no States"),
    ],
)
def test_errors(definition, express, words):
    assert words in lint(definition, express).errors[0]


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (of(A={key: value for key, value in SYNC.items() if key != "TimeoutSeconds"}), "waits up to a year"),
        (of(A={"Type": "Choice", "Choices": [{"Next": "B"}]}, B=END), "without Default"),
    ],
)
def test_warnings(definition, words):
    found = lint(definition)
    assert found.errors == []
    assert words in found.warnings[0]


def test_nothing_to_find():
    inner = {"StartAt": "B", "States": {"B": {"Type": "Succeed"}}}
    good = of(
        A={"Type": "Parallel", "Branches": [inner, inner], "Next": "C"},
        C={"Type": "Map", "ItemProcessor": inner, "Next": "D", "Catch": [{"Next": "E"}]},
        D={"Type": "Wait", "Seconds": 1, "Next": "A"},
        E={"Type": "Fail"},
    )
    assert lint(good, express=True) == lint(of(A=END))
