# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading, linting and comparing event patterns."""

from __future__ import annotations

import json
import random

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.compare import same_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.lint import lint
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.parse import (
    parse_event,
    parse_pattern,
    pattern_text,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.events.pattern.patterns import events, law, patterns

TASK = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}
STOPPED = {"lastStatus": ["STOPPED"]}
DEPLOYMENT = {"detail-type": ["ECS Deployment State Change"]}


def task(**detail):
    return {**TASK, "detail": {**STOPPED, **detail}}


def told(pattern):
    return [(finding.path, "error" if finding.is_error else "warning") for finding in lint(pattern)]


FINE = [
    {"source": ["aws.ecs"]},
    task(),
    task(containers={"name": [{"anything-but": {"prefix": ["a", "b"]}}], "exitCode": [{"anything-but": [0, 143]}]}),
    task(**{"$or": [{"stopCode": ["a"]}, {"stopCode": ["b"], "containers": {"exitCode": [{"exists": False}]}}]}),
    task(group=[{"anything-but": {"wildcard": ["a*b", r"a\*\\b"]}}, {"exists": False}]),
    task(cpu=[{"suffix": {"equals-ignore-case": "x"}}, {"prefix": {"equals-ignore-case": "x"}}, None, True, 1.5]),
    {"detail": {"sourceIPAddress": [{"cidr": "10.0.0.0/8"}, {"cidr": "2001:db8::/32"}]}},
    {"detail": {"n": [{"numeric": [">", 0, "<=", 5]}, {"numeric": ["=", 3.018e2]}]}},
    {**DEPLOYMENT, "resources": [{"wildcard": "*:service/production/*"}]},
    {"detail-type": ["ECS Service Action"], "detail": {"clusterArn": ["x"]}},
    {**DEPLOYMENT, "detail": {"clusterArn": ["x", {"exists": False}]}},
    {"source": ["shop.orders"], "detail-type": ["Whatever they say"]},
    {"source": ["shop.orders"], "detail": {"clusterArn": ["production"]}},
    {"source": ["aws.ecs"], "detail-type": ["ECS Hook State Change", "ECS Daemon Service Action"]},
    {"source": ["aws.ecs"], "detail-type": ["ECS Daemon Deployment State Change"]},
    {"source": ["aws.ecs"], "detail-type": ["ECS Container Instance Health Change"]},
    {"source": ["aws.ecs"], "detail": {"requestParameters": {"cluster": ["production"]}}},
    *(
        task(clusterArn=[entry])
        for entry in (
            "arn:aws:ecs:eu-west-1:123456789012:cluster/production",
            {"prefix": ""},
            {"prefix": "ar"},
            {"wildcard": "*tion"},
            {"wildcard": "arn:*"},
            {"prefix": {"equals-ignore-case": "ARN:aws"}},
            {"suffix": "production"},
            {"anything-but": ["production"]},
            {"exists": True},
        )
    ),
]


@pytest.mark.parametrize("pattern", FINE, ids=pattern_text)
def test_nothing_can_be_said_against(pattern):
    assert told(pattern) == []


def leaf(entry):
    return {"detail": {"a": [entry]}}


