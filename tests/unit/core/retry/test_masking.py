# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that nobody may read, and how much is shown of everything else. For quotings, see ``test_notice``."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.masking import (
    MOST_VALUES,
    WITHHELD,
    masked,
    name_of,
    without_values,
)

from tests.unit.core.retry.samples import WHOLE


def command(*words):
    return {"overrides": {"containerOverrides": [{"name": "application", "command": list(words)}]}}


@pytest.mark.parametrize(
    ("words", "request_", "expected"),
    [
        ("abc is wrong", command("abc"), "abc is wrong"),
        ("abcd is wrong", command("abcd"), "*** is wrong"),
        ("abcd and abcdef", command("abcd", "abcdef"), "*** and ***"),
        ("the application", command("x"), "the application"),
        ("0123456789a is cut", command("0123456789abcdef"), "0123456789a is cut"),
        ("0123456789ab is cut", command("0123456789abcdef"), "*** is cut"),
        ("0123456789abcd is cut", command("0123456789abcdef"), "*** is cut"),
        ("0123456789abcd 0123456789ab", command("0123456789abcdef"), "*** ***"),
        ("0123456789abcdef 0123456789abX", command("0123456789abcdef"), "*** ***X"),
        ("0123456789abc is cut", command("0123456789abcdef"), "*** is cut"),
        ("azzzz is longer", command("zzzz", "azzzz"), "*** is longer"),
        ("a secret is there", command("  a secret "), "*** is there"),
        ("x  a secret y", command("  a secret "), "x***y"),
        # The quotings of JSON, JSON in JSON, Python, shells, URLs and base64.
        (r"x t\u00e9st\"1 y", command('tést"1'), "x *** y"),
        (r"x tést\"1 y", command('tést"1'), "x *** y"),
        (r"x t\\u00e9st\\\"1 y", command('tést"1'), "x *** y"),
        (r"x t\x01est y", command("t\x01est"), "x *** y"),
        (r"x it\'s1 y", command("it's1"), "x *** y"),
        ("x a/b%20cd y", command("a/b cd"), "x *** y"),
        ("x a%2Fb%20cd y", command("a/b cd"), "x *** y"),
        ("x a%2Fb+cd y", command("a/b cd"), "x *** y"),
        ("x YWJjZA y", command("abcd"), "x *** y"),
        ("x abcd\ud800 y", command("abcd\ud800"), "x *** y"),
        ("1024 is too much", {"overrides": {"ephemeralStorage": {"sizeInGiB": 1024}}}, "*** is too much"),
        ("shop is no team, team is", {"tags": [{"key": "team", "value": "shop"}]}, "*** is no team, team is"),
        ("vol-1 is gone", {"volumeConfigurations": [{"name": "data", "id": "vol-1"}]}, "*** is gone"),
        ("prod is full", {"cluster": "prod"}, "prod is full"),
        ("True is wrong", {"tags": [{"value": True}]}, "True is wrong"),
        ("prod is full", {"cluster": None}, "prod is full"),
        ("prod is full", {"tags": [{"value": None}]}, WITHHELD),
        ("prod is full", {"group": "***"}, WITHHELD),
        ("prod is full", {"group": ["x", {"a": "***"}]}, WITHHELD),
        ("prod is full", {"overrides": {"new": 1}}, WITHHELD),
        ("prod is full", {"tags": "x"}, WITHHELD),
        ("prod is full", {"omitted": True}, WITHHELD),
        ("prod is full", [], WITHHELD),
        ("AGENT", None, "AGENT"),
    ],
)
def test_words(words, request_, expected):
    assert masked(words, request_) == expected


KNOWN = [
    "AGENT",
    "RESOURCE:MEMORY",
    "Rate exceeded",
    "ClientException: Rate exceeded",
    "Cluster not found.",
    "TaskDefinition not found.",
    "TaskDefinition is inactive",
    "Service Unavailable",
    "Service Unavailable. Please try again later.",
    "Capacity is unavailable at this time. Please try again later or in a different availability zone",
    "No Container Instances were found in your cluster.",
    "No Container Instances were found in your capacity provider.",
    "Tasks provisioning capacity limit exceeded.",
    "MemberOf placement constraint unsatisfied.",
    "You've reached the limit on the number of tasks you can run concurrently",
    "You've reached the limit on the number of vCPUs you can run concurrently",
    "Error retrieving subnet information for [subnet-1]: Request limit exceeded. (ErrorCode: RequestLimitExceeded)",
    "Error retrieving security group information for [sg-1, sg-2]: Rate exceeded (ErrorCode: Throttling)",
    "Error retrieving subnet information for [subnet-1]: The subnet ID 'subnet-1' does not exist (ErrorCode: No.Such)",
    "Error retrieving security group information for [sg-1]: The security group 'sg-1' does not exist (ErrorCode: No)",
    "User: arn:aws:sts::1:a/b is not authorized to perform: ecs:RunTask on resource: arn:aws:ecs:x:1:y/z:*",
    "User: arn:1 is not authorized to perform: ecs:RunTask on resource: arn:2 because no identity-based policy allows "
    "the ecs:RunTask action",
    "User: arn:1 is not authorized to perform: ecs:RunTask on resource: arn:2 with an explicit deny in a service "
    "control policy",
]


