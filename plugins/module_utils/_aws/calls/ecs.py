# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon ECS: one call, one function.

Every function takes the boto3 client first and may raise ``CallFailed``. ``cluster`` and ``service`` are
names, instants epoch seconds.
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
    """The service with its tags; None when the cluster has none of that name."""
    answer = ecs.describe_services(cluster=cluster, services=[service], include=["TAGS"])
    check_failures("ecs:DescribeServices", answer, kind="final")
    return next((shapes.described_service(found) for found in answer["services"]), None)


@aws_call("ecs:DescribeServices")
def describe_services(
    ecs: Any, cluster: str, services: list[str]
) -> tuple[dict[str, shapes.DescribedService], dict[str, CallFailed]]:
    """Services with their tags by name, and why others could not be looked up. What ECS has not is in neither.
    At most ten."""
    answer = ecs.describe_services(cluster=cluster, services=services, include=["TAGS"])
    found = {each["serviceName"]: shapes.described_service(each) for each in answer["services"]}
    return found, failures_by_name("ecs:DescribeServices", answer, kind="final")


@aws_call("ecs:DescribeServiceDeployments")
def deployment_hold(ecs: Any, service_deployment: str) -> Hold | None:
    """Where a service deployment stands; None when it has ended, or ECS no longer knows it."""
    answer = ecs.describe_service_deployments(serviceDeploymentArns=[service_deployment])
    return next((shapes.hold(found) for found in answer.get("serviceDeployments", [])), None)


@aws_call("ecs:DescribeCapacityProviders")
def grows_on_demand(ecs: Any, cluster: str, providers: list[str]) -> bool:
    """Whether one of these capacity providers adds capacity when a task finds no place."""
    request: dict[str, Any] = {"capacityProviders": providers}
    # Only newer releases of boto3 know it. Without it, ECS may leave out those that belong to one cluster.
    if "cluster" in ecs.meta.service_model.operation_model("DescribeCapacityProviders").input_shape.members:
        request["cluster"] = cluster
    answer = ecs.describe_capacity_providers(**request)
    return any(shapes.grows(found) for found in answer["capacityProviders"])


@pages("ecs:ListTasks", key="nextToken")
def list_tasks(ecs: Any, cluster: str, service: str, **page: str) -> Any:
    """List the ARNs of the service's tasks that are meant to run."""
    answer = ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="RUNNING", **page)
    return answer["taskArns"], answer


@aws_call("ecs:DescribeTasks")
def describe_tasks(ecs: Any, cluster: str, arns: list[str], with_tags: bool = False) -> list[Mapping[str, Any]]:
    """boto3's tasks, for ``shapes.task``; without those that are gone. At most a hundred."""
    more = {"include": ["TAGS"]} if with_tags else {}
    answer = ecs.describe_tasks(cluster=cluster, tasks=arns, **more)
    # A task that ECS does not return for any reason other than that it is gone must not count as gone.
    check_failures("ecs:DescribeTasks", answer, kind="passing")
    return answer["tasks"]


@aws_call("ecs:DescribeTasks")
def describe_tasks_of_several(
    ecs: Any, cluster: str, arns: list[str], with_tags: bool
) -> tuple[dict[str, Mapping[str, Any]], dict[str, CallFailed]]:
    """boto3's tasks by id, and why others could not be looked up, by id. What is gone is in neither. At most a hundred,
    of any services."""
    more = {"include": ["TAGS"]} if with_tags else {}
    answer = ecs.describe_tasks(cluster=cluster, tasks=arns, **more)
    found = {_id(each["taskArn"]): each for each in answer["tasks"]}
    return found, failures_by_name("ecs:DescribeTasks", answer, kind="passing")


@aws_call("ecs:DescribeContainerInstances")
def instance_ids(ecs: Any, cluster: str, arns: list[str]) -> dict[str, str]:
    """Container instance ARN -> EC2 instance id. At most a hundred."""
    answer = ecs.describe_container_instances(cluster=cluster, containerInstances=arns)
    return {
        found["containerInstanceArn"]: found["ec2InstanceId"]
        for found in answer["containerInstances"]
        if "ec2InstanceId" in found
    }


@aws_call("ecs:GetTaskProtection")
def protected_until(ecs: Any, cluster: str, arns: list[str]) -> dict[str, float]:
    """ARN -> instant at which the protection of the task ends, of those under protection. At most a hundred."""
    answer = ecs.get_task_protection(cluster=cluster, tasks=arns)
    check_failures("ecs:GetTaskProtection", answer, kind="passing", known=("MISSING", "TASK_NOT_VALID"))
    return _protection_ends(answer)


