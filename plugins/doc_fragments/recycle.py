# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options of ``_recycle_options``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(recycled) replaces the stale tasks. Choose them with exactly one of O(started_before), O(max_task_age),
        O(token), O(secrets_changed), O(tasks) and O(all_tasks). O(exclude_tasks), O(availability_zones) and
        O(capacity_providers) narrow that choice.
      - V(restored) replaces nothing. It gives back the capacity and the scaling switches that an interrupted run left
        behind. If there is no such run, it changes nothing.
    type: str
    choices: [recycled, restored]
    default: recycled
  order:
    description:
      - Which stale tasks are replaced first. V(az_spread) takes the oldest of each availability zone in turn.
      - Running tasks that are not healthy come before all others.
    type: str
    choices: [oldest, newest, az_spread]
    default: oldest
  max_tasks:
    description:
      - Maximum number of tasks to replace in one run. The next run continues with the others, except with O(all_tasks),
        whose next run starts over. M(steadyops.ecs.ecs_service_recycle) lists the others in
        RV(steadyops.ecs.ecs_service_recycle#module:recycle.remaining).
    type: int
  batch_size:
    description:
      - Number of tasks to stop in one step, as a number or as a percentage of the desired count, rounded up, such as
        V(10%).
      - A step begins when the previous step is complete, that is, when all its replacements are good.
      - The run uses smaller steps if O(surge) and O(minimum_healthy_percent) leave less room.
    type: str
    default: "1"
  batch_wait:
    description:
      - Seconds to wait between the end of one step and the start of the next.
    type: float
    default: 0
    aliases: [wait_time]
  checkpoints:
    description:
      - Percentages of the tasks to be replaced. Whenever a step reaches one, the run pauses for O(checkpoint_wait)
        instead of O(batch_wait), and watches O(alarms) during the pause.
    type: list
    elements: float
    default: []
  checkpoint_wait:
    description:
      - Seconds to wait at a checkpoint.
    type: float
    default: 3600
  bake_time:
    description:
      - Seconds to watch O(alarms) and the new tasks after the last replacement, before the run gives back what it added
        and succeeds. If an alarm goes off or a new task ends by itself, the run fails.
      - A run that takes over from a run that was killed after its last replacement does not bake again.
    type: float
    default: 0
  alarms:
    description:
      - Names of CloudWatch alarms, metric or composite. If one of them is in the state C(ALARM) before the first
        change, before a step, at a checkpoint or while baking, the run stops no further task, gives back what it added,
        and fails.
    type: list
    elements: str
    default: []
  max_failures:
    description:
      - Number of new tasks that may end by themselves or fail their health checks, and are replaced by ECS, before the
        run fails. A failed start that ECS reports both as a service event and as a stopped task counts once.
    type: int
    default: 0
  timeout:
    description:
      - Maximum duration of the whole run in seconds. After that, the run stops no further task, gives back what it
        added, and fails. Run the same task again to continue from there.
    type: int
  on_failure:
    description:
      - What to do with the added tasks and the suspended scaling if the run fails. V(restore) gives them back. V(keep)
        leaves them, with their record, so that the next run, or one with O(state=restored), can take over at once.
      - If the run is interrupted or reaches O(timeout), they are always given back.
    type: str
    choices: [restore, keep]
    default: restore
  stop_method:
    description:
      - How to stop stale tasks. V(stop_task) stops each of them by its ID.
      - V(scale_in) is for services behind load balancers that must not drop a request. In each step it puts every task
        that must stay under scale-in protection and lowers the desired count. ECS then chooses among the stale tasks,
        deregisters them, waits for the deregistration delay, and stops them. Then the module raises the count again for
        the next step.
      - With V(scale_in), ECS decides which stale tasks it stops first; O(order) only decides which tasks one run
        replaces if O(max_tasks) is given. It requires O(surge) of at least 1 and O(protected_tasks=skip), and is not
        available for C(DAEMON) services and for task sets with a scale below 100%.
      - A deployment cannot stop protected tasks. The module therefore ends the protections as soon as it sees a
        deployment, and at the end of the run. A run that takes over from a killed one ends them before it waits for a
        deployment or fails because of one. If no run takes over, they expire after an hour or after
        twice the O(wait_timeout), whichever is longer. Protections that tasks set themselves stay.
    type: str
    choices: [stop_task, scale_in]
    default: stop_task
  surge:
    description:
      - Number of tasks to add before the first one is stopped.
      - V(auto) adds as many as are stopped in one step, up to the service's C(maximumPercent), and none to C(DAEMON)
        services and task sets with a scale below 100%, which cannot be given any.
      - A number adds exactly that many. V(0) requires O(minimum_healthy_percent) below 100.
      - The added tasks replace the last stale tasks, so the run launches no more tasks than it replaces.
    type: str
    default: auto
  minimum_healthy_percent:
    description:
      - The floor, in percent of the desired count at the start, rounded up. A healthy task is stopped only if at least
        this many others are healthy.
      - Stale tasks that are not good, as O(wait_for) defines it, are replaced first. They do not count towards the
        floor, so they are replaced even while fewer tasks are healthy. A service that is unhealthy when the run begins
        can therefore recover.
    type: int
    default: 100
  wait_for:
    description:
      - When a new task is good. V(running) - it has reached C(RUNNING). V(healthy) - the health checks of its
        containers also pass. V(target_healthy) - in addition, it is healthy in every target group of the service and in
        service in every Classic Load Balancer. This includes target groups of VPC Lattice and, if the API names them,
        those that ECS creates for Express services and for ECS Gateway.
      - V(auto) uses the strongest of these that the service supports.
      - If the health of targets cannot be read, the run refuses to begin unless O(stabilize_time) says how long a new
        task must run instead. This is the case if no listener uses the target group, if its health checks are turned
        off, if ECS does not return the registered address, or if the permission is missing.
      - A check that the service does not have is an error.
    type: str
    choices: [running, healthy, target_healthy, auto]
    default: auto
  stabilize_time:
    description:
      - Seconds for which a new task must stay good before it counts.
      - The default is 0. If the service has no health check at all, it is 40, the time that ECS itself waits in
        deployments.
      - With a value above 0, O(wait_for) ignores target groups whose health cannot be read, with a warning.
    type: float
  wait_for_capacity:
    description:
      - Seconds to wait for capacity if ECS cannot place a new task. V(0) fails at once. This time does not count
        towards O(wait_timeout).
      - The default is V(900) if capacity is added on demand, that is, if the capacity provider of the service has
        managed scaling, is C(FARGATE) or C(FARGATE_SPOT), or consists of Managed Instances. Otherwise, and with a
        launch type, it is V(0).
    type: float
  on_deployment:
    description:
      - What to do if a deployment of the service is in progress, at the start or later. V(fail) fails. V(wait) waits
        until it has ended, up to O(deployment_timeout). No task is stopped during a deployment. Afterwards the run
        looks for target groups and stale tasks again.
      - Deployments of every controller and strategy count, including CodeDeploy and external controllers. The run never
        stops a task of another deployment or task set than the one that was PRIMARY when it began.
      - ECS launches no tasks for a deployment that failed and was not rolled back, so the run refuses to begin.
    type: str
    choices: [fail, wait]
    default: fail
  deployment_timeout:
    description:
      - Seconds to wait for a deployment with O(on_deployment=wait). A lifecycle hook can hold one for days.
    type: int
    default: 3600
  protected_tasks:
    description:
      - What to do with stale tasks under scale-in protection. V(skip) leaves them alone and lists them in the result.
        V(recycle) replaces them like others. V(wait) replaces them last, each when its protection has ended.
    type: str
    choices: [skip, recycle, wait]
    default: skip
  protected_timeout:
    description:
      - Seconds to wait with O(protected_tasks=wait) when only protected tasks are left. After that the run fails.
    type: int
    default: 3600
  suspend_scaling:
    description:
      - Activities of Application Auto Scaling to suspend for the service during the run. V(dynamic_in) is scaling in
        by policies, which would remove the added tasks again. V(dynamic_out) is scaling out by policies, and
        V(scheduled) is scheduled scaling.
      - Switches that were suspended before stay suspended. At its end, the run resumes those that it suspended itself.
      - An empty list leaves Application Auto Scaling alone. Minimum and maximum capacity are never changed.
    type: list
    elements: str
    choices: [dynamic_in, dynamic_out, scheduled]
    default: [dynamic_in]
  lease:
    description:
      - Seconds after which another run may take over from a run that stopped renewing its lease. A live run renews it.
      - At most 86400 (one day). A record whose lease ends later than that counts as abandoned.
      - If the other run was killed on the same machine, the module recognises this and takes over at once.
    type: int
    default: 600
  check_images:
    description:
      - Whether to warn if new tasks may not run the expected image. This is the case if the tag of an image was moved
        to another digest since the service was deployed, because a recycle does not pick that up, or if the registry no
        longer has the digest that the tasks run, so that new tasks cannot pull it.
      - Only checks images in private registries of Amazon ECR in the region of the service, and only if a task is stale
        and the permission is granted.
    type: bool
    default: true
  reason:
    description:
      - Text for the reason of every stop, which C(DescribeTasks) and the console show. The run adds its own mark after
        it. ECS keeps 255 characters.
    type: str
  wait_timeout:
    description:
      - Maximum number of seconds for one wait, such as for the replacements of one step to become good, for a
        deployment to end, or for another run to release the service. It does not limit the run as a whole.
      - If ECS refuses something outright, such as a task that it cannot place or start, the run fails at once.
    type: int
    default: 900
  wait_delay:
    description:
      - Minimum number of seconds between two polls of AWS. Fractions are allowed. The module lengthens its pauses, up
        to 15 seconds, if replacements take long.
    type: float
    default: 3
"""
