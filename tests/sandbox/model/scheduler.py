# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pure discrete-event simulation of ECS. The owner of the simulation sets its time.

Every duration is in seconds, every instant in epoch seconds. Nothing here knows HTTP, moto or a real clock.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import deployments, tasks
from .autoscaling import AutoScaling
from .deployments import Deployment, Rollout
from .faults import Fault, Faults
from .latencies import Latencies
from .programs import Programs
from .services import STANDALONE, Service, Snapshot, look
from .state import Change, Occurrence, SandboxError, ScalingState, ServiceState, TaskState
from .tasks import Task

HOUR = 3600.0
DEFAULT = Latencies()


class Cluster:
    """All services and tasks of one account and region. A service is named ``web`` or ``cluster/web``."""

    def __init__(
        self,
        random: random.Random,
        now: float,
        latencies: Latencies = DEFAULT,
        arn_prefix: str = "arn:aws:ecs:eu-central-1:123456789012",
    ) -> None:
        self.random, self.now, self.latencies, self.arn_prefix = random, now, latencies, arn_prefix
        self.services: dict[str, Service] = {}  # by "cluster/name"
        self.tasks: dict[str, Task] = {}  # by ARN, as long as ECS describes them
        self.groups: dict[str, dict[str, str]] = {}  # target group -> "address:port" -> state
        self.target_reasons: dict[
            tuple[str, str], str
        ] = {}  # (target group, target) -> ELB's code, if it is not the usual one
        self.unused_groups: set[str] = set()  # no listener forwards to them
        self.deleted_groups: set[str] = set()
        self.autoscaling = AutoScaling(self)
        self.faults = Faults()
        self.journal: list[Change] = []
        self.listeners: list[Callable[[Change], None]] = []
        self.programs = Programs()
        self.on_task: Callable[[TaskState], None] = lambda state: None  # a status of a task has changed
        self.on_occurrence: Callable[[Occurrence], None] = lambda occurrence: None
        self.stop_task_drains = False  # after StopTask, too, requests may end before containers are told to stop
        self.own_revision = False  # in a rolling deployment, a task that ended is replaced with one of its own revision
        self.waits_for_protected = False  # deployments leave protected tasks alone
        self._due: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0
        self._addresses = 0

    # -- time -------------------------------------------------------------------------------------------------

    def advance(self, to: float) -> None:
        """Run everything that is due until ``to``, in order."""
        while self._due and self._due[0][0] <= to:
            self.now, _number, action, arguments = heapq.heappop(self._due)
            action(*arguments)
        self.now = max(self.now, to)

    @property
    def next_due(self) -> float | None:
        """When something happens next without outside action, or None."""
        return self._due[0][0] if self._due else None

    def at(self, delay: float, action: Callable[..., None], *arguments: Any) -> None:
        """Run an action ``delay`` seconds from now."""
        self._sequence += 1
        heapq.heappush(self._due, (self.now + delay, self._sequence, action, arguments))

    def draw(self, seconds: float) -> float:
        return self.latencies.draw(seconds, self.random)

    def poke(self, service: Service, delay: float | None = None) -> None:
        """Schedule a look at the service: after ``delay`` (default: the reaction time), unless one is due earlier."""
        at = self.now + (self.draw(self.latencies.reaction) if delay is None else delay)
        if service.look_at is None or at < service.look_at:
            service.look_at = at
            self.at(at - self.now, self._look, service, at)

    def _look(self, service: Service, at: float) -> None:
        if service.look_at == at:
            service.look_at = None
            look(self, service)

    # -- making -----------------------------------------------------------------------------------------------

    def create_service(
        self,
        name: str,
        cluster: str = "default",
        *,
        desired: int = 3,
        task_definition: str = "web:1",
        health_check: bool = False,
        target_groups: Iterable[str] = (),
        daemon: bool = False,
        controller: str = "ECS",
        maximum_percent: int = 200,
        minimum_healthy_percent: int = 100,
        launch_type: str = "FARGATE",
        capacity_provider: str | None = None,
        network_mode: str | None = None,
        started: bool = True,
        tags: Mapping[str, str] | None = None,
        short_arn: bool = False,
        task_sets: int = 1,
        scale: float = 100.0,
        room: int | None = None,
        circuit_breaker: bool = False,
        rollback: bool = False,
        oldest: float = 72 * HOUR,
        newest: float = HOUR,
        strategy: str = "ROLLING",
        alternates: Mapping[str, str] | None = None,
        bake: float = 0.0,
        steps: Iterable[tuple[float, float]] = (),
        hooks: Iterable[Mapping[str, Any]] = (),
        shows_rollout_state: bool = False,
        names_declared_groups: bool = False,
        port: int = 80,
        ipv6: str = "",
        classic: Iterable[str] = (),
        lattice: Iterable[str] = (),
        unhealthy: int = 0,
        unhealthy_by: str = "",
        replaces_unhealthy: bool = True,
        propagate_tags: str = "NONE",
        grows_after: float | None = None,
        all_events: bool = False,
        az_rebalancing: bool = False,
    ) -> ServiceState:
        """Create a service. ``started``: its tasks already run, healthy, created ``oldest`` to ``newest`` seconds ago.

        ``strategy``: BLUE_GREEN, LINEAR or CANARY, with ``bake`` seconds, ``steps`` of the traffic as (percent,
        seconds until the next) and ``hooks`` as {"stage", "seconds", "on_timeout"}. ``alternates``: target group ->
        the one that replaces it in a deployment. ``task_sets``: number of task sets; all but the first are ACTIVE and
        empty. ``scale``: that of the first one, in percent of the desired count.
        ``network_mode``: awsvpc, bridge, or host, where a task has its instance's address and the port of its task
        definition. ``ipv6``: interfaces also have an IPv6 address ("eni"), targets use it, too ("targets"), or there
        is no IPv4 address ("only"). ``classic``: names of Classic Load Balancers; ``lattice``: VPC Lattice target
        groups. ``unhealthy``: this many tasks fail the check of their container or their targets from the beginning
        (``unhealthy_by``: container, targets, or a target group). ECS replaces them, unless the service is within its
        grace period (``replaces_unhealthy`` false). ``grows_after``: the cluster grows on demand, this many seconds
        after a placement failed because ``room`` was full. ``all_events``: ECS also reports targets, checks and
        replacements, and does not repeat an event while its cause lasts.
        """
        key = f"{cluster}/{name}"
        if key in self.services and self.services[key].status != "INACTIVE":
            raise SandboxError("InvalidParameterException", "Creation of service was not idempotent.")
        launch_type = "EC2" if daemon else launch_type
        task_definition = self._revision(task_definition)
        service = self.services[key] = Service(
            arn=f"{self.arn_prefix}:service/{name if short_arn else key}", cluster=cluster, name=name,
            desired=desired, task_definition=task_definition, created_at=self.now, health_check=health_check,
            target_groups=tuple(target_groups), daemon=daemon, controller=controller, maximum_percent=maximum_percent,
            minimum_healthy_percent=0 if daemon else minimum_healthy_percent,
            launch_type=launch_type, capacity_provider=capacity_provider, room=room,
            network_mode=network_mode or ("bridge" if launch_type == "EC2" else "awsvpc"), tags=dict(tags or {}),
            desired_by="CreateService", circuit_breaker=circuit_breaker, rollback=rollback, strategy=strategy,
            bake=bake, steps=tuple((float(step[0]), float(step[1])) for step in steps),
            hooks=tuple(deployments.read_hook(each) for each in hooks), shows_rollout_state=shows_rollout_state,
            names_declared_groups=names_declared_groups, port=port, ipv6=ipv6, classic=tuple(classic),
            lattice=tuple(lattice), propagate_tags=propagate_tags,
            grows_after=grows_after, all_events=all_events, az_rebalancing=az_rebalancing,
        )  # fmt: skip
        service.declared_groups = service.target_groups
        if service.by_parts:
            pairs = alternates or {group: f"{group}-alternate" for group in service.target_groups}
            service.alternates = {**pairs, **{other: group for group, other in pairs.items()}}
        first = Deployment(self.deployment_id(), task_definition, self.now, scale=scale)
        service.deployments = [first]
        if controller != "ECS":
            service.deployments += [
                Deployment(self.deployment_id(), task_definition, self.now, "ACTIVE", scale=0.0)
                for _number in range(1, task_sets)
            ]
        for part in service.deployments if service.by_parts else ():
            part.target_groups = service.target_groups
        for group in (*service.places_of(first), *service.alternates):
            self.groups.setdefault(group, {})
        service.rollouts = [Rollout(first.id[8:], first, (), self.now)] if controller == "ECS" else []
        if started:
            service.created_at = service.primary.created_at = self.now - oldest - HOUR
            deployments.completed(self, service)
            for born in sorted(
                self.now - self.random.uniform(newest, oldest) for _time in range(first.wanted(desired))
            ):
                self.running_task(service, born)
            for task in list(service.live.values())[:unhealthy]:
                self._unhealthy_from_the_start(task, unhealthy_by, replaces_unhealthy)
            service.event(self, "has reached a steady state.")
        else:
            service.steady = False
            if controller == "ECS":
                first.rollout_state = "IN_PROGRESS"
                text = f"ECS deployment {first.id} in progress."
                self.tell(service, "SERVICE_DEPLOYMENT_IN_PROGRESS", text, first.id)
            self.poke(service)
        self._note(service, "CreateService")
        return service.state()

    def running_task(self, service: Service, born: float, deployment: Deployment | None = None) -> None:
        instance = len(service.live) if service.daemon else None
        task = self.create_task(service, deployment or service.primary, born, instance)
        task.last_status, task.started_at = "RUNNING", born + self.draw(self.latencies.launch)
        task.health = "HEALTHY" if service.health_check else "UNKNOWN"
        for group in task.groups:
            self.groups[group][task.target] = "healthy"
        task.version, task.told, task.updated_at = 3, ("RUNNING", "RUNNING"), task.started_at
        self._count(task)

    def _unhealthy_from_the_start(self, task: Task, by: str, replaced: bool) -> None:
        container = by == "container" or (not by and task.service.health_check)
        group = None if container else by if by in task.groups else task.groups[0]
        tasks.sicken(self, task, tasks.why_unhealthy(group), group)
        if not replaced:
            task.failed = None
            task.service.bad.pop(task.arn, None)

    def create_task(self, service: Service, deployment: Deployment, born: float, instance: int | None = None) -> Task:
        self._addresses += 1
        number, ec2, bridge = self._addresses, service.launch_type == "EC2", service.network_mode != "awsvpc"
        if ec2 and instance is None:
            # Ports in the mode host, and the listeners of a Classic Load Balancer, need a separate instance per task.
            instance = number if service.network_mode == "host" or service.classic else number % 16
        address = f"i-{instance:017x}" if bridge else f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        address = "" if service.ipv6 == "only" and not bridge else address
        task = Task(
            arn=f"{self.arn_prefix}:task/{service.cluster}/{self.hexadecimal(32)}",
            service=service, deployment=deployment.id, task_definition=deployment.task_definition, created_at=born,
            zone=self.arn_prefix.split(":")[3] + "abc"[number % 3], round=service.round, instance=instance,
            address=address,
            port=32768 + number % 28000 if service.network_mode == "bridge" and not service.classic else service.port,
            groups=service.places_of(deployment),
            ipv6=f"2001:db8::{number >> 16 & 65535:x}:{number & 65535:x}" if service.ipv6 and not bridge else "",
        )  # fmt: skip
        if service.propagate_tags == "SERVICE":
            # API model, CreateService.propagateTags: tags can only be added when a task is created.
            task.tags = dict(service.tags)
        if ec2:
            task.last_status = "PENDING"
        self.tasks[task.arn] = service.live[task.arn] = task
        return task

    def run_task(
        self,
        task_definition: str,
        cluster: str = "default",
        count: int = 1,
        launch_type: str = "FARGATE",
        network_mode: str = "awsvpc",
        started_by: str = "",
        capacity_provider: str | None = None,
        instances: Iterable[int] = (),
        made_known: Callable[[str], None] = lambda arn: None,
    ) -> list[TaskState]:
        """Start tasks of no service, which are never replaced. ``instances``: start one task on each of these instead.

        ``made_known`` is called with each ARN before any change of the task is reported.
        """
        definition = self._revision(task_definition)
        holder = Service(
            arn="", cluster=cluster, name="", desired=0, task_definition=definition, created_at=self.now,
            status=STANDALONE, launch_type=launch_type, network_mode=network_mode, capacity_provider=capacity_provider,
        )  # fmt: skip
        deployment = Deployment(started_by, definition, self.now)
        places = list(instances) or [None] * count
        made = [self.create_task(holder, deployment, self.now, place) for place in places]
        for task in made:
            made_known(task.arn)
            self.changed(task, "launch")
            tasks.launch(self, task)
        return [task.state() for task in made]

    def _revision(self, name: str) -> str:
        return name if name.startswith("arn:") else f"{self.arn_prefix}:task-definition/{name}"

    def hexadecimal(self, digits: int) -> str:
        return f"{self.random.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        text = self.hexadecimal(32)
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def deployment_id(self) -> str:
        return f"ecs-svc/{self.random.randrange(10**18, 10**19)}"

    # -- reads: as ECS answers them, which a fault may make stale ------------------------------------------------

    def describe_service(self, name: str) -> ServiceState | None:
        service = self.find(name)
        if service is None:
            return None
        old = self._stale(service)
        return old.service if old else service.state()

    def list_tasks(self, name: str, desired_status: str = "RUNNING") -> list[str]:
        service = self.service(name)
        if old := self._stale(service):
            return [task.arn for task in old.listed if task.desired_status == desired_status]
        if desired_status == "STOPPED":
            return [*service.leaving, *service.stopped]
        fault = self.faults.find("list_omits_new", service.name)
        known_before = self.now - fault.seconds if fault else self.now
        return [arn for arn, task in service.live.items() if task.created_at <= known_before]

    def describe_tasks(self, arns: Iterable[str]) -> list[TaskState]:
        """Return those of the tasks that ECS knows: not those it has forgotten, nor new ones on a stale read."""
        found = []
        for arn in arns:
            task = self.tasks.get(arn)
            old = self._stale(task.service) if task else None
            state = old.tasks.get(arn) if old else task.state() if task else None
            if state:
                found.append(state)
        return found

    def protected(self, arns: Iterable[str]) -> dict[str, float]:
        """Return the protected ones among the tasks: ARN -> until when."""
        found = {}
        for arn in arns:
            task = self.tasks.get(arn)
            old = self._stale(task.service) if task else None
            until = old.protected.get(arn, 0.0) if old else task.protected_until if task else 0.0
            if until > 0.0 if old else until > self.now:
                found[arn] = until
        return found

    def target_states(self, group: str) -> dict[str, str]:
        if group in self.deleted_groups:
            raise SandboxError("TargetGroupNotFound", "One or more target groups not found")
        known = self.groups.get(group, {})
        return dict.fromkeys(known, "unused") if group in self.unused_groups else dict(known)

    def target_reason(self, group: str, target: str) -> str | None:
        """Return ELB's reason code if it is not the usual one for the target's state, else None."""
        return "Target.NotInUse" if group in self.unused_groups else self.target_reasons.get((group, target))

    def set_state(self, group: str, target: str, state: str, reason: str = "") -> None:
        self.target_reasons.pop((group, target), None)
        if reason:
            self.target_reasons[group, target] = reason
        self.groups.setdefault(group, {})[target] = state

    def scaling(self, name: str) -> ScalingState | None:
        return self.autoscaling.targets.get(self.service(name))

    def _stale(self, service: Service) -> Snapshot | None:
        while service.stale and service.stale[0].until <= self.now:
            service.stale.popleft()
        return service.stale[0] if service.stale else None

    # -- writes -------------------------------------------------------------------------------------------------

    def stop_task(self, arn: str, reason: str = "", by: str = "client") -> TaskState:
        task = self.tasks.get(arn)
        if task is None:
            raise SandboxError("InvalidParameterException", "The referenced task was not found.")
        service = task.service
        self._before_write("StopTask", service)
        task.tags.clear()  # documentation of StopTask: the tags of the task are deleted
        tasks.stop(self, task, "UserInitiated", reason or "Task stopped by user", f"StopTask by {by}")
        for fault in self.faults.due_midway(service.name):
            self._act(fault, service)
        return task.state()

    def update_service(
        self,
        name: str,
        desired: int | None = None,
        force_new_deployment: bool = False,
        task_definition: str | None = None,
        by: str = "client",
    ) -> ServiceState:
        service = self.service(name)
        if service.status != "ACTIVE":
            raise SandboxError("ServiceNotActiveException", "Service was not ACTIVE.")
        if desired is not None and service.daemon:
            text = "The daemon scheduling strategy does not support a desired count for services."
            raise SandboxError("InvalidParameterException", text)
        definition = self._revision(task_definition or service.task_definition)
        deploys = force_new_deployment or definition != service.task_definition
        if deploys and service.controller != "ECS":
            raise SandboxError("InvalidParameterException", deployments.not_by_update(service, force_new_deployment))
        self._before_write("UpdateService", service)
        if desired is not None:
            self.set_desired(service, desired, f"UpdateService by {by}")
        if deploys:
            self.deploy(service, definition)
        return service.state()

    def delete_service(self, name: str) -> ServiceState:
        service = self.service(name)
        service.status, service.desired = "DRAINING", 0
        self._note(service, "DeleteService")
        look(self, service)
        return service.state()

    def tag(self, name: str, tags: Mapping[str, str]) -> None:
        service = self.service(name)
        if len({*service.tags, *tags}) > 50:
            raise SandboxError("InvalidParameterException", "The maximum number of tags for a resource is 50.")
        self._before_write("TagResource", service)
        service.tags.update(tags)

    def untag(self, name: str, keys: Iterable[str]) -> None:
        service = self.service(name)
        self._before_write("UntagResource", service)
        for key in keys:
            service.tags.pop(key, None)

    def tag_task(self, arn: str, tags: Mapping[str, str]) -> None:
        task = self._task(arn)
        if len({*task.tags, *tags}) > 50:
            raise SandboxError("InvalidParameterException", "The maximum number of tags for a resource is 50.")
        task.tags.update(tags)
        task.seen = None

    def tags_of_task(self, arn: str) -> dict[str, str]:
        return dict(self._task(arn).tags)

    def untag_task(self, arn: str, keys: Iterable[str]) -> None:
        task = self._task(arn)
        for key in keys:
            task.tags.pop(key, None)
        task.seen = None

    def _task(self, arn: str) -> Task:
        if arn not in self.tasks:
            # The API model of TagResource has this code. It is assumed to be the one for tasks.
            text = "The specified task was not found. Specify a valid task and try again."
            raise SandboxError("ResourceNotFoundException", text)
        return self.tasks[arn]

    def protect(self, arn: str, until: float | None) -> None:
        """Protect a task from scale-in until an instant. None ends the protection."""
        if arn not in self.tasks:
            raise SandboxError("InvalidParameterException", "The referenced task was not found.")
        self.tasks[arn].protected_until = until or 0.0

    def update_protection(self, arns: Iterable[str], until: float | None) -> tuple[list[str], dict[str, str]]:
        """UpdateTaskProtection. Return the tasks it changed, and the reasons for the others. None ends protection."""
        done: list[str] = []
        failures = {}
        for arn in arns:
            task = self.tasks.get(arn)
            if task is None:
                failures[arn] = "MISSING"
            elif not task.service.name or task.desired_status != "RUNNING":
                failures[arn] = "TASK_NOT_VALID"
            elif until and self.waits_for_protected and self._blocks_deployment(task.service):
                failures[arn] = "DEPLOYMENT_BLOCKED"
            else:
                self.protect(arn, until)
                done.append(arn)
        for service in {self.tasks[arn].service for arn in done}:
            if until is None and (len(service.live) > service.desired or service.rolling):
                self.poke(service)  # tasks that were protected can be stopped now
        return done, failures

    def _blocks_deployment(self, service: Service) -> bool:
        old = (task for task in service.live.values() if task.deployment != service.primary.id)
        return service.rolling and any(task.protected_until > self.now for task in old)

    def register_scalable_target(
        self,
        name: str,
        min: int | None = None,  # noqa: A002
        max: int | None = None,  # noqa: A002
        suspended: Mapping[str, bool] | None = None,
        by: str = "client",
    ) -> None:
        """``suspended``: the flags dynamic_in, dynamic_out, scheduled. A flag that it omits becomes false."""
        self.autoscaling.register(self.service(name), min, max, suspended, by)

    def suspend(self, name: str, dynamic_in: bool, dynamic_out: bool, scheduled: bool) -> None:
        flags = {"dynamic_in": dynamic_in, "dynamic_out": dynamic_out, "scheduled": scheduled}
        self.register_scalable_target(name, suspended=flags)

    def deregister_scalable_target(self, name: str) -> None:
        self.autoscaling.targets.pop(self.service(name), None)

    # -- others at work -----------------------------------------------------------------------------------------

    def policy_wants(self, name: str, desired: int | None) -> None:
        """Make a target-tracking policy want this many tasks from now on. None removes the policy."""
        self.autoscaling.want(self.service(name), desired)

    def scheduled_action(self, name: str, minimum: int | None = None, maximum: int | None = None) -> None:
        """Fire a scheduled action of Application Auto Scaling now."""
        self.autoscaling.scheduled(self.service(name), minimum, maximum)

    def later(self, delay: float, action: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        """Run ``action``, a method of this cluster, ``delay`` seconds from now."""
        self.at(delay, lambda: action(*arguments, **options))

    def begin_deployment(
        self, name: str, task_definition: str | None = None, running: bool = False, **details: Any
    ) -> None:
        """Begin a deployment of the service's controller and strategy. ``running``: its new tasks already run."""
        service = self.service(name)
        if service.controller == "CODE_DEPLOY":
            self.codedeploy(name, task_definition, running=running, **details)
        elif service.controller == "EXTERNAL":
            self.external_task_set(name, task_definition, running=running, **details)
        else:
            self.update_service(name, None, True, task_definition, by="operator")
            if running and service.by_parts:
                deployments.fill(self, service, service.primary)

    def codedeploy(
        self,
        name: str,
        task_definition: str | None = None,
        shift: float | None = 0.0,
        keep: float | None = 0.0,
        running: bool = False,
    ) -> None:
        """Deploy with CodeDeploy: create a green task set, shift the traffic ``shift`` seconds after it is steady, and
        delete the blue one ``keep`` seconds later (terminationWaitTimeInMinutes, up to two days). None awaits an act.
        """
        service = self.service(name)
        deployments.begin_codedeploy(
            self, service, self._revision(task_definition or service.task_definition), shift, keep, running
        )

    def external_task_set(
        self,
        name: str,
        task_definition: str | None = None,
        scale: float = 100.0,
        running: bool = False,
        external_id: str = "",
        target_groups: Iterable[str] | None = None,
    ) -> str:
        """Create a task set (CreateTaskSet) and return its id."""
        service = self.service(name)
        definition = self._revision(task_definition or service.task_definition)
        groups = None if target_groups is None else tuple(target_groups)
        made = deployments.add_task_set(self, service, definition, scale, external_id, groups)
        if running:
            deployments.fill(self, service, made)
        return made.id

    def scale_task_set(self, name: str, scale: float, task_set: str = "ACTIVE") -> None:
        """UpdateTaskSet: scale a task set, given by id or as the newest one with this status."""
        service = self.service(name)
        part = deployments.part_of(service, task_set)
        part.scale, part.settled = scale, False
        service.event(self, f"updated computedDesiredCount for taskSet {part.id} to {part.wanted(service.desired)}.")
        self.poke(service)

    def make_primary(self, name: str, task_set: str) -> None:
        """Make a task set PRIMARY (UpdateServicePrimaryTaskSet)."""
        deployments.make_primary(self.service(name), deployments.part_of(self.service(name), task_set))

    def drain_task_set(self, name: str, task_set: str) -> None:
        """Delete a task set (DeleteTaskSet)."""
        deployments.draining(self, self.service(name), deployments.part_of(self.service(name), task_set))

    def shift(self, name: str) -> None:
        """Shift the production traffic now, to the new task set or to the new revision of a blue/green service."""
        deployments.shift(self, self.service(name))

    def finish(self, name: str) -> None:
        """Finish the deployment now: shift the traffic if that has not happened yet, and stop the old tasks."""
        deployments.finish(self, self.service(name))

    def roll_back(self, name: str, reason: str = "Service deployment rolled back.") -> None:
        """Roll back the deployment under way."""
        deployments.roll_back(self, self.service(name), reason)

    def continue_deployment(self, name: str, roll_back: bool = False) -> None:
        """ContinueServiceDeployment: answer the hook that a deployment waits for."""
        deployments.answer_hook(self, self.service(name), roll_back)

    def fail_deployment(
        self,
        name: str,
        task_definition: str | None = None,
        alone: bool = False,
        rollback: bool = False,
        reason: str = "ECS deployment circuit breaker: tasks failed to start.",
    ) -> None:
        """Fail the deployment under way; begin one first if there is none.

        ``alone``: begin none; PRIMARY fails without an ACTIVE deployment beside it. ``rollback``: also roll back.
        """
        service = self.service(name)
        if alone and (service.by_parts or service.rolling):
            raise ValueError(f"service {name} has more than one deployment or task set, so none fails alone")
        if not alone and not deployments.current(service):
            self.begin_deployment(name, task_definition)
        deployments.fail(self, service, reason, rollback)

    def predictive_scaling(self, name: str, desired: int) -> None:
        """Make a predictive scaling policy want this many tasks now."""
        self.autoscaling.predict(self.service(name), desired)

    def set_instances(self, name: str, count: int) -> None:
        """Set the number of the cluster's instances. The desired count of a DAEMON service follows it.

        Source: developer guide, one task of a DAEMON service on each active container instance.

        The tasks of removed instances are lost.
        """
        service = self.service(name)
        if not service.daemon:
            raise ValueError(f"service {name} is no DAEMON: its count does not follow the instances")
        service.desired, service.desired_by = count, "instances"
        for task in [task for task in service.live.values() if (task.instance or 0) >= count]:
            self.lose_host(task.arn)
        self._note(service, "instances")
        self.poke(service)

    def rebalance_zones(self, name: str, zone: str = "", placed: bool = True) -> None:
        """Rebalance zones: start a task in ``zone`` (default: the emptiest one), then stop one in the fullest zone.

        Not ``placed``: no instance in ``zone`` fits, so ECS gives up. Texts: captured in public in 2026, or documented.
        """
        service = self.service(name)
        running = [task for task in service.live.values() if task.last_status == "RUNNING" and not task.failed]
        zones = [self.arn_prefix.split(":")[3] + letter for letter in "abc"]
        held = {each: sum(task.zone == each for task in running) for each in zones}
        zone = zone or min(zones, key=lambda each: held[each])
        full = max((each for each in zones if each != zone), key=lambda each: held[each])
        numbers = ", ".join(f"{count} tasks in {each}" for each, count in sorted(held.items(), key=lambda p: -p[1]))
        service.event(self, f"is not AZ balanced with {numbers}. AZ Rebalancing in progress.")
        victims = [task for task in running if task.zone == full] or running
        if not placed or not victims:
            why = "because no container instance met all of its requirements."
            service.event(self, f"is unable to place a task in {zone} {why}")
            service.event(self, "stopped AZ Rebalancing.")
            self.tell(service, "SERVICE_TASK_PLACEMENT_FAILURE", "RESOURCE:CPU")
            return
        service.next_zone = zone
        self.rebalance(min(victims, key=lambda task: task.created_at).arn)

    def interrupt(self, arn: str) -> None:
        """Interrupt a task as Fargate Spot does."""
        task = self.tasks[arn]
        tasks.stop(self, task, "SpotInterruption", "Your Spot Task was interrupted.", "spot")

    def rebalance(self, arn: str) -> None:
        """Move a task to another availability zone, as ECS does: start a new task first, then stop this one."""
        task = self.tasks[arn]
        task.failed = "Task stopped for availability zone rebalancing"
        task.service.bad[arn] = task
        self.poke(task.service)

    def fail_health(self, arn: str, group: str | None = None) -> None:
        """Make a running task fail the check of its container, or of a target group."""
        tasks.sicken(self, self.tasks[arn], tasks.why_unhealthy(group), group)

    def target_state(self, arn: str, state: str, group: str | None = None, reason: str = "") -> None:
        """Change the state that ELB reports for a task's target, in one target group or in all.

        ECS stops no task for it. A deployment that waits for its targets continues once they are healthy.
        "unhealthy.draining" is a Network Load Balancer's: unhealthy, but existing connections continue.
        """
        task = self.tasks[arn]
        for each in task.groups if group is None else (group,):
            self.set_state(each, task.target, state, reason)
            (task.unready.discard if state == "healthy" else task.unready.add)(each)
        self.changed(task, "health")

    def use_group(self, name: str, group: str | None = None, used: bool = True) -> None:
        """Set whether a listener forwards to a service's target groups, or to one. If not, their targets are unused.

        ECS ignores this and goes by the targets' own states (assumed).
        """
        service = self.service(name)
        for each in service.target_groups if group is None else (group,):
            (self.unused_groups.discard if used else self.unused_groups.add)(each)

    def delete_target_group(self, name: str, group: str | None = None) -> None:
        """Delete a service's target groups, or one of them. New tasks then never become healthy (assumed)."""
        for each in self.service(name).target_groups if group is None else (group,):
            self.deleted_groups.add(each)

    def crash(self, arn: str, exit_code: int = 1) -> None:
        tasks.end(self, self.tasks[arn], "EssentialContainerExited", "Essential container in task exited", exit_code)

    def lose_agent(self, arn: str, status: str = "RUNNING") -> None:
        """Disconnect the agent of the task's instance. If the task is stopped, its last status stays at ``status``:
        RUNNING or STOPPING.

        ECS still starts a replacement, because it goes by the desired status (assumed).
        """
        self.tasks[arn].stuck = status
        self.changed(self.tasks[arn], "agent")

    def restore_agents(self, name: str) -> None:
        """Reconnect the agents of a service's tasks. Tasks that were told to stop in the meantime stop now."""
        service = self.service(name)
        for task in [*service.live.values(), *service.leaving.values()]:
            if task.stuck is None:
                continue
            task.stuck = None
            self.changed(task, "agent")
            if task.desired_status == "STOPPED":
                self.at(self.draw(self.latencies.stop), tasks.gone, self, task, tasks.on_stop(task), "agent")

    def lose_host(self, arn: str) -> None:
        """Lose the host of a task. Its containers leave no exit code."""
        task = self.tasks[arn]
        host = f"i-{task.instance or 0:017x}"
        tasks.end(self, task, "TerminationNotice", f"Host EC2 (instance {host}) terminated.", None)

    def fault(self, kind: str, **details: Any) -> Fault:
        """Switch on a fault. See faults.py for the kinds and their parameters."""
        fault = Fault(kind, **details)
        self.faults.on.append(fault)
        return fault

    def clear_faults(self, kind: str | None = None) -> None:
        self.faults.on = [fault for fault in self.faults.on if kind not in (None, fault.kind)]

    def _act(self, fault: Fault, service: Service) -> None:
        """Carry out a MIDWAY fault, which is an act of somebody else."""
        name = f"{service.cluster}/{service.name}"
        running = [task for task in service.live.values() if task.healthy]
        if fault.kind == "deployment_midway":
            self.begin_deployment(name)
        elif fault.kind == "deployment_fails_midway":
            self.fail_deployment(name)
        elif fault.kind == "tags_lost":
            self.untag(name, fault.keys or list(service.tags))
        elif fault.kind == "reregistered":
            self.register_scalable_target(name, fault.minimum, fault.maximum, fault.suspended, by="operator")
        elif fault.kind == "rescaled":
            self.update_service(name, desired=max(0, service.desired + fault.delta), by="operator")
        elif fault.kind == "rebalanced" and running:
            self.rebalance(min(running, key=lambda task: task.created_at).arn)
        elif fault.kind == "interrupted" and running:
            self.interrupt(max(running, key=lambda task: task.created_at).arn)
        elif fault.kind == "protected_midway" and running:
            self.protect(min(running, key=lambda task: task.created_at).arn, self.now + HOUR)

    # -- truth, for tests -----------------------------------------------------------------------------------------

    def healthy(self, name: str) -> int:
        """Return the number of tasks that run, are not stopping and pass all of the service's checks. Never stale."""
        return self.service(name).healthy

    def live(self, name: str) -> list[TaskState]:
        """Return the current state of the tasks whose desired status is RUNNING. Never stale."""
        return [task.state() for task in self.service(name).live.values()]

    def on_change(self, listener: Callable[[Change], None]) -> None:
        self.listeners.append(listener)

    # -- inside ---------------------------------------------------------------------------------------------------

    def find(self, name: str) -> Service | None:
        """Find a service by ``cluster/name``, else by name in the default cluster, else in any cluster."""
        found = self.services.get(name) or self.services.get(f"default/{name}")
        return found or next((service for service in self.services.values() if service.name == name), None)

    def service(self, name: str) -> Service:
        found = self.find(name)
        if found is None:
            raise SandboxError("ServiceNotFoundException", "Service not found.")
        return found

    def set_desired(self, service: Service, desired: int, by: str) -> None:
        service.desired, service.desired_by = desired, by
        self._note(service, by)
        self.poke(service)

    def deploy(self, service: Service, task_definition: str, reason: str = "") -> None:
        """Begin a deployment of the controller ECS."""
        if service.by_parts:
            deployments.begin_native(self, service, task_definition)
            return
        if service.primary.rollout_state == "COMPLETED":
            service.last_good = service.task_definition
        for each in service.deployments:
            each.status = "ACTIVE"
        service.task_definition = task_definition
        new = Deployment(self.deployment_id(), task_definition, self.now, rollout_state="IN_PROGRESS")
        service.deployments.insert(0, new)
        for each in service.deployments[1:]:
            each.rollout_state = "COMPLETED" if each.rollout_state != "FAILED" else "FAILED"
        service.steady, service.failures, service.retry_at = False, 0, 0.0
        deployments.record(self, service, new)
        self.tell(service, "SERVICE_DEPLOYMENT_IN_PROGRESS", reason or f"ECS deployment {new.id} in progress.", new.id)
        self.poke(service)

    def _before_write(self, operation: str, service: Service) -> None:
        """If the fault `stale_reads` is on, keep the state that reads will return for a while."""
        fault = self.faults.find("stale_reads", service.name)
        if fault is None or operation not in fault.operations:
            return
        self.faults.strike("stale_reads", service.name)
        known = [task.state() for group in (service.live, service.leaving, service.stopped) for task in group.values()]
        protected = {arn: task.protected_until for arn, task in service.live.items() if task.protected_until > self.now}
        service.stale.append(
            Snapshot(
                self.now + fault.seconds, service.state(), tuple(known), {task.arn: task for task in known}, protected
            )
        )

    def changed(self, task: Task, cause: str) -> None:
        """After a task changed: update the counts, write the journal if a count changed, report a new status."""
        status = (task.last_status, task.desired_status)
        news, task.told = status != task.told, status
        if news:
            task.version, task.updated_at = task.version + 1, self.now
        service, healthy = task.service, task.service.healthy
        self._count(task)
        if service.healthy > healthy and (service.bad or len(service.deployments) > 1 or service.rolling):
            # A deployment continues as soon as its tasks are healthy, again or for the first time. API model,
            # Deployment.rolloutState: COMPLETED when the service is steady; TaskSet.stabilityStatus: steady when
            # all its tasks are healthy for load balancers and container health checks.
            self.poke(service)
        self._note(task.service, cause)
        if news:
            self.on_task(task.state())

    def tell(self, service: Service, name: str, reason: str = "", deployment: str = "") -> None:
        self.on_occurrence(Occurrence(self.now, service.arn, service.cluster, name, reason, deployment))

    def _count(self, task: Task) -> None:
        task.seen = None
        before, after, service = task.counted, task.count(), task.service
        if before != after:
            task.counted = after
            service.running += after[0] - before[0]
            service.pending += after[1] - before[1]
            service.healthy += after[2] - before[2]

    def _note(self, service: Service, cause: str) -> None:
        numbers = (service.healthy, service.running, service.pending, service.desired)
        if numbers != service.noted and service.status != STANDALONE:
            service.noted = numbers
            change = Change(self.now, service.name, *numbers, cause)
            self.journal.append(change)
            for listener in self.listeners:
                listener(change)
