# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.backoff import Backoff, read_backoff
from hypothesis import given

from tests.unit.core.states.jobs import backoffs


def test_waits_grow_to_their_cap():
    assert Backoff(5, 60, 2.0, 300).delays() == [60, 120, 240, 300, 300]
    assert Backoff(3, 10, 1.0).delays() == [10, 10, 10]
    assert Backoff(0, 10).delays() == []


@given(options=backoffs(1000))
def test_waits_are_whole_seconds_that_never_shrink(options):
    delays = read_backoff("x", options).delays()
    assert len(delays) == options["max_attempts"]
    assert delays == sorted(delays)
    assert all(isinstance(delay, int) and 1 <= delay <= 31622400 for delay in delays)
