# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Work that changes things: its writes, and between two of them a look whether it has to end.

In a file of its own, so that a module that only reads does not compile it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from ._amazon import Turns, taking_turns
from ._core.change import Change
from ._core.errors import CallFailed, Failed, Refused
from ._drive import Ending, drive
from ._module import Outcome

R = TypeVar("R")

# Makes the writes of a change, one after another. After each it yields what it has done, in words such as
# "put the rule"; and the seconds to sleep, where it waits. Returns keys of the thing that only AWS knows.
Writes = Generator["str | float", None, "Mapping[str, Any] | None"]


def waited(looks: Generator[float, None, R]) -> R:
    """The end of a wait that has to come before the plan. Only looks: check mode waits as well."""
    ending = Ending()

    def steps() -> Generator[float, None, R]:
        while True:
            try:
                pause = next(looks)
            except StopIteration as end:
                return end.value
            yield pause
            if ending():
                raise Failed(f"{ending()}; nothing was changed")

    return drive(steps(), ending)


def drive_many(steps: Generator[float, None, None], ending: Ending, turns: Turns) -> None:
    """Run work on many things to its end, with calls no faster than ``turns`` allows."""
    with taking_turns(turns):
        drive(steps, ending)


def converge(
    key: str, change: Change, check_mode: bool, write: Callable[[Change], Writes], warnings: Sequence[str] = ()
) -> Outcome:
    """Apply the change, or predict it in check mode; return the resource under ``key``.

    When a write fails, or the work has to end, the outcome tells which writes were made.
    """
    done: list[str] = []
    ending = Ending()

    def steps() -> Generator[float, None, Mapping[str, Any]]:
        writes = write(change)
        while True:
            try:
                step = next(writes)
            except StopIteration as end:
                return end.value or {}
            if isinstance(step, str):
                done.append(step)
            else:
                yield step
            if ending():
                raise Failed(f"{ending()}; run the task again to complete it")

    told: Mapping[str, Any] = {}
    failure: Exception | None = None
    if change.changed and not check_mode:
        try:
            told = drive(steps(), ending)
        except (CallFailed, Failed) as error:
            failure = error
    return Outcome(
        changed=bool(done) if failure else change.changed,
        results={} if failure else {key: None if change.after is None else {**change.after, **told}},
        before=change.before or {},
        after=change.after or {},
        warnings=warnings,
        failure=failure,
        done=done if failure else (),
    )


class Plan(Protocol):
    """What one step of many will do."""

    change: Change
    warnings: Sequence[str]

    @property
    def write(self) -> Callable[[Change], Writes]:
        """The function that makes the writes."""


def converge_all(steps: Sequence[tuple[str, Callable[[], Plan]]], check_mode: bool, region: str) -> Outcome:
    """Converge one thing after another; each is planned when those before it are done. A failure ends it."""
    changes: list[dict[str, Any]] = []
    warnings: list[str] = []
    done: list[str] = []
    failure: Failed | None = None
    for label, plan in steps:
        try:
            planned = plan()
        except (Refused, Failed, CallFailed) as error:
            failure = Failed(f"{label} in {region}: {error}")
            break
        outcome = converge("thing", planned.change, check_mode, planned.write, planned.warnings)
        warnings += outcome.warnings
        if outcome.failure:
            done += [f"{label}: {each}" for each in outcome.done]
            failure = Failed(f"{label} in {region}: {outcome.failure}")
            break
        if outcome.changed:
            changes.append({"label": label, "before": planned.change.before, "after": outcome.results["thing"]})
            done.append(label)
    return Outcome(
        changed=bool(done),
        results={"changes": changes},
        before={each["label"]: each["before"] for each in changes},
        after={each["label"]: each["after"] for each in changes},
        warnings=warnings,
        failure=failure,
        done=done if failure else (),
    )


def also(outcome: Outcome, **results: Any) -> Outcome:
    """The same end with further results, unless it is a failure."""
    return outcome if outcome.failure else replace(outcome, results={**outcome.results, **results})
