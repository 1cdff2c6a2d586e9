# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.api_destination import (
    ApiDestination,
    WantedApiDestination,
    connection_name,
    connection_to_look_up,
    plan_api_destination,
    warnings_of,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.https_url import shown_url
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience

ARN = "arn:aws:events:eu-central-1:123456789012:connection/slack/1b2c-3d"
RENEWED = "arn:aws:events:eu-central-1:123456789012:connection/slack/ffff-3d"
OTHER = "arn:aws:events:eu-central-1:123456789012:connection/other/1b2c-3d"
THERE = ApiDestination("a", "arn:a", "ACTIVE", "Words", ARN, shown_url("https://example.com/"), "PUT", 5)
WISH = WantedApiDestination("a", True, None, None, None, None, None, (), Patience(True, 9, 1))


@pytest.mark.parametrize(
    ("wish", "there", "arn", "expected"),
    [
        ({}, {}, None, set()),
        ({"description": "Words", "method": "PUT", "rate": 5, "endpoint": "https://example.com/"}, {}, None, set()),
        ({"connection": "slack"}, {}, None, set()),
        ({"connection": ARN}, {}, None, set()),
        ({"description": ""}, {}, None, {"description"}),
        ({"method": "POST"}, {}, None, {"http_method"}),
        ({"rate": 300}, {}, None, {"invocation_rate_limit_per_second"}),
        ({"endpoint": "https://example.com/*"}, {}, None, {"invocation_endpoint"}),
        ({"connection": "other"}, {}, OTHER, {"connection", "connection_arn"}),
        ({"connection": OTHER}, {}, None, {"connection", "connection_arn"}),
        ({"connection": "slack"}, {"state": "INACTIVE"}, ARN, set()),
        ({"connection": "slack"}, {"state": "INACTIVE"}, RENEWED, {"connection_arn"}),
        ({"connection": "slack"}, {"state": "INACTIVE"}, None, {"connection_arn"}),
    ],
)
def test_what_changes(wish, there, arn, expected):
    change = plan_api_destination(replace(WISH, **wish), replace(THERE, **there), arn)
    assert {key for key in change.before if change.before[key] != change.after[key]} == expected


@pytest.mark.parametrize(
    ("wish", "there", "expected"),
    [
        ({"connection": "slack"}, None, "slack"),
        ({"connection": "slack"}, {}, None),
        ({"connection": "slack"}, {"state": "INACTIVE"}, "slack"),
        ({"connection": "other"}, {}, "other"),
        ({"connection": OTHER}, {}, None),
        ({}, {}, None),
        ({"connection": "slack", "present": False}, None, None),
    ],
)
def test_a_connection_is_looked_up_only_when_it_has_to_be(wish, there, expected):
    current = None if there is None else replace(THERE, **there)
    assert connection_to_look_up(replace(WISH, **wish), current) == expected


def test_a_new_one_gets_what_aws_would_give_it():
    change = plan_api_destination(replace(WISH, connection=ARN, endpoint="https://example.com/"), None, None)
    assert change.before is None
    assert change.after == {
        "arn": None,
        "state": None,
        "name": "a",
        "description": "",
        "connection": "slack",
        "connection_arn": ARN,
        "invocation_endpoint": shown_url("https://example.com/"),
        "http_method": "POST",
        "invocation_rate_limit_per_second": 300,
    }


@pytest.mark.parametrize(
    ("wish", "word"), [({"connection": "slack"}, "invocation_endpoint"), ({"endpoint": "x"}, "connection")]
)
def test_a_new_one_needs(wish, word):
    with pytest.raises(Refused, match=f"Set {word}"):
        plan_api_destination(replace(WISH, **wish), None, None)


@pytest.mark.parametrize("there", [None, THERE])
def test_absent(there):
    change = plan_api_destination(replace(WISH, present=False), there, None)
    assert (change.changed, change.after) == (there is not None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(ARN, "slack"), ("slack", "slack"), ("arn:aws:events:eu-central-1:123456789012:connection/a.b-c_d/1", "a.b-c_d")],
)
def test_connection_name(text, expected):
    assert connection_name(text) == expected


@pytest.mark.parametrize(
    "arn", ["arn:", "arn:aws:sns:eu-central-1:123456789012:connection/a/1", ARN.replace("connection/", "rule/")]
)
def test_no_connection(arn):
    with pytest.raises(Refused, match="`connection` must be the name of a connection"):
        connection_name(arn)


@pytest.mark.parametrize(
    ("wish", "there", "words"),
    [
        ({}, {}, None),
        ({"connection": "gone", "endpoint": "https://example.com/"}, None, "the connection gone does not exist"),
        ({}, {"state": "INACTIVE"}, "See the state of the connection slack"),
        ({"present": False}, {"state": "INACTIVE"}, None),
    ],
)
def test_warnings(wish, there, words):
    wanted = replace(WISH, **wish)
    current = None if there is None else replace(THERE, **there)
    found = warnings_of(wanted, current, plan_api_destination(wanted, current, None))
    assert len(found) == (words is not None)
    assert words is None or words in found[0]
