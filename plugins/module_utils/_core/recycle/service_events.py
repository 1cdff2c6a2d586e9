# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What an ECS service event means for a run.

Sources: the Amazon ECS developer guide ("Amazon ECS service event messages" and "Service rebalancing
event messages") and recorded event streams. Each text is a row of ``tests/unit/core/recycle/service_events.tsv``.
"""

from __future__ import annotations

import re
from functools import lru_cache

REFUSED = "refused"  # ECS cannot do what was asked, and waiting does not help
NO_ROOM = "no room"  # ECS found no place; this ends if the cluster grows on demand
FAILED_START = "failed start"  # one task was launched and failed
PASSING = "passing"  # it may end by itself
STARTED = "started"
HARMLESS = "harmless"
UNSETTLED = "unsettled"  # ends within half a minute if the role was just created, and is permanent otherwise
UNKNOWN = "unknown"  # no rule knows the text: it is shown if a wait times out

# First match wins, so harmless texts that are worded like refusals come first.
_RULES = (
    (STARTED, r"has started \d+ tasks?\b"),
    # The run did not ask for rebalancing between zones, and loses nothing when it fails.
    (HARMLESS, r"\bis unable to place a task in |AZ Rebalanc|AZ balanced"),
    (HARMLESS, r"unable to scale in"),
    (PASSING, r"operations are being throttled|provisioning capacity limit was exceeded"),
    (PASSING, r"Unable to launch instance\(s\) for capacity provider .*(Unfulfillable|Insufficient\w*)Capacity"),
    (REFUSED, r"Unable to launch instance\(s\) for capacity provider"),
    (FAILED_START, r"unable to place a task\. Reason: (CannotPull|CannotStart|CannotCreate|ResourceInitialization)"),
    (REFUSED, r"DistinctInstance|is missing an attribute|above your limit|reached the limit|currently blocked"),
    # If a zone lacks capacity right now, Fargate words it differently from a cluster of instances.
    (NO_ROOM, r"unable to place a task because (no container instance|the resources could not be found)"),
    (NO_ROOM, r"No Container Instances were found|Timed out waiting for Amazon ECS Agent"),
    (NO_ROOM, r"unable to place a task\. Reason: (Capacity is unavailable|Internal error)"),
    (UNSETTLED, r"unable to assume the role"),
    (REFUSED, r"unable to place a task|unable to consistently start|failed to launch a task"),
    (REFUSED, r"(policies have|relationship has) been misconfigured|unable to stop or start tasks during a deployment"),
    (
        REFUSED,
        r"TARGET GROUP IS NOT FOUND|failed to register targets|failed to describe target health .*not authorized",
    ),
    # If no rollback follows, the deployment itself is FAILED, which ends the run with its own message.
    (REFUSED, r"deployment failed: deployment failure"),
    (PASSING, r"deployment failed:|could not launch \d+ task"),
    (PASSING, r"is unhealthy in \(|TARGET IS NOT FOUND|failed to (describe target health|deregister targets)"),
    (PASSING, r"rolling back to deployment"),
    (HARMLESS, r"reached a steady state|begun draining|has stopped \d+ running|stopped \d+ pending"),
    (HARMLESS, r"registered \d+ targets?|updated computedDesiredCount|updated state to|deployment completed"),
    (HARMLESS, r"failed container health checks"),
)
_COMPILED = tuple((meaning, re.compile(words, re.IGNORECASE)) for meaning, words in _RULES)


@lru_cache(maxsize=512)
def meaning_of(message: str) -> str:
    """Return the meaning of a service event's text, which is one of the constants above."""
    return next((meaning for meaning, words in _COMPILED if words.search(message)), UNKNOWN)
