# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Check whether a CloudTrail trail records refused launches: RunTask and StartTask are management write events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# "Creating a rule that triggers on an AWS API call via CloudTrail" in the EventBridge User Guide: events reach rules
# only if a trail is logging and its selectors let them through.


def logs_launches(selectors: Mapping[str, Any] | None) -> bool:
    """Return whether a trail with this answer of GetEventSelectors logs RunTask and StartTask.

    None stands for a deleted trail. "Logging management events" in the CloudTrail User Guide: a trail without
    selectors logs all management events.
    """
    if selectors is None:
        return False
    if not selectors.get("EventSelectors") and not selectors.get("AdvancedEventSelectors"):
        return True
    return any(map(_basic, selectors.get("EventSelectors") or ())) or any(
        _advanced(each.get("FieldSelectors") or ()) for each in selectors.get("AdvancedEventSelectors") or ()
    )


def _basic(selector: Mapping[str, Any]) -> bool:
    # API reference, EventSelector: these are the defaults of both keys.
    return bool(selector.get("IncludeManagementEvents", True)) and selector.get("ReadWriteType", "All") != "ReadOnly"


def _advanced(fields: Iterable[Mapping[str, Any]]) -> bool:
    by_name = {each["Field"]: each for each in fields}
    if "Management" not in by_name.get("eventCategory", {}).get("Equals", ()):
        return False
    source, read_only = by_name.get("eventSource", {}), by_name.get("readOnly", {})
    if "ecs.amazonaws.com" in source.get("NotEquals", ()) or "ecs.amazonaws.com" not in source.get(
        "Equals", ["ecs.amazonaws.com"]
    ):
        return False
    return "true" not in read_only.get("Equals", ())


def trail_note(trails: Mapping[str, Any] | None) -> str | None:
    """Return the note for the user about ``trails`` of ``ecs_stack_info``, or None if launches are recorded."""
    if trails is None or trails["logs_launches"]:
        return None
    if trails["denied"]:
        return (
            f"It is not known whether a CloudTrail trail logs management events, because these credentials may not"
            f" read trails ({trails['denied']}). Without such a trail, refused launches are not reported."
        )
    return (
        "No CloudTrail trail logs management events in this region, so refused launches are not reported. Create a "
        "trail that logs write events, or start the one that exists."
    )
