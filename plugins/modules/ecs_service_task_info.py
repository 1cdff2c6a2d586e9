#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the tasks of an Amazon ECS service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_task_info
version_added: 1.0.0
short_description: List the tasks of an Amazon ECS service, with their age, health and protection
description:
  - Lists all tasks of a service that ECS intends to keep running, oldest first.
  - Set one of O(started_before), O(max_task_age), O(token), O(secrets_changed), O(tasks) and O(all_tasks) to see which
    tasks M(steadyops.ecs.ecs_service_recycle) would replace now. Use it to plan a recycle, or to check its result.
author:
  - SteadyOps contributors (@steadyops)
options: {}
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.stale_tasks.service
  - steadyops.ecs.stale_tasks
  - steadyops.ecs.attributes.info
seealso:
  - module: steadyops.ecs.ecs_service_recycle
notes:
  - |-
    IAM permissions, and what each is for:

    C(ecs:DescribeServices) - the service itself.

    C(ecs:ListTasks), C(ecs:DescribeTasks) - its tasks.

    C(ecs:GetTaskProtection) - their scale-in protection.

    C(ecs:DescribeServiceDeployments) - for services with the deployment strategy blue/green, linear or canary.

    C(ecs:DescribeTaskDefinition), C(secretsmanager:DescribeSecret), C(ssm:DescribeParameters), C(s3:GetObject) - with
    O(secrets_changed), for what the task definition names.
"""

EXAMPLES = r"""
- name: Look at the tasks of a service
  steadyops.ecs.ecs_service_task_info:
    cluster: production
    service: web
  register: web

- name: Show the age of the oldest task in days
  when: web.tasks | length > 0
  ansible.builtin.debug:
    msg: "{{ web.tasks[0].task }} is {{ web.tasks[0].age // 86400 }} days old"

- name: Find the tasks that a weekly recycle would replace
  steadyops.ecs.ecs_service_task_info:
    cluster: production
    service: web
    max_task_age: 7d
  register: aged

- name: Fail if one of them is protected and cannot be replaced
  ansible.builtin.assert:
    that: aged.tasks | selectattr('stale') | selectattr('protected') | length == 0
"""

RETURN = r"""
tasks:
  description: The tasks, oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    task:
      description: ARN of the task.
      returned: always
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:task/production/4f1f4e9ad3b94eb0a5d4f5a1a7a3b9c0
    created_at:
      description: When ECS created the task. The module computes age and staleness from it.
      returned: always
      type: str
      sample: "2026-11-21T22:41:07.512Z"
    started_at:
      description: When the task reached C(RUNNING); V(null) before.
      returned: always
      type: str
      sample: "2026-11-21T22:41:43.090Z"
    age:
      description: Seconds since ECS created the task, by the clock of AWS.
      returned: always
      type: int
      sample: 14733
    last_status:
      description: Last known status in ECS.
      returned: always
      type: str
      sample: RUNNING
    health_status:
      description: Result of the health checks of its containers; V(UNKNOWN) without health checks.
      returned: always
      type: str
      sample: HEALTHY
    task_definition:
      description: ARN of the revision of the task definition that the task runs.
      returned: always
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:task-definition/web:42
    protected:
      description: Whether the task is under scale-in protection now.
      returned: always
      type: bool
      sample: false
    protected_until:
      description: When the protection ends; V(null) without protection.
      returned: always
      type: str
      sample: null
    availability_zone:
      description: Availability zone of the task; V(null) until ECS has placed it.
      returned: always
      type: str
      sample: eu-central-1a
    capacity_provider:
      description: The capacity provider; V(null) for a task that was started with a launch type.
      returned: always
      type: str
      sample: FARGATE_SPOT
    launch_type:
      description: The launch type.
      returned: always
      type: str
      sample: FARGATE
    stale:
      description: Whether a recycle with the same selector would replace it now; V(null) without a selector.
      returned: always
      type: bool
      sample: true
service:
  description: The service that the tasks belong to.
  returned: success
  type: dict
  contains:
    arn:
      description: ARN of the service.
      returned: always
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:service/production/web
    name:
      description: Name of the service.
      returned: always
      type: str
      sample: web
    cluster:
      description: Name of the cluster.
      returned: always
      type: str
      sample: production
    status:
      description: V(ACTIVE), V(DRAINING) or V(INACTIVE).
      returned: always
      type: str
      sample: ACTIVE
    desired_count:
      description: Number of tasks that should run.
      returned: always
      type: int
      sample: 3
    running_count:
      description: Number of tasks that run. For a moment this includes tasks that are being stopped.
      returned: always
      type: int
      sample: 3
    pending_count:
      description: Number of tasks that are being started.
      returned: always
      type: int
      sample: 0
    task_definition:
      description: ARN of the revision of the task definition that new tasks get.
      returned: always
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:task-definition/web:42
    deploying:
      description: Whether a deployment is in progress.
      returned: always
      type: bool
      sample: false
    tags:
      description: The tags of the service.
      returned: always
      type: dict
      sample: {"team": "shop"}
cutoff:
  description: Tasks created before this instant are stale; V(null) if the selector does not use one.
  returned: success
  type: str
  sample: "2026-11-15T02:46:40Z"
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.line import Line
from ..module_utils._aws.live.plain_service import PlainService
from ..module_utils._core.amounts import iso
from ..module_utils._core.recycle.selector import read_narrowing, read_selector
from ..module_utils._core.recycle.service_state import refuse_service
from ..module_utils._core.recycle.task_rows import service_facts, task_rows
from ..module_utils._module import AwsModule, Outcome, run
from ..module_utils._stale_task_options import SERVICE, STALE_TASKS

ARGUMENTS = {
    **SERVICE,
    **STALE_TASKS,
}


def work(module: AwsModule, _check_mode: bool) -> Outcome:
    selector = read_selector(module.params, required=False)
    narrowing = read_narrowing(module.params)
    world = PlainService(Line(module.client), module.params["cluster"], module.params["service"])
    service = world.describe_service() or refuse_service(None, world.name.cluster, world.name.service)
    arns = world.list_tasks() if service.status != "INACTIVE" else []
    tasks = world.describe_tasks(arns)
    changed_at = world.secrets_changed_at(service.revision) if selector and selector.kind == "secrets_changed" else None
    until = world.protected_until(arns)
    rows, cutoff = task_rows(service, tasks, until, world.now(), selector, narrowing, changed_at)
    facts = {"tasks": rows, "service": service_facts(service), "cutoff": None if cutoff is None else iso(cutoff)}
    return Outcome(results=facts)


def main() -> None:
    run(ARGUMENTS, work, about="service {service} of cluster {cluster}")


if __name__ == "__main__":
    main()
