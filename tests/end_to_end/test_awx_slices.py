# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's job template of awx/ in slices: parallel jobs, each with its part of the inventory; one job is killed.

A job is ansible-playbook with an inventory script, as AWX runs it. To cancel it, AWX removes its container.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import yaml

from tests.awx.slices import slice_of
from tests.end_to_end.programs import PATIENCE, until
from tests.end_to_end.test_fleet import One

ROOT = Path(__file__).parents[2]
(TEMPLATE,) = (
    each
    for each in yaml.safe_load((ROOT / "awx/objects.yml").read_text())["job_templates"]
    if each["inventory"] == "ECS fleet"
)
SLICES = TEMPLATE["job_slice_count"]
QUICK = {"service_recycle_wait_delay": 0.05, "service_recycle_stabilize_time": 0, "service_recycle_wait_timeout": 60}


class Job:
    """One slice of a launch."""

    def __init__(self, command, folder, environment):
        self.folder, self.output = folder, folder / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder
            )

    def family(self):
        """Find the job's processes by folder: a warm interpreter has no children, but works where it was called."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.cwd() == str(self.folder):
                    yield from (*process.children(recursive=True), process)

    def kill(self):
        """Kill all processes of the job at once, as AWX does when it removes the container."""
        while family := list(self.family()):
            for process in family:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        self.process.wait()

    def ends_well(self):
        code = self.process.wait(PATIENCE)
        told = self.output.read_text()
        assert code == 0, told
        assert "Traceback" not in told


class Awx:
    """AWX's inventory, and the jobs that AWX starts."""

    def __init__(self, sandbox, warm, folder):
        self.sandbox, self.warm, self.folder, self.jobs = sandbox, warm, folder, []
        self.environment = {**os.environ, "AWS_URL": sandbox.url, "ANSIBLE_FORKS": str(TEMPLATE["forks"])}

    def update(self):
        """Read the source of the inventory again."""
        source = yaml.safe_load((ROOT / "awx/fleet.ecs_services.yml").read_text())
        path = self.folder / "fleet.ecs_services.yml"
        path.write_text(yaml.safe_dump({**source, "endpoint_url": self.sandbox.url}))
        told = subprocess.run(
            self.warm.command("ansible-inventory", "-i", str(path), "--list", "--export"),
            env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.inventory = json.loads(told.stdout)

    def hosts(self, number):
        return slice_of(self.inventory, number, SLICES)["_meta"]["hostvars"]

    def launch(self, number, cancelled=False, **variables):
        folder = self.folder / f"job{len(self.jobs)}"
        folder.mkdir()
        script = folder / "hosts"
        text = json.dumps(slice_of(self.inventory, number, SLICES))
        script.write_text(f"#!/bin/sh\ncat <<'INVENTORY'\n{text}\nINVENTORY\n")
        script.chmod(0o700)
        said = json.dumps({**QUICK, **variables})
        command = self.warm.command("ansible-playbook", "-i", str(script), str(ROOT / TEMPLATE["playbook"]), "-e", said)
        if cancelled:  # its modules must end with it
            command += ["-e", f"ansible_python_interpreter={sys.executable}"]
        self.jobs.append(Job(command, folder, self.environment))
        return self.jobs[-1]


@pytest.fixture
def awx(sandbox, warm, tmp_path):
    awx = Awx(sandbox, warm, tmp_path)
    yield awx
    for job in awx.jobs:
        job.kill()


@pytest.fixture
def add(sandbox):
    """Creates services of the fleet, and returns their witnesses by the name of the host."""

    def add(*names, tasks=2, **details):
        for name in names:
            sandbox.service(name, cluster="prod", tasks=tasks, health_check=True, tags={"recycle": "weekly"}, **details)
        return {f"{name}.prod.eu-central-1": One(sandbox, name) for name in names}

    return add


def kill_midway(job, witnesses):
    """Kill a job once it has stopped a task, and assert that it leaves a service half done."""
    until(lambda: any(witness.stops() for witness in witnesses), "a stop of this slice")
    job.kill()
    assert any(witness.record() for witness in witnesses)
    assert not all(witness.stopped() == witness.old for witness in witnesses)


def test_one_process_for_each_slice_and_one_of_them_killed(add, start):
    """This runs the module alone: in one process, the playbook does nothing else."""
    witnesses = add(*(f"s{number:02}" for number in range(6)), tasks=4)
    arns = {name: {"ecs_service_arn": witness.before["arn"]} for name, witness in witnesses.items()}

    def launch(number):
        hosts = slice_of({"_meta": {"hostvars": arns}}, number, SLICES)["_meta"]["hostvars"]
        options = {"max_task_age": "1h", "wait_delay": 0.05, "stabilize_time": 0, "calls_per_second": 1000}
        return start("ecs_fleet_recycle", services=[host["ecs_service_arn"] for host in hosts.values()], **options)

    jobs = [launch(number) for number in (1, 2, 3)]
    kill_midway(jobs[1], [witnesses[f"s{number:02}.prod.eu-central-1"] for number in (1, 4)])
    for job in (jobs[0], jobs[2], launch(2)):
        assert job.result()["fleet"]["totals"]["services"] == 2
    for witness in witnesses.values():
        witness.kept()
        witness.replaced()


@pytest.mark.long
def test_three_slices_of_which_one_is_killed_and_run_again(awx, add, sandbox):
    witnesses = add("s00", "s01", "s02", "s03", tasks=4)
    sandbox.service("other", cluster="prod", tasks=1)
    awx.update()
    parts = [sorted(awx.hosts(number)) for number in (1, 2, 3)]
    assert parts == [[f"s0{number}.prod.eu-central-1" for number in part] for part in ((0, 3), (1,), (2,))]
    answers = {"max_task_age": "1h", "recycle_concurrency": 20, "service_recycle_batch_size": "1"}
    jobs = [awx.launch(number, cancelled=number == 1, **answers) for number in (1, 2, 3)]
    kill_midway(jobs[0], [witnesses[name] for name in parts[0]])
    again = awx.launch(1, **answers)
    for job in (*jobs[1:], again):
        job.ends_well()
    for witness in witnesses.values():
        witness.kept()
        witness.replaced()


@pytest.mark.long
def test_a_slice_that_is_run_again_when_the_borders_have_moved(awx, add):
    """A new service moves others into other slices. Two jobs may then have the same service."""
    witnesses = add(*(f"s{number:02}" for number in range(1, 13)))
    awx.update()
    first = [set(awx.hosts(number)) for number in (1, 2, 3)]
    answers = {"max_task_age": "1h", "service_recycle_batch_size": "1", "recycle_serial": "10"}
    jobs = [awx.launch(number, cancelled=number == 2, **answers) for number in (1, 2, 3)]
    kill_midway(jobs[1], [witnesses[name] for name in first[1]])
    witnesses |= add("s00")
    awx.update()
    assert set(awx.hosts(2)) <= first[0], "another slice is at work on all of them"
    again = awx.launch(2, **answers)
    for job in (jobs[0], jobs[2], again):
        job.ends_well()
    assert any(witness.record() for witness in witnesses.values()), "what the killed job has left is in no slice"
    for job in [awx.launch(number, **answers) for number in (1, 2, 3)]:
        job.ends_well()
    for witness in witnesses.values():
        witness.kept()
        witness.replaced()
