# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What the retry decides about, and what it can decide. Instants are epoch seconds, delays seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


class Unreadable(Exception):
    """Something was delivered that is none of what can be delivered. The text tells why, and holds no value of it."""


@dataclass(frozen=True)
class Wish:
    """Tasks that somebody has asked for and that do not run yet: all that the next attempt needs to know.

    ``origin`` names the call, or the task, that all this began with. ``request`` are RunTask's parameters as they were
    given then, untouched. ``attempt`` counts the retries, from 1. ``bears`` is the attempt whose client token and
    ``startedBy`` the next call bears: it stays behind ``attempt`` after an answer that leaves open whether tasks were
    started, so that the same call is made once more. ``token`` is the caller's own client token, as long as it is
    open whether their call was carried out; else empty. ``started`` are the ARNs of tasks that run in answer to it.
    """

    origin: str
    at: float
    region: str
    request: Mapping[str, Any]
    missing: int
    attempt: int = 1
    bears: int = 1
    token: str = ""
    started: tuple[str, ...] = ()


@dataclass(frozen=True)
class Launch:
    """A call of RunTask that did not start all its tasks.

    ``request`` may be anything, since CloudTrail leaves things out. ``refusals`` are the reasons in ``failures`` of
    the answer, ``error`` the code of an answer that is an error, and ``status`` its HTTP status, 0 when unknown.
    ``role_arn`` is that of the role at work, ``caller_arn`` the same, or that of a user. ``wish`` is there when the
    call was ours. ``rebuilt`` says that the request is no longer that of the record, which hid something.
    """

    origin: str
    at: float
    region: str
    request: Any
    account: str = ""
    started: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    error: str = ""
    message: str = ""
    status: int = 0
    role_arn: str = ""
    caller_arn: str = ""
    invoked_by: str = ""
    wish: Wish | None = None
    rebuilt: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why tasks are missing, in AWS's words."""
        if self.error:
            return (f"{self.error}: {self.message}" if self.message else self.error,)
        return tuple(dict.fromkeys(self.refusals))


@dataclass(frozen=True)
class Exit:
    """How a container ended; ``code`` is None when it never ran, or when nobody knows."""

    container: str
    code: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class StoppedTask:
    """A task that has stopped. ``detail`` is the task as the event has it."""

    origin: str
    at: float
    region: str
    detail: Mapping[str, Any]
    account: str = ""
    stop_code: str = ""
    reason: str = ""
    exits: tuple[Exit, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it stopped, in AWS's words."""
        words = (self.reason, *(end.reason for end in self.exits))
        return tuple(dict.fromkeys(filter(None, words)))

    @property
    def family(self) -> str:
        """Of its task definition."""
        return family_of(str(self.detail.get("taskDefinitionArn") or ""))


@dataclass(frozen=True)
class Retry:
    """Call RunTask with ``request`` in ``delay`` seconds; ``wish`` is what to remember until then."""

    delay: int
    request: Mapping[str, Any]
    wish: Wish


@dataclass(frozen=True)
class GiveUp:
    """It will not be retried, and must be reported."""

    why: str


@dataclass(frozen=True)
class Ignore:
    """Nothing is to be done, and nobody has to know."""

    why: str


Decision: TypeAlias = "Retry | GiveUp | Ignore"


def family_of(task_definition: str) -> str:
    """The family in ``family``, ``family:revision`` or the ARN of either."""
    return task_definition.rpartition("/")[2].partition(":")[0]


def cluster_of(cluster: object) -> str:
    """The name in a cluster's name or ARN; ``default`` when none is given."""
    return str(cluster or "default").rpartition("/")[2]
