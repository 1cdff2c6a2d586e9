# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Which refusals of RunTask are transient, in AWS's wording.

RunTask wraps errors of Amazon EC2, and limits of its own, into two codes that usually mean a mistake in the request.
So the message decides. The words are plain parts of messages, because the States Language cannot compare anything else:
the retry function and the definitions of state machines read the same lists.

Sources: tests/unit/core/retry/run_task_answers.tsv has the messages and where each was seen.
"""

from __future__ import annotations

# Codes of RunTask that say nothing by themselves.
ENVELOPES = ("InvalidParameterException", "ClientException")

TRANSIENT_WORDS = (
    "RequestLimitExceeded",
    "Request limit exceeded",
    "Throttling",
    "Rate exceeded",
    "InternalError",
    "InternalFailure",
    "An internal error has occurred",
    "ErrorCode: Unavailable",
    "Error Code: Unavailable",
    "ServiceUnavailable",
    "Service Unavailable",
    "Unable to execute HTTP request",
    "No Container Instances were found",
    "provisioning capacity limit exceeded",
    "Capacity is unavailable",
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "UnfulfillableCapacity",
    # The Spot quota counts running instances. It has room again when some of them end.
    "MaxSpotInstanceCountExceeded",
)

# If the message has one of these, transient words do not count: the request or somebody's permissions must change.
PERMANENT_WORDS = (
    ".NotFound",
    "does not exist",
    "not authorized",
    "UnauthorizedOperation",
    "AccessDenied",
    "TagPolicyViolation",
)

# A capacity provider with Managed Instances does not refuse: it accepts the task, and the task stops with this reason.
NO_INSTANCE = "Unable to launch instance(s) for capacity provider"


def is_transient(message: str) -> bool:
    """Return whether the message of a refusal names a cause that passes by itself."""
    return any(words in message for words in TRANSIENT_WORDS) and not any(words in message for words in PERMANENT_WORDS)
