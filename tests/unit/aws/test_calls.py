# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each call: what it sends, and what it makes of the answer."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import (
    application_autoscaling,
    ecs,
    elb,
    elbv2,
    service_revisions,
    vpc_lattice,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.shapes.ecs_targets import Revision
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Scaling

from tests.unit.aws.clients import ECS, GROUP, at, service, stubbed, task

TASK = f"{ECS}:task/prod/1"
TASK_2 = f"{ECS}:task/prod/2"
INSTANCE = f"{ECS}:container-instance/prod/1"
REVISION = f"{ECS}:task-definition/web:7"
SERVICE = f"{ECS}:service/prod/web"
TARGET = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def containers(*definitions):
    return {"taskDefinition": {"containerDefinitions": list(definitions)}}


def scalable(**more):
    return {
        "ScalableTargets": [
            {
                **TARGET,
                "ResourceId": "service/prod/web",
                "MinCapacity": 1,
                "MaxCapacity": 9,
                "RoleARN": "arn:aws:iam::111122223333:role/scaling",
                "CreationTime": at(0),
                **more,
            }
        ]
    }


@pytest.mark.parametrize(
    ("function", "arguments", "operation", "request_", "response", "expected"),
    [
        (
            ecs.describe_service,
            ("prod", "web"),
            "describe_services",
            {"cluster": "prod", "services": ["web"], "include": ["TAGS"]},
            {"services": [], "failures": [{"arn": SERVICE, "reason": "MISSING"}]},
            None,
        ),
        (
            service_revisions.service_revision,
            ("revision",),
            "describe_service_revisions",
            {"serviceRevisionArns": ["revision"]},
            {"serviceRevisions": [{"resolvedConfiguration": {"loadBalancers": [{"targetGroupArn": GROUP}, {}]}}]},
            Revision(frozenset({GROUP})),
        ),
        (
            service_revisions.service_revision,
            ("revision",),
            "describe_service_revisions",
            {"serviceRevisionArns": ["revision"]},
            {"serviceRevisions": [{}]},
            Revision(),
        ),
        (
            ecs.describe_tasks,
            ("prod", [TASK, TASK_2]),
            "describe_tasks",
            {"cluster": "prod", "tasks": [TASK, TASK_2]},
            {"tasks": [task()], "failures": [{"arn": TASK_2, "reason": "MISSING"}]},
            [task()],
        ),
        (
            ecs.describe_tasks,
            ("prod", [TASK], True),
            "describe_tasks",
            {"cluster": "prod", "tasks": [TASK], "include": ["TAGS"]},
            {"tasks": [task(tags=[{"key": "a", "value": "b"}])], "failures": []},
            [task(tags=[{"key": "a", "value": "b"}])],
        ),
        (
            ecs.instance_ids,
            ("prod", [INSTANCE, "external"]),
            "describe_container_instances",
            {"cluster": "prod", "containerInstances": [INSTANCE, "external"]},
            {
                "containerInstances": [
                    {"containerInstanceArn": INSTANCE, "ec2InstanceId": "i-1"},
                    {"containerInstanceArn": "external"},
                ]
            },
            {INSTANCE: "i-1"},
        ),
        (
            ecs.protected_until,
            ("prod", [TASK, TASK_2, "3"]),
            "get_task_protection",
            {"cluster": "prod", "tasks": [TASK, TASK_2, "3"]},
            {
                "protectedTasks": [
                    {"taskArn": TASK, "protectionEnabled": True, "expirationDate": at(2000)},
                    {"taskArn": TASK_2, "protectionEnabled": False},
                    {"taskArn": "3", "protectionEnabled": True},
                ],
                "failures": [{"arn": "4", "reason": "MISSING"}, {"arn": "5", "reason": "TASK_NOT_VALID"}],
            },
            {TASK: 2000.0, "3": float("inf")},
        ),
        (
            ecs.protect,
            ("prod", [TASK, TASK_2, "3"], 90),
            "update_task_protection",
            {"cluster": "prod", "tasks": [TASK, TASK_2, "3"], "protectionEnabled": True, "expiresInMinutes": 90},
            {
                "protectedTasks": [{"taskArn": TASK, "protectionEnabled": True, "expirationDate": at(2000)}],
                "failures": [{"arn": TASK_2, "reason": "MISSING"}, {"arn": "3", "reason": "TASK_NOT_VALID"}],
            },
            {TASK},
        ),
        (
            ecs.unprotect,
            ("prod", [TASK, TASK_2]),
            "update_task_protection",
            {"cluster": "prod", "tasks": [TASK, TASK_2], "protectionEnabled": False},
            {"protectedTasks": [], "failures": [{"arn": TASK_2, "reason": "MISSING"}]},
            None,
        ),
        (
            ecs.containers,
            (REVISION,),
            "describe_task_definition",
            {"taskDefinition": REVISION},
            containers({"name": "web"}, {"name": "log"}),
            [{"name": "web"}, {"name": "log"}],
        ),
        (
            ecs.set_desired_count,
            ("prod", "web", 4),
            "update_service",
            {"cluster": "prod", "service": "web", "desiredCount": 4},
            {},
            None,
        ),
        (
            ecs.stop_task,
            ("prod", TASK, "x" * 300),
            "stop_task",
            {"cluster": "prod", "task": TASK, "reason": "x" * 255},
            {},
            True,
        ),
        (
            ecs.tag,
            (SERVICE, {"a": "1", "b": "2"}),
            "tag_resource",
            {"resourceArn": SERVICE, "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]},
            {},
            None,
        ),
        (ecs.untag, (SERVICE, ("a",)), "untag_resource", {"resourceArn": SERVICE, "tagKeys": ["a"]}, {}, None),
        (ecs.untag_task, (TASK, ("a",)), "untag_resource", {"resourceArn": TASK, "tagKeys": ["a"]}, {}, None),
        (
            application_autoscaling.scaling,
            ("prod", "web"),
            "describe_scalable_targets",
            {**TARGET, "ResourceIds": ["service/prod/web"]},
            {"ScalableTargets": []},
            None,
        ),
        (
            application_autoscaling.scaling,
            ("prod", "web"),
            "describe_scalable_targets",
            {**TARGET, "ResourceIds": ["service/prod/web"]},
            scalable(),
            Scaling(minimum=1, maximum=9),
        ),
        (
            application_autoscaling.scaling,
            ("prod", "web"),
            "describe_scalable_targets",
            {**TARGET, "ResourceIds": ["service/prod/web"]},
            scalable(SuspendedState={"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": True}),
            Scaling(dynamic_in=True, scheduled=True, minimum=1, maximum=9),
        ),
        (
            application_autoscaling.suspend,
            ("prod", "web", Scaling(dynamic_in=True, minimum=1, maximum=9)),
            "register_scalable_target",
            {
                **TARGET,
                "ResourceId": "service/prod/web",
                "SuspendedState": {
                    "DynamicScalingInSuspended": True,
                    "DynamicScalingOutSuspended": False,
                    "ScheduledScalingSuspended": False,
                },
            },
            {},
            None,
        ),
        (
            elbv2.target_states,
            (GROUP,),
            "describe_target_health",
            {"TargetGroupArn": GROUP},
            {
                "TargetHealthDescriptions": [
                    {"Target": {"Id": "10.0.1.7", "Port": 8080}, "TargetHealth": {"State": "healthy"}},
                    {
                        "Target": {"Id": "i-1", "Port": 32768},
                        "TargetHealth": {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Timed out"},
                    },
                    {"Target": {"Id": "2001:DB8:0::1", "Port": 80}, "TargetHealth": {"State": "initial"}},
                ]
            },
            {
                "10.0.1.7:8080": ("healthy", ""),
                "i-1:32768": ("unhealthy", "Target.Timeout: Timed out"),
                "2001:db8::1:80": ("initial", ""),
            },
        ),
    ],
)
def test_call(function, arguments, operation, request_, response, expected):
    names = {application_autoscaling: "application-autoscaling", elbv2: "elbv2", ecs: "ecs", service_revisions: "ecs"}
    client, stub = stubbed(next(name for module, name in names.items() if function.__module__ == module.__name__))
    stub.add_response(operation, response, request_)
    assert function(client, *arguments) == expected
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("function", "arguments", "operation", "code", "message", "expected"),
    [
        (
            ecs.describe_service,
            ("prod", "web"),
            "describe_services",
            "ClusterNotFoundException",
            "Cluster not found.",
            "final",
        ),
        (ecs.list_tasks, ("prod", "web"), "list_tasks", "AccessDeniedException", "no", "final"),
        (ecs.stop_task, ("prod", TASK, ""), "stop_task", "InvalidParameterException", "Bad reason", "final"),
        (ecs.tag, (SERVICE, {}), "tag_resource", "LimitExceededException", "50 tags", "final"),
        (ecs.set_desired_count, ("prod", "web", 1), "update_service", "ServiceNotActiveException", "no", "final"),
    ],
)
def test_error(function, arguments, operation, code, message, expected):
    client, stub = stubbed("ecs")
    stub.add_client_error(operation, code, message)
    with pytest.raises(CallFailed) as failed:
        function(client, *arguments)
    api = "".join(word.capitalize() for word in operation.split("_"))
    assert (failed.value.operation, failed.value.code, failed.value.kind) == (api, code, expected)
    assert message.rstrip(".") in str(failed.value)


def test_a_task_that_ecs_has_forgotten_cannot_be_stopped():
    client, stub = stubbed("ecs")
    stub.add_client_error("stop_task", "InvalidParameterException", "The referenced task was not found.")
    assert ecs.stop_task(client, "prod", TASK, "") is False


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFoundException", "The specified task was not found."),
        ("InvalidParameterException", "The specified task is stopped. Specify a running task and try again."),
    ],
)
def test_a_task_that_is_gone_has_no_tags(code, message):
    client, stub = stubbed("ecs")
    stub.add_client_error("untag_resource", code, message)
    assert ecs.untag_task(client, TASK, ["a"]) is None


