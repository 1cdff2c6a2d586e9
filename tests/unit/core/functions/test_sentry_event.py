# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Sentry event of every known event, and what it must never contain."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures import sample_events
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.sentry_event import sentry_event

SAMPLES = {sample.name: sample for sample in CATALOGUE}
every_sample = pytest.mark.parametrize("sample", CATALOGUE, ids=SAMPLES)


def put_everywhere(value, secret):
    """Replace every text of the event, except those that identify the kind of event."""
    if isinstance(value, dict):
        return {key: each if key in KEPT else put_everywhere(each, secret) for key, each in value.items()}
    if isinstance(value, list):
        return [put_everywhere(each, secret) for each in value]
    return secret if isinstance(value, str) else value


KEPT = {"detail-type", "source", "id"}


@every_sample
def test_no_environment_value_and_no_input_is_told(sample):
    told = json.dumps(sentry_event(sample.event))
    assert sample_events.SECRET not in told
    assert "DATABASE_PASSWORD" not in told


@every_sample
def test_it_is_what_sentry_takes(sample):
    told = sentry_event(sample.event)
    assert re.fullmatch("[0-9a-f]{32}", told["event_id"])
    assert told["event_id"] == sample.event["id"].replace("-", "")
    assert told["timestamp"] == sample.event["time"]
    assert told["level"] in {"info", "warning", "error"}
    assert told["message"]
    assert None not in told["tags"].values()
    assert all(isinstance(value, str) and 0 < len(value) <= 200 for value in told["tags"].values())
    assert all(isinstance(part, str) for part in told["fingerprint"])
    assert told["tags"]["account"] == "123456789012"


@every_sample
def test_the_same_failure_again_is_the_same_issue_and_another_event(sample):
    """Only ids and instants differ."""
    again = json.loads(re.sub(r"[0-9a-f]{32}", "0" * 32, json.dumps(sample.event)))
    again = {**again, "id": "00000000-0000-4000-8000-000000000000", "time": "2026-11-23T03:02:11Z"}
    first, second = sentry_event(sample.event), sentry_event(again)
    assert first["fingerprint"] == second["fingerprint"]
    assert first["event_id"] != second["event_id"]


def test_failures_that_differ_are_different_issues():
    names = [
        "image_pull",
        "secrets",
        "exit_1",
        "exit_137",
        "out_of_memory",
        "spot",
        "execution_timed_out",
        "execution_failed",
    ]
    assert len({tuple(sentry_event(SAMPLES[name].event)["fingerprint"]) for name in names}) == len(names)


def test_containers_that_only_went_along_are_not_the_cause():
    """Such containers are a sidecar stopped after the main container, and an agent with another name in every task."""
    containers = [
        sample_events.container("sidecar", 143),
        sample_events.container("aws-guardduty-agent-a1b2c", 137),
        sample_events.container("app", 1),
    ]
    told = sentry_event(sample_events.task_change("x", containers, "EssentialContainerExited", "x"))
    assert told["fingerprint"][-1] == "app 1"
    assert told["tags"]["container"] == "app"
    assert [each["name"] for each in told["extra"]["containers"]] == [each["name"] for each in containers]


