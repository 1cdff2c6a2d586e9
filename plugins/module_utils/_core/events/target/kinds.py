# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The kinds of target, recognised by their ARNs, and what EventBridge requires of each."""

from __future__ import annotations

from dataclasses import dataclass

from ... import names
from ...arns import Arn, parse_arn
from ...errors import Refused


@dataclass(frozen=True)
class Kind:
    """A kind of target. ``role`` says how AWS uses a role: ``required``, ``possible`` (instead of a statement in the
    target's own policy) or ``never``."""

    name: str
    rule: names.ArnRule
    role: str


KINDS = (
    Kind("topic", names.TOPIC, "possible"),
    Kind("queue", names.QUEUE, "possible"),
    Kind("function", names.FUNCTION, "possible"),
    Kind("log_group", names.LOG_GROUP, "never"),
    Kind("state_machine", names.STATE_MACHINE, "required"),
    Kind("api_destination", names.API_DESTINATION, "required"),
    Kind("event_bus", names.EVENT_BUS, "required"),
    Kind("stream", names.STREAM, "required"),
    Kind("delivery_stream", names.DELIVERY_STREAM, "required"),
)

# Services whose resources have their own policies, which can give EventBridge access.
SERVICES_WITH_POLICIES = {kind.rule.service for kind in KINDS if kind.role != "required"}


def target_arn(option: str, text: str) -> tuple[Arn, Kind]:
    """Return the ARN of a target and its kind. A log group's ARN loses the ``:*`` at its end. Raises ``Refused``."""
    arn = parse_arn(text.removesuffix(":*"))
    for kind in KINDS:
        if arn and kind.rule.match(arn):
            return arn, kind
    of_service = [kind for kind in KINDS if arn and arn.service == kind.rule.service]
    words = ", ".join(f"{kind.rule.words} ({kind.rule})" for kind in of_service or KINDS)
    raise Refused(f"`{option}` must be the ARN of {words} (got {text[:200]!r})")


def is_fifo(arn: Arn) -> bool:
    return arn.service in {"sns", "sqs"} and arn.resource.endswith(".fifo")
