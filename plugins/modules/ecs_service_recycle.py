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
    guide to permissions has a policy that lets only one role write tags that begin with C(steadyops.ecs/).
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
