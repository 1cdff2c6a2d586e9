# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that strike API calls. Durations are AWS's seconds: the sandbox divides them by its speed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .model.state import SandboxError
from .wire import Call

KINDS = {
    "throttling": "ThrottlingException, nothing carried out",
    "server_error": "HTTP 500, nothing carried out unless `carried_out`",
    "connection_reset": "the call is carried out (unless `carried_out` is false) and its answer is lost",
    "access_denied": "AccessDeniedException",
    "expired_token": "ExpiredTokenException",
    "hold": "the call is carried out, its answer is held back until released or the client is gone",
    "slow": "the answer comes `seconds` late",
    "silent": "nothing is carried out and nothing is answered, until the act `release` or until the client is gone",
    "not_implemented": "HTTP 501, as doubles of AWS answer calls that they do not have; nothing carried out",
    "error": "any error of your own: `code`, `message`, `status`",
}
AFTERWARDS = ("connection_reset", "hold", "silent")  # these withhold the answer; the call may have been carried out


@dataclass
class CallFault:
    """One fault, which strikes the calls that pass all its filters."""

    kind: str
    operations: list[str] = field(default_factory=list)  # "StopTask", "ecs:*", "Describe*"; empty: every operation
    only: str | None = None  # "writes" or "reads"
    regions: list[str] = field(default_factory=list)  # empty: every region
    given: dict[str, Any] = field(default_factory=dict)  # parameters that a call must have, with these values
    share: float = 1.0  # of the calls
    times: int | None = None  # strikes at most
    nth: int | None = None  # strikes the n-th call that passes the filters, and no other
    after_writes: int = 0  # inactive until this many writes have been made
    seconds: float = 0.0
    code: str | None = None
    message: str | None = None
    status: int | None = None
    carried_out: bool | None = None
    seen: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(KINDS)}")
        if self.kind == "hold" and self.only is None:
            self.only = "writes"
        if self.carried_out is None or self.kind == "hold":
            self.carried_out = self.kind in ("connection_reset", "hold")

    def strikes(self, call: Call, chance: random.Random) -> bool:
        if self.after_writes > 0:
            self.after_writes -= call.write
            return False
        names = (call.operation, f"{call.service}:{call.operation}")
        if self.operations and not any(fnmatchcase(name, each) for each in self.operations for name in names):
            return False
        if self.regions and call.region not in self.regions:
            return False
        if any(call.parameters.get(name) != value for name, value in self.given.items()):
            return False
        if self.only and call.write != (self.only == "writes"):
            return False
        self.seen += 1
        if self.times == 0 or self.nth not in (None, self.seen) or (self.share < 1 and chance.random() >= self.share):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def error(self, call: Call) -> SandboxError:
        """Return the AWS error with which this fault answers a call."""
        query = call.protocol in ("query", "ec2")
        action = f"{call.service}:{call.operation}"
        code, message, status = {
            "throttling": ("Throttling" if query else "ThrottlingException", "Rate exceeded", 400),
            "server_error": (
                {"ecs": "ServerException", "application-autoscaling": "InternalServiceException"}.get(
                    call.service, "InternalFailure"
                ),
                "Service Unavailable. Please try again later.",
                500,
            ),
            "access_denied": (
                "AccessDenied" if query else "AccessDeniedException",
                f"User: arn:aws:sts::123456789012:assumed-role/sandbox/session is not authorized to perform: {action} "
                f"because no identity-based policy allows the {action} action",
                403 if query else 400,
            ),
            "expired_token": (
                "ExpiredToken" if query else "ExpiredTokenException",
                "The security token included in the request is expired",
                403 if query else 400,
            ),
            # LocalStack's answer; moto and others differ in the text.
            "not_implemented": (
                "InternalFailure",
                f"API for service '{call.service}' not yet implemented or pro feature",
                501,
            ),
        }.get(self.kind, ("InternalFailure", "A fault of the sandbox", 500))
        return SandboxError(self.code or code, self.message or message, self.status or status)