def test_tags_that_may_not_be_removed_are_a_failure():
    client, stub = stubbed("ecs")
    said = "User: x is not authorized to perform: ecs:UntagResource on resource: y with an explicit deny in a"
    stub.add_client_error("untag_resource", "AccessDeniedException", f"{said} service control policy")
    with pytest.raises(CallFailed, match="An explicit deny in a service control policy forbids ecs:UntagResource"):
        ecs.untag_task(client, TASK, ["a"])


@pytest.mark.parametrize(
    ("function", "operation", "response", "kind"),
    [
        (ecs.describe_service, "describe_services", {"services": []}, "final"),
        (ecs.describe_tasks, "describe_tasks", {"tasks": []}, "passing"),
        (ecs.protected_until, "get_task_protection", {"protectedTasks": []}, "passing"),
    ],
)
def test_what_is_not_told_is_not_taken_for_missing(function, operation, response, kind):
    client, stub = stubbed("ecs")
    failures = [{"arn": "it", "reason": "ODD", "detail": "Look elsewhere."}]
    stub.add_response(operation, {**response, "failures": failures})
    with pytest.raises(CallFailed) as failed:
        function(client, "prod", [TASK] if operation != "describe_services" else "web")
    assert (failed.value.code, failed.value.kind) == ("ODD", kind)
    assert "it: Look elsewhere" in str(failed.value)


