# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Decides which service of a fleet begins when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


@dataclass(frozen=True)
class Limits:
    """``None`` means no limit. ``wave_wait``: seconds from the end of one wave to the start of the next."""

    concurrency: int = 20
    per_cluster: int | None = None
    max_failed: int | None = None
    max_fail_percentage: float | None = None  # of the services of a wave; without waves, of all
    wave_wait: float = 0.0


@dataclass(frozen=True)
class Place:
    """One service in the order of the fleet. ``ended_at`` is an instant of the clock that ``next_turn`` receives."""

    name: str
    cluster: str
    wave: int = 0
    state: str = WAITING
    ended_at: float | None = None


@dataclass(frozen=True)
class Turn:
    """What to do now."""

    begin: tuple[str, ...] = ()  # names, in order
    ask_at: float | None = None  # when more services may begin even if none ends first
    stopped: str | None = None  # why no other service is begun, in words


def next_turn(limits: Limits, places: Sequence[Place], now: float) -> Turn:
    """Return the services to begin at the instant ``now``, with ``places`` in the order in which they begin.

    There are no batches: when one service ends, the next one begins. Only a wave waits for the whole wave before it.
    """
    stopped = _too_many_failed(limits, places)
    waiting = [place for place in places if place.state == WAITING]
    if stopped or not waiting:
        return Turn(stopped=stopped if waiting else None)
    running = [place for place in places if place.state == RUNNING]
    wave = min(place.wave for place in waiting)
    if any(place.wave < wave for place in running):
        return Turn()
    before = [place.ended_at for place in places if place.wave < wave and place.ended_at is not None]
    opens_at = max(before) + limits.wave_wait if before else now
    if now < opens_at and not any(place.wave == wave and place.state != WAITING for place in places):
        return Turn(ask_at=opens_at)
    free = limits.concurrency - len(running)
    busy = Counter(place.cluster for place in running)
    begin: list[str] = []
    for place in waiting:
        if len(begin) >= free:
            break
        if place.wave == wave and (limits.per_cluster is None or busy[place.cluster] < limits.per_cluster):
            busy[place.cluster] += 1
            begin.append(place.name)
    return Turn(tuple(begin))


def _too_many_failed(limits: Limits, places: Sequence[Place]) -> str | None:
    failed = [place for place in places if place.state == FAILED]
    if limits.max_failed is not None and len(failed) > limits.max_failed:
        return f"{len(failed)} failed, which is more than the {limits.max_failed} that max_failed_services allows"
    if limits.max_fail_percentage is None:
        return None
    sizes, lost = Counter(place.wave for place in places), Counter(place.wave for place in failed)
    for wave, count in sorted(lost.items()):
        if count * 100 > limits.max_fail_percentage * sizes[wave]:
            of = "of the fleet" if len(sizes) == 1 else "of a wave"
            return (
                f"{count} of {sizes[wave]} services {of} failed, which is more than the"
                f" {limits.max_fail_percentage:g}% that max_fail_percentage allows"
            )
    return None


def seconds_left(lasted: Sequence[float], running: Sequence[float], waiting: int, concurrency: int) -> float | None:
    """Estimate the seconds until the last service ends. Return None as long as nothing is known.

    ``lasted`` are the seconds that ended services took, ``running`` the seconds since the others began. Waves and
    cluster limits are ignored.
    """
    if not lasted:
        return None
    mean = sum(lasted) / len(lasted)
    rest = [max(0.0, mean - seconds) for seconds in running]
    work = sum(rest) + mean * waiting
    lanes = max(1, min(concurrency, len(running) + waiting))
    return max([work / lanes, *rest])
