# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the variables that were given to ansible-playbook with -e."""

from __future__ import annotations

DOCUMENTATION = r"""
name: extra_variables
author: SteadyOps contributors (@steadyops)
version_added: 1.0.0
short_description: Names of the variables given with -e
description:
  - Returns the names of all extra variables, including those from files and from the survey of a job template.
  - A playbook can use it to refuse a misspelt variable, which Ansible silently ignores.
options: {}
seealso:
  - plugin: steadyops.ecs.recycle_options
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse every extra variable but two
  ansible.builtin.assert:
    that: query('steadyops.ecs.extra_variables') | difference(['cluster', 'service']) | length == 0
"""

RETURN = r"""
_list:
  description: The names, in alphabetical order.
  type: list
  elements: str
"""

from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars


class LookupModule(LookupBase):
    def run(self, terms: Any, variables: Any = None, **options: Any) -> list[str]:  # noqa: ARG002
        """Return the names. Ansible has already read the variables, and ``load_extra_vars`` returns its copy."""
        return sorted(map(str, load_extra_vars(self._loader)))
