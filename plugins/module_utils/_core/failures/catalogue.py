# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""Known failures on ECS, and events that only look like failures: one event of each.

``rule.covers`` is made from these, and tests check the messages and the definition of a failure with them. Stop codes,
reasons and shapes are documented by AWS or were observed; ``sample_events`` names the pages of AWS's developer guide
that the newer ones come from.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from .sample_events import (
    APP,
    FAMILY,
    RETRY_ROLE,
    Event,
    container,
    daemon_action,
    daemon_deployment,
    deployment_change,
    execution_change,
    health_event,
    hook_change,
    instance_health,
    launch_call,
    service_action,
    task_change,
)

EXITED = "Essential container in task exited"
SCALING = "Scaling activity initiated by (deployment ecs-svc/8646900195280463695)"
GUARDDUTY = "aws-guardduty-agent-a1b2c"
SERVICE_CONNECT = "ecs-service-connect-X9fG2"
SIDECAR = "sidecar"


class Sample(NamedTuple):
    """One event. ``failure`` says whether people want to be notified of it; ``kind`` is the kind of rule for it.

    No pattern can distinguish ``undecidable`` samples from failures without naming containers.
    """

    name: str
    description: str
    event: Event
    failure: bool
    kind: str
    undecidable: bool = False


def _task(
    name: str,
    description: str,
    failure: bool,
    containers: Sequence[dict[str, Any]],
    stop_code: str | None = "EssentialContainerExited",
    reason: str | None = EXITED,
    *,
    undecidable: bool = False,
    **more: Any,
) -> Sample:
    event = task_change(name, containers, stop_code, reason, **more)
    return Sample(name, description, event, failure, "task", undecidable)


def _service_task(
    name: str,
    description: str,
    failure: bool,
    containers: Sequence[dict[str, Any]],
    stop_code: str | None = "EssentialContainerExited",
    reason: str | None = EXITED,
    **more: Any,
) -> Sample:
    of_service = {"group": "service:web", "started_by": "ecs-svc/8646900195280463695", "family": "web", **more}
    event = task_change(name, containers, stop_code, reason, **of_service)
    return Sample(name, description, event, failure, "service_task")


def _action(name: str, description: str, failure: bool, event_type: str, event_name: str, **more: Any) -> Sample:
    return Sample(name, description, service_action(name, event_type, event_name, **more), failure, "service_action")


def _deployment(name: str, description: str, failure: bool, event_type: str, event_name: str, reason: str) -> Sample:
    return Sample(name, description, deployment_change(name, event_type, event_name, reason), failure, "deployment")


def _hook(name: str, description: str, failure: bool, event_name: str, hook_type: str = "PAUSE") -> Sample:
    return Sample(name, description, hook_change(name, event_name, hook_type), failure, "deployment_hook")


def _daemon(name: str, description: str, failure: bool, event_type: str, event_name: str) -> Sample:
    return Sample(name, description, daemon_deployment(name, event_type, event_name), failure, "daemon")


def _daemon_task(name: str, description: str, failure_type: str, reason: str) -> Sample:
    return Sample(name, description, daemon_action(name, failure_type, reason), True, "daemon")


def _instance(name: str, description: str, failure: bool, status: str, check: str, reason: str | None) -> Sample:
    return Sample(name, description, instance_health(name, status, check, reason), failure, "container_instance")


def _health(name: str, description: str, failure: bool, code: str, affected: Sequence[str], **more: str) -> Sample:
    return Sample(name, description, health_event(name, code, affected, **more), failure, "task_retirement")


def _launch(name: str, description: str, failure: bool, **call: Any) -> Sample:
    return Sample(name, description, launch_call(name, **call), failure, "launch")


def _execution(name: str, description: str, failure: bool, status: str, **given: str) -> Sample:
    return Sample(name, description, execution_change(name, status, **given), failure, "state_machine")


