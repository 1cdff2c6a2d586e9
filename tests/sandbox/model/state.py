# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Immutable values that the cluster returns from reads. Instants are epoch seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")


class SandboxError(Exception):
    """An error that AWS returns."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class TaskState(NamedTuple):
    arn: str
    cluster: str
    service: str  # name; "" for a task of RunTask
    task_definition: str
    deployment: str  # startedBy
    created_at: float
    started_at: float | None
    stopping_at: float | None
    stopped_at: float | None
    last_status: str
    desired_status: str
    health: str
    stop_code: str | None
    stopped_reason: str | None
    exit_code: int | None
    zone: str
    launch_type: str
    capacity_provider: str | None
    instance: int | None  # number of the container instance, EC2 only
    address: str  # IP address, or instance id for EC2
    port: int
    targets: Mapping[str, tuple[str, ...]]  # target group ARN -> "address:port"
    version: int = 1  # counts changes of the two statuses
    updated_at: float | None = None  # the last of these changes
    containers: Mapping[str, Mapping[str, Any]] = {}  # name -> exit_code, reason, if they differ from the task's
    reason: str | None = None  # of every other container
    ipv6: str = ""
    tags: Mapping[str, str] = {}
    connected: bool = True  # to the agent of its instance


class DeploymentState(NamedTuple):
    id: str
    status: str  # PRIMARY or ACTIVE
    rollout_state: str
    task_definition: str
    desired: int
    running: int
    pending: int
    created_at: float
    failed: int = 0  # tasks
    target_groups: tuple[str, ...] = ()
    reason: str = ""  # of the rollout state, if it is not the usual one


class TaskSetState(NamedTuple):
    """A task set (API model: TaskSet)."""

    id: str
    status: str  # PRIMARY, ACTIVE or DRAINING
    task_definition: str
    desired: int = 0
    running: int = 0
    pending: int = 0
    created_at: float = 0.0
    scale: float = 100.0  # percent of the service's desired count
    target_groups: tuple[str, ...] = ()
    stability: str = "STEADY_STATE"
    external_id: str = ""
    started_by: str = ""  # CODE_DEPLOY or ""


class RolloutState(NamedTuple):
    """A service deployment, as the API calls it: one change of a service from one revision to another."""

    id: str
    target: str  # id of a deployment
    sources: tuple[str, ...]
    status: str
    reason: str
    created_at: float
    finished_at: float | None
    stage: str
    weight: float  # percent of production traffic that the target has
    hook: Any  # the hook that it waits for
    rollback: str  # id of the deployment that it goes back to
    rollback_at: float | None
    rollback_reason: str
    failed: int


class EventState(NamedTuple):
    id: str
    created_at: float
    message: str


class ServiceState(NamedTuple):
    arn: str
    cluster: str
    name: str
    status: str
    desired: int
    running: int
    pending: int
    task_definition: str
    scheduling: str  # REPLICA or DAEMON
    controller: str
    created_at: float
    deployments: tuple[DeploymentState, ...]
    task_sets: tuple[TaskSetState, ...]
    events: tuple[EventState, ...]  # newest first, at most a hundred
    tags: Mapping[str, str]
    maximum_percent: int
    minimum_healthy_percent: int
    target_groups: tuple[str, ...]
    launch_type: str
    capacity_provider: str | None
    health_check: bool
    strategy: str = "ROLLING"
    alternates: Mapping[str, str] = {}  # target group -> the one it is swapped with
    rollouts: tuple[RolloutState, ...] = ()  # newest first
    bake: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()
    hooks: tuple[Any, ...] = ()
    classic: tuple[str, ...] = ()  # names of Classic Load Balancers
    lattice: tuple[str, ...] = ()  # ARNs of VPC Lattice's target groups
    port: int = 80  # of the container
    propagate_tags: str = "NONE"
    az_rebalancing: bool = False


class ScalingState(NamedTuple):
    """A scalable target. The flags are true when suspended."""

    minimum: int
    maximum: int
    dynamic_in: bool = False
    dynamic_out: bool = False
    scheduled: bool = False


class Change(NamedTuple):
    """One line of the journal: the counts of a service after one of them changed."""

    time: float
    service: str
    healthy: int
    running: int
    pending: int
    desired: int
    cause: str


class Occurrence(NamedTuple):
    """Something that ECS reports about a service or a deployment, by AWS's name for it."""

    time: float
    service: str  # ARN
    cluster: str
    name: str  # SERVICE_STEADY_STATE, SERVICE_DEPLOYMENT_FAILED, ...
    reason: str = ""
    deployment: str = ""  # id; "" if it concerns the service itself
