# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections and API destinations: created, kept, changed back and forth, removed."""

from __future__ import annotations

import copy
import json
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from psutil import Process

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import until, warnings

CONNECTION, DESTINATION = "events_connection", "events_api_destination"
SECRETS = {
    "key": "k3y-Quartz",
    "basic": "pa55-Umbra",
    "oauth": "cl13nt-Onyx",
    "header": "h34der-Jade",
    "body": "b0dy-Opal",
}

API_KEY = {"api_key": {"name": "X-Sentry-Auth", "value": SECRETS["key"]}}
BASIC = {"basic": {"username": "deployer", "password": SECRETS["basic"]}}
OAUTH = {
    "oauth": {
        "client_id": "alerts",
        "client_secret": SECRETS["oauth"],
        "authorization_endpoint": "https://login.example.com/token",
        "http_parameters": {"body": [{"key": "grant_type", "value": "client_credentials"}]},
    }
}
EXTRA = {
    "invocation_http_parameters": {
        "header": [
            {"key": "X-Team", "value": "shop"},
            {"key": "X-Code", "secret_value": SECRETS["header"]},
        ],
        "query": [{"key": "v", "value": "2"}],
        "body": [{"key": "routing_key", "secret_value": SECRETS["body"]}],
    }
}
SOME = {**API_KEY, "update_secret": "never"}  # for destinations: without the digest, which takes a third of a second
ENDPOINT = {"connection": "sentry", "invocation_endpoint": "https://sentry.example.com/api/1/store/"}
WRITES = {f"{verb}{thing}" for verb in ("Create", "Update", "Delete") for thing in ("Connection", "ApiDestination")}


