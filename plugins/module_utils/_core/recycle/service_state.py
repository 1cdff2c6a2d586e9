# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Check whether a run can work on a service, and describe its deployments."""

from __future__ import annotations

from ..amounts import iso
from ..errors import Refused
from .model import Service


def refuse_service(service: Service | None, cluster: str, name: str, restoring: bool = False) -> Service:
    """Return the service if a run can work on it. Raise Refused otherwise."""
    if service is None:
        raise Refused(
            f"there is no service {name} in cluster {cluster}. Compare both names, the region and the account with"
            " the output of 'aws ecs list-services'"
        )
    if service.status != "ACTIVE":
        raise Refused(
            f"service {service.name} in cluster {service.cluster} is {service.status}: ECS starts no tasks for it,"
            " so no stopped task would be replaced. Create the service again, or omit it"
        )
    if restoring:
        return service
    if service.short_arn:
        raise Refused(
            f"service {service.name} still has an ARN of the format before 2019 ({service.arn}) and cannot have tags,"
            " in which a run records what it must give back. Create the service again with the long ARN format"
        )
    if not service.primary:
        raise Refused(
            f"service {service.name} has no PRIMARY {_part(service)}, so the run cannot tell which tasks belong to"
            f" it. Make one of them PRIMARY first ({service.controller} controller)"
        )
    if service.failed:
        raise Refused(failure_words(service))
    return service


def failure_words(service: Service) -> str:
    return (
        f"the deployment {service.primary} of service {service.name} in cluster {service.cluster} has FAILED and was"
        " not rolled back. ECS launches no further tasks for it, so no stopped task would be replaced. Start a new"
        " deployment or roll back, then run again"
    )


def deployment_words(service: Service) -> str:
    """Describe the deployment in progress, with the stage and the hook that hold it if ECS reports them."""
    parts = ", ".join(f"{each.id} {each.status} {each.rollout}".strip() for each in service.deployments)
    said = f"a deployment of service {service.name} in cluster {service.cluster} is in progress ({parts})"
    hold = service.hold
    if hold and hold.hook:
        until = "" if hold.hook_until is None else f" until {iso(hold.hook_until)}, then {hold.hook_then}"
        return f"{said}; the lifecycle hook {hold.hook} pauses it in stage {hold.stage}{until}"
    return f"{said}; {hold.status} in stage {hold.stage or 'unknown'}" if hold else said


def _part(service: Service) -> str:
    return "deployment" if service.controller == "ECS" else "task set"


def others_words(service: Service, others: int) -> str:
    return (
        f"{others} {'task' if others == 1 else 'tasks'} of service {service.name} in cluster {service.cluster} belong"
        f" to another {_part(service)} than {service.primary}, which is PRIMARY, and were left alone"
    )
