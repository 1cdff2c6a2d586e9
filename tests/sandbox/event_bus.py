# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where events come in: whoever emits one calls ``publish``, and never waits for what becomes of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .account import Account


def publish(account: Account, region: str, event: dict[str, Any]) -> None:
    """A complete event (version, id, detail-type, source, account, time, region, resources, detail) of an AWS service.

    Returns at once, from any thread, with or without ``account.lock`` held.
    """
    account.events.append({"time": time.time(), "region": region, "bus": "default", "event": event})
