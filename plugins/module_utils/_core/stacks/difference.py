# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The plan of a role: what the role writes, in order, and what check mode and the result report about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..change import Change
from .steps import label_of


@dataclass
class Step:
    """A task of the role: its name, its items, and the change that each item makes (``label``, ``before``, ``after``).

    Each of ``items`` holds the parameters of the module that the task calls.
    """

    task: str
    items: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Mapping[str, Any], label: str, before: Any = None, after: Any = None) -> None:
        """Add an item and what it changes."""
        self.items.append(dict(item))
        self.changes.append({"label": label, "before": before, "after": after})

    def add_step(self, kind: str, params: Mapping[str, Any], change: Change) -> None:
        """Add a step of ``ecs_stack`` if it changes something."""
        if change.changed:
            self.add({kind: dict(params)}, label_of(kind, params), change.before, change.after)

    def take(self, other: Step, in_front: bool = False) -> None:
        """Move the items of another step here: to the end, or in front of the others."""
        place = 0 if in_front else len(self.items)
        self.items[place:place], self.changes[place:place] = other.items, other.changes
        other.items, other.changes = [], []


@dataclass
class StackPlan:
    """Everything that a role writes. ``steps`` are in the order of the role's tasks; the tasks read them by key."""

    steps: dict[str, Step]
    result: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """Return the plan as the filter returns it.

        Each key of ``steps`` is a list of module parameters; ``changes`` has an entry for each task that will change
        something, which is what check mode reports. Steps of the same task are reported together.
        """
        by_task: dict[str, list[dict[str, Any]]] = {}
        for step in self.steps.values():
            if step.changes:
                by_task.setdefault(step.task, []).extend(step.changes)
        changes = [{"task": task, "items": items} for task, items in by_task.items()]
        lists = {key: step.items for key, step in self.steps.items()}
        return {**lists, "changes": changes, "result": self.result, "notes": self.notes, "refused": ""}


NO_PLAN = StackPlan({}).facts()  # for a role that must not write anything


def differing(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the wanted values that differ from those found, or all of them if nothing was found."""
    return {key: value for key, value in wanted.items() if found is None or found.get(key) != value}