def test_a_protection_that_would_hold_up_a_deployment():
    client, stub = stubbed("ecs")
    failure = {"arn": TASK, "reason": "DEPLOYMENT_BLOCKED", "detail": "Protected tasks hold up a deployment."}
    stub.add_response("update_task_protection", {"protectedTasks": [], "failures": [failure]})
    with pytest.raises(CallFailed) as failed:
        ecs.protect(client, "prod", [TASK], 60)
    assert (failed.value.code, failed.value.kind) == ("DEPLOYMENT_BLOCKED", "final")


def test_a_service_that_is_there():
    client, stub = stubbed("ecs")
    stub.add_response("describe_services", {"services": [service()], "failures": []})
    found = ecs.describe_service(client, "prod", "web")
    assert found.service.arn == SERVICE


LATTICE = "arn:aws:vpc-lattice:eu-central-1:111122223333:targetgroup/tg-0123456789abcdef0"


def state(instance, said, description="N/A"):
    code = "Instance" if said == "OutOfService" else "N/A"
    return {"InstanceId": instance, "State": said, "ReasonCode": code, "Description": description}


def test_instances_of_a_classic_load_balancer():
    """The descriptions come from the API model, InstanceState."""
    client, stub = stubbed("elb")
    found = {
        "a": ("InService", "N/A", "healthy"),
        "b": ("InService", "Instance deregistration currently in progress.", "draining"),
        "c": ("OutOfService", "Instance registration is still in progress.", "initial"),
        "d": (
            "OutOfService",
            "Instance has not passed the configured HealthyThreshold number of health checks consecutively.",
            "initial",
        ),
        "e": (
            "OutOfService",
            "Instance has failed at least the UnhealthyThreshold number of health checks consecutively.",
            "unhealthy",
        ),
        "f": ("OutOfService", "Instance is not currently registered with the LoadBalancer.", "unused"),
        "g": ("Unknown", "A transient error occurred. Please try again later.", "unknown"),
    }
    states = [state(instance, said, description) for instance, (said, description, _state) in found.items()]
    stub.add_response("describe_instance_health", {"InstanceStates": states}, {"LoadBalancerName": "old"})
    seen = elb.instance_states(client, "old")
    assert {instance: said for instance, (said, _reason) in seen.items()} == {
        name: each[2] for name, each in found.items()
    }
    assert seen["a"][1] == ""
    assert seen["c"][1] == "Instance: Instance registration is still in progress"
    assert seen["g"][1] == "A transient error occurred. Please try again later"


