#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a Step Functions state machine that runs one ECS task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_state_machine
version_added: 1.0.0
short_description: Keep an AWS Step Functions state machine that runs one task of Amazon ECS, with timeout and retries
description:
  - Creates, changes and removes a state machine. Its definition is made from O(job), for one task of ECS that is
    started and waited for (C(ecs:runTask.sync)), or taken whole from O(definition).
  - A schedule that starts a task of ECS itself is told nothing of how it ends. A state machine in between gives the
    task a timeout, tries again what can be tried again, and tells somebody in the end. See
    M(steadyops.ecs.ecs_task_schedule) for the schedule.
  - Definitions are compared as data. White space and the order of keys are no change.
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
      - Whether the state machine is to exist. Step Functions removes one when its last execution has ended.
    type: str
    choices: [present, absent]
    default: present
  type:
    description:
      - V(STANDARD) or V(EXPRESS), which cannot be changed afterwards. V(STANDARD) for a new one where it is not given.
      - V(EXPRESS) cannot wait for a task of ECS, so it goes with O(definition) only.
    type: str
    choices: [STANDARD, EXPRESS]
  role_arn:
    description:
      - ARN of the IAM role that executions have. Needed for a new state machine. The account is read from it.
    type: str
  definition:
    description:
      - The whole definition in the Amazon States Language, as data or as text of JSON.
      - At most one of O(definition) and O(job) is taken; one of them for a new state machine.
    type: json
  job:
    description:
      - The task to run, from which the definition is made.
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
          - The launch type. Not together with O(job.capacity_provider_strategy); with neither, the cluster's default
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
          - What is changed of the task definition for this task. It can be read by everybody who may read the state
            machine or its executions, so
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
      timeout:
        description:
          - How long one attempt may take, from launch to end. In seconds, or as V(30m) or V(2h). The task is stopped
            then.
          - There is no default. Without a timeout Step Functions waits for a job that hangs for up to a year, and only
            you know how long yours may take. A timeout is not tried again, except with O(job.retry_any).
        type: str
        required: true
      execution_timeout:
        description:
          - How long the whole execution may take, with all its attempts and the waits between them. It has to be above
            O(job.timeout). When it is over, the execution ends as C(TIMED_OUT), and O(job.notify_topic_arn) is not
            told.
        type: str
      comment:
        description:
          - C(Comment) of the definition.
        type: str
      retry_launch:
        description:
          - How to retry launches that ECS refuses for a transient reason. Nothing of the job has run then. On by
            default; set O(job.retry_launch.max_attempts) to V(0) to turn it off.
          - Transient are missing capacity, throttling and errors of ECS, a cluster without instances, the limit of
            tasks that are being provisioned, and throttling and errors of Amazon EC2 that ECS passes on. A task that
            stops because Managed Instances have no capacity for it counts as a refused launch.
          - A wrong subnet, a missing permission or an inactive task definition fails the execution at once.
        type: dict
        suboptions:
          max_attempts:
            description:
              - How often it is tried again, the first attempt not counted.
            type: int
            default: 6
          interval:
            description:
              - Seconds before the first retry.
            type: int
            default: 60
          backoff_rate:
            description:
              - The factor from one wait to the next. V(1) for equal waits.
            type: float
            default: 2
          max_delay:
            description:
              - The longest wait in seconds.
            type: int
            default: 900
          jitter:
            description:
              - Whether a random part of each wait is waited, from none to all of it (full jitter), so that jobs that
                failed
                together do not come back together.
            type: bool
            default: true
      retry_failures:
        description:
          - How the job itself is tried again after it has failed. Not at all where this is not given.
          - Only for jobs that may run twice. With neither O(job.retry_failures.exit_codes) nor
            O(job.retry_failures.stop_codes), every task that failed is tried again, but not a timeout.
        type: dict
        suboptions:
          exit_codes:
            description:
              - Exit codes after which it is tried again. All other failures are final.
            type: list
            elements: int
          container:
            description:
              - Name of the container whose exit code counts. Where it is not given, one of any container is enough.
            type: str
          stop_codes:
            description:
              - Stop codes of ECS after which it is tried again, such as V(SpotInterruption) for a task on Fargate Spot.
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
              - How often it is tried again, the first attempt not counted.
            type: int
            default: 2
          interval:
            description:
              - Seconds before the first retry.
            type: int
            default: 60
          backoff_rate:
            description:
              - The factor from one wait to the next. V(1) for equal waits.
            type: float
            default: 2
          max_delay:
            description:
              - The longest wait in seconds.
            type: int
            default: 900
          jitter:
            description:
              - Whether a random part of each wait is waited, from none to all of it (full jitter), so that jobs that
                failed
                together do not come back together.
            type: bool
            default: true
      retry_any:
        description:
          - How every error is tried again, whatever it is (C(States.ALL)), timeouts and mistakes in the options among
            them. It takes the place of O(job.retry_launch) and O(job.retry_failures).
          - The simplest of the three, and seldom the best.
        type: dict
        suboptions:
          max_attempts:
            description:
              - How often it is tried again, the first attempt not counted.
            type: int
            default: 1
          interval:
            description:
              - Seconds before the first retry.
            type: int
            default: 10
          backoff_rate:
            description:
              - The factor from one wait to the next. V(1) for equal waits.
            type: float
            default: 1
          max_delay:
            description:
              - The longest wait in seconds.
            type: int
          jitter:
            description:
              - Whether a random part of each wait is waited, from none to all of it (full jitter), so that jobs that
                failed
                together do not come back together.
            type: bool
            default: false
      rotate_subnets:
        description:
          - Whether launches that are tried again go through the subnets one by one, since capacity may be had in
            another availability zone. The first launch is offered all subnets.
        type: bool
        default: false
      fallback_capacity_provider_strategy:
        description:
          - The capacity providers of launches that are tried again, in place of O(job.capacity_provider_strategy). So a
            job that finds no room on V(FARGATE_SPOT) goes to V(FARGATE).
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
      notify_topic_arn:
        description:
          - ARN of an SNS topic to notify when the job has failed for good. The first line of the message says whether
            ECS refused the launch, the task failed or it ran out of time. The execution fails all the same, with the
            error and the cause that it had. The message has no environment variables in it.
        type: str
      concurrency:
        description:
          - What to do when an execution starts while an older one of this state machine runs, as
            C(concurrencyPolicy) of a Kubernetes CronJob. V(allow) runs the job beside it. V(forbid) skips the new
            start. V(replace) stops the older execution and its task, then runs the job.
          - With V(forbid) and V(replace), each execution waits 5 seconds and then lists the running executions. If
            several start at once, exactly one of them runs the job, the oldest with V(forbid) and the newest with
            V(replace).
          - AWS lists executions with a delay and promises no limit for it, so a job that must never run twice at once
            needs a lock of its own.
          - The role O(role_arn) needs C(states:ListExecutions) on the state machine, and with V(replace)
            C(states:StopExecution) on its executions. If either call fails, the execution fails and the job does not
            start.
          - With V(replace), the stopped task has its stop timeout to end, and the new one does not wait for that.
        type: str
        choices: [allow, forbid, replace]
        default: allow
      starting_deadline:
        description:
          - How long after its scheduled time the job may start, in seconds, or as V(10m). A later start is skipped, and
            a refused launch is not retried past the deadline. Retries of a job that has failed have no deadline.
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
      - Where executions write their log. What is not given stays as it is; for a new state machine it is off.
    type: dict
    suboptions:
      level:
        description:
          - What is written.
        type: str
        choices: ['OFF', ALL, ERROR, FATAL]
        required: true
      include_execution_data:
        description:
          - Whether input and output of states are written too. They hold the overrides of the task.
        type: bool
        default: false
      log_group_arn:
        description:
          - ARN of the log group of CloudWatch Logs, with or without C(:*) at its end. Needed unless
            O(logging.level=OFF).
        type: str
  tracing:
    description:
      - Whether executions are traced with AWS X-Ray. What is not given stays as it is; for a new one it is off.
    type: bool
  validate:
    description:
      - Whether AWS is asked to look at a definition before it is written, in check mode too. It is not asked about one
        that stays as it is.
      - The module itself finds states that do not exist or that nothing leads to, states that lead nowhere, definitions
        that are too long, and some more.
    type: bool
    default: false
  tags:
    description:
      - Tags of the state machine.
    type: dict
  purge_tags:
    description:
      - Whether tags are removed that O(tags) does not name. Nothing happens to them where O(tags) is not given.
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
  - A job with O(job.retry_any), or without retries, is one state. A C(Retry) of Step Functions knows names of errors
    only, so everything else takes further states that read the cause of an error. All of them are shown under
    RV(state_machine.definition), in check mode too.
  - Executions that run keep the definition and the role that they were started with.
  - A skipped execution succeeds. Its output has C(skipped), which is V(concurrency) or V(starting_deadline), and
    C(reason). A replaced execution is C(ABORTED), with the error C(Replaced).
  - AWS finishes the deletion of a state machine when its last execution has ended. With O(wait=true) the module waits
    for that.
  - A state machine that is being deleted counts as absent. To make one of the same name, the module waits for its end.
  - |-
    IAM permissions, and what each is for:

    C(states:DescribeStateMachine), C(states:ListTagsForResource) - to see what there is. A run that changes nothing
    makes
    no other call, as long as O(role_arn) or an ARN as O(name) tells the account.

    C(states:CreateStateMachine), C(states:UpdateStateMachine), C(states:DeleteStateMachine), C(states:TagResource),
    C(states:UntagResource) - to change it.

    C(iam:PassRole) - on the role, for C(states.amazonaws.com).

    C(states:ValidateStateMachineDefinition) - with O(validate=true).
