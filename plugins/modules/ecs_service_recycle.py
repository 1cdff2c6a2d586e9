#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
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
  - Adds tasks first, as many as O(surge) says, and stops the first old task only when the added tasks are good. If they
    never become good, the module stops no old task, gives the capacity back, and fails with the reason why the new
    tasks ended.
  - Checks the service again before every single stop. The module itself never takes the number of healthy tasks below
    O(minimum_healthy_percent), even if deployments, scaling policies, operators or Spot interruptions change the
    service during the run.
  - You choose which tasks are stale, for example by age, by a changed secret or by ID. Running the same Ansible task
    again finishes an interrupted run. Repeating a finished run changes nothing, except with O(all_tasks).
  - Never changes the task definition, the service's deployment settings, or the limits of its scalable target.
author:
  - SteadyOps contributors (@steadyops)
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.stale_tasks.service
  - steadyops.ecs.stale_tasks
  - steadyops.ecs.recycle
  - steadyops.ecs.waiting
attributes:
  check_mode:
    support: full
    details: Nothing is written. The plan and the diff are what a real run would produce at that moment.
  diff_mode:
    support: full
    details: Shows the stale tasks before and after, as planned. With O(state=restored), shows what is given back.
  idempotent:
    support: partial
    details: >-
      With O(all_tasks), every run that was not interrupted replaces all tasks again. All other selectors are
      idempotent; with O(max_task_age), until further tasks reach that age.
seealso:
  - module: steadyops.ecs.ecs_service_task_info
  - name: How ECS stops a task
    description: StopTask in the reference of the ECS API.
    link: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html
