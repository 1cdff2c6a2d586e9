# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reserved concurrency of a function: what must be written, and what is refused."""

from __future__ import annotations

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.errors import Refused
from ansible_collections.steadyops.ecs.plugins.module_utils._core.functions.concurrency import (
    plan_concurrency,
    read_concurrency,
)

GIVEN = {"function_name": "retry", "reserved_concurrent_executions": 5, "state": "present"}


@pytest.mark.parametrize(
    ("options", "current", "after", "changed"),
    [
        ({}, None, 5, True),
        ({}, 5, 5, False),
        ({}, 2, 5, True),
        ({"reserved_concurrent_executions": 0}, None, 0, True),
        ({"reserved_concurrent_executions": 0}, 0, 0, False),
        ({"state": "absent"}, 5, None, True),
        ({"state": "absent"}, 0, None, True),
        ({"state": "absent"}, None, None, False),
    ],
)
def test_what_changes(options, current, after, changed):
    change = plan_concurrency(read_concurrency({**GIVEN, **options}), current)
    assert change.changed is changed
    assert (change.after or {}).get("reserved_concurrent_executions") == after


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reserved_concurrent_executions": None}, "is required"),
        ({"reserved_concurrent_executions": -1}, "must be 0 or more"),
        ({"function_name": "a b"}, "`function_name` must be 1 to 64 letters"),
        ({"function_name": "x" * 65}, "`function_name` must be 1 to 64 letters"),
    ],
)
def test_what_is_refused(options, words):
    with pytest.raises(Refused, match=words):
        read_concurrency({**GIVEN, **options})
