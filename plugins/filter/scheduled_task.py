# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role scheduled_task: what to look for, and what to do about what was found."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils import _machine_options, _schedule_options
from ..module_utils._core.errors import Refused
from ..module_utils._core.option_values import given_values
from ..module_utils._core.stacks.difference import refused
from ..module_utils._core.stacks.scheduled_task.plan import make_plan, names_to_find
from ..module_utils._core.stacks.scheduled_task.variables import PREFIX

ARGUMENTS = {
    "ecs_task_state_machine": _machine_options.ARGUMENTS,
    "ecs_task_schedule": _schedule_options.ARGUMENTS,
}


def scheduled_task_names(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What ecs_stack_info has to look for, or why the variables cannot be used."""
    try:
        return {"find": names_to_find(_bare(variables), read_options), "refused": ""}
    except Refused as error:
        return {"find": {}, "refused": str(error)}


def scheduled_task_plan(variables: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """What the role has to do."""
    try:
        return make_plan(_bare(variables), stack, read_options, time.time())
    except Refused as error:
        return refused(error)


def read_options(module: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Read the options of a module as Ansible does. Raises ``Refused``."""
    arguments = ARGUMENTS[module]
    read = ArgumentSpecValidator(arguments).validate(given_values(arguments, options))
    if read.error_messages:
        raise Refused(f"The options of {module}: {'; '.join(read.error_messages)}")
    parameters: dict[str, Any] = read.validated_parameters
    return parameters


def _bare(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables by their names without the prefix of the role."""
    return {str(name).removeprefix(PREFIX): value for name, value in variables.items()}


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with an error of Ansible for input of another shape."""

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise AnsibleFilterError(
                f"steadyops.ecs.{function.__name__}: the input must be the variables of the role scheduled_task and "
                f"what ecs_stack_info returned ({type(error).__name__}: {error})"
            ) from None

    return checked


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {each.__name__: _checked(each) for each in (scheduled_task_names, scheduled_task_plan)}
