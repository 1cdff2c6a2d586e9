# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Evaluates the service events since the run's last change, and decides which failures count."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .model import Event, Task
from .service_events import HARMLESS, NO_ROOM, REFUSED, STARTED, UNSETTLED, meaning_of

# ECS refuses a role that was created a moment ago for up to half a minute (captured in public event streams).
_SETTLES_WITHIN = 30.0


@dataclass(frozen=True)
class Said:
    """Event texts from ECS. ``last`` is the last complaint or, if there is none, the last text of any kind."""

    refused: str | None = None
    no_room: str | None = None
    no_room_since: float = 0.0  # AWS instant
    last: str | None = None


def listen(events: Iterable[Event], acted_at: float, freed_at: float, now: float) -> Said:
    """Summarise ``events``, which are sorted by time, oldest first.

    Only events since the run's own last change (``acted_at``) count against the run. A placement that failed while
    a stopped task still held its CPU, memory and ports (until ``freed_at``) may succeed once that task is gone. A
    failure that was followed by a start no longer counts. ``acted_at``, ``freed_at`` and ``now`` are AWS instants.
    """
    against: dict[str, Event] = {}
    last = complaint = None
    for event in events:
        meaning = meaning_of(event.message)
        last = event.message
        if meaning not in (STARTED, HARMLESS):
            complaint = event.message
        if event.at < acted_at:
            continue
        if meaning == STARTED:
            against.clear()
        elif meaning == UNSETTLED or event.at > freed_at:
            if meaning == REFUSED:
                against[meaning] = event  # the later one says more
            else:
                against.setdefault(meaning, event)
    unsettled, no_room = against.get(UNSETTLED), against.get(NO_ROOM)
    refused = against.get(REFUSED)
    if refused is None and unsettled and now - unsettled.at > _SETTLES_WITHIN:
        refused = unsettled
    said = complaint or last
    return Said(
        refused=refused.message.strip() if refused else None,
        no_room=no_room.message.strip() if no_room else None,
        no_room_since=no_room.at if no_room else 0.0,
        last=said.strip() if said else None,
    )


def find_standing(events: Sequence[Event]) -> str | None:
    """Return the newest complaint that no start has followed, or None. ``events`` are sorted newest first.

    Until its cause is gone, ECS repeats an event only every six hours (developer guide, "Amazon ECS service event
    messages"), so a complaint from before the run may explain why the run waits.
    """
    for event in events:
        meaning = meaning_of(event.message)
        if meaning == STARTED:
            return None
        if meaning != HARMLESS:
            return event.message.strip()
    return None


def refusal_words(said: str) -> str:
    return f"ECS says: {_closed(said)} Fix the cause, then run again"


def last_words(said: Said) -> str:
    """Return the end of the message for a wait that timed out."""
    return f". ECS last said: {_closed(said.last).rstrip('.')}" if said.last else ""


def find_failure(failed: Collection[Task], reported: Sequence[Event], allowed: int) -> str | None:
    """Return a message about the new task whose failure is one too many, or None if at most ``allowed`` failed.

    ``failed`` are new tasks that ended by themselves, ``reported`` are events about failed starts. These events do not
    name the task, so a failed start may be in both. It counts once.
    """
    starts = [task for task in failed if task.stop_code == "TaskFailedToStart"]
    if len(failed) - len(starts) + max(len(starts), len(reported)) <= allowed:
        return None
    if len(failed) <= allowed and reported:
        return refusal_words(reported[-1].message.strip())
    task = list(failed)[min(allowed, len(failed) - 1)]
    return (
        f"the new task {task.id} ended by itself ({task.stop_code}):"
        f" {(task.stopped_reason or 'ECS gives no reason').rstrip('.')}. Fix the cause, then run again"
    )


def _closed(said: str) -> str:
    return said if said.endswith((".", "!", "?")) else f"{said}."
