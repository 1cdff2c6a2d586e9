# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECS sends to the event bus about tasks, services and deployments, and how RunTask refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .aws import client, code, until

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}


def run(ecs: Any, **more: Any) -> dict[str, Any]:
    return ecs.run_task(taskDefinition="job", launchType="FARGATE", networkConfiguration=NETWORK, **more)  # type: ignore[no-any-return]


def told(sandbox: Sandbox, kind: str = "ECS Task State Change") -> list[dict[str, Any]]:
    return [each["event"] for each in sandbox.events() if each["event"]["detail-type"] == kind]


def details(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [event["detail"] for event in told(sandbox)]


def statuses(sandbox: Sandbox) -> list[tuple[str, str, int]]:
    return [(each["lastStatus"], each["desiredStatus"], each["version"]) for each in details(sandbox)]


def last(sandbox: Sandbox) -> dict[str, Any]:
    return until(lambda: [each for each in details(sandbox) if each["lastStatus"] == "STOPPED"])[0]


def exits(detail: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: (each.get("exitCode"), each.get("reason")) for each in detail["containers"]}


def test_the_life_of_a_task_that_exits(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.program("job", seconds=5, exit_code=0, containers={"app": {"exit_code": 3}})
    answer = run(
        ecs, startedBy="me", group="nightly", overrides={"containerOverrides": [{"name": "app", "command": ["a"]}]}
    )
    arn = answer["tasks"][0]["taskArn"]
    detail = last(sandbox)
    assert statuses(sandbox) == [
        ("PROVISIONING", "RUNNING", 1),
        ("PENDING", "RUNNING", 2),
        ("RUNNING", "RUNNING", 3),
        ("DEPROVISIONING", "STOPPED", 4),
        ("STOPPED", "STOPPED", 5),
    ]
    event = told(sandbox)[-1]
    assert (event["source"], event["version"], event["account"]) == ("aws.ecs", "0", "123456789012")
    assert event["resources"] == [arn]
    assert detail["stopCode"] == "EssentialContainerExited"
    assert detail["stoppedReason"] == "Essential container in task exited"
    assert (detail["group"], detail["startedBy"]) == ("nightly", "me")
    assert detail["overrides"]["containerOverrides"] == [{"name": "app", "command": ["a"]}, {"name": "side"}]
    assert exits(detail) == {"app": (3, None), "side": (0, None)}
    assert exits(details(sandbox)[-2]) == exits(detail)
    assert exits(details(sandbox)[2]) == {"app": (None, None), "side": (None, None)}
    assert detail["createdAt"].endswith("Z")
    assert detail["createdAt"] <= detail["startedAt"] <= detail["stoppedAt"] == detail["updatedAt"]
    assert detail["attachments"][0]["type"] == "eni"
    assert not {"tags", "healthStatus"} & detail.keys()


@pytest.mark.parametrize(
    ("program", "stop_code", "reason", "app"),
    [
        (
            {"seconds": 1, "out_of_memory": True},
            "EssentialContainerExited",
            "Essential container in task exited",
            (137, "OutOfMemoryError: Container killed due to memory usage"),
        ),
        (
            {"fails_to_start": "CannotPullContainerError: not found"},
            "TaskFailedToStart",
            "CannotPullContainerError: not found",
            (None, "CannotPullContainerError: not found"),
        ),
        (
            {"seconds": 1, "interrupted": True, "on_stop": 143},
            "SpotInterruption",
            "Your Spot Task was interrupted.",
            (143, None),
        ),
        ({"seconds": 1, "host_lost": True}, "TerminationNotice", "Host EC2", (None, None)),
    ],
)
def test_how_a_task_ends(
    sandbox: Sandbox, ecs: Any, program: dict[str, Any], stop_code: str, reason: str, app: tuple[int | None, str | None]
) -> None:
    sandbox.program("job", **program)
    run(ecs)
    detail = last(sandbox)
    assert (detail["stopCode"], exits(detail)["app"]) == (stop_code, app)
    assert detail["stoppedReason"].startswith(reason)
    if stop_code == "SpotInterruption":
        warning = next(each for each in details(sandbox) if each.get("stopCode"))
        assert (warning["lastStatus"], warning["desiredStatus"]) == ("RUNNING", "STOPPED")


def test_programs_are_taken_in_turn_and_a_task_without_one_runs_until_it_is_stopped(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.program("job", {"seconds": 1, "exit_code": 1, "times": 1}, {"seconds": 1, "exit_code": 2, "times": 1})
    for expected in (1, 2):
        arn = run(ecs)["tasks"][0]["taskArn"]
        detail = until(
            lambda arn=arn: [each for each in details(sandbox) if each.get("stoppedAt") and each["taskArn"] == arn]
        )[0]
        assert exits(detail)["app"] == (expected, None)
    arn = run(ecs)["tasks"][0]["taskArn"]
    until(lambda: ecs.describe_tasks(tasks=[arn])["tasks"][0]["lastStatus"] == "RUNNING")
    sandbox.act("stop_task", task=arn, reason="maintenance")

    def stopped():
        return [each for each in details(sandbox) if each.get("stoppedAt") and each["taskArn"] == arn]

    (detail,) = until(stopped)
    assert (detail["stopCode"], detail["stoppedReason"]) == ("UserInitiated", "maintenance")


def test_a_launch_that_is_refused_is_no_error_and_no_event(sandbox: Sandbox, ecs: Any) -> None:
    sandbox.fault("run_task_fails", family="job", times=1)
    answer = run(ecs)
    assert answer["tasks"] == []
    assert [each["reason"][:23] for each in answer["failures"]] == ["Capacity is unavailable"]
    assert told(sandbox) == []
    sandbox.fault("run_task_fails", reason="RESOURCE:CPU", started=1, times=1)
    answer = ecs.run_task(taskDefinition="job", count=3, networkConfiguration=NETWORK)
    assert (len(answer["tasks"]), [each["reason"] for each in answer["failures"]]) == (1, ["RESOURCE:CPU"] * 2)
    assert ":container-instance/" in answer["failures"][0]["arn"]
    assert len(run(ecs, count=2)["tasks"]) == 2


def test_the_same_client_token_starts_nothing_twice(sandbox: Sandbox, ecs: Any) -> None:
    first, second = run(ecs, clientToken="once"), run(ecs, clientToken="once")
    assert [each["taskArn"] for each in first["tasks"]] == [each["taskArn"] for each in second["tasks"]]
    with pytest.raises(ecs.exceptions.ConflictException):
        run(ecs, clientToken="once", count=2)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"cluster": "nowhere"}, "ClusterNotFoundException"),
        ({"taskDefinition": "none"}, "ClientException"),
        ({"count": 11}, "InvalidParameterException"),
        ({"networkConfiguration": {}}, "InvalidParameterException"),
        ({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}, "InvalidParameterException"),
        ({"group": "service:web"}, "InvalidParameterException"),
        ({"startedBy": "x" * 129}, "InvalidParameterException"),
        ({"overrides": {"containerOverrides": [{"name": "other"}]}}, "InvalidParameterException"),
    ],
)
def test_what_run_task_refuses(ecs: Any, wrong: dict[str, Any], expected: str) -> None:
    asked = {"taskDefinition": "job", "launchType": "FARGATE", "networkConfiguration": NETWORK}
    assert code(ecs.run_task, **{**asked, **wrong}) == expected


