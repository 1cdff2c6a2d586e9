# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""One process that recycles many services. It begins them, wakes each when its pause is over, and combines the reads
of several.

``recycle_fleet`` is a generator of pauses, like the engine that it drives. It writes nothing itself. Every service has
its own record, so the fleet can be stopped at any call and begun again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, cast

from ..recycle.report import FAILED as LOST
from ..recycle.report import Report
from ..recycle.run import recycle
from ..recycle.session import Self, Steps
from ..recycle.settings import Settings
from ..recycle.watch import Watch
from ..recycle.world import World
from ..summary.rows import NOT_STARTED, make_row, read_rows, totals_dict
from .causes import failure_words, warning_words
from .schedule import DONE, FAILED, RUNNING, WAITING, Limits, Place, Turn, next_turn, seconds_left
from .together import Bulk, Member, W, ask_together
from .watch import FleetWatch

AT_ONCE = 50  # services that run in one turn; with more, the first would wait too long for the last
_SHARE, _LONGEST_WAIT = 0.5, 3.0  # share of its pause, and seconds, for which a service waits for others


@dataclass(frozen=True)
class Job:
    """One service of the fleet, and how to recycle it. ``arn``, if it is known, names the region and the account."""

    cluster: str
    service: str
    settings: Settings
    wave: int = 0
    arn: str | None = None

    @property
    def title(self) -> str:
        return f"{self.cluster}/{self.service}"

    @property
    def named(self) -> str:
        return self.arn or self.service


class Account(Protocol[W]):
    """The services of one account and region."""

    @property
    def bulk(self) -> Bulk[W]:
        """Reads for several services at once."""

    def clock(self) -> float:
        """Return the seconds of a clock that only goes forward."""

    def world(self, job: Job) -> W:
        """Return the ``World`` of one service, to read and to change it."""


