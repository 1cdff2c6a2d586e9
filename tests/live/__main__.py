# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.live -e @build/live.json: run smoke.yml, and cleanup.yml after it if anything may be left.

The arguments are those of ansible-playbook. Ansible runs no ``always`` when it is interrupted, so this program stops
Ansible with all of its processes, and then removes whatever was created.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.live.account import FOLDER, MARKER

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 15.0  # seconds for a process to end after SIGTERM


class Interrupted(Exception):
    pass


def start(playbook: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start this Python's ansible-playbook with this checkout's collection, out of reach of the terminal's Ctrl-C."""
    build = str(ROOT / "build/collections")
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": build, "PYTHONPATH": build, "PATH": beside}
    command = ["ansible-playbook", str(HERE / playbook), *arguments]
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)


def descendants(pid: int) -> set[int]:
    """Return the descendants of a process. Sessions do not tell: Ansible's workers and modules have their own."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in listed.splitlines())}
    found, new = set(), {pid}
    while new := {child for child, parent in parents.items() if parent in new}:
        found |= new
    return found


def end(play: subprocess.Popen[bytes]) -> None:
    """End a playbook and all of its processes. SIGSTOP comes first, so that none can start another one meanwhile."""
    stopped: set[int] = set()
    while new := {play.pid, *descendants(play.pid)} - stopped:
        signal_all(new, signal.SIGSTOP)
        stopped |= new
    signal_all(stopped, signal.SIGTERM)
    signal_all(stopped, signal.SIGCONT)
    limit = time.monotonic() + GRACE
    while signal_all(stopped, 0) and time.monotonic() < limit:
        play.poll()
        time.sleep(0.1)
    signal_all(stopped, signal.SIGKILL)
    play.wait()


def signal_all(pids: set[int], number: int) -> bool:
    """Send a signal to all processes, and return whether any of them existed."""
    there = False
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            there = True
    return there


def run(arguments: list[str]) -> int:
    def interrupt(number: int, _frame: object) -> None:
        on_signals(say_what_happens)
        raise Interrupted(signal.Signals(number).name)

    def say_what_happens(_number: int, _frame: object) -> None:
        print("Everything that was created is being removed. Wait some minutes.", flush=True)

    play = None
    on_signals(interrupt)
    try:
        play = start("smoke.yml", *arguments)
        code = play.wait()
    except Interrupted as signalled:
        print(f"\n{signalled}: everything that was created is going to be removed.", flush=True)
        if play:
            end(play)
        code = 130
    on_signals(say_what_happens)
    if (FOLDER / MARKER).exists():
        removed = start("cleanup.yml", *arguments).wait()
        print("Nothing is left." if removed == 0 else "Something may be left: run tests/live/cleanup.yml again.")
        code = code or removed
    return code


def on_signals(handler: Callable[[int, Any], None]) -> None:
    for number in SIGNALS:
        signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
