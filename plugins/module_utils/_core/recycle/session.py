# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The mechanics of a run: calls with retries, pauses, the record and its lease."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..errors import CallFailed, Failed, Refused
from ..waiting import Reach
from .model import Service
from .record import CLAIMED, RECORD_TAG, SURGED, NotOurs, Record, read_record
from .report import Report
from .settings import Settings
from .world import World

T = TypeVar("T")
Steps = Generator[float, None, T]

_SLOWEST_BACKOFF = 30.0  # seconds
_FRESH = 5.0  # seconds that a look may take
_SAME_BEGINNING = 0.001  # seconds; a record stores its instant to the millisecond
_CONFIRM_WITHIN = 60.0  # seconds after which a write that is not read back counts as lost


@dataclass(frozen=True)
class Self:
    """The identity of a run, and what the run must know about the world outside AWS."""

    owner: str  # written into the record
    is_dead: Callable[[str], bool]  # whether the run named by an owner is provably gone
    ending: Callable[[], str | None]  # why this run must end now, in words
    check: bool = False  # plan only
    # Used when many services are recycled together: receives each call before it is made, and returns whether the call
    # must wait, with a pause of 0 seconds, until the other services have announced theirs.
    meets: Callable[[str, tuple[object, ...]], bool] = lambda _operation, _arguments: False


class Gone(Exception):
    """Raised when the service was deleted during the run, so its tasks and its count no longer matter."""


class Ended(Failed):
    """Raised when the run must end before its work is done, and the service is not the cause."""


class TakenOver(Exception):
    """Raised when another run owns the record. This run changes nothing more; the other one gives everything back."""


