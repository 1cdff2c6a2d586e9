# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals, a module whose Ansible is gone, two runs at once, and credentials that expire during a run."""

from __future__ import annotations

import os
import re
import signal

import psutil
import pytest

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import QUICK, RECYCLE, until
from tests.end_to_end.witness import Witness

TASK = {"max_task_age": "1h"}
PLAY = [
    {
        "name": "Recycle",
        f"steadyops.ecs.{RECYCLE}": {**QUICK, **TASK},
        "register": "web",
    }
]


@pytest.fixture
def witness(sandbox):
    sandbox.service("web", tasks=4, health_check=True, target_groups=1, scaling={"min": 1, "max": 9}, tags={"a": "b"})
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    return Witness(sandbox)


def left_alone_after_the_first_stop(witness):
    """Assert that the run stopped no further task, and gave everything back."""
    until(lambda: witness.record() is None, "the record to be removed")
    # ECS may stop an old task for the lower count while the run looks. The run takes it for unhealthy and stops it too.
    stopped = aws_client(witness.sandbox, "ecs").describe_tasks(tasks=sorted(witness.stopped()))["tasks"]
    assert [task["stopCode"] for task in stopped].count("UserInitiated") == 1
    witness.kept()
    witness.given_back()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_module(witness, sandbox, begin, number):
    module = begin(**TASK)
    until(witness.stops, "the first stop")
    os.kill(module.pid, number)
    sandbox.release()
    result = module.result()
    assert f"{number.name} was received" in result["msg"]
    assert re.search(
        r"\. 1 old task was stopped; \d of 4 tasks are healthy; the desired count is 4 again\.$", result["msg"]
    )
    assert (result["recycle"]["status"], len(result["recycle"]["remaining"])) == ("failed", 3)
    left_alone_after_the_first_stop(witness)


def test_a_signal_while_the_added_task_starts(witness, sandbox, begin):
    sandbox.clear_faults()
    sandbox.settings(latencies={"launch": 60000})
    module = begin(**TASK)
    until(lambda: witness.now()["pending"], "the added task")
    os.kill(module.pid, signal.SIGTERM)
    result = module.result()
    assert "SIGTERM was received" in result["msg"]
    assert witness.stopped() == set()
    witness.kept()
    witness.given_back()


def test_a_signal_while_another_run_is_waited_for(witness, sandbox, begin):
    first = begin(**TASK)
    until(witness.stops, "the first stop")
    writes, calls = len(witness.writes()), len(witness.calls())
    second = begin(**TASK)
    until(lambda: len(witness.calls()) > calls, "the second run")
    os.kill(second.pid, signal.SIGTERM)
    assert "SIGTERM was received" in second.result()["msg"]
    assert len(witness.writes()) == writes
    sandbox.release()
    assert first.result()["recycle"]["status"] == "recycled"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_ansible_playbook(witness, sandbox, playbook, number):
    run = playbook(PLAY)
    until(witness.stops, "the first stop")
    started = psutil.Process(run.pid).children(recursive=True)
    workers = [each for each in started if "ansible-playbook" in " ".join(each.cmdline())]
    os.kill(run.pid, number)
    run.process.wait(timeout=60)  # a busy machine is slow to end it and the worker that started the module
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    sandbox.release()
    left_alone_after_the_first_stop(witness)


def test_ansible_playbook_is_killed_with_its_group(witness, sandbox, playbook):
    """ansible-runner does this when a job is cancelled. The module survives, notices, and restores the service."""
    run = playbook(PLAY)
    until(witness.stops, "the first stop")
    run.kill()
    sandbox.release()
    left_alone_after_the_first_stop(witness)


def test_ansible_playbook_is_killed_while_the_added_task_starts(witness, sandbox, playbook):
    sandbox.clear_faults()
    sandbox.settings(latencies={"launch": 60000})
    run = playbook(PLAY)
    until(lambda: witness.now()["pending"], "the added task")
    run.kill()
    until(lambda: witness.record() is None, "the record to be removed")
    assert witness.stopped() == set()
    witness.given_back()


