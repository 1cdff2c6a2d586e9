# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role failure_alerts: a whole stack is created, changed and removed, and failures reach all receivers."""

from __future__ import annotations

import io
import json
import os
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.alert_stack import DSN, OTHER_KEY, REGION, SENTRY_KEY, TOKEN, Stack
from tests.end_to_end.programs import until
from tests.end_to_end.sentry_sink import SentrySink
from tests.policies import complaints
from tests.sinks import Mailbox, mailbox, serving

__all__ = ["mailbox"]

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
WHOLE: dict[str, Any] = {
    "kinds": ["task", "service_task", "launch"],
    "clusters": ["production"],
    "emails": ["ops@example.org"],
    "queue": "failures",
    "log_group": "/ecs/failures",
    "slack_webhook": {"url": f"https://hooks.slack.com/services/T0/B0/{TOKEN}"},
    "sentry": {"dsn": DSN},
    "tags": {"team": "shop"},
}
ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles/failure_alerts"
TAG = "steadyops.ecs/failure-alerts"


@pytest.fixture
def stack(sandbox, tmp_path, warm):
    sandbox.settings(cloudtrail=True)
    return Stack(sandbox, tmp_path, warm)


@pytest.fixture
def services():
    """Slack and Sentry."""
    with serving() as slack, serving() as sentry:
        yield slack, sentry


def no_complaints(stack):
    found = stack.policies()
    assert all(0 < len(document["Statement"]) <= 20 for document in found.values())
    assert {name: complaints(each, trust=name.endswith("is assumed")) for name, each in found.items()} == {
        name: [] for name in found
    }
    return found


@pytest.mark.usefixtures("within_the_policy")
def test_a_stack_comes_tells_and_goes(stack, sandbox, mailbox: Mailbox, services):
    slack, sentry = services
    sandbox.settings(
        smtp=mailbox.address, routes={"https://hooks.slack.com": slack.url, "https://o1.ingest.sentry.io": sentry.url}
    )
    whole = {**WHOLE, **key_and_boundary(stack)}
    predicted = stack.run("--check", **whole)
    assert (predicted["failures"], predicted["writes"]) == (0, []), predicted["words"]
    # The URL of a Slack webhook is a secret; ``end`` looks for it in everything that -vvv shows, here and below.
    made = stack.run("-vvv", **whole)
    assert made["failures"] == 0, made["words"]
    assert made["tasks"] == predicted["tasks"] != []
    assert made["changed"] == predicted["changed"]
    assert made["result"] == predicted["result"]
    assert made["result"]["unconfirmed_emails"] == ["ops@example.org"]
    # The role reports again that the address is unconfirmed, and this is not a change.
    again = stack.run("-vvv", **whole)
    assert (again["changed"], again["writes"]) == (0, [])
    assert again["result"] == made["result"]
    everything_else = stack.run("--check", **SECOND)
    assert (everything_else["failures"], everything_else["writes"]) == (0, []), everything_else["words"]
    assert len(everything_else["tasks"]) > 5
    assert stack.left()["rules"] == ["ecs-failures-launch", "ecs-failures-service-task", "ecs-failures-task"]
    # The policies of two queues, a log group and a role, and who may assume the role.
    assert len(no_complaints(stack)) == 5 + 1

    tell_of_failures_and_of_what_is_none(stack, sandbox, mailbox, slack, sentry)
    go_and_leave_what_is_of_others(stack)


