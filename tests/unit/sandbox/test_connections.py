# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections and API destinations: states, secrets, and the requests that reach a web service."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.client import Sandbox

from .aws import until
from .conftest import REGION, Aws, Web
from .event_stack import FAILED, messages, queue, role, rule, target
from .test_event_rules import refusal

KEY: dict[str, Any] = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "hush"}}
HOOK = "https://hooks.slack.com/services/*/B/X?v=1"


def connect(aws: Aws, name: str = "slack", kind: str = "API_KEY", wait: bool = True, **parameters: Any) -> str:
    given = parameters or KEY
    arn = aws("events").create_connection(Name=name, AuthorizationType=kind, AuthParameters=given)["ConnectionArn"]
    if wait:
        until(
            lambda: aws("events").describe_connection(Name=name)["ConnectionState"] not in ("CREATING", "AUTHORIZING")
        )
    return str(arn)


def destination(aws: Aws, connection: str, **details: Any) -> str:
    asked = {"Name": "hook", "ConnectionArn": connection, "InvocationEndpoint": HOOK, "HttpMethod": "POST", **details}
    return str(aws("events").create_api_destination(**asked)["ApiDestinationArn"])


def deliver(events: Sandbox) -> dict[str, Any]:
    published = events.publish(FAILED)
    assert events.settle()
    (line,) = events.deliveries(event=published["id"])
    return line


# -- the operations -------------------------------------------------------------------------------------------------


def test_a_connection_takes_a_while(events: Sandbox, aws: Aws) -> None:
    events.settings(latencies={"connection": 1000.0})  # 2 seconds here
    arn = connect(aws, wait=False)
    asked = {"Name": "hook", "ConnectionArn": arn, "InvocationEndpoint": HOOK, "HttpMethod": "POST"}
    assert aws("events").describe_connection(Name="slack")["ConnectionState"] == "CREATING"
    assert aws("events").create_api_destination(**asked)["ApiDestinationState"] == "INACTIVE"
    until(lambda: aws("events").describe_connection(Name="slack")["ConnectionState"] == "AUTHORIZED")
    found = aws("events").describe_api_destination(Name="hook")
    assert (found["ApiDestinationState"], found["InvocationRateLimitPerSecond"]) == ("ACTIVE", 300)
    assert aws("events").delete_connection(Name="slack")["ConnectionState"] == "DELETING"
    until(lambda: aws("events").list_connections()["Connections"] == [])
    assert refusal(aws("events").describe_connection, Name="slack") == (
        "ResourceNotFoundException",
        "Failed to describe the connection(s). Connection 'slack' does not exist.",
    )
    assert aws("events").describe_api_destination(Name="hook")["ApiDestinationState"] == "INACTIVE"


def test_a_reset_of_moto_empties_all_of_it(events: Sandbox, aws: Aws) -> None:
    destination(aws, connect(aws))
    events.publish(FAILED)
    with urlopen(Request(f"{events.url}/moto-api/reset", method="POST")) as answer:
        assert answer.status == 200
    assert aws("events").list_connections()["Connections"] == []
    assert aws("events").list_api_destinations()["ApiDestinations"] == []
    assert events.deliveries() == []


def test_secrets_are_told_by_secrets_manager_alone(events: Sandbox, aws: Aws) -> None:
    secret = {"Key": "a", "Value": "hush2", "IsValueSecret": True}
    shown = {"Key": "b", "Value": "shown", "IsValueSecret": False}
    connect(aws, **KEY, InvocationHttpParameters={"HeaderParameters": [secret, shown], "BodyParameters": [secret]})
    found = aws("events").describe_connection(Name="slack")
    assert "hush" not in json.dumps(found, default=str)
    assert found["AuthParameters"]["ApiKeyAuthParameters"] == {"ApiKeyName": "X-Key"}
    assert found["AuthParameters"]["InvocationHttpParameters"]["HeaderParameters"] == [
        {"Key": "a", "IsValueSecret": True},
        shown,
    ]
    kept = json.loads(aws("secretsmanager").get_secret_value(SecretId=found["SecretArn"])["SecretString"])
    assert (kept["api_key_name"], kept["api_key_value"]) == ("X-Key", "hush")


def test_an_update_keeps_what_it_is_not_given(events: Sandbox, aws: Aws) -> None:
    connect(aws)
    before = aws("events").describe_connection(Name="slack")
    new = {"ApiKeyAuthParameters": {"ApiKeyValue": "other"}}
    assert aws("events").update_connection(Name="slack", AuthParameters=new)["ConnectionState"] == "UPDATING"
    until(lambda: aws("events").describe_connection(Name="slack")["ConnectionState"] == "AUTHORIZED")
    found = aws("events").describe_connection(Name="slack")
    assert (found["SecretArn"], found["AuthParameters"]) == (before["SecretArn"], before["AuthParameters"])
    kept = json.loads(aws("secretsmanager").get_secret_value(SecretId=found["SecretArn"])["SecretString"])
    assert kept == {"api_key_name": "X-Key", "api_key_value": "other"}
    basic = {"BasicAuthParameters": {"Username": "u", "Password": "p"}}
    aws("events").update_connection(Name="slack", AuthorizationType="BASIC", AuthParameters=basic)
    assert aws("events").describe_connection(Name="slack")["AuthParameters"] == {
        "BasicAuthParameters": {"Username": "u"}
    }