_NEVER_RAN = "TaskFailedToStart"
_PULL = (
    "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
    '"123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:latest": not found'
)
_SECRETS = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secret from asm: service call has been retried 1 time(s): AccessDeniedException: User: "
    "arn:aws:sts::123456789012:assumed-role/execution/0f1e is not authorized to perform: "
    "secretsmanager:GetSecretValue on resource: nightly/database\n\tstatus code: 400, request id: <none>"
)
_OOM = "OutOfMemoryError: Container killed due to memory usage"
_CAPACITY = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
_CAUSE = json.dumps(
    {
        "ClusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/production",
        "Containers": [{"ExitCode": 1, "LastStatus": "STOPPED", "Name": APP}],
        "Group": f"family:{FAMILY}",
        "StartedBy": "AWS Step Functions",
        "StopCode": "EssentialContainerExited",
        "StoppedReason": EXITED,
    }
)

_STANDALONE = (
    # Tasks that never ran.
    _task("image_pull", "The image cannot be pulled", True, [container(reason=_PULL)], _NEVER_RAN, _PULL),
    _task("secrets", "A secret or the registry refused access", True, [container()], _NEVER_RAN, _SECRETS,
          environment=True),
    _task("network_interface", "The network interface was not ready in time", True, [container()], _NEVER_RAN,
          "Timeout waiting for network interface provisioning to complete."),
    _task("network_interface_refused", "EC2 refused the network interface", True, [container()], _NEVER_RAN,
          "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in "
          "subnet 'subnet-0a1b2c3d4e5f60718': InsufficientFreeAddressesInSubnet"),
    _task("empty_capacity_provider", "The capacity provider has no instance", True, [container()], _NEVER_RAN,
          "EMPTY CAPACITY PROVIDER", launch_type="EC2"),
    _task("container_start", "The container cannot be started", True,
          [container(reason='CannotStartContainerError: exec: "/app/run": permission denied: <nil>')], _NEVER_RAN,
          "Task failed to start"),
    _task("sidecar_start", "The main container exited with 0, a sidecar could not be started", True,
          [container(exit_code=0), container(SIDECAR, reason="CannotCreateContainerError: name is taken")],
          _NEVER_RAN, "Task failed to start"),
    # Tasks that ended by themselves.
    _task("exit_1", "The container exited with 1", True, [container(exit_code=1)], environment=True,
          started_by="events-rule/nightly-import"),
    _task("exit_2", "The container exited with 2", True, [container(exit_code=2)],
          started_by="chronos-schedule/nightly-import"),
    _task("exit_126", "The command cannot be executed", True, [container(exit_code=126)]),
    _task("exit_127", "The command is not in the image", True, [container(exit_code=127)]),
    _task("exit_137", "The container was killed", True, [container(exit_code=137)], environment=True),
    _task("exit_139", "The container crashed with a segmentation fault", True, [container(exit_code=139)]),
    _task("exit_255", "The container exited with 255", True, [container(exit_code=255)]),
    _task("exit_negative", "A Windows container ended with an access violation", True,
          [container(exit_code=-1073741819)]),
    _task("main_and_sidecar", "The main container exited with 1, a sidecar was stopped after it", True,
          [container(exit_code=1), container(SIDECAR, exit_code=143)]),
    _task("out_of_memory", "The container was killed because it used too much memory", True,
          [container(exit_code=137, reason=_OOM)], environment=True),
    _task("out_of_memory_exit_1",
          "A process was killed because it used too much memory, and the container exited with 1", True,
          [container(exit_code=1, reason="OutOfMemoryError: container killed due to memory usage")]),
    _task("out_of_memory_no_exit_code",
          "The container was killed because it used too much memory, and a sidecar was stopped", True,
          [container(reason=_OOM), container(SIDECAR, exit_code=143)]),
    _task("runtime_timeout", "The container runtime did not answer", True,
          [container(reason="DockerTimeoutError: Could not transition to running; timed out after waiting 3m0s"),
           container(SIDECAR, exit_code=0)], launch_type="EC2"),
    # Short jobs that end before a sidecar starts have this stop code: reported for jobs with GuardDuty's agent, a log
    # router or a timeout helper. It is assumed that the stop reason is then one of these two.
    _task("exit_1_before_sidecar", "The container exited with 1 before a sidecar started", True,
          [container(exit_code=1), container(GUARDDUTY)], _NEVER_RAN),
    _task("exit_unseen", "It is not known how the container ended", True, [container()], launch_type="EC2"),
    _task("group_free_text", "A task with a group of the caller's own exited with 1", True, [container(exit_code=1)],
          group="imports <nightly>"),
    _task("group_none", "A task without a group exited with 1", True, [container(exit_code=1)], group=None),
    _task("in_state_machine", "A task that Step Functions started exited with 3", True, [container(exit_code=3)],
          started_by="AWS Step Functions"),
    # Tasks that were ended from outside.
    _task("spot", "Spot interrupted the task", True, [container(exit_code=143)], "SpotInterruption",
          "Your Spot Task was interrupted."),
    _task("host_lost", "The EC2 instance of the task was terminated", True, [container()], "TerminationNotice",
          "Host EC2 (instance i-0a1b2c3d4e5f60718) terminated.", launch_type="EC2"),
    _task("infrastructure", "The infrastructure of the task is not healthy", True, [container()],
          "InfrastructureHealth", "Infrastructure is unhealthy"),
    _task("stop_code_unknown", "An unknown stop code", True, [container(exit_code=0)],
          "StoppedByNewFeature", 'A reason with "quotes" and <markup>'),
    _task("stop_code_none", "A stopped task without a stop code", True, [container(exit_code=1)], None),
    # Events that only look like failures.
    _task("success", "The container exited with 0", False, [container(exit_code=0)], environment=True),
    _task("exit_143", "The container exited on SIGTERM", False, [container(exit_code=143)]),
    _task("sidecar_143", "The main container exited with 0, a sidecar was stopped after it", False,
          [container(exit_code=0), container(SIDECAR, exit_code=143)]),
    _task("sidecar_137", "The main container exited with 0, a sidecar did not stop in time and was killed", False,
          [container(exit_code=0), container(SIDECAR, exit_code=137)], undecidable=True),
    _task("guardduty_137", "The main container exited with 0, GuardDuty's agent was killed after it", False,
          [container(exit_code=0), container(GUARDDUTY, exit_code=137)]),
    _task("guardduty_out_of_memory", "The main container exited with 0, GuardDuty's agent ran out of memory", False,
          [container(exit_code=0), container(GUARDDUTY, exit_code=137, reason=_OOM)]),
    _task("success_before_guardduty", "The container exited with 0 before GuardDuty's agent started", False,
          [container(exit_code=0), container(GUARDDUTY)], _NEVER_RAN),
    _task("success_guardduty_start", "The container exited with 0, GuardDuty's agent could not be started", False,
          [container(exit_code=0), container(GUARDDUTY, reason="CannotStartContainerError: timed out")], _NEVER_RAN,
          "Task failed to start"),
    _task("success_before_sidecar", "The container exited with 0 before a sidecar started", False,
          [container(exit_code=0), container(SIDECAR)], _NEVER_RAN),
    _task("success_no_stop_code", "The container exited with 0, and the event has no stop code", False,
          [container(exit_code=0)], None),
    _task("spot_no_stop_code", "Spot interrupted the task, and the event has no stop code", False,
          [container(exit_code=137)], None, "Your Spot Task was interrupted."),
    _task("scaling_no_stop_code", "A scaling activity stopped the task, and the event has no stop code", False,
          [container(exit_code=137)], None, SCALING),
    _task("stopped_by_user", "A user stopped the task", False, [container(exit_code=137)], "UserInitiated",
          "Task stopped by user"),
    _task("stopped_by_deploy_script", "A script stopped the task, with a reason of its own", False,
          [container(exit_code=143)], "UserInitiated", 'released "v2" <deploy@example.org>\nby hand'),
    _task("spot_warning", "Spot will interrupt the task in two minutes", False, [container()],
          "SpotInterruption", "Your Spot Task was interrupted.", last_status="RUNNING"),
    _task("exit_1_deprovisioning", "The container exited with 1: reported again when the task has stopped", False,
          [container(exit_code=1)], last_status="DEPROVISIONING"),
    _task("image_pull_deprovisioning", "The image cannot be pulled: reported again when the task has stopped", False,
          [container(reason=_PULL)], _NEVER_RAN, _PULL, last_status="DEPROVISIONING"),
    _task("running", "The task is running", False, [container()], None, None, last_status="RUNNING",
          desired_status="RUNNING"),
)  # fmt: skip

