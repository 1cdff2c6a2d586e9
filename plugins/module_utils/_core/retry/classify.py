# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Classify AWS's error codes and reasons as transient, quota or permanent."""

from __future__ import annotations

import re

from ..aws_errors import kind_of
from ..ecs.refused_launch import ENVELOPES, NO_INSTANCE, is_transient

TRANSIENT, QUOTA, PERMANENT = "transient", "quota", "permanent"

# An earlier call with other parameters used this client token, so the tasks have already been requested.
ALREADY_ASKED = frozenset({"ConflictException", "Client.ConflictException"})

_NO_ROOM = re.compile(r"AGENT$|RESOURCE:")
_QUOTA = re.compile(r"limit on the number of (tasks|vCPUs)|VcpuLimitExceeded", re.IGNORECASE)

# botocore's names for errors in which no answer arrived.
NO_ANSWER = frozenset(
    {"ConnectTimeoutError", "ConnectionClosedError", "EndpointConnectionError", "HTTPClientError", "ReadTimeoutError"}
)

# Reasons why a task never ran although it may run next time. A permanent cause can have the same prefix, so only the
# reasons listed here are retried.
_START = re.compile(
    r"Timeout waiting for (network interface|EphemeralStorage) provisioning"
    r"|ResourceInitializationError: failed to configure ENI"
    r"|Unexpected EC2 error while attempting to Create Network Interface"
    r".*(AuthFailure|RequestLimitExceeded|Unavailable)"
    r"|Unexpected EC2 error while attempting to attach network interface to instance"
    r"|(CannotPull\w*|ResourceInitializationError).*(i/o timeout|\bEOF\b|429 Too Many|TLS handshake timeout"
    r"|connection reset|context deadline exceeded|5\d\d (Internal|Bad|Service|Gateway)|Rate exceeded|Throttling)"
    r"|Capacity is unavailable|RESOURCE:|AGENT$",
    re.DOTALL,
)
_START_NEVER = re.compile(
    r"AccessDenied|403 Forbidden|not found|does not exist|InsufficientFreeAddresses|UnauthorizedOperation"
    r"|TagPolicyViolation"
)


def of_refusal(reason: str) -> str:
    """Classify a ``reason`` in ``failures`` of RunTask's answer by whether the same request may succeed later."""
    if _QUOTA.search(reason):
        return QUOTA
    return TRANSIENT if _NO_ROOM.match(reason) or is_transient(reason) else PERMANENT


def of_error(code: str, message: str = "", status: int = 0) -> str:
    """Classify an error answer. ``status`` is the HTTP status, 0 when unknown."""
    if _QUOTA.search(f"{code} {message}"):
        return QUOTA
    code = code.rpartition(".")[2]  # CloudTrail writes some codes as Client.<code> or Server.<code>
    if code in NO_ANSWER or code.startswith("Throttling") or kind_of(code, message, status) != "final":
        return TRANSIENT
    return TRANSIENT if wrapped(code, message) else PERMANENT


def wrapped(code: str, message: str) -> bool:
    """Return whether RunTask wrapped a transient error. It does so only after it has authorised the caller."""
    return code.rpartition(".")[2] in ENVELOPES and is_transient(message)


def of_start(reason: str) -> str:
    """Classify the reason why a task that RunTask had accepted never ran."""
    if _START_NEVER.search(reason):
        return PERMANENT
    if NO_INSTANCE in reason:
        return QUOTA if _QUOTA.search(reason) else TRANSIENT if is_transient(reason) else PERMANENT
    return TRANSIENT if _START.search(reason) else PERMANENT
