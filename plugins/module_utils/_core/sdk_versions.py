# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The lowest version of boto3 and botocore.

botocore drops every field of a response that its own description of the API lacks, and raises no error. 1.41.1 is the
first version with ``currentServiceDeployment`` and ``currentServiceRevisions`` of a service. Without them, a recycle
would not see where a blue/green deployment stands, nor which of its target groups is in use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LOWEST = "1.41.1"


def refusal_of_sdk(versions: Mapping[str, str], python: str) -> str | None:
    """Return the error message if a library of ``python`` is too old, else None. ``versions`` has libraries as keys."""
    if all(_numbers(version) >= _numbers(LOWEST) for version in versions.values()):
        return None
    found = " and ".join(f"{library} {version}" for library, version in versions.items())
    return (
        f"{python} has {found}, but {LOWEST} or newer is required: older versions drop fields of blue/green "
        f"deployments without an error. Run: {python} -m pip install --upgrade boto3"
    )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]
