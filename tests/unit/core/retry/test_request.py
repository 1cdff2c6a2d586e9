# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunTask's parameters: all of them survive, and missing ones are noticed."""

from __future__ import annotations

import copy

import boto3
import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.model import Wish
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.overrides import OVERRIDES, is_mark
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.request import (
    PARAMETERS,
    request_of,
    started_by,
    why_not,
    without_spot,
)
from botocore.validate import ParamValidator

from tests.unit.core.retry.samples import NOON, REGION, WHOLE, request

MODEL = boto3.session.Session("a", "b", region_name=REGION).client("ecs").meta.service_model
INPUT = MODEL.operation_model("RunTask").input_shape
KINDS = {"list": list, "string": str, "integer": int, "long": int, "boolean": bool, "structure": dict}
CHANGED = {"count", "clientToken", "startedBy", "tags", "networkConfiguration"}


def wish(asked, **more):
    return Wish("origin", NOON, REGION, asked, more.pop("missing", 1), **more)


def test_the_parameters_are_those_of_botocore():
    assert {name: KINDS[shape.type_name] for name, shape in INPUT.members.items()} == PARAMETERS


def test_the_whole_sample_has_every_parameter():
    assert WHOLE.keys() == PARAMETERS.keys()
    assert why_not(WHOLE) == ""


def shape_of(model):
    """Return a shape of botocore's model in the form of ``OVERRIDES``."""
    if model.type_name == "structure":
        return {name: shape_of(member) for name, member in model.members.items()}
    return [shape_of(model.member)] if model.type_name == "list" else KINDS[model.type_name]


def test_overrides_are_built_as_botocore_has_it():
    assert shape_of(INPUT.members["overrides"]) == OVERRIDES


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - CHANGED))
def test_a_parameter_survives(name):
    assert request_of(wish(WHOLE), allow_roles=True)[name] == WHOLE[name]


def test_what_is_made_is_a_request_that_boto3_takes():
    report = ParamValidator().validate(request_of(wish(WHOLE, missing=2)), INPUT)
    assert not report.has_errors(), report.generate_report()


def test_the_changes_are_the_documented_ones():
    original = copy.deepcopy(WHOLE)
    made = request_of(wish(WHOLE, missing=2, attempt=2, bears=2))
    assert original == WHOLE
    assert made["count"] == 2
    assert len(made["clientToken"]) == 64
    assert made["startedBy"] == started_by("origin", 2)
    assert made["networkConfiguration"]["awsvpcConfiguration"] == {
        **WHOLE["networkConfiguration"]["awsvpcConfiguration"],
        "subnets": ["subnet-c", "subnet-a", "subnet-b"],
    }
    assert made["tags"] == [
        {"key": "team", "value": "shop"},
        {"key": "retry-attempt", "value": "2"},
        {"key": "retry-origin", "value": "origin"},
        {"key": "original-started-by", "value": "events-rule/nightly"},
    ]


def test_tags_and_rotation_can_be_left_out():
    made = request_of(wish(WHOLE, missing=3), rotate_subnets=False, tag_tasks=False, allow_roles=True)
    same = PARAMETERS.keys() - {"clientToken", "startedBy"}
    assert {name: made[name] for name in same} == {name: WHOLE[name] for name in same}


def test_nothing_is_added_that_was_not_asked_for():
    plain = {"taskDefinition": "report"}
    assert request_of(wish(plain)).keys() == {"taskDefinition", "count", "clientToken", "startedBy", "tags"}


def test_tags_of_an_earlier_retry_are_replaced_and_the_first_caller_stays():
    tags = [
        {"key": "retry-attempt", "value": "1"},
        {"key": "retry-origin", "value": "before"},
        {"key": "original-started-by", "value": "somebody"},
    ]
    made = request_of(wish(request(tags=tags, startedBy=started_by("before", 1)), attempt=2, bears=2))
    assert {tag["key"]: tag["value"] for tag in made["tags"]} == {
        "retry-attempt": "2",
        "retry-origin": "origin",
        "original-started-by": "somebody",
    }


def test_our_tags_give_way_where_there_are_too_many():
    tags = [{"key": f"k{number}", "value": "v"} for number in range(49)]
    made = request_of(wish(request(tags=tags)))
    assert made["tags"][:49] == tags
    assert len(made["tags"]) == 50


