# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the matcher with another engine, that of moto, on drawn patterns and events.

One table lists where moto is known to differ from EventBridge, each with a proof. The drawn values avoid these
differences, except for arrays of objects, which moto does not look into: there, moto gets the event once for
every choice of one element of each array, because all conditions must hold in one element.
"""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches
from hypothesis import given
from hypothesis import strategies as st
from moto.events.models import EventPattern

from tests.unit.core.events.pattern.patterns import ABSENT, PRESENT, SCALARS, events, law, patterns


def moto(pattern, event):
    return EventPattern(None, pattern).matches_event(event)


# The subject, a pattern, an event, the answer of EventBridge and of our matcher, and the answer of moto.
KNOWN_DISAGREEMENTS = [
    ("conditions on arrays of objects", {"a": {"b": [1]}}, {"a": [{"b": 1}]}, True, False),
    ("absence in arrays of objects", {"a": {"b": [{"exists": False}]}}, {"a": [{"b": 1}]}, False, True),
    ("arrays in arrays", {"a": [1]}, {"a": [[1]]}, True, False),
    ("an empty array is absent", {"a": [{"exists": True}]}, {"a": []}, False, True),
    ("an empty object is absent", {"a": [{"exists": True}]}, {"a": {}}, False, True),
    ("true is not 1", {"a": [1]}, {"a": True}, False, True),
    ("0 is not false", {"a": [False]}, {"a": 0}, False, True),
    ("false is anything but 0", {"a": [{"anything-but": [0]}]}, {"a": False}, True, False),
    ("true is no number", {"a": [{"numeric": ["=", 1]}]}, {"a": True}, False, True),
    ("addresses are compared as addresses", {"a": ["2001:db8::1"]}, {"a": "2001:db8:0::1"}, True, False),
    ("a block may have bits beyond its mask", {"a": [{"cidr": "10.0.0.7/24"}]}, {"a": "10.0.0.1"}, True, False),
    ("a number is no address", {"a": [{"cidr": "0.0.0.0/0"}]}, {"a": 1}, False, True),
    (
        "the last of two conditions on a field outside of $or and inside counts",
        {"a": [1], "$or": [{"a": [2]}, {"b": [2]}]},
        {"a": 2},
        True,
        False,
    ),
]


@pytest.mark.parametrize(("what", "pattern", "event", "ours", "theirs"), KNOWN_DISAGREEMENTS)
def test_known_disagreements(what, pattern, event, ours, theirs):
    assert (matches(pattern, event), moto(pattern, event)) == (ours, theirs), what


def objects(depth=2):
    """Draw events without what the table lists."""
    values = SCALARS | st.lists(SCALARS, min_size=1, max_size=3)
    return st.dictionaries(
        st.sampled_from("abcd"), values | objects(depth - 1) if depth else values, min_size=1, max_size=4
    )


@law
@given(pattern=patterns(PRESENT | ABSENT), event=objects())
def test_flat_events(pattern, event):
    assert matches(pattern, event) == moto(pattern, event)


def choices(value):
    """Yield every variant of the event in which each array of objects is replaced by one of its elements."""
    if isinstance(value, dict):
        inner = itertools.product(*map(choices, value.values()))
        return [dict(zip(value, chosen, strict=True)) for chosen in inner]
    if isinstance(value, list) and any(isinstance(element, dict) for element in value):
        return [chosen for element in value for chosen in choices(element)]
    return [value]


def without_what_is_empty(value):
    if isinstance(value, dict):
        kept = {key: without_what_is_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in ([], {})}
    if isinstance(value, list):
        return [inner for inner in map(without_what_is_empty, value) if inner not in ([], {})]
    return value


@law
@given(pattern=patterns(PRESENT), event=events(SCALARS).map(without_what_is_empty))
def test_arrays_of_objects(pattern, event):
    assert matches(pattern, event) == any(moto(pattern, chosen) for chosen in choices(event))
