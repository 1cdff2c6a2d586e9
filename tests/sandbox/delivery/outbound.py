# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send HTTP requests outside AWS. Only loopback can be reached: any other origin needs a route to loopback."""

from __future__ import annotations

import http.client
import ipaddress
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ..account import Account


class Unreachable(Exception):
    """No reply was received. ``refused``: there is a route, but no server answered; else there is no route."""

    def __init__(self, reason: str, refused: bool) -> None:
        super().__init__(reason)
        self.refused = refused


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]  # names in lower case
    text: str


def request(
    account: Account, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout: float = 5.0
) -> Reply:
    """Send one request without redirects or proxies. The Host header comes from the URL, whatever the route."""
    parts = urlsplit(url)
    there = urlsplit(address_of(account, f"{parts.scheme}://{parts.netloc}"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection: http.client.HTTPConnection
    if there.scheme == "https":  # servers on loopback have no trusted certificates
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(there.hostname or "", there.port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(there.hostname or "", there.port, timeout=timeout)
    try:
        connection.request(method, path, body, {"Host": parts.netloc, **headers})
        answer = connection.getresponse()
        text = answer.read(1 << 20).decode("utf-8", "replace")
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
    except (OSError, http.client.HTTPException) as problem:
        raise Unreachable(f"{url}: {type(problem).__name__}: {problem}", refused=True) from problem
    finally:
        connection.close()


def address_of(account: Account, origin: str) -> str:
    """Return the loopback origin that answers for an origin. Raise Unreachable if there is none."""
    there = account.routes.get(origin.lower(), origin)
    if not is_loopback(urlsplit(there).hostname or ""):
        raise Unreachable(f"there is no route to {origin}; POST settings {{routes: ...}} takes one", refused=False)
    return there


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
