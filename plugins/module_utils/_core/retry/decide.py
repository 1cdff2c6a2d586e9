# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Decide whether a failure is retried, when, and with which call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from . import backoff, classify
from .callers import Caller, caller_of
from .masking import name_of
from .model import Decision, GiveUp, Ignore, Launch, Retry, StoppedTask, Wish, cluster_of, family_of
from .options import RetryOptions
from .overrides import ROLES, concealed, filled
from .records import attempts_of
from .request import request_of, why_not
from .rules import Rule
from .tasks import ended_well, infrastructure, no_instance, request_for


def decide(
    record: Launch | StoppedTask, attempt: int, options: RetryOptions, now: float, chance: Callable[[], float]
) -> Decision | Caller:
    """Decide about ``record``. ``attempt`` counts the retries so far; it is 0 if another caller made the call.

    If the result is a ``Caller``, look up its overrides first, then call this again with the request from ``rebuilt``.

    ``chance`` returns numbers from 0 up to 1.
    """
    if record.account and options.account and record.account != options.account:
        return Ignore(f"it is from the account {name_of(record.account)}")
    if options.region and record.region != options.region:
        return Ignore(f"it is from the region {name_of(record.region)}")
    if isinstance(record, StoppedTask):
        return _about_task(record, options, now, chance)
    return _about_launch(record, attempt, options, now, chance)


def call_of(wish: Wish, options: RetryOptions) -> dict[str, Any]:
    """Return the RunTask parameters for a wish that is due."""
    return request_of(
        wish,
        options.rotate_subnets,
        options.fargate_after,
        options.tag_tasks,
        options.allow_role_overrides,
        options.allow_execute_command,
    )


def not_allowed(wish: Wish, options: RetryOptions) -> GiveUp | None:
    """Check a message against the options: they may have changed, or someone else may have written the message."""
    problem = why_not(wish.request) or _out_of_scope(wish.request, options) or _strange_role(wish.request, options)
    if not problem and options.region and wish.region != options.region:
        problem = f"it is about the region {name_of(wish.region)}"
    if not problem and wish.attempt > options.max_attempts:
        problem = f"it is attempt {wish.attempt}, and max_attempts is {options.max_attempts}"
    if not problem and wish.missing > wish.request.get("count", 1):
        problem = "it asks for more tasks than the call did"
    return GiveUp(f"the message in the queue is not valid: {problem}") if problem else None


def too_late(wish: Wish, options: RetryOptions, now: float) -> GiveUp | None:
    """Give up a wish that waited too long, so that no task starts at a time when nobody expects it."""
    late = now - wish.at - options.max_age - backoff.LONGEST
    return GiveUp(f"it came {int(late)} s too late: max_age is {options.max_age} s") if late > 0 else None


def without_doubles(wish: Wish, running: tuple[str, ...]) -> Wish | Ignore:
    """Return the wish without the tasks that a duplicate delivery has already started for it.

    ``running`` are the tasks that have the ``startedBy`` of an earlier attempt.
    """
    doubles = tuple(arn for arn in running if arn not in wish.started)
    if len(doubles) >= wish.missing:
        return Ignore("a duplicate delivery has already started the tasks")
    return replace(wish, missing=wish.missing - len(doubles), started=wish.started + doubles)


