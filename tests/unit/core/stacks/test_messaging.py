# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queues, topics and the steps of ecs_stack: what must change, and what is refused."""

from __future__ import annotations

import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.messaging import plan_queue, plan_topic
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.steps import label_of, read_step

ONE = {"Statement": [{"Action": ["a", "b"], "Resource": "x"}]}
SAME = {"Statement": {"Action": ["b", "a"], "Resource": ["x"]}}
FOUND = {"attributes": {"A": "1", "B": "2", "Policy": json.dumps(ONE)}, "tags": {"team": "shop"}}
OPS, DEV = ({"protocol": "email", "endpoint": each} for each in ("ops", "dev"))
SUBSCRIBED = {**FOUND, "subscriptions": [{**OPS, "arn": "arn:ops"}, {**DEV, "arn": "arn:dev"}]}


def step(kind, **options):
    return read_step(0, {kind: {"name": "x", **options}})[1]


@pytest.mark.parametrize(
    ("options", "found", "before", "after"),
    [
        ({}, None, None, {"attributes": {}, "tags": {}}),
        ({"attributes": {"A": 1}, "tags": {"n": 1}}, None, None, {"attributes": {"A": "1"}, "tags": {"n": "1"}}),
        ({}, FOUND, {"attributes": {}, "tags": {"team": "shop"}}, {"attributes": {}, "tags": {"team": "shop"}}),
        ({"attributes": {"A": 3}}, FOUND, {"attributes": {"A": "1"}}, {"attributes": {"A": "3"}}),
        ({"attributes": {"C": 3}}, FOUND, {"attributes": {"C": None}}, {"attributes": {"C": "3"}}),
        ({"tags": {}}, FOUND, {"tags": {"team": "shop"}}, {"tags": {}}),
        ({"state": "absent"}, FOUND, {"tags": {"team": "shop"}}, None),
        ({"state": "absent"}, None, None, None),
    ],
)
@pytest.mark.parametrize(("kind", "plan"), [("queue", plan_queue), ("topic", plan_topic)])
def test_both_sides(options, found, before, after, kind, plan):
    found = found and {**found, "subscriptions": []}
    change = plan(step(kind, **options), found)
    for side, expected in ((change.before, before), (change.after, after)):
        assert (side is None) is (expected is None)
        assert expected is None or {key: side[key] for key in expected} == expected
        assert side is None or side["name"] == "x"


@pytest.mark.parametrize(("document", "changed"), [(SAME, False), (ONE, False), ({"Statement": []}, True)])
def test_policies_are_compared_as_values(document, changed):
    assert plan_queue(step("queue", attributes={"Policy": json.dumps(document)}), FOUND).changed is changed


def test_a_policy_where_there_was_none():
    found = {"attributes": {}, "tags": {}}
    assert plan_queue(step("queue", attributes={"Policy": json.dumps(ONE)}), found).changed


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ({"subscriptions": [OPS]}, ["email ops"], ["email ops"]),
        ({"subscriptions": [OPS, {**OPS, "endpoint": "new"}]}, ["email ops"], ["email new", "email ops"]),
        ({"unsubscribe": ["arn:dev"]}, ["email dev"], []),
        ({"subscriptions": [OPS], "unsubscribe": ["arn:dev"]}, ["email dev", "email ops"], ["email ops"]),
        ({"unsubscribe": ["arn:gone"]}, [], []),
        ({"subscriptions": [DEV], "unsubscribe": ["arn:dev"]}, ["email dev"], ["email dev"]),
    ],
)
def test_subscriptions_of_others_are_not_spoken_of(options, before, after):
    change = plan_topic(step("topic", **options), SUBSCRIBED)
    assert (change.before["subscriptions"], change.after["subscriptions"]) == (before, after)


def test_a_new_topic_gets_its_subscriptions():
    assert plan_topic(step("topic", subscriptions=[OPS, OPS]), None).after["subscriptions"] == ["email ops"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {},
            r"steps\[7\] must have exactly one key of queue, topic, log_group_key, iam_role, rule, target \(got none\)",
        ),
        ({"queue": None}, r"\(got none\)"),
        ({"queue": {"name": "a"}, "rule": {}}, r"\(got queue, rule\)"),
        ({"alarm": {}}, r"\(got alarm\)"),
        ({"queue": "a"}, r"steps\[7\].queue must be a dictionary \(got str\)"),
        ({"queue": {"b": 1, "a": 1, "name": "x"}}, r"steps\[7\].queue has no option a, b. It has name, state"),
        ({"target": {"arn": "x"}}, r"steps\[7\].target needs rule, id"),
        ({"target": {"rule": None, "id": "x"}}, r"needs rule"),
        ({"rule": {"name": "x", "state": "on"}}, r"steps\[7\].rule.state must be one of present, absent \(got 'on'\)"),
        ({"topic": {"name": "a b"}}, r"`steps\[7\].topic.name` must be letters, digits, .* for FIFO topics"),
        ({"log_group_key": {"name": "/ecs"}}, r"steps\[7\].log_group_key needs kms_key_arn"),
        (
            {"iam_role": {"name": "a b"}},
            r"`steps\[7\].iam_role.name` must be 1 to 64 letters, digits and _ \+ = , . @ -",
        ),
        ({"iam_role": {"name": "a", "policies": ["x"]}}, r"iam_role.policies must be a dictionary \(got list\)"),
        ({"iam_role": {"name": "a", "tags": "x"}}, r"steps\[7\].iam_role.tags must be a dictionary \(got str\)"),
        (
            {"iam_role": {"name": "a", "assume_role_policy_document": "{}"}},
            r"document must be a dictionary \(got str\)",
        ),
        ({"iam_role": {"name": "a", "policies": {"p": "{}"}}}, r"policies.p must be a policy document \(got str\)"),
        ({"queue": {"name": "a:b"}}, r"`steps\[7\].queue.name` must be 1 to 80 letters, .* for FIFO queues"),
    ],
)
def test_a_step_that_cannot_be_meant(given, words):
    with pytest.raises(Refused, match=words):
        read_step(7, given)


def test_a_step_has_every_option_and_null_is_omitted():
    kind, params = read_step(0, {"target": {"rule": "a", "id": "b", "role_arn": None, "resource_policy": None}})
    assert (kind, params["resource_policy"], params["state"], params["role_arn"]) == ("target", True, "present", None)
    assert read_step(0, {"queue": {"name": "q.fifo"}, "rule": None})[0] == "queue"


def test_a_role_as_it_is_read():
    _kind, params = read_step(0, {"iam_role": {"name": "a", "tags": {"n": 1}, "policies": {"p": None, "q": ONE}}})
    assert (params["tags"], params["policies"]) == ({"n": "1"}, {"p": None, "q": ONE})
    kept = ("assume_role_policy_document", "description", "boundary", "tags")
    _kind, params = read_step(0, {"iam_role": {"name": "a"}})
    assert params == {"name": "a", "state": "present", **dict.fromkeys(kept), "policies": {}}


def test_what_steps_are_called():
    assert label_of("iam_role", {"name": "a"}) == "role a"
    assert label_of("queue", {"name": "a"}) == "queue a"
    assert label_of("target", {"rule": "a", "id": "b"}) == "target b of rule a"
