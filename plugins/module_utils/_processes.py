# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Processes of this machine, read from /proc where there is one."""

from __future__ import annotations

import os
from pathlib import Path, PurePath
from typing import NamedTuple


class Process(NamedTuple):
    """One process as the kernel shows it. ``start`` counts clock ticks since the machine started."""

    pid: int
    parent: int
    state: str  # one letter: R, S, D, T, Z, X ...
    start: int

    @property
    def dead(self) -> bool:
        """Whether the process has ended and its parent has not yet collected the exit status."""
        return self.state in ("Z", "X")


def look_at(pid: int) -> Process | None:
    """Return the process with this pid, or None if it does not exist or cannot be read."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        # The second field, the name, is in parentheses and may itself contain parentheses and blanks.
        fields = text[text.rindex(")") + 2 :].split()
        return Process(pid, parent=int(fields[1]), state=fields[0], start=int(fields[19]))
    except (OSError, ValueError, IndexError):
        return None


def command_line(pid: int) -> tuple[str, ...]:
    """Return the arguments of a process, or an empty tuple if they cannot be read."""
    try:
        return tuple(Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").rstrip("\0").split("\0"))
    except OSError:
        return ()


class Lineage:
    """The processes from this one up to the Ansible command that started it, as they are now.

    Watching the parent is not enough: Ansible runs a module through a worker process and one or two shells, and
    all of these continue when the command itself is killed. Nothing above the Ansible command is watched,
    because a user may leave a shell while its command continues (nohup, tmux). If no Ansible command is found
    (over ssh, async, no /proc), only the parent is watched.
    """

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._links = _links_to_ansible()

    def broken(self) -> bool:
        """Return whether any of them has ended: the kernel then gives its child another parent."""
        if os.getppid() != self._parent or self._links is None:
            return True
        for pid, parent in self._links:
            process = look_at(pid)
            if process is not None and process.parent != parent:
                return True
        return False


def _links_to_ansible() -> tuple[tuple[int, int], ...] | None:
    """Return pairs (process, parent) from this process's parent up to the Ansible command.

    Empty if there is no such command; None if there was one but it has already been killed.
    """
    links: list[tuple[int, int]] = []
    pid, worker = os.getppid(), False
    for _generation in range(20):
        process = look_at(pid)
        if process is None or process.parent <= 1:
            break
        links.append((pid, process.parent))
        pid = process.parent
        command = command_line(pid)
        if not _is_ansible(command):
            continue
        # A worker is a fork of the Ansible command and has the same command line. The first Ansible process
        # whose parent has another command line is the command itself.
        above = look_at(pid)
        if above is None or command_line(above.parent) != command:
            orphan = above is not None and above.parent == 1 and not worker
            return None if orphan else tuple(links)
        worker = True
    return ()


def _is_ansible(command: tuple[str, ...]) -> bool:
    """Return whether this is the command line of ansible-playbook, ansible, ansible-console, python -m ansible ..."""
    if command[1:2] == ("-m",):
        return command[2:3] == ("ansible",)
    return any(PurePath(word).name.startswith("ansible") for word in command[:2])
