# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How errors of boto3 are translated into the domain's words, and how often a call is repeated."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils import _amazon
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed
from botocore import exceptions
from botocore.parsers import ResponseParserError

STOP = "ecs:StopTask"
URL = "https://ecs.eu-central-1.amazonaws.com/"


def answered(code, status=400, message="words", operation="StopTask"):
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "1-2-3"},
    }
    return exceptions.ClientError(response, operation)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answered("ThrottlingException"), "throttled"),
        (answered("Throttling"), "throttled"),
        (answered("RequestLimitExceeded", 503), "throttled"),
        (answered("TooManyRequestsException"), "throttled"),
        (answered("429", 429), "throttled"),
        (answered("ClientException", message="Rate exceeded"), "throttled"),
        (answered("ServerException", 500), "passing"),
        (answered("ServerException"), "passing"),
        (answered("InternalException", 500), "passing"),
        (answered("InternalFailure", 500), "passing"),
        (answered("InternalServiceException"), "passing"),
        (answered("ServiceUnavailable", 503), "passing"),
        (answered("HealthUnavailable", 500), "passing"),
        (answered("ConcurrentUpdateException"), "passing"),
        (answered("ConcurrentModificationException"), "passing"),
        (answered("504", 504), "passing"),
        (answered("AccessDeniedException"), "final"),
        (answered("ExpiredTokenException"), "final"),
        (answered("ClusterNotFoundException"), "final"),
        (answered("InvalidParameterException"), "final"),
        (answered("ValidationException"), "final"),
        # A limit of fifty tags does not change when the call is repeated.
        (answered("LimitExceededException"), "final"),
        (exceptions.ClientError({}, "StopTask"), "final"),
        (exceptions.EndpointConnectionError(endpoint_url=URL), "passing"),
        (exceptions.ConnectionClosedError(endpoint_url=URL), "passing"),
        (exceptions.ReadTimeoutError(endpoint_url=URL), "passing"),
        (exceptions.ConnectTimeoutError(endpoint_url=URL), "passing"),
        (exceptions.ProxyConnectionError(proxy_url="http://proxy"), "passing"),
        (exceptions.HTTPClientError(error="odd"), "passing"),
        (exceptions.SSLError(endpoint_url=URL, error="EOF occurred in violation of protocol"), "passing"),
        (exceptions.SSLError(endpoint_url=URL, error="[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"), "final"),
        (ResponseParserError("not JSON but <html>"), "passing"),
        (exceptions.NoCredentialsError(), "final"),
        (exceptions.NoRegionError(), "final"),
        (exceptions.CredentialRetrievalError(provider="custom-process", error_msg="no"), "final"),
        (exceptions.ParamValidationError(report="Missing required parameter"), "final"),
    ],
)
def test_kinds(error, kind):
    failed = _amazon.translate(error, STOP)
    assert (failed.kind, failed.operation) == (kind, "StopTask")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            answered("AccessDeniedException", message="You are not authorized to perform: ecs:StopTask on x."),
            "StopTask failed with AccessDeniedException: You are not authorized to perform: ecs:StopTask on x. "
            "Allow ecs:StopTask to these credentials and run the task again",
        ),
        (
            answered("InvalidParameterException", message="The reason is too long."),
            "StopTask failed with InvalidParameterException: The reason is too long",
        ),
        (answered("Odd", message=""), "StopTask failed with Odd: no further words"),
        (
            exceptions.NoCredentialsError(),
            "StopTask failed with NoCredentialsError: Unable to locate credentials. "
            "Give a profile, or access_key and secret_key, or run where a role provides credentials",
        ),
        # Credentials are fetched by a call of its own.
        (
            answered("AccessDenied", message="No.", operation="AssumeRole"),
            "AssumeRole failed with AccessDenied: No. Allow AssumeRole to these credentials and run the task again",
        ),
    ],
)
def test_texts(error, text):
    assert str(_amazon.translate(error, STOP)) == text


def test_a_session_token_that_aws_quotes_is_not_passed_on():
    said = (
        "The request signature we calculated does not match the signature you provided.\n\n"
        "The Canonical String for this request should have been\n'POST\n/\nx-amz-security-token:SECRET\n'"
    )
    failed = _amazon.translate(answered("SignatureDoesNotMatch", 403, said), STOP)
    assert "does not match" in str(failed)
    assert "SECRET" not in str(failed)


