# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Rules that say what to do about a failure. They are tried in order, and the first that fits decides.

The wording follows the podFailurePolicy of Kubernetes jobs; the conditions use the terms of ECS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Refused
from .model import Launch, StoppedTask

ACTIONS = ("retry", "ignore", "fail")
STOP_CODES = (
    "TaskFailedToStart",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
)
_KEYS = {"action", "launch_failure", "exit_codes", "containers", "stop_codes", "reasons"}

# Containers that AWS adds to a task. Their exits say nothing about the job.
_INJECTED = ("aws-guardduty-agent", "ecs-service-connect-")


@dataclass(frozen=True)
class Rule:
    """A rule fits if all its conditions hold.

    ``launch_failure`` True limits the rule to refused launches, False to stopped tasks. ``exit_codes`` and
    ``stop_codes`` are conditions on stopped tasks. ``containers`` limits ``exit_codes`` to some containers.
    ``reasons`` are regular expressions: at least one of them must match one of AWS's reasons.
    """

    action: str
    launch_failure: bool | None = None
    exit_codes: frozenset[int] = frozenset()
    containers: frozenset[str] = frozenset()
    stop_codes: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()

    def fits_launch(self, launch: Launch) -> bool:
        if self.launch_failure is False or self.exit_codes or self.stop_codes:
            return False
        return self._fits_reasons(launch.reasons)

    def fits_task(self, task: StoppedTask) -> bool:
        if self.launch_failure or (self.stop_codes and task.stop_code not in self.stop_codes):
            return False
        if self.exit_codes and not self.exit_codes & exit_codes(task, self.containers):
            return False
        # A task that its application ended is retried only if the rule lists exit codes.
        if self.action == "retry" and not self.exit_codes and task.stop_code == "EssentialContainerExited":
            return False
        return self._fits_reasons(task.reasons)

    def _fits_reasons(self, reasons: tuple[str, ...]) -> bool:
        return not self.reasons or any(re.search(pattern, words) for pattern in self.reasons for words in reasons)


def exit_codes(task: StoppedTask, containers: frozenset[str] = frozenset()) -> set[int]:
    """Return the exit codes of these containers; if none are named, of all except those that AWS added."""
    return {
        end.code
        for end in task.exits
        if end.code is not None
        and (end.container in containers if containers else not end.container.startswith(_INJECTED))
    }


def read_rule(number: int, written: object) -> Rule:
    """Read a rule as the user wrote it. ``number`` counts from 1. Raises ``Refused``."""
    where = f"rules: number {number}"
    if not isinstance(written, Mapping):
        raise Refused(f"{where} must be a mapping, such as action: retry with conditions")
    given = {key: value for key, value in written.items() if value is not None}
    unknown = sorted(str(key) for key in given.keys() - _KEYS)
    if unknown:
        raise Refused(f"{where} has {', '.join(unknown)}, which no rule has. It can have {', '.join(sorted(_KEYS))}")
    if given.get("action") not in ACTIONS:
        raise Refused(f"{where}: action is {given.get('action')!r}. Say {', '.join(ACTIONS)}")
    if given.keys() == {"action"}:
        raise Refused(f"{where} has no condition. Give at least one of {', '.join(sorted(_KEYS - {'action'}))}")
    if 0 in _list(where, given, "exit_codes") and given["action"] != "ignore":
        raise Refused(f"{where}: exit_codes has 0, which is not a failure. Only a rule with action: ignore may have it")
    rule = Rule(
        action=str(given["action"]),
        launch_failure=_flag(where, given),
        exit_codes=frozenset(_exit_code(where, code) for code in _list(where, given, "exit_codes")),
        containers=frozenset(str(name) for name in _list(where, given, "containers")),
        stop_codes=frozenset(_stop_code(where, code) for code in _list(where, given, "stop_codes")),
        reasons=tuple(_pattern(where, words) for words in _list(where, given, "reasons")),
    )
    if rule.containers and not rule.exit_codes:
        raise Refused(f"{where}: containers requires exit_codes")
    if rule.launch_failure and (rule.exit_codes or rule.stop_codes):
        raise Refused(f"{where}: a refused launch has no exit_codes and no stop_codes. Omit these or launch_failure")
    return rule


def _list(where: str, given: Mapping[Any, Any], key: str) -> list[Any]:
    value = given.get(key, [])
    if not isinstance(value, list) or (key in given and not value):
        raise Refused(f"{where}: {key} must be a list that is not empty")
    return value


def _flag(where: str, given: Mapping[Any, Any]) -> bool | None:
    value = given.get("launch_failure")
    if value is not None and not isinstance(value, bool):
        raise Refused(f"{where}: launch_failure must be true for refused launches, or false for tasks (got {value!r})")
    return value


def _exit_code(where: str, code: object) -> int:
    if isinstance(code, bool) or not isinstance(code, int):
        raise Refused(f"{where}: exit_codes must be whole numbers (got {code!r})")
    return code


def _stop_code(where: str, code: object) -> str:
    if code not in STOP_CODES:
        raise Refused(f"{where}: stop_codes must be some of {', '.join(STOP_CODES)} (got {code!r})")
    return str(code)


def _pattern(where: str, words: object) -> str:
    try:
        if isinstance(words, str) and words:
            re.compile(words)
            return words
    except re.error as error:
        raise Refused(f"{where}: reasons must be regular expressions (got {words!r}: {error})") from None
    raise Refused(f"{where}: reasons must be regular expressions, as text (got {words!r})")
