# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Page the lists of EventBridge."""

from __future__ import annotations

import base64
from typing import Any

from ..wire import Call


def page(call: Call, name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one page by Limit and NextToken, as all of EventBridge's lists do."""
    size = int(call.parameters.get("Limit") or 100)
    token = call.parameters.get("NextToken")
    start = int(base64.urlsafe_b64decode(token)) if token else 0
    more = start + size < len(items)
    following = {"NextToken": base64.urlsafe_b64encode(str(start + size).encode()).decode()} if more else {}
    return {name: items[start : start + size], **following}
