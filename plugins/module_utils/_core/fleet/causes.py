# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Groups the messages of many services, so that each cause is reported once."""

from __future__ import annotations

import re
from collections.abc import Iterable

NAMED = 5  # most services that are named for one cause
_VARYING = re.compile(r"arn:[^\s,;'\")]+|\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:\.\d+){2}[\w.-]*|\d+(?:[.:T-]\d+)*Z?")


def group_by_cause(said: Iterable[tuple[str, str]]) -> list[tuple[list[str], str]]:
    """Group pairs of ``cluster/service`` and message by cause.

    Messages that differ only in names, ids and numbers have the same cause. Return the names for each cause, with the
    message of the first of them.
    """
    causes: dict[str, tuple[list[str], str]] = {}
    for title, words in said:
        without = _without_names(title, words)
        causes.setdefault(_VARYING.sub("#", without), ([], without))[0].append(title)
    return list(causes.values())


def cause_words(titles: list[str], words: str) -> str:
    """Return ``prod/a, prod/b and 7 more: <words>``."""
    named = ", ".join(titles[:NAMED])
    more = f" and {len(titles) - NAMED} more" if len(titles) > NAMED else ""
    return f"{named}{more}: {words}"


def failure_words(failures: list[tuple[str, str]], services: int, not_begun: int, why: str | None) -> str | None:
    """Return one message for all services that failed or were not begun, or None if there are none.

    ``failures`` are pairs of ``cluster/service`` and message. ``not_begun`` is the number of services that were not
    begun, because of ``why``.
    """
    causes = group_by_cause(failures)
    of = f"of {services} {'service' if services == 1 else 'services'}"
    parts = []
    if failures:
        told = " | ".join(cause_words(titles, words.rstrip(".")) for titles, words in causes)
        parts.append(f"{len(failures)} {of} failed. {told}")
    if not_begun:
        parts.append(f"{not_begun} {of} {'was' if not_begun == 1 else 'were'} not begun: {why}")
    if parts and not failures:
        parts.append("Run the same task again to continue")
    return ". ".join(parts) or None


def warning_words(warnings: list[tuple[str, str]]) -> list[str]:
    """Return one warning for each cause."""
    return [cause_words(titles, words) for titles, words in group_by_cause(dict.fromkeys(warnings))]


def _without_names(title: str, words: str) -> str:
    """Return the message of one service in words that fit several services."""
    cluster, _slash, service = title.rpartition("/")
    for name in (f"service {service} in cluster {cluster}", f"service {service} of cluster {cluster}"):
        words = words.removeprefix(f"{name}: ").replace(name, "the service")
    return re.sub(rf"\bservice {re.escape(service)}(?![\w-])", "the service", words)
