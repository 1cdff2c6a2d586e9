# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each role, variables that reach each of its branches, and the same variables with other values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/task"
SECRET = "xoxb-1-aVerySecretToken"


@dataclass(frozen=True)
class Flow:
    """``given`` is applied twice, ``changed`` once, ``given`` again; then ``absent`` removes everything.

    Without ``absent`` the flow ends after ``changed``. Variable names have no role prefix. ``prepare`` are tasks that
    run before the first run, and ``services`` are services that run on the sandbox before it.
    """

    given: Mapping[str, Any]
    changed: Mapping[str, Any]
    absent: Mapping[str, Any] | None = field(default_factory=lambda: {"state": "absent"})
    prepare: tuple[Mapping[str, Any], ...] = ()
    services: tuple[Mapping[str, Any], ...] = ()


FLOWS = {
    "failure_alerts": Flow(
        given={
            "kinds": ["task", "launch"],
            "emails": "ops@example.org",
            "queue": "failures",
            "log_group": "/ecs/failures",
            "log_retention_days": "{{ 10 + 4 }}",
            "slack": {"token": SECRET, "channel": "C0123456789"},
            "rule_options": {"task": {"exit_codes": ["{{ 100 + 37 }}"]}},
            "dead_letter": "{{ true }}",
        },
        changed={
            "kinds": ["task", "service_task"],
            "clusters": "production",
            "emails": ["ops@example.org", "dev@example.org"],
            "mail_subject": "Broken",
            "queue": "failures.fifo",
            "log_group": "/ecs/failures",
            "teams": {"url": f"https://example.org/1?v=1&sig={SECRET}"},
            "dead_letter": "{{ false }}",
            "tags": {"number": "{{ 40 + 2 }}"},
        },
        absent={"state": "absent", "queue": "failures", "log_group": "/ecs/failures"},
    ),
    "scheduled_task": Flow(
        given={
            "name": "report",
            "cluster": "production",
            "task_definition": "report",
            "timeout": "{{ 60 * 60 }}",
            "subnets": "subnet-1",
            "schedule_expression": "cron(0 3 * * ? 2199)",
            "timezone": "Europe/Berlin",
            "job": {"launch_type": "FARGATE", "retry_failures": {"max_attempts": "{{ 1 + 1 }}"}},
            "schedule": {"flexible_time_window": "{{ 10 + 5 }}"},
            "emails": "ops@example.org",
            "notify": ["execution", "catch", "task"],
            "pass_role_arns": "arn:aws:iam::123456789012:role/app",
            "log_retention_days": "{{ 10 + 4 }}",
            "tracing": "{{ true }}",
        },
        changed={
            "name": "report",
            "cluster": "other",
            "task_definition": "report:2",
            "timeout": "2h",
            "subnets": ["subnet-1", "subnet-2"],
            "assign_public_ip": "{{ false }}",
            "job": {"launch_type": "FARGATE", "rotate_subnets": "{{ true }}"},
            "schedule_expression": "rate({{ 1 + 1 }} days)",
            "enabled": "{{ false }}",
            "input": {"number": "{{ 40 + 2 }}"},
            "schedule": {"using": "rule", "maximum_retry_attempts": "{{ 1 + 1 }}"},
            "pass_role_arns": [],
            "logging_level": "OFF",
            "tags": {"number": "{{ 40 + 2 }}"},
        },
        absent={"name": "report", "state": "absent"},
    ),
    "launch_retry": Flow(
        given={
            "clusters": "production",
            "task_families": "report",
            "pass_role_arns": ROLE,
            "max_attempts": "{{ 2 + 4 }}",
            "retry_quota": "{{ true }}",
            "emails": "ops@example.org",
            "reserved_concurrency": "{{ 2 + 3 }}",
            "log_retention_days": "{{ 10 + 4 }}",
            "rules": [{"action": "fail", "reasons": "GPU"}],
        },
        changed={
            "clusters": ["production", "staging"],
            "task_families": ["report", "import"],
            "pass_role_arns": [ROLE],
            "source": "log_subscription",
            "log_group": "trail",
            "max_attempts": "{{ 1 + 2 }}",
            "fargate_after": "{{ 1 }}",
            "stopped_tasks": "spot",
            "launch_templates": {
                "report": {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}
            },
            "rules": [{"action": "retry", "exit_codes": ["{{ 70 + 5 }}"], "launch_failure": "{{ false }}"}],
            "reserved_concurrency": -1,
            "runtime": "python3.12",
            "tags": {"number": "{{ 40 + 2 }}"},
        },
        prepare=({"amazon.aws.cloudwatchlogs_log_group": {"log_group_name": "trail"}},),
    ),
    "service_recycle": Flow(
        given={
            "cluster": "production",
            "service": "shop",
            "token": "release-{{ 3 + 4 }}",
            "batch_size": "{{ 1 + 1 }}",
            "wait_delay": 0.2,
            "region": "eu-central-1",
        },
        changed={
            "cluster": "production",
            "service": "shop",
            "all_tasks": "{{ true }}",
            "exclude_tasks": "0123456789abcdef0123456789abcdef",
            "order": "newest",
            "max_tasks": "{{ 1 + 1 }}",
            "batch_size": "{{ 40 + 10 }}%",
            "batch_wait": "{{ 1 + 0 }}",
            "checkpoints": "{{ [40 + 10] }}",
            "checkpoint_wait": "{{ 1 + 0 }}",
            "bake_time": "{{ 1 + 0 }}",
            "max_failures": "{{ 1 + 1 }}",
            "timeout": "{{ 60 * 60 }}",
            "surge": "{{ 0 + 1 }}",
            "minimum_healthy_percent": "{{ 40 + 10 }}",
            "stabilize_time": "{{ 1 + 0 }}",
            "wait_timeout": "{{ 60 * 10 }}",
            "wait_delay": 0.2,
            "protected_tasks": "skip",
            "reason": "{{ 40 + 2 }}",
        },
        absent=None,
        services=({"name": "shop", "cluster": "production", "tasks": 3},),
    ),
}
