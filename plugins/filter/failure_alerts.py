# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that decide for the role failure_alerts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import Refused
from ..module_utils._core.stacks.difference import refused
from ..module_utils._core.stacks.failure_alerts.look import look, look_again, together
from ..module_utils._core.stacks.failure_alerts.plan import plan_alerts, web_secrets
from ..module_utils._core.stacks.failure_alerts.variables import read_alerts

PREFIX = "failure_alerts_"


def failure_alerts_names(variables: Mapping[str, Any]) -> dict[str, Any]:
    """What to look at, or why nothing will be done."""
    try:
        return {"refused": "", "look": look(read_alerts(_bare(variables)))}
    except Refused as error:
        return {"refused": str(error), "look": {}}


def failure_alerts_plan(
    variables: Mapping[str, Any],
    stack: Mapping[str, Any],
    package: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What to write, or why nothing will be done, or what has to be looked at first."""
    try:
        alerts = read_alerts(_bare(variables))
        again = look_again(alerts, stack) if more is None else {}
        if again:
            return {**refused(""), "look": again}
        return {**plan_alerts(alerts, together(stack, more or {}), package or {}), "look": {}}
    except Refused as error:
        return {**refused(error), "look": {}}


def failure_alerts_secrets(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The secrets that the plan leaves out."""
    try:
        return web_secrets(read_alerts(_bare(variables)))
    except Refused:
        return {"connections": {}, "environment": {}}


def _bare(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables without the prefix of the role."""
    return {str(name).removeprefix(PREFIX): value for name, value in variables.items()}


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with an error of Ansible for input of another shape. It quotes no value: one may be a secret."""

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise AnsibleFilterError(
                f"steadyops.ecs.{function.__name__}: the input must be the variables of the role failure_alerts and "
                f"what ecs_stack_info returned ({type(error).__name__})"
            ) from None

    return checked


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        filters = (failure_alerts_names, failure_alerts_plan, failure_alerts_secrets)
        return {each.__name__: _checked(each) for each in filters}
