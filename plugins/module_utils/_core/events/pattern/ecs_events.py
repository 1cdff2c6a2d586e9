# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Mistakes that EventBridge takes without a word, because it does not know the events of ECS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .findings import Finding, error, warning
from .match import Conditions
from .operators import demands_absence, is_number

TASK = "ECS Task State Change"
DEPLOYMENT = "ECS Deployment State Change"
DETAIL_TYPES = (
    TASK,
    "ECS Service Action",
    DEPLOYMENT,
    "ECS Container Instance State Change",
    "AWS API Call via CloudTrail",
    "AWS Service Event via CloudTrail",
)
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
    """What can be said against one set of conditions, all of which have to hold at once."""
    for path, entries in conditions.items():
        yield from _field(path, entries)
    detail_types = conditions.get("detail-type", ())
    if conditions.get("source") == ["aws.ecs"]:
        yield from _unknown("detail-type", detail_types, DETAIL_TYPES, "is not a detail-type of Amazon ECS")
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
            'without it, the end of one task matches two times or three: add {"detail": {"lastStatus": ["STOPPED"]}}'
        )
        yield warning("detail.lastStatus", words)
    yield from _absence_beside_others(conditions)


def _field(path: str, entries: Sequence[Any]) -> Iterator[Finding]:
    exact = [entry for entry in entries if not isinstance(entry, dict)]
    if path.partition(".")[0] not in _FIELDS:
        yield warning(path, f"events have no such field at the top, so none will match: is detail.{path} meant?")
    if path in _OBJECTS and any(isinstance(entry, dict) and "exists" in entry for entry in entries):
        yield warning(path, "exists looks at single values, and this has fields of its own: name one of them")
    if path == "account" and any(map(is_number, exact)):
        yield warning(path, "the number of an account is a string in events: put it into quotes")
    if path == "detail.containers.exitCode" and any(isinstance(entry, str) for entry in exact):
        yield warning(path, "exit codes are numbers in events: write them without quotes")
    if path == "detail.lastStatus":
        yield from _unknown(path, exact, _STATUSES, "is not a status of a task")
    if path == "detail.taskDefinitionArn" and any(re.search(r"task-definition/[^/:]+:\d+$", str(one)) for one in exact):
        words = "a revision is named, and none will match after the next one: for every revision, use"
        yield warning(path, f'{words} {{"prefix": "arn:...:task-definition/FAMILY:"}}')


def _unknown(path: str, values: Sequence[Any], known: Sequence[str], words: str) -> Iterator[Finding]:
    for value in values:
        if isinstance(value, str) and value not in known:
            import difflib  # noqa: PLC0415 - slow to import, and only mistakes need it

            near = {name.lower(): name for name in known}
            meant = difflib.get_close_matches(value.lower(), near, 1)
            yield warning(path, f"{value!r} {words}{f': is {near[meant[0]]!r} meant?' if meant else ''}")


def _absence_beside_others(conditions: Conditions) -> Iterator[Finding]:
    """Whether it means one container or all of them hangs on the order of the alphabet."""
    inside = [path for path in conditions if path.startswith("detail.containers.")]
    for path in inside:
        if len(inside) > 1 and any(map(demands_absence, conditions[path])):
            words = (
                "beside another condition on containers, exists: false may be about all containers and not about one"
            )
            yield warning(path, f"{words}: put it into an object of $or of its own")
