# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The definition of a failure, as an event pattern for each kind.

A failure is final, nobody asked for it, and no other kind reports it too:

* a standalone task that never started, that exited with a code that means failure, or that was ended from
  outside: by Spot, with its host, or for a reason that nobody knows yet;
* a task of a service that never started, that exited by itself with any code but 143, or that a health
  check ended. What ECS does to run the service as requested is not a failure: deployments, scale-in, replacing a host;
* a service that ECS cannot run as requested, a deployment that failed, a hook that waits, a launch that was
  refused or that started fewer tasks than requested, a workflow that failed or timed out.

Event names and types are those of AWS's pages "Amazon ECS service action events", "... service deployment hook
state change events", "Daemon events", "... container instance health change events" and "Task retirement and
maintenance for AWS Fargate", as of November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .filters import EXITED, RETRY_THEMSELVES, Filters, Resource

Pattern = dict[str, Any]

DAEMON_TYPES = ("ECS Daemon Service Action", "ECS Daemon Deployment State Change")

ABSENT = {"exists": False}
PRESENT = {"exists": True}

SCHEDULER = "ServiceSchedulerInitiated"
USER = "UserInitiated"
NEVER_RAN = "TaskFailedToStart"
# These are not failures of a task of a service, because ECS replaces it at once.
_ROUTINE = (SCHEDULER, USER, "SpotInterruption", "TerminationNotice", "InfrastructureHealth")
_FAILED_HEALTH = ("*failed ELB health checks*", "*failed container health checks*")

# Reasons of a container that has no exit code. Never compared for equality, because the texts continue or vary.
_REASONS = ({"prefix": "OutOfMemory"}, {"prefix": "Cannot"}, {"wildcard": "*TimeoutError*"})
# Stop reasons of a task that do not say the cause; the containers do.
_SAYS_NOTHING = ["Essential container in task exited*", "Task failed to start"]
# If there is no stop code, a stop reason with one of these words means that nothing failed.
_NOT_ROUTINE = {"stoppedReason": [{"anything-but": {"wildcard": ["*Spot*", "*caling*"]}}, ABSENT]}
# No container has an exit code: nobody has seen how they ended.
_NEVER_SEEN = {"containers": {"exitCode": [ABSENT]}}

_DISCOVERY = "SERVICE_DISCOVERY_INSTANCE_UNHEALTHY"
_LATTICE = "VPC_LATTICE_TARGET_UNHEALTHY"
_NO_ROOM = "SERVICE_TASK_PLACEMENT_FAILURE"
_DEPLOYMENT_FAILED = "SERVICE_DEPLOYMENT_FAILED"
# A failed availability zone rebalancing has the name of a placement failure. AWS's page "Track Amazon ECS
# Availability Zone rebalancing" gives its text with the zone in it. It is assumed that the event's reason has it.
_REBALANCING = ["*AZ Rebalanc*", "*is unable to place a task in *"]


def failure_pattern(kind: str, filters: Filters) -> Pattern:
    """Return the event pattern for the failures of a kind."""
    return _PATTERNS[kind](filters)


def _task(filters: Filters) -> Pattern:
    group = _texts(filters.groups) or [_but_prefix("service:"), ABSENT]
    return _task_change(filters, {"lastStatus": ["STOPPED"], "group": group}, _ends_of_task(filters))


