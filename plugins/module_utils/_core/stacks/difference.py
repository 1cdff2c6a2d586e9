# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A plan of a role: what has to be written, in order, and what check mode and the result say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Step:
    """One task of the role: its name, and for each of its items what is changed (``label``, ``before``, ``after``).

    ``items`` are the parameters of the module that the task calls.
    """

    task: str
    items: list[dict[str, Any]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, item: Mapping[str, Any], label: str, before: Any = None, after: Any = None) -> None:
        """Add an item and what it changes."""
        self.items.append(dict(item))
        self.changes.append({"label": label, "before": before, "after": after})


@dataclass
class StackPlan:
    """Everything that a role writes. ``steps`` are in the order of the role's tasks, by a key that the tasks use."""

    steps: dict[str, Step]
    result: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """Return the plan as the filter returns it.

        Each key of ``steps`` is a list of module parameters; ``changes`` has an entry for each task that will change
        something, which is what check mode reports.
        """
        changes = [{"task": step.task, "items": step.changes} for step in self.steps.values() if step.changes]
        lists = {key: step.items for key, step in self.steps.items()}
        return {**lists, "changes": changes, "result": self.result, "notes": self.notes, "refused": ""}


NO_PLAN = StackPlan({}).facts()  # where the role must not write anything


def differing(wanted: Mapping[str, Any], found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the wanted values that were not found; all of them where nothing was found."""
    return {key: value for key, value in wanted.items() if found is None or found.get(key) != value}
