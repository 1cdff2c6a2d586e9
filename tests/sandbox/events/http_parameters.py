# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge the header, query and body parameters of connections and of targets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from .input_transformer import MISSING, compact, find

# EventBridge removes these headers from the parameters of connections and targets.
REMOVED = {
    "a-im", "accept-charset", "accept-datetime", "accept-encoding", "cache-control", "connection", "content-encoding",
    "content-length", "content-md5", "date", "expect", "forwarded", "from", "host", "http2-settings", "if-match",
    "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "origin", "pragma",
    "proxy-authorization", "range", "referer", "te", "trailer", "transfer-encoding", "user-agent", "upgrade", "via",
    "warning",
}  # fmt: skip


def by_key(parameters: list[dict[str, Any]] | None) -> dict[str, str]:
    """Return a connection's parameters {"Key", "Value", "IsValueSecret"} as a dictionary."""
    return {each["Key"]: str(each.get("Value", "")) for each in parameters or []}


def of_event(value: str, event: dict[str, Any]) -> str:
    """Resolve a target's parameter, which may be a path into the original event."""
    if not value.startswith("$."):
        return value
    found = find(event, value)
    return "" if found is MISSING else found if isinstance(found, str) else compact(found)


def headers_of(*given: Mapping[str, str]) -> dict[str, str]:
    """Merge headers. The later one wins; names are compared without regard to case."""
    found: dict[str, tuple[str, str]] = {}
    for each in given:
        for name, value in each.items():
            found[name.lower()] = (name, value)
    return dict(found.values())


def permitted(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in REMOVED}


def with_query(url: str, query: Mapping[str, str]) -> str:
    if not query:
        return url
    parts = urlsplit(url)
    pairs = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in query]
    return urlunsplit(parts._replace(query=urlencode([*pairs, *query.items()])))


def with_path(url: str, values: list[str]) -> str:
    """Replace the stars of an endpoint with the values, in order."""
    for value in values:
        url = url.replace("*", quote(value, safe=""), 1)
    return url


def with_body(payload: str, parameters: Mapping[str, str]) -> str:
    """Add body parameters to a JSON object, where they override its members. Any other payload is left unchanged."""
    if not parameters:
        return payload
    try:
        value = json.loads(payload)
    except ValueError:
        return payload
    return compact({**value, **parameters}) if isinstance(value, dict) else payload
