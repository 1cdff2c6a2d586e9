# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""How users name a service: by name, by ARN, or by an ARN from before 2019, which lacks the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Refused
from ..names import CLUSTER, ECS_NAME, SERVICE, read_name_or_arn

DEFAULT_CLUSTER = "default"


@dataclass(frozen=True)
class ServiceName:
    """Where a service is. Region and account are set only if an ARN contained them."""

    cluster: str
    service: str
    region: str | None = None
    account: str | None = None


def parse_service(cluster: str | None, service: str) -> ServiceName:
    """Read the options ``cluster`` and ``service`` as the user wrote them.

    If ``cluster`` is omitted, it is ``default``, as everywhere in ECS. So a service ARN that names a cluster takes
    precedence over that default. Raises ``Refused``, also if such an ARN contradicts any other cluster.
    """
    where, cluster_arn = read_name_or_arn("cluster", cluster or DEFAULT_CLUSTER, ECS_NAME, CLUSTER)
    name, arn = read_name_or_arn("service", service, ECS_NAME, SERVICE)
    for inside in arn.resource.split("/")[1:-1] if arn else ():
        if where != inside and (where != DEFAULT_CLUSTER or cluster_arn):
            raise Refused(
                f"The ARN given as service belongs to the cluster '{inside}', but cluster is '{where}'. Omit cluster"
                " or correct one of them"
            )
        where = inside
    if arn and cluster_arn and (arn.region, arn.account) != (cluster_arn.region, cluster_arn.account):
        raise Refused(
            f"The ARN given as service is from account {arn.account} in {arn.region}, but the one given as cluster is"
            f" from account {cluster_arn.account} in {cluster_arn.region}. Correct one of them"
        )
    known = arn or cluster_arn
    return ServiceName(where, name, known.region, known.account) if known else ServiceName(where, name)
