# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The wanted resources of the retry stack, each as the parameters of the module that writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ecs.refused_launch import NO_INSTANCE
from ...failures.filters import TAKEN_BY
from ..iam import allow, allow_key, allow_pass_role, policy, trust, wanted_role
from ..messaging import mail_topic
from ..place import StackPlace
from .read import Retries

POLICY = "start-tasks-again"
TARGET = "retry"
BATCH_SIZE = 10
TIMEOUT = 120  # seconds, of the function


@dataclass(frozen=True)
class Names:
    """The names of all resources. Each contains the name of the stack."""

    name: str

    @property
    def dead_letters(self) -> str:
        return f"{self.name}-dead-letters"

    @property
    def queues(self) -> tuple[str, str]:
        return self.dead_letters, self.name

    @property
    def topic(self) -> str:
        return f"{self.name}-given-up"

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"

    @property
    def launch_rule(self) -> str:
        return f"{self.name}-launch"

    @property
    def stopped_rule(self) -> str:
        return f"{self.name}-stopped"

    @property
    def rules(self) -> tuple[str, str]:
        return self.launch_rule, self.stopped_rule


@dataclass(frozen=True)
class Wanted:
    """The stack that the variables ask for, in one place."""

    retries: Retries
    place: StackPlace

    @property
    def names(self) -> Names:
        return Names(self.retries.name)

    def arn(self, service: str, resource: str) -> str:
        return str(self.place.arn(service, resource))

    @property
    def function_arn(self) -> str:
        return self.arn("lambda", f"function:{self.names.name}")

    @property
    def role_arn(self) -> str:
        return self.arn("iam", f"role/{self.names.name}")

    @property
    def queue_arn(self) -> str:
        return self.arn("sqs", self.names.name)

    @property
    def dead_letter_arn(self) -> str:
        return self.arn("sqs", self.names.dead_letters)

    @property
    def topic_arn(self) -> str | None:
        """The ARN of the topic that the function publishes to, or None."""
        own = self.arn("sns", self.names.topic) if self.retries.emails else None
        return self.retries.topic_arn or own

    @property
    def tags(self) -> dict[str, str]:
        return self.retries.owner.tags(self.retries.tags)

    def function_options(self, task_roles: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return the options in the function's package. ``task_roles`` are the roles that tasks get, by family."""
        own = {**self.retries.options, "own_role_arns": [self.role_arn]}
        if self.retries.options.get("allow_role_overrides"):
            return {**own, "pass_role_arns": {family: list(roles) for family, roles in task_roles.items()}}
        return own

    def role(self, task_roles: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return the step of ``ecs_stack`` for the function's IAM role. ``task_roles`` are those of ``policy``."""
        return wanted_role(
            self.names.name,
            trust(self.place, "lambda"),
            f"Function that retries Amazon ECS task launches, for {self.names.name}",
            self.tags,
            self.retries.permissions_boundary,
            {POLICY: self.policy(task_roles)},
        )

    def policy(self, task_roles: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return the policy for what the function may do. ``task_roles`` are the roles that tasks get, by family."""
        in_clusters = {"ecs:cluster": [self.arn("ecs", f"cluster/{name}") for name in self.retries.cluster_names]}
        # Any revision of a family, so a new revision is retried without a change here.
        definitions = [self.arn("ecs", f"task-definition/{name}:*") for name in self.retries.families]
        tasks = [self.arn("ecs", f"task/{name}/*") for name in self.retries.cluster_names]
        # A statement per family would not be stricter: IAM does not know for which task definition a role is passed.
        passed = sorted({role for roles in task_roles.values() for role in roles})
        volumes = sorted(set(self.retries.volume_role_arns))
        statements = {
            "RunTask": allow("ecs:RunTask", definitions, ArnEquals=in_clusters),
            "TagTask": allow("ecs:TagResource", tasks, StringEquals={"ecs:CreateAction": "RunTask"}),
            # It accepts only a container instance as a resource, and the function names none.
            "ListTasks": allow("ecs:ListTasks", "*", ArnEquals=in_clusters),
            "PassRole": allow_pass_role(passed, "ecs-tasks") if passed else None,
            # "Amazon ECS infrastructure IAM role" in the ECS Developer Guide: ECS itself assumes it, not the task.
            "PassVolumeRole": allow_pass_role(volumes, "ecs") if volumes else None,
            **(self._reads_of_callers() if self.retries.options.get("rebuild_hidden") else {}),
            "Send": allow("sqs:SendMessage", [self.queue_arn, self.dead_letter_arn]),
            "Receive": allow(
                ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
                self.queue_arn,
            ),
            # For messages in the queues and the topic, and for the environment of the function.
            "UseKey": allow_key(self.place, self.retries.kms_key) if self.retries.kms_key else None,
            "Notify": allow("sns:Publish", self.topic_arn) if self.topic_arn else None,
            "Log": allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                self.arn("logs", f"log-group:{self.names.log_group}:*"),
            ),
        }
        return policy({"Sid": sid, **statement} for sid, statement in statements.items() if statement)

    def _reads_of_callers(self) -> dict[str, Any]:
        """Return the statements for ``rebuild_hidden``. The lists accept only * (Service Authorization Reference)."""
        return {
            "ListCallers": allow(["events:ListRules", "scheduler:ListSchedules"], "*"),
            "ReadSchedules": allow("scheduler:GetSchedule", self.arn("scheduler", "schedule/*/*")),
            "ReadTargets": allow("events:ListTargetsByRule", self.arn("events", "rule/*")),
        }

    def log_group(self) -> dict[str, Any]:
        return {
            "log_group_name": self.names.log_group,
            "retention": self.retries.log_retention_days,
            "tags": self.tags,
        }

    def queues(self) -> list[dict[str, Any]]:
        """Return the steps of ``ecs_stack`` for the dead-letter queue, and for the queue in which retries wait."""
        redrive = {"deadLetterTargetArn": self.dead_letter_arn, "maxReceiveCount": 10}
        waiting = {
            # "Creating and configuring an Amazon SQS event source mapping" in the Lambda Developer Guide recommends
            # six times the timeout of the function.
            "VisibilityTimeout": str(6 * TIMEOUT),
            "RedrivePolicy": json.dumps(redrive),
        }
        attributes = {self.names.dead_letters: {"MessageRetentionPeriod": "1209600"}, self.names.name: waiting}
        common = {"state": "present", "tags": self.tags}
        return [{"name": name, **common, "attributes": {**own, **self._key()}} for name, own in attributes.items()]

    def _key(self) -> dict[str, str]:
        """Return the attribute of queues and topics for the user's KMS key. Without a key, they keep their own."""
        return {"KmsMasterKeyId": self.retries.kms_key} if self.retries.kms_key else {}

    def topic(self, found: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Return the step of ``ecs_stack`` for the topic, or None if no address is wanted."""
        if not self.retries.emails:
            return None
        mail = mail_topic(self.names.topic, self.retries.emails, found)
        return {**mail, "attributes": self._key(), "tags": self.tags}

    def function(self, package: Mapping[str, Any]) -> dict[str, Any]:
        """Return the function without its environment, which needs the URLs of the queues. ``package`` has ``path``."""
        return {
            "name": self.names.name,
            "description": f"Retries refused Amazon ECS task launches, for {self.names.name}",
            "zip_file": package["path"],
            "handler": "handler.handler",
            "runtime": self.retries.runtime,
            "role": self.role_arn,
            "timeout": TIMEOUT,
            "memory_size": 128,
            # For events that Lambda could not deliver to the function after all its retries.
            "dead_letter_arn": self.dead_letter_arn,
            **({"kms_key_arn": self.retries.kms_key} if self.retries.kms_key else {}),
            "tags": self.tags,
        }

    def alarm(self) -> dict[str, Any]:
        """Return the alarm. Its ``description`` has the mark of ownership, because the module sets no tags."""
        queue = self.names.dead_letters
        return {
            "name": queue,
            "description": f"Launches that were given up, or could not be handled, wait in {queue}. {mark(self)}",
            "namespace": "AWS/SQS",
            "metric": "ApproximateNumberOfMessagesVisible",
            "dimensions": {"QueueName": queue},
            "statistic": "Maximum",
            "period": 300,
            "evaluation_periods": 1,
            "comparison": "GreaterThanThreshold",
            "threshold": 0,
            "treat_missing_data": "notBreaching",
            "alarm_actions": list(self.retries.alarm_actions),
        }

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules, each with all parameters of ``ecs_failure_rule``."""
        common = {
            "event_bus_name": "default",
            "state": "present",
            "enabled": None,
            "description": f"Amazon ECS task launches to retry, for {self.names.name}",
            **dict.fromkeys(("kind", *TAKEN_BY, "event_pattern")),
            "tags": self.tags,
            "purge_tags": True,
        }
        rules = []
        if self.retries.source == "eventbridge":
            rules.append({**common, "name": self.names.launch_rule, **self._launches()})
        return [*rules, {**common, "name": self.names.stopped_rule, "event_pattern": self._stops()}]

    def _launches(self) -> dict[str, Any]:
        if self.retries.event_pattern is not None:
            return {"event_pattern": self.retries.event_pattern}
        return {
            "kind": "launch",
            "clusters": list(self.retries.clusters),
            "task_families": list(self.retries.families),
            "exclude_role_arns": [self.role_arn],
        }

    def _stops(self) -> dict[str, Any]:
        """Return the pattern for tasks that Managed Instances had no room for, or all stops if those are retried."""
        refused = {"stopCode": ["TaskFailedToStart"], "stoppedReason": [{"wildcard": f"*{NO_INSTANCE}*"}]}
        definitions = [self.arn("ecs", f"task-definition/{name}:") for name in self.retries.families]
        return {
            "source": ["aws.ecs"],
            "detail-type": ["ECS Task State Change"],
            "detail": {
                "lastStatus": ["STOPPED"],
                "clusterArn": [self.arn("ecs", f"cluster/{name}") for name in self.retries.cluster_names],
                "taskDefinitionArn": [{"prefix": definition} for definition in definitions],
                **({} if self.retries.retries_stops else refused),
            },
        }

    def target(self, rule: str) -> dict[str, Any]:
        return {"rule": rule, "id": TARGET, "arn": self.function_arn, "dead_letter_arn": self.dead_letter_arn}

    def subscription(self) -> dict[str, Any] | None:
        """Return the parameters of ``ecs_retry_subscription`` that differ from its defaults."""
        if self.retries.source != "log_subscription":
            return None
        named = {"name": self.names.name, "log_group": self.retries.log_group, "function_arn": self.function_arn}
        if self.retries.filter_pattern is not None:
            return {**named, "filter_pattern": self.retries.filter_pattern}
        return {
            **named,
            "clusters": list(self.retries.clusters),
            # The trail may cover all regions. The function checks families, because a filter pattern has little room.
            "regions": [self.place.region],
            "exclude_role_arns": [self.role_arn],
            # As with the rule, the function receives all refused launches and reports those that it cannot retry.
            "transient_errors_only": False,
        }


def mark(wanted: Wanted) -> str:
    """Return the mark of ownership that the description of an untagged resource contains."""
    owner = wanted.retries.owner
    return f"Managed by {owner.tag}={owner.name}"
