# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""URLs that EventBridge calls. No message quotes a URL, because it may contain a secret."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

from ..errors import Refused
from ..limits import check_length

LONGEST = 2048  # characters

_CHARACTERS = re.compile(r"(%[0-9A-Fa-f]{2}|[-()_.!~*';/?:@&=+$,A-Za-z0-9])+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_SECRET_NAMES = re.compile(r"sig|signature|(access_?)?token|(client_?)?secret|password|(api_?)?key", re.IGNORECASE)


def check_https_url(option: str, url: str) -> SplitResult:
    """Return the parts of a URL that EventBridge accepts. Raises ``Refused``."""
    if not url.lower().startswith("https://"):
        raise Refused(f"{option}: EventBridge calls only https URLs. Give one that begins with https://")
    check_length(option, url, LONGEST)
    if not _CHARACTERS.fullmatch(url):
        raise Refused(
            f"{option} contains a character that EventBridge does not allow in a URL. Write characters other than"
            " letters, "
            "digits and -()_.!~*';/?:@&=+$ in percent-encoding, and remove spaces and line breaks at the end"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused(f"{option}: the port must be a number from 1 to 65535") from None
    if port == 0:
        raise Refused(f"{option}: the port must be a number from 1 to 65535")
    if parts.username is not None:
        raise Refused(
            f"{option} must not have a user name or password before the host, which everyone could read. Set basic of"
            " the connection instead"
        )
    if not _HOST.fullmatch(parts.hostname or ""):
        raise Refused(f"{option}: the host after https:// is not valid")
    return parts


def shown_url(url: str) -> str:
    """Return a URL as results show it: the host, and a digest of the whole URL, which distinguishes two URLs.

    The part after the host may itself be a secret, as in the URL of a Slack webhook.
    """
    return f"https://{urlsplit(url).netloc.rpartition('@')[2]} (SHA-256 {hashlib.sha256(url.encode()).hexdigest()})"


def secret_in_url(parts: SplitResult) -> str | None:
    """Return what looks like a secret in the URL and what to do about it, or None if nothing does."""
    host = (parts.hostname or "").lower()
    if host in ("hooks.slack.com", "hooks.slack-gov.com"):
        return (
            "the URL of a Slack webhook is a secret, and everyone with events:DescribeApiDestination can read it. Use"
            " https://slack.com/api/chat.postMessage with a bot's token as api_key of the connection"
        )
    for name, _value in parse_qsl(parts.query):
        if _SECRET_NAMES.fullmatch(name):
            return (
                f"the value of '{name}' in the URL looks like a secret, and everyone with"
                " events:DescribeApiDestination can read it. Move it to the connection: "
                "invocation_http_parameters.query with secret_value"
            )
    return None


def out_of_reach(parts: SplitResult) -> bool:
    """Return whether the host cannot be reached from the Internet."""
    host = (parts.hostname or "").lower()
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
