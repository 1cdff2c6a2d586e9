# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The selector, which says which tasks the user wants to replace.

It is separate from the other settings of a run, so a module that only lists tasks does not have to compile those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..amounts import parse_age, parse_instant
from ..errors import Refused
from .model import Task

SELECTORS = ("started_before", "max_task_age", "token", "secrets_changed", "tasks", "all_tasks")
_TASK = re.compile(r"(?:arn:[^/]+:task/(?:[^/]+/)?)?([0-9a-f-]{32,36})")


@dataclass(frozen=True)
class Selector:
    """Which tasks are stale. ``value`` is an instant, an age in seconds, the token, or the ids of tasks."""

    kind: str
    value: Any = None
    given: Any = field(default=True, compare=False, repr=False)  # as the user wrote it

    def as_dict(self) -> dict[str, Any]:
        return {self.kind: self.given}


@dataclass(frozen=True)
class Narrowing:
    """Filters that narrow a selector down. An empty set filters nothing."""

    exclude_tasks: frozenset[str] = frozenset()  # ids
    availability_zones: frozenset[str] = frozenset()
    capacity_providers: frozenset[str] = frozenset()

    def keeps(self, task: Task) -> bool:
        return (
            task.id not in self.exclude_tasks
            and (not self.availability_zones or task.zone in self.availability_zones)
            and (not self.capacity_providers or task.capacity_provider in self.capacity_providers)
        )


def read_selector(options: Mapping[str, Any], required: bool) -> Selector | None:
    """Return the one selector among the options. Raise Refused for several, or for none if one is required."""
    given = [name for name in SELECTORS if options.get(name) not in (None, False)]
    if len(given) > 1:
        raise Refused(f"{' and '.join(given)} are mutually exclusive. Set exactly one of {', '.join(SELECTORS)}")
    if not given:
        if not required:
            return None
        raise Refused(f"no option chooses the stale tasks. Set exactly one of {', '.join(SELECTORS)}")
    kind = given[0]
    value = options[kind]
    if kind == "started_before":
        return Selector(kind, parse_instant(kind, value), value)
    if kind == "max_task_age":
        return Selector(kind, parse_age(kind, value), value)
    if kind == "token":
        if not str(value).strip():
            raise Refused(
                "token is empty. Give a text that is new for every roll-out, such as the number of a pipeline run"
            )
        return Selector(kind, str(value), value)
    if kind == "tasks":
        return Selector(kind, task_ids(kind, value), value)
    return Selector(kind)


def read_narrowing(options: Mapping[str, Any]) -> Narrowing:
    """Return the filters among the options. Raise Refused if ``exclude_tasks`` has anything but ids and ARNs."""
    return Narrowing(
        task_ids("exclude_tasks", options["exclude_tasks"] or ()),
        frozenset(options["availability_zones"] or ()),
        frozenset(options["capacity_providers"] or ()),
    )


def task_ids(option: str, names: Iterable[str]) -> frozenset[str]:
    """Return the ids of tasks that are given as ids or ARNs. Raise Refused for anything else."""
    found = {str(name).strip(): _TASK.fullmatch(str(name).strip()) for name in names}
    for name, match in found.items():
        if not match:
            raise Refused(f"{option} must be IDs of tasks, with 32 hexadecimal digits, or their ARNs (got {name!r})")
    return frozenset(match[1] for match in found.values() if match)
