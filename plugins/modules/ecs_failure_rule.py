#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage an EventBridge rule that matches failures of Amazon ECS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_failure_rule
version_added: 1.0.0
short_description: Manage an EventBridge rule that matches failures of Amazon ECS
description:
  - Makes a rule of Amazon EventBridge that matches one kind of failure of Amazon ECS, and nothing else. What a failure
    is comes with the module; options narrow it to clusters, services, task families, exit codes and more.
  - A failure is final, and is not what somebody has asked for. A task that cannot start, exits with a code that tells
    of trouble, is found unhealthy or loses its host is one. A deployment, a scale-in, a stop by a user, a sidecar that
    ends on the signal to end, and the steps on the way to the end are none.
  - Before anything is written, the pattern is checked for what EventBridge would refuse and for what it would take and
    never match, and RV(rule.covers) tells which of the known failures the rule will alert on.
  - The rule alone tells nobody. Give it targets with M(steadyops.ecs.ecs_notification_target).
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
      - Name or ARN of the event bus. AWS services send to V(default) and to no other.
    type: str
    default: default
  state:
    description:
      - With V(present) the rule is made, or changed to what the options say. Options that are left out stay as they
        are.
      - With V(absent) the rule is deleted, and its targets with it. What gave the rule access to the targets, such as
        a statement in the policy of a topic, is not looked at. M(steadyops.ecs.ecs_notification_target) removes a
        target with that.
      - Rules that an AWS service manages, and rules that are schedules, are refused in both states.
    type: str
    choices:
      - present
      - absent
    default: present
  enabled:
    description:
      - Whether the rule matches at all. Left out, it stays as it is, and a new rule is enabled.
    type: bool
  description:
    description:
      - Description of the rule, up to 512 characters. Left out, it stays as it is; an empty one is removed.
    type: str
  event_pattern:
    description:
      - An event pattern of your own, as a dictionary or as the text of a JSON object. The order of keys and values, and
        white space, make no difference.
      - Mutually exclusive with O(kind). A new rule requires one of the two.
      - It is refused with errors that would make it useless, and warned of when it may not be what was meant. Try it
        on events with P(steadyops.ecs.matches_event_pattern#test).
    type: json
  tags:
    description:
      - Tags of the rule. Left out, they stay as they are.
    type: dict
    aliases:
      - resource_tags
  purge_tags:
    description:
      - Whether tags that are not in O(tags) are removed. With O(tags) left out, none is.
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
  - Without a change, a run makes two calls.
  - Events of tasks are delivered at least once; those of API calls, executions and AWS Health on a best-effort basis.
  - |-
    IAM permissions, and what each is for:

    C(events:DescribeRule), C(events:ListTagsForResource) - the rule as it is.

    C(events:PutRule) - to make and to change it. A new rule with tags needs C(events:TagResource), too.

    C(events:TagResource), C(events:UntagResource) - to change its tags.

    C(events:ListTargetsByRule), C(events:RemoveTargets), C(events:DeleteRule) - to delete it.
"""

EXAMPLES = r"""
- name: Tell of every failed task of a cluster that no service runs
  steadyops.ecs.ecs_failure_rule:
    name: production-task-failures
    kind: task
    clusters: [production]

- name: The same for its services, with two more rules for what no task tells of
  steadyops.ecs.ecs_failure_rule:
    name: "production-{{ item }}"
    kind: "{{ item }}"
    clusters: [production]
    tags:
      team: shop
  loop: [service_task, service_action, deployment]

- name: A nightly job with a sidecar, started by a schedule, of which only the job itself matters
  steadyops.ecs.ecs_failure_rule:
    name: nightly-import
    kind: task
    task_families: [nightly-import]
    container_names: [import]

- name: Only some exit codes of one scheduled task
  steadyops.ecs.ecs_failure_rule:
    name: nightly-exits
    kind: task
    clusters: [production]
    task_families: [nightly-import]
    exit_codes: [1, 137, 139, 255]

- name: Any exit code but 0
  steadyops.ecs.ecs_failure_rule:
    name: any-exit
    kind: task
    stop_codes: [EssentialContainerExited]
    ignore_exit_codes: []

- name: Launches that fail, except those of the function that retries them
  steadyops.ecs.ecs_failure_rule:
    name: launch-failures
    kind: launch
    exclude_role_arns: ["arn:aws:iam::123456789012:role/ecs-launch-retry"]

- name: Deployments that wait for an answer to a pause hook, and Fargate tasks that AWS will retire
  steadyops.ecs.ecs_failure_rule:
    name: "production-{{ item }}"
    kind: "{{ item }}"
    clusters: [production]
  loop: [deployment_hook, task_retirement]

- name: A pattern of one's own
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

- name: See what it will alert on
  ansible.builtin.debug:
    msg: "{{ memory.rule.covers | selectattr('alert') | map(attribute='description') }}"

- name: Be quiet for the night
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
  description: The rule; V(null) once it is deleted.
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
      description: Whether it matches at all.
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
        - What it alerts on, told from the known failures of ECS, and from what only looks like one. Clusters, services,
          families and the like are left out of this; a named container stands for the main container of the sample.
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
          description: The kind of rule that looks at it.
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

from ..module_utils._aws.live.rule import find_rule, write_rule
from ..module_utils._core.failures.covers import covers
from ..module_utils._core.failures.rule import plan_rule, read_rule
from ..module_utils._failure_options import FAILURES
from ..module_utils._module import AwsModule, Outcome, converge, run

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
