# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service, and how the scheduler of ECS manages its tasks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from . import deployments, tasks
from .deployments import Deployment, Hook, Rollout
from .state import DeploymentState, EventState, RolloutState, ServiceState, TaskSetState, TaskState
from .tasks import CLASSIC, Task

if TYPE_CHECKING:
    from .scheduler import Cluster

IMPAIRED_AFTER = 3  # rounds of failed launches
STANDALONE = "STANDALONE"  # status of the placeholder service that holds RunTask's tasks: nothing is replaced


class Snapshot(NamedTuple):
    """The stale state that reads return until ``until``, because they do not see a write yet."""

    until: float
    service: ServiceState
    listed: tuple[TaskState, ...]
    tasks: dict[str, TaskState]
    protected: Mapping[str, float]  # ARN -> until when


@dataclass(eq=False)
class Service:
    arn: str
    cluster: str
    name: str
    desired: int
    task_definition: str
    created_at: float
    health_check: bool = False
    target_groups: tuple[str, ...] = ()
    daemon: bool = False
    controller: str = "ECS"
    maximum_percent: int = 200
    minimum_healthy_percent: int = 100
    launch_type: str = "FARGATE"
    capacity_provider: str | None = None
    network_mode: str = "awsvpc"
    port: int = 80  # of the container, and of its target except in the network mode bridge
    ipv6: str = ""  # IPv6 addresses of its tasks' interfaces: see create_service
    classic: tuple[str, ...] = ()  # names of Classic Load Balancers
    lattice: tuple[str, ...] = ()  # ARNs of VPC Lattice's target groups
    room: int | None = None  # tasks that fit at once, including those still stopping
    grows_after: float | None = None  # seconds from a failed placement until there is room (managed scaling)
    growing: bool = False
    all_events: bool = False  # write every event of ECS, and do not repeat one while its cause lasts
    told: dict[str, float] = field(default_factory=dict)  # event whose cause still lasts -> when ECS last wrote it
    az_rebalancing: bool = False
    next_zone: str = ""  # where rebalancing starts its next task
    circuit_breaker: bool = False  # a deployment fails when too many of its tasks do
    rollback: bool = False
    last_good: str = ""  # task definition of the last deployment that was completed
    status: str = "ACTIVE"
    propagate_tags: str = "NONE"  # SERVICE: copied to tasks at their launch
    tags: dict[str, str] = field(default_factory=dict)
    deployments: list[Deployment] = field(default_factory=list)
    strategy: str = "ROLLING"  # of the controller ECS
    alternates: dict[str, str] = field(default_factory=dict)  # target group -> the one it is swapped with
    bake: float = 0.0  # seconds for which both revisions run after the traffic has shifted
    steps: tuple[tuple[float, float], ...] = ()  # LINEAR, CANARY: percent of traffic, and seconds until the next
    hooks: tuple[Hook, ...] = ()
    rollouts: list[Rollout] = field(default_factory=list)  # newest first
    shows_rollout_state: bool = False  # of a native blue/green service
    names_declared_groups: bool = False  # the service always names the same target groups, whichever are in use
    declared_groups: tuple[str, ...] = ()
    events: deque[EventState] = field(default_factory=lambda: deque(maxlen=100))
    live: dict[str, Task] = field(default_factory=dict)  # desiredStatus RUNNING
    leaving: dict[str, Task] = field(default_factory=dict)  # desiredStatus STOPPED, not yet STOPPED
    stopped: dict[str, Task] = field(default_factory=dict)
    bad: dict[str, Task] = field(default_factory=dict)  # the live tasks that must be replaced
    running: int = 0
    pending: int = 0
    healthy: int = 0
    noted: tuple[int, int, int, int] | None = None  # counts in the last line of the journal
    desired_by: str = ""
    steady: bool = True
    look_at: float | None = None  # when the scheduler looks at it next
    round: int = 0  # of launches
    failed_round: int = 0
    failures: int = 0  # rounds that failed since a task reached RUNNING
    refusals: int = 0  # placements refused in a row, in full or in part
    retry_at: float = 0.0
    lost: list[str] = field(default_factory=list)  # deployments whose tasks ended during a rolling deployment
    stale: deque[Snapshot] = field(default_factory=deque)

    @property
    def primary(self) -> Deployment:
        return self.deployments[0]

    @property
    def by_parts(self) -> bool:
        """Whether each deployment or task set has its own tasks and count, instead of taking over from another."""
        return self.controller != "ECS" or self.strategy != "ROLLING"

    @property
    def wanted(self) -> int:
        """Number of tasks that run when nothing is left to do."""
        return sum(each.wanted(self.desired) for each in self.deployments) if self.by_parts else self.desired

    def groups_of(self, deployment: Deployment) -> tuple[str, ...]:
        return self.target_groups if deployment.target_groups is None else deployment.target_groups

    def places_of(self, deployment: Deployment) -> tuple[str, ...]:
        """Return where a task is registered: target groups of any kind, and ``classic/<name>``."""
        return (*self.groups_of(deployment), *(f"{CLASSIC}{name}" for name in self.classic), *self.lattice)

    @property
    def rolling(self) -> bool:
        return any(deployment.rollout_state == "IN_PROGRESS" for deployment in self.deployments)

    def event(self, cluster: Cluster, message: str, task_set: str = "") -> None:
        whose = f"{self.name}, taskSet {task_set}" if task_set else self.name
        text = message if message.startswith("IAM ") else f"(service {whose}) {message}"  # this one names no service
        self.events.appendleft(EventState(cluster.uuid(), cluster.now, text))

    def event_once(self, cluster: Cluster, message: str) -> None:
        """Write an event, unless ECS wrote it less than six hours ago and its cause has lasted since.

        Source: developer guide on service event messages: ECS omits repetitions for that long.
        """
        since = self.told.get(message)
        if since is None or since <= cluster.now - cluster.latencies.event_repeat:
            self.told[message] = cluster.now
            self.event(cluster, message)

    def complain(self, cluster: Cluster, message: str) -> None:
        """Write an event about an obstacle. Without ``all_events`` it is repeated each time, unlike in real ECS."""
        if self.all_events:
            self.event_once(cluster, message)
        else:
            self.event(cluster, message)

    def name_tasks(self, cluster: Cluster, verb: str, noun: str, named: list[Task], tail: str = "") -> None:
        """Write events that name the tasks, ten to an event as ECS does."""
        for first in range(0, len(named), 10):
            some = named[first : first + 10]
            tasks = " ".join(f"(task {task.id})" for task in some)
            self.event(cluster, f"has {verb} {len(some)} {noun}: {tasks}.{tail}")

    def detail(self, cluster: Cluster, message: str) -> None:
        """Write an event only if ``all_events`` is set."""
        if self.all_events:
            self.event(cluster, message)

    def failed_launch(self, cluster: Cluster, task: Task) -> None:
        """Apply the retry throttle of ECS: the delay doubles with every round in which a task failed to start."""
        if task.round <= self.failed_round:
            return
        self.failed_round, self.failures = task.round, self.failures + 1
        delay = min(cluster.latencies.retry_max, cluster.latencies.reaction * 2 ** (self.failures - 1))
        self.retry_at = cluster.now + delay
        if self.failures >= IMPAIRED_AFTER:
            self.complain(cluster, "is unable to consistently start tasks successfully.")
            cluster.tell(self, "SERVICE_TASK_START_IMPAIRED")

    def failed_task(self, cluster: Cluster, task: Task) -> None:
        """Count a deployment's task that failed to start or failed its checks, for the circuit breaker."""
        found = next((each for each in self.deployments if each.id == task.deployment), None)
        if found is None:
            return
        found.failed += 1
        threshold = min(max(3, math.ceil(self.desired / 2)), 200)
        breaks = self.circuit_breaker and found is self.primary and found.rollout_state == "IN_PROGRESS"
        if not breaks or found.failed < threshold:
            return
        deployments.fail(cluster, self, "ECS deployment circuit breaker: tasks failed to start.", self.rollback)

    def state(self) -> ServiceState:
        own = self.controller == "ECS"
        return ServiceState(
            self.arn, self.cluster, self.name, self.status, self.desired, self.running, self.pending,
            self.task_definition, "DAEMON" if self.daemon else "REPLICA", self.controller, self.created_at,
            tuple(self.deployment_states()) if own else (), () if own else tuple(self.task_set_states()),
            tuple(self.events), dict(self.tags), self.maximum_percent, self.minimum_healthy_percent, self.named_groups,
            self.launch_type, self.capacity_provider, self.health_check, self.strategy, dict(self.alternates),
            tuple(self.rollout_states()) if own else (), self.bake, self.steps, self.hooks, self.classic, self.lattice,
            self.port, self.propagate_tags, self.az_rebalancing,
        )  # fmt: skip

    @property
    def named_groups(self) -> tuple[str, ...]:
        """The target groups that DescribeServices names."""
        return self.declared_groups if self.names_declared_groups else self.target_groups

    def counts_of(self, deployment: Deployment) -> tuple[int, int, int]:
        """Return the numbers of running, pending and healthy tasks of a deployment or task set."""
        if len(self.deployments) == 1:
            return self.running, self.pending, self.healthy
        held = (*self.live.values(), *self.leaving.values())
        counts = [task.counted for task in held if task.deployment == deployment.id]
        return sum(c[0] for c in counts), sum(c[1] for c in counts), sum(c[2] for c in counts)

    def steady_part(self, deployment: Deployment) -> bool:
        """Return whether a part is in STEADY_STATE (API model: TaskSet.stabilityStatus)."""
        return self.counts_of(deployment) == (deployment.wanted(self.desired), 0, deployment.wanted(self.desired))

    def deployment_states(self) -> Iterable[DeploymentState]:
        native = self.strategy != "ROLLING"
        # API model, Deployment.rolloutState: only rolling deployments without a Classic Load Balancer have it. But the
        # log of a deployment in kayac/ecspresso#860 shows it for a BLUE_GREEN service.
        hidden = (native and not self.shows_rollout_state) or bool(self.classic)
        for each in self.deployments:
            running, pending, _healthy = self.counts_of(each)
            desired = self.desired if each.status == "PRIMARY" else 0
            yield DeploymentState(
                each.id, each.status, "" if hidden else each.rollout_state,
                each.task_definition, each.wanted(self.desired) if native else desired, running, pending,
                each.created_at, each.failed, self.groups_of(each), each.reason,
            )  # fmt: skip

    def task_set_states(self) -> Iterable[TaskSetState]:
        for each in self.deployments:
            running, pending, _healthy = self.counts_of(each)
            yield TaskSetState(
                each.id, each.status, each.task_definition, each.wanted(self.desired), running, pending,
                each.created_at, each.scale, self.groups_of(each),
                "STEADY_STATE" if self.steady_part(each) else "STABILIZING", each.external_id,
                "CODE_DEPLOY" if self.controller == "CODE_DEPLOY" else "",
            )  # fmt: skip

    def rollout_states(self) -> Iterable[RolloutState]:
        for each in self.rollouts:
            yield RolloutState(
                each.id, each.target.id, tuple(source.id for source in each.sources), each.status, each.reason,
                each.created_at, each.finished_at, each.stage, each.weight, each.hook,
                each.rollback_to.id if each.rollback_to else "", each.rollback_at, each.rollback_reason,
                each.target.failed,
            )  # fmt: skip


