# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring an API destination into its wanted state: the calls in order, and the waits between them."""

from __future__ import annotations

import functools
from typing import Any

from ..._core.change import Change
from ..._core.errors import Failed
from ..._core.events.api_destination import ACTIVE, ApiDestination, WantedApiDestination, connection_to_look_up
from ..calls import api_destinations, event_connections
from .waits import GONE, Wait, Writes, settled

STILL = "API destination {name} is {state}, as it may be for its connection {connection},"  # the cause is found there
WRITTEN = Wait(settled={ACTIVE}, still=STILL, unseen="API destination {name} does not exist yet")
DELETED = Wait(settled={GONE}, still="API destination {name} is still {state}")


def connection_arn_of(events: Any, wanted: WantedApiDestination, current: ApiDestination | None) -> str | None:
    """Return the ARN of the wanted connection. None if it need not be looked up or does not exist."""
    name = connection_to_look_up(wanted, current)
    found = event_connections.describe_connection(events, name) if name else None
    return found.arn if found else None


def write_api_destination(events: Any, wanted: WantedApiDestination, change: Change) -> Writes:
    """Make the writes of ``change``."""
    after = change.after
    look = functools.partial(api_destinations.describe_api_destination, events, wanted.name)
    if after is None:
        api_destinations.delete_api_destination(events, wanted.name)
        yield "deleted the API destination"
        if wanted.patience.wait:
            yield from settled(look, DELETED, wanted.patience, name=wanted.name)
        return None
    if after["connection_arn"] is None:
        raise Failed(
            f"The connection {after['connection']} of the API destination {wanted.name} does not exist. Create it"
            " first,"
            " with steadyops.ecs.events_connection"
        )
    # If create finds one, it was created after our look, perhaps by a call whose answer was lost.
    arn = api_destinations.create_api_destination(events, after, wanted.endpoint) if change.before is None else None
    arn = arn or api_destinations.update_api_destination(events, after, wanted.endpoint)
    yield "created the API destination" if change.before is None else "updated the API destination"
    if not wanted.patience.wait:
        return {"arn": arn}
    seen = yield from settled(look, WRITTEN, wanted.patience, name=wanted.name, connection=after["connection"])
    return {"arn": seen.arn, "state": seen.state}
