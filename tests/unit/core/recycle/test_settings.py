# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options, and the settings that are read from them without a call to AWS."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.amounts import Amount
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import (
    SELECTORS,
    Selector,
    read_selector,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings, read_settings

from tests.unit.core.recycle.samples import NOW, NOW_TEXT

UNSAID = {
    "state": "recycled",
    "started_before": None,
    "max_task_age": None,
    "token": None,
    "secrets_changed": None,
    "tasks": None,
    "all_tasks": None,
    "exclude_tasks": [],
    "availability_zones": [],
    "capacity_providers": [],
    "order": "oldest",
    "max_tasks": None,
    "checkpoints": [],
    "checkpoint_wait": 3600.0,
    "bake_time": 0.0,
    "alarms": [],
    "max_failures": 0,
    "timeout": None,
    "on_failure": "restore",
    "stop_method": "stop_task",
    "check_images": True,
    "protected_timeout": 3600,
    "batch_size": "1",
    "batch_wait": 0.0,
    "surge": "auto",
    "minimum_healthy_percent": 100,
    "wait_for": "auto",
    "stabilize_time": None,
    "wait_for_capacity": None,
    "wait_timeout": 900,
    "deployment_timeout": 3600,
    "wait_delay": 3.0,
    "on_deployment": "fail",
    "protected_tasks": "skip",
    "suspend_scaling": ["dynamic_in"],
    "lease": 600,
    "reason": None,
}
ALL = {**UNSAID, "all_tasks": True}
SCALE_IN = {"stop_method": "scale_in"}


def test_an_omitted_option_has_its_default():
    assert read_settings(ALL) == Settings(
        selector=Selector("all_tasks"),
        batch_size=Amount(1),
        batch_wait=0.0,
        surge=None,
        minimum_healthy_percent=100,
        wait_for="auto",
        stabilize_time=None,
        wait_timeout=900.0,
        wait_delay=3.0,
        on_deployment="fail",
        protected_tasks="skip",
        suspend_scaling=("dynamic_in",),
        lease=600.0,
        reason="",
    )
    assert read_settings(ALL) == Settings(selector=Selector("all_tasks"))


INSTANT = "started_before must be an instant with a time zone"
ABOVE_0 = "must be a number of seconds above 0, at most a hundred years"
FROM_0 = "must be a number of seconds, 0 or more, at most a hundred years"
BATCH_SIZE = "batch_size must be a number of tasks from 1, or a percentage from 1% to 100%"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param({"batch_size": "25%"}, {"batch_size": Amount(25, percent=True)}, id="a batch in percent"),
        pytest.param({"batch_size": 4}, {"batch_size": Amount(4)}, id="a batch in tasks"),
        pytest.param({"batch_wait": 30}, {"batch_wait": 30.0}, id="a pause between steps"),
        pytest.param({"minimum_healthy_percent": 0}, {"minimum_healthy_percent": 0}, id="no floor"),
        pytest.param({"wait_for": "healthy"}, {"wait_for": "healthy"}, id="a level"),
        pytest.param({"stabilize_time": 0}, {"stabilize_time": 0.0}, id="no probation is not the same as not saying"),
        pytest.param({"wait_for_capacity": 0}, {"wait_for_capacity": 0.0}, id="no wait for room"),
        pytest.param({"stabilize_time": 25}, {"stabilize_time": 25.0}, id="a probation"),
        pytest.param({"wait_timeout": 5}, {"wait_timeout": 5.0}, id="a time limit"),
        pytest.param({"wait_delay": 0.25}, {"wait_delay": 0.25}, id="looks four times a second"),
        pytest.param({"on_deployment": "wait"}, {"on_deployment": "wait"}, id="wait for deployments"),
        pytest.param({"protected_tasks": "recycle"}, {"protected_tasks": "recycle"}, id="protected ones too"),
        pytest.param({"suspend_scaling": []}, {"suspend_scaling": ()}, id="scaling left alone by an empty list"),
        pytest.param({"suspend_scaling": None}, {"suspend_scaling": ()}, id="scaling left alone by nothing"),
        pytest.param(
            {"suspend_scaling": ["scheduled", "dynamic_in"]},
            {"suspend_scaling": ("scheduled", "dynamic_in")},
            id="two switches",
        ),
        pytest.param({"lease": 60}, {"lease": 60.0}, id="a lease"),
        pytest.param({"lease": 86400}, {"lease": 86400.0}, id="a lease of a day"),
        pytest.param({"reason": "CHG-7"}, {"reason": "CHG-7"}, id="a reason"),
    ],
)
def test_what_is_said_is_taken_over(said, expected):
    assert read_settings({**ALL, **said}) == Settings(selector=Selector("all_tasks"), **expected)


@pytest.mark.parametrize(
    ("said", "surge"),
    [
        pytest.param("auto", None, id="auto"),
        pytest.param(" auto ", None, id="auto with blanks"),
        pytest.param("0", 0, id="none, which is not auto"),
        pytest.param(0, 0, id="none as a number of YAML"),
        pytest.param("2", 2, id="two"),
        pytest.param(15, 15, id="fifteen as a number of YAML"),
    ],
)
def test_spellings_of_surge(said, surge):
    assert read_settings({**ALL, "surge": said}).surge == surge


@pytest.mark.parametrize("said", ["", "-1", "1.5", "10%", "Auto", "none", "²", None, True])
def test_what_is_no_surge_is_refused(said):
    with pytest.raises(Refused) as refused:
        read_settings({**ALL, "surge": said})
    assert str(refused.value) == f"surge must be auto, or a number of tasks from 0 (got {str(said).strip()!r})"


