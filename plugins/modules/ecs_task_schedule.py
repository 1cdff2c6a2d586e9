#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a schedule that starts a state machine or an ECS task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_schedule
version_added: 1.0.0
short_description: Manage a schedule that starts a Step Functions state machine or an Amazon ECS task
description:
  - Creates, updates and deletes a schedule of Amazon EventBridge Scheduler, or a scheduled rule of EventBridge.
  - Starting a state machine is the better choice, because a schedule does not learn how a task ends. See
    M(steadyops.ecs.ecs_task_state_machine).
  - Omitted options keep their current values, although EventBridge Scheduler itself can only replace a whole schedule.
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of the schedule.
    type: str
    required: true
  group_name:
    description:
      - Schedule group of the schedule. The group must exist, and a schedule cannot be moved to another group. If
        omitted, this is V(default).
    type: str
  using:
    description:
      - V(scheduler) uses EventBridge Scheduler. V(rule) uses an EventBridge rule on the default bus, which has no time
        zones, no flexible window, no start and end, and no C(at).
      - A schedule cannot be turned into a rule, or a rule into a schedule. Delete one and create the other.
    type: str
    choices: [scheduler, rule]
    default: scheduler
  state:
    description:
      - V(present) creates or updates the schedule. V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  enabled:
    description:
      - Whether the schedule is enabled. If omitted, the current state is kept, and a new schedule is enabled.
    type: bool
  schedule_expression:
    description:
      - When the schedule runs, such as V(rate(5 minutes\)), V(cron(0 3 * * ? *\)) or, for a single run,
        V(at(2027-01-31T03:00:00\)). Required for a new schedule.
    type: str
  schedule_expression_timezone:
    description:
      - IANA name of the time zone of C(cron) and C(at). The default for a new schedule is V(UTC).
    type: str
  flexible_time_window:
    description:
      - Number of minutes within which EventBridge Scheduler may start the target. V(0) starts it at the exact time.
    type: int
  start_date:
    description:
      - The schedule does not run before this instant. Give RFC 3339 with a time zone, or epoch seconds. An empty text
        removes it.
      - An instant in the past has no effect.
    type: str
  end_date:
    description:
      - The schedule does not run from this instant on. The format is as in O(start_date).
    type: str
  description:
    description:
      - Description of the schedule. An empty text removes it.
    type: str
  kms_key_arn:
    description:
      - ARN of your KMS key that encrypts the schedule. An empty text selects a key that AWS owns.
    type: str
  action_after_completion:
    description:
      - Whether AWS deletes the schedule after its last run. The next run of this task would create it again, so use
        V(DELETE) only for schedules that you create once.
    type: str
    choices: [NONE, DELETE]
  state_machine_arn:
    description:
      - ARN of the state machine to start. Mutually exclusive with O(task). A new schedule requires one of them.
    type: str
  input:
    description:
      - Input of the execution, as data or as JSON text. The module compares it as data.
      - EventBridge Scheduler fills in C(<aws.scheduler.scheduled-time>) and other keywords. The option
        C(job.starting_deadline) of M(steadyops.ecs.ecs_task_state_machine) reads C(scheduled_time), as in the examples.
    type: json
  task:
    description:
      - The ECS task to start. The keys describe the whole target; ECS chooses defaults for omitted keys.
    type: dict
    suboptions:
      cluster:
        description:
          - Name or ARN of the cluster.
        type: str
        required: true
      task_definition:
        description:
          - Family, C(family:revision) or ARN of the task definition. With a family, each start takes its latest
            revision.
        type: str
        required: true
      launch_type:
        description:
          - Launch type. Mutually exclusive with O(task.capacity_provider_strategy). If both are omitted, the default of
            the cluster is used.
        type: str
        choices: [EC2, FARGATE, EXTERNAL]
      capacity_provider_strategy:
        description:
          - Capacity providers for the tasks, such as V(FARGATE_SPOT).
        type: list
        elements: dict
        suboptions:
          capacity_provider:
            description:
              - Name of the capacity provider.
            type: str
            required: true
          weight:
            description:
              - Relative share of the tasks.
            type: int
            default: 1
          base:
            description:
              - Number of tasks that it runs before the shares apply.
            type: int
            default: 0
      platform_version:
        description:
          - Platform version of Fargate, such as V(LATEST) or V(1.4.0).
        type: str
      network_configuration:
        description:
          - Network of the task. Required on Fargate, and for every task definition with the network mode C(awsvpc).
        type: dict
        suboptions:
          subnets:
            description:
              - IDs of subnets.
            type: list
            elements: str
            required: true
          security_groups:
            description:
              - IDs of security groups. If omitted, the default security group of the VPC is used.
            type: list
            elements: str
          assign_public_ip:
            description:
              - Whether the task gets a public IP address.
            type: bool
      overrides:
        description:
          - Overrides of the task definition. Everyone who may read the schedule can read them, so put secrets into the
            task definition.
        type: dict
        suboptions:
          containers:
            description:
              - Overrides of containers.
            type: list
            elements: dict
            suboptions:
              name:
                description:
                  - Name of the container in the task definition.
                type: str
                required: true
              command:
                description:
                  - Command, as a list of words.
                type: list
                elements: str
              environment:
                description:
                  - Environment variables by name. Other variables of the task definition are kept.
                type: dict
              cpu:
                description:
                  - CPU units.
                type: int
              memory:
                description:
                  - Hard limit of memory in MiB.
                type: int
              memory_reservation:
                description:
                  - Soft limit of memory in MiB.
                type: int
          cpu:
            description:
              - CPU units of the whole task.
            type: str
          memory:
            description:
              - Memory of the whole task in MiB.
            type: str
          task_role_arn:
            description:
              - ARN of the IAM role of the containers.
            type: str
          execution_role_arn:
            description:
              - ARN of the IAM role that ECS uses to start the task.
            type: str
      propagate_tags:
        description:
          - Whether the task gets the tags of its task definition.
        type: bool
        default: false
      tags:
        description:
          - Tags of the task.
        type: dict
      group:
        description:
          - Task group. If omitted, ECS uses the family of the task definition.
        type: str
      enable_execute_command:
        description:
          - Whether ECS Exec is turned on.
        type: bool
      enable_ecs_managed_tags:
        description:
          - Whether the task gets the tags that ECS manages.
        type: bool
      count:
        description:
          - Number of tasks to start.
        type: int
        default: 1
  role_arn:
    description:
      - ARN of the IAM role that starts the target. Required for a new schedule.
    type: str
  dead_letter_arn:
    description:
      - ARN of the SQS queue for starts that failed permanently. An empty text removes it.
    type: str
  maximum_retry_attempts:
    description:
      - Maximum number of times to retry a failed start. The default for a new schedule is V(185).
    type: int
  maximum_event_age_in_seconds:
    description:
      - Maximum time to retry a failed start, in seconds. The default for a new schedule is V(86400).
    type: int
  tags:
    description:
      - Tags of the rule, with O(using=rule). If omitted, the current tags are kept.
      - AWS has no tags for a schedule of EventBridge Scheduler, only for its group.
    type: dict
  purge_tags:
    description:
      - Whether tags that O(tags) does not list are removed.
    type: bool
    default: true
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steadyops.ecs.ecs_task_state_machine
notes:
  - O(maximum_retry_attempts), O(maximum_event_age_in_seconds) and O(dead_letter_arn) apply to starts that AWS refuses.
    A schedule does not react to a task that starts and then fails.
  - The module refuses a rule that has other targets, that has an event pattern, or that an AWS service manages.
  - If the only target of a rule already is O(state_machine_arn), with an ID that another tool chose, the module manages
    that target and keeps its ID.
  - |-
    IAM permissions, and what each is for:

    C(scheduler:GetSchedule) - to read the schedule. A run that changes nothing makes no other call.

    C(scheduler:GetScheduleGroup) - for a new schedule.

    C(scheduler:CreateSchedule), C(scheduler:UpdateSchedule), C(scheduler:DeleteSchedule) - to create, update and delete
    it.

    C(events:DescribeRule), C(events:ListTargetsByRule), C(events:PutRule), C(events:PutTargets),
    C(events:RemoveTargets), C(events:DeleteRule) - instead of these, with O(using=rule).

    C(events:ListTagsForResource), C(events:TagResource), C(events:UntagResource) - for O(tags).

    C(iam:PassRole) - on O(role_arn), for C(scheduler.amazonaws.com), or C(events.amazonaws.com) with O(using=rule).
