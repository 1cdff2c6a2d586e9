# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements for targets, and policies that include them."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.policy_document import (
    find_statement,
    least_topic_policy_document,
    read_policy_document,
    with_statement,
    without_statement,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.statements import (
    same_statement,
    sid_of,
    statement_for,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.policies import complaints
from tests.unit.core.events.target_options import FUNCTION, LOG_GROUP, QUEUE, RULE, TOPIC

ARNS = (TOPIC, QUEUE, FUNCTION, f"{FUNCTION}:live", LOG_GROUP)
OURS = statement_for(parse_arn(QUEUE), RULE, "a")
SID = OURS["Sid"]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=5,
)
STATEMENTS = st.dictionaries(st.sampled_from(["Sid", "Effect", "Action", "Condition", "x"]), VALUES)
POLICIES = st.builds(
    lambda rest, statements: {**rest, "Statement": statements},
    st.dictionaries(st.sampled_from(["Version", "Id", "y"]), VALUES),
    st.lists(STATEMENTS, min_size=1, max_size=4),
)


@pytest.mark.parametrize("arn", ARNS)
def test_a_linter_finds_nothing_against_our_statements(arn):
    assert complaints(with_statement({}, statement_for(parse_arn(arn), RULE, "a"))) == []


def test_a_linter_finds_nothing_against_the_policy_that_a_topic_goes_back_to():
    assert complaints(least_topic_policy_document(parse_arn(TOPIC))) == []


@pytest.mark.parametrize(
    ("arn", "rest"),
    [
        (TOPIC, {"Action": "sns:Publish", "Resource": TOPIC}),
        (
            QUEUE,
            {
                "Action": "sqs:SendMessage",
                "Resource": QUEUE,
                "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
            },
        ),
        (
            f"{FUNCTION}:live",
            {
                "Action": "lambda:InvokeFunction",
                "Resource": f"{FUNCTION}:live",
                "Condition": {"ArnLike": {"AWS:SourceArn": RULE}},
            },
        ),
        (
            LOG_GROUP,
            {
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"{LOG_GROUP}:*",
                "Principal": {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]},
            },
        ),
    ],
)
def test_each_statement_allows_what_is_needed_and_no_more(arn, rest):
    common = {"Sid": SID, "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    assert statement_for(parse_arn(arn), RULE, "a") == {**common, **rest}


@given(
    rule=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), target=st.from_regex(r"[a-z._-]{1,64}", fullmatch=True)
)
def test_a_sid_is_of_letters_and_digits_and_short_enough_for_all_services(rule, target):
    sid = sid_of(f"arn:aws:events:eu-central-1:123456789012:rule/bus/{rule}", target)
    assert re.fullmatch("[A-Za-z0-9]{1,60}", sid)


def test_sids_differ_by_rule_bus_account_and_target():
    arns = [RULE, f"{RULE}2", RULE.replace("rule/", "rule/bus/"), RULE.replace("1234", "9234")]
    assert len({sid_of(arn, target) for arn in arns for target in ("a", "b")}) == 8


@given(policy=POLICIES)
def test_what_is_added_and_removed_again_leaves_the_policy_as_it_was(policy):
    merged = with_statement(policy, OURS)
    assert without_statement(merged, SID) == policy
    assert [each for each in merged["Statement"] if each.get("Sid") != SID] == policy["Statement"]
    assert {key: merged[key] for key in merged if key != "Statement"} == {
        key: policy[key] for key in policy if key != "Statement"
    }


@given(policy=POLICIES, where=st.integers(0, 4))
def test_a_statement_takes_the_place_of_the_one_of_its_sid_once_and_for_all(policy, where):
    older = {**OURS, "Effect": "Deny"}
    statements = [*policy["Statement"]]
    statements.insert(where, older)
    merged = with_statement({**policy, "Statement": [*statements, older]}, OURS)
    assert merged == with_statement(merged, OURS)
    assert [each for each in merged["Statement"] if each.get("Sid") == SID] == [OURS]
    assert merged["Statement"].index(OURS) == min(where, len(policy["Statement"]))
    assert find_statement(merged, SID) == OURS


def test_a_policy_of_our_statement_alone_is_none_without_it():
    merged = with_statement(read_policy_document(QUEUE, None), OURS)
    assert merged == {"Version": "2012-10-17", "Statement": [OURS]}
    assert without_statement(merged, SID) is None


def test_a_policy_without_a_version_gets_none():
    # Another version would change the meaning of the policy's statements.
    assert "Version" not in with_statement({"Statement": [{"Sid": "x"}]}, OURS)


def test_one_statement_need_not_be_in_a_list():
    document = read_policy_document(QUEUE, json.dumps({"Statement": {"Sid": "x"}}))
    assert with_statement(document, OURS)["Statement"] == [{"Sid": "x"}, OURS]


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "nothing", '{"Statement": ["x"]}', '{"Statement": 1}'])
def test_a_policy_that_cannot_be_read_is_not_written_over(text):
    with pytest.raises(Refused, match="without losing what it says"):
        read_policy_document(QUEUE, text)


@pytest.mark.parametrize("text", [None, "", " "])
def test_no_policy_is_an_empty_one(text):
    assert read_policy_document(QUEUE, text) == {}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"Action": ["SQS:SendMessage"]}, True),
        ({"Resource": [QUEUE]}, True),
        ({"Principal": {"Service": ["events.amazonaws.com"]}}, True),
        ({"Condition": {"ArnEquals": {"AWS:SourceArn": [RULE]}}}, True),
        ({"Effect": "Deny"}, False),
        ({"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"]}, False),
        ({"Resource": "*"}, False),
        ({"Principal": "*"}, False),
        ({"Principal": {"AWS": "*"}}, False),
        ({"Condition": {}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": RULE}}}, False),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": f"{RULE}2"}}}, False),
        ({"NotAction": "x"}, False),
    ],
)
def test_statements_are_compared_by_what_they_say(change, same):
    assert same_statement({**OURS, **change}, OURS) is same
