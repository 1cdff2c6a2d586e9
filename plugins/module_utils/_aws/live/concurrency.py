# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring the reserved concurrency of a Lambda function into its wanted state."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..._core.change import Change
from ..._core.errors import CallFailed, Failed
from ..calls import functions

_NO_ROOM = "UnreservedConcurrentExecution"


def write_concurrency(client: Any, name: str, change: Change) -> Generator[str | float, None, None]:
    """Make the one write of ``change``. Raise ``Failed`` if a quota forbids it or the function does not exist."""
    if change.after is None:
        functions.delete_concurrency(client, name)
        yield "removed the reserved concurrency"
        return
    count = change.after["reserved_concurrent_executions"]
    try:
        exists = functions.put_concurrency(client, name, count)
    except CallFailed as error:
        if _NO_ROOM not in str(error):
            raise
        raise Failed(
            f"{count} executions cannot be reserved for {name}: {error}. Reserve fewer or none, or ask AWS to raise "
            "the quota of concurrent executions"
        ) from None
    if not exists:
        raise Failed(f"The function {name} does not exist. Create it first, or check function_name")
    yield f"reserved {count} executions"