def test_a_capacity_provider_tags_and_the_network_are_told_again(ecs: Any) -> None:
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 2}, {"capacityProvider": "FARGATE", "weight": 1}]
    tags = [{"key": "a", "value": "b"}]
    (task,) = ecs.run_task(
        taskDefinition="job", capacityProviderStrategy=spot, networkConfiguration=NETWORK, tags=tags
    )["tasks"]
    assert (task["capacityProviderName"], task["launchType"], task["tags"]) == ("FARGATE_SPOT", "FARGATE", tags)
    assert task["attachments"][0]["details"][0] == {"name": "subnetId", "value": "subnet-1"}


def test_start_task_on_instances(ecs: Any) -> None:
    answer = ecs.start_task(
        taskDefinition="job", containerInstances=["0" * 31 + "7", "bad"], networkConfiguration=NETWORK
    )
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]
    assert answer["tasks"][0]["containerInstanceArn"].endswith("7")


def names(sandbox: Sandbox, kind: str = "ECS Service Action") -> list[str]:
    return [event["detail"]["eventName"] for event in told(sandbox, kind)]


def test_what_is_told_about_a_service(sandbox: Sandbox) -> None:
    sandbox.settings(events=True)
    arn = sandbox.service("web", tasks=2)["arn"]
    sandbox.fault("no_room", times=1)
    sandbox.act("crash", "web", exit_code=1)
    until(lambda: "SERVICE_STEADY_STATE" in names(sandbox))
    assert names(sandbox) == ["SERVICE_TASK_PLACEMENT_FAILURE", "SERVICE_STEADY_STATE"]
    event = told(sandbox, "ECS Service Action")[0]
    assert event["resources"] == [arn]
    assert event["detail"].pop("createdAt") <= told(sandbox, "ECS Service Action")[1]["detail"]["createdAt"]
    assert event["detail"] == {
        "eventType": "ERROR",
        "eventName": "SERVICE_TASK_PLACEMENT_FAILURE",
        "clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/default",
        "reason": "RESOURCE:FARGATE",
    }
    crash = next(each for each in details(sandbox) if each["lastStatus"] == "STOPPED")
    assert (crash["group"], exits(crash)) == ("service:web", {"app": (1, None)})


