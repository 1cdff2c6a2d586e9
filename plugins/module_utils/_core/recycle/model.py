# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""A service and its tasks as the recycle sees them. All instants are epoch seconds of AWS's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

RUNNING = "RUNNING"


@dataclass(frozen=True)
class Task:
    """One task, from DescribeTasks."""

    arn: str
    created_at: float
    status: str  # lastStatus
    stopping: bool  # desiredStatus is STOPPED: nothing brings it back
    started_at: float | None = None  # when it reached RUNNING
    health: str = "UNKNOWN"  # of its containers: HEALTHY, UNHEALTHY or UNKNOWN
    revision: str = ""  # ARN of the task definition
    started_by: str = ""  # id of the deployment or task set that launched it
    stop_code: str | None = None
    stopped_reason: str | None = None  # with the reasons of its containers
    zone: str | None = None
    capacity_provider: str | None = None
    launch_type: str | None = None
    on_instance: bool = False  # holds CPU, memory and ports of a container instance until it has stopped
    images: tuple[tuple[str, str], ...] = ()  # of its containers: the name in the task definition, and the digest
    # Member of Service.target_groups -> "address:port", or the instance for a Classic Load Balancer.
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marks: tuple[str, ...] = ()  # keys of our tags on the task, if the service propagates its tags

    @cached_property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[-1]

    @property
    def running(self) -> bool:
        return self.status == RUNNING and not self.stopping


@dataclass(frozen=True)
class Targets:
    """The targets of one target group or load balancer, by their names as in ``Task.targets``."""

    states: Mapping[str, str]  # healthy, initial, unhealthy and so on, as Elastic Load Balancing calls them
    reasons: Mapping[str, str] = field(default_factory=dict)  # why, for targets whose load balancer gives a reason


@dataclass(frozen=True)
class Event:
    """One service event. ECS keeps the newest hundred."""

    id: str
    at: float
    message: str


@dataclass(frozen=True)
class Deployment:
    """A deployment or, with the controllers CODE_DEPLOY and EXTERNAL, a task set that is not draining."""

    id: str  # as in ``started_by`` of its tasks
    status: str  # PRIMARY or ACTIVE
    rollout: str = ""  # IN_PROGRESS, COMPLETED or FAILED; ECS reports it for rolling deployments only
    created_at: float = 0.0


@dataclass(frozen=True)
class Hold:
    """The state of a deployment in progress, from DescribeServiceDeployments."""

    status: str  # such as IN_PROGRESS or ROLLBACK_IN_PROGRESS
    stage: str = ""  # of its lifecycle
    hook: str = ""  # id of the PAUSE hook that waits for an answer
    hook_until: float | None = None  # AWS instant at which ECS answers the hook itself
    hook_then: str = ""  # that answer: CONTINUE or ROLLBACK


@dataclass(frozen=True)
class Service:
    """One service, from DescribeServices with its tags."""

    arn: str
    cluster: str  # name
    name: str
    status: str
    desired: int
    running: int
    pending: int
    revision: str  # ARN of the task definition that new tasks get
    daemon: bool = False
    computed: int | None = (
        None  # tasks that the PRIMARY task set must have; None if its scale is 100 %, or if it has none
    )
    controller: str = "ECS"  # or CODE_DEPLOY or EXTERNAL
    deployments: tuple[Deployment, ...] = ()  # PRIMARY first
    revisions: int = 1  # service revisions that have tasks or want some
    hold: Hold | None = None  # of a blue/green, linear or canary deployment in progress
    maximum_percent: int = 200
    capacity_providers: tuple[str, ...] = ()  # of its strategy; empty with a launch type
    # Where tasks are registered: ARNs of target groups (including VPC Lattice), names of Classic Load Balancers.
    target_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    propagates_tags: bool = False  # ECS copies the service's tags to each task, once, at its launch
    events: tuple[Event, ...] = ()  # newest first

    @property
    def short_arn(self) -> bool:
        """Return whether the ARN has the format from before 2019, with which a service cannot have tags."""
        return self.arn.split(":", 5)[-1].count("/") < 2

    @property
    def wanted(self) -> int:
        """Return how many tasks ECS must run for the PRIMARY deployment or task set."""
        return self.desired if self.computed is None else self.computed

    @property
    def grows(self) -> bool:
        """Return whether a run may add tasks.

        The count of a DAEMON service follows its instances. With a scale other than 100 %, the desired count is not the
        number of tasks: maybe no value adds exactly one task, and none is certain to restore the earlier number.
        """
        return not self.daemon and self.computed is None

    @property
    def primary(self) -> str:
        """Return the id of the deployment or task set that new tasks belong to; empty if there is none."""
        return next((each.id for each in self.deployments if each.status == "PRIMARY"), "")

    @property
    def deployed_at(self) -> float:
        """Return when the PRIMARY deployment or task set was created: none of its tasks is older."""
        return next((each.created_at for each in self.deployments if each.status == "PRIMARY"), 0.0)

    @property
    def failed(self) -> bool:
        """Return whether the PRIMARY deployment has failed and is not rolled back. It launches no more tasks.

        Source: API model, Deployment.rolloutState.
        """
        return any(each.status == "PRIMARY" and each.rollout == "FAILED" for each in self.deployments)

    @property
    def deploying(self) -> bool:
        """Return whether a deployment is in progress, with any controller and strategy."""
        under_way = any(each.rollout == "IN_PROGRESS" for each in self.deployments)
        return len(self.deployments) > 1 or self.revisions > 1 or self.hold is not None or under_way


@dataclass(frozen=True)
class RegistryImage:
    """An image in a private registry of Amazon ECR, by tag or by digest."""

    account: str
    region: str
    repository: str
    tag: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class FoundImage:
    """An image in ECR. ``for_several``: a list of one per architecture; a task may name its digest or theirs."""

    digest: str
    for_several: bool = False


@dataclass(frozen=True)
class Scaling:
    """A scalable target. Its switches are true when suspended, and have the names that the option uses."""

    dynamic_in: bool = False
    dynamic_out: bool = False
    scheduled: bool = False
    minimum: int = 0
    maximum: int = 2**31

    def as_dict(self) -> dict[str, bool]:
        return {"dynamic_in": self.dynamic_in, "dynamic_out": self.dynamic_out, "scheduled": self.scheduled}

    def with_flags(self, names: tuple[str, ...], value: bool) -> Scaling:
        return replace(self, **dict.fromkeys(names, value))


SCALING_FLAGS = ("dynamic_in", "dynamic_out", "scheduled")