_OF_SERVICES = (
    _service_task("service_image_pull", "The image cannot be pulled", True, [container(reason=_PULL)], _NEVER_RAN,
                  _PULL),
    _service_task("service_exit_1", "A container of a service exited with 1", True,
                  [container(exit_code=1), container(SERVICE_CONNECT, exit_code=143)], environment=True),
    _service_task("service_exit_0", "A container of a service exited with 0", True, [container(exit_code=0)]),
    _service_task("service_out_of_memory", "A container of a service was killed because it used too much memory", True,
                  [container(exit_code=137, reason=_OOM)]),
    _service_task("service_elb_health", "The load balancer found the task unhealthy", True, [container(exit_code=0)],
                  "ServiceSchedulerInitiated",
                  "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-central-1:"
                  "123456789012:targetgroup/web/73e2d6bc24d8a067)"),
    _service_task("service_container_health", "The health check of a container failed", True,
                  [container(exit_code=137)], "ServiceSchedulerInitiated", "Task failed container health checks"),
    _service_task("service_no_stop_code", "A container exited with 1, and the event has no stop code", True,
                  [container(exit_code=1)], None),
    _service_task("service_deployment_143", "A deployment replaced the task", False, [container(exit_code=143)],
                  "ServiceSchedulerInitiated", SCALING),
    _service_task("service_deployment_137", "A deployment replaced the task, which had to be killed", False,
                  [container(exit_code=137)], "ServiceSchedulerInitiated", SCALING),
    _service_task("service_scale_in", "A scale-in stopped the task", False,
                  [container(exit_code=1), container(SERVICE_CONNECT, exit_code=137)], "ServiceSchedulerInitiated",
                  SCALING),
    _service_task("service_maintenance", "AWS moves the task for maintenance", False, [container(exit_code=143)],
                  "ServiceSchedulerInitiated",
                  "Service web: ECS is performing maintenance on the underlying infrastructure hosting the task"),
    _service_task("service_rebalancing", "ECS moves the task to another availability zone", False,
                  [container(exit_code=137)], "ServiceSchedulerInitiated",
                  "Availability-zone rebalancing initiated by (deployment ecs-svc/8646900195280463695)"),
    _service_task("service_infrastructure", "The infrastructure is not healthy, and the service replaces the task",
                  False, [container()], "InfrastructureHealth", "Infrastructure is unhealthy"),
    _service_task("service_scaling_no_stop_code", "A deployment replaced the task, and the event has no stop code",
                  False, [container(exit_code=137)], None, SCALING),
    _service_task("service_stopped_by_user", "A user stopped a task of the service", False,
                  [container(exit_code=137)], "UserInitiated", "Task stopped by user"),
    _service_task("service_spot", "Spot interrupted the task, and the service replaces the task", False,
                  [container(exit_code=143)], "SpotInterruption", "Your Spot Task was interrupted."),
    _service_task("service_host_lost", "The EC2 instance was terminated, and the service replaces the task", False,
                  [container()], "TerminationNotice", "Host EC2 (instance i-0a1b2c3d4e5f60718) terminated.",
                  launch_type="EC2"),
    _service_task("service_exit_1_deprovisioning",
                  "A container exited with 1: reported again when the task has stopped", False,
                  [container(exit_code=1)], last_status="DEPROVISIONING"),
)  # fmt: skip

