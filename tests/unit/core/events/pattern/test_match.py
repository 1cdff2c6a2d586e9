# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matcher: one table for each operator as AWS documents it, and one for combining them."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import (
    leaves_of,
    lost_conditions,
    matches,
    places_in,
    ways_through,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.operators import UnreadablePattern

MISSING = object()

# One field, with one value.
VALUES = [
    # exactly this
    (["running"], "running", True),
    (["running"], "Running", False),
    (["running"], "running ", False),
    (["stopped", "running"], "running", True),
    (["running"], MISSING, False),
    (["running"], {"state": "running"}, False),
    ([""], "", True),
    ([""], None, False),
    ([""], MISSING, False),
    ([None], None, True),
    ([None], "", False),
    ([None], "null", False),
    ([None], MISSING, False),
    ([True], True, True),
    ([True], False, False),
    ([True], "true", False),
    ([True], 1, False),
    ([1], True, False),
    ([0], False, False),
    ([1], 1, True),
    ([1], 1.0, True),
    ([3.0e2], 300, True),
    ([1], "1", False),
    (["1"], 1, False),
    ([-1073741819], -1073741819, True),
    ([123456789012345678901], 123456789012345678901, True),
    ([None], False, False),
    ([None], 0, False),
    ([False], False, True),
    ([False], None, False),
    (["None"], None, False),
    (["10.0.0.1"], "10.0.0.1", True),
    (["10.0.0.1"], "10.0.0.2", False),
    (["10.0.0.1"], "ten", False),
    (["10.0.0.1"], "1", False),
    (["10.0.0.1"], "", False),
    (["ten"], "10.0.0.1", False),
    # of an array, one is enough
    (["b"], ["a", "b"], True),
    (["c"], ["a", "b"], False),
    (["b"], [["a"], ["b"]], True),
    (["a"], [], False),
    # prefix and suffix
    ([{"prefix": "us-"}], "us-east-1", True),
    ([{"prefix": "us-"}], "eu-west-1", False),
    ([{"prefix": "us-"}], "US-east-1", False),
    ([{"prefix": ""}], "anything", True),
    ([{"prefix": "1"}], 10, False),
    ([{"prefix": "n"}], None, False),
    ([{"prefix": "us-"}], MISSING, False),
    ([{"prefix": {"equals-ignore-case": "EventB"}}], "eventbridge", True),
    ([{"prefix": {"equals-ignore-case": "EventB"}}], "bridge", False),
    ([{"suffix": ".png"}], "a.png", True),
    ([{"suffix": ".png"}], "a.PNG", False),
    ([{"suffix": ".png"}], ".pngx", False),
    ([{"suffix": {"equals-ignore-case": "tBridge"}}], "EVENTBRIDGE", True),
    ([{"suffix": {"equals-ignore-case": "Event"}}], "EVENTBRIDGE", False),
    ([{"equals-ignore-case": "alice"}], "ALICE", True),
    ([{"equals-ignore-case": "alice"}], "alice2", False),
    ([{"equals-ignore-case": "1"}], 1, False),
    # wildcard
    ([{"wildcard": "dir/*.png"}], "dir/a/b.png", True),
    ([{"wildcard": "dir/*.png"}], "dir/.png", True),
    ([{"wildcard": "dir/*.png"}], "other/dir/a.png", False),
    ([{"wildcard": "*/a*b"}], "x/ab", True),
    ([{"wildcard": "*a*"}], "two\nlines a", True),
    ([{"wildcard": r"a\*b"}], "a*b", True),
    ([{"wildcard": r"a\*b"}], "axb", False),
    ([{"wildcard": r"a\\*"}], "a\\b", True),
    ([{"wildcard": r"a\\*"}], "a*b", False),
    ([{"wildcard": "a.c"}], "abc", False),
    ([{"wildcard": "*"}], 1, False),
    ([{"wildcard": "a*b"}], "a-bc", False),
    ([{"wildcard": "a*b"}], "xab", False),
    ([{"wildcard": "a\n*"}], "a\nb", True),
    ([{"wildcard": ""}], "", True),
    ([{"wildcard": ""}], "a", False),
    # anything-but
    ([{"anything-but": "initializing"}], "running", True),
    ([{"anything-but": "initializing"}], "initializing", False),
    ([{"anything-but": "initializing"}], MISSING, False),
    ([{"anything-but": "initializing"}, {"exists": False}], MISSING, True),
    ([{"anything-but": "a"}], None, True),
    ([{"anything-but": "a"}], 5, True),
    ([{"anything-but": 123}], 123, False),
    ([{"anything-but": 123}], 124, True),
    ([{"anything-but": [0]}], 0, False),
    ([{"anything-but": [0]}], 0.0, False),
    ([{"anything-but": [0]}], "0", True),
    ([{"anything-but": [0]}], None, True),
    ([{"anything-but": [0]}], False, True),
    ([{"anything-but": [0, 143]}], 137, True),
    ([{"anything-but": [0, 143]}], 143, False),
    ([{"anything-but": ["stopped", "overloaded"]}], "overloaded", False),
    ([{"anything-but": ["stopped", "overloaded"]}], "running", True),
    ([{"anything-but": ["a"]}], ["a", "b"], True),
    ([{"anything-but": ["a", "b"]}], ["a", "b"], False),
    ([{"anything-but": {"prefix": "us-"}}], "us-east-1", False),
    ([{"anything-but": {"prefix": "us-"}}], "eu-west-1", True),
    ([{"anything-but": {"prefix": ["us-", "eu-"]}}], "eu-west-1", False),
    ([{"anything-but": {"prefix": ["us-", "eu-"]}}], "ap-south-1", True),
    ([{"anything-but": {"prefix": "us-"}}], 7, True),
    ([{"anything-but": {"prefix": "us-"}}], MISSING, False),
    ([{"anything-but": {"suffix": ".png"}}], "a.png", False),
    ([{"anything-but": {"suffix": [".png", ".jpg"]}}], "a.gif", True),
    ([{"anything-but": {"equals-ignore-case": "initializing"}}], "INITIALIZING", False),
    ([{"anything-but": {"equals-ignore-case": ["a", "b"]}}], "C", True),
    ([{"anything-but": {"wildcard": "*/lib/*"}}], "/usr/lib/x", False),
    ([{"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}], "/usr/share/x", True),
    ([{"anything-but": {"suffix": ".png"}}], "png.a", True),
    ([{"anything-but": ("a", "b")}], "a", False),
    ([{"anything-but": [1]}], True, True),
    ([{"anything-but": {"prefix": "us-"}}], None, True),
    # Lint refuses these; they are read as AWS documents it for strings and numbers.
    ([{"anything-but": [True]}], True, False),
    ([{"anything-but": [True]}], False, True),
    ([{"anything-but": [True]}], None, True),
    ([{"anything-but": [None]}], None, False),
    ([{"anything-but": [None]}], True, True),
    # numeric
    *[
        ([{"numeric": [comparison, 7]}], value, expected)
        for comparison, results in {
            "=": (False, True, False),
            "<": (True, False, False),
            "<=": (True, True, False),
            ">": (False, False, True),
            ">=": (False, True, True),
        }.items()
        for value, expected in zip((6.9, 7, 7.1), results, strict=True)
    ],
    ([{"numeric": (">", 10)}], 11, True),
    ([{"numeric": ["=", 100]}], 100, True),
    ([{"numeric": ["=", 3.018e2]}], 301.8, True),
    ([{"numeric": [">", 10, "<=", 20]}], 20, True),
    ([{"numeric": [">", 10, "<=", 20]}], 10, False),
    ([{"numeric": [">=", 10, "<", 20]}], 10, True),
    ([{"numeric": ["<", 0]}], -1, True),
    ([{"numeric": ["<", 0]}], "-1", False),
    ([{"numeric": [">=", 0]}], True, False),
    ([{"numeric": [">=", 0]}], None, False),
    # exists
    ([{"exists": True}], "x", True),
    ([{"exists": True}], None, True),
    ([{"exists": True}], "", True),
    ([{"exists": True}], MISSING, False),
    ([{"exists": True}], [], False),
    ([{"exists": True}], {"inside": 1}, False),
    ([{"exists": False}], MISSING, True),
    ([{"exists": False}], None, False),
    ([{"exists": False}], [], True),
    ([{"exists": False}], {"inside": 1}, True),
    # cidr
    ([{"cidr": "10.0.0.0/24"}], "10.0.0.255", True),
    ([{"cidr": "10.0.0.0/24"}], "10.0.1.0", False),
    ([{"cidr": "10.0.0.7/24"}], "10.0.0.1", True),
    ([{"cidr": "10.0.0.0/24"}], "ten", False),
    ([{"cidr": "10.0.0.0/8"}], None, False),
    ([{"cidr": "10.0.0.0/8"}], "", False),
    ([{"cidr": "10.0.0.0/8"}], "1", False),
    ([{"cidr": "10.0.0.0/8"}], "9.255.255.255", False),
    ([{"cidr": "10.0.0.0/8"}], "10.0.0.0", True),
    ([{"cidr": "10.0.0.0/8"}], "11.0.0.0", False),
    ([{"cidr": "2001:db8::/32"}], "2001:db8::ABCF", True),
    ([{"cidr": "2001:db8::/32"}], "2001:db8::", True),
    ([{"cidr": "2001:db8::/32"}], "2001:db9::1", False),
    ([{"cidr": "2001:db8::/32"}], "2001:db8:0::1", True),
    ([{"cidr": "2001:db8::/32"}], "10.0.0.1", False),
    (["2001:db8::1"], "2001:db8:0:0::1", True),
]


@pytest.mark.parametrize(("entries", "value", "expected"), VALUES)
def test_one_field(entries, value, expected):
    event = {"detail": {"other": 1} if value is MISSING else {"field": value, "other": 1}}
    assert matches({"detail": {"field": entries}}, event) is expected


APP_AND_SIDECAR = {"containers": [{"name": "app", "exitCode": 0}, {"name": "log", "exitCode": 137, "reason": "OOM"}]}
SPOT = {"stopCode": "SpotInterruption", "group": "family:a"}

WHOLE = [
    # fields are joined by "and"
    ({"a": [1], "b": [2]}, {"a": 1, "b": 2}, True),
    ({"a": [1], "b": [2]}, {"a": 1, "b": 3}, False),
    ({"a": [1], "b": [2]}, {"a": 1}, False),
    ({"a.b": [1]}, {"a": {"b": 1}}, True),
    ({"a": [1], "a.b": [2]}, {"a": [1, {"b": 2}]}, True),  # a scalar does not bind other conditions to its element
    ({"a": {"x": [1], "y": [2]}, "b": [3]}, {"a": {"x": 1, "y": 2}, "b": 4}, False),
    ({"a": {"x": [1], "y": [2], "z": [3]}}, {"a": [{"x": 1, "y": 2}, {"x": 1, "y": 2, "z": 3}]}, True),
    ({"a": {"x": [{"exists": False}]}, "b": [1]}, {"a": {"y": 1}, "b": 2}, False),
    ({"a": [{"exists": False}, 5]}, {"a": 5}, True),
    ({"a": [{"exists": False}], "b": [1]}, {"b": 1}, True),
    ({"a": {"l": [1], "n": [2]}, "a.m": [3]}, {"a": [{"l": 1}, {"n": 2}], "a.m": 3}, False),
    # tuples are lists
    ({"a": (1, 2)}, {"a": 2}, True),
    ({"$or": ({"a": [1]}, {"b": [1]})}, {"b": 1}, True),
    ({"a": [2]}, {"a": (1, 2)}, True),
    ({"a": {"x": [1], "y": [2]}}, {"a": [({"x": 1},), ({"y": 2},)]}, False),
    ({}, {"a": 1}, True),
    # conditions under an array of objects: the same element
    ({"containers": {"exitCode": [137]}}, APP_AND_SIDECAR, True),
    ({"containers": {"name": ["log"], "exitCode": [137]}}, APP_AND_SIDECAR, True),
    ({"containers": {"name": ["app"], "exitCode": [137]}}, APP_AND_SIDECAR, False),
    ({"containers": {"name": [{"anything-but": "log"}], "exitCode": [{"anything-but": 0}]}}, APP_AND_SIDECAR, False),
    ({"a": {"x": [1], "y": [2]}, "b": {"x": [1]}}, {"a": [{"x": 1, "y": 2}], "b": [{"x": 0}, {"x": 1}]}, True),
    ({"a": {"b": {"x": [1]}, "y": [2]}}, {"a": [{"b": [{"x": 1}], "y": 3}, {"b": [{"x": 0}], "y": 2}]}, False),
    ({"a": {"b": {"x": [1]}, "y": [2]}}, {"a": [{"b": [{"x": 0}, {"x": 1}], "y": 2}]}, True),
    ({"a": {"x": [1], "y": [2]}}, {"a": [[{"x": 1}, {"y": 2}]]}, False),
    ({"a": {"x": [1, 2], "y": [2]}}, {"a": [{"x": 1, "y": 9}, {"x": 2, "y": 2}]}, True),  # not the first x that fits
    # "exists: false" in an array: it applies to all elements if its condition comes first by name ...
    ({"containers": {"exitCode": [{"exists": False}]}}, APP_AND_SIDECAR, False),
    ({"containers": {"exitCode": [{"exists": False}]}}, {"containers": [{"name": "a"}, {"exitCode": 0}]}, False),
    ({"containers": {"exitCode": [{"exists": False}]}}, {"containers": [{"name": "a"}]}, True),
    ({"c": {"exitCode": [{"exists": False}], "name": ["b"]}}, {"c": [{"exitCode": 0}, {"name": "b"}]}, False),
    # ... and otherwise to the element that the conditions before it match
    ({"containers": {"name": ["app"], "reason": [{"exists": False}]}}, APP_AND_SIDECAR, True),
    ({"containers": {"name": ["log"], "reason": [{"exists": False}]}}, APP_AND_SIDECAR, False),
    # $or
    ({"$or": [{"a": [1]}, {"b": [1]}]}, {"a": 1}, True),
    ({"$or": [{"a": [1]}, {"b": [1]}]}, {"b": 1}, True),
    ({"$or": [{"a": [1]}, {"b": [1]}]}, {"a": 2, "b": 2}, False),
    ({"c": [1], "$or": [{"a": [1]}, {"b": [1]}]}, {"a": 1, "c": 2}, False),
    ({"d": {"$or": [{"a": [1]}, {"b": {"c": [1]}}]}}, {"d": {"b": {"c": 1}}}, True),
    ({"$or": [{"a": [1]}, {"b": [1]}], "d": {"$or": [{"a": [1]}, {"b": [1]}]}}, {"b": 1, "d": {"a": 1}}, True),
    ({"$or": [{"a": [1]}, {"b": [1]}], "d": {"$or": [{"a": [1]}, {"b": [1]}]}}, {"b": 1, "d": {"a": 2}}, False),
    ({"$or": [{"a": [1]}, {"b": [1], "$or": [{"c": [1]}, {"d": [1]}]}]}, {"b": 1, "d": 1}, True),
    ({"$or": [{"a": [1]}, {"b": [1], "$or": [{"c": [1]}, {"d": [1]}]}]}, {"b": 1}, False),
    # The same field outside and inside $or: the last one counts.
    (
        {
            "stopCode": [{"anything-but": "SpotInterruption"}],
            "$or": [{"stopCode": [{"anything-but": "EssentialContainerExited"}]}, {"group": ["x"]}],
        },
        SPOT,
        True,
    ),
    (
        {
            "$or": [{"stopCode": [{"anything-but": "EssentialContainerExited"}]}, {"group": ["x"]}],
            "stopCode": [{"anything-but": "SpotInterruption"}],
        },
        SPOT,
        False,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "event", "expected"), WHOLE)
def test_whole_patterns(pattern, event, expected):
    assert matches(pattern, event) is expected


@pytest.mark.parametrize(
    "pattern",
    [
        {"a": "text"},
        {"a": 1},
        {"a": [{"starts-with": "x"}]},
        {"a": [{}]},
        {"a": [{"prefix": "x", "suffix": "y"}]},
        {"a": [{"prefix": 1}]},
        {"a": [{"prefix": {"wildcard": "x"}}]},
        {"a": [{"anything-but": {"cidr": "10.0.0.0/8"}}]},
        {"a": [{"wildcard": r"a\b"}]},
        {"n": [{"numeric": ["!=", 1]}]},
        {"n": [{"numeric": [">", "1"]}]},
        {"n": [{"numeric": [">"]}]},
        {"a": [{"cidr": "10.0.0.0/64"}]},
        {"a": [{"wildcard": 1}]},
        {"a": [{"anything-but": {"prefix": "x", "suffix": "y"}}]},
        {"a": [{"suffix": {"wildcard": "x"}}]},
        {"a": [{"suffix": {"equals-ignore-case": 1}}]},
        {"n": [{"numeric": [">", 0, "<"]}]},
        {"n": [{"numeric": [">", 0, "<", 5, "="]}]},
        {"n": [{"numeric": ">1"}]},
        {"n": [{"numeric": 5}]},
        {"n": [{"anything-but": {"cidr": "10.0.0.0/8"}}]},
        {"a": [{"wildcard": {"equals-ignore-case": "x"}}]},
        {"n": [{"numeric": [">", True]}]},
        {"a": [{"cidr": "ten"}]},
        {"a": [{"cidr": ["10.0.0.0", 8, 1]}]},
        {"$or": {}},
        {"$or": {"a": [1]}},
        {"$or": [1, 2]},
        {"$or": [{"a": [1]}, 2]},
    ],
)
def test_what_eventbridge_would_refuse_matches_nothing_silently(pattern):
    with pytest.raises(UnreadablePattern):
        matches(pattern, {"a": "x", "n": 1})


@pytest.mark.parametrize(
    ("pattern", "ways", "lost"),
    [
        ({"a": [1], "b": {"c": [2]}}, [{"a": [1], "b.c": [2]}], set()),
        ({"$or": [{"a": [1]}, {"b": {"c": [2]}}], "d": [3]}, [{"a": [1], "d": [3]}, {"b.c": [2], "d": [3]}], set()),
        ({"b": {"$or": [{"a": [1]}, {"c": [2]}]}}, [{"b.a": [1]}, {"b.c": [2]}], set()),
        ({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}, [{"a": [2]}, {"a": [1], "b": [3]}], {"a"}),
        ({"x": {"$or": [{"a": [1]}, {"b": [2]}], "a": [3]}}, [{"x.a": [3]}, {"x.b": [2], "x.a": [3]}], {"x.a"}),
        (
            {"$or": [{"a": [1]}, {"b": [2]}], "c": {"$or": [{"d": [3]}, {"e": [4]}]}},
            [{"a": [1], "c.d": [3]}, {"b": [2], "c.d": [3]}, {"a": [1], "c.e": [4]}, {"b": [2], "c.e": [4]}],
            set(),
        ),
    ],
)
def test_the_ways_through_a_pattern(pattern, ways, lost):
    assert ways_through(pattern) == ways
    assert lost_conditions(pattern) == lost


def test_the_leaves_of_an_event():
    event = {"a": 1, "b": {"c": [{"d": 2}, {"d": 3}], "e": [4, [5]]}, "f": [], "g": {}}
    places = places_in([{"a": [], "b.c.d": []}, {"b.e": [], "f": [], "g": [], "h.i": []}])
    assert places == {"a", "b", "b.c", "b.c.d", "b.e", "f", "g", "h", "h.i"}
    assert leaves_of(event, places) == {
        "a": [(1, {})],
        "b.c.d": [(2, {0: 0}), (3, {0: 1})],
        "b.e": [(4, {}), (5, {1: 1})],
    }
    assert leaves_of(event, places_in([{"b.e": []}])) == {"b.e": [(4, {}), (5, {0: 1})]}
