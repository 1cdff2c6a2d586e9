# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Limits that AWS sets on lengths and numbers, checked before the first call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import Refused

LONGEST_DESCRIPTION = 512  # API models of EventBridge and EventBridge Scheduler
MOST_TAGS = 50

# RetryPolicy in the API models of EventBridge and EventBridge Scheduler. The defaults are the maximums.
DELIVERY = {"maximum_retry_attempts": (0, 185), "maximum_event_age_in_seconds": (60, 86400)}
DELIVERY_DEFAULTS = {option: most for option, (_least, most) in DELIVERY.items()}


def check_length(option: str, text: str | None, most: int, least: int = 0) -> None:
    """Raise ``Refused`` if the text is too long or too short. None is accepted."""
    if text is not None and not least <= len(text) <= most:
        words = f"{least} to {most}" if least else f"at most {most}"
        raise Refused(f"`{option}` must have {words} characters (got {len(text)})")


def check_range(option: str, number: int | None, least: int, most: int) -> None:
    """Raise ``Refused`` if the number is out of range. None is accepted."""
    if number is not None and not least <= number <= most:
        raise Refused(f"`{option}` must be a number from {least} to {most} (got {number})")


def check_delivery(params: Mapping[str, Any]) -> None:
    """Raise ``Refused`` for limits of redelivery (number of retries, maximum event age) that are out of range."""
    for option, (least, most) in DELIVERY.items():
        check_range(option, params.get(option), least, most)


def check_tags(option: str, tags: Mapping[str, Any]) -> None:
    """Raise ``Refused`` for tags that AWS would refuse."""
    for key, value in tags.items():
        if str(key).lower().startswith("aws:"):
            raise Refused(f"`{option}` must not have keys that begin with aws:, which AWS reserves (got {key!r})")
        check_length(f"{option} key", str(key), 128, 1)
        check_length(f"{option}.{key}", str(value), 256)
    if len(tags) > MOST_TAGS:
        raise Refused(f"`{option}` must have at most {MOST_TAGS} tags (got {len(tags)})")
