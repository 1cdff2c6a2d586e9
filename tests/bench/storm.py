# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a storm of refused launches through the retry's decisions, from the text of a record to the next call."""

from __future__ import annotations

import json
import time

from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.decide import decide
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.options import RetryOptions
from ansible_collections.steadyops.ecs.plugins.module_utils._core.retry.records import from_cloudtrail

from tests.unit.core.retry.samples import NOON, REGION, cloudtrail

RECORDS = 10_000
MOST_SECONDS = 1.0  # of one core


def seconds_of_storm() -> float:
    """Return the seconds of processor time for ten thousand records: the best of three, as the machine may be busy."""
    texts = [json.dumps(cloudtrail(eventID=str(number))) for number in range(RECORDS)]
    return min(_once(texts) for _time in range(3))


def _once(texts: list[str]) -> float:
    began = time.process_time()
    for text in texts:
        launch = from_cloudtrail(json.loads(text), REGION)
        assert launch
        decide(launch, 0, RetryOptions(), NOON, lambda: 0.5)
    return time.process_time() - began
