# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Reads from the options of ``ecs_fleet_recycle`` which services to recycle, each with its settings and its wave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..amounts import read_seconds
from ..ecs.names import parse_service
from ..errors import Refused
from ..recycle.selector import SELECTORS
from ..recycle.settings import Settings, read_settings
from .run import Job
from .schedule import Limits

GIVEN, BY_NAME, LARGEST_FIRST = "given", "name", "largest"
ORDERS = (GIVEN, BY_NAME, LARGEST_FIRST)


@dataclass(frozen=True)
class Wanted:
    """A service to recycle, before anything but its name is known. ``own`` are its own options."""

    cluster: str
    service: str
    arn: str | None = None
    own: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.cluster}/{self.service}"


def read_services(written: Sequence[Any], cluster: str | None) -> list[Wanted]:
    """Read ``services``: names, ARNs, or dictionaries with checked options. Raise ``Refused`` for an invalid one."""
    wanted = [_wanted(each, cluster) for each in written]
    seen: set[str] = set()
    for each in wanted:
        if each.title in seen:
            raise Refused(f"services names {each.title} more than once. Name each service once")
        seen.add(each.title)
    return wanted


def _wanted(written: Any, cluster: str | None) -> Wanted:
    own = dict(written) if isinstance(written, Mapping) else {"service": str(written)}
    text, where = str(own.pop("service")), own.pop("cluster", None)
    is_arn = text.startswith("arn:")
    if where is None and not (is_arn and text.count("/") > 1):  # an ARN may name the cluster
        where = cluster
    try:
        name = parse_service(where, text)
    except Refused as refused:
        raise Refused(f"services: {refused}") from None
    return Wanted(name.cluster, name.service, text if is_arn else None, own)


def of_facts(facts: Iterable[Mapping[str, Any]]) -> list[Wanted]:
    """Return the services that a selection found, from their facts."""
    return [Wanted(each["cluster"], each["service"], each["service_arn"]) for each in facts]


def read_limits(params: Mapping[str, Any]) -> Limits:
    """Return the limits among the options. Raise ``Refused`` for a value that can never work."""
    for name in ("concurrency", "per_cluster"):
        if params[name] is not None and params[name] < 1:
            raise Refused(f"{name} must be a number of services from 1 (got {params[name]})")
    if params["max_failed_services"] is not None and params["max_failed_services"] < 0:
        raise Refused(f"max_failed_services must be 0 or more (got {params['max_failed_services']})")
    percentage = params["max_fail_percentage"]
    if percentage is not None and not 0 <= percentage <= 100:
        raise Refused(f"max_fail_percentage must be a percentage from 0 to 100 (got {percentage:g})")
    if params["calls_per_second"] <= 0:
        raise Refused(f"calls_per_second must be a number above 0 (got {params['calls_per_second']:g})")
    if params["fleet_timeout"] is not None:
        read_seconds("fleet_timeout", params["fleet_timeout"])
    return Limits(
        concurrency=params["concurrency"],
        per_cluster=params["per_cluster"],
        max_failed=params["max_failed_services"],
        max_fail_percentage=percentage,
        wave_wait=read_seconds("wave_wait", params["wave_wait"], zero=True),
    )


def merge_options(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of one service. Its own selector replaces the common one."""
    if any(own.get(name) not in (None, False) for name in SELECTORS):
        defaults = {**defaults, **dict.fromkeys(SELECTORS)}
    return {**defaults, **own}


def make_jobs(
    wanted: Sequence[Wanted],
    defaults: Mapping[str, Any],
    facts: Mapping[str, Mapping[str, Any]],
    order: str = GIVEN,
    wave_tag: str | None = None,
) -> list[Job]:
    """Return the services in the order in which they begin. Raise ``Refused``, naming the service if the option is its
    own. ``facts``, by title, have ``tags`` for ``wave_tag`` and ``desired_count`` for ``largest``."""
    common = None
    ordered = list(wanted)
    if order == BY_NAME:
        ordered.sort(key=lambda each: (each.service, each.cluster))
    elif order == LARGEST_FIRST:
        ordered.sort(key=lambda each: -facts.get(each.title, {}).get("desired_count", 0))
    waves = _waves([facts.get(each.title, {}).get("tags", {}).get(wave_tag) for each in ordered] if wave_tag else [])
    jobs = []
    for number, each in enumerate(ordered):
        if each.own:
            settings = _settings(each, defaults)
        else:
            settings = common = common or read_settings(defaults)
        jobs.append(Job(each.cluster, each.service, settings, waves[number] if wave_tag else 0, each.arn))
    return sorted(jobs, key=lambda job: job.wave)


def _settings(wanted: Wanted, defaults: Mapping[str, Any]) -> Settings:
    try:
        return read_settings(merge_options(defaults, wanted.own))
    except Refused as error:
        raise Refused(f"services, {wanted.title}: {error}") from None


def _waves(values: Sequence[str | None]) -> list[int]:
    """Return wave numbers from 0 in the order of the values: numbers, then other texts, then None for a missing tag."""
    ranks = {value: number for number, value in enumerate(sorted(set(values), key=_rank))}
    return [ranks[value] for value in values]


def _rank(value: str | None) -> tuple[int, float, str]:
    if value is None:
        return 2, 0.0, ""
    return (0, float(value), "") if value.isascii() and value.isdecimal() else (1, 0.0, value)