notes:
  - The same software. Replacements run the same revision as the service. ECS pins the images of a deployment to their
    digests (software version consistency), so a recycle does not pick up a tag such as C(latest) that was moved later;
    that takes a deployment. If the image was deleted from its registry, the new task does not start and the run
    fails. If tasks were added first (see O(surge)), no old task has been stopped by then.
  - A killed run. Before the module changes anything, it writes what it is about to do to the tag
    C(steadyops.ecs/recycle) of the service. It removes this record last. If a run was killed, or lost its network or
    its credentials, run the same task again to continue from there, or run it with O(state=restored) to give back what
    was added and replace nothing more. A running module holds a lease on the service (see O(lease)). A second one waits
    for it, up to O(wait_timeout).
  - The record is trusted within bounds. A run that takes over gives back at most as many tasks as the desired count
    shows and as ECS has created, or has yet to start, since the abandoned run began, and never goes below the minimum
    capacity of the scalable target; a warning says when the record claims more. If the tag has a value that no run
    writes, the module fails and names the field; O(state=restored) then removes the tag and changes nothing else. The
    guide to permissions has a policy that lets only one role write tags that begin with C(steadyops.ecs/).
  - Tags on tasks. If the service has C(propagateTags=SERVICE), ECS copies the record to each task that it launches. The
    module removes these copies before it ends, and those of a killed run when it takes over. If AWS refuses to remove
    one, the module warns.
  - Interruption. On C(SIGTERM), C(SIGINT) and C(SIGHUP), and if the Ansible command that started it is gone, the module
    stops no further task, gives back what it added, and fails.
  - State afterwards. The desired count, scaling switches and tags are the same as before the run, with two exceptions.
    O(token) keeps its tokens in the tag C(steadyops.ecs/recycle-tokens), and a failed run with O(on_failure=keep) gives
    nothing back. If another tool manages the tags of the service, let it ignore keys that begin with
    C(steadyops.ecs/).
  - Progress. If the module runs on the controller, it prints a line on standard error for the plan, for each step (its
    tasks, the number of healthy tasks, the seconds it took and the time left), and after each minute without news. With
    ansible-runner, and therefore in AWX, each line is an event of its own, sent at once. C(no_log), C(async) and the
    variable C(ecs_progress=false) turn this off. On other hosts the module prints no progress.
  - The module gives the desired count back as a difference. If someone scales the service during the run, their change
    stays.
  - The desired count of a service of the type C(DAEMON) follows the number of instances. If it changes during the run,
    O(minimum_healthy_percent) applies to the new count.
  - AWS documents no switch of O(suspend_scaling) that suspends predictive scaling. Tasks that such a policy adds stay.
  - Availability zone rebalancing may start and stop tasks during the run. Its failed attempts do not count as failures.
  - The module stops added tasks that never became good before it lowers the desired count, so that ECS does not choose
    a good task instead. The result lists them under RV(recycle.withdrawn). The module may stop a stale task that is not
    healthy in the same way; an added task then takes its place, and the result lists it under RV(recycle.replaced).
  - Draining. ECS deregisters a stopped task from its target groups before it sends C(SIGTERM) to the containers, but
    its documentation promises this less firmly for C(StopTask) than for deployments and for scaling in. Let containers
    finish their requests after C(SIGTERM), within C(stopTimeout), or use O(stop_method=scale_in).
  - The module refuses services whose ARN has the format from before 2019, because they cannot have tags.
  - Each look at the service takes two calls, and one more for each target group, however many tasks it has. To recycle
    many services in parallel, use M(steadyops.ecs.ecs_fleet_recycle), or a play over the services as hosts with the
    strategy C(free) or with C(throttle).
  - |-
    IAM permissions, and what each is for:

    C(ecs:DescribeServices) - the service, its counts, events and tags, before every change.

    C(ecs:ListTasks), C(ecs:DescribeTasks) - its tasks; all of them at the start and at the end.

    C(ecs:DescribeTaskDefinition) - to see whether its containers have health checks.

    C(ecs:StopTask) - to stop stale tasks, and added ones that never became good.

    C(ecs:UpdateService) - to set the desired count and nothing else, so no right to pass a role is needed.

    C(ecs:TagResource), C(ecs:UntagResource) - to write and remove the record of the run. C(ecs:UntagResource) on
    tasks as well, for services with C(propagateTags=SERVICE).

    C(ecs:GetTaskProtection) - unless O(protected_tasks=recycle).

    C(ecs:UpdateTaskProtection) - with O(stop_method=scale_in), and to clean up after such a run.

    C(cloudwatch:DescribeAlarms) - with O(alarms).

    C(secretsmanager:DescribeSecret), C(ssm:DescribeParameters), C(s3:GetObject) - with O(secrets_changed), for the
    secrets, parameters and files that the task definition names.

    C(elasticloadbalancing:DescribeTargetHealth) - for services with target groups.

    C(elasticloadbalancing:DescribeInstanceHealth) - for services with Classic Load Balancers.

    C(vpc-lattice:ListTargets) - for services that use VPC Lattice.

    C(ecr:DescribeImages) - with O(check_images). Without this permission, the module does not check images.

    C(ecs:DescribeContainerInstances) - for services with a load balancer whose tasks use the ports of EC2 instances.

    C(ecs:DescribeServiceDeployments) - for services with the deployment strategy blue/green, linear or canary.

    C(ecs:DescribeServiceRevisions) - for these, and for services without a load balancer of their own, to find one that
    ECS created for an Express service or through ECS Gateway. Without this permission, the module does not see a load
    balancer of ECS Gateway.

    C(ecs:DescribeCapacityProviders) - when ECS cannot place a task of a service with capacity providers of your own,
    unless O(wait_for_capacity) is set.

    C(application-autoscaling:DescribeScalableTargets), C(application-autoscaling:RegisterScalableTarget) - unless
    O(suspend_scaling) is empty; the latter only if there is a scalable target.
"""

EXAMPLES = r"""
- name: Let all tasks read a secret again after it was rotated
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    started_before: "2025-11-22T03:00:00Z"

# rotated is the registered result of a task with community.aws.secretsmanager_secret.
- name: Replace the tasks that still use the old secret after a rotation
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

- name: Replace all tasks of a small service in a cluster without room for another task, with one task less meanwhile
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

- name: Replace tasks, and show the reasons if it fails
  block:
    - name: Replace tasks older than a day
      steadyops.ecs.ecs_service_recycle:
        cluster: production
        service: web
        max_task_age: 1d
        on_deployment: wait
      register: web
  rescue:
    - name: Show why new tasks ended
      ansible.builtin.debug:
        msg: "{{ item.stop_code }}: {{ item.reason }}"
      loop: "{{ ansible_failed_result.recycle.failures }}"

- name: Give back what a cancelled run left behind, and replace nothing more
  steadyops.ecs.ecs_service_recycle:
    cluster: production
    service: web
    state: restored
