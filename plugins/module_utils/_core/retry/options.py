# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The retry options: what is retried, how often and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import Refused
from . import backoff
from .request import PARAMETERS, why_not
from .rules import Rule, read_rule

DAY = 86400
STOPPED_TASKS = ("spot", "host_loss", "failed_to_start")


@dataclass(frozen=True)
class RetryOptions:
    """``read_options`` documents the fields that users can set. The function sets the others from where it runs."""

    max_attempts: int = 6
    max_age: int = 6 * 3600
    base_delay: int = 60
    max_delay: int = backoff.LONGEST
    clusters: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    rotate_subnets: bool = True
    fargate_after: int = 0
    retry_quota: bool = False
    tag_tasks: bool = True
    left_alone_started_by: tuple[str, ...] = ("AWS Step Functions", "ecs-svc/*")
    left_alone_clusters: tuple[str, ...] = ("AWSBatch-*", "*_Batch_*")
    left_alone_services: tuple[str, ...] = ("batch.amazonaws.com", "ecs.amazonaws.com", "states.amazonaws.com")
    errors_left_to: tuple[str, ...] = ("events.amazonaws.com", "scheduler.amazonaws.com")
    own_role_arns: frozenset[str] = frozenset()
    stopped_tasks: frozenset[str] = frozenset()
    launch_templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    allow_role_overrides: bool = False
    allow_execute_command: bool = False
    trusted_callers: tuple[str, ...] = ()
    rebuild_hidden: bool = False
    pass_role_arns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    account: str = ""
    region: str = ""


def read_options(written: object, account: str = "", region: str = "") -> RetryOptions:
    """Read the options from a mapping of JSON or YAML. An option that is omitted or null has its default.

    * ``max_attempts``: 1 to 50. ``max_age``: 60 to 86400 s after the first call, since ECS keeps a client token for
      86400 s. ``base_delay`` and ``max_delay``: the delays of the back-off, 1 to 900 s.
    * ``clusters`` (names or ARNs) and ``families``: retry only these. Empty: retry all.
    * ``rotate_subnets``. ``fargate_after``: number of attempts after which FARGATE replaces FARGATE_SPOT, 0 for never.
      ``retry_quota``: whether to retry when a quota of tasks or vCPUs is used up. ``tag_tasks``.
    * ``left_alone_started_by`` and ``left_alone_clusters``, as patterns with ``*``, and ``left_alone_services``:
      callers that retry by themselves. ``errors_left_to``: services that repeat a call after a transient error, but not
      after ``failures`` or a permanent error. ``own_role_arns``.
    * ``stopped_tasks``: kinds of stopped tasks that are started again. ``launch_templates``: by family, the parameters
      that RunTask needs and the event of a task does not contain. ``rules``: see ``read_rule``.
    * ``allow_role_overrides``, ``allow_execute_command``: whether a retry may override the task's roles and turn on
      ECS Exec if the call did. If not, both are dropped. ``pass_role_arns``: by family, the ARNs of the roles that
      overrides may name; other launches are given up. Empty: any role that the function may pass.
    * ``rebuild_hidden``: whether to ask the schedule or rule that made a call for the parts that CloudTrail hides.
    * ``trusted_callers``: ARNs of roles and users, as patterns with ``*``. Throttling and errors of ECS itself are
      retried for these only: ECS may return them before it has checked whether the caller may start the task.

    ``account`` and ``region`` are those to work in. Raises ``Refused``.
    """
    if not isinstance(written, Mapping):
        raise Refused("The retry options must be a mapping, such as max_attempts: 6")
    given = {str(key): value for key, value in written.items() if value is not None}
    unknown = sorted(given.keys() - _READERS.keys())
    if unknown:
        raise Refused(f"The retry options have no {', '.join(unknown)}. They have {', '.join(sorted(_READERS))}")
    options = RetryOptions(
        account=account, region=region, **{key: _READERS[key](key, value) for key, value in given.items()}
    )
    if options.base_delay > options.max_delay:
        raise Refused(
            f"base_delay ({options.base_delay}) is above max_delay ({options.max_delay}). Lower it or raise that"
        )
    return options


