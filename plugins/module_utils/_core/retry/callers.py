# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Find the schedule or rule that made a call, from its ``startedBy``, and the overrides that it requests.

CloudTrail has hidden the environment of RunTask's overrides since June 2023
(aws-samples/siem-on-amazon-opensearch-service#430, aws-samples/aws-batch-runtime-monitoring#20). ``startedBy`` is
``chronos-schedule/<name>`` for EventBridge Scheduler and ``events-rule/<name>`` for rules, cut to 36 characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .model import cluster_of, family_of
from .overrides import agrees, oddity

LONGEST_STARTED_BY = 36
MOST_CANDIDATES = 20
SCHEDULE, RULE = "schedule", "rule"
_PREFIXES = {"chronos-schedule/": SCHEDULE, "events-rule/": RULE}
_NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")
# Scheduler replaces these placeholders in each run; see "Adding context attributes" in its user guide.
_OF_A_RUN = "<aws.scheduler."


@dataclass(frozen=True)
class Caller:
    """A schedule or a rule. ``name`` is only the beginning of its name if ``started_by`` was cut off."""

    kind: str
    name: str
    started_by: str

    def is_named(self, name: str) -> bool:
        """Return whether the caller may have this name."""
        prefix = self.started_by.removesuffix(self.name)
        return (prefix + name)[:LONGEST_STARTED_BY] == self.started_by


@dataclass(frozen=True)
class Candidate:
    """A target that may have made the call. ``text`` is its constant input, or None if the input varies."""

    cluster: str
    task_definition: str
    text: str | None


def caller_of(started_by: object) -> Caller | None:
    """Return the schedule or rule that ``startedBy`` names; None for other callers."""
    for prefix, kind in _PREFIXES.items():
        if isinstance(started_by, str) and started_by.startswith(prefix):
            name = started_by.removeprefix(prefix)
            if len(started_by) <= LONGEST_STARTED_BY and _NAME.fullmatch(name):
                return Caller(kind, name, started_by)
    return None


def candidate(target: Mapping[str, Any]) -> Candidate | None:
    """Read a target from GetSchedule or ListTargetsByRule; None if it starts no task."""
    parameters = target.get("EcsParameters")
    if not isinstance(parameters, Mapping):
        return None
    varies = "InputPath" in target or "InputTransformer" in target or _OF_A_RUN in str(target.get("Input"))
    text = None if varies else str(target.get("Input") or "{}")
    return Candidate(str(target.get("Arn")), str(parameters.get("TaskDefinitionArn")), text)


def rebuilt(
    request: Mapping[str, Any], caller: Caller, candidates: Iterable[Candidate | None]
) -> tuple[dict[str, Any], str]:
    """Return the request with its caller's overrides and an empty text, or an empty request and the problem."""
    what = f"the {caller.kind} {caller.name}"
    found = [each for each in candidates if each and _started(each, request)]
    if not found:
        return {}, f"{what} has no target with the cluster and the task definition of the call"
    if any(each.text is None for each in found):
        return {}, f"the input of {what} differs in each run"
    answers = [overrides for each in found if (overrides := _overrides(each.text or "", request)) is not None]
    if not answers:
        return {}, f"the overrides of {what} are not those of the call"
    if any(each != answers[0] for each in answers):
        return {}, f"more than one target of {what} may have made the call"
    return {**request, "overrides": answers[0]}, ""


def _started(one: Candidate, request: Mapping[str, Any]) -> bool:
    wanted, given = str(request.get("taskDefinition")), one.task_definition
    same_revision = wanted.rpartition("/")[2] == given.rpartition("/")[2]
    # A task definition without a revision means the latest one, both in a schedule and in a call.
    any_revision = ":" not in given.rpartition("/")[2] and family_of(wanted) == family_of(given)
    return cluster_of(one.cluster) == cluster_of(request.get("cluster")) and (same_revision or any_revision)


def _overrides(text: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the overrides in an input; None if they differ from the visible parts of the call's overrides."""
    try:
        overrides = json.loads(text)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(overrides, dict) and bool(overrides) and not oddity(overrides)
    return overrides if whole and agrees(request.get("overrides"), overrides) else None
