# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutants of single lines."""

from __future__ import annotations

import pytest

from tests.mutants.mutations import mutants
from tests.mutants.trial import choose_tests


def made(source: str) -> set[str]:
    return {each.after for each in mutants(source)}


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a < b", {"a <= b", "a >= b"}),
        ("a is not b", {"a is b"}),
        ("a not in b", {"a in b"}),
        ("a and (b or c)", {"a or (b or c)", "a and (b and c)", "a", "(b or c)", "a and (b)", "a and (c)"}),
        ("not a", {"a"}),
        ("a + b", {"a - b"}),
        ("x = 1", {"x = 2", "x = 0"}),
        ("x = 'two words'", {"x = ''"}),
        ("x = ''", {"x = 'mutant'"}),
        ("x = 'a text that only people read'", set()),
        ("x: 'int' = a", set()),
        ("f(a, b)", {"f(b, a)"}),
        ("max(a, b)", {"min(a, b)"}),
        ("f(k=a, l=b)", {"f(l=b)", "f(k=a, )"}),
        ("any(a)", {"all(a)"}),
        ("a.startswith(b)", {"a.endswith(b)"}),
        ("[a, b]", {"[b]", "[a, ]"}),
        ("{a: b, **c}", {"{**c}", "{a: b, }"}),
        ("a if b else c", {"a if True else c", "a if False else c"}),
        ("[a for a in b if a]", {"[a for a in () if a]", "[a for a in b if True]", "[a for a in b if False]"}),
        ("re.compile(r'a|b$', c)",
         {"re.compile(r'a|b', c)", "re.compile(r'a', c)", "re.compile(r'b$', c)", "re.compile(r'a|b$', 0)",
          "re.compile('', c)", "re.compile(c, r'a|b$')"}),
        ("import a.b", set()),
    ],
)  # fmt: skip
def test_every_small_change(source: str, changed: set[str]) -> None:
    assert made(source) == changed


def test_statements_of_functions_are_removed() -> None:
    source = 'def f():\n    """Do it."""\n    g()\n    raise Wrong("text")\n    return a\n'
    assert made(source) == {"pass", "return None"}
    assert {(each.function, each.line, each.before) for each in mutants(source)} == {
        ("f", 3, "g()"),
        ("f", 4, 'raise Wrong("text")'),
        ("f", 5, "return a"),
    }


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("f", ["a.py::calls_f"]),
        ("not_called", ["a.py::reads_a_constant", "a.py::calls_f", "a.py::calls_g"]),
        ("module", ["a.py::reads_a_constant", "a.py::calls_f", "a.py::calls_g"]),
        ("g", ["a.py::reads_a_constant", "a.py::calls_f", "a.py::calls_g"]),  # pytest calls it, too
    ],
)
def test_the_tests_that_may_notice_a_change(function: str, expected: list[str]) -> None:
    tests = {
        "a.py::reads_a_constant": set[str](),
        "b.py::of_another_module": set[str](),
        "a.py::calls_f": {"f"},
        "a.py::calls_g": {"g"},
    }
    assert choose_tests(function, tests, {"g"}) == expected
