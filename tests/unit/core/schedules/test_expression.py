# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.schedules.expression import check_expression
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 minute)",
        "rate(90 days)",
        "at(2028-02-29T23:59:59)",
        "cron(0 10 * * ? *)",
        "cron(15 12 * * ? *)",
        "cron(0 18 ? * MON-FRI *)",
        "cron(0 8 1 * ? *)",
        "cron(0/10 * ? * MON-FRI *)",
        "cron(0/5 8-17 ? * MON-FRI *)",
        "cron(0/30 20-2 ? * MON-FRI *)",
        "cron(15 10 ? * 6L 2022-2023)",
        "cron(0 0 L * ? *)",
        "cron(0 0 3W * ? *)",
        "cron(0 0 LW * ? *)",
        "cron(0 0 ? * 3#2 *)",
        "cron(0 0 ? * tue#2 *)",
        "cron(0 0 ? JAN,jul SUN 2199)",
        "cron(0,30 */2 1-7,15 * ? 2026/2)",
        "cron(0 0 ? NOV-FEB SAT-MON *)",
    ],
)
def test_what_aws_reads(text):
    assert check_expression("x", text) == text


@pytest.mark.parametrize(
    "text",
    [
        "rate(1)",
        "rate(-5 minutes)",
        "rate(5 weeks)",
        "rate(5  minutes)",
        "Rate(5 minutes)",
        "rate(5 minutes) ",
        "at(2027-02-29T00:00:00)",
        "at(2027-02-28T00:00:00Z)",
        "cron(0 24 * * ? *)",
        "cron(0 0 0 * ? *)",
        "cron(0 0 * 13 ? *)",
        "cron(0 0 ? * 8 *)",
        "cron(0 0 * * ? 1969)",
        "cron(0 0 1-2-3 * ? *)",
        "cron(0 0 , * ? *)",
        "cron(? 0 * * ? *)",
        "cron(0 0 ? * ? *)",
        "cron(0 0 1 * MON *)",
        "cron(*/0 * * * ? *)",
        "cron()",
        "",
    ],
)
def test_what_aws_does_not_read(text):
    with pytest.raises(Refused, match=r"^schedule_expression(:| must be) "):
        check_expression("schedule_expression", text)


@given(number=st.integers(1, 10**6), unit=st.sampled_from(["minute", "hour", "day"]))
def test_a_rate_has_its_plural(number, unit):
    right, wrong = (unit, unit + "s") if number == 1 else (unit + "s", unit)
    assert check_expression("x", f"rate({number} {right})")
    with pytest.raises(Refused, match=rf"Write rate\({number} {right}\)"):
        check_expression("x", f"rate({number} {wrong})")


@given(text=st.text(max_size=30) | st.from_regex(r"cron\([0-9*?/,#LW -]{0,20}\)", fullmatch=True))
def test_anything_is_read_or_refused(text):
    try:
        read = check_expression("x", text)
    except Refused as error:
        read = str(error)[str(error).find(f"'{text}'") + 1 :]
    assert read.startswith(text)
