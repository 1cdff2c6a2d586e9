#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace the stale tasks of an Amazon ECS service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_recycle
version_added: 1.0.0
short_description: Replace the tasks of an Amazon ECS service one after another, at full capacity
description:
  - Replaces the running tasks of a service with new ones of the same revision, oldest first, without a deployment.
    People also call this a rolling restart, or an instance refresh.
  - Adds tasks first, and stops the first old task only when the added ones are good. If they never become good, no
    old task is stopped, the capacity is given back, and the failure says why the new tasks ended.
  - Before every single stop it looks again. The number of healthy tasks never falls below
    O(minimum_healthy_percent) by its doing, whatever deployments, scaling policies, operators or Spot
    interruptions do meanwhile.
  - A task is stale because of its age, or because you name it. Running the same task again therefore finishes an
    interrupted run, and repeating a finished run changes nothing.
  - Never changes the task definition, the service's deployment settings, or the limits of its scalable target.
author:
  - SteadyOps contributors (@steadyops)
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
      - How many tasks one run replaces at the most. RV(recycle.remaining) names the others; the next run goes on with
        them, except with O(all_tasks), whose next run begins anew.
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
    version_added: 1.0.0
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
    version_added: 1.0.0
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
      - What Application Auto Scaling shall not do to the service during the run. C(dynamic_in), scaling in by
        policies, would take the added tasks away again.
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
    default: 900
  wait_delay:
    description:
      - Minimum number of seconds between two looks at AWS. Fractions are allowed. The module learns longer pauses, up
        to 15 seconds, from the time that replacements take.
    default: 3
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.stale_tasks
  - steadyops.ecs.waiting
attributes:
  check_mode:
    support: full
    details: Nothing is written. The plan and the diff are those of a real run at that moment.
  diff_mode:
    support: full
    details: Shows the stale tasks before and after, as planned; with O(state=restored), what is given back.
  idempotent:
    support: partial
    details: >-
      With O(all_tasks), every run that was not interrupted replaces all tasks again. All other selectors are
      idempotent; with O(max_task_age), as long as the tasks are younger.
seealso:
  - module: steadyops.ecs.ecs_service_task_info
  - name: How ECS stops a task
    description: StopTask in the reference of the ECS API.
    link: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