def look(cluster: Cluster, service: Service) -> None:
    """Let the scheduler look at a service once and act."""
    if service.status == STANDALONE:
        return
    if service.status != "ACTIVE":
        drain(cluster, service)
    elif service.daemon:
        fill_instances(cluster, service)
    elif service.by_parts:
        for part in list(service.deployments):
            balance(cluster, service, part)
        deployments.step(cluster, service)
    elif service.rolling:
        roll(cluster, service)
    elif service.primary.rollout_state == "FAILED":
        return  # nothing is started until the next deployment
    else:
        balance(cluster, service)
    settled = service.running == service.wanted == len(service.live) and not service.pending and not service.bad
    if settled:
        service.told.clear()  # nothing is missing, so all obstacles are gone
    if settled and not service.steady and not service.rolling:
        service.steady = True
        service.event(cluster, "has reached a steady state.")
        cluster.tell(service, "SERVICE_STEADY_STATE")


def balance(cluster: Cluster, service: Service, part: Deployment | None = None) -> None:
    """Launch missing tasks, stop surplus ones, replace unhealthy ones.

    ``part``: only in this deployment or task set, whose stopped tasks are replaced with its own.
    """
    live, bad, desired, healthy = service.live, service.bad, service.desired, service.healthy
    if part is not None:
        live = {arn: task for arn, task in live.items() if task.deployment == part.id}
        bad = {arn: task for arn, task in bad.items() if task.deployment == part.id}
        desired, healthy = part.wanted(desired), sum(task.healthy for task in live.values())
    missing = desired - (len(live) - len(bad))
    room = max(desired, desired * service.maximum_percent // 100) - len(live)
    if missing > 0 and room > 0:
        start(cluster, service, min(missing, room), of=part)
    elif missing < 0:
        shrink(cluster, service, -missing, part)
    # Start a task first, then stop the old one. If there is no room for that, stop one first.
    too_many = healthy + sum(not task.healthy for task in bad.values()) - desired
    excess = 1 if missing > 0 and room <= 0 and bad else min(too_many, len(bad))
    for task in list(bad.values())[: max(0, excess)]:
        withdraw(cluster, service, [task], task.failed or "Task failed health checks", "unhealthy")


def start(
    cluster: Cluster, service: Service, count: int, instances: list[int] | None = None, of: Deployment | None = None
) -> None:
    """Create tasks of a deployment (default: PRIMARY), unless there is no room or ECS delays the next launch."""
    if cluster.now < service.retry_at:
        return cluster.poke(service, service.retry_at - cluster.now)
    count = placed(cluster, service, count)
    if count <= 0:
        return None
    service.told.clear()  # all obstacles are gone
    service.round += 1
    made = [
        cluster.create_task(service, of or service.primary, cluster.now, instances[number] if instances else None)
        for number in range(count)
    ]
    service.steady = False
    zone, service.next_zone = service.next_zone, ""
    for task in made:
        task.zone = zone or task.zone
        tasks.launch(cluster, task)
        cluster.changed(task, "launch")
    if not cluster.faults.find("events_lost", service.name):
        tell_of_start(cluster, service, made, zone)
    return None


def placed(cluster: Cluster, service: Service, count: int) -> int:
    """Return how many of ``count`` tasks can be started now. ECS writes an event about the others."""
    if refused := cluster.faults.strike("start_refused", service.name):
        refuse(cluster, service, refused.reason)
        return 0
    full, wanted = False, count
    if service.room is not None:
        free = service.room - len(service.live) - len(service.leaving)
        full, wanted = free < count, min(count, free)
    if not full and not cluster.faults.strike("no_room", service.name):
        service.refusals = 0
        return wanted
    refuse(cluster, service)
    if full and service.grows_after is not None and not service.growing:
        service.growing = True
        cluster.at(service.grows_after, grow, cluster, service)
    return wanted if full else 0


def tell_of_start(cluster: Cluster, service: Service, made: list[Task], zone: str) -> None:
    instead = min(len(made), len(service.bad))
    if zone:
        named = " ".join(f"(task {task.id})" for task in made)
        service.event(cluster, f"has started {len(made)} tasks in {zone} to AZ Rebalance: {named}.")
    elif service.all_events and instead:
        tail = f" Amazon ECS replaced {instead} tasks due to an unhealthy status."
        service.name_tasks(cluster, "started", "tasks", made, tail)
    else:
        service.name_tasks(cluster, "started", "tasks", made)


def grow(cluster: Cluster, service: Service) -> None:
    """Add room for tasks that could not be placed, as managed scaling does (guide on cluster auto scaling: minutes)."""
    service.growing = False
    missing = service.wanted - len(service.live)
    service.room = max(service.room or 0, len(service.live) + len(service.leaving) + max(0, missing))
    cluster.poke(service, 0.0)


# Reasons for starting nothing: ECS's texts in a service's events, captured in public in 2026 or documented.
REFUSALS = {
    "role": (
        "failed to launch a task with (error ECS was unable to assume the role "
        "'arn:aws:iam::123456789012:role/task' that was provided for this task. Please verify that the role being "
        "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this "
        "role.)."
    ),
    "blocked": "was unable to place a task because your account is currently blocked.",
    "gpu": "was unable to place a task. Reason: TaskFailedToStart: RESOURCE:GPU.",
    "capacity": (
        "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
        "different availability zone."
    ),
    "instance": "was unable to place a task because no container instance met all of its requirements.",
    "cpu": (
        "was unable to place a task because no container instance met all of its requirements. The closest matching "
        "container-instance i-0a1b2c has insufficient CPU units available."
    ),
    "pull": (
        "was unable to place a task. Reason: CannotPullContainerError: pull image manifest has been retried 7 times."
    ),
    "inconsistent": "is unable to consistently start tasks successfully.",
    "throttled": "operations are being throttled. Will try again later.",
    "iam": "IAM permissions policies have been misconfigured or changed, and ECS can no longer maintain your service",
}


def refuse(cluster: Cluster, service: Service, why: str = "") -> None:
    """Start no task; retry later. ``why``: a key of REFUSALS, or a text. The documented IAM text names no service."""
    text = REFUSALS.get(why, why) or REFUSALS["capacity" if service.launch_type == "FARGATE" else "instance"]
    service.complain(cluster, text)
    service.refusals += 1
    reason = "RESOURCE:FARGATE" if service.launch_type == "FARGATE" else "RESOURCE:CPU"
    cluster.tell(service, "SERVICE_TASK_PLACEMENT_FAILURE", reason)
    delay = min(cluster.latencies.retry_max, cluster.latencies.reaction * 2 ** min(service.refusals, 5))
    cluster.poke(service, delay)


def withdraw(cluster: Cluster, service: Service, chosen: list[Task], reason: str, cause: str) -> None:
    for task in chosen:
        tasks.stop(cluster, task, "ServiceSchedulerInitiated", reason, cause)
    if chosen:
        service.steady = False
        service.name_tasks(cluster, "stopped", "running tasks", chosen)


def shrink(cluster: Cluster, service: Service, count: int, part: Deployment | None = None) -> None:
    """Scale in no better than ECS promises: stop tasks that do not run yet, then random ones, healthy or not."""
    of = part or service.primary
    good = [task for task in service.live.values() if task.arn not in service.bad]
    if part is not None:
        good = [task for task in good if task.deployment == part.id]
    starting = [task for task in good if task.last_status != "RUNNING"]
    free = [t for t in good if t.last_status == "RUNNING" and t.protected_until <= cluster.now]
    chosen = starting[-count:]
    if part is not None and len(chosen) + len(free) < count:
        protected = [task.protected_until for task in good if task.protected_until > cluster.now]
        why = f"(taskSet {of.id}) was unable to scale in due to (reason {len(protected)} tasks under protection)"
        service.event_once(cluster, f"was unable to reach steady state because {why}")
        cluster.poke(service, min(protected) - cluster.now)
    chosen += cluster.random.sample(free, min(len(free), count - len(chosen)))
    reason = f"Scaling activity initiated by (deployment {of.id})"
    cause = f"scale-in after {service.desired_by}" if of.scale == 100 else "deployment"
    withdraw(cluster, service, chosen, reason, cause)


def roll(cluster: Cluster, service: Service) -> None:
    """Take one step of a rolling deployment, within the minimum and maximum percentages."""
    primary, live = service.primary, list(service.live.values())
    new = [task for task in live if task.deployment == primary.id]
    old = [task for task in live if task.deployment != primary.id]
    if not old and len(new) == service.desired == service.healthy:
        primary.rollout_state = "COMPLETED"
        del service.deployments[1:]
        deployments.completed(cluster, service)
        service.event(cluster, f"(deployment {primary.id}) deployment completed.")
        cluster.tell(service, "SERVICE_DEPLOYMENT_COMPLETED", f"ECS deployment {primary.id} completed.", primary.id)
        return
    upper = max(1, service.desired * service.maximum_percent // 100)
    replace_lost(cluster, service, upper)
    lower = math.ceil(service.desired * service.minimum_healthy_percent / 100)
    sick = sorted(old, key=lambda task: task.healthy)
    spare = service.healthy - lower
    for task in sick:
        if cluster.waits_for_protected and task.protected_until > cluster.now:
            cluster.poke(service, task.protected_until - cluster.now)
            continue
        if task.healthy and spare <= 0:
            break
        spare -= task.healthy
        withdraw(cluster, service, [task], f"Scaling activity initiated by (deployment {primary.id})", "deployment")
    for task in [t for t in new if t.failed]:
        withdraw(cluster, service, [task], task.failed or "", "unhealthy")
        service.failed_task(cluster, task)
    new = [task for task in new if task.desired_status == "RUNNING"]
    if len(new) > service.desired:
        # During a deployment, the minimum healthy percentage also applies when surplus tasks are stopped.
        unready = sum(not task.healthy for task in new)
        surplus = min(len(new) - service.desired, unready + max(0, spare))
        reason = f"Scaling activity initiated by (deployment {primary.id})"
        withdraw(cluster, service, sorted(new, key=lambda task: task.healthy)[:surplus], reason, "deployment")
    elif len(new) < service.desired:
        start(cluster, service, min(service.desired - len(new), max(0, upper - len(service.live))))


def replace_lost(cluster: Cluster, service: Service, upper: int) -> None:
    """Replace old tasks that ended during a rolling deployment with tasks of the same revision.

    AWS, "What's new", November 2025. The model does this only with ``own_revision``.
    """
    lost, service.lost = service.lost, []
    for old in service.deployments[1:]:
        count = min(lost.count(old.id), upper - len(service.live))
        if count > 0:
            start(cluster, service, count, of=old)


def fill_instances(cluster: Cluster, service: Service) -> None:
    """Keep one task of a DAEMON service on every instance. A new one starts when the old one has gone."""
    if service.rolling:
        old = [task for task in service.live.values() if task.deployment != service.primary.id]
        if old and len(service.live) == service.desired:
            withdraw(
                cluster,
                service,
                old[:1],
                f"Scaling activity initiated by (deployment {service.primary.id})",
                "deployment",
            )
        elif not old and service.healthy == service.desired:
            service.primary.rollout_state = "COMPLETED"
            del service.deployments[1:]
            deployments.completed(cluster, service)
            done = service.primary.id
            cluster.tell(service, "SERVICE_DEPLOYMENT_COMPLETED", f"ECS deployment {done} completed.", done)
    for task in list(service.bad.values()):
        withdraw(cluster, service, [task], task.failed or "Task failed health checks", "unhealthy")
    taken = {task.instance for task in (*service.live.values(), *service.leaving.values())}
    free = [number for number in range(service.desired) if number not in taken]
    if free:
        start(cluster, service, len(free), free)


def drain(cluster: Cluster, service: Service) -> None:
    withdraw(cluster, service, list(service.live.values()), "Service was deleted", "DeleteService")
    if not service.leaving:
        service.status = "INACTIVE"