def _ends_of_task(filters: Filters) -> list[Pattern]:
    """Return the ways in which a standalone task can end that are failures.

    With the stop code ``TaskFailedToStart``, the containers decide too: the job may have succeeded before a sidecar,
    such as GuardDuty's agent, ever started. EventBridge cannot look for *one* container without an exit code (it
    checks the condition on ``exitCode`` before the one on ``name``), so a container that never started counts by its
    reason, or by a stop reason of the task that names a cause.
    """
    reasons = _if("stoppedReason", _texts(filters.stopped_reasons))
    telling = reasons or {"stoppedReason": [{"anything-but": {"wildcard": _SAYS_NOTHING}}]}
    never_ran: list[Pattern] = [{"stopCode": [NEVER_RAN], **telling}]
    if not reasons:
        never_ran.append({"stopCode": [NEVER_RAN], "containers": {**_named(filters), "reason": [PRESENT]}})
    exits = _exits(filters, (0,))
    if filters.stop_codes:
        by_exit = [code for code in (EXITED, NEVER_RAN) if code in filters.stop_codes]
        listed = [code for code in filters.stop_codes if code not in by_exit]
        if filters.exit_codes and not reasons:
            never_ran.append({"stopCode": [NEVER_RAN], **_NEVER_SEEN})
        return [
            *([{"stopCode": listed, **reasons}] if listed else []),
            *({"stopCode": by_exit, **reasons, **branch} for branch in exits if by_exit),
            *(never_ran if NEVER_RAN in by_exit else []),
        ]
    if filters.exit_codes:
        return [{"stopCode": [EXITED, NEVER_RAN], **reasons, **branch} for branch in exits]
    by_code, unseen, by_reason = exits
    return [
        {"stopCode": [{"anything-but": [EXITED, USER, NEVER_RAN]}], **reasons},
        *({"stopCode": [EXITED, NEVER_RAN, ABSENT], **(reasons or _NOT_ROUTINE), **each} for each in (by_code, unseen)),
        {"stopCode": [EXITED, ABSENT], **reasons, **by_reason},
        *never_ran,
    ]


def _service_task(filters: Filters) -> Pattern:
    groups = [f"service:{service.name}" for service in filters.services]
    unhealthy = _texts(filters.stopped_reasons or _FAILED_HEALTH)
    others = {"anything-but": [EXITED, *_ROUTINE]}
    branches = _ends_of_service_task(filters, others)
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


def _ends_of_service_task(filters: Filters, others: Mapping[str, Any]) -> list[Pattern]:
    """Return the ways in which a task of a service can end that are failures, except those caused by the scheduler."""
    reasons = _if("stoppedReason", _texts(filters.stopped_reasons))
    exits = _exits(filters, ())
    if filters.stop_codes or filters.exit_codes:
        listed = [code for code in filters.stop_codes if code not in {EXITED, SCHEDULER}]
        return [
            *([{"stopCode": listed, **reasons}] if listed else []),
            *(
                {"stopCode": [EXITED], **reasons, **each}
                for each in exits
                if EXITED in (filters.stop_codes or [EXITED])
            ),
        ]
    by_code, unseen, by_reason = exits
    telling = reasons or _NOT_ROUTINE
    return [
        {"stopCode": [others], **reasons},
        {"stopCode": [EXITED], **reasons, **by_code},
        {"stopCode": [ABSENT], **telling, **_exits(filters, (0,))[0]},
        {"stopCode": [EXITED, ABSENT], **telling, **unseen},
        {"stopCode": [EXITED, ABSENT], **reasons, **by_reason},
    ]


def _exits(filters: Filters, good: tuple[int, ...]) -> list[Pattern]:
    """Return the ways in which a task can end by itself that are failures. Exit codes in ``good`` never are."""
    names = _named(filters)
    if filters.exit_codes:
        return [{"containers": {**names, "exitCode": list(filters.exit_codes)}}]
    ignored = list(dict.fromkeys([*good, *filters.ignore_exit_codes]))
    codes = [{"anything-but": ignored}] if ignored else [PRESENT]
    return [
        {"containers": {**names, "exitCode": codes}},
        _NEVER_SEEN,
        {"containers": {**names, "reason": list(_REASONS)}},
    ]


