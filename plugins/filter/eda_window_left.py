# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make the decisions of the playbooks that Event-Driven Ansible starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils._filters import checked


def eda_window_left(window: Any, now: float | None = None) -> int:
    """Return the seconds until a maintenance window closes; 0 while it is closed."""
    from ..module_utils._core.eda.window import seconds_left

    return seconds_left(window, time.time() if now is None else float(now))


def eda_retirement_mark(tag: str | None, facts: Mapping[str, Any]) -> str:
    """Return the value that a service's tag has after AWS has announced a retirement of its tasks."""
    from ..module_utils._core.eda.mark import mark

    return mark(tag, facts)


def eda_retirement_instant(tag: str | None) -> str:
    """Return the instant in a service's tag; an empty text if the tag holds none."""
    from ..module_utils._core.eda.mark import started_before

    return started_before(tag) or ""


def eda_names_secret(
    task_definition: Mapping[str, Any], changes: Sequence[Mapping[str, Any]] | None, region: str
) -> bool:
    """Return whether a task definition, from community.aws.ecs_taskdefinition_info, names a changed secret."""
    from ..module_utils._core.eda.read import names_changed

    return names_changed([_container(each) for each in task_definition["container_definitions"]], changes, region)


def _container(returned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that a container definition contains, in the spelling of ECS."""
    log, registry = (returned.get(name) or {} for name in ("log_configuration", "repository_credentials"))
    parameter = registry.get("credentials_parameter")
    return {
        "secrets": _named(returned.get("secrets")),
        "logConfiguration": {"secretOptions": _named(log.get("secret_options"))},
        "repositoryCredentials": {"credentialsParameter": parameter} if parameter else {},
    }


def _named(secrets: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [{"valueFrom": each["value_from"]} for each in secrets or []]


class FilterModule:
    """The class that Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        wanted = "what the filter ecs_event, the inventory ecs_services or a module returned"
        return checked(wanted, eda_window_left, eda_retirement_mark, eda_retirement_instant, eda_names_secret)
