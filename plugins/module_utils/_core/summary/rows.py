# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The row of one service in a summary, made from a result of ``ecs_service_recycle``.

A row is small on purpose. The result for a service with a thousand tasks has thousands of entries, and Ansible keeps
every registered value of each host until the play ends.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..arns import parse_arn
from ..errors import Refused
from ..plain_text import one_line

RECYCLED, UNCHANGED, RESTORED, FAILED, NOT_STARTED = "recycled", "unchanged", "restored", "failed", "not started"
STATUSES = (RECYCLED, UNCHANGED, RESTORED, FAILED, NOT_STARTED)
_LONGEST = 2000  # characters of a message


@dataclass(frozen=True)
class Row:
    """``failures``: new tasks that ended by themselves. ``floor`` and ``least_healthy`` are None if never seen."""

    name: str
    status: str
    replaced: int = 0
    skipped: int = 0
    failures: int = 0
    remaining: int = 0
    seconds: float = 0.0
    floor: int | None = None
    least_healthy: int | None = None
    check: bool = False  # whether it only shows what would be done
    message: str = ""  # why it failed
    untold: tuple[str, ...] = ()  # notifications that were not sent, and why
    service: str = ""  # ARN, if it is known
    selector: str = ""  # such as ``max_task_age: 7d``
    timeline: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The region and the account."""
        arn = parse_arn(self.service)
        return f"{arn.region}, account {arn.account}" if arn else ""

    @property
    def shown(self) -> str:
        """The status as shown to people. In check mode it must not read as if something was done."""
        return (
            {RECYCLED: "would recycle", RESTORED: "would restore"}.get(self.status, self.status)
            if self.check
            else self.status
        )


def count_shown(rows: Iterable[Row]) -> dict[str, int]:
    """Return shown status -> number of services, for each status that occurs."""
    found = Counter(row.shown for row in sorted(rows, key=lambda row: STATUSES.index(row.status)))
    return dict(found)


def make_row(
    result: Mapping[str, Any],
    name: str,
    message: str = "",
    check: bool = False,
    untold: tuple[str, ...] = (),
    timeline: bool = False,
    service: str = "",
) -> dict[str, Any]:
    """Return the row of a result. ``message`` says why it failed if it failed outside the module.

    ``service`` is the name or ARN that the user gave, since the result of a run that failed early has no ARN.
    """
    called = one_line(service)
    recycle: Mapping[str, Any] = result.get("recycle") or {}
    plan: Mapping[str, Any] = recycle.get("plan") or {}
    why = message or (one_line(result.get("msg")) if result.get("failed") else "")
    row = Row(
        name=one_line(name),
        status=FAILED if why or not recycle else one_line(recycle.get("status")),
        replaced=len(recycle.get("replaced") or ()),
        skipped=len(recycle.get("skipped") or ()),
        failures=len(recycle.get("failures") or ()),
        remaining=len(recycle.get("remaining") or ()),
        seconds=_number(recycle.get("seconds")),
        floor=plan.get("minimum_healthy"),
        least_healthy=recycle.get("minimum_healthy"),
        check=check,
        message=one_line(why)[:_LONGEST],
        untold=tuple(one_line(each)[:_LONGEST] for each in untold),
        service=one_line(recycle.get("service")) or (called if parse_arn(called) else ""),
        selector=_selector_words(recycle.get("selector") or {}),
        timeline=(recycle.get("timeline") or {}) if timeline else {},
    )
    return {**_as_dict(row), "untold": list(row.untold)}


def read_rows(summary: Mapping[str, Any]) -> list[Row]:
    """Read the rows that Ansible kept by host; None means that the host had no turn. Raises ``Refused``."""
    return [_read(host, kept) if kept else Row(one_line(host), NOT_STARTED) for host, kept in summary.items()]


def _read(host: str, kept: Any) -> Row:
    known = {each.name for each in fields(Row)}
    if not isinstance(kept, Mapping) or not known >= set(kept) >= {"name", "status"} or kept["status"] not in STATUSES:
        raise Refused(f"the input for {host} is not a row of recycle_row")
    return Row(**{**kept, "untold": tuple(kept.get("untold", ()))})


@dataclass(frozen=True)
class Totals:
    """The totals of all services. ``seconds`` is the time of the slowest."""

    services: int
    statuses: Mapping[str, int]  # status -> number of services, for each status that occurs
    replaced: int
    skipped: int
    failures: int
    remaining: int
    seconds: float


def add_up(rows: list[Row]) -> Totals:
    found = {status: sum(row.status == status for row in rows) for status in STATUSES}
    return Totals(
        services=len(rows),
        statuses={status: count for status, count in found.items() if count},
        replaced=sum(row.replaced for row in rows),
        skipped=sum(row.skipped for row in rows),
        failures=sum(row.failures for row in rows),
        remaining=sum(row.remaining for row in rows),
        seconds=max((row.seconds for row in rows), default=0.0),
    )


def totals_dict(rows: list[Row]) -> dict[str, Any]:
    """Return the totals, the failed services and those that never started, for use by programs."""
    return {
        **_as_dict(add_up(rows)),
        "failed": {row.name: row.message for row in rows if row.status == FAILED},
        "not_started": [row.name for row in rows if row.status == NOT_STARTED],
    }


def _as_dict(of: Row | Totals) -> dict[str, Any]:
    """Return the fields without a deep copy, unlike ``dataclasses.asdict``: Ansible's lazy containers refuse that."""
    return {each.name: getattr(of, each.name) for each in fields(of)}


def _selector_words(selector: Mapping[str, Any]) -> str:
    """Return words such as ``max_task_age: 7d``: only the name if the value is true, and the number of named tasks."""
    return one_line("; ".join(
        name if given is True else f"{name}: {len(given) if isinstance(given, (list, tuple)) else given}"
        for name, given in selector.items()
    ))[:_LONGEST]  # fmt: skip


def _number(value: object) -> float:
    number = float(value) if isinstance(value, (int, float)) else 0.0
    return number if math.isfinite(number) else 0.0