_ACTIONS = (
    _action("placement", "No capacity for a task", True, "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE",
            reason="RESOURCE:FARGATE"),
    _action("configuration", "The configuration of the service prevents tasks from starting", True, "ERROR",
            "SERVICE_TASK_CONFIGURATION_FAILURE"),
    _action("throttled", "ECS throttles the service", True, "ERROR", "ECS_OPERATION_THROTTLED"),
    _action("start_impaired", "Tasks of the service repeatedly fail to start", True, "WARN",
            "SERVICE_TASK_START_IMPAIRED"),
    _action("discovery_unhealthy", "Service discovery found a task unhealthy: reported when it is replaced", False,
            "WARN", "SERVICE_DISCOVERY_INSTANCE_UNHEALTHY"),
    _action("lattice_unhealthy", "VPC Lattice found a target unhealthy: reported when it is replaced", False,
            "WARN", "VPC_LATTICE_TARGET_UNHEALTHY"),
    _action("rebalancing_failed", "A task could not be moved to another availability zone", False, "ERROR",
            "SERVICE_TASK_PLACEMENT_FAILURE",
            reason="service (web) is unable to place a task in eu-central-1a because no container instance met all of "
            "its requirements."),
    _action("action_deployment_failed", "A deployment failed: reported as a change of the deployment", False, "ERROR",
            "SERVICE_DEPLOYMENT_FAILED", reason="ECS deployment circuit breaker: tasks failed to start."),
    _action("steady_state", "The service is in a steady state", False, "INFO", "SERVICE_STEADY_STATE"),
    _action("desired_count", "The desired count was changed", False, "INFO", "SERVICE_DESIRED_COUNT_UPDATED"),
)  # fmt: skip

