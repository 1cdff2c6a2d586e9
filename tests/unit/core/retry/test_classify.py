# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which failures are transient."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.classify import of_error, of_refusal, of_start

from tests.unit.core.retry.answers import ANSWERS
from tests.unit.core.retry.samples import CAPACITY

KINDS = {"failures": of_refusal, "stopped task": of_start}


@pytest.mark.parametrize("answer", ANSWERS, ids=[f"{each['code']} {each['text'][:60]}" for each in ANSWERS])
def test_an_answer_means_what_its_row_says(answer):
    code, text = answer["code"], answer["text"]
    assert (KINDS[code](text) if code in KINDS else of_error(code, text)) == answer["verdict"]


@pytest.mark.parametrize("code", ["InvalidParameterException", "Client.InvalidParameterException", "ClientException"])
def test_only_envelopes_are_read_by_their_message(code):
    message = "Request limit exceeded. (ErrorCode: RequestLimitExceeded)"
    assert (of_error(code, message), of_error("BlockedException", message)) == ("transient", "permanent")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (CAPACITY, "transient"),
        ("AGENT", "transient"),
        ("RESOURCE:CPU", "transient"),
        ("RESOURCE:MEMORY", "transient"),
        ("RESOURCE:ENI", "transient"),
        ("RESOURCE:FARGATE", "transient"),
        ("RESOURCE:GPU", "transient"),
        ("Rate exceeded", "transient"),
        ("Throttling: try again", "transient"),
        ("You've reached the limit on the number of tasks you can run concurrently", "quota"),
        ("You've reached the limit on the number of vCPUs you can run concurrently", "quota"),
        ("You have reached the Limit on the number of tasks", "quota"),
        ("VcpuLimitExceeded", "quota"),
        ("ATTRIBUTE", "permanent"),
        ("no room for RESOURCE:CPU", "permanent"),
        ("LOCATION", "permanent"),
        ("MISSING", "permanent"),
        ("INACTIVE", "permanent"),
        ("MemberOf placement constraint unsatisfied.", "permanent"),
        ("AGENTLESS", "permanent"),
        ("something new", "permanent"),
        ("", "permanent"),
    ],
)
def test_a_refusal(reason, expected):
    assert of_refusal(reason) == expected


@pytest.mark.parametrize(
    ("code", "message", "status", "expected"),
    [
        ("ThrottlingException", "Rate exceeded", 400, "transient"),
        ("Throttling", "", 0, "transient"),
        ("ClientException", "Rate exceeded", 400, "transient"),
        ("ServerException", "Service Unavailable", 0, "transient"),
        ("Server.InternalFailure", "", 0, "transient"),
        ("Odd", "", 503, "transient"),
        ("ThrottlingOfSomeKind", "", 0, "transient"),
        ("Client.ThrottlingOfSomeKind", "", 0, "transient"),
        ("ConnectTimeoutError", "", 0, "transient"),
        ("ConnectionClosedError", "", 0, "transient"),
        ("HTTPClientError", "", 0, "transient"),
        ("ReadTimeoutError", "", 0, "transient"),
        ("EndpointConnectionError", "", 0, "transient"),
        ("ClientException", "You've reached the limit on the number of tasks you can run concurrently", 400, "quota"),
        ("AccessDenied", "", 0, "permanent"),
        ("AccessDeniedException", "", 400, "permanent"),
        ("ClusterNotFoundException", "Cluster not found.", 400, "permanent"),
        ("InvalidParameterException", "", 400, "permanent"),
        ("VcpuLimitExceeded", "", 400, "quota"),
        ("ClientException", "TaskDefinition is inactive", 400, "permanent"),
        ("PlatformUnknownException", "", 400, "permanent"),
        ("BlockedException", "", 400, "permanent"),
        ("ParamValidationError", "", 0, "permanent"),
    ],
)
def test_an_error(code, message, status, expected):
    assert of_error(code, message, status) == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Timeout waiting for network interface provisioning to complete.", "transient"),
        ("Timeout waiting for EphemeralStorage provisioning to complete.", "transient"),
        ("CannotPullContainerError: pull image manifest has been retried 5 time(s): i/o timeout", "transient"),
        ("CannotPullContainerError: 429 Too Many Requests - toomanyrequests", "transient"),
        ("ResourceInitializationError: failed to configure ENI: failed to setup regular eni: netplugin", "transient"),
        ("Unexpected EC2 error while attempting to Create Network Interface with AuthFailure", "transient"),
        ("Unexpected EC2 error while attempting to Create Network Interface: RequestLimitExceeded", "transient"),
        ("Unexpected EC2 error while attempting to Create Network Interface: Unavailable", "transient"),
        ("Capacity is unavailable at this time", "transient"),
        ("RESOURCE:MEMORY", "transient"),
        ("AGENT", "transient"),
        ("AGENTLESS", "permanent"),
        ("no start: RESOURCE:MEMORY", "transient"),
        ("Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddresses", "permanent"),
        ("CannotPullContainerError: manifest for web:9 not found", "permanent"),
        ("CannotPullContainerError: 403 Forbidden after i/o timeout", "permanent"),
        ("ResourceInitializationError: unable to pull secrets: AccessDeniedException", "permanent"),
        ("CannotStartContainerError: exec format error", "permanent"),
        ("", "permanent"),
    ],
)
def test_a_task_that_was_not_started(reason, expected):
    assert of_start(reason) == expected


# How an image, a secret or a network can be unreachable for a moment. The texts after the first colon come from Go's
# network library and from HTTP; that ECS passes each of them on is assumed.
PASSING = [
    "dial tcp: lookup registry: i/o timeout",
    "unexpected EOF",
    "429 Too Many Requests",
    "net/http: TLS handshake timeout",
    "read: connection reset by peer",
    "context deadline exceeded",
    "500 Internal Server Error",
    "502 Bad Gateway",
    "503 Service Unavailable",
    "504 Gateway Timeout",
    "Rate exceeded",
    "ThrottlingException",
    "on two lines:\ni/o timeout",
]
# With these words, the same failure is permanent.
NEVER = [
    "AccessDenied",
    "403 Forbidden",
    "not found",
    "does not exist",
    "InsufficientFreeAddresses",
    "UnauthorizedOperation",
    "TagPolicyViolation",
]


@pytest.mark.parametrize("words", PASSING)
@pytest.mark.parametrize("kind", ["CannotPullContainerError", "CannotPullImage", "ResourceInitializationError"])
def test_a_start_that_may_succeed_the_next_time(kind, words):
    assert of_start(f"{kind}: {words}") == "transient"
    assert of_start(f"CannotStartContainerError: {words}") == "permanent"


@pytest.mark.parametrize("words", NEVER)
def test_a_start_that_never_succeeds(words):
    assert of_start(f"ResourceInitializationError: {words}: i/o timeout") == "permanent"


@pytest.mark.parametrize("words", ["GEOF", "EOFS", "501 Not Implemented", "50 Bad"])
def test_a_start_with_words_that_only_look_alike(words):
    assert of_start(f"CannotPullContainerError: {words}") == "permanent"
