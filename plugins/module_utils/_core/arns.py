# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Amazon Resource Names."""

from __future__ import annotations

import re
from typing import NamedTuple

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z0-9-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]{12}|aws)?"
    r":(?P<resource>\S+)"
)


class Arn(NamedTuple):
    """``arn:<partition>:<service>:<region>:<account>:<resource>``; region and account may be empty."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def parse_arn(text: str) -> Arn | None:
    """Return the parts of an ARN, or None for any other text."""
    match = _ARN.fullmatch(text)
    return Arn(**{part: value or "" for part, value in match.groupdict().items()}) if match else None
