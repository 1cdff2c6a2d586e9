# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of services in ECS's words: when ECS sends them, and when it does not repeat them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.model.scheduler import Cluster
from tests.sandbox.model.services import REFUSALS

from .test_scheduler import after, cluster

# Captured in 2026 or documented by AWS: messages of DescribeServices.events.
SEEN = {
    "role": (
        "(service web) failed to launch a task with (error ECS was unable to assume the role "
        "'arn:aws:iam::123456789012:role/task' that was provided for this task. Please verify that the role being "
        "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this "
        "role.)."
    ),
    "blocked": "(service web) was unable to place a task because your account is currently blocked.",
    "gpu": "(service web) was unable to place a task. Reason: TaskFailedToStart: RESOURCE:GPU.",
    "capacity": (
        "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again "
        "later or in a different availability zone."
    ),
    "instance": "(service web) was unable to place a task because no container instance met all of its requirements.",
    "cpu": (
        "(service web) was unable to place a task because no container instance met all of its requirements. The "
        "closest matching container-instance i-0a1b2c has insufficient CPU units available."
    ),
    "pull": (
        "(service web) was unable to place a task. Reason: CannotPullContainerError: pull image manifest has been "
        "retried 7 times."
    ),
    "inconsistent": "(service web) is unable to consistently start tasks successfully.",
    "throttled": "(service web) operations are being throttled. Will try again later.",
    "iam": "IAM permissions policies have been misconfigured or changed, and ECS can no longer maintain your service",
}


def texts(made: Cluster) -> list[str]:
    """Return the texts of the events, oldest first, without ids."""
    told = [re.sub("[0-9a-f]{32}", "ID", event.message) for event in made.describe_service("web").events]
    return told[::-1]


def test_every_refusal_has_its_text() -> None:
    assert SEEN.keys() == REFUSALS.keys()


@pytest.mark.parametrize("why", SEEN)
def test_what_keeps_ecs_from_starting_tasks(why: str) -> None:
    made = cluster(desired=3)
    made.fault("start_refused", reason=why)
    made.stop_task(made.list_tasks("web")[0])
    after(made, 60)
    assert texts(made)[-1] == SEEN[why]
    assert len(made.list_tasks("web")) == 2
    made.clear_faults()
    assert len(after(made, 600).list_tasks("web")) == 3


def test_a_refusal_can_pass_within_half_a_minute() -> None:
    made = cluster(desired=3)
    made.fault("start_refused", reason="role", times=1)
    made.stop_task(made.list_tasks("web")[0])
    after(made, 60)
    assert texts(made)[-2:] == [SEEN["role"], "(service web) has started 1 tasks: (task ID)."]


def test_an_event_comes_again_when_its_cause_is_gone_or_six_hours_have_passed() -> None:
    made = cluster(desired=3, all_events=True)
    made.fault("start_refused", reason="cpu")
    made.stop_task(made.list_tasks("web")[0])
    after(made, 5 * 3600)
    assert texts(made).count(SEEN["cpu"]) == 1
    after(made, 2 * 3600)
    assert texts(made).count(SEEN["cpu"]) == 2
    made.clear_faults()
    after(made, 3600)
    made.fault("start_refused", reason="cpu")
    made.stop_task(made.list_tasks("web")[0])
    after(made, 60)
    assert texts(made).count(SEEN["cpu"]) == 3


def test_a_task_that_is_wanted_no_more_is_no_cause_left() -> None:
    """Source: developer guide, service event messages: no repeats until the cause is resolved or six hours pass."""
    made = cluster(desired=3, all_events=True)
    made.fault("start_refused", reason="cpu")
    for times in (1, 2):
        made.update_service("web", desired=4)
        after(made, 600)
        assert texts(made).count(SEEN["cpu"]) == times
        made.update_service("web", desired=3)
        after(made, 60)


def test_two_wordings_of_failed_starts() -> None:
    made = cluster(desired=3, all_events=True)
    reason = "CannotPullContainerError: pull image manifest has been retried 7 times"
    made.fault("launch_fails", reason=reason, event=True, times=4)
    made.stop_task(made.list_tasks("web")[0])
    after(made, 3600)
    assert texts(made).count(f"(service web) was unable to place a task. Reason: {reason}.") == 4
    assert SEEN["inconsistent"] in texts(made)


def test_all_events_of_a_replacement() -> None:
    made = cluster(desired=2, health_check=True, target_groups=["tg"], all_events=True)
    made.fail_health(made.list_tasks("web")[0])
    after(made, 200)
    assert texts(made)[1:] == [
        "(service web) (task ID) failed container health checks.",
        "(service web) has started 1 tasks: (task ID). Amazon ECS replaced 1 tasks due to an unhealthy status.",
        "(service web) registered 1 targets in (target-group tg)",
        "(service web) has stopped 1 running tasks: (task ID).",
        "(service web) has begun draining connections on 1 tasks.",
        "(service web) deregistered 1 targets in (target-group tg)",
        "(service web) has reached a steady state.",
    ]
    made.fail_health(made.list_tasks("web")[0], "tg")
    assert texts(made)[-1] == (
        "(service web) (task ID) (port 80) is unhealthy in (target-group tg) "
        "due to (reason Health checks failed with these codes: [503])."
    )


@pytest.mark.parametrize("placed", [True, False])
def test_availability_zone_rebalancing(placed: bool) -> None:
    made = cluster(desired=3, az_rebalancing=True)
    before = set(made.list_tasks("web"))
    made.rebalance_zones("web", "eu-central-1a", placed)
    after(made, 200)
    told = texts(made)[1:]
    assert re.fullmatch(
        r"\(service web\) is not AZ balanced with (\d tasks in eu-central-1[abc](, )?){3}. AZ Rebalancing in progress.",
        told[0],
    )
    if placed:
        assert told[1] == "(service web) has started 1 tasks in eu-central-1a to AZ Rebalance: (task ID)."
        (new,) = set(made.list_tasks("web")) - before
        assert made.describe_tasks([new])[0].zone == "eu-central-1a"
        assert min(change.healthy for change in made.journal) == 3
    else:
        assert told[1:3] == [
            "(service web) is unable to place a task in eu-central-1a because no container instance met all of its "
            "requirements.",
            "(service web) stopped AZ Rebalancing.",
        ]
        assert set(made.list_tasks("web")) == before


@pytest.mark.parametrize("service", [{}, {"target_groups": ["tg"], "health_check": True}])
def test_by_default_events_are_few(service: dict[str, Any]) -> None:
    made = cluster(desired=2, **service)
    made.stop_task(made.list_tasks("web")[0])
    assert texts(after(made, 200)) == [
        "(service web) has reached a steady state.",
        "(service web) has started 1 tasks: (task ID).",
        "(service web) has reached a steady state.",
    ]
