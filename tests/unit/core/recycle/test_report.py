# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run did, as the module returns it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle import report as outcome
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.model import Scaling
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.report import Report
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector

from tests.unit.core.recycle.samples import NOW, NOW_TEXT, plan, task

# The issue names these keys; the last five were added later.
KEYS = {
    "status",
    "cutoff",
    "resumed",
    "replaced",
    "skipped",
    "remaining",
    "failures",
    "capacity",
    "scaling",
    "minimum_healthy",
    "seconds",
    "api_calls",
    "plan",
    "withdrawn",
    "timeline",
    "service",
    "selector",
}

ARN = "arn:aws:ecs:eu-central-1:111122223333"
NO_TIMELINE = {"started": None, "seconds": 0.0, "counts": [], "tasks": []}

NOTHING = {
    "status": "unchanged",
    "service": None,
    "selector": None,
    "cutoff": None,
    "resumed": False,
    "plan": None,
    "replaced": [],
    "skipped": [],
    "remaining": [],
    "failures": [],
    "withdrawn": [],
    "capacity": {"before": None, "peak": None, "after": None},
    "scaling": {"before": None, "after": None},
    "minimum_healthy": None,
    "timeline": NO_TIMELINE,
    "seconds": 0.0,
    "api_calls": {},
}


def full() -> Report:
    report = Report(
        status=outcome.FAILED,
        message="no room",
        service=f"{ARN}:service/prod/web",
        selector=Selector("max_task_age", 604800.0, "7d"),
        changed=True,
        plan=plan(),
        diff={"before": {}, "after": {}},
        cutoff=NOW,
        resumed=True,
        replaced=[(task(1), [task(11).arn, task(12).arn], 68.4444), (task(2), [], 1.25)],
        skipped=[(task(3), "protected")],
        remaining=[task(4)],
        failures=[task(13, stop_code="TaskFailedToStart", stopped_reason="no image")],
        withdrawn=[task(14).arn],
        scaling_before=Scaling(scheduled=True),
        scaling_after=Scaling(dynamic_in=True, scheduled=True, minimum=1, maximum=5),
        seconds=215.3333,
        calls=Counter({"StopTask": 2, "DescribeServices": 31}),
        warnings=["something"],
    )
    for count in (10, 12, 11):
        report.saw_desired(count)
    for count in (12, 10, 11):
        report.saw_healthy(count)
    return report


FULL = {
    "status": "failed",
    "service": f"{ARN}:service/prod/web",
    "selector": {"max_task_age": "7d"},
    "cutoff": NOW_TEXT,
    "resumed": True,
    "plan": plan().as_dict(),
    "replaced": [
        {"task": task(1).arn, "new_tasks": [task(11).arn, task(12).arn], "seconds": 68.4},
        {"task": task(2).arn, "new_tasks": [], "seconds": 1.2},
    ],
    "skipped": [{"task": task(3).arn, "reason": "protected"}],
    "remaining": [task(4).arn],
    "failures": [{"task": task(13).arn, "stop_code": "TaskFailedToStart", "reason": "no image"}],
    "withdrawn": [task(14).arn],
    "capacity": {"before": 10, "peak": 12, "after": 11},
    "scaling": {
        "before": {"dynamic_in": False, "dynamic_out": False, "scheduled": True},
        "after": {"dynamic_in": True, "dynamic_out": False, "scheduled": True},
    },
    "minimum_healthy": 10,
    "timeline": NO_TIMELINE,
    "seconds": 215.3,
    "api_calls": {"DescribeServices": 31, "StopTask": 2},
}


@pytest.mark.parametrize(
    ("report", "expected"),
    [pytest.param(Report(), NOTHING, id="of nothing"), pytest.param(full(), FULL, id="of everything")],
)
def test_a_report(report, expected):
    shown = report.as_dict()
    assert shown == expected
    assert set(shown) == KEYS
    assert json.loads(json.dumps(shown)) == shown  # only values that Ansible can pass on


def test_a_report_begins_with_nothing_changed():
    begun = Report()
    assert (begun.changed, begun.message, begun.diff, begun.warnings) == (False, None, None, [])


def test_calls_are_shown_in_the_order_of_their_names():
    assert list(full().as_dict()["api_calls"]) == ["DescribeServices", "StopTask"]


@pytest.mark.parametrize(
    ("counts", "capacity"),
    [
        pytest.param([3], (3, 3, 3), id="never changed"),
        pytest.param([3, 4, 3], (3, 4, 3), id="raised and lowered"),
        pytest.param([3, 4, 9, 8], (3, 9, 8), id="raised by others as well"),
        pytest.param([3, 2], (3, 3, 2), id="lowered"),
        pytest.param([0], (0, 0, 0), id="none"),
        pytest.param([0, 1, 0], (0, 1, 0), id="none, one and none"),
    ],
)
def test_capacity(counts, capacity):
    report = Report()
    for count in counts:
        report.saw_desired(count)
    assert tuple(report.as_dict()["capacity"].values()) == capacity


@pytest.mark.parametrize(
    ("counts", "least"),
    [
        pytest.param([], None, id="never seen"),
        pytest.param([3], 3, id="seen once"),
        pytest.param([3, 2, 4], 2, id="fewer once"),
        pytest.param([0, 4], 0, id="none at first"),
        pytest.param([4, 0, 4], 0, id="none once"),
    ],
)
def test_the_fewest_healthy_tasks(counts, least):
    report = Report()
    for count in counts:
        report.saw_healthy(count)
    assert report.as_dict()["minimum_healthy"] == least


def test_each_outcome_of_the_issue_has_its_word():
    words = (outcome.UNCHANGED, outcome.RECYCLED, outcome.RESTORED, outcome.FAILED)
    assert words == ("unchanged", "recycled", "restored", "failed")


def test_two_reports_share_nothing():
    Report().replaced.append((task(), [], 1.0))
    Report().warnings.append("something")
    assert Report() == Report()
    assert Report().as_dict() == NOTHING
