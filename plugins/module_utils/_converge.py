# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Make the writes of a change, and check after each of them whether the work must end.

This is a separate file, so that a module that only reads does not compile it.
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

# Makes the writes of a change, one after another. After each write it yields a description such as "put the rule".
# Where it waits, it yields the seconds to sleep. It returns the keys of the resource that only AWS knows.
Writes = Generator["str | float", None, "Mapping[str, Any] | None"]


def waited(looks: Generator[float, None, R]) -> R:
    """Run a wait that must end before the plan, and return its result. It only reads, so check mode waits too."""
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
    """Run work on many services to its end, with calls no faster than ``turns`` allows."""
    with taking_turns(turns):
        drive(steps, ending)


def converge(
    key: str, change: Change, check_mode: bool, write: Callable[[Change], Writes], warnings: Sequence[str] = ()
) -> Outcome:
    """Apply the change, or predict it in check mode; return the resource under ``key``.

    If a write fails or the work must end, the outcome lists the writes that were made.
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
    """The plan of one step of several."""

    change: Change
    warnings: Sequence[str]

    @property
    def write(self) -> Callable[[Change], Writes]:
        """The function that makes the writes."""


def converge_all(steps: Sequence[tuple[str, Callable[[], Plan]]], check_mode: bool, region: str) -> Outcome:
    """Converge one resource after another. Each is planned after those before it are done. A failure stops the run."""
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
    """Return the outcome with these results added, unless it is a failure."""
    return outcome if outcome.failure else replace(outcome, results={**outcome.results, **results})
