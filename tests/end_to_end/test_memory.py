# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much memory a module needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.end_to_end.programs import MODULES, QUICK, RECYCLE, arguments
from tests.end_to_end.witness import Witness

MOST = 150 * 1024  # kB


def test_a_thousand_tasks(sandbox):
    """Started like any program, so that all its memory is its own."""
    sandbox.service("web", tasks=1000)
    witness = Witness(sandbox)
    born = sorted(task["created_at"] for task in witness.before["tasks"])
    options = {**QUICK, "started_before": f"{born[60]:.3f}", "batch_size": "3%", "protected_tasks": "recycle"}
    with subprocess.Popen(
        [sys.executable, "-m", MODULES + RECYCLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as module:
        module.stdin.write(arguments(sandbox, **options))
        module.stdin.close()
        result = json.loads(module.stdout.read())
        _pid, status, used = os.wait4(module.pid, 0)
        module.returncode = os.waitstatus_to_exitcode(status)
    assert (module.returncode, len(result["recycle"]["replaced"])) == (0, 60)
    assert used.ru_maxrss < MOST
    print(f"peak RSS for 1000 tasks: {used.ru_maxrss} kB")
    witness.kept(surge=30)
