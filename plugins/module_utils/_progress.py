# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Lines that a module tells its action plugin while it works, through a named pipe on the same machine.

The pipe is for looking on only: a module that finds none, or whose reader is slow or gone, works on as if nothing were.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

VARIABLE = "STEADYOPS_ECS_PROGRESS"  # of the environment; names the pipe
HELLO = "\x01"  # the first line: the pipe is open, and its name no longer needed
LONGEST = 1000  # bytes; what is shorter than a page goes through a pipe in one piece


def teller() -> Callable[[str], None] | None:
    """A function that tells one line; None where nobody listens."""
    path = os.environ.pop(VARIABLE, None)
    if not path:
        return None
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None

    def tell(line: str) -> None:
        with contextlib.suppress(OSError):  # full, or nobody reads any more
            os.write(pipe, " ".join(line.split()).encode()[:LONGEST] + b"\n")

    with contextlib.suppress(OSError):
        os.write(pipe, f"{HELLO}\n".encode())
    return tell
