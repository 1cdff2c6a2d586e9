# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a run: refusals in the words of ECS, one cause for each failure, and the state of the service."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.end_to_end.programs import INFO, NAMES, RECYCLE, until, warnings
from tests.end_to_end.witness import Witness

TASK = {"max_task_age": "1h"}
AS_BEFORE = "No old task was stopped; 3 of 3 tasks are healthy; the desired count is 3 again."


@pytest.fixture
def witness(sandbox):
    sandbox.service("web", tasks=3, health_check=True, target_groups=1, all_events=True)
    return Witness(sandbox)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("blocked", "was unable to place a task because your account is currently blocked."),
        ("gpu", "was unable to place a task. Reason: TaskFailedToStart: RESOURCE:GPU."),
        ("inconsistent", "is unable to consistently start tasks successfully."),
        ("iam", "IAM permissions policies have been misconfigured or changed"),
        ("pull", "Reason: CannotPullContainerError: pull image manifest has been retried 7 times."),
    ],
)
def test_a_refusal_ends_the_run_in_the_words_of_ecs(sandbox, witness, recycle, reason, words):
    sandbox.fault("start_refused", reason=reason)
    result = recycle(**TASK)
    assert "ECS says: " in result["msg"]
    assert words in result["msg"]
    assert result["msg"].endswith(AS_BEFORE)
    witness.kept()
    witness.given_back()


@pytest.mark.parametrize("reason", ["throttled", "does something that nobody has seen before."])
def test_what_is_no_refusal_is_told_when_the_wait_was_in_vain(sandbox, witness, recycle, reason):
    sandbox.fault("start_refused", reason=reason)
    result = recycle(**TASK, wait_timeout=2)
    said = "operations are being throttled. Will try again later." if reason == "throttled" else reason
    assert "waited 2 s (wait_timeout) for the added tasks to become good: ECS runs 3 of 4 tasks" in result["msg"]
    assert f"ECS last said: (service web) {said}" in result["msg"]
    assert result["msg"].endswith(AS_BEFORE)
    witness.given_back()