def _number(least: int, most: int, why: str = "") -> Callable[[str, object], int]:
    def read(key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Refused(f"{key} must be a whole number from {least} to {most}{why} (got {value!r})")
        return value

    return read


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"{key} must be true or false (got {value!r})")
    return value


def _texts(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
        raise Refused(f"{key} must be a list of texts")
    return tuple(value)


def _set(key: str, value: object) -> frozenset[str]:
    return frozenset(_texts(key, value))


def _names(key: str, value: object) -> frozenset[str]:
    """Return the names from names or ARNs."""
    return frozenset(text.rpartition("/")[2] for text in _texts(key, value))


def _families(key: str, value: object) -> frozenset[str]:
    names = _names(key, value)
    for name in sorted(names):
        if ":" in name:
            raise Refused(f"{key} has {name!r}: a family has no revision. Say {name.partition(':')[0]!r}")
    return names


def _stopped(key: str, value: object) -> frozenset[str]:
    kinds = _set(key, value)
    unknown = sorted(kinds - set(STOPPED_TASKS))
    if unknown:
        raise Refused(f"{key} must be some of {', '.join(STOPPED_TASKS)} (got {', '.join(unknown)})")
    return kinds


def _templates(key: str, value: object) -> dict[str, Mapping[str, Any]]:
    if not isinstance(value, Mapping):
        raise Refused(f"{key} must be a mapping, such as <family>: {{networkConfiguration: ...}}")
    for family, template in value.items():
        unknown = sorted(str(name) for name in template.keys() - PARAMETERS) if isinstance(template, Mapping) else []
        if unknown:
            raise Refused(f"{key}: {family} has {', '.join(unknown)}. RunTask has {', '.join(sorted(PARAMETERS))}")
        problem = (
            why_not({"taskDefinition": str(family), **template}) if isinstance(template, Mapping) else "no mapping"
        )
        if problem:
            raise Refused(
                f"{key}: {family} does not have valid parameters of RunTask: {problem}. Write them as for boto3"
            )
    return {str(family): dict(template) for family, template in value.items()}


def _rules(key: str, value: object) -> tuple[Rule, ...]:
    if not isinstance(value, list):
        raise Refused(f"{key} must be a list of rules")
    return tuple(read_rule(number, rule) for number, rule in enumerate(value, 1))


def _passed(key: str, value: object) -> dict[str, frozenset[str]]:
    if not isinstance(value, Mapping):
        raise Refused(f"{key} must be a mapping of families to lists of ARNs")
    return {str(family): _set(f"{key}: {family}", arns) for family, arns in value.items()}


_READERS: dict[str, Callable[[str, object], Any]] = {
    "max_attempts": _number(1, 50),
    "max_age": _number(60, DAY, " seconds: ECS forgets client tokens after a day"),
    "base_delay": _number(1, backoff.LONGEST, " seconds"),
    "max_delay": _number(1, backoff.LONGEST, " seconds, the longest delay of Amazon SQS"),
    "clusters": _names,
    "families": _families,
    "rotate_subnets": _flag,
    "fargate_after": _number(0, 50),
    "retry_quota": _flag,
    "tag_tasks": _flag,
    "left_alone_started_by": _texts,
    "left_alone_clusters": _texts,
    "left_alone_services": _texts,
    "errors_left_to": _texts,
    "own_role_arns": _set,
    "stopped_tasks": _stopped,
    "launch_templates": _templates,
    "rules": _rules,
    "allow_role_overrides": _flag,
    "allow_execute_command": _flag,
    "trusted_callers": _texts,
    "rebuild_hidden": _flag,
    "pass_role_arns": _passed,
}
