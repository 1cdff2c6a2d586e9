# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Alert on a failure at once, count its repetitions, and alert on their number when the quiet period ends.

This file is copied into the function's package, so it imports nothing from this collection.

The first failure of a key (the same service or family, and the same cause) is sent at once and opens a window, which is
one item of a DynamoDB table. Later failures only add their ids to that item. When the window ends, a one-time schedule
of EventBridge Scheduler invokes the function again, which sends the number and deletes the item. The reasons for this:

* Lambda's own queue for asynchronous invocations is used. It repeats a failed event after one minute and after two more
  minutes, then passes it to the dead-letter queue ("How Lambda handles errors and retries with asynchronous
  invocation"). Lambda would poll an Amazon SQS queue in front of the function for ever, about 15 times a minute, and
  AWS charges for each empty answer (getlift/lift#132, webiny/webiny-js#3137). Nothing here runs when nothing fails.
* SQS alone cannot count: a queue cannot be searched for the messages of one key, and a message group of a FIFO queue
  returns ten at a time. A schedule alone cannot count either: UpdateSchedule has no condition. A conditional write to
  one DynamoDB item is atomic, and since ids are added to a set, a failure that is delivered twice counts once.
* The schedule is created before the item, so an open window always ends, wherever the function dies.
* A schedule fires within a minute of its time ("Schedule types on EventBridge Scheduler": 60 second precision), so a
  window may last a minute longer. Failures in that minute are counted as well.
* If the table or the scheduler does not answer, the failure is sent at once and not counted: one alert too many is
  better than none.

Alerts are sent at least once: a function that dies after sending an alert, but before noting this, sends it again.

``on_failure`` and ``on_end`` are generators: they yield one act at a time and are sent its answer. This separates the
decisions (here) from the calls (in the handler), and lets tests stop and interleave the generators anywhere. Times are
milliseconds since 1970.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

SOURCE = "steadyops.ecs"  # source of the events that are sent
FIELD = "quiet_period"  # field in their detail
SOURCES = ("aws.ecs", "aws.health", "aws.states")  # sources of the events that report failures
MOST = 5000  # failures that one window counts; DynamoDB writes the whole item, of at most 400 KB, each time
LEASE = 45_000  # after this time another attempt is dead: longer than the function's timeout
GRACE = 600_000  # how late an end may be: a minute for the schedule, three for Lambda's retries, and time to spare
TRIES = 4

Event = Mapping[str, Any]


class Busy(Exception):
    """Another invocation is working on the same window: try again later."""

    def __init__(self) -> None:
        super().__init__("another invocation is working on this quiet period; Lambda retries")


class Unavailable(Exception):
    """The table or the scheduler refused a call or did not answer."""


class Unreadable(ValueError):
    """The function was invoked with neither a failure nor the end of a window."""


@dataclass(frozen=True)
class Settings:
    """``period`` is in seconds, ``name`` is that of the alerts. Only events from ``account`` are accepted."""

    name: str
    period: int
    account: str


@dataclass(frozen=True)
class Failure:
    """``id`` identifies the event. ``kind`` is that of the rule. Failures with the same ``key`` count together."""

    key: str
    id: str
    kind: str
    event: Event


@dataclass(frozen=True)
class End:
    """The end of the window of ``key`` that was opened at ``opened``. ``event`` is its first failure."""

    key: str
    opened: int
    kind: str
    event: Event


@dataclass(frozen=True)
class Window:
    """``ids`` are those of all failures, including ``first``. ``closing`` is when its closing began, or 0."""

    key: str
    opened: int
    ends: int
    first: str
    ids: frozenset[str]
    told: bool = False
    closing: int = 0


@dataclass(frozen=True)
class Count:
    """Add an id to the window of a key. The answer is False if there is no window, if it is ``full`` or closing, if it
    ended before ``since``, or if this id opened it."""

    key: str
    id: str
    since: int
    full: int = MOST


@dataclass(frozen=True)
class Look:
    """Read the window of a key, or None. The answer includes every write that has completed."""

    key: str


@dataclass(frozen=True)
class Schedule:
    """Schedule an invocation of the function with ``message`` at ``at``. ``name`` is new for each window."""

    name: str
    at: int
    message: Mapping[str, Any]


@dataclass(frozen=True)
class Open:
    """Create a window. The answer is False if this key has one already."""

    window: Window


@dataclass(frozen=True)
class Tell:
    """Put an event onto the bus."""

    entry: Mapping[str, Any]


@dataclass(frozen=True)
class NoteTold:
    """Note in the window that its first failure was sent. Does nothing if there is no such window."""

    key: str
    opened: int


@dataclass(frozen=True)
class Claim:
    """Set ``closing`` to ``now`` unless it was already set after ``stale``. The answer is the window, or None."""

    key: str
    opened: int
    now: int
    stale: int


@dataclass(frozen=True)
class Remove:
    """Delete that window. Does nothing if there is no such window."""

    key: str
    opened: int


Acts = Generator[Any, Any, None]


def read_message(message: Any, fingerprint: Sequence[str], settings: Settings) -> Failure | End:
    """Validate the message that the function was invoked with. ``fingerprint`` is that of ``message.event``.

    A failure is ``{"kind", "event"}``, as the targets of the rules send it. The end of a window also has ``end`` and
    ``opened``. Raises ``Unreadable``, whose text quotes no value.
    """
    given = message if isinstance(message, Mapping) else {}
    kind, event = given.get("kind"), given.get("event")
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z_]{1,40}", kind) or not isinstance(event, Mapping):
        raise Unreadable("the function was not invoked with a kind and an event")
    texts = {"id": 100, "detail-type": 128, "time": 40}
    wrong = [
        name for name, most in texts.items() if not isinstance(event.get(name), str) or not 0 < len(event[name]) <= most
    ]
    wrong += ["source"] if event.get("source") not in SOURCES else []
    wrong += ["account"] if event.get("account") != settings.account else []
    wrong += ["detail"] if not isinstance(event.get("detail"), Mapping) else []
    if wrong:
        raise Unreadable(f"the event cannot come from the rules: check {', '.join(wrong)}")
    if "end" not in given:
        return Failure(_key(fingerprint, event), _hash(event["id"])[:16], kind, event)
    key, opened = given["end"], given.get("opened")
    is_key = isinstance(key, str) and re.fullmatch(r"[0-9a-f]{32}", key)
    if not is_key or not isinstance(opened, int) or isinstance(opened, bool):
        raise Unreadable("the end of a window has no key or no time")
    return End(key, opened, kind, event)


def on_failure(failure: Failure, settings: Settings, now: int) -> Acts:
    """Send a failure or count it. Raises ``Busy``."""
    try:
        yield from _send_or_count(failure, settings, now)
    except Unavailable:
        yield Tell(_entry(failure, settings, failure.event["time"], 1, "once, not counted"))


def _send_or_count(failure: Failure, settings: Settings, now: int) -> Acts:
    for _try in range(TRIES):
        if (yield Count(failure.key, failure.id, now - GRACE)):
            return
        window = yield Look(failure.key)
        if window is None:
            window = Window(failure.key, now, now + settings.period * 1000, failure.id, frozenset([failure.id]))
            yield Schedule(_schedule_name(window, settings), window.ends, _end_message(failure, window))
            if not (yield Open(window)):
                continue
            yield from _send_first(failure, settings, window)
            return
        if failure.id == window.first and not window.told and not window.closing:
            # Lambda repeats a failed invocation after a minute. Before that, the other attempt is still working.
            if now - window.opened < LEASE:
                raise Busy
            yield from _send_first(failure, settings, window)
            return
        if failure.id in window.ids:
            return
        if now - window.ends > GRACE or (window.closing and now - window.closing > LEASE):
            yield from on_end(End(window.key, window.opened, failure.kind, failure.event), settings, now)
        elif len(window.ids) >= MOST:
            return
    raise Busy


def _send_first(failure: Failure, settings: Settings, window: Window) -> Acts:
    yield Tell(_entry(failure, settings, failure.event["time"], 1, "once so far"))
    try:
        yield NoteTold(window.key, window.opened)
    except Unavailable:
        return  # ``told`` stays False, so the end is sent even if the window counts no other failure


def on_end(end: End, settings: Settings, now: int) -> Acts:
    """Send how many failures the window counted, unless it was only the first, already sent. Raises ``Busy``."""
    window = yield Claim(end.key, end.opened, now, now - LEASE)
    if window is None:
        found = yield Look(end.key)
        if found is not None and found.opened == end.opened:
            raise Busy
        return
    number = len(window.ids)
    if number > 1 or not window.told:
        many = f"{number} times" if number > 1 else "once"
        more = " or more" if number >= MOST else ""
        times = f"{many}{more} in {_duration(now - window.opened)}" if number > 1 else many
        yield Tell(_entry(end, settings, _iso(now), number, times))
    yield Remove(end.key, end.opened)


def _key(fingerprint: Sequence[str], event: Event) -> str:
    """Return the key. It includes a service, as two may share a family; callers' groups may be new for each task."""
    group = str(event["detail"].get("group"))
    return _hash(json.dumps([*fingerprint, group if group.startswith("service:") else ""]))[:32]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _schedule_name(window: Window, settings: Settings) -> str:
    """Return the schedule's name: at most 64 characters if the alerts' name has 40."""
    return f"{settings.name}-end-{_hash(f'{window.key} {window.opened} {window.first}')[:19]}"


def _end_message(failure: Failure, window: Window) -> dict[str, Any]:
    """Return the message for the window's end, without fields that may contain secrets and that no message shows."""
    detail = {name: value for name, value in failure.event["detail"].items() if name not in ("overrides", "input")}
    request = detail.get("requestParameters")
    if isinstance(request, Mapping):
        detail["requestParameters"] = {name: value for name, value in request.items() if name != "overrides"}
    event = {**failure.event, "detail": detail}
    return {"end": window.key, "opened": window.opened, "kind": failure.kind, "event": event}


def _entry(about: Failure | End, settings: Settings, time: str, count: int, times: str) -> dict[str, Any]:
    """Return an entry for PutEvents: the original event with the number in its detail and another source."""
    event = about.event
    told = {"name": settings.name, "kind": about.kind, "count": count, "times": times}
    resources = event.get("resources")
    return {
        "Source": SOURCE,
        "DetailType": event["detail-type"],
        "Time": time,
        "Resources": [str(each) for each in resources] if isinstance(resources, list) else [],
        "Detail": json.dumps({**event["detail"], FIELD: told}),
    }


def _duration(milliseconds: int) -> str:
    seconds = round(milliseconds / 1000)
    return f"{seconds} seconds" if seconds < 120 else f"{round(seconds / 60)} minutes"


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
