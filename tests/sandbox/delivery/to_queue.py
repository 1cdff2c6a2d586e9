# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put messages into queues, where ReceiveMessage finds them."""

from __future__ import annotations

from typing import Any

from .. import stored
from ..access.permissions import need_key
from .attempts import DeliveryFailed


def need_queue(arn: str) -> Any:
    found = stored.queue(arn)
    if found is None:
        raise DeliveryFailed("NO_RESOURCE", f"The specified queue does not exist: {arn}")
    return found


def put(arn: str, body: str, group: str | None = None, attributes: dict[str, str] | None = None) -> dict[str, Any]:
    """Put a message into a queue. The caller has checked the permissions, except for the key."""
    found = need_queue(arn)
    need_key(stored.region_of(arn), found.kms_master_key_id, "queue")
    if found.fifo_queue and not group:
        raise DeliveryFailed("INVALID_PARAMETER", "The request must contain the parameter MessageGroupId.")
    if found.fifo_queue and str(found.attributes.get("ContentBasedDeduplication")).lower() != "true":
        text = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided"
        raise DeliveryFailed("INVALID_PARAMETER", text)
    told = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
    try:
        message = stored.backend("sqs", stored.region_of(arn)).send_message(
            found.name, body, message_attributes=told or None, group_id=group if found.fifo_queue else None
        )
    except stored.MOTO_ERRORS as problem:
        raise DeliveryFailed("INVALID_PARAMETER", str(problem)) from problem
    return {"message_id": message.id}