def _named(filters: Filters) -> Pattern:
    return _if("name", _names(filters))


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
    # An unhealthy target is reported when its task is replaced. AWS's page lists failed deployments here, too.
    told_elsewhere = {"anything-but": [_NO_ROOM, _DEPLOYMENT_FAILED]}
    targets = {"anything-but": [_DISCOVERY, _LATTICE]}
    detail = {
        **_if("clusterArn", _arns(filters.clusters, "cluster")),
        **_either(
            [
                {"eventType": ["ERROR"], "eventName": [told_elsewhere]},
                {"eventName": [_NO_ROOM], "reason": [{"anything-but": {"wildcard": _REBALANCING}}, ABSENT]},
                {"eventType": ["WARN"], "eventName": [targets]},
            ],
        ),
    }
    # clusterArn already selects the cluster.
    return _pattern("aws.ecs", "ECS Service Action", detail, _service_arns(filters))


def _service_arns(filters: Filters) -> list[Any]:
    """Return the ARNs of services, or their ends. Services from before 2019 may have ARNs without a cluster."""
    return [service.arn or {"suffix": f"/{service.name}"} for service in filters.services]


def _deployment(filters: Filters) -> Pattern:
    detail = {"eventName": [_DEPLOYMENT_FAILED]}
    return _pattern("aws.ecs", "ECS Deployment State Change", detail, _services_of_clusters(filters))


def _deployment_hook(filters: Filters) -> Pattern:
    """Return the pattern for hooks. A pause hook fails if somebody requests the rollback, which is not a failure."""
    detail = {
        **_if("clusterArn", _arns(filters.clusters, "cluster")),
        **_if("serviceArn", _service_arns(filters)),
        **_either(
            [
                {"eventName": ["HOOK_AWAITING_ACTION", "HOOK_TIMED_OUT"]},
                {"eventName": ["HOOK_FAILED"], "hookType": [{"anything-but": ["PAUSE"]}, ABSENT]},
            ]
        ),
    }
    return _pattern("aws.ecs", "ECS Hook State Change", detail)


def _daemon(filters: Filters) -> Pattern:
    """Return the pattern for daemons. A failed deployment is rolled back; the only ERROR is a rollback that failed."""
    names = ["DAEMON_TASK_START_IMPAIRED", "DAEMON_DEPLOYMENT_ROLLBACK_IN_PROGRESS"]
    clusters = _if("clusterArn", _arns(filters.clusters, "cluster"))
    detail = {**clusters, **_either([{"eventType": ["ERROR"]}, {"eventName": names}])}
    return _pattern("aws.ecs", DAEMON_TYPES, detail)


def _container_instance(filters: Filters) -> Pattern:
    detail = {**_if("clusterArn", _arns(filters.clusters, "cluster")), "overallStatus": ["IMPAIRED"]}
    return _pattern("aws.ecs", "ECS Container Instance Health Change", detail)


def _task_retirement(filters: Filters) -> Pattern:
    """AWS Health names services as ``cluster|service``, and standalone tasks by their ARNs."""
    detail = {
        "service": ["ECS"],
        "eventTypeCode": ["AWS_ECS_TASK_PATCHING_RETIREMENT"],
        "statusCode": [{"anything-but": ["closed"]}, ABSENT],
    }
    return _pattern("aws.health", "AWS Health Event", detail, _retired(filters))


def _retired(filters: Filters) -> list[Any]:
    if filters.services:
        clusters = filters.clusters or (None,)
        pairs = [(cluster, service.name) for service in filters.services for cluster in clusters]
        return [f"{cluster.name}|{name}" if cluster else {"suffix": f"|{name}"} for cluster, name in pairs]
    found: list[Any] = []
    for cluster in filters.clusters:
        tasks = cluster.arn.replace(":cluster/", ":task/") if cluster.arn else None
        found.append({"prefix": f"{cluster.name}|"})
        found.append({"prefix": f"{tasks}/"} if tasks else {"wildcard": f"*:task/{cluster.name}/*"})
    return found


