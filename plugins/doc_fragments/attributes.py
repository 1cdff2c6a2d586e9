# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What every module says about itself."""

from __future__ import annotations


class ModuleDocFragment:
    # For every module. Those that change something add the support they give and its details.
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: >-
      Use C(group/steadyops.ecs.aws) in C(module_defaults) for the options that the module shares with C(amazon.aws) and
      C(community.aws), and C(group/steadyops.ecs.all) for all others.
    support: full
    membership:
      - steadyops.ecs.all
      - steadyops.ecs.aws
  check_mode:
    description: In check mode the module changes nothing, and the result is what a real run would produce.
  diff_mode:
    description: In diff mode the result has the state before and after, for everything that the module manages.
  idempotent:
    description: If nothing else changed in the meantime, running the same task again changes nothing.
"""

    # Beside the first, for modules that only read.
    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details: Only reads.
  diff_mode:
    support: N/A
    details: Only reads.
  idempotent:
    support: full
    details: Only reads.
"""
