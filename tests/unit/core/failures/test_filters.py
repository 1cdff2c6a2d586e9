# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of a kind of failure: how they are read, and which are invalid."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import (
    INJECTED,
    Filters,
    Resource,
    given_filters,
    read_filters,
)

ECS = "arn:aws:ecs:eu-central-1:123456789012"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:nightly"
ROLE = "arn:aws:iam::123456789012:role/retry"
CLUSTER = Resource("prod", f"{ECS}:cluster/prod")
WEB = f"{ECS}:service/prod/web"


def test_nothing_given_is_the_default():
    assert read_filters("task", {}) == Filters()
    assert given_filters({"clusters": [], "groups": ["g"], "statuses": None}) == ["groups"]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("task", {"clusters": ["prod", "prod", CLUSTER.arn]}, {"clusters": (Resource("prod"), CLUSTER)}),
        ("service_task", {"services": ["web"]}, {"services": (Resource("web"),)}),
        (
            "service_task",
            {"services": [WEB], "clusters": ["prod", CLUSTER.arn]},
            {"services": (Resource("web", WEB, CLUSTER),), "clusters": (CLUSTER,)},
        ),
        ("deployment", {"services": [WEB, "api"]},
         {"services": (Resource("web", WEB, CLUSTER), Resource("api")), "clusters": (CLUSTER,)}),
        ("task", {"task_families": ["report"]}, {"task_families": (Resource("report"),)}),
        ("task", {"groups": ["family:*", "nightly"]}, {"groups": ("family:*", "nightly")}),
        ("all_task_changes", {"groups": ["service:web", "s*"]}, {"groups": ("service:web", "s*")}),
        ("task", {"started_by": ["a", "a"]}, {"started_by": ("a",)}),
        ("task", {"container_names": ["app"]}, {"container_names": ("app",)}),
        ("task", {"ignore_containers": []}, {"ignore_containers": ()}),
        ("task", {"ignore_containers": None}, {"ignore_containers": INJECTED}),
        ("task", {"exit_codes": [0, 255, 4294967295, -2147483648]},
         {"exit_codes": (0, 255, 4294967295, -2147483648)}),
        ("task", {"ignore_exit_codes": []}, {"ignore_exit_codes": ()}),
        ("task", {"ignore_exit_codes": [1, 1]}, {"ignore_exit_codes": (1,)}),
        ("task", {"exit_codes": [1], "stop_codes": ["EssentialContainerExited"]},
         {"exit_codes": (1,), "stop_codes": ("EssentialContainerExited",)}),
        ("task", {"stopped_reasons": ["*OutOfMemory*"]}, {"stopped_reasons": ("*OutOfMemory*",)}),
        ("state_machine", {"state_machine_arns": [MACHINE]}, {"state_machine_arns": (MACHINE,)}),
        ("state_machine", {"statuses": ["ABORTED"]}, {"statuses": ("ABORTED",)}),
        ("launch", {"exclude_role_arns": [ROLE]}, {"exclude_role_arns": (ROLE,)}),
    ],
)  # fmt: skip
def test_what_is_given(kind, given, expected):
    assert read_filters(kind, given) == replace(Filters(), **expected)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("launch", {"services": ["web"]}),
        ("task", {"clusters": [" "]}),
        ("task", {"stopped_reasons": ["a**b"]}),
        ("task", {"clusters": ["a b"]}),
        ("task", {"clusters": [WEB]}),
        ("task", {"clusters": ["arn:aws:ecs"]}),
        ("service_task", {"services": [f"{ECS}:service/web"]}),
        ("service_task", {"services": [CLUSTER.arn]}),
        ("service_task", {"services": [WEB, f"{ECS}:service/test/web"]}),
        ("service_task", {"services": [WEB], "clusters": ["test"]}),
        ("service_task", {"services": [WEB], "clusters": [CLUSTER.arn.replace("eu-central-1", "eu-west-1")]}),
        ("task", {"task_families": ["report:7"]}),
        ("task", {"task_families": ["a/b"]}),
        ("task", {"groups": ["service:web"]}),
        ("task", {"groups": ["serv*"]}),
        ("task", {"groups": ["*"]}),
        ("task", {"exit_codes": [4294967296]}),
        ("task", {"ignore_exit_codes": [-2147483649]}),
        ("task", {"exit_codes": [1], "ignore_exit_codes": [2]}),
        ("task", {"container_names": ["app"], "ignore_containers": ["side"]}),
        ("task", {"exit_codes": [1], "stop_codes": ["SpotInterruption"]}),
        ("task", {"stop_codes": ["Spot Interruption"]}),
        ("state_machine", {"statuses": ["failed"]}),
        ("state_machine", {"state_machine_arns": ["nightly"]}),
        ("state_machine", {"state_machine_arns": [f"{MACHINE}:1"]}),
        ("launch", {"exclude_role_arns": ["retry"]}),
        ("launch", {"exclude_role_arns": ["arn:aws:sts::123456789012:assumed-role/retry/session"]}),
    ],
)
def test_what_cannot_be_meant(kind, given):
    with pytest.raises(Refused) as refused:
        read_filters(kind, given)
    assert any(option in str(refused.value) for option in given)
