# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs: what the containers of a family's tasks appear to do. No task really runs anything."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


@dataclass(frozen=True)
class Program:
    """The course of one task. If ``seconds`` is omitted, the task runs until it is stopped."""

    seconds: float | None = None  # of RUNNING, until it ends on its own
    exit_code: int | None = 0  # of every container that ``containers`` does not name
    reason: str | None = None  # of the same containers
    containers: dict[str, dict[str, Any]] = field(default_factory=dict)  # name -> {"exit_code", "reason"}
    out_of_memory: bool = False
    fails_to_start: str | None = None  # the reason; the task then never runs
    interrupted: bool = False  # Spot interrupts it after ``seconds``
    host_lost: bool = False  # its host is lost after ``seconds``
    on_stop: int = 0  # exit code of every container, when the task is told to stop
    stop_code: str = "EssentialContainerExited"
    stopped_reason: str = "Essential container in task exited"
    times: int | None = None  # launches that use it before the family's next program follows

    def __post_init__(self) -> None:
        for name, end in self.containers.items():
            if unknown := end.keys() - {"exit_code", "reason"}:
                raise ValueError(f"containers.{name} takes exit_code and reason, not {', '.join(sorted(unknown))}")

    def divided(self, speed: float) -> Program:
        return self if self.seconds is None else replace(self, seconds=self.seconds / speed)

    @property
    def code(self) -> int | None:
        return 137 if self.out_of_memory and self.exit_code == 0 else self.exit_code

    @property
    def why(self) -> str | None:
        """Why the containers ended for which ``containers`` gives no reason."""
        return self.reason or (OUT_OF_MEMORY if self.out_of_memory else None)


class Programs:
    """Programs by family, in the order in which launches take them."""

    def __init__(self) -> None:
        self.families: dict[str, list[Program]] = {}

    def put(self, family: str, programs: list[Program]) -> None:
        """Replace the family's programs. An empty list removes them."""
        self.families[family] = list(programs)

    def take(self, task_definition: str) -> Program | None:
        """Return the program for a new task, or None, and use up one of its ``times``."""
        programs = self.families.get(family_of(task_definition))
        while programs and programs[0].times == 0:
            programs.pop(0)
        if not programs:
            return None
        first = programs[0]
        if first.times is not None:
            programs[0] = replace(first, times=first.times - 1)
        return first


def family_of(task_definition: str) -> str:
    """Return the family of a task definition given as an ARN or as ``family:revision``."""
    return task_definition.rsplit("/", 1)[-1].split(":", 1)[0]


def read_program(given: dict[str, Any]) -> Program:
    known = [each.name for each in fields(Program)]
    if unknown := given.keys() - set(known):
        raise ValueError(f"a program has no {', '.join(sorted(unknown))}; it takes {', '.join(known)}")
    return Program(**given)