def test_in_the_background_nobody_is_missed(witness, sandbox, playbook):
    """With async, the module has other parents, which exit early."""
    sandbox.clear_faults()
    (result,) = playbook([{**PLAY[0], "async": 60, "poll": 1}]).results()
    assert result["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


def test_two_runs_at_once_one_waits(witness, sandbox, begin):
    first = begin(token="build 7")
    until(witness.stops, "the first stop")
    calls = len(witness.calls())
    second = begin(token="build 7")
    until(lambda: len(witness.calls()) > calls + 1, "the second run to look twice")
    sandbox.release()
    told = first.result()["recycle"], second.result()["recycle"]
    assert [each["status"] for each in told] == ["recycled", "unchanged"]
    assert [len(each["replaced"]) for each in told] == [4, 0]
    witness.kept()
    witness.replaced(tokens=True)


def test_two_runs_at_once_of_different_tasks(witness, sandbox, begin):
    """The second run waits, and then replaces all tasks, also those that the first created: its token is newer."""
    first = begin(token="build 7")
    until(witness.stops, "the first stop")
    calls = len(witness.calls())
    second = begin(token="build 8")
    until(lambda: len(witness.calls()) > calls + 1, "the second run to look twice")
    sandbox.release()
    told = first.result()["recycle"], second.result()["recycle"]
    assert [each["status"] for each in told] == ["recycled", "recycled"]
    assert [len(each["replaced"]) for each in told] == [4, 4]
    witness.kept()
    witness.given_back(tokens=True)


def test_a_scheduled_action_fires_meanwhile(witness, sandbox, begin):
    """Scheduled actions are not suspended unless the user asks for it, and the count that they set stays."""
    module = begin(**TASK)
    until(witness.stops, "the first stop")
    sandbox.act("scheduled_action", "web", min=6)
    sandbox.release()
    result = module.result()["recycle"]
    assert (result["status"], result["capacity"]["before"]) == ("recycled", 4)
    assert witness.stopped() == witness.old
    until(lambda: witness.now()["running"] == witness.now()["desired"], "the scheduler")
    assert witness.now()["desired"] in (5, 6), "the added task counted for the new minimum"
    assert witness.record() is None


def test_two_runs_at_once_one_gives_up(witness, sandbox, begin):
    first = begin(**TASK)
    until(witness.stops, "the first stop")
    writes = len(witness.writes())
    refused = begin(**TASK | {"wait_timeout": 1}).result()
    assert "is working on" in refused["msg"]
    assert f".{first.pid}." in refused["msg"], "the first one is named"
    assert (refused["changed"], len(witness.writes())) == (False, writes)
    sandbox.release()
    assert first.result()["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


def test_two_runs_at_the_same_instant(witness, sandbox, begin):
    sandbox.clear_faults()
    results = [module.result() for module in [begin(**TASK), begin(**TASK)]]
    assert sorted(result["recycle"]["status"] for result in results) == ["recycled", "unchanged"]
    assert sum(len(result["recycle"]["replaced"]) for result in results) == 4
    witness.kept()
    witness.replaced()


def test_the_lease_is_lost_to_another_run(witness, sandbox, begin):
    """A run that was silent for too long finds another run's record, and changes nothing more."""
    run = begin(**TASK)
    until(witness.stops, "the first stop")
    ours = witness.record()
    theirs = " ".join("w=0123abcd.1.2.elsewhere" if word.startswith("w=") else word for word in ours.split())
    sandbox.act("tag", "web", tags={"steadyops.ecs/recycle": theirs})
    writes = len(witness.writes())
    sandbox.release()
    assert "0123abcd.1.2.elsewhere" in run.result()["msg"]
    assert len(witness.writes()) == writes
    assert witness.record() == theirs


def test_credentials_that_expire_on_the_way(witness, sandbox, begin, recycle):
    run = begin(**TASK)
    until(witness.stops, "the first stop")
    sandbox.fault("expired_token")
    sandbox.release()
    result = run.result()
    assert "The credentials have expired. Get new ones and run the task again" in result["msg"]
    assert witness.record()
    sandbox.clear_faults()
    assert recycle(**TASK)["recycle"]["resumed"]
    witness.kept()
    witness.replaced()


def test_a_network_that_is_lost_on_the_way(witness, sandbox, begin, recycle):
    run = begin(**TASK | {"wait_timeout": 2})
    until(witness.stops, "the first stop")
    sandbox.fault("connection_reset", carried_out=False)
    sandbox.release()
    result = run.result()
    assert "ConnectionClosedError" in result["msg"]
    assert witness.record()
    sandbox.clear_faults()
    assert recycle(**TASK)["recycle"]["resumed"]
    witness.kept()
    witness.replaced()
