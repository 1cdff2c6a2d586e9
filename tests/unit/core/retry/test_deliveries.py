# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Lambda's deliveries are taken apart."""

from __future__ import annotations

import base64
import gzip
import json

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry import message
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.deliveries import MOST_UNPACKED, read_delivery
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.model import Launch, StoppedTask, Wish

from tests.unit.core.retry.samples import (
    ACCOUNT,
    NOON,
    REGION,
    WHOLE,
    answer,
    cloudtrail,
    event,
    messages,
    refused,
    request,
    stopped,
    subscription,
)

WISH = Wish("origin", NOON, REGION, WHOLE, 2, 3, 2, "theirs", ("arn",))


def packed(content):
    return {"awslogs": {"data": base64.b64encode(content).decode()}}


BOMB = packed(gzip.compress(b"[" + b" " * 2 * MOST_UNPACKED + b"]"))
CUT_OFF = packed(gzip.compress(json.dumps({"messageType": "DATA_MESSAGE", "logEvents": []}).encode())[:-9])


def read(delivery):
    return list(read_delivery(delivery, REGION, ACCOUNT))


def test_an_event_of_eventbridge():
    (found,) = read(event(cloudtrail()))
    assert isinstance(found.record, Launch)
    assert (found.record.at, found.record.region, found.record.invoked_by) == (NOON, REGION, "events.amazonaws.com")


def test_a_subscription_of_cloudwatch_logs():
    records = [cloudtrail(request(cluster=name)) for name in "abc"]
    assert [found.record.request["cluster"] for found in read(subscription(*records))] == ["a", "b", "c"]


def test_control_messages_are_ignored():
    assert read(subscription("CWL CONTROL MESSAGE: Checking health", kind="CONTROL_MESSAGE")) == []


def test_a_message_of_ours_comes_back_as_it_was_sent():
    (found,) = read(messages(message.written(WISH)))
    assert found.wish == WISH
    assert found.message_id == "message-0"


def test_events_may_come_through_a_queue():
    first, second = read(messages(json.dumps(event(cloudtrail())), json.dumps(stopped())))
    assert isinstance(first.record, Launch)
    assert isinstance(second.record, StoppedTask)


@pytest.mark.parametrize(
    "delivery",
    [
        event(cloudtrail(eventName="StartTask")),
        event(cloudtrail(eventSource="batch.amazonaws.com")),
        stopped(lastStatus="RUNNING"),
        stopped(lastStatus="DEPROVISIONING"),
        subscription({"eventName": "DescribeTasks"}),
    ],
)
def test_what_is_nothing_for_us_is_no_problem(delivery):
    (found,) = read(delivery)
    assert (found.record, found.wish, found.problem) == (None, None, "")


BROKEN = [
    "",
    "not JSON",
    "[]",
    '{"eventName": "RunTask"}',
    json.dumps(cloudtrail(answered={"failures": "HIDDEN_DUE_TO_SECURITY_REASONS"})),
]


def test_broken_records_stop_no_others():
    records = [cloudtrail(eventID=f"id-{number}") for number in range(45)]
    mixed = [*records[:10], *BROKEN, *records[10:]]
    found = read(subscription(*mixed))
    assert [each.record.origin for each in found if each.record] == [f"id-{number}" for number in range(45)]
    assert [each.raw for each in found if each.problem] == BROKEN


def without(key):
    return json.dumps({k: v for k, v in json.loads(message.written(WISH)).items() if k != key})


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        ([], "the event is not a JSON object"),
        ({}, "not an event that this function supports"),
        ({"detail-type": "Scheduled Event"}, "not an event that this function supports"),
        ({**event({}), "detail": None}, "the record is not a JSON object"),
        ({**stopped(), "detail": {}}, "has no task"),
        ({**event(cloudtrail()), "source": "custom"}, "its source is not aws.ecs"),
        ({**stopped(), "source": "aws.ecs.x"}, "its source is not aws.ecs"),
        ({**event(cloudtrail()), "account": "999988887777"}, "its account is not"),
        ({key: value for key, value in stopped().items() if key != "account"}, "its account is not"),
        (messages(json.dumps({**stopped(), "source": None})), "its source is not"),
        (BOMB, "not from a CloudWatch Logs subscription"),
        (CUT_OFF, "not from a CloudWatch Logs subscription"),
        (stopped(containers="app"), "are not a list"),
        (stopped(stoppedAt="noon"), "has no time"),
        (event(cloudtrail(eventTime="soon")), "has no time"),
        ({"awslogs": {}}, "not from a CloudWatch Logs subscription"),
        ({"awslogs": None}, "not from a CloudWatch Logs subscription"),
        ({"awslogs": {"data": "%%%"}}, "not from a CloudWatch Logs subscription"),
        ({"awslogs": {"data": "aGVsbG8="}}, "not from a CloudWatch Logs subscription"),
        (messages("{"), "it is not JSON"),
        (messages("[" * 100_000), "it is not JSON"),
        ({"Records": [{"Sns": {}}]}, "not an Amazon SQS message"),
        ({"Records": ["x"]}, "not an Amazon SQS message"),
        (messages(without("origin")), "no origin"),
        (messages(without("request")), "no request"),
        (messages(message.written(Wish("o", 1.0, "r", {}, 0))), "do not agree"),
        (messages(message.written(Wish("o", 1.0, "r", {}, 1, 1, 2))), "do not agree"),
        (messages(message.written(Wish("o", 1.0, "r", {}, 11))), "do not agree"),
        (messages(message.written(Wish("o", 1.0, "r", {}, 1, 10**9, 10**9))), "do not agree"),
        (messages(message.written(Wish("o", 1.0, "r", {}, 1, 52, 52))), "do not agree"),
        (messages(message.written(Wish("o", float("nan"), "r", {}, 1))), "an invalid number"),
        (messages(message.written(Wish("o", float("inf"), "r", {}, 1))), "an invalid number"),
        (messages(message.written(Wish("o", 1.0, "r", {}, True))), "an invalid number"),
        (messages(message.written(Wish("o", 1e12, "r", {}, 1))), "this function did not write"),
        (messages(message.written(Wish("o", 1.0, "r", {}, 1, started=("a",) * 600))), "this function did not write"),
    ],
)
def test_what_cannot_be_read_is_told(delivery, words):
    (found,) = read(delivery)
    assert words in found.problem
    assert (found.record, found.wish) == (None, None)


def test_refused_calls_without_parameters_are_read():
    (found,) = read(event(refused("AccessDenied")))
    assert (found.record.request, found.record.error) == (None, "AccessDenied")


def test_the_record_of_source_002_is_read():
    """Its test event has only these fields."""
    kept = ("eventTime", "eventName", "requestParameters", "responseElements")
    (found,) = read(subscription({key: cloudtrail()[key] for key in kept}))
    assert found.record.refusals
    assert found.record.origin == "0" * 56  # the id of the log event


def test_a_record_without_any_id_is_known_by_what_it_says():
    record = {key: value for key, value in cloudtrail().items() if key != "eventID"}
    first, second = (read({**event(record), "id": None})[0].record.origin for _time in range(2))
    assert first == second
    other = {**record, "responseElements": answer(0, "AGENT")}
    assert read({**event(other), "id": None})[0].record.origin != first
