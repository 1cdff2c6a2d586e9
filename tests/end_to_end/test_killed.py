# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run gets SIGKILL right after each of its writes, and the same task runs again."""

from __future__ import annotations

import re

import pytest

from tests.end_to_end.programs import until
from tests.end_to_end.witness import RECORD_TAG, Witness

TASK = {"max_task_age": "1h", "lease": 600}

# Every write of an undisturbed run: three tasks, one after another, with a scalable target.
WRITES = [
    "TagResource",
    "RegisterScalableTarget",
    "UpdateService",
    "StopTask",
    "StopTask",
    "StopTask",
    "UpdateService",
    "RegisterScalableTarget",
    "UntagResource",
]
each_write = pytest.mark.parametrize(
    "write", [pytest.param(number, id=f"{number}-{name}") for number, name in enumerate(WRITES, 1)]
)


@pytest.fixture
def witness(sandbox):
    sandbox.settings(latencies={"launch": 15, "policy": 5})
    sandbox.service("web", tasks=3, health_check=True, target_groups=1, scaling={"min": 1, "max": 9}, tags={"a": "b"})
    sandbox.act("policy_wants", "web", desired=3)  # removes added tasks unless it is suspended
    return Witness(sandbox)


@pytest.fixture
def killed_after(sandbox, begin):
    """Runs the task and kills it after its n-th write was carried out. Returns False if it ended before that."""

    def run(write, **more):
        sandbox.clear_faults()
        before = sandbox.state()["calls"]
        sandbox.fault("hold", nth=write)
        module = begin(**TASK, **more)

        def held():
            return any(call["outcome"] == "held" for call in sandbox.journal(since=before)["calls"])

        until(lambda: held() or not module.runs, "the write")
        if not held():
            assert module.result()["recycle"]["remaining"] == []
            return False
        module.kill()
        until(lambda: not held(), "the sandbox to see that the client is gone")
        sandbox.clear_faults()
        return True

    return run


def test_these_are_all_writes(witness, recycle):
    recycle(**TASK)
    assert witness.writes() == WRITES
    witness.kept()
    witness.replaced()


@each_write
@pytest.mark.sampled(3)
def test_killed_once(witness, recycle, killed_after, write):
    assert killed_after(write)
    assert (witness.record() is not None) is (write < len(WRITES))
    result = recycle(**TASK)  # at once, although the lease is 600 s: the owner is known to be dead
    assert result["recycle"]["resumed"] is (write < len(WRITES))
    assert result["recycle"]["capacity"]["before"] == result["recycle"]["capacity"]["after"] == 3
    witness.kept()
    witness.replaced()
    assert not recycle(**TASK)["changed"]


@each_write
@pytest.mark.sampled(3)
def test_killed_twice(witness, recycle, killed_after, write):
    assert killed_after(write)
    killed_after(write)
    recycle(**TASK)
    witness.kept()
    witness.replaced()


@pytest.mark.parametrize("write", [1, 2, 3, 4])
@pytest.mark.sampled(2)
def test_killed_again_and_again(witness, recycle, killed_after, write):
    """Each run gets a little further, and there is never more capacity than for one run."""
    assert killed_after(3)
    for _time in range(3):
        killed_after(write)
    recycle(**TASK)
    witness.kept()
    witness.replaced()


@pytest.mark.parametrize("write", [2, 3, 4, 6, 7])
def test_killed_and_restored(witness, recycle, killed_after, write):
    assert killed_after(write)
    stopped = witness.stops()
    check = Witness(witness.sandbox)
    planned = recycle(state="restored", check=True, diff=True)
    check.untouched()
    result = recycle(state="restored", diff=True)
    assert planned["diff"] == result["diff"]
    assert result["diff"]["before"] != result["diff"]["after"]
    for told in (planned, result):
        assert (told["changed"], told["recycle"]["status"], told["recycle"]["resumed"]) == (True, "restored", True)
        assert told["recycle"]["capacity"]["after"] == 3
    assert witness.stops() == stopped, "nothing is recycled"
    witness.kept()
    witness.given_back()

    again = Witness(witness.sandbox)
    assert recycle(state="restored")["recycle"]["status"] == "unchanged"
    again.untouched()


def test_killed_and_gone_on_with_by_another_selector(witness, recycle, killed_after):
    assert killed_after(4)
    result = recycle(token="new")
    assert (result["recycle"]["status"], result["recycle"]["resumed"]) == ("recycled", True)
    witness.kept()
    witness.replaced(witness.old | set(witness.stops()), tokens=True)


def test_killed_and_scaled_by_somebody(witness, recycle, killed_after):
    """What others added stays: the run gives back the difference, and does not restore the old count."""
    witness.sandbox.act("policy_wants", "web", desired=None)
    assert killed_after(4)
    witness.sandbox.act("rescale", "web", delta=2)
    recycle(state="restored")
    assert witness.now()["desired"] == 5
    assert witness.record() is None
    assert witness.now()["scaling"] == witness.before["scaling"]


def test_the_same_tokens_cutoff_after_a_kill(witness, sandbox, begin, recycle):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(token="build 7")
    until(witness.stops, "the first stop")
    module.kill()
    sandbox.clear_faults()
    result = recycle(token="build 7")
    assert result["recycle"]["resumed"]
    witness.kept()
    witness.replaced(tokens=True)


def test_on_another_machine_the_lease_has_to_run_out(witness, begin, killed_after):
    assert killed_after(4)
    record = witness.record()
    until_when = float(re.search(r" x=(\d+)", record)[1])
    ends = int(witness.sandbox.state()["now"]) + 3
    elsewhere = re.sub(r" w=\S+", " w=0123abcd.77.4711.build-agent-9", record)
    witness.sandbox.act("tag", "web", tags={RECORD_TAG: elsewhere.replace(f"x={until_when:.0f}", f"x={ends}")})
    calls = len(witness.calls())

    refused = begin(**TASK | {"wait_timeout": 1}).result()
    assert "0123abcd.77.4711.build-agent-9" in refused["msg"]
    assert [call for call in witness.calls()[calls:] if call["write"]] == []

    result = begin(**TASK).result()
    assert result["recycle"]["resumed"]
    assert min(call["time"] for call in witness.calls()[calls:] if call["write"]) >= ends
    witness.kept()
    witness.replaced()