def _services_of_clusters(filters: Filters) -> list[Any]:
    """Return the ARNs of services, for events that name their cluster nowhere else."""
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
    """Return the pattern for launches. Refused calls recorded without parameters count, as their origin is unknown."""
    clusters, families = _clusters_as_requested(filters), _families_as_requested(filters.task_families)
    known = {**_if("cluster", clusters), **_if("taskDefinition", families), **_of_request(filters)}
    unknown = {name: [*(entry for entry in entries if entry != ABSENT), ABSENT] for name, entries in known.items()}
    refused: list[Pattern] = [
        {"errorCode": [PRESENT], **_if("requestParameters", unknown)},
        {"responseElements": {"failures": {"reason": [PRESENT]}}, **_if("requestParameters", known)},
    ]
    head = {"eventSource": ["ecs.amazonaws.com"]}
    if filters.retried_clusters:
        detail = {**head, **_if("userIdentity", _issuer(filters)), **_either(_beside_retries(filters, refused))}
    else:
        identity = _if("userIdentity", {**_invoked_by(filters), **_issuer(filters)})
        detail = {**head, "eventName": ["RunTask", "StartTask"], **identity, **_either(refused)}
    return _pattern("aws.ecs", "AWS API Call via CloudTrail", detail)


def _beside_retries(filters: Filters, refused: Sequence[Pattern]) -> list[Pattern]:
    """Return the refusals that the retry function does not handle: of StartTask, of callers that retry by themselves,
    and of other families or in other clusters than its own. The function reports calls whose parameters are unknown.
    """
    caller = _if("userIdentity", _invoked_by(filters))
    left_alone = [each for each in RETRY_THEMSELVES if each in (filters.callers or RETRY_THEMSELVES)]
    left_alone = [each for each in left_alone if each not in filters.exclude_callers]
    others: list[Pattern] = [{"eventName": ["StartTask"], **caller}]
    if left_alone:
        others.append({"eventName": ["RunTask"], "userIdentity": {"invokedBy": left_alone}})
    branches = [{**each, **_either(others)} for each in refused]
    ways = _not_retried(filters)
    if ways:
        failed = _either([{"errorCode": [PRESENT]}, {"responseElements": {"failures": {"reason": [PRESENT]}}}])
        branches.append({"eventName": ["RunTask"], **caller, "requestParameters": _either(ways), **failed})
    return branches


def _not_retried(filters: Filters) -> list[Pattern]:
    """Return the parameters of calls that match the filters, except those for retried families in retried clusters."""
    retried, families = (
        {each.name for each in some} for some in (filters.retried_clusters, filters.retried_task_families)
    )
    ways = []
    others = tuple(cluster for cluster in filters.clusters if cluster.name not in retried)
    clusters = _clusters_as_requested(replace(filters, clusters=others)) if others else []
    if not filters.clusters:
        default = [] if "default" in retried else [ABSENT]
        excluded = _named_or_arn([*filters.exclude_clusters, *sorted(retried)])
        clusters = [{"anything-but": {"wildcard": excluded}}, *default]
    if clusters:
        # A call without a cluster means the default one. Nothing is known about a call without parameters.
        wanted = _families_as_requested(filters.task_families) or [PRESENT]
        ways.append({"cluster": clusters, "taskDefinition": wanted})
    definitions = _families_as_requested([each for each in filters.task_families if each.name not in families])
    if not filters.task_families:
        forms = [form for name in sorted(families) for form in (name, f"{name}:*")]
        forms += [f"*:task-definition/{form}" for form in forms]
        definitions = [{"anything-but": {"wildcard": forms}}]
    if definitions:
        ways.append({**_if("cluster", _clusters_as_requested(filters)), "taskDefinition": definitions})
    return [{**way, **_of_request(filters)} for way in ways]


def _of_request(filters: Filters) -> Pattern:
    return {**_if("group", _texts(filters.groups)), **_if("startedBy", _texts(filters.started_by))}


def _clusters_as_requested(filters: Filters) -> list[Any]:
    clusters = [way for cluster in filters.clusters for way in _as_requested(cluster, "cluster")]
    if filters.exclude_clusters and not clusters:
        return [{"anything-but": {"wildcard": _named_or_arn(filters.exclude_clusters)}}, ABSENT]
    default = any(cluster.name == "default" for cluster in filters.clusters)
    return [*clusters, *([ABSENT] if default else [])]


