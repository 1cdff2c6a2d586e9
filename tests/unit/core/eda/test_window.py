# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The maintenance window, and the tag that waits for it."""

from __future__ import annotations

from datetime import datetime

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.eda.mark import mark, started_before
from ansible_collections.steadyops.ecs.plugins.module_utils._core.eda.window import seconds_left
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from hypothesis import given
from hypothesis import strategies as st

NIGHT = {"start": "22:00", "end": "02:00", "days": ["fri"]}
BERLIN = {"start": "02:00", "end": "04:00", "timezone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("window", "now", "left"),
    [
        ({"start": "02:00", "end": "05:00"}, "2026-11-22T01:59:59+00:00", 0),
        ({"start": "02:00", "end": "05:00"}, "2026-11-22T02:00:00+00:00", 10800),
        ({"start": "02:00", "end": "05:00"}, "2026-11-22T04:59:59.5+00:00", 1),
        ({"start": "02:00", "end": "05:00"}, "2026-11-22T05:00:00+00:00", 0),
        ({"start": "02:00", "end": "05:00", "days": "sun"}, "2026-11-22T03:00:00+00:00", 7200),
        ({"start": "02:00", "end": "05:00", "days": ["mon"]}, "2026-11-22T03:00:00+00:00", 0),
        (NIGHT, "2026-11-27T21:59:00+00:00", 0),
        (NIGHT, "2026-11-27T23:00:00+00:00", 10800),
        (NIGHT, "2026-11-28T01:00:00+00:00", 3600),
        (NIGHT, "2026-11-28T23:00:00+00:00", 0),
        (NIGHT, "2026-11-27T01:00:00+00:00", 0),
        ({"start": "00:00", "end": "00:00"}, "2026-11-27T23:00:00+00:00", 3600),
        (BERLIN, "2026-11-22T01:30:00+00:00", 5400),
        (BERLIN, "2026-07-22T01:30:00+00:00", 1800),
        (BERLIN, "2026-03-29T01:30:00+00:00", 1800),  # 03:30; 02:00 to 03:00 was skipped
        (BERLIN, "2026-10-25T00:30:00+00:00", 9000),  # 02:30, for the first time; 04:00 is 2.5 hours ahead
    ],
)
def test_seconds_left(window, now, left):
    assert seconds_left(window, datetime.fromisoformat(now).timestamp()) == left


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (None, "must be a dictionary"),
        ({"end": "05:00"}, "start of the window must be a time such as '02:00', in quotes (got 'None')"),
        ({"start": 1320, "end": "05:00"}, "in quotes (got '1320')"),
        ({"start": "24:00", "end": "05:00"}, "start of the window"),
        ({"start": "02:00", "end": "5:00"}, "end of the window"),
        ({"start": "02:00", "end": "05:00", "days": ["sunday"]}, "mon, tue, wed, thu, fri, sat, sun"),
        ({"start": "02:00", "end": "05:00", "days": []}, "days of the window"),
        ({"start": "02:00", "end": "05:00", "days": 3}, "days of the window"),
        ({"start": "02:00", "end": "05:00", "timezone": "Berlin"}, "Europe/Berlin"),
        ({"start": "02:00", "end": "05:00", "timezone": "../etc"}, "Europe/Berlin"),
        ({"start": "02:00", "end": "05:00", "zone": "UTC"}, "has no option zone"),
    ],
)
def test_windows_that_are_none(window, words):
    with pytest.raises(Refused) as refused:
        seconds_left(window, 0)
    assert words in str(refused.value)


def facts(at, announcement="R_1"):
    return {"at": at, "announcement": announcement}


EARLY, LATE = "2026-11-22T03:02:11Z", "2026-11-23T03:02:11Z"


@pytest.mark.parametrize(
    ("present", "announced", "after"),
    [
        ("", facts(EARLY), f"{EARLY} R_1"),
        (None, facts(EARLY), f"{EARLY} R_1"),
        ("yes please", facts(EARLY), f"{EARLY} R_1"),
        ("2026-99-22T03:02:11Z R_1", facts(EARLY), f"{EARLY} R_1"),
        (f"{EARLY} R_1", facts(LATE), f"{EARLY} R_1"),  # announced again
        (f"{EARLY} R_1", facts(LATE, "R_2"), f"{LATE} R_2"),
        (f"{LATE} R_2", facts(EARLY), f"{LATE} R_2"),  # out of order
    ],
)
def test_the_mark(present, announced, after):
    assert mark(present, announced) == after
    assert mark(after, announced) == after


@pytest.mark.parametrize(
    ("present", "instant"),
    [(f"{EARLY} R_1", EARLY), ("", None), (None, None), (EARLY, None), ("tomorrow R_1", None), ("T R_1", None)],
)
def test_the_instant(present, instant):
    assert started_before(present) == instant


@given(st.text() | st.none())
def test_any_tag_can_be_read(present):
    assert started_before(mark(present, facts(EARLY)))
