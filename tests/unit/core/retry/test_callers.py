# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which schedule or rule made a call, and what it requested."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.callers import (
    Caller,
    Candidate,
    caller_of,
    candidate,
    rebuilt,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.overrides import agrees, filled, oddity
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.retry.samples import ECS, request

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
CUT = "chronos-schedule/gold-coast-data-lak"  # 36 characters, as a public log shows it
CALLER = Caller("schedule", "nightly", "chronos-schedule/nightly")


@pytest.mark.parametrize(
    ("started_by", "kind", "name"),
    [
        ("chronos-schedule/nightly", "schedule", "nightly"),
        ("events-rule/nightly", "rule", "nightly"),
        (CUT, "schedule", "gold-coast-data-lak"),
        (CUT + "e", None, None),
        ("chronos-schedule/", None, None),
        ("chronos-schedule/a b", None, None),
        ("chronos-schedule/a/b", None, None),
        ("my-chronos-schedule/a", None, None),
        ("AWS Step Functions", None, None),
        ("", None, None),
        (None, None, None),
        (["events-rule/a"], None, None),
    ],
)
def test_who_called(started_by, kind, name):
    found = caller_of(started_by)
    assert (found and found.kind, found and found.name) == (kind, name)


@pytest.mark.parametrize(
    ("started_by", "name", "expected"),
    [
        (CUT, "gold-coast-data-lake", True),
        (CUT, "gold-coast-data-lak", True),
        (CUT, "gold-coast-data-la", False),
        ("chronos-schedule/nightly", "nightly", True),
        ("chronos-schedule/nightly", "nightly-2", False),
        ("events-rule/nightly", "night", False),
    ],
)
def test_a_name_that_was_cut_off(started_by, name, expected):
    assert caller_of(started_by).is_named(name) == expected


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"Input": "{}"}, "{}"),
        ({}, "{}"),
        ({"InputPath": "$.detail"}, None),
        ({"InputTransformer": {"InputTemplate": "x"}}, None),
        ({"Input": '{"command": ["<aws.scheduler.execution-id>"]}'}, None),
    ],
)
def test_a_target(target, text):
    given = {"Arn": "c", "EcsParameters": {"TaskDefinitionArn": "d"}, **target}
    assert candidate(given) == Candidate("c", "d", text)
    assert candidate({"Arn": "arn:aws:sqs:::q", **target}) is None


def container(**more):
    return {"containerOverrides": [{"name": "app", **more}]}


ENVIRONMENT = [{"name": "A", "value": "b"}]
ASKED = request(taskDefinition="report:7", overrides=container(environment=HIDDEN, command=["run"]))
RIGHT = container(environment=ENVIRONMENT, command=["run"])


def made(overrides=None, cluster=f"{ECS}:cluster/prod", definition=f"{ECS}:task-definition/report:7", text=None):
    return Candidate(
        cluster, definition, json.dumps(RIGHT if overrides is None else overrides) if text is None else text
    )


@pytest.mark.parametrize(
    ("candidates", "words"),
    [
        ([made()], ""),
        ([made(), None, made(definition="other"), made(cluster="test")], ""),
        ([made(), made()], ""),
        ([made(definition="report")], ""),
        ([made(), made(container(environment=ENVIRONMENT, command=["other"]))], ""),
        ([], "no target"),
        ([None], "no target"),
        ([made(definition="report:8")], "no target"),
        ([made(definition="reports")], "no target"),
        ([made(cluster="test")], "no target"),
        ([made(container(environment=ENVIRONMENT, command=["other"]))], "are not those of the call"),
        ([made(container(environment=ENVIRONMENT))], "are not those of the call"),
        ([made(container(command=["run"]))], "are not those of the call"),
        ([made({**RIGHT, "cpu": "512"})], "are not those of the call"),
        ([made({})], "are not those of the call"),
        ([made(text="no JSON")], "are not those of the call"),
        ([made(text="[" * 100_000)], "are not those of the call"),
        ([made(text="[]")], "are not those of the call"),
        ([made(container(environment=[{"name": "A", "value": "***"}], command=["run"]))], "are not those of the call"),
        ([made(container(environment=HIDDEN, command=["run"]))], "are not those of the call"),
        ([Candidate("prod", "report", None)], "differs in each run"),
        ([made(), Candidate("prod", "report:7", None)], "differs in each run"),
        ([made(), made(container(environment=[{"name": "A", "value": "c"}], command=["run"]))], "more than one"),
    ],
)
def test_what_it_asked_for(candidates, words):
    found, problem = rebuilt(ASKED, CALLER, candidates)
    assert words in problem if words else (found, problem) == ({**ASKED, "overrides": RIGHT}, "")
    assert not words or found == {}


LEAVES = st.text(max_size=5).filter(lambda text: "*" not in text)
CONTAINERS = st.fixed_dictionaries(
    {"name": st.sampled_from("abc")},
    optional={
        "command": st.lists(LEAVES, min_size=1, max_size=3),
        "environment": st.lists(st.fixed_dictionaries({"name": LEAVES, "value": LEAVES}), min_size=1, max_size=3),
        "cpu": st.integers(1, 9),
    },
)
WHOLES = st.fixed_dictionaries(
    {"containerOverrides": st.lists(CONTAINERS, min_size=1, max_size=3, unique_by=lambda each: each["name"])},
    optional={"cpu": LEAVES.filter(bool), "ephemeralStorage": st.just({"sizeInGiB": 30})},
).filter(lambda overrides: not oddity(overrides))


def hidden(value, chosen):
    """Return a value with marks of hidden text in the places that ``chosen`` draws."""
    if chosen():
        return HIDDEN
    if isinstance(value, dict):
        return {name: item if name == "name" else hidden(item, chosen) for name, item in value.items()}
    return [hidden(item, chosen) for item in value] if isinstance(value, list) else value


@given(WHOLES, st.data())
def test_whatever_is_hidden_is_found_again(whole, data):
    shown = hidden(whole, lambda: data.draw(st.integers(0, 9)) == 0)
    assert agrees(shown, whole)
    assert filled(shown, whole) == whole


@given(WHOLES, WHOLES)
def test_only_the_same_agrees(one, other):
    def without_values(overrides):
        return {**overrides, "containerOverrides": [
            {**each, "environment": "?"} if "environment" in each else each for each in overrides["containerOverrides"]
        ]}  # fmt: skip

    assert agrees(one, other) == (without_values(one) == without_values(other))


@given(WHOLES, st.data())
def test_no_mark_is_left(whole, data):
    shown = hidden(whole, lambda: data.draw(st.integers(0, 9)) == 0)
    found = filled(shown, data.draw(st.none() | WHOLES))
    assert HIDDEN not in json.dumps(found) or oddity(found)
