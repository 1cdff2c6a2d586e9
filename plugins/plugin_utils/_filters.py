# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Helpers that the filters share: names without a prefix, refusals as values, and Ansible errors.

To find any filter, Ansible loads and compiles all filter files and their imports, again in every task. So the filters
of roles import what they need only when they are called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import Refused

Filter = Callable[..., Any]


def without_prefix(prefix: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of a role, with the prefix removed from their names."""
    return {str(name).removeprefix(prefix): value for name, value in variables.items()}


def or_refused(decide: Callable[[], Mapping[str, Any]], **empty: Any) -> dict[str, Any]:
    """Return the result of ``decide`` with an empty ``refused``. On ``Refused``, return the reason and ``empty``."""
    try:
        return {"refused": "", **decide()}
    except Refused as error:
        return {**empty, "refused": str(error)}


def checked(wanted: str, *functions: Filter) -> dict[str, Filter]:
    """Return the filters by name, made to raise an Ansible error if the input is not what is ``wanted``.

    The error quotes a refusal, but no other exception, because that may hold a secret of the user.
    """
    return {function.__name__: _checked(wanted, function) for function in functions}


def _checked(wanted: str, function: Filter) -> Filter:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except Refused as error:
            words = str(error)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            words = f"the input must be {wanted} ({type(error).__name__})"
        raise AnsibleFilterError(f"steadyops.ecs.{function.__name__}: {words}")

    return call
