# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A connection brought into its state: the calls in their order, and the waits between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping
from typing import Any

from ..._core.change import Change
from ..._core.errors import CallFailed, Failed
from ..._core.events.connection.model import BROKEN, WORKING, Connection, WantedConnection
from ..._core.events.connection.plan import WRITTEN, connection_facts, description_to_write
from ..._core.events.connection.secret_digest import SALT_BYTES
from ..._core.events.connection.secret_text import scrubbed
from ..._core.waiting import wait_until
from ..calls import api_destinations, event_connections

PRIVATE = ("arn", "state", "secret_arn")  # what only AWS knows


def settled_connection(events: Any, wanted: WantedConnection) -> Generator[float, None, Connection | None]:
    """The connection as it is, when something that was begun earlier has come to its end; None when there is none."""

    def verdict(seen: Connection | None) -> str | None:
        if seen is None or seen.state in WORKING | BROKEN or not wanted.patience.wait:
            return None
        return f"connection {wanted.name} is still {seen.state}"

    return wait_until(lambda: event_connections.describe_connection(events, wanted.name), verdict, wanted.patience)


def write_connection(
    events: Any, wanted: WantedConnection, current: Connection | None, change: Change
) -> Generator[str | float, None, Mapping[str, Any] | None]:
    """Make the writes of ``change``. Errors name no secret, even where AWS quotes one."""
    with scrubbed(wanted.secrets()):
        if change.after is None:
            yield from _delete(events, wanted, current)
            return None
        arn, state = _put(events, wanted, current, change)
        yield "created the connection" if change.before is None else "updated the connection"
        if not wanted.patience.wait:
            return {"arn": arn, "state": state}
        verdict = _verdict_of(wanted.name, authorizing=change.after["secret_values"] == WRITTEN)
        seen = yield from wait_until(_look(events, wanted.name), verdict, wanted.patience)
        return {key: value for key, value in connection_facts(seen).items() if key in PRIVATE} if seen else None


def _look(events: Any, name: str) -> Callable[[], Connection | None]:
    return lambda: event_connections.describe_connection(events, name)


def _put(events: Any, wanted: WantedConnection, current: Connection | None, change: Change) -> tuple[str, str]:
    after = change.after or {}
    description = description_to_write(wanted, current, change, os.urandom(SALT_BYTES))
    authorization = wanted.authorization if after["secret_values"] == WRITTEN else None
    kms_key = wanted.kms_key if change.differs("kms_key_identifier") else None
    if change.before is None and authorization is not None:
        try:
            return event_connections.create_connection(
                events, wanted.name, description, authorization, wanted.http, kms_key
            )
        except CallFailed as error:
            # Made meanwhile by another, or by this call, whose first answer was lost.
            if error.code != "ResourceAlreadyExistsException":
                raise
    return event_connections.update_connection(events, wanted.name, description, authorization, wanted.http, kms_key)


def _verdict_of(name: str, authorizing: bool) -> Callable[[Connection | None], str | None]:
    """Judges a connection after a write. A read may be older than the write, so a bad state has to be seen twice."""
    bad: list[str] = []

    def verdict(seen: Connection | None) -> str | None:
        if seen is None:
            return f"connection {name} cannot be seen yet"
        if seen.state in WORKING or (seen.state in BROKEN and not authorizing):
            return None
        if seen.state in BROKEN:
            if bad:
                why = seen.reason or "AWS gives no reason"
                raise Failed(
                    f"connection {name} is {seen.state}: {why.rstrip('.')}. Check the authorization that was given, "
                    "and the web service it is for, and run again"
                )
            bad.append(seen.state)
        return f"connection {name} is still {seen.state}"

    return verdict


def _delete(events: Any, wanted: WantedConnection, current: Connection | None) -> Generator[str | float, None, None]:
    if current is None:
        return
    users = users_of(events, current)
    if users:
        raise Failed(f"connection {wanted.name} is used by {_named(users)}. Delete those first, or give them another")
    event_connections.delete_connection(events, wanted.name)
    yield "deleted the connection"
    if wanted.patience.wait:
        yield from wait_until(
            _look(events, wanted.name),
            lambda seen: f"connection {wanted.name} is still {seen.state}" if seen else None,
            wanted.patience,
        )


def users_of(events: Any, connection: Connection) -> list[str]:
    """Names of the API destinations that use the connection."""
    users, page = api_destinations.list_users_of(events, connection.arn)
    while page:
        more, page = api_destinations.list_users_of(events, connection.arn, page)
        users += more
    return sorted(users)


def _named(users: list[str]) -> str:
    return f"the API destination{'s' if len(users) > 1 else ''} {', '.join(users)}"
