# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The result of a run, as the module returns it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..amounts import iso
from .model import Scaling, Task
from .plan import Plan
from .selector import Selector
from .watch import Watch

UNCHANGED, RECYCLED, RESTORED, FAILED = "unchanged", "recycled", "restored", "failed"


@dataclass
class Report:
    """The result of a run. It is filled during the run, so a failed run still reports what it achieved."""

    status: str = UNCHANGED
    service: str | None = None  # ARN
    selector: Selector | None = None
    message: str | None = None  # why it failed
    changed: bool = False
    plan: Plan | None = None
    diff: dict[str, Any] | None = None
    cutoff: float | None = None
    resumed: bool = False
    replaced: list[tuple[Task, list[str], float]] = field(default_factory=list)  # old, ARNs of new, seconds
    skipped: list[tuple[Task, str]] = field(default_factory=list)
    remaining: list[Task] = field(default_factory=list)
    failures: list[Task] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)  # ARNs of added tasks that never became good
    desired_before: int | None = None
    desired_peak: int | None = None
    desired_after: int | None = None
    scaling_before: Scaling | None = None
    scaling_after: Scaling | None = None
    minimum_healthy: int | None = None
    healthy: int | None = None  # from the last look
    stopped: int = 0  # old tasks stopped because of this run
    claimed: bool = False  # whether a record was written
    lost: bool = False  # whether the service is gone or was taken over by another run
    seconds: float = 0.0
    calls: Mapping[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch, compare=False, repr=False)

    def saw_desired(self, count: int) -> None:
        if self.desired_before is None:
            self.desired_before = count
        self.desired_peak = max(count, self.desired_peak or 0)
        self.desired_after = count
        self.watch.saw_desired(count)

    def saw_healthy(self, count: int) -> None:
        self.healthy = count
        self.minimum_healthy = count if self.minimum_healthy is None else min(count, self.minimum_healthy)

    def state_words(self) -> str:
        """Return one sentence about the state of the service, for the end of a failure message."""
        if not self.claimed:
            return "Nothing was changed."
        parts = [f"{self.stopped or 'no'} old {'task was' if self.stopped < 2 else 'tasks were'} stopped"]
        count = None if self.lost else self.desired_after
        if self.healthy is not None and count is not None:
            parts.append(f"{min(self.healthy, count)} of {count} tasks are healthy")
        if count is not None:
            given_back = count == self.desired_before and (self.desired_peak or 0) > count
            parts.append(f"the desired count is {count}{' again' if given_back else ''}")
        words = "; ".join(parts)
        return f"{words[0].upper()}{words[1:]}."

    def as_dict(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "service": self.service,
            "selector": self.selector.as_dict() if self.selector else None,
            "cutoff": None if self.cutoff is None else iso(self.cutoff),
            "resumed": self.resumed,
            "plan": self.plan.as_dict() if self.plan else None,
            "replaced": [
                {"task": old.arn, "new_tasks": new, "seconds": round(seconds, 1)} for old, new, seconds in self.replaced
            ],
            "skipped": [{"task": task.arn, "reason": why} for task, why in self.skipped],
            "remaining": [task.arn for task in self.remaining],
            "failures": [
                {"task": task.arn, "stop_code": task.stop_code, "reason": task.stopped_reason} for task in self.failures
            ],
            "withdrawn": self.withdrawn,
            "capacity": {"before": self.desired_before, "peak": self.desired_peak, "after": self.desired_after},
            "scaling": {
                "before": self.scaling_before.as_dict() if self.scaling_before else None,
                "after": self.scaling_after.as_dict() if self.scaling_after else None,
            },
            "minimum_healthy": self.minimum_healthy,
            "timeline": self.watch.timeline(),
            "seconds": round(self.seconds, 1),
            "api_calls": dict(sorted(self.calls.items())),
        }