"""

EXAMPLES = r"""
- name: A nightly report that is tried again when there is no capacity, and no other time
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

- name: An import on Fargate Spot that says with exit code 75 that it may be tried again
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

- name: An hourly import that is skipped while the last one runs, or when it cannot start within ten minutes
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

- name: A plain one, which tries everything again once after ten seconds
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

- name: Remove one
  steadyops.ecs.ecs_task_state_machine:
    name: import
    state: absent
"""

RETURN = r"""
state_machine:
  description: The state machine; V(null) when there is none, or will be none. In check mode, what it would become.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: import
    arn:
      description: Its ARN; in check mode the one that it would get.
      returned: always
      type: str
      sample: arn:aws:states:eu-central-1:123456789012:stateMachine:import
    type:
      description: Its type.
      returned: always
      type: str
      sample: STANDARD
    role_arn:
      description: ARN of the IAM role that executions have.
      returned: always
      type: str
      sample: arn:aws:iam::123456789012:role/import
    definition:
      description: The definition in the Amazon States Language.
      returned: always
      type: dict
      sample: {"StartAt": "ECS RunTask", "States": {"ECS RunTask": {"Type": "Task"}}}
    logging:
      description: Where executions write their log.
      returned: always
      type: dict
      contains:
        level:
          description: What is written.
          returned: always
          type: str
          sample: ERROR
        include_execution_data:
          description: Whether input and output of states are written too.
          returned: always
          type: bool
          sample: false
        log_group_arn:
          description: ARN of the log group; V(null) when logging is off.
          returned: always
          type: str
          sample: arn:aws:logs:eu-central-1:123456789012:log-group:/aws/vendedlogs/states/import:*
    tracing:
      description: Whether executions are traced.
      returned: always
      type: bool
      sample: true
    tags:
      description: Its tags.
      returned: always
      type: dict
      sample: {"team": "shop"}
definition_changes:
  description: The places in which the definition is changed. Empty when it stays, or the state machine comes or goes.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The place.
      returned: always
      type: str
      sample: $.States['ECS RunTask'].TimeoutSeconds
    before:
      description: What stood there.
      returned: when there was something
      type: raw
      sample: 3600
    after:
      description: What will stand there.
      returned: when there will be something
      type: raw
      sample: 7200
"""

from ..module_utils._aws.live.machine import LiveMachine
from ..module_utils._core.states.difference import definition_changes
from ..module_utils._core.states.machine import plan_machine, read_machine
from ..module_utils._core.waiting import read_patience
from ..module_utils._machine_options import ARGUMENTS
from ..module_utils._module import AwsModule, Outcome, also, converge, run


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
