# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point for events: emitters call ``publish`` and never wait for the delivery."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..account import Account


def publish(account: Account, region: str, event: dict[str, Any]) -> None:
    """Publish an AWS service's event (version, id, detail-type, source, account, time, region, resources, detail).

    Any thread may call this, with or without ``account.lock``. It returns at once.
    """
    put(account, region, "default", event)


def put(account: Account, region: str, bus: str, event: dict[str, Any], hops: int = 0) -> None:
    """Put an event on a bus. ``hops``: the number of event buses it has passed before."""
    account.events.append({"time": time.time(), "region": region, "bus": bus, "event": event})
    account.queue.put(partial(account.route, account, region, bus, event, hops))
