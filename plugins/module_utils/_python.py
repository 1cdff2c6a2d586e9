# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Ends a module with one sentence if its Python is too old. Every module imports this file first.

The other files need Python 3.10 and would end in a traceback, so this one imports none of them. ansible-core 2.17
starts modules on Python 3.7, which must be able to read this file.
"""

from __future__ import annotations

import json
import platform
import sys

LOWEST = (3, 10)

if sys.version_info[:2] < LOWEST:
    message = (
        "steadyops.ecs requires Python {}.{} or newer on the host that runs the module, but {} is Python {}. "
        "Set ansible_python_interpreter to a newer Python that has boto3."
    ).format(*LOWEST, sys.executable, platform.python_version())
    sys.stdout.write(json.dumps({"failed": True, "msg": message}))
    raise SystemExit(1)
