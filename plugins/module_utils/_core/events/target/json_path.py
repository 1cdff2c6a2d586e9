# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The JSON paths that EventBridge understands in targets."""

from __future__ import annotations

import re

from ...errors import Refused
from ...limits import check_length

LONGEST = 256

# Dots, array indices and wildcards. Everything else in JSON path (filters, quotes in brackets, ..) finds nothing, and
# AWS does not report it.
_PATH = re.compile(r"\$(\.([A-Za-z0-9_/-]+|\*)|\[([0-9]+|\*)\])*")


def check_path(option: str, path: str) -> str:
    """Return the path. Raise ``Refused``, naming ``option``, if EventBridge does not understand it."""
    if not _PATH.fullmatch(path):
        raise Refused(
            f"{option}: '{path}' is not a path that EventBridge understands. Write it with dots and indices, as in "
            "$.detail.containers[0].exitCode"
        )
    check_length(option, path, LONGEST)
    return path
