# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliver events to a log group. Each event gets its own log stream, as with EventBridge."""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime
from typing import Any

from .. import stored
from ..access.permissions import EVENTS, need
from ..account import Account
from ..functions import logs_policies
from .attempts import DeliveryFailed

DELIVERY = "delivery.logs.amazonaws.com"


def put(account: Account, arn: str, payload: str, transformed: bool) -> dict[str, Any]:
    arn = arn.removesuffix(":*")
    group = stored.log_group(arn)
    if group is None:
        raise DeliveryFailed("NO_RESOURCE", f"The specified log group does not exist: {arn}")
    stream = str(uuid.uuid4())
    policy = logs_policies.statements(account, arn)
    for principal in (EVENTS, DELIVERY):
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            need(policy, action, f"{arn}:log-stream:{stream}", {}, principal)
    timestamp, message = log_event(payload) if transformed else (int(time.time() * 1000), payload)
    logs = stored.backend("logs", stored.region_of(arn))
    logs.create_log_stream(group.name, stream)
    logs.put_log_events(group.name, stream, [{"timestamp": timestamp, "message": message}])
    return {"log_group": group.name, "log_stream": stream}


def log_event(payload: str) -> tuple[int, str]:
    """Read an input transformer's output, which must be {"timestamp": ..., "message": ...} and nothing else."""
    try:
        given = json.loads(payload)
        stamp, message = given.pop("timestamp"), given.pop("message")
        if given:
            raise ValueError(f"there is more in it: {', '.join(given)}")
        if isinstance(stamp, str):
            stamp = stamp if not stamp.isdigit() else int(stamp)
        if isinstance(stamp, str):
            stamp = datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000
        return int(stamp), message if isinstance(message, str) else json.dumps(message)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        text = f'A log group takes {{"timestamp": <time>, "message": <text>}} from an input transformer: {problem}'
        raise DeliveryFailed("INVALID_PARAMETER", text) from problem
