# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The parts of a connection. Secret values are kept out of every ``repr``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...waiting import Patience

API_KEY, BASIC, OAUTH = "api_key", "basic", "oauth"  # as the options are called
TYPES = {API_KEY: "API_KEY", BASIC: "BASIC", OAUTH: "OAUTH_CLIENT_CREDENTIALS"}  # as AWS calls them
PLACES = ("header", "query", "body")

WORKING = frozenset({"AUTHORIZED", "ACTIVE"})  # ACTIVE: for private APIs
BROKEN = frozenset({"DEAUTHORIZED", "FAILED_CONNECTIVITY"})
# A connection only passes through the other states: CREATING, UPDATING, AUTHORIZING, DEAUTHORIZING, DELETING.


@dataclass(frozen=True)
class Parameter:
    """One parameter of a request. The value is None if AWS does not return it."""

    key: str
    secret: bool
    value: str | None = field(repr=False)


@dataclass(frozen=True)
class HttpParameters:
    """Parameters that EventBridge adds to a request."""

    header: tuple[Parameter, ...] = ()
    query: tuple[Parameter, ...] = ()
    body: tuple[Parameter, ...] = ()

    def places(self) -> Iterator[tuple[str, tuple[Parameter, ...]]]:
        return ((place, getattr(self, place)) for place in PLACES)


@dataclass(frozen=True)
class Authorization:
    """The authorization of a connection. ``identity`` is the name of the API key's header, the user name, or the id of
    the OAuth client.

    ``secret`` is the value that belongs to it; None for a connection read from AWS. The other fields are for OAuth
    only. If ``http`` is None, the current value is kept.
    """

    kind: str
    identity: str
    secret: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    method: str | None = None
    http: HttpParameters | None = None


@dataclass(frozen=True)
class Connection:
    """A connection as AWS returns it. ``description`` includes our mark; ``kms_key`` may be empty."""

    name: str
    arn: str
    state: str
    reason: str
    description: str
    authorization: Authorization | None
    http: HttpParameters
    kms_key: str
    secret_arn: str | None


@dataclass(frozen=True)
class WantedConnection:
    """A wanted connection. None keeps the current value. If ``present``, ``http`` requires ``authorization``."""

    name: str
    present: bool
    description: str | None
    authorization: Authorization | None
    http: HttpParameters | None
    kms_key: str | None
    rewrite: str  # when secret values are written: on_change, always, never
    patience: Patience

    def values(self) -> list[tuple[str, str]]:
        """Return the place and value of each value that AWS might not return."""
        if self.authorization is None:
            return []
        found = [(self.authorization.kind, self.authorization.secret or "")]
        for owner, http in ((self.authorization.kind, self.authorization.http), ("invocation", self.http)):
            for place, parameters in (http or HttpParameters()).places():
                found += [(f"{owner} {place} {each.key}", each.value or "") for each in parameters]
        return found

    def secrets(self) -> list[str]:
        """Return the values that nobody may see."""
        if self.authorization is None:
            return []
        groups = [self.authorization.http or HttpParameters(), self.http or HttpParameters()]
        hidden = [each.value for http in groups for _place, many in http.places() for each in many if each.secret]
        return [value for value in (self.authorization.secret, *hidden) if value]
