# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""When a task counts as good."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import Refused
from .model import Service, Task

# What ECS itself waits for when neither a container nor a target group can tell.
_BLIND_STABILIZE = 40.0


def choose_level(wait_for: str, service: Service, has_health_check: bool) -> str:
    """The level that ``auto`` stands for; an asked for level that the service cannot give is refused."""
    strongest = "target_healthy" if service.target_groups else "healthy" if has_health_check else "running"
    if wait_for == "auto":
        return strongest
    if wait_for == "healthy" and not has_health_check:
        raise Refused(
            f"wait_for is healthy, but no essential container of {service.revision} has a health check that ECS runs"
            f" (one in the image does not count): its tasks would never become healthy. Say {strongest} or auto"
        )
    if wait_for == "target_healthy" and not service.target_groups:
        raise Refused(
            f"wait_for is target_healthy, but service {service.name} has no target group. Say {strongest} or auto"
        )
    return wait_for


def choose_stabilize(stabilize_time: float | None, service: Service, has_health_check: bool) -> float:
    """Seconds that a new task must stay good before it counts."""
    if stabilize_time is not None:
        return stabilize_time
    blind = not (service.target_groups or service.classic_load_balancer or has_health_check)
    return _BLIND_STABILIZE if blind else 0.0


def is_good(task: Task, level: str, has_health_check: bool, targets: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a task is good at a level; each level asks for the ones below it too.

    ``targets`` is the last seen state of each target of each target group.
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
