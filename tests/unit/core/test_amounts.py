# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers as users write them, and instants as results show them."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import (
    Amount,
    iso,
    parse_age,
    parse_amount,
    parse_instant,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.recycle.samples import NOW, instants, law


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("604800", 604800, id="a bare number is seconds"),
        pytest.param(90, 90, id="a number of YAML is seconds"),
        pytest.param(0.5, 0.5, id="half a second is an age"),
        pytest.param("90s", 90, id="seconds"),
        pytest.param("30m", 1800, id="minutes"),
        pytest.param("12h", 43200, id="hours"),
        pytest.param("7d", 604800, id="days"),
        pytest.param("2w", 1209600, id="weeks"),
        pytest.param("1.5h", 5400, id="an hour and a half"),
        pytest.param("36500d", 3153600000, id="a hundred years"),
        pytest.param(" 7 d ", 604800, id="blanks around number and unit do no harm"),
    ],
)
def test_an_age(text, seconds):
    assert parse_age("max_task_age", text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "0", "0d", 0, "-1", "-7d", "d", "7 days", "7y", "7D", "1d12h", "1e3", ".5h", "5.h", True, "7d\n7d", "36501d"],
)
def test_what_is_no_age_is_refused_by_the_name_of_its_option(text):
    with pytest.raises(Refused) as refused:
        parse_age("max_task_age", text)
    assert str(refused.value).startswith("max_task_age must be an age such as 7d")
    assert str(refused.value).endswith(f"(got {str(text)!r})")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        pytest.param("3", Amount(3), id="a number of tasks"),
        pytest.param(3, Amount(3), id="a number of YAML"),
        pytest.param(" 25 ", Amount(25), id="blanks around do no harm"),
        pytest.param("25%", Amount(25, percent=True), id="a percentage"),
        pytest.param("25 %", Amount(25, percent=True), id="a percentage with a blank"),
        pytest.param("12.5%", Amount(12.5, percent=True), id="a percentage with a fraction"),
        pytest.param("100%", Amount(100, percent=True), id="all"),
        pytest.param("101", Amount(101), id="more than a hundred tasks are no percentage"),
    ],
)
def test_an_amount(text, amount):
    assert parse_amount("batch_size", text) == amount


@pytest.mark.parametrize(
    "text", ["", "0", "0%", 0, "-1", "-5%", "1.5", "0.5%", "101%", "100.1%", "%", "ten", "5%%", "50 50%"]
)
def test_what_is_no_amount_is_refused_by_the_name_of_its_option(text):
    with pytest.raises(Refused) as refused:
        parse_amount("batch_size", text)
    assert str(refused.value).startswith("batch_size must be a number of tasks from 1")
    assert str(refused.value).endswith(f"(got {str(text).strip()!r})")


@pytest.mark.parametrize(
    ("amount", "whole", "count"),
    [
        pytest.param(Amount(3), 10, 3, id="a number is itself"),
        pytest.param(Amount(3), 2, 3, id="a number is itself even beside a smaller whole"),
        pytest.param(Amount(25, percent=True), 8, 2, id="a percentage that comes out even"),
        pytest.param(Amount(25, percent=True), 9, 3, id="a percentage that does not is rounded up"),
        pytest.param(Amount(1, percent=True), 3, 1, id="a small percentage of a few is one"),
        pytest.param(Amount(10, percent=True), 1000, 100, id="a tenth of a thousand"),
        pytest.param(Amount(8.8, percent=True), 375, 33, id="a percentage with a fraction that comes out even"),
        pytest.param(Amount(100, percent=True), 7, 7, id="a hundred percent are all"),
        pytest.param(Amount(50, percent=True), 0, 1, id="a percentage of nothing is still one"),
    ],
)
def test_the_count_of_an_amount(amount, whole, count):
    assert amount.of(whole) == count


