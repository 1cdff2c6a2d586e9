# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks, in which order, how many, and the pauses in between."""

from __future__ import annotations

from collections import Counter

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.ecs.secrets import Named, names_in
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.decide import choose_pause
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.plan import Found, make_plan, put_in_order
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Narrowing, Selector, task_ids
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings, read_settings
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.staleness import Selection
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.recycle.samples import NOW, law, service, task, task_id, tasks
from tests.unit.core.recycle.test_settings import ALL, UNSAID

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf"
PARAMETER = "arn:aws:ssm:eu-west-1:111122223333:parameter"
zoned = st.lists(st.sampled_from("abc"), max_size=12).map(
    lambda zones: [task(number, zone=zone) for number, zone in enumerate(zones)]
)


# ---- which


@pytest.mark.parametrize(
    ("selection", "stale"),
    [
        (Selection(NOW), {0, 1, 2}),
        (Selection(NOW, narrowing=Narrowing(exclude_tasks=frozenset({task_id(1)}))), {0, 2}),
        (Selection(NOW, narrowing=Narrowing(availability_zones=frozenset("a"))), {0, 2}),
        (Selection(NOW, narrowing=Narrowing(capacity_providers=frozenset({"FARGATE"}))), {1}),
        (Selection(named=frozenset({task_id(2), task_id(9)})), {2}),
        (Selection(named=frozenset({task_id(1)}), narrowing=Narrowing(availability_zones=frozenset("a"))), set()),
    ],
)
def test_what_is_stale(selection, stale):
    there = [task(0, zone="a"), task(1, zone="b", capacity_provider="FARGATE"), task(2, zone="a")]
    assert {number for number, each in enumerate(there) if selection.holds(each)} == stale


@pytest.mark.parametrize(
    ("containers", "named"),
    [
        ([{}], []),
        ([{"secrets": [{"name": "A", "valueFrom": SECRET}]}], [Named("secretsmanager", SECRET, "eu-west-1")]),
        (
            [{"secrets": [{"name": "A", "valueFrom": f"{SECRET}:password::"}]}, {"secrets": [{"valueFrom": SECRET}]}],
            [Named("secretsmanager", SECRET, "eu-west-1")],
        ),
        ([{"secrets": [{"valueFrom": f"{PARAMETER}/level"}]}], [Named("ssm", "level", "eu-west-1")]),
        ([{"secrets": [{"valueFrom": f"{PARAMETER}/shop/level"}]}], [Named("ssm", "/shop/level", "eu-west-1")]),
        ([{"secrets": [{"valueFrom": "level"}]}], [Named("ssm", "level")]),
        ([{"logConfiguration": {"secretOptions": [{"valueFrom": "/log"}]}}], [Named("ssm", "/log")]),
        (
            [{"repositoryCredentials": {"credentialsParameter": SECRET}}],
            [Named("secretsmanager", SECRET, "eu-west-1")],
        ),
        ([{"repositoryCredentials": {"credentialsParameter": "hub"}}], [Named("secretsmanager", "hub")]),
        ([{"environmentFiles": [{"value": "arn:aws:s3:::shop/a/b.env"}]}], [Named("s3", "shop/a/b.env")]),
    ],
)
def test_what_a_task_definition_names(containers, named):
    assert names_in(containers) == named


@pytest.mark.parametrize("written", [task_id(7), f"arn:aws:ecs:eu-west-1:111122223333:task/prod/{task_id(7)}"])
def test_tasks_by_id_or_arn(written):
    assert task_ids("tasks", [f" {written} "]) == {task_id(7)}


# ---- in which order, and how many


@law
@given(zoned)
def test_every_order_has_every_task(there):
    for order in ("oldest", "newest", "az_spread"):
        assert sorted(put_in_order(order, there), key=lambda each: each.arn) == sorted(there, key=lambda each: each.arn)
    assert put_in_order("newest", there) == put_in_order("oldest", there)[::-1]


@law
@given(zoned)
def test_az_spread_takes_from_each_zone_in_turn(there):
    whole = Counter(each.zone for each in there)
    taken = Counter()
    for each in put_in_order("az_spread", there):
        taken[each.zone] += 1
        others = [taken[zone] for zone in whole if taken[zone] < whole[zone]]
        assert all(taken[each.zone] <= other + 1 for other in others)


