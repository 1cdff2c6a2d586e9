# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""What people call a service: names, ARNs, and the ARNs from before 2019 that lack the cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import Refused

DEFAULT_CLUSTER = "default"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ARN = re.compile(r"arn:aws[a-z0-9-]*:ecs:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):(?P<rest>.+)")


@dataclass(frozen=True)
class ServiceName:
    """Where a service is to be found. Region and account only when an ARN told them."""

    cluster: str
    service: str
    region: str | None = None
    account: str | None = None


def parse_service(cluster: str | None, service: str) -> ServiceName:
    """Read the options ``cluster`` and ``service`` as the user wrote them.

    ``cluster`` left out is ``default``, as everywhere in ECS; so a service's ARN that names a cluster
    wins over that default, and contradicts any other cluster. Raises ``Refused``.
    """
    where, region, account = _parse_cluster(cluster or DEFAULT_CLUSTER)
    if not service.startswith("arn:"):
        return ServiceName(where, _name("service", service), region, account)

    arn = _arn("service", service)
    kind, _slash, path = arn["rest"].partition("/")
    inside, _slash, name = path.rpartition("/")
    if kind != "service" or inside.count("/"):
        raise Refused(f"service: '{service}' is not the ARN of an ECS service. Give the service's name or its ARN")
    if inside and where != inside:
        if where != DEFAULT_CLUSTER or region:
            raise Refused(
                f"The ARN given as service is of the cluster '{inside}', but cluster says '{where}'. "
                "Leave cluster out or make the two agree"
            )
        where = inside
    if region and (region, account) != (arn["region"], arn["account"]):
        raise Refused(
            f"The ARN given as service is of account {arn['account']} in {arn['region']}, but the one given as "
            f"cluster is of account {account} in {region}. Make the two agree"
        )
    return ServiceName(_name("service", where), _name("service", name), arn["region"], arn["account"])


def _parse_cluster(cluster: str) -> tuple[str, str | None, str | None]:
    """Name, region and account of a cluster; the latter two when it is given as an ARN."""
    if not cluster.startswith("arn:"):
        return _name("cluster", cluster), None, None
    arn = _arn("cluster", cluster)
    kind, _slash, name = arn["rest"].partition("/")
    if kind != "cluster":
        raise Refused(f"cluster: '{cluster}' is not the ARN of an ECS cluster. Give the cluster's name or its ARN")
    return _name("cluster", name), arn["region"], arn["account"]


def _arn(option: str, text: str) -> dict[str, str]:
    match = _ARN.fullmatch(text)
    if not match:
        example = "service/my-cluster/my-service" if option == "service" else "cluster/my-cluster"
        raise Refused(
            f"{option}: '{text}' is not an ARN of Amazon ECS. "
            f"Give the {option}'s name, or an ARN such as arn:aws:ecs:eu-west-1:123456789012:{example}"
        )
    return match.groupdict()


def _name(option: str, text: str) -> str:
    if not _NAME.fullmatch(text):
        raise Refused(
            f"{option}: '{text}' is not a name of ECS, which has letters, digits, hyphens and underscores. "
            f"Give the {option}'s name or its ARN"
        )
    return text
