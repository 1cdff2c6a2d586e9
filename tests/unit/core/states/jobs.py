# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of jobs, as Ansible parses them for the module."""

from __future__ import annotations

from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.definition import definition
from ansible_collections.steadyops.ecs.plugins.module_utils._core.states.job import read_job
from hypothesis import strategies as st

TOPIC = "arn:aws:sns:eu-central-1:123456789012:alerts"
RETRY = {"max_attempts": 6, "interval": 60, "backoff_rate": 2.0, "max_delay": 900, "jitter": True}
ANY = {"max_attempts": 1, "interval": 10, "backoff_rate": 1.0, "max_delay": None, "jitter": False}
FAILURES = {**RETRY, "exit_codes": None, "stop_codes": None, "container": None}
NETWORK = {"subnets": ["subnet-1", "subnet-2"], "security_groups": ["sg-1"], "assign_public_ip": True}
SPOT = [{"capacity_provider": "FARGATE_SPOT", "weight": 1, "base": 0}]
ON_DEMAND = [{"capacity_provider": "FARGATE", "weight": 1, "base": 0}]


def made(**options: Any) -> dict[str, Any]:
    """Return the definition of a job."""
    return definition(
        read_job({"cluster": "prod", "task_definition": "report", "timeout": "1h", "retry_launch": RETRY, **options})
    )


def backoffs(most: int = 8) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "max_attempts": st.integers(1, most),
            "interval": st.integers(1, 600),
            "backoff_rate": st.sampled_from([1.0, 1.5, 2.0, 10.0]),
            "max_delay": st.none() | st.integers(600, 9000),
            "jitter": st.booleans(),
        }
    )


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    """Draw any options that fit together."""
    options: dict[str, Any] = {
        "cluster": draw(st.sampled_from(["prod", "arn:aws:ecs:eu-central-1:123456789012:cluster/prod"])),
        "task_definition": draw(st.sampled_from(["report", "report:7"])),
        "timeout": draw(st.sampled_from(["60", "30m", "2h"])),
        "execution_timeout": draw(st.sampled_from([None, "1d"])),
        "comment": draw(st.none() | st.text(max_size=20)),
        "network_configuration": draw(st.sampled_from([None, NETWORK])),
        "propagate_tags": draw(st.booleans()),
        "tags": draw(st.none() | st.dictionaries(st.sampled_from("abc"), st.text(max_size=3))),
        "platform_version": draw(st.sampled_from([None, "LATEST"])),
        "notify_topic_arn": draw(st.sampled_from([None, TOPIC])),
        "retry_launch": draw(backoffs() | st.just({**RETRY, "max_attempts": 0})),
        "concurrency": draw(st.sampled_from(["allow", "forbid", "replace"])),
        "starting_deadline": draw(st.sampled_from([None, "600"])),
    }
    if options["concurrency"] != "allow" or options["starting_deadline"]:
        options["skipped_topic_arn"] = draw(st.sampled_from([None, TOPIC]))
    if draw(st.booleans()):
        words = st.lists(st.text(max_size=5), max_size=3)
        environment = st.dictionaries(st.text("ABC_", min_size=1), st.text(max_size=9) | st.integers() | st.booleans())
        container = {"name": "app", "command": draw(st.none() | words), "environment": draw(environment)}
        options["overrides"] = {"containers": [container], "cpu": draw(st.sampled_from([None, "512"]))}
    retried = draw(st.sampled_from(["nothing", "failures", "any"]))
    if retried == "any":
        options["retry_any"] = draw(backoffs())
    if retried == "failures":
        codes = draw(st.lists(st.integers(1, 255), max_size=4))
        options["retry_failures"] = {
            **draw(backoffs()),
            "exit_codes": codes,
            "stop_codes": draw(st.lists(st.sampled_from(["SpotInterruption", "TerminationNotice"]))),
            "container": draw(st.sampled_from([None, "app"])) if codes else None,
        }
    if retried != "any" and options["retry_launch"]["max_attempts"]:
        options["rotate_subnets"] = bool(options["network_configuration"]) and draw(st.booleans())
        if draw(st.booleans()):
            options["capacity_provider_strategy"] = SPOT
            options["fallback_capacity_provider_strategy"] = draw(st.sampled_from([None, ON_DEMAND]))
    return options
