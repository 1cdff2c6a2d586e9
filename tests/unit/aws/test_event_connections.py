# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections and API destinations: which calls are made, in what order, and what becomes of the answers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import api_destinations, event_connections
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.api_destination import (
    connection_arn_of,
    write_api_destination,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.connection import (
    settled_connection,
    write_connection,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.api_destination import (
    ApiDestination,
    WantedApiDestination,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.model import (
    Authorization,
    Connection,
    HttpParameters,
    Parameter,
    WantedConnection,
)
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.connection.plan import plan_connection
from ansible_collections.steadyops.ecs.plugins.module_utils._core.events.https_url import shown_url
from ansible_collections.steadyops.ecs.plugins.module_utils._core.waiting import Patience
from botocore.exceptions import ClientError
from botocore.stub import ANY

from .clients import Clients, ended, stubbed

ARN = "arn:aws:events:eu-central-1:111122223333:connection/sentry/1b2c3d4e"
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:events-connection-1"
DESTINATION = "arn:aws:events:eu-central-1:111122223333:api-destination/sentry/1b2c3d4e"
KEY = Authorization("api_key", "X-Key", "s3cret")
HTTP = HttpParameters(
    header=(Parameter("X-Team", False, "shop"),),
    body=(Parameter("routing_key", True, "hidden"),),
)
BOTO_HTTP = {
    "HeaderParameters": [{"Key": "X-Team", "Value": "shop", "IsValueSecret": False}],
    "QueryStringParameters": [],
    "BodyParameters": [{"Key": "routing_key", "Value": "hidden", "IsValueSecret": True}],
}
WANTED = WantedConnection("sentry", True, "Words", KEY, None, None, "always", Patience(True, 9, 1))
DONE = {"ConnectionArn": ARN, "ConnectionState": "AUTHORIZING"}


def described(state="AUTHORIZED", **more):
    return {
        "ConnectionArn": ARN,
        "Name": "sentry",
        "ConnectionState": state,
        "AuthorizationType": "API_KEY",
        "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key"}},
        "SecretArn": SECRET_ARN,
        **more,
    }


def connection(**more):
    first = Connection(
        "sentry", ARN, "AUTHORIZED", "", "", Authorization("api_key", "X-Key"), HttpParameters(), "", SECRET_ARN
    )
    return replace(first, **more)


KINDS = [
    (KEY, "API_KEY", {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cret"}}),
    (
        Authorization("basic", "me", "s3cret"),
        "BASIC",
        {"BasicAuthParameters": {"Username": "me", "Password": "s3cret"}},
    ),
    (
        Authorization("oauth", "me", "s3cret", "https://example.com/", "PUT", HTTP),
        "OAUTH_CLIENT_CREDENTIALS",
        {
            "OAuthParameters": {
                "ClientParameters": {"ClientID": "me", "ClientSecret": "s3cret"},
                "AuthorizationEndpoint": "https://example.com/",
                "HttpMethod": "PUT",
                "OAuthHttpParameters": BOTO_HTTP,
            }
        },
    ),
]


@pytest.mark.parametrize(("authorization", "name", "parameters"), KINDS)
@pytest.mark.parametrize("http", [None, HTTP])
@pytest.mark.parametrize("kms_key", [None, "alias/mine", ""])
def test_create_and_update(authorization, name, parameters, http, kms_key):
    client, stub = stubbed("events")
    parameters = {**parameters, **({"InvocationHttpParameters": BOTO_HTTP} if http else {})}
    expected = {"Name": "sentry", "Description": "d", "AuthorizationType": name, "AuthParameters": parameters}
    given = {"KmsKeyIdentifier": kms_key} if kms_key else {}
    stub.add_response("create_connection", DONE, {**expected, **given})
    given = {"KmsKeyIdentifier": kms_key} if kms_key is not None else {}
    stub.add_response("update_connection", DONE, {**expected, **given})
    for function in (event_connections.create_connection, event_connections.update_connection):
        assert function(client, "sentry", "d", authorization, http, kms_key) == (ARN, "AUTHORIZING")
    stub.assert_no_pending_responses()


def test_an_update_of_the_description_alone():
    client, stub = stubbed("events")
    stub.add_response("update_connection", DONE, {"Name": "sentry", "Description": "d"})
    event_connections.update_connection(client, "sentry", "d", None, None, None)
    stub.assert_no_pending_responses()


OAUTH_TOLD = {
    "OAuthParameters": {
        "ClientParameters": {"ClientID": "me"},
        "AuthorizationEndpoint": "https://example.com/",
        "HttpMethod": "POST",
        "OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "a", "IsValueSecret": False}]},
    },
    # A stand-in for AWS may return values that AWS does not return.
    "InvocationHttpParameters": {"QueryStringParameters": [{"Key": "k", "Value": "s3cret", "IsValueSecret": True}]},
}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (described(), connection()),
        (
            described("DEAUTHORIZED", StateReason="No.", Description="Words", KmsKeyIdentifier="alias/mine"),
            connection(state="DEAUTHORIZED", reason="No.", description="Words", kms_key="alias/mine"),
        ),
        (
            described(AuthorizationType="BASIC", AuthParameters={"BasicAuthParameters": {"Username": "me"}}),
            connection(authorization=Authorization("basic", "me")),
        ),
        (
            described(AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters=OAUTH_TOLD),
            connection(
                authorization=Authorization(
                    "oauth",
                    "me",
                    None,
                    "https://example.com/",
                    "POST",
                    HttpParameters(body=(Parameter("scope", False, "a"),)),
                ),
                http=HttpParameters(query=(Parameter("k", True, None),)),
            ),
        ),
        ({"ConnectionArn": ARN, "Name": "sentry", "ConnectionState": "CREATING"},
         connection(state="CREATING", authorization=None, secret_arn=None)),
    ],
)  # fmt: skip
def test_describe(answer, expected):
    client, stub = stubbed("events")
    stub.add_response("describe_connection", answer, {"Name": "sentry"})
    assert event_connections.describe_connection(client, "sentry") == expected


def test_what_is_not_there():
    client, stub = stubbed("events")
    for operation in ("describe_connection", "describe_api_destination", "delete_connection", "delete_api_destination"):
        stub.add_client_error(operation, "ResourceNotFoundException", "It does not exist.")
    assert event_connections.describe_connection(client, "sentry") is None
    assert api_destinations.describe_api_destination(client, "sentry") is None
    event_connections.delete_connection(client, "sentry")
    api_destinations.delete_api_destination(client, "sentry")
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (event_connections.describe_connection, "describe_connection"),
        (event_connections.delete_connection, "delete_connection"),
        (api_destinations.describe_api_destination, "describe_api_destination"),
        (api_destinations.delete_api_destination, "delete_api_destination"),
    ],
)
def test_other_errors_are_raised(function, operation):
    client, stub = stubbed("events")
    stub.add_client_error(operation, "AccessDeniedException", "You may not.")
    with pytest.raises(CallFailed, match="You may not"):
        function(client, "sentry")


