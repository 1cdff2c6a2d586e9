# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid variables of failure_alerts: each causes a message that names it and quotes no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.core.stacks.alert_world import World

KEY = "4n0th3r-aVerySecretKey"
SENTRY_KEY = "0123456789abcdef0123456789abcdef"

NOT_HTTPS = "EventBridge calls only https URLs. Give one that begins with https://"
NOT_USABLE = "an EventBridge connection allows secrets of 1 to 500 characters, without colons and line breaks"

# Variables in addition to an email address and the kind task, and words of the message. None omits a variable.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"emails": None}, "No receiver is set. Set at least one of failure_alerts_emails"),
    ({"email": ["ops@example.org"]}, "failure_alerts_email: the role failure_alerts has no such variable"),
    ({"clutsers": ["x"], "state": "absent"}, "failure_alerts_clutsers: the role failure_alerts has no such variable"),
    ({"name": "my alerts"}, "failure_alerts_name must have 1 to 40 letters, digits"),
    ({"name": "x" * 41, "state": "absent"}, "must have 1 to 40 letters, digits"),
    ({"kinds": []}, "failure_alerts_kinds must have at least one kind of failure. To remove the alerts, set"),
    ({"rule_options": {"tasks": {}}}, "failure_alerts_rule_options has tasks: its keys are the kinds task, service_ta"),
    ({"rule_options": {"task": {"exit_code": [1]}}}, "failure_alerts_rule_options has exit_code. It can have"),
    ({"rule_options": {"task": {"event_pattern": {}}}}, "failure_alerts_rule_options has event_pattern. It can have"),
    ({"rule_options": {"task": [1]}}, "failure_alerts_rule_options has task, which is not a dictionary"),
    ({"emails": ["ops@example.org", "ops"]}, "failure_alerts_emails must be email addresses (got ops)"),
    (
        {"mail_subject": "x" * 101},
        "failure_alerts_mail_subject has 101 characters, but SNS allows 100",
    ),
    ({"queue": "my queue"}, "failure_alerts_queue must have 1 to 75 letters, digits, hyphens"),
    ({"queue": "arn:aws:sns:eu-central-1:123456789012:x"}, "which is not the ARN of an SQS queue"),
    ({"log_group": "/ecs/my failures"}, "failure_alerts_log_group must have 1 to 512"),
    ({"log_group": "arn:aws:sns:eu-central-1:123456789012:x"}, "which is not the ARN of a log group"),
    (
        {"slack": {"token": "4n0th3r-aVerySecretKey\n", "channel": "C1"}},
        f"failure_alerts_slack.token: {NOT_USABLE}",
    ),
    (
        {"slack_webhook": {"url": "http://hooks.slack.com/services/x"}},
        f"failure_alerts_slack_webhook.url: {NOT_HTTPS}",
    ),
    (
        {"slack_webhook": {"url": "hooks.slack.com/services/x"}},
        f"failure_alerts_slack_webhook.url: {NOT_HTTPS}",
    ),
    (
        {"sentry": {"dsn": "https://sentry.io/42?0123456789abcdef0123456789abcdef"}},
        "failure_alerts_sentry.dsn is not a DSN of Sentry",
    ),
    ({"sentry_function": {}}, "failure_alerts_sentry_function needs exactly one of dsn, dsn_secret_arn and dsn_para"),
    (
        {"sentry_function": {"dsn": "0123456789abcdef0123456789abcdef"}},
        "failure_alerts_sentry_function.dsn must begin with https://",
    ),
    (
        {
            "sentry_function": {
                "dsn": "https://0123456789abcdef0123456789abcdef@sentry.io/1",
                "dsn_parameter": "/sentry",
            }
        },
        "failure_alerts_sentry_function needs exactly one of",
    ),
    (
        {"pagerduty": {"routing_key": "4n0th3r-aVerySecretKey:1"}},
        f"failure_alerts_pagerduty.routing_key: {NOT_USABLE}",
    ),
    (
        {"opsgenie": {"api_key": ""}},
        f"failure_alerts_opsgenie.api_key: {NOT_USABLE}",
    ),
    (
        {"datadog": {"api_key": "x" * 501}},
        f"failure_alerts_datadog.api_key: {NOT_USABLE}",
    ),
    ({"datadog": {"api_key": KEY, "site": "https://datadoghq.eu"}}, "failure_alerts_datadog.site must be the name of"),
    ({"teams": {"url": "https://example.org/workflows/1"}}, "failure_alerts_teams.url has no sig="),
    (
        {"teams": {"url": "http://example.org/1?sig=4n0th3r-aVerySecretKey"}},
        f"failure_alerts_teams.url: {NOT_HTTPS}",
    ),
    (
        {"webhook": {"url": "http://example.org"}},
        f"failure_alerts_webhook.url: {NOT_HTTPS}",
    ),
    ({"webhook": {"url": "https://example.org", "header": "X Key"}}, "failure_alerts_webhook.header must be the name"),
    (
        {
            "queue": "q",
            "log_group": "/ecs",
            "slack_webhook": {"url": "https://x.org"},
            "webhook": {"url": "https://x.org"},
            "opsgenie": {"api_key": KEY},
        },
        "at most five targets, but these are 6: mail, queue, log, slack-webhook, opsgenie, webhook",
    ),
    ({"clusters": ["pro duction"]}, "`clusters` must be the name of an ECS cluster"),
    ({"kinds": ["task", "launch"], "rule_options": {"launch": {"exit_codes": [1]}}}, "exit_codes is not for"),
    (
        {"log_group": "/ecs", "log_retention_days": 45},
        "failure_alerts_log_retention_days is 45, but must be one of 1, 3",
    ),
    ({"log_retention_days": "x"}, "failure_alerts_log_retention_days must be a whole number"),
    ({"dead_letter": "perhaps"}, "failure_alerts_dead_letter must be true or false"),
    ({"quiet_period": 59}, "failure_alerts_quiet_period must be 0 (off) or 60 to 86400 seconds (got 59)."),
    ({"quiet_period": -1}, "failure_alerts_quiet_period must be 0 (off) or 60 to 86400 seconds (got -1)."),
    ({"quiet_period": 86401}, "failure_alerts_quiet_period must be 0 (off) or 60 to 86400 seconds"),
    ({"quiet_period": "10m"}, "failure_alerts_quiet_period must be a whole number"),
    ({"quiet_period": 600, "dead_letter": "no"}, "failure_alerts_quiet_period needs failure_alerts_dead_letter"),
    ({"tags": ["a"]}, "failure_alerts_tags must be a dictionary"),
    ({"slack": "x"}, "failure_alerts_slack must be a dictionary (got str)"),
    ({"kinds": "task,launch"}, "failure_alerts_kinds must be some of task"),
    (
        {"rule_options": {"task": {"exit_codes": "x"}}},
        "failure_alerts_rule_options.task.exit_codes must be a whole number",
    ),
    ({"rule_options": {"task": {"enabled": "x"}}}, "failure_alerts_rule_options.task.enabled must be true or false"),
    ({"email": "x"}, "Did you mean failure_alerts_emails?"),
    ({"jira": {"api_key": "a:b"}}, f"failure_alerts_jira.api_key: {NOT_USABLE}"),
    ({"topic_arn": "alerts"}, "`failure_alerts_topic_arn` must be the ARN of an SNS topic"),
    ({"topic_arn": "arn:aws:sns:eu-central-1:123456789012:x"}, "failure_alerts_topic_arn: the topic arn:aws"),
    (
        {"topic_arn": "arn:aws:sns:eu-central-1:123456789012:ecs-failures"},
        "which is the topic that the role creates for failure_alerts_emails",
    ),
    ({"container_log_group": "/ecs/a b"}, "`failure_alerts_container_log_group` must be 1 to 512 letters"),
    ({"kms_key": "alias/alerts"}, "`failure_alerts_kms_key` must be the ARN of a KMS key"),
    (
        {"kms_key": "arn:aws:kms:eu-west-1:123456789012:key/1b2c"},
        "failure_alerts_kms_key: arn:aws:kms:eu-west-1:123456789012:key/1b2c is not a key of eu-central-1",
    ),
    ({"permissions_boundary": "b"}, "`failure_alerts_permissions_boundary` must be the ARN of an IAM policy"),
    (
        {"webhook": {"url": "https://x.org", "template": '{"text": "<reason>"}'}},
        "failure_alerts_webhook: message_options, template: <reason> stands inside a text",
    ),
    (
        {"webhook": {"url": "https://x.org", "template": '{"text": <nothing>}'}},
        "failure_alerts_webhook: message_options, template: <nothing> is unknown",
    ),
    ({"queue": "arn:aws:sqs:eu-west-1:123456789012:x"}, "is in eu-west-1, and the rule is in eu-central-1"),
]


@pytest.mark.parametrize(("variables", "words"), BAD)
def test_what_does_not_fit_is_refused(variables, words):
    given = {"emails": ["ops@example.org"], "kinds": ["task"], **variables}
    plan = World().plan(**{name: value for name, value in given.items() if value is not None})
    assert words in plan["refused"]
    assert plan.get("changes", []) == []
    assert [secret for secret in (KEY, SENTRY_KEY) if secret in json.dumps(plan)] == []