class Line:
    """A function that raises the given errors one after the other, and a clock that its pauses move forward."""

    def __init__(self, *errors, seconds_per_call=0.1):
        self.errors = list(errors)
        self.tries = 0
        self.pauses = []
        self.time = 0.0
        self.seconds_per_call = seconds_per_call

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.time += seconds

    def call(self):
        @_amazon.aws_call(STOP, sleep=self.sleep, clock=lambda: self.time)
        def stop_task():
            self.tries += 1
            self.time += self.seconds_per_call
            if self.errors:
                raise self.errors.pop(0)
            return "stopped"

        return stop_task()


class Turns:
    """Allows one call every two seconds."""

    def __init__(self):
        self.taken, self.emptied = [], []

    def take(self, now):
        self.taken.append(now)
        return 0.0 if len(self.taken) == 1 else 2.0

    def empty(self, now):
        self.emptied.append(now)


@pytest.mark.parametrize(("code", "slower"), [("ThrottlingException", True), ("ServerException", False)])
def test_who_takes_turns_waits_for_its_own_and_tries_once(code, slower):
    turns, line = Turns(), Line(answered(code))
    with _amazon.taking_turns(turns):
        with pytest.raises(CallFailed):
            line.call()
        assert line.call() == "stopped"
    assert (line.tries, line.pauses, turns.taken) == (2, [2.0], [0.0, 0.1])
    assert bool(turns.emptied) is slower
    line.errors.append(answered(code))
    assert line.call() == "stopped", "outside, it is tried again"
    assert len(turns.taken) == 2


@pytest.mark.parametrize(
    "errors",
    [
        [],
        [answered("ThrottlingException")],
        [answered("ThrottlingException"), answered("ServerException", 500)],
        [exceptions.ConnectionClosedError(endpoint_url=URL), answered("ThrottlingException"), answered("503", 503)],
    ],
)
def test_what_passes_is_asked_again(errors):
    line = Line(*errors)
    assert line.call() == "stopped"
    assert (line.tries, len(line.pauses)) == (len(errors) + 1, len(errors))


def test_not_for_ever():
    line = Line(*[answered("ThrottlingException")] * 9)
    with pytest.raises(CallFailed):
        line.call()
    assert line.tries == 4
    assert sum(line.pauses) <= 3.0


def test_what_is_final_is_not_asked_again():
    line = Line(answered("AccessDeniedException"))
    with pytest.raises(CallFailed):
        line.call()
    assert (line.tries, line.pauses) == (1, [])


def test_a_lost_network_is_told_of_after_one_read():
    line = Line(*[exceptions.ReadTimeoutError(endpoint_url=URL)] * 9, seconds_per_call=15.0)
    with pytest.raises(CallFailed):
        line.call()
    assert (line.tries, line.pauses) == (1, [])


def test_our_own_mistakes_are_not_dressed_up():
    line = Line(AttributeError("typo"))
    with pytest.raises(AttributeError):
        line.call()
    assert line.tries == 1


def test_an_answer_of_somebody_else_is_not_read_as_empty():
    line = Line(*[KeyError("services")] * 9)
    with pytest.raises(CallFailed) as failed:
        line.call()
    assert (failed.value.code, failed.value.kind) == ("UnexpectedAnswer", "passing")
    assert "The response has no 'services'" in str(failed.value)


def test_no_exception_of_boto3_hangs_on_to_the_failure():
    """A traceback would print the exception, and the request with it."""
    line = Line(answered("AccessDeniedException"))
    with pytest.raises(CallFailed) as failed:
        line.call()
    assert failed.value.__context__ is None
    assert failed.value.__cause__ is None


WHY_NOT_FOUND = [
    ("ResourceNotFoundException", answered("ResourceNotFoundException"), "none"),
    ("ResourceNotFoundException", answered("AccessDeniedException"), CallFailed),
    ("(Image|Repository)NotFoundException", answered("RepositoryNotFoundException"), "none"),
    (
        "InvalidParameterException: .*not found",
        answered("InvalidParameterException", message="It was not found."),
        "none",
    ),
    ("InvalidParameterException: .*not found", answered("InvalidParameterException", message="Too long."), CallFailed),
    ("NotFound: (?!(?i:event ?bus))", answered("NotFound", message="Rule r does not exist on EventBus b."), "none"),
    ("NotFound: (?!(?i:event ?bus))", answered("NotFound", message="Event bus b does not exist."), CallFailed),
    ("NotFound: (?!(?i:event ?bus))", answered("NotFound", message="EventBus b does not exist."), CallFailed),
]


@pytest.mark.parametrize(("expected", "error", "outcome"), WHY_NOT_FOUND)
def test_an_expected_error_is_a_value(expected, error, outcome):
    @_amazon.aws_call(STOP, expected, then="none")
    def stop_task():
        raise error

    if outcome is CallFailed:
        with pytest.raises(CallFailed):
            stop_task()
    else:
        assert stop_task() == outcome
