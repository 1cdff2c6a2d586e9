# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way from a task that failed or did not start to a mailbox, a web service, a queue and a log group."""

from __future__ import annotations

import json

from tests.sandbox.client import Sandbox

from .aws import until
from .conftest import Aws, Mailbox, Web
from .event_stack import messages, policy, queue, role, target, topic
from .test_connections import connect, destination
from .test_event_delivery import GROUP, GROUP_ARN, log_statement, logged

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
# Matches tasks that failed, with an exit code or before there was one.
PATTERN = {
    "source": ["aws.ecs"],
    "detail-type": ["ECS Task State Change"],
    "detail": {
        "lastStatus": ["STOPPED"],
        "$or": [
            {"stopCode": ["TaskFailedToStart"]},
            {"stopCode": ["EssentialContainerExited"], "containers": {"exitCode": [{"anything-but": [0, 143]}]}},
        ],
    },
}


def test_failures_reach_everybody_and_nothing_else_does(events: Sandbox, aws: Aws, mailbox: Mailbox, web: Web) -> None:
    events.settings(smtp=mailbox.address, routes={"https://hooks.slack.com": web.url})
    source = aws("events").put_rule(Name="failures", EventPattern=json.dumps(PATTERN))["RuleArn"]
    alerts = topic(aws)
    aws("sns").subscribe(TopicArn=alerts, Protocol="email", Endpoint="ops@example.org")
    events.confirm_subscription("ops@example.org")
    aws("logs").create_log_group(logGroupName=GROUP)
    aws("logs").put_resource_policy(policyName="events", policyDocument=policy(log_statement()))
    hook = destination(aws, connect(aws))
    transformer = {"InputPathsMap": {"why": "$.detail.stoppedReason"}, "InputTemplate": '{"text": <why>}'}
    target(aws, alerts, name="mail")
    target(aws, queue(aws, source=source), name="queue")
    target(aws, GROUP_ARN, name="log")
    target(
        aws, hook, name="slack", InputTransformer=transformer, RoleArn=role(aws, "events:InvokeApiDestination", hook)
    )
    assert events.settle()
    mailbox.letters.clear()

    aws("ecs").create_cluster(clusterName="default")
    container = {"name": "app", "image": "x", "memory": 64}
    aws("ecs").register_task_definition(family="job", containerDefinitions=[container], networkMode="awsvpc")
    events.program(
        "job",
        {"seconds": 5, "exit_code": 137, "times": 1},
        {"fails_to_start": 'CannotPullContainerError: "app" not found', "times": 1},
        {"seconds": 5, "exit_code": 0, "times": 1},
        {"seconds": 5, "exit_code": 143, "times": 1},
    )
    arns = [
        aws("ecs").run_task(taskDefinition="job", launchType="FARGATE", networkConfiguration=NETWORK)["tasks"][0][
            "taskArn"
        ]
        for _number in range(4)
    ]
    until(lambda: sum(each["event"]["detail"].get("lastStatus") == "STOPPED" for each in events.events()) == 4)
    assert events.settle()

    failed = set(arns[:2])
    assert {json.loads(each["Body"])["detail"]["taskArn"] for each in messages(aws)} == failed
    assert {json.loads(each)["detail"]["taskArn"] for each in logged(aws)} == failed
    assert {
        json.loads(each.get_content().partition("\n")[0])["detail"]["taskArn"] for each in mailbox.letters
    } == failed
    assert {json.loads(request["body"])["text"] for request in web.requests} == {
        "Essential container in task exited",
        'CannotPullContainerError: "app" not found',
    }
    assert {line["outcome"] for line in events.deliveries()} == {"delivered"}