@pytest.fixture
def ask(sandbox, start):
    """Runs a module, and returns the result and the names of the calls that it made."""

    def ask(module: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
        seen = sandbox.state()["calls"]
        result = start(module, **{"name": "sentry", "wait_delay": 0.05, "wait_timeout": 20, **options}).result()
        assert not leaked(json.dumps(result)), "a secret got out"
        return result, [call["operation"] for call in sandbox.journal(since=seen)["calls"]]

    return ask


@pytest.fixture
def connection(ask):
    return partial(ask, CONNECTION)


@pytest.fixture
def destination(ask):
    return partial(ask, DESTINATION)


def leaked(text: str) -> list[str]:
    return [name for name, secret in SECRETS.items() if secret in text]


def writes(calls: list[str]) -> list[str]:
    return [call for call in calls if call in WRITES]


def settings(result: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a result without what happened to the secret values, and without the secret's ARN."""
    return {name: value for name, value in result[key].items() if name not in {"secret_values", "secret_arn"}}


KINDS = [BASIC, {**API_KEY, **EXTRA}, {**OAUTH, **EXTRA}]


@pytest.mark.parametrize("kind", KINDS, ids="+".join)
def test_every_authorization_converges_and_stays(connection, kind):
    check, calls = connection(**kind, description="Failures", check=True, diff=True)
    assert check["changed"]
    assert calls == ["DescribeConnection"]
    made, calls = connection(**kind, description="Failures", diff=True)
    assert made["changed"]
    assert writes(calls) == ["CreateConnection"]
    assert check["diff"] == made["diff"]
    assert {key: check["connection"][key] for key in ("arn", "state", "secret_arn")} == dict.fromkeys(
        ("arn", "state", "secret_arn")
    )
    assert made["connection"]["state"] == "AUTHORIZED"
    assert made["connection"]["description"] == "Failures"
    assert made["connection"]["arn"].startswith("arn:aws:events:eu-central-1:123456789012:connection/sentry/")

    again, calls = connection(**kind, description="Failures")
    assert (again["changed"], calls) == (False, ["DescribeConnection"])
    assert settings(again, "connection") == settings(made, "connection")
    assert connection(**kind, check=True)[0]["changed"] is False


CHANGES = [
    {"description": "Other words"},
    {"api_key": None, **OAUTH},
    {"invocation_http_parameters": {"query": [{"key": "v", "secret_value": "se-cr-et"}]}},
]
MORE_CHANGES = [
    {"api_key": {"name": "Authorization", "value": SECRETS["key"]}},
    {"api_key": {"name": "X-Sentry-Auth", "value": "an0ther-key"}},
    {"api_key": None, **BASIC},
    {"invocation_http_parameters": {}},
    {"invocation_http_parameters": {"header": [{"key": "X-Team", "value": "toys"}]}},
]


@pytest.mark.parametrize(
    "change", [*CHANGES, *(pytest.param(each, marks=pytest.mark.long) for each in MORE_CHANGES)], ids=str
)
@pytest.mark.sampled(3)
def test_every_option_can_be_changed_and_changed_back(connection, change):
    first = {**API_KEY, **EXTRA, "description": "Failures"}
    made, _calls = connection(**first)
    second = {key: value for key, value in {**first, **change}.items() if value is not None}
    for options, kept in ((second, first), (first, second)):
        check, calls = connection(**options, check=True, diff=True)
        assert writes(calls) == []
        done, calls = connection(**options, diff=True)
        assert check["changed"] is done["changed"] is True
        assert writes(calls) == ["UpdateConnection"]
        assert check["diff"] == done["diff"]
        assert settings(check, "connection") == settings(done, "connection")
        assert check["connection"]["secret_values"] == done["connection"]["secret_values"]
        assert connection(**options)[0]["changed"] is False
        assert connection(**kept, check=True)[0]["changed"] is True
    assert settings(done, "connection") == settings(made, "connection")


def test_what_is_not_given_stays(connection):
    connection(**API_KEY, **EXTRA, description="Failures")
    result, calls = connection(description="Other words")
    assert (result["changed"], writes(calls)) == (True, ["UpdateConnection"])
    assert result["connection"]["api_key"] == {"name": "X-Sentry-Auth"}
    assert [each["key"] for each in result["connection"]["invocation_http_parameters"]["header"]] == [
        "X-Code",
        "X-Team",
    ]
    # The digest has been stored, too.
    assert connection(**API_KEY, **EXTRA)[0]["changed"] is False
    assert connection()[0]["changed"] is False


def test_when_secret_values_are_written(connection):
    other = {"api_key": {"name": "X-Sentry-Auth", "value": "an0ther-key"}}
    connection(**API_KEY)
    for options, changed in [
        ({**API_KEY, "update_secret": "always"}, True),
        ({**API_KEY, "update_secret": "always"}, True),
        ({**other, "update_secret": "never"}, False),
        (other, True),
        (other, False),
        ({**API_KEY, "update_secret": "never"}, False),
        (API_KEY, True),
        (API_KEY, False),
    ]:
        result, calls = connection(**options)
        assert result["changed"] is changed
        assert result["connection"]["secret_values"] == ("written" if changed else "kept")
        assert writes(calls) == ["UpdateConnection"] * changed


@pytest.mark.parametrize("description", ["", "Made by hand"])
def test_a_connection_of_somebody_else_is_written_once(connection, sandbox, description, events):
    key = {"ApiKeyName": "X-Sentry-Auth", "ApiKeyValue": SECRETS["key"]}
    events.create_connection(
        Name="sentry",
        Description=description,
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": key},
    )
    result, _calls = connection(**API_KEY, diff=True)
    assert result["changed"]
    differing = {key for key, value in result["diff"]["after"].items() if value != result["diff"]["before"][key]}
    assert differing == {"secret_values"}
    assert result["connection"]["description"] == description
    assert connection(**API_KEY)[0]["changed"] is False


@pytest.fixture
def events(sandbox):
    return aws_client(sandbox, "events")


def test_the_digest_is_kept_where_aws_shows_the_description_and_tells_nothing(connection, events):
    connection(**API_KEY, description="Failures")
    connection(**API_KEY, name="twin", description="Failures")
    found = [events.describe_connection(Name=name)["Description"] for name in ("sentry", "twin")]
    assert all(text.startswith("Failures [steadyops:1:") for text in found)
    assert found[0] != found[1]


def test_absent(connection, destination):
    result, calls = connection(state="absent")
    assert (result["changed"], result["connection"], calls) == (False, None, ["DescribeConnection"])
    connection(**SOME)
    destination(**ENDPOINT)

    refused, calls = connection(state="absent")
    assert "is used by the API destination sentry. Delete these first" in refused["msg"]
    assert writes(calls) == []

    for ask, key, operation in (
        (destination, "api_destination", "DeleteApiDestination"),
        (connection, "connection", "DeleteConnection"),
    ):
        check, calls = ask(state="absent", check=True, diff=True)
        assert (check["changed"], writes(calls)) == (True, [])
        gone, calls = ask(state="absent", diff=True)
        assert (gone["changed"], gone[key], writes(calls)) == (True, None, [operation])
        assert gone["diff"] == check["diff"]
        assert ask(state="absent")[0]["changed"] is False


def test_an_api_destination_converges_and_stays(connection, destination):
    connection(**SOME)
    check, calls = destination(**ENDPOINT, check=True, diff=True)
    assert writes(calls) == []
    made, calls = destination(**ENDPOINT, diff=True)
    assert made["changed"]
    assert writes(calls) == ["CreateApiDestination"]
    assert check["diff"] == made["diff"]
    found = made["api_destination"]
    assert (found["state"], found["http_method"], found["connection"]) == ("ACTIVE", "POST", "sentry")
    assert found["invocation_rate_limit_per_second"] == 300
    again, calls = destination(**ENDPOINT)
    assert (again["changed"], calls) == (False, ["DescribeApiDestination"])
    assert again["api_destination"] == found
    again, calls = destination(connection=found["connection_arn"])
    assert (again["changed"], calls) == (False, ["DescribeApiDestination"])


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Other words"},
        {"connection": "other"},
        {"invocation_endpoint": "https://sentry.example.com/api/*/store/"},
        {"http_method": "PUT"},
        {"invocation_rate_limit_per_second": 1},
    ],
    ids=str,
)
@pytest.mark.sampled(3)
def test_every_option_of_an_api_destination_can_be_changed_and_changed_back(connection, destination, change):
    connection(**SOME)
    connection(**SOME, name="other")
    first = {**ENDPOINT, "description": "d", "http_method": "POST", "invocation_rate_limit_per_second": 5}
    made, _calls = destination(**first)
    for options in ({**first, **change}, first):
        check, _calls = destination(**options, check=True, diff=True)
        done, calls = destination(**options, diff=True)
        assert writes(calls) == ["UpdateApiDestination"]
        assert (check["diff"], check["api_destination"]) == (done["diff"], done["api_destination"])
        assert destination(**options)[0]["changed"] is False
    assert done["api_destination"] == made["api_destination"]


