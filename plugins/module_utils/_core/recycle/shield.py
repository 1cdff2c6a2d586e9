# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Scale-in protection of the tasks that must stay, so that ECS can only choose stale ones.

Before a task is protected, the record says at which minute that protection will end. So the run after a killed run
recognises the killed run's protections by their ends. All other protections are the tasks' own and are left alone. A
protection that no run lifts ends by itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from ..errors import CallFailed, Failed
from .knowledge import PER_CALL
from .session import Session, Steps

PROTECTED_PER_CALL = 10

_SHORTEST = 3600.0  # shortest time in seconds for which tasks are protected
_LONGEST = 2880 * 60.0  # longest time in seconds that ECS allows
_TRUST = 30.0  # seconds for which an answer from ECS about a task, or our own change of it, is not checked again
_READ_BACK = 60.0  # seconds to wait until a tag is read back as it was written
_FRESH = 5.0  # seconds for which an answer about a task is trusted before the task is protected
_FADES = 60.0  # seconds before the end of a task's own protection in which no count is lowered (ECS acts later)
_TRIES = 3  # tries for a task that ECS neither protects nor reports as gone


class Shield:
    """The protections that one run has set, and what it knows about other protections."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._length = min(_LONGEST, max(_SHORTEST, 2 * session.settings.wait_timeout))
        self._ends: dict[str, float] = {}  # ARN -> end of its protection
        self._told: dict[str, float] = {}  # ARN -> clock at which that end was learned
        self._tries: Counter[str] = Counter()

    def cover(self, keep: Iterable[str], spare: Iterable[str], lowered: bool = False) -> Steps[tuple[set[str], bool]]:
        """Protect the tasks in ``keep`` and none in ``spare``. Both contain ARNs.

        ``lowered``: the count has been lowered, and ECS may act on it at any moment. So a task whose own protection is
        about to end is protected now. Before the count is lowered, the run waits for that end instead.

        Return the tasks in ``spare`` that someone else protects, and whether everything was in order without a write.
        """
        session, world = self._session, self._session.world
        keep, spare = list(keep), list(spare)
        held = yield from self.ask([*keep, *spare])
        now = world.now()
        ours = [arn for arn in spare if session.held.shields(self._ends.get(arn, 0.0)) and self._ends[arn] > now]
        if ours:  # set by a killed run with another selector
            yield from _unprotect(session, ours)
            self._learn(ours, 0.0)
        fading = self.fading(keep)
        bare = [
            arn
            for arn in keep
            if (self._is_bare(arn, now) or (lowered and arn in fading)) and self._tries[arn] < _TRIES
        ]
        for some in _tens(bare):
            yield from self._protect(some)
        if fading and not (ours or bare):
            yield from session.rest(session.settings.wait_delay)
        return held & set(spare), not (ours or bare or fading)

    def _protect(self, arns: list[str]) -> Steps[None]:
        session, world = self._session, self._session.world
        until = yield from self._choose_end()
        if any(world.clock() - self._told[arn] > _FRESH for arn in arns):
            for arn in arns:  # a task may have protected itself meanwhile: ask again
                del self._told[arn]
            return
        session.shielded.update(arns)
        try:
            done = world.protect(arns, until)
        except CallFailed as failure:
            if failure.code == "DEPLOYMENT_BLOCKED":
                raise Failed(
                    f"ECS refuses to protect tasks, because older protections block a deployment: {failure}. Run"
                    " again when it has ended, or set stop_method: stop_task"
                ) from None
            if failure.kind == "final":
                session.shielded.difference_update(arns)  # nothing was done
                raise
            yield from session.rest(session.settings.wait_delay)
            return
        self._learn(done, until)
        self._tries.update(set(arns) - done)

    def fading(self, arns: Iterable[str]) -> set[str]:
        """Return the tasks whose own protection is known to end soon."""
        now, held = self._session.world.now(), self._session.held
        ends = {arn: self._ends.get(arn, 0.0) for arn in arns}
        return {arn for arn, end in ends.items() if now < end <= now + _FADES and not held.shields(end)}

    def ask(self, arns: Collection[str]) -> Steps[set[str]]:
        """Return the tasks that someone else is known to protect. Ask ECS about tasks that were never asked about and,
        if the call has room, about the others in turn."""
        session, clock = self._session, self._session.world.clock()
        new = [arn for arn in arns if arn not in self._told]
        room = -(-max(len(new), 1) // PER_CALL) * PER_CALL
        known = sorted(
            (arn for arn in arns if arn in self._told and clock - self._told[arn] > _TRUST), key=self._told.__getitem__
        )
        names = [*new, *known][:room]
        if names:
            ends = yield from session.call(session.world.protected_until, names)
            for arn in names:
                self._learn([arn], ends.get(arn, 0.0))
        now = session.world.now()
        return {arn for arn in arns if self._ends[arn] > now and not session.held.shields(self._ends[arn])}

    def forget(self) -> None:
        """Forget all known protections, because they were lifted."""
        self._ends.clear()
        self._told.clear()

    def _is_bare(self, arn: str, now: float) -> bool:
        """Return whether a task needs protection. Ours is renewed in time; a task's own is kept while it lasts."""
        end = self._ends.get(arn, 0.0)
        return end <= (now + self._length / 2 if self._session.held.shields(end) else now)

    def _choose_end(self) -> Steps[float]:
        """Return the end that protections get from now on. It is in the record when this returns."""
        session, now = self._session, self._session.world.now()
        known = session.held.protected_until
        if known and known[-1] - now > self._length / 2:
            return known[-1]
        end = math.ceil((now + self._length) / 60) * 60.0
        end = min(end, math.floor((now + _LONGEST) / 60) * 60.0)
        alive = [each for each in known if session.world.now() - each < _SHORTEST][-2:]
        session.note(protected_until=(*alive, end))
        # Read it back, so that the next run can read it too. The first look writes it, however many tries that takes.
        yield from session.look()
        began = session.world.clock()
        while session.world.clock() - began < _READ_BACK:
            yield from session.rest(session.settings.wait_delay)
            seen = session.record_on((yield from session.look()))
            if seen and end in seen.protected_until:
                break
        return end

    def _learn(self, arns: Iterable[str], end: float) -> None:
        clock = self._session.world.clock()
        for arn in arns:
            self._ends[arn], self._told[arn] = end, clock


def lift(session: Session) -> Steps[None]:
    """End the protections that this run or the one before it has set. The tasks' own protections stay."""
    world = session.world
    if not session.held.protected_until:
        return
    listed = yield from session.call(world.list_tasks)
    names = sorted({*listed, *session.shielded})
    ends = yield from session.call(world.protected_until, names)
    yield from _unprotect(session, _ours(session, names, ends))
    session.shielded.clear()
    session.note(at_once=False, protected_until=())


def _ours(session: Session, arns: Iterable[str], ends: Mapping[str, float]) -> list[str]:
    """Return tasks whose protection ends as recorded and, if ECS shows no protection yet, those that we protected."""
    return [arn for arn in arns if (session.held.shields(ends[arn]) if arn in ends else arn in session.shielded)]


def _unprotect(session: Session, arns: list[str]) -> Steps[None]:
    while arns:
        if (yield from session.attempt(session.world.unprotect, arns[:PROTECTED_PER_CALL])):
            arns = arns[PROTECTED_PER_CALL:]
        else:  # any of them may have protected itself during the pause
            arns = _ours(session, arns, (yield from session.call(session.world.protected_until, arns)))


def _tens(arns: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(arns), PROTECTED_PER_CALL):
        yield arns[first : first + PROTECTED_PER_CALL]
