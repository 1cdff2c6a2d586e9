# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from events, and what is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.eda.read import (
    MOST_SERVICES,
    OLDEST,
    Seen,
    names_changed,
    read_event,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from hypothesis import given
from hypothesis import strategies as st

NOW = 1795402800.0  # 2026-11-23T03:00:00Z
REGION, ACCOUNT = "eu-central-1", "123456789012"
WHERE = {"account": ACCOUNT, "region": REGION}
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/db-AbCdEf"
HEALTH = "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:...)"
GOLDEN = json.loads((Path(__file__).parents[1] / "events/golden/plain.json").read_text())
SAMPLE = {each.name: each.event for each in CATALOGUE}
EVIL = "{{ lookup('pipe', 'id') }}"


def event(source, kind, detail, **more):
    return {
        "id": "c58ee8aa-5858-5cc3-820f-796c5102be19",
        "time": "2026-11-22T03:02:11Z",
        **WHERE,
        "source": source,
        "detail-type": kind,
        "detail": detail,
        **more,
    }


def call(name="PutSecretValue", **detail):
    return event("aws.secretsmanager", "AWS API Call via CloudTrail", {"eventName": name, **detail})


def rotation(name="RotationSucceeded", **detail):
    return event("aws.secretsmanager", "AWS Service Event via CloudTrail", {"eventName": name, **detail})


def parameter(operation="Update", name="/shop/level"):
    return event("aws.ssm", "Parameter Store Change", {"operation": operation, "name": name, "type": "String"})


def task(**detail):
    known = {"lastStatus": "STOPPED", "group": "service:web", "stoppedReason": HEALTH,
             "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/prod"}  # fmt: skip
    return event("aws.ecs", "ECS Task State Change", {**known, **detail})


HEAD = {"id": "c58ee8aa-5858-5cc3-820f-796c5102be19", "at": "2026-11-22T03:02:11Z", **WHERE}
RETIRED = {
    **HEAD,
    "kind": "task_retirement",
    "announcement": "AWS_ECS_TASK_PATCHING_RETIREMENT_1",
    "services": [{"cluster": "production", "service": "web"}, {"cluster": "production", "service": "api"}],
}
UNHEALTHY = {**HEAD, "kind": "task_unhealthy", "cluster": "prod", "service": "web"}


def changed(service, name):
    return {**HEAD, "kind": "secret_changed", "service": service, "name": name}


NEW_SECRET = changed("secretsmanager", SECRET)


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        pytest.param(SAMPLE["retirement_services"], RETIRED, id="retirement"),
        pytest.param(GOLDEN["retirement_services"], RETIRED, id="retirement, from the role failure_alerts"),
        pytest.param(
            rotation(additionalEventData={"SecretId": SECRET}), changed("secretsmanager", SECRET), id="rotation"
        ),
        pytest.param(rotation(serviceEventDetails={"secretId": SECRET}), changed("secretsmanager", SECRET), id="newer"),
        pytest.param(call(requestParameters={"secretId": "shop/db"}), changed("secretsmanager", "shop/db"), id="name"),
        pytest.param(
            call(
                requestParameters={"secretId": "db", "versionStages": ["AWSCURRENT"]}, responseElements={"aRN": SECRET}
            ),
            changed("secretsmanager", SECRET),
            id="ARN in the answer",
        ),
        pytest.param(parameter(), changed("ssm", "/shop/level"), id="parameter"),
        pytest.param(parameter("Create", "level"), changed("ssm", "level"), id="new parameter"),
        pytest.param(task(), UNHEALTHY, id="unhealthy"),
        pytest.param(task(stoppedReason="Task failed container health checks"), UNHEALTHY, id="unhealthy container"),
        pytest.param(
            {**GOLDEN["service_exit_1"], "reason": HEALTH, "event_id": HEAD["id"]},
            {**UNHEALTHY, "cluster": "production"},
            id="unhealthy, from the role failure_alerts",
        ),
    ],
)
def test_events(message, facts):
    found = read_event(message, NOW)
    assert found == {**facts, "id": found["id"]}


