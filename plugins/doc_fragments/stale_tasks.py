# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the steadyops.ecs collection: no promise is made to other importers.
"""The options of ``_stale_task_options``."""

from __future__ import annotations


class ModuleDocFragment:
    # For modules that work on one service.
    SERVICE = r"""
options:
  cluster:
    description:
      - Name or ARN of the cluster.
      - Can be omitted when O(service) is an ARN that names the cluster.
    type: str
    default: default
  service:
    description:
      - Name or ARN of the service. An ARN in the format from before 2019, without the cluster's name, can be given
        here, but M(steadyops.ecs.ecs_service_recycle) cannot recycle a service that still has such an ARN.
    type: str
    required: true
    aliases: [name]
"""

    DOCUMENTATION = r"""
options:
  started_before:
    description:
      - Tasks created before this instant are stale. Give RFC 3339 with its zone, such as V(2026-11-22T03:00:00Z), or
        epoch seconds.
      - An instant in the future is refused, because every replacement would be stale too.
      - The instant at which ECS created the task counts, not the one at which it reached C(RUNNING), because ECS reads
        secrets and environment files in between. Both instants come from the clock of AWS.
    type: str
  max_task_age:
    description:
      - Tasks older than this are stale. Give seconds, or an age such as V(7d), V(12h), V(30m) or V(2w).
    type: str
  token:
    description:
      - A text that you change for every roll-out, such as the number of a pipeline run. Tasks are stale if they
        were created before the first recycle with this token began. If no recycle has used it yet, all tasks are stale.
      - M(steadyops.ecs.ecs_service_recycle) remembers the last eight tokens of a service, as digests, in the service's
        tag C(steadyops.ecs/recycle-tokens).
    type: str
  secrets_changed:
    description:
      - If V(true), tasks are stale if they were created before the latest change of any secret, parameter or
        environment file that the service's task definition names. ECS reads these once, when it starts a task.
      - The C(secrets) and C(environmentFiles) of every container count, and so do the secrets of its log driver and
        the credentials of its registry. The module does not read their values. Every change of a secret counts, and so
        does a change of its tags.
      - Refused when the task definition names none of these, or one in another region than the service.
    type: bool
  tasks:
    description:
      - Ids or ARNs of tasks. Those that belong to the service are stale.
    type: list
    elements: str
  all_tasks:
    description:
      - All tasks that run when the module starts are stale. After an interrupted recycle of all tasks, only those that
        it has not replaced yet are stale.
    type: bool
  exclude_tasks:
    description:
      - Ids or ARNs of tasks that are never stale.
    type: list
    elements: str
    default: []
  availability_zones:
    description:
      - Only tasks in these availability zones are stale. ECS decides where their replacements run.
    type: list
    elements: str
    default: []
  capacity_providers:
    description:
      - Only tasks on these capacity providers are stale, such as V(FARGATE_SPOT). Tasks started by launch type have no
        capacity provider.
    type: list
    elements: str
    default: []
"""