@pytest.mark.parametrize("words", KNOWN)
def test_only_known_words_are_passed_on_where_something_is_hidden(words):
    assert masked(words, None) == words
    assert masked(f"{words} S3cr3t", None) == WITHHELD
    assert masked(f"S3cr3t {words}", None) == WITHHELD


def test_only_so_many_values_are_compared():
    """RunTask accepts at most 8 KiB of overrides, so never that many values."""
    words = [f"word-{number:04d}" for number in range(MOST_VALUES + 1)]
    found = masked(" ".join(words), command(*words))
    assert found.count("***") == MOST_VALUES
    assert found.count("word-") == 1


@pytest.mark.parametrize(("value", "expected"), [("x" * 300, "x" * 256), ("", ""), (None, ""), ({}, ""), (5, "")])
def test_a_name(value, expected):
    assert name_of(value) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (None, None),
        ("x", "***"),
        ([], "***"),
        ({"cluster": "prod", "count": 2, "enableECSManagedTags": True, "unknown": "x", "clientToken": "x"},
         {"cluster": "prod", "count": 2, "enableECSManagedTags": True}),
        ({"cluster": None, "cpu": 1.5, "group": "g" * 300}, {"cluster": None, "cpu": 1.5, "group": "g" * 256}),
        ({"cluster": {1, 2}}, {"cluster": "***"}),
        ({"cluster": list(range(30))}, {"cluster": list(range(20))}),
        ({"cluster": {f"k{n}": n for n in range(30)}}, {"cluster": {f"k{n}": n for n in range(20)}}),
        ({"cluster": [[[[[1]]]]]}, {"cluster": [[[["***"]]]]}),
        ({"cluster": {"a": {"b": {"c": {"d": {}}}}}}, {"cluster": {"a": {"b": {"c": {"d": "***"}}}}}),
        ({"overrides": "x", "tags": None}, {"overrides": "***", "tags": "***"}),
        ({"tags": [{"key": "team", "value": "shop"}, "x", {"key": ["x"]}]},
         {"tags": [{"key": "team", "value": "***"}, "***", {"key": ["x"]}]}),
        ({"overrides": {"name": 5, "type": "GPU", "value": "1"}},
         {"overrides": {"name": "***", "type": "GPU", "value": "***"}}),
        ({"tags": [[[[[[[[[1]]]]]]]]]}, {"tags": [[[[[[[["***"]]]]]]]]}),
    ],
)  # fmt: skip
def test_a_request(request_, expected):
    assert without_values(request_) == expected


def test_the_whole_sample_keeps_what_names_the_job():
    shown = without_values(WHOLE)
    assert shown["networkConfiguration"] == WHOLE["networkConfiguration"]
    assert shown["placementConstraints"] == WHOLE["placementConstraints"]
    assert shown["volumeConfigurations"] == [
        {"name": "data", "managedEBSVolume": {"roleArn": "***", "sizeInGiB": "***"}}
    ]


def nested(depth, value):
    return {"a": nested(depth - 1, value)} if depth else value


def test_no_depth_is_followed_without_end():
    for depth in (8, 9, 100):
        assert without_values({"tags": nested(depth, "x")}) == {"tags": nested(8, "***")}
    assert without_values({"tags": nested(7, "x")}) == {"tags": nested(7, "***")}


SHOWN = (
    "capacityProviderName", "capacityProviderStrategy", "cluster", "clusterArn", "containerInstanceArn", "count", "cpu",
    "enableECSManagedTags", "enableExecuteCommand", "group", "lastStatus", "launchType", "memory",
    "networkConfiguration", "placementConstraints", "placementStrategy", "platformVersion", "propagateTags",
    "startedBy", "stopCode", "taskArn", "taskDefinition", "taskDefinitionArn",
)  # fmt: skip


def test_what_is_shown_of_requests_and_events():
    assert without_values({**dict.fromkeys(SHOWN, "x"), "clientToken": "x"}) == dict.fromkeys(SHOWN, "x")
