# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What notifications contain, and what they do not."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.match import matches
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import failure_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import Filters
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry import masking, notice
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.decide import decide
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.model import GiveUp, Wish
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.options import read_options
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.records import (
    from_answer,
    from_cloudtrail,
    from_error,
    from_task_event,
)

from tests.unit.core.retry.answers import ANSWERS
from tests.unit.core.retry.samples import (
    ACCOUNT,
    CAPACITY,
    NOON,
    REGION,
    WHOLE,
    answer,
    cloudtrail,
    refused,
    request,
    stopped,
)

WISH = Wish("origin", NOON, REGION, WHOLE, 3, 6, 6)
GIVEN_UP = GiveUp("all 6 attempts were refused")
QUOTES = f'Override "{WHOLE["overrides"]["containerOverrides"][0]["environment"][0]["value"]}" is not valid'

RECORDS = {
    "refused": from_answer(WISH, answer(1, CAPACITY, CAPACITY)),
    "error": from_error(WISH, "InvalidParameterException", QUOTES),
    "theirs": from_cloudtrail(cloudtrail(WHOLE), REGION),
    "denied": from_cloudtrail(refused("AccessDenied"), REGION),
    "task": from_task_event(stopped("TaskFailedToStart", QUOTES), REGION),
}


@pytest.mark.parametrize("name", RECORDS)
def test_no_value_of_an_environment_is_told(name):
    subject, event = notice.notification(GIVEN_UP, RECORDS[name], 6, NOON, ACCOUNT)
    decision = decide(RECORDS[name], 0, read_options({}), NOON, lambda: 0.5)
    lines = [notice.line(GIVEN_UP, RECORDS[name]), notice.line(decision, RECORDS[name])]
    assert "s3cr3t-value" not in subject + json.dumps(event) + "".join(lines)
    assert all(isinstance(json.loads(line), dict) for line in lines)


def test_a_refused_launch_is_told_as_cloudtrail_would():
    subject, event = notice.notification(GIVEN_UP, RECORDS["refused"], 6, NOON + 99, ACCOUNT)
    assert subject == "ECS task not started: report:7"
    assert {key: event[key] for key in event if key not in ("id", "detail")} == {
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2026-11-24T12:01:39Z",
        "region": REGION,
        "resources": [],
    }
    detail = event["detail"]
    assert detail["eventName"] == "RunTask"
    assert detail["responseElements"]["failures"] == [{"reason": CAPACITY}]
    assert detail["requestParameters"]["taskDefinition"] == WHOLE["taskDefinition"]
    assert detail["retry"] == {"gaveUp": "all 6 attempts were refused", "attempts": 6, "origin": "origin"}


def test_an_error_is_told_as_cloudtrail_would():
    _subject, event = notice.notification(GIVEN_UP, RECORDS["error"], 6, NOON, ACCOUNT)
    assert (event["detail"]["errorCode"], event["detail"]["responseElements"]) == ("InvalidParameterException", None)
    assert event["detail"]["errorMessage"] == 'Override "***" is not valid'


def test_a_task_is_told_as_ecs_would():
    _subject, event = notice.notification(GIVEN_UP, RECORDS["task"], 0, NOON, ACCOUNT)
    assert event["detail-type"] == "ECS Task State Change"
    assert event["detail"]["lastStatus"] == "STOPPED"
    assert event["detail"]["containers"] == [{"name": "app", "exitCode": 143}]


def test_a_subject_is_one_that_sns_takes():
    record = from_error(Wish("o", NOON, REGION, {"taskDefinition": "ü" * 300}, 1), "X", "")
    subject, _event = notice.notification(GIVEN_UP, record, 1, NOON, ACCOUNT)
    assert len(subject) == 99
    assert subject.isascii()


def test_a_dead_letter_has_everything_but_values():
    letter = json.loads(notice.dead_letter(GIVEN_UP, RECORDS["refused"], 6))
    same = WHOLE.keys() - {"overrides", "tags", "volumeConfigurations", "clientToken", "referenceId"}
    assert {key: letter["request"][key] for key in same} == {key: WHOLE[key] for key in same}
    (container,) = letter["request"]["overrides"]["containerOverrides"]
    assert (container["name"], container["command"]) == ("app", ["***"] * 3)
    assert container["environment"] == [{"name": "TOKEN", "value": "***"}]
    assert letter["request"]["tags"] == [{"key": "team", "value": "***"}]
    assert (letter["missing"], letter["attempts"], letter["region"], letter["origin"]) == (2, 6, REGION, "origin")


