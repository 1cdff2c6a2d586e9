# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the record's tag says, a calm service stays as it is, except for the stale tasks that a run must replace."""

from __future__ import annotations

import random

from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.record import (
    LONGEST_LEASE,
    RECORD_TAG,
    TOKENS_TAG,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.selector import Selector
from ansible_collections.steadyops.ecs.plugins.module_utils._core.recycle.settings import Settings
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.sandbox.model.latencies import Latencies
from tests.sandbox.model.scheduler import Cluster

from .course import run_once
from .scenario import START, forged_record
from .virtual_world import VirtualWorld

TASKS = 4
DAY = 86400.0
law = settings(deadline=None, max_examples=examples(15))

# A record that a run may have written, the same with one value replaced by anything, and any text at all.
real = st.integers(0, 2**32).map(lambda number: forged_record(random.Random(number)))
characters = st.text("0123456789.-+eEinfa= _/x\u0663", max_size=24)
mutated = st.tuples(real, st.integers(0, 10), characters).map(
    lambda drawn: " ".join(
        f"{word.partition('=')[0]}={drawn[2]}" if place == drawn[1] else word
        for place, word in enumerate(drawn[0].split())
    )
)
hostile = st.one_of(real, mutated, characters, st.text(max_size=256))
EVERY_ONE = Settings(Selector("all_tasks"), surge=1)
NONE_STALE = Settings(Selector("max_task_age", 100 * DAY), wait_timeout=60.0)
RESTORED = Settings(None, wait_timeout=60.0)


def a_calm_service(tags: dict[str, str]) -> Cluster:
    """Create a service whose youngest task is an hour old."""
    cluster = Cluster(random.Random(1), START, Latencies())
    cluster.create_service("web", desired=TASKS, tags=tags)
    return cluster


def run(cluster: Cluster, wanted: Settings) -> VirtualWorld:
    """Run to the end. If somebody else holds a lease, wait for it, for a day at most."""
    world = VirtualWorld(cluster, "web")
    report = run_once(cluster, wanted, world=world)
    if report.message and "is working on" in report.message:
        cluster.advance(cluster.now + LONGEST_LEASE + 61)
        report = run_once(cluster, wanted, "second", world=world)
    assert "is working on" not in (report.message or "")
    if report.status == "failed":
        assert "run with state: restored, which removes the tag" in (report.message or "")
        assert world.writes == []
        assert run_once(cluster, RESTORED, "third").status == "restored"
        assert run_once(cluster, wanted, "fourth", world=world).message is None
    assert RECORD_TAG not in cluster.service("web").tags
    return world


@given(text=hostile, wanted=st.sampled_from([NONE_STALE, RESTORED]))
@law
def test_a_calm_service_stays_as_it_is(text: str, wanted: Settings) -> None:
    cluster = a_calm_service({RECORD_TAG: text, "team": "red"})
    there = set(cluster.service("web").live)
    world = run(cluster, wanted)
    assert {change.desired for change in cluster.journal} <= {TASKS}
    assert set(cluster.service("web").live) == there
    assert not [operation for _at, operation, _arguments in world.writes if operation == "StopTask"]
    assert dict(cluster.service("web").tags) == {"team": "red"}


@given(text=hostile)
@law
def test_a_recycle_adds_what_its_settings_say_and_keeps_its_floor(text: str) -> None:
    cluster = a_calm_service({RECORD_TAG: text})
    run(cluster, EVERY_ONE)
    assert {change.desired for change in cluster.journal} <= {TASKS, TASKS + 1}
    assert min(change.healthy for change in cluster.journal) >= TASKS
    assert cluster.service("web").desired == TASKS


@given(text=hostile, wanted=st.sampled_from([NONE_STALE, RESTORED]), since=st.sampled_from([0.0, 30.0, 600.0]))
@example(text=forged_record(random.Random(102472)), wanted=NONE_STALE, since=0.0)  # begun 30 s after the deployment
@law
def test_after_a_deployment_one_task_is_lost_at_most(text: str, wanted: Settings, since: float) -> None:
    """All tasks are younger than the record, so any may be an added one: a run removes at most as many as it adds."""
    cluster = a_calm_service({})
    cluster.begin_deployment("web")
    cluster.advance(cluster.now + 900 + since)
    assert not cluster.service("web").rolling
    cluster.tag("web", {RECORD_TAG: text})
    run(cluster, wanted)
    assert {TASKS - 1, TASKS} >= {cluster.service("web").desired}


@given(words=st.lists(st.one_of(characters, st.just("da39a3ee5e6b=inf"), st.just("9f86d081884c=99999999999.000"))))
@law
def test_tokens_that_no_run_has_written_are_passed_over(words: list[str]) -> None:
    """``9f86d081884c`` stands for the token of the run."""
    cluster = a_calm_service({TOKENS_TAG: " ".join(words)})
    there = set(cluster.service("web").live)
    assert run_once(cluster, Settings(Selector("token", "test"))).message is None
    assert not there & set(cluster.service("web").live)
    assert len(cluster.service("web").tags[TOKENS_TAG]) <= 256
    assert run_once(cluster, Settings(Selector("token", "test")), "second").status == "unchanged"
