# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module must recycle, according to its options."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.jobs import (
    make_jobs,
    merge_options,
    of_facts,
    read_limits,
    read_services,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.fleet.schedule import Limits
from ansible_collections.steadyops.ecs.plugins.modules.ecs_fleet_recycle import ARGUMENTS

ARN = "arn:aws:ecs:eu-central-1:123456789012:service"
DEFAULTS = {name: spec.get("default") for name, spec in ARGUMENTS.items()} | {"max_task_age": "7d"}


@pytest.mark.parametrize(
    ("written", "cluster", "found"),
    [
        ("web", None, ("default", "web", None)),
        ("web", "prod", ("prod", "web", None)),
        (f"{ARN}/prod/web", "default", ("prod", "web", f"{ARN}/prod/web")),
        (f"{ARN}/prod/web", "stage", ("prod", "web", f"{ARN}/prod/web")),
        (f"{ARN}/web", "stage", ("stage", "web", f"{ARN}/web")),
        ({"service": "web"}, "prod", ("prod", "web", None)),
        ({"service": "web", "cluster": "stage"}, "prod", ("stage", "web", None)),
        ({"service": f"{ARN}/web", "cluster": "stage"}, "prod", ("stage", "web", f"{ARN}/web")),
    ],
)
def test_a_service(written, cluster, found):
    (wanted,) = read_services([written], cluster)
    assert (wanted.cluster, wanted.service, wanted.arn) == found
    assert wanted.own == {}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (["web", {"service": f"{ARN}/default/web"}], "services names default/web more than once"),
        (["no name"], "service"),
        ([{"service": f"{ARN}/prod/web", "cluster": "stage"}], "belongs to the cluster 'prod', but cluster is 'stage'"),
    ],
)
def test_refused(written, words):
    with pytest.raises(Refused, match=words):
        read_services(written, None)


def test_options_of_its_own():
    wanted = read_services(["a", {"service": "b", "batch_size": "3", "timeout": 60}], "prod")
    jobs = make_jobs(wanted, DEFAULTS, {})
    assert [job.title for job in jobs] == ["prod/a", "prod/b"]
    assert [job.settings.batch_size.number for job in jobs] == [1, 3]
    assert [job.settings.timeout for job in jobs] == [None, 60]
    assert {job.settings.selector.value for job in jobs} == {604800.0}


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        ({}, "max_task_age"),
        ({"all_tasks": True}, "all_tasks"),
        ({"token": "x"}, "token"),
        ({"all_tasks": False}, "max_task_age"),
    ],
)
def test_a_selector_of_its_own_takes_the_place_of_the_other(own, kind):
    merged = merge_options(DEFAULTS, own)
    (job,) = make_jobs(read_services([{"service": "a", **own}], None), DEFAULTS, {})
    assert job.settings.selector.kind == kind
    assert merged["batch_size"] == "1"


def test_a_default_that_nobody_needs_need_not_be_there():
    wanted = read_services([{"service": "a", "all_tasks": True}], None)
    assert make_jobs(wanted, DEFAULTS | {"max_task_age": None}, {})[0].settings.selector.kind == "all_tasks"


def test_a_bad_value_is_refused_with_the_name_of_the_service():
    wanted = read_services([{"service": "a", "batch_size": "none"}], "prod")
    with pytest.raises(Refused, match=r"^services, prod/a: batch_size"):
        make_jobs(wanted, DEFAULTS, {})


def test_of_a_selection():
    (wanted,) = of_facts([{"cluster": "prod", "service": "web", "service_arn": f"{ARN}/prod/web"}])
    assert make_jobs([wanted], DEFAULTS, {})[0].named == f"{ARN}/prod/web"


FACTS = {
    "default/c": {"desired_count": 5, "tags": {"wave": "10"}},
    "default/a": {"desired_count": 1, "tags": {"wave": "9"}},
    "default/b": {"desired_count": 9, "tags": {"wave": "late"}},
    "default/d": {"desired_count": 5, "tags": {}},
    "default/e": {"desired_count": 7, "tags": {"wave": "9"}},
}


@pytest.mark.parametrize(
    ("order", "tag", "begun"),
    [
        ("given", None, "c0 a0 b0 d0 e0"),
        ("name", None, "a0 b0 c0 d0 e0"),
        ("largest", None, "b0 e0 c0 d0 a0"),
        ("given", "wave", "a0 e0 c1 b2 d3"),
        ("largest", "wave", "e0 a0 c1 b2 d3"),
        ("name", "other", "a0 b0 c0 d0 e0"),
    ],
)
def test_orders_and_waves(order, tag, begun):
    jobs = make_jobs(read_services(list("cabde"), None), DEFAULTS, FACTS, order, tag)
    assert " ".join(f"{job.service}{job.wave}" for job in jobs) == begun


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"concurrency": 0}, "concurrency must be a number of services from 1"),
        ({"per_cluster": -1}, "per_cluster must be a number of services from 1"),
        ({"max_failed_services": -1}, "max_failed_services must be 0 or more"),
        ({"max_fail_percentage": -0.5}, "max_fail_percentage must be a percentage from 0 to 100"),
        ({"max_fail_percentage": float("nan")}, "max_fail_percentage must be a percentage from 0 to 100"),
        ({"calls_per_second": 0.0}, "calls_per_second must be a number above 0"),
        ({"wave_wait": -1.0}, "wave_wait must be a number of seconds"),
        ({"fleet_timeout": 0}, "fleet_timeout must be a number of seconds"),
    ],
)
def test_limits_that_can_never_work(given, words):
    with pytest.raises(Refused, match=words):
        read_limits(DEFAULTS | given)


def test_limits():
    assert read_limits(DEFAULTS) == Limits()
    given = {"concurrency": 3, "per_cluster": 2, "max_failed_services": 0, "max_fail_percentage": 5.0, "wave_wait": 9.0}
    assert read_limits(DEFAULTS | given) == Limits(3, 2, 0, 5.0, 9.0)
