# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role failure_alerts: a whole stack comes, changes and goes, and what fails reaches everybody who is to know."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import boto3
import pytest
import yaml

from tests.end_to_end.programs import until
from tests.policies import complaints
from tests.sandbox.client import Sandbox
from tests.sinks import Mailbox, Web, mailbox

__all__ = ["mailbox"]

REGION = os.environ["AWS_REGION"]
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}
DSN = "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/42"
TOKEN = "xoxb-1111-2222-aVerySecretToken"
WHOLE = {
    "kinds": ["task", "service_task", "launch"],
    "clusters": ["production"],
    "emails": ["ops@example.org"],
    "queue": "failures",
    "log_group": "/ecs/failures",
    "slack": {"token": TOKEN, "channel": "C0123456789"},
    "sentry": {"dsn": DSN},
    "tags": {"team": "shop"},
}
SECRETS = (TOKEN, "0123456789abcdef0123456789abcdef")


class Stack:
    """The role, run again and again on one account."""

    def __init__(self, sandbox: Sandbox, folder: Any) -> None:
        self.sandbox, self.playbook = sandbox, folder / "alerts.yml"

    def aws(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.sandbox.url, region_name=REGION)

    def run(self, *options: str, **variables: Any) -> dict[str, Any]:
        """The counts of ansible-playbook, with ``writes`` and ``told``."""
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {f"failure_alerts_{name}": value for name, value in variables.items()},
            "roles": ["steadyops.ecs.failure_alerts"],
        }
        self.playbook.write_text(yaml.safe_dump([play]))
        seen = self.sandbox.state()["calls"]
        environment = {
            **os.environ,
            "AWS_URL": self.sandbox.url,
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_PIPELINING": "true",
        }
        environment["ANSIBLE_DEPRECATION_WARNINGS"] = "false"
        command = ["ansible-playbook", str(self.playbook), "--diff", *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stdout + done.stderr, done.stdout
        assert not any(secret in done.stdout + done.stderr for secret in SECRETS)
        told = json.loads(done.stdout)
        writes = [call["operation"] for call in self.sandbox.journal(since=seen)["calls"] if call["write"]]
        results = [task["hosts"].get("localhost", {}) for play in told["plays"] for task in play["tasks"]]
        failed = [item for each in results if each.get("failed") for item in [each, *each.get("results", [])]]
        words = [str(each["msg"]) for each in failed if each.get("failed")]
        return {**told["stats"]["localhost"], "writes": writes, "words": " ".join(words)}

    def left(self) -> dict[str, list[str]]:
        """What there is in the account."""
        return {
            "rules": sorted(each["Name"] for each in self.aws("events").list_rules()["Rules"]),
            "connections": sorted(each["Name"] for each in self.aws("events").list_connections()["Connections"]),
            "destinations": [each["Name"] for each in self.aws("events").list_api_destinations()["ApiDestinations"]],
            "topics": [each["TopicArn"] for each in self.aws("sns").list_topics()["Topics"]],
            "queues": self.aws("sqs").list_queues().get("QueueUrls", []),
            "roles": [each["RoleName"] for each in self.aws("iam").list_roles()["Roles"]],
            "functions": [each["FunctionName"] for each in self.aws("lambda").list_functions()["Functions"]],
            "logs": [each["logGroupName"] for each in self.aws("logs").describe_log_groups()["logGroups"]],
        }

    def targets(self, rule: str) -> set[str]:
        return {each["Id"] for each in self.aws("events").list_targets_by_rule(Rule=rule)["Targets"]}

    def policies(self) -> list[str]:
        """What the role and its modules have written, of identities and resources."""
        sqs, sns, iam = self.aws("sqs"), self.aws("sns"), self.aws("iam")
        of_resources = [
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
            for url in self.left()["queues"]
        ]
        of_resources += [
            sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"] for arn in self.left()["topics"]
        ]
        found = []
        for text in of_resources:
            document = json.loads(text)
            ours = [each for each in document["Statement"] if each["Sid"].startswith("SteadyopsEcs")]
            assert 0 < len(ours) <= 20
            found.append(json.dumps({"Version": "2012-10-17", "Statement": ours}))
        of_roles = [
            iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for role in self.left()["roles"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        return found + [json.dumps(document) for document in of_roles]


@pytest.fixture
def stack(sandbox, tmp_path):
    sandbox.settings(cloudtrail=True)
    return Stack(sandbox, tmp_path)


@pytest.fixture
def services():
    """Slack and Sentry."""
    several = [Web(), Web()]
    yield several
    for service in several:
        service.server.shutdown()
        service.server.server_close()


def test_a_stack_comes_tells_changes_and_goes(stack, sandbox, mailbox: Mailbox, services):
    slack, sentry = services
    sandbox.settings(
        smtp=mailbox.address, routes={"https://slack.com": slack.url, "https://o1.ingest.sentry.io": sentry.url}
    )

    predicted = stack.run("--check", **WHOLE)
    assert (predicted["failures"], predicted["writes"]) == (0, []), predicted["words"]
    made = stack.run(**WHOLE)
    assert made["failures"] == 0, made["words"]
    assert made["changed"] == predicted["changed"] > 0
    again = stack.run(**WHOLE)
    assert (again["changed"], again["writes"]) == (0, [])
    assert stack.left()["rules"] == ["ecs-failures-launch", "ecs-failures-service-task", "ecs-failures-task"]
    assert [each for policy in stack.policies() for each in complaints(policy)] == []

    tell_of_failures_and_of_what_is_none(stack, sandbox, mailbox, slack, sentry)

    # One channel and one kind less, and another channel; and back.
    other = {name: value for name, value in WHOLE.items() if name not in ("slack", "queue")}
    other |= {"kinds": ["task", "service_action"], "severity": "critical"}
    other |= {"pagerduty": {"routing_key": "0123456789abcdef0123456789abcdef"}}
    predicted = stack.run("--check", **other)
    changed = stack.run(**other)
    assert (changed["failures"], changed["changed"]) == (0, predicted["changed"]), changed["words"]
    assert stack.left()["rules"] == ["ecs-failures-service-action", "ecs-failures-task"]
    assert stack.targets("ecs-failures-task") == {"mail", "log", "sentry", "pagerduty"}
    assert stack.left()["connections"] == ["ecs-failures-pagerduty", "ecs-failures-sentry"]
    assert stack.run(**WHOLE)["failures"] == 0
    assert stack.targets("ecs-failures-launch") == {"mail", "queue", "log", "slack", "sentry"}

    predicted = stack.run("--check", state="absent", **WHOLE)
    gone = stack.run(state="absent", **WHOLE)
    assert (gone["failures"], gone["changed"]) == (0, predicted["changed"]), gone["words"]
    assert {kind: names for kind, names in stack.left().items() if names} == {}
    assert stack.run(state="absent", **WHOLE)["writes"] == []


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
    arns = [ecs.run_task(**job)["tasks"][0]["taskArn"] for _number in range(4)]
    until(lambda: ecs.describe_tasks(cluster="production", tasks=arns[3:])["tasks"][0]["lastStatus"] == "RUNNING", "it")
    ecs.stop_task(cluster="production", task=arns[3], reason="not needed any longer")
    sandbox.fault("run_task_fails", family="nightly", times=1, reason="Capacity is unavailable at this time.")
    assert ecs.run_task(**job)["failures"]
    sandbox.service("web", cluster="production", tasks=3)
    sandbox.act("deploy", "production/web")
    sandbox.act("rescale", "production/web", desired=1)
    until(
        lambda: sum(each["event"]["detail"].get("lastStatus") == "STOPPED" for each in sandbox.events()) >= 4 + 3,
        "all of them to stop",
    )
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
        assert sum("137" in text for text in texts) >= 1, channel
        assert sum("CannotPullContainerError" in text for text in texts) == 1, channel
        assert sum("Capacity is unavailable" in text for text in texts) == 1, channel
        if channel != "log":  # which keeps whole events
            assert not any("Pa55word" in text for text in texts), channel
    assert {request["headers"]["authorization"] for request in slack.requests} == {f"Bearer {TOKEN}"}
    assert {json.loads(request["body"])["channel"] for request in slack.requests} == {"C0123456789"}
    assert {request["path"] for request in sentry.requests} == {"/api/42/store/"}
    assert all(SECRETS[1] in request["headers"]["x-sentry-auth"] for request in sentry.requests)


def _received(sqs: Any) -> list[dict[str, Any]]:
    url = sqs.get_queue_url(QueueName="failures")["QueueUrl"]
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])


def test_sentry_through_a_function(stack, sandbox, services):
    sentry = services[1]
    said = {"kinds": ["task"], "sentry_function": {"dsn": sentry.url.replace("://", f"://{SECRETS[1]}@") + "/42"}}
    predicted = stack.run("--check", **said)
    made = stack.run(**said)
    assert (made["failures"], made["changed"]) == (0, predicted["changed"]), made["words"]
    assert stack.run(**said)["writes"] == []
    assert [each for policy in stack.policies() for each in complaints(policy)] == []
    failed = {"lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "group": "family:nightly"}
    failed["containers"] = [{"name": "app", "exitCode": 137}]
    sandbox.publish({"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": failed})
    until(lambda: sentry.requests, "the event at Sentry")
    assert "137" in sentry.requests[0]["body"]
    assert stack.run(state="absent")["failures"] == 0
    assert {kind: names for kind, names in stack.left().items() if names} == {}


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "Nothing says where the alerts go"),
        ({"emails": ["ops"]}, "cannot be an address of email"),
        ({**WHOLE, "webhook": {"url": "https://example.org"}}, "at most five targets, and these are 6"),
        ({**WHOLE, "kinds": ["task", "tasks"]}, "tasks"),
        ({**WHOLE, "kinds": []}, "failure_alerts_kinds is empty"),
        ({**WHOLE, "rule_options": {"tasks": {}}}, "failure_alerts_rule_options has tasks"),
        ({**WHOLE, "name": "my alerts"}, "failure_alerts_name is 'my alerts'"),
        ({**WHOLE, "sentry": {"dsn": "https://sentry.io/42"}}, "no DSN of Sentry"),
        ({"teams": {"url": "https://example.org/workflows/1"}}, "has no sig="),
        ({"slack": {"token": TOKEN}}, "channel"),
        ({"webhook": {"url": "http://example.org"}}, "https"),
        ({**WHOLE, "rule_options": {"task": {"exit_codes": [1], "ignore_exit_codes": [2]}}}, "ignore_exit_codes"),
    ],
)
def test_what_does_not_fit_is_told(stack, variables, words):
    told = stack.run("--check", **variables)
    assert told["failures"] == 1
    assert words in told["words"]
    assert told["writes"] == []