notes:
  - The same software. Replacements run the revision that the service has. Since ECS pins the image of a deployment to
    its digest (software version consistency), a tag such as C(latest) that has been moved since is not picked up;
    that takes a deployment. If the image was deleted from its registry, the added task fails to start, and no old
    task is stopped.
  - A killed run. Before anything is changed, the tag C(steadyops.ecs/recycle) on the service says what is about to be
    done, and it is removed last. When a run is killed, or loses its network or its credentials, run the same task
    again and it goes on from there; or run it with O(state=restored) to give back what was added and no more. The run
    that lives holds a lease on the service (see O(lease)); a second one waits for it, for O(wait_timeout) at most.
  - The record is trusted within bounds. A run that takes over gives back at most as many tasks as the desired count
    shows and as ECS has created, or has yet to start, since the abandoned run began, and never crosses the minimum
    capacity of the scalable target; a warning says when the record claims more. When the tag has a value that no run
    writes, the module fails and names the field; O(state=restored) then removes the tag and changes nothing else. The
    README of the collection has a policy that lets only one role write tags that begin with C(steadyops.ecs/).
  - Tags on tasks. Where the service has C(propagateTags=SERVICE), ECS copies the record to each task that it launches.
    It is removed from them before the module ends, and by the next run after one that was killed. What AWS refuses to
    remove is a warning.
  - Ended from outside. On C(SIGTERM), C(SIGINT) and C(SIGHUP), and when the Ansible command that started it is gone,
    the module stops no further task, gives back what it has added, and fails.
  - What stays. Desired count, scaling switches and tags are afterwards as they were before. The one exception is the
    tag C(steadyops.ecs/recycle-tokens), and only with O(token), because a token has to be remembered. Where tags of
    the service are managed elsewhere, let that ignore keys beginning with C(steadyops.ecs/).
  - Progress. Where the module runs on the machine on which Ansible runs, a line on standard error tells of the plan,
    of each step with its tasks, the healthy ones, its seconds and the time that is left, and after a minute of silence
    that the run lives. With ansible-runner, and so in AWX, each is an event at once. C(no_log), C(async) and the
    variable C(ecs_progress=false) silence it; on other machines the module works the same and is silent.
  - The desired count is given back as a difference. When somebody scales the service during the run, that stays.
  - The desired count of a service of the type C(DAEMON) follows the number of instances. When that changes during
    the run, O(minimum_healthy_percent) is taken of the new count.
  - No switch of O(suspend_scaling) is documented to hold up predictive scaling. What such a policy adds stays.
  - Availability zone rebalancing may start and stop tasks during the run. Its failed attempts are no failures.
  - Added tasks that never became good are stopped again before the desired count is lowered, so that ECS has none of
    the good ones to choose. The result lists them under RV(recycle.withdrawn). A stale task that is not healthy may be
    stopped in the same way; an added task then takes its place, and it is listed under RV(recycle.replaced).
  - Draining. ECS deregisters a stopped task from its target groups before it sends C(SIGTERM) to the containers, but
    promises this for C(StopTask) less firmly than for deployments and for scaling in. Let containers finish their
    requests after C(SIGTERM), within C(stopTimeout), or use O(stop_method=scale_in).
  - Services with an ARN of the format from before 2019 cannot carry tags, and are refused.
  - The service is looked at with two calls at a time, or with one more for each target group, however many tasks it
    has. A fleet of services is worked on in parallel with C(strategy free) or C(throttle); see also ansible-core's
    C(async).
  - |-
    IAM permissions, and what each is for:

    C(ecs:DescribeServices) - the service, its counts, events and tags, before every change.

    C(ecs:ListTasks), C(ecs:DescribeTasks) - its tasks, all of them at the start and at the end.

    C(ecs:DescribeTaskDefinition) - whether its containers have health checks.

    C(ecs:StopTask) - to stop stale tasks, and added ones that never became good.

    C(ecs:UpdateService) - to set the desired count and nothing else, so no right to pass a role is needed.

    C(ecs:TagResource), C(ecs:UntagResource) - to write and remove the record of the run. C(ecs:UntagResource) on
    tasks as well, for services with C(propagateTags=SERVICE).

    C(ecs:GetTaskProtection) - unless O(protected_tasks=recycle).

    C(ecs:UpdateTaskProtection) - with O(stop_method=scale_in), and to clean up after such a run.

    C(cloudwatch:DescribeAlarms) - with O(alarms).

    C(secretsmanager:DescribeSecret), C(ssm:DescribeParameters), C(s3:GetObject) - with O(secrets_changed), for what the
    task definition names.

    C(elasticloadbalancing:DescribeTargetHealth) - for services with target groups.

    C(elasticloadbalancing:DescribeInstanceHealth) - for services with Classic Load Balancers.

    C(vpc-lattice:ListTargets) - for services that use VPC Lattice.

    C(ecr:DescribeImages) - with O(check_images); without it, nothing is said of images.

    C(ecs:DescribeContainerInstances) - for those of them whose tasks use the ports of EC2 instances.

    C(ecs:DescribeServiceDeployments) - for services with the deployment strategy blue/green, linear or canary.

    C(ecs:DescribeServiceRevisions) - for these, and for services without a load balancer of their own, to find the one
    that ECS has made for an Express service or through ECS Gateway. Without it, a load balancer of ECS Gateway is not
    seen.

    C(ecs:DescribeCapacityProviders) - when ECS finds no place for a task of a service with capacity providers of your
    own, unless O(wait_for_capacity) is set.

    C(application-autoscaling:DescribeScalableTargets), C(application-autoscaling:RegisterScalableTarget) - unless
    O(suspend_scaling) is empty; the latter only where there is a scalable target.
"""

EXAMPLES = r"""
- name: Let all tasks read a secret anew after it was rotated
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    started_before: "2025-11-22T03:00:00Z"

- name: Rotate a secret, and let the tasks that hold the old one be replaced
  when: rotated is changed
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    started_before: "{{ rotated.secret.last_changed_date }}"

- name: Let no task grow older than a week (from a nightly job)
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    max_task_age: 7d
    batch_wait: 30
    reason: Weekly hygiene

