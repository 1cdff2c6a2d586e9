# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliver one item to one receiver: attempts, retries with back-off, and a dead-letter queue when they are used up.

A line of the journal is {"number", "time", "region", "kind", "rule", "target", "arn", "event", "payload", "attempts":
[{"time", "outcome", "message"}], "outcome", "error", "dead_letter", "result"}. The outcome is "under way", "retrying",
"delivered", "dead-letter" (it is in the queue ``dead_letter``) or "lost".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..account import Account


class DeliveryFailed(Exception):
    """An attempt failed. ``code``: EventBridge's ERROR_CODE. ``after``: seconds that the receiver asked to wait."""

    def __init__(self, code: str, message: str, retry: bool = False, after: float = 0.0) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.retry, self.after = code, message, retry, after

    @property
    def told(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message}


@dataclass(frozen=True)
class RetryPolicy:
    """When to stop retrying. ``wait`` maps a retry's number to the seconds before it. All seconds are AWS's."""

    attempts: int
    age: float
    wait: Callable[[int], float]


# Dispose of an item that cannot be delivered. Return the ARN of the dead-letter queue that holds it, or None if it is
# lost. Parameters: the failure, the condition that ended the retries (None: not retryable), the number of retries.
Bury = Callable[[DeliveryFailed, "str | None", int], "str | None"]


@dataclass
class Delivery:
    account: Account
    line: dict[str, Any]
    send: Callable[[], Any]
    policy: RetryPolicy
    bury: Bury
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.journal = self.account.deliveries
        given = dict(self.line)
        with self.account.queue.changed:
            self.line.clear()  # in place, because the sender writes its payload into the same dictionary
            self.line.update({"number": len(self.journal) + 1, "time": time.time(), **given})
            self.line.update(
                {"attempts": [], "outcome": "under way", "error": None, "dead_letter": None, "result": None}
            )
            self.journal.append(self.line)
        self.account.queue.put(self.attempt)

    def attempt(self) -> None:
        if self.journal is not self.account.deliveries:
            return  # the sandbox was reset
        fault = self.account.strike("delivery_fails", self.line)
        try:
            if fault:
                raise DeliveryFailed(fault.code, fault.message, fault.retryable)
            result = self.send()
        except DeliveryFailed as problem:
            self.failed(problem)
            return
        except Exception as problem:
            self.note("SANDBOX", repr(problem), outcome="lost", error={"code": "SANDBOX", "message": repr(problem)})
            raise  # a defect of the sandbox, which the queue reports on standard error
        self.note("ok", outcome="delivered", result=result, error=None)
        if self.account.strike("delivered_twice", self.line):
            self.account.queue.put(self.again)

    def again(self) -> None:
        """Deliver the item a second time: EventBridge promises at-least-once delivery."""
        try:
            self.send()
            self.note("ok, a second time")
        except DeliveryFailed as problem:
            self.note(problem.code, problem.message)

    def failed(self, problem: DeliveryFailed) -> None:
        retries = len(self.line["attempts"])
        wait = max(problem.after, self.policy.wait(retries + 1))
        age = (time.monotonic() - self.began) * self.account.speed
        condition = None
        if problem.retry:
            if retries >= self.policy.attempts:
                condition = "MaximumRetryAttempts"
            elif age + wait > self.policy.age:
                condition = "MaximumEventAgeInSeconds"
            else:
                self.note(problem.code, problem.message, outcome="retrying", error=problem.told)
                self.account.queue.put(self.attempt, wait / self.account.speed)
                return
        grave = self.bury(problem, condition, retries)
        outcome = "dead-letter" if grave else "lost"
        self.note(problem.code, problem.message, outcome=outcome, error=problem.told, dead_letter=grave)

    def note(self, answer: str, message: str | None = None, **changes: Any) -> None:
        with self.account.queue.changed:
            self.line["attempts"].append({"time": time.time(), "outcome": answer, "message": message})
            self.line.update(changes)
