# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The recycle's ``World``, real: one ECS service through boto3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..._core.aws_errors import is_denied
from ..._core.ecs.names import parse_service
from ..._core.ecs.secrets import Named, names_in
from ..._core.errors import CallFailed, Refused
from ..._core.recycle.health import UNTOLD
from ..._core.recycle.model import FoundImage, Hold, RegistryImage, Scaling, Service, Targets, Task
from ..calls import application_autoscaling, cloudwatch, ecr, ecs, elb, elbv2, secrets, vpc_lattice
from ..calls.pages import hundreds
from ..shapes import ecs as ecs_shapes
from .line import Line


class LiveService:
    """One service, to look at and to change. See ``_core.recycle.world`` for what each method promises."""

    def __init__(
        self,
        client: Callable[[str], Any],
        cluster: str | None,
        service: str,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        line: Line | None = None,
    ) -> None:
        """``client`` makes the boto3 client of an AWS service; it is asked for one when the first call needs it. With
        a ``line``, which services of one account share, it is not asked, and neither are the two clocks.

        ``cluster`` and ``service`` as the user wrote them. Raises ``Refused`` when they are no names of ECS.
        """
        self.name = parse_service(cluster, service)
        self._line = line or Line(client, monotonic, wall)
        self.clock = self._line.clock
        self.now = self._line.now
        self._client, self._containers = self._line.client, self._line.containers
        self._ended = ""  # ARN of the newest service deployment that is known to have ended
        self._arn: str | None = None
        self.propagates_tags = False
        self._balancers: tuple[ecs_shapes.Balancer, ...] | None = None
        self._revisions: dict[str, ecs_shapes.Revision] = {}  # by ARN of the service revision
        self._denied: CallFailed | None = None  # why service revisions cannot be read
        self._aliases: dict[str, str] = {}  # IPv6 address of a task -> its IPv4 address, which is in its targets
        self._instance_ids: dict[str, str] = {}  # by container instance

    # Looking.

    @property
    def calls(self) -> Mapping[str, int]:
        return self._line.calls

    def describe_service(self) -> Service | None:
        self.check_region()
        found = ecs.describe_service(self._client("ecs"), self.name.cluster, self.name.service)
        return None if found is None else self.service_from(found)

    def check_region(self) -> None:
        """Raise ``Refused`` when the service was given by an ARN of another region than the one that is asked."""
        self._check("region", self.name.region, self._client("ecs").meta.region_name)

    def service_from(self, found: ecs_shapes.DescribedService) -> Service:
        """What ``describe_service`` returns, from the answer to a call that may have asked for several services."""
        self._check("account", self.name.account, found.service.arn.split(":")[4])
        balancers = self._in_use(found)
        self._arn, self._balancers = found.service.arn, balancers
        self.propagates_tags = found.service.propagates_tags
        return replace(found.service, target_groups=ecs_shapes.groups_of(balancers), hold=self._hold(found))

    def list_tasks(self) -> list[str]:
        client = self._client("ecs")
        return list(dict.fromkeys(ecs.list_tasks(client, self.name.cluster, self.name.service)))

    def describe_tasks(self, arns: Iterable[str]) -> list[Task]:
        client = self._client("ecs")
        if self._balancers is None:
            self.describe_service()
        tasks = []
        for some in hundreds(arns):
            tasks += self.tasks_from(ecs.describe_tasks(client, self.name.cluster, some, self.propagates_tags))
        return tasks

    def tasks_from(self, answers: Sequence[Mapping[str, Any]]) -> list[Task]:
        """What ``describe_tasks`` returns, from boto3's tasks of this service."""
        self._aliases.update(ecs_shapes.aliases(answers))
        found = [(answer, self._balancers_of(answer)) for answer in answers]
        hosts = ecs_shapes.hosts_to_look_up(found) - self._instance_ids.keys()
        for unknown in hundreds(sorted(hosts)):
            self._instance_ids.update(ecs.instance_ids(self._client("ecs"), self.name.cluster, unknown))
        return [ecs_shapes.task(answer, balancers, self._instance_ids) for answer, balancers in found]

    def has_health_check(self, revision: str) -> bool:
        return ecs_shapes.has_health_check(self._containers(revision))

    def fixed_images(self, revision: str) -> frozenset[str]:
        return ecs_shapes.fixed_images(self._containers(revision))

    def find_image(self, image: RegistryImage) -> FoundImage | None:
        client = self._client("ecr")
        if image.region != client.meta.region_name:
            raise CallFailed("DescribeImages", "AnotherRegion", f"{image.repository} lies in {image.region}")
        return ecr.find_image(client, image)

    def secrets_changed_at(self, revision: str) -> float:
        named = names_in(self._containers(revision))
        if not named:
            raise Refused(
                f"secrets_changed: task definition {revision} names no secret, no parameter and no environment file,"
                " so no change of one can make a task stale. Use another selector"
            )
        return max(self._changed_at(each) for each in named)

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
            return None if instances is None else ecs_shapes.targets(instances.items())
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
        return ecs_shapes.targets((self._named_by_task(target), said) for target, said in found)

    def protected_until(self, arns: Iterable[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for some in hundreds(arns):
            until = ecs.protected_until(self._client("ecs"), self.name.cluster, some)
            found.update({arn: end for arn, end in until.items() if end > self.now()})
        return found

    def scaling(self) -> Scaling | None:
        client = self._client("application-autoscaling")
        return application_autoscaling.scaling(client, self.name.cluster, self.name.service)

    # Changing.

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

    # What the above need.

    def _balancers_of(self, task: Mapping[str, Any]) -> tuple[ecs_shapes.Balancer, ...]:
        """Those of the service, with the ports that the task's own revision gives to names."""
        balancers = self._balancers or ()
        if not any(balancer.port_name for balancer in balancers):
            return balancers
        containers = self._containers(task["taskDefinitionArn"])
        return tuple(ecs_shapes.with_port(balancer, containers) for balancer in balancers)

    def _named_by_task(self, target: str) -> str:
        """A task that has addresses of both kinds is named by that of IPv4, whichever its target group wants."""
        address, _colon, port = target.rpartition(":")
        return f"{self._aliases[address]}:{port}" if address in self._aliases else target

    def _changed_at(self, named: Named) -> float:
        here = self._client("ecs").meta.region_name
        if named.region not in ("", here):
            raise Refused(
                f"secrets_changed: {named.name} is in {named.region}, but the module can only check the region of the"
                f" service, {here}. Use started_before with the instant of the change instead"
            )
        if named.service == "secretsmanager":
            return secrets.secret_changed_at(self._client("secretsmanager"), named.name)
        if named.service == "s3":
            bucket, _slash, key = named.name.partition("/")
            return secrets.file_changed_at(self._client("s3"), bucket, key)
        for changed in secrets.parameter_changes(self._client("ssm"), named.name):
            return changed
        raise Refused(
            f"secrets_changed: the task definition names the parameter {named.name}, which Systems Manager does not"
            " have. New tasks could not start either. Create it, or give the service a revision without it"
        )

    def _check(self, what: str, wanted: str | None, found: str) -> None:
        """Names are sent, not ARNs: a service of the same name elsewhere must not be taken for the one meant."""
        if wanted not in (None, found):
            raise Refused(
                f"The ARN of service {self.name.service} names the {what} {wanted}, but region and credentials belong"
                f" to {found}. Use the region and credentials of that service"
            )

    def _in_use(self, found: ecs_shapes.DescribedService) -> tuple[ecs_shapes.Balancer, ...]:
        """The load balancers that the tasks are registered in now.

        Blue/green: which target group of each pair. No load balancer: ECS may have made one, for an Express service
        or through ECS Gateway, and only the service revision tells (API model).
        """
        arn, balancers = _telling_revision(found), found.balancers
        if not arn:
            return balancers
        try:
            used = ecs_shapes.in_use(balancers, self._revision(arn))
        except CallFailed as failure:
            if balancers or not is_denied(failure.code):
                raise
            self._revisions[arn], used, self._denied = ecs_shapes.Revision(), (), failure
        # Its own ARN stands for the target group that an Express service must have and that nothing names.
        return (ecs_shapes.Balancer(arn, "", 0),) if found.managed and not used else used

    def unknown_revision(self, found: ecs_shapes.DescribedService) -> str | None:
        """ARN of the service revision that has to be asked for to make a ``Service`` of the answer."""
        arn = _telling_revision(found)
        return None if arn in self._revisions else arn

    def know_revision(self, arn: str, revision: ecs_shapes.Revision) -> None:
        """Take what somebody else has asked for."""
        self._revisions[arn] = revision

    def _revision(self, arn: str) -> ecs_shapes.Revision:
        # It never changes.
        if arn not in self._revisions:
            self._revisions[arn] = ecs.service_revision(self._client("ecs"), arn)
        return self._revisions[arn]

    def _hold(self, found: ecs_shapes.DescribedService) -> Hold | None:
        """Where the deployment under way stands. One that has ended is not asked for again."""
        deployment = found.service_deployment
        if not deployment or deployment == self._ended:
            return None
        hold = ecs.deployment_hold(self._client("ecs"), deployment)
        if hold is None:
            self._ended = deployment
        return hold

    def _known_arn(self) -> str:
        if self._arn is None:
            self.describe_service()
        if self._arn is None:
            raise Refused(f"The cluster {self.name.cluster} has no service {self.name.service}")
        return self._arn


def _telling_revision(found: ecs_shapes.DescribedService) -> str | None:
    """ARN of the service revision that tells which load balancers are in use; None where the service itself does."""
    balancers = found.balancers
    told = balancers and not any(balancer.alternate for balancer in balancers)
    return None if told else found.service_revision
