# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Reports the progress of a run: lines for people, and the data for a timeline.

The watch receives what the run sees and does. It makes no calls to AWS and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from ..amounts import iso
from ..plain_text import one_line
from .model import Task
from .plan import Plan

HEARTBEAT = 60.0  # seconds of silence after which a line shows that the run is alive
_NAMED = 3  # most tasks that one line names
_COUNTS_KEPT = 500  # limit for changes of the counts, plus four for each task


class Watch:
    """The progress of one run. Instants are AWS's; durations are measured on the clock that only goes forward."""

    def __init__(self, tell: Callable[[str], None] | None = None, heartbeat: float = HEARTBEAT) -> None:
        """``tell`` receives each line at once. After ``heartbeat`` seconds without one, the watch adds a line."""
        self._tell = tell or (lambda _line: None)
        self._heartbeat = heartbeat
        self._title = ""
        self._now: Callable[[], float] = lambda: 0.0
        self._clock: Callable[[], float] = lambda: 0.0
        self._started: float | None = None
        self._told_clock = 0.0
        self._waits_for: str | None = None
        self._steps = 0  # planned
        self._done = 0  # steps
        self._first_clock: float | None = None  # when the first step began
        self._step_clock = 0.0  # when the last step was complete
        self._replaced = 0
        self._healthy = self._desired = self._unready = 0
        self._counts: list[tuple[float, int, int]] = []
        self._bars: dict[str, _Bar] = {}

    # ---- what the run reports

    def begin(self, title: str, now: Callable[[], float], clock: Callable[[], float]) -> None:
        self._title, self._now, self._clock = title, now, clock
        self._told_clock = self._step_clock = clock()

    def planned(self, plan: Plan, check: bool) -> None:
        """Take in the first plan of the run, and announce it."""
        if not plan.stale:
            return
        self._steps = plan.steps
        self._started = self._now()
        if not check:
            for task in plan.stale:
                self._bars[task.id] = _Bar(new=False, since=task.created_at)
        count = len(plan.stale)
        self._say(
            f"{'would replace' if check else 'replaces'} {count} {'task' if count == 1 else 'tasks'} in {plan.steps}"
            f" {'step' if plan.steps == 1 else 'steps'}, {plan.surge} added first; at least {plan.floor} of"
            f" {plan.original} stay healthy"
        )

    def waits(self, what: str | None) -> None:
        """Note what the run is waiting for outside itself, or None if nothing."""
        self._waits_for = what

    def saw(self, healthy: int, desired: int, fresh: Iterable[Task], good: Callable[[Task], bool]) -> None:
        """Take in a look. ``fresh`` are the new tasks that are alive; ``good`` returns whether one of them counts."""
        now, living = self._now(), set()
        for task in fresh:
            living.add(task.id)
            span = self._bars.setdefault(task.id, _Bar(new=True, since=task.created_at))
            if span.good is None and good(task):
                span.good = now
        for task_id, span in self._bars.items():
            if span.new and span.until is None and task_id not in living:
                span.until = now
        self._unready = sum(span.new and span.good is None and span.until is None for span in self._bars.values())
        self._count(now, healthy, desired)

    def saw_desired(self, desired: int) -> None:
        """Note that the desired count was read or set without a look at the tasks. Ignore it before the plan."""
        if self._counts:
            self._count(self._now(), self._healthy, desired)

    def stopped(self, task: Task, healthy: int) -> None:
        """Note that a task was told to stop, which leaves ``healthy`` healthy tasks."""
        now = self._now()
        span = self._bars.setdefault(task.id, _Bar(new=False, since=task.created_at))
        span.until = span.until or now
        self._count(now, healthy, self._desired)

    def ended(self, task: Task) -> None:
        """Note that a new task has ended by itself or was withdrawn."""
        span = self._bars.setdefault(task.id, _Bar(new=True, since=task.created_at))
        span.until = span.until or self._now()

    def step_done(self, old: Sequence[Task], new: Sequence[str], seconds: float, left: int) -> None:
        """Note that a step is complete and ``left`` tasks are still to be replaced. ``new`` are ARNs or ids."""
        clock = self._clock()
        if self._first_clock is None:
            self._first_clock = clock - seconds
        for task in old:  # if the stop itself was not reported
            span = self._bars.setdefault(task.id, _Bar(new=False, since=task.created_at))
            span.until = span.until or self._now() - seconds
        self._done += 1
        self._replaced += len(old)
        self._step_clock = clock
        self._steps = max(self._steps, self._done + (left > 0))
        remaining = (clock - self._first_clock) / max(self._replaced, 1) * left
        lasted = duration_words(seconds)
        self._say(
            f"step {self._done} of {self._steps}: {_names(task.id for task in old)} replaced by"
            f" {_names(arn.rsplit('/', 1)[-1] for arn in new) or 'nothing yet'}; {self._health()}; {lasted}"
            + (f"; about {duration_words(remaining)} left" if left else "; all done")
        )

    def resting(self) -> None:
        """Note that the run pauses. After a long silence, report that it is alive."""
        if self._clock() - self._told_clock < self._heartbeat:
            return
        if self._waits_for:
            self._say(f"waits: {self._waits_for}")
        elif self._steps:
            step = f"step {min(self._done + 1, self._steps)} of {self._steps}"
            if self._done >= self._steps:
                step = "after the last step"
            lasts = duration_words(self._clock() - self._step_clock)
            unready = f", {self._unready} new not good yet" if self._unready else ""
            self._say(f"{step}: {lasts} so far; {self._health()}{unready}")

    def gives_up(self) -> None:
        """Report that the run gives back its changes. The reason comes at the end, where Ansible shows it."""
        self._say("failed; gives back what it added (the reason follows)")

    # ---- what others read

    @property
    def waits_for(self) -> str | None:
        """What the run is waiting for outside itself, in words."""
        return self._waits_for

    def timeline(self) -> dict[str, Any]:
        """Return the timeline as the module returns it, in seconds since ``started``, rounded to tenths."""
        begun = self._started
        if begun is None:
            return {"started": None, "seconds": 0.0, "counts": [], "tasks": []}

        def since(instant: float | None) -> float | None:
            return None if instant is None else round(max(0.0, instant - begun), 1)

        return {
            "started": iso(begun),
            "seconds": since(self._now()),
            "counts": [
                {"at": since(at), "healthy": healthy, "desired": desired} for at, healthy, desired in self._counts
            ],
            "tasks": [
                {
                    "task": task_id,
                    "new": span.new,
                    "from": since(span.since),
                    "good": since(span.good) if span.new else 0.0,
                    "to": since(span.until),
                }
                for task_id, span in self._bars.items()
            ],
        }

    # ---- inside

    def _count(self, now: float, healthy: int, desired: int) -> None:
        self._healthy, self._desired = healthy, desired
        if self._counts and self._counts[-1][1:] == (healthy, desired):
            return
        if len(self._counts) > _COUNTS_KEPT + 4 * len(self._bars):
            # Of two neighbours, keep the one with fewer healthy tasks: the line may lose detail, but no dip.
            pairs = zip(self._counts[::2], self._counts[1::2], strict=False)
            self._counts = [min(pair, key=lambda count: count[1]) for pair in pairs]
        self._counts.append((now, healthy, desired))

    def _health(self) -> str:
        return f"{self._healthy} of {self._desired} healthy"

    def _say(self, words: str) -> None:
        self._told_clock = self._clock()
        self._tell(one_line(f"{self._title}: {words}"))


class _Bar:
    """One task on the timeline."""

    def __init__(self, new: bool, since: float) -> None:
        self.new = new
        self.since = since
        self.good: float | None = None
        self.until: float | None = None


def _names(ids: Iterable[str]) -> str:
    """Return the first eight characters of each id, up to the number that a line names."""
    short: Collection[str] = [each[:8] for each in ids]
    named = ", ".join(list(short)[:_NAMED])
    return named if len(short) <= _NAMED else f"{named} and {len(short) - _NAMED} more"


def duration_words(seconds: float) -> str:
    """Return a duration such as ``68 s``, ``12 min`` or ``1 h 5 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
