# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Names and ARNs of AWS resources: the rule of each kind, and the readers for options that take them."""

from __future__ import annotations

import re
from typing import NamedTuple

from .arns import Arn, parse_arn
from .errors import Refused


class NameRule(NamedTuple):
    """The rule for one kind of name. ``words`` describe what matches the pattern."""

    pattern: str
    words: str

    def fits(self, text: str) -> bool:
        return bool(re.fullmatch(self.pattern, text))


class ArnRule(NamedTuple):
    """The rule for one kind of ARN. ``words``: the resource with an article. ``resource`` may have a group ``name``."""

    words: str
    service: str
    resource: str
    example: str

    def match(self, arn: Arn | None) -> re.Match[str] | None:
        """Return the match of the ARN's resource, or None if the ARN is of another kind."""
        if arn is None or arn.service != self.service or not arn.account or bool(arn.region) == (arn.service == "iam"):
            return None
        return re.fullmatch(self.resource, arn.resource)

    def __str__(self) -> str:
        region = "" if self.service == "iam" else "eu-west-1"
        return str(Arn("aws", self.service, region, "123456789012", self.example))


# Documentation of CreateCluster, CreateService and RegisterTaskDefinition; the API model has no pattern.
ECS_NAME = NameRule(r"[A-Za-z0-9_-]{1,255}", "1 to 255 letters, digits, hyphens and underscores")
FAMILY_NAME = NameRule(ECS_NAME.pattern, f"a task family without revision, {ECS_NAME.words}")
# Documentation of RunTask.
TASK_DEFINITION_NAME = NameRule(rf"{ECS_NAME.pattern}(:[1-9][0-9]*)?", "family or family:revision")
# API models of EventBridge (RuleName, TargetId, ConnectionName, ApiDestinationName) and of EventBridge Scheduler (Name,
# ScheduleGroupName).
EVENTS_NAME = NameRule(r"[.\-_A-Za-z0-9]{1,64}", "1 to 64 letters, digits, dots, hyphens and underscores")
# API model of EventBridge: EventBusName.
BUS_NAME = NameRule(r"[/.\-_A-Za-z0-9]{1,256}", "1 to 256 letters, digits, dots, hyphens, underscores and slashes")
# API model of CloudWatch Logs: LogGroupName, FilterName.
LOG_GROUP_NAME = NameRule(r"[.\-_/#A-Za-z0-9]{1,512}", "1 to 512 letters, digits and . - _ / #")
FILTER_NAME = NameRule(r"[^:*]{1,512}", "1 to 512 characters other than : and *")
# Documentation of CreateFunction; FunctionName of the API model is longer because it may be an ARN.
FUNCTION_NAME = NameRule(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, hyphens and underscores")
# Documentation of CreateStateMachine, which lists the characters that it forbids.
STATE_MACHINE_NAME = NameRule(r"[A-Za-z0-9_.+!@()='-]{1,80}", "1 to 80 letters, digits and _ . + ! @ ( ) = ' -")

CLUSTER = ArnRule("an ECS cluster", "ecs", rf"cluster/(?P<name>{ECS_NAME.pattern})", "cluster/production")
# Services from before 2019 may have ARNs without the cluster.
SERVICE = ArnRule(
    "an ECS service",
    "ecs",
    rf"service/((?P<cluster>{ECS_NAME.pattern})/)?(?P<name>{ECS_NAME.pattern})",
    "service/production/web",
)
FAMILY = ArnRule("a task family", "ecs", rf"task-definition/(?P<name>{ECS_NAME.pattern})", "task-definition/report")
TASK_DEFINITION = ArnRule(
    "a task definition", "ecs", rf"task-definition/(?P<name>{TASK_DEFINITION_NAME.pattern})", "task-definition/report:7"
)
# API model of EventBridge Scheduler: RoleArn.
ROLE = ArnRule("an IAM role", "iam", r"role/[\w+=,.@/-]+", "role/jobs")
POLICY = ArnRule("an IAM policy", "iam", r"policy/[\w+=,.@/-]+", "policy/boundary")
# Documentation of CreateTopic and CreateQueue.
TOPIC = ArnRule("an SNS topic", "sns", r"[A-Za-z0-9_-]+(\.fifo)?", "alerts")
STANDARD_TOPIC = ArnRule("a standard SNS topic, not FIFO", "sns", r"[A-Za-z0-9_-]+", "alerts")
QUEUE = ArnRule("an SQS queue", "sqs", r"[A-Za-z0-9_-]+(\.fifo)?", "alerts")
STANDARD_QUEUE = ArnRule("a standard SQS queue, not FIFO", "sqs", r"[A-Za-z0-9_-]+", "undelivered")
# API model of Lambda: FunctionName. An alias or a version may follow, but not $LATEST, for which AddPermission answers
# "We currently do not support adding policies for $LATEST." (terraform-aws-modules/terraform-aws-lambda#36).
FUNCTION = ArnRule(
    "a Lambda function", "lambda", r"function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9_-]{1,128})?", "function:alerts"
)
# ``:*`` stands for all streams of the group.
LOG_GROUP = ArnRule("a log group", "logs", rf"log-group:(?P<name>{LOG_GROUP_NAME.pattern})(:\*)?", "log-group:/ecs")
# The name may be one that this collection would not create.
STATE_MACHINE = ArnRule(
    "a state machine", "states", r"stateMachine:(?P<name>[^\s:]+)(:[^\s:]+)?", "stateMachine:report"
)
UNQUALIFIED_STATE_MACHINE = ArnRule(
    "a state machine without version or alias", "states", r"stateMachine:(?P<name>[^\s:]+)", "stateMachine:report"
)
# API model of EventBridge: ConnectionArn, ApiDestinationArn, EventBusNameOrArn.
_ID = "1b2c3d4e-aaaa-bbbb-cccc-1234567890ab"
CONNECTION = ArnRule(
    "a connection", "events", rf"connection/(?P<name>{EVENTS_NAME.pattern})/[\-A-Za-z0-9]+", f"connection/slack/{_ID}"
)
API_DESTINATION = ArnRule(
    "an API destination", "events", rf"api-destination/{EVENTS_NAME.pattern}/[\-A-Za-z0-9]+",
    f"api-destination/slack/{_ID}",
)  # fmt: skip
EVENT_BUS = ArnRule("an event bus", "events", rf"event-bus/(?P<name>{BUS_NAME.pattern})", "event-bus/central")
# Documentation of CreateStream and CreateDeliveryStream.
STREAM = ArnRule("a Kinesis stream", "kinesis", r"stream/[.\-_A-Za-z0-9]+", "stream/alerts")
DELIVERY_STREAM = ArnRule("a Firehose stream", "firehose", r"deliverystream/[.\-_A-Za-z0-9]+", "deliverystream/alerts")
KMS_KEY = ArnRule("a KMS key", "kms", r"key/\S+", f"key/{_ID}")


def read_name(option: str, text: str, rule: NameRule) -> str:
    """Return ``text``. Raise ``Refused`` unless it is a name that the rule allows."""
    if not rule.fits(text):
        raise Refused(f"`{option}` must be {rule.words} (got {text[:80]!r})")
    return text


def read_arn(option: str, text: str, rule: ArnRule) -> Arn:
    """Return the ARN. Raise ``Refused`` unless it is one of the rule's kind."""
    arn = parse_arn(text)
    if arn is None or not rule.match(arn):
        raise Refused(f"`{option}` must be the ARN of {rule.words}, such as {rule} (got {text[:200]!r})")
    return arn


def read_arn_text(option: str, text: str | None, rule: ArnRule) -> str | None:
    """Return the ARN as text, or None if the option is omitted. Raises ``Refused`` as ``read_arn`` does."""
    return None if text is None else str(read_arn(option, text, rule))


def read_name_or_arn(option: str, text: str, name: NameRule, rule: ArnRule) -> tuple[str, Arn | None]:
    """Return the name, and the ARN if ``text`` is one. Raise ``Refused`` for any other text."""
    arn = parse_arn(text)
    match = rule.match(arn)
    if not match and not name.fits(text):
        raise Refused(
            f"`{option}` must be the name of {rule.words} ({name.words}) or its ARN, such as {rule} "
            f"(got {text[:200]!r})"
        )
    return (match["name"] if match else text), arn
