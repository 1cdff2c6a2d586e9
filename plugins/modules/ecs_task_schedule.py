#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a schedule that starts a state machine or a task of ECS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_schedule
version_added: 1.0.0
short_description: Keep a schedule that starts a Step Functions state machine or a task of Amazon ECS
description:
  - Creates, changes and removes a schedule of Amazon EventBridge Scheduler, or a rule of EventBridge with a schedule.
  - To start a state machine is the better choice, because a schedule is told nothing of how a task ends. See
    M(steadyops.ecs.ecs_task_state_machine).
  - What is not given stays as it is, although EventBridge Scheduler itself only knows how to replace a schedule whole.
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
      - The schedule group that it is in. The group has to exist, and a schedule cannot be moved to another.
      - V(default) where it is not given.
    type: str
  using:
    description:
      - V(scheduler) for EventBridge Scheduler. V(rule) for a rule of EventBridge on its default bus, which knows
        neither
        time zones, nor a flexible window, nor a start and an end, nor C(at).
      - A schedule does not become a rule, nor the other way round. Remove the one and make the other.
    type: str
    choices: [scheduler, rule]
    default: scheduler
  state:
    description:
      - Whether the schedule is to exist.
    type: str
    choices: [present, absent]
    default: present
  enabled:
    description:
      - Whether it fires. A new one does where this is not given.
    type: bool
  schedule_expression:
    description:
      - When it fires, as V(rate(5 minutes\)), V(cron(0 3 * * ? *\)) or, for once, V(at(2027-01-31T03:00:00\)). Needed
        for a
        new schedule.
    type: str
  schedule_expression_timezone:
    description:
      - The time zone of C(cron) and C(at), by its IANA name. V(UTC) for a new schedule where it is not given.
    type: str
  flexible_time_window:
    description:
      - It fires some time within so many minutes. V(0) for at once.
    type: int
  start_date:
    description:
      - It does not fire before this instant. In RFC 3339 with its zone, or epoch seconds; an empty text for none.
      - An instant that has passed is the same as none.
    type: str
  end_date:
    description:
      - It does not fire from this instant on. As O(start_date).
    type: str
  description:
    description:
      - Its description. An empty text for none.
    type: str
  kms_key_arn:
    description:
      - ARN of the key of yours that it is encrypted with. An empty text for a key of AWS.
    type: str
  action_after_completion:
    description:
      - Whether it is deleted when it will never fire again. The task would make it anew then, so this suits schedules
        that are made once.
    type: str
    choices: [NONE, DELETE]
  state_machine_arn:
    description:
      - ARN of the state machine that it starts.
      - At most one of O(state_machine_arn) and O(task) is taken; one of them for a new schedule.
    type: str
  input:
    description:
      - The input of the execution, as data or as text of JSON. Compared as data.
      - EventBridge Scheduler fills in C(<aws.scheduler.scheduled-time>) and other keywords. The option
        C(job.starting_deadline) of M(steadyops.ecs.ecs_task_state_machine) reads C(scheduled_time), as in the examples.
    type: json
  task:
    description:
      - The task of ECS that it starts. All of its keys together are the target; those that are not given are left to
        ECS.
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
          - The launch type. Not together with O(task.capacity_provider_strategy); with neither, the cluster's default
            counts.
        type: str
        choices: [EC2, FARGATE, EXTERNAL]
      capacity_provider_strategy:
        description:
          - The capacity providers, such as V(FARGATE_SPOT), that share the tasks.
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
              - Its share of the tasks.
            type: int
            default: 1
          base:
            description:
              - Tasks that it gets before shares count.
            type: int
            default: 0
      platform_version:
        description:
          - The platform version of Fargate, such as V(LATEST) or V(1.4.0).
        type: str
      network_configuration:
        description:
          - Where the task is connected. Needed on Fargate, and for every task definition with the network mode
            C(awsvpc).
        type: dict
        suboptions:
          subnets:
            description:
              - Ids of subnets.
            type: list
            elements: str
            required: true
          security_groups:
            description:
              - Ids of security groups. The default one of the VPC where there are none.
            type: list
            elements: str
          assign_public_ip:
            description:
              - Whether the task gets a public address.
            type: bool
      overrides:
        description:
          - What is changed of the task definition for this task. It can be read by everybody who may read the
            schedule, so
            secrets belong into the task definition.
        type: dict
        suboptions:
          containers:
            description:
              - What is changed of its containers.
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
                  - The command, word by word.
                type: list
                elements: str
              environment:
                description:
                  - Environment variables, by name. Those of the task definition stay beside them.
                type: dict
              cpu:
                description:
                  - CPU units.
                type: int
              memory:
                description:
                  - The hard limit of memory in MiB.
                type: int
              memory_reservation:
                description:
                  - The soft limit of memory in MiB.
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
              - ARN of the IAM role that the containers get.
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
          - The task group. The family of the task definition where it is not given.
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
          - How many tasks are started.
        type: int
        default: 1
  role_arn:
    description:
      - ARN of the IAM role that starts the target. Needed for a new schedule.
    type: str
  dead_letter_arn:
    description:
      - ARN of the SQS queue that is told of a start that failed for good. An empty text for none.
    type: str
  maximum_retry_attempts:
    description:
      - How often a start that failed is tried again. 185 for a new schedule where it is not given.
    type: int
  maximum_event_age_in_seconds:
    description:
      - For how long. 86400 for a new schedule where it is not given.
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
  - O(maximum_retry_attempts), O(maximum_event_age_in_seconds) and O(dead_letter_arn) are about starts that AWS refuses.
    A task that was started and fails is no matter of a schedule.
  - A rule that has targets of somebody else, waits for events, or is managed by a service is refused.
  - If the only target of a rule is O(state_machine_arn) already, under an id that another tool chose, the module
    manages that target and keeps its id.
  - |-
    IAM permissions, and what each is for:

    C(scheduler:GetSchedule) - to see what there is. A run that changes nothing makes no other call.

    C(scheduler:GetScheduleGroup) - for a new schedule.

    C(scheduler:CreateSchedule), C(scheduler:UpdateSchedule), C(scheduler:DeleteSchedule) - to change it.

    C(events:DescribeRule), C(events:ListTargetsByRule), C(events:PutRule), C(events:PutTargets),
    C(events:RemoveTargets), C(events:DeleteRule) - instead of these, with O(using=rule).

    C(events:ListTagsForResource), C(events:TagResource), C(events:UntagResource) - for O(tags).

    C(iam:PassRole) - on O(role_arn), for C(scheduler.amazonaws.com), or C(events.amazonaws.com) with O(using=rule).
