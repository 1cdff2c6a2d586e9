# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module refuses mistyped options and services that must not be touched before it writes anything."""

from __future__ import annotations

import pytest

from tests.end_to_end.witness import RECORD_TAG, Witness

AGE = {"max_task_age": "1h"}
ECS = "arn:aws:ecs:eu-central-1:123456789012"

MISTYPED = [
    # which tasks
    ({}, "Set exactly one of started_before, max_task_age, token, secrets_changed, tasks, all_tasks"),
    ({"all_tasks": False}, "no option chooses the stale tasks"),
    ({"max_task_age": "7d", "token": "a"}, "max_task_age and token are mutually exclusive"),
    ({"all_tasks": True, "secrets_changed": True}, "secrets_changed and all_tasks are mutually exclusive"),
    ({"max_task_age": "soon"}, "max_task_age must be an age such as 7d, 12h or 30m"),
    ({"max_task_age": "0"}, "max_task_age must be an age ... (got '0')"),
    ({"max_task_age": "-7d"}, "max_task_age must be an age ... (got '-7d')"),
    ({"max_task_age": "1 year"}, "max_task_age must be an age ... (got '1 year')"),
    ({"started_before": "yesterday"}, "started_before must be an instant with a time zone"),
    ({"started_before": "2026-11-22"}, "started_before must be an instant with a time zone"),
    ({"started_before": "2026-11-22T03:00:00"}, "must be an instant with a time zone"),
    ({"started_before": "2026-13-22T03:00:00Z"}, "must be an instant with a time zone"),
    ({"started_before": "2999-01-01T00:00:00Z"}, "must be in the past"),
    ({"started_before": "1764000000000"}, "started_before must be epoch seconds before the year 10000"),  # milliseconds
    ({"started_before": "9" * 400}, "started_before must be epoch seconds before the year 10000"),
    ({"max_task_age": "9" * 400 + "d"}, "max_task_age must be an age"),
    ({"max_task_age": "99999999999d"}, "max_task_age must be an age"),
    ({"token": " "}, "token is empty"),
    ({"all_tasks": "maybe"}, "maybe"),
    # how
    (AGE | {"batch_size": "0"}, "batch_size must be a number of tasks from 1, or a percentage from 1% to 100%"),
    (AGE | {"batch_size": "-1"}, "batch_size must be a number of tasks from 1 ... (got '-1')"),
    (AGE | {"batch_size": "1.5"}, "batch_size must be a number of tasks from 1 ... (got '1.5')"),
    (AGE | {"batch_size": "ten"}, "batch_size must be a number of tasks from 1 ... (got 'ten')"),
    (AGE | {"batch_size": "10 percent"}, "batch_size must be a number of tasks from 1 ... (got '10 percent')"),
    (AGE | {"batch_size": "0%"}, "batch_size must be a number of tasks from 1 ... (got '0%')"),
    (AGE | {"batch_size": "101%"}, "batch_size must be a number of tasks from 1 ... (got '101%')"),
    (AGE | {"batch_wait": -1}, "batch_wait must be a number of seconds, 0 or more"),
    (AGE | {"batch_wait": "nan"}, "batch_wait must be a number from -2^63 to 2^63 (got nan)"),
    (AGE | {"batch_wait": "inf"}, "batch_wait must be a number from -2^63 to 2^63 (got inf)"),
    (AGE | {"batch_wait": "5m"}, "batch_wait"),
    (AGE | {"surge": "one"}, "surge must be auto, or a number of tasks from 0"),
    (AGE | {"surge": "-1"}, "surge must be auto, or a number of tasks from 0 (got '-1')"),
    (AGE | {"surge": "50%"}, "surge must be auto, or a number of tasks from 0 (got '50%')"),
    (AGE | {"surge": 0}, "Set surge: auto, or a minimum_healthy_percent that leaves room for one stop"),
    (AGE | {"minimum_healthy_percent": 101}, "minimum_healthy_percent must be a percentage from 0 to 100"),
    (AGE | {"minimum_healthy_percent": -1}, "minimum_healthy_percent must be a percentage from 0 to 100 (got -1)"),
    (AGE | {"minimum_healthy_percent": "50%"}, "minimum_healthy_percent"),
    (
        AGE | {"wait_for": "steady"},
        "value of wait_for must be one of: running, healthy, target_healthy, auto, got: steady",
    ),
    (AGE | {"wait_for": "healthy"}, "no essential container"),
    (AGE | {"wait_for": "target_healthy"}, "service web has no target group. Set wait_for to running or auto"),
    (AGE | {"stabilize_time": -0.5}, "stabilize_time must be a number of seconds ... (got -0.5)"),
    (AGE | {"stabilize_time": "nan"}, "stabilize_time must be a number from -2^63 to 2^63 (got nan)"),
    (AGE | {"wait_timeout": 0}, "wait_timeout must be a number of seconds above 0"),
    (AGE | {"wait_timeout": "forever"}, "wait_timeout"),
    (AGE | {"wait_delay": 0}, "wait_delay must be a number of seconds above 0"),
    (AGE | {"wait_delay": "nan"}, "wait_delay must be a number from -2^63 to 2^63 (got nan)"),
    (AGE | {"lease": 0}, "lease must be a number of seconds above 0"),
    (AGE | {"lease": -600}, "lease must be a number of seconds ... (got -600)"),
    (AGE | {"on_deployment": "ignore"}, "value of on_deployment must be one of: fail, wait"),
    (AGE | {"protected_tasks": "stop"}, "value of protected_tasks must be one of: skip, recycle"),
    (AGE | {"suspend_scaling": ["all"]}, "value of suspend_scaling must be one or more of: dynamic_in, dynamic_out"),
    (AGE | {"state": "present"}, "value of state must be one of: recycled, restored"),
    (AGE | {"batchsize": 2}, "Unsupported parameters for"),
    # where
    ({"all_tasks": True, "service": None}, "service"),
    (AGE | {"service": "webb"}, "there is no service webb in cluster default"),
    (AGE | {"service": "web app"}, "`service` must be the name of an ECS service"),
    (AGE | {"service": ""}, "`service` must be the name of an ECS service"),
    (AGE | {"service": "default/web"}, "`service` must be the name of an ECS service"),
    (AGE | {"service": f"{ECS}:task/default/web"}, "must be the name of an ECS service"),
    (AGE | {"service": "arn:aws:s3:::web"}, "must be the name of an ECS service"),
    (
        AGE | {"service": f"{ECS}:service/prod/web", "cluster": "test"},
        "belongs to the cluster 'prod', but cluster is 'test'",
    ),
    (AGE | {"service": f"{ECS.replace('central', 'west')}:service/default/web"}, "names the region eu-west-1"),
    (AGE | {"service": f"{ECS[:-1]}9:service/default/web"}, "names the account 123456789019"),
    (AGE | {"cluster": "nowhere"}, "ClusterNotFoundException: Cluster not found. Check cluster, service, region"),
    (AGE | {"cluster": f"{ECS}:service/default"}, "must be the name of an ECS cluster"),
    (AGE | {"region": "eu_central 1"}, "Check profile, region, endpoint_url"),
    (AGE | {"profile": "nobodys"}, "nobodys"),
    (AGE | {"endpoint_url": "nonsense"}, "Invalid endpoint: nonsense"),
]


