# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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
      - V(restored) replaces nothing. It gives back the capacity and the scaling switches that an interrupted run has
        left behind, and changes nothing where there is no such run.
    type: str
    choices: [recycled, restored]
    default: recycled
  order:
    description:
      - Which stale tasks are replaced first. V(az_spread) takes the oldest of each availability zone in turn.
      - Tasks that run and are not healthy come before all others.
    type: str
    choices: [oldest, newest, az_spread]
    default: oldest
  max_tasks:
    description:
      - How many tasks one run replaces at the most. The next run goes on with the others, except with O(all_tasks),
        whose next run begins anew. M(steadyops.ecs.ecs_service_recycle) names them in
        RV(steadyops.ecs.ecs_service_recycle#module:recycle.remaining).
    type: int
  batch_size:
    description:
      - How many tasks are stopped in one step, as a number, or as a percentage of the desired count, rounded up, such
        as V(10%).
      - A step begins when the step before is whole, that is when all its replacements are good.
      - It is cut where O(surge) and O(minimum_healthy_percent) leave less room.
    type: str
    default: "1"
  batch_wait:
    description:
      - Seconds to wait after one step is whole and before the next one begins.
    type: float
    default: 0
    aliases: [wait_time]
  checkpoints:
    description:
      - Percentages of the tasks to be replaced. Whenever a step has reached one, the run pauses for O(checkpoint_wait)
        instead of O(batch_wait), and O(alarms) are watched meanwhile.
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
      - Seconds for which the run watches O(alarms) and the new tasks after the last one was replaced, before it gives
        back what it has added and succeeds. When an alarm rings or a new task ends by itself, it fails.
      - A run that takes over from a killed one after the last replacement does not bake again.
    type: float
    default: 0
  alarms:
    description:
      - Names of alarms of CloudWatch, metric or composite. None may be in the state C(ALARM) before the first write,
        before a step, at a checkpoint and while baking; otherwise the run stops no further task, gives back what it has
        added, and fails.
    type: list
    elements: str
    default: []
  max_failures:
    description:
      - How many new tasks may end by themselves or fail their health checks, and be replaced by ECS, before the run
        gives up. A failed start that ECS reports both as a service event and as a stopped task counts once.
    type: int
    default: 0
  timeout:
    description:
      - Seconds after which the run as a whole ends. It stops no further task, gives back what it has added, and fails;
        the same task run again goes on from there.
    type: int
  on_failure:
    description:
      - What becomes of the added tasks and the suspended scaling when the run fails. V(restore) gives them back.
        V(keep) leaves them, and the record of them, for the next run, or one with O(state=restored), to take over at
        once.
      - When the run is ended from outside or by O(timeout), they are given back in any case.
    type: str
    choices: [restore, keep]
    default: restore
  stop_method:
    description:
      - How stale tasks are stopped. V(stop_task) stops each of them by name.
      - V(scale_in) is for services behind load balancers that must not drop a request. In each step it puts every
        task that is to stay under scale-in protection and lowers the desired count, and ECS itself chooses among the
        stale tasks, deregisters them, waits for the deregistration delay, and stops them. Then it raises the count
        again for the next step.
      - With V(scale_in), which of the stale tasks go first is for ECS to say; O(order) only says which of them one run
        replaces when O(max_tasks) is given. It needs a O(surge) of at least 1 and O(protected_tasks=skip), and cannot
        be had for services of the type C(DAEMON) and for task sets with a scale of less than 100%.
      - A deployment that somebody begins meanwhile cannot stop protected tasks. So the protections are ended as soon
        as one is seen, at the end of the run, and by the run that takes over from a killed one, which ends them before
        it waits for a deployment or fails because of one. Where no run takes over, they end by themselves, after an
        hour or twice the O(wait_timeout). Protections that tasks have set themselves stay.
    type: str
    choices: [stop_task, scale_in]
    default: stop_task
  surge:
    description:
      - How many tasks are added before the first one is stopped.
      - V(auto) adds as many as are stopped in one step, as far as the service's C(maximumPercent) allows, and none to
        a service of the type C(DAEMON) and a task set with a scale of less than 100%, which cannot be given any.
      - A number adds exactly that many. V(0) needs a O(minimum_healthy_percent) below 100.
      - What was added takes the places of the last tasks that are stopped, so no more tasks are launched than
        replaced.
    type: str
    default: auto
  minimum_healthy_percent:
    description:
      - The floor, in percent of the desired count at the start, rounded up. No healthy task is stopped unless so many
        others are healthy.
      - Stale tasks that are not good, as O(wait_for) defines it, are replaced first. They do not count towards the
        floor, so they are also replaced while fewer tasks are healthy. So a service that is unhealthy when the run
        begins can recover.
    type: int
    default: 100
  wait_for:
    description:
      - When a new task is good. V(running) - it has reached C(RUNNING). V(healthy) - the health checks of its
        containers pass as well. V(target_healthy) - it is healthy in every target group of the service as well,
        and in service in every Classic Load Balancer. Target groups of VPC Lattice count, and those that ECS makes for
        Express services and for ECS Gateway, as far as the API names them.
      - V(auto) is the strongest of them that the service has.
      - Where the health of targets cannot be read, the run refuses to begin unless O(stabilize_time) says how long a
        new task must run instead. That is where no listener uses the target group, where its health checks are turned
        off, where ECS does not tell the address that is registered, and where the permission is missing.
      - Asking for a check that the service does not have is refused.
    type: str
    choices: [running, healthy, target_healthy, auto]
    default: auto
  stabilize_time:
    description:
      - Seconds for which a new task has to stay good before it counts.
      - By default 0; 40, as ECS itself waits in deployments, where the service has no health check at all.
      - With a value above 0, target groups whose health cannot be read are left out of O(wait_for), with a warning.
    type: float
  wait_for_capacity:
    description:
      - Seconds to wait for room when ECS finds no place for a new task. V(0) fails at once. This time does not count
        towards O(wait_timeout).
      - By default V(900) where capacity is added on demand, that is where the capacity provider of the service has
        managed scaling, is C(FARGATE) or C(FARGATE_SPOT), or consists of Managed Instances. Otherwise V(0), also with
        a launch type, for which no capacity provider adds capacity.
    type: float
  on_deployment:
    description:
      - What to do when a deployment of the service is in progress, at the start or later. V(fail), or V(wait) until it
        has ended, for O(deployment_timeout) at most. Nothing is stopped during a deployment. Afterwards the run looks
        anew for target groups and stale tasks.
      - Deployments of every controller and strategy count, also those of CodeDeploy and of an external controller.
        A task of another deployment or task set than the one that was PRIMARY when the run began is never stopped.
      - A deployment that has failed and was not rolled back launches no tasks, so the run refuses to begin.
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
      - What to do with stale tasks under scale-in protection. V(skip) leaves them alone and names them in the result,
        V(recycle) replaces them like others. V(wait) replaces them last, each when its protection has ended.
    type: str
    choices: [skip, recycle, wait]
    default: skip
  protected_timeout:
    description:
      - With O(protected_tasks=wait), seconds to wait when only protected tasks are left. Then the run fails.
    type: int
    default: 3600
  suspend_scaling:
    description:
      - What Application Auto Scaling must not do to the service during the run. C(dynamic_in) stands for scaling in by
        policies, which would take the added tasks away again.
      - Switches that are suspended already stay so. Those that the run suspends are resumed at its end.
      - An empty list leaves Application Auto Scaling alone. Minimum and maximum capacity are never changed.
    type: list
    elements: str
    choices: [dynamic_in, dynamic_out, scheduled]
    default: [dynamic_in]
  lease:
    description:
      - Seconds after which another run may take over from one that has gone silent. The lease is renewed as long as
        the run lives.
      - At most 86400, which is a day. A record whose lease ends later than that counts as abandoned.
      - A run that was killed on this machine is recognized as dead, and taken over from at once.
    type: int
    default: 600
  check_images:
    description:
      - Warns when new tasks would not run what people hope for. That is when the tag of an image was moved to another
        digest since the service was deployed, which a recycle does not pick up, or when the digest that the tasks run
        is gone from its registry, so that new tasks cannot pull it.
      - Only looks at images in private registries of Amazon ECR in the region of the service, when something is stale,
        and when the permission is there.
    type: bool
    default: true
  reason:
    description:
      - A text that is put in front of the run's own mark in the reason of every stop, where C(DescribeTasks) and the
        console show it. ECS keeps 255 characters.
    type: str
  wait_timeout:
    description:
      - Maximum number of seconds to wait for one thing, such as for the replacements of one step to become good, for a
        deployment to end, or for another run to release the service. It does not limit the run as a whole.
      - What ECS refuses outright, such as a task that it cannot place or start, fails at once.
    type: int
    default: 900
  wait_delay:
    description:
      - Minimum number of seconds between two looks at AWS. Fractions are allowed. The module learns longer pauses, up
        to 15 seconds, from the time that replacements take.
    type: float
    default: 3
"""
