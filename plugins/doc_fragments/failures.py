# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options of ``_failure_options``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kind:
    description:
      - Kind of failure.
      - V(task) - tasks that belong to no service. They could not start, exited with a code that means failure, or were
        ended from outside, by Spot or with their host.
      - V(service_task) - tasks of services. They could not start, exited by themselves with any code that is not
        ignored (a service's task is not meant to exit), or failed a health check. A task that ECS replaces because its
        host, its infrastructure or Spot capacity went away is not a failure; O(stop_codes) can include it.
      - V(service_action) - services that ECS cannot run as requested, such as when no capacity is left for a task, or
        when tasks fail to start again and again. A failed deployment is V(deployment). A failed rebalancing between
        availability zones and an unhealthy target that ECS replaces are not failures.
      - V(deployment) - deployments that failed. ECS sends events about them for services with a deployment circuit
        breaker or with deployment alarms.
      - V(deployment_hook) - a pause hook of a deployment that waits for somebody, and hooks that failed or timed out.
        A pause hook that somebody answered with a rollback is not a failure.
      - V(daemon) - daemons of Amazon ECS Managed Instances whose task cannot start, or whose deployment failed.
      - V(container_instance) - container instances that ECS found impaired, such as when the agent is disconnected, the
        container runtime does not answer or a GPU fails.
      - V(task_retirement) - AWS Health announces the retirement of Fargate tasks. ECS replaces tasks of services;
        nobody replaces standalone tasks.
      - V(launch) - calls of RunTask and StartTask that AWS refused, or that started fewer tasks than requested. ECS
        sends no events about them, so this needs a CloudTrail trail that logs management events.
      - V(state_machine) - executions of AWS Step Functions standard workflows. Express workflows send no events.
      - V(all_task_changes) - every change of every task, to watch events.
    type: str
    choices:
      - task
      - service_task
      - service_action
      - deployment
      - deployment_hook
      - daemon
      - container_instance
      - task_retirement
      - launch
      - state_machine
      - all_task_changes
  clusters:
    description:
      - Match only these clusters, given by name or ARN. Not for O(kind=state_machine).
      - The record of a refused launch may lack its cluster. Such a launch matches whatever you give here.
      - With O(kind=task_retirement), AWS Health names clusters and services without region and account, so only the
        name in an ARN counts for services.
      - An empty list is no filter, as with all other filters.
    type: list
    elements: str
  services:
    description:
      - Match only these services, given by name or ARN. For O(kind=service_task), O(kind=service_action),
        O(kind=deployment), O(kind=deployment_hook), O(kind=task_retirement) and O(kind=all_task_changes).
      - All ARNs must name one cluster. O(clusters) can then be omitted.
    type: list
    elements: str
  task_families:
    description:
      - Match only tasks of these task definition families, at every revision. Give names, or ARNs without a
        revision. For O(kind=task), O(kind=service_task), O(kind=launch) and O(kind=all_task_changes).
    type: list
    elements: str
  groups:
    description:
      - Match only tasks of these groups, such as V(family:nightly). V(*) stands for any characters. For
        O(kind=task), O(kind=launch) and O(kind=all_task_changes).
    type: list
    elements: str
  started_by:
    description:
      - Match only tasks whose C(startedBy) is one of these. V(*) stands for any characters. For O(kind=task),
        O(kind=launch) and O(kind=all_task_changes).
      - It is V(events-rule/NAME) for EventBridge rules, V(chronos-schedule/NAME) for EventBridge Scheduler and
        V(AWS Step Functions) for workflows.
    type: list
    elements: str
  container_names:
    description:
      - Names of the containers whose exit counts. All other containers are ignored. V(*) stands for any characters.
        For O(kind=task) and O(kind=service_task).
      - Events do not say which container is essential. Set this where a sidecar may be killed after the main container
        exited successfully; otherwise the sidecar's exit counts as a failure.
    type: list
    elements: str
  ignore_containers:
    description:
      - Names of the containers whose exit is ignored. V(*) stands for any characters. For O(kind=task) and
        O(kind=service_task).
      - If omitted, the containers that AWS adds to tasks by itself are ignored, V(aws-guardduty-agent-*) and
        V(ecs-service-connect-*). A list of your own replaces these.
      - Mutually exclusive with O(container_names).
    type: list
    elements: str
  exit_codes:
    description:
      - Match only tasks that exited by themselves with one of these exit codes. Tasks that could not start or were
        ended from outside then match only if O(stop_codes) lists them. For O(kind=task) and O(kind=service_task).
      - With O(kind=task), a task with the stop code C(TaskFailedToStart) counts if one of its containers did run and
        exited with such a code.
      - Mutually exclusive with O(ignore_exit_codes).
    type: list
    elements: int
  ignore_exit_codes:
    description:
      - Exit codes that are not failures. For O(kind=task) and O(kind=service_task).
      - If omitted, this is V([143]), the exit code after SIGTERM. An empty list ignores none. With O(kind=task), V(0)
        is never a failure.
    type: list
    elements: int
  stop_codes:
    description:
      - Match only tasks that stopped with one of these ECS stop codes, such as V(TaskFailedToStart),
        V(EssentialContainerExited), V(SpotInterruption), V(TerminationNotice), V(UserInitiated) or
        V(ServiceSchedulerInitiated). For O(kind=task) and O(kind=service_task).
      - With V(EssentialContainerExited) the exit codes still decide. With V(TaskFailedToStart) and O(kind=task) the
        containers decide as well, because a job may have succeeded before its sidecar could start. With
        V(ServiceSchedulerInitiated) and O(kind=service_task) the health checks decide, unless O(stopped_reasons) is
        given.
      - If omitted, stop codes that the collection does not know count as failures, and a task without a stop code
        counts by its exit codes unless its stop reason names Spot or scaling.
    type: list
    elements: str
  stopped_reasons:
    description:
      - Match only tasks whose C(stoppedReason) is one of these. V(*) stands for any characters. For O(kind=task) and
        O(kind=service_task).
    type: list
    elements: str
  state_machine_arns:
    description:
      - Match only executions of these state machines. For O(kind=state_machine).
    type: list
    elements: str
  statuses:
    description:
      - Execution statuses that are failures. For O(kind=state_machine). If omitted, this is V([FAILED, TIMED_OUT]).
    type: list
    elements: str
  exclude_role_arns:
    description:
      - Ignore launches by these roles, such as the role of a function that retries launches. For O(kind=launch).
    type: list
    elements: str
  exclude_clusters:
    description:
      - Ignore launches in these clusters, given by name or ARN. V(*) stands for any characters. For O(kind=launch).
      - If omitted, this is V([AWSBatch-*]), the clusters of AWS Batch. A list of your own replaces it.
      - Mutually exclusive with O(clusters).
    type: list
    elements: str
  callers:
    description:
      - Match only launches by these AWS services, as CloudTrail names them in C(invokedBy), such as
        V(events.amazonaws.com), V(scheduler.amazonaws.com) or V(states.amazonaws.com). For O(kind=launch).
      - Mutually exclusive with O(exclude_callers).
    type: list
    elements: str
  exclude_callers:
    description:
      - Ignore launches by these AWS services. For O(kind=launch).
      - If omitted, this is V([batch.amazonaws.com]). AWS Batch calls RunTask until there is room, so most of its
        refusals are routine. An empty list ignores none.
    type: list
    elements: str
  retried_clusters:
    description:
      - Clusters, by name or ARN, in which the function of the role P(steadyops.ecs.launch_retry#role) retries
        O(retried_task_families). For O(kind=launch).
      - The rule leaves out the refused launches that the function takes, because the function sends one message about
        each that it gives up. It still matches C(StartTask), AWS services that retry by themselves, other families
        and other clusters.
      - Required together with O(retried_task_families).
    type: list
    elements: str
  retried_task_families:
    description:
      - Families of task definitions that the function retries in O(retried_clusters). For O(kind=launch).
    type: list
    elements: str
"""