def key_and_boundary(stack):
    """Create a key that EventBridge may use for queues, and a policy that allows everything."""
    account = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*"}
    events = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    events["Action"] = ["kms:Decrypt", "kms:GenerateDataKey"]
    document = {"Version": "2012-10-17", "Statement": [{**each, "Resource": "*"} for each in (account, events)]}
    key = stack.aws("kms").create_key(Policy=json.dumps(document))["KeyMetadata"]["Arn"]
    document["Statement"] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    policy = stack.aws("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]
    return {"kms_key": key, "permissions_boundary": policy["Arn"]}


def tell_of_failures_and_of_what_is_none(stack, sandbox, mailbox, slack, sentry):
    ecs, logs = stack.aws("ecs"), stack.aws("logs")
    until(lambda: mailbox.letters, "the question whether that address wants mail")
    sandbox.confirm_subscription("ops@example.org")
    assert sandbox.settle()
    for sink in (mailbox.letters, slack.requests, sentry.requests):
        sink.clear()

    ecs.create_cluster(clusterName="production")
    containers = [{"name": "app", "image": "x", "memory": 64}, {"name": "log", "image": "x", "memory": 64}]
    ecs.register_task_definition(family="nightly", containerDefinitions=containers, networkMode="awsvpc")
    job = {
        "cluster": "production",
        "taskDefinition": "nightly",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "overrides": {"containerOverrides": [{"name": "app", "environment": [{"name": "A", "value": "Pa55word"}]}]},
    }
    pull = 'CannotPullContainerError: "app" not found'
    sandbox.program(
        "nightly",
        {"seconds": 5, "exit_code": 137, "times": 1},
        {"fails_to_start": pull, "times": 1},
        {"seconds": 5, "exit_code": 0, "containers": {"log": {"exit_code": 143}}, "times": 1},
        {"seconds": 500, "exit_code": 0, "times": 1},
    )
    run_by_schedule(stack, job)
    arns = [ecs.run_task(**job)["tasks"][0]["taskArn"] for _number in range(3)]
    until(lambda: ecs.describe_tasks(cluster="production", tasks=arns[2:])["tasks"][0]["lastStatus"] == "RUNNING", "it")
    ecs.stop_task(cluster="production", task=arns[2], reason="not needed any longer")
    sandbox.fault("run_task_fails", family="nightly", times=1, reason="Capacity is unavailable at this time.")
    assert ecs.run_task(**job)["failures"]
    sandbox.service("web", cluster="production", tasks=3)
    until(lambda: stops(sandbox) == 4, "the end of four tasks")
    sandbox.act("deploy", "production/web")
    until(lambda: stops(sandbox) == 4 + 3, "the deployment")
    sandbox.act("rescale", "production/web", desired=1)
    until(lambda: stops(sandbox) == 4 + 3 + 2, "the scale-in")
    assert sandbox.settle()

    reached = {
        "mail": [letter.get_content() for letter in mailbox.letters],
        "slack": [request["body"] for request in slack.requests],
        "sentry": [request["body"] for request in sentry.requests],
        "queue": [each["Body"] for each in _received(stack.aws("sqs"))],
        "log": [each["message"] for each in logs.filter_log_events(logGroupName="/ecs/failures")["events"]],
    }
    for channel, texts in reached.items():
        assert len(texts) == 3, (channel, texts)
        assert sum("137" in text and "chronos-schedule/nightly" in text for text in texts) == 1, channel
        assert sum("CannotPullContainerError" in text for text in texts) == 1, channel
        assert sum("Capacity is unavailable" in text for text in texts) == 1, channel
        if channel != "log":  # it keeps whole events
            assert not any("Pa55word" in text for text in texts), channel
    assert {request["path"] for request in slack.requests} == {f"/services/T0/B0/{TOKEN}"}
    # The rule for tasks covers one cluster, and its headlines say so.
    for channel in ("mail", "slack"):
        assert sum("ECS task failed" in text and " in production: " in text for text in reached[channel]) == 2, channel
    assert {request["path"] for request in sentry.requests} == {"/api/42/store/"}
    assert all(SENTRY_KEY in request["headers"]["x-sentry-auth"] for request in sentry.requests)


def stops(sandbox):
    return sum(each["event"]["detail"].get("lastStatus") == "STOPPED" for each in sandbox.events())


def run_by_schedule(stack, job):
    service = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [service]})
    role = stack.aws("iam").create_role(RoleName="schedules", AssumeRolePolicyDocument=document)["Role"]
    may = {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    stack.aws("iam").put_role_policy(RoleName="schedules", PolicyName="run", PolicyDocument=document)
    definition = f"arn:aws:ecs:{REGION}:123456789012:task-definition/{job['taskDefinition']}"
    network = {"awsvpcConfiguration": {"Subnets": ["subnet-1"], "SecurityGroups": ["sg-1"]}}
    stack.aws("scheduler").create_schedule(
        Name="nightly",
        ScheduleExpression="rate(30 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:ecs:{REGION}:123456789012:cluster/production",
            "RoleArn": role["Arn"],
            "EcsParameters": {
                "TaskDefinitionArn": definition,
                "LaunchType": "FARGATE",
                "NetworkConfiguration": network,
            },
            "Input": json.dumps(job["overrides"]),
        },
    )
    stack.sandbox.act("fire_schedule", name="nightly")
    until(lambda: stack.aws("ecs").list_tasks(cluster="production")["taskArns"], "the scheduled task")
    stack.aws("scheduler").delete_schedule(Name="nightly")
    stack.aws("iam").delete_role_policy(RoleName="schedules", PolicyName="run")
    stack.aws("iam").delete_role(RoleName="schedules")


