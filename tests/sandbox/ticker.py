# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread that makes time pass in the sandbox even when no client calls it."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from functools import partial

from .account import Account
from .functions import queue_triggers
from .schedules import schedules

POLLS = (schedules.poll, queue_triggers.poll)  # these act on what moto only stores
SHORTEST, LONGEST = 0.002, 0.02  # seconds between two ticks


def start(account: Account) -> threading.Thread:
    """Start a thread that advances the models and runs what is on the agenda, as long as the process lives."""
    thread = threading.Thread(target=run, args=(account,), name="ticker", daemon=True)
    thread.start()
    return thread


def run(account: Account) -> None:
    while True:
        time.sleep(min(max(tick(account) - time.time(), SHORTEST), LONGEST))


def guard(action: Callable[[], object]) -> None:
    """Run an action. Only print its exceptions, because a defect of the sandbox must not stop its clock."""
    try:
        action()
    except Exception:  # noqa: BLE001
        traceback.print_exc()


def tick(account: Account) -> float:
    """Do everything that is due. Return the instant when the next thing known so far is due."""
    now = time.time()
    with account.lock:
        for region in list(account.clusters):
            guard(partial(account.cluster, region))
        for poll in POLLS:
            guard(partial(poll, account))
        actions = account.agenda.take(now)
    for action in actions:  # without the lock, because they may take long and acquire it themselves
        guard(action)
    with account.lock:
        known = [*(cluster.next_due for cluster in account.clusters.values()), account.agenda.next_due]
    return min((instant for instant in known if instant is not None), default=now + LONGEST)
