# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values that nobody may read, and how much is shown of everything else. Quotings: see ``test_notice``."""

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
        ("a secret is there", command("  a secret "), "*** is there"),
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


def test_only_so_many_values_are_compared():
    """RunTask takes 8 KiB of overrides: there are never as many."""
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
