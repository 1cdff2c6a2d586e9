# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the engine once on a virtual clock, while nobody else does anything."""

from __future__ import annotations

from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.report import Report
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.run import recycle
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.session import Self
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings

from tests.sandbox.model.scheduler import Cluster

from .virtual_world import CallFaults, VirtualWorld


def run_once(
    cluster: Cluster,
    settings: Settings,
    owner: str = "first",
    faults: CallFaults | None = None,
    world: VirtualWorld | None = None,
    check: bool = False,
    name: str = "web",
) -> Report:
    """Run the engine to its end and return its report. Every other owner counts as dead. Raises Killed if the faults
    say so.
    """
    world = world or VirtualWorld(cluster, name, faults=faults)
    steps = recycle(world, settings, "default", name, Self(owner, lambda other: True, lambda: None, check))
    try:
        while True:
            cluster.advance(cluster.now + next(steps))
    except StopIteration as end:
        report: Report = end.value
        return report