def _about_launch(
    launch: Launch, attempt: int, options: RetryOptions, now: float, chance: Callable[[], float]
) -> Decision | Caller:
    wish = launch.wish
    if not launch.error and not launch.refusals and wish is None:
        return Ignore("no task was refused")
    if launch.error in classify.ALREADY_ASKED:
        return Ignore("the same tasks were requested before, with the same client token")
    alone = "" if wish else _left_alone(launch, options)
    if alone:
        return Ignore(alone)
    hidden = "" if wish or launch.rebuilt or not isinstance(launch.request, Mapping) else _hidden(launch.request)
    gap = why_not({key: value for key, value in launch.request.items() if key != "overrides"} if hidden
                  else launch.request)  # fmt: skip
    if gap:
        return GiveUp(f"the request cannot be repeated: {gap}")
    missing = (wish.missing if wish else launch.request.get("count", 1)) - len(set(launch.started))
    if missing < 1:
        return Ignore("every task was started")
    first = next((rule for rule in options.rules if rule.fits_launch(launch)), None)
    verdict = _by_rule(first) if first else _by_class(launch, options)
    if verdict:
        return verdict
    if hidden:
        caller = caller_of(launch.request.get("startedBy")) if options.rebuild_hidden else None
        launch, problem = (launch, "") if caller else _from_template(launch, hidden, options)
        if caller or problem:
            return caller or GiveUp(problem)
    if wish is None:
        wish = Wish(
            launch.origin, launch.at, launch.region, launch.request, missing,
            token=launch.request.get("clientToken", "") if launch.error else "", started=launch.started,
        )  # fmt: skip
    elif launch.error:
        # The call may have been carried out despite the error. Only the same call with the same token is safe now.
        wish = replace(wish, attempt=attempt + 1)
    else:
        started = tuple(dict.fromkeys(wish.started + launch.started))
        wish = replace(wish, missing=missing, attempt=attempt + 1, bears=attempt + 1, token="", started=started)
    return _again(wish, options, now, chance)


def _hidden(request: Mapping[str, Any]) -> str:
    """Return the path of a hidden value in the overrides of a record; empty if nothing is hidden."""
    return concealed(request["overrides"]) if "overrides" in request else ""


def _from_template(launch: Launch, hidden: str, options: RetryOptions) -> tuple[Launch, str]:
    """Fill in hidden values from the family's launch template. Return the launch and a problem, or an empty text."""
    family = family_of(launch.request["taskDefinition"])
    known = options.launch_templates.get(family, {}).get("overrides")
    request = {**launch.request, "overrides": filled(launch.request["overrides"], known)}
    if why_not(request):
        return launch, (
            f"CloudTrail hides {hidden}, and the launch template of the family {name_of(family)} does not have it"
        )
    return replace(launch, request=request), ""


def _by_rule(rule: Rule) -> Decision | None:
    """Return the decision of a rule; None means retry."""
    if rule.action == "ignore":
        return Ignore("a rule says ignore")
    return GiveUp("a rule says fail") if rule.action == "fail" else None


def _by_class(launch: Launch, options: RetryOptions) -> Decision | None:
    if launch.error:
        found = {classify.of_error(launch.error, launch.message, launch.status)}
        if classify.TRANSIENT in found and not _authorised(launch, options):
            return GiveUp(
                "ECS may have answered before it checked permissions, and trusted_callers does not list the caller"
            )
    else:
        # On EC2 there is one reason per container instance, and any of the instances may have room later.
        found = {classify.of_refusal(reason) for reason in launch.refusals}
    # The answer to our own call may have neither tasks nor reasons if an earlier call used the same client token.
    if not found or classify.TRANSIENT in found or (options.retry_quota and classify.QUOTA in found):
        return None
    if classify.QUOTA in found:
        return GiveUp("a quota of the account is used up, and retry_quota is not set")
    return GiveUp("it would be refused again")


def _authorised(launch: Launch, options: RetryOptions) -> bool:
    """Return whether the answer or the options show that the caller may start the task."""
    if launch.wish or classify.wrapped(launch.error, launch.message):
        return True
    return any(fnmatchcase(launch.caller_arn, pattern) for pattern in options.trusted_callers)


def _left_alone(launch: Launch, options: RetryOptions) -> str:
    """Return why the function must not retry a call; empty if it may."""
    request: Mapping[str, Any] = launch.request if isinstance(launch.request, Mapping) else {}
    started_by, cluster = str(request.get("startedBy") or ""), cluster_of(request.get("cluster"))
    if launch.role_arn in options.own_role_arns or attempts_of(started_by):
        return "it is a retry, and its caller has the answer"
    if launch.invoked_by in options.left_alone_services:
        return f"{launch.invoked_by} retries by itself"
    # The service repeats transient errors only. Nobody else reports the errors that it does not repeat.
    passes = classify.of_error(launch.error, launch.message, launch.status) == classify.TRANSIENT
    if passes and launch.invoked_by in options.errors_left_to:
        return f"{launch.invoked_by} repeats calls that failed with such an error"
    return _left_to_others(started_by, cluster, options) or _out_of_scope(request, options)


