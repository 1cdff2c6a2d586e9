# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of the function that sends repeated failures once, one for each act, with boto3's own checks."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core import functions
from botocore.stub import ANY, Stubber

from tests.unit.core.functions.quiet_world import ACCOUNT, failure

FOLDERS = (Path(__file__).parents[3] / "roles/failure_alerts/files/quiet_function", Path(functions.__file__).parent)
NAMES = ("quiet_function", "quiet_period", "sentry_event")
FUNCTION = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:ecs-failures-quiet"
CONTEXT = SimpleNamespace(invoked_function_arn=FUNCTION)
ROLE, LETTERS = f"arn:aws:iam::{ACCOUNT}:role/ends", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:letters"
KEY = "a" * 32


@pytest.fixture
def function(monkeypatch):
    """The module, with clients that accept only expected calls."""
    environment = {"ALERTS_NAME": "ecs-failures", "QUIET_PERIOD": "600", "TABLE": "windows", "SCHEDULE_ROLE": ROLE}
    for name, value in {**environment, "DEAD_LETTERS": LETTERS}.items():
        monkeypatch.setenv(name, value)
    for folder in FOLDERS:
        monkeypatch.syspath_prepend(str(folder))
    module = importlib.import_module("quiet_function")
    clients = {name: boto3.client(name, region_name="eu-central-1") for name in ("dynamodb", "scheduler", "events")}
    monkeypatch.setattr(module, "_clients", clients)
    stubs = {name: Stubber(client) for name, client in clients.items()}
    for stub in stubs.values():
        stub.activate()
    yield SimpleNamespace(handler=module.handler, **stubs)
    for stub in stubs.values():
        stub.assert_no_pending_responses()
    for name in NAMES:
        del sys.modules[name]


def refuse(function, operation):
    function.dynamodb.add_client_error(operation, "ConditionalCheckFailedException")


def tells(function, source="steadyops.ecs"):
    entry = {"Source": source, "DetailType": "ECS Task State Change", "Time": ANY, "Resources": ANY, "Detail": ANY}
    function.events.add_response(
        "put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [entry]}
    )


def ids(number):
    return [f"{each:016x}" for each in range(number)]


def window(number, **more):
    item = {"window": {"S": KEY}, "opened": {"N": "5"}, "ends": {"N": "600005"}, "first": {"S": ids(1)[0]}}
    return {**item, "ids": {"SS": ids(number)}, "told": {"BOOL": True}, **more}


def test_the_first_failure_opens_a_window_and_is_sent(function):
    refuse(function, "update_item")
    function.dynamodb.add_response("get_item", {}, {"TableName": "windows", "Key": ANY, "ConsistentRead": True})
    target = {"Arn": FUNCTION, "RoleArn": ROLE, "Input": ANY, "DeadLetterConfig": {"Arn": LETTERS}}
    function.scheduler.add_response(
        "create_schedule",
        {"ScheduleArn": "arn:aws:scheduler:eu-central-1:123456789012:schedule/default/x"},
        {"Name": ANY, "ScheduleExpression": ANY, "ScheduleExpressionTimezone": "UTC", "Target": target,
         "FlexibleTimeWindow": {"Mode": "OFF"}, "ActionAfterCompletion": "DELETE"},
    )  # fmt: skip
    function.dynamodb.add_response("put_item", {})
    tells(function)
    function.dynamodb.add_response("update_item", {})
    assert function.handler(failure(1), CONTEXT)["acts"] == "Count Look Schedule Open Tell NoteTold"


def test_the_next_failure_is_one_call(function):
    function.dynamodb.add_response("update_item", {})
    assert function.handler(failure(2), CONTEXT)["acts"] == "Count"


def test_the_end_sends_the_number_and_removes_the_window(function):
    function.dynamodb.add_response("update_item", {"Attributes": window(3, closing={"N": "9"})})
    tells(function)
    function.dynamodb.add_response("delete_item", {})
    answer = function.handler({**failure(1), "end": KEY, "opened": 5}, CONTEXT)
    assert answer == {"key": KEY, "acts": "Claim Tell Remove"}


def test_an_end_of_a_window_that_is_over_does_nothing(function):
    refuse(function, "update_item")
    function.dynamodb.add_response("get_item", {"Item": window(1, opened={"N": "6"})})
    assert function.handler({**failure(1), "end": KEY, "opened": 5}, CONTEXT)["acts"] == "Claim Look"


def test_a_table_that_refuses_lets_every_failure_through(function, capsys):
    function.dynamodb.add_client_error("update_item", "AccessDeniedException", "user/x is not allowed")
    tells(function)
    assert function.handler(failure(1), CONTEXT)["acts"] == "Count Tell"
    assert json.loads(capsys.readouterr().out) == {"unavailable": "Count", "why": "UpdateItem: AccessDeniedException"}


def test_an_end_that_the_table_refuses_is_tried_again(function):
    function.dynamodb.add_client_error("update_item", "AccessDeniedException")
    with pytest.raises(Exception, match="UpdateItem: AccessDeniedException"):
        function.handler({**failure(1), "end": KEY, "opened": 5}, CONTEXT)


@pytest.mark.parametrize(
    "message", [None, {"kind": "task", "event": {}}, {"kind": "task", "event": {"detail-type": 1}}]
)
def test_what_is_no_message_is_no_call(function, message):
    with pytest.raises(ValueError, match=r"cannot come from the rules|not invoked with|not an EventBridge event"):
        function.handler(message, CONTEXT)


def test_an_event_that_the_bus_refuses_is_tried_again(function):
    function.dynamodb.add_client_error("update_item", "ServiceUnavailable")
    function.events.add_response("put_events", {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with pytest.raises(RuntimeError, match="InternalFailure"):
        function.handler(failure(1), CONTEXT)
