# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Web services that receive alerts: what the connection and the API destination of each service need."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from ...errors import Refused
from ...events.sentry_dsn import read_dsn

Settings = Mapping[str, Any]

_HTTPS = re.compile(r"(?i)https://\S+")
_SECRET = re.compile(r"(?=.{1,500}\Z)\S[^:\r\n\t]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&*+.^_|~-]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+")
_NO_KEY = {"name": "X-Not-Needed", "value": "this-service-wants-no-key"}


@dataclass(frozen=True)
class WebService:
    """What a service needs. ``api_key`` and ``http`` hold secrets; ``endpoint`` may be one, as for a Slack webhook."""

    endpoint: str
    per_second: int
    api_key: Mapping[str, str]
    http: Mapping[str, Any] | None = None


def _slack(settings: Settings) -> WebService:
    http = {"header": [{"key": "Content-Type", "value": "application/json; charset=utf-8"}]}
    key = {"name": "Authorization", "value": f"Bearer {settings['token']}"}
    return WebService("https://slack.com/api/chat.postMessage", 1, key, http)


def _slack_webhook(settings: Settings) -> WebService:
    return WebService(settings["url"], 1, _NO_KEY)


def _sentry(settings: Settings) -> WebService:
    dsn = read_dsn("dsn", settings["dsn"])
    return WebService(dsn.store, 20, {"name": "X-Sentry-Auth", "value": dsn.auth})


def _pagerduty(settings: Settings) -> WebService:
    http = {"body": [{"key": "routing_key", "secret_value": settings["routing_key"]}]}
    return WebService(f"https://events.{_region(settings)}pagerduty.com/v2/enqueue", 20, _NO_KEY, http)


def _opsgenie(settings: Settings) -> WebService:
    key = {"name": "Authorization", "value": f"GenieKey {settings['api_key']}"}
    return WebService(f"https://api.{_region(settings)}opsgenie.com/v2/alerts", 20, key)


def _jira(settings: Settings) -> WebService:
    # "Integration events" in the Jira Service Management Operations REST API: one address for all sites and regions.
    key = {"name": "Authorization", "value": f"GenieKey {settings['api_key']}"}
    return WebService("https://api.atlassian.com/jsm/ops/integration/v2/alerts", 20, key)


def _teams(settings: Settings) -> WebService:
    endpoint, _mark, query = settings["url"].partition("?")
    pairs = [pair.partition("=") for pair in query.partition("#")[0].split("&") if "=" in pair]
    # The URL of a Teams workflow contains its signature, and EventBridge does not keep URLs of API destinations secret.
    found = [{"key": key, "secret_value" if key == "sig" else "value": unquote(value)} for key, _is, value in pairs]
    return WebService(endpoint, 1, _NO_KEY, {"query": found})


def _datadog(settings: Settings) -> WebService:
    key = {"name": "DD-API-KEY", "value": settings["api_key"]}
    return WebService(f"https://api.{settings.get('site', 'datadoghq.com')}/api/v1/events", 20, key)


def _webhook(settings: Settings) -> WebService:
    key = {"name": settings.get("header", _NO_KEY["name"]), "value": settings.get("secret", _NO_KEY["value"])}
    return WebService(settings["url"], 20, key)


def _region(settings: Settings) -> str:
    return "eu." if settings.get("region") == "eu" else ""


SERVICES: Mapping[str, Callable[[Settings], WebService]] = {
    "slack": _slack,
    "slack_webhook": _slack_webhook,
    "sentry": _sentry,
    "pagerduty": _pagerduty,
    "opsgenie": _opsgenie,
    "jira": _jira,
    "teams": _teams,
    "datadog": _datadog,
    "webhook": _webhook,
}
_SECRETS = {
    "slack": "token",
    "pagerduty": "routing_key",
    "opsgenie": "api_key",
    "jira": "api_key",
    "datadog": "api_key",
    "webhook": "secret",
}


def check_web(role: str, web: Mapping[str, Settings]) -> None:
    """Raise ``Refused`` for settings that EventBridge or the service would reject. No message quotes a secret."""
    datadog, webhook = web.get("datadog", {}), web.get("webhook", {})
    if not _HOST.fullmatch(datadog.get("site", "x")):
        raise Refused(
            f"{role}_datadog.site must be the name of a host, such as datadoghq.eu (got '{datadog['site']}')."
        )
    if "sentry" in web:
        read_dsn(f"{role}_sentry.dsn", web["sentry"]["dsn"])
    if "teams" in web and "sig=" not in web["teams"]["url"]:
        raise Refused(f"{role}_teams.url has no sig=...: copy the whole URL of the Teams workflow.")
    addresses = [name for name in ("slack_webhook", "webhook", "teams") if name in web]
    plain = [f"{role}_{name}.url" for name in addresses if not _HTTPS.fullmatch(web[name]["url"])]
    if plain:
        raise Refused(f"{' and '.join(plain)}: EventBridge calls only https URLs. Give one that begins with https://")
    given = {f"{role}_{name}.{key}": web[name][key] for name, key in _SECRETS.items() if key in web.get(name, {})}
    unusable = [variable for variable, value in given.items() if not _SECRET.fullmatch(str(value))]
    if unusable:
        raise Refused(
            f"{' and '.join(unusable)}: an EventBridge connection allows secrets of 1 to 500 characters, without"
            " colons and line breaks. If it comes from a file, remove the last line break."
        )
    if not _HEADER.fullmatch(webhook.get("header", "X")):
        raise Refused(f"{role}_webhook.header must be the name of a header (got '{webhook['header']}').")
