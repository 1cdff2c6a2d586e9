# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ready-made messages: what arrives for every known event, and for events that nobody has thought of."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from urllib.parse import unquote

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.pattern.parse import pattern_text
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.fields import (
    EVENT_KINDS,
    event_kind_of,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.limits import (
    HEADLINES,
    longest,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.subject import (
    NO_SUBJECT,
    Subject,
    subject_of,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.messages.templates import (
    SEVERITIES,
    TEMPLATES,
    fitting,
    short_headline,
    transformer,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.target.transformer import check_transformer
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.catalogue import CATALOGUE
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.definition import failure_pattern
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.filters import KINDS, Filters, read_filters
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.sample_events import SECRET, STATE_MACHINE
from hypothesis import given
from hypothesis import strategies as st

from tests.sandbox.events.input_transformer import MISSING, find
from tests.unit.core.events.golden_messages import EVENTS, GOLDEN, OWN, golden, message, path_of, rendered

every_message = pytest.mark.parametrize("name", TEMPLATES)
every_kind = pytest.mark.parametrize("kind", EVENT_KINDS)
DOCUMENTS = [name for name in TEMPLATES if name != "sns_text"]
WHOLE = [name for name in TEMPLATES if name != "custom"]  # a user's own template contains whatever the user wants
NASTY = 'He said "no"\n\tC:\\temp\\x <reason> & </a> \u2028 \x00 ünï'


@pytest.mark.parametrize("name", GOLDEN)
def test_messages_are_those_of_the_golden_files(name):
    # After an intended change: .venv/bin/python -m tests.unit.core.events.golden_messages
    assert golden(name) == path_of(name).read_text()


def test_the_golden_files_have_each_kind_of_event():
    assert {sample.kind for sample in CATALOGUE if sample.name in EVENTS} == {sample.kind for sample in CATALOGUE}


SAMPLES = [
    *((sample.kind, sample) for sample in CATALOGUE),
    *(("all_task_changes", sample) for sample in CATALOGUE if sample.kind in {"task", "service_task"}),
    *(("any", sample) for sample in CATALOGUE),
]


def texts_of(value):
    """Return all texts, numbers and constants in a document, as texts."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [str(value)] if inside is None else [text for each in inside for text in texts_of(each)]


@pytest.mark.parametrize("name", WHOLE)
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


# The longest texts that a receiver accepts, by their place in its document; sources in messages/limits.py.
LIMITS = {
    "opsgenie": [("message", HEADLINES["opsgenie"]), ("alias", 512), ("source", 100), ("description", 15_000)],
    "jira": [("message", HEADLINES["jira"])],
    "pagerduty": [("dedup_key", 255), ("payload.summary", HEADLINES["pagerduty"]), ("payload.source", 255)],
    "datadog": [("title", HEADLINES["datadog"]), ("text", 4000)],
    "sentry": [("message.formatted", HEADLINES["sentry"]), ("tags", 200), ("fingerprint", 200)],
    "slack": [("text", HEADLINES["slack"])],
}


@pytest.mark.parametrize(("name", "place", "most"), [(name, *limit) for name in LIMITS for limit in LIMITS[name]])
def test_a_message_fits_the_limits_of_its_receiver(name, place, most):
    for kind, sample in SAMPLES:
        found = json.loads(rendered(message(name), kind, sample.event))
        for step in place.split("."):
            found = found[step]
        assert max(len(text) for text in texts_of(found)) <= most, (kind, sample.name)


@pytest.mark.parametrize("name", ["opsgenie", "jira", "datadog"])
@every_kind
def test_no_event_makes_a_limited_headline_too_long(name, kind):
    for title in (None, "x" * 60, "x" * 95):
        text = short_headline(*of(kind, message(name, title=title)))
        assert longest(text) <= HEADLINES[name]


def test_a_headline_that_is_too_long_is_refused():
    with pytest.raises(Refused, match=r"a headline of 146 characters, and opsgenie takes 130. Shorten them"):
        transformer(message("opsgenie", title="x" * 99, subject=Subject("y" * 45)), "task")


@pytest.mark.parametrize(
    ("name", "subject", "expected"),
    [
        ("datadog", Subject("web", "production"), Subject("web", "production")),
        ("datadog", Subject("x" * 80, "production"), Subject("x" * 80)),
        ("datadog", Subject("x" * 90, "production"), NO_SUBJECT),
        ("datadog", Subject("", "x" * 90), NO_SUBJECT),
        ("opsgenie", Subject("x" * 90, "production"), Subject("x" * 90, "production")),
        ("sns_text", Subject("x" * 200, "y" * 200), Subject("x" * 200, "y" * 200)),
    ],
)
def test_as_much_of_a_subject_as_fits(name, subject, expected):
    assert fitting(name, "ECS task failed", subject) == expected
    transformer(message(name, subject=expected), "task")


def of(kind, wanted):
    made = EVENT_KINDS[kind]
    return (replace(made, title=wanted.title) if wanted.title else made), wanted


ARN_OF_FAMILY = "arn:aws:ecs:eu-central-1:123456789012:task-definition/nightly-import:10"
WEB = Subject("web", "production")
IMPORT = Subject("orders-import", "production")


@pytest.mark.parametrize(
    ("sample", "subject", "expected"),
    [
        ("service_exit_1", NO_SUBJECT, "ECS task failed: service:web: EssentialContainerExited [1,143]"),
        ("service_exit_1", Subject("", "production"),
         "ECS task failed: service:web in production: EssentialContainerExited [1,143]"),
        ("exit_137", NO_SUBJECT,
         f"ECS task failed: container app: EssentialContainerExited [137], {ARN_OF_FAMILY}"),
        ("exit_137", Subject("", "production"),
         f"ECS task failed: container app in production: EssentialContainerExited [137], {ARN_OF_FAMILY}"),
        ("exit_137", IMPORT, "ECS task failed: orders-import in production: EssentialContainerExited [137]"),
        ("image_pull", IMPORT, "ECS task failed: orders-import in production: TaskFailedToStart []"),
        ("placement", WEB, "ECS service in trouble: web in production: SERVICE_TASK_PLACEMENT_FAILURE"),
        ("instance_gpu", NO_SUBJECT, "ECS container instance impaired: i-0a1b2c3d4e5f60718: ACCELERATED_COMPUTE"),
        ("retirement_services", NO_SUBJECT,
         "AWS will retire Fargate tasks: production|web: Sun, 29 Nov 2026 03:02:10 GMT"),
        ("execution_failed", Subject("nightly"), "Step Functions execution did not succeed: nightly: FAILED"),
    ],
)  # fmt: skip
def test_a_headline_says_what_failed_and_how(sample, subject, expected):
    found = next(each for each in CATALOGUE if each.name == sample)

    def sent(name):
        return json.loads(rendered(message(name, subject=subject), found.kind, found.event))

    assert sent("slack")["text"] == expected
    assert sent("pagerduty")["payload"]["summary"] == expected
    assert sent("teams")["attachments"][0]["content"]["body"][0]["text"] == expected
    assert sent("sentry")["message"]["formatted"] == sent("plain")["headline"] == expected
    assert sent("custom")["text"] == expected
    assert sent("opsgenie")["description"].split("\n")[0] == sent("datadog")["text"].split("\n")[0] == expected


def test_the_first_line_of_a_mail_has_the_group_and_why():
    found = next(each for each in CATALOGUE if each.name == "out_of_memory")
    line = rendered(message("sns_text"), "task", found.event).split("\n")[0]
    assert line == (
        '"ECS task failed: family:nightly-import: EssentialContainerExited [137] '
        '[OutOfMemoryError: Container killed due to memory usage]"'
    )


def test_a_crash_loop_is_one_incident():
    def key(sample, **changed):
        found = next(each for each in CATALOGUE if each.name == sample)
        event = {**found.event, "id": str(uuid.uuid4()), "detail": {**found.event["detail"], **changed}}
        return json.loads(rendered(message("pagerduty"), found.kind, event))["dedup_key"]

    assert key("service_exit_1") == key("service_exit_1", taskArn="arn:aws:ecs:x:1:task/production/2")
    assert key("service_exit_1") != key("service_exit_1", group="service:api")
    assert key("service_exit_1") != key("service_image_pull")
    assert key("exit_1") == key("exit_137") != key("image_pull")


def insights_of(url):
    """Return the query of a link to CloudWatch Logs Insights, decoded as the console does: twice, then as JSURL."""
    place, found = url.split("#logsV2:logs-insights$3FqueryDetail$3D")
    text = unquote(unquote(found.replace("$", "%")))
    value = "'([^~)]*)"
    times = f"end~{value}~start~{value}~timeType~'ABSOLUTE~tz~'UTC"
    parts = re.fullmatch(rf"~\({times}~editorString~{value}~source~\(~{value}\)\)", text)
    return place, [unquote(each.replace("*", "%")) for each in parts.groups()]


def test_messages_link_to_the_task_to_its_logs_and_to_the_log_group():
    found = next(each for each in CATALOGUE if each.name == "exit_1")
    task = found.event["detail"]["taskArn"]
    console = "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1"

    def sent(name):
        return rendered(message(name, log_group="/ecs/import jobs"), "task", found.event)

    pages = json.loads(sent("plain"))["links"]
    assert pages["Task"] == f"https://console.aws.amazon.com/go/view?arn={task}"
    assert pages["Log group"] == f"{console}#logsV2:log-groups/log-group/$252Fecs$252Fimport$2520jobs"
    place, (end, start, query, group) = insights_of(pages["Logs of the task"])
    assert (place, group) == (console, "/ecs/import jobs")
    assert (start, end) == (found.event["detail"]["createdAt"], found.event["time"])
    # The log stream is prefix/container/id of the task, which is the end of the ARN.
    assert f'| filter strcontains("{task} ", concat("/", task, " "))' in query.splitlines()
    for name in WHOLE:
        assert all(page in sent(name) for page in pages.values()), name
    assert [each["title_link"] for each in json.loads(sent("slack"))["attachments"][1:]] == [*pages.values()]
    assert json.loads(sent("pagerduty"))["links"][0] == {"href": pages["Task"], "text": "Task"}


def test_a_message_about_a_service_links_to_the_log_group_only():
    found = next(each for each in CATALOGUE if each.name == "placement")
    pages = json.loads(rendered(message("plain", log_group="web"), "service_action", found.event))["links"]
    assert list(pages) == ["Service", "Log group"]


def test_markup_of_callers_is_inert_where_the_receiver_allows_it():
    event = {"detail": {"group": "*x* <!channel> [a](https://example.org)", "stoppedReason": "_y_"}}
    slack = json.loads(rendered(message("slack"), "task", event))
    assert (slack["mrkdwn"], slack["attachments"][0]["mrkdwn_in"]) == (False, [])
    assert "channel" not in slack["text"]
    (card,) = [each["content"] for each in json.loads(rendered(message("teams"), "task", event))["attachments"]]
    (facts,) = [each for each in card["body"] if each["type"] == "FactSet"]
    assert "channel" not in json.dumps(facts)
    runs = [run["text"] for each in card["body"] if each["type"] == "RichTextBlock" for run in each["inlines"]]
    assert {event["detail"]["group"], "_y_"} <= set(runs)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        (
            '{"a": <resaon>}',
            "<resaon> is unknown. Placeholders are headline, key, link, severity, title and the fields",
        ),
        ('{"a": "why: <reason>"}', "<reason> stands inside a text, and EventBridge would not escape its quotes"),
    ],
)
def test_templates_of_users_that_are_refused(template, words):
    with pytest.raises(Refused, match=re.escape(words)):
        transformer(message("custom", template=template), "task")


@pytest.mark.parametrize(
    ("kind", "filters", "expected"),
    [
        ("task", {"task_families": ["orders-import"], "clusters": ["production"]}, IMPORT),
        ("task", {"task_families": ["a", "b"], "clusters": ["production"]}, Subject("", "production")),
        ("task", {}, NO_SUBJECT),
        ("service_task", {"services": ["web"], "clusters": ["production"]}, WEB),
        ("service_action", {"services": ["web"], "clusters": ["production"]}, WEB),
        ("deployment", {"services": ["web"], "clusters": ["production"]}, WEB),
        ("deployment", {"clusters": ["production"]}, Subject("", "production")),
        ("deployment", {"services": ["web"]}, Subject("web")),
        ("deployment_hook", {"services": ["web"], "clusters": ["production"]}, WEB),
        ("state_machine", {"state_machine_arns": [STATE_MACHINE]}, Subject("nightly")),
    ],
)
def test_the_subject_of_a_rule_is_read_from_its_pattern(kind, filters, expected):
    assert subject_of(pattern_text(failure_pattern(kind, read_filters(kind, filters)))) == expected


@pytest.mark.parametrize("pattern", [None, "{", "[]", '{"detail": []}', '{"detail": {"group": "service:web"}}'])
def test_patterns_without_a_subject(pattern):
    assert subject_of(pattern) == NO_SUBJECT


@every_message
def test_a_message_is_small_enough_for_all_receivers(name):
    """Microsoft Teams accepts 28 KB, which is the lowest limit."""
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
        options = {"severity": severity, "title": 'Job "a" \\ failed', "subject": Subject('The "b" \\ job', "c")}
        check_transformer(*transformer(message(name, **options), kind))


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
    """Return an event that has a value at a path of fields.py."""
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
    assert lines[2] == '"Reason: said "no""'


def test_a_title_and_a_severity_are_said_in_the_words_of_the_receiver():
    told = {
        name: json.loads(rendered(message(name, severity="critical", title="Import"), "task", {})) for name in DOCUMENTS
    }
    assert told["sentry"]["level"] == "fatal"
    assert told["pagerduty"]["payload"]["severity"] == "critical"
    assert told["opsgenie"]["priority"] == "P1"
    assert told["datadog"]["alert_type"] == "error"
    assert told["plain"] == {**told["plain"], "title": "Import", "severity": "critical"}
    assert told["slack"]["channel"] == "C0123456789"
    assert told["slack"] == {**told["slack_webhook"], "channel": "C0123456789"}
    assert told["sentry"]["message"]["formatted"].startswith("Import: ")


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
    assert event_kind_of(pattern) == kind
    assert kind in EVENT_KINDS


@every_message
@pytest.mark.parametrize("sample", [each for each in CATALOGUE if each.name in EVENTS], ids=lambda each: each.name)
def test_a_message_of_a_quiet_period_says_how_often(name, sample):
    told = {"name": "ecs-failures", "kind": sample.kind, "count": 200, "times": "200 times in 10 minutes"}
    event = {**sample.event, "detail": {**sample.event["detail"], "quiet_period": told}}
    options = {"template": OWN.replace("<headline>", "<headline> <times>")} if name == "custom" else {}
    text = rendered(message(name, repetitions=True, **options), sample.kind, event)
    assert "200 times in 10 minutes" in text
    if name != "sns_text":
        json.loads(text)
    without = rendered(message(name, **options), sample.kind, event)
    assert ("200 times" in without) is False
