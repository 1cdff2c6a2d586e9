# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options of a run, checked as far as possible without AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..amounts import LARGEST_COUNT, Amount, parse_amount, read_seconds
from ..errors import Refused
from .record import LONGEST_LEASE
from .selector import Narrowing, Selector, read_narrowing, read_selector

STOP_TASK, SCALE_IN = "stop_task", "scale_in"


@dataclass(frozen=True)
class Settings:
    """The options of one run. Durations are in seconds."""

    selector: Selector | None  # None: restore only
    batch_size: Amount = field(default_factory=lambda: Amount(1))
    batch_wait: float = 0.0
    surge: int | None = None  # None: auto
    minimum_healthy_percent: int = 100
    wait_for: str = "auto"
    stabilize_time: float | None = None  # None: depends on what the service can report
    wait_timeout: float = 900.0
    wait_for_capacity: float | None = None  # None: depends on the service's capacity provider
    wait_delay: float = 3.0
    on_deployment: str = "fail"
    deployment_timeout: float = 3600.0
    protected_tasks: str = "skip"
    suspend_scaling: tuple[str, ...] = ("dynamic_in",)
    lease: float = 600.0
    reason: str = ""
    narrowing: Narrowing = field(default_factory=Narrowing)
    order: str = "oldest"
    max_tasks: int | None = None
    max_failures: int = 0
    checkpoints: tuple[float, ...] = ()  # percent, rising
    checkpoint_wait: float = 3600.0
    bake_time: float = 0.0
    alarms: tuple[str, ...] = ()  # names
    timeout: float | None = None
    protected_timeout: float = 3600.0
    on_failure: str = "restore"
    stop_method: str = STOP_TASK
    check_images: bool = True


# Options in seconds, and options that are used as they are.
_ABOVE_0 = ("wait_delay", "wait_timeout", "deployment_timeout", "lease", "timeout", "protected_timeout")
_FROM_0 = ("batch_wait", "stabilize_time", "wait_for_capacity", "checkpoint_wait", "bake_time")
_AS_GIVEN = (
    *("minimum_healthy_percent", "wait_for", "on_deployment", "protected_tasks", "order", "max_tasks", "max_failures"),
    *("on_failure", "stop_method", "check_images"),
)


def _checkpoints(values: Sequence[float]) -> tuple[float, ...]:
    if any(not 0 < value <= 100 for value in values) or list(values) != sorted(set(values)):
        shown = ", ".join(f"{value:g}" for value in values)
        raise Refused(
            f"checkpoints must be rising percentages above 0 and up to 100, such as 10, 50, 100 (got {shown})"
        )
    return tuple(values)


def read_settings(options: Mapping[str, Any]) -> Settings:
    """Return the settings for the module options. Raise Refused for a value that can never work."""
    restore_only = options["state"] == "restored"
    selector = read_selector(options, required=not restore_only)
    for name in _ABOVE_0:
        if options[name] is not None:
            read_seconds(name, options[name])
    if options["lease"] is not None and options["lease"] > LONGEST_LEASE:
        raise Refused(f"lease must be at most {LONGEST_LEASE:.0f} seconds, which is a day (got {options['lease']})")
    for name in _FROM_0:
        if options[name] is not None:
            read_seconds(name, options[name], zero=True)
    if options["max_tasks"] is not None and options["max_tasks"] < 1:
        raise Refused(f"max_tasks must be a number of tasks from 1 (got {options['max_tasks']})")
    if options["max_failures"] < 0:
        raise Refused(f"max_failures must be a number of tasks, 0 or more (got {options['max_failures']})")
    if not 0 <= options["minimum_healthy_percent"] <= 100:
        raise Refused(
            f"minimum_healthy_percent must be a percentage from 0 to 100 (got {options['minimum_healthy_percent']})"
        )
    if options["stop_method"] == SCALE_IN and options["protected_tasks"] != "skip":
        raise Refused(
            f"protected_tasks is {options['protected_tasks']}, but with stop_method: scale_in ECS chooses the tasks"
            " to stop, and it never chooses a protected one. Set protected_tasks: skip, or stop_method: stop_task"
        )
    if options["stop_method"] == SCALE_IN and _read_surge(options["surge"]) == 0:
        raise Refused(
            "surge is 0, but stop_method: scale_in must raise the desired count before it can lower it. Set surge:"
            " auto or 1, or stop_method: stop_task"
        )
    seconds: dict[str, Any] = {
        name: None if options[name] is None else float(options[name]) for name in _ABOVE_0 + _FROM_0
    }
    return Settings(
        selector=None if restore_only else selector,
        batch_size=parse_amount("batch_size", options["batch_size"]),
        surge=_read_surge(options["surge"]),
        suspend_scaling=tuple(options["suspend_scaling"] or ()),
        reason=options["reason"] or "",
        narrowing=read_narrowing(options),
        checkpoints=_checkpoints(options["checkpoints"] or ()),
        alarms=tuple(dict.fromkeys(options["alarms"] or ())),
        **seconds,
        **{name: options[name] for name in _AS_GIVEN},
    )


def _read_surge(value: object) -> int | None:
    written = str(value).strip()
    if written == "auto":
        return None
    if not re.fullmatch(r"[0-9]+", written) or len(written) > len(str(LARGEST_COUNT)):
        raise Refused(f"surge must be auto, or a number of tasks from 0 (got {written!r})")
    return int(written)