@pytest.mark.parametrize(
    "function",
    [
        event_connections.describe_connection,
        event_connections.delete_connection,
        api_destinations.describe_api_destination,
        api_destinations.delete_api_destination,
    ],
)
def test_credentials_that_are_not_found_are_no_missing_connection(function):
    """botocore itself calls GetRoleCredentials of IAM Identity Center, which has an error with the same code."""
    client, _stub = stubbed("events")
    answer = {"Error": {"Code": "ResourceNotFoundException", "Message": "The specified account does not exist."}}

    def no_credentials(**_request):
        raise ClientError(answer, "GetRoleCredentials")

    client.meta.events.register("provide-client-params", no_credentials)
    with pytest.raises(CallFailed, match="GetRoleCredentials failed with ResourceNotFoundException"):
        function(client, "sentry")


def test_an_api_destination():
    client, stub = stubbed("events")
    settings = {
        "Name": "sentry",
        "Description": "",
        "ConnectionArn": ARN,
        "InvocationEndpoint": "https://example.com/",
        "HttpMethod": "POST",
        "InvocationRateLimitPerSecond": 300,
    }
    shown = {
        "name": "sentry",
        "description": "",
        "connection_arn": ARN,
        "http_method": "POST",
        "invocation_rate_limit_per_second": 300,
    }
    stub.add_response("create_api_destination", {"ApiDestinationArn": DESTINATION}, settings)
    kept = {key: value for key, value in settings.items() if key != "InvocationEndpoint"}
    stub.add_response("update_api_destination", {"ApiDestinationArn": DESTINATION}, kept)
    told = {key: value for key, value in settings.items() if value and key != "InvocationRateLimitPerSecond"}
    answer = {**told, "ApiDestinationArn": DESTINATION, "ApiDestinationState": "INACTIVE"}
    stub.add_response("describe_api_destination", answer, {"Name": "sentry"})
    assert api_destinations.create_api_destination(client, shown, "https://example.com/") == DESTINATION
    assert api_destinations.update_api_destination(client, shown, None) == DESTINATION
    endpoint = shown_url("https://example.com/")
    expected = ApiDestination("sentry", DESTINATION, "INACTIVE", "", ARN, endpoint, "POST", 300)
    assert api_destinations.describe_api_destination(client, "sentry") == expected
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("states", "ended_in"),
    [
        (["AUTHORIZED"], "AUTHORIZED"),
        ([None, "CREATING", "AUTHORIZING", "AUTHORIZED"], "AUTHORIZED"),
        (["UPDATING", "ACTIVE"], "ACTIVE"),
        (["DEAUTHORIZED", "AUTHORIZED"], "AUTHORIZED"),  # the first state was read too early
    ],
)
def test_waits_for_the_authorization(states, ended_in):
    client, stub = stubbed("events")
    stub.add_response("create_connection", DONE, ANY_CREATE)
    for state in states:
        if state:
            stub.add_response("describe_connection", described(state), {"Name": "sentry"})
        else:
            stub.add_client_error("describe_connection", "ResourceNotFoundException", "Not yet.")
    done, pauses, told = ended(write_connection(client, WANTED, None, plan_connection(WANTED, None)))
    assert done == ["created the connection"]
    assert len(pauses) == len(states) - 1
    assert told == {"arn": ARN, "state": ended_in, "secret_arn": SECRET_ARN}
    stub.assert_no_pending_responses()


