# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's events contain no less than those in the catalogue of known failures."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures import sample_events as samples

from tests.sandbox.client import Sandbox

from .aws import client, until


def lacking(sample: Any, made: Any, path: str = "") -> list[str]:
    """Return the fields of the sample that the event lacks or has with another type."""
    if isinstance(sample, dict):
        if not isinstance(made, dict):
            return [path]
        missing = [f"{path}.{key}" for key in sample.keys() - made.keys()]
        return missing + [
            each for key in sample.keys() & made.keys() for each in lacking(sample[key], made[key], f"{path}.{key}")
        ]
    if isinstance(sample, list):
        return lacking(sample[0], made[0], f"{path}[]") if sample and made else []
    same = sample is None or made is None or isinstance(made, type(sample))
    return [] if same else [path]


def told(sandbox: Sandbox, kind: str, **detail: str) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        every = [each["event"] for each in sandbox.events()]
        return [
            event
            for event in every
            if event["detail-type"] == kind and all(event["detail"].get(key) == value for key, value in detail.items())
        ]

    return until(found)[0]  # type: ignore[no-any-return]


def test_events_tell_what_the_catalogue_knows(sandbox: Sandbox) -> None:
    sandbox.settings(events=True, cloudtrail=True, latencies={"trail": 1})
    ecs, states = client(sandbox, "ecs"), client(sandbox, "stepfunctions")
    ecs.create_cluster(clusterName="default")
    ecs.register_task_definition(
        family="job", containerDefinitions=[{"name": "app", "image": "x", "memory": 64}], networkMode="awsvpc"
    )
    sandbox.program("job", seconds=1, exit_code=1)
    parameters = {
        "TaskDefinition": "job",
        "LaunchType": "FARGATE",
        "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["s"]}},
    }
    run = {"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Parameters": parameters, "End": True}
    machine = states.create_state_machine(
        name="m", definition=json.dumps({"StartAt": "A", "States": {"A": run}}), roleArn=samples.RETRY_ROLE
    )
    states.start_execution(stateMachineArn=machine["stateMachineArn"])
    call = told(sandbox, "AWS API Call via CloudTrail")
    sample = samples.launch_call("x", tasks=1)
    # The caller decides what the request contains.
    sample["detail"]["requestParameters"] = {}
    assert lacking(sample, call) == []
    stopped = told(sandbox, "ECS Task State Change", lastStatus="STOPPED")
    sample = samples.task_change(
        "x", [samples.container(exit_code=1)], "EssentialContainerExited", "Essential container in task exited",
        started_by="me",
    )  # fmt: skip
    assert lacking(sample, stopped) == []
    change = told(sandbox, "Step Functions Execution Status Change", status="FAILED")
    assert lacking(samples.execution_change("x", "FAILED", "States.TaskFailed", "why"), change) == []
    sandbox.service("web", tasks=1)
    sandbox.fault("no_room", times=1)
    sandbox.act("deploy", "web")
    action = told(sandbox, "ECS Service Action")
    assert (
        lacking(samples.service_action("x", "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", reason="RESOURCE:CPU"), action)
        == []
    )
    deployment = told(sandbox, "ECS Deployment State Change")
    assert lacking(samples.deployment_change("x", "INFO", "SERVICE_DEPLOYMENT_IN_PROGRESS", "why"), deployment) == []
