# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Plan the changes of a connection. No fact contains a secret value or its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...change import Change
from ...errors import Refused
from ...limits import LONGEST_DESCRIPTION
from .model import (
    API_KEY,
    BASIC,
    BROKEN,
    OAUTH,
    PLACES,
    TYPES,
    Authorization,
    Connection,
    HttpParameters,
    Parameter,
    WantedConnection,
)
from .secret_digest import COST, MARK_LENGTH, Cost, Mark, join_description, make_mark, split_description, verify_mark

KEPT, WRITTEN = "kept", "written"  # of secret values
_AUTHORIZATION = ("authorization_type", API_KEY, BASIC, OAUTH, "invocation_http_parameters")


def plan_connection(wanted: WantedConnection, current: Connection | None, cost: Cost = COST) -> Change:
    """Return both sides, as the module returns them. Raises ``Refused``."""
    before = None if current is None else connection_facts(current)
    if not wanted.present:
        return Change(before, None)
    if current is None or before is None:
        return Change(None, _new(wanted))
    after = {**before, **_wanted_facts(wanted, current)}
    if wanted.authorization and _secrets_have_to_be_written(wanted, current, before, after, cost):
        after["secret_values"] = WRITTEN
        if current.state in BROKEN:
            after["state"] = None  # AWS decides the new state
    change = Change(before, after)
    _check_room(wanted, current, change)
    return change


def connection_facts(connection: Connection) -> dict[str, Any]:
    """Return the connection as the module returns it."""
    return {
        "arn": connection.arn,
        "name": connection.name,
        "state": connection.state,
        "description": split_description(connection.description)[0],
        **_authorization_facts(connection.authorization),
        "invocation_http_parameters": _http_facts(connection.http),
        "kms_key_identifier": connection.kms_key,
        "secret_arn": connection.secret_arn,
        "secret_values": KEPT,
    }


def warnings_of(wanted: WantedConnection, current: Connection | None) -> list[str]:
    """Return warnings about problems that the module does not fix."""
    if current and current.state in BROKEN and wanted.present and not wanted.authorization:
        why = f" ({current.reason})" if current.reason else ""
        return [
            f"connection {current.name} is {current.state}{why}: EventBridge delivers nothing through it. "
            "Set api_key, basic or oauth to authorize it again"
        ]
    return []


def mark_afterwards(wanted: WantedConnection, current: Connection | None, change: Change) -> bool:
    """Return whether the description must end with a mark after the change."""
    if change.after and change.after["secret_values"] == WRITTEN:
        return wanted.rewrite == "on_change"
    return bool(current and split_description(current.description)[1])


def description_to_write(wanted: WantedConnection, current: Connection | None, change: Change, salt: bytes) -> str:
    """Return the user's words and the mark of the secret values. A mark of replaced values is dropped."""
    after = change.after or {}
    mark: Mark | None = None
    if mark_afterwards(wanted, current, change):
        if after["secret_values"] == WRITTEN:
            mark = make_mark(wanted.name, wanted.values(), salt)
        elif current:
            mark = split_description(current.description)[1]
    return join_description(after["description"], mark)


def same_key(wanted: str, current: str) -> bool:
    """Return whether both name the same KMS key. A key's ARN ends with its ID or alias."""
    return wanted == current or (wanted != "" and current.endswith((f":{wanted}", f"/{wanted}")))


def _new(wanted: WantedConnection) -> dict[str, Any]:
    if wanted.authorization is None:
        raise Refused(f"The connection {wanted.name} does not exist. Set api_key, basic or oauth to create it")
    after = {
        **dict.fromkeys(("arn", "state", "secret_arn")),  # only AWS knows these
        "name": wanted.name,
        "description": wanted.description or "",
        **_authorization_facts(wanted.authorization),
        "invocation_http_parameters": _http_facts(wanted.http or HttpParameters()),
        "kms_key_identifier": wanted.kms_key or "",
        "secret_values": WRITTEN,
    }
    _check_room(wanted, None, Change(None, after))
    return after


def _wanted_facts(wanted: WantedConnection, current: Connection) -> dict[str, Any]:
    """Return what the user has set, as the module returns it."""
    facts: dict[str, Any] = {}
    if wanted.description is not None:
        facts["description"] = wanted.description
    if wanted.kms_key is not None and not same_key(wanted.kms_key, current.kms_key):
        facts["kms_key_identifier"] = wanted.kms_key
    if wanted.authorization is not None:
        facts |= _authorization_facts(wanted.authorization, current.authorization)
    if wanted.http is not None:
        facts["invocation_http_parameters"] = _http_facts(wanted.http, current.http)
    return facts


def _secrets_have_to_be_written(
    wanted: WantedConnection, current: Connection, before: Mapping[str, Any], after: Mapping[str, Any], cost: Cost
) -> bool:
    if wanted.rewrite == "always" or current.state in BROKEN:
        return True
    if any(before[key] != after[key] for key in _AUTHORIZATION):
        return True  # AWS accepts the authorization only as a whole
    if wanted.rewrite == "never":
        return False
    mark = split_description(current.description)[1]
    return mark is None or not verify_mark(mark, wanted.name, wanted.values(), cost)


def _check_room(wanted: WantedConnection, current: Connection | None, change: Change) -> None:
    length = len((change.after or {})["description"])
    if change.changed and mark_afterwards(wanted, current, change) and length + MARK_LENGTH > LONGEST_DESCRIPTION:
        raise Refused(
            f"description has {length} characters: with the digest of the secret values, the limit is "
            f"{LONGEST_DESCRIPTION - MARK_LENGTH}. Give a shorter one, or set update_secret to always or never, which"
            " store no digest"
        )


def _authorization_facts(wanted: Authorization | None, current: Authorization | None = None) -> dict[str, Any]:
    facts: dict[str, Any] = {"authorization_type": None, API_KEY: None, BASIC: None, OAUTH: None}
    if wanted is None:
        return facts
    facts["authorization_type"] = TYPES[wanted.kind]
    if wanted.kind == API_KEY:
        return facts | {API_KEY: {"name": wanted.identity}}
    if wanted.kind == BASIC:
        return facts | {BASIC: {"username": wanted.identity}}
    current_http = current.http if current and current.kind == OAUTH else None
    http = current_http if wanted.http is None else wanted.http
    oauth = {
        "client_id": wanted.identity,
        "authorization_endpoint": wanted.endpoint,
        "http_method": wanted.method,
        "http_parameters": _http_facts(http or HttpParameters(), current_http),
    }
    return facts | {OAUTH: oauth}


def _http_facts(wanted: HttpParameters, current: HttpParameters | None = None) -> dict[str, Any]:
    """Return the parameters sorted by key: AWS's order means nothing. ``current`` shows which values AWS withholds."""
    untold = {
        (place, each.key)
        for place, many in (current or HttpParameters()).places()
        for each in many
        if each.value is None and not each.secret
    }
    return {
        place: [
            {"key": each.key, "is_secret": each.secret, "value": _value_facts(each, (place, each.key) in untold)}
            for each in sorted(getattr(wanted, place), key=lambda one: one.key)
        ]
        for place in PLACES
    }


def _value_facts(parameter: Parameter, untold: bool) -> str | None:
    return None if parameter.secret or untold else parameter.value
