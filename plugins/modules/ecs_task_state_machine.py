#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a Step Functions state machine that runs one ECS task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_state_machine
version_added: 1.0.0
short_description: Manage an AWS Step Functions state machine that runs one Amazon ECS task, with timeout and retries
description:
  - Creates, updates and deletes a state machine. The module builds its definition from O(job), which describes one ECS
    task to start and wait for (C(ecs:runTask.sync)), or uses O(definition) unchanged.
  - A schedule that starts an ECS task directly does not learn how the task ends. A state machine adds a timeout,
    retries and notifications. M(steadyops.ecs.ecs_task_schedule) creates the schedule.
  - The module compares definitions as data. White space and the order of keys do not count as changes.
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of the state machine, or its ARN.
    type: str
    required: true
  state:
    description:
      - V(present) creates or updates the state machine. V(absent) deletes it; Step Functions completes the deletion
        when the last execution has ended.
    type: str
    choices: [present, absent]
    default: present
  type:
    description:
      - Type of the state machine. It cannot be changed later. The default for a new state machine is V(STANDARD).
      - V(EXPRESS) cannot wait for an ECS task, so it requires O(definition).
    type: str
    choices: [STANDARD, EXPRESS]
  role_arn:
    description:
      - ARN of the IAM role of the executions. Required for a new state machine. The module reads the account from it.
    type: str
  definition:
    description:
      - Complete definition in the Amazon States Language, as a dictionary or as JSON text.
      - Mutually exclusive with O(job). A new state machine requires one of them.
    type: json
  job:
    description:
      - The task to run. The module builds the definition from it.
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
          - Launch type. Mutually exclusive with O(job.capacity_provider_strategy). If both are omitted, the default of
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
          - Overrides of the task definition. Everyone who may read the state machine or its executions can read them,
            so put secrets into the task definition.
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
      timeout:
        description:
          - Maximum duration of one attempt, from launch to end, in seconds or as V(30m) or V(2h). After that, the task
            is stopped.
          - There is no default, because only you know how long your job may take, and Step Functions would wait up to a
            year for a job that hangs. A timeout is not retried, except with O(job.retry_any).
        type: str
        required: true
      execution_timeout:
        description:
          - Maximum duration of the whole execution, including all attempts and the waits between them. It must be above
            O(job.timeout). After that, the execution ends as C(TIMED_OUT), without a message to
            O(job.notify_topic_arn).
        type: str
      comment:
        description:
          - C(Comment) of the definition.
        type: str
      retry_launch:
        description:
          - How to retry launches that ECS refuses for a transient reason. In this case the job has not started. On by
            default; set O(job.retry_launch.max_attempts) to V(0) to turn it off.
          - Transient reasons are missing capacity, throttling and server errors of ECS, a cluster without instances,
            the limit of tasks being provisioned, and throttling and errors of Amazon EC2 that ECS passes on. A task
            that stops because Managed Instances have no capacity for it counts as a refused launch.
          - A wrong subnet, a missing permission or an inactive task definition fails the execution at once.
        type: dict
        suboptions:
          max_attempts:
            description:
              - Maximum number of retries, without the first attempt.
            type: int
            default: 6
          interval:
            description:
              - Seconds before the first retry.
            type: int
            default: 60
          backoff_rate:
            description:
              - Factor by which each wait is longer than the one before. V(1) makes all waits equal.
            type: float
            default: 2
          max_delay:
            description:
              - Maximum wait in seconds.
            type: int
            default: 900
          jitter:
            description:
              - Whether to wait a random part of each wait, from none to all of it (full jitter), so that jobs that
                failed together do not retry together.
            type: bool
            default: true
      retry_failures:
        description:
          - How to retry the job itself after it failed. If omitted, it is not retried.
          - Use this only for jobs that may run twice. If both O(job.retry_failures.exit_codes) and
            O(job.retry_failures.stop_codes) are omitted, every failed task is retried, but no timeout.
        type: dict
        suboptions:
          exit_codes:
            description:
              - Exit codes that are retried. All other failures are final.
            type: list
            elements: int
          container:
            description:
              - Name of the container whose exit code counts. If omitted, the exit code of any container counts.
            type: str
          stop_codes:
            description:
              - ECS stop codes that are retried, such as V(SpotInterruption) for a task on Fargate Spot.
            type: list
            elements: str
            choices:
              - EssentialContainerExited
              - InfrastructureHealth
              - ServiceSchedulerInitiated
              - SpotInterruption
              - TaskFailedToStart
              - TerminationNotice
              - UserInitiated
          max_attempts:
            description:
              - Maximum number of retries, without the first attempt.
            type: int
            default: 2
          interval:
            description:
              - Seconds before the first retry.
            type: int
            default: 60
          backoff_rate:
            description:
              - Factor by which each wait is longer than the one before. V(1) makes all waits equal.
            type: float
            default: 2
          max_delay:
            description:
              - Maximum wait in seconds.
            type: int
            default: 900
          jitter:
            description:
              - Whether to wait a random part of each wait, from none to all of it (full jitter), so that jobs that
                failed together do not retry together.
            type: bool
            default: true
      retry_any:
        description:
          - How to retry every error (C(States.ALL)), including timeouts and mistakes in the options. It replaces
            O(job.retry_launch) and O(job.retry_failures).
          - This is the simplest of the three, and rarely the best choice.
        type: dict
        suboptions:
          max_attempts:
            description:
              - Maximum number of retries, without the first attempt.
            type: int
            default: 1
          interval:
            description:
              - Seconds before the first retry.
            type: int
            default: 10
          backoff_rate:
            description:
              - Factor by which each wait is longer than the one before. V(1) makes all waits equal.
            type: float
            default: 1
          max_delay:
            description:
              - Maximum wait in seconds.
            type: int
          jitter:
            description:
              - Whether to wait a random part of each wait, from none to all of it (full jitter), so that jobs that
                failed together do not retry together.
            type: bool
            default: false
      rotate_subnets:
        description:
          - Whether retries of a launch use the subnets one by one, because another availability zone may have capacity.
            The first launch uses all subnets.
        type: bool
        default: false
      fallback_capacity_provider_strategy:
        description:
          - Capacity providers for retries of a launch, instead of O(job.capacity_provider_strategy). Use it to move a
            job that finds no capacity on V(FARGATE_SPOT) to V(FARGATE).
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
      notify_topic_arn:
        description:
          - ARN of an SNS topic to notify when the job has failed for good. The first line of the message says whether
            ECS refused the launch, the task failed or it ran out of time. The execution still fails, with its original
            error and cause. The message contains no environment variables.
        type: str
      concurrency:
        description:
          - What to do if an execution starts while an older one of this state machine runs, like C(concurrencyPolicy)
            of a Kubernetes CronJob. V(allow) runs the job in parallel. V(forbid) skips the new start. V(replace) stops
            the older execution and its task, and then runs the job.
          - With V(forbid) and V(replace), each execution waits 5 seconds and then lists the running executions. If
            several start at once, exactly one of them runs the job, the oldest with V(forbid) and the newest with
            V(replace).
          - AWS lists executions with a delay for which it promises no limit, so a job that must never run twice at the
            same time needs a lock of its own.
          - The role O(role_arn) needs C(states:ListExecutions) on the state machine, and with V(replace)
            C(states:StopExecution) on its executions. If either call fails, the execution fails and the job does not
            start.
          - With V(replace), the stopped task may run until its stop timeout. The new task does not wait for that.
        type: str
        choices: [allow, forbid, replace]
        default: allow
      starting_deadline:
        description:
          - How long after its scheduled time the job may start, in seconds or as V(10m). Later starts are skipped, and
            refused launches are not retried past the deadline. Retries of a failed job have no deadline.
          - The scheduled time is C(scheduled_time) in the input of the execution, which a schedule fills in with
            C(<aws.scheduler.scheduled-time>), or C(time) of an event that a rule passes on. An execution with neither
            is never too late.
        type: str
      skipped_topic_arn:
        description:
          - ARN of an SNS topic to notify of each start that O(job.concurrency) or O(job.starting_deadline) skips, and
            of each execution that O(job.concurrency=replace) stops. If omitted, nobody is notified.
        type: str
  logging:
    description:
      - Logging of executions. Omitted settings keep their current values. For a new state machine, logging
        is off.
    type: dict
    suboptions:
      level:
        description:
          - Log level.
        type: str
        choices: ['OFF', ALL, ERROR, FATAL]
        required: true
      include_execution_data:
        description:
          - Whether to log the input and output of states as well. They include the overrides of the task.
        type: bool
        default: false
      log_group_arn:
        description:
          - ARN of the CloudWatch Logs log group, with or without C(:*) at its end. Required unless
            O(logging.level=OFF).
        type: str
  tracing:
    description:
      - Whether executions are traced with AWS X-Ray. If omitted, the current setting is kept. For a new state machine,
        tracing is off.
    type: bool
  validate:
    description:
      - Whether AWS validates a changed definition before the module writes it, also in check mode.
      - The module itself always detects missing states, unreachable states, states without a successor, definitions
        that are too long, and some other mistakes.
    type: bool
    default: false
  tags:
    description:
      - Tags of the state machine.
    type: dict
  purge_tags:
    description:
      - Whether tags that O(tags) does not list are removed. If O(tags) is omitted, no tag is removed.
    type: bool
    default: true
  wait_timeout:
    default: 300
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.waiting
  - steadyops.ecs.waiting.wait
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steadyops.ecs.ecs_task_schedule
  - module: community.aws.stepfunctions_state_machine
