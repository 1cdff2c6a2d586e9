# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Limits of each receiver on the length of texts, and how long the values that an event puts into them can get.

Sources: Opsgenie "Create Alert" (``message`` 130; Jira Service Management takes the same and refuses longer ones, as
elastic/kibana#291698 reports), PagerDuty "Events API v2" (``summary`` 1024, ``dedup_key`` 255), Datadog "Post an event"
(``title`` 100, ``text`` 4000), Sentry "Event Payloads" (``message`` 8192, tag values 200), Slack "chat.postMessage"
(``text`` 40000), Microsoft Teams (28 KB for a message).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HEADLINES: Mapping[str, int] = {
    "opsgenie": 130,
    "jira": 130,
    "datadog": 100,
    "pagerduty": 1024,
    "sentry": 8192,
    "slack": 40_000,
    "slack_webhook": 40_000,
}

# The longest values of the fields in headlines: AWS's own words, a few exit codes, and an ARN at most.
_VALUES: Mapping[str, int] = {
    "stop_code": 26,
    "exit_codes": 32,
    "event_name": 44,
    "failure_type": 20,
    "check": 24,
    "starts": 29,
    "call": 9,
    "status": 15,
    "last_status": 14,
    "host": 19,
    "times": 34,
}
_LONGEST_VALUE = 600


def longest(template: str) -> int:
    """Return the maximum length of a text with placeholders."""
    names = re.findall(r"<([a-z_]+)>", template)
    return len(re.sub(r"<[a-z_]+>", "", template)) + sum(_VALUES.get(name, _LONGEST_VALUE) for name in names)
