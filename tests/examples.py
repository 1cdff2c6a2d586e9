# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many examples Hypothesis draws: few in ``make test``, ten times as many in ``make test-all``."""

from __future__ import annotations

import os


def examples(few: int) -> int:
    return few * int(os.environ.get("EXAMPLES", "1"))
