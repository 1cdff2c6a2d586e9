# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What the filters share: names without a prefix, refusals as values, and errors of Ansible.

For any filter, Ansible loads all files of filters, compiles them and what they import, and does so again in every task.
So filters of roles import what they need when they are called.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import Refused

Filter = Callable[..., Any]


def without_prefix(prefix: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of a role by their names without its prefix."""
    return {str(name).removeprefix(prefix): value for name, value in variables.items()}


def or_refused(decide: Callable[[], Mapping[str, Any]], **empty: Any) -> dict[str, Any]:
    """Return what ``decide`` returns, with an empty text as ``refused``; or the reason, and the ``empty`` values."""
    try:
        return {"refused": "", **decide()}
    except Refused as error:
        return {**empty, "refused": str(error)}


def checked(wanted: str, *functions: Filter) -> dict[str, Filter]:
    """Return the filters by their names. They raise an error of Ansible for input that is not what is ``wanted``.

    A refusal is quoted. Other errors are not: they may hold a secret of the user.
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
