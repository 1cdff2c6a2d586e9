# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Mistakes that EventBridge accepts silently, because it does not know the events of ECS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from .findings import Finding, error, warning
from .match import Conditions
from .operators import demands_absence, is_number

TASK = "ECS Task State Change"
DEPLOYMENT = "ECS Deployment State Change"
# The types on AWS's page "Amazon ECS events" as of November 2026, and those that CloudTrail sends with the source
# aws.ecs. AWS adds others, so an unknown one is not an error.
DETAIL_TYPES = (
    TASK,
    "ECS Service Action",
    DEPLOYMENT,
    "ECS Hook State Change",
    "ECS Container Instance State Change",
    "ECS Container Instance Health Change",
    "ECS Daemon Service Action",
    "ECS Daemon Deployment State Change",
    "AWS API Call via CloudTrail",
    "AWS Service Event via CloudTrail",
)
_AWS = {"aws.ecs", "aws.states"}
_ARN = "arn:"
MAY_BE_ABSENT = {"exists": False}
_FIELDS = {"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"}
_STATUSES = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
)
_OBJECTS = {
    "detail",
    *(
        f"detail.{name}"
        for name in (
            "attachments", "attributes", "containers", "overrides", "overrides.containerOverrides", "requestParameters",
            "responseElements", "responseElements.failures", "responseElements.tasks", "userIdentity",
            "userIdentity.sessionContext", "userIdentity.sessionContext.sessionIssuer",
        )
    ),
}  # fmt: skip


def known_mistakes(conditions: Conditions, repeats_are_meant: bool) -> Iterator[Finding]:
    """Yield the mistakes in one set of conditions, all of which must hold at once."""
    sources = conditions.get("source", ())
    of_aws = bool(sources) and all(isinstance(each, str) and each.startswith("aws.") for each in sources)
    for path, entries in conditions.items():
        yield from _field(path, entries, of_aws)
        if has_arns(path, sources):
            yield from _no_arns(path, entries)
    detail_types = conditions.get("detail-type", ())
    if conditions.get("source") == ["aws.ecs"]:
        yield from _unknown(
            "detail-type",
            detail_types,
            DETAIL_TYPES,
            "is not among the detail-types of Amazon ECS that this collection knows",
        )
    if DEPLOYMENT in detail_types and not any(
        map(demands_absence, conditions.get("detail.clusterArn", [MAY_BE_ABSENT]))
    ):
        words = (
            f"events of the type {DEPLOYMENT!r} do not have it, so none will match: name the cluster in resources, as"
        )
        found = error if len(detail_types) == 1 else warning
        yield found("detail.clusterArn", f'{words} in {{"resources": [{{"wildcard": "*:service/CLUSTER/*"}}]}}')
    if TASK in detail_types and "detail.lastStatus" not in conditions and not repeats_are_meant:
        words = (
            "without it, the rule matches the end of one task two or three times: add "
            '{"detail": {"lastStatus": ["STOPPED"]}}'
        )
        yield warning("detail.lastStatus", words)
    yield from _absence_beside_others(conditions)


def has_arns(path: str, sources: Sequence[Any]) -> bool:
    """Return whether this field has ARNs in events of these sources. ``requestParameters`` has what callers wrote."""
    if not sources or not all(isinstance(source, str) and source in _AWS for source in sources):
        return False
    return path == "resources" or bool(re.fullmatch(r"detail(\.containers)?\.\w+Arns?", path))


def never_an_arn(entry: Any) -> bool:
    """Return whether no ARN can satisfy this entry of a pattern."""
    if isinstance(entry, str):
        return not entry.startswith(_ARN)
    if not isinstance(entry, dict) or len(entry) != 1:
        return not isinstance(entry, dict)
    ((name, operand),) = entry.items()
    if isinstance(operand, dict):
        name, operand = f"{name}, ignoring case", operand.get("equals-ignore-case")
    if not isinstance(operand, str):
        return False
    if name in {"equals-ignore-case", "prefix, ignoring case"}:
        operand = operand.lower()
    begin = operand.partition("*")[0] if name == "wildcard" else operand
    whole = name == "equals-ignore-case" or (name == "wildcard" and "*" not in operand)
    if whole or name.startswith(("prefix", "wildcard")):
        return not begin.startswith(_ARN) and (whole or not _ARN.startswith(begin))
    return False


