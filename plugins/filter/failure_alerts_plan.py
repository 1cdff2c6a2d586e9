# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make the decisions of the role failure_alerts. ``_filters`` explains why each imports what it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..module_utils._core.stacks.difference import NO_PLAN
from ..plugin_utils._filters import checked, or_refused, without_prefix


def failure_alerts_names(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be looked up, or why nothing will be done."""
    from ..module_utils._core.stacks.failure_alerts.look import look

    return or_refused(lambda: {"look": look(_read(variables))}, look={})


def failure_alerts_plan(
    variables: Mapping[str, Any],
    stack: Mapping[str, Any],
    package: Mapping[str, Any] | None = None,
    more: Mapping[str, Any] | None = None,
    quiet_package: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what to write, or why nothing will be done, or what must be looked up first."""
    from ..module_utils._core.stacks.failure_alerts.look import look_again, together
    from ..module_utils._core.stacks.failure_alerts.plan import plan_alerts

    def plan() -> dict[str, Any]:
        alerts = _read(variables)
        again = look_again(alerts, stack) if more is None else {}
        both = together(stack, more or {})
        planned = NO_PLAN if again else plan_alerts(alerts, both, package or {}, quiet_package or {})
        return {**planned, "look": again}

    return or_refused(plan, **NO_PLAN, look={})


def failure_alerts_secrets(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the secrets that the plan omits."""
    from ..module_utils._core.stacks.failure_alerts.plan import web_secrets

    return or_refused(lambda: web_secrets(_read(variables)), connections={}, endpoints={}, environment={})


def _read(variables: Mapping[str, Any]) -> Any:
    from ..module_utils._core.stacks.failure_alerts.variables import read_alerts

    return read_alerts(without_prefix("failure_alerts_", variables))


class FilterModule:
    """The class that Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        wanted = "the variables of the role failure_alerts and what ecs_stack_info returned"
        return checked(wanted, failure_alerts_names, failure_alerts_plan, failure_alerts_secrets)
