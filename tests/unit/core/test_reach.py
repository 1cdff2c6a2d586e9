# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run soon gives up on an endpoint that never answers, but waits for one that has answered before."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.aws_errors import kind_of
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.report import Report
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self, Session
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import OUT_OF_REACH, Reach

SILENCE = CallFailed("DescribeServices", "ReadTimeoutError", "Read timeout on https://ecs", "passing", answered=False)
ANSWER = CallFailed("DescribeServices", "ServerException", "Internal failure", "passing")


@pytest.mark.parametrize(
    ("before", "failure", "lasted", "expected"),
    [
        ((), SILENCE, OUT_OF_REACH - 5.0, False),
        ((), SILENCE, OUT_OF_REACH - 4.9, True),
        (("looks",), SILENCE, 1000.0, False),
        (("writes",), SILENCE, 1000.0, True),
        ((), ANSWER, 1000.0, False),
    ],
)
def test_whether_aws_is_out_of_reach(before, failure, lasted, expected):
    reach = Reach()
    for kind in before:
        reach.note_answer(kind)
    assert reach.is_out_of_reach("looks", failure, lasted, ahead=5.0) == expected


class World:
    """Each call takes fifteen seconds; ``failures`` are raised in turn."""

    def __init__(self, *failures: CallFailed) -> None:
        self.seconds, self.failures = 0.0, list(failures)

    def clock(self) -> float:
        return self.seconds

    def look(self) -> str:
        self.seconds += 15.0
        if self.failures:
            raise self.failures.pop(0)
        return "seen"


def ask(world: World, session: Session | None = None) -> str:
    me = Self("me", lambda _owner: False, lambda: None)
    session = session or Session(world, Settings(None), "prod", "web", me, Report())  # type: ignore[arg-type]
    steps = session.call(world.look)
    found: list[str] = []

    def drive():
        found.append((yield from steps))

    for pause in drive():
        world.seconds += pause
    return found[0]


def test_silence_from_the_beginning_ends_the_run_within_half_a_minute():
    world = World(*[SILENCE] * 100)
    with pytest.raises(CallFailed):
        ask(world)
    assert world.seconds <= OUT_OF_REACH


def test_an_aws_that_answers_with_an_error_is_there():
    world = World(ANSWER, *[SILENCE] * 5)
    assert ask(world) == "seen"


def test_silence_after_an_answer_is_borne():
    world = World()
    me = Self("me", lambda _owner: False, lambda: None)
    session = Session(world, Settings(None), "prod", "web", me, Report())  # type: ignore[arg-type]
    assert ask(world, session) == "seen"
    world.failures = [SILENCE] * 10
    assert ask(world, session) == "seen"
    assert world.seconds > 100


@pytest.mark.parametrize("code", ["NotImplemented", "InternalFailure", "501"])
def test_what_is_not_implemented_stays_so(code):
    assert kind_of(code, "", 501) == "final"
    assert kind_of("InternalFailure", "", 500) == "passing"
