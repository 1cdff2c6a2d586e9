# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter patterns of CloudWatch Logs."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.functions.filter_pattern import FilterPatternError, compile_pattern

RECORD = {
    "eventName": "RunTask",
    "errorCode": "ThrottlingException",
    "responseElements": {"failures": [{"reason": "Capacity is unavailable"}], "tasks": []},
    "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::1:role/retrier"}}},
    "count": 3,
    "nothing": None,
    "yes": True,
    "a.b": "dot",
}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", True),
        ('{ $.eventName = "RunTask" }', True),
        ("{$.eventName=RunTask}", True),
        ('{ $.eventName = "Run*" && $.errorCode = "*Exception" }', True),
        ('{ $.eventName = "runtask" }', False),
        ('{ $.eventName != "StartTask" }', True),
        ('{ $.missing != "StartTask" }', False),
        ('{ ($.missing NOT EXISTS) || ($.missing != "StartTask") }', True),
        ('{ $.responseElements.failures[0].reason = "*" }', True),
        ('{ $.responseElements.failures[1].reason = "*" }', False),
        ("{ $.responseElements.tasks[0] NOT EXISTS }", True),
        ('{ $.responseElements.failures = "*" }', False),
        ("{ $.nothing IS NULL }", True),
        ("{ $.missing IS NULL }", False),
        ("{ $.yes IS TRUE }", True),
        ("{ $.yes IS FALSE }", False),
        ("{ $.count = 3 }", True),
        ("{ $.count >= 3.5 }", False),
        ("{ $.count < 1e1 }", True),
        ("{ $.eventName > 1 }", False),
        ("{ $.errorCode = %^Throttl% }", True),
        ("{ $.['a.b'] = dot }", True),
        ('{ $.eventName = "x" || $.count = 3 && $.yes IS FALSE }', False),
        ('{ ($.eventName = "RunTask" || $.count = 4) && $.yes IS TRUE }', True),
        ("RunTask", True),
        ("RunTask -Throttling", False),
        ('?Nothing ?"is unavailable"', True),
    ],
)
def test_what_matches(pattern: str, expected: bool) -> None:
    assert compile_pattern(pattern)(json.dumps(RECORD)) is expected


def test_a_line_that_is_no_json_matches_no_pattern_in_braces() -> None:
    assert not compile_pattern("{ $.a NOT EXISTS }")("plain text")


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a = }",
        "{ $.a ~ 1 }",
        "{ ($.a = 1 }",
        "{ $.a = 1",
        "{ a = 1 }",
        "{ $.a > b }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a IS COLD }",
        "[a, b]",
        "x" * 1025,
    ],
)
def test_what_is_refused(pattern: str) -> None:
    with pytest.raises(FilterPatternError):
        compile_pattern(pattern)
