# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module notices when the Ansible command above it has been killed.

The processes are real and have the same parents as Ansible's: command, worker (a fork of it), two shells, module.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

MODULE = """
import sys
from ansible_collections.steadyops.ecs.plugins.module_utils._processes import Lineage
lineage = Lineage()
print("watching", flush=True)
for _line in sys.stdin:
    print("broken" if lineage.broken() else "whole", flush=True)
"""

COMMAND = """
import os, subprocess, sys, time
command = os.getpid()
worker = os.fork()
if worker:
    os.waitpid(worker, 0)
else:
    os.setsid()
    print(command, flush=True)
    while "late" in sys.argv and os.getppid() == command:
        time.sleep(0.01)
    print(os.getppid(), flush=True)
    subprocess.run(["/bin/sh", "-c", f"/bin/sh -c '{sys.executable} {sys.argv[1]} && :' && :"])
"""


def wait_for_the_module(process):
    """Wait for the module, and return the process id of the worker's parent."""
    parent = int(process.stdout.readline())
    assert process.stdout.readline() == "watching\n"
    return parent


def ask(process):
    process.stdin.write("?\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


@pytest.fixture
def start(tmp_path):
    """Start the command under a name, from a shell above it. Return the shell's process and the command's id."""
    started = []

    def under(name, *how):
        (tmp_path / "AnsiballZ_module.py").write_text(MODULE)
        (tmp_path / name).write_text(COMMAND)
        command = f"{sys.executable} {tmp_path / name} {tmp_path / 'AnsiballZ_module.py'} {' '.join(how)}; :"
        process = subprocess.Popen(["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, int(process.stdout.readline())

    yield under
    for process in started:
        process.stdin.close()  # the module ends, and all processes above it
        process.wait(timeout=60)
        process.stdout.close()


def test_the_command_is_killed(start):
    process, command = start("ansible-playbook")
    assert wait_for_the_module(process) == command
    assert ask(process) == "whole"
    os.kill(command, signal.SIGKILL)
    process.wait(timeout=60)
    assert ask(process) == "broken"


def test_the_command_was_killed_before_the_module_began(start):
    process, command = start("ansible-playbook", "late")
    os.kill(command, signal.SIGKILL)
    if wait_for_the_module(process) != 1:
        pytest.skip("orphans do not go to process 1 here")
    assert ask(process) == "broken"


def test_the_shell_above_the_command_may_go(start):
    process, _command = start("ansible-playbook")
    wait_for_the_module(process)
    process.kill()
    process.wait(timeout=60)
    assert ask(process) == "whole"


def test_without_an_ansible_command_only_the_parent_counts(start):
    process, command = start("something-else")
    wait_for_the_module(process)
    os.kill(command, signal.SIGKILL)
    process.wait(timeout=60)
    assert ask(process) == "whole"


def test_the_parent_is_killed(tmp_path):
    (tmp_path / "module.py").write_text(MODULE)
    command = f"{sys.executable} {tmp_path / 'module.py'}; :"
    with subprocess.Popen(
        ["/bin/sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "watching\n"
        assert ask(process) == "whole"
        process.kill()
        process.wait(timeout=60)
        assert ask(process) == "broken"
