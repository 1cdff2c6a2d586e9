# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The only loop of the collection that sleeps."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ._processes import Lineage

R = TypeVar("R")

SLICE = 0.5  # seconds; so soon it is noticed that the work has to end
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ending:
    """Whether the work has to end, and why. The drive turns it on, the work asks: ``ending() -> str | None``.

    Nothing is interrupted by it: a call to AWS that is under way is finished first.
    """

    def __init__(self, orphaned: Callable[[], bool] | None = None) -> None:
        """``orphaned`` tells whether those who started this process are gone; by default the real ones."""
        self._orphaned = orphaned or Lineage().broken
        self._reason: str | None = None

    def __call__(self) -> str | None:
        """The reason in words, once there is one; it never changes afterwards."""
        if self._reason is None and self._orphaned():
            self._reason = "the Ansible command that started the module is gone"
        return self._reason

    def signalled(self, number: int, _frame: object) -> None:
        """For ``signal.signal``: remember and go on."""
        self._reason = self._reason or f"{signal.Signals(number).name} was received"

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear the signals; afterwards they do again what they did before."""
        before = {}
        if threading.current_thread() is threading.main_thread():  # only there Python lets handlers be set
            for number in SIGNALS:
                # Who started us with nohup or in the background had signals ignored on purpose.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self.signalled)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def drive(steps: Generator[float, None, R], ending: Ending, sleep: Callable[[float], None] = time.sleep) -> R:
    """Run ``steps`` to its end, sleeping as many seconds as it yields each time, and return its result.

    When ``ending`` comes up, the pause then under way, or else the next one, is cut short, so that the
    work can ask for the reason. Later pauses are slept in full: giving things back needs pauses as well.
    What ``steps`` raises is passed on.
    """
    told = False
    with ending.listening():
        try:
            while True:
                left = next(steps)
                while left > 0 and (told or not ending()):
                    sleep(min(left, SLICE))
                    left -= SLICE
                told = told or ending() is not None
        except StopIteration as end:
            return end.value
        finally:
            steps.close()
