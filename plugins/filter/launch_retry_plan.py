# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make the decisions of the role launch_retry. ``_filters`` explains why each imports what it needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils._core.errors import Refused
from ..module_utils._core.stacks.difference import NO_PLAN
from ..plugin_utils._filters import checked, or_refused


def launch_retry_names(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the role has to look for: ``find``, or ``refused`` with a message."""
    from ..module_utils._core.stacks.launch_retry.plan import names_to_find

    return or_refused(lambda: {"find": names_to_find(variables)}, find={})


def launch_retry_options(variables: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that go into the package of the function. The variables were checked before."""
    from ..module_utils._core.stacks.launch_retry.plan import options_to_pack

    return options_to_pack(variables, stack)


def launch_retry_plan(
    variables: Mapping[str, Any], stack: Mapping[str, Any], packed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the role has to write, or ``refused`` with a message. ``packed`` is the result of package_function.

    ``files`` are the task files that have work to do.
    """
    from ..module_utils._core.stacks.launch_retry.plan import REMOVES, plan_stack

    def plan() -> dict[str, Any]:
        if packed.get("rc"):
            raise Refused(packed.get("stderr") or packed.get("msg") or "The function cannot be packed")
        planned = plan_stack(variables, stack, json.loads(packed.get("stdout") or "{}"))
        changed = {key for key, step in planned.steps.items() if step.items}
        files = {"make.yml": any(key not in REMOVES for key in changed), "remove.yml": bool(changed & REMOVES)}
        return {**planned.facts(), "files": [name for name, used in files.items() if used]}

    return or_refused(plan, **NO_PLAN, files=["refuse.yml"])


class FilterModule:
    """The class that Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        wanted = "the variables of the role launch_retry and what its tasks returned"
        return checked(wanted, launch_retry_names, launch_retry_options, launch_retry_plan)
