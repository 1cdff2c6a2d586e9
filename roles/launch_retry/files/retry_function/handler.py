# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The retry function: it splits the event from Lambda, asks ``_core`` what to do, and calls AWS through ``aws``.

Environment: ``RETRY_QUEUE_URL``; optional are ``DEAD_LETTER_QUEUE_URL``, ``TOPIC_ARN`` and ``RETRY_OPTIONS``, the
options as JSON. Options too large for the environment of a function can be in ``options.json`` in its archive.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from _core.retry import message, notice
from _core.retry.callers import MOST_CANDIDATES, Caller, candidate, rebuilt
from _core.retry.decide import call_of, decide, not_allowed, too_late, without_doubles
from _core.retry.deliveries import Delivered, read_delivery
from _core.retry.model import Decision, GiveUp, Ignore, Launch, Retry, StoppedTask, Wish
from _core.retry.options import RetryOptions, read_options
from _core.retry.records import attempts_of, from_answer, from_error
from _core.retry.request import started_by
from aws import Aws, CallFailed, Unsent

REMEMBERED = 10_000

# The items that this process has handled: (origin, attempt). A duplicate delivery usually reaches the same process.
handled: OrderedDict[tuple[str, int], None] = OrderedDict()


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Lambda's entry point. Return the Amazon SQS messages that must be delivered again."""
    account = context.invoked_function_arn.split(":")[4]
    region = os.environ["AWS_REGION"]
    run = Run(read_options(_options(), account, region), Aws(os.environ))
    for delivered in read_delivery(event, region, account):
        run.attempt(delivered)
    run.send_off()
    if run.lost:
        raise RuntimeError(f"{run.lost} records could not be handled or put into the dead-letter queue")
    return {"batchItemFailures": [{"itemIdentifier": each} for each in run.failed]}


def _options() -> Any:
    file = Path(__file__).with_name("options.json")
    return json.loads(os.environ.get("RETRY_OPTIONS") or (file.read_text() if file.exists() else "{}"))


