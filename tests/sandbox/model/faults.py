# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults inside the cluster. (Faults that strike API calls are in call_faults.py.)"""

from __future__ import annotations

from dataclasses import dataclass, field

# Faults that strike launches, writes or reads while they are on.
STANDING = {
    "launch_fails": "a new task never starts: `reason`, `stop_code`",
    "run_task_fails": "RunTask and StartTask start only `started` tasks, and answer with failures for `reason`",
    "launch_crashes": "a new task exits with `exit_code` after `seconds` of RUNNING",
    "no_room": "no task can be placed",
    "start_refused": "no task is started; `reason`: a key of services.REFUSALS, or the text of the event",
    "never_healthy": "the container health check of a new task fails",
    "turns_unhealthy": "a new task fails its check, or that of target group `group`, after `seconds` of RUNNING",
    "targets_never_healthy": "the targets of a new task stay unhealthy, in `group` or in every group",
    "stale_reads": "for `seconds` after one of `operations`, ECS reads answer as before it",
    "events_lost": "no `has started` events",
    "agent_lost": "a task that is stopped keeps the last status `status`: RUNNING, or STOPPING",
    "list_omits_new": "ListTasks does not name tasks younger than `seconds`",
}
# Faults that are acts of others. They strike once StopTask has stopped `after` tasks of the service.
MIDWAY = {
    "deployment_midway": "a new deployment begins, of the kind that the service has",
    "deployment_fails_midway": "a new deployment begins and fails at once: PRIMARY FAILED beside ACTIVE",
    "tags_lost": "the tags `keys` (all, when empty) vanish",
    "reregistered": "the scalable target is registered again with `minimum`, `maximum` and `suspended`",
    "rescaled": "an operator changes the desired count by `delta`",
    "rebalanced": "ECS moves the oldest healthy task to another availability zone: start first, stop then",
    "interrupted": "a Spot interruption takes the newest healthy task",
    "protected_midway": "the oldest task that runs comes under scale-in protection",
}
REASONS = {
    "launch_fails": "ResourceInitializationError: unable to pull secrets or registry auth",
    "run_task_fails": (
        "Capacity is unavailable at this time. Please try again later or in a different availability zone"
    ),
}


@dataclass
class Fault:
    """One fault. It may be limited to one ``service`` name or task ``family``, and to ``times`` strikes."""

    kind: str
    service: str | None = None
    times: int | None = None
    after: int = 0
    seconds: float = 10.0
    reason: str = ""
    stop_code: str = "TaskFailedToStart"
    exit_code: int = 1
    group: str | None = None
    operations: list[str] = field(default_factory=lambda: ["StopTask", "UpdateService"])
    keys: list[str] = field(default_factory=list)
    delta: int = 0
    minimum: int | None = None
    maximum: int | None = None
    suspended: dict[str, bool] | None = None
    family: str | None = None
    started: int = 0
    status: str = "RUNNING"
    event: bool = False  # launch_fails: ECS reports each failed start in the service's events

    def __post_init__(self) -> None:
        if self.kind not in STANDING and self.kind not in MIDWAY:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join([*STANDING, *MIDWAY])}")
        self.service = self.service or self.family
        self.reason = self.reason or REASONS.get(self.kind, "")


class Faults:
    """The faults that are on."""

    def __init__(self) -> None:
        self.on: list[Fault] = []

    def find(self, kind: str, service: str) -> Fault | None:
        for fault in self.on:
            if fault.kind == kind and fault.service in (None, service) and fault.times != 0:
                return fault
        return None

    def strike(self, kind: str, service: str) -> Fault | None:
        """Find a fault like ``find`` and use up one of its ``times``."""
        fault = self.find(kind, service)
        if fault and fault.times is not None:
            fault.times -= 1
        return fault

    def due_midway(self, service: str) -> list[Fault]:
        """Return the MIDWAY faults that are due now that StopTask has stopped one more task of the service."""
        due = []
        for fault in [fault for fault in self.on if fault.kind in MIDWAY and fault.service in (None, service)]:
            fault.after -= 1
            if fault.after <= 0:
                due.append(fault)
                self.on.remove(fault)
        return due
