# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task and its life: created, running, healthy, stopping, stopped, forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .programs import Program, family_of
from .state import STARTING, TaskState

if TYPE_CHECKING:
    from .scheduler import Cluster
    from .services import Service

NO_EXIT = ("TaskFailedToStart", "TerminationNotice")  # stop codes of tasks whose containers leave no exit code
CLASSIC = "classic/"  # prefix of a Classic Load Balancer's name where a target group is expected
REGISTERED = ("targets", "only")  # values of Service.ipv6 for which targets are IPv6 addresses
REMEMBERED = 3600.0  # seconds for which ECS describes a stopped task


@dataclass(eq=False)
class Task:
    arn: str
    service: Service
    deployment: str
    task_definition: str
    created_at: float
    zone: str
    address: str
    port: int
    groups: tuple[str, ...] = ()  # where it is registered: see Service.places_of
    ipv6: str = ""
    instance: int | None = None
    round: int = 0  # of its service's launches
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    health: str = "UNKNOWN"
    started_at: float | None = None
    stopping_at: float | None = None
    stopped_at: float | None = None
    stop_code: str | None = None
    stopped_reason: str | None = None
    exit_code: int | None = None
    protected_until: float = 0.0
    failed: str | None = None  # why ECS wants to replace it
    unready: set[str] = field(default_factory=set)  # target groups in which it is not healthy
    counted: tuple[int, int, int] = (0, 0, 0)  # its share of its service's running, pending and healthy
    seen: TaskState | None = None  # cached answer to a read, until something changes
    program: Program | None = None
    containers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # that ended differently from the task
    reason: str | None = None  # why the other containers ended
    version: int = 0
    updated_at: float | None = None
    unserved_at: float | None = None  # when its containers stopped answering requests
    told: tuple[str, str] | None = None  # the two statuses last reported to listeners
    tags: dict[str, str] = field(default_factory=dict)
    stuck: str | None = None  # the status in which it is stuck because its agent is gone

    @property
    def id(self) -> str:
        return self.arn.rsplit("/", 1)[-1]

    @property
    def target(self) -> str:
        return f"{self.ipv6 if self.service.ipv6 in REGISTERED else self.address}:{self.port}"

    @property
    def healthy(self) -> bool:
        return (
            self.last_status == "RUNNING"
            and self.desired_status == "RUNNING"
            and (self.health == "HEALTHY" or not self.service.health_check)
            and not self.unready
        )

    def count(self) -> tuple[int, int, int]:
        starting = self.last_status in STARTING and self.desired_status == "RUNNING"
        return int(self.last_status == "RUNNING"), int(starting), int(self.healthy)

    def state(self) -> TaskState:
        if self.seen is None:
            service = self.service
            targets = {group: (self.target,) for group in self.groups if not group.startswith(CLASSIC)}
            self.seen = TaskState(
                self.arn, service.cluster, service.name, self.task_definition, self.deployment, self.created_at,
                self.started_at, self.stopping_at, self.stopped_at, self.last_status, self.desired_status, self.health,
                self.stop_code, self.stopped_reason, self.exit_code, self.zone, service.launch_type,
                service.capacity_provider, self.instance, self.address, self.port,
                targets, self.version, self.updated_at, self.containers,
                self.reason, self.ipv6, dict(self.tags), self.stuck is None,
            )  # fmt: skip
        return self.seen


def why_unhealthy(group: str | None) -> str:
    """Return the reason with which ECS stops a task that fails a check: of its container, or in a target group."""
    return (
        f"Task failed ELB health checks in (target-group {group})" if group else "Task failed container health checks"
    )


