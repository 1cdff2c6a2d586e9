# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.json_text import read_json
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.difference import differences
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [{"path": "$.a", "before": 1, "after": True}]),
        ({"a b": [1, 2]}, {"a b": [1]}, [{"path": "$['a b'][1]", "before": 2}]),
        ([], [{}], [{"path": "$[0]", "after": {}}]),
        ({"a": {}}, {"b": {}}, [{"path": "$.a", "before": {}}, {"path": "$.b", "after": {}}]),
    ],
)
def test_differences(before, after, found):
    assert differences(before, after) == found


@given(before=VALUES, after=VALUES)
def test_no_difference_is_equality(before, after):
    assert differences(before, before) == []
    assert before == after or differences(before, after)


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{'a': 1}", "", '[{"b": {"a": 1, "a": 1}}]'])
def test_json_that_is_refused(text):
    with pytest.raises(Refused, match=r"^definition"):
        read_json("definition", text)
