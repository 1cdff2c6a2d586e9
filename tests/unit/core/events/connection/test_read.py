# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of a connection: what they are read as, and what is refused without quoting a secret."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.model import (
    Authorization,
    HttpParameters,
    Parameter,
    WantedConnection,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.read import (
    read_connection,
    read_description,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.secret_digest import (
    Cost,
    join_description,
    make_mark,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience

SECRET = "s3cr3t"
MARK = make_mark("sentry", [("api_key", SECRET)], b"0123456789abcdef", Cost(2, 1, 1))
API_KEY = {"name": "X-Key", "value": SECRET}
BASIC = {"username": "me", "password": SECRET}
OAUTH = {
    "client_id": "me",
    "client_secret": SECRET,
    "authorization_endpoint": "https://example.com/token",
    "http_method": "POST",
    "http_parameters": None,
}


def read(**given):
    return read_connection(
        {
            "name": "sentry",
            "state": "present",
            "description": None,
            "api_key": None,
            "basic": None,
            "oauth": None,
            "invocation_http_parameters": None,
            "kms_key_identifier": None,
            "update_secret": "on_change",
            "wait": True,
            "wait_timeout": 60,
            "wait_delay": 2,
            **given,
        }
    )


def parameter(key="k", value=None, secret_value=None):
    return {"key": key, "value": value, "secret_value": secret_value}


def test_nothing_given_leaves_everything():
    patience = Patience(True, 60.0, 2.0)
    assert read() == WantedConnection("sentry", True, None, None, None, None, "on_change", patience)
    assert read(state="absent", update_secret="never", wait=False) == WantedConnection(
        "sentry", False, None, None, None, None, "never", Patience(False, 60.0, 2.0)
    )


@pytest.mark.parametrize(
    ("given", "authorization"),
    [
        ({"api_key": API_KEY}, Authorization("api_key", "X-Key", SECRET)),
        ({"basic": BASIC}, Authorization("basic", "me", SECRET)),
        (
            {"oauth": OAUTH},
            Authorization("oauth", "me", SECRET, "https://example.com/token", "POST"),
        ),
        (
            {"oauth": {**OAUTH, "http_method": "PUT", "http_parameters": {"body": [parameter("grant", "x")]}}},
            Authorization(
                "oauth", "me", SECRET, "https://example.com/token", "PUT",
                HttpParameters(body=(Parameter("grant", False, "x"),)),
            ),
        ),
    ],
)  # fmt: skip
def test_the_authorization(given, authorization):
    found = read(**given)
    assert found.authorization == authorization
    assert SECRET not in repr(found)


def test_parameters_of_all_places_in_their_order():
    told = {
        "header": [parameter("X-Team", "shop"), parameter("X-Key", secret_value=SECRET)],
        "query": [parameter("q", "a b")],
        "body": [parameter("b", "x" * 513), parameter("B", "")],
    }
    assert read(api_key=API_KEY, invocation_http_parameters=told).http == HttpParameters(
        (Parameter("X-Team", False, "shop"), Parameter("X-Key", True, SECRET)),
        (Parameter("q", False, "a b"),),
        (Parameter("b", False, "x" * 513), Parameter("B", False, "")),
    )
    assert read(api_key=API_KEY, invocation_http_parameters={"header": None}).http == HttpParameters()


def test_as_many_and_as_long_as_eventbridge_takes():
    told = {"query": [parameter(f"{number:0>512}", "v" * 512) for number in range(100)]}
    assert len(read(api_key=API_KEY, invocation_http_parameters=told).http.query) == 100
    assert read(name="n" * 64, description="d" * 512).description == "d" * 512
    assert read(kms_key_identifier="k" * 2048).kms_key == "k" * 2048


@pytest.mark.parametrize("place", ["query", "body"])
def test_names_differ_in_case_except_in_headers(place):
    told = [parameter("Key", "1"), parameter("key", "2")]
    assert len(getattr(read(api_key=API_KEY, invocation_http_parameters={place: told}).http, place)) == 2
    with pytest.raises(Refused, match="given twice"):
        read(api_key=API_KEY, invocation_http_parameters={"header": told})
    with pytest.raises(Refused, match="given twice"):
        read(api_key=API_KEY, invocation_http_parameters={place: [told[0], told[0]]})


@pytest.mark.parametrize("key", ["", "alias/mine", "arn:aws:kms:eu-central-1:123456789012:key/1", "1-2-3"])
def test_a_key_that_encrypts(key):
    assert read(kms_key_identifier=key).kms_key == key


@pytest.mark.parametrize("text", [None, "", "Words: with a colon"])
def test_a_description(text):
    assert read_description(text) == text


@pytest.mark.parametrize("name", ["a", "A.b-c_9", "n" * 64])
def test_a_name(name):
    assert read(name=name).name == name


def http(place, *told):
    return {"api_key": API_KEY, "invocation_http_parameters": {place: list(told)}}


WRONG = [
    ({"name": ""}, "name"),
    ({"name": "n" * 65}, "name"),
    ({"name": "a b"}, "name"),
    ({"description": "d" * 513}, "description"),
    ({"description": "two\nlines"}, "description"),
    ({"description": "two\rlines"}, "description"),
    ({"description": join_description("Words", MARK)}, "mark"),
    ({"invocation_http_parameters": {"header": []}}, "requires the authorization"),
    ({"api_key": {**API_KEY, "name": ""}}, "api_key.name"),
    ({"api_key": {**API_KEY, "name": "n" * 513}}, "api_key.name"),
    ({"api_key": {**API_KEY, "name": "X Key"}}, "api_key.name"),
    ({"api_key": {**API_KEY, "name": "X:Key"}}, "api_key.name"),
    ({"api_key": {**API_KEY, "value": f"{SECRET}:"}}, "api_key.value"),
    ({"api_key": {**API_KEY, "value": f"{SECRET}\n"}}, "api_key.value"),
    ({"api_key": {**API_KEY, "value": f"{SECRET}\x7f"}}, "api_key.value"),
    ({"api_key": {**API_KEY, "value": " \t"}}, "api_key.value"),
    ({"basic": {**BASIC, "username": "a:b"}}, "basic.username"),
    ({"basic": {**BASIC, "password": f"{SECRET}\x00"}}, "basic.password"),
    ({"oauth": {**OAUTH, "authorization_endpoint": "http://example.com"}}, "oauth.authorization_endpoint"),
    ({"oauth": {**OAUTH, "client_id": ""}}, "oauth.client_id"),
    ({"oauth": {**OAUTH, "client_secret": f"{SECRET}:"}}, "oauth.client_secret"),
    (
        {"oauth": {**OAUTH, "http_parameters": {"header": [parameter("a b", "1")]}}},
        "oauth.http_parameters.header[0].key must be names of headers, such as Content-Type (got 'a b')",
    ),
    (http("header", parameter("a", "1"), parameter("a b", "1")), "invocation_http_parameters.header[1].key"),
    (http("header", parameter("", "1")), "header[0].key"),
    (http("query", parameter("k" * 513, "1")), "query[0].key"),
    (http("body", parameter("a\nb", "1")), "body[0].key"),
    (http("header", parameter("a", "ü")), "header[0].value"),
    (http("header", parameter("a", "  ")), "header[0].value"),
    (http("header", parameter("a", secret_value=f"{SECRET}\n")), "header[0].secret_value"),
    (http("header", parameter("a", "")), "header[0].value"),
    (http("query", parameter("a", secret_value=f"{SECRET}\x01")), "query[0].secret_value"),
    (http("query", parameter("a", "v" * 513)), "query[0].value"),
    (http("query", *(parameter(str(number), "1") for number in range(101))), "query"),
    ({"kms_key_identifier": "a key"}, "kms_key_identifier"),
    ({"kms_key_identifier": "k" * 2049}, "kms_key_identifier"),
    ({"kms_key_identifier": "alias/aws/events"}, "AWS managed key"),
    ({"kms_key_identifier": "arn:aws:kms:eu-central-1:123456789012:alias/aws/events"}, "AWS managed key"),
    ({"wait_timeout": 0}, "wait_timeout"),
]


@pytest.mark.parametrize(("given", "words"), WRONG, ids=lambda value: value if isinstance(value, str) else "")
def test_what_eventbridge_would_not_take(given, words):
    with pytest.raises(Refused) as refused:
        read(**given)
    assert words in str(refused.value)
    assert SECRET not in str(refused.value)


def test_an_absent_connection_needs_no_authorization():
    assert read(state="absent", invocation_http_parameters={"header": []}).http == HttpParameters()