def _no_arns(path: str, entries: Sequence[Any]) -> Iterator[Finding]:
    never = [entry for entry in entries if never_an_arn(entry)]
    if not never:
        return
    words = f"events have ARNs there, so {_shown(never[0])} never matches: give the ARN, or"
    name = never[0] if isinstance(never[0], str) else "NAME"
    sort = {"clusterArn": "cluster", "stateMachineArn": "stateMachine"}.get(path.rpartition(".")[2])
    shown = {"suffix": f":{sort}{'/' if sort == 'cluster' else ':'}{name}"} if sort else {"wildcard": f"*/{name}*"}
    found = error if len(never) == len(entries) else warning
    yield found(path, f"{words} part of it, as in {json.dumps(shown)}")


def _shown(value: Any) -> str:
    return repr(value) if isinstance(value, str) else json.dumps(value)


def _field(path: str, entries: Sequence[Any], of_aws: bool) -> Iterator[Finding]:
    """Yield what the author of the pattern cannot have meant; as an error if no event of AWS can match."""
    exact = [entry for entry in entries if not isinstance(entry, dict)]
    only_exact = len(exact) == len(entries)
    if path.partition(".")[0] not in _FIELDS:
        found = error if of_aws and not any(map(demands_absence, entries)) else warning
        yield found(path, f"events have no such field at the top level, so none will match: do you mean detail.{path}?")
    if path in _OBJECTS and any(isinstance(entry, dict) and "exists" in entry for entry in entries):
        yield warning(path, "exists looks at single values, and this has fields of its own: name one of them")
    if path == "account" and any(map(is_number, exact)):
        found = error if only_exact and all(map(is_number, exact)) else warning
        yield found(path, "account numbers are strings in events: write it in quotes")
    if path == "detail.containers.exitCode" and any(isinstance(entry, str) for entry in exact):
        found = error if only_exact and all(isinstance(entry, str) for entry in exact) and of_aws else warning
        yield found(path, "exit codes are numbers in events: write them without quotes")
    if path == "detail.lastStatus":
        yield from _unknown(path, exact, _STATUSES, "is not among the statuses of a task that this collection knows")
    if path == "detail.taskDefinitionArn" and any(re.search(r"task-definition/[^/:]+:\d+$", str(one)) for one in exact):
        words = "it names a revision, and no event will match after the next one: for every revision, use"
        yield warning(path, f'{words} {{"prefix": "arn:...:task-definition/FAMILY:"}}')


def _unknown(path: str, values: Sequence[Any], known: Sequence[str], words: str) -> Iterator[Finding]:
    for value in values:
        if isinstance(value, str) and value not in known:
            import difflib  # noqa: PLC0415 - slow to import, and only mistakes need it

            near = {name.lower(): name for name in known}
            meant = difflib.get_close_matches(value.lower(), near, 1)
            yield warning(path, f"{value!r} {words}{f': is {near[meant[0]]!r} meant?' if meant else ''}")


def _absence_beside_others(conditions: Conditions) -> Iterator[Finding]:
    """Yield warnings about conditions that mean one container or all, depending on the fields' alphabetical order."""
    inside = [path for path in conditions if path.startswith("detail.containers.")]
    for path in inside:
        if len(inside) > 1 and any(map(demands_absence, conditions[path])):
            words = (
                "beside another condition on containers, exists: false may be about all containers and not about one"
            )
            yield warning(path, f"{words}: put it into an object of $or of its own")
