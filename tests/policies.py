# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a generated IAM policy with a linter.

assert complaints(policy) == []
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Mapping
from typing import Any

with warnings.catch_warnings():  # about pkg_resources, and about escapes in its own patterns
    warnings.simplefilter("ignore")
    from parliament import analyze_policy_string


def complaints(policy: Mapping[str, Any] | str, trust: bool = False) -> list[str]:
    """Return the linter's findings for the policy of an identity or a resource, as data or JSON. ``trust``: the policy
    says who may assume a role. It has no Resource, which parliament does not accept, so one is added."""
    document = json.loads(policy) if isinstance(policy, str) else copy.deepcopy(dict(policy))
    if trust:
        for statement in document["Statement"]:
            statement["Resource"] = "arn:aws:iam::123456789012:role/any"
    found = analyze_policy_string(json.dumps(document)).findings
    return [f"{each.issue}: {each.title} {each.detail}" for each in found]