- name: Replace all tasks once for each run of a pipeline, however often the job is retried
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    token: "{{ lookup('ansible.builtin.env', 'CI_PIPELINE_ID') }}"
    batch_size: 10%

- name: Replace all tasks of a small service in a cluster without room for another, at the price of one task's capacity
  steadyops.ecs.ecs_service_recycle:
    service: arn:aws:ecs:eu-central-1:123456789012:service/production/batch
    all_tasks: true
    surge: 0
    minimum_healthy_percent: 66

- name: Show what would be replaced, and in which steps
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    max_task_age: 7d
  check_mode: true
  diff: true

- name: Replace tasks, and tell what went wrong where it fails
  block:
    - name: Replace the tasks of the days before
      steadyops.ecs.ecs_service_recycle:
        cluster: production
        service: web
        max_task_age: 1d
        on_deployment: wait
      register: web
  rescue:
    - name: Say why new tasks ended
      ansible.builtin.debug:
        msg: "{{ item.stop_code }}: {{ item.reason }}"
      loop: "{{ ansible_failed_result.recycle.failures }}"

- name: Give back what a cancelled run has left behind, and go on no further
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    state: restored
"""

RETURN = r"""
recycle:
  description: What was done. A failed task returns it as well, beside RV(ignore:msg).
  returned: unless the options themselves are refused
  type: dict
  contains:
    status:
      description:
        - V(unchanged) - nothing was stale and nothing left behind.
        - V(recycled) - stale tasks were replaced; in check mode, would be.
        - V(restored) - only what an interrupted run left behind was put right; in check mode, would be.
        - V(failed) - the reason is in RV(ignore:msg). RV(recycle.remaining) is still to be replaced.
      returned: always
      type: str
      sample: recycled
    service:
      description: ARN of the service; V(null) when it failed before the service was seen.
      returned: always
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:service/production/web
    selector:
      description:
        - The option that says which tasks are stale, with the value that was given.
        - V(null) with O(state=restored).
      returned: always
      type: dict
      sample: {max_task_age: 7d}
    cutoff:
      description:
        - The instant before which a task must have been created to be stale.
        - V(null) with O(tasks), O(state=restored), and when it failed before that was known.
      returned: always
      type: str
      sample: "2026-11-22T03:00:00Z"
    resumed:
      description: Whether this run went on with the work of one that had been interrupted.
      returned: always
      type: bool
      sample: false
    plan:
      description: What was planned at the start; V(null) when nothing was to be planned.
      returned: always
      type: dict
      contains:
        tasks:
          description: ARNs of the tasks to be replaced, in order.
          returned: always
          type: list
          elements: str
          sample: ["arn:aws:ecs:eu-central-1:123456789012:task/production/4f1f4e9ad3b94eb0a5d4f5a1a7a3b9c0"]
        steps:
          description: In how many steps.
          returned: always
          type: int
          sample: 1
        batch_size:
          description: How many tasks are stopped in one step.
          returned: always
          type: int
          sample: 1
        surge:
          description: How many tasks are added before the first is stopped.
          returned: always
          type: int
          sample: 1
        minimum_healthy:
          description: The floor; how many tasks have to be healthy besides the one that is stopped.
          returned: always
          type: int
          sample: 3
        wait_for:
          description: When a new task is good. See O(wait_for).
          returned: always
          type: str
          sample: target_healthy
        stabilize_time:
          description: Seconds for which a new task has to stay good.
          returned: always
          type: float
          sample: 0.0
        suspend_scaling:
          description: The switches of Application Auto Scaling that are suspended for the run.
          returned: always
          type: list
          elements: str
          sample: [dynamic_in]
    replaced:
      description: The tasks that were replaced, in order.
      returned: always
      type: list
      elements: dict
      contains:
        task:
          description: ARN of the task that was stopped.
          returned: always
          type: str
          sample: arn:aws:ecs:eu-central-1:123456789012:task/production/4f1f4e9ad3b94eb0a5d4f5a1a7a3b9c0
        new_tasks:
          description:
            - ARNs of the tasks that became good in the same step, shared out among its tasks, as nothing tells which of
              them stands for which. Those that were added at the start stand for the tasks of the last step.
          returned: always
          type: list
          elements: str
          sample: ["arn:aws:ecs:eu-central-1:123456789012:task/production/0bb2f7b7a8f34b5c9d7e6a5f4e3d2c1b"]
        seconds:
          description:
            - From the first stop of the step until all its replacements were good. With O(stop_method=scale_in), from
              the lower desired count until the tasks were gone.
          returned: always
          type: float
          sample: 68.4
    skipped:
      description: Stale tasks that were left alone.
      returned: always
      type: list
      elements: dict
      contains:
        task:
          description: ARN of the task.
          returned: always
          type: str
          sample: arn:aws:ecs:eu-central-1:123456789012:task/production/9c0b3a7a1a5f4d5a0be49b3da9e4f1f4
        reason:
          description: V(protected) by scale-in protection, or V(already gone) when ECS no longer knew it.
          returned: always
          type: str
          sample: protected
    remaining:
      description: ARNs of the stale tasks that are still to be replaced.
      returned: always
      type: list
      elements: str
      sample: []
    failures:
      description: New tasks that ended by themselves during the run.
      returned: always
      type: list
      elements: dict
      contains:
        task:
          description: ARN of the task.
          returned: always
          type: str
          sample: arn:aws:ecs:eu-central-1:123456789012:task/production/1b2c3d4e5f6a7e9d5c4b34f8a7b7f2bb
        stop_code:
          description: As ECS gives it.
          returned: always
          type: str
          sample: TaskFailedToStart
        reason:
          description: As ECS gives it, with the reasons of the containers.
          returned: always
          type: str
          sample: "CannotPullContainerError: pull image manifest has been retried 7 time(s): image not found"
    withdrawn:
      description: ARNs of added tasks that never became good and were stopped again.
      returned: always
      type: list
      elements: str
      sample: []
    capacity:
      description: The desired count of the service; V(null) where it was never seen.
      returned: always
      type: dict
      contains:
        before:
          description: At the start; after an interrupted run, at the start of that one.
          returned: always
          type: int
          sample: 3
        peak:
          description: The highest.
          returned: always
          type: int
          sample: 4
        after:
          description: At the end.
          returned: always
          type: int
          sample: 3
    scaling:
      description:
        - The switches of Application Auto Scaling; true when suspended.
        - V(null) where there is no scalable target, or it was not looked at.
      returned: always
      type: dict
      contains:
        before:
          description: At the start; after an interrupted run, at the start of that one.
          returned: always
          type: dict
          sample: {dynamic_in: false, dynamic_out: false, scheduled: false}
        after:
          description: At the end.
          returned: always
          type: dict
          sample: {dynamic_in: false, dynamic_out: false, scheduled: false}
    minimum_healthy:
      description: The fewest healthy tasks that were seen; V(null) when nothing was to be replaced.
      returned: always
      type: int
      sample: 3
    timeline:
      description: The course of the run, made to be drawn. Its size grows with the number of tasks, not with time.
      returned: always
      type: dict
      contains:
        started:
          description: When the plan was made, which all other times are seconds after; V(null) when there was none.
          returned: always
          type: str
          sample: "2026-11-22T03:00:02Z"
        seconds:
          description: Until when it is told.
          returned: always
          type: float
          sample: 213.1
        counts:
          description: The healthy tasks and the desired count, at the start and whenever one of them changed.
          returned: always
          type: list
          elements: dict
          sample: [{at: 0.0, healthy: 3, desired: 3}, {at: 1.2, healthy: 3, desired: 4}]
          contains:
            at:
              description: Seconds after the start.
              returned: always
              type: float
              sample: 1.2
            healthy:
              description: How many tasks were good.
              returned: always
              type: int
              sample: 3
            desired:
              description: The desired count of the service.
              returned: always
              type: int
              sample: 4
        tasks:
          description: The tasks to be replaced, and those that were new; none in check mode.
          returned: always
          type: list
          elements: dict
          contains:
            task:
              description: Id of the task.
              returned: always
              type: str
              sample: 4f1f4e9ad3b94eb0a5d4f5a1a7a3b9c0
            new:
              description: Whether it was created during the run, or during the interrupted one before it.
              returned: always
              type: bool
              sample: false
            from:
              description: When it was created, or V(0) if that was before the start.
              returned: always
              type: float
              sample: 0.0
            good:
              description: When a new task was seen to be good; V(null) if never.
              returned: always
              type: float
              sample: 0.0
            to:
              description: When it was told to stop, or seen to be gone; V(null) if it still ran at the end.
              returned: always
              type: float
              sample: 70.4
    seconds:
      description: How long it took.
      returned: always
      type: float
      sample: 215.3
    api_calls:
      description: Calls to AWS, by operation, repeated ones included.
      returned: always
      type: dict
      sample:
        DescribeScalableTargets: 2
        DescribeServices: 21
        DescribeTargetHealth: 11
        DescribeTaskDefinition: 1
        DescribeTasks: 13
        GetTaskProtection: 4
        ListTasks: 2
        RegisterScalableTarget: 2
        StopTask: 3
        TagResource: 1
        UntagResource: 1
        UpdateService: 2