@given(hundredths=st.integers(100, 10000), whole=st.integers(1, 5000))
@law
def test_a_percentage_is_the_least_count_that_is_no_less_than_it(hundredths, whole):
    count = parse_amount("batch_size", f"{hundredths // 100}.{hundredths % 100:02}%").of(whole)
    assert 1 <= count <= whole
    assert (count - 1) * 10000 < hundredths * whole <= count * 10000


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        pytest.param("2026-11-22T03:00:00Z", NOW, id="UTC"),
        pytest.param("2026-11-22t03:00:00z", NOW, id="small letters"),
        pytest.param("2026-11-22 03:00:00Z", NOW, id="a blank instead of T"),
        pytest.param("2026-11-22 03:00:00 +00:00", NOW, id="a blank before the zone, as Ansible prints dates"),
        pytest.param(" 2026-11-22T03:00:00Z\n", NOW, id="blanks around do no harm"),
        pytest.param("2026-11-22T04:00:00+01:00", NOW, id="east of Greenwich"),
        pytest.param("2026-11-21T22:30:00-04:30", NOW, id="west of Greenwich, with half an hour"),
        pytest.param("2026-11-22T04:00:00+0100", NOW, id="an offset without its colon"),
        pytest.param("2026-11-22T03:00:00-00:00", NOW, id="an unknown local offset is UTC"),
        pytest.param("2026-11-22T03:00:00.5Z", NOW + 0.5, id="tenths"),
        pytest.param("2026-11-22T03:00:00.125+00:00", NOW + 0.125, id="thousandths"),
        pytest.param("2026-11-22T03:00:00.000001Z", NOW + 1e-6, id="millionths"),
        pytest.param("2026-11-22T03:00:00.123456789Z", NOW + 0.123456, id="what is finer than millionths is cut off"),
        pytest.param("1795316400", NOW, id="epoch seconds"),
        pytest.param(1795316400, NOW, id="epoch seconds as a number of YAML"),
        pytest.param("1795316400.25", NOW + 0.25, id="epoch seconds with a fraction"),
        pytest.param("0", 0, id="the epoch itself"),
        pytest.param("253402300799", 253402300799, id="the last second of the year 9999"),
    ],
)
def test_an_instant(text, instant):
    assert parse_instant("started_before", text) == instant


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-11-22T03:00:00", id="no zone"),
        pytest.param("2026-11-22 03:00:00.5", id="a fraction, but no zone"),
        pytest.param("2026-11-22", id="no time"),
        pytest.param("2026-11-22T03:00Z", id="no seconds"),
        pytest.param("2026-02-30T03:00:00Z", id="a day that is not in the calendar"),
        pytest.param("2026-11-22T25:00:00Z", id="an hour that is on no clock"),
        pytest.param("2026-11-22T03:00:61Z", id="a second that is on no clock"),
        pytest.param("2026-11-22T03:00:00+25:00", id="an offset of more than a day"),
        pytest.param("2026-11-22T03:00:00+01:60", id="an offset of sixty minutes"),
        pytest.param("2026-11-22T03:00:00 CET", id="the name of a zone"),
        pytest.param("2026-11-22T03:00:00Z and more", id="more behind it"),
        pytest.param("yesterday", id="a word"),
        pytest.param("-5", id="before the epoch"),
        pytest.param("1.8e9", id="an exponent"),
        pytest.param("", id="nothing"),
        pytest.param(True, id="a truth"),
    ],
)
def test_what_is_no_instant_is_refused_by_the_name_of_its_option(text):
    with pytest.raises(Refused) as refused:
        parse_instant("started_before", text)
    assert str(refused.value).startswith(
        f"started_before must be an instant with a time zone (got {str(text).strip()!r})"
    )


@pytest.mark.parametrize("text", ["1795316400000", 1795316400000, "253402300800", "9" * 400])
def test_epoch_milliseconds_are_no_instant_of_this_age(text):
    with pytest.raises(Refused) as refused:
        parse_instant("started_before", text)
    assert str(refused.value).startswith("started_before must be epoch seconds")
    assert str(refused.value).endswith(f"(got {str(text)!r})")


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        pytest.param(NOW, "2026-11-22T03:00:00Z", id="whole seconds have no fraction"),
        pytest.param(NOW + 0.25, "2026-11-22T03:00:00.250Z", id="others have three places"),
        pytest.param(NOW + 0.0004, "2026-11-22T03:00:00Z", id="less than half a millisecond is nothing"),
        pytest.param(NOW + 0.0126, "2026-11-22T03:00:00.013Z", id="rounded, not cut"),
        pytest.param(NOW + 0.9996, "2026-11-22T03:00:01Z", id="rounded up into the next second"),
        pytest.param(0.0, "1970-01-01T00:00:00Z", id="the epoch"),
        pytest.param(253402300799.0, "9999-12-31T23:59:59Z", id="the last instant that can be asked for"),
        pytest.param(NOW - parse_age("max_task_age", "5214w"), "1926-12-19T03:00:00Z", id="the oldest age"),
    ],
)
def test_iso(instant, text):
    assert iso(instant) == text


@given(instants)
@law
def test_what_iso_writes_is_read_back_to_the_millisecond(instant):
    assert parse_instant("started_before", iso(instant)) == instant


@given(instants, st.integers(-14 * 60 + 1, 14 * 60 - 1))
@law
def test_an_offset_moves_the_hands_and_not_the_instant(instant, minutes):
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = iso(instant + 60 * minutes).replace("Z", f"{sign}{hours:02}:{rest:02}")
    assert parse_instant("started_before", local) == instant
