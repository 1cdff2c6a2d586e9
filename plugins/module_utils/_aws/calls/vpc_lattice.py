# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""VPC Lattice: the health of targets. May raise ``CallFailed``."""

from __future__ import annotations

from typing import Any

from ..._amazon import NOT_FOUND
from ..._core.recycle.lacking import reason_words
from ..shapes.ecs_targets import target_name
from .pages import pages


@pages("vpc-lattice:ListTargets", expected=NOT_FOUND, key="nextToken")
def list_targets(lattice: Any, group: str, **page: str) -> Any:
    """List every target by its name from ``target_name``, with its state and the reason.

    Return None if the target group does not exist. AWS names the states like those of Elastic Load Balancing, in
    capitals (API model, TargetStatus).
    """
    answer = lattice.list_targets(targetGroupIdentifier=group, **page)
    found = [
        (
            target_name(each["id"], each.get("port")),
            (each["status"].lower(), reason_words(each.get("reasonCode"), None)),
        )
        for each in answer["items"]
    ]
    return found, answer