def test_what_passes_is_waited_for(sandbox, witness, recycle):
    sandbox.fault("start_refused", reason="throttled", times=1)
    assert recycle(**TASK)["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


def test_both_wordings_of_a_failed_start_are_one_failure(sandbox, witness, recycle):
    sandbox.fault("launch_fails", event=True, times=1)
    assert recycle(**TASK, max_failures=1)["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


def test_a_time_out_names_a_task_and_what_it_lacks(sandbox, witness, recycle):
    sandbox.settings(latencies={"unhealthy": 6000})
    sandbox.fault("targets_never_healthy")
    result = recycle(**TASK, wait_timeout=2)
    (withdrawn,) = result["recycle"]["withdrawn"]
    assert f"to become good: task {withdrawn.rpartition('/')[2]} is RUNNING, but its target" in result["msg"]
    why = "is initial (Elb.InitialHealthChecking: Initial health checks in progress) in target group"
    assert result["msg"].count(why) == 1
    assert result["msg"].endswith(AS_BEFORE)


def test_an_ended_run_says_what_was_given_back(sandbox, witness, begin):
    sandbox.settings(latencies={"launch": 600})
    module = begin(**TASK)
    until(lambda: witness.now()["desired"] == 4, "the added task")
    os.kill(module.process.pid, signal.SIGTERM)
    result = module.result()
    assert result["msg"].endswith(AS_BEFORE)
    witness.given_back()


def test_filters_that_fit_nothing(witness, recycle):
    result = recycle(**TASK, availability_zones=["eu-north-9z"], capacity_providers=["FARGATE_SPT"])
    assert not result["changed"]
    for words in ("availability_zones has eu-north-9z", "capacity_providers has FARGATE_SPT"):
        assert any(words in warning for warning in warnings(result))
    witness.untouched()


def test_control_characters_reach_no_terminal(sandbox, witness, recycle):
    sandbox.fault("launch_fails", reason="CannotPullContainerError: \x1b[2J\x07no image")
    result = recycle(**TASK)
    assert "CannotPullContainerError: [2Jno image" in result["msg"]


@pytest.mark.parametrize("module", [RECYCLE, INFO])
def test_the_service_may_be_called_name(sandbox, witness, start, module):
    options = {**TASK, "_ansible_check_mode": True} if module == RECYCLE else {}
    assert not start(module, name="web", **options).result().get("failed")


ACCOUNT = "eu-central-1:123456789012"
SECRET = {"name": "Authorization", "value": "x"}
OF_MODULES = {
    "ecs_failure_rule": {"name": "failures", "kind": "task"},
    "ecs_failure_rule_info": {},
    "ecs_notification_target": {"rule": "failures", "id": "mail", "arn": f"arn:aws:sns:{ACCOUNT}:alerts"},
    "ecs_retry_subscription": {
        "name": "refused",
        "log_group": "trail",
        "function_arn": f"arn:aws:lambda:{ACCOUNT}:function:retry",
    },
    "ecs_fleet_recycle": {"services": ["web"], **TASK},
    "ecs_retry_subscription_info": {"log_group": "trail"},
    "ecs_service_recycle": {"service": "web", **TASK},
    "ecs_service_task_info": {"service": "web"},
    "ecs_stack": {"place": {"partition": "aws", "account": "123456789012"}, "steps": [{"queue": {"name": "jobs"}}]},
    "ecs_stack_info": {"queues": ["jobs"]},
    "ecs_task_schedule": {
        "name": "report",
        "schedule_expression": "rate(1 hour)",
        "state_machine_arn": f"arn:aws:states:{ACCOUNT}:stateMachine:report",
        "role_arn": "arn:aws:iam::123456789012:role/report",
    },
    "ecs_task_state_machine": {"name": "report", "state": "absent"},
    "events_api_destination": {
        "name": "slack",
        "connection": "slack",
        "invocation_endpoint": "https://slack.com/api/chat.postMessage",
    },
    "events_connection": {"name": "slack", "api_key": SECRET},
    "lambda_function_concurrency": {"function_name": "retry", "reserved_concurrent_executions": 5},
}


@pytest.mark.parametrize("answers", ["silent", "refused"])
def test_an_endpoint_that_does_not_answer(sandbox, start, answers):
    """This runs every module, all at the same time."""
    assert OF_MODULES.keys() == set(NAMES)
    endpoint = sandbox.endpoint(answers)
    out_of_reach(start, endpoint, list(OF_MODULES), endpoint_url=endpoint)


def test_a_role_whose_endpoint_does_not_answer(sandbox, start, tmp_path, monkeypatch):
    """botocore itself assumes the role of a profile, through its own client."""
    (tmp_path / "config").write_text(
        "[profile keys]\naws_access_key_id = A\naws_secret_access_key = B\n"
        "[profile ours]\nrole_arn = arn:aws:iam::123456789012:role/recycler\nsource_profile = keys\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    endpoint = sandbox.endpoint("silent")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint)
    out_of_reach(start, endpoint, [RECYCLE, INFO, "ecs_failure_rule_info"], profile="ours")


def out_of_reach(start, endpoint, names, **connection):
    began = time.monotonic()
    modules = {name: start(name, **OF_MODULES[name], **connection) for name in names}
    for name, module in modules.items():
        result = module.result()
        assert endpoint.rpartition("//")[2] in result["msg"], name
        assert time.monotonic() - began < 40, f"{name}: thirty seconds, and the start of Python on a busy machine"


def test_what_is_not_implemented_is_not_asked_for_again(sandbox, witness, recycle):
    sandbox.fault("not_implemented", operations=["ListTasks"])
    result = recycle(**TASK)
    assert "Nothing was changed." in result["msg"]
    assert len(witness.calls("ListTasks")) == 1