def retirement(**changes):
    sample = SAMPLE["retirement_services"]
    return {**sample, "detail": {**sample["detail"], **changes}}


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("{", "the message is not a JSON object"),
        (None, "the message is not a JSON object"),
        ({}, "detail is not a JSON object"),
        (event("aws.ec2", "Other", {}), "no rulebook handles"),
        (event("steadyops.ecs", "AWS Health Event", {}), "no rulebook handles"),
        (event(["aws.ecs"], {}, {}), "no rulebook handles"),
        ({**task(), "id": EVIL}, "id is missing or malformed"),
        ({**task(), "id": None}, "id is missing or malformed"),
        ({**task(), "time": EVIL}, "time is missing or malformed"),
        ({**task(), "time": "2026-13-22T03:02:11Z"}, "time must be an instant"),
        ({**task(), "time": "2026-11-01T03:02:11Z"}, "it is older than 14 days"),
        ({**task(), "account": 123456789012}, "account is missing or malformed"),
        ({**task(), "region": "here"}, "region is missing or malformed"),
        (retirement(eventTypeCode="AWS_ECS_OPERATIONAL_ISSUE"), "announces no retirement"),
        (SAMPLE["retirement_over"], "the retirement is over"),
        (SAMPLE["retirement_tasks"], "it names no service"),
        (retirement(affectedEntities=EVIL), "it names no service"),
        (retirement(affectedEntities=[EVIL, None, {"entityValue": 5}, {"entityValue": f"prod|{EVIL}"}]), "no service"),
        (retirement(affectedEntities=[{"entityValue": "a|b|c"}, {"entityValue": "|b"}]), "it names no service"),
        (retirement(eventArn=f"arn:aws:health:eu::event/{EVIL}"), "detail.eventArn is missing"),
        (rotation("RotationFailed", additionalEventData={"SecretId": SECRET}), "it changes no secret"),
        (rotation(), "it names no secret"),
        (rotation(additionalEventData=SECRET), "it names no secret"),
        (rotation(additionalEventData={"SecretId": f"{SECRET}{EVIL}"}), "it names no secret"),
        (rotation(additionalEventData={"SecretId": SECRET.replace("secretsmanager", "ssm")}), "it names no secret"),
        (call(errorCode="AccessDenied", requestParameters={"secretId": "db"}), "it changes no secret"),
        (call("GetSecretValue", requestParameters={"secretId": "db"}), "it changes no secret"),
        (call(requestParameters={"secretId": "db", "versionStages": ["AWSPENDING"]}), "no current value"),
        (call(requestParameters={"secretId": EVIL}), "it names no secret"),
        (parameter("Delete"), "it changes no value"),
        (parameter(name=EVIL), "detail.name is missing or malformed"),
        (task(lastStatus="RUNNING"), "no health check ended"),
        (task(stoppedReason="Scaling activity initiated by deployment"), "no health check ended"),
        (task(stoppedReason=None), "no health check ended"),
        (task(group="family:web"), "the task is of no service"),
        (task(group=f"service:{EVIL}"), "the task is of no service"),
        (task(clusterArn=EVIL), "the task is of no service"),
        (task(clusterArn=None), "the task is of no service"),
    ],
)
def test_what_is_ignored(message, why):
    found = read_event(message, NOW)
    assert found["kind"] == "ignored"
    assert why in found["why"]
    assert found.keys() == {"kind", "why"}


def test_times_are_bounded():
    assert read_event({**task(), "time": "2027-01-01T00:00:00Z"}, NOW)["at"] == "2026-11-23T03:00:00Z"
    oldest = {**task(), "time": "2026-11-09T03:00:00Z"}
    assert read_event(oldest, NOW)["kind"] == "task_unhealthy"
    assert read_event(oldest, NOW + 1)["kind"] == "ignored"
    assert OLDEST == 14 * 86400


def test_services_are_bounded_and_each_is_named_once():
    many = [{"entityValue": f"prod|s{number}"} for number in range(MOST_SERVICES + 5)]
    assert len(read_event(retirement(affectedEntities=many), NOW)["services"]) == MOST_SERVICES
    twice = [{"entityValue": "prod|web"}, {"entityValue": EVIL}, {"entityValue": "prod|web"}]
    assert read_event(retirement(affectedEntities=twice), NOW)["services"] == [{"cluster": "prod", "service": "web"}]


def test_an_event_counts_once():
    seen = Seen(most=2)
    first, second, third = ({**task(), "id": name} for name in ("a", "b", "c"))
    assert seen.read(first, NOW)["kind"] == "task_unhealthy"
    assert seen.read(first, NOW) == {"kind": "ignored", "why": "it was already read"}
    assert seen.read({**second, "region": ""}, NOW)["why"] == "region is missing or malformed"
    assert [seen.read(each, NOW)["kind"] for each in (second, third, second)] == ["task_unhealthy"] * 2 + ["ignored"]
    assert seen.read(first, NOW)["kind"] == "task_unhealthy", "it was forgotten"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from([task(), retirement(), parameter(), call(requestParameters={"secretId": "db"}), rotation()]),
    st.sampled_from(["id", "time", "account", "region", "detail", "source", "detail-type"]),
    JSON,
    st.dictionaries(st.sampled_from(["group", "clusterArn", "name", "eventArn", "affectedEntities"]), JSON),
)
def test_no_text_of_an_event_can_be_a_template(message, key, value, details):
    """No event raises an error either."""
    for each in ({**message, key: value}, {**message, "detail": {**message["detail"], **details}}):
        assert not set("{}%'\"\n") & set("".join(map(str, leaves(read_event(each, NOW)))))


def leaves(value):
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]


def container(value):
    return [{"name": "app", "secrets": [{"name": "A", "valueFrom": value}]}]


@pytest.mark.parametrize(
    ("value", "service", "name", "named"),
    [
        (f"{SECRET}:password::", "secretsmanager", SECRET, True),
        (SECRET, "secretsmanager", "shop/db", True),
        (SECRET.removesuffix("-AbCdEf"), "secretsmanager", SECRET, True),
        (SECRET, "secretsmanager", SECRET.replace("shop/db", "shop/other"), False),
        (SECRET, "secretsmanager", "shop/d", False),
        (SECRET.replace(ACCOUNT, "111122223333"), "secretsmanager", SECRET, False),
        (SECRET.replace(REGION, "us-east-1"), "secretsmanager", "shop/db", False),
        ("/shop/level", "ssm", "/shop/level", True),
        (f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/level", "ssm", "/shop/level", True),
        (f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/shop/level", "ssm", "/shop/level", False),
        ("/shop/level", "ssm", "/shop/other", False),
        ("shop/db", "secretsmanager", "shop/db", False),  # a parameter of that name
    ],
)
def test_who_names_what_has_changed(value, service, name, named):
    facts = changed(service, name)
    assert names_changed(container(value), [facts], REGION) == named
    assert names_changed(container(value), [changed("ssm", "/nobody"), facts], REGION) == named
    assert names_changed(container(value), None, REGION)
    assert not names_changed([{"name": "app"}], None, REGION)
    assert not names_changed([], [facts], REGION)
    assert not names_changed(container(value), [], REGION)
