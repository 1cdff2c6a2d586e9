# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input of the role failure_alerts, every variable mistyped: each is a clear message, and nothing is written."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.alert_stack import OTHER_KEY, SENTRY_KEY, Stack, play

MAIL: dict[str, Any] = {"emails": ["ops@example.org"]}

# Variables in addition to an email address, and words of the message. Ansible finds the first errors with the argument
# spec. The role finds the others itself; these are samples of them, and tests/unit/core/stacks has the full table.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"state": "there"}, "value of failure_alerts_state must be one of: present, absent, got: there"),
    ({"tags": ["a"]}, "failure_alerts_tags"),
    ({"severity": "bad"}, "value of failure_alerts_severity must be one of: critical, error, warning, info"),
    ({"dead_letter": "perhaps"}, "failure_alerts_dead_letter"),
    ({"assume_role_duration": "long"}, "failure_alerts_assume_role_duration"),
    ({"kinds": ["task", "tasks"]}, "value of failure_alerts_kinds must be one or more of"),
    ({"rule_options": "task"}, "failure_alerts_rule_options"),
    ({"emails": {"a": "b"}}, "failure_alerts_emails"),
    ({"log_group": "/ecs", "log_retention_days": 45}, "value of failure_alerts_log_retention_days must be one of: 1,"),
    ({"slack": {"token": OTHER_KEY}}, "missing required arguments: channel found in failure_alerts_slack"),
    ({"slack": {"token": OTHER_KEY, "chanel": "C1", "channel": "C1"}}, "failure_alerts_slack.chanel"),
    ({"slack": OTHER_KEY}, "failure_alerts_slack"),
    ({"pagerduty": {"routing_key": OTHER_KEY, "region": "de"}}, "value of region must be one of: us, eu, got: de"),
    ({"email": ["ops@example.org"]}, "failure_alerts_email: the role failure_alerts has no such variable"),
    ({"clutsers": ["x"], "state": "absent"}, "failure_alerts_clutsers: the role failure_alerts has no such variable"),
    (
        {"slack": {"token": f"{OTHER_KEY}\n", "channel": "C1"}},
        "failure_alerts_slack.token: an EventBridge connection allows secrets of 1 to 500 characters",
    ),
    ({"clusters": ["pro duction"]}, "`clusters` must be the name of an ECS cluster"),
]


def test_what_does_not_fit_is_told_before_anything_is_written(sandbox, tmp_path, warm):
    stack = Stack(sandbox, tmp_path, warm)
    tasks: list[dict[str, Any]] = []
    for bad, _words in BAD:
        given = {f"failure_alerts_{name}": value for name, value in (MAIL | {"kinds": ["task"]} | bad).items()}
        given = {name: value for name, value in given.items() if value is not None}
        role = {"name": "Run the role", "ansible.builtin.include_role": {"name": "steadyops.ecs.failure_alerts"}}
        tasks.append({"name": "Try", "block": [{**role, "vars": given}], "rescue": [{"ansible.builtin.meta": "noop"}]})
    told = stack.end(stack.start_play(play(tasks)))
    assert told["rescued"] == len(tasks)
    assert told["writes"] == []
    # A message appears once or, from a loop, twice: for the whole loop and for its item.
    unsaid = [(bad, words) for bad, words in BAD if not any(words in each for each in told["each"])]
    assert unsaid == [], told["each"]


def test_a_secret_that_does_not_fit_is_not_shown(sandbox, tmp_path, warm):
    """``end`` looks for the secret in everything that is printed."""
    told = Stack(sandbox, tmp_path, warm).run(
        "-vvv", slack={"token": f"{OTHER_KEY}:1", "channel": "C1"}, sentry=SENTRY_KEY
    )
    assert told["failures"] == 1
