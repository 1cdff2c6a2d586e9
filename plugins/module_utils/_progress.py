# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Lines that a module sends to its action plugin while it works, through a named pipe on the same machine.

The pipe only shows progress: a module that finds no pipe, or whose reader is slow or gone, works as usual.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

VARIABLE = "STEADYOPS_ECS_PROGRESS"  # environment variable with the path of the pipe
HELLO = "\x01"  # the first line: the pipe is open and its path is no longer needed
LONGEST = 1000  # bytes; a pipe passes anything shorter than a page in one piece


def teller() -> Callable[[str], None] | None:
    """Return a function that sends one line, or None if nobody reads."""
    path = os.environ.pop(VARIABLE, None)
    if not path:
        return None
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None

    def tell(line: str) -> None:
        with contextlib.suppress(OSError):  # the pipe is full, or nobody reads it any more
            os.write(pipe, " ".join(line.split()).encode()[:LONGEST] + b"\n")

    with contextlib.suppress(OSError):
        os.write(pipe, f"{HELLO}\n".encode())
    return tell
