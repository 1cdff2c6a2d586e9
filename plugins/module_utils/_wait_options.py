# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Options that control how long a module waits; documented in the fragment ``steadyops.ecs.waiting``."""

from __future__ import annotations

from typing import Any


def patience_options(timeout: int, delay: float = 2) -> dict[str, dict[str, Any]]:
    """Return ``wait_timeout`` and ``wait_delay`` with these defaults, for modules that always wait."""
    return {
        "wait_timeout": {"type": "int", "default": timeout},
        "wait_delay": {"type": "float", "default": delay},
    }


def wait_options(timeout: int) -> dict[str, dict[str, Any]]:
    """Return the same with ``wait``, for modules that need not wait."""
    return {"wait": {"type": "bool", "default": True}, **patience_options(timeout)}