@pytest.mark.parametrize(
    ("event", "message", "tags"),
    [
        (
            sample_events.task_change(
                "x",
                [sample_events.container(exit_code=137)],
                "EssentialContainerExited",
                "Essential container in task exited",
            ),
            "nightly-import in production exited with 137",
            {
                "cluster": "production",
                "family": "nightly-import",
                "stop_code": "EssentialContainerExited",
                "exit_code": "137",
            },
        ),
        (
            sample_events.task_change(
                "x", [sample_events.container()], "TaskFailedToStart", 'CannotPullContainerError: ref "app:1" not found'
            ),
            "nightly-import in production: TaskFailedToStart (CannotPullContainerError)",
            {"stop_code": "TaskFailedToStart", "group": "family:nightly-import"},
        ),
        (
            sample_events.service_action("x", "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", reason="RESOURCE:FARGATE"),
            "ECS service web in production: SERVICE_TASK_PLACEMENT_FAILURE (RESOURCE:FARGATE)",
            {"cluster": "production", "service": "web"},
        ),
        (
            sample_events.deployment_change("x", "ERROR", "SERVICE_DEPLOYMENT_FAILED", "it failed"),
            "ECS service web in production: SERVICE_DEPLOYMENT_FAILED (it failed)",
            {"cluster": "production", "service": "web"},
        ),
        (
            sample_events.launch_call("x", failures=[{"reason": "AGENT"}]),
            "RunTask of nightly-import was refused: AGENT",
            {"cluster": "production", "family": "nightly-import"},
        ),
        (
            sample_events.launch_call("x", error=("AccessDenied", "You may not"), parameters=False),
            "RunTask of ? was refused: AccessDenied",
            {"error_code": "AccessDenied"},
        ),
        (
            sample_events.execution_change("x", "TIMED_OUT", error="States.Timeout"),
            "Step Functions nightly: TIMED_OUT (States.Timeout)",
            {"state_machine": "nightly", "status": "TIMED_OUT"},
        ),
        (
            sample_events.envelope("x", "my.app", "Odd", [], {"secret": "s3cret"}),
            "my.app: Odd",
            {"source": "my.app"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_message_and_tags(event, message, tags):
    told = sentry_event(event)
    assert told["message"] == message
    assert tags.items() <= told["tags"].items()
    assert "s3cret" not in str(told)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ("out_of_memory", "nightly-import in production exited with 137 (out of memory)"),
        ("service_exit_1", "web in production exited with 1"),
        ("spot", "nightly-import in production: SpotInterruption (app 143)"),
        ("hook_waiting", "Deployment of web in production: HOOK_AWAITING_ACTION at POST_TEST_TRAFFIC_SHIFT"),
        ("daemon_not_created",
         "ECS daemon log-router in production: DAEMON_TASK_START_IMPAIRED (TASK_CREATION_FAILED)"),
        ("instance_gpu", "ECS container instance i-0a1b2c3d4e5f60718 in production is IMPAIRED (ACCELERATED_COMPUTE)"),
        ("retirement_services",
         "AWS Health: AWS_ECS_TASK_PATCHING_RETIREMENT for production|web, not before Sun, 29 Nov 2026 03:02:10 GMT"),
    ],
)  # fmt: skip
def test_the_message_says_what_failed(sample, message):
    assert sentry_event(SAMPLES[sample].event)["message"] == message


def test_the_number_of_a_quiet_period_is_told():
    event = SAMPLES["exit_1"].event
    counted = {
        **event,
        "detail": {**event["detail"], "quiet_period": {"count": 200, "times": "200 times in 10 minutes"}},
    }
    once, often = sentry_event(event), sentry_event(counted)
    assert often["message"] == f"{once['message']}, 200 times in 10 minutes"
    assert often["extra"] == {**once["extra"], "count": 200}
    assert often["fingerprint"] == once["fingerprint"]


def test_events_link_to_the_console():
    event = SAMPLES["service_exit_1"].event
    number = event["detail"]["taskArn"].rpartition("/")[2]
    console = "https://eu-central-1.console.aws.amazon.com/ecs/v2/clusters/production"
    assert sentry_event(event)["extra"]["links"] == {
        "task": f"{console}/tasks/{number}?region=eu-central-1",
        "service": f"{console}/services/web?region=eu-central-1",
    }
    assert sentry_event(SAMPLES["placement"].event)["extra"]["links"] == {
        "service": f"{console}/services/web?region=eu-central-1"
    }


def test_a_task_links_to_the_log_stream_of_the_container_that_failed():
    # The stream is prefix/container/task: AWS's page "Using the awslogs log driver".
    event = SAMPLES["main_and_sidecar"].event
    number = event["detail"]["taskArn"].rpartition("/")[2]
    assert sentry_event(event, "/ecs/import", "ecs")["extra"]["links"]["logs"] == (
        "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group/"
        f"$252Fecs$252Fimport/log-events/ecs$252Fapp$252F{number}"
    )


def test_the_cause_of_an_execution_is_told_in_part():
    cause = {
        "Containers": [{"Name": "app", "ExitCode": 1, "Image": "x"}],
        "StopCode": "EssentialContainerExited",
        "Overrides": {"ContainerOverrides": [{"Environment": [{"Name": "A", "Value": sample_events.SECRET}]}]},
    }

    def told(text):
        return sentry_event(sample_events.execution_change("x", "FAILED", "States.TaskFailed", text))["extra"].get(
            "cause"
        )

    assert told(json.dumps(cause)) == {
        "StopCode": "EssentialContainerExited",
        "Containers": [{"Name": "app", "ExitCode": 1}],
    }
    assert told(json.dumps(cause)[:-20]) is None, "cut off: it cannot be told what is secret"
    assert told('["a"]') is None
    assert told("A state was misspelt") == "A state was misspelt"


def test_what_cloudtrail_hides_is_a_text_where_a_map_should_be():
    event = sample_events.launch_call("x", failures=[{"reason": "AGENT"}])
    hidden = {
        **event,
        "detail": {**event["detail"], "requestParameters": "HIDDEN_DUE_TO_SECURITY_REASONS", "userIdentity": None},
    }
    assert sentry_event(hidden)["message"] == "RunTask of ? was refused: AGENT"


@pytest.mark.parametrize(
    "event", [None, [], "text", {}, {"detail-type": "x"}, {"detail": {}}, {"detail-type": "x", "detail": "y"}]
)
def test_what_is_no_event(event):
    with pytest.raises(ValueError, match="not an EventBridge event"):
        sentry_event(event)


@every_sample
def test_nothing_in_an_event_makes_it_stumble(sample):
    """Parts may be missing, or may be texts."""
    for detail in ({}, put_everywhere(dict(sample.event["detail"]), "x" * 5000), dict.fromkeys(sample.event["detail"])):
        told = sentry_event({**sample.event, "detail": detail})
        assert len(told["message"]) <= 2000
        json.dumps(told)
