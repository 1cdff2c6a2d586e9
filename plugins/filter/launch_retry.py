# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of the role launch_retry, which decide everything that it does."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import Refused
from ..module_utils._core.stacks.difference import refused
from ..module_utils._core.stacks.launch_retry.plan import REMOVES, names_to_find, options_to_pack, plan_stack


def launch_retry_names(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the role has to look for: ``find``, or ``refused`` with a message."""
    try:
        return {"refused": "", "find": names_to_find(variables)}
    except Refused as error:
        return {"refused": str(error), "find": {}}


def launch_retry_options(variables: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that go into the package of the function. The variables were checked before."""
    try:
        return options_to_pack(variables, stack)
    except Refused as error:
        raise AnsibleFilterError(f"steadyops.ecs.launch_retry_options: {error}") from None


def launch_retry_plan(
    variables: Mapping[str, Any], stack: Mapping[str, Any], packed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the role has to write, or ``refused`` with a message. ``packed`` is the result of package_function.

    ``files`` are the files of tasks that have something to do.
    """
    try:
        if packed.get("rc"):
            raise Refused(packed.get("stderr") or packed.get("msg") or "The function cannot be packed")
        plan = plan_stack(variables, stack, json.loads(packed.get("stdout") or "{}"))
    except Refused as error:
        return {**refused(error), "files": []}
    changed = {key for key, step in plan.steps.items() if step.items}
    files = {"make.yml": any(key not in REMOVES for key in changed), "remove.yml": bool(changed & REMOVES)}
    return {**plan.facts(), "files": [name for name, used in files.items() if used]}


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with an error of Ansible for input of another shape. It quotes no value: one may be a secret."""

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise AnsibleFilterError(
                f"steadyops.ecs.{function.__name__}: the input must be the variables of the role launch_retry and what "
                f"its tasks returned ({type(error).__name__})"
            ) from None

    return checked


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {each.__name__: _checked(each) for each in (launch_retry_names, launch_retry_options, launch_retry_plan)}