class Session:
    """One run's hold on one service."""

    def __init__(self, world: World, settings: Settings, cluster: str, name: str, me: Self, report: Report) -> None:
        self.world = world
        self.settings = settings
        self.title = f"service {name} in cluster {cluster}"
        self.me = me
        self.report = report
        self.record: Record | None = None  # ours, once it is written
        self.leaving = False  # whether the run is giving back, which must not be cut short
        self.shielded: set[str] = set()  # ARNs of tasks that this process has protected
        self._begun_clock = world.clock()
        self._reach = Reach()
        self.acted_at = 0.0  # AWS instant of our last change
        self.acted_clock = 0.0
        self.repeats = 0  # number of calls that failed
        self._unwritten = False  # whether the record differs from the tag
        self._texts: list[str] = []  # values of the tag that this run has written or tried to write, oldest first
        self._written_clock = 0.0
        self._failures = 0  # failed attempts in a row
        self._superseded: list[int] = []  # desired counts that we replaced and that may still be read
        self._set_to = 0
        self._set_clock = 0.0

    # ---- calls and pauses

    def call(self, operation: Callable[..., T], *arguments: object) -> Steps[T]:
        """Make one call with retries: throttling only slows it down, and a failing network is retried for a while.

        Until this run has a record, a call is given up sooner if AWS has never answered a call of its kind.
        """
        pause, began, kind = self.settings.wait_delay, self.world.clock(), operation.__name__
        while True:
            self.heed_ending()
            asked = self.world.clock()
            yield from self.meet(operation, *arguments)
            try:
                result = operation(*arguments)
            except CallFailed as failure:
                self.repeats += 1
                now = self.world.clock()
                if failure.kind == "final" or (failure.kind == "passing" and now - began > self.settings.wait_timeout):
                    raise
                ahead = pause + now - asked
                if self.record is None and self._reach.is_out_of_reach(kind, failure, now - began, ahead):
                    raise
            else:
                self._reach.note_answer(kind)
                return result
            yield from self.rest(pause)
            pause = min(_SLOWEST_BACKOFF, pause * 2)

    def meet(self, operation: Callable[..., object], *arguments: object) -> Steps[None]:
        """Let a read wait for the reads of other services, if any are recycled together with this one."""
        if self.me.meets(operation.__name__, arguments):
            yield 0.0

    def attempt(self, operation: Callable[..., object], *arguments: object) -> Steps[bool]:
        """Try once to make a write that follows from what was just read. Return whether it succeeded. After a transient
        failure there is a pause, and the caller must look again before it writes: the service may have changed, and the
        failed write may have been carried out anyway."""
        self.heed_ending()
        try:
            operation(*arguments)
        except CallFailed as failure:
            if failure.kind == "final":
                raise
            self._failures += 1
            yield from self.rest(min(_SLOWEST_BACKOFF, self.settings.wait_delay * 2 ** (self._failures - 1)))
            return False
        self._failures = 0
        return True

    def rest(self, seconds: float) -> Steps[None]:
        """Pause, but never so long that the lease could end unnoticed."""
        self.heed_ending()
        self.report.watch.resting()
        left = math.inf if self.leaving else self._time_left + 0.001
        yield min(seconds, left, max(self.settings.lease / 4, 0.05))
        self.heed_ending()

    def heed_ending(self) -> None:
        if self.leaving:
            return
        why = self.me.ending()
        if self._time_left <= 0:
            why = f"the run reached its timeout of {self.settings.timeout:g} s"
        if why:
            raise Ended(f"{why}: no further task was stopped. Run the same task again to continue")

    @property
    def _time_left(self) -> float:
        """Seconds until the run's own timeout."""
        limit = self.settings.timeout
        return math.inf if limit is None else self._begun_clock + limit - self.world.clock()

    def is_late(self, began: float) -> bool:
        """Return whether calls were retried for so long that what was read at ``began`` may be out of date."""
        return self.world.clock() - began > max(_FRESH, 2 * self.settings.wait_delay)

    def acted(self) -> None:
        self.acted_at, self.acted_clock = self.world.now(), self.world.clock()

    @property
    def elapsed(self) -> float:
        """Seconds since our last change."""
        return self.world.clock() - self.acted_clock

    # ---- alarms

    def refuse_alarms(self) -> Steps[None]:
        """Raise Refused if an alarm is missing or in ALARM. Call this before anything is written."""
        names = self.settings.alarms
        states = (yield from self.call(self.world.alarms, names)) if names else {}
        missing = [name for name in names if name not in states]
        if missing:
            raise Refused(
                f"alarms: CloudWatch has no {', '.join(missing)}. Compare the names, the region and"
                " the account with the output of 'aws cloudwatch describe-alarms'"
            )
        ringing = [name for name in names if states[name] == "ALARM"]
        if ringing:
            raise Refused(
                f"{_alarm_words(ringing)}, so no task of {self.title} was stopped. Run again when the alarm is over"
            )

    def heed_alarms(self) -> Steps[None]:
        """Raise Failed if an alarm is in ALARM."""
        names = self.settings.alarms
        states = (yield from self.call(self.world.alarms, names)) if names else {}
        ringing = [name for name in names if states.get(name) == "ALARM"]
        if ringing:
            raise Failed(f"{_alarm_words(ringing)}: no further task was stopped. Run the same task again to continue")

    # ---- the record

    def lease(self) -> float:
        return self.world.now() + self.settings.lease

    @property
    def held(self) -> Record:
        """Our record. Raise Failed if there is none."""
        if self.record is None:
            raise Failed(f"there is no record of this run on {self.title}")
        return self.record

    def note(self, at_once: bool = True, **changes: Any) -> None:
        """Change the record. The next look writes it. If ``at_once`` is false, which saves a call, the change waits for
        the next look that renews the lease."""
        self.record = replace(self.held, **changes)
        self._unwritten = self._unwritten or at_once

    def write(self, record: Record, tags: Mapping[str, str] | None = None) -> Steps[bool]:
        """Try once to write a record, and other tags with it. Return whether it succeeded."""
        self._texts.append(record.text)
        self._written_clock = self.world.clock()
        return (yield from self.attempt(self.world.tag, {RECORD_TAG: record.text, **(tags or {})}))

    def settle(self, before: Record | None) -> Steps[Service | None]:
        """Return the service once our record is read back, or None if another run's record is read.

        Tags have no compare-and-set, so the last writer wins and the others withdraw. ``before`` is the record that
        ours replaced. A read that is out of date may still show it.
        """
        began = self.world.clock()
        while True:
            yield from self.rest(self.settings.wait_delay)
            service = yield from self._describe()
            try:
                seen = read_record(service.tags, self.world.now())
            except NotOurs:
                return None
            if seen and seen.owner == self.me.owner:
                return service
            if seen and not (before and seen.owner == before.owner):
                return None
            if self.world.clock() - began > self.settings.wait_timeout:
                raise Failed(f"the tag {RECORD_TAG} was written to {self.title}, but could not be read back")

    def look(self) -> Steps[Service]:
        """Return the service from a fresh read. Check that it is still ours, and write the record if necessary."""
        while True:
            service = yield from self._describe()
            altered = self.record_on(service) is None or self._is_altered(service.tags[RECORD_TAG])
            what = "changed the tag {} of" if RECORD_TAG in service.tags else "removed the tag {} from"
            words = f"someone {what.format(RECORD_TAG)} {self.title} during the run; it was written again"
            if altered and words not in self.report.warnings:
                self.report.warnings.append(words)
            ending_soon = self.held.lease_until - self.world.now() < self.settings.lease / 2
            if not (altered or ending_soon or self._unwritten):
                return service
            record = replace(self.held, lease_until=self.lease())
            if (yield from self.write(record)):
                self.record = record
                self._unwritten = False
                return service

    def _is_altered(self, text: str) -> bool:
        """Return whether someone else wrote the tag in this run's name. Old reads may show an earlier text of ours."""
        if text == self._texts[-1]:
            return False
        return text not in self._texts or self.world.clock() - self._written_clock > _CONFIRM_WITHIN

    def abandon(self) -> Steps[None]:
        """End the lease but keep the record, so the next run can take over at once."""
        while True:
            record = replace(self.held, lease_until=self.world.now())
            if (yield from self.write(record)):
                return
            self.record_on((yield from self._describe()))

    def release(self) -> Steps[None]:
        """Remove the record. Do not write it again between tries, because a failed try may have removed it."""
        while not (yield from self.attempt(self.world.untag, [RECORD_TAG])):
            self.record_on((yield from self._describe()))
        self.record = None

    def record_on(self, service: Service) -> Record | None:
        """Return our record as read, or None if there is none, no run has written it, or it is another run's claim that
        came too late. Raise TakenOver for any other record."""
        try:
            seen = read_record(service.tags, self.world.now())
        except NotOurs as other:
            if not other.another_version:
                return None
            raise TakenOver(f"a run of another version has taken over {self.title}: {other.text!r}") from None
        if seen and self._came_late(seen):
            return None
        if seen and seen.owner != self.me.owner:
            raise TakenOver(
                f"another run ({seen.owner}) has taken over {self.title}, because the lease of this one"
                f" ({self.me.owner}) had ended or its record was overwritten. That run continues the work"
            )
        return seen

    def _came_late(self, other: Record) -> bool:
        """Return whether another run looked before it could see our claim, and wrote its own after ours was read back.

        That run has not changed anything yet. A run that took over from this one would have the same ``begun``; a run
        after that one would have a ``begun`` no earlier than the end of our lease.
        """
        ours = self.held
        begun_beside_us = abs(other.begun - ours.begun) > _SAME_BEGINNING and other.begun < ours.lease_until
        return begun_beside_us and (ours.phase, other.phase) == (SURGED, CLAIMED) and other.owner != self.me.owner

    def _describe(self) -> Steps[Service]:
        service: Service | None = yield from self.call(self.world.describe_service)
        if service is None or service.status != "ACTIVE":
            what = "is gone" if service is None else f"is {service.status}"
            raise Gone(f"{self.title} was deleted during the run: it {what}")
        return service

    # ---- the desired count

    def try_desired(self, found: int, wanted: int) -> Steps[bool]:
        """Try once to set the desired count, which is ``found`` now. Return whether it worked; if not, look again."""
        if not (yield from self.attempt(self.world.set_desired, wanted)):
            return False
        self._supersede(found, wanted)
        return True

    def change_desired(self, found: int, rule: Callable[[int], int]) -> Steps[None]:
        """Set the desired count to what ``rule`` returns for the present count, however long it takes."""
        wanted = rule(found)
        while not (yield from self.attempt(self.world.set_desired, wanted)):
            read = (yield from self.look()).desired
            if read == wanted:  # it had been carried out
                break
            if read != found and not self._is_old(read):
                found, wanted = read, rule(read)
        self._supersede(found, wanted)

    def _supersede(self, found: int, wanted: int) -> None:
        self._superseded.append(found)
        self._set_to, self._set_clock = wanted, self.world.clock()
        self.report.saw_desired(wanted)
        self.acted()

    def desired(self, service: Service) -> int:
        """Return the desired count, ignoring reads that are older than our own last change of it.

        Once a read shows the count that we set, later reads are trusted, unless the count had that value before.
        """
        read = service.desired
        if self._is_old(read):
            return self._set_to
        if read != self._set_to or self._set_to not in self._superseded or self._is_settled:
            self._superseded.clear()
        return read

    def _is_old(self, read: int) -> bool:
        return read in self._superseded and read != self._set_to and not self._is_settled

    @property
    def _is_settled(self) -> bool:
        return self.world.clock() - self._set_clock > _CONFIRM_WITHIN


def _alarm_words(names: list[str]) -> str:
    several = len(names) > 1
    return f"CloudWatch {'alarms' if several else 'alarm'} {' and '.join(names)} {'are' if several else 'is'} in ALARM"