def launch(cluster: Cluster, task: Task) -> None:
    """Begin the life of a newly created task. The faults that strike it are chosen now, once."""
    service, draw, faults = task.service, cluster.draw, cluster.faults
    name = service.name or family_of(task.task_definition)  # faults name the service; for other tasks, the family
    if fault := faults.strike("launch_fails", name):
        if (
            fault.event
        ):  # one of ECS's two wordings of a failed start (captured in public); the other comes after three in a row
            text = f"was unable to place a task. Reason: {fault.reason}."
            cluster.at(draw(cluster.latencies.launch) * 0.75, service.event, cluster, text)
        cluster.at(draw(cluster.latencies.launch) * 0.75, end, cluster, task, fault.stop_code, fault.reason, None)
        cluster.at(draw(cluster.latencies.launch) * 0.25, move, cluster, task, "PENDING")
        return
    program = task.program = cluster.programs.take(task.task_definition)
    if program and program.fails_to_start is not None:
        delay = draw(cluster.latencies.launch)
        cluster.at(delay * 0.25, move, cluster, task, "PENDING")
        cluster.at(delay * 0.75, end, cluster, task, "TaskFailedToStart", program.fails_to_start, None)
        return
    crash = faults.strike("launch_crashes", name)
    delay = draw(cluster.latencies.launch)
    cluster.at(delay * 0.25, move, cluster, task, "PENDING")
    cluster.at(delay, run, cluster, task)
    if program and program.seconds is not None:
        cluster.at(delay + program.seconds, complete, cluster, task)
    if crash:
        reason = "Essential container in task exited"
        cluster.at(delay + crash.seconds, end, cluster, task, "EssentialContainerExited", reason, crash.exit_code)
    if turn := faults.strike("turns_unhealthy", name):
        why = "Task failed container health checks"
        cluster.at(delay + turn.seconds, sicken, cluster, task, why, turn.group)
    if service.health_check:
        sick = faults.strike("never_healthy", name)
        if sick:
            why = "Task failed container health checks"
            cluster.at(delay + draw(cluster.latencies.unhealthy), sicken, cluster, task, why)
        else:
            cluster.at(delay + draw(cluster.latencies.health), heal, cluster, task)
    dead = faults.strike("targets_never_healthy", name) if task.groups else None
    for group in task.groups:
        if (dead and dead.group in (None, group)) or group in cluster.deleted_groups:
            why = f"Task failed ELB health checks in (target-group {group})"
            cluster.at(delay + draw(cluster.latencies.unhealthy), sicken, cluster, task, why, group)
        else:
            cluster.at(delay + draw(cluster.latencies.target), admit, cluster, task, group)


def move(cluster: Cluster, task: Task, status: str) -> None:
    if task.last_status in STARTING and task.desired_status == "RUNNING":
        task.last_status = status
        cluster.changed(task, "launch")


def run(cluster: Cluster, task: Task) -> None:
    if task.desired_status != "RUNNING":
        return
    task.last_status, task.started_at = "RUNNING", cluster.now
    for group in task.groups:
        task.unready.add(group)
        cluster.set_state(group, task.target, "initial")
        task.service.detail(cluster, f"registered 1 targets in (target-group {group})")
    task.service.failures = 0
    cluster.changed(task, "launch")
    if not task.service.pending:
        cluster.poke(task.service)


def complete(cluster: Cluster, task: Task) -> None:
    """End a task whose program is over."""
    program = task.program
    if program is None or task.desired_status == "STOPPED":
        return
    if program.interrupted:
        cluster.interrupt(task.arn)
    elif program.host_lost:
        cluster.lose_host(task.arn)
    else:
        end(cluster, task, program.stop_code, program.stopped_reason, program.code)


def heal(cluster: Cluster, task: Task) -> None:
    if task.last_status == "RUNNING" and task.desired_status == "RUNNING":
        task.health = "HEALTHY"
        cluster.changed(task, "health")


def admit(cluster: Cluster, task: Task, group: str) -> None:
    """Make the load balancer find the target healthy."""
    if task.last_status == "RUNNING" and task.desired_status == "RUNNING":
        task.unready.discard(group)
        cluster.set_state(group, task.target, "healthy")
        cluster.changed(task, "health")


def sicken(cluster: Cluster, task: Task, why: str, group: str | None = None) -> None:
    """Make a check of the container, or of the target in ``group``, fail permanently."""
    if task.last_status != "RUNNING" or task.desired_status != "RUNNING":
        return
    service = task.service
    if group is None:
        task.health = "UNHEALTHY"
        service.detail(cluster, f"(task {task.id}) failed container health checks.")
    else:
        where = f"(task {task.id}) (port {task.port}) is unhealthy in (target-group {group})"
        service.detail(cluster, f"{where} due to (reason Health checks failed with these codes: [503]).")
        task.unready.add(group)
        cluster.set_state(group, task.target, "unhealthy")
    task.failed = why
    task.service.bad[task.arn] = task
    cluster.changed(task, "health")
    cluster.poke(task.service)


