# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the results of ecs_stack_info are translated for the plans."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.arns import parse_arn
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.api_destination import ApiDestination
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.model import (
    Authorization,
    Connection,
    HttpParameters,
    Parameter,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.rule import Rule
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.plan import Place
from ansible_collections.steadyops.ecs.plugins.module_utils._core.stacks.found import (
    api_destination_of,
    as_found,
    connection_of,
    policy_place,
    rule_of,
)

HTTP = HttpParameters(
    header=(Parameter("A", True, None), Parameter("B", False, "b")), body=(Parameter("c", False, "c"),)
)
AUTHORIZATION = Authorization("oauth", "client", None, "https://example.org/token", "POST", HttpParameters())


def connection(authorization):
    return Connection("slack", "arn:slack", "AUTHORIZED", "", "words", authorization, HTTP, "", "arn:secret")


@pytest.mark.parametrize(
    ("read", "thing"),
    [
        (rule_of, Rule("failures", "arn:failures", "default", "ENABLED", "{}", tags={"a": "b"}, targets=[{"id": "x"}])),
        (api_destination_of, ApiDestination("slack", "arn:1", "ACTIVE", "words", "arn:2", "https://x", "POST", 1)),
        (connection_of, connection(AUTHORIZATION)),
        (connection_of, connection(Authorization("api_key", "X-Key", http=HTTP))),
        (connection_of, connection(Authorization("basic", "user"))),
        (connection_of, connection(None)),
    ],
)
def test_what_was_found_is_read_back(read, thing):
    assert read(as_found(thing)) == thing
    assert read(None) is None


def found(**attributes):
    return {"attributes": attributes, "tags": {}}


HERE = "eu-central-1:123456789012"
TOPIC, QUEUE = f"arn:aws:sns:{HERE}:ops", f"arn:aws:sqs:{HERE}:ops.fifo"
FUNCTION, LOG_GROUP = f"arn:aws:lambda:{HERE}:function:ops", f"arn:aws:logs:{HERE}:log-group:/ops"


@pytest.mark.parametrize(
    ("arn", "stack", "expected"),
    [
        (TOPIC, {}, None),
        (TOPIC, {"queues": {"ops": found()}}, None),
        (TOPIC, {"topics": {"ops": None}}, {"exists": False}),
        (TOPIC, {"topics": {"ops": found(Policy="", KmsMasterKeyId="")}}, {}),
        (TOPIC, {"topics": {"ops": found(Policy="{}", KmsMasterKeyId="k")}}, {"policy_document": "{}", "key": "k"}),
        (TOPIC, {"topics": {TOPIC: found(Policy="{}")}}, {"policy_document": "{}"}),
        (QUEUE, {"queues": {"ops.fifo": found(ContentBasedDeduplication="true")}}, {"deduplicates": True}),
        (QUEUE, {"queues": {"ops.fifo": found(ContentBasedDeduplication="false")}}, {}),
        (FUNCTION, {"functions": {"ops": {}}}, {}),
        (
            FUNCTION,
            {"functions": {"ops": {}}, "function_policies": {"ops": {"policy": "{}", "revision": "7"}}},
            {"policy_document": "{}", "revision": "7"},
        ),
        (FUNCTION, {"functions": {"ops": {}}, "function_policies": {"ops": None}}, {}),
        (LOG_GROUP, {"log_groups": {"/ops": {}}}, {}),
        (
            LOG_GROUP,
            {
                "log_groups": {"/ops": {}},
                "log_group_policies": {"/ops": {"policy": "{}"}},
                "function_policies": {"/ops": {"policy": "other"}},
            },
            {"policy_document": "{}"},
        ),
        (f"arn:aws:states:{HERE}:stateMachine:ops", {"topics": {"stateMachine:ops": found()}}, None),
    ],
)
def test_what_a_target_needs_to_know_of_what_it_reaches(arn, stack, expected):
    parsed = parse_arn(arn)
    assert policy_place(parsed, stack) == (None if expected is None else Place(parsed, **expected))