ANY_CREATE = {"Name": "sentry", "Description": "Words", "AuthorizationType": "API_KEY", "AuthParameters": ANY}


@pytest.mark.parametrize("state", ["DEAUTHORIZED", "FAILED_CONNECTIVITY"])
def test_fails_with_the_reason_of_aws_and_without_the_secret(state):
    client, stub = stubbed("events")
    stub.add_response("create_connection", DONE, ANY_CREATE)
    for _look in range(2):
        stub.add_response(
            "describe_connection", described(state, StateReason="Token s3cret is bad."), {"Name": "sentry"}
        )
    with pytest.raises(Failed) as failed:
        ended(write_connection(client, WANTED, None, plan_connection(WANTED, None)))
    assert f"connection sentry is {state}: Token ******** is bad. Check the authorization" in str(failed.value)


def test_does_not_wait_for_what_nobody_waits_for():
    client, stub = stubbed("events")
    stub.add_response("update_connection", DONE, ANY_CREATE)
    wanted = replace(WANTED, patience=Patience(False, 9, 1))
    change = plan_connection(wanted, connection())
    assert ended(write_connection(client, wanted, connection(), change)) == (
        ["updated the connection"],
        [],
        {"arn": ARN, "state": "AUTHORIZING"},
    )
    stub.assert_no_pending_responses()


def test_one_that_was_made_meanwhile_is_updated():
    client, stub = stubbed("events")
    stub.add_client_error("create_connection", "ResourceAlreadyExistsException", "It exists.")
    stub.add_response("update_connection", DONE, ANY_CREATE)
    stub.add_response("describe_connection", described(), {"Name": "sentry"})
    done, _pauses, told = ended(write_connection(client, WANTED, None, plan_connection(WANTED, None)))
    assert (done, told["state"]) == (["created the connection"], "AUTHORIZED")
    stub.assert_no_pending_responses()


