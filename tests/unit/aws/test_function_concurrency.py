# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls about the reserved concurrency of functions."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.calls import functions
from ansible_collections.steadyops.ecs.plugins.module_utils._aws.live.concurrency import write_concurrency
from ansible_collections.steadyops.ecs.plugins.module_utils._core.change import Change
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import CallFailed, Failed

from tests.unit.aws.clients import stubbed

FIVE = {"function_name": "retry", "reserved_concurrent_executions": 5}


@pytest.mark.parametrize(("answer", "count"), [({}, None), ({"ReservedConcurrentExecutions": 0}, 0)])
def test_what_is_set_apart(answer, count):
    client, stub = stubbed("lambda")
    stub.add_response("get_function_concurrency", answer, {"FunctionName": "retry"})
    assert functions.reserved_concurrency(client, "retry") == count


def test_no_function_has_none_set_apart():
    client, stub = stubbed("lambda")
    for call in ("get_function_concurrency", "delete_function_concurrency"):
        stub.add_client_error(call, "ResourceNotFoundException", "no")
    assert functions.reserved_concurrency(client, "retry") is None
    functions.delete_concurrency(client, "retry")


@pytest.mark.parametrize(
    ("code", "message", "kind", "words"),
    [
        ("ResourceNotFoundException", "no", Failed, "The function retry does not exist"),
        ("InvalidParameterValueException", "UnreservedConcurrentExecution below 100", Failed, "Reserve fewer or none"),
        ("AccessDeniedException", "no", CallFailed, "lambda:PutFunctionConcurrency"),
    ],
)
def test_what_is_said_when_it_cannot_be_set_apart(code, message, kind, words):
    client, stub = stubbed("lambda")
    stub.add_client_error("put_function_concurrency", code, message)
    with pytest.raises(kind, match=words):
        list(write_concurrency(client, "retry", Change(None, FIVE)))


def test_it_is_given_back():
    client, stub = stubbed("lambda")
    stub.add_response("delete_function_concurrency", {}, {"FunctionName": "retry"})
    assert list(write_concurrency(client, "retry", Change(FIVE, None))) == ["removed the reserved concurrency"]
    stub.assert_no_pending_responses()


def test_it_is_set_apart():
    client, stub = stubbed("lambda")
    sent = {"FunctionName": "retry", "ReservedConcurrentExecutions": 5}
    stub.add_response("put_function_concurrency", {"ReservedConcurrentExecutions": 5}, sent)
    assert list(write_concurrency(client, "retry", Change(None, FIVE))) == ["reserved 5 executions"]
    stub.assert_no_pending_responses()
