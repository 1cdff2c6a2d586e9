# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that make rows, tables, pages and messages of what ecs_service_recycle returns."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import Refused
from ..module_utils._core.summary.notice import make_notice
from ..module_utils._core.summary.page import make_page
from ..module_utils._core.summary.rows import Row, make_row, read_rows, totals_dict
from ..module_utils._core.summary.table import table_lines


def recycle_row(
    result: Mapping[str, Any],
    name: str,
    message: str = "",
    check: bool = False,
    untold: Iterable[str] = (),
    timeline: bool = False,
) -> dict[str, Any]:
    """What is kept of a result: numbers, and the timeline where one is wanted."""
    return make_row(_mapping("recycle_row", result), name, message, bool(check), tuple(untold), bool(timeline))


def recycle_table(summary: Mapping[str, Any]) -> list[str]:
    """The lines of a table."""
    return table_lines(_rows("recycle_table", summary))


def recycle_totals(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What all services come to."""
    return totals_dict(_rows("recycle_totals", summary))


def recycle_page(summary: Mapping[str, Any], when: str = "") -> str:
    """A page of HTML."""
    return make_page(_rows("recycle_page", summary), str(when))


def recycle_notice(
    result: Mapping[str, Any], cluster: str, service: str, started: bool = False, prefix: str = "", message: str = ""
) -> dict[str, str]:
    """A message: event, subject and body."""
    return make_notice(_mapping("recycle_notice", result), cluster, service, bool(started), prefix, message)


def _rows(who: str, summary: Mapping[str, Any]) -> list[Row]:
    try:
        return read_rows(_mapping(who, summary))
    except Refused as error:
        raise AnsibleFilterError(f"steadyops.ecs.{who}: {error}") from None


def _mapping(who: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnsibleFilterError(f"steadyops.ecs.{who}: a dictionary is needed, and this is a {type(value).__name__}")
    return value


def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with an error of Ansible for what is shaped otherwise than the results and rows that it takes."""

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        try:
            return function(*args, **options)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise AnsibleFilterError(
                f"steadyops.ecs.{function.__name__}: the input must be what ecs_service_recycle or recycle_row "
                f"returned ({type(error).__name__}: {error})"
            ) from None

    return checked


class FilterModule:
    """What Ansible looks for in this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        filters = (recycle_row, recycle_table, recycle_totals, recycle_page, recycle_notice)
        return {each.__name__: _checked(each) for each in filters}
