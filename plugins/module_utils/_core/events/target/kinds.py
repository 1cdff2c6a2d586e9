# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The kinds of target, told from their ARNs, and what EventBridge asks of each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...arns import Arn, parse_arn
from ...errors import Refused


@dataclass(frozen=True)
class Kind:
    """``words`` name it, with its article. ``role`` is what AWS makes of a role: ``required``, ``possible`` (in place
    of a statement in the target's own policy) or ``never``."""

    name: str
    words: str
    service: str
    resource: re.Pattern[str]
    example: str
    role: str


def _kind(name: str, words: str, service: str, resource: str, example: str, role: str) -> Kind:
    return Kind(name, words, service, re.compile(resource), example, role)


KINDS = (
    _kind("topic", "an SNS topic", "sns", r"[A-Za-z0-9_-]+(\.fifo)?", "alerts", "possible"),
    _kind("queue", "an SQS queue", "sqs", r"[A-Za-z0-9_-]+(\.fifo)?", "alerts", "possible"),
    _kind("function", "a Lambda function", "lambda", r"function:[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)?", "function:alerts",
          "possible"),
    _kind("log_group", "a log group", "logs", r"log-group:[A-Za-z0-9_./#-]+", "log-group:/ecs/events", "never"),
    _kind("state_machine", "a state machine", "states", r"stateMachine:[^\s:]+(:[^\s:]+)?", "stateMachine:alerts",
          "required"),
    _kind("api_destination", "an API destination", "events", r"api-destination/[A-Za-z0-9_.-]+/[A-Za-z0-9-]+",
          "api-destination/slack/11111111-2222-3333-4444-555555555555", "required"),
    _kind("event_bus", "an event bus", "events", r"event-bus/[A-Za-z0-9_./-]+", "event-bus/central", "required"),
    _kind("stream", "a Kinesis stream", "kinesis", r"stream/[A-Za-z0-9_.-]+", "stream/alerts", "required"),
    _kind("delivery_stream", "a Firehose stream", "firehose", r"deliverystream/[A-Za-z0-9_.-]+",
          "deliverystream/alerts", "required"),
)  # fmt: skip

_SERVICES = {kind.service for kind in KINDS}
# Those with policies of their own, which can let EventBridge in.
SERVICES_WITH_POLICIES = {kind.service for kind in KINDS if kind.role != "required"}


def target_arn(option: str, text: str) -> tuple[Arn, Kind]:
    """The ARN of a target and its kind; a log group's without ``:*`` at its end. Raises ``Refused``."""
    arn = parse_arn(text)
    if arn is None or not (arn.region and arn.account):
        raise Refused(f"{option}: '{text}' is not an ARN of a target. Give one such as {_example('topic')}")
    if arn.service == "logs" and arn.resource.endswith(":*"):
        arn = Arn(arn.partition, arn.service, arn.region, arn.account, arn.resource[:-2])
    for kind in KINDS:
        if arn.service == kind.service and kind.resource.fullmatch(arn.resource):
            return arn, kind
    if arn.service in _SERVICES:
        wanted = " or ".join(f"{kind.words} ({_example(kind.name)})" for kind in KINDS if kind.service == arn.service)
        raise Refused(f"{option}: '{text}' is not the ARN that a target of EventBridge has. Give that of {wanted}")
    words = ", ".join(kind.words for kind in KINDS)
    raise Refused(
        f"{option}: '{text}' is none of the kinds of target that this module knows: {words}. "
        "Send the events to one of these"
    )


def is_fifo(arn: Arn) -> bool:
    return arn.service in {"sns", "sqs"} and arn.resource.endswith(".fifo")


def _example(name: str) -> str:
    kind = next(kind for kind in KINDS if kind.name == name)
    return f"arn:aws:{kind.service}:eu-central-1:123456789012:{kind.example}"
