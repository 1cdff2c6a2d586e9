# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The record of what a run is about to do, written on the service beforehand.

The record is a service tag, because a tag is written in one call, stays with the service and is returned by every
DescribeServices call. ECS allows 256 characters, out of letters, digits, space and ``_.:/=+-@``, so the record is
one line of ``key=value`` words.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..errors import Refused
from .model import SCALING_FLAGS, Scaling, Service, Task
from .selector import SELECTORS

RECORD_TAG = "steadyops.ecs/recycle"
TOKENS_TAG = "steadyops.ecs/recycle-tokens"
OUR_TAGS = (RECORD_TAG, TOKENS_TAG)

CLAIMED = "claimed"  # only the record itself is certain to have been written
SURGED = "surged"  # scaling is suspended and the desired count is raised

LONGEST_LEASE = 86400.0  # seconds
_SAME_END = 120.0  # seconds
_TOKENS_KEPT = 8  # 8 x 28 characters fit into one tag

ECS_BEGAN = 1_400_000_000.0  # May 2014; ECS was announced in November of that year, so no task is older
CLOCK_TOLERANCE = 60.0  # seconds by which another run's instant may be ahead of AWS's clock as read here
_AHEAD = 2.0  # seconds by which the instant that a run freezes may be ahead of AWS's clock, which is cut to the second
_MOST = 2**31 - 1  # tasks
_TAKEN_IN = 900.0  # longest time in seconds for which ECS runs more tasks than the count (assumed)
_LONGEST_PROTECTION = 2880 * 60.0  # seconds. Source: API model, UpdateTaskProtection.expiresInMinutes

_INSTANT, _SECOND, _MINUTE, _FLAG = r"\d{1,12}\.\d{3}", r"\d{1,12}", r"\d{1,10}", "|".join(SCALING_FLAGS)
_TOKEN = re.compile(rf"[0-9a-f]{{12}}={_INSTANT}")


@dataclass(frozen=True)
class Record:
    """Everything that a later run needs to finish or undo this one."""

    original: int  # desired count as found
    surge: int  # tasks added to that count and not given back yet
    begun: float  # AWS instant: tasks created from then on are replacements or additions
    selector: str
    cutoff: float | None
    suspended: tuple[str, ...]  # Application Auto Scaling switches that were off and that the run turns on
    phase: str
    owner: str
    lease_until: float  # AWS instant
    protected_until: tuple[float, ...] = ()  # AWS instants (whole minutes) at which the run's protections end

    @property
    def text(self) -> str:
        words = {
            "v": "1",
            "o": str(self.original),
            "s": str(self.surge),
            "b": f"{self.begun:.3f}",
            "k": self.selector,
            "c": "-" if self.cutoff is None else f"{max(self.cutoff, ECS_BEGAN):.3f}",
            "q": "+".join(self.suspended) or "-",
            "ph": self.phase,
            "w": self.owner,
            "x": f"{self.lease_until:.0f}",
        }
        if self.protected_until:  # versions that do not know this key ignore it
            words["p"] = "+".join(f"{end / 60:.0f}" for end in self.protected_until)
        return " ".join(f"{key}={value}" for key, value in words.items())

    def shields(self, end: float) -> bool:
        """Return whether a protection ending near ``end`` is ours: ECS takes whole minutes, and calls take time."""
        return any(abs(end - ours) <= _SAME_END for ours in self.protected_until)


class NotOurs(Refused):
    """Raised when the record tag has a value that no run of this version has written."""

    def __init__(self, text: str, field: str, why: str, version: bool) -> None:
        super().__init__(
            f"the service has the tag {RECORD_TAG} with a value that this version does not understand: {field!r}"
            f" {why} in {text!r}. It was written by another version or by hand. Compare the service's desired count and"
            " the switches of its scalable target with what they should be, then run with state: restored, which"
            " removes the tag and changes nothing else"
        )
        self.text = text
        self.another_version = version


def read_record(tags: Mapping[str, str], now: float = math.inf) -> Record | None:
    """Return the record on a service, or None if it has none. Raise NotOurs if no run can have written it by ``now``.

    Users who may tag the service can write the record, so every field is bounded here. ``believe`` checks the rest
    against the observed state of the service.
    """
    text = tags.get(RECORD_TAG)
    if text is None:
        return None
    words, latest = _Words(), now + CLOCK_TOLERANCE
    try:
        words.split(text)
        words.take("v", "1")
        original, surge = words.count("o", 1), words.count("s", 0)
        begun = words.instant("b", _INSTANT, latest)
        selector = words.take("k", "|".join(SELECTORS))
        named = selector == "tasks" and bool(words.take("c", "-"))
        cutoff = None if named else words.instant("c", _INSTANT, latest)
        flags = words.take("q", rf"-|(?:{_FLAG})(?:\+(?:{_FLAG})){{0,2}}").split("+")
        words.check(len(flags) == len(set(flags)), "names a switch twice")
        phase = words.take("ph", f"{CLAIMED}|{SURGED}")
        owner = words.take("w", r"[A-Za-z0-9._-]{1,60}")
        lease_until = words.instant("x", _SECOND, math.inf)
        ends = words.take("p", rf"{_MINUTE}(?:\+{_MINUTE}){{0,2}}").split("+") if "p" in words.values else ()
        protected_until = tuple(60.0 * int(end) for end in ends)
        longest = latest + _LONGEST_PROTECTION
        words.check(all(end <= longest for end in protected_until), "is later than ECS lets a protection end")
    except _Implausible as wrong:
        raise NotOurs(text, words.field[:20], str(wrong), words.values.get("v", "1") != "1") from None
    suspended = tuple(flag for flag in SCALING_FLAGS if flag in flags)
    return Record(original, surge, begun, selector, cutoff, suspended, phase, owner, lease_until, protected_until)


