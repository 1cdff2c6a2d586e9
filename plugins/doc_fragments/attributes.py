# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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
      Takes defaults from C(group/steadyops.ecs.all), and from C(group/steadyops.ecs.aws) those that it shares with the
      modules of C(amazon.aws) and C(community.aws).
    support: full
    membership:
      - steadyops.ecs.all
      - steadyops.ecs.aws
  check_mode:
    description: In check mode nothing is written, and the result is the one that a real run would aim for.
  diff_mode:
    description: In diff mode the result carries the state before and after, as far as the module changes it.
  idempotent:
    description: The same task run again, on a world that nobody else has touched, changes nothing.
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