ERRORS = [
    *(
        (task(clusterArn=[entry]), "detail.clusterArn", "events have ARNs there, so")
        for entry in (
            "production",
            {"prefix": "production"},
            {"wildcard": "prod*"},
            {"wildcard": "production"},
            7,
            {"equals-ignore-case": "production"},
            {"prefix": {"equals-ignore-case": "prod"}},
        )
    ),
    (task(clusterArn=["production"]), "detail.clusterArn", '{"suffix": ":cluster/production"}'),
    (task(taskDefinitionArn=["web"]), "detail.taskDefinitionArn", '{"wildcard": "*/web*"}'),
    (
        {"source": ["aws.states"], "detail": {"stateMachineArn": ["nightly"]}},
        "detail.stateMachineArn",
        "events have ARNs",
    ),
    ({"source": ["aws.ecs"], "resources": ["web"]}, "resources", "events have ARNs"),
    (task(containers={"exitCode": ["1"]}), "detail.containers.exitCode", "without quotes"),
    ({"account": [123456789012]}, "account", "write it in quotes"),
    ({"source": ["aws.ecs"], "stopCode": ["x"]}, "stopCode", "do you mean detail.stopCode?"),
    ({}, "", "empty object"),
    ({"detail": {}}, "detail", "empty object"),
    ({"detail": {"a": "x"}}, "detail.a", 'write ["x"]'),
    ({"detail": {"a": None}}, "detail.a", "write [null]"),
    ({"detail": {"a": []}}, "detail.a", "nothing can match"),
    ({"detail": {"a": [["x"]]}}, "detail.a", "its list contains a list"),
    (leaf({}), "detail.a", "an object of its own"),
    (leaf({"prefix": "x", "suffix": "y"}), "detail.a", "this one has 2: prefix, suffix"),
    (leaf({"not": "x"}), "detail.a", "they are prefix, suffix"),
    (leaf({"Prefix": "x"}), "detail.a", "is 'prefix' meant?"),
    (leaf({"equals_ignore_case": "x"}), "detail.a", "is 'equals-ignore-case' meant?"),
    (leaf({"prefix": 1}), "detail.a", "prefix takes a string, not 1"),
    (leaf({"prefix": ["x"]}), "detail.a", "prefix takes a string"),
    (leaf({"prefix": {"wildcard": "x"}}), "detail.a", "equals-ignore-case"),
    (leaf({"suffix": None}), "detail.a", "suffix takes a string, not null"),
    (leaf({"equals-ignore-case": True}), "detail.a", "not true"),
    (leaf({"wildcard": "a**b"}), "detail.a", "two * one after another"),
    (leaf({"wildcard": r"a\b"}), "detail.a", "backslash"),
    (leaf({"wildcard": 1}), "detail.a", "takes a string"),
    (leaf({"exists": "false"}), "detail.a", "takes true or false"),
    (leaf({"cidr": "10.0.0.0"}), "detail.a", "10.0.0.0/24"),
    (leaf({"cidr": "10.0.0.0/32"}), "detail.a", "a single address is written as it is"),
    (leaf({"cidr": "10.0.0.0/33"}), "detail.a", "cidr takes"),
    (leaf({"cidr": 1}), "detail.a", "cidr takes"),
    (leaf({"numeric": [">", "1"]}), "detail.a", "without quotes"),
    (leaf({"numeric": ["!=", 1]}), "detail.a", "there is anything-but"),
    (leaf({"numeric": [">"]}), "detail.a", "one comparison or two"),
    (leaf({"numeric": ["<", 5, ">", 0]}), "detail.a", "the lower bound first"),
    (leaf({"numeric": [">", 5, "<", 5]}), "detail.a", "not below its upper bound"),
    (leaf({"numeric": [">", True]}), "detail.a", "without quotes"),
    (leaf({"anything-but": []}), "detail.a", "needs a value"),
    (leaf({"anything-but": None}), "detail.a", "takes either strings or numbers"),
    (leaf({"anything-but": ["a", 1]}), "detail.a", "either strings or numbers in one list"),
    (leaf({"anything-but": [True]}), "detail.a", "takes either strings or numbers"),
    (leaf({"anything-but": {"numeric": ["=", 1]}}), "detail.a", "one of prefix, suffix"),
    (leaf({"anything-but": {"prefix": ""}}), "detail.a", "needs a text"),
    (leaf({"anything-but": {"suffix": []}}), "detail.a", "needs a text"),
    (leaf({"anything-but": {"prefix": {"equals-ignore-case": "x"}}}), "detail.a", "with prefix takes a string"),
    (leaf({"anything-but": {"wildcard": ["a", "b**"]}}), "detail.a", "with wildcard does not take two *"),
    ({"$or": {"a": ["x"]}}, "$or", "a list of objects"),
    ({"$or": ["x", "y"]}, "$or", "a list of objects"),
    ({"detail": {"$or": [{"a": ["x"]}]}}, "detail.$or", "two objects or more (got 1)"),
    ({"detail": {"$or": [{"a": ["x"]}, {}]}}, "detail.$or", "one of its objects is empty"),
    ({"detail": {"$or": [{"a": ["x"]}, {"numeric": ["x"]}]}}, "detail.$or", "does not allow 'numeric'"),
    ({"detail": {"$or": [{"a": {"prefix": ["x"]}}, {"b": ["x"]}]}}, "detail.$or", "does not allow 'prefix'"),
    (task(a=["x"], **{"$or": [{"a": ["y"]}, {"b": ["y"]}]}), "detail.a", "both outside and inside of $or"),
    (task(**{"$or": [{"lastStatus": ["y"]}, {"b": ["y"]}]}), "detail.lastStatus", "both outside and inside of $or"),
    (
        {"$or": [{"detail": {"a": ["x"]}}, {"source": ["x"]}], "detail": {"$or": [{"a": ["x"]}, {"b": ["x"]}]}},
        "detail.a",
        "in two of them",
    ),
    ({**DEPLOYMENT, "detail": {"clusterArn": ["x"]}}, "detail.clusterArn", "none will match: name the cluster in"),
    ({f"a{n}": ["x" * 60] for n in range(70)}, "", "EventBridge allows 4096"),
]


