# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What a failure is, as an event pattern for each kind.

A failure is final, is not what somebody has asked for, and is not told by another kind as well:

* a standalone task that never started, that ended with an exit code that tells of trouble, or that was
  ended from outside: by Spot, with its host, or for a reason that nobody knows yet;
* a task of a service that never started, that ended by itself with whatever code, or that a health check
  ended. What ECS does to run the service as wanted is none: deployments, scale-in, replacing a host;
* a service that ECS cannot run as wanted, a deployment that failed, a launch that was refused or that
  started less than asked for, a workflow that failed or timed out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .filters import EXITED, Filters, Resource

Pattern = dict[str, Any]

ABSENT = {"exists": False}
PRESENT = {"exists": True}

SCHEDULER = "ServiceSchedulerInitiated"
USER = "UserInitiated"
# Of a task of a service these are no failures: ECS replaces it at once.
_ROUTINE = (SCHEDULER, USER, "SpotInterruption", "TerminationNotice")
_FAILED_HEALTH = ("*failed ELB health checks*", "*failed container health checks*")

# What a container says that has no exit code to tell of it. Never compared for equality: texts go on, or vary.
_REASONS = ({"prefix": "OutOfMemory"}, {"prefix": "Cannot"}, {"wildcard": "*TimeoutError*"})


def failure_pattern(kind: str, filters: Filters) -> Pattern:
    """The event pattern of the failures of a kind."""
    return _PATTERNS[kind](filters)


def _task(filters: Filters) -> Pattern:
    others = {"anything-but": [EXITED, USER]}
    return _task_change(
        filters,
        {"lastStatus": ["STOPPED"], "group": _texts(filters.groups) or [_but_prefix("service:"), ABSENT]},
        _stops(filters, unlisted=[others, ABSENT], ended=_exits(filters, (0,))),
    )


def _service_task(filters: Filters) -> Pattern:
    groups = [f"service:{service.name}" for service in filters.services]
    unhealthy = _texts(filters.stopped_reasons or _FAILED_HEALTH)
    others = {"anything-but": [EXITED, *_ROUTINE]}
    branches = _stops(filters, unlisted=[others, ABSENT], ended=_exits(filters, ()), apart=SCHEDULER)
    if SCHEDULER in filters.stop_codes or not (filters.stop_codes or filters.exit_codes):
        branches.append({"stopCode": [SCHEDULER], "stoppedReason": unhealthy})
    return _task_change(filters, {"lastStatus": ["STOPPED"], "group": groups or [{"prefix": "service:"}]}, branches)


def _all_task_changes(filters: Filters) -> Pattern:
    groups = [f"service:{service.name}" for service in filters.services] + _texts(filters.groups)
    return _task_change(filters, {"group": groups} if groups else {}, [])


def _task_change(filters: Filters, conditions: Pattern, branches: Sequence[Pattern]) -> Pattern:
    detail = {
        **_if("clusterArn", _arns(filters.clusters, "cluster")),
        **_if("taskDefinitionArn", [_any_revision(family) for family in filters.task_families]),
        **_if("startedBy", _texts(filters.started_by)),
        **conditions,
        **_either(branches),
    }
    return _pattern("aws.ecs", "ECS Task State Change", detail)


def _stops(filters: Filters, unlisted: list[Any], ended: Sequence[Pattern], apart: str = "") -> list[Pattern]:
    """One branch for each way to stop, but for the stop code ``apart``; with ``stopped_reasons``, in each its words."""
    reasons = _if("stoppedReason", _texts(filters.stopped_reasons))
    listed = [code for code in filters.stop_codes if code not in {EXITED, apart}]
    exits = [{"stopCode": [EXITED], **reasons, **branch} for branch in ended]
    if not filters.stop_codes:
        return exits if filters.exit_codes else [{"stopCode": unlisted, **reasons}, *exits]
    return [
        *([{"stopCode": listed, **reasons}] if listed else []),
        *(exits if EXITED in filters.stop_codes else []),
    ]


def _exits(filters: Filters, good: tuple[int, ...]) -> list[Pattern]:
    """How a task can have ended by itself that is a failure. ``good`` exit codes never are."""
    names = _if("name", _names(filters))
    if filters.exit_codes:
        return [{"containers": {**names, "exitCode": list(filters.exit_codes)}}]
    ignored = list(dict.fromkeys([*good, *filters.ignore_exit_codes]))
    codes = [{"anything-but": ignored}] if ignored else [PRESENT]
    return [
        {"containers": {**names, "exitCode": codes}},
        {"containers": {"exitCode": [ABSENT]}},  # of all containers: nobody has seen how they ended
        {"containers": {**names, "reason": list(_REASONS)}},
    ]


def _names(filters: Filters) -> list[Any]:
    if filters.container_names:
        return _texts(filters.container_names)
    ignored = filters.ignore_containers
    if not ignored:
        return []
    if all(name.endswith("*") and "*" not in name[:-1] for name in ignored):
        return [_but_prefix(*(name[:-1] for name in ignored))]
    if any("*" in name for name in ignored):
        return [{"anything-but": {"wildcard": list(ignored)}}]
    return [{"anything-but": list(ignored)}]


