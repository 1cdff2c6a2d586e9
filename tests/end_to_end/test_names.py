# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters and services by name, by ARN, and by the ARNs from before 2019."""

from __future__ import annotations

import pytest

from tests.end_to_end.witness import Witness

ECS = "arn:aws:ecs:eu-central-1:123456789012"


@pytest.mark.parametrize(
    ("cluster", "service"),
    [
        ("prod", "web"),
        (f"{ECS}:cluster/prod", "web"),
        ("prod", f"{ECS}:service/prod/web"),
        ("default", f"{ECS}:service/prod/web"),
        ("prod", f"{ECS}:service/web"),
        (f"{ECS}:cluster/prod", f"{ECS}:service/web"),
    ],
)
def test_one_service_by_many_names(sandbox, recycle, task_info, cluster, service):
    sandbox.service("web", tasks=1, cluster="prod", health_check=True, scaling={"min": 1, "max": 9})
    witness = Witness(sandbox)
    assert recycle(max_task_age="1h", cluster=cluster, service=service)["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()
    assert witness.calls("RegisterScalableTarget")[0]["parameters"]["ResourceId"] == "service/prod/web"
    assert len(task_info(cluster=cluster, service=service)["tasks"]) == 1


def test_of_two_services_with_one_name_only_the_one_that_is_meant(sandbox, recycle):
    for cluster in ("prod", "test"):
        sandbox.service("web", tasks=1, cluster=cluster, health_check=True)
    calls = sandbox.state()["calls"]
    recycle(max_task_age="1h", cluster="test")
    touched = [call["parameters"].get("cluster") for call in sandbox.journal(since=calls)["calls"]]
    assert set(touched) <= {"test", None}
    untouched = sandbox.find(f"{ECS}:service/prod/web")
    assert [task["desired_status"] for task in untouched["tasks"]] == ["RUNNING"]


def test_another_region(sandbox, recycle):
    sandbox.service("web", tasks=1, region="us-east-1", health_check=True)
    assert recycle(max_task_age="1h", region="us-east-1")["recycle"]["status"] == "recycled"