_DEPLOYMENTS = (
    _deployment("deployment_failed", "The circuit breaker ended a deployment", True, "ERROR",
                "SERVICE_DEPLOYMENT_FAILED", "ECS deployment circuit breaker: tasks failed to start."),
    _deployment("deployment_in_progress", "A deployment is in progress", False, "INFO",
                "SERVICE_DEPLOYMENT_IN_PROGRESS",
                "ECS deployment ecs-svc/8646900195280463695 in progress."),
    _deployment("deployment_completed", "A deployment is complete", False, "INFO", "SERVICE_DEPLOYMENT_COMPLETED",
                "ECS deployment ecs-svc/8646900195280463695 completed."),
    _deployment("rollback", "The rollback of a deployment whose failure was reported", False, "INFO",
                "SERVICE_DEPLOYMENT_IN_PROGRESS",
                "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/7512463695864690019."),
)  # fmt: skip

_HOOKS = (
    _hook("hook_waiting", "A pause hook waits for an answer", True, "HOOK_AWAITING_ACTION"),
    _hook("hook_timed_out", "A hook timed out", True, "HOOK_TIMED_OUT"),
    _hook("hook_failed", "A hook of a deployment failed", True, "HOOK_FAILED", "AWS_LAMBDA"),  # assumed: the hook type
    _hook("hook_rolled_back", "A user answered a pause hook with a rollback", False, "HOOK_FAILED"),
    _hook("hook_succeeded", "A hook succeeded", False, "HOOK_SUCCEEDED"),
    _hook("hook_in_progress", "A hook runs", False, "HOOK_IN_PROGRESS", "AWS_LAMBDA"),
)

_DAEMONS = (
    _daemon_task("daemon_not_running", "A daemon task failed to start", "TASK_FAILED_TO_RUN",
                 f"Task failed to reach RUNNING status: {_PULL}"),
    _daemon_task("daemon_not_created", "No capacity for a daemon task", "TASK_CREATION_FAILED",
                 "RESOURCE:CPU - Unable to place daemon task on container instance: insufficient CPU"),
    _daemon("daemon_rollback", "A daemon deployment failed and is rolled back", True, "INFO",
            "DAEMON_DEPLOYMENT_ROLLBACK_IN_PROGRESS"),
    _daemon("daemon_rollback_failed", "The rollback of a daemon deployment failed", True, "ERROR",
            "DAEMON_DEPLOYMENT_ROLLBACK_FAILED"),
    _daemon("daemon_pending", "A daemon deployment began", False, "INFO", "DAEMON_DEPLOYMENT_PENDING"),
    _daemon("daemon_stopped", "A daemon deployment was replaced by another one", False, "INFO",
            "DAEMON_DEPLOYMENT_STOPPED"),
    _daemon("daemon_rolled_back", "A daemon deployment was rolled back", False, "INFO",
            "DAEMON_DEPLOYMENT_ROLLBACK_SUCCESSFUL"),
)  # fmt: skip

