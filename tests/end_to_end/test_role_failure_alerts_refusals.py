# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bad input of the role failure_alerts, every variable mistyped: each is a clear message, and nothing is written."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.alert_stack import OTHER_KEY, SENTRY_KEY, Stack, play

MAIL: dict[str, Any] = {"emails": ["ops@example.org"]}
LOGS = "arn:aws:logs:eu-central-1:123456789012:log-group:/ecs"
NOT_HTTPS = "EventBridge calls https addresses only. Give one that begins with https://"
NOT_USABLE = "a connection of EventBridge takes 1 to 500 characters as a secret, without colons and line breaks"

# The variables besides an address of email, and words of the message. None leaves a variable out.
BAD: list[tuple[dict[str, Any], str]] = [
    # the whole
    ({"emails": None}, "Nothing says where the alerts go. Set at least one of failure_alerts_emails"),
    ({"email": ["ops@example.org"]}, "failure_alerts_email: the role failure_alerts has no such variable"),
    ({"clutsers": ["x"], "state": "absent"}, "failure_alerts_clutsers: the role failure_alerts has no such variable"),
    ({"state": "there"}, "value of failure_alerts_state must be one of: present, absent, got: there"),
    ({"name": "my alerts"}, "failure_alerts_name is 'my alerts': say 1 to 40 letters, digits"),
    ({"name": "x" * 41, "state": "absent"}, "say 1 to 40 letters, digits"),
    ({"tags": ["a"]}, "failure_alerts_tags"),
    ({"severity": "bad"}, "value of failure_alerts_severity must be one of: critical, error, warning, info"),
    ({"dead_letter": "perhaps"}, "failure_alerts_dead_letter"),
    ({"assume_role_duration": "long"}, "failure_alerts_assume_role_duration"),
    # kinds and filters
    ({"kinds": ["task", "tasks"]}, "value of failure_alerts_kinds must be one or more of"),
    ({"kinds": []}, "failure_alerts_kinds is empty: say which kinds of failure to tell of"),
    ({"rule_options": {"tasks": {}}}, "failure_alerts_rule_options has tasks: its keys are the kinds task, service_ta"),
    ({"rule_options": {"task": {"exit_code": [1]}}}, "failure_alerts_rule_options has exit_code: what may stand there"),
    ({"rule_options": {"task": {"event_pattern": {}}}}, "failure_alerts_rule_options has event_pattern: what may"),
    ({"rule_options": {"task": [1]}}, "failure_alerts_rule_options has task, which is no dictionary"),
    ({"rule_options": "task"}, "failure_alerts_rule_options"),
    # channels
    ({"emails": ["ops@example.org", "ops"]}, "failure_alerts_emails has ops, which cannot be an address of email"),
    ({"emails": {"a": "b"}}, "failure_alerts_emails"),
    ({"mail_subject": "x" * 101}, "failure_alerts_mail_subject has 101 characters, and SNS takes 100"),
    ({"queue": "my queue"}, "failure_alerts_queue is 'my queue': say 1 to 75 letters, digits, hyphens"),
    ({"queue": "arn:aws:sns:eu-central-1:123456789012:x"}, "which is not the ARN of an SQS queue"),
    ({"log_group": "/ecs/my failures"}, "failure_alerts_log_group is '/ecs/my failures': say 1 to 512"),
    ({"log_group": "arn:aws:sns:eu-central-1:123456789012:x"}, "which is not the ARN of a log group"),
    # amazon.aws.cloudwatchlogs_log_group would delete the log group.
    ({"log_group": "/ecs", "log_retention_days": 45}, "value of failure_alerts_log_retention_days must be one of: 1,"),
    ({"slack": {"token": OTHER_KEY}}, "missing required arguments: channel found in failure_alerts_slack"),
    ({"slack": {"token": f"{OTHER_KEY}\n", "channel": "C1"}}, f"failure_alerts_slack.token: {NOT_USABLE}"),
    ({"slack": {"token": OTHER_KEY, "chanel": "C1", "channel": "C1"}}, "failure_alerts_slack.chanel"),
    ({"slack": OTHER_KEY}, "failure_alerts_slack"),
    ({"slack_webhook": {"url": "http://hooks.slack.com/services/x"}}, f"failure_alerts_slack_webhook.url: {NOT_HTTPS}"),
    ({"slack_webhook": {"url": "hooks.slack.com/services/x"}}, f"failure_alerts_slack_webhook.url: {NOT_HTTPS}"),
    ({"sentry": {"dsn": f"https://sentry.io/42?{SENTRY_KEY}"}}, "failure_alerts_sentry.dsn is no DSN of Sentry"),
    ({"sentry_function": {}}, "failure_alerts_sentry_function needs exactly one of dsn, dsn_secret_arn and dsn_para"),
    ({"sentry_function": {"dsn": SENTRY_KEY}}, "failure_alerts_sentry_function.dsn is no DSN of Sentry"),
    (
        {"sentry_function": {"dsn": f"https://{SENTRY_KEY}@sentry.io/1", "dsn_parameter": "/sentry"}},
        "failure_alerts_sentry_function needs exactly one of",
    ),
    ({"pagerduty": {"routing_key": f"{OTHER_KEY}:1"}}, f"failure_alerts_pagerduty.routing_key: {NOT_USABLE}"),
    ({"pagerduty": {"routing_key": OTHER_KEY, "region": "de"}}, "value of region must be one of: us, eu, got: de"),
    ({"opsgenie": {"api_key": ""}}, f"failure_alerts_opsgenie.api_key: {NOT_USABLE}"),
    ({"datadog": {"api_key": "x" * 501}}, f"failure_alerts_datadog.api_key: {NOT_USABLE}"),
    ({"datadog": {"api_key": OTHER_KEY, "site": "https://datadoghq.eu"}}, "failure_alerts_datadog.site is 'https://datado"),
    ({"teams": {"url": "https://example.org/workflows/1"}}, "failure_alerts_teams.url has no sig="),
    ({"teams": {"url": f"http://example.org/1?sig={OTHER_KEY}"}}, f"failure_alerts_teams.url: {NOT_HTTPS}"),
    ({"webhook": {"url": "http://example.org"}}, f"failure_alerts_webhook.url: {NOT_HTTPS}"),
    ({"webhook": {"url": "https://example.org", "header": "X Key"}}, "failure_alerts_webhook.header is 'X Key', which"),
    (
        {"queue": "q", "log_group": "/ecs", "slack_webhook": {"url": "https://x.org"}, "webhook": {"url": "https://x.org"},
         "opsgenie": {"api_key": OTHER_KEY}},
        "at most five targets, and these are 6: mail, queue, log, slack-webhook, opsgenie, webhook",
    ),
]  # fmt: skip
# What a module finds, with reads alone: before the first rule is written, all have been looked at.
FOUND_LATER: list[tuple[dict[str, Any], str]] = [
    ({"clusters": ["pro duction"]}, "`clusters` must be the name of an ECS cluster"),
    ({"kinds": ["task", "launch"], "rule_options": {"launch": {"exit_codes": [1]}}}, "exit_codes makes no sense"),
]  # fmt: skip


