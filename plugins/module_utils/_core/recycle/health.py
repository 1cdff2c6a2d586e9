# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Decide when a task counts as good."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..errors import Refused
from .model import Service, Task

# Seconds that ECS itself waits when neither a container nor a target group reports health.
_BLIND_STABILIZE = 40.0

# A target of a Network Load Balancer in the state "unhealthy.draining" only serves existing connections.
# Source: guide of the Network Load Balancer, "Health checks".
FAILING = frozenset({"unhealthy", "unhealthy.draining"})

UNTOLD = "Untold"  # code of a CallFailed: AWS answers, but does not say where tasks are registered

_REGISTERED_WITHIN = 300.0  # seconds after a task is RUNNING within which ECS registers it (assumed)


def choose_level(wait_for: str, service: Service, has_health_check: bool, unread: Collection[str] = ()) -> str:
    """Return the level to wait for; ``auto`` means the strongest. Raise Refused if the service cannot provide it.

    ``unread``: the service's target groups whose health cannot be read.
    """
    told = any(group not in unread for group in service.target_groups)
    strongest = "target_healthy" if told else "healthy" if has_health_check else "running"
    if wait_for == "auto":
        return strongest
    if wait_for == "healthy" and not has_health_check:
        raise Refused(
            f"wait_for is healthy, but no essential container of {service.revision} has a health check that ECS runs"
            f" (one in the image does not count): its tasks would never become healthy. Set wait_for to {strongest}"
            " or auto"
        )
    if wait_for == "target_healthy" and not told:
        raise Refused(
            f"wait_for is target_healthy, but service {service.name} has no target group. Set wait_for to {strongest}"
            " or auto"
        )
    return wait_for


def choose_stabilize(stabilize_time: float | None, service: Service, has_health_check: bool) -> float:
    """Return the seconds that a new task must stay good before it counts."""
    if stabilize_time is not None:
        return stabilize_time
    return 0.0 if service.target_groups or has_health_check else _BLIND_STABILIZE


def why_unread(group: str, states: Mapping[str, str], tasks: Iterable[Task], now: float) -> str | None:
    """Return why the states of a target group say nothing about the service's tasks, however long one waits.

    Return None if they say something, or may do so soon.
    Sources: Elastic Load Balancing API, TargetHealth; VPC Lattice API, TargetSummary.
    """
    running = [task for task in tasks if task.running]
    seen = {states[target] for task in running for target in task.targets.get(group, ()) if target in states}
    if seen == {"unused"}:
        return "no listener forwards to it (its targets are unused)"
    if seen == {"unavailable"}:
        return "its health checks are turned off (its targets are unavailable)"
    settled = [task for task in running if task.started_at is not None and now - task.started_at > _REGISTERED_WITHIN]
    if settled and not seen:
        return f"none of {len(settled)} tasks is registered in it with an address and a port that ECS returns"
    return None


def refuse_unread(
    unread: Mapping[str, str], service: Service, wait_for: str, stabilize_time: float | None
) -> list[str]:
    """Return warnings about target groups whose health cannot be read (ARN or name -> why).

    If there are any, raise Refused if ``wait_for`` is target_healthy or ``stabilize_time`` is unset or 0: a task
    without a health report does not count as healthy.
    """
    if unread and (wait_for == "target_healthy" or not stabilize_time):
        said = "; ".join(f"{group}: {why}" for group, why in unread.items())
        how = "stabilize_time (the seconds that a new task must run before it counts as healthy)"
        if wait_for == "target_healthy":
            how = f"{how} and wait_for: auto"
        raise Refused(
            f"the health of the tasks of service {service.name} in cluster {service.cluster} cannot be read from"
            f" {_kind(unread)} {said}. Fix this,"
            f" or set {how}"
        )
    return [
        f"the health of the tasks of service {service.name} cannot be read from {group}: {why}. In this group, new"
        f" tasks count as healthy after stabilize_time ({stabilize_time:g} s)"
        for group, why in unread.items()
    ]


def missing_words(service: Service, group: str) -> str:
    """Return the message for a missing target group or load balancer to which ECS must add every new task."""
    return (
        f"service {service.name} in cluster {service.cluster} uses {_kind((group,))} {group}, which does not exist, so"
        " no new task can become healthy. Create it again or update the service, then run again"
    )


def _kind(groups: Iterable[str]) -> str:
    return "target group" if all(group.startswith("arn:") for group in groups) else "Classic Load Balancer"


def is_good(task: Task, level: str, has_health_check: bool, targets: Mapping[str, Mapping[str, str]]) -> bool:
    """Return whether a task is good at a level. Each level includes the ones below it.

    ``targets``: the last seen state of each target, by target group.
    """
    if not task.running:
        return False
    if level == "running":
        return True
    if has_health_check and task.health != "HEALTHY":
        return False
    if level == "healthy":
        return True
    return all(
        task.targets.get(group) and all(states.get(target) == "healthy" for target in task.targets[group])
        for group, states in targets.items()
    )
