# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make the decisions of the role scheduled_task. ``_filters`` explains why each imports what it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils._core.errors import Refused
from ..module_utils._core.stacks.difference import NO_PLAN
from ..plugin_utils._filters import checked, or_refused, without_prefix

PREFIX = "scheduled_task_"


def scheduled_task_names(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ecs_stack_info must look up, or why the variables cannot be used."""
    from ..module_utils._core.stacks.scheduled_task.plan import names_to_find

    return or_refused(lambda: {"find": names_to_find(without_prefix(PREFIX, variables), read_options)}, find={})


def scheduled_task_plan(variables: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the role must do."""
    from ..module_utils._core.stacks.scheduled_task.plan import make_plan

    bare = without_prefix(PREFIX, variables)
    return or_refused(lambda: make_plan(bare, stack, read_options, time.time()), **NO_PLAN)


def read_options(module: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Read the options of a module as Ansible does. Raises ``Refused``."""
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ..module_utils import _machine_options, _schedule_options
    from ..module_utils._core.option_values import given_values

    options_of = {"ecs_task_state_machine": _machine_options, "ecs_task_schedule": _schedule_options}
    arguments = options_of[module].ARGUMENTS
    read = ArgumentSpecValidator(arguments).validate(given_values(arguments, options))
    if read.error_messages:
        raise Refused(f"The options of {module}: {'; '.join(read.error_messages)}")
    parameters: dict[str, Any] = read.validated_parameters
    return parameters


class FilterModule:
    """The class that Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        wanted = "the variables of the role scheduled_task and what ecs_stack_info returned"
        return checked(wanted, scheduled_task_names, scheduled_task_plan)