@pytest.mark.parametrize(("options", "words"), MISTYPED, ids=[str(options) for options, _words in MISTYPED])
def test_mistyped_options(sandbox, recycle, options, words, monkeypatch):
    sandbox.service("web", tasks=2)
    witness = Witness(sandbox)
    if "profile" in options:  # amazon.aws takes either a profile or keys
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
    result = recycle(**options)
    assert result["failed"]
    assert not [part for part in words.split(" ... ") if part not in result["msg"]], result["msg"]
    assert not result["msg"].startswith("Unexpected")
    witness.untouched()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"short_arn": True}, "cannot have tags"),
        ({"controller": "EXTERNAL", "task_sets": 2}, "a deployment of service web in cluster default is in progress"),
        ({"maximum_percent": 100}, "its maximumPercent of 100 allows surge: auto 0 more"),
        ({"tags": {RECORD_TAG: "v=9 something"}}, "with a value that this version does not understand"),
    ],
)
def test_services_that_must_not_be_touched(sandbox, recycle, kind, words):
    sandbox.service("web", tasks=2, **kind)
    witness = Witness(sandbox)
    result = recycle(max_task_age="1h")
    assert words in result["msg"]
    assert "web" in result["msg"] or "the service" in result["msg"]
    witness.untouched()


def test_a_service_that_is_being_deleted(sandbox, recycle):
    sandbox.settings(latencies={"stop": 6000})
    sandbox.service("web", tasks=2)
    sandbox.act("delete", "web")
    witness = Witness(sandbox)
    assert "is DRAINING: ECS starts no tasks for it" in recycle(max_task_age="1h")["msg"]
    assert "is DRAINING" in recycle(state="restored")["msg"]
    witness.untouched()