@aws_call("ecs:GetTaskProtection")
def protected_until_of_several(
    ecs: Any, cluster: str, arns: list[str]
) -> tuple[dict[str, float], dict[str, CallFailed]]:
    """The same for tasks of any services, and by id why others could not be looked up. At most a hundred."""
    answer = ecs.get_task_protection(cluster=cluster, tasks=arns)
    failures = failures_by_name("ecs:GetTaskProtection", answer, kind="passing", known=("MISSING", "TASK_NOT_VALID"))
    return _protection_ends(answer), failures


@aws_call("ecs:UpdateTaskProtection")
def protect(ecs: Any, cluster: str, arns: list[str], minutes: int) -> set[str]:
    """ARNs of those that are under protection now, for so many minutes; without those that are gone, or not begun.
    At most ten."""
    answer = ecs.update_task_protection(cluster=cluster, tasks=arns, protectionEnabled=True, expiresInMinutes=minutes)
    check_failures("ecs:UpdateTaskProtection", answer, kind="final", known=("MISSING", "TASK_NOT_VALID"))
    return {found["taskArn"] for found in answer["protectedTasks"] if found.get("protectionEnabled")}


@aws_call("ecs:UpdateTaskProtection")
def unprotect(ecs: Any, cluster: str, arns: list[str]) -> None:
    """End the protection of tasks; those that are gone do no harm. At most ten."""
    answer = ecs.update_task_protection(cluster=cluster, tasks=arns, protectionEnabled=False)
    check_failures("ecs:UpdateTaskProtection", answer, kind="final", known=("MISSING", "TASK_NOT_VALID"))


@aws_call("ecs:DescribeTaskDefinition")
def containers(ecs: Any, revision: str) -> list[Mapping[str, Any]]:
    """boto3's container definitions of a task definition, for ``shapes.has_health_check`` and ``secrets.names_in``."""
    answer = ecs.describe_task_definition(taskDefinition=revision)
    return answer["taskDefinition"]["containerDefinitions"]


@aws_call("ecs:DescribeTaskDefinition", expected="ClientException: Unable to describe task definition")
def task_definition(ecs: Any, revision: str) -> Mapping[str, Any] | None:
    """Return boto3's task definition, of ``family`` or ``family:revision``; None when there is none."""
    found: Mapping[str, Any] = ecs.describe_task_definition(taskDefinition=revision)["taskDefinition"]
    return found


@aws_call("ecs:UpdateService")
def set_desired_count(ecs: Any, cluster: str, service: str, count: int) -> None:
    """Set the desired count and nothing else, which starts no deployment."""
    ecs.update_service(cluster=cluster, service=service, desiredCount=count)


@aws_call("ecs:StopTask", expected="InvalidParameterException: .*not found", then=False)
def stop_task(ecs: Any, cluster: str, arn: str, reason: str) -> bool:
    """Stop a task; stopping one that is being stopped does no harm. False when ECS no longer knows it."""
    ecs.stop_task(cluster=cluster, task=arn, reason=reason[:LONGEST_REASON])
    return True


@aws_call("ecs:TagResource")
def tag(ecs: Any, arn: str, tags: Mapping[str, str]) -> None:
    """Write tags; others stay."""
    ecs.tag_resource(resourceArn=arn, tags=[{"key": key, "value": value} for key, value in tags.items()])


@aws_call("ecs:UntagResource")
def untag(ecs: Any, arn: str, keys: Iterable[str]) -> None:
    """Remove tags; those that are not there do no harm."""
    ecs.untag_resource(resourceArn=arn, tagKeys=list(keys))


# The codes are in the API model; which of them stands for a task that is gone, and the words, are assumed.
@aws_call("ecs:UntagResource", expected=f"{NOT_FOUND}|InvalidParameterException: .*(not found|stopped)")
def untag_task(ecs: Any, arn: str, keys: Iterable[str]) -> None:
    """Remove tags of a task; one that is gone does no harm."""
    ecs.untag_resource(resourceArn=arn, tagKeys=list(keys))


def check_failures(action: str, answer: Mapping[str, Any], kind: str, known: tuple[str, ...] = ("MISSING",)) -> None:
    """ECS answers 200 and names in ``failures`` what it could not do. Raises ``CallFailed`` for unknown reasons."""
    for failure in failures_by_name(action, answer, kind, known).values():
        raise failure


def failures_by_name(
    action: str, answer: Mapping[str, Any], kind: str, known: tuple[str, ...] = ("MISSING",)
) -> dict[str, CallFailed]:
    """The same, by the last part of the ARN, for answers about several things."""
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
