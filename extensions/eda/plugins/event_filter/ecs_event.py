# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reduce an AWS event to the checked facts that the rulebooks of this collection act on."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

DOCUMENTATION = r"""
---
short_description: Reduce an event of AWS to checked facts.
description:
  - Reads a message of ansible.eda.aws_sqs_queue that EventBridge has put into the queue, and replaces it with the key
    C(ecs). Its C(kind) is C(task_retirement), C(secret_changed), C(task_unhealthy) or C(ignored).
  - Nothing else of the message is passed on. ansible-rulebook hands events to playbooks as extra variables, in which
    Ansible evaluates templates.
  - An event that is malformed, older than 14 days, or was read before is C(ignored), and C(why) says so.
options: {}
"""

EXAMPLES = r"""
- ansible.eda.aws_sqs_queue:
    name: ecs-retirements
    region: eu-central-1
  filters:
    - steadyops.ecs.ecs_event:
"""

_NAME = "_steadyops_ecs_core"  # ansible-rulebook runs this file by its path, outside any package


def _core() -> ModuleType:
    """Import the collection's ``_core`` under a separate name, and return its module ``eda.read``."""
    if _NAME not in sys.modules:
        folder = Path(__file__).resolve().parents[4] / "plugins/module_utils/_core"
        spec = importlib.util.spec_from_file_location(
            _NAME, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{folder} is missing. Install the collection steadyops.ecs again")
        sys.modules[_NAME] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[_NAME])
    return importlib.import_module(f"{_NAME}.eda.read")


_SEEN = _core().Seen()


def main(event: Any) -> dict[str, Any]:
    """Return the facts of an event."""
    message = event.get("body") if isinstance(event, dict) else None
    return {"ecs": _SEEN.read(message, time.time())}
