# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Ends a module with one sentence if its Python is too old. Every module imports this file first.

The other files need Python 3.10 and would end in a traceback, so this one imports none of them. ansible-core 2.17
starts modules on Python 3.7, which must be able to read this file.
"""

from __future__ import annotations

import json
import sys

LOWEST = (3, 10)

if sys.version_info[:2] < LOWEST:
    print(  # noqa: T201 - how a module returns its result
        json.dumps(
            {
                "failed": True,
                "msg": (
                    "{} is Python {}, but Python {} or newer is required. Set ansible_python_interpreter for this "
                    "host to a newer Python that has boto3; on localhost, to {{{{ ansible_playbook_python }}}}."
                ).format(sys.executable, *(".".join(map(str, version)) for version in (sys.version_info[:2], LOWEST))),
            }
        )
    )
    sys.exit(1)
