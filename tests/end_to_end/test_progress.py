# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that a recycle prints while it runs; printing them changes nothing else."""

from __future__ import annotations

import random
import re
from pathlib import Path

import ansible_runner
import pytest

from tests.end_to_end.programs import QUICK, RECYCLE, until
from tests.end_to_end.witness import Witness

NAME = f"steadyops.ecs.{RECYCLE}"
PLAN = "[localhost] default/web: replaces 3 tasks in 3 steps, 1 added first; at least 3 of 3 stay healthy"
STEP = re.compile(
    r"\[localhost\] default/web: step (\d) of 3: [0-9a-f]{8} replaced by [0-9a-f]{8}; [34] of [34] healthy; \d+ s;"
    r" (about \d+ s left|all done)"
)


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for all temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def witness(sandbox):
    sandbox.service("web", tasks=3, health_check=True, target_groups=1, tags={"a": "b"})
    return Witness(sandbox)


def task(**more):
    return {NAME: {**QUICK, "max_task_age": "1h"}, **more}


def lines(program):
    return [line for line in program.errors.splitlines() if line.startswith("[localhost]")]


def course(told):
    """Return the plan and the numbers of the steps in the lines. Assert that the lines have the format of steps."""
    steps = [STEP.fullmatch(line) for line in told[1:]]
    assert None not in steps, told
    return [told[0], *[step[1] for step in steps]]


def test_a_line_for_each_step(witness, warm_playbook, temporary):
    run = warm_playbook([task()])
    (result,) = run.results()
    assert course(lines(run)) == [PLAN, "1", "2", "3"]
    assert "about" in lines(run)[1]
    assert lines(run)[3].endswith("all done")
    assert "steadyops" not in str(result["invocation"]).lower(), "the pipe is no option"
    assert [path.name for path in temporary.iterdir()] == []
    witness.kept()
    witness.replaced()


def test_the_lines_come_while_it_runs(witness, sandbox, playbook):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    run = playbook([task()])
    assert run.process.stderr.readline().strip() == PLAN
    until(witness.stops, "the first stop")
    assert run.process.poll() is None
    sandbox.release()
    (result,) = run.results()
    assert result["recycle"]["status"] == "recycled"


def test_the_results_are_those_of_the_module(witness, warm_playbook, recycle, sandbox):
    planned = recycle(max_task_age="1h", check=True, diff=True)
    run = warm_playbook([task(check_mode=True)], "--diff")
    (told,) = run.results()
    passing = dict.fromkeys(["seconds", "timeline", "cutoff"])
    assert told["recycle"] | passing == planned["recycle"] | passing
    assert told["diff"] == planned["diff"]
    assert lines(run) == [PLAN.replace("replaces", "would replace")]
    witness.untouched()


@pytest.mark.parametrize(
    "silent",
    [{"no_log": True}, {"vars": {"ecs_progress": False}}, {"async": 60, "poll": 1}],
    ids=["no_log", "switched off", "async"],
)
def test_silent(witness, warm_playbook, temporary, silent):
    run = warm_playbook([task(**silent)])
    run.results()
    assert lines(run) == []
    assert list(temporary.glob("ecs_progress_*")) == []
    witness.kept()
    witness.replaced()


def test_in_the_background_and_looked_for_later(witness, warm_playbook):
    run = warm_playbook(
        [
            task(**{"async": 60, "poll": 0, "register": "job"}),
            {
                "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
                "register": "done",
                "until": "done.finished",
                "retries": 60,
                "delay": 1,
            },
        ]
    )
    assert run.results()[1]["recycle"]["status"] == "recycled"
    witness.kept()
    witness.replaced()


FAR = """
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = '''
name: far
short_description: Another machine, as far as Ansible knows
description: [For tests.]
extends_documentation_fragment: [connection_pipelining]
'''

class Connection(Local):
    transport = "far"
"""


