# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Waits as data, and the generators that perform them by yielding the seconds to sleep.

Only the fleet reader does not use them: it waits in threads, at the rate that AWS allows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..._core.errors import CallFailed, Failed
from ..._core.waiting import Patience, wait_until

T = TypeVar("T")

# The steps of a change. They yield a description of each write that was made, or the seconds to sleep before the next
# step. They return the keys of the result that only AWS knows.
Writes = Generator["str | float", None, "Mapping[str, Any] | None"]

GONE = None  # the state of a resource that AWS does not know yet, or no longer


@dataclass(frozen=True)
class Wait:
    """A wait for one of the states in ``settled``.

    ``still`` is the message while the resource is in another state, ``unseen`` while AWS does not know it. ``failing``
    maps each state in which waiting cannot help to its message. Messages have the placeholders ``{state}`` and
    ``{reason}``, attributes of the resource, and one for each name passed to ``settled``. A read may be older than the
    last write, so a failing state counts only when it has been seen ``looks`` times.
    """

    settled: Collection[str | None]
    still: str = ""
    unseen: str = ""
    failing: Mapping[str | None, str] = field(default_factory=dict)
    looks: int = 1


def settled(look: Callable[[], T], wait: Wait, patience: Patience, **names: Any) -> Generator[float, None, T]:
    """Look until the resource is settled, and return it.

    Raise ``Failed`` in a failing state, and after ``patience.timeout`` seconds.
    """
    failures = 0

    def verdict(seen: Any) -> str | None:
        nonlocal failures
        state = seen.state if seen else GONE
        if state in wait.settled:
            return None
        reason = (getattr(seen, "reason", "") or "AWS gives no reason").rstrip(".")
        told = {**names, "state": state, "reason": reason}
        if state in wait.failing:
            failures += 1
            if failures >= wait.looks:
                raise Failed(wait.failing[state].format(**told))
        return (wait.still if seen else wait.unseen).format(**told)

    return wait_until(look, verdict, patience)


@dataclass(frozen=True)
class Refusal:
    """A write that AWS does not accept yet, in a form that ``settled`` can look at."""

    reason: str
    state: str = "REFUSED"


def refusal_of(write: Callable[[], object], words: str) -> Refusal | None:
    """Make the write. Return a refusal if AWS answers with an error that contains ``words``, else None."""
    try:
        write()
    except CallFailed as error:
        if words not in str(error):
            raise
        return Refusal(str(error))
    return None


# Errors of AWS services that cannot use a role, perhaps because it is new. None of them says if waiting will help.
ROLE_NOT_READY = (
    "authorized to assume the provided role",  # Step Functions
    "not authorized to access the Log Destination",
    "to assume the role",  # EventBridge Scheduler
    "cannot be assumed",  # EventBridge
    "The role with name",  # IAM; "Changes that I make are not always immediately visible" in its User Guide
)
A_MINUTE = (2.0,) * 30  # pauses between tries


def when_role_is_ready(
    write: Callable[[], object], pauses: Iterable[float] = A_MINUTE, transient: bool = False
) -> Generator[float, None, object]:
    """Make the write, and retry while AWS cannot use the role. With ``transient``, also retry transient errors."""
    for pause in (*pauses, None):
        try:
            return write()
        except CallFailed as error:
            waits = any(words in str(error) for words in ROLE_NOT_READY) or (transient and error.kind != "final")
            if pause is None or not waits:
                raise
        yield pause