def test_a_connection_that_is_not_there_yet(destination):
    check, _calls = destination(**ENDPOINT, check=True)
    assert check["changed"]
    assert "the connection sentry does not exist" in warnings(check)[0]
    result, calls = destination(**ENDPOINT)
    assert "The connection sentry of the API destination sentry does not exist. Create it first" in result["msg"]
    assert writes(calls) == []


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("https://hooks.slack.com/services/T0/B0/xyz", "Use https://slack.com/api/chat.postMessage"),
        ("https://prod.logic.azure.com:443/workflows/1/paths/invoke?sp=x&sig=abc", "invocation_http_parameters.query"),
        ("https://10.0.0.7/alerts", "over the Internet, which cannot reach this host"),
        ("https://alerts.example.com/", None),
    ],
)
def test_addresses_that_are_worth_a_warning(connection, destination, endpoint, words):
    connection(**SOME)
    result, _calls = destination(connection="sentry", invocation_endpoint=endpoint, diff=True)
    assert result["changed"]
    # Not in the result, not in the difference, and not in the arguments that -vvv shows.
    assert endpoint not in json.dumps(result)
    assert result["api_destination"]["invocation_endpoint"].startswith(f"https://{urlsplit(endpoint).netloc} (SHA-256 ")
    found = warnings(result)
    assert len(found) == (words is not None)
    assert not words or words in found[0]


def with_key(**change: Any) -> dict[str, Any]:
    return {"api_key": {**API_KEY["api_key"], **change}}


def with_oauth(**change: Any) -> dict[str, Any]:
    return {"oauth": {**OAUTH["oauth"], **change}}


def with_parameter(place: str, **parameter: Any) -> dict[str, Any]:
    return {**API_KEY, "invocation_http_parameters": {place: [parameter]}}