@pytest.mark.parametrize(("pattern", "path", "words"), ERRORS, ids=lambda value: str(value)[:60])
def test_errors(pattern, path, words):
    found = [finding for finding in lint(pattern) if finding.is_error]
    assert (path, True) in [(finding.path, words in finding.words) for finding in found]


def test_too_many_combinations():
    def alternatives(letter):
        return {"$or": [{f"{letter}{number}": ["x"]} for number in range(11)]}

    ten = {"detail": {letter: alternatives(letter) for letter in "ab"}}
    assert told(ten) == []
    ten["detail"]["c"] = alternatives("c")
    assert [finding.words for finding in lint(ten)] == [
        "its $or make more than 1000 combinations: split it into several rules"
    ]


WARNINGS = [
    ({**TASK}, "detail.lastStatus"),
    ({**TASK, "detail": {"desiredStatus": ["STOPPED"]}}, "detail.lastStatus"),
    ({**TASK, "detail": {"$or": [STOPPED, {"stopCode": ["x"]}]}}, "detail.lastStatus"),
    (task(containers={"exitCode": ["1", {"exists": False}]}), "detail.containers.exitCode"),
    (task(clusterArn=["production", {"suffix": ":cluster/staging"}]), "detail.clusterArn"),
    (task(containers={"name": ["app"], "exitCode": [{"exists": False}]}), "detail.containers.exitCode"),
    (task(containers=[{"exists": True}]), "detail.containers"),
    ({**TASK, "detail": {"lastStatus": ["stopped"]}}, "detail.lastStatus"),
    (task(taskDefinitionArn=["arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7"]), "detail.taskDefinitionArn"),
    (task(taskDefinitionArn=[{"wildcard": f"*:task-definition/{n}:*"} for n in range(11)]), "detail.taskDefinitionArn"),
    ({"source": ["aws.ecs"], "detail-type": ["ECS task state change"], "detail": STOPPED}, "detail-type"),
    ({"account": [123456789012, "123456789012"]}, "account"),
    ({"stopCode": ["x"]}, "stopCode"),
    ({"detail-type": ["ECS Service Action", *DEPLOYMENT["detail-type"]], "detail": {"clusterArn": ["x"]}},
     "detail.clusterArn"),
    ({"detail": {"n": [{"numeric": [">", 6e9]}]}}, "detail.n"),
    ({f"detail.a{n}": ["x" * 60] for n in range(35)}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "path"), WARNINGS, ids=lambda value: str(value)[:60])
def test_warnings(pattern, path):
    assert (path, "warning") in told(pattern)
    assert "error" not in [level for _path, level in told(pattern)]


def test_warnings_name_what_is_near():
    (finding,) = lint({"source": ["aws.ecs"], "detail-type": ["ECS task state change"], "detail": STOPPED})
    assert str(finding) == (
        "detail-type: 'ECS task state change' is not among the detail-types of Amazon ECS that this collection knows: "
        "is 'ECS Task State Change' meant?"
    )


