# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crash loop with failure_alerts_quiet_period: one message at once, one with the count later, and none in between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.alert_stack import TOKEN, Stack
from tests.end_to_end.programs import until
from tests.policies import complaints
from tests.sinks import mailbox, serving

__all__ = ["mailbox"]

CRASHES = 200
QUIET: dict[str, Any] = {
    "kinds": ["service_task"],
    "clusters": ["production"],
    "emails": ["ops@example.org"],
    "queue": "failures",
    "log_group": "/ecs/failures",
    "slack": {"token": TOKEN, "channel": "C0123456789"},
    # The sandbox divides this by its speed. It must not end before the last crash; the test ends it.
    "quiet_period": 86400,
    "package_dir": str(Path(__file__).parents[2] / "build"),
}


@pytest.mark.long
def test_two_hundred_crashes_are_two_messages(sandbox, tmp_path, warm, mailbox):
    stack = Stack(sandbox, tmp_path, warm)
    with serving() as slack:
        sandbox.settings(smtp=mailbox.address, routes={"https://slack.com": slack.url})
        comes_as_predicted(stack)
        until(lambda: mailbox.letters, "the question whether that address wants mail")
        sandbox.confirm_subscription("ops@example.org")
        assert sandbox.settle()
        mailbox.letters.clear()
        sandbox.service("web", cluster="production", tasks=2)

        def received() -> dict[str, list[str]]:
            logs, sqs = stack.aws("logs"), stack.aws("sqs")
            url = sqs.get_queue_url(QueueName="failures")["QueueUrl"]
            found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
            return {
                "mail": [letter.get_content() for letter in mailbox.letters],
                "slack": [json.loads(request["body"])["text"] for request in slack.requests],
                "queue": [json.loads(each["Body"])["headline"] for each in found],
                "log": [each["message"] for each in logs.filter_log_events(logGroupName="/ecs/failures")["events"]],
            }

        crash(sandbox, 1)
        assert {channel: len(texts) for channel, texts in received().items()} == dict.fromkeys(received(), 1)
        assert all("once so far" in texts[0] for texts in received().values())
        crash(sandbox, CRASHES - 1)
        assert {channel: len(texts) for channel, texts in received().items()} == dict.fromkeys(received(), 1)

        (end,) = stack.aws("scheduler").list_schedules()["Schedules"]
        assert end["Name"].startswith("ecs-failures-end-")
        # Two invocations get no answer from the table, however often boto3 tries; Lambda repeats the function.
        sandbox.fault("server_error", operations=["UpdateItem"], times=2 * 3)
        sandbox.act("fire_schedule", name=end["Name"])
        assert sandbox.settle(timeout=90)
        assert {channel: len(texts) for channel, texts in received().items()} == dict.fromkeys(received(), 2)
        assert all(sum(f"{CRASHES} times in " in text for text in texts) == 1 for texts in received().values())
        assert stack.aws("dynamodb").scan(TableName="ecs-failures-quiet")["Items"] == []
        outcomes = {each["outcome"] for each in sandbox.deliveries()}
        assert outcomes == {"delivered"}
        stack.aws("scheduler").delete_schedule(Name=end["Name"])

        goes(stack)


def comes_as_predicted(stack):
    predicted = stack.run("--check", **QUIET)
    assert (predicted["failures"], predicted["writes"]) == (0, []), predicted["words"]
    made = stack.run(**QUIET)
    assert made["failures"] == 0, made["words"]
    assert (made["tasks"], made["result"]) == (predicted["tasks"], predicted["result"])
    again = stack.run(**QUIET)
    assert (again["changed"], again["writes"]) == (0, [])
    found = stack.policies()
    assert {name: complaints(each, trust=name.endswith("is assumed")) for name, each in found.items()} == {
        name: [] for name in found
    }


def crash(sandbox, times):
    """Crash tasks of the service one after another; ECS replaces each. Wait until everything is delivered."""
    for _time in range(times):
        until(lambda: sandbox.healthy("web") == 2, "two tasks")
        before = stops(sandbox)
        sandbox.act("crash", "production/web", task="oldest", exit_code=137)
        until(lambda before=before: stops(sandbox) == before + 1, "the event of its end")
    assert sandbox.settle(timeout=300)


def stops(sandbox):
    return sum(each["event"]["detail"].get("lastStatus") == "STOPPED" for each in sandbox.events())


def goes(stack):
    without = stack.run(**{**QUIET, "quiet_period": 0})
    assert without["failures"] == 0, without["words"]
    assert stack.left()["rules"] == ["ecs-failures-service-task"]
    assert stack.targets("ecs-failures-service-task").keys() == {"mail", "queue", "log", "slack"}
    assert stack.aws("dynamodb").list_tables()["TableNames"] == []
    gone = stack.run(state="absent", **QUIET)
    assert gone["failures"] == 0, gone["words"]
    assert stack.left() == {}