def _left_to_others(started_by: str, cluster: str, options: RetryOptions) -> str:
    if any(fnmatchcase(started_by, pattern) for pattern in options.left_alone_started_by):
        return "its caller retries by itself"
    if any(fnmatchcase(cluster, pattern) for pattern in options.left_alone_clusters):
        return f"the cluster {name_of(cluster)} is left alone"
    return ""


def _out_of_scope(request: Mapping[str, Any], options: RetryOptions) -> str:
    """Return why the cluster or the family is not among those to retry; empty if they are or the request is empty."""
    if not request:
        return ""
    cluster, family = cluster_of(request.get("cluster")), family_of(str(request.get("taskDefinition") or ""))
    if options.clusters and cluster not in options.clusters:
        return f"the cluster {name_of(cluster)} is not among those to retry"
    if options.families and family not in options.families:
        return f"the family {name_of(family)} is not among those to retry"
    return ""


def _strange_role(request: Mapping[str, Any], options: RetryOptions) -> str:
    """Return a problem if overrides name a role that is not allowed for the family. IAM cannot tell families apart."""
    if not options.allow_role_overrides or not options.pass_role_arns:
        return ""
    family = family_of(str(request.get("taskDefinition") or ""))
    passed = options.pass_role_arns.get(family, frozenset())
    overrides = request.get("overrides") or {}
    given = {str(overrides[name]) for name in ROLES if overrides.get(name)}
    # ECS accepts the ARN or the name of a role.
    if given <= passed | {arn.partition(":role/")[2] for arn in passed}:
        return ""
    return f"its overrides have a role that is not among those of the family {name_of(family)}"


def _about_task(task: StoppedTask, options: RetryOptions, now: float, chance: Callable[[], float]) -> Decision:
    group, started_by = str(task.detail.get("group") or ""), str(task.detail.get("startedBy") or "")
    cluster = cluster_of(task.detail.get("clusterArn"))
    alone = "ECS replaces the tasks of services" if group.startswith("service:") else ""
    alone = alone or _left_to_others(started_by, cluster, options)
    alone = alone or _out_of_scope({"cluster": cluster, "taskDefinition": task.family}, options)
    if alone:
        return Ignore(alone)
    if ended_well(task):
        return Ignore("it ended well")
    first = next((rule for rule in options.rules if rule.fits_task(task)), None)
    verdict = _by_rule(first) if first else _by_cause(task, options)
    if verdict:
        return verdict
    template = options.launch_templates.get(task.family)
    if template is None and no_instance(task):
        template = {}  # a refused launch; its request is complete unless the task needs its own network
    if template is None:
        return Ignore(f"the family {task.family} has no launch template")
    request, problem = request_for(task, template)
    problem = problem or why_not(request)
    if problem:
        return GiveUp(f"the request cannot be repeated: {problem}")
    attempt = attempts_of(started_by) + 1
    return _again(Wish(task.origin, task.at, task.region, request, 1, attempt, attempt), options, now, chance)


def _by_cause(task: StoppedTask, options: RetryOptions) -> GiveUp | Ignore | None:
    refusal = no_instance(task)
    if refusal == classify.TRANSIENT or (refusal == classify.QUOTA and options.retry_quota):
        return None
    if refusal == classify.QUOTA:
        return GiveUp("a quota of the account is used up, and retry_quota is not set")
    if refusal:
        return GiveUp("it would be refused again")
    kind = infrastructure(task)
    if not kind:
        return Ignore("it did not stop because of the infrastructure")
    return None if kind in options.stopped_tasks else Ignore(f"stopped_tasks has no {kind}")


def _again(wish: Wish, options: RetryOptions, now: float, chance: Callable[[], float]) -> Retry | GiveUp:
    if wish.attempt > options.max_attempts:
        return GiveUp(f"all {options.max_attempts} attempts were refused")
    left = int(wish.at + options.max_age - now)
    if left < 0:
        return GiveUp(f"it is older than max_age, which is {options.max_age} s")
    strange = _strange_role(wish.request, options)
    if strange:
        return GiveUp(f"the request cannot be repeated: {strange}")
    wait = backoff.delay(wish.attempt, options.base_delay, options.max_delay, chance)
    return Retry(min(wait, left), call_of(wish, options), wish)
