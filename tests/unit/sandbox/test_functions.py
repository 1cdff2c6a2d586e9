# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox really runs functions, with only their zip, their environment and their role."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .conftest import REGION, Aws
from .event_stack import FAILED, function, messages, queue, rule, target
from .test_event_rules import refusal


def invoke(aws: Aws, payload: Any = None, **more: Any) -> dict[str, Any]:
    body = {} if payload is None else {"Payload": json.dumps(payload).encode()}
    return dict(aws("lambda").invoke(FunctionName="alert", **body, **more))


def result(answer: dict[str, Any]) -> Any:
    return json.loads(answer["Payload"].read())


def test_the_code_runs_with_its_environment(events: Sandbox, aws: Aws) -> None:
    code = (
        "import os, sys\n"
        "def main(event, context):\n"
        "    print('hello')\n"
        "    return [event['n'] + 1, os.environ['COLOUR'], os.environ['AWS_REGION'], context.function_name,\n"
        "            context.get_remaining_time_in_millis() > 0, 'PYTHONPATH' in os.environ]\n"
    )
    function(aws, code, Environment={"Variables": {"COLOUR": "red"}}, Timeout=20)
    answer = invoke(aws, {"n": 1}, LogType="Tail")
    assert result(answer) == [2, "red", REGION, "alert", True, False]
    assert "hello" in base64.b64decode(answer["LogResult"]).decode()
    told = [each["message"] for each in aws("logs").filter_log_events(logGroupName="/aws/lambda/alert")["events"]]
    assert [line.split()[0] for line in told] == ["START", "hello", "END", "REPORT"]


def test_a_function_has_boto3_and_the_sandbox_and_nothing_of_ours(events: Sandbox, aws: Aws) -> None:
    code = (
        "import boto3\n"
        "def main(event, context):\n"
        "    found = boto3.client('sts').get_caller_identity()['Arn']\n"
        "    try:\n"
        "        import moto\n"
        "    except ImportError:\n"
        "        return found\n"
    )
    function(aws, code, Timeout=20)
    assert result(invoke(aws)).endswith("assumed-role/alert-function/alert")


def test_a_function_may_bring_a_package_of_the_runtime_along(events: Sandbox, aws: Aws) -> None:
    code = "import boto3, urllib3\ndef main(event, context):\n    return [urllib3.OWN, boto3.OTHER]\n"
    files = {"urllib3/__init__.py": "OWN = 'its own'\n", "boto3.py": "import urllib3\nOTHER = urllib3.OWN\n"}
    function(aws, code, files=files, Timeout=20)
    assert result(invoke(aws)) == ["its own", "its own"]


def test_no_run_finds_anything_of_another(events: Sandbox, aws: Aws) -> None:
    code = (
        "import botocore, os, sys, tempfile\n"
        "def main(event, context):\n"
        "    folder = tempfile.gettempdir()\n"
        "    found = [getattr(botocore, 'left', 0), os.environ.get('LEFT'), os.listdir(folder), sys.stdin.read()]\n"
        "    botocore.left, os.environ['LEFT'] = 1, '1'\n"
        "    open(os.path.join(folder, 'left'), 'w').close()\n"
        "    return found\n"
    )
    function(aws, code, Timeout=20)
    for _time in range(2):
        assert result(invoke(aws)) == [0, None, [], ""]


def test_what_a_function_raises(events: Sandbox, aws: Aws) -> None:
    function(aws, "def main(event, context):\n    raise ValueError('no such job')\n")
    answer = invoke(aws)
    assert answer["FunctionError"] == "Unhandled"
    error = result(answer)
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such job")


@pytest.mark.parametrize(("code", "kind"), [
    ("import time\ndef main(event, context):\n    time.sleep(20)\n", "Sandbox.Timedout"),
    ("import os\ndef main(event, context):\n    os._exit(3)\n", "Runtime.ExitError"),
    ("import sentry_sdk\n", "ModuleNotFoundError"),
    ("def other(): pass\n", "AttributeError"),
])  # fmt: skip
def test_other_ways_to_fail(events: Sandbox, aws: Aws, code: str, kind: str) -> None:
    function(aws, code, Timeout=1)
    answer = invoke(aws)
    assert answer["FunctionError"] == "Unhandled"
    assert result(answer)["errorType"] == kind


def test_unknown_functions_and_dry_runs(events: Sandbox, aws: Aws) -> None:
    assert refusal(aws("lambda").invoke, FunctionName="none")[0] == "ResourceNotFoundException"
    function(aws, "def main(event, context): return 1")
    assert invoke(aws, InvocationType="DryRun")["StatusCode"] == 204
    assert refusal(aws("lambda").invoke, FunctionName="alert", Payload=b"{")[0] == "InvalidRequestContentException"


def test_a_statement_id_is_taken_once(events: Sandbox, aws: Aws) -> None:
    function(aws, "def main(event, context): return 1")
    told = {"FunctionName": "alert", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    aws("lambda").add_permission(**told, StatementId="events")
    found = refusal(aws("lambda").add_permission, **told, StatementId="events")
    assert found[0] == "ResourceConflictException"
    assert "The statement id (events) provided already exists" in found[1]


def test_events_are_tried_three_times(events: Sandbox, aws: Aws) -> None:
    code = "def main(event, context):\n    raise RuntimeError(event['detail']['group'])\n"
    arn = function(aws, code)
    dead = queue(aws, "failed")
    aws("lambda").put_function_event_invoke_config(
        FunctionName="alert", DestinationConfig={"OnFailure": {"Destination": dead}}
    )
    source = rule(aws)
    target(aws, arn)
    aws("lambda").add_permission(
        FunctionName="alert",
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=source,
    )
    events.publish(FAILED)
    assert events.settle()
    taken, ran = events.deliveries()
    assert (taken["kind"], taken["outcome"], taken["result"]) == ("target", "delivered", {"status": 202})
    assert (ran["kind"], ran["outcome"], len(ran["attempts"])) == ("invocation", "dead-letter", 3)
    assert "RuntimeError" in ran["error"]["message"]
    told = json.loads(messages(aws, "failed")[0]["Body"])
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestPayload"]["detail"] == FAILED["detail"]


def test_a_function_has_dead_letters_of_its_own(events: Sandbox, aws: Aws) -> None:
    dead = queue(aws, "failed")
    function(aws, "def main(event, context): return 1 / 0", DeadLetterConfig={"TargetArn": dead})
    invoke(aws, {"n": 1}, InvocationType="Event")
    assert events.settle()
    assert events.deliveries()[0]["dead_letter"] == dead
    assert [each["Body"] for each in messages(aws, "failed")] == ['{"n": 1}']


def test_asynchronous_invocations_answer_at_once(events: Sandbox, aws: Aws) -> None:
    function(aws, "def main(event, context): return event")
    assert invoke(aws, {"n": 1}, InvocationType="Event")["StatusCode"] == 202
    assert events.settle()
    (line,) = events.deliveries()
    assert json.loads(line["result"]["payload"]) == {"n": 1}
