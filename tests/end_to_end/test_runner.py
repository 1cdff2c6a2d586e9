# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs under ansible-runner, the engine of AWX: what it reports, and what happens to cancelled jobs.

A job is a private data directory: project, inventory, variables. A job is cancelled with SIGTERM to ansible-runner,
which then kills the process group of ansible-playbook with SIGKILL. AWX also removes the container, which kills
everything in it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
import yaml

from tests.end_to_end.programs import PATIENCE, until
from tests.end_to_end.witness import Witness

ROOT = Path(__file__).parents[2]
PLAYBOOK = ROOT / "awx/service_recycle.yml"
QUICKLY = {
    "service_recycle_wait_delay": 0.05,
    "service_recycle_stabilize_time": 0,
    "service_recycle_wait_timeout": 30,
}
# The answers to a survey of awx/objects.yml. Two of them are blank.
ANSWERS = {"cluster": "prod", "service": "web", "max_task_age": "1h", "token": "", "started_before": None}


class Job:
    """A launch of ansible-runner."""

    def __init__(self, folder, playbook, ident):
        self.artifacts = folder / "artifacts" / ident
        self.process = subprocess.Popen(
            ["ansible-runner", "run", str(folder), "--playbook", playbook, "--ident", ident, "--quiet"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def runs(self):
        return self.process.poll() is None

    def family(self):
        """Return ansible-runner and all processes that it has started."""
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def kill(self):
        if self.runs:
            for each in self.family():
                each.kill()
        self.process.wait()

    def ended(self):
        """Wait for the job, and return its status as AWX would see it: successful, failed or canceled."""
        self.process.wait(timeout=PATIENCE)
        return (self.artifacts / "status").read_text()

    def events(self):
        files = sorted((self.artifacts / "job_events").glob("*.json"), key=lambda path: int(path.name.split("-")[0]))
        return [json.loads(path.read_text()) for path in files]

    def told(self, event):
        return [each["event_data"] for each in self.events() if each["event"] == event]

    def results(self, event="runner_on_ok"):
        """Return the results of the recycles."""
        return [data["res"] for data in self.told(event) if data["task_action"].endswith("ecs_service_recycle")]

    def stats(self):
        """Return the data of set_stats as AWX finds it."""
        (data,) = self.told("playbook_on_stats")
        return data.get("artifact_data", {})


@pytest.fixture
def launch(sandbox, tmp_path, started):
    """Launches a job, by default with the same variables as before."""
    folder = tmp_path / "job"
    for name in ("project", "inventory", "env"):
        (folder / name).mkdir(parents=True)
    shutil.copy(PLAYBOOK, folder / "project")
    inventory = {"plugin": "steadyops.ecs.ecs_services", "clusters": ["prod"], "endpoint_url": sandbox.url}
    (folder / "inventory/fleet.ecs_services.yml").write_text(yaml.safe_dump(inventory))
    (folder / "env/envvars").write_text(yaml.safe_dump({"AWS_URL": sandbox.url}))

    def launch(playbook=PLAYBOOK.name, **more):
        (folder / "env/extravars").write_text(yaml.safe_dump({**QUICKLY, **ANSWERS, **more}))
        job = Job(folder, playbook, str(len(started)))
        started.append(job)
        return job

    return launch


@pytest.fixture
def witness(sandbox):
    scaling = {"min": 1, "max": 9}
    sandbox.service("web", cluster="prod", tasks=4, health_check=True, scaling=scaling, tags={"a": "b"})
    return Witness(sandbox)


def whole(witness):
    """Assert that no old task is left and everything is given back. Other tasks may have been stopped as well."""
    witness.given_back()
    running = {task["arn"] for task in witness.now()["tasks"] if task["desired_status"] == "RUNNING"}
    assert running & witness.old == set()


@pytest.mark.long
def test_a_job_its_events_and_its_artifacts(witness, launch):
    job = launch()
    assert job.ended() == "successful"
    kinds = [event["event"] for event in job.events() if event["event"] != "verbose"]
    assert (kinds[0], kinds[-1]) == ("playbook_on_start", "playbook_on_stats")
    assert {"playbook_on_task_start", "runner_on_start", "runner_on_ok"} <= set(kinds)
    recycle = job.stats()["recycle"]
    assert (recycle["status"], len(recycle["replaced"]), recycle["remaining"]) == ("recycled", 4, [])
    assert job.results()[0]["recycle"] == recycle
    witness.kept()
    witness.replaced()

    again = launch()
    assert again.ended() == "successful"
    assert again.stats()["recycle"]["status"] == "unchanged"


@pytest.mark.long
def test_a_job_that_fails_leaves_its_artifacts_too(witness, launch, sandbox):
    sandbox.fault("launch_fails", reason="CannotPullContainerError: image not found")
    job = launch()
    assert job.ended() == "failed"
    assert "CannotPullContainerError" in job.results("runner_on_failed")[0]["msg"]
    assert job.stats()["recycle"]["status"] == "failed"
    witness.given_back()


@pytest.mark.long
@pytest.mark.parametrize("answers", [{"max_task_age": ""}, {"token": "a"}, {"max_task_age": None}])
def test_a_survey_without_one_answer_is_refused(witness, launch, answers):
    job = launch(**answers)
    assert job.ended() == "failed"
    assert "exactly one of" in job.told("runner_on_failed")[0]["res"]["msg"]
    witness.untouched()


@pytest.mark.long
def test_a_job_over_the_inventory(witness, launch, sandbox):
    """The same playbook runs without the name of a service."""
    sandbox.service("api", cluster="prod", tasks=1, health_check=True)
    sandbox.service("other", cluster="dev", tasks=1)
    job = launch(cluster="", service="", recycle_serial="1", recycle_max_fail_percentage="")
    assert job.ended() == "successful"
    recycled = [data for data in job.told("runner_on_ok") if data["task_action"].endswith("ecs_service_recycle")]
    assert [data["host"] for data in recycled] == ["api.prod", "web.prod"]
    assert [result["recycle"]["status"] for result in job.results()] == ["recycled", "recycled"]
    assert job.stats()["recycle_summary"]["statuses"] == {"recycled": 2}
    assert "recycle" not in job.stats(), "what is an artifact does not grow with the fleet"
    (table,) = [data["res"]["msg"] for data in job.told("runner_on_ok") if data["task"] == "Show the summary"]
    assert [line.split()[:2] for line in table[2:4]] == [["api.prod", "recycled"], ["web.prod", "recycled"]]
    witness.kept()
    whole(witness)
    assert sandbox.find("other")["tasks"][0]["desired_status"] == "RUNNING"


MOMENTS = random.Random(20261124).sample(range(1, 10), 2)  # nine or ten writes are made


@pytest.mark.parametrize("gone", [
    pytest.param(False, id="cancelled", marks=pytest.mark.long),
    pytest.param(True, id="cancelled, and the container removed"),
])  # fmt: skip
@pytest.mark.parametrize("write", [MOMENTS[0], pytest.param(MOMENTS[1], marks=pytest.mark.long)])
def test_a_job_that_is_cancelled(witness, launch, sandbox, write, gone):
    """The job is cancelled right after one of its writes. It gives everything back itself, or the next launch does."""
    sandbox.fault("hold", nth=write)
    job = launch()
    until(lambda: any(call["outcome"] == "held" for call in witness.calls()) or not job.runs, "the write")
    family = job.family() if job.runs else []
    if job.runs:
        os.kill(job.process.pid, signal.SIGTERM)
        assert job.ended() == "canceled"
    for each in family if gone else []:
        if each.is_running():
            each.kill()
    sandbox.clear_faults()
    witness.kept()
    if not gone:
        until(lambda: witness.record() is None, "the record to be removed")
        witness.given_back()
    again = launch()
    assert again.ended() == "successful"
    assert again.stats()["recycle"]["remaining"] == []
    witness.kept()
    whole(witness)


@pytest.mark.long
def test_two_launches_at_once_the_second_waits(witness, launch, sandbox):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    first = launch()
    until(witness.stops, "the first stop")
    calls = len(witness.calls())
    second = launch()
    until(lambda: len(witness.calls()) > calls + 1, "the second one to look twice")
    sandbox.release()
    assert (first.ended(), second.ended()) == ("successful", "successful")
    assert [len(job.stats()["recycle"]["replaced"]) for job in (first, second)] == [4, 0]
    witness.kept()
    witness.replaced()


@pytest.mark.long
def test_two_launches_at_once_the_second_gives_up_and_names_the_first(witness, launch, sandbox):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    first = launch()
    until(witness.stops, "the first stop")
    owner = next(word[2:] for word in witness.record().split() if word.startswith("w="))
    second = launch(service_recycle_wait_timeout=1)
    assert second.ended() == "failed"
    said = second.results("runner_on_failed")[0]["msg"]
    assert "is working on" in said
    assert owner in said
    sandbox.release()
    assert first.ended() == "successful"
    witness.kept()
    witness.replaced()
