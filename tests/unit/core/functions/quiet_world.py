# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Table, schedules, bus and Lambda's queue around the function of the quiet period, on a virtual clock.

Invocations run at the same time: each of their acts takes a while, and may fail before or after it took effect.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.quiet_period import (
    Claim,
    Count,
    Failure,
    Look,
    NoteTold,
    Open,
    Remove,
    Schedule,
    Settings,
    Tell,
    Unavailable,
    Window,
    on_end,
    on_failure,
    read_message,
)

ACCOUNT = "123456789012"
NOON = 1_760_000_000_000
SETTINGS = Settings("ecs-failures", 600, ACCOUNT)
RETRIES = (60_000, 120_000)  # Lambda's pauses after failed attempts

DIES, DIES_AFTER, REFUSED, REFUSED_AFTER = "dies", "dies after", "refused", "refused after"


def failure(number: int, key: str = "web") -> dict[str, Any]:
    """Return what a rule sends to the function."""
    event = {
        "id": f"{key}-{number}",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": ACCOUNT,
        "time": "2025-10-09T08:53:20Z",
        "resources": [f"arn:aws:ecs:eu-central-1:{ACCOUNT}:task/prod/{number}"],
        "detail": {"stopCode": "EssentialContainerExited", "key": key, "overrides": {"cpu": "256"}},
    }
    return {"kind": "service_task", "event": event}


@dataclass
class Told:
    """One event on the bus, and when it was sent."""

    at: int
    count: int
    times: str
    detail: dict[str, Any]


@dataclass
class World:
    """``faults`` returns how an act fails, or "" if it succeeds. ``removed`` are windows that are over."""

    settings: Settings = SETTINGS
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    faults: Callable[[str], str] = lambda act: ""
    slowest: int = 500
    now: int = NOON
    table: dict[str, Window] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    removed: list[Window] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    deaths: int = 0
    refusals: int = 0
    agenda: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    number: int = 0

    def at(self, moment: int, what: Callable[[], None]) -> None:
        self.number += 1
        heapq.heappush(self.agenda, (moment, self.number, what))

    def arrive(self, moments: Iterable[int], key: str = "web") -> list[dict[str, Any]]:
        """Let failures arrive at these milliseconds after noon."""
        messages = [failure(number, key) for number, _moment in enumerate(moments)]
        for message, moment in zip(messages, moments, strict=True):
            self.at(NOON + moment, lambda message=message: self.invoke(message))
        return messages

    def settle(self) -> World:
        while self.agenda:
            self.now, _number, what = heapq.heappop(self.agenda)
            what()
        return self

    def invoke(self, message: dict[str, Any], attempt: int = 0) -> None:
        read = read_message(message, ["ecs", message["event"]["detail"]["key"]], self.settings)
        act = on_failure if isinstance(read, Failure) else on_end
        acts = act(read, self.settings, self.now)  # type: ignore[arg-type]
        self.step(acts, lambda: next(acts), lambda: self.failed(message, attempt))

    def failed(self, message: dict[str, Any], attempt: int) -> None:
        if attempt == len(RETRIES):
            self.dead_letters.append(message)
        else:
            self.at(self.now + RETRIES[attempt], lambda: self.invoke(message, attempt + 1))

    def step(self, acts: Any, go_on: Callable[[], Any], failed: Callable[[], None]) -> None:
        try:
            act = go_on()
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 - of any sort: Lambda does not ask
            failed()
            return
        fault = self.faults(type(act).__name__)
        self.at(self.now + self.chance.randint(1, self.slowest), lambda: self.carry_out(acts, act, fault, failed))

    def carry_out(self, acts: Any, act: Any, fault: str, failed: Callable[[], None]) -> None:
        answer = self.effect(act) if fault not in (DIES, REFUSED) else None
        if fault in (DIES, DIES_AFTER) or (fault and isinstance(act, Tell)):
            self.deaths += 1
            acts.close()
            failed()
        elif fault:
            self.refusals += 1
            self.step(acts, lambda: acts.throw(Unavailable(type(act).__name__)), failed)
        else:
            self.step(acts, lambda: acts.send(answer), failed)

    def effect(self, act: Any) -> Any:
        if isinstance(act, Tell):
            detail = json.loads(act.entry["Detail"])
            told = detail["quiet_period"]
            self.told.append(Told(self.now, told["count"], told["times"], detail))
            return None
        if isinstance(act, Schedule):
            # Within a minute; and it may be delivered twice.
            for _time in range(1 + (self.chance.random() < 0.1)):
                message = json.loads(json.dumps(act.message))
                self.at(act.at + self.chance.randint(0, 60_000), lambda message=message: self.invoke(message))
            return None
        if isinstance(act, Open):
            return self.table.setdefault(act.window.key, act.window) is act.window
        window = self.table.get(act.key)
        if isinstance(act, Look):
            return window
        if isinstance(act, Count):
            return self.count(act, window)
        return self.change(act, window) if window and window.opened == act.opened else None

    def count(self, act: Count, window: Window | None) -> bool:
        if not window or window.closing or window.first == act.id or window.ends <= act.since:
            return False
        if len(window.ids) >= act.full:
            return False
        self.table[act.key] = replace(window, ids=window.ids | {act.id})
        return True

    def change(self, act: NoteTold | Claim | Remove, window: Window) -> Window | None:
        if isinstance(act, Remove):
            self.removed.append(self.table.pop(act.key))
        elif isinstance(act, NoteTold):
            self.table[act.key] = replace(window, told=True)
        elif not window.closing or window.closing < act.stale:
            self.table[act.key] = replace(window, closing=act.now)
            return self.table[act.key]
        return None
