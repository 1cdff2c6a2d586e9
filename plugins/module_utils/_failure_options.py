# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Options that choose failures, a kind and its filters; documented in the fragment ``steadyops.ecs.failures``."""

from __future__ import annotations

from ._core.failures.filters import KINDS, TAKEN_BY

FAILURES = {
    "kind": {"type": "str", "choices": list(KINDS)},
    **{name: {"type": "list", "elements": "int" if "exit_codes" in name else "str"} for name in TAKEN_BY},
}
