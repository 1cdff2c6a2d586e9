# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide. Each of its policies follows a comment ``.. policy of the module NAME`` (or inventory, or role)."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from tests.permissions.policy import actions_of, policy, text

GUIDE = Path(__file__).parents[2] / "docs/docsite/rst/permissions.rst"
_POLICY = re.compile(
    r"^\.\. policy of the (?P<kind>module|inventory|role) (?P<name>\w+)\n\n"
    r"(?:\.\. code-block:: json\n\n(?:    .*\n|\n(?=    ))+\n*)?",
    re.MULTILINE,
)


def written_anew(guide: str) -> str:
    """Return the text of the guide with every policy as it must be."""

    def block(found: re.Match[str]) -> str:
        kind, name = found["kind"], found["name"]
        document = text(policy(name, actions_of(name, kind == "role")))
        code = textwrap.indent(document, "    ")
        return f".. policy of the {kind} {name}\n\n.. code-block:: json\n\n{code}\n\n"

    return _POLICY.sub(block, guide)


def named(guide: str) -> list[tuple[str, str]]:
    """Return the kind and name of each policy, in their order."""
    return [(found["kind"], found["name"]) for found in _POLICY.finditer(guide)]
