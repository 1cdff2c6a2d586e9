# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.live.sweep: remove everything that a run has created, whatever happened to the run.

A resource belongs to the run if its name begins with ``steadyops-live`` and it has the tag of the run, or no tag at
all: a run may be killed between the call that creates a resource and the one that tags it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.live.account import MARKER, NAME, OTHER, TAG, WEB, Account

PATIENCE = 1200.0  # seconds; a service and a load balancer take some minutes to go
ROUNDS = 20  # minimum number, however fast a sandbox is
QUIET = 20.0  # seconds for which nothing must appear: a call of a run that was killed may still be on its way
GONE = re.compile("NotFound|NotExist|NoSuchEntity|NonExistent|NotActive|Inactive")


@dataclass(frozen=True)
class Kind:
    """``find`` returns what exists, by name or ARN. ``tags`` returns a mapping, or a list of {"Key"} or {"key"}."""

    find: Callable[[Account], Iterable[str]]
    remove: Callable[[Account, str], Any]
    tags: Callable[[Account, str], Any] = lambda _account, _name: []


def pages(account: Account, service: str, operation: str, key: str, **asked: Any) -> Iterator[Any]:
    for page in account.client(service).get_paginator(operation).paginate(**asked):
        yield from page.get(key) or []


def ours(found: Iterable[dict[str, Any]], name: str, identity: str = "") -> list[str]:
    """Return the ``identity``, by default the ``name``, of each resource whose ``name`` is one of ours."""
    return [each[identity or name] for each in found if each[name].startswith(NAME)]


def clusters(account: Account) -> list[str]:
    found = account.client("ecs").describe_clusters(clusters=[NAME])["clusters"]
    return [each["clusterArn"] for each in found if each["status"] != "INACTIVE"]


def services(account: Account) -> list[str]:
    """Return our services, looked up by name because ECS does not list a service that is draining."""
    if not clusters(account):
        return []
    found = account.client("ecs").describe_services(cluster=NAME, services=[WEB, OTHER])["services"]
    return [each["serviceArn"] for each in found if each["status"] != "INACTIVE"]


def tasks(account: Account) -> list[str]:
    return list(pages(account, "ecs", "list_tasks", "taskArns", cluster=NAME)) if clusters(account) else []


def definitions(account: Account) -> list[str]:
    families = list(pages(account, "ecs", "list_task_definition_families", "families", familyPrefix=NAME))
    asked = [(family, status) for family in families for status in ("ACTIVE", "INACTIVE")]
    return [
        arn
        for family, status in asked
        for arn in pages(
            account, "ecs", "list_task_definitions", "taskDefinitionArns", familyPrefix=family, status=status
        )
    ]


def remove_definition(account: Account, arn: str) -> None:
    with suppress(ClientError):  # if it is inactive already
        account.client("ecs").deregister_task_definition(taskDefinition=arn)
    account.client("ecs").delete_task_definitions(taskDefinitions=[arn])


def remove_rule(account: Account, name: str) -> None:
    events = account.client("events")
    targets = [each["Id"] for each in events.list_targets_by_rule(Rule=name)["Targets"]]
    if targets:
        events.remove_targets(Rule=name, Ids=targets)
    events.delete_rule(Name=name)


def log_groups(account: Account) -> list[str]:
    prefixes = [f"/aws/lambda/{NAME}", f"/aws/vendedlogs/states/{NAME}"]
    asked = [{"logGroupNamePrefix": prefix} for prefix in prefixes]
    return [
        g["logGroupName"] for each in asked for g in pages(account, "logs", "describe_log_groups", "logGroups", **each)
    ]


def scalable_targets(account: Account) -> list[str]:
    asked = {"ServiceNamespace": "ecs", "ResourceIds": [f"service/{NAME}/{WEB}"]}
    found = pages(account, "application-autoscaling", "describe_scalable_targets", "ScalableTargets", **asked)
    return [each["ResourceId"] for each in found]


def remove_role(account: Account, name: str) -> None:
    iam = account.client("iam")
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def balancer_tags(account: Account, arn: str) -> Any:
    return account.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]


