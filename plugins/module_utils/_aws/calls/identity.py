# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The identity behind the credentials. May raise ``CallFailed``."""

from __future__ import annotations

from typing import Any

from ..._amazon import aws_call


@aws_call("sts:GetCallerIdentity")
def caller(sts: Any) -> str:
    """Return the ARN of the caller, which contains account and partition. No policy can deny this call."""
    return str(sts.get_caller_identity()["Arn"])
