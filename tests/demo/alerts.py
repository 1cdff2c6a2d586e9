# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chapter about alerts: it runs the role, lets things happen, and shows what arrives.

The mail goes to a real mail server, and the message to Slack to a real web server, both on loopback.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from tests.sandbox.client import Sandbox
from tests.sinks import Mailbox, Web, receiving_mail, serving

PLAYBOOK = os.path.relpath(Path(__file__).with_name("alerts.yml"))
ADDRESS, TOKEN = "ops@example.com", "xoxb-not-a-real-one"  # as in alerts.yml
NO_IMAGE = 'CannotPullContainerError: "nightly:7" not found'
JOB = {
    "cluster": "demo",
    "taskDefinition": "nightly",
    "launchType": "FARGATE",
    "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
}
Expect = Callable[[str, bool], None]


def alerts(sandbox: Sandbox, expect: Expect) -> None:
    sandbox.clear_faults()
    with receiving_mail() as mailbox, serving() as slack:
        sandbox.settings(smtp=mailbox.address, routes={"https://slack.com": slack.url})
        expect("the playbook made two rules, a topic, and a way to Slack", run_playbook(sandbox.url))
        sandbox.confirm_subscription(ADDRESS)
        sandbox.settle()
        mailbox.letters.clear()
        fail_twice(sandbox)
        show(mailbox, slack)
        expect("two mails, and two messages in Slack", len(mailbox.letters) == len(slack.requests) == 2)
        expect("Slack was told who is calling", {each["headers"]["authorization"] for each in slack.requests}
               == {f"Bearer {TOKEN}"})  # fmt: skip
        stopped = nothing_fails(sandbox)
        expect(f"{stopped} more tasks ended, and nobody was notified", stopped > 4 and len(mailbox.letters) == 2)
        expect("everything was delivered", {line["outcome"] for line in sandbox.deliveries()} == {"delivered"})


def run_playbook(url: str) -> bool:
    print(f"\n$ ansible-playbook {PLAYBOOK}")
    environment = {**os.environ, "AWS_URL": url}
    command = ["ansible-playbook", PLAYBOOK]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    recap = [line for line in done.stdout.splitlines() if line.startswith("localhost ")]
    print("    " + (" ".join(recap[0].split()) if done.returncode == 0 else done.stdout + done.stderr))
    return done.returncode == 0


def fail_twice(sandbox: Sandbox) -> None:
    print("\n   A task ends with exit code 137, and the image of another one is gone. This arrives:\n")
    ecs = boto3.client("ecs", endpoint_url=sandbox.url, region_name=os.environ["AWS_REGION"])
    containers = [{"name": "app", "image": "nightly:7", "memory": 64}]
    ecs.register_task_definition(family="nightly", containerDefinitions=containers, networkMode="awsvpc")
    ended = ends(sandbox)
    sandbox.program("nightly", {"seconds": 5, "exit_code": 137, "times": 1}, {"fails_to_start": NO_IMAGE, "times": 1})
    for _number in range(2):
        ecs.run_task(**JOB)
    wait(lambda: ends(sandbox) == ended + 2)
    sandbox.settle()


def show(mailbox: Mailbox, slack: Web) -> None:
    for letter in mailbox.letters:
        print(f"    mail to {letter['To']}")
        for line in letter.get_content().splitlines()[:5]:
            print(f"      {line}".rstrip())
    for request in slack.requests:
        message = json.loads(request["body"])
        fields = {field["title"]: field["value"] for field in message["attachments"][0]["fields"]}
        print(f"    Slack, channel {message['channel']}\n      {message['text']}\n      {fields['Reason']}")
    print()


def nothing_fails(sandbox: Sandbox) -> int:
    """Stop a task and deploy; neither is a failure. Return how many tasks ended."""
    print("\n   A user stops a task, and a deployment of the service web replaces its tasks.")
    ecs = boto3.client("ecs", endpoint_url=sandbox.url, region_name=os.environ["AWS_REGION"])
    ended = ends(sandbox)
    sandbox.program("nightly", {"exit_code": 143})
    (task,) = ecs.run_task(**JOB)["tasks"]
    ecs.stop_task(cluster="demo", task=task["taskArn"], reason="not needed any longer")
    sandbox.act("deploy", "web")
    wait(lambda: ends(sandbox) >= ended + 5)
    sandbox.settle()
    return ends(sandbox) - ended


def ends(sandbox: Sandbox) -> int:
    events: list[dict[str, Any]] = [each["event"]["detail"] for each in sandbox.events()]
    return sum(detail.get("lastStatus") == "STOPPED" for detail in events)


def wait(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true() and time.monotonic() < end:
        time.sleep(0.1)
