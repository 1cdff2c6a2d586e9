# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Reserved concurrency: how many executions of a Lambda function may run at a time, out of the account's limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..change import Change
from ..errors import Refused
from ..names import FUNCTION_NAME, read_name


@dataclass(frozen=True)
class WantedConcurrency:
    """The wanted concurrency. ``reserved`` is None if none is reserved."""

    function_name: str
    reserved: int | None


def read_concurrency(params: Mapping[str, Any]) -> WantedConcurrency:
    """Read the options of the module. Raises ``Refused``."""
    name = read_name("function_name", params["function_name"], FUNCTION_NAME)
    reserved = params["reserved_concurrent_executions"]
    if params["state"] == "absent":
        return WantedConcurrency(name, None)
    if reserved is None:
        raise Refused(
            "reserved_concurrent_executions is required. Give the number of executions that may run at a time"
        )
    if reserved < 0:
        raise Refused(
            f"reserved_concurrent_executions must be 0 or more (got {reserved}). Set state=absent to reserve none"
        )
    return WantedConcurrency(name, reserved)


def plan_concurrency(wanted: WantedConcurrency, current: int | None) -> Change:
    """Return the current and the wanted state, in the format that the module returns."""
    return Change(concurrency_facts(wanted, current), concurrency_facts(wanted, wanted.reserved))


def concurrency_facts(wanted: WantedConcurrency, reserved: int | None) -> dict[str, Any] | None:
    """Return the state in the format that the module returns."""
    if reserved is None:
        return None
    return {"function_name": wanted.function_name, "reserved_concurrent_executions": reserved}
