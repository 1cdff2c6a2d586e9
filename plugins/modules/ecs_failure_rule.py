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
  kind:
    description:
      - The kind of failure. One of O(kind) and O(event_pattern) is needed for a new rule.
      - V(task) - tasks that no service runs. They could not be started, exited with a code that tells of trouble, or
        were ended from outside, by Spot or with their host.
      - V(service_task) - tasks of services. They could not be started, ended by themselves with any code but those
        ignored (a service's task is not meant to end), or failed a health check. That ECS replaces a task whose host
        or Spot capacity went away is no failure; O(stop_codes) can say otherwise.
      - V(service_action) - services that ECS cannot run as wanted, such as when there is no room for a task, or when
        tasks fail to start again and again.
      - V(deployment) - deployments that failed. ECS tells of them for services with a deployment circuit breaker or
        with deployment alarms.
      - V(launch) - RunTask and StartTask that were refused, or that started less than they were asked for. ECS itself
        tells nobody of these, so a trail of CloudTrail that logs management events is needed.
      - V(state_machine) - executions of standard workflows of AWS Step Functions. Express workflows send no events.
      - V(all_task_changes) - every change of every task, for looking at events.
    type: str
    choices:
      - task
      - service_task
      - service_action
      - deployment
      - launch
      - state_machine
      - all_task_changes
  event_pattern:
    description:
      - An event pattern of your own instead of a kind, as a dictionary or as the text of a JSON object. The order of
        keys and values, and white space, make no difference.
      - It is refused with errors that would make it useless, and warned of when it may not be what was meant. Try it
        on events with P(steadyops.ecs.matches_event_pattern#test).
    type: json
  clusters:
    description:
      - Only what is of these clusters, given by name or ARN. Not for O(kind=state_machine).
      - A launch that was refused may be recorded without telling its cluster, and is then matched whatever is given
        here.
      - An empty list is no filter, as with all other filters.
    type: list
    elements: str
  services:
    description:
      - Only what is of these services, given by name or ARN. For O(kind=service_task), O(kind=service_action),
        O(kind=deployment) and O(kind=all_task_changes).
      - ARNs must be of one cluster, which then need not be named in O(clusters).
    type: list
    elements: str
  task_families:
    description:
      - Only tasks of these families of task definitions, whatever the revision. Given by name, or as ARN without a
        revision. For O(kind=task), O(kind=service_task), O(kind=launch) and O(kind=all_task_changes).
    type: list
    elements: str
  groups:
    description:
      - Only tasks of these groups, such as V(family:nightly). An V(*) stands for any characters. For O(kind=task),
        O(kind=launch) and O(kind=all_task_changes).
    type: list
    elements: str
  started_by:
    description:
      - Only tasks started by these, as C(startedBy) tells. An V(*) stands for any characters. For O(kind=task),
        O(kind=launch) and O(kind=all_task_changes).
      - It is V(events-rule/NAME) for rules of EventBridge, V(chronos-schedule/NAME) for EventBridge Scheduler,
        V(AWS Step Functions) for workflows.
    type: list
    elements: str
  container_names:
    description:
      - The containers whose end matters; all others may end as they like. An V(*) stands for any characters. For
        O(kind=task) and O(kind=service_task).
      - Events do not tell which container is essential. Name the containers where a sidecar may be killed after the
        main container ended well, which is otherwise taken for a failure.
    type: list
    elements: str
  ignore_containers:
    description:
      - The containers whose end does not matter. An V(*) stands for any characters. For O(kind=task) and
        O(kind=service_task).
      - The default are the containers that AWS adds to tasks by itself, V(aws-guardduty-agent-*) and
        V(ecs-service-connect-*). A list of your own replaces it.
      - Mutually exclusive with O(container_names).
    type: list
    elements: str
  exit_codes:
    description:
      - Only tasks that ended by themselves, with one of these exit codes. Tasks that could not be started or were ended
        from outside do not match then, unless O(stop_codes) lists them. For O(kind=task) and O(kind=service_task).
      - Mutually exclusive with O(ignore_exit_codes).
    type: list
    elements: int
  ignore_exit_codes:
    description:
      - Exit codes that are no failure. For O(kind=task) and O(kind=service_task).
      - The default is V([143]), the end on the signal to end. An empty list ignores none. With O(kind=task), V(0) is
        never a failure.
    type: list
    elements: int
  stop_codes:
    description:
      - Only tasks that stopped with one of these codes of ECS, such as V(TaskFailedToStart),
        V(EssentialContainerExited), V(SpotInterruption), V(TerminationNotice), V(UserInitiated) or
        V(ServiceSchedulerInitiated). For O(kind=task) and O(kind=service_task).
      - With V(EssentialContainerExited) exit codes decide as ever, and with V(ServiceSchedulerInitiated) of
        O(kind=service_task) health checks do, unless O(stopped_reasons) is given.
      - Left out, codes that are not known yet are failures.
    type: list
    elements: str
  stopped_reasons:
    description:
      - Only tasks that stopped for one of these reasons, as C(stoppedReason) tells. An V(*) stands for any characters.
        For O(kind=task) and O(kind=service_task).
    type: list
    elements: str
  state_machine_arns:
    description:
      - Only executions of these state machines. For O(kind=state_machine).
    type: list
    elements: str
  statuses:
    description:
      - The statuses of an execution that are failures. For O(kind=state_machine). The default is
        V([FAILED, TIMED_OUT]).
    type: list
    elements: str
  exclude_role_arns:
    description:
      - No launches by these roles, such as that of a function that retries launches. For O(kind=launch).
    type: list
    elements: str
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
  - EventBridge is told of tasks at least once, and of API calls and executions by best effort.
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
from ..module_utils._core.failures.filters import KINDS, TAKEN_BY
from ..module_utils._core.failures.rule import plan_rule, read_rule
from ..module_utils._module import AwsModule, Outcome, converge, run

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "event_bus_name": {"type": "str", "default": "default"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "enabled": {"type": "bool"},
    "description": {"type": "str"},
    "kind": {"type": "str", "choices": list(KINDS)},
    "event_pattern": {"type": "json"},
    **{name: {"type": "list", "elements": "int" if "exit_codes" in name else "str"} for name in TAKEN_BY},
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
