# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode: no write, and the plan and the diff of the real run."""

from __future__ import annotations

import pytest

from tests.end_to_end.programs import until
from tests.end_to_end.witness import Witness


@pytest.mark.parametrize(
    "options",
    [
        {"max_task_age": "1h"},
        {"max_task_age": "30h", "batch_size": "50%", "surge": 1},
        {"all_tasks": True, "surge": 0, "minimum_healthy_percent": 50},
        {"token": "7", "protected_tasks": "recycle"},
        {"started_before": "2000-01-01T00:00:00Z"},
        {"tasks": ["0" * 32]},
    ],
)
def test_check_mode_tells_what_the_real_run_does(sandbox, recycle, options):
    sandbox.service("web", tasks=4, health_check=True, target_groups=1, scaling={"min": 1, "max": 9})
    sandbox.act("protect", "web", task="newest")
    witness = Witness(sandbox)
    planned = recycle(check=True, diff=True, **options)
    witness.untouched()
    done = recycle(diff=True, **options)
    for key in ("changed", "diff"):
        assert planned.get(key) == done.get(key)
    for key in ("status", "plan", "skipped"):
        assert planned["recycle"][key] == done["recycle"][key]
    assert planned["recycle"]["capacity"]["after"] == done["recycle"]["capacity"]["after"] == 4
    if done["changed"]:
        assert [each["task"] for each in done["recycle"]["replaced"]] == planned["recycle"]["plan"]["tasks"]
        assert done["diff"]["before"]["stale_tasks"]
        assert len(done["diff"]["after"]["stale_tasks"]) == len(done["recycle"]["skipped"])
    else:
        assert "diff" not in done


def test_check_mode_after_a_run_was_killed(sandbox, begin, recycle):
    sandbox.service("web", tasks=3, health_check=True, scaling={"min": 1, "max": 9})
    witness = Witness(sandbox)
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(max_task_age="1h")
    until(witness.stops, "the first stop")
    module.kill()
    sandbox.clear_faults()
    check = Witness(sandbox)
    planned = recycle(check=True, max_task_age="1h")
    check.untouched()
    assert (planned["changed"], planned["recycle"]["resumed"]) == (True, True)
    done = recycle(max_task_age="1h")
    assert done["recycle"]["plan"] == planned["recycle"]["plan"]
    assert planned["recycle"]["capacity"]["before"] == planned["recycle"]["capacity"]["after"] == 3
    witness.kept()
    witness.replaced()


def test_check_mode_refuses_what_the_real_run_refuses(sandbox, recycle):
    sandbox.service("web", tasks=1)
    witness = Witness(sandbox)
    for options in ({"surge": 0}, {"batch_size": 0}, {"wait_for": "healthy"}, {"service": "webb"}):
        told = [recycle(check=check, max_task_age="1h", **options)["msg"] for check in (True, False)]
        assert told[0] == told[1]
    witness.untouched()


def test_check_mode_while_another_run_is_at_work(sandbox, begin, recycle):
    """Check mode does not wait: it returns the plan for this moment."""
    sandbox.service("web", tasks=2, health_check=True)
    witness = Witness(sandbox)
    sandbox.fault("hold", operations=["StopTask"], nth=1)
    module = begin(max_task_age="1h")
    until(witness.stops, "the first stop")
    writes = len(witness.writes())
    assert recycle(check=True, max_task_age="1h")["changed"]
    assert len(witness.writes()) == writes
    sandbox.release()
    module.result()
    witness.replaced()
