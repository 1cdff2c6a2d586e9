# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What failure_alerts_quiet_period adds between the rules and the receivers: a function, its table and its roles.

The rule of each kind sends events only to the function. The events that the function sends match a second rule of that
kind, which has the receivers. ``functions/quiet_period.py`` explains how the function works.
"""

from __future__ import annotations

import json
from typing import Any

from ...functions.quiet_period import FIELD, SOURCE
from .. import iam
from ..place import StackPlace
from .variables import Alerts

# The form that Amazon Q Developer in chat applications shows. It ignores events from sources other than AWS services
# ("Custom notifications using Amazon Q Developer in chat applications").
CUSTOM_NOTIFICATION = json.dumps(
    {"version": "1.0", "source": "custom", "content": {"title": "<headline>", "description": "<headline> <link>"}}
)
HANDLER = "quiet_function.handler"
# The parameters of community.aws.dynamodb_table that are compared. The table holds ids and times.
TABLE = {"hash_key_name": "window", "billing_mode": "PAY_PER_REQUEST"}


def pattern_of(alerts: Alerts, kind: str) -> str:
    """Return the event pattern, as JSON, that matches what the function sends about failures of a kind."""
    return json.dumps({"source": [SOURCE], "detail": {FIELD: {"name": [alerts.name], "kind": [kind]}}})


def input_of(kind: str) -> dict[str, Any]:
    """Return the input that a rule passes to the function: the event, and its kind, which only the rule knows.

    The predefined variable holds the whole event as a JSON value ("Amazon EventBridge input transformation").
    """
    template = f'{{"kind": "{kind}", "event": <aws.events.event.json>}}'
    return {"input_paths_map": {}, "input_template": template}


def environment_of(alerts: Alerts, place: StackPlace) -> dict[str, str]:
    return {
        "ALERTS_NAME": alerts.name,
        "QUIET_PERIOD": str(alerts.quiet_period),
        "TABLE": alerts.quiet_name,
        "SCHEDULE_ROLE": str(place.arn("iam", f"role/{alerts.ends_role}")),
        "DEAD_LETTERS": str(place.arn("sqs", alerts.undelivered)),
    }


def function_statements(alerts: Alerts, place: StackPlace) -> list[dict[str, Any]]:
    """Return the statements for what the function may do, besides writing its log and its dead letters."""
    table = str(place.arn("dynamodb", f"table/{alerts.quiet_name}"))
    bus, ends = (
        place.arn("events", "event-bus/default"),
        place.arn("scheduler", f"schedule/default/{alerts.name}-end-*"),
    )
    return [
        iam.allow([f"dynamodb:{each}Item" for each in ("Delete", "Get", "Put", "Update")], table),
        iam.allow("scheduler:CreateSchedule", str(ends)),
        iam.allow_pass_role(str(place.arn("iam", f"role/{alerts.ends_role}")), "scheduler"),
        iam.allow("events:PutEvents", str(bus), StringEquals={"events:source": SOURCE}),
    ]


def ends_trust(place: StackPlace) -> dict[str, Any]:
    """Return the trust policy. Scheduler names a schedule's group only ("Prevent confused deputy", its User Guide)."""
    return iam.trust(place, "scheduler", [str(place.arn("scheduler", "schedule-group/default"))])


def ends_policy(alerts: Alerts, place: StackPlace) -> dict[str, Any]:
    """Return the policy for what Scheduler may do when a window ends."""
    function = str(place.arn("lambda", f"function:{alerts.quiet_name}"))
    letters = str(place.arn("sqs", alerts.undelivered))
    keys = [iam.allow_key(place, alerts.kms_key)] if alerts.kms_key else []  # of the queue
    return iam.policy([iam.allow("lambda:InvokeFunction", function), iam.allow("sqs:SendMessage", letters), *keys])