def test_the_token_of_the_caller_is_borne_as_long_as_it_is_set():
    assert request_of(wish(WHOLE, token="theirs"))["clientToken"] == "theirs"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([{"capacityProvider": "FARGATE_SPOT"}], [{"capacityProvider": "FARGATE"}]),
        (
            [
                {"capacityProvider": "FARGATE_SPOT", "weight": 4},
                {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
            ],
            [{"capacityProvider": "FARGATE", "weight": 5, "base": 1}],
        ),
        ([{"capacityProvider": "on-ec2", "weight": 1}], [{"capacityProvider": "on-ec2", "weight": 1}]),
    ],
)
def test_fargate_in_the_place_of_spot(before, after):
    assert without_spot(before) == after


@pytest.mark.parametrize(("bears", "provider"), [(1, "FARGATE_SPOT"), (2, "FARGATE_SPOT"), (3, "FARGATE")])
def test_spot_is_given_up_after_so_many_attempts(bears, provider):
    made = request_of(wish(WHOLE, attempt=bears, bears=bears), fargate_after=2)
    assert [item["capacityProvider"] for item in made["capacityProviderStrategy"]] == [provider]


HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (None, "the record has no request parameters"),
        (HIDDEN, "the request parameters are not a mapping"),
        ([], "the request parameters are not a mapping"),
        ({}, "the request has no taskDefinition"),
        (request(taskDefinition=""), "the request has no taskDefinition"),
        (request(overrides=HIDDEN), "overrides is hidden"),
        (request(overrides=None), "overrides is null"),
        (request(overrides={"containerOverrides": [{"name": "a", "environment": HIDDEN}]}), "environment is hidden"),
        (
            request(overrides={"containerOverrides": [{"environment": [{"name": "A", "value": "***"}]}]}),
            "overrides.containerOverrides[0].environment[0].value is hidden",
        ),
        (request(tags=[{"key": "a", "value": None}]), "tags[0].value is null"),
        (request(overrides="a text"), "overrides is no dict"),
        (request(count="1"), "count is no int"),
        (request(count=True), "count is no int"),
        (request(count=0), "the request is for no task"),
        (request(count=11), "more than 10 tasks"),
        (request(overrides={"newFeature": "a text"}), "overrides has a field that this function does not know"),
        (request(overrides={"containerOverrides": "a text"}), "overrides.containerOverrides is hidden"),
        (request(overrides={"containerOverrides": [{"command": "a text"}]}), "containerOverrides[0].command is hidden"),
        (request(overrides={"containerOverrides": [{"environment": ["a text"]}]}), "environment[0] is hidden"),
        (request(overrides={"containerOverrides": [{"cpu": "a text"}]}), "containerOverrides[0].cpu is hidden"),
        (request(overrides={"cpu": True}), "overrides.cpu is hidden"),
        (request(overrides={"ephemeralStorage": "***"}), "overrides.ephemeralStorage is hidden"),
        (
            request(omitted=True, originalSize=1),
            "this function does not know the parameters omitted, originalSize of RunTask",
        ),
        (request(tags=["team"]), "tags has an invalid entry"),
        (request(capacityProviderStrategy=[{"weight": 1}]), "capacityProviderStrategy has an entry"),
        (request(networkConfiguration={"awsvpcConfiguration": {"subnets": "a"}}), "not have a list of subnets"),
        (request(networkConfiguration={"awsvpcConfiguration": "x"}), "not have a list of subnets"),
    ],
)
def test_a_request_that_cannot_be_made_again(asked, words):
    assert words in why_not(asked)
    assert "a text" not in why_not(asked)


@pytest.mark.parametrize(
    "text",
    ["HIDDEN_DUE_TO_SECURITY_REASONS", "HIDDEN_DUE_TO_POLICY", "sensitiveDataRemoved", "<sensitiveDataRemoved>", "***",
     "*" * 40, "[REDACTED]", "<redacted>", "(hidden)", "**masked**", "__REDACTED__", "{removed by filter}", "MASKED"],
)  # fmt: skip
def test_a_mark_of_hiding(text):
    assert is_mark(text)
    assert "is hidden" in why_not(request(overrides={"containerOverrides": [{"name": "a", "command": [text]}]}))


@pytest.mark.parametrize(
    "text", ["", "*", "**", "hidden", "redact --all", "--masked", "removed", "[]", "<b>", "a***", "{}"]
)
def test_what_is_no_mark(text):
    assert not is_mark(text)
