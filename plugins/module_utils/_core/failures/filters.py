# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the options that narrow a kind of failure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import Refused
from ..names import (
    CLUSTER,
    ECS_NAME,
    FAMILY,
    ROLE,
    SERVICE,
    UNQUALIFIED_STATE_MACHINE,
    ArnRule,
    read_arn,
    read_name_or_arn,
)

TASKS = ("task", "service_task")
OF_SERVICES = ("service_task", "service_action", "deployment", "deployment_hook")
OF_CLUSTERS = ("daemon", "container_instance")
KINDS = ("task", *OF_SERVICES, *OF_CLUSTERS, "task_retirement", "launch", "state_machine", "all_task_changes")

# Each filter, and the kinds it makes sense for.
TAKEN_BY: Mapping[str, tuple[str, ...]] = {
    "clusters": ("task", *OF_SERVICES, *OF_CLUSTERS, "task_retirement", "launch", "all_task_changes"),
    "services": (*OF_SERVICES, "task_retirement", "all_task_changes"),
    "task_families": (*TASKS, "launch", "all_task_changes"),
    "groups": ("task", "launch", "all_task_changes"),
    "started_by": ("task", "launch", "all_task_changes"),
    "container_names": TASKS,
    "ignore_containers": TASKS,
    "exit_codes": TASKS,
    "ignore_exit_codes": TASKS,
    "stop_codes": TASKS,
    "stopped_reasons": TASKS,
    "state_machine_arns": ("state_machine",),
    "statuses": ("state_machine",),
    "exclude_role_arns": ("launch",),
    "exclude_clusters": ("launch",),
    "callers": ("launch",),
    "exclude_callers": ("launch",),
    "retried_clusters": ("launch",),
    "retried_task_families": ("launch",),
}

INJECTED = ("aws-guardduty-agent-*", "ecs-service-connect-*")  # containers that AWS adds to those of the task
IGNORED_EXIT_CODES = (143,)  # a container ended by SIGTERM, the signal that ECS sends to stop a task
# AWS Batch calls RunTask until there is room, so most of its refusals are routine.
BATCH_CLUSTERS = ("AWSBatch-*",)
BATCH = ("batch.amazonaws.com",)
# Callers that the role launch_retry leaves alone by default, because they retry by themselves.
RETRY_THEMSELVES = (*BATCH, "ecs.amazonaws.com", "states.amazonaws.com")
ENDED_BADLY = ("FAILED", "TIMED_OUT")
STATUSES = (*ENDED_BADLY, "ABORTED", "RUNNING", "SUCCEEDED", "PENDING_REDRIVE")
EXITED = "EssentialContainerExited"

_NUMBER = range(-(2**31), 2**32)  # Linux has 0 to 255; Windows has 32 bits, which people write with and without a sign


class Resource(NamedTuple):
    """A resource that the user named, by name or by ARN. Services have a cluster if the ARN contains it."""

    name: str
    arn: str | None = None
    cluster: Resource | None = None


@dataclass(frozen=True)
class Filters:
    """The filters of a kind. An empty value is no filter. The defaults are those of omitted options."""

    clusters: tuple[Resource, ...] = ()
    services: tuple[Resource, ...] = ()
    task_families: tuple[Resource, ...] = ()
    groups: tuple[str, ...] = ()
    started_by: tuple[str, ...] = ()
    container_names: tuple[str, ...] = ()
    ignore_containers: tuple[str, ...] = INJECTED
    exit_codes: tuple[int, ...] = ()
    ignore_exit_codes: tuple[int, ...] = IGNORED_EXIT_CODES
    stop_codes: tuple[str, ...] = ()
    stopped_reasons: tuple[str, ...] = ()
    state_machine_arns: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ENDED_BADLY
    exclude_role_arns: tuple[str, ...] = ()
    exclude_clusters: tuple[str, ...] = BATCH_CLUSTERS
    callers: tuple[str, ...] = ()
    exclude_callers: tuple[str, ...] = BATCH
    retried_clusters: tuple[Resource, ...] = ()
    retried_task_families: tuple[Resource, ...] = ()


def given_filters(params: Mapping[str, Any]) -> list[str]:
    """Return the names of the filters that the user gave. An empty list does not count: it filters nothing."""
    return [name for name in TAKEN_BY if params.get(name)]


def read_filters(kind: str, params: Mapping[str, Any]) -> Filters:
    """Return the filters of a kind. Raise ``Refused`` for those it does not accept, and for nonsensical values."""
    for name in given_filters(params):
        if kind not in TAKEN_BY[name]:
            raise Refused(f"{name} is not for kind: {kind}. It is for {_words(TAKEN_BY[name])}. Omit it")
    texts = {name: _texts(name, params.get(name)) for name in TAKEN_BY if "exit_codes" not in name}
    _refuse_contradictions(params)
    clusters = tuple(_resource("clusters", text, CLUSTER) for text in texts["clusters"])
    services = tuple(_service(text) for text in texts["services"])
    return Filters(
        clusters=_with_those_of_services(clusters, services),
        services=services,
        task_families=tuple(_family("task_families", text) for text in texts["task_families"]),
        groups=tuple(_group(kind, text) for text in texts["groups"]),
        started_by=texts["started_by"],
        container_names=texts["container_names"],
        ignore_containers=INJECTED if params.get("ignore_containers") is None else texts["ignore_containers"],
        exit_codes=_numbers("exit_codes", params.get("exit_codes")),
        ignore_exit_codes=(
            IGNORED_EXIT_CODES
            if params.get("ignore_exit_codes") is None
            else _numbers("ignore_exit_codes", params["ignore_exit_codes"])
        ),
        stop_codes=tuple(_stop_code(text) for text in texts["stop_codes"]),
        stopped_reasons=texts["stopped_reasons"],
        state_machine_arns=_arns("state_machine_arns", texts, UNQUALIFIED_STATE_MACHINE),
        statuses=tuple(_status(text) for text in texts["statuses"]) or ENDED_BADLY,
        exclude_role_arns=_arns("exclude_role_arns", texts, ROLE),
        exclude_clusters=BATCH_CLUSTERS if params.get("exclude_clusters") is None else texts["exclude_clusters"],
        callers=tuple(_caller("callers", text) for text in texts["callers"]),
        exclude_callers=(
            BATCH
            if params.get("exclude_callers") is None
            else tuple(_caller("exclude_callers", text) for text in texts["exclude_callers"])
        ),
        retried_clusters=tuple(_resource("retried_clusters", text, CLUSTER) for text in texts["retried_clusters"]),
        retried_task_families=tuple(_family("retried_task_families", text) for text in texts["retried_task_families"]),
    )