def test_a_new_description_on_a_connection_without_its_authorization():
    """The lost authorization is not a failure of this write."""
    client, stub = stubbed("events")
    wanted = replace(WANTED, authorization=None)
    lost = connection(state="DEAUTHORIZED")
    stub.add_response("update_connection", DONE, {"Name": "sentry", "Description": "Words"})
    stub.add_response("describe_connection", described("DEAUTHORIZED"), {"Name": "sentry"})
    assert ended(write_connection(client, wanted, lost, plan_connection(wanted, lost)))[2]["state"] == "DEAUTHORIZED"


def users(*names, more=None):
    each = [{"Name": name, "ConnectionArn": ARN} for name in names]
    return {
        "ApiDestinations": [*each, {"Name": "stranger", "ConnectionArn": f"{ARN}f"}],
        **({"NextToken": more} if more else {}),
    }


def test_a_connection_that_is_used_is_not_deleted():
    client, stub = stubbed("events")
    stub.add_response("list_api_destinations", users("b", more="next"), {"ConnectionArn": ARN})
    stub.add_response("list_api_destinations", users("a"), {"ConnectionArn": ARN, "NextToken": "next"})
    with pytest.raises(Failed, match="connection sentry is used by the API destinations a, b"):
        ended(write_connection(client, WANTED, connection(), Change({"name": "sentry"}, None)))
    stub.assert_no_pending_responses()


def test_waits_until_it_is_gone():
    client, stub = stubbed("events")
    stub.add_response("list_api_destinations", users(), {"ConnectionArn": ARN})
    stub.add_response("delete_connection", {}, {"Name": "sentry"})
    stub.add_response("describe_connection", described("DELETING"), {"Name": "sentry"})
    stub.add_client_error("describe_connection", "ResourceNotFoundException", "Gone.")
    done, pauses, told = ended(write_connection(client, WANTED, connection(), Change({"name": "sentry"}, None)))
    assert (done, len(pauses), told) == (["deleted the connection"], 1, None)
    stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    ("states", "wait", "seen"),
    [
        (["AUTHORIZED"], True, "AUTHORIZED"),
        (["CREATING", "AUTHORIZING", "AUTHORIZED"], True, "AUTHORIZED"),
        (["DEAUTHORIZED"], True, "DEAUTHORIZED"),
        (["DELETING", None], True, None),
        (["UPDATING"], False, "UPDATING"),
        ([None], True, None),
    ],
)
def test_what_was_begun_earlier_is_waited_for(states, wait, seen):
    client, stub = stubbed("events")
    for state in states:
        if state:
            stub.add_response("describe_connection", described(state), {"Name": "sentry"})
        else:
            stub.add_client_error("describe_connection", "ResourceNotFoundException", "Gone.")
    wanted = replace(WANTED, patience=Patience(wait, 9, 1))
    _done, pauses, found = ended(settled_connection(client, wanted))
    assert (found and found.state, len(pauses)) == (seen, len(states) - 1)


ENDPOINT = "https://example.com/"
WISH = WantedApiDestination("sentry", True, None, None, ENDPOINT, None, None, (), Patience(True, 0, 1))
SHOWN = {
    "name": "sentry",
    "description": "",
    "connection": "sentry",
    "connection_arn": ARN,
    "invocation_endpoint": shown_url(ENDPOINT),
    "http_method": "POST",
    "invocation_rate_limit_per_second": 1,
}


def told(state):
    return {
        "ApiDestinationArn": DESTINATION,
        "Name": "sentry",
        "ApiDestinationState": state,
        "ConnectionArn": ARN,
        "InvocationEndpoint": "https://example.com/",
        "HttpMethod": "POST",
    }


def test_an_api_destination_that_does_not_become_active():
    client, stub = stubbed("events")
    stub.add_client_error("create_api_destination", "ResourceAlreadyExistsException", "It exists.")
    stub.add_response("update_api_destination", {"ApiDestinationArn": DESTINATION})
    stub.add_response("describe_api_destination", told("INACTIVE"))
    with pytest.raises(Failed, match="API destination sentry is INACTIVE, as it may be for its connection sentry"):
        ended(write_api_destination(client, WISH, Change(None, SHOWN)))
    stub.assert_no_pending_responses()


