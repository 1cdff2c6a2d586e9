# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One message for one cause, however many services it affects."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.causes import (
    failure_words,
    group_by_cause,
    warning_words,
)

DENIED = "service {0} in cluster prod: StopTask failed with AccessDeniedException: no. Allow ecs:StopTask"


@pytest.mark.parametrize(
    "words",
    [
        DENIED,
        "the new task {1:032x} ended by itself",
        "arn:aws:ecs:eu-central-1:123456789012:service/prod/{0} is not available",
        "waited {1} s, but service {0} in cluster prod is working on"
        " (0123abcd.{1}.4711.host), whose lease ends at 2026-11-22T03:00:0{1}Z unless it is renewed",
        "a deployment of service {0} is in progress",
    ],
)
def test_the_same_cause(words):
    said = [(f"prod/{name}", words.format(name, number)) for number, name in enumerate(["web", "api", "a-web"])]
    ((titles, _words),) = group_by_cause(said)
    assert titles == ["prod/web", "prod/api", "prod/a-web"]


def test_causes_that_differ_stay_apart():
    said = [("prod/web", DENIED.format("web")), ("prod/api", "timeout"), ("prod/x", DENIED.format("x"))]
    assert group_by_cause(said) == [
        (["prod/web", "prod/x"], "StopTask failed with AccessDeniedException: no. Allow ecs:StopTask"),
        (["prod/api"], "timeout"),
    ]


def test_the_message_of_a_failure():
    failures = [(f"prod/s{number}", DENIED.format(f"s{number}")) for number in range(8)]
    words = failure_words([*failures, ("prod/z", "the image is gone.")], 12, 2, "9 failed")
    assert words == (
        "9 of 12 services failed. prod/s0, prod/s1, prod/s2, prod/s3, prod/s4 and 3 more: StopTask failed with"
        " AccessDeniedException: no. Allow ecs:StopTask | prod/z: the image is gone. 2 of 12 services were not begun:"
        " 9 failed"
    )


def test_all_went_well_or_nothing_was_begun():
    assert failure_words([], 3, 0, None) is None
    assert failure_words([], 1, 1, "SIGTERM was received") == (
        "1 of 1 service was not begun: SIGTERM was received. Run the same task again to continue"
    )


def test_warnings():
    said = [("p/a", "the tag of service a is odd"), ("p/b", "the tag of service b is odd"), ("p/b", "x"), ("p/b", "x")]
    assert warning_words(said) == ["p/a, p/b: the tag of the service is odd", "p/b: x"]