"""

EXAMPLES = r"""
- name: Run the report every night at three o'clock, Berlin time
  steadyops.ecs.ecs_task_schedule:
    name: nightly-report
    schedule_expression: cron(0 3 * * ? *)
    schedule_expression_timezone: Europe/Berlin
    flexible_time_window: 15
    state_machine_arn: arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-report
    input:
      scheduled_time: <aws.scheduler.scheduled-time>
    role_arn: arn:aws:iam::123456789012:role/nightly-report-schedule

- name: Start two ECS tasks every hour
  steadyops.ecs.ecs_task_schedule:
    name: hourly-import
    schedule_expression: rate(1 hour)
    task:
      cluster: production
      task_definition: import
      count: 2
      launch_type: FARGATE
      network_configuration:
        subnets: [subnet-0a1b2c3d, subnet-1a2b3c4d]
      overrides:
        containers:
          - name: app
            environment:
              MODE: full
    role_arn: arn:aws:iam::123456789012:role/hourly-import-schedule
    dead_letter_arn: arn:aws:sqs:eu-central-1:123456789012:dead

- name: Disable a schedule
  steadyops.ecs.ecs_task_schedule:
    name: hourly-import
    enabled: false

- name: Use an EventBridge rule
  steadyops.ecs.ecs_task_schedule:
    name: hourly-report
    using: rule
    schedule_expression: rate(1 hour)
    state_machine_arn: arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-report
    role_arn: arn:aws:iam::123456789012:role/nightly-report-schedule

- name: Delete a schedule
  steadyops.ecs.ecs_task_schedule:
    name: hourly-import
    state: absent
