# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that turn results of ecs_service_recycle into rows, tables, pages and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..module_utils._core.errors import Refused
from ..module_utils._core.summary.notice import make_notice
from ..module_utils._core.summary.page import make_page
from ..module_utils._core.summary.rows import Row, make_row, read_rows, totals_dict
from ..module_utils._core.summary.table import table_lines
from ..plugin_utils._filters import checked


def recycle_row(
    result: Mapping[str, Any],
    name: str,
    message: str = "",
    check: bool = False,
    untold: Iterable[str] = (),
    timeline: bool = False,
    service: str = "",
) -> dict[str, Any]:
    """Return the part of a result that is kept: the numbers and, if wanted, the timeline."""
    return make_row(_mapping(result), name, message, bool(check), tuple(untold), bool(timeline), service)


def recycle_table(summary: Mapping[str, Any]) -> list[str]:
    """Return the lines of a table."""
    return table_lines(_rows(summary))


def recycle_totals(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the totals of all services."""
    return totals_dict(_rows(summary))


def recycle_page(summary: Mapping[str, Any], when: str = "") -> str:
    """Return an HTML page."""
    return make_page(_rows(summary), str(when))


def recycle_notice(
    result: Mapping[str, Any], cluster: str, service: str, started: bool = False, prefix: str = "", message: str = ""
) -> dict[str, str]:
    """Return a message: event, subject and body."""
    return make_notice(_mapping(result), cluster, service, bool(started), prefix, message)


def _rows(summary: Any) -> list[Row]:
    return read_rows(_mapping(summary))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Refused(f"the input must be a dictionary (got {type(value).__name__})")
    return value


class FilterModule:
    """The class that Ansible loads from this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        wanted = "what ecs_service_recycle or recycle_row returned"
        return checked(wanted, recycle_row, recycle_table, recycle_totals, recycle_page, recycle_notice)
