# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The place of a stack: the partition, region and account that turn resource names into ARNs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..arns import Arn, parse_arn
from ..errors import Refused


@dataclass(frozen=True)
class StackPlace:
    """Partition, region and account of a stack."""

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> Arn:
        """Return the ARN of a resource in this place. ARNs of IAM have no region."""
        return Arn(self.partition, service, "" if service == "iam" else self.region, self.account, resource)

    def named(self, service: str, name: str, prefix: str = "") -> Arn:
        """Return the ARN of a resource that is given by name or by ARN."""
        return parse_arn(name) or self.arn(service, f"{prefix}{name}")


def place_of(caller_arn: str, region: str) -> StackPlace:
    """Return the place of a caller, read from its ARN. Raises ``Refused`` if ``caller_arn`` is not an ARN."""
    arn = parse_arn(caller_arn)
    if arn is None:
        raise Refused(f"AWS names the caller {caller_arn!r}, which is not an ARN. Check endpoint_url and credentials")
    return StackPlace(arn.partition, region, arn.account)


def place_in(stack: Mapping[str, Any]) -> StackPlace:
    """Return the place of a stack that ``ecs_stack_info`` has read."""
    return StackPlace(str(stack["partition"]), str(stack["region"]), str(stack["account"]))