BAD = SECRETS["key"]
MISTYPED = [
    (
        {"name": "sen try", **API_KEY},
        "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores (got 'sen try')",
    ),
    ({"name": "s" * 65, **API_KEY}, "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores"),
    ({"name": "", **API_KEY}, "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores"),
    ({}, "Set api_key, basic or oauth"),
    ({"state": "there", **API_KEY}, "value of state must be one of: present, absent"),
    ({**API_KEY, **BASIC}, "mutually exclusive"),
    ({"api_key": {"name": "X-Key"}}, "missing required arguments: value"),
    ({"api_key": {"value": BAD}}, "missing required arguments: name"),
    (with_key(value=f"{BAD}:1"), "api_key.value must not contain a colon"),
    (with_key(value=BAD * 60), "`api_key.value` must have 1 to 512 characters (got 600)"),
    (with_key(value=""), "`api_key.value` must have 1 to 512 characters (got 0)"),
    (with_key(value="\t"), "api_key.value is blank"),
    (with_key(value=f"{BAD}\n"), "api_key.value must not contain a line break"),
    (with_key(name="X Key"), "api_key.name must be the name of a header"),
    (with_key(name="X:Key"), "api_key.name must not contain a colon"),
    ({"api_key": {"name": "X-Key", "vaule": BAD}}, "missing required arguments: value"),
    ({"api_key": BAD}, "argument 'api_key' is of type str and must be a dictionary"),
    ({"api_key": [BAD]}, "argument 'api_key' is of type list and must be a dictionary"),
    (
        {**API_KEY, "invocation_http_parameters": {"body": [BAD]}},
        "argument 'invocation_http_parameters.body' is of type str and must be a dictionary",
    ),
    ({**API_KEY, "invocation_http_parameters": {"body": [{"key": "a", "secret": BAD}]}}, "value, secret_value"),
    ({"basic": {"username": "a:b", "password": BAD}}, "basic.username must not contain a colon"),
    ({"basic": {"username": "a", "password": f"a:{BAD}"}}, "basic.password must not contain a colon"),
    ({"basic": {"username": "a"}}, "missing required arguments: password"),
    (with_oauth(authorization_endpoint="http://login.example.com/"), "only https URLs"),
    (with_oauth(authorization_endpoint="https:///token"), "the host after https:// is not valid"),
    (with_oauth(http_method="PATCH"), "must be one of: GET, POST, PUT"),
    (
        with_oauth(client_secret=f"{BAD}\x00"),
        "oauth.client_secret must not contain a line break or another control character",
    ),
    (with_oauth(client_id=None), "missing required arguments: client_id found in oauth"),
    (with_parameter("header", key="a b", value="c"), "must be names of headers"),
    (with_parameter("header", key="a", value="c\nd"), "header[0].value must not be blank, or contain line breaks"),
    (with_parameter("header", key="a", secret_value=f"{BAD}é"), "header[0].secret_value must not be blank, or"),
    (with_parameter("header", key="a"), "one of the following is required: value, secret_value"),
    (with_parameter("header", key="a", value="b", secret_value=BAD), "mutually exclusive"),
    (with_parameter("header", value="b"), "missing required arguments: key"),
    (
        with_parameter("query", key="a", secret_value=f"{BAD}\x00"),
        "query[0].secret_value must not contain a control character",
    ),
    (with_parameter("query", key="", value="b"), "query[0].key` must have 1 to 512 characters (got 0)"),
    (with_parameter("cookie", key="a", value="b"), "Unsupported parameters"),
    (
        {**API_KEY, "invocation_http_parameters": {"header": [{"key": key, "value": "1"} for key in ("a", "A")]}},
        "header[1]: 'A' is given twice",
    ),
    (
        {**API_KEY, "invocation_http_parameters": {"body": [{"key": f"k{n}", "value": "1"} for n in range(101)]}},
        "body has 101 entries, but EventBridge allows 100",
    ),
    ({"invocation_http_parameters": {"query": [{"key": "a", "value": "b"}]}}, "Set api_key, basic or oauth as well"),
    ({**API_KEY, "description": "d" * 513}, "`description` must have at most 512 characters (got 513)"),
    ({**API_KEY, "description": "d" * 432}, "the limit is 431"),
    ({**API_KEY, "description": "a\nb"}, "description must be one line"),
    (
        {**API_KEY, "description": f"[steadyops:1:{'a' * 22}:{'b' * 43}]"},
        "description must not end with the mark that this module uses",
    ),
    ({**API_KEY, "kms_key_identifier": "my key"}, "must be the ID, ARN or alias of a KMS key"),
    ({**API_KEY, "kms_key_identifier": "alias/aws/secretsmanager"}, "is an AWS managed key"),
    ({**API_KEY, "update_secret": "sometimes"}, "must be one of: on_change, always, never"),
    ({**API_KEY, "wait_timeout": 0}, "wait_timeout must be a number of seconds above 0"),
    ({**API_KEY, "wait_delay": "nan"}, "wait_delay must be a number from -2^63 to 2^63 (got nan)"),
    ({**API_KEY, "tags": {"a": "b"}}, "Unsupported parameters"),
]
MISTYPED_DESTINATION = [
    ({**ENDPOINT, "name": "a/b"}, "`name` must be 1 to 64 letters, digits, dots, hyphens and underscores (got 'a/b')"),
    ({"connection": "sentry"}, "Set invocation_endpoint to create it"),
    ({"invocation_endpoint": "https://example.com/"}, "Set connection to create it"),
    (
        {**ENDPOINT, "connection": "a b"},
        "`connection` must be the name of a connection (1 to 64 letters, digits, dots, hyphens and underscores)",
    ),
    (
        {**ENDPOINT, "connection": "arn:aws:sns:eu-central-1:123456789012:topic"},
        "`connection` must be the name of a connection",
    ),
    ({**ENDPOINT, "invocation_endpoint": "http://example.com/"}, "only https URLs"),
    ({**ENDPOINT, "invocation_endpoint": "example.com"}, "only https URLs"),
    ({**ENDPOINT, "invocation_endpoint": "https://exa mple.com/"}, "does not allow in a URL"),
    ({**ENDPOINT, "invocation_endpoint": "https://example.com/{id}"}, "does not allow in a URL"),
    ({**ENDPOINT, "invocation_endpoint": "https://*.example.com/"}, "the host after https:// is not valid"),
    ({**ENDPOINT, "invocation_endpoint": "https://me:mine@example.com/"}, "user name or password before the host"),
    ({**ENDPOINT, "invocation_endpoint": "https://example.com:99999/"}, "the port must be a number"),
    (
        {**ENDPOINT, "invocation_endpoint": "https://example.com/" + "a" * 2048},
        "`invocation_endpoint` must have at most 2048 characters (got 2068)",
    ),
    ({**ENDPOINT, "http_method": "CONNECT"}, "value of http_method must be one of"),
    ({**ENDPOINT, "invocation_rate_limit_per_second": 0}, "must be a number from 1"),
    ({**ENDPOINT, "invocation_rate_limit_per_second": "many"}, "invocation_rate_limit_per_second"),
    ({**ENDPOINT, "description": "d" * 513}, "`description` must have at most 512 characters (got 513)"),
    ({**ENDPOINT, "wait_timeout": -1}, "wait_timeout must be a number of seconds above 0"),
]


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [(CONNECTION, *case) for case in MISTYPED] + [(DESTINATION, *case) for case in MISTYPED_DESTINATION],
    ids=lambda value: str(value)[:60],
)
def test_mistyped_options(ask, module, options, words):
    result, calls = ask(module, **copy.deepcopy(options))
    assert result["failed"]
    assert words in result["msg"]
    assert writes(calls) == []


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("CreateConnection", f"Value '{SECRETS['key']}' at 'apiKeyValue' failed to satisfy constraint"),
        ("CreateConnection", f'The body was {{"ApiKeyValue": "{SECRETS["key"]}"}}'),
        ("DescribeConnection", "no"),
    ],
)
def test_errors_of_aws_that_quote_what_was_sent(connection, sandbox, operation, message):
    sandbox.fault("error", operations=[operation], code="ValidationException", message=message, status=400)
    result, _calls = connection(**API_KEY)
    assert "ValidationException" in result["msg"]
    assert "connection sentry in eu-central-1" in result["msg"]
    assert result["changed"] is False


