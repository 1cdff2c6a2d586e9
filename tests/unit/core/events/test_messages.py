# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ready-made messages: what arrives, of every event that is known and of those that nobody has thought of."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.parse import pattern_text
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.fields import (
    EVENT_KINDS,
    event_kind_of,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.templates import (
    SEVERITIES,
    TEMPLATES,
    transformer,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.transformer import check_transformer
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import failure_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import KINDS, Filters
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.sample_events import SECRET
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.events.input_transformer import MISSING, find
from tests.unit.core.events.golden_messages import EVENTS, GOLDEN, golden, message, path_of, rendered

every_message = pytest.mark.parametrize("name", TEMPLATES)
every_kind = pytest.mark.parametrize("kind", EVENT_KINDS)
DOCUMENTS = [name for name in TEMPLATES if name != "sns_text"]
NASTY = 'He said "no"\n\tC:\\temp\\x <reason> & </a> \u2028 \x00 ünï'


@pytest.mark.parametrize("name", GOLDEN)
def test_messages_are_those_of_the_golden_files(name):
    # An intended change? .venv/bin/python -m tests.unit.core.events.golden_messages
    assert golden(name) == path_of(name).read_text()


def test_the_golden_files_have_each_kind_of_event():
    assert {sample.kind for sample in CATALOGUE if sample.name in EVENTS} == {sample.kind for sample in CATALOGUE}


SAMPLES = [
    *((sample.kind, sample) for sample in CATALOGUE),
    *(("all_task_changes", sample) for sample in CATALOGUE if sample.kind in {"task", "service_task"}),
    *(("any", sample) for sample in CATALOGUE),
]


def texts_of(value):
    """All texts, numbers and constants in a document, as texts."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [str(value)] if inside is None else [text for each in inside for text in texts_of(each)]


@every_message
def test_a_message_has_the_title_and_every_field_that_its_event_has(name):
    missing = []
    for kind, sample in SAMPLES:
        text = rendered(message(name), kind, sample.event)
        told = text if name == "sns_text" else "\n".join(texts_of(json.loads(text)))
        fields = EVENT_KINDS[kind].fields.items()
        found = [find(sample.event, field.path) for each, field in fields if (name, each) != ("datadog", "exit_codes")]
        values = [
            EVENT_KINDS[kind].title,
            *(text for each in found if each is not MISSING and each is not None for text in texts_of(each)),
        ]
        missing += [(kind, sample.name, value) for value in values if value not in told]
    assert missing == []


# The longest texts that a receiver takes, by their place in its document. From the references of their APIs: Opsgenie
# "Create Alert", PagerDuty "Events API v2" (PD-CEF), Datadog "Post an event", Sentry "Event Payloads".
LIMITS = {
    "opsgenie": [("message", 130), ("alias", 512), ("source", 100)],
    "pagerduty": [("dedup_key", 255), ("payload.summary", 1024), ("payload.source", 255)],
    "datadog": [("title", 100), ("text", 4000)],
    "sentry": [("message.formatted", 8192), ("tags", 200), ("fingerprint", 200)],
}


@pytest.mark.parametrize(("name", "place", "most"), [(name, *limit) for name in LIMITS for limit in LIMITS[name]])
def test_a_message_fits_the_limits_of_its_receiver(name, place, most):
    for kind, sample in SAMPLES:
        found = json.loads(rendered(message(name), kind, sample.event))
        for step in place.split("."):
            found = found[step]
        assert max(len(text) for text in texts_of(found)) <= most, (kind, sample.name)


@every_message
def test_a_message_is_small_enough_for_all_receivers(name):
    """Microsoft Teams takes 28 KB, the least of them."""
    for kind, sample in SAMPLES:
        assert len(rendered(message(name), kind, sample.event).encode()) < 28 * 1024


def test_some_samples_have_secrets_and_free_text_that_could_break_a_message():
    events = [json.dumps(sample.event) for sample in CATALOGUE]
    assert any(SECRET in event for event in events)
    assert any('\\"' in event and "\\n" in event for event in events)


@every_message
@every_kind
def test_aws_takes_every_template(name, kind):
    for severity in SEVERITIES:
        check_transformer(*transformer(message(name, severity=severity, title='Job "a" \\ failed'), kind))


@every_message
@every_kind
def test_no_message_carries_what_may_be_secret(name, kind):
    paths, _template = transformer(message(name), kind)
    forbidden = r"\$(\.detail)?|.*\.(overrides|input|output|cause)\b.*|\$\.detail\.(requestParameters|responseElements)"
    assert [path for path in paths.values() if re.fullmatch(forbidden, path)] == []
    assert all(SECRET not in rendered(message(name), kind, sample.event) for sample in CATALOGUE)


@pytest.mark.parametrize("name", DOCUMENTS)
@every_kind
def test_free_text_is_only_ever_a_value_of_its_own(name, kind):
    _paths, template = transformer(message(name), kind)
    inside = {found for text in re.findall(r'"(?:[^"\\]|\\.)*"', template) for found in re.findall("<([^>]+)>", text)}
    assert [found for found in inside if EVENT_KINDS[kind].all_fields()[found].free] == []


def put(event, path, value):
    """Makes an event that has a value at a path of fields.py."""
    steps = re.findall(r"[\w-]+|\*", path)
    for position, step in enumerate(steps[:-1]):
        key = 0 if isinstance(event, list) else step
        empty = [] if re.fullmatch(r"\d+|\*", steps[position + 1]) else {}
        if isinstance(event, list):
            event = event[0] if event else (event.append(empty) or event[0])
        else:
            event = event.setdefault(key, empty)
    if isinstance(event, list):
        event.append(value)
    else:
        event[steps[-1]] = value


@pytest.mark.parametrize("name", DOCUMENTS)
@given(
    kind=st.sampled_from(list(EVENT_KINDS)),
    texts=st.lists(st.text(min_size=1), min_size=1),
    missing=st.sets(st.integers(0, 15)),
)
def test_a_message_is_json_whatever_the_texts_are_and_whatever_is_missing(name, kind, texts, missing):
    event = {"source": "aws.ecs", "detail-type": "x", "resources": [], "detail": {}}
    for number, field in enumerate(EVENT_KINDS[kind].all_fields().values()):
        if number not in missing:
            known = 137 if field.path.endswith("exitCode") else "arn:aws:x/y"
            put(event, field.path, texts[number % len(texts)] if field.free else known)
    assert json.loads(rendered(message(name), kind, event))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_quotes_and_line_breaks_of_a_stop_reason_survive(name):
    event = {"detail": {"stoppedReason": NASTY}}

    def texts(value):
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return {value} if isinstance(value, str) else {text for each in inside for text in texts(each)}

    assert NASTY in texts(json.loads(rendered(message(name), "task", event)))


def test_text_has_a_line_for_each_field_with_the_reason_as_it_is():
    lines = rendered(message("sns_text"), "task", {"detail": {"stoppedReason": 'said "no"'}}).split("\n")
    assert lines[:2] == ['"ECS task failed: "', '"Reason: said "no""']


def test_a_title_and_a_severity_are_said_in_the_words_of_the_receiver():
    of = {
        name: json.loads(rendered(message(name, severity="critical", title="Import"), "task", {})) for name in DOCUMENTS
    }
    assert of["sentry"]["level"] == "fatal"
    assert of["pagerduty"]["payload"]["severity"] == "critical"
    assert of["opsgenie"]["priority"] == "P1"
    assert of["datadog"]["alert_type"] == "error"
    assert of["plain"] == {**of["plain"], "title": "Import", "severity": "critical"}
    assert of["slack"]["channel"] == "C0123456789"
    assert of["slack"] == {**of["slack_webhook"], "channel": "C0123456789"}
    assert [told["message"]["formatted"] for told in [of["sentry"]]] == ["Import: "]


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ({"detail-type": ["ECS Task State Change"], "detail": {"lastStatus": ["STOPPED"]}}, "task"),
        ({"detail-type": ["ECS Task State Change"]}, "all_task_changes"),
        ({"detail-type": ["ECS Task State Change"], "detail": {"lastStatus": ["RUNNING"]}}, "all_task_changes"),
        ({"detail-type": ["ECS Service Action"]}, "service_action"),
        ({"detail-type": ["ECS Deployment State Change"]}, "deployment"),
        ({"source": ["aws.ecs"], "detail-type": ["AWS API Call via CloudTrail"]}, "launch"),
        ({"detail-type": ["ECS Hook State Change"]}, "deployment_hook"),
        ({"detail-type": ["ECS Daemon Service Action"]}, "daemon"),
        ({"detail-type": ["ECS Daemon Service Action", "ECS Daemon Deployment State Change"]}, "daemon"),
        ({"detail-type": ["ECS Container Instance Health Change"]}, "container_instance"),
        ({"detail-type": ["AWS Health Event"]}, "any"),
        (
            {"detail-type": ["AWS Health Event"], "detail": {"eventTypeCode": ["AWS_ECS_TASK_PATCHING_RETIREMENT"]}},
            "task_retirement",
        ),
        ({"source": ["aws.s3"], "detail-type": ["AWS API Call via CloudTrail"]}, "any"),
        ({"detail-type": ["Step Functions Execution Status Change"]}, "state_machine"),
        ({"detail-type": ["ECS Service Action", "ECS Task State Change"]}, "any"),
        ({"detail-type": [{"prefix": "ECS"}]}, "any"),
        ({"source": ["aws.ecs"]}, "any"),
        ({"detail-type": ["ECS Task State Change"], "detail": None}, "all_task_changes"),
        ([], "any"),
        (None, "any"),
    ],
)
def test_the_kind_of_events_is_told_from_the_rule(pattern, kind):
    assert event_kind_of(pattern if pattern is None else json.dumps(pattern)) == kind


def test_a_pattern_that_cannot_be_read_is_of_any_kind():
    assert event_kind_of("{") == "any"


@pytest.mark.parametrize("kind", KINDS)
def test_the_rules_of_this_collection_are_of_their_kind(kind):
    pattern = pattern_text(failure_pattern(kind, Filters()))
    assert event_kind_of(pattern) == {"service_task": "task"}.get(kind, kind)
    assert kind in EVENT_KINDS