def _words(kinds: Sequence[str]) -> str:
    return f"kind: {kinds[0]}" if len(kinds) == 1 else f"the kinds {', '.join(kinds)}"


def _texts(option: str, values: Sequence[str] | None) -> tuple[str, ...]:
    for value in values or ():
        if not value.strip():
            raise Refused(f"{option} must not have an empty entry")
        if "**" in value:
            raise Refused(
                f"{option}: {value!r} has two * one after another. Write one, which stands for any characters"
            )
    return tuple(dict.fromkeys(values or ()))


def _numbers(option: str, values: Sequence[int] | None) -> tuple[int, ...]:
    for value in values or ():
        if value not in _NUMBER:
            raise Refused(f"{option} must be exit codes from 0 to 255, or 32-bit values on Windows (got {value})")
    return tuple(dict.fromkeys(values or ()))


def _refuse_contradictions(params: Mapping[str, Any]) -> None:
    for one, other, words in (
        ("exit_codes", "ignore_exit_codes", "the first lists all codes that count"),
        ("container_names", "ignore_containers", "the first lists all containers that count"),
        ("clusters", "exclude_clusters", "the first lists all clusters that count"),
        ("callers", "exclude_callers", "the first lists all callers that count"),
    ):
        if params.get(one) and params.get(other):
            raise Refused(f"{one} and {other} are both given, and {words}. Give one of them")
    if bool(params.get("retried_clusters")) != bool(params.get("retried_task_families")):
        raise Refused(
            "retried_clusters and retried_task_families must be given together: the role launch_retry looks after "
            "these families in these clusters"
        )
    if params.get("exit_codes") and params.get("stop_codes") and EXITED not in params["stop_codes"]:
        raise Refused(
            f"exit_codes is about tasks that stopped with {EXITED}, which stop_codes leaves out. Add it there"
        )


def _service(text: str) -> Resource:
    found = _resource("services", text, SERVICE)
    if found.arn is None:
        return found
    head, _service, path = found.arn.rpartition(":service/")
    cluster = path.rpartition("/")[0]
    if not cluster:
        raise Refused(f"services: {text!r} does not tell the cluster. Give the name of the service, and clusters")
    return Resource(found.name, found.arn, Resource(cluster, f"{head}:cluster/{cluster}"))


def _family(option: str, text: str) -> Resource:
    if re.search(r":\d+$", text):
        family = text.rpartition(":")[0]
        raise Refused(f"{option}: {text!r} names a revision, and every revision is meant. Say {family!r}")
    return _resource(option, text, FAMILY)


def _resource(option: str, text: str, rule: ArnRule) -> Resource:
    name, arn = read_name_or_arn(option, text, ECS_NAME, rule)
    return Resource(name, str(arn) if arn else None)


def _arns(option: str, texts: Mapping[str, Sequence[str]], rule: ArnRule) -> tuple[str, ...]:
    return tuple(str(read_arn(option, text, rule)) for text in texts[option])


def _with_those_of_services(clusters: tuple[Resource, ...], services: Sequence[Resource]) -> tuple[Resource, ...]:
    """Return the clusters that are meant. A pattern cannot tie one service to one cluster and another to another."""
    of_services = {service.cluster.arn: service.cluster for service in services if service.cluster}
    if not of_services:
        return clusters
    if len(of_services) > 1:
        raise Refused("services has ARNs of several clusters. Make a rule for each cluster")
    (cluster,) = of_services.values()
    if any(other.name != cluster.name or other.arn not in {None, cluster.arn} for other in clusters):
        raise Refused(
            f"services has an ARN of the cluster {cluster.name!r}, and clusters names another one. "
            "Omit clusters, or give services by name"
        )
    return (cluster,)


def _group(kind: str, text: str) -> str:
    if kind == "task" and text.startswith("service:"):
        raise Refused(f"groups: {text!r} is the group of a service. Set kind: service_task and services: [{text[8:]}]")
    if kind == "task" and "*" in text and "service:".startswith(text.partition("*")[0]):
        raise Refused(f"groups: {text!r} also matches the groups of services. Begin it with other words, or omit it")
    return text


def _stop_code(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]+", text):
        raise Refused(f"stop_codes: {text!r} is not a stop code of ECS, such as TaskFailedToStart")
    return text


def _caller(option: str, text: str) -> str:
    if not re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com", text):
        raise Refused(
            f"{option}: {text!r} is not the name of an AWS service, such as events.amazonaws.com. Give one; for roles "
            "there is exclude_role_arns"
        )
    return text


def _status(text: str) -> str:
    if text not in STATUSES:
        raise Refused(f"statuses: {text!r} is not a status of an execution. They are {', '.join(STATUSES)}")
    return text