def test_a_letter_fits_a_message():
    record = from_error(Wish("o", NOON, REGION, {"taskDefinition": "a", "group": "x" * 10**6}, 1), "X", "")
    for letter in (notice.dead_letter(GIVEN_UP, record, 1), notice.unreadable_letter("no JSON", '"' * 10**6)):
        assert len(letter.encode()) < 256 * 1024
        json.loads(letter)


@pytest.mark.parametrize("nested", [False, True])
def test_what_cannot_be_read_is_found_again_and_not_shown(nested):
    record = cloudtrail(WHOLE)
    raw = json.dumps({"message": json.dumps(record)} if nested else record) + "}"
    letter = notice.unreadable_letter("it is no JSON", raw)
    found = json.loads(letter)
    assert (found["event_id"], found["event_time"], found["size"]) == (
        record["eventID"], "2026-11-24T12:00:00Z", len(raw)
    )  # fmt: skip
    assert len(found["sha256"]) == 64
    assert "s3cr3t-value" not in letter


HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@pytest.mark.parametrize(
    "asked",
    [
        None,
        HIDDEN,
        request(overrides=HIDDEN),
        request(overrides={"containerOverrides": [{"name": "app", "environment": HIDDEN}]}),
        request(tags=HIDDEN),
        request(tags=[{"key": "team", "value": "***"}]),
        request(overrides={"cpu": None}),
        {"omitted": True, "originalSize": 123456, "reason": "too large"},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Override s3cr3t-value is not valid", False),
        (CAPACITY, True),
        *((each["text"], True) for each in ANSWERS if each["source"].startswith("collected")),
        ("RESOURCE:S3CR3T_VALUE", True),
    ],
)
def test_what_may_repeat_hidden_values_is_withheld(asked, words, shown):
    record = from_cloudtrail({**refused("InvalidParameterException", words), "requestParameters": asked}, REGION)
    (told,) = notice.reasons(record)
    assert told == (f"InvalidParameterException: {words}" if shown else masking.WITHHELD)


SECRET = "p@ss \"wörd\"\n<with>\tall & 'quotes' \\ 100%"
QUOTINGS = [
    lambda text: text,
    repr,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: json.dumps(json.dumps(text)),
    lambda text: json.dumps({"value": text}),
    html.escape,
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: text[:20] + "...",
    lambda text: json.dumps(text)[:22] + "(truncated)",
    lambda text: f"{text} and {text[:15]}",
]


@pytest.mark.parametrize("where", ["environment", "command", "tags", "stopped"])
@pytest.mark.parametrize("quoting", QUOTINGS, ids=range(len(QUOTINGS)))
def test_no_value_is_told_in_any_quoting(quoting, where):
    container = {"name": "app", "environment": [{"name": "A", "value": SECRET}]}
    if where == "command":
        container = {"name": "app", "command": ["run", SECRET]}
    asked = request(overrides={"containerOverrides": [container]})
    if where == "tags":
        asked = request(tags=[{"key": "team", "value": SECRET}])
    words = f"Invalid value {quoting(SECRET)} in the request"
    record = from_error(Wish("o", NOON, REGION, asked, 1), "InvalidParameterException", words)
    if where == "stopped":
        record = from_task_event(stopped("TaskFailedToStart", words, overrides=asked["overrides"]), REGION)
    subject, event = notice.notification(GIVEN_UP, record, 1, NOON, ACCOUNT)
    letter = notice.dead_letter(GIVEN_UP, record, 1)
    shown = [subject, event, json.loads(notice.line(GIVEN_UP, record)), json.loads(letter)]
    told = notice.reasons(record)[0]
    assert "Invalid value" in told
    for each in (told, json.dumps(shown, ensure_ascii=False)):
        assert not any(part in each for part in ("p@ss", "wörd", "w\\u00f6rd", "p%40ss", "cEBzcyAid8"))


def test_a_line_of_the_log_is_one_line():
    told = json.loads(notice.line("started", WISH, tasks=["a"], error=""))
    assert told == {
        "decision": "started",
        "origin": "origin",
        "region": REGION,
        "task_definition": WHOLE["taskDefinition"],
        "cluster": WHOLE["cluster"],
        "tasks": ["a"],
    }


@pytest.mark.parametrize("name", ["refused", "error", "theirs", "denied", "task"])
def test_a_notification_is_what_a_failure_rule_would_deliver(name):
    """Receivers of the alerts of failure rules can also read these notifications."""
    _subject, event = notice.notification(GIVEN_UP, RECORDS[name], 6, NOON, ACCOUNT)
    kind = "task" if name == "task" else "launch"
    assert matches(failure_pattern(kind, Filters()), event)