def test_repeats_may_be_meant():
    assert lint(TASK, repeats_are_meant=True) == []


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "is not JSON"),
        ("{'a': 1}", "is not JSON"),
        ('{"a": [NaN]}', "NaN is not JSON"),
        ("[1]", "is not a JSON object. Give something like"),
        (1, "is not a JSON object"),
        ({"a": [object()]}, "something that JSON does not allow"),
        ('{"a": [1], "a": [2]}', "'a' is written twice in one object"),
        ('{"d": {"$or": [{"x": [1], "b": [1], "x": [2]}]}}', "'x' is written twice"),
        ("[" * 100_000, "nested more than 100 levels deep"),
        ('{"a":' * 300 + "[1]" + "}" * 300, "nested more than 100 levels deep"),
        ("null", "is not a JSON object"),
    ],
)
def test_what_is_no_pattern(written, words):
    with pytest.raises(Refused, match=r"event_pattern.*") as refused:
        parse_pattern("event_pattern", written)
    assert words in str(refused.value)


def test_events_are_read_as_text_or_data():
    assert parse_event('{"a": 1, "a": 2}') == parse_event({"a": 2})
    for written in ("[]", "{", 3):
        with pytest.raises(Refused):
            parse_event(written)


SAME = [
    ({"a": ["x", "y"]}, {"a": ["y", "x", "x"]}, True),
    ({"a": ["x"], "b": ["y"]}, {"b": ["y"], "a": ["x"]}, True),
    ({"a": [1]}, {"a": [1.0]}, True),
    ({"a": [1]}, {"a": ["1"]}, False),
    ({"a": [1]}, {"a": [True]}, False),
    ({"a": ["x"]}, {"a": ["X"]}, False),
    ({"a": [{"anything-but": ["x", "y"]}]}, {"a": [{"anything-but": ["y", "x"]}]}, True),
    ({"a": [{"anything-but": "x"}]}, {"a": [{"anything-but": ["x"]}]}, True),
    ({"a": [{"anything-but": {"prefix": ["x", "y"]}}]}, {"a": [{"anything-but": {"prefix": ["y", "x"]}}]}, True),
    ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": [{"anything-but": {"suffix": "x"}}]}, False),
    ({"a": [{"numeric": [">", 0, "<", 5]}]}, {"a": [{"numeric": ["<", 5, ">", 0]}]}, False),
    ({"a": [{"numeric": [">", 0]}]}, {"a": [{"numeric": [">", 0.0]}]}, True),
    ({"$or": [{"a": ["x"]}, {"b": ["x", "y"]}]}, {"$or": [{"b": ["y", "x"]}, {"a": ["x"]}]}, True),
    ({"$or": [{"a": ["x"]}, {"b": ["x"]}]}, {"$or": [{"a": ["x"]}, {"c": ["x"]}]}, False),
    ({"a": [{"exists": True}]}, {"a": [{"exists": False}]}, False),
    ({"a": {"b": ["x"]}}, {"a": {"c": ["x"]}}, False),
]


@pytest.mark.parametrize(("left", "right", "expected"), SAME)
def test_comparison(left, right, expected):
    assert same_pattern(left, right) is expected
    assert same_pattern(right, left) is expected


def shuffled(value, chance):
    if isinstance(value, dict):
        pairs = [(key, shuffled(inner, chance) if key != "numeric" else inner) for key, inner in value.items()]
        return dict(chance.sample(pairs, len(pairs)))
    if isinstance(value, list):
        return chance.sample([shuffled(inner, chance) for inner in value], len(value))
    return value


@law
@given(pattern=patterns(), seed=st.integers(0, 2**32), seen=st.lists(events(), min_size=1, max_size=3))
def test_another_order_is_the_same_pattern(pattern, seed, seen):
    other = shuffled(pattern, random.Random(seed))
    assert same_pattern(pattern, other)
    assert same_pattern(pattern, json.loads(pattern_text(pattern)))
    assert [matches(pattern, event) for event in seen] == [matches(other, event) for event in seen]


@law
@given(pattern=patterns())
def test_patterns_that_are_taken_have_no_errors(pattern):
    assert [finding for finding in lint(pattern) if finding.is_error] == []