"""

EXAMPLES = r"""
- name: Run the report every night at three o'clock, in Berlin
  steadyops.ecs.ecs_task_schedule:
    name: nightly-report
    schedule_expression: cron(0 3 * * ? *)
    schedule_expression_timezone: Europe/Berlin
    flexible_time_window: 15
    state_machine_arn: arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-report
    input:
      scheduled_time: <aws.scheduler.scheduled-time>
    role_arn: arn:aws:iam::123456789012:role/nightly-report-schedule

- name: Start two tasks of ECS every hour
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

- name: Leave it out for a while
  steadyops.ecs.ecs_task_schedule:
    name: hourly-import
    enabled: false

- name: The same with a rule of EventBridge
  steadyops.ecs.ecs_task_schedule:
    name: hourly-report
    using: rule
    schedule_expression: rate(1 hour)
    state_machine_arn: arn:aws:states:eu-central-1:123456789012:stateMachine:nightly-report
    role_arn: arn:aws:iam::123456789012:role/nightly-report-schedule

- name: Remove one
  steadyops.ecs.ecs_task_schedule:
    name: hourly-import
    state: absent
"""

RETURN = r"""
schedule:
  description: The schedule; V(null) when there is none, or will be none. In check mode, what it would become.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: nightly-report
    group_name:
      description: Its group.
      returned: always
      type: str
      sample: default
    using:
      description: What fires, V(scheduler) or V(rule).
      returned: always
      type: str
      sample: scheduler
    arn:
      description: Its ARN; in check mode the one that it would get.
      returned: always
      type: str
      sample: arn:aws:scheduler:eu-central-1:123456789012:schedule/default/nightly-report
    enabled:
      description: Whether it fires.
      returned: always
      type: bool
      sample: true
    schedule_expression:
      description: When it fires.
      returned: always
      type: str
      sample: cron(0 3 * * ? *)
    schedule_expression_timezone:
      description: In which time zone.
      returned: always
      type: str
      sample: Europe/Berlin
    flexible_time_window:
      description: In how many minutes after that; V(null) for at once.
      returned: always
      type: int
      sample: null
    start_date:
      description: From when on it fires; V(null) without, or when that has come.
      returned: always
      type: str
      sample: null
    end_date:
      description: Until when; V(null) without.
      returned: always
      type: str
      sample: "2027-12-31T00:00:00Z"
    description:
      description: Its description; V(null) without.
      returned: always
      type: str
      sample: null
    kms_key_arn:
      description: The key of yours that it is encrypted with; V(null) without.
      returned: always
      type: str
      sample: null
    action_after_completion:
      description: What becomes of it afterwards.
      returned: always
      type: str
      sample: NONE
    target:
      description: What it starts.
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
          description: What the target is given, as data; V(null) without. For a task of ECS, its overrides.
          returned: always
          type: raw
          sample: {"full": true}
        dead_letter_arn:
          description: ARN of the dead-letter queue; V(null) without.
          returned: always
          type: str
          sample: arn:aws:sqs:eu-central-1:123456789012:dead
        maximum_retry_attempts:
          description: How often the start is tried again.
          returned: always
          type: int
          sample: 185
        maximum_event_age_in_seconds:
          description: How long.
          returned: always
          type: int
          sample: 86400
        task:
          description: How the task is started; V(null) for a state machine.
          returned: always
          type: dict
          contains:
            task_definition:
              description: ARN of the task definition.
              returned: always
              type: str
              sample: arn:aws:ecs:eu-central-1:123456789012:task-definition/report
            count:
              description: How many tasks are started.
              returned: always
              type: int
              sample: 1
            launch_type:
              description: The launch type; V(null) without one.
              returned: always
              type: str
              sample: FARGATE
            capacity_provider_strategy:
              description: The capacity providers.
              returned: always
              type: list
              sample: []
            platform_version:
              description: The platform version of Fargate; V(null) for the default.
              returned: always
              type: str
              sample: LATEST
            network_configuration:
              description: Where the task is connected; V(null) without.
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

from ..module_utils._aws.live.schedule import look
from ..module_utils._core.schedules.plan import plan_schedule
from ..module_utils._core.schedules.schedule import read_schedule
from ..module_utils._module import AwsModule, Outcome, converge, run
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