notes:
  - A job with O(job.retry_any), or without retries, is one state. A C(Retry) in Step Functions can only match error
    names, so all other retries need further states that read the cause of an error. RV(state_machine.definition) shows
    all of them, also in check mode.
  - Running executions keep the definition and the role that they started with.
  - A skipped execution succeeds. Its output has C(skipped), which is V(concurrency) or V(starting_deadline), and
    C(reason). A replaced execution is C(ABORTED), with the error C(Replaced).
  - AWS completes the deletion of a state machine when its last execution has ended. With O(wait=true), the module waits
    for that.
  - A state machine that is being deleted counts as absent. Before the module creates one of the same name, it waits for
    the deletion.
  - |-
    IAM permissions, and what each is for:

    C(states:DescribeStateMachine), C(states:ListTagsForResource) - to read the state machine. A run that changes
    nothing makes no other call if O(role_arn), or an ARN as O(name), names the account.

    C(states:CreateStateMachine), C(states:UpdateStateMachine), C(states:DeleteStateMachine), C(states:TagResource),
    C(states:UntagResource) - to change it.

    C(iam:PassRole) - on the role, for C(states.amazonaws.com).

    C(states:ValidateStateMachineDefinition) - with O(validate=true).
"""

EXAMPLES = r"""
- name: Create a nightly report that is retried only if there is no capacity
  steadyops.ecs.ecs_task_state_machine:
    name: nightly-report
    role_arn: arn:aws:iam::123456789012:role/nightly-report
    job:
      cluster: production
      task_definition: report
      launch_type: FARGATE
      network_configuration:
        subnets: [subnet-0a1b2c3d, subnet-1a2b3c4d]
        security_groups: [sg-0a1b2c3d]
      timeout: 2h
      notify_topic_arn: arn:aws:sns:eu-central-1:123456789012:alerts

