# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Service revisions of Amazon ECS. May raise ``CallFailed``."""

from __future__ import annotations

from typing import Any

from ..._amazon import aws_call
from ..shapes.ecs_targets import Revision, revision


@aws_call("ecs:DescribeServiceRevisions")
def service_revision(ecs: Any, arn: str) -> Revision:
    """Return the target groups of a service revision. Empty if ECS does not return them."""
    answer = ecs.describe_service_revisions(serviceRevisionArns=[arn])
    return next((revision(found) for found in answer.get("serviceRevisions", [])), Revision())


@aws_call("ecs:DescribeServiceRevisions")
def service_revisions(ecs: Any, arns: list[str]) -> dict[str, Revision]:
    """Return the same for up to twenty ARNs, by ARN. A revision that is missing from the response is empty."""
    answer = ecs.describe_service_revisions(serviceRevisionArns=arns)
    found = {each["serviceRevisionArn"]: revision(each) for each in answer.get("serviceRevisions", [])}
    return {arn: found.get(arn, Revision()) for arn in arns}