def make(settings, **found):
    of = {"service": service(), "tasks": tasks(10), "stale": tasks(10), "protected": (), "selection": Selection(NOW)}
    whole = Found(**{**of, "begun": NOW, "has_health_check": True, **found})
    return make_plan(Settings(selector=Selector("all_tasks"), **settings), Selector("all_tasks"), whole)


def test_no_more_than_max_tasks():
    plan = make({"max_tasks": 3})
    assert ([each.id for each in plan.stale], len(plan.later)) == ([task_id(n) for n in range(3)], 7)


def test_protected_ones_come_last_when_they_are_waited_for():
    held = tasks(2)
    plan = make({"protected_tasks": "wait"}, protected={each.arn for each in held})
    assert (plan.stale[-2:], plan.skipped) == (held, ())
    plan = make({"protected_tasks": "skip"}, protected={each.arn for each in held})
    assert plan.skipped == tuple((each, "protected") for each in held)


# ---- pauses


@pytest.mark.parametrize(
    ("before", "done", "total", "pause"),
    [
        (0, 1, 10, 600.0),
        (1, 2, 10, 5.0),
        (4, 5, 10, 600.0),
        (3, 6, 10, 600.0),
        (9, 10, 10, 5.0),
        (0, 1, 3, 600.0),
        (1, 2, 3, 600.0),
        (0, 3, 3, 600.0),
        (148, 149, 300, 5.0),
        (149, 150, 300, 600.0),
    ],
)
def test_a_step_that_reaches_a_checkpoint_is_followed_by_its_pause(before, done, total, pause):
    settings = Settings(selector=None, batch_wait=5.0, checkpoints=(10.0, 50.0), checkpoint_wait=600.0)
    assert choose_pause(settings, before, done, total) == pause


# ---- what can never work


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"all_tasks": None, "tasks": ["web"]},
            "tasks must be IDs of tasks, with 32 hexadecimal digits, or their ARNs (got 'web')",
        ),
        (
            {"exclude_tasks": ["web-1"]},
            "exclude_tasks must be IDs of tasks, with 32 hexadecimal digits, or their ARNs (got 'web-1')",
        ),
        ({"secrets_changed": True}, "secrets_changed and all_tasks are mutually exclusive"),
        ({"max_tasks": 0}, "max_tasks must be a number of tasks from 1 (got 0)"),
        ({"max_failures": -1}, "max_failures must be a number of tasks, 0 or more (got -1)"),
        ({"timeout": 0}, "timeout must be a number of seconds above 0, at most a hundred years (got 0)"),
        (
            {"protected_timeout": 0},
            "protected_timeout must be a number of seconds above 0, at most a hundred years (got 0)",
        ),
        ({"bake_time": -1.0}, "bake_time must be a number of seconds, 0 or more, at most a hundred years (got -1.0)"),
        (
            {"checkpoint_wait": float("inf")},
            "checkpoint_wait must be a number of seconds, 0 or more, at most a hundred years (got inf)",
        ),
        (
            {"checkpoints": [0.0]},
            "checkpoints must be rising percentages above 0 and up to 100, such as 10, 50, 100 (got 0)",
        ),
        (
            {"checkpoints": [50.0, 10.0]},
            "checkpoints must be rising percentages above 0 and up to 100, such as 10, 50, 100 (got 50, 10)",
        ),
        (
            {"checkpoints": [50.0, 50.0]},
            "checkpoints must be rising percentages above 0 and up to 100, such as 10, 50, 100 (got 50, 50)",
        ),
        (
            {"checkpoints": [101.0]},
            "checkpoints must be rising percentages above 0 and up to 100, such as 10, 50, 100 (got 101)",
        ),
    ],
)
def test_refused(said, words):
    with pytest.raises(Refused) as refused:
        read_settings({**ALL, **said})
    assert words in str(refused.value)


def test_no_tasks_at_all_are_no_selector():
    with pytest.raises(Refused) as refused:
        read_settings({**UNSAID, "tasks": None})
    assert "no option chooses the stale tasks" in str(refused.value)
