# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators control in a recycle: which tasks, in which order, how many, and what stops it."""

from __future__ import annotations

import itertools
import os
import threading
import time

import pytest

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import until
from tests.end_to_end.witness import Witness

SECRET = "shop/database"


@pytest.fixture
def aws(sandbox):
    """A client of any AWS service, as somebody else would use it."""
    return lambda service: aws_client(sandbox, service)


def ids(tasks):
    return [arn.rsplit("/", 1)[-1] for arn in tasks]


# ---- which tasks


def test_named_tasks(sandbox, recycle):
    sandbox.service("web", tasks=4)
    witness = Witness(sandbox)
    first, second = sorted(witness.old)[:2]
    result = recycle(tasks=[first, second.rsplit("/", 1)[-1]])
    assert result["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced({first, second})
    again = Witness(sandbox)
    assert not recycle(tasks=[first, second])["changed"]
    again.untouched()


def all_but_the_first(tasks):
    return {task["task"] for task in tasks[1:]}


def in_the_zone_of_the_first(tasks):
    return {task["task"] for task in tasks if task["availability_zone"] == tasks[0]["availability_zone"]}


@pytest.mark.parametrize(
    ("by", "of", "expected"),
    [
        ("exclude_tasks", lambda first: first["task"], all_but_the_first),
        ("availability_zones", lambda first: first["availability_zone"], in_the_zone_of_the_first),
        ("capacity_providers", lambda first: "FARGATE", lambda _tasks: set()),
        ("capacity_providers", lambda first: "FARGATE_SPOT", lambda tasks: {task["task"] for task in tasks}),
    ],
)
def test_filters(sandbox, recycle, task_info, by, of, expected):
    sandbox.service("web", tasks=6, capacity_provider="FARGATE_SPOT")
    witness = Witness(sandbox)
    tasks = task_info()["tasks"]
    said, stale = {by: [of(tasks[0])]}, expected(tasks)
    told = task_info(max_task_age="1h", **said)["tasks"]
    assert {task["task"] for task in told if task["stale"]} == stale
    assert recycle(max_task_age="1h", **said)["changed"] == bool(stale)
    witness.replaced(stale)


def test_tasks_older_than_the_latest_change_of_a_secret(sandbox, recycle, task_info, aws):
    secret = aws("secretsmanager").create_secret(Name=SECRET, SecretString="s3cr3t-one")["ARN"]
    aws("ssm").put_parameter(Name="/shop/level", Value="info", Type="String")
    aws("s3").create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_REGION"]})
    aws("s3").put_object(Bucket="shop", Key="web.env", Body=b"A=1")
    container = {
        "name": "web",
        "image": "web",
        "secrets": [{"name": "A", "valueFrom": f"{secret}:password::"}, {"name": "B", "valueFrom": "/shop/level"}],
        "environmentFiles": [{"value": "arn:aws:s3:::shop/web.env", "type": "s3"}],
    }
    sandbox.service("web", tasks=3, containers=[container])
    witness = Witness(sandbox)
    assert all(task["stale"] for task in task_info(secrets_changed=True)["tasks"]), "they ran before it was created"
    result = recycle(secrets_changed=True)
    assert result["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()
    assert not recycle(secrets_changed=True)["changed"]

    for change in (
        lambda: aws("secretsmanager").put_secret_value(SecretId=SECRET, SecretString="s3cr3t-two"),
        lambda: aws("ssm").put_parameter(Name="/shop/level", Value="verbose-level", Type="String", Overwrite=True),
        lambda: aws("s3").put_object(Bucket="shop", Key="web.env", Body=b"A=2"),
    ):
        time.sleep(1.1)  # S3 has a resolution of one second
        change()
        assert recycle(secrets_changed=True, check=True)["changed"]
    told = str(recycle(secrets_changed=True))
    assert not any(value in told for value in ("s3cr3t", "verbose-level", "A=2"))


@pytest.mark.parametrize(
    ("container", "words"),
    [
        pytest.param({}, "names no secret, no parameter and no environment file", id="nothing"),
        pytest.param(
            {"secrets": [{"name": "A", "valueFrom": "/not/there"}]}, "/not/there, which Systems Manager", id="missing"
        ),
        pytest.param(
            {"environmentFiles": [{"value": "arn:aws:s3:::not/there.env", "type": "s3"}]},
            "s3://not/there.env, which S3 does not have",
            id="missing file",
        ),
        pytest.param(
            {"secrets": [{"name": "A", "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/far"}]},
            "is in us-east-1",
            id="another region",
        ),
    ],
)
def test_secrets_that_cannot_be_looked_at(sandbox, recycle, container, words):
    sandbox.service("web", tasks=1, containers=[{"name": "web", "image": "web", **container}])
    witness = Witness(sandbox)
    assert words in recycle(secrets_changed=True)["msg"]
    witness.untouched()


# ---- in which order, and how many


@pytest.mark.parametrize("order", ["oldest", "newest", "az_spread"])
def test_order(sandbox, recycle, order):
    sandbox.service("web", tasks=6)
    witness = Witness(sandbox)
    tasks = {task["arn"]: task for task in witness.before["tasks"]}
    recycle(all_tasks=True, order=order)
    created = [tasks[arn]["created_at"] for arn in witness.stops()]
    zones = [tasks[arn]["zone"] for arn in witness.stops()]
    if order == "az_spread":
        several = len(set(zones))
        assert len(set(zones[:several])) == several > 1
    else:
        assert created == sorted(created, reverse=order == "newest")
    witness.replaced()


def test_so_many_tasks_a_run_and_the_rest_with_the_next(sandbox, recycle):
    sandbox.service("web", tasks=5)
    whole = Witness(sandbox)
    for replaced, left in ((2, 3), (2, 1), (1, 0)):
        witness = Witness(sandbox)
        told = recycle(max_task_age="1h", max_tasks=2)["recycle"]
        assert (told["status"], len(told["remaining"])) == ("recycled", left)
        assert len(witness.stops()) == replaced
        witness.kept()
    whole.replaced()
    assert not recycle(max_task_age="1h", max_tasks=2)["changed"]


# ---- pauses


def test_checkpoints_and_baking(sandbox, begin):
    sandbox.service("web", tasks=4)
    witness = Witness(sandbox)
    module = begin(all_tasks=True, checkpoints=[50], checkpoint_wait=2, bake_time=2)
    until(lambda: len(witness.stops()) == 2, "half of the tasks stopped")
    result = module.result()
    assert result["recycle"]["status"] == "recycled"
    times = [call["time"] for call in witness.calls("StopTask")]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) == gaps[1] > 2 > max(gaps[0], gaps[2])
    last = next(call["time"] for call in reversed(witness.calls()) if call["operation"] == "UntagResource")
    assert last - times[-1] > 2, "it baked before the record was removed"
    witness.kept()
    witness.replaced()


def test_the_whole_run_is_limited(sandbox, recycle):
    sandbox.service("web", tasks=6)
    witness = Witness(sandbox)
    result = recycle(all_tasks=True, batch_wait=60, timeout=3)
    assert "the run reached its timeout of 3 s" in result["msg"]
    assert len(result["recycle"]["remaining"]) == 6 - len(witness.stops()) > 0
    witness.kept()
    witness.given_back()


# ---- alarms


def ring(aws, name, state="ALARM"):
    aws("cloudwatch").set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")


@pytest.fixture
def alarm(aws):
    """An alarm in state OK."""
    alarm = {"Namespace": "shop", "MetricName": "errors", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}
    aws("cloudwatch").put_metric_alarm(
        AlarmName="errors", **alarm, Threshold=1, ComparisonOperator="GreaterThanThreshold"
    )
    ring(aws, "errors", "OK")
    return "errors"


def test_nothing_begins_while_an_alarm_rings_or_without_it(sandbox, recycle, aws, alarm):
    sandbox.service("web", tasks=2)
    witness = Witness(sandbox)
    assert "alarms: CloudWatch has no typo." in recycle(all_tasks=True, alarms=[alarm, "typo"])["msg"]
    ring(aws, alarm)
    assert "CloudWatch alarm errors is in ALARM" in recycle(all_tasks=True, alarms=[alarm])["msg"]
    assert recycle(all_tasks=True, alarms=[alarm], check=True)["failed"]
    assert [call["operation"] for call in witness.calls() if call["write"] and call["service"] == "ecs"] == []


@pytest.mark.parametrize("when", ["between steps", "baking"])
def test_an_alarm_stops_the_run_and_gives_back(sandbox, begin, aws, alarm, when):
    sandbox.service("web", tasks=4)
    witness = Witness(sandbox)
    module = begin(all_tasks=True, alarms=[alarm], batch_wait=1, bake_time=30)
    until(lambda: len(witness.stops()) == (2 if when == "between steps" else 4), "stops")
    ring(aws, alarm)
    result = module.result()
    assert "CloudWatch alarm errors is in ALARM" in result["msg"]
    assert len(witness.stops()) == (2 if when == "between steps" else 4)
    witness.kept()
    witness.given_back()
    ring(aws, alarm, "OK")
    if when == "between steps":
        assert begin(max_task_age="1h", alarms=[alarm]).result()["recycle"]["status"] == "recycled"
        witness.given_back()


def test_baking_notices_a_new_task_that_ends(sandbox, begin):
    sandbox.service("web", tasks=2)
    witness = Witness(sandbox)
    module = begin(all_tasks=True, bake_time=30)
    until(lambda: len(witness.stops()) == 2, "both stopped")
    time.sleep(0.5)
    sandbox.act("crash", "web", task="newest", exit_code=1)
    assert "ended by itself" in module.result()["msg"]
    witness.given_back()


# ---- failures


def test_some_failures_are_borne(sandbox, recycle):
    sandbox.service("web", tasks=3)
    witness = Witness(sandbox)
    sandbox.fault("launch_fails", service="web", times=2, reason="CannotPullContainerError: timeout")
    told = recycle(all_tasks=True, max_failures=2)["recycle"]
    assert (told["status"], len(told["failures"])) == ("recycled", 2)
    witness.kept()
    witness.replaced()


def test_one_more_is_not(sandbox, recycle):
    sandbox.service("web", tasks=3)
    witness = Witness(sandbox)
    sandbox.fault("launch_fails", service="web", times=3, reason="CannotPullContainerError: timeout")
    assert "CannotPullContainerError" in recycle(all_tasks=True, max_failures=2)["msg"]
    assert witness.stopped() == set()
    witness.given_back()


def test_what_was_added_is_kept_for_the_next_run(sandbox, recycle):
    sandbox.service("web", tasks=3, scaling={"min": 1, "max": 9})
    witness = Witness(sandbox)
    sandbox.fault("launch_fails", service="web", times=1, reason="CannotPullContainerError: timeout")
    result = recycle(all_tasks=True, on_failure="keep")
    assert "The added tasks stay because of on_failure: keep" in result["msg"]
    now = witness.now()
    assert (now["desired"], now["scaling"]["dynamic_in"]) == (4, True)
    assert witness.record()
    again = recycle(all_tasks=True)
    assert again["recycle"]["status"] == "recycled", again["msg"]
    witness.kept()
    witness.replaced()


# ---- protected tasks


def test_protected_tasks_come_last_and_are_waited_for(sandbox, begin):
    sandbox.service("web", tasks=3)
    witness = Witness(sandbox)
    oldest = min(witness.before["tasks"], key=lambda task: task["created_at"])["arn"]
    sandbox.act("protect", "web", task=oldest, minutes=60)
    module = begin(max_task_age="1h", protected_tasks="wait")
    until(lambda: len(witness.stops()) == 2, "the others")
    time.sleep(0.5)
    assert module.runs
    sandbox.act("protect", "web", task=oldest, minutes=0)
    assert module.result()["recycle"]["status"] == "recycled"
    assert witness.stops()[-1] == oldest
    witness.kept()
    witness.replaced()


def test_not_for_ever(sandbox, recycle):
    sandbox.service("web", tasks=2)
    witness = Witness(sandbox)
    oldest = min(witness.before["tasks"], key=lambda task: task["created_at"])["arn"]
    sandbox.act("protect", "web", task=oldest, minutes=60)
    result = recycle(max_task_age="1h", protected_tasks="wait", protected_timeout=1)
    assert f"waited 1 s for the scale-in protection of {ids([oldest])[0]} to end" in result["msg"]
    assert witness.stops()
    assert oldest not in witness.stops()
    witness.given_back()


# ---- killed at any time


def test_a_killed_run_with_controls_is_finished_by_the_next(sandbox, begin):
    sandbox.service("web", tasks=4)
    witness = Witness(sandbox)
    said = {"max_task_age": "1h", "checkpoints": [25, 50], "checkpoint_wait": 30, "order": "newest"}
    module = begin(**said)
    until(witness.stops, "the first stop")
    threading.Event().wait(0.3)
    module.kill()
    assert begin(**{**said, "checkpoint_wait": 0}).result()["recycle"]["resumed"]
    witness.kept()
    witness.replaced()