"""

from ..module_utils._aws.live.service import LiveService
from ..module_utils._core.recycle.model import SCALING_FLAGS
from ..module_utils._core.recycle.report import Report
from ..module_utils._core.recycle.run import recycle
from ..module_utils._core.recycle.session import Self
from ..module_utils._core.recycle.settings import read_settings
from ..module_utils._core.recycle.watch import Watch
from ..module_utils._drive import Ending, drive
from ..module_utils._lease_owner import is_dead, own_name
from ..module_utils._module import AwsModule, Outcome, run
from ..module_utils._progress import teller
from ..module_utils._stale_task_options import STALE_TASKS
from ..module_utils._wait_options import patience_options

ARGUMENTS = {
    **STALE_TASKS,
    "state": {"type": "str", "choices": ["recycled", "restored"], "default": "recycled"},
    "order": {"type": "str", "choices": ["oldest", "newest", "az_spread"], "default": "oldest"},
    "max_tasks": {"type": "int"},
    "batch_size": {"type": "str", "default": "1"},
    "batch_wait": {"type": "float", "default": 0, "aliases": ["wait_time"]},
    "checkpoints": {"type": "list", "elements": "float", "default": []},
    "checkpoint_wait": {"type": "float", "default": 3600},
    "bake_time": {"type": "float", "default": 0},
    "alarms": {"type": "list", "elements": "str", "default": []},
    "max_failures": {"type": "int", "default": 0},
    "timeout": {"type": "int"},
    "on_failure": {"type": "str", "choices": ["restore", "keep"], "default": "restore"},
    "stop_method": {"type": "str", "choices": ["stop_task", "scale_in"], "default": "stop_task"},
    "surge": {"type": "str", "default": "auto"},
    "minimum_healthy_percent": {"type": "int", "default": 100},
    "wait_for": {"type": "str", "choices": ["running", "healthy", "target_healthy", "auto"], "default": "auto"},
    "stabilize_time": {"type": "float"},
    **patience_options(timeout=900, delay=3),
    "wait_for_capacity": {"type": "float"},
    "on_deployment": {"type": "str", "choices": ["fail", "wait"], "default": "fail"},
    "deployment_timeout": {"type": "int", "default": 3600},
    "protected_tasks": {"type": "str", "choices": ["skip", "recycle", "wait"], "default": "skip"},
    "protected_timeout": {"type": "int", "default": 3600},
    "suspend_scaling": {"type": "list", "elements": "str", "choices": list(SCALING_FLAGS), "default": ["dynamic_in"]},
    "lease": {"type": "int", "default": 600},
    "check_images": {"type": "bool", "default": True},
    "reason": {"type": "str"},
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    ending = Ending()
    settings = read_settings(module.params)
    world = LiveService(module.client, module.params["cluster"], module.params["service"])
    me = Self(own_name(), is_dead, ending, check_mode)
    report = Report(watch=Watch(teller()))
    drive(recycle(world, settings, world.name.cluster, world.name.service, me, report), ending)
    return Outcome(
        changed=report.changed,
        results={"recycle": report.as_dict()},
        before=report.diff and report.diff["before"],
        after=report.diff and report.diff["after"],
        warnings=report.warnings,
        failure=report.message,
    )


def main() -> None:
    run(ARGUMENTS, work, about="service {service} of cluster {cluster}")


if __name__ == "__main__":
    main()
