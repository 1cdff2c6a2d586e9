# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that nobody would intend, for options of modules and arguments of filters."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _level in range(depth):
        value = [value]
    return value


ODD = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**30,
    -(10**30),
    float("inf"),
    float("-inf"),
    float("nan"),
    10**15,
    "",
    " ",
    "null",
    "9" * 5000,
    "1e999",
    "-1e999",
    "1e9999999999",
    "nan",
    "inf",
    "0x10",
    "\u0663",
    "100%",
    "1e308%",
    "\ud800",
    "a\udfffb",
    "\x00",
    "\x1b[31m",
    "a\nb",
    "\u2028",
    "*",
    "**",
    "arn:",
    "arn:aws:sns:::",
    "{x}",
    "<x>",
    "{",
    "{}",
    "[]",
    '"\\ud800"',
    '{"a": NaN}',
    '{"a": 1e999}',
    '{"a": null}',
    "[" * 2000,
    '{"a":' * 2000,
    "[" * 200 + "]" * 200,
    "9999-12-31T23:59:59.9999Z",
    "0001-01-01T00:00:00+14:00",
    "253402300799.9999",
    "a=b",
    "{'a': None}",
    "{'a': 1e999}",
    "{" * 3000,
    [],
    [None],
    [[]],
    [{}],
    [""],
    ["\ud800"],
    [float("nan")],
    ["1e999"],
    [True],
    nested(120),
    "a,b",
    [1, "a", None],
    {},
    {"": None},
    {"a": None},
    {"a": {"b": []}},
    {"\ud800": 1},
    {"a": "\ud800"},
    {"a": nested(120)},
    {"a": [1]},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
# Drawn by their index, because Hypothesis would write all values into its descriptions.
odd_values = st.sampled_from(range(len(ODD))).map(lambda index: ODD[index]) | JSON
