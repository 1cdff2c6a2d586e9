# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options of ``_wait_options``."""

from __future__ import annotations


class ModuleDocFragment:
    # For modules that always wait. Each adds its defaults.
    DOCUMENTATION = r"""
options:
  wait_timeout:
    description:
      - Maximum number of seconds for one wait. After that, the module fails.
    type: int
  wait_delay:
    description:
      - Seconds between two polls of AWS. Fractions are allowed.
    type: float
    default: 2
"""

    # Beside the first, for modules that need not wait.
    WAIT = r"""
options:
  wait:
    description:
      - Whether to wait until AWS has completed the change.
      - If V(false), the module returns as soon as AWS has accepted the calls.
    type: bool
    default: true
"""