def _service_action(filters: Filters) -> Pattern:
    unhealthy_is_told_by_the_task = {"anything-but": ["SERVICE_DISCOVERY_INSTANCE_UNHEALTHY"]}
    detail = {
        **_if("clusterArn", _arns(filters.clusters, "cluster")),
        **_either(
            [{"eventType": ["ERROR"]}, {"eventType": ["WARN"], "eventName": [unhealthy_is_told_by_the_task]}],
        ),
    }
    # The cluster has been told by clusterArn. Services from before 2019 may have ARNs without one.
    services = [service.arn or {"suffix": f"/{service.name}"} for service in filters.services]
    return _pattern("aws.ecs", "ECS Service Action", detail, services)


def _deployment(filters: Filters) -> Pattern:
    detail = {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}
    return _pattern("aws.ecs", "ECS Deployment State Change", detail, _services_of_clusters(filters))


def _services_of_clusters(filters: Filters) -> list[Any]:
    """The ARNs of services, for events that name their cluster nowhere else."""
    if not filters.clusters:
        return [{"suffix": f"/{service.name}"} for service in filters.services]
    found: list[Any] = []
    for cluster in filters.clusters:
        inside = cluster.arn.replace(":cluster/", ":service/") if cluster.arn else f":service/{cluster.name}"
        if filters.services and cluster.arn:
            found += [f"{inside}/{service.name}" for service in filters.services]
        elif filters.services:
            found += [{"suffix": f"{inside}/{service.name}"} for service in filters.services]
        else:
            found.append({"prefix": f"{inside}/"} if cluster.arn else {"wildcard": f"*{inside}/*"})
    return found


def _launch(filters: Filters) -> Pattern:
    """Refused calls may be recorded without their parameters: then it is unknown whose they were, and they count."""
    default = [ABSENT] if any(cluster.name == "default" for cluster in filters.clusters) else []
    clusters = [way for cluster in filters.clusters for way in _as_requested(cluster, "cluster")]
    families = [way for family in filters.task_families for way in _family_as_requested(family)]
    others = {
        **_if("taskDefinition", families),
        **_if("group", _texts(filters.groups)),
        **_if("startedBy", _texts(filters.started_by)),
    }
    known = {**_if("cluster", [*clusters, *default]), **others}
    unknown = {name: [*(entry for entry in entries if entry != ABSENT), ABSENT] for name, entries in known.items()}
    excluded = [{"anything-but": list(filters.exclude_role_arns)}, ABSENT] if filters.exclude_role_arns else []
    issuer = {"sessionContext": {"sessionIssuer": {"arn": excluded}}} if excluded else {}
    detail = {
        "eventSource": ["ecs.amazonaws.com"],
        "eventName": ["RunTask", "StartTask"],
        **_if("userIdentity", issuer),
        **_either(
            [
                {"errorCode": [PRESENT], **_if("requestParameters", unknown)},
                {"responseElements": {"failures": {"reason": [PRESENT]}}, **_if("requestParameters", known)},
            ]
        ),
    }
    return _pattern("aws.ecs", "AWS API Call via CloudTrail", detail)


def _state_machine(filters: Filters) -> Pattern:
    detail = {"status": list(filters.statuses), **_if("stateMachineArn", list(filters.state_machine_arns))}
    return _pattern("aws.states", "Step Functions Execution Status Change", detail)


_PATTERNS: Mapping[str, Callable[[Filters], Pattern]] = {
    "task": _task,
    "service_task": _service_task,
    "service_action": _service_action,
    "deployment": _deployment,
    "launch": _launch,
    "state_machine": _state_machine,
    "all_task_changes": _all_task_changes,
}


def _pattern(source: str, detail_type: str, detail: Pattern, resources: Sequence[Any] = ()) -> Pattern:
    head = {"source": [source], "detail-type": [detail_type]}
    return {**head, **_if("resources", list(resources)), **_if("detail", detail)}


def _if(name: str, value: Any) -> Pattern:
    return {name: value} if value else {}


def _either(branches: Sequence[Pattern]) -> Pattern:
    """``$or`` needs two branches."""
    return {"$or": list(branches)} if len(branches) > 1 else dict(*branches)


def _but_prefix(*prefixes: str) -> Pattern:
    return {"anything-but": {"prefix": prefixes[0] if len(prefixes) == 1 else list(prefixes)}}


def _texts(written: Sequence[str]) -> list[Any]:
    """As they are, or with * for any characters; a backslash means itself."""
    return [{"wildcard": text.replace("\\", "\\\\")} if "*" in text else text for text in written]


def _arns(resources: Sequence[Resource], sort: str) -> list[Any]:
    """The ARN, or of a name the end of the ARN: the bus has the events of one account and region anyhow."""
    return [resource.arn or {"suffix": f":{sort}/{resource.name}"} for resource in resources]


def _any_revision(family: Resource) -> Pattern:
    return {"prefix": f"{family.arn}:"} if family.arn else {"wildcard": f"*:task-definition/{family.name}:*"}


def _as_requested(resource: Resource, sort: str) -> list[Any]:
    """Callers write names or ARNs."""
    return [resource.name, resource.arn or {"suffix": f":{sort}/{resource.name}"}]


def _family_as_requested(family: Resource) -> list[Any]:
    """With a revision, and without one."""
    name = family.arn.rpartition("/")[2] if family.arn else family.name
    arn = family.arn or {"suffix": f":task-definition/{name}"}
    return [name, {"prefix": f"{name}:"}, arn, _any_revision(family)]
