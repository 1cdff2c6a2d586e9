# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run what is tested: a module in its own process, or ansible-playbook.

Nothing is patched. All output is searched for tracebacks, which no user must ever see.

Hundreds of modules run here, and each run would spend two thirds of a second on importing boto3. So modules are forked
from a process that has already imported it. The rest is as usual: a module runs as ``__main__``, reads its arguments
from standard input, prints its result, and can be killed. Playbooks start modules as Ansible does.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.warm_python import SETTINGS
from tests.sandbox.client import Sandbox

MODULES = "ansible_collections.steadyops.ecs.plugins.modules."
RECYCLE, INFO = "ecs_service_recycle", "ecs_service_task_info"
PATIENCE = 120.0  # seconds after which something that must happen counts as missing

# Options of every recycle here, unless a test says otherwise. The sandbox is fast, so looks must be frequent.
QUICK = {"service": "web", "wait_delay": 0.05, "stabilize_time": 0, "wait_timeout": 30}

FORKS = multiprocessing.get_context("forkserver")
NAMES = sorted(path.stem for path in (Path(__file__).parents[2] / "plugins/modules").glob("*.py"))
FORKS.set_forkserver_preload([__name__, *(MODULES + name for name in NAMES), "tests.end_to_end.warm_boto3"])


def start_forks() -> None:
    """Start the server that forks modules, for this process and for workers that are forked from it."""
    forkserver.ensure_running()
    # It would wait for the server, which in a worker is not its own child.
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait for a condition and return its value."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)
    return value


def warnings(result: dict[str, Any]) -> list[str]:
    """Return the texts of a module's warnings, which ansible-core wraps since 2.19."""
    found = result.get("warnings", [])
    return [each if isinstance(each, str) else each["event"]["msg"] for each in found]


def arguments(sandbox: Sandbox, check: bool = False, diff: bool = False, **options: Any) -> str:
    """Return the arguments of a module as Ansible passes them."""
    ours = {"_ansible_check_mode": check, "_ansible_diff": diff}
    return json.dumps({"ANSIBLE_MODULE_ARGS": {"endpoint_url": sandbox.url, **ours, **options}})


class Module:
    """A module that runs."""

    def __init__(self, name: str, text: str, folder: Path) -> None:
        folder.mkdir()
        (folder / "0").write_text(text)
        self._folder = folder
        self.process = FORKS.Process(target=_become, args=(MODULES + name, folder, dict(os.environ)), daemon=True)
        self.process.start()
        self.pid = self.process.pid

    @property
    def runs(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        """Send SIGKILL to the module and wait until it is gone."""
        self.process.kill()
        self.process.join()

    def result(self) -> dict[str, Any]:
        """Return the module's result. Assert that it has a message if, and only if, it failed."""
        self.process.join(PATIENCE)
        assert not self.runs, "it does not end"
        output, errors = ((self._folder / number).read_text() for number in "12")
        assert "Traceback" not in output + errors, output + errors
        assert errors == ""
        result: dict[str, Any] = json.loads(output)
        assert bool(result.get("failed")) == bool(self.process.exitcode) == bool(result.get("msg")), result
        return result


def _become(module: str, folder: Path, environment: dict[str, str]) -> None:
    """Turn this process into one that runs a module: its input, output and errors are the files 0, 1 and 2."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    for number, flags in enumerate([os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT]):
        os.dup2(os.open(folder / str(number), flags, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in enumerate("rww"))  # noqa: SIM115, PTH123
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [module]
    sys.modules.pop(module, None)  # modules that it imports stay loaded
    runpy.run_module(module, run_name="__main__", alter_sys=True)


@dataclass(frozen=True)
class Warm:
    """Interpreters that start quickly, one for programs of Ansible and one for modules."""

    ansible: Path
    modules: Path

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command that runs a program of Ansible with the given arguments."""
        path = shutil.which(program)
        assert path
        return [str(self.ansible), path, *arguments, "-e", f"ansible_python_interpreter={self.modules}"]


class Playbook:
    """ansible-playbook with a play of some tasks on localhost. The sandbox takes the place of AWS."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, tasks: Any, *options: str, warm: Warm | None = None, **play: Any
    ) -> None:
        path = folder / "play.yml"
        text = tasks if isinstance(tasks, str) else yaml.safe_dump(tasks)
        head = yaml.safe_dump([{"name": "Test", "hosts": "localhost", "gather_facts": False, **play}])
        path.write_text(head + "  tasks:\n" + "".join(f"    {line}\n" for line in text.splitlines()))
        command = ["ansible-playbook", str(path), *options]
        self.process = subprocess.Popen(
            warm.command(*command) if warm else command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **SETTINGS, "AWS_URL": sandbox.url},
            text=True,
            start_new_session=True,
        )
        self.pid = self.process.pid
        self.errors = ""  # what it printed to standard error, set by results()

    def kill(self) -> None:
        """Send SIGKILL to its whole group, as ansible-runner does. Modules are in their own groups."""
        if self.process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def results(self) -> list[dict[str, Any]]:
        """Return what each task returned, in order."""
        output, self.errors = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in output + self.errors, output + self.errors
        told = json.loads(output)
        return [task["hosts"]["localhost"] for play in told["plays"] for task in play["tasks"]]
