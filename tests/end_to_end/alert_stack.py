# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the role failure_alerts again and again on one account, and look at what it has left there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import Warm
from tests.end_to_end.warm_python import SETTINGS
from tests.sandbox.client import Sandbox

REGION = os.environ["AWS_REGION"]
SENTRY_KEY = "0123456789abcdef0123456789abcdef"
DSN = f"https://{SENTRY_KEY}@o1.ingest.sentry.io/42"
TOKEN = "xoxb-1111-2222-aVerySecretToken"
OTHER_KEY = "4n0th3r-aVerySecretKey"
SECRETS = (TOKEN, SENTRY_KEY, OTHER_KEY)


def play(tasks: list[dict[str, Any]] | None = None, **variables: Any) -> dict[str, Any]:
    """Return a play with the role, or with tasks if there are any."""
    head = {"hosts": "localhost", "gather_facts": False}
    if tasks is not None:
        return {**head, "tasks": tasks}
    given = {f"failure_alerts_{name}": value for name, value in variables.items()}
    return {**head, "vars": given, "roles": ["steadyops.ecs.failure_alerts"]}


class Stack:
    def __init__(self, sandbox: Sandbox, folder: Path, warm: Warm | None = None) -> None:
        self.sandbox, self.folder, self.warm = sandbox, folder, warm

    def aws(self, service: str) -> Any:
        return aws_client(self.sandbox, service)

    def start(self, *options: str, name: str = "alerts.yml", **variables: Any) -> subprocess.Popen[str]:
        return self.start_play(play(**variables), *options, name=name)

    def start_play(self, content: dict[str, Any], *options: str, name: str = "alerts.yml") -> subprocess.Popen[str]:
        playbook = self.folder / name
        playbook.write_text(yaml.safe_dump([content]))
        command = ["ansible-playbook", str(playbook), "--diff", *options]
        return subprocess.Popen(
            self.warm.command(*command) if self.warm else command,
            env={**os.environ, **SETTINGS, "AWS_URL": self.sandbox.url},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str, **variables: Any) -> dict[str, Any]:
        return self.end(self.start(*options, **variables), self.sandbox.state()["calls"])

    def end(self, process: subprocess.Popen[str], seen: int = 0) -> dict[str, Any]:
        """Return the counts of the run, its ``writes`` after call ``seen``, the ``words`` of failures, and ``result``.

        ``tasks`` are the tasks that changed something or, in check mode, would change something.
        """
        output, errors = process.communicate()
        assert "Traceback" not in output + errors, output
        assert [secret for secret in SECRETS if secret in output + errors] == []
        told = json.loads(output[output.index('{\n    "custom_stats"') :])
        writes = [call["operation"] for call in self.sandbox.journal(since=seen)["calls"] if call["write"]]
        tasks = [_changed(task) for each in told["plays"] for task in each["tasks"]]
        results = [task["hosts"].get("localhost", {}) for each in told["plays"] for task in each["tasks"]]
        failed = [item for each in results if each.get("failed") for item in [each, *each.get("results", [])]]
        words = [str(each["msg"]) for each in failed if each.get("failed")]
        facts = [each["ansible_facts"]["failure_alerts_result"] for each in results
                 if "failure_alerts_result" in each.get("ansible_facts", {})]  # fmt: skip
        return {
            **told["stats"]["localhost"],
            "writes": writes,
            "words": " ".join(words),
            "each": words,
            "tasks": [name for name in tasks if name],
            "result": facts[-1] if facts else None,
        }

    def left(self) -> dict[str, list[str]]:
        """Return the names of what exists in the account, by kind."""
        found = {
            "rules": [each["Name"] for each in self.aws("events").list_rules()["Rules"]],
            "connections": [each["Name"] for each in self.aws("events").list_connections()["Connections"]],
            "destinations": [each["Name"] for each in self.aws("events").list_api_destinations()["ApiDestinations"]],
            "topics": [each["TopicArn"] for each in self.aws("sns").list_topics()["Topics"]],
            "queues": self.aws("sqs").list_queues().get("QueueUrls", []),
            "roles": [each["RoleName"] for each in self.aws("iam").list_roles()["Roles"]],
            "functions": [each["FunctionName"] for each in self.aws("lambda").list_functions()["Functions"]],
            "logs": [each["logGroupName"] for each in self.aws("logs").describe_log_groups()["logGroups"]],
        }
        return {kind: sorted(names) for kind, names in found.items() if names}

    def targets(self, rule: str) -> dict[str, dict[str, Any]]:
        return {each["Id"]: each for each in self.aws("events").list_targets_by_rule(Rule=rule)["Targets"]}

    def everything(self) -> dict[str, Any]:
        """Return everything that a variable of the role can change, without what AWS draws again each time."""
        events, sns, sqs, logs, iam = (self.aws(name) for name in ("events", "sns", "sqs", "logs", "iam"))
        left = self.left()
        found: dict[str, Any] = {"left": left}
        for name in left.get("rules", []):
            rule = events.describe_rule(Name=name)
            rule["targets"] = self.targets(name)
            rule["tags"] = events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
            found[f"rule {name}"] = rule
        for name in left.get("connections", []):
            found[f"connection {name}"] = events.describe_connection(Name=name)["AuthParameters"]
        for name in left.get("destinations", []):
            found[f"destination {name}"] = events.describe_api_destination(Name=name)
        for arn in left.get("topics", []):
            topic = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
            addresses = [each["Endpoint"] for each in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]]
            found[arn] = [topic["DisplayName"], json.loads(topic["Policy"]), sorted(addresses)]
        for url in left.get("queues", []):
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            found[url] = [attributes.get("Policy"), sqs.list_queue_tags(QueueUrl=url).get("Tags")]
        for group in logs.describe_log_groups()["logGroups"]:
            found[group["logGroupName"]] = group.get("retentionInDays")
        for name in left.get("roles", []):
            found[f"role {name}"] = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        text = json.dumps(found, default=str, sort_keys=True)
        drawn = [each["ApiDestinationArn"] for each in events.list_api_destinations()["ApiDestinations"]]
        drawn += [each["ConnectionArn"] for each in events.list_connections()["Connections"]]
        for arn in drawn:
            text = text.replace(arn.rpartition("/")[2], "drawn")
        return dict(json.loads(text, object_hook=_timeless))

    def policies(self) -> dict[str, dict[str, Any]]:
        """Return the policies that the role and its modules wrote: identity, resource and trust policies."""
        sqs, sns, iam, logs, functions = (self.aws(name) for name in ("sqs", "sns", "iam", "logs", "lambda"))
        left = self.left()
        texts = {
            url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
            for url in left.get("queues", [])
        }
        for arn in left.get("topics", []):
            # An IAM role publishes to the topic, so it is closed to rules of other accounts.
            assert "events.amazonaws.com" not in sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
        texts |= {name: functions.get_policy(FunctionName=name)["Policy"] for name in left.get("functions", [])}
        for group in logs.describe_log_groups()["logGroups"]:
            arn = group["arn"].removesuffix(":*")
            for each in logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")["resourcePolicies"]:
                texts[arn] = each["policyDocument"]
        found = {}
        for resource, text in texts.items():
            ours = [each for each in json.loads(text)["Statement"] if each["Sid"].startswith("SteadyopsEcs")]
            found[resource] = {"Version": "2012-10-17", "Statement": ours}
        for role in left.get("roles", []):
            found[f"{role} is assumed"] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                found[f"{role} may {name}"] = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        return found


def _changed(task: dict[str, Any]) -> str | None:
    """Return the name of a task that changed something. The role predicts such tasks by their names."""
    result = task["hosts"].get("localhost", {})
    if not result.get("changed"):
        return None
    name = task["task"]["name"].rpartition(" : ")[2]
    return next(iter(result["msg"])) if name == "Predict the changes of one task" else name


def _timeless(value: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in value.items() if k not in ("ResponseMetadata", "CreationTime", "LastModifiedTime")}
