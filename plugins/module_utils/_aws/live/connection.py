# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Bring a connection into its wanted state: the calls in order, and the waits between them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from ..._core.change import Change
from ..._core.errors import Failed
from ..._core.events.connection.model import BROKEN, WORKING, Connection, WantedConnection
from ..._core.events.connection.plan import WRITTEN, connection_facts, description_to_write
from ..._core.events.connection.secret_digest import SALT_BYTES
from ..._core.events.connection.secret_text import scrubbed
from ..calls import api_destinations, event_connections
from .waits import GONE, Wait, Writes, settled

PRIVATE = ("arn", "state", "secret_arn")  # keys whose values only AWS knows

STILL = "connection {name} is still {state}"
AT_REST = Wait(settled=WORKING | BROKEN | {GONE}, still=STILL)
AUTHORIZED = Wait(
    settled=WORKING,
    still=STILL,
    unseen="connection {name} does not exist yet",
    failing=dict.fromkeys(
        BROKEN,
        "connection {name} is {state}: {reason}. Check the authorization and the web service, then run again",
    ),
    looks=2,
)
DESCRIBED = replace(AUTHORIZED, settled=WORKING | BROKEN)  # when the authorization itself was not written
DELETED = Wait(settled={GONE}, still=STILL)


def settled_connection(events: Any, wanted: WantedConnection) -> Generator[float, None, Connection | None]:
    """Return the connection once earlier work on it has ended, or None if it does not exist."""
    look = _look(events, wanted.name)
    if not wanted.patience.wait:
        return look()
    return (yield from settled(look, AT_REST, wanted.patience, name=wanted.name))


def write_connection(events: Any, wanted: WantedConnection, current: Connection | None, change: Change) -> Writes:
    """Make the writes of ``change``. Errors contain no secret, even if AWS quotes one."""
    with scrubbed(wanted.secrets()):
        if change.after is None:
            yield from _delete(events, wanted, current)
            return None
        arn, state = _put(events, wanted, current, change)
        yield "created the connection" if change.before is None else "updated the connection"
        if not wanted.patience.wait:
            return {"arn": arn, "state": state}
        wait = AUTHORIZED if change.after["secret_values"] == WRITTEN else DESCRIBED
        seen = yield from settled(_look(events, wanted.name), wait, wanted.patience, name=wanted.name)
        return {key: value for key, value in connection_facts(seen).items() if key in PRIVATE}


def _look(events: Any, name: str) -> Callable[[], Any]:
    return functools.partial(event_connections.describe_connection, events, name)


def _put(events: Any, wanted: WantedConnection, current: Connection | None, change: Change) -> tuple[str, str]:
    after = change.after or {}
    description = description_to_write(wanted, current, change, os.urandom(SALT_BYTES))
    authorization = wanted.authorization if after["secret_values"] == WRITTEN else None
    kms_key = wanted.kms_key if change.differs("kms_key_identifier") else None
    settings = (description, authorization, wanted.http, kms_key)
    made = None
    if change.before is None and authorization is not None:
        made = event_connections.create_connection(events, wanted.name, *settings)
    # If create finds one, it was created after our look, perhaps by a call whose answer was lost.
    return made or event_connections.update_connection(events, wanted.name, *settings)


def _delete(events: Any, wanted: WantedConnection, current: Connection | None) -> Generator[str | float, None, None]:
    if current is None:
        return
    users = sorted(api_destinations.list_users_of(events, current.arn))
    if users:
        named = f"the API destination{'s' if len(users) > 1 else ''} {', '.join(users)}"
        raise Failed(
            f"connection {wanted.name} is used by {named}. Delete these first, or give them another connection"
        )
    event_connections.delete_connection(events, wanted.name)
    yield "deleted the connection"
    if wanted.patience.wait:
        yield from settled(_look(events, wanted.name), DELETED, wanted.patience, name=wanted.name)
