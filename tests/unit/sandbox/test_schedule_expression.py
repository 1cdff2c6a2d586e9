# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When schedules are due."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from tests.sandbox.schedules.expression import next_due

NOW = "2026-11-24T10:30:00+00:00"  # a Tuesday


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        ("at(2026-11-24T12:00:00)", "UTC", "2026-11-24T12:00:00+00:00"),
        ("at(2026-11-24T12:00:00)", "Europe/Berlin", "2026-11-24T11:00:00+00:00"),
        ("at(2026-11-24T10:30:00)", "UTC", None),
        ("rate(5 minutes)", "UTC", "2026-11-24T10:33:00+00:00"),
        ("rate(1 day)", "UTC", "2026-11-25T10:28:00+00:00"),
        ("cron(0/15 * * * ? *)", "UTC", "2026-11-24T10:45:00+00:00"),
        ("cron(0 3 * * ? *)", "Europe/Berlin", "2026-11-25T02:00:00+00:00"),
        ("cron(0 9 ? * MON-FRI *)", "UTC", "2026-11-25T09:00:00+00:00"),
        ("cron(0 9 ? * 2 *)", "UTC", "2026-11-30T09:00:00+00:00"),
        ("cron(0 9 L * ? *)", "UTC", "2026-11-30T09:00:00+00:00"),
        ("cron(0 9 ? * FRI#1 *)", "UTC", "2026-12-04T09:00:00+00:00"),
        ("cron(0 9 ? * 6L *)", "UTC", "2026-11-27T09:00:00+00:00"),
        ("cron(0 9 29W * ? *)", "UTC", "2026-11-30T09:00:00+00:00"),
        ("cron(0 0 29 2 ? *)", "UTC", "2028-02-29T00:00:00+00:00"),
        ("cron(0 0 1 1 ? 2020)", "UTC", None),
    ],
)
def test_the_next_time(expression: str, zone: str, expected: str | None) -> None:
    due = next_due(expression, instant(NOW), instant("2026-11-24T10:28:00+00:00"), zone)
    assert (due and datetime.fromtimestamp(due, timezone.utc).isoformat()) == expected


@pytest.mark.parametrize(
    "expression", ["rate(0 minutes)", "cron(0 9 * * * *)", "cron(0 9 * * ?)", "every day", "rate(5m)"]
)
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(ValueError, match=r"rate|cron|question mark|schedule expression"):
        next_due(expression, 0, 0)
