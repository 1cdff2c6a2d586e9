# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The inputs of a retry decision and its possible results. Instants are epoch seconds, delays are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


class Unreadable(Exception):
    """The delivered data has no supported format. The text says why and contains none of its values."""


@dataclass(frozen=True)
class Wish:
    """Tasks that were requested and do not run yet, with everything that the next attempt needs to know.

    ``origin`` identifies the first call or task. ``request`` holds the unchanged RunTask parameters of that call.
    ``attempt`` counts the retries from 1. ``bears`` is the attempt whose client token and ``startedBy`` the next call
    uses. After an answer that does not say whether tasks were started, ``bears`` stays behind ``attempt``, so the same
    call is made again. ``token`` is the caller's own client token while it is unknown whether their call was carried
    out, else empty. ``started`` holds the ARNs of the tasks that were already started for this wish.
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

    ``request`` can have any type, since CloudTrail leaves things out. ``refusals`` are the reasons in ``failures`` of
    the answer. If the answer is an error, ``error`` is its code and ``status`` its HTTP status, 0 when unknown.
    ``role_arn`` is the ARN of the role that made the call; ``caller_arn`` is the same, or the ARN of a user. ``wish``
    is set if this function made the call. ``rebuilt`` is True if the request was rebuilt because the record hid parts.
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
        """The reasons why tasks are missing, in AWS's words."""
        if self.error:
            return (f"{self.error}: {self.message}" if self.message else self.error,)
        return tuple(dict.fromkeys(self.refusals))


@dataclass(frozen=True)
class Exit:
    """How a container ended. ``code`` is None if the container never ran or its exit code is unknown."""

    container: str
    code: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class StoppedTask:
    """A stopped task. ``detail`` is the task as the event describes it."""

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
        """The reasons why the task stopped, in AWS's words."""
        words = (self.reason, *(end.reason for end in self.exits))
        return tuple(dict.fromkeys(filter(None, words)))

    @property
    def family(self) -> str:
        """The family of the task definition."""
        return family_of(str(self.detail.get("taskDefinitionArn") or ""))


@dataclass(frozen=True)
class Retry:
    """Call RunTask with ``request`` in ``delay`` seconds. ``wish`` is the state to keep until then."""

    delay: int
    request: Mapping[str, Any]
    wish: Wish


@dataclass(frozen=True)
class GiveUp:
    """The failure is not retried and must be reported."""

    why: str


@dataclass(frozen=True)
class Ignore:
    """The record needs no retry and no report."""

    why: str


Decision: TypeAlias = "Retry | GiveUp | Ignore"


def family_of(task_definition: str) -> str:
    """Return the family from ``family``, ``family:revision`` or the ARN of either."""
    return task_definition.rpartition("/")[2].partition(":")[0]


def cluster_of(cluster: object) -> str:
    """Return the name from a cluster's name or ARN; ``default`` if none is given."""
    return str(cluster or "default").rpartition("/")[2]
