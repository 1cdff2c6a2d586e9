# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every option: null means omitted, and values that no request can carry are refused."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.json_text import read_json
from ansible_collections.steadyops.ecs.plugins.module_utils._core.option_values import (
    DEEPEST,
    LARGEST,
    check_value,
    given_values,
)

ARGUMENTS = {
    "name": {"type": "str"},
    "count": {"type": "int", "aliases": ["number"]},
    "delay": {"type": "float"},
    "codes": {"type": "list", "elements": "int"},
    "tags": {"type": "dict"},
    "job": {"type": "dict", "options": {"cpu": {"type": "int"}, "steps": {"type": "list", "elements": "dict"}}},
    "jobs": {"type": "list", "elements": "dict", "options": {"cpu": {"type": "int"}}},
}


def nested(depth):
    value = 1
    for _level in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("values", "given"),
    [
        pytest.param({"name": None, "count": 1}, {"count": 1}, id="an option"),
        pytest.param({"job": {"cpu": None}}, {"job": {}}, id="a suboption"),
        pytest.param({"jobs": [{"cpu": None}, {"cpu": 1}]}, {"jobs": [{}, {"cpu": 1}]}, id="in a list"),
        pytest.param({"job": '{"cpu": null}'}, {"job": {}}, id="in a dictionary written as JSON"),
        pytest.param({"job": "{'cpu': None}"}, {"job": {}}, id="in a dictionary written as Python"),
        pytest.param({"tags": {"a": None}}, {"tags": {"a": None}}, id="not among keys of the user"),
        pytest.param({"codes": [None]}, {"codes": [None]}, id="not as an entry, of which Ansible complains"),
        pytest.param({"typo": None, "other": 1}, {"other": 1}, id="an option that does not exist"),
    ],
)
def test_null_counts_as_omitted(values, given):
    assert given_values(ARGUMENTS, values) == given


@pytest.mark.parametrize(
    "values",
    [
        {"name": "x", "count": LARGEST, "delay": 0.5, "codes": [1, "2"], "tags": {"a": [{}]}},
        {"count": "7", "delay": "1e3", "codes": "1,2", "job": "cpu=1", "jobs": []},
        {"name": nested(DEEPEST)},
        {"name": "9" * 5000, "count": "many"},  # the first is a text; Ansible itself rejects the second
    ],
)
def test_other_values_are_those_that_ansible_reads(values):
    assert given_values(ARGUMENTS, values) == {
        **values,
        **({"codes": ["1", "2"]} if values.get("codes") == "1,2" else {}),
    }


@pytest.mark.parametrize(
    ("values", "option"),
    [
        ({"count": LARGEST + 1}, "count"),
        ({"number": "1e999"}, "number"),
        ({"count": "9" * 5000}, "count"),
        ({"count": "1e9999999999"}, "count"),
        ({"delay": float("inf")}, "delay"),
        ({"delay": "nan"}, "delay"),
        ({"codes": "1,1e999"}, "codes"),
        ({"codes": [1, "1e999"]}, "codes"),
        ({"job": {"cpu": "-1e999"}}, "job.cpu"),
        ({"jobs": ['{"cpu": 1e999}']}, "jobs"),
        ({"tags": "{'a': 1e999}"}, "tags"),
        ({"name": "a\ud800"}, "name"),
        ({"tags": {"\udfff": 1}}, "tags"),
        ({"\ud800": 1}, "The name of an option"),
        ({"name": nested(DEEPEST + 1)}, "name"),
        ({"tags": '{"a":' * 150 + "1" + "}" * 150}, "tags"),
    ],
)
def test_what_no_request_can_carry_is_refused_by_the_name_of_its_option(values, option):
    with pytest.raises(Refused, match=rf"^{option} must be (a number|Unicode)|^{option} must not be nested"):
        given_values(ARGUMENTS, values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("9" * 5000, "is not JSON"),
        ("[NaN]", "NaN is not JSON"),
        ('{"a": 1, "a": 2}', "'a' is written twice"),
        ("[1e999]", "must be a number from"),
        ('"\\ud800"', "must be Unicode text"),
        ("[" * 200 + "]" * 200, "must not be nested more than 100 levels"),
        ("[" * 2000 + "]" * 2000, "must not be nested more than 100 levels"),
        ('{"a":' * 2000 + "1" + "}" * 2000, "must not be nested more than 100 levels"),
    ],
)
def test_the_same_holds_for_what_a_json_text_says(text, words):
    with pytest.raises(Refused, match=r"^definition") as refused:
        read_json("definition", text)
    assert words in str(refused.value)


def test_what_is_common_passes():
    check_value("tags", {"a": ["b", 1, 1.5, True, None, "\U0001f600", "line\nline"]})
