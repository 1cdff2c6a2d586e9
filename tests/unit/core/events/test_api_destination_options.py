# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of an API destination."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.api_destination import (
    WantedApiDestination,
    read_api_destination,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience

ARN = "arn:aws:events:eu-central-1:123456789012:connection/slack/1b2c-3d"
PATIENCE = Patience(True, 60.0, 2.0)


def read(**given):
    names = ("description", "connection", "invocation_endpoint", "http_method", "invocation_rate_limit_per_second")
    fixed = {"name": "slack", "state": "present", "wait": True, "wait_timeout": 60, "wait_delay": 2}
    return read_api_destination({**fixed, **dict.fromkeys(names), **given})


def test_what_is_read():
    assert read() == WantedApiDestination("slack", True, None, None, None, None, None, (), PATIENCE)
    assert read(
        description="d",
        connection=ARN,
        invocation_endpoint="https://example.com/*",
        http_method="POST",
        invocation_rate_limit_per_second=1,
    ) == WantedApiDestination("slack", True, "d", ARN, "https://example.com/*", "POST", 1, (), PATIENCE)


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/", "https://hooks.slack.com/services/T0/B0/abcdefghijklmnopqrstuvwx"]
)
def test_warnings_about_its_address(url):
    (warning,) = read(invocation_endpoint=url).warnings
    assert "invocation_endpoint" in warning
    assert "abcdefghij" not in warning
    assert read(invocation_endpoint=url, state="absent").warnings == ()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("name", "a b"),
        ("description", "two\nlines"),
        ("connection", "a b"),
        ("connection", ARN.replace("connection", "rule")),
        ("invocation_endpoint", "http://example.com"),
        ("invocation_rate_limit_per_second", 0),
    ],
)
def test_what_cannot_be_meant(option, value):
    with pytest.raises(Refused, match=option):
        read(**{option: value})
