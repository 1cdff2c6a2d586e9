# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunTask and StartTask: tasks that belong to no service. Most refusals are failures in an answer with HTTP 200."""

from __future__ import annotations

import re
from typing import Any

from ..account import Account
from ..model.programs import family_of
from ..model.scheduler import Cluster
from ..model.state import SandboxError, TaskState
from ..wire import Call
from . import shapes
from .operation import INVALID, cluster_name, operation, task_shape
from .tags import check_tags

MOST = 10  # tasks of one call
CONFLICT = (
    "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a "
    "different RunTask request."
)


@operation
def run_task(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    asked = dict(call.parameters)
    token = (call.region, str(asked.get("cluster") or "default").rsplit("/", 1)[-1], asked.get("clientToken") or "")
    if token[2] and token in account.run_tokens:
        before, arns = account.run_tokens[token]
        if before != asked:
            raise SandboxError("ConflictException", CONFLICT)
        return answer(account, call, model.describe_tasks(arns), [])
    definition = check(account, call)
    if asked.get("launchType") and asked.get("capacityProviderStrategy"):
        raise SandboxError(INVALID, "Specifying both a launch type and capacity provider strategy is not supported.")
    count = int(asked.get("count") or 1)
    if not 1 <= count <= MOST:
        raise SandboxError(INVALID, f"Tasks count must be between 1 and {MOST}.")
    providers = sorted(asked.get("capacityProviderStrategy") or [], key=lambda each: -each.get("weight", 0))
    provider = providers[0]["capacityProvider"] if providers else None
    fargate = asked.get("launchType") == "FARGATE" or (provider or "").startswith("FARGATE")
    failures: list[dict[str, Any]] = []
    fault = model.faults.strike("run_task_fails", family_of(definition["taskDefinitionArn"]))
    if fault:
        started = min(fault.started, count)
        # On EC2, a failure names the instance that refused. Fargate has no instance to name.
        where = {} if fargate else {"arn": shapes.instance_arn(f"{model.arn_prefix}:task/{token[1]}/", 1)}
        failures = [{**where, "reason": fault.reason} for _refused in range(count - started)]
        count = started
    made = start(account, call, model, definition, count=count, fargate=fargate, provider=provider) if count else []
    if token[2]:
        account.run_tokens[token] = (asked, [state.arn for state in made])
    return answer(account, call, made, failures)


@operation
def start_task(account: Account, call: Call, model: Cluster) -> dict[str, Any]:
    definition = check(account, call)
    instances, failures = [], []
    for reference in call.parameters["containerInstances"]:
        identity = reference.rsplit("/", 1)[-1]
        if re.fullmatch("[0-9a-f]{32}", identity):
            instances.append(int(identity, 16))
        else:
            failures.append({"arn": reference, "reason": "MISSING"})
    if not 1 <= len(instances) + len(failures) <= MOST:
        raise SandboxError(INVALID, f"Container instances count must be between 1 and {MOST}.")
    fault = model.faults.strike("run_task_fails", family_of(definition["taskDefinitionArn"]))
    if fault:
        arn = f"{model.arn_prefix}:task/{cluster_name(account, call)}/"
        refused = instances[fault.started :]
        failures += [{"arn": shapes.instance_arn(arn, number), "reason": fault.reason} for number in refused]
        instances = instances[: fault.started]
    made = start(account, call, model, definition, instances=instances) if instances else []
    return answer(account, call, made, failures)


def check(account: Account, call: Call) -> dict[str, Any]:
    """Return a request's task definition. Raise SandboxError for errors that AWS finds before it places a task."""
    asked = call.parameters
    cluster_name(account, call)
    name = str(asked["taskDefinition"]).rsplit("/", 1)[-1] if ":task-definition/" in asked["taskDefinition"] else None
    try:
        definition = account.definition(call.region, name or asked["taskDefinition"])
    except SandboxError as problem:
        raise SandboxError("ClientException", "TaskDefinition not found.") from problem
    if definition.get("status", "ACTIVE") != "ACTIVE":
        raise SandboxError("ClientException", "TaskDefinition is inactive")
    if definition.get("networkMode") == "awsvpc" and not asked.get("networkConfiguration"):
        text = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        raise SandboxError(INVALID, text)
    if not re.fullmatch("[-/_a-zA-Z0-9. ]{0,128}", str(asked.get("startedBy") or "")):
        raise SandboxError(INVALID, "startedBy must be at most 128 letters, digits, hyphens, slashes and underscores.")
    if str(asked.get("group") or "").startswith("service:"):
        raise SandboxError(INVALID, "Invalid namespace for group.")
    names = {each["name"] for each in definition["containerDefinitions"]}
    for each in (asked.get("overrides") or {}).get("containerOverrides") or []:
        if each.get("name") not in names:
            text = f"Override for container named {each.get('name')} is not a container in the TaskDefinition."
            raise SandboxError(INVALID, text)
    check_tags({tag["key"]: tag.get("value", "") for tag in asked.get("tags") or []})
    return definition


def start(
    account: Account,
    call: Call,
    model: Cluster,
    definition: dict[str, Any],
    count: int = 1,
    fargate: bool = False,
    provider: str | None = None,
    instances: list[int] | None = None,
) -> list[TaskState]:
    def keep(arn: str) -> None:
        account.task_requests[arn] = dict(call.parameters)
        model.tag_task(arn, {tag["key"]: tag.get("value", "") for tag in call.parameters.get("tags") or []})

    return model.run_task(
        definition["taskDefinitionArn"],
        cluster_name(account, call),
        count,
        "FARGATE" if fargate else "EC2",
        definition.get("networkMode", "bridge"),
        call.parameters.get("startedBy", ""),
        provider,
        instances or (),
        keep,
    )


def answer(account: Account, call: Call, made: list[TaskState], failures: list[dict[str, Any]]) -> dict[str, Any]:
    return {"tasks": [task_shape(account, call, state) for state in made], "failures": failures}
