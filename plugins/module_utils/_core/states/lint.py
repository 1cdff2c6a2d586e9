# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Find mistakes in a definition in the States Language, without calling AWS.

The check covers common mistakes and is not a complete validator. AWS has one, ValidateStateMachineDefinition.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST = 1048576  # bytes
LONGEST_NAME = 80  # characters
TYPES = ("Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map")
ENDS = ("Succeed", "Fail")  # these have neither Next nor End
WAITS_FOR_AN_ANSWER = (".sync", ".sync:2", ".waitForTaskToken")


@dataclass
class Findings:
    """Errors prevent writing the definition, warnings do not. Each names the place and the fix."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def lint(definition: Mapping[str, Any], express: bool = False) -> Findings:
    """Check a whole definition. ``express`` says whether the type of the state machine is EXPRESS."""
    found = Findings()
    size = len(json.dumps(definition, ensure_ascii=False).encode())
    if size > LARGEST:
        found.errors.append(f"it has {size} bytes, but Step Functions allows {LARGEST}. Shorten it")
    _look_at_scope(definition, "", express, found)
    return found


def _look_at_scope(scope: Mapping[str, Any], where: str, express: bool, found: Findings) -> None:
    """Check one set of states: the whole definition, a branch of Parallel, or the inside of Map."""
    states = scope.get("States")
    if not isinstance(states, Mapping) or not states:
        found.errors.append(f"{where}it has no States. Give an object with at least one state")
        return
    start = scope.get("StartAt")
    if start not in states:
        found.errors.append(f"{where}StartAt is {start!r}, which is not one of its States. {_offer(states)}")
    reached = {start}
    waiting = [start]
    for name, state in states.items():
        place = f"{where}state '{name}': "
        if not isinstance(state, Mapping) or state.get("Type") not in TYPES:
            found.errors.append(f"{place}its Type must be one of {', '.join(TYPES)}")
            continue
        _look_at_state(name, state, place, express, found)
        for field_, target in _targets(state):
            if target not in states:
                found.errors.append(f"{place}{field_} is {target!r}, which is not one of its States. {_offer(states)}")
    while waiting:
        for _field, target in _targets(states.get(waiting.pop())):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    lost = [name for name in states if name not in reached]
    if lost and start in states:
        found.errors.append(f"{where}nothing leads to state '{lost[0]}'. Add a Next that leads there, or remove it")


def _look_at_state(name: str, state: Mapping[str, Any], place: str, express: bool, found: Findings) -> None:
    if len(name) > LONGEST_NAME:
        found.errors.append(
            f"{place}its name has {len(name)} characters, but Step Functions allows {LONGEST_NAME}. Shorten it"
        )
    _look_at_ways(state, place, found)
    kind = state["Type"]
    if kind == "Task":
        _look_at_task(state, place, express, found)
    if kind == "Map":
        inside = state.get("ItemProcessor") or state.get("Iterator") or {}
        _look_at_scope(inside, f"{place}inside of it: ", express, found)
    if kind == "Parallel":
        if not state.get("Branches"):
            found.errors.append(f"{place}it has no Branches. Give at least one")
        for number, branch in enumerate(state.get("Branches") or []):
            _look_at_scope(branch, f"{place}in branch {number}: ", express, found)


def _look_at_ways(state: Mapping[str, Any], place: str, found: Findings) -> None:
    kind = state["Type"]
    ways = [key for key in ("Next", "End") if state.get(key)]
    if kind in ENDS or kind == "Choice":
        if ways:
            found.errors.append(f"{place}a {kind} state cannot have {ways[0]}. Remove it")
    elif len(ways) != 1:
        found.errors.append(f"{place}it needs either Next or End: true")
    if kind == "Choice":
        if not state.get("Choices"):
            found.errors.append(f"{place}it has no Choices. Give at least one")
        if not state.get("Default"):
            found.warnings.append(f"{place}without Default, input that fits no choice fails the execution")


def _look_at_task(state: Mapping[str, Any], place: str, express: bool, found: Findings) -> None:
    resource = state.get("Resource")
    if not isinstance(resource, str) or not resource.startswith("arn:"):
        found.errors.append(f"{place}its Resource is {resource!r}. Give the ARN of the resource that it runs")
        return
    if express and resource.endswith(WAITS_FOR_AN_ANSWER):
        found.errors.append(
            f"{place}{resource} waits for the end of a job, which state machines of type EXPRESS cannot do. Use type"
            " STANDARD"
        )
    if not {"TimeoutSeconds", "TimeoutSecondsPath"} & state.keys() and resource.endswith(WAITS_FOR_AN_ANSWER):
        found.warnings.append(f"{place}without TimeoutSeconds, Step Functions waits up to a year for a job that hangs")


def _targets(state: Any) -> Iterator[tuple[str, Any]]:
    """Yield the names of the states that this one leads to, each after the field that names it."""
    if not isinstance(state, Mapping):
        return
    for key in ("Next", "Default"):
        if key in state:
            yield key, state[key]
    for list_ in ("Choices", "Catch"):
        for number, each in enumerate(state.get(list_) or []):
            if isinstance(each, Mapping):
                yield f"{list_}[{number}].Next", each.get("Next")


def _offer(states: Mapping[str, Any]) -> str:
    return f"There are: {', '.join(states)}" if len(states) <= len(TYPES) else "Correct the name"
