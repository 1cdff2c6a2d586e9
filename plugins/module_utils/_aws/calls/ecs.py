# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon ECS: each function makes one call.

Every function takes the boto3 client first and may raise ``CallFailed``. ``cluster`` and ``service`` are
names. Instants are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._amazon import NOT_FOUND, aws_call, call_failed
from ..._core.errors import CallFailed
from ..._core.recycle.model import Hold
from ..shapes import ecs as shapes
from .pages import pages

LONGEST_REASON = 255  # characters


@aws_call("ecs:DescribeServices")
def describe_service(ecs: Any, cluster: str, service: str) -> shapes.DescribedService | None:
    """Return the service with its tags, or None if the cluster has no service of that name."""
    answer = ecs.describe_services(cluster=cluster, services=[service], include=["TAGS"])
    check_failures("ecs:DescribeServices", answer, kind="final")
    return next((shapes.described_service(found) for found in answer["services"]), None)


@aws_call("ecs:DescribeServices")
def describe_services(
    ecs: Any, cluster: str, services: list[str]
) -> tuple[dict[str, shapes.DescribedService], dict[str, CallFailed]]:
    """Return services with tags, and failed look-ups, both by name. Missing services are in neither. At most ten."""
    answer = ecs.describe_services(cluster=cluster, services=services, include=["TAGS"])
    found = {each["serviceName"]: shapes.described_service(each) for each in answer["services"]}
    return found, failures_by_name("ecs:DescribeServices", answer, kind="final")


@aws_call("ecs:DescribeServiceDeployments")
def deployment_hold(ecs: Any, service_deployment: str) -> Hold | None:
    """Return the progress of a service deployment, or None if it has ended or ECS no longer knows it."""
    answer = ecs.describe_service_deployments(serviceDeploymentArns=[service_deployment])
    return next((shapes.hold(found) for found in answer.get("serviceDeployments", [])), None)


@aws_call("ecs:DescribeCapacityProviders")
def grows_on_demand(ecs: Any, cluster: str, providers: list[str]) -> bool:
    """Return whether one of these capacity providers adds capacity when a task cannot be placed."""
    request: dict[str, Any] = {"capacityProviders": providers}
    # Only newer releases of boto3 know this parameter. Without it, ECS may omit providers that belong to one cluster.
    if "cluster" in ecs.meta.service_model.operation_model("DescribeCapacityProviders").input_shape.members:
        request["cluster"] = cluster
    answer = ecs.describe_capacity_providers(**request)
    return any(shapes.grows(found) for found in answer["capacityProviders"])


@pages("ecs:ListTasks", key="nextToken")
def list_tasks(ecs: Any, cluster: str, service: str, **page: str) -> Any:
    """List the ARNs of the service's tasks whose desired status is RUNNING."""
    answer = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="RUNNING", **page)
    return answer["taskArns"], answer


@aws_call("ecs:DescribeTasks")
def describe_tasks(ecs: Any, cluster: str, arns: list[str], with_tags: bool = False) -> list[Mapping[str, Any]]:
    """Return boto3's tasks, for ``shapes.task``. Tasks that are gone are omitted. At most a hundred ARNs."""
    more = {"include": ["TAGS"]} if with_tags else {}
    answer = ecs.describe_tasks(cluster=cluster, tasks=arns, **more)
    # A task that ECS omits for another reason must not be counted as gone.
    check_failures("ecs:DescribeTasks", answer, kind="passing")
    return answer["tasks"]


@aws_call("ecs:DescribeTasks")
def describe_tasks_of_several(
    ecs: Any, cluster: str, arns: list[str], with_tags: bool
) -> tuple[dict[str, Mapping[str, Any]], dict[str, CallFailed]]:
    """Return boto3's tasks of any services, and failed look-ups, by id. Gone ones are in neither. At most a hundred."""
    more = {"include": ["TAGS"]} if with_tags else {}
    answer = ecs.describe_tasks(cluster=cluster, tasks=arns, **more)
    found = {_id(each["taskArn"]): each for each in answer["tasks"]}
    return found, failures_by_name("ecs:DescribeTasks", answer, kind="passing")


@aws_call("ecs:DescribeContainerInstances")
def instance_ids(ecs: Any, cluster: str, arns: list[str]) -> dict[str, str]:
    """Return the EC2 instance id of each container instance by its ARN. At most a hundred ARNs."""
    answer = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
    return {
        found["containerInstanceArn"]: found["ec2InstanceId"]
        for found in answer["containerInstances"]
        if "ec2InstanceId" in found
    }


@aws_call("ecs:GetTaskProtection")
def protected_until(ecs: Any, cluster: str, arns: list[str]) -> dict[str, float]:
    """Return when the protection of each protected task ends, by task ARN. At most a hundred ARNs."""
    answer = ecs.get_task_protection(cluster=cluster, tasks=arns)
    check_failures("ecs:GetTaskProtection", answer, kind="passing", known=("MISSING", "TASK_NOT_VALID"))
    return _protection_ends(answer)