# A resource comes before those that it uses. If AWS takes a while, the next round tries again.
KINDS = {
    "schedule": Kind(
        lambda a: ours(pages(a, "scheduler", "list_schedules", "Schedules", NamePrefix=NAME), "Name"),
        lambda a, name: a.client("scheduler").delete_schedule(Name=name),
    ),
    "state machine": Kind(
        lambda a: ours(pages(a, "stepfunctions", "list_state_machines", "stateMachines"), "name", "stateMachineArn"),
        lambda a, arn: a.client("stepfunctions").delete_state_machine(stateMachineArn=arn),
        lambda a, arn: a.client("stepfunctions").list_tags_for_resource(resourceArn=arn)["tags"],
    ),
    "rule": Kind(
        lambda a: ours(pages(a, "events", "list_rules", "Rules", NamePrefix=NAME), "Name"),
        remove_rule,
        lambda a, name: a.client("events").list_tags_for_resource(ResourceARN=a.arn("events", f"rule/{name}"))["Tags"],
    ),
    "event source mapping": Kind(
        lambda a: [
            each["UUID"]
            for each in pages(a, "lambda", "list_event_source_mappings", "EventSourceMappings")
            if f":function:{NAME}" in each["FunctionArn"]
        ],
        lambda a, uuid: a.client("lambda").delete_event_source_mapping(UUID=uuid),
    ),
    "function": Kind(
        lambda a: ours(pages(a, "lambda", "list_functions", "Functions"), "FunctionName"),
        lambda a, name: a.client("lambda").delete_function(FunctionName=name),
        lambda a, name: a.client("lambda").list_tags(Resource=a.arn("lambda", f"function:{name}"))["Tags"],
    ),
    "alarm": Kind(
        lambda a: ours(pages(a, "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=NAME), "AlarmName"),
        lambda a, name: a.client("cloudwatch").delete_alarms(AlarmNames=[name]),
    ),
    "queue": Kind(
        lambda a: list(pages(a, "sqs", "list_queues", "QueueUrls", QueueNamePrefix=NAME)),
        lambda a, url: a.client("sqs").delete_queue(QueueUrl=url),
        lambda a, url: a.client("sqs").list_queue_tags(QueueUrl=url).get("Tags", {}),
    ),
    "log group": Kind(log_groups, lambda a, name: a.client("logs").delete_log_group(logGroupName=name)),
    "table": Kind(
        lambda a: [name for name in pages(a, "dynamodb", "list_tables", "TableNames") if name.startswith(NAME)],
        lambda a, name: a.client("dynamodb").delete_table(TableName=name),
        lambda a, name: a.client("dynamodb").list_tags_of_resource(ResourceArn=a.arn("dynamodb", f"table/{name}"))[
            "Tags"
        ],
    ),
    "scalable target": Kind(
        scalable_targets,
        lambda a, resource: a.client("application-autoscaling").deregister_scalable_target(
            ServiceNamespace="ecs", ResourceId=resource, ScalableDimension="ecs:service:DesiredCount"
        ),
    ),
    "service": Kind(
        services,
        lambda a, arn: a.client("ecs").delete_service(cluster=NAME, service=arn, force=True),
        lambda a, arn: a.client("ecs").list_tags_for_resource(resourceArn=arn)["tags"],
    ),
    "task": Kind(tasks, lambda a, arn: a.client("ecs").stop_task(cluster=NAME, task=arn)),
    "cluster": Kind(clusters, lambda a, arn: a.client("ecs").delete_cluster(cluster=arn)),
    "task definition": Kind(definitions, remove_definition),
    "load balancer": Kind(
        lambda a: ours(
            pages(a, "elbv2", "describe_load_balancers", "LoadBalancers"), "LoadBalancerName", "LoadBalancerArn"
        ),
        lambda a, arn: a.client("elbv2").delete_load_balancer(LoadBalancerArn=arn),
        balancer_tags,
    ),
    "target group": Kind(
        lambda a: ours(
            pages(a, "elbv2", "describe_target_groups", "TargetGroups"), "TargetGroupName", "TargetGroupArn"
        ),
        lambda a, arn: a.client("elbv2").delete_target_group(TargetGroupArn=arn),
        balancer_tags,
    ),
    "IAM role": Kind(
        lambda a: ours(pages(a, "iam", "list_roles", "Roles"), "RoleName"),
        remove_role,
        lambda a, name: a.client("iam").list_role_tags(RoleName=name)["Tags"],
    ),
}


def is_ours(tags: Any) -> bool:
    keys = list(tags) if isinstance(tags, dict) else [each.get("Key") or each.get("key") for each in tags]
    return not keys or TAG in keys


def find(account: Account, kind: str) -> tuple[list[str], list[str]]:
    """Return the resources of a kind with our name: first ours, then those with tags of somebody else."""
    mine, strange = [], []
    for name in KINDS[kind].find(account):
        try:
            tags = KINDS[kind].tags(account, name)
        except ClientError as problem:
            if is_gone(problem):
                continue
            raise
        (mine if is_ours(tags) else strange).append(name)
    return mine, strange


def is_gone(problem: ClientError) -> bool:
    error = problem.response["Error"]
    return bool(GONE.search(f"{error['Code']} {error.get('Message', '')}"))


def one_round(account: Account) -> list[str]:
    """Try to remove everything once. Return what was there or could not be looked up, and why it was not removed."""
    left = []
    for kind, calls in KINDS.items():
        try:
            found, _strange = find(account, kind)
        except (BotoCoreError, ClientError) as problem:
            left.append(f"{kind}: {problem}")
            continue
        for name in found:
            why = ""
            try:
                calls.remove(account, name)
            except (BotoCoreError, ClientError) as problem:
                why = f": {problem}"
            left.append(f"{kind} {name}{why}")
    return left


def sweep(account: Account) -> list[str]:
    """Remove until nothing has been there for ``QUIET`` seconds. Return what is left when ``PATIENCE`` runs out."""
    began = quiet = account.clock()
    rounds = 0
    while True:
        left = one_round(account)
        rounds += 1
        now = account.clock()
        if left:
            quiet = now
        elif now - quiet >= QUIET:
            return []
        if now - began > PATIENCE and rounds >= ROUNDS:
            return left
        account.pause(5)


def main() -> None:
    account = Account()
    left = sweep(account)
    if left:
        sys.exit("Still there:\n" + "\n".join(left) + "\nRun tests/live/cleanup.yml again.")
    (account.folder / MARKER).unlink(missing_ok=True)
    print("Nothing of the run is left.")


if __name__ == "__main__":
    main()
