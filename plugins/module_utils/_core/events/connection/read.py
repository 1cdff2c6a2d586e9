# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Read and check the options of ``events_connection``. No message quotes a value that may be secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...errors import Refused
from ...limits import LONGEST_DESCRIPTION, check_length
from ...names import EVENTS_NAME, read_name
from ...waiting import read_patience
from ..https_url import check_https_url
from .model import API_KEY, BASIC, OAUTH, PLACES, Authorization, HttpParameters, Parameter, WantedConnection
from .secret_digest import split_description

_LONGEST_TEXT = 512
_MOST_PARAMETERS = 100

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-zA-Z]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\t]+")
_QUERY_VALUE = re.compile(r"[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f]+")
_KMS_KEY = re.compile(r"[a-zA-Z0-9_\-/:]{0,2048}")


def read_connection(params: Mapping[str, Any]) -> WantedConnection:
    """Return what the user wants. Raise ``Refused`` for values that EventBridge would not accept."""
    authorization = _read_authorization(params)
    http = _read_http("invocation_http_parameters", params["invocation_http_parameters"])
    if http and not authorization and params["state"] == "present":
        raise Refused(
            "invocation_http_parameters requires the authorization, because AWS only accepts both together. Set"
            " api_key, basic or oauth as well"
        )
    return WantedConnection(
        name=read_name("name", params["name"], EVENTS_NAME),
        present=params["state"] == "present",
        description=read_description(params["description"]),
        authorization=authorization,
        http=http,
        kms_key=_read_kms_key(params["kms_key_identifier"]),
        rewrite=params["update_secret"],
        patience=read_patience(params),
    )


def read_description(description: str | None) -> str | None:
    """Return the description; None keeps the current one. Raises ``Refused``."""
    if description is None:
        return None
    if "\n" in description or "\r" in description:
        raise Refused("description must be one line, without line breaks")
    check_length("description", description, LONGEST_DESCRIPTION)
    if split_description(description)[1]:
        raise Refused("description must not end with the mark that this module uses for secret values. Remove the mark")
    return description


def _read_authorization(params: Mapping[str, Any]) -> Authorization | None:
    kind = next((kind for kind in (API_KEY, BASIC, OAUTH) if params[kind] is not None), None)
    if kind is None:  # the module's argument spec allows at most one
        return None
    given = params[kind]
    if kind == API_KEY:
        name = _auth_text("api_key.name", given["name"])
        if not _HEADER_NAME.fullmatch(name):
            raise Refused(
                f"api_key.name must be the name of a header, such as Authorization or X-Api-Key (got {name!r})"
            )
        return Authorization(kind, name, _auth_text("api_key.value", given["value"]))
    if kind == BASIC:
        return Authorization(
            kind, _auth_text("basic.username", given["username"]), _auth_text("basic.password", given["password"])
        )
    check_https_url("oauth.authorization_endpoint", given["authorization_endpoint"])
    return Authorization(
        kind,
        _auth_text("oauth.client_id", given["client_id"]),
        _auth_text("oauth.client_secret", given["client_secret"]),
        endpoint=given["authorization_endpoint"],
        method=given["http_method"],
        http=_read_http("oauth.http_parameters", given["http_parameters"]),
    )


def _auth_text(option: str, text: str) -> str:
    check_length(option, text, _LONGEST_TEXT, 1)
    if ":" in text:
        raise Refused(f"{option} must not contain a colon, which EventBridge does not allow")
    _check_control(option, text)
    if not text.strip():
        raise Refused(f"{option} is blank")
    return text


def _read_http(option: str, given: Mapping[str, Any] | None) -> HttpParameters | None:
    if given is None:
        return None
    return HttpParameters(*(_read_parameters(f"{option}.{place}", place, given.get(place) or []) for place in PLACES))


def _read_parameters(option: str, place: str, given: list[Mapping[str, Any]]) -> tuple[Parameter, ...]:
    if len(given) > _MOST_PARAMETERS:
        raise Refused(f"{option} has {len(given)} entries, but EventBridge allows {_MOST_PARAMETERS}")
    found: list[Parameter] = []
    for number, each in enumerate(given):
        where = f"{option}[{number}]"
        key = _read_key(f"{where}.key", place, each["key"])
        if _folded(place, key) in {_folded(place, other.key) for other in found}:
            raise Refused(f"{where}: {key!r} is given twice")
        secret = each["secret_value"] is not None
        name = "secret_value" if secret else "value"
        found.append(Parameter(key, secret, _read_value(f"{where}.{name}", place, each[name])))
    return tuple(found)


def _read_key(option: str, place: str, key: str) -> str:
    check_length(option, key, _LONGEST_TEXT, 1)
    if place == "header" and not _HEADER_NAME.fullmatch(key):
        raise Refused(f"{option} must be names of headers, such as Content-Type (got {key!r})")
    _check_control(option, key)
    return key


def _read_value(option: str, place: str, value: str) -> str:
    if place == "body":  # any characters and any length that fits into the event
        return value
    check_length(option, value, _LONGEST_TEXT, 1)
    if place == "header" and not (_HEADER_VALUE.fullmatch(value) and value.strip()):
        raise Refused(f"{option} must not be blank, or contain line breaks or characters beyond ASCII")
    if place == "query" and not _QUERY_VALUE.fullmatch(value):
        raise Refused(f"{option} must not contain a control character")
    return value


def _read_kms_key(key: str | None) -> str | None:
    if key is None:
        return None
    if not _KMS_KEY.fullmatch(key):
        raise Refused(f"kms_key_identifier must be the ID, ARN or alias of a KMS key (got {key[:80]!r})")
    if key.rpartition(":")[2].startswith("alias/aws/"):
        raise Refused(
            f"kms_key_identifier: {key!r} is an AWS managed key, but a connection requires a customer managed key."
            " Give one of these, or an empty text for the key that AWS owns"
        )
    return key


def _check_control(option: str, text: str) -> None:
    if _CONTROL.search(text):
        raise Refused(
            f"{option} must not contain a line break or another control character. If it comes from a file, remove"
            " the last line break with the filter trim"
        )


def _folded(place: str, key: str) -> str:
    return key.lower() if place == "header" else key
