# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory that a module needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.end_to_end.programs import MODULES, QUICK, RECYCLE, arguments
from tests.end_to_end.witness import Witness

MOST = 150 * 1024  # kB


# The peak memory of a process includes what it had as a fork of its parent, and pytest is large. This parent is not.
PARENT = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", sys.argv[1]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""


@pytest.mark.long
def test_a_thousand_tasks(sandbox):
    """The module is started like any program, so all of its memory is its own."""
    sandbox.service("web", tasks=1000)
    witness = Witness(sandbox)
    born = sorted(task["created_at"] for task in witness.before["tasks"])
    options = {**QUICK, "started_before": f"{born[60]:.3f}", "batch_size": "3%", "protected_tasks": "recycle"}
    done = subprocess.run(
        [sys.executable, "-c", PARENT, MODULES + RECYCLE],
        input=arguments(sandbox, **options),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(json.loads(done.stdout)["recycle"]["replaced"])) == (0, 60)
    most = int(done.stderr)
    assert 20 * 1024 < most < MOST
    print(f"peak RSS for 1000 tasks: {most} kB")
    witness.kept(surge=30)