def test_tasks_that_do_not_start_impair_a_service(sandbox: Sandbox) -> None:
    sandbox.settings(events=True)
    sandbox.service("web", tasks=1)
    sandbox.fault("launch_fails", times=3)
    sandbox.act("crash", "web")
    until(lambda: "SERVICE_STEADY_STATE" in names(sandbox))
    assert names(sandbox)[0] == "SERVICE_TASK_START_IMPAIRED"


def test_a_deployment_that_works_and_one_that_the_circuit_breaker_ends(sandbox: Sandbox) -> None:
    sandbox.settings(events=True)
    arn = sandbox.service("web", tasks=1, circuit_breaker=True, rollback=True)["arn"]
    kind = "ECS Deployment State Change"
    sandbox.act("deploy", "web")
    until(lambda: len(names(sandbox, kind)) == 2)
    sandbox.fault("launch_fails", times=3)
    sandbox.act("deploy", "web")
    until(lambda: len(names(sandbox, kind)) == 6)
    assert [name.removeprefix("SERVICE_DEPLOYMENT_") for name in names(sandbox, kind)] == [
        "IN_PROGRESS",
        "COMPLETED",
        "IN_PROGRESS",
        "FAILED",
        "IN_PROGRESS",
        "COMPLETED",
    ]
    failed, back = told(sandbox, kind)[3:5]
    assert failed["resources"] == [arn]
    assert failed["detail"]["eventType"] == "ERROR"
    assert "clusterArn" not in failed["detail"]
    assert "rolling back to deploymentId" in back["detail"]["reason"]
    stopped = [each for each in details(sandbox) if each["lastStatus"] == "STOPPED"]
    assert stopped[0]["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")


def test_a_deployment_with_tasks_that_ignore_the_signal(sandbox: Sandbox) -> None:
    sandbox.settings(events=True)
    sandbox.program("web", on_stop=137)
    sandbox.service("web", tasks=1)
    sandbox.act("deploy", "web")
    until(
        lambda: (
            sandbox.find("web")["tasks"][0]["version"] >= 3
            and sandbox.find("web")["deployments"][0]["rollout_state"] == "COMPLETED"
        )
    )
    sandbox.act("deploy", "web")
    until(lambda: [d for d in details(sandbox) if d["lastStatus"] == "STOPPED" and exits(d) == {"app": (137, None)}])


def test_a_service_task_that_fails_the_checks_of_its_load_balancer(sandbox: Sandbox) -> None:
    sandbox.settings(events=True)
    (group,) = sandbox.service("web", tasks=1, target_groups=1)["target_groups"]
    sandbox.act("fail_health", "web", group=group)
    detail = last(sandbox)
    assert detail["stopCode"] == "ServiceSchedulerInitiated"
    assert detail["stoppedReason"] == f"Task failed ELB health checks in (target-group {group})"
    assert exits(detail) == {"app": (0, None)}


def test_nothing_is_told_while_nobody_could_listen(sandbox: Sandbox) -> None:
    sandbox.service("web", tasks=1)
    sandbox.act("crash", "web")
    until(lambda: sandbox.healthy("web") == 1)
    assert sandbox.events() == []
    client(sandbox, "events").put_rule(Name="all", EventPattern='{"source": ["aws.ecs"]}')
    sandbox.act("crash", "web")
    until(sandbox.events)