_INSTANCES = (
    _instance("instance_gpu", "A GPU of a container instance is impaired", True, "IMPAIRED", "ACCELERATED_COMPUTE",
              "XID_46"),
    _instance("instance_disconnected", "The agent of a container instance is disconnected", True, "IMPAIRED",
              "AGENT_CONNECTIVITY", "Agent disconnected since 2026-11-22T03:01:53Z"),
    _instance("instance_healthy", "A container instance is healthy again", False, "OK", "CONTAINER_RUNTIME", None),
    _instance("instance_starting", "A container instance has no health yet", False, "INSUFFICIENT_DATA",
              "CONTAINER_RUNTIME", None),
)  # fmt: skip

_RETIREMENT = "AWS_ECS_TASK_PATCHING_RETIREMENT"
_RETIREMENTS = (
    _health("retirement_services", "AWS will retire Fargate tasks of services", True, _RETIREMENT,
            ["production|web", "production|api"]),
    _health("retirement_tasks", "AWS will retire standalone Fargate tasks", True, _RETIREMENT,
            ["arn:aws:ecs:eu-central-1:123456789012:task/production/00805ce1d81940b5a37398e5a2c23333"],
            status="upcoming"),
    _health("retirement_over", "The retirement of Fargate tasks is over", False, _RETIREMENT, ["production|web"],
            status="closed"),
    _health("health_of_ecs", "AWS announces something else about ECS", False, "AWS_ECS_OPERATIONAL_ISSUE", []),
)  # fmt: skip

_DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/scheduled-tasks/4f1f is not authorized to perform: iam:PassRole on "
    "resource: arn:aws:iam::123456789012:role/execution because no identity-based policy allows it"
)

_LAUNCHES = (
    _launch("launch_denied", "RunTask was not permitted", True, error=("AccessDenied", _DENIED), parameters=False),
    _launch("launch_invalid", "RunTask was refused: the task definition is inactive", True,
            error=("ClientException", "TaskDefinition is inactive")),
    _launch("launch_throttled", "RunTask was throttled", True, error=("ThrottlingException", "Rate exceeded")),
    _launch("launch_capacity", "RunTask started nothing: no capacity", True, failures=[{"reason": _CAPACITY}]),
    _launch("launch_partial", "RunTask started one task of three", True, tasks=1,
            failures=[{"arn": "arn:aws:ecs:eu-central-1:123456789012:container-instance/production/1", "reason": reason}
                      for reason in ("RESOURCE:CPU", "RESOURCE:MEMORY")]),
    _launch("launch_start_task", "StartTask was given an instance whose agent is not connected", True,
            event_name="StartTask", failures=[{"reason": "AGENT"}]),
    _launch("launch_of_retry", "RunTask started nothing, called by a function that retries launches", True,
            failures=[{"reason": _CAPACITY}], role=RETRY_ROLE, by="lambda.amazonaws.com"),
    _launch("launch_batch", "AWS Batch was refused, and repeats the call itself", False,
            failures=[{"reason": "RESOURCE:MEMORY"}], by="batch.amazonaws.com",
            role="arn:aws:iam::123456789012:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
            cluster="arn:aws:ecs:eu-central-1:123456789012:cluster/AWSBatch-jobs-4f1f2a3b"),
    _launch("launch", "RunTask started the task", False, tasks=1),
)  # fmt: skip

_EXECUTIONS = (
    _execution("execution_failed", "An execution failed", True, "FAILED", error="States.TaskFailed", cause=_CAUSE),
    _execution("execution_timed_out", "An execution took too long", True, "TIMED_OUT", error="States.Timeout"),
    _execution("execution_aborted", "A user aborted an execution", False, "ABORTED"),
    _execution("execution_succeeded", "An execution succeeded", False, "SUCCEEDED"),
    _execution("execution_running", "An execution began", False, "RUNNING"),
)  # fmt: skip

CATALOGUE: tuple[Sample, ...] = (
    *(*_STANDALONE, *_OF_SERVICES, *_ACTIONS, *_DEPLOYMENTS, *_HOOKS, *_DAEMONS, *_INSTANCES, *_RETIREMENTS),
    *(*_LAUNCHES, *_EXECUTIONS),
)
