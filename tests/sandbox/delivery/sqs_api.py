# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SetQueueAttributes. Moto would drop the policy of a queue when another attribute is set."""

from __future__ import annotations

import json
from typing import Any

from .. import stored
from ..account import NUMBER, Account
from ..model.state import SandboxError
from ..wire import Call


def set_queue_attributes(account: Account, call: Call) -> Any:
    attributes = dict(call.parameters.get("Attributes") or {})
    name = str(call.parameters.get("QueueUrl", "")).rsplit("/", 1)[-1]
    found = stored.queue(f"arn:aws:sqs:{call.region}:{NUMBER}:{name}")
    if attributes.get("Policy"):
        try:
            json.loads(attributes["Policy"])
        except ValueError:
            text = "Invalid value for the parameter Policy."
            raise SandboxError("InvalidAttributeValue", text) from None
        return None
    if found is None or not found.policy or "Policy" in attributes:
        return None
    asked = {**call.parameters, "Attributes": {**attributes, "Policy": found.policy}}
    return account.ask_moto("sqs", call.region, "SetQueueAttributes", asked)


OPERATIONS = {"SetQueueAttributes": set_queue_attributes}
