# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Event sources that Lambda polls for a function, such as a queue. May raise ``CallFailed``."""

from __future__ import annotations

from typing import Any

from ..._amazon import NOT_FOUND
from .pages import pages


@pages("lambda:ListEventSourceMappings", expected=NOT_FOUND, key="NextMarker")
def event_source_mappings(functions: Any, function: str, **page: str) -> Any:
    """List boto3's event source mappings of a function. If it does not exist, the result is empty or None."""
    named = {"Marker": page["NextMarker"]} if page else {}
    answer = functions.list_event_source_mappings(FunctionName=function, **named)
    return answer["EventSourceMappings"], answer