@dataclass
class FleetReport:
    """The result of a fleet run. It is filled during the run."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)  # by cluster/service, in the order of the fleet
    changed: bool = False
    failures: list[tuple[str, str]] = field(default_factory=list)  # cluster/service and reason, without its state
    warnings: list[tuple[str, str]] = field(default_factory=list)
    working: dict[str, Report] = field(default_factory=dict)  # of the services in progress
    before: dict[str, Any] = field(default_factory=dict)  # of the diff, by cluster/service
    after: dict[str, Any] = field(default_factory=dict)
    stopped: str | None = None  # why some were not begun
    seconds: float = 0.0

    @property
    def message(self) -> str | None:
        """Why the run failed, with one message for each cause. None if all services succeeded."""
        waiting = sum(row["status"] == NOT_STARTED for row in self.rows.values())
        return failure_words(self.failures, len(self.rows), waiting, self.stopped)

    def warning_words(self) -> list[str]:
        return warning_words(self.warnings)

    def as_dict(self, calls: Mapping[str, int]) -> dict[str, Any]:
        """Return the report as the module returns it. ``calls`` are those of all services together, by operation."""
        return {
            "rows": self.rows,
            "totals": totals_dict(read_rows(self.rows)),
            "stopped": self.stopped,
            "seconds": round(self.seconds, 1),
            "api_calls": dict(sorted(calls.items())),
        }


@dataclass
class _Run(Generic[W]):
    """A service in progress."""

    job: Job
    member: Member[W]
    steps: Steps[Report]
    report: Report
    began: float
    due: float
    patience: float  # seconds for which it waits for others


def recycle_fleet(
    jobs: Sequence[Job],
    limits: Limits,
    account: Account[W],
    me: Self,
    report: FleetReport,
    timeout: float | None = None,
    watch: FleetWatch | None = None,
    timelines: bool = False,
) -> Steps[None]:
    """Recycle the services of ``jobs``, whose titles differ. Errors from AWS are not raised but put into ``report``.

    ``timeout``: seconds after which the whole run ends. ``timelines``: whether rows keep the timeline of each service.
    """
    fleet = _Fleet(jobs, limits, account, me, report, timeout, watch or FleetWatch(), timelines)
    try:
        yield from fleet.work()
    finally:
        fleet.leave()


class _Fleet(Generic[W]):
    def __init__(
        self,
        jobs: Sequence[Job],
        limits: Limits,
        account: Account[W],
        me: Self,
        report: FleetReport,
        timeout: float | None,
        watch: FleetWatch,
        timelines: bool,
    ) -> None:
        self._jobs = {job.title: job for job in jobs}
        self._places = {job.title: Place(job.title, job.cluster, job.wave) for job in jobs}
        self._limits, self._account, self._report, self._watch = limits, account, report, watch
        self._me = replace(me, ending=self._why_end)
        self._ending, self._clock, self._timelines = me.ending, account.clock, timelines
        self._began = account.clock()
        self._ends_at = math.inf if timeout is None else self._began + timeout
        self._timeout = timeout
        self._running: dict[str, _Run[W]] = {}
        self._has_given_way: set[str] = set()
        self._lasted: list[float] = []  # seconds of the services that replaced tasks
        self._told_wave: float | None = None
        self._turn: Turn | None = None  # the last turn, unless something has changed since

    def work(self) -> Steps[None]:
        hurried = False
        self._watch.begin(len(self._jobs), self._limits.concurrency, self._began)
        while True:
            now = self._clock()
            why = self._why_end()
            if why and not hurried:
                hurried = True
                for run in self._running.values():  # each gives back what it has added
                    run.due = min(run.due, now)
            turn = Turn(stopped=why) if why else self._next_turn(now)
            for title in turn.begin:
                self._begin(title)
            self._tell(turn, now)
            if not self._running and turn.ask_at is None:
                return
            together, wake = self._whose_turn(now)
            if together:
                self._play(together)
                continue
            wake = min(wake, turn.ask_at or math.inf, self._watch.due, math.inf if why else self._ends_at)
            yield max(0.001, wake - now)

    def leave(self) -> None:
        """End every service where it stands, and note the services that were not begun."""
        for run in self._running.values():
            run.steps.close()
        for title, place in self._places.items():
            if place.state == WAITING:
                why = self._report.stopped or ""
                row = {"name": title, "status": NOT_STARTED, "message": why, "service": self._jobs[title].arn or ""}
                self._report.rows[title] = row
        self._report.rows = {title: self._report.rows[title] for title in self._jobs if title in self._report.rows}
        self._report.seconds = self._clock() - self._began

    def _why_end(self) -> str | None:
        why = self._ending()
        if why is None and self._clock() >= self._ends_at:
            return f"the run reached its fleet_timeout of {self._timeout:g} s"
        return why

    # ---- whose turn it is

    def _next_turn(self, now: float) -> Turn:
        turn = self._turn
        if turn is None or (turn.ask_at is not None and turn.ask_at <= now):
            turn = self._turn = next_turn(self._limits, list(self._places.values()), now)
        return turn

    def _move(self, title: str, **changes: Any) -> None:
        """Note that a service has begun or ended."""
        self._places[title] = replace(self._places[title], **changes)
        self._turn = None

    def _whose_turn(self, now: float) -> tuple[list[_Run[W]], float]:
        """Return the services to wake now, if any, and when to look again.

        Services whose pause is over wait a little for those whose pause is about to end, to need fewer calls together.
        """
        ready = sorted((run for run in self._running.values() if run.due <= now), key=lambda run: run.due)
        later = [run.due for run in self._running.values() if run.due > now]
        if ready and len(ready) < AT_ONCE:
            limit = min(run.due + run.patience for run in ready)
            coming = [due for due in later if due <= limit]
            if coming:
                return [], min(coming)
        return ready[:AT_ONCE], min(later, default=math.inf)

    def _play(self, runs: Sequence[_Run[W]]) -> None:
        """Let each service continue until it pauses."""
        while runs:
            runs = [run for run in runs if self._step(run)]
            ask_together([run.member for run in runs], self._account.bulk)

    def _step(self, run: _Run[W]) -> bool:
        """Let a service continue until its next pause. Return whether it waits for an answer."""
        try:
            pause = next(run.steps)
        except StopIteration:
            self._end(run)
            return False
        except Exception as error:  # noqa: BLE001 - an error of ours must not take the other services along
            kind = type(error).__name__
            run.report.status = LOST
            run.report.message = (
                f"An error in the collection itself ended the recycle of {run.job.title} ({kind}: {error}). Run again"
                " to continue from its record or to give back what was added, and report the error"
            )
            self._end(run)
            return False
        if pause == 0.0:
            return True
        now = self._clock()
        run.due, run.patience = now + pause, _patience(pause)
        self._let_others_first(run, now)
        return False

    def _let_others_first(self, run: _Run[W], now: float) -> None:
        """If a service must wait before it has begun, move it, once only, behind those that wait for a place."""
        report, title = run.report, run.job.title
        waits = report.watch.waits_for
        if not waits or report.plan or report.claimed or title in self._has_given_way or self._why_end():
            return
        places = {name: place for name, place in self._places.items() if name != title}
        places[title] = replace(self._places[title], state=WAITING)
        turn = next_turn(self._limits, list(places.values()), now)
        if not turn.begin or title in turn.begin:
            return
        self._has_given_way.add(title)
        self._places, self._turn = places, None
        del self._running[title], self._report.working[title]
        run.steps.close()
        self._watch.gives_way(title, waits)

    # ---- beginning and ending

    def _begin(self, title: str) -> None:
        job, now = self._jobs[title], self._clock()
        member = Member(self._account.world(job))
        report = Report(watch=Watch(self._watch.tell, math.inf))
        world = cast(World, member)
        me = replace(self._me, meets=member.meets)
        steps = recycle(world, job.settings, job.cluster, job.service, me, report)
        self._move(title, state=RUNNING)
        self._report.working[title] = report
        self._running[title] = _Run(job, member, steps, report, now, now, _patience(job.settings.wait_delay))

    def _end(self, run: _Run[W]) -> None:
        title, report, total = run.job.title, run.report, self._report
        del self._running[title], total.working[title]
        failed = report.status == LOST
        self._move(title, state=FAILED if failed else DONE, ended_at=self._clock())
        result: dict[str, Any] = {"recycle": report.as_dict()}
        if failed:
            result |= {"failed": True, "msg": report.message}
            total.failures.append((title, (report.message or "").removesuffix(report.state_words()).strip()))
        total.rows[title] = make_row(
            result, title, check=self._me.check, timeline=self._timelines, service=run.job.arn or ""
        )
        total.changed = total.changed or report.changed
        total.warnings += [(title, words) for words in report.warnings]
        if report.diff:
            total.before[title], total.after[title] = report.diff["before"], report.diff["after"]
        if report.replaced:
            self._lasted.append(report.seconds)
        self._watch.ended(title, report, len(total.rows), len(self._jobs))

    def _tell(self, turn: Turn, now: float) -> None:
        if turn.stopped and any(place.state == WAITING for place in self._places.values()):
            self._report.stopped = turn.stopped
            self._watch.stops(turn.stopped)
        if turn.ask_at is not None and turn.ask_at != self._told_wave:
            self._told_wave = turn.ask_at
            self._watch.wave_waits(turn.ask_at - now)
        if now < self._watch.due:
            return
        states = [place.state for place in self._places.values()]
        done, failed, waiting = (states.count(state) for state in (DONE, FAILED, WAITING))
        since = [now - run.began for run in self._running.values()]
        begins = 0 if self._report.stopped else waiting
        left = seconds_left(self._lasted, since, begins, self._limits.concurrency)
        self._watch.counts(now, done + failed, failed, len(since), waiting, left)


def _patience(pause: float) -> float:
    return min(_LONGEST_WAIT, _SHARE * pause)