def test_targets_of_vpc_lattice_have_pages():
    client, stub = stubbed("vpc-lattice")
    for names, more, asked in (
        (("10.0.0.1", "2001:DB8:0::1"), {"nextToken": "2"}, {}),
        (("10.0.0.2",), {}, {"nextToken": "2"}),
    ):
        items = [{"id": name, "port": 80, "status": "HEALTHY" if ":" in name else "UNAVAILABLE"} for name in names]
        items[0]["reasonCode"] = "HealthCheckNotSupported"
        stub.add_response("list_targets", {"items": items, **more}, {"targetGroupIdentifier": LATTICE, **asked})
    assert dict(vpc_lattice.list_targets(client, LATTICE)) == {
        "10.0.0.1:80": ("unavailable", "HealthCheckNotSupported"),
        "2001:db8::1:80": ("healthy", ""),
        "10.0.0.2:80": ("unavailable", "HealthCheckNotSupported"),
    }


@pytest.mark.parametrize(
    ("service_name", "function", "operation", "code"),
    [
        ("elb", elb.instance_states, "describe_instance_health", "LoadBalancerNotFound"),
        ("elbv2", elbv2.target_states, "describe_target_health", "TargetGroupNotFound"),
        ("vpc-lattice", vpc_lattice.list_targets, "list_targets", "ResourceNotFoundException"),
    ],
)
def test_what_does_not_exist_has_no_states(service_name, function, operation, code):
    client, stub = stubbed(service_name)
    stub.add_client_error(operation, code)
    assert function(client, LATTICE) is None
