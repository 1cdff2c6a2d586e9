# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module brings a resource into its state."""

from __future__ import annotations

import os
import signal

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._converge import converge
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed

NEW = Change(None, {"name": "a"})
DENIED = CallFailed("PutTargets", "AccessDeniedException", "no")


class World:
    def __init__(self, *steps):
        self.steps, self.written = steps, []

    def write(self, _change):
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step()
                continue
            if isinstance(step, str):
                self.written.append(step)
            yield step
        return {"arn": "arn:aws:x"}


def test_writes_and_returns_what_aws_tells():
    world = World("put the rule", 0.01, "tagged it")
    outcome = converge("rule", NEW, False, world.write, warnings=["w"])
    assert world.written == ["put the rule", "tagged it"]
    assert outcome.changed
    assert outcome.results == {"rule": {"name": "a", "arn": "arn:aws:x"}}
    assert (outcome.before, outcome.after, outcome.failure, outcome.warnings) == ({}, {"name": "a"}, None, ["w"])


@pytest.mark.parametrize(
    ("change", "check_mode", "changed", "thing"),
    [
        (Change({"name": "a"}, {"name": "a"}), False, False, {"name": "a"}),
        (Change({"name": "a"}, {"name": "a"}), True, False, {"name": "a"}),
        (NEW, True, True, {"name": "a"}),
        (Change({"name": "a"}, None), True, True, None),
        (Change(None, None), False, False, None),
    ],
)
def test_writes_nothing(change, check_mode, changed, thing):
    world = World("put the rule")
    outcome = converge("rule", change, check_mode, world.write)
    assert (world.written, outcome.changed, outcome.results) == ([], changed, {"rule": thing})


@pytest.mark.parametrize(("steps", "done"), [((DENIED,), []), (("put the rule", DENIED), ["put the rule"])])
def test_a_failure_tells_what_was_done_before(steps, done):
    outcome = converge("rule", NEW, False, World(*steps).write)
    assert (outcome.failure, outcome.done, outcome.changed) == (DENIED, done, bool(done))


def test_a_signal_ends_it_after_the_write_under_way():
    world = World(lambda: os.kill(os.getpid(), signal.SIGTERM), "put the rule", 60.0, "tagged it")
    outcome = converge("rule", NEW, False, world.write)
    assert world.written == ["put the rule"]
    assert "SIGTERM" in str(outcome.failure)
    assert outcome.done == ["put the rule"]
