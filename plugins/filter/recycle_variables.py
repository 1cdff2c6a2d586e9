# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that check variables of the role and the playbook service_recycle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..module_utils._core.stacks.service_recycle import (
    check_role_variables,
    options_in_one_process,
    options_of_playbook,
    unused_in_one_process,
)
from ..plugin_utils._filters import checked, or_refused


def recycle_variables(names: Iterable[str]) -> str:
    """Return why the role refuses variables with these names, or an empty text if it does not."""
    return str(or_refused(lambda: check_role_variables(names) or {})["refused"])


def recycle_options(names: Iterable[str]) -> dict[str, Any]:
    """Return the ``options`` to pass to the role, from the names of extra variables; or why these are ``refused``.

    ``in_one_process`` are the options for ``ecs_fleet_recycle``. ``unused`` are the variables that it does not use.
    """
    given = list(names)

    def read() -> dict[str, Any]:
        return {
            "options": options_of_playbook(given),
            "in_one_process": options_in_one_process(given),
            "unused": unused_in_one_process(given),
        }

    return or_refused(read, options={}, in_one_process={}, unused=[])


class FilterModule:
    """The class that Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return checked("names of variables", recycle_variables, recycle_options)