- name: Create an import on Fargate Spot that exits with code 75 if it may be retried
  steadyops.ecs.ecs_task_state_machine:
    name: import
    role_arn: arn:aws:iam::123456789012:role/import
    job:
      cluster: production
      task_definition: import:7
      capacity_provider_strategy:
        - capacity_provider: FARGATE_SPOT
      fallback_capacity_provider_strategy:
        - capacity_provider: FARGATE
      network_configuration:
        subnets: [subnet-0a1b2c3d, subnet-1a2b3c4d]
      rotate_subnets: true
      overrides:
        containers:
          - name: app
            command: [import, --all]
            environment:
              LOG_LEVEL: info
      timeout: 30m
      retry_failures:
        exit_codes: [75]
        stop_codes: [SpotInterruption]
        max_attempts: 3
    logging:
      level: ERROR
      log_group_arn: arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/states/import
    tracing: true
    tags:
      team: shop

- name: Create an hourly import that is skipped while the previous one runs, or if it cannot start within ten minutes
  steadyops.ecs.ecs_task_state_machine:
    name: hourly-import
    role_arn: arn:aws:iam::123456789012:role/import
    job:
      cluster: production
      task_definition: import
      timeout: 3h
      concurrency: forbid
      starting_deadline: 10m
      skipped_topic_arn: arn:aws:sns:eu-central-1:123456789012:alerts

