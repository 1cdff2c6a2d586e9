# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the lease, and who certainly no longer does."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._lease_owner import LONGEST, is_dead, own_name

PRINT_NAME = """
from ansible_collections.steadyops.ecs.plugins.module_utils._lease_owner import own_name
print(own_name(), flush=True)
input()
"""


@pytest.fixture
def child():
    """Return the process and the owner name of another run."""
    command = [sys.executable, "-c", PRINT_NAME]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_a_name_fits_into_a_tag():
    name = own_name()
    assert re.fullmatch(r"[0-9a-f]{8}\.[0-9]+\.[0-9]+\.[A-Za-z0-9._-]*", name)
    assert len(name) <= LONGEST
    assert name.split(".")[1] == str(os.getpid())
    assert own_name() == name


def test_a_living_run_is_not_dead(child):
    _process, name = child
    assert name.split(".")[0] == own_name().split(".")[0], "the same machine"
    assert not is_dead(name)
    assert not is_dead(own_name())


def test_a_killed_run_is_dead_before_and_after_its_parent_has_noticed(child):
    process, name = child
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
    assert is_dead(name)
    process.wait()
    assert is_dead(name)


def test_a_number_that_was_given_to_another_process():
    machine, pid, start, host = own_name().split(".", 3)
    assert is_dead(f"{machine}.{pid}.{int(start) + 1}.{host}")


@pytest.mark.parametrize(
    "change",
    [
        lambda machine, pid, start, host: f"ffffffff.{pid}.{start}.{host}",  # another machine
        lambda machine, pid, start, host: f"00000000.{pid}.{start}.{host}",  # a machine without /proc
        lambda machine, pid, start, host: f"{machine}.999999999.0.{host}",  # start not known
        lambda machine, pid, start, host: f"{machine}.0.{start}.{host}",
        lambda machine, pid, start, host: f"{machine}.-1.{start}.{host}",
        lambda machine, pid, start, host: f"{machine}.{pid}",
        lambda machine, pid, start, host: "",
        lambda machine, pid, start, host: "somebody else",
    ],
)
def test_when_in_doubt_it_lives(change):
    assert not is_dead(change(*own_name().split(".", 3)))


def test_a_number_that_no_process_can_have():
    machine, _pid, start, host = own_name().split(".", 3)
    assert is_dead(f"{machine}.{2**70}.{start}.{host}")
