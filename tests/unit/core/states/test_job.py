# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a job: how they are read, and which are invalid."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.ecs.launch import Launch, Provider
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.backoff import Backoff
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.job import FailureRule, Job, read_job

from tests.unit.core.states.jobs import ANY, FAILURES, NETWORK, ON_DEMAND, RETRY, SPOT, TOPIC

BACKOFF = Backoff(6, 60, 2.0, 900, True)
NEVER = {**RETRY, "max_attempts": 0}


def read(**given):
    return read_job({"cluster": "prod", "task_definition": "report", "timeout": "1h", "retry_launch": RETRY, **given})


def places(**given):
    return {
        "network_configuration": NETWORK,
        "rotate_subnets": True,
        "capacity_provider_strategy": SPOT,
        "fallback_capacity_provider_strategy": ON_DEMAND,
        **given,
    }


def test_a_plain_job():
    assert read() == Job(Launch("prod", "report"), 3600, refused=BACKOFF)


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"timeout": "1"}, "timeout", 1),
        ({"timeout": 99999999}, "timeout", 99999999),
        ({"execution_timeout": 3601}, "execution_timeout", 3601),
        ({"comment": "c"}, "comment", "c"),
        ({"retry_launch": NEVER}, "refused", Backoff(0, 60, 2.0, 900, True)),
        ({"retry_failures": FAILURES}, "failed", FailureRule(BACKOFF)),
        (
            {"retry_failures": {**FAILURES, "exit_codes": [255, 1, 255], "container": "app"}},
            "failed",
            FailureRule(BACKOFF, (255, 1), container="app"),
        ),
        (
            {"retry_failures": {**FAILURES, "stop_codes": ["b", "a", "b"], "max_attempts": 50}},
            "failed",
            FailureRule(Backoff(50, 60, 2.0, 900, True), stop_codes=("b", "a")),
        ),
        ({"retry_failures": {**FAILURES, "max_attempts": 51}}, "failed", FailureRule(Backoff(51, 60, 2.0, 900, True))),
        ({"notify_topic_arn": TOPIC}, "notify", TOPIC),
    ],
)
def test_what_is_given(given, field, value):
    assert getattr(read(**given), field) == value


def test_any_error_takes_the_place_of_both():
    job = read(retry_any=ANY, retry_launch=None)
    assert (job.anything, job.refused, job.failed) == (Backoff(1, 10, 1.0, None, False), None, None)


def test_other_places():
    job = read(**places(retry_launch={**RETRY, "max_attempts": 50}))
    assert (job.rotate_subnets, job.fallback) == (True, (Provider("FARGATE", 1, 0),))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"timeout": "soon"}, "job.timeout"),
        ({"timeout": "0.5"}, "job.timeout"),
        ({"timeout": "1.5"}, "job.timeout"),
        ({"timeout": 100000000}, "job.timeout"),
        ({"execution_timeout": "1h"}, "job.execution_timeout"),
        ({"execution_timeout": "never"}, "job.execution_timeout"),
        ({"retry_any": ANY, "retry_failures": FAILURES}, "job.retry_any"),
        ({"retry_launch": {**RETRY, "max_attempts": -1}}, "job.retry_launch.max_attempts"),
        ({"retry_launch": {**RETRY, "max_attempts": 1001}}, "job.retry_launch.max_attempts"),
        ({"retry_launch": {**RETRY, "interval": 0}}, "job.retry_launch.interval"),
        ({"retry_launch": {**RETRY, "interval": 31622401, "max_delay": None}}, "job.retry_launch.interval"),
        ({"retry_launch": {**RETRY, "backoff_rate": 0.9}}, "job.retry_launch.backoff_rate"),
        ({"retry_launch": {**RETRY, "backoff_rate": 100.1}}, "job.retry_launch.backoff_rate"),
        ({"retry_launch": {**RETRY, "max_delay": 59}}, "job.retry_launch.max_delay"),
        ({"retry_launch": {**RETRY, "max_delay": 31622401}}, "job.retry_launch.max_delay"),
        ({"retry_any": {**ANY, "interval": 0}}, "job.retry_any.interval"),
        ({"retry_failures": {**FAILURES, "interval": 0}}, "job.retry_failures.interval"),
        ({"retry_failures": {**FAILURES, "exit_codes": [0]}}, "job.retry_failures.exit_codes"),
        ({"retry_failures": {**FAILURES, "exit_codes": [1, 256]}}, "job.retry_failures.exit_codes"),
        ({"retry_failures": {**FAILURES, "container": "app"}}, "job.retry_failures.container"),
        (
            {"retry_failures": {**FAILURES, "exit_codes": [1], "container": "a'b"}},
            "job.retry_failures.container: 'a'b'",
        ),
        ({"retry_failures": {**FAILURES, "exit_codes": [1], "max_attempts": 51}}, "job.retry_failures.max_attempts"),
        ({"retry_failures": {**FAILURES, "stop_codes": ["a"], "max_attempts": 51}}, "job.retry_failures.max_attempts"),
        ({"notify_topic_arn": "alerts"}, "job.notify_topic_arn"),
        ({"notify_topic_arn": TOPIC.replace("sns", "sqs")}, "job.notify_topic_arn"),
        ({"notify_topic_arn": f"{TOPIC}.fifo"}, "FIFO"),
        (places(retry_any=ANY, retry_launch=None), "job.rotate_subnets"),
        (places(retry_launch=NEVER, rotate_subnets=False), "job.fallback_capacity_provider_strategy"),
        (places(retry_launch={**RETRY, "max_attempts": 51}), "job.retry_launch.max_attempts"),
        (places(network_configuration=None), "job.rotate_subnets"),
        (places(network_configuration={**NETWORK, "subnets": ["subnet-1"]}), "job.rotate_subnets"),
        (places(capacity_provider_strategy=None), "job.fallback_capacity_provider_strategy"),
        (places(fallback_capacity_provider_strategy=SPOT), "job.fallback_capacity_provider_strategy"),
        ({"cluster": "a b"}, "job.cluster"),
    ],
)
def test_what_cannot_be_meant(given, words):
    with pytest.raises(Refused) as refused:
        read(**given)
    assert words in str(refused.value)