- name: Create a state machine that retries every error once, after ten seconds
  steadyops.ecs.ecs_task_state_machine:
    name: plain
    role_arn: arn:aws:iam::123456789012:role/plain
    job:
      cluster: production
      task_definition: report
      timeout: 1h
      retry_any:
        max_attempts: 1
        interval: 10
        backoff_rate: 1

- name: Delete a state machine
  steadyops.ecs.ecs_task_state_machine:
    name: import
    state: absent
"""

RETURN = r"""
state_machine:
  description: The state machine; V(null) if it does not exist or was deleted. In check mode, what it would become.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the state machine.
      returned: always
      type: str
      sample: import
    arn:
      description: ARN of the state machine; in check mode the ARN that it would get.
      returned: always
      type: str
      sample: arn:aws:states:eu-central-1:123456789012:stateMachine:import
    type:
      description: Type of the state machine.
      returned: always
      type: str
      sample: STANDARD
    role_arn:
      description: ARN of the IAM role of the executions.
      returned: always
      type: str
      sample: arn:aws:iam::123456789012:role/import
    definition:
      description: The definition in the Amazon States Language.
      returned: always
      type: dict
      sample: {"StartAt": "ECS RunTask", "States": {"ECS RunTask": {"Type": "Task"}}}
    logging:
      description: Logging of executions.
      returned: always
      type: dict
      contains:
        level:
          description: Log level.
          returned: always
          type: str
          sample: ERROR
        include_execution_data:
          description: Whether the input and output of states are logged as well.
          returned: always
          type: bool
          sample: false
        log_group_arn:
          description: ARN of the log group; V(null) if logging is off.
          returned: always
          type: str
          sample: arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/states/import:*
    tracing:
      description: Whether executions are traced.
      returned: always
      type: bool
      sample: true
    tags:
      description: Tags of the state machine.
      returned: always
      type: dict
      sample: {"team": "shop"}
definition_changes:
  description: The places where the definition changes; empty if it does not change, or if the state machine is created
    or deleted.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Path in the definition.
      returned: always
      type: str
      sample: $.States['ECS RunTask'].TimeoutSeconds
    before:
      description: Previous value.
      returned: if there was a value
      type: raw
      sample: 3600
    after:
      description: New value.
      returned: if there is a value
      type: raw
      sample: 7200
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.machine import LiveMachine
from ..module_utils._converge import also, converge
from ..module_utils._core.states.difference import definition_changes
from ..module_utils._core.states.machine import plan_machine, read_machine
from ..module_utils._core.waiting import read_patience
from ..module_utils._machine_options import ARGUMENTS
from ..module_utils._module import AwsModule, Outcome, run


def work(module: AwsModule, check_mode: bool) -> Outcome:
    wanted = read_machine(module.params)
    live = LiveMachine(module.client, wanted, read_patience(module.params))
    change = plan_machine(wanted, live.arn, live.machine)
    warnings = [*wanted.warnings, *(live.check(change) if module.params["validate"] else [])]
    outcome = converge("state_machine", change, check_mode, live.write, warnings)
    return also(outcome, definition_changes=definition_changes(change))


def main() -> None:
    run(ARGUMENTS, work, about="state machine {name}", mutually_exclusive=[("job", "definition")])


if __name__ == "__main__":
    main()
