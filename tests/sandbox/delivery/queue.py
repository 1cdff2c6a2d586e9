# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run work later, in worker threads: the delivery of events to targets, and the retries."""

from __future__ import annotations

import heapq
import sys
import threading
import time
import traceback
from collections.abc import Callable
from itertools import count

WORKERS = 8


class DeliveryQueue:
    """A queue of jobs. Threads start only when there is work. ``forget`` drops the jobs that have not begun."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.waiting: list[tuple[float, int, Callable[[], None]]] = []
        self.running = 0
        self.threads = 0
        self.numbers = count()

    def put(self, job: Callable[[], None], delay: float = 0.0) -> None:
        """Run a job after ``delay`` real seconds."""
        with self.changed:
            heapq.heappush(self.waiting, (time.monotonic() + delay, next(self.numbers), job))
            if self.threads < WORKERS and len(self.waiting) > self.threads - self.running:
                self.threads += 1
                threading.Thread(target=self.work, daemon=True).start()
            self.changed.notify_all()

    def work(self) -> None:
        while True:
            with self.changed:
                job = self.next_due()
            try:
                job()
            except Exception:  # noqa: BLE001 - the next delivery must not suffer from this one
                traceback.print_exc(file=sys.stderr)
            with self.changed:
                self.running -= 1
                self.changed.notify_all()

    def next_due(self) -> Callable[[], None]:
        while True:
            if self.waiting:
                left = self.waiting[0][0] - time.monotonic()
                if left <= 0:
                    self.running += 1
                    return heapq.heappop(self.waiting)[2]
                self.changed.wait(left)
            else:
                self.changed.wait()

    def settle(self, timeout: float, retries: bool = True) -> dict[str, int | bool]:
        """Wait until no job is under way. If ``retries`` is false, ignore jobs that wait for a retry."""
        end = time.monotonic() + timeout
        with self.changed:
            while self.busy(retries) and (left := end - time.monotonic()) > 0:
                self.changed.wait(min(left, 0.5))
            return {"idle": not self.busy(retries), "running": self.running, "waiting": len(self.waiting)}

    def busy(self, retries: bool) -> bool:
        if self.running or not self.waiting:
            return bool(self.running)
        return retries or self.waiting[0][0] <= time.monotonic()

    def forget(self) -> None:
        with self.changed:
            self.waiting.clear()
            self.changed.notify_all()
