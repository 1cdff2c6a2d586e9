# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Failed, Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience, read_patience, wait_until


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def run(states, timeout=10.0, delay=4.0):
    """Return the pauses and the last state that was seen."""
    clock, left, pauses = Clock(), iter(states), []
    steps = wait_until(
        lambda: next(left),
        lambda seen: None if seen == "good" else f"it is {seen}",
        Patience(True, timeout, delay),
        clock,
    )
    while True:
        try:
            pauses.append(next(steps))
        except StopIteration as end:
            return pauses, end.value
        clock.now += pauses[-1]


@pytest.mark.parametrize(
    ("states", "pauses"), [(["good"], []), (["new", "new", "good"], [4, 4]), (["new"] * 3 + ["good"], [4, 4, 2])]
)
def test_waits_until_it_is_good(states, pauses):
    assert run(states) == (pauses, "good")


def test_gives_up_after_the_timeout():
    with pytest.raises(Failed, match=r"it is new after 10 s\. Increase wait_timeout"):
        run(["new"] * 9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"wait_timeout": 0}, "wait_timeout must be a number of seconds above 0, at most a hundred years (got 0)"),
        ({"wait_timeout": -5}, "wait_timeout must be a number of seconds above 0, at most a hundred years (got -5)"),
        ({"wait_delay": 0.0}, "wait_delay must be a number of seconds above 0, at most a hundred years (got 0.0)"),
        (
            {"wait_delay": float("nan")},
            "wait_delay must be a number of seconds above 0, at most a hundred years (got nan)",
        ),
        (
            {"wait_delay": float("inf")},
            "wait_delay must be a number of seconds above 0, at most a hundred years (got inf)",
        ),
    ],
)
def test_read_patience(options, words):
    with pytest.raises(Refused, match=re.escape(words)):
        read_patience({"wait": True, "wait_timeout": 5, "wait_delay": 1.0, **options})