class _Implausible(Exception):
    """Raised when a part of the record has a value that no run writes. The text says why."""


class _Words:
    """The words of a record. ``field`` is the key that was read last."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.field = "v"

    def split(self, text: str) -> None:
        for word in text.split():
            self.field, sign, value = word.partition("=")
            self.check(bool(sign), "has no value")
            self.check(self.field not in self.values, "stands there twice")
            self.values[self.field] = value

    def check(self, plausible: bool, why: str) -> None:
        if not plausible:
            raise _Implausible(why)

    def take(self, field: str, pattern: str) -> str:
        self.field = field
        self.check(field in self.values, "is missing")
        self.check(re.fullmatch(pattern, self.values[field], re.ASCII) is not None, "has a value that no run writes")
        return self.values[field]

    def count(self, field: str, least: int) -> int:
        number = int(self.take(field, r"\d{1,10}"))
        self.check(least <= number <= _MOST, f"is not from {least} to {_MOST}")
        return number

    def instant(self, field: str, pattern: str, latest: float) -> float:
        instant = float(self.take(field, pattern))
        self.check(instant >= ECS_BEGAN, "is before ECS existed")
        self.check(instant <= latest, "is in the future")
        return instant


def holds(record: Record, now: float) -> bool:
    """Return whether the lease is still running. A lease that ends later than any run can have set counts as ended."""
    return now < record.lease_until <= now + LONGEST_LEASE + CLOCK_TOLERANCE


def believe(
    record: Record, service: Service, tasks: Iterable[Task], now: float, scaling: Scaling | None, most: int
) -> Record:
    """Return the record of an abandoned run, limited to what the state of the service confirms.

    ``tasks`` are all tasks that ECS means to keep, of every deployment. The number of added tasks is estimated: it is
    the number of tasks that the PRIMARY deployment (during a rolling one: either) has created since the run began or
    shortly before, plus the tasks that it lacks. (ECS creates fewer tasks if, before the count is raised, it has
    already started some beyond the old count, for unhealthy tasks or to spread tasks over zones.) The estimate is never
    more than the record says and never takes the count below the scalable minimum. It is 0 for a DAEMON service, whose
    count nobody sets. The rest of the count is the original. ``surge`` may be higher than the estimate, in case the
    desired count was read too early: it is what the record says, but at most ``most`` if the estimate is above 0.

    If the deployment began after the run, all its tasks were created since then and prove nothing. At most ``most`` of
    them count as added, which is as many as a run with the options of this one adds.
    """
    if service.daemon:
        record = replace(record, surge=0)
    rolling = service.controller == "ECS" and service.deploying
    own = [task for task in tasks if rolling or task.started_by == service.primary]

    def created(since: float) -> int:
        young = sum(task.created_at >= since for task in own)
        return min(young, most) if service.deployed_at >= since else young

    shown = max(created(record.begun), created(record.begun - _TAKEN_IN)) + max(0, service.wanted - len(own))
    least = max(record.original, scaling.minimum if scaling else 0)
    added = max(0, min(record.surge, service.desired - least, shown))
    return replace(
        record,
        original=max(1, service.desired - added),
        surge=max(added, min(record.surge, most)) if added else record.surge,
        begun=min(record.begun, now + _AHEAD),
        cutoff=None if record.cutoff is None else min(record.cutoff, now + _AHEAD),
    )


def give_back(desired: int, original: int, surge: int) -> int:
    """Return the desired count after giving back what was added.

    The surge is subtracted instead of restoring the old count, so tasks that others added stay. The subtraction stops
    at ``original``, because a count that others have lowered no longer contains our addition.
    """
    return max(original, desired - surge) if desired > original else desired


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:12]


def token_cutoff(tags: Mapping[str, str], token: str, now: float = math.inf) -> float | None:
    """Return the instant that the first run with this token froze, or None for a new token.

    An instant that no run can have frozen by ``now`` is ignored.
    """
    digest = _digest(token)
    found = [word.partition("=")[2] for word in _tokens(tags) if word.startswith(digest)]
    instant = float(found[0]) if len(found) == 1 else 0.0
    return instant if ECS_BEGAN <= instant <= now + CLOCK_TOLERANCE else None


def remember_token(tags: Mapping[str, str], token: str, cutoff: float) -> str:
    """Return the value of the tokens tag with this token in it. The oldest tokens are dropped."""
    digest = _digest(token)
    others = [word for word in _tokens(tags) if not word.startswith(digest)]
    return " ".join([*others, f"{digest}={cutoff:.3f}"][-_TOKENS_KEPT:])


def _tokens(tags: Mapping[str, str]) -> list[str]:
    """Return the words of the tokens tag that a run can have written."""
    return [word for word in tags.get(TOKENS_TAG, "").split() if _TOKEN.fullmatch(word)]