def _families_as_requested(families: Iterable[Resource]) -> list[Any]:
    return [way for family in families for way in _family_as_requested(family)]


def _invoked_by(filters: Filters) -> Pattern:
    """Return the condition on the service that called. CloudTrail records ``invokedBy`` for AWS services only."""
    others = [{"anything-but": list(filters.exclude_callers)}, ABSENT] if filters.exclude_callers else []
    return _if("invokedBy", list(filters.callers) or others)


def _issuer(filters: Filters) -> Pattern:
    """Return the condition on the role whose session called; users have no issuer."""
    roles = [{"anything-but": list(filters.exclude_role_arns)}, ABSENT] if filters.exclude_role_arns else []
    return {"sessionContext": {"sessionIssuer": {"arn": roles}}} if roles else {}


def _named_or_arn(clusters: Sequence[str]) -> list[str]:
    escaped = [cluster.replace("\\", "\\\\") for cluster in clusters]
    return [way for cluster in escaped for way in ((cluster,) if ":" in cluster else (cluster, f"*:cluster/{cluster}"))]


def _state_machine(filters: Filters) -> Pattern:
    detail = {"status": list(filters.statuses), **_if("stateMachineArn", list(filters.state_machine_arns))}
    return _pattern("aws.states", "Step Functions Execution Status Change", detail)


_PATTERNS: Mapping[str, Callable[[Filters], Pattern]] = {
    "task": _task,
    "service_task": _service_task,
    "service_action": _service_action,
    "deployment": _deployment,
    "deployment_hook": _deployment_hook,
    "daemon": _daemon,
    "container_instance": _container_instance,
    "task_retirement": _task_retirement,
    "launch": _launch,
    "state_machine": _state_machine,
    "all_task_changes": _all_task_changes,
}


def _pattern(source: str, detail_type: str | Sequence[str], detail: Pattern, resources: Sequence[Any] = ()) -> Pattern:
    types = [detail_type] if isinstance(detail_type, str) else list(detail_type)
    head: Pattern = {"source": [source], "detail-type": types}
    return {**head, **_if("resources", list(resources)), **_if("detail", detail)}


def _if(name: str, value: Any) -> Pattern:
    return {name: value} if value else {}


def _either(branches: Sequence[Pattern]) -> Pattern:
    """Join the branches with ``$or``, which needs at least two."""
    return {"$or": list(branches)} if len(branches) > 1 else dict(*branches)


def _but_prefix(*prefixes: str) -> Pattern:
    return {"anything-but": {"prefix": prefixes[0] if len(prefixes) == 1 else list(prefixes)}}


def _texts(written: Sequence[str]) -> list[Any]:
    """Return texts as they are, or as wildcards if they have * for any characters; a backslash means itself."""
    return [{"wildcard": text.replace("\\", "\\\\")} if "*" in text else text for text in written]


def _arns(resources: Sequence[Resource], sort: str) -> list[Any]:
    """Return the ARNs, or the ends of ARNs for names: the bus has only the events of one account and region anyhow."""
    return [resource.arn or {"suffix": f":{sort}/{resource.name}"} for resource in resources]


def _any_revision(family: Resource) -> Pattern:
    return {"prefix": f"{family.arn}:"} if family.arn else {"wildcard": f"*:task-definition/{family.name}:*"}


def _as_requested(resource: Resource, sort: str) -> list[Any]:
    """Return the forms that callers may write: the name or the ARN."""
    return [resource.name, resource.arn or {"suffix": f":{sort}/{resource.name}"}]


def _family_as_requested(family: Resource) -> list[Any]:
    """Return the forms that callers may write: the name or the ARN, with or without a revision."""
    name = family.arn.rpartition("/")[2] if family.arn else family.name
    arn = family.arn or {"suffix": f":task-definition/{name}"}
    return [name, {"prefix": f"{name}:"}, arn, _any_revision(family)]