def test_an_api_destination_that_has_to_go():
    client, stub = stubbed("events")
    stub.add_response("delete_api_destination", {}, {"Name": "sentry"})
    stub.add_response("describe_api_destination", told("ACTIVE"))
    stub.add_client_error("describe_api_destination", "ResourceNotFoundException", "Gone.")
    wish = replace(WISH, patience=Patience(True, 9, 1))
    assert ended(write_api_destination(client, wish, Change(SHOWN, None))) == (
        ["deleted the API destination"],
        [1],
        None,
    )
    stub.assert_no_pending_responses()


WRITE_NEW = Change(None, SHOWN)
CREATE = {
    "Name": "sentry",
    "Description": "",
    "ConnectionArn": ARN,
    "InvocationEndpoint": ENDPOINT,
    "HttpMethod": "POST",
    "InvocationRateLimitPerSecond": 1,
}
DELETE = Change({**SHOWN, "name": "sentry"}, None)


@pytest.mark.parametrize(
    ("change", "wait", "calls", "expected"),
    [
        (
            WRITE_NEW,
            True,
            [
                ("events.create_api_destination", CREATE, {"ApiDestinationArn": DESTINATION}),
                ("events.describe_api_destination", {"Name": "sentry"}, "ResourceNotFoundException: Not yet."),
                ("events.describe_api_destination", {"Name": "sentry"}, told("ACTIVE")),
            ],
            (["created the API destination"], [1], {"arn": DESTINATION, "state": "ACTIVE"}),
        ),
        (
            Change(SHOWN, {**SHOWN, "http_method": "PUT"}),
            False,
            [("events.update_api_destination", None, {"ApiDestinationArn": DESTINATION})],
            (["updated the API destination"], [], {"arn": DESTINATION}),
        ),
        (
            DELETE,
            False,
            [("events.delete_api_destination", {"Name": "sentry"}, {})],
            (["deleted the API destination"], [], None),
        ),
    ],
)
def test_an_api_destination_is_written(change, wait, calls, expected):
    clients = Clients()
    clients.expect(*calls)
    wish = replace(WISH, patience=Patience(wait, 9, 1))
    assert ended(write_api_destination(clients("events"), wish, change)) == expected
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("change", "call", "kind", "words"),
    [
        (
            Change(None, {**SHOWN, "connection_arn": None}),
            None,
            Failed,
            "The connection sentry of the API destination sentry does not exist",
        ),
        (WRITE_NEW, "create_api_destination", CallFailed, "LimitExceededException: Too many"),
        (DELETE, "delete_api_destination", CallFailed, "LimitExceededException: Too many"),
    ],
)
def test_an_api_destination_that_cannot_be_written(change, call, kind, words):
    clients = Clients()
    if call:
        clients.expect((f"events.{call}", None, "LimitExceededException: Too many"))
    with pytest.raises(kind, match=words):
        ended(write_api_destination(clients("events"), WISH, change))


@pytest.mark.parametrize(
    ("connection_name", "answer", "expected"),
    [
        (None, None, None),
        ("sentry", described(), ARN),
        ("sentry", "ResourceNotFoundException: No.", None),
    ],
)
def test_the_connection_of_an_api_destination(connection_name, answer, expected):
    clients = Clients()
    if answer:
        clients.expect(("events.describe_connection", {"Name": "sentry"}, answer))
    wish = replace(WISH, connection=connection_name)
    assert connection_arn_of(clients("events"), wish, None) == expected
    clients.assert_all_asked()


@pytest.mark.parametrize(
    ("current", "calls", "done"),
    [
        (None, [], []),
        (
            connection(),
            [
                ("events.list_api_destinations", {"ConnectionArn": ARN}, users()),
                ("events.delete_connection", {"Name": "sentry"}, {}),
            ],
            ["deleted the connection"],
        ),
    ],
)
def test_a_deletion_that_nobody_waits_for(current, calls, done):
    clients = Clients()
    clients.expect(*calls)
    wanted = replace(WANTED, patience=Patience(False, 9, 1))
    assert ended(write_connection(clients("events"), wanted, current, Change({}, None))) == (done, [], None)
    clients.assert_all_asked()