def test_what_does_not_fit_is_told_before_anything_is_written(sandbox, tmp_path, warm):
    stack = Stack(sandbox, tmp_path, warm)
    tasks: list[dict[str, Any]] = []
    for bad, _words in BAD + FOUND_LATER:
        given = {f"failure_alerts_{name}": value for name, value in (MAIL | {"kinds": ["task"]} | bad).items()}
        given = {name: value for name, value in given.items() if value is not None}
        role = {"name": "Run the role", "ansible.builtin.include_role": {"name": "steadyops.ecs.failure_alerts"}}
        tasks.append({"name": "Try", "block": [{**role, "vars": given}], "rescue": [{"ansible.builtin.meta": "noop"}]})
    told = stack.end(stack.start_play(play(tasks)))
    assert told["rescued"] == len(tasks)
    assert told["writes"] == []
    # A message stands there once or, from a loop, twice: of the whole and of its item.
    unsaid = [(bad, words) for bad, words in BAD + FOUND_LATER if not any(words in each for each in told["each"])]
    assert unsaid == [], told["each"]
    assert len(tasks) > 45


def test_a_secret_that_does_not_fit_is_not_shown(sandbox, tmp_path, warm):
    """``end`` looks for it in all that is printed."""
    told = Stack(sandbox, tmp_path, warm).run(
        "-vvv", slack={"token": f"{OTHER_KEY}:1", "channel": "C1"}, sentry=SENTRY_KEY
    )
    assert told["failures"] == 1