def test_an_answer_that_is_lost(connection, sandbox):
    """The module repeats the call, and AWS says that the resource already exists."""
    sandbox.fault("connection_reset", operations=["CreateConnection"], times=1)
    result, _calls = connection(**API_KEY)
    assert result["changed"]
    assert result["connection"]["state"] == "AUTHORIZED"
    assert connection(**API_KEY)[0]["changed"] is False


@pytest.fixture
def token_service(sandbox):
    """A stand-in for the web service of OAuth. ``statuses`` are its next responses; then it returns a token."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(server.statuses.pop(0) if server.statuses else 200)
            self.end_headers()
            self.wfile.write(b'{"access_token": "t0ken"}')

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.statuses = [], []
    Thread(target=server.serve_forever, daemon=True).start()
    sandbox.settings(routes={"https://login.example.com": f"http://127.0.0.1:{server.server_port}"})
    yield server
    server.shutdown()
    server.server_close()


def test_an_authorization_that_is_refused_and_then_given(connection, token_service):
    token_service.statuses = [403]
    refused, calls = connection(**OAUTH)
    assert refused["changed"]
    assert "connection sentry is DEAUTHORIZED: the authorization endpoint answered with HTTP 403" in refused["msg"]
    assert refused["msg"].endswith("Done before that: created the connection")
    assert SECRETS["oauth"] in token_service.asked[0]

    warned, calls = connection()
    assert "connection sentry is DEAUTHORIZED" in warnings(warned)[0]
    check, calls = connection(**OAUTH, check=True)
    assert (check["changed"], writes(calls)) == (True, [])
    given, calls = connection(**OAUTH)
    assert (given["connection"]["state"], writes(calls)) == ("AUTHORIZED", ["UpdateConnection"])
    assert connection(**OAUTH)[0]["changed"] is False


def test_waiting_and_not_waiting(connection, sandbox):
    sandbox.settings(latencies={"connection": 100_000})
    begun, calls = connection(**API_KEY, name="slow", wait=False)
    assert (begun["connection"]["state"], calls) == ("CREATING", ["DescribeConnection", "CreateConnection"])
    late, _calls = connection(**API_KEY, name="slow", wait_timeout=1)
    assert "connection slow is still CREATING after 1 s. Increase wait_timeout" in late["msg"]

    sandbox.settings(latencies={"connection": 100})
    connection(**API_KEY, wait=False)
    done, calls = connection(**API_KEY)
    assert (done["changed"], done["connection"]["state"], writes(calls)) == (False, "AUTHORIZED", [])
    gone, calls = connection(state="absent", wait=False)
    assert (gone["changed"], gone["connection"]) == (True, None)
    # The module waits for the end of the deletion, and creates the connection again.
    again, calls = connection(**API_KEY)
    assert (again["changed"], writes(calls)) == (True, ["CreateConnection"])
    assert again["connection"]["arn"] != done["connection"]["arn"]


def test_secrets_are_in_no_output_of_ansible(playbook, sandbox):
    options = {"name": "sentry", **API_KEY, **EXTRA}
    wrong = {"name": "other", **with_key(value=f"{BAD}:1")}
    tasks = [
        {"name": "Make it", "steadyops.ecs.events_connection": options},
        {"name": "Again", "steadyops.ecs.events_connection": options},
        {"name": "Wrong", "steadyops.ecs.events_connection": wrong, "ignore_errors": True},
        {"name": "Odd", "steadyops.ecs.events_connection": {"name": "o", "api_key": [BAD]}, "ignore_errors": True},
    ]
    sandbox.fault("hold", operations=["CreateConnection"])
    program = playbook(tasks, "-vvv", "--diff")
    until(lambda: any(call["outcome"] == "held" for call in sandbox.journal()["calls"]), "the first write")
    whole = Process(program.pid)  # includes the module; other tests may use such a key on their command lines
    running = [each.as_dict(["cmdline", "environ"]) for each in (whole, *whole.children(recursive=True))]
    assert any("AnsiballZ_events_connection" in str(each["cmdline"]) for each in running)
    assert leaked(str(running)) == []
    sandbox.release()
    output, _none = program.process.communicate(timeout=120)
    assert "Traceback" not in output
    assert "secret_values" in output
    assert "api_key.value must not contain a colon" in output
    assert leaked(output) == []