"""

RETURN = r"""
schedule:
  description: The schedule; V(null) if it does not exist or was deleted. In check mode, what it would become.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the schedule.
      returned: always
      type: str
      sample: nightly-report
    group_name:
      description: Schedule group.
      returned: always
      type: str
      sample: default
    using:
      description: V(scheduler) or V(rule).
      returned: always
      type: str
      sample: scheduler
    arn:
      description: ARN of the schedule; in check mode the ARN that it would get.
      returned: always
      type: str
      sample: arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly-report
    enabled:
      description: Whether the schedule is enabled.
      returned: always
      type: bool
      sample: true
    schedule_expression:
      description: When the schedule runs.
      returned: always
      type: str
      sample: cron(0 3 * * ? *)
    schedule_expression_timezone:
      description: Time zone of the schedule.
      returned: always
      type: str
      sample: Europe/Berlin
    flexible_time_window:
      description: Flexible time window in minutes; V(null) without.
      returned: always
      type: int
      sample: null
    start_date:
      description: The schedule does not run before this instant; V(null) without, or if it has passed.
      returned: always
      type: str
      sample: null
    end_date:
      description: The schedule does not run from this instant on; V(null) without.
      returned: always
      type: str
      sample: "2027-12-31T00:00:00Z"
    description:
      description: Description of the schedule; V(null) without.
      returned: always
      type: str
      sample: null
    kms_key_arn:
      description: ARN of your KMS key that encrypts the schedule; V(null) without.
      returned: always
      type: str
      sample: null
    action_after_completion:
      description: Whether AWS deletes the schedule after its last run, V(NONE) or V(DELETE).
      returned: always
      type: str
      sample: NONE
    target:
      description: The target of the schedule.
      returned: always
      type: dict
      contains:
        arn:
          description: ARN of the state machine, or of the cluster.
          returned: always
          type: str
          sample: arn:aws:states:eu-central-1:123456789012:stateMachine:report
        role_arn:
          description: ARN of the IAM role that starts the target.
          returned: always
          type: str
          sample: arn:aws:iam::123456789012:role/report-schedule
        input:
          description: Input of the target, as data; V(null) without. For an ECS task, its overrides.
          returned: always
          type: raw
          sample: {"full": true}
        dead_letter_arn:
          description: ARN of the dead-letter queue; V(null) without.
          returned: always
          type: str
          sample: arn:aws:sqs:eu-central-1:123456789012:dead
        maximum_retry_attempts:
          description: Maximum number of times to retry a failed start.
          returned: always
          type: int
          sample: 185
        maximum_event_age_in_seconds:
          description: Maximum time to retry a failed start, in seconds.
          returned: always
          type: int
          sample: 86400
        task:
          description: Settings of the task; V(null) for a state machine.
          returned: always
          type: dict
          contains:
            task_definition:
              description: ARN of the task definition.
              returned: always
              type: str
              sample: arn:aws:ecs:eu-central-1:123456789012:task-definition/report
            count:
              description: Number of tasks to start.
              returned: always
              type: int
              sample: 1
            launch_type:
              description: The launch type; V(null) without one.
              returned: always
              type: str
              sample: FARGATE
            capacity_provider_strategy:
              description: Capacity providers of the task.
              returned: always
              type: list
              sample: []
            platform_version:
              description: The platform version of Fargate; V(null) for the default.
              returned: always
              type: str
              sample: LATEST
            network_configuration:
              description: Network of the task; V(null) without.
              returned: always
              type: dict
              sample: {"subnets": ["subnet-0a1b2c3d"], "security_groups": [], "assign_public_ip": false}
            group:
              description: The task group; V(null) for the family.
              returned: always
              type: str
              sample: null
            propagate_tags:
              description: Whether the task gets the tags of its task definition.
              returned: always
              type: bool
              sample: false
            tags:
              description: Tags of the task.
              returned: always
              type: dict
              sample: {}
            enable_execute_command:
              description: Whether ECS Exec is turned on.
              returned: always
              type: bool
              sample: false
            enable_ecs_managed_tags:
              description: Whether the task gets the tags that ECS manages.
              returned: always
              type: bool
              sample: false
    tags:
      description: Tags of the rule; V(null) if O(tags) was omitted, and for EventBridge Scheduler.
      returned: always
      type: dict
      sample: null
"""

import time

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.schedule import look
from ..module_utils._converge import converge
from ..module_utils._core.schedules.plan import plan_schedule
from ..module_utils._core.schedules.schedule import read_schedule
from ..module_utils._module import AwsModule, Outcome, run
from ..module_utils._schedule_options import ARGUMENTS


def work(module: AwsModule, check_mode: bool) -> Outcome:
    wanted = read_schedule(module.params)
    live = look(module.client, wanted)
    change = plan_schedule(wanted, live.current, live.foreign, live.region, time.time())
    return converge("schedule", change, check_mode, live.write)


def main() -> None:
    run(ARGUMENTS, work, about="schedule {name}", mutually_exclusive=[("state_machine_arn", "task")])


if __name__ == "__main__":
    main()
