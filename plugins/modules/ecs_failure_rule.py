#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage an EventBridge rule that matches failures of Amazon ECS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_failure_rule
version_added: 1.0.0
short_description: Manage an EventBridge rule that matches failures of Amazon ECS
description:
  - Manages an Amazon EventBridge rule that matches one kind of failure of Amazon ECS, and nothing else. The module
    defines what a failure is; options narrow it to clusters, services, task families, exit codes and more.
  - A failure is final and was not requested. Tasks that cannot start, exit with a code that means failure, become
    unhealthy or lose their host are failures. Deployments, scale-ins, user-initiated stops, sidecars that exit on
    request, and intermediate states are not failures.
  - Before it writes anything, the module checks the pattern for errors that EventBridge refuses, and for conditions
    that EventBridge accepts but that never match. RV(rule.covers) lists the known failures and whether the rule matches
    each.
  - The rule alone notifies nobody. Add targets with M(steadyops.ecs.ecs_notification_target).
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of the rule, unique on its event bus.
    type: str
    required: true
  event_bus_name:
    description:
      - Name or ARN of the event bus. AWS services send events to V(default) only.
    type: str
    default: default
  state:
    description:
      - V(present) creates the rule, or updates it to match the options. Omitted options keep their current values.
      - V(absent) deletes the rule and its targets. It does not remove the permissions that gave the rule access to the
        targets, such as a statement in the policy of a topic. M(steadyops.ecs.ecs_notification_target) removes a target
        together with its permission.
      - The module refuses rules that an AWS service manages and rules that are schedules, in both states.
    type: str
    choices:
      - present
      - absent
    default: present
  enabled:
    description:
      - Whether the rule is enabled. If omitted, the current state is kept, and a new rule is enabled.
    type: bool
  description:
    description:
      - Description of the rule, up to 512 characters. If omitted, the current one is kept. An empty text removes it.
    type: str
  event_pattern:
    description:
      - An event pattern of your own, as a dictionary or as the text of a JSON object. The order of keys and values and
        white space do not matter.
      - Mutually exclusive with O(kind). A new rule requires one of the two.
      - The module refuses a pattern with errors that would make it useless, and warns if the pattern may not do what it
        seems to. Try it on events with P(steadyops.ecs.matches_event_pattern#test).
    type: json
  tags:
    description:
      - Tags of the rule. If omitted, the current tags are kept.
    type: dict
    aliases:
      - resource_tags
  purge_tags:
    description:
      - Whether tags that are not in O(tags) are removed. If O(tags) is omitted, no tag is removed.
    type: bool
    default: true
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.failures
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steadyops.ecs.ecs_failure_rule_info
  - module: steadyops.ecs.ecs_notification_target
  - plugin: steadyops.ecs.matches_event_pattern
    plugin_type: test
  - name: Events of Amazon ECS
    description: What ECS tells EventBridge.
    link: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html
notes:
  - A run that changes nothing makes two calls to AWS.
  - Events of tasks are delivered at least once; those of API calls, executions and AWS Health on a best-effort basis.
  - |-
    IAM permissions, and what each is for:

    C(events:DescribeRule), C(events:ListTagsForResource) - to read the rule.

    C(events:PutRule) - to create and to change it. A new rule with tags needs C(events:TagResource) as well.

    C(events:TagResource), C(events:UntagResource) - to change its tags.

    C(events:ListTargetsByRule), C(events:RemoveTargets), C(events:DeleteRule) - to delete it.
"""

EXAMPLES = r"""
- name: Alert on every failed standalone task of a cluster
  steadyops.ecs.ecs_failure_rule:
    name: production-task-failures
    kind: task
    clusters: [production]

- name: The same for its services, with two more rules for failures without a task event
  steadyops.ecs.ecs_failure_rule:
    name: "production-{{ item }}"
    kind: "{{ item }}"
    clusters: [production]
    tags:
      team: shop
  loop: [service_task, service_action, deployment]

- name: Alert on the job container of a nightly task, and ignore its sidecar
  steadyops.ecs.ecs_failure_rule:
    name: nightly-import
    kind: task
    task_families: [nightly-import]
    container_names: [import]

- name: Alert on some exit codes of one scheduled task
  steadyops.ecs.ecs_failure_rule:
    name: nightly-exits
    kind: task
    clusters: [production]
    task_families: [nightly-import]
    exit_codes: [1, 137, 139, 255]

- name: Alert on any exit code except 0
  steadyops.ecs.ecs_failure_rule:
    name: any-exit
    kind: task
    stop_codes: [EssentialContainerExited]
    ignore_exit_codes: []

- name: Alert on failed launches, except those of the function that retries them
  steadyops.ecs.ecs_failure_rule:
    name: launch-failures
    kind: launch
    exclude_role_arns: ["arn:aws:iam::123456789012:role/ecs-launch-retry"]

- name: Alert on deployments that wait at a pause hook, and on Fargate tasks that AWS will retire
  steadyops.ecs.ecs_failure_rule:
    name: "production-{{ item }}"
    kind: "{{ item }}"
    clusters: [production]
  loop: [deployment_hook, task_retirement]

- name: Use a pattern of your own
  steadyops.ecs.ecs_failure_rule:
    name: out-of-memory
    event_pattern:
      source: [aws.ecs]
      detail-type: [ECS Task State Change]
      detail:
        lastStatus: [STOPPED]
        containers:
          reason: [{prefix: OutOfMemory}]
  register: memory

- name: Show which failures it alerts on
  ansible.builtin.debug:
    msg: "{{ memory.rule.covers | selectattr('alert') | map(attribute='description') }}"

- name: Disable a rule
  steadyops.ecs.ecs_failure_rule:
    name: production-task-failures
    enabled: false

- name: Remove a rule and its targets
  steadyops.ecs.ecs_failure_rule:
    name: any-exit
    state: absent
"""

RETURN = r"""
rule:
  description: The rule; V(null) if it was deleted.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: production-task-failures
    arn:
      description: Its ARN; V(null) in check mode if it does not exist yet.
      returned: always
      type: str
      sample: arn:aws:events:eu-central-1:123456789012:rule/production-task-failures
    event_bus_name:
      description: The name of its event bus.
      returned: always
      type: str
      sample: default
    event_pattern:
      description: Its event pattern, as data.
      returned: always
      type: dict
      sample: {"source": ["aws.ecs"], "detail-type": ["ECS Deployment State Change"],
               "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]}}
    state:
      description: V(ENABLED), V(DISABLED) or V(ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS).
      returned: always
      type: str
      sample: ENABLED
    enabled:
      description: Whether the rule is enabled.
      returned: always
      type: bool
      sample: true
    description:
      description: Its description; empty without one.
      returned: always
      type: str
      sample: ""
    tags:
      description: Its tags.
      returned: always
      type: dict
      sample: {"team": "shop"}
    covers:
      description:
        - Sample events, known failures of ECS and events that only look like failures, each with whether the rule
          matches it. Filters for clusters, services, families and the like are ignored here; a named container is taken
          as the main container of the sample.
      returned: always
      type: list
      elements: dict
      contains:
        name:
          description: A name for the sample.
          returned: always
          type: str
          sample: image_pull
        description:
          description: What happened.
          returned: always
          type: str
          sample: The image cannot be pulled
        kind:
          description: The kind of rule that is meant for it.
          returned: always
          type: str
          sample: task
        failure:
          description: Whether it is a failure.
          returned: always
          type: bool
          sample: true
        alert:
          description: Whether this rule matches it.
          returned: always
          type: bool
          sample: true
"""

from dataclasses import replace

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.rule import find_rule, write_rule
from ..module_utils._converge import converge
from ..module_utils._core.failures.covers import covers
from ..module_utils._core.failures.rule import plan_rule, read_rule
from ..module_utils._failure_options import FAILURES
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "event_bus_name": {"type": "str", "default": "default"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "enabled": {"type": "bool"},
    "description": {"type": "str"},
    **FAILURES,
    "event_pattern": {"type": "json"},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    wanted = read_rule(module.params)
    events = module.client("events")
    current = find_rule(events, wanted.name, wanted.bus, to_delete=not wanted.present)
    change = plan_rule(wanted, current)
    outcome = converge(
        "rule", change, check_mode, lambda change: write_rule(events, wanted.bus, current, change), wanted.warnings
    )
    rule = outcome.results.get("rule")
    return replace(outcome, results={"rule": {**rule, "covers": covers(rule["event_pattern"])}}) if rule else outcome


def main() -> None:
    run(ARGUMENTS, work, about="rule {name} of event bus {event_bus_name}")


if __name__ == "__main__":
    main()