def test_on_another_machine_it_works_and_is_silent(witness, playbook, tmp_path, monkeypatch):
    (tmp_path / "connections").mkdir()
    (tmp_path / "connections/far.py").write_text(FAR)
    monkeypatch.setenv("ANSIBLE_CONNECTION_PLUGINS", str(tmp_path / "connections"))
    run = playbook([task()], vars={"ansible_connection": "far"})
    (result,) = run.results()
    assert (result["recycle"]["status"], lines(run)) == ("recycled", [])
    witness.replaced()


def test_the_environment_of_the_task_reaches_the_module(witness, warm_playbook, monkeypatch):
    """This uses a loop, in which the same task runs several times."""
    monkeypatch.delenv("AWS_REGION")
    more = {"environment": {"AWS_REGION": "eu-central-1"}, "loop": [1, 2]}
    run = warm_playbook([task(**more)])
    (result,) = run.results()
    assert [each["recycle"]["status"] for each in result["results"]] == ["recycled", "unchanged"]
    assert course(lines(run)) == [PLAN, "1", "2", "3"]


def test_a_failure_tells_that_it_gives_back_and_why_only_at_the_end(witness, sandbox, warm_playbook):
    sandbox.fault("launch_fails", reason="CannotPullContainerError: image not found")
    run = warm_playbook([task(ignore_errors=True)])
    (result,) = run.results()
    assert lines(run)[0] == PLAN
    assert lines(run)[1].endswith("failed; gives back what it added (the reason follows)")
    assert "CannotPullContainerError" not in lines(run)[1]
    assert result["msg"].count("CannotPullContainerError: image not found") == 1
    witness.given_back()


@pytest.fixture
def job(sandbox, tmp_path):
    """Starts ansible-runner on the task in a thread, and returns it and its events as they arrive."""

    def start(play, **more):
        (tmp_path / "project").mkdir()
        (tmp_path / "inventory").mkdir()
        (tmp_path / "inventory/hosts").write_text("localhost ansible_connection=local\n")
        environment = {"AWS_URL": sandbox.url}
        events = []
        thread, runner = ansible_runner.run_async(
            private_data_dir=str(tmp_path),
            playbook=[{"hosts": "localhost", "gather_facts": False, "tasks": play}],
            envvars=environment,
            quiet=True,
            event_handler=lambda event: bool(events.append(event)) or True,
            **more,
        )
        return thread, runner, events

    return start


def verbose(events):
    return [e["stdout"].strip() for e in events if e["event"] == "verbose" and e["stdout"].startswith("[localhost]")]


def test_ansible_runner_has_an_event_for_each_line_at_once(witness, sandbox, job):
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    thread, runner, events = job([task()])
    until(witness.stops, "the first stop")
    until(lambda: verbose(events) == [PLAN], "the first line")
    sandbox.release()
    thread.join(60)
    assert (runner.status, runner.rc) == ("successful", 0)
    assert course(verbose(events)) == [PLAN, "1", "2", "3"]
    kinds = [event["event"] for event in events]
    assert kinds.index("verbose") < kinds.index("runner_on_ok")
    witness.kept()
    witness.replaced()


@pytest.mark.long
def test_killed_at_random_moments(witness, playbook, temporary, recycle):
    """The group of ansible-playbook gets SIGKILL again and again; then the same task runs to its end."""
    moments = random.Random(20261124)
    for _time in range(4):
        goal = len(witness.writes()) + moments.randrange(1, 6)
        run = playbook([task()])
        until(lambda goal=goal, run=run: len(witness.writes()) >= goal or run.process.poll() is not None, "a write")
        run.kill()
        until(lambda: witness.record() is None, "the module to notice, and to give back")
    witness.kept()
    witness.given_back()
    result = recycle(max_task_age="1h")
    assert result["recycle"]["remaining"] == []
    witness.given_back()
    # Old tasks were stopped by the module, or by ECS when the module gave back what a killed run had added.
    assert {
        each["arn"] for each in witness.now()["tasks"] if each["desired_status"] == "RUNNING"
    } & witness.old == set()
    assert [path for path in Path(temporary).glob("ecs_progress_*") if path.is_dir()] == []
