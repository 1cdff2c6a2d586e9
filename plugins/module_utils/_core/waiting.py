# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Waiting as data: look, judge, pause. The drive sleeps the pauses."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .amounts import read_seconds
from .errors import CallFailed, Failed

T = TypeVar("T")

OUT_OF_REACH = 30.0  # seconds after which calls to an AWS that never answered are given up


class Reach:
    """Records which kinds of call AWS has answered. A region or an endpoint that never answered is not waited for."""

    def __init__(self) -> None:
        self._answered: set[str] = set()

    def note_answer(self, kind: str) -> None:
        self._answered.add(kind)

    def is_out_of_reach(self, kind: str, failure: CallFailed, lasted: float, ahead: float) -> bool:
        """Return whether to stop trying.

        ``lasted`` is the seconds since the first try began, ``ahead`` those that another try would take.
        """
        if failure.answered:
            self.note_answer(kind)
        return kind not in self._answered and lasted + ahead > OUT_OF_REACH


@dataclass(frozen=True)
class Patience:
    """Whether to wait, how long, and how long between two looks; in seconds."""

    wait: bool
    timeout: float
    delay: float


def read_patience(params: Mapping[str, Any]) -> Patience:
    """Return the patience from the options ``wait``, ``wait_timeout`` and ``wait_delay``. Raises ``Refused``."""
    return Patience(
        params["wait"],
        read_seconds("wait_timeout", params["wait_timeout"]),
        read_seconds("wait_delay", params["wait_delay"]),
    )


def wait_until(
    look: Callable[[], T],
    verdict: Callable[[T], str | None],
    patience: Patience,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[float, None, T]:
    """Look until ``verdict`` returns None, then return what was seen. Yields the seconds to sleep.

    ``verdict`` returns the current state in words ("the connection x is CREATING"), and raises ``Failed`` if waiting
    longer cannot help. Raises ``Failed`` after ``patience.timeout`` seconds.
    """
    end = clock() + patience.timeout
    while (still := verdict(seen := look())) is not None:
        left = end - clock()
        if left <= 0:
            raise Failed(f"{still} after {patience.timeout:g} s. Increase wait_timeout and run again")
        yield min(patience.delay, left)
    return seen
