# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Missing permissions, invalid credentials, and an endpoint that is not AWS."""

from __future__ import annotations

import pytest

from tests.end_to_end.witness import Witness

TASK = {"max_task_age": "1h"}
# Every permission that the documentation asks for, and whether the run can see in time that it is missing.
BEFORE_THE_FIRST_WRITE = [
    "ecs:DescribeServices",
    "ecs:ListTasks",
    "ecs:DescribeTasks",
    "ecs:DescribeTaskDefinition",
    "ecs:GetTaskProtection",
    "ecs:TagResource",
    "application-autoscaling:DescribeScalableTargets",
    "elasticloadbalancing:DescribeTargetHealth",
]
BEFORE_THE_FIRST_STOP = [
    "application-autoscaling:RegisterScalableTarget",
    "ecs:UpdateService",
    "ecs:StopTask",
]


@pytest.fixture
def witness(sandbox):
    sandbox.service("web", tasks=2, health_check=True, target_groups=1, scaling={"min": 1, "max": 9}, tags={"a": "b"})
    return Witness(sandbox)


@pytest.fixture
def denied(sandbox, recycle):
    def run(permission, **options):
        sandbox.fault("access_denied", operations=[permission])
        result = recycle(**TASK, **options)
        assert f"Allow {permission} to these credentials and run the task again" in result["msg"]
        assert "service web in cluster default" in result["msg"]
        sandbox.clear_faults()
        return result

    return run


@pytest.mark.parametrize("permission", BEFORE_THE_FIRST_WRITE)
def test_nothing_is_changed(witness, denied, permission):
    assert denied(permission)["changed"] is False
    assert witness.writes() == []


@pytest.mark.parametrize("permission", BEFORE_THE_FIRST_STOP)
def test_nothing_is_stopped_and_everything_is_given_back(witness, denied, permission):
    denied(permission)
    assert witness.stopped() == set()
    witness.kept()
    witness.given_back()


def test_a_run_that_fails_before_its_first_look_at_tasks_has_a_course(witness, denied):
    told = denied("ecs:UpdateService")["recycle"]
    assert (told["service"], told["selector"]) == (witness.now()["arn"], {"max_task_age": "1h"})
    assert told["timeline"]["counts"][0] == {"at": 0.0, "healthy": 2, "desired": 2}


def test_what_cannot_be_removed_is_told_and_removed_later(witness, denied, recycle):
    assert "steadyops.ecs/recycle" in denied("ecs:UntagResource")["msg"]
    assert (witness.now()["desired"], bool(witness.record())) == (2, True)
    assert recycle(**TASK)["recycle"]["resumed"]
    witness.kept()
    witness.replaced()


def test_permissions_that_are_not_needed(sandbox, recycle):
    """Without target groups, a scalable target or protection that matters, a run does not need their permissions."""
    sandbox.service("web", tasks=1, health_check=True)
    for each in ("elasticloadbalancing:*", "application-autoscaling:*", "ecs:GetTaskProtection", "ecs:DescribeCo*"):
        sandbox.fault("access_denied", operations=[each])
    assert recycle(**TASK, suspend_scaling=[], protected_tasks="recycle")["recycle"]["status"] == "recycled"


def test_permission_to_describe_instances(sandbox, denied):
    sandbox.service("web", tasks=2, launch_type="EC2", target_groups=1)
    witness = Witness(sandbox)
    denied("ecs:DescribeContainerInstances")
    assert witness.writes() == []


def test_credentials_that_have_expired(sandbox, witness, recycle):
    sandbox.fault("expired_token")
    assert "The credentials have expired. Get new ones and run the task again" in recycle(**TASK)["msg"]
    assert witness.writes() == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("UnrecognizedClientException", "Check profile or access_key, secret_key and session_token"),
        ("InvalidSignatureException", "Check profile or access_key, secret_key and session_token"),
        ("ClusterNotFoundException", "Check cluster, service, region and the account"),
    ],
)
def test_other_refusals_of_aws(sandbox, witness, recycle, code, words):
    sandbox.fault("error", code=code, message="Words of AWS", status=400)
    assert words in recycle(**TASK)["msg"]
    assert witness.writes() == []


def test_a_service_that_has_all_the_tags_it_can_have(sandbox, recycle):
    sandbox.service("web", tasks=2, tags={f"key{number}": "value" for number in range(50)})
    witness = Witness(sandbox)
    result = recycle(**TASK)
    assert "maximum number of tags" in result["msg"]
    assert not result["changed"]
    assert witness.writes() == []


def test_no_credentials(witness, recycle, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert "Give a profile, or access_key and secret_key" in recycle(**TASK)["msg"]
    assert witness.writes() == []


def test_an_endpoint_that_nobody_listens_on(witness, recycle):
    result = recycle(**TASK | {"wait_timeout": 1}, endpoint_url="http://127.0.0.1:9")
    assert "Check the network, region and endpoint_url" in result["msg"]
    assert witness.writes() == []


def test_an_endpoint_that_is_not_aws(sandbox, witness, recycle):
    result = recycle(**TASK | {"wait_timeout": 1}, endpoint_url=f"{sandbox.url}/_sandbox/nothing")
    assert "service web in cluster default" in result["msg"]
    assert "This does not seem to come from AWS. Check the network, region and endpoint_url" in result["msg"]
    assert witness.writes() == []
