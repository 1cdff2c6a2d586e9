# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments by controller and strategy: how they begin, shift traffic, end, fail and are rolled back.

Names, states and stages are those of the API model (ecs 2014-11-13). A rolling deployment replaces tasks step
by step (services.py). All others have complete parts side by side, each with its own tasks and target groups:

* ECS with BLUE_GREEN, LINEAR or CANARY: two revisions, through the stages of ServiceDeployment.lifecycleStage.
* CODE_DEPLOY and EXTERNAL: two or more task sets.

A stopped task is replaced with a task of the same part (AWS, "What's new", November 2025).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from .state import SandboxError

if TYPE_CHECKING:
    from .scheduler import Cluster
    from .services import Service

# Stages of a native blue/green deployment, in order. RECONCILE_SERVICE is missing: it occurs only if more than one
# revision is ACTIVE at the start, which does not happen here.
STAGES = (
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
DAY = 86400.0  # a hook's default timeout (API model: DeploymentLifecycleHookTimeoutConfiguration)
DONE = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


@dataclass
class Deployment:
    id: str
    task_definition: str
    created_at: float
    status: str = "PRIMARY"
    rollout_state: str = "COMPLETED"
    failed: int = 0  # tasks that failed
    reason: str = ""  # of the rollout state; "" for the usual one
    # The rest applies to task sets and to the revisions of a native blue/green service.
    target_groups: tuple[str, ...] | None = None  # None: the service's own
    scale: float = 100.0  # percent of the desired count
    external_id: str = ""  # id of CodeDeploy's deployment, or CreateTaskSet's parameter
    settled: bool = False  # it has been steady once

    def wanted(self, desired: int) -> int:
        """Return its share of the desired count, rounded up (API model: TaskSet.computedDesiredCount)."""
        return math.ceil(desired * self.scale / 100)


class Hook(NamedTuple):
    """A PAUSE hook. The deployment waits at ``stage`` until somebody answers, at most for ``seconds``."""

    stage: str
    seconds: float = DAY  # up to 14 days
    on_timeout: str = "ROLLBACK"  # or CONTINUE


class Waiting(NamedTuple):
    """A hook that waits for its answer (API model: DeploymentLifecycleHookDetail)."""

    id: str
    expires_at: float
    on_timeout: str


@dataclass(eq=False)
class Rollout:
    """A service deployment, as the API calls it. CODE_DEPLOY has none; there, this is CodeDeploy's deployment."""

    id: str
    target: Deployment
    sources: tuple[Deployment, ...]
    created_at: float
    status: str = "IN_PROGRESS"
    reason: str = ""
    stage: str = ""
    weight: float = 0.0  # percent of production traffic that the target has
    hook: Waiting | None = None
    finished_at: float | None = None
    rollback_to: Deployment | None = None
    rollback_at: float | None = None
    rollback_reason: str = ""
    shift_after: float | None = None  # CODE_DEPLOY: seconds from steady to the shift; None: wait for an act
    keep: float | None = None  # CODE_DEPLOY: seconds from the shift to the end of the blue task set
    shifted: bool = False


def read_hook(given: Mapping[str, Any]) -> Hook:
    hook = Hook(given["stage"], float(given.get("seconds", DAY)), given.get("on_timeout", "ROLLBACK"))
    if hook.stage not in STAGES:
        raise ValueError(f"no such lifecycle stage: {hook.stage}; there are {', '.join(STAGES)}")
    return hook


def part_of(service: Service, wanted: str) -> Deployment:
    """Return a deployment or task set by id or ARN, or the newest one with the status ``wanted``."""
    parts = sorted(service.deployments, key=lambda each: each.created_at, reverse=True)
    for each in parts:
        if wanted == each.status or wanted.endswith(each.id):
            return each
    raise LookupError(f"service {service.name} has no task set {wanted}")


def record(cluster: Cluster, service: Service, target: Deployment) -> Rollout:
    """Begin a service deployment. One still under way is STOPPED, because the newer one replaces it (assumed)."""
    found = current(service)
    if found and found.status == "ROLLBACK_IN_PROGRESS" and found.rollback_to is None:
        found.rollback_to, found.rollback_at = target, cluster.now
        return found  # the rollback belongs to the deployment that failed
    if found:
        found.status, found.finished_at = "STOPPED", cluster.now
    made = Rollout(target.id[8:], target, tuple(d for d in service.deployments if d is not target), cluster.now)
    service.rollouts.insert(0, made)
    del service.rollouts[100:]
    return made


def current(service: Service) -> Rollout | None:
    """Return the service deployment under way, or None."""
    first = service.rollouts[0] if service.rollouts else None
    return first if first and first.status not in DONE else None


def completed(cluster: Cluster, service: Service) -> None:
    """Mark the service deployment under way, if there is one, as successful."""
    found = current(service)
    if found:
        found.status = "ROLLBACK_SUCCESSFUL" if found.status == "ROLLBACK_IN_PROGRESS" else "SUCCESSFUL"
        found.finished_at, found.weight = cluster.now, 100.0


def fail(cluster: Cluster, service: Service, reason: str, rollback: bool) -> None:
    """Fail a deployment of the controller ECS. A rolling one is rolled back only with ``rollback``.

    A rolling deployment that is not rolled back remains: PRIMARY is FAILED and launches no tasks (API model:
    Deployment.rolloutState). Event texts: captured in public, September 2026.
    """
    primary = service.primary
    if service.by_parts:
        roll_back(cluster, service, reason)
        return
    primary.rollout_state, primary.reason = "FAILED", reason
    found = current(service)
    why = reason.removeprefix("ECS deployment circuit breaker: ")
    service.event(cluster, f"(deployment {primary.id}) deployment failed: {why}")
    cluster.tell(service, "SERVICE_DEPLOYMENT_FAILED", reason, primary.id)
    if rollback and service.last_good:
        roll_back(cluster, service, reason)
    else:
        last = found or service.rollouts[0]
        last.status, last.reason, last.finished_at = "STOPPED", reason, cluster.now


# -- ECS, rolling ---------------------------------------------------------------------------------------------------


def roll_back_rolling(cluster: Cluster, service: Service, found: Rollout | None, reason: str) -> None:
    """Deploy the last good task definition as PRIMARY. The failed deployment stays beside it, ACTIVE and FAILED."""
    failed = service.primary
    failed.rollout_state, failed.reason = "FAILED", failed.reason or reason
    if found:
        found.status, found.reason, found.rollback_reason = "ROLLBACK_IN_PROGRESS", reason, reason
    text = f"ECS deployment circuit breaker: rolling back to deploymentId {service.deployments[-1].id}."
    goal = service.last_good or service.deployments[-1].task_definition
    cluster.deploy(service, goal, text)
    service.event(cluster, f"rolling back to deployment {service.primary.id}.")


# -- ECS, BLUE_GREEN, LINEAR and CANARY -----------------------------------------------------------------------------


def begin_native(cluster: Cluster, service: Service, task_definition: str) -> None:
    """Begin a native deployment: the new revision is PRIMARY, the old one ACTIVE until the bake time is over."""
    if current(service):
        raise_conflict(service)
    blue = service.primary
    green = Deployment(
        cluster.deployment_id(), task_definition, cluster.now, rollout_state="IN_PROGRESS",
        target_groups=tuple(service.alternates.get(group, group) for group in service.groups_of(blue)), scale=0.0,
    )  # fmt: skip
    blue.status, blue.rollout_state = "ACTIVE", "COMPLETED"
    service.last_good, service.task_definition = service.task_definition, task_definition
    service.deployments.insert(0, green)
    service.steady, service.failures, service.retry_at = False, 0, 0.0
    found = record(cluster, service, green)
    cluster.tell(service, "SERVICE_DEPLOYMENT_IN_PROGRESS", f"ECS deployment {green.id} in progress.", green.id)
    enter(cluster, service, found, STAGES[0])


def raise_conflict(service: Service) -> None:
    """Refuse a second native deployment during the first: AWS reconciles them, which is not modelled (assumed)."""
    text = f"Service {service.name} has a deployment under way; finish it or roll it back first."
    raise SandboxError("ConflictException", text)


def enter(cluster: Cluster, service: Service, found: Rollout, stage: str) -> None:
    """Begin a stage. A PAUSE hook holds the deployment there (API model: DeploymentLifecycleHook)."""
    found.stage = stage
    hook = next((each for each in service.hooks if each.stage == stage), None)
    if hook is None:
        do(cluster, service, found)
        return
    found.hook = Waiting(cluster.uuid(), cluster.now + hook.seconds, hook.on_timeout)
    cluster.at(hook.seconds, expire, cluster, service, found, found.hook)


def expire(cluster: Cluster, service: Service, found: Rollout, hook: Waiting) -> None:
    if found.hook is hook and found.status == "IN_PROGRESS":
        answer_hook(cluster, service, hook.on_timeout == "ROLLBACK")


def answer_hook(cluster: Cluster, service: Service, roll_it_back: bool) -> None:
    found = current(service)
    if found is None or found.hook is None:
        raise SandboxError("ConflictException", f"Service {service.name} has no deployment that waits for a hook.")
    found.hook = None
    if roll_it_back:
        roll_back(cluster, service, "Lifecycle hook was answered with ROLLBACK.")
    else:
        do(cluster, service, found)


def do(cluster: Cluster, service: Service, found: Rollout) -> None:
    """Do the work of a native deployment's current stage."""
    stage, green = found.stage, found.target
    if stage == "SCALE_UP":
        green.scale = 100.0
        cluster.poke(service)
    elif stage == "PRODUCTION_TRAFFIC_SHIFT":
        shift_step(cluster, service, found, 0)
    elif stage == "BAKE_TIME":
        cluster.at(service.bake, follow, cluster, service, found, stage)
    elif stage == "CLEAN_UP":
        for blue in found.sources:
            blue.scale = 0.0
        cluster.poke(service, 0.0)
    else:
        follow(cluster, service, found, stage)


def follow(cluster: Cluster, service: Service, found: Rollout, stage: str) -> None:
    """Enter the next stage, if the deployment is still at the ``stage`` at which this was planned."""
    if found.status == "IN_PROGRESS" and found.stage == stage and found.hook is None:
        enter(cluster, service, found, STAGES[STAGES.index(stage) + 1])


def shift_step(cluster: Cluster, service: Service, found: Rollout, number: int) -> None:
    """Shift production traffic by one step: all of it at once, or the service's ``steps`` and then the rest."""
    if found.status != "IN_PROGRESS" or found.stage != "PRODUCTION_TRAFFIC_SHIFT":
        return
    if number < len(service.steps) and service.steps[number][0] < 100:
        found.weight, pause = service.steps[number]
        cluster.at(pause, shift_step, cluster, service, found, number + 1)
        return
    swap(cluster, service, found)
    follow(cluster, service, found, "PRODUCTION_TRAFFIC_SHIFT")


def swap(cluster: Cluster, service: Service, found: Rollout) -> None:
    """Send all production traffic to the target. From now on, the service names the target's target groups.

    It is reported for CODE_DEPLOY that DescribeServices then names the other group (kayac/ecspresso#936). For ECS it
    is assumed; ``names_declared_groups`` switches it off. DescribeServiceRevisions always names the groups in use.
    """
    found.weight, found.shifted = 100.0, True
    service.target_groups = service.groups_of(found.target)


def step(cluster: Cluster, service: Service) -> None:
    """Advance a deployment if what it waits for has happened. Called after a look at every part."""
    found = current(service) if service.controller == "ECS" else None
    if found:
        step_native(cluster, service, found)
    elif service.controller == "ECS":
        if service.primary.rollout_state == "IN_PROGRESS" and service.steady_part(service.primary):
            service.primary.rollout_state = "COMPLETED"
    else:
        step_task_sets(cluster, service)


def step_native(cluster: Cluster, service: Service, found: Rollout) -> None:
    leaves = found.target if found.status == "ROLLBACK_IN_PROGRESS" else None
    if leaves is None and found.stage == "SCALE_UP" and found.hook is None and service.steady_part(found.target):
        follow(cluster, service, found, "SCALE_UP")
    first = not found.sources and service.steady_part(found.target)  # the service was just created
    cleaned = found.stage == "CLEAN_UP" and found.hook is None and not any(holds(service, d) for d in found.sources)
    if first or (leaves is None and cleaned) or (leaves is not None and not holds(service, leaves)):
        primary = service.primary
        primary.rollout_state = "COMPLETED"
        service.deployments = [primary]
        completed(cluster, service)
        service.event(cluster, f"(deployment {primary.id}) deployment completed.")
        cluster.tell(service, "SERVICE_DEPLOYMENT_COMPLETED", f"ECS deployment {primary.id} completed.", primary.id)


def holds(service: Service, part: Deployment) -> bool:
    """Return whether a part still has a task that has not stopped."""
    return any(task.deployment == part.id for task in (*service.live.values(), *service.leaving.values()))


def roll_back_native(cluster: Cluster, service: Service, found: Rollout, reason: str) -> None:
    """Send the traffic back to the old revision, PRIMARY again (assumed), and scale the new one to zero."""
    green, blue = found.target, found.sources[0]
    found.status, found.reason, found.hook, found.weight = "ROLLBACK_IN_PROGRESS", reason, None, 0.0
    found.rollback_to, found.rollback_at, found.rollback_reason = blue, cluster.now, reason
    green.status, green.rollout_state, green.reason, green.scale = "ACTIVE", "FAILED", reason, 0.0
    blue.status, blue.rollout_state, blue.scale = "PRIMARY", "IN_PROGRESS", 100.0
    service.deployments = [blue, green]
    service.task_definition, service.target_groups = blue.task_definition, service.groups_of(blue)
    service.event(cluster, f"(deployment {green.id}) deployment failed: {reason}")
    service.event(cluster, f"rolling back to deployment {blue.id}.")
    cluster.tell(service, "SERVICE_DEPLOYMENT_FAILED", reason, green.id)
    cluster.poke(service)


# -- CODE_DEPLOY and EXTERNAL ---------------------------------------------------------------------------------------


def not_by_update(service: Service, forced: bool) -> str:
    """Return why UpdateService cannot deploy (reported by many users of CODE_DEPLOY; assumed alike for EXTERNAL)."""
    how = {"CODE_DEPLOY": "Use AWS CodeDeploy to trigger a new deployment."}.get(service.controller, "Use a task set.")
    article = "an" if service.controller == "EXTERNAL" else "a"
    verb = "Cannot force a new deployment" if forced else "Unable to update task definition"
    return f"{verb} on services with {article} {service.controller} deployment controller. {how}"


def add_task_set(
    cluster: Cluster,
    service: Service,
    task_definition: str,
    scale: float,
    external_id: str = "",
    groups: tuple[str, ...] | None = None,
) -> Deployment:
    """Add an ACTIVE task set beside the PRIMARY one (CreateTaskSet). Default ``groups``: the other target groups."""
    if service.controller == "ECS":
        raise ValueError(f"service {service.name} has the deployment controller ECS, so it has no task sets")
    taken = service.groups_of(service.primary)
    other = tuple(service.alternates.get(group, group) for group in taken)
    made = Deployment(
        cluster.deployment_id(), task_definition, cluster.now, "ACTIVE",
        target_groups=other if groups is None else groups,
        scale=scale, external_id=external_id,
    )  # fmt: skip
    for group in made.target_groups or ():
        cluster.groups.setdefault(group, {})
    service.deployments.append(made)
    service.steady, service.failures, service.retry_at = False, 0, 0.0
    count = made.wanted(service.desired)
    service.event(cluster, f"updated computedDesiredCount for taskSet {made.id} to {count}.")
    cluster.poke(service)
    return made


def fill(cluster: Cluster, service: Service, part: Deployment) -> None:
    """Add the missing tasks of a part, already running and healthy."""
    if part.scale == 0.0 and service.controller == "ECS":
        part.scale = 100.0
    missing = part.wanted(service.desired) - sum(task.deployment == part.id for task in service.live.values())
    for _task in range(missing):
        cluster.running_task(service, cluster.now - cluster.latencies.launch, part)
    cluster.poke(service, 0.0)


def begin_codedeploy(
    cluster: Cluster, service: Service, definition: str, shift_after: float | None, keep: float | None, running: bool
) -> None:
    if service.controller != "CODE_DEPLOY":
        raise ValueError(f"service {service.name} does not have the deployment controller CODE_DEPLOY")
    blue = service.primary
    green = add_task_set(cluster, service, definition, 100.0, f"d-{cluster.hexadecimal(9).upper()}")
    found = Rollout(green.id[8:], green, (blue,), cluster.now, shift_after=shift_after, keep=keep)
    service.rollouts = [found]
    if running:
        fill(cluster, service, green)


def step_task_sets(cluster: Cluster, service: Service) -> None:
    found = current(service)
    for part in list(service.deployments):
        if part.status == "DRAINING" and not holds(service, part):
            service.deployments.remove(part)
        elif not part.settled and service.steady_part(part):
            part.settled = True
            service.event(cluster, "updated state to STEADY_STATE.", part.id)
            if found and part is found.target and found.status == "IN_PROGRESS" and found.shift_after is not None:
                cluster.at(found.shift_after, shift_if_planned, cluster, service, found)


def shift_if_planned(cluster: Cluster, service: Service, found: Rollout) -> None:
    if found is current(service) and found.status == "IN_PROGRESS" and not found.shifted:
        shift(cluster, service)


def finish_if_planned(cluster: Cluster, service: Service, found: Rollout) -> None:
    if found is current(service) and found.status == "IN_PROGRESS":
        finish(cluster, service)


def make_primary(service: Service, part: Deployment) -> None:
    """Make a task set PRIMARY. Its settings become the service's (documentation of UpdateServicePrimaryTaskSet)."""
    for each in service.deployments:
        if each.status == "PRIMARY":
            each.status = "ACTIVE"
    part.status = "PRIMARY"
    service.deployments.remove(part)
    service.deployments.insert(0, part)
    service.task_definition, service.target_groups = part.task_definition, service.groups_of(part)


def draining(cluster: Cluster, service: Service, part: Deployment) -> None:
    """Delete a task set (DeleteTaskSet with force). It is DRAINING until the last of its tasks has stopped."""
    part.status, part.scale = "DRAINING", 0.0
    service.steady = False
    cluster.poke(service, 0.0)


# -- acts of all kinds ----------------------------------------------------------------------------------------------


def _released(service: Service) -> Rollout | None:
    """Return the deployment under way, or None. For ECS there must be one, and its wait for a hook ends."""
    found = current(service)
    if service.controller == "ECS":
        if found is None or not service.by_parts or found.status != "IN_PROGRESS":
            raise SandboxError("ConflictException", f"Service {service.name} has no blue/green deployment under way.")
        found.hook, found.target.scale = None, 100.0
    return found


def shift(cluster: Cluster, service: Service) -> None:
    found = _released(service)
    if found and service.controller == "ECS":
        found.stage = "PRODUCTION_TRAFFIC_SHIFT"
        swap(cluster, service, found)
        follow(cluster, service, found, found.stage)
        return
    make_primary(service, part_of(service, "ACTIVE"))
    if found and found.target is service.primary:
        found.shifted, found.weight = True, 100.0
        if found.keep is not None:
            cluster.at(found.keep, finish_if_planned, cluster, service, found)


def finish(cluster: Cluster, service: Service) -> None:
    found = _released(service)
    if found and service.controller == "ECS":
        if not found.shifted:
            swap(cluster, service, found)
        found.stage = "CLEAN_UP"
        do(cluster, service, found)
        return
    if found and not found.shifted:
        make_primary(service, found.target)
    elif not found and service.primary is min(service.deployments, key=lambda each: each.created_at):
        make_primary(service, part_of(service, "ACTIVE"))
    if found:
        found.status, found.finished_at, found.shifted = "SUCCESSFUL", cluster.now, True
    for part in service.deployments[1:]:
        draining(cluster, service, part)


def roll_back(cluster: Cluster, service: Service, reason: str) -> None:
    """Roll back to what ran before the deployment. For an EXTERNAL service, drain the newest task set."""
    found = current(service)
    if service.controller == "ECS" and not service.by_parts:
        roll_back_rolling(cluster, service, found, reason)
        return
    if service.controller == "ECS":
        if found is None or not found.sources or found.status != "IN_PROGRESS":
            raise SandboxError("ConflictException", f"Service {service.name} has no blue/green deployment under way.")
        roll_back_native(cluster, service, found, reason)
        return
    new = found.target if found else max(service.deployments, key=lambda each: each.created_at)
    if new.status == "PRIMARY":
        make_primary(service, part_of(service, "ACTIVE"))
    service.primary.scale = 100.0 if found else service.primary.scale
    draining(cluster, service, new)
    if found:
        found.status, found.reason, found.finished_at = "STOPPED", reason, cluster.now
