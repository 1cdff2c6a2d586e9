# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""An API destination brought into its state: the calls in their order, and the waits between them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from ..._core.change import Change
from ..._core.errors import CallFailed, Failed
from ..._core.events.api_destination import ACTIVE, ApiDestination, WantedApiDestination, connection_to_look_up
from ..._core.waiting import wait_until
from ..calls import api_destinations, event_connections


def connection_arn_of(events: Any, wanted: WantedApiDestination, current: ApiDestination | None) -> str | None:
    """The ARN of the connection that is wanted, where it has to be looked up and is there."""
    name = connection_to_look_up(wanted, current)
    found = event_connections.describe_connection(events, name) if name else None
    return found.arn if found else None


def write_api_destination(
    events: Any, wanted: WantedApiDestination, change: Change
) -> Generator[str | float, None, Mapping[str, Any] | None]:
    """Make the writes of ``change``."""
    after = change.after
    if after is None:
        yield from _delete(events, wanted)
        return None
    if after["connection_arn"] is None:
        raise Failed(
            f"There is no connection {after['connection']} for the API destination {wanted.name}. "
            "Make it first, with steadyops.ecs.events_connection"
        )
    arn = _put(events, after, new=change.before is None)
    yield "created the API destination" if change.before is None else "updated the API destination"
    if not wanted.patience.wait:
        return {"arn": arn}

    def verdict(seen: ApiDestination | None) -> str | None:
        if seen is None:
            return f"API destination {wanted.name} cannot be seen yet"
        if seen.state == ACTIVE:
            return None
        # What the user can do about it lies there.
        return f"API destination {wanted.name} is {seen.state}, as it may be for its connection {after['connection']},"

    seen = yield from wait_until(
        lambda: api_destinations.describe_api_destination(events, wanted.name), verdict, wanted.patience
    )
    return {"arn": seen.arn, "state": seen.state} if seen else None


def _put(events: Any, settings: Mapping[str, Any], new: bool) -> str:
    if new:
        try:
            return api_destinations.create_api_destination(events, settings)
        except CallFailed as error:
            # Made meanwhile by another, or by this call, whose first answer was lost.
            if error.code != "ResourceAlreadyExistsException":
                raise
    return api_destinations.update_api_destination(events, settings)


def _delete(events: Any, wanted: WantedApiDestination) -> Generator[str | float, None, None]:
    api_destinations.delete_api_destination(events, wanted.name)
    yield "deleted the API destination"
    if wanted.patience.wait:
        yield from wait_until(
            lambda: api_destinations.describe_api_destination(events, wanted.name),
            lambda seen: f"API destination {wanted.name} is still {seen.state}" if seen else None,
            wanted.patience,
        )