"""

RETURN = r"""
recycle:
  description: What the module did. A failed task returns it as well, next to RV(ignore:msg).
  returned: unless the options themselves are refused
  type: dict
  contains:
    status:
      description:
        - V(unchanged) - no task was stale, and no interrupted run had left anything behind.
        - V(recycled) - stale tasks were replaced; in check mode, would be.
        - V(restored) - what an interrupted run left behind was given back, and nothing else was done; in check mode,
          would be.
        - V(failed) - the reason is in RV(ignore:msg). The tasks in RV(recycle.remaining) were not replaced.
      returned: always
      type: str
      sample: recycled
    service:
      description: ARN of the service; V(null) if the module failed before it read the service.
      returned: always
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:service/production/web
    selector:
      description:
        - The option that chooses the stale tasks, with its value.
        - V(null) with O(state=restored).
      returned: always
      type: dict
      sample: {max_task_age: 7d}
    cutoff:
      description:
        - Tasks created before this instant are stale.
        - V(null) with O(tasks), with O(state=restored), and if the module failed before it was known.
      returned: always
      type: str
      sample: "2026-11-22T03:00:00Z"
    resumed:
      description: Whether this run continued the work of an interrupted one.
      returned: always
      type: bool
      sample: false
    plan:
      description: The plan at the start; V(null) if there was nothing to plan.
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
          description: Number of steps.
          returned: always
          type: int
          sample: 1
        batch_size:
          description: Number of tasks that are stopped in one step.
          returned: always
          type: int
          sample: 1
        surge:
          description: Number of tasks that are added before the first one is stopped.
          returned: always
          type: int
          sample: 1
        minimum_healthy:
          description: The floor, the number of tasks that must be healthy besides the one that is stopped.
          returned: always
          type: int
          sample: 3
        wait_for:
          description: When a new task is good. See O(wait_for).
          returned: always
          type: str
          sample: target_healthy
        stabilize_time:
          description: Seconds for which a new task must stay good.
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
            - ARNs of the tasks that became good in the same step, distributed among the tasks of the step, because ECS
              does not say which task replaces which. Tasks that were added at the start replace the tasks of the last
              step.
          returned: always
          type: list
          elements: str
          sample: ["arn:aws:ecs:eu-central-1:123456789012:task/production/0bb2f7b7a8f34b5c9d7e6a5f4e3d2c1b"]
        seconds:
          description:
            - Seconds from the first stop of the step until all its replacements were good. With
              O(stop_method=scale_in), seconds from lowering the desired count until the tasks were gone.
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
      description: ARNs of the stale tasks that were not replaced.
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
      description: The desired count of the service; V(null) if the module never read it.
      returned: always
      type: dict
      contains:
        before:
          description: At the start. If this run continued an interrupted one, at the start of the interrupted run.
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
        - V(null) if there is no scalable target, or the module did not read it.
      returned: always
      type: dict
      contains:
        before:
          description: At the start. If this run continued an interrupted one, at the start of the interrupted run.
          returned: always
          type: dict
          sample: {dynamic_in: false, dynamic_out: false, scheduled: false}
        after:
          description: At the end.
          returned: always
          type: dict
          sample: {dynamic_in: false, dynamic_out: false, scheduled: false}
    minimum_healthy:
      description: The lowest number of healthy tasks that the module saw; V(null) if there was nothing to replace.
      returned: always
      type: int
      sample: 3
    timeline:
      description: The course of the run, for charts. Its size grows with the number of tasks, not with time.
      returned: always
      type: dict
      contains:
        started:
          description: When the plan was made; V(null) without a plan. All other times are seconds after this instant.
          returned: always
          type: str
          sample: "2026-11-22T03:00:02Z"
        seconds:
          description: Time of the last entry.
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
          description: The tasks to be replaced, and the new tasks; empty in check mode.
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
              description: Whether the task was created during the run, or during the interrupted run before it.
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
              description: When the module stopped it, or saw that it was gone; V(null) if it still ran at the end.
              returned: always
              type: float
              sample: 70.4
    seconds:
      description: Duration of the run in seconds.
      returned: always
      type: float
      sample: 215.3
    api_calls:
      description: Number of calls to AWS by operation, including repeated calls.
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

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.line import Line
from ..module_utils._aws.live.service import LiveService
from ..module_utils._core.recycle.report import Report
from ..module_utils._core.recycle.run import recycle
from ..module_utils._core.recycle.session import Self
from ..module_utils._core.recycle.settings import read_settings
from ..module_utils._core.recycle.watch import Watch
from ..module_utils._drive import Ending, drive
from ..module_utils._lease_owner import is_dead, own_name
from ..module_utils._module import AwsModule, Outcome, run
from ..module_utils._progress import teller
from ..module_utils._recycle_options import RECYCLE
from ..module_utils._stale_task_options import SERVICE, STALE_TASKS

ARGUMENTS = {**SERVICE, **STALE_TASKS, **RECYCLE}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    ending = Ending()
    settings = read_settings(module.params)
    world = LiveService(Line(module.client), module.params["cluster"], module.params["service"])
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