@aws_call("ecs:GetTaskProtection")
def protected_until_of_several(
    ecs: Any, cluster: str, arns: list[str]
) -> tuple[dict[str, float], dict[str, CallFailed]]:
    """Do the same for tasks of any services, and also return failed look-ups by task id. At most a hundred ARNs."""
    answer = ecs.get_task_protection(cluster=cluster, tasks=arns)
    failures = failures_by_name("ecs:GetTaskProtection", answer, kind="passing", known=("MISSING", "TASK_NOT_VALID"))
    return _protection_ends(answer), failures


@aws_call("ecs:UpdateTaskProtection")
def protect(ecs: Any, cluster: str, arns: list[str], minutes: int) -> set[str]:
    """Protect at most ten tasks for ``minutes``. Return the ARNs protected now, without tasks gone or not started."""
    answer = ecs.update_task_protection(cluster=cluster, tasks=arns, protectionEnabled=True, expiresInMinutes=minutes)
    check_failures("ecs:UpdateTaskProtection", answer, kind="final", known=("MISSING", "TASK_NOT_VALID"))
    return {found["taskArn"] for found in answer["protectedTasks"] if found.get("protectionEnabled")}


@aws_call("ecs:UpdateTaskProtection")
def unprotect(ecs: Any, cluster: str, arns: list[str]) -> None:
    """End the protection of tasks. Tasks that are gone are ignored. At most ten ARNs."""
    answer = ecs.update_task_protection(cluster=cluster, tasks=arns, protectionEnabled=False)
    check_failures("ecs:UpdateTaskProtection", answer, kind="final", known=("MISSING", "TASK_NOT_VALID"))


@aws_call("ecs:DescribeTaskDefinition")
def containers(ecs: Any, revision: str) -> list[Mapping[str, Any]]:
    """Return a task definition's container definitions, for ``shapes.has_health_check`` and ``secrets.names_in``."""
    answer = ecs.describe_task_definition(taskDefinition=revision)
    return answer["taskDefinition"]["containerDefinitions"]


@aws_call("ecs:DescribeTaskDefinition", expected="ClientException: Unable to describe task definition")
def task_definition(ecs: Any, revision: str) -> Mapping[str, Any] | None:
    """Return boto3's task definition for ``family`` or ``family:revision``, or None if it does not exist."""
    found: Mapping[str, Any] = ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
    return found


@aws_call("ecs:UpdateService")
def set_desired_count(ecs: Any, cluster: str, service: str, count: int) -> None:
    """Set only the desired count, which starts no deployment."""
    ecs.update_service(cluster=cluster, service=service, desiredCount=count)


@aws_call("ecs:StopTask", expected="InvalidParameterException: .*not found", then=False)
def stop_task(ecs: Any, cluster: str, arn: str, reason: str) -> bool:
    """Stop a task. Return False if ECS no longer knows it. Stopping a task twice does no harm."""
    ecs.stop_task(cluster=cluster, task=arn, reason=reason[:LONGEST_REASON])
    return True


@aws_call("ecs:TagResource")
def tag(ecs: Any, arn: str, tags: Mapping[str, str]) -> None:
    """Set these tags and keep all others."""
    ecs.tag_resource(resourceArn=arn, tags=[{"key": key, "value": value} for key, value in tags.items()])


@aws_call("ecs:UntagResource")
def untag(ecs: Any, arn: str, keys: Iterable[str]) -> None:
    """Remove tags. Missing ones are ignored."""
    ecs.untag_resource(resourceArn=arn, tagKeys=list(keys))


# The codes are in the API model. Which of them means that the task is gone, and the wording, are assumed.
@aws_call("ecs:UntagResource", expected=f"{NOT_FOUND}|InvalidParameterException: .*(not found|stopped)")
def untag_task(ecs: Any, arn: str, keys: Iterable[str]) -> None:
    """Remove tags of a task. A task that is gone is ignored."""
    ecs.untag_resource(resourceArn=arn, tagKeys=list(keys))


def check_failures(action: str, answer: Mapping[str, Any], kind: str, known: tuple[str, ...] = ("MISSING",)) -> None:
    """Raise ``CallFailed`` if a reason is not ``known``. ECS answers 200 and lists what failed in ``failures``."""
    for failure in failures_by_name(action, answer, kind, known).values():
        raise failure


def failures_by_name(
    action: str, answer: Mapping[str, Any], kind: str, known: tuple[str, ...] = ("MISSING",)
) -> dict[str, CallFailed]:
    """Return the failures of unknown reasons by the last part of the ARN, for responses about several resources."""
    found = {}
    for failure in answer.get("failures", []):
        reason = failure.get("reason") or "Unknown"
        if reason not in known:
            words = f"{failure.get('arn', 'it')}: {failure.get('detail', 'it could not be looked up')}"
            found[_id(failure.get("arn", ""))] = call_failed(action, reason, words, kind)
    return found


def _protection_ends(answer: Mapping[str, Any]) -> dict[str, float]:
    return {
        found["taskArn"]: shapes.instant(found.get("expirationDate")) or float("inf")
        for found in answer["protectedTasks"]
        if found.get("protectionEnabled")
    }


def _id(arn: str) -> str:
    return arn.rpartition("/")[2]
