# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What made a call: the schedule or the rule that ``startedBy`` names, and the overrides that it asks for.

CloudTrail has hidden the environment of RunTask's overrides since June 2023
(aws-samples/siem-on-amazon-opensearch-service#430, aws-samples/aws-batch-runtime-monitoring#20). Tasks of EventBridge
Scheduler are started by ``chronos-schedule/<name>`` and tasks of rules by ``events-rule/<name>``, cut to 36 characters.
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
# What Scheduler fills in again for each run; see "Adding context attributes" in its user guide.
_OF_A_RUN = "<aws.scheduler."


@dataclass(frozen=True)
class Caller:
    """A schedule or a rule. ``name`` is the beginning of its name where ``started_by`` was cut off."""

    kind: str
    name: str
    started_by: str

    def is_named(self, name: str) -> bool:
        """Whether it may be the one of this name."""
        prefix = self.started_by.removesuffix(self.name)
        return (prefix + name)[:LONGEST_STARTED_BY] == self.started_by


@dataclass(frozen=True)
class Candidate:
    """A target that may have made the call. ``text`` is its constant input; None when each event makes another."""

    cluster: str
    task_definition: str
    text: str | None


def caller_of(started_by: object) -> Caller | None:
    """The schedule or the rule that ``startedBy`` names; None for others."""
    for prefix, kind in _PREFIXES.items():
        if isinstance(started_by, str) and started_by.startswith(prefix):
            name = started_by.removeprefix(prefix)
            if len(started_by) <= LONGEST_STARTED_BY and _NAME.fullmatch(name):
                return Caller(kind, name, started_by)
    return None


def candidate(target: Mapping[str, Any]) -> Candidate | None:
    """From a target of GetSchedule or of ListTargetsByRule; None when it starts no task."""
    parameters = target.get("EcsParameters")
    if not isinstance(parameters, Mapping):
        return None
    varies = "InputPath" in target or "InputTransformer" in target or _OF_A_RUN in str(target.get("Input"))
    text = None if varies else str(target.get("Input") or "{}")
    return Candidate(str(target.get("Arn")), str(parameters.get("TaskDefinitionArn")), text)


def rebuilt(
    request: Mapping[str, Any], caller: Caller, candidates: Iterable[Candidate | None]
) -> tuple[dict[str, Any], str]:
    """The request with the overrides of the one that made it, and why that is not known, or an empty text."""
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
    # A definition without a revision is the latest one, in a schedule as in a call.
    any_revision = ":" not in given.rpartition("/")[2] and family_of(wanted) == family_of(given)
    return cluster_of(one.cluster) == cluster_of(request.get("cluster")) and (same_revision or any_revision)


def _overrides(text: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The overrides in an input; None when they are not those of the call, as far as that shows its own."""
    try:
        overrides = json.loads(text)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(overrides, dict) and bool(overrides) and not oddity(overrides)
    return overrides if whole and agrees(request.get("overrides"), overrides) else None
