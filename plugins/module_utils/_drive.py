# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The loop that sleeps between the steps of all work. Only ``aws_call`` and the fleet reader pause elsewhere."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ._processes import Lineage

R = TypeVar("R")

SLICE = 0.5  # seconds within which it is noticed that the work must end
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Ending:
    """Tells the work why it must end, if it must: ``ending() -> str | None``. ``drive`` listens for the signals.

    It interrupts nothing: a call to AWS that is in progress is completed first.
    """

    def __init__(self, orphaned: Callable[[], bool] | None = None) -> None:
        """``orphaned`` returns whether the processes that started this one are gone. Default: ``Lineage``."""
        self._orphaned = orphaned or Lineage().broken
        self._reason: str | None = None

    def __call__(self) -> str | None:
        """Return the reason in words, or None. Once there is a reason, it never changes."""
        if self._reason is None and self._orphaned():
            self._reason = "the Ansible command that started the module is gone"
        return self._reason

    def signalled(self, number: int, _frame: object) -> None:
        """Handle a signal: store the reason and continue."""
        self._reason = self._reason or f"{signal.Signals(number).name} was received"

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handle the signals within this context, and restore their handlers afterwards."""
        before = {}
        if threading.current_thread() is threading.main_thread():  # Python allows setting handlers only there
            for number in SIGNALS:
                # A signal that is ignored (nohup, background) was ignored on purpose.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, self.signalled)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def drive(steps: Generator[float, None, R], ending: Ending, sleep: Callable[[float], None] = time.sleep) -> R:
    """Run ``steps`` to its end, sleeping as many seconds as it yields each time, and return its result.

    When ``ending`` has a reason, the current pause, or else the next one, is cut short, so that the work can
    ask for it. Later pauses are slept in full, because giving things back needs pauses too. Exceptions of
    ``steps`` are passed on.
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
