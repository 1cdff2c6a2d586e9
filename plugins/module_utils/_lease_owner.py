# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The owner of a lease: name this run, and find out whether the process of another run is certainly gone."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from pathlib import Path

from ._processes import look_at

LONGEST = 60  # characters; the name is one part of a tag's value, which may have 256

_OWNER = re.compile(r"(?P<machine>[0-9a-f]{8})\.(?P<pid>[1-9][0-9]*)\.(?P<start>[0-9]+)\.(?P<host>[A-Za-z0-9._-]*)")


def own_name() -> str:
    """Return ``<machine>.<pid>.<start>.<hostname>`` of this process, in the characters A-Z a-z 0-9 . _ -

    ``machine`` is a digest of host name, boot and pid namespace: processes with the same digest can see each
    other's pids. ``start`` is the clock tick at which the process started. Each is zero if unknown.
    """
    process = look_at(os.getpid())
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())
    return f"{_machine() or '00000000'}.{os.getpid()}.{process.start if process else 0}.{host}"[:LONGEST]


def is_dead(owner: str) -> bool:
    """Return True only if it is certain that the owner ran on this machine and that its process no longer exists."""
    name, machine = _OWNER.fullmatch(owner), _machine()
    if not name or not machine or name["machine"] != machine or name["start"] == "0":
        return False
    pid = int(name["pid"])
    try:
        os.kill(pid, 0)  # sends no signal; also finds processes that /proc may hide from other users
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:
        pass
    process = look_at(pid)
    return process is not None and (process.dead or process.start != int(name["start"]))


def _machine() -> str | None:
    """Return eight hexadecimal digits, or None if /proc does not provide the facts."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return None
    return hashlib.sha256(f"{socket.gethostname()}\n{boot}\n{namespace}".encode()).hexdigest()[:8]