class Run:
    """One invocation. ``failed`` are ids of messages; ``lost`` counts items not even put into the dead-letter queue."""

    def __init__(self, options: RetryOptions, aws: Aws) -> None:
        self.options = options
        self.aws = aws
        self.failed: list[str] = []
        self.lost = 0

    def attempt(self, delivered: Delivered) -> None:
        """Handle one item. If it fails, the others are still handled."""
        try:
            self.handle(delivered)
        except Exception as problem:  # noqa: BLE001 - of this one thing, not of the others
            self.give_back(delivered, f"it could not be handled: {type(problem).__name__}")

    def handle(self, delivered: Delivered) -> None:
        if delivered.problem:
            print(notice.line("unreadable", why=delivered.problem))
            self.aws.bury(notice.unreadable_letter(delivered.problem, delivered.raw))
        elif delivered.wish:
            self.once(delivered, self.fulfil)
        elif delivered.record:
            self.once(delivered, self.judge)

    def once(self, delivered: Delivered, act: Callable[[Delivered], None]) -> None:
        """Act on an item, unless this process has already done so."""
        mark = _mark(delivered)
        if mark in handled:
            print(notice.line(Ignore("a doubled delivery"), delivered.wish or delivered.record))
            return
        handled[mark] = None
        if len(handled) > REMEMBERED:
            handled.popitem(last=False)
        try:
            act(delivered)
        except BaseException:
            handled.pop(mark, None)
            raise

    def judge(self, delivered: Delivered) -> None:
        record = delivered.record
        decision = self.decide(record, 0)
        if isinstance(decision, Caller):
            record, decision = self.ask(record, decision)
        self.act(delivered, record, decision, 0)

    def decide(self, record: Launch | StoppedTask, attempt: int) -> Decision | Caller:
        return decide(record, attempt, self.options, time.time(), _chance(record.origin, attempt))

    def ask(self, record: Launch, caller: Caller) -> tuple[Launch, Decision]:
        """Return the record with the overrides of the schedule or rule that made the call, and the decision."""
        try:
            found = self.aws.targets_of(record.region, caller)
        except CallFailed as error:
            return record, GiveUp(f"the {caller.kind} {caller.name} cannot be read: {error.code}")
        if len(found) > MOST_CANDIDATES:
            return record, GiveUp(f"more than one {caller.kind} may have made the call")
        request, problem = rebuilt(record.request, caller, map(candidate, found))
        if problem:
            return record, GiveUp(problem)
        record = replace(record, request=request, rebuilt=True)
        return record, self.decide(record, 0)

    def fulfil(self, delivered: Delivered) -> None:
        """Start the tasks and decide about the answer: a refusal of our own call needs no CloudTrail record."""
        wish = delivered.wish
        refused = not_allowed(wish, self.options) or too_late(wish, self.options, time.time())
        if refused:
            self.act(delivered, from_error(wish, "NotCalled", refused.why), refused, wish.attempt - 1)
            return
        rest = without_doubles(wish, self.running(wish))
        if isinstance(rest, Ignore):
            print(notice.line(rest, wish))
            return
        try:
            launch = from_answer(rest, self.aws.run_task(rest.region, call_of(rest, self.options)))
        except CallFailed as error:
            launch = from_error(rest, error.code, error.message, error.status)
        if launch.started:
            print(notice.line("started", rest, attempt=rest.attempt, tasks=launch.started))
        self.act(delivered, launch, self.decide(launch, rest.attempt), rest.attempt)

    def running(self, wish: Wish) -> tuple[str, ...]:
        """Return the tasks of earlier attempts; none if the call fails, since the client token guards as well."""
        cluster = wish.request.get("cluster", "default")
        try:
            marks = [started_by(wish.origin, attempt) for attempt in range(1, wish.bears)]
            return tuple(arn for mark in marks for arn in self.aws.tasks_of(wish.region, cluster, mark))
        except CallFailed as error:
            print(notice.line("unchecked", wish, error=error.code))
            return ()

    def act(self, delivered: Delivered, record: Launch | StoppedTask, decision: Decision, attempts: int) -> None:
        print(notice.line(decision, record))
        if isinstance(decision, Retry):
            self.aws.send_later(message.written(decision.wish), decision.delay, delivered)
            self.send_off(full=True)
        elif isinstance(decision, GiveUp):
            made = attempts if isinstance(record, Launch) else attempts_of(record.detail.get("startedBy"))
            self.aws.bury(notice.dead_letter(decision, record, made))
            self.tell(decision, record, made)

    def tell(self, decision: GiveUp, record: Launch | StoppedTask, attempts: int) -> None:
        """Publish a failure. The dead letter exists already, so a missing topic does not cause another delivery."""
        subject, event = notice.notification(decision, record, attempts, time.time(), self.options.account)
        try:
            self.aws.publish(subject, json.dumps(event))
        except CallFailed as error:
            print(notice.line("untold", record, error=error.code))

    def send_off(self, full: bool = False) -> None:
        """Send the waiting messages; with ``full``, only if they fill one call."""
        try:
            self.aws.send_off(full)
        except Unsent as unsent:
            for delivered, why in unsent.entries:
                handled.pop(_mark(delivered), None)
                self.give_back(delivered, f"it could not be put into the retry queue: {why}")

    def give_back(self, delivered: Delivered, why: str) -> None:
        """Return an item to the queue that it came from, or put it into the dead-letter queue."""
        print(notice.line("undelivered", delivered.wish or delivered.record, why=why))
        if delivered.message_id:
            self.failed.append(delivered.message_id)
            return
        try:
            self.aws.bury(notice.unreadable_letter(why, delivered.raw))
        except CallFailed as error:
            print(notice.line("lost", error=error.code))
            self.lost += 1


def _mark(delivered: Delivered) -> tuple[str, int]:
    wish = delivered.wish
    return (wish.origin, wish.attempt) if wish else (delivered.record.origin, 0)


def _chance(origin: str, attempt: int) -> Callable[[], float]:
    """Spread different origins. Duplicate deliveries get the same delay, so that one sees what the other did."""
    return random.Random(f"{origin} {attempt}").random
