# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The real ``World`` of the recycle: one ECS service through boto3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._core.aws_errors import is_denied
from ..._core.errors import CallFailed, Refused
from ..._core.recycle.health import UNTOLD
from ..._core.recycle.model import FoundImage, RegistryImage, Scaling, Service, Targets, Task
from ..calls import application_autoscaling, cloudwatch, ecr, ecs, elb, elbv2, vpc_lattice
from ..calls.pages import hundreds
from ..calls.service_revisions import service_revision
from ..shapes import ecs as ecs_shapes
from ..shapes import ecs_targets
from .line import Line
from .plain_service import PlainService


class LiveService(PlainService):
    """One service, to read and to change. ``_core.recycle.world`` documents each method."""

    def __init__(self, line: Line, cluster: str | None, service: str) -> None:
        super().__init__(line, cluster, service)
        self._balancers: tuple[ecs_shapes.Balancer, ...] | None = None
        self._revisions: dict[str, ecs_targets.Revision] = {}  # by ARN of the service revision
        self._denied: CallFailed | None = None  # why service revisions cannot be read
        self._aliases: dict[str, str] = {}  # IPv6 address of a task -> the IPv4 address that names its targets
        self._instance_ids: dict[str, str] = {}  # by container instance

    # Reads.

    def service_from(self, found: ecs_shapes.DescribedService) -> Service:
        service = super().service_from(found)
        self._balancers = self._in_use(found)
        return replace(service, target_groups=ecs_shapes.groups_of(self._balancers))

    def describe_tasks(self, arns: Iterable[str]) -> list[Task]:
        if self._balancers is None:
            self.describe_service()
        return super().describe_tasks(arns)

    def tasks_from(self, answers: Sequence[Mapping[str, Any]]) -> list[Task]:
        self._aliases.update(ecs_targets.aliases(answers))
        found = [(answer, self._balancers_of(answer)) for answer in answers]
        hosts = ecs_targets.hosts_to_look_up(found) - self._instance_ids.keys()
        for unknown in hundreds(sorted(hosts)):
            self._instance_ids.update(ecs.instance_ids(self._client("ecs"), self.name.cluster, unknown))
        return [
            ecs_shapes.task(answer, ecs_targets.targets_of(answer, balancers, self._instance_ids))
            for answer, balancers in found
        ]

    def has_health_check(self, revision: str) -> bool:
        return ecs_shapes.has_health_check(self._containers(revision))

    def fixed_images(self, revision: str) -> frozenset[str]:
        return ecs_shapes.fixed_images(self._containers(revision))

    def find_image(self, image: RegistryImage) -> FoundImage | None:
        client = self._client("ecr")
        if image.region != client.meta.region_name:
            raise CallFailed("DescribeImages", "AnotherRegion", f"{image.repository} lies in {image.region}")
        return ecr.find_image(client, image)

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for some in hundreds(names):
            found.update(cloudwatch.alarm_states(self._client("cloudwatch"), some))
        return found

    def grows_on_demand(self, providers: Sequence[str]) -> bool:
        return ecs.grows_on_demand(self._client("ecs"), self.name.cluster, list(providers))

    def target_states(self, group: str) -> Targets | None:
        kind = group.split(":")[2] if group.startswith("arn:") else "elb"
        if kind == "elb":
            instances = elb.instance_states(self._client("elb"), group)
            return None if instances is None else ecs_targets.targets(instances.items())
        if kind == "ecs":
            raise self._denied or CallFailed(
                "DescribeServiceRevisions", UNTOLD, "it does not name the target group of this Express service"
            )
        if kind == "vpc-lattice":
            found = vpc_lattice.list_targets(self._client("vpc-lattice"), group)
        else:
            states = elbv2.target_states(self._client("elbv2"), group)
            found = None if states is None else states.items()
        if found is None:
            return None
        return ecs_targets.targets((self._named_by_task(target), said) for target, said in found)

    def scaling(self) -> Scaling | None:
        client = self._client("application-autoscaling")
        return application_autoscaling.scaling(client, self.name.cluster, self.name.service)

    # Writes.

    def suspend(self, scaling: Scaling) -> None:
        client = self._client("application-autoscaling")
        application_autoscaling.suspend(client, self.name.cluster, self.name.service, scaling)

    def set_desired(self, count: int) -> None:
        ecs.set_desired_count(self._client("ecs"), self.name.cluster, self.name.service, count)

    def stop_task(self, arn: str, reason: str) -> bool:
        return ecs.stop_task(self._client("ecs"), self.name.cluster, arn, reason)

    def protect(self, arns: Iterable[str], until: float) -> set[str]:
        minutes = max(1, round((until - self.now()) / 60))
        return ecs.protect(self._client("ecs"), self.name.cluster, list(arns), minutes)

    def unprotect(self, arns: Iterable[str]) -> None:
        ecs.unprotect(self._client("ecs"), self.name.cluster, list(arns))

    def tag(self, tags: Mapping[str, str]) -> None:
        ecs.tag(self._client("ecs"), self._known_arn(), tags)

    def untag(self, keys: Iterable[str]) -> None:
        ecs.untag(self._client("ecs"), self._known_arn(), keys)

    def untag_task(self, arn: str, keys: Iterable[str]) -> None:
        ecs.untag_task(self._client("ecs"), arn, keys)

    # Helpers.

    def _balancers_of(self, task: Mapping[str, Any]) -> tuple[ecs_shapes.Balancer, ...]:
        """Return the service's load balancers, with named ports resolved by the task's own revision."""
        balancers = self._balancers or ()
        if not any(balancer.port_name for balancer in balancers):
            return balancers
        containers = self._containers(task["taskDefinitionArn"])
        return tuple(ecs_targets.with_port(balancer, containers) for balancer in balancers)

    def _named_by_task(self, target: str) -> str:
        """Return the target's name with the IPv4 address if its task has both, whichever its target group uses."""
        address, _colon, port = target.rpartition(":")
        return f"{self._aliases[address]}:{port}" if address in self._aliases else target

    def _in_use(self, found: ecs_shapes.DescribedService) -> tuple[ecs_shapes.Balancer, ...]:
        """Return the load balancers in which the tasks are registered now.

        For blue/green, choose the target group of each pair. If the service lists no load balancer, ECS may have made
        one, for an Express service or through ECS Gateway; only the service revision shows it (API model).
        """
        arn, balancers = _telling_revision(found), found.balancers
        if not arn:
            return balancers
        try:
            used = ecs_targets.in_use(balancers, self._revision(arn))
        except CallFailed as failure:
            if balancers or not is_denied(failure.code):
                raise
            self._revisions[arn], used, self._denied = ecs_targets.Revision(), (), failure
        # An Express service must have a target group. If its name is unknown, the revision's ARN stands for it.
        return (ecs_shapes.Balancer(arn, "", 0),) if found.managed and not used else used

    def unknown_revision(self, found: ecs_shapes.DescribedService) -> str | None:
        """Return the ARN of the service revision that ``service_from`` would have to read, if any."""
        arn = _telling_revision(found)
        return None if arn in self._revisions else arn

    def know_revision(self, arn: str, revision: ecs_targets.Revision) -> None:
        """Store a revision that another caller has read."""
        self._revisions[arn] = revision

    def _revision(self, arn: str) -> ecs_targets.Revision:
        # A revision never changes.
        if arn not in self._revisions:
            self._revisions[arn] = service_revision(self._client("ecs"), arn)
        return self._revisions[arn]

    def _known_arn(self) -> str:
        if self._arn is None:
            self.describe_service()
        if self._arn is None:
            raise Refused(f"The cluster {self.name.cluster} has no service {self.name.service}")
        return self._arn


def _telling_revision(found: ecs_shapes.DescribedService) -> str | None:
    """Return the ARN of the revision that shows which load balancers are in use. None if the service itself does."""
    balancers = found.balancers
    told = balancers and not any(balancer.alternate for balancer in balancers)
    return None if told else found.service_revision
