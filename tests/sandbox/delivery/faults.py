# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that strike deliveries, connections, PutTargets and RemoveTargets."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = {
    "delivery_fails": "a target does not take the event: `code`, `message`, and whether it is `retryable`",
    "delivered_twice": "a target gets the event once more",
    "targets_refused": "PutTargets and RemoveTargets answer with FailedEntries: `code`, `message`",
    "connection_fails": "a connection ends in DEAUTHORIZED",
}


@dataclass
class DeliveryFault:
    """A fault that strikes whatever passes all its filters. ``target``: an id, ARN or name, or a pattern of one."""

    kind: str
    target: str | None = None
    of: str = "target"  # or "subscription" (of a topic), "invocation" (of a function) or another kind; "*" for all
    share: float = 1.0
    times: int | None = None
    retryable: bool = True
    code: str = "SDK_CLIENT_ERROR"
    message: str = "a fault of the sandbox"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(KINDS)}")

    def strikes(self, line: dict[str, Any], chance: random.Random) -> bool:
        """Return whether the fault strikes. ``line`` has the keys "kind", "target" and "arn" of a journal line."""
        names = [str(line.get(key)) for key in ("target", "arn")]
        if self.target and not any(fnmatchcase(name, self.target) for name in names):
            return False
        if not fnmatchcase(line.get("kind", "target"), self.of):
            return False
        if self.times == 0 or (self.share < 1 and chance.random() >= self.share):
            return False
        if self.times is not None:
            self.times -= 1
        return True