@pytest.mark.parametrize(
    ("said", "selector"),
    [
        pytest.param({"started_before": NOW_TEXT}, Selector("started_before", NOW), id="an instant"),
        pytest.param({"max_task_age": "7d"}, Selector("max_task_age", 604800.0), id="an age"),
        pytest.param({"token": "build 17"}, Selector("token", "build 17"), id="a token as it was written"),
        pytest.param({"token": 17}, Selector("token", "17"), id="a number as a token"),
        pytest.param({"secrets_changed": True}, Selector("secrets_changed"), id="secrets"),
        pytest.param({"all_tasks": True}, Selector("all_tasks"), id="all"),
        pytest.param(
            {"token": "17", "all_tasks": False, "secrets_changed": False},
            Selector("token", "17"),
            id="what is said to be false is not said",
        ),
    ],
)
def test_each_selector(said, selector):
    assert read_settings({**UNSAID, **said}).selector == selector
    assert read_selector({**UNSAID, **said}, required=False) == selector


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param({}, "no option chooses the stale tasks. Set exactly one of started_before, ", id="no selector"),
        pytest.param({"all_tasks": False}, "no option chooses the stale tasks", id="no selector but a false one"),
        pytest.param(
            {"token": "17", "all_tasks": True},
            "token and all_tasks are mutually exclusive. Set exactly one",
            id="two selectors",
        ),
        pytest.param(
            {"started_before": NOW_TEXT, "max_task_age": "7d", "secrets_changed": True},
            "started_before and max_task_age and secrets_changed",
            id="three selectors",
        ),
        pytest.param({"started_before": ""}, f"{INSTANT} (got '')", id="an empty instant"),
        pytest.param({"started_before": "2026-11-22T03:00:00"}, INSTANT, id="an instant without its zone"),
        pytest.param({"max_task_age": "0"}, "max_task_age must be an age such as 7d", id="no age"),
        pytest.param({"max_task_age": ""}, "max_task_age must be an age such as 7d", id="an empty age"),
        pytest.param({"token": ""}, "token is empty. Give a text that is new for every roll-out", id="an empty token"),
        pytest.param({"token": "  "}, "token is empty", id="a blank token"),
    ],
)
def test_selectors_that_cannot_work_are_refused(said, words):
    with pytest.raises(Refused) as refused:
        read_settings({**UNSAID, **said})
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param({"wait_delay": 0}, "wait_delay must be a number of seconds above 0", id="looks without a pause"),
        pytest.param({"wait_delay": -0.5}, f"wait_delay {ABOVE_0} (got -0.5)", id="looks back in time"),
        pytest.param({"wait_timeout": 0}, "wait_timeout must be a number of seconds above 0", id="no time to wait"),
        pytest.param({"wait_delay": float("nan")}, f"wait_delay {ABOVE_0} (got nan)", id="looks at no time"),
        pytest.param({"wait_timeout": float("inf")}, f"wait_timeout {ABOVE_0} (got inf)", id="to wait for ever"),
        pytest.param({"batch_wait": float("nan")}, f"batch_wait {FROM_0} (got nan)", id="no number as a pause"),
        pytest.param({"stabilize_time": float("inf")}, f"stabilize_time {FROM_0} (got inf)", id="a probation for ever"),
        pytest.param({"lease": 86401}, "lease must be at most 86400 seconds", id="a lease of more than a day"),
        pytest.param({"lease": 0}, "lease must be a number of seconds above 0", id="a lease that has ended"),
        pytest.param({"batch_wait": -1}, "batch_wait must be a number of seconds, 0 or more", id="a negative pause"),
        pytest.param({"stabilize_time": -1}, f"stabilize_time {FROM_0} (got -1)", id="a negative probation"),
        pytest.param(
            {"minimum_healthy_percent": -1}, "percent must be a percentage from 0 to 100 (got -1)", id="below 0 %"
        ),
        pytest.param(
            {"minimum_healthy_percent": 101}, "percent must be a percentage from 0 to 100 (got 101)", id="above 100 %"
        ),
        pytest.param({"batch_size": "0"}, "batch_size must be a number of tasks from 1", id="a batch of nothing"),
        pytest.param({"batch_size": "0%"}, f"{BATCH_SIZE} (got '0%')", id="a batch of no percent"),
        pytest.param({"batch_size": "150%"}, f"{BATCH_SIZE} (got '150%')", id="a batch of more than all"),
        pytest.param({"batch_size": "a few"}, f"{BATCH_SIZE} (got 'a few')", id="a batch in words"),
        pytest.param(SCALE_IN | {"surge": "0"}, "surge is 0, but stop_method: scale_in", id="nothing to lower"),
        pytest.param(SCALE_IN | {"protected_tasks": "wait"}, "Set protected_tasks: skip", id="a wait for ECS's choice"),
        pytest.param(SCALE_IN | {"protected_tasks": "recycle"}, "protected_tasks is recycle", id="no choice of ECS"),
    ],
)
@pytest.mark.parametrize("state", ["recycled", "restored"])
def test_values_that_can_never_work_are_refused_in_both_states(state, said, words):
    with pytest.raises(Refused) as refused:
        read_settings({**ALL, "state": state, **said})
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({}, id="needs no selector"),
        pytest.param({"token": "17"}, id="passes over the selector of the task that it restores after"),
    ],
)
def test_restored_recycles_nothing(said):
    assert read_settings({**UNSAID, "state": "restored", **said}) == Settings(selector=None)


def test_a_selector_that_is_not_required_may_be_missing():
    assert read_selector({}, required=False) is None


def test_every_selector_is_known_to_the_table_above():
    of_the_table = {"started_before", "max_task_age", "token", "secrets_changed", "all_tasks"}
    assert set(SELECTORS) == {*of_the_table, "tasks"}