def _received(sqs: Any) -> list[dict[str, Any]]:
    url = sqs.get_queue_url(QueueName="failures")["QueueUrl"]
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])


def go_and_leave_what_is_of_others(stack):
    events, sns, sqs = stack.aws("events"), stack.aws("sns"), stack.aws("sqs")
    topic = stack.left()["topics"][0]
    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    theirs |= {"Action": "sns:Publish", "Resource": topic}
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    policy["Statement"].append(theirs)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    queue = sqs.get_queue_attributes(
        QueueUrl=sqs.create_queue(QueueName="theirs")["QueueUrl"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    events.remove_targets(Rule="ecs-failures-launch", Ids=["log"])
    events.put_targets(Rule="ecs-failures-launch", Targets=[{"Id": "theirs", "Arn": queue}])

    gone = stack.run(state="absent", **WHOLE)
    assert gone["failures"] == 0, gone["words"]
    assert gone["result"]["kept"] == ["rule ecs-failures-launch", "topic ecs-failures"]
    left = stack.left()
    assert (left.pop("rules"), left.pop("topics")) == (["ecs-failures-launch"], [topic])
    assert [url.rpartition("/")[2] for url in left.pop("queues")] == ["theirs"]
    assert left == {}
    assert set(stack.targets("ecs-failures-launch")) == {"theirs"}
    statements = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"]
    assert theirs in statements
    assert not [each for each in statements if each.get("Sid", "").startswith("SteadyopsEcs")]
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [each["Endpoint"] for each in subscriptions] == [queue]
    again = stack.run(state="absent", **WHOLE)
    assert (again["changed"], again["writes"], again["result"]["kept"]) == (0, [], gone["result"]["kept"])

    events.remove_targets(Rule="ecs-failures-launch", Ids=["theirs"])
    sns.unsubscribe(SubscriptionArn=subscriptions[0]["SubscriptionArn"])
    gone = stack.run(state="absent")
    assert (gone["changed"], gone["result"]["kept"]) == (1, [])
    assert stack.left().keys() == {"queues"}


FIRST: dict[str, Any] = {
    "kinds": ["task"],
    "emails": ["ops@example.org", "dev@example.org"],
    "queue": "failures",
    "log_group": "/ecs/failures",
    "slack": {"token": TOKEN, "channel": "C0123456789"},
    "opsgenie": {"api_key": OTHER_KEY},
}
SECOND: dict[str, Any] = {
    "kinds": ["task", "daemon", "task_retirement"],
    "clusters": ["production"],
    "task_families": ["nightly"],
    "state_machine_arns": ["arn:aws:states:eu-central-1:123456789012:stateMachine:nightly"],
    "rule_options": {"state_machine": {"statuses": ["ABORTED"], "description": "Aborted"}},
    "severity": "critical",
    "emails": ["ops@example.org", "night@example.org"],
    "mail_subject": "Broken",
    "queue": "failures.fifo",
    "log_group": "/ecs/failures",
    "log_retention_days": 7,
    "slack": {"token": OTHER_KEY, "channel": "C9876543210"},
    "teams": {"url": f"https://prod.logic.azure.com:443/workflows/1/invoke?api-version=1&sig={OTHER_KEY}"},
    "dead_letter": False,
    "container_log_group": "/ecs/nightly",
    "tags": {"team": "shop"},
}


@pytest.mark.long
@pytest.mark.usefixtures("within_the_policy")
def test_every_variable_is_changed_and_changed_back(stack, sandbox):
    """A rule has room for five channels, and one of the five is replaced by another."""
    assert stack.run(**FIRST)["failures"] == 0
    for address in FIRST["emails"]:
        sandbox.confirm_subscription(address)
    first = stack.everything()
    predicted = stack.run("--check", **SECOND)
    done = stack.run(**SECOND)
    assert (done["failures"], done["tasks"]) == (0, predicted["tasks"]), done["words"] + predicted["words"]
    assert (predicted["writes"], predicted["result"]) == ([], done["result"])
    second = stack.everything()
    rules = [f"ecs-failures-{kind}" for kind in ("daemon", "state-machine", "task", "task-retirement")]
    assert second["left"]["rules"] == rules
    assert second["left"]["connections"] == ["ecs-failures-slack", "ecs-failures-teams"]
    rule = second["rule ecs-failures-task"]
    assert {each["Key"] for each in rule["tags"]} == {TAG, "team"}
    assert rule["targets"].keys() == {"mail", "queue", "log", "slack", "teams"}
    assert rule["targets"]["queue"]["SqsParameters"] == {"MessageGroupId": "ecs-failures"}
    assert "DeadLetterConfig" not in rule["targets"]["mail"]
    # The messages in a queue stay, so the queue stays, too.
    queues = ["ecs-failures-undelivered", "failures", "failures.fifo"]
    assert [url.rpartition("/")[2] for url in second["left"]["queues"]] == queues
    (topic,) = second["left"]["topics"]
    assert (first[topic][0], second[topic][0]) == ("Failures of Amazon ECS", "Broken")
    assert second[topic][2] == ["night@example.org", "ops@example.org"]
    assert (first["/ecs/failures"], second["/ecs/failures"]) == (30, 7)

    assert stack.run(**FIRST)["failures"] == 0
    sandbox.confirm_subscription("dev@example.org")
    back = stack.everything()
    del back[back["left"]["queues"].pop()]  # failures.fifo
    # Only AWS can remove an address that has never been confirmed, and does so after three days.
    back[topic][2].remove("night@example.org")
    assert back == first


def test_what_is_somebody_elses_is_left_alone(stack):
    """A resource without the role's tag exists under every name that the role may use."""
    make_the_same_of_somebody_else(stack)
    before = stack.everything()
    refused = stack.run(**WHOLE)
    assert refused["words"] == (
        "Not managed by this role: rule ecs-failures-task, queue failures, queue ecs-failures-undelivered, log group "
        "/ecs/failures, topic ecs-failures, role ecs-failures-events, connection ecs-failures-slack-webhook, API "
        "destination ecs-failures-slack-webhook. Nothing was changed. Choose another failure_alerts_name, pass the "
        "ARN of an existing queue or log group, or hand the resources over to the role by tagging them "
        "steadyops.ecs/failure-alerts=ecs-failures."
    )
    gone = stack.run(state="absent", **WHOLE)
    assert (gone["failures"], gone["changed"]) == (0, 0), gone["words"]
    assert gone["result"]["not_managed"] == [
        "rule ecs-failures-task",
        "queue failures",
        "queue ecs-failures-undelivered",
        "log group /ecs/failures",
        "log group /aws/lambda/ecs-failures-sentry",
        "topic ecs-failures",
        "role ecs-failures-events",
        "role ecs-failures-sentry",
        "function ecs-failures-sentry",
    ]
    assert refused["writes"] == gone["writes"] == []
    assert stack.everything() == before


def make_the_same_of_somebody_else(stack):
    for name in ("failures", "ecs-failures-undelivered"):
        stack.aws("sqs").create_queue(QueueName=name, tags={TAG: "other"})
    for name in ("/ecs/failures", "/aws/lambda/ecs-failures-sentry"):
        stack.aws("logs").create_log_group(logGroupName=name, tags={"team": "shop"})
    stack.aws("sns").create_topic(Name="ecs-failures")
    stack.aws("events").put_rule(Name="ecs-failures-task", EventPattern='{"source": ["aws.ecs"]}')
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    roles = [
        stack.aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        for name in ("ecs-failures-events", "ecs-failures-sentry")
    ]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("handler.py", "")
    stack.aws("lambda").create_function(
        FunctionName="ecs-failures-sentry", Runtime="python3.13", Role=roles[1], Handler="handler.x",
        Code={"ZipFile": content.getvalue()},
    )  # fmt: skip
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": OTHER_KEY}}
    connection = stack.aws("events").create_connection(
        Name="ecs-failures-slack-webhook", AuthorizationType="API_KEY", AuthParameters=key
    )["ConnectionArn"]
    stack.aws("events").create_api_destination(
        Name="ecs-failures-slack-webhook",
        ConnectionArn=connection,
        HttpMethod="POST",
        InvocationEndpoint="https://x.org",
    )
    # An API destination becomes active when its connection is authorized, which takes a moment.
    name = "ecs-failures-slack-webhook"
    until(lambda: stack.aws("events").describe_connection(Name=name)["ConnectionState"] == "AUTHORIZED", name)


def test_the_targets_of_others_take_room(stack):
    events, name = stack.aws("events"), "ecs-failures-task"
    tags = [{"Key": TAG, "Value": "ecs-failures"}]
    events.put_rule(Name=name, EventPattern='{"source": ["aws.ecs"]}', Tags=tags)
    queue = f"arn:aws:sqs:{REGION}:123456789012:theirs"
    events.put_targets(Rule=name, Targets=[{"Id": "theirs", "Arn": queue}])
    refused = stack.run(**WHOLE)
    assert (
        f"The rule {name} has targets that this role did not create: theirs. A rule has at most five"
        in refused["words"]
    )
    assert refused["writes"] == []


SMALL: dict[str, Any] = {"kinds": ["task"], "emails": ["ops@example.org"], "slack": {"token": TOKEN, "channel": "C1"}}


@pytest.mark.long
def test_a_run_that_is_denied_and_one_that_is_killed_are_finished_by_the_next(stack, sandbox, tmp_path):
    sandbox.fault("access_denied", operations=["CreateRole"])
    denied = stack.run(**SMALL)
    assert denied["failures"] == 1
    assert "not authorized to perform: iam:CreateRole" in denied["words"]
    sandbox.clear_faults()
    # The answer to CreateConnection never arrives, and then everything is killed.
    sandbox.fault("hold", operations=["CreateConnection"])
    process = Stack(sandbox, tmp_path).start(**SMALL)
    until(lambda: any(call["outcome"] == "held" for call in sandbox.journal()["calls"]), "the connection")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    sandbox.clear_faults()
    sandbox.release()
    finished = stack.run(**SMALL)
    assert finished["failures"] == 0, finished["words"]
    assert stack.targets("ecs-failures-task").keys() == {"mail", "slack"}
    assert len(no_complaints(stack)) == 4


@pytest.fixture
def sentry():
    sink = SentrySink()
    yield sink
    sink.close()


@pytest.mark.long
@pytest.mark.usefixtures("within_the_policy")
def test_sentry_through_a_function(stack, sandbox, sentry):
    said = {"kinds": ["task"], "sentry_function": {"dsn": sentry.dsn.replace("public", SENTRY_KEY)}}
    said["package_dir"] = str(ROOT / "build")  # its wheels are kept there from run to run
    said |= key_and_boundary(stack)
    predicted = stack.run("--check", **said)
    made = stack.run(**said)
    assert (made["failures"], made["changed"]) == (0, predicted["changed"]), made["words"]
    assert stack.run(**said)["writes"] == []
    assert no_complaints(stack)["ecs-failures-sentry"]["Statement"]
    failed = {"lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "group": "family:nightly"}
    failed["containers"] = [{"name": "app", "exitCode": 137}]
    sandbox.publish({"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": failed})
    until(sentry.events, "the event at Sentry")
    assert "137" in json.dumps(sentry.events())
    assert SENTRY_KEY in sentry.received[0]["headers"]["x-sentry-auth"]
    assert stack.run(state="absent")["failures"] == 0
    assert stack.left() == {}
