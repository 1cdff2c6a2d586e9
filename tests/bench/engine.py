# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the collection's engine on a Course."""

from __future__ import annotations

from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import Amount
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.run import recycle
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.simulation.virtual_world import VirtualWorld

from .course import CALL, Course, Outcome, outcome, run


def recycle_with_engine(tasks: int, batch_size: Amount) -> Outcome:
    course = Course(tasks)
    world = VirtualWorld(course, "web", call_seconds=CALL)
    settings = Settings(Selector("all_tasks"), batch_size=batch_size)
    me = Self("bench", is_dead=lambda _owner: False, ending=lambda: None)
    report = run(course, recycle(world, settings, "default", "web", me))
    return outcome(course, sum(world.calls.values()), (report and report.message) or "")