def stop(cluster: Cluster, task: Task, code: str, reason: str, cause: str) -> None:
    """Begin to stop a task: desiredStatus is STOPPED at once. Does nothing if the task is already stopping."""
    if task.desired_status == "STOPPED":
        return
    task.desired_status, task.stopping_at = "STOPPED", cluster.now
    task.stop_code, task.stopped_reason = code, reason
    service = task.service
    service.live.pop(task.arn, None)
    service.bad.pop(task.arn, None)
    service.leaving[task.arn] = task
    if code != "ServiceSchedulerInitiated":
        lose(cluster, task)
    if fault := cluster.faults.strike("agent_lost", service.name or family_of(task.task_definition)):
        task.stuck = fault.status
    latencies = cluster.latencies
    if task.last_status == "RUNNING":
        whole, leave = cluster.draw(latencies.stop), min(latencies.leave, latencies.stop)
        cluster.at(leave, descend, cluster, task, "DEACTIVATING", cause)
        cluster.at(max(leave, whole * 0.4), descend, cluster, task, "STOPPING", cause)
        cluster.at(max(leave, whole * 0.8), descend, cluster, task, "DEPROVISIONING", cause)
        cluster.at(max(leave, whole), gone, cluster, task, on_stop(task), cause)
    else:
        cluster.at(0, descend, cluster, task, "DEPROVISIONING", cause)
        cluster.at(cluster.draw(latencies.cancel), gone, cluster, task, None, cause)
    cluster.changed(task, cause)
    cluster.poke(service)


def lose(cluster: Cluster, task: Task) -> None:
    """Remember a task that ended though ECS did not stop it, if its own revision must replace it (see replace_lost)."""
    if cluster.own_revision and task.service.rolling and task.deployment != task.service.primary.id:
        task.service.lost.append(task.deployment)


def on_stop(task: Task) -> int:
    """Return the exit code of containers that are told to stop."""
    return task.program.on_stop if task.program else 0


def descend(cluster: Cluster, task: Task, status: str, cause: str) -> None:
    if task.last_status == "STOPPED" or (task.stuck and (task.stuck == "RUNNING" or status == "DEPROVISIONING")):
        return
    task.last_status = status
    if status != "DEACTIVATING" or not drains(cluster, task):
        stop_serving(cluster, task)
    if status == "DEPROVISIONING" and task.stop_code not in NO_EXIT and task.started_at and task.exit_code is None:
        task.exit_code = on_stop(task)
    if status == "DEACTIVATING" and task.groups:
        task.service.detail(cluster, "has begun draining connections on 1 tasks.")
    for group in task.groups:
        if task.target in cluster.groups.get(group, {}):
            if status == "DEACTIVATING":
                task.service.detail(cluster, f"deregistered 1 targets in (target-group {group})")
            cluster.set_state(group, task.target, "draining")
    cluster.changed(task, cause)


def drains(cluster: Cluster, task: Task) -> bool:
    """Return whether the targets drain before the containers are told to stop.

    ECS promises this for tasks that it stops itself, for a lower count or a deployment.
    """
    return cluster.stop_task_drains or task.stop_code == "ServiceSchedulerInitiated"


def stop_serving(cluster: Cluster, task: Task) -> None:
    if task.unserved_at is None:
        task.unserved_at = cluster.now


def gone(cluster: Cluster, task: Task, exit_code: int | None, cause: str) -> None:
    if task.last_status == "STOPPED" or task.stuck:
        return
    task.last_status, task.stopped_at, task.exit_code = "STOPPED", cluster.now, exit_code
    stop_serving(cluster, task)
    service = task.service
    service.leaving.pop(task.arn, None)
    service.stopped[task.arn] = task
    for group in task.groups:
        cluster.groups.get(group, {}).pop(task.target, None)
    cluster.changed(task, cause)
    if (
        service.daemon
        or service.room is not None
        or service.status == "DRAINING"
        or (service.by_parts and len(service.deployments) > 1)
    ):
        cluster.poke(service)
    cluster.at(REMEMBERED, forget, cluster, task)


def end(cluster: Cluster, task: Task, code: str, reason: str, exit_code: int | None) -> None:
    """End a task that dies on its own: it fails to start, its essential container exits or its host is lost."""
    if task.desired_status == "STOPPED":
        return
    service, started = task.service, task.last_status == "RUNNING"
    task.desired_status, task.stopping_at = "STOPPED", cluster.now
    task.stop_code, task.stopped_reason = code, reason
    service.live.pop(task.arn, None)
    service.bad.pop(task.arn, None)
    if started:
        lose(cluster, task)
    task.exit_code, program = exit_code, task.program
    if program and code in (program.stop_code, "TaskFailedToStart"):
        task.containers = program.containers
        task.reason = program.why or program.fails_to_start
    if cluster.latencies.ending:
        service.leaving[task.arn] = task
        descend(cluster, task, "DEPROVISIONING", code)
        cluster.at(cluster.draw(cluster.latencies.ending), gone, cluster, task, exit_code, code)
    else:
        gone(cluster, task, exit_code, code)
    if not started:
        service.failed_launch(cluster, task)
        service.failed_task(cluster, task)
    cluster.poke(service)


def forget(cluster: Cluster, task: Task) -> None:
    task.service.stopped.pop(task.arn, None)
    cluster.tasks.pop(task.arn, None)