OAUTH: dict[str, Any] = {
    "OAuthParameters": {
        "ClientParameters": {"ClientID": "me", "ClientSecret": "hush"},
        "AuthorizationEndpoint": "https://login.example.org/token",
        "HttpMethod": "POST",
        "OAuthHttpParameters": {"BodyParameters": [{"Key": "grant_type", "Value": "client_credentials"}]},
    }
}
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "a bad name": ({"Name": "a b"}, "ValidationException", "[\\.\\-_A-Za-z0-9]+"),
    "an unknown kind": (
        {"AuthorizationType": "NONE"},
        "ValidationException",
        "BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY",
    ),
    "parameters of another kind": ({"AuthorizationType": "BASIC"}, "ValidationException", "BasicAuthParameters"),
    "a colon in a secret": (
        {"AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "a", "ApiKeyValue": "b:c"}}},
        "ValidationException",
        "'<sensitive>' at 'authParameters.apiKeyAuthParameters.apiKeyValue'",
    ),
    "a missing secret": (
        {"AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "a"}}},
        "ValidationException",
        "Value null at 'authParameters.apiKeyAuthParameters.apiKeyValue'",
    ),
    "a plain authorization endpoint": (
        {
            "AuthorizationType": "OAUTH_CLIENT_CREDENTIALS",
            "AuthParameters": {
                "OAuthParameters": {**OAUTH["OAuthParameters"], "AuthorizationEndpoint": "http://x.org/"}
            },
        },
        "ValidationException",
        "HTTPS",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_create_connection_refuses(events: Sandbox, aws: Aws, case: str) -> None:
    change, code, text = BAD[case]
    asked = {"Name": "slack", "AuthorizationType": "API_KEY", "AuthParameters": KEY, **change}
    found = refusal(aws("events").create_connection, **asked)
    assert found[0] == code
    assert text in found[1]
    assert "b:c" not in found[1]


def test_a_name_is_taken_once(events: Sandbox, aws: Aws) -> None:
    arn = connect(aws)
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        connect(aws)
    destination(aws, arn)
    with pytest.raises(ClientError, match="ResourceAlreadyExistsException"):
        destination(aws, arn)


@pytest.mark.parametrize(("change", "code", "text"), [
    ({"ConnectionArn": f"arn:aws:events:{REGION}:1{'0' * 11}:connection/none/1"}, "ResourceNotFoundException", "none"),
    ({"ConnectionArn": "none"}, "ValidationException", "connectionArn"),
    ({"InvocationEndpoint": "http://example.org/"}, "ValidationException", "HTTPS"),
    ({"HttpMethod": "TRACE"}, "ValidationException", "enum value set"),
    ({"InvocationRateLimitPerSecond": 0}, "ValidationException", "greater than or equal to 1"),
])  # fmt: skip
def test_create_api_destination_refuses(
    events: Sandbox, aws: Aws, change: dict[str, Any], code: str, text: str
) -> None:
    asked = {"Name": "h", "ConnectionArn": connect(aws), "InvocationEndpoint": HOOK, "HttpMethod": "POST", **change}
    found = refusal(aws("events").create_api_destination, **asked)
    assert found[0] == code
    assert text in found[1]


# -- requests -------------------------------------------------------------------------------------------------------


def hook(events: Sandbox, aws: Aws, web: Web, connection: str, target_details: dict[str, Any], **details: Any) -> None:
    events.settings(routes={"https://hooks.slack.com": web.url, "https://login.example.org": web.url})
    rule(aws)
    arn = destination(aws, connection, **details)
    target(aws, arn, RoleArn=role(aws, "events:InvokeApiDestination", arn), **target_details)


def test_a_request_with_everything(events: Sandbox, aws: Aws, web: Web) -> None:
    shared = {
        "HeaderParameters": [{"Key": "x-both", "Value": "connection"}, {"Key": "Referer", "Value": "removed"}],
        "QueryStringParameters": [{"Key": "sig", "Value": "s&p", "IsValueSecret": True}],
        "BodyParameters": [{"Key": "routing_key", "Value": "hush", "IsValueSecret": True}],
    }
    own = {
        "HeaderParameters": {"X-Both": "target", "X-Group": "$.detail.group"},
        "QueryStringParameters": {"a": "b"},
        "PathParameterValues": ["$.detail.lastStatus"],
    }
    transformer = {"InputPathsMap": {"group": "$.detail.group"}, "InputTemplate": '{"text": <group>}'}
    arn = connect(aws, **KEY, InvocationHttpParameters=shared)
    hook(events, aws, web, arn, {"HttpParameters": own, "InputTransformer": transformer})
    assert deliver(events)["result"]["status"] == 200
    (request,) = web.requests
    assert request["path"] == "/services/STOPPED/B/X?v=1&a=b&sig=s%26p"
    assert json.loads(request["body"]) == {"text": "family:nightly", "routing_key": "hush"}
    headers = request["headers"]
    assert headers["host"] == "hooks.slack.com"
    assert headers["x-key"] == "hush"
    assert headers["x-both"] == "connection"
    assert headers["x-group"] == "family:nightly"
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["user-agent"] == "Amazon/EventBridge/ApiDestinations"
    assert "referer" not in headers


def test_basic_authorization(events: Sandbox, aws: Aws, web: Web) -> None:
    arn = connect(aws, kind="BASIC", BasicAuthParameters={"Username": "u", "Password": "p"})
    hook(events, aws, web, arn, {}, HttpMethod="PUT")
    assert deliver(events)["outcome"] == "delivered"
    assert web.requests[0]["method"] == "PUT"
    assert web.requests[0]["headers"]["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert json.loads(web.requests[0]["body"])["detail"] == FAILED["detail"]


def test_oauth_fetches_a_token_and_another_one_when_it_is_refused(events: Sandbox, aws: Aws, web: Web) -> None:
    events.settings(routes={"https://login.example.org": web.url})
    web.answers = [(200, {}, {"access_token": "one", "token_type": "Bearer"})]
    arn = connect(aws, kind="OAUTH_CLIENT_CREDENTIALS", **OAUTH)
    hook(events, aws, web, arn, {})
    web.answers = [(401, {}, {}), (200, {}, {"access_token": "two"}), (200, {}, {})]
    assert deliver(events)["outcome"] == "delivered"
    paths = [request["path"] for request in web.requests]
    assert paths == ["/token", "/services/*/B/X?v=1", "/token", "/services/*/B/X?v=1"]
    assert web.requests[0]["body"] == "grant_type=client_credentials&client_id=me&client_secret=hush"
    assert [web.requests[n]["headers"]["authorization"] for n in (1, 3)] == ["Bearer one", "Bearer two"]


def test_oauth_that_is_refused(events: Sandbox, aws: Aws, web: Web) -> None:
    events.settings(routes={"https://login.example.org": web.url})
    web.answers = [(403, {}, {})]
    connect(aws, kind="OAUTH_CLIENT_CREDENTIALS", **OAUTH)
    found = aws("events").describe_connection(Name="slack")
    assert found["ConnectionState"] == "DEAUTHORIZED"
    assert "HTTP 403" in found["StateReason"]


def test_a_connection_may_fail(events: Sandbox, aws: Aws) -> None:
    events.fault("connection_fails", target="slack")
    connect(aws)
    assert aws("events").describe_connection(Name="slack")["ConnectionState"] == "DEAUTHORIZED"


@pytest.mark.parametrize(("answers", "attempts", "outcome"), [
    ([(503, {}, {}), (429, {"Retry-After": "1"}, {}), (200, {}, {})], 3, "delivered"),
    ([(400, {}, {"error": "no text"})], 1, "dead-letter"),
    ([(301, {"Location": "https://elsewhere.example.org"}, {})], 1, "dead-letter"),
    ([(503, {"Retry-After": "-1"}, {})], 1, "dead-letter"),
    ([(500, {}, {})] * 3, 3, "dead-letter"),
])  # fmt: skip
def test_answers(events: Sandbox, aws: Aws, web: Web, answers: list[Any], attempts: int, outcome: str) -> None:
    dead = queue(aws, "dead", f"arn:aws:events:{REGION}:123456789012:rule/failures")
    more = {"DeadLetterConfig": {"Arn": dead}, "RetryPolicy": {"MaximumRetryAttempts": 2}}
    hook(events, aws, web, connect(aws), more)
    web.answers = list(answers)
    line = deliver(events)
    assert (line["outcome"], len(line["attempts"]), len(web.requests)) == (outcome, attempts, attempts)
    if outcome == "dead-letter":
        (message,) = messages(aws, "dead")
        assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "SDK_CLIENT_ERROR"
        assert f"HTTP {answers[-1][0]}" in message["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]


def test_nothing_leaves_loopback(events: Sandbox, aws: Aws, web: Web) -> None:
    hook(events, aws, web, connect(aws), {})
    for routes in ({}, {"https://hooks.slack.com": "http://192.0.2.1"}):
        events.settings(routes=routes)
        line = deliver(events)
        assert (line["outcome"], line["error"]["code"], len(line["attempts"])) == ("lost", "CONNECTION_FAILURE", 1)
    assert web.requests == []


def test_get_has_no_body(events: Sandbox, aws: Aws, web: Web) -> None:
    hook(events, aws, web, connect(aws), {}, HttpMethod="GET")
    assert deliver(events)["outcome"] == "delivered"
    assert (web.requests[0]["method"], web.requests[0]["body"]) == ("GET", "")


def test_the_role_has_to_name_the_destination(events: Sandbox, aws: Aws, web: Web) -> None:
    events.settings(routes={"https://hooks.slack.com": web.url})
    rule(aws)
    arn = destination(aws, connect(aws))
    target(aws, arn, RoleArn=role(aws, "events:InvokeApiDestination", arn.rsplit("/", 1)[0]))
    assert deliver(events)["error"]["code"] == "NO_PERMISSIONS"
    assert web.requests == []
