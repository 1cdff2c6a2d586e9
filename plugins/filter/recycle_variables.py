# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that check variables of the role and the playbook service_recycle."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import Refused
from ..module_utils._core.stacks.service_recycle import check_role_variables, options_of_playbook


def recycle_variables(names: Iterable[str]) -> str:
    """Return why the role refuses its variables, by their names; an empty text if it does not."""
    try:
        check_role_variables(names)
    except Refused as error:
        return str(error)
    return ""


def recycle_options(names: Iterable[str]) -> dict[str, Any]:
    """Return the ``options`` to hand to the role, from the names of extra variables; or why these are ``refused``."""
    try:
        return {"options": options_of_playbook(names), "refused": ""}
    except Refused as error:
        return {"options": {}, "refused": str(error)}


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with an error of Ansible for input of another shape. It quotes no value: one may be a secret."""

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise AnsibleFilterError(
                f"steadyops.ecs.{function.__name__}: the input must be names of variables ({type(error).__name__})"
            ) from None

    return checked


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {each.__name__: _checked(each) for each in (recycle_variables, recycle_options)}
