#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the resources of a stack, by their names, in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_stack_info
version_added: 1.0.0
short_description: Read the resources around Amazon ECS workloads by their names, in one task
description:
  - Reads resources of many services in one process and with few calls. The roles of this collection compare what it
    returns with their variables, and then write only what differs.
  - Reads only the kinds that are given, and looks up each resource by its name. A resource that does not exist is
    V(null) in the result, not an error.
  - It returns no secret values. Values of the environment of a function and addresses of API destinations are returned
    as their SHA-256.
author:
  - SteadyOps contributors (@steadyops)
options:
  rules:
    description:
      - Names of EventBridge rules of the default event bus, with tags and targets.
    type: list
    elements: str
    default: []
  queues:
    description:
      - Names or ARNs of SQS queues.
    type: list
    elements: str
    default: []
  topics:
    description:
      - Names or ARNs of SNS topics, with subscriptions.
    type: list
    elements: str
    default: []
  topic_policies:
    description:
      - Names or ARNs of SNS topics that may belong to others. Only their attributes are read.
    type: list
    elements: str
    default: []
  log_groups:
    description:
      - Names or ARNs of CloudWatch Logs log groups.
    type: list
    elements: str
    default: []
  log_group_policies:
    description:
      - Names or ARNs of log groups whose own resource policy is wanted.
    type: list
    elements: str
    default: []
  iam_roles:
    description:
      - Names of IAM roles, with inline policies.
    type: list
    elements: str
    default: []
  functions:
    description:
      - Names of Lambda functions.
    type: list
    elements: str
    default: []
  function_policies:
    description:
      - Names or ARNs of Lambda functions whose resource policy is wanted.
    type: list
    elements: str
    default: []
  event_source_mappings:
    description:
      - Names of Lambda functions whose event source mappings are wanted.
    type: list
    elements: str
    default: []
  connections:
    description:
      - Names of EventBridge connections. AWS does not return their secret values.
    type: list
    elements: str
    default: []
  api_destinations:
    description:
      - Names of EventBridge API destinations.
    type: list
    elements: str
    default: []
  schedules:
    description:
      - Names of EventBridge Scheduler schedules, as C(name) in the group C(default) or as C(group/name).
    type: list
    elements: str
    default: []
  schedule_groups:
    description:
      - Names of groups of EventBridge Scheduler schedules.
    type: list
    elements: str
    default: []
  state_machines:
    description:
      - Names or ARNs of Step Functions state machines.
    type: list
    elements: str
    default: []
  subscription_filters:
    description:
      - Names of log groups whose subscription filters are wanted.
    type: list
    elements: str
    default: []
  alarms:
    description:
      - Names of CloudWatch metric alarms.
    type: list
    elements: str
    default: []
  task_definitions:
    description:
      - Task definitions as C(family) or C(family:revision).
    type: list
    elements: str
    default: []
  tables:
    description:
      - Names of DynamoDB tables. No item is read.
    type: list
    elements: str
    default: []
  trails:
    description:
      - Whether to look for a CloudTrail trail that records RunTask and StartTask in this region.
      - If the credentials may not look at trails, the result says so, and the task does not fail.
    type: bool
    default: false
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.attributes.info
notes:
  - |-
    IAM permissions, and what each is for:

    C(events:DescribeRule), C(events:ListRules), C(events:ListTargetsByRule), C(events:ListTagsForResource) - O(rules).

    C(sqs:GetQueueAttributes), C(sqs:ListQueueTags) - O(queues).

    C(sns:GetTopicAttributes) - O(topics) and O(topic_policies).

    C(sns:ListSubscriptionsByTopic), C(sns:ListTagsForResource) - O(topics).

    C(logs:DescribeLogGroups), C(logs:ListTagsForResource), C(logs:DescribeResourcePolicies),
    C(logs:DescribeSubscriptionFilters) - O(log_groups), O(log_group_policies) and O(subscription_filters).

    C(iam:GetRole), C(iam:ListRolePolicies), C(iam:GetRolePolicy), C(iam:ListAttachedRolePolicies) - O(iam_roles).

    C(lambda:GetFunction), C(lambda:GetPolicy), C(lambda:ListEventSourceMappings) - O(functions), O(function_policies)
    and O(event_source_mappings).

    C(events:DescribeConnection), C(events:DescribeApiDestination) - O(connections) and O(api_destinations).

    C(scheduler:GetSchedule) - O(schedules).

    C(scheduler:GetScheduleGroup) - O(schedule_groups).

    C(states:DescribeStateMachine), C(states:ListTagsForResource) - O(state_machines).

    C(cloudwatch:DescribeAlarms), C(cloudwatch:ListTagsForResource) - O(alarms).

    C(ecs:DescribeTaskDefinition) - O(task_definitions).

    C(dynamodb:DescribeTable), C(dynamodb:ListTagsOfResource) - O(tables).

    C(cloudtrail:DescribeTrails), C(cloudtrail:GetTrailStatus), C(cloudtrail:GetEventSelectors) - O(trails).
"""

EXAMPLES = r"""
- name: Read the resources of the alerts
  steadyops.ecs.ecs_stack_info:
    rules: [ecs-failures-task, ecs-failures-launch]
    topics: [ecs-failures]
    queues: [ecs-failures-undelivered]
    trails: true
  register: found

- name: Show which of the rules exist
  ansible.builtin.debug:
    msg: "{{ found.stack.rules | dict2items | selectattr('value') | map(attribute='key') }}"
"""

RETURN = r"""
check_mode:
  description: >-
    Whether the task ran in check mode. The variable C(ansible_check_mode) reflects C(--check) but not the keyword
    C(check_mode).
  returned: success
  type: bool
  sample: false
stack:
  description: What was found. Each kind that was asked for is a dictionary with the given names as its keys.
  returned: success
  type: dict
  contains:
    account:
      description: Id of the account.
      returned: always
      type: str
      sample: "123456789012"
    partition:
      description: The partition of the account.
      returned: always
      type: str
      sample: aws
    region:
      description: The region.
      returned: always
      type: str
      sample: eu-central-1
    rules:
      description: >-
        By name, V(null) or name, arn, bus, state, pattern_text, description, role_arn, schedule, managed_by,
        tags, targets.
      returned: when asked for
      type: dict
    queues:
      description: >-
        By name, V(null) or arn, url, attributes (as SQS names them), tags.
      returned: when asked for
      type: dict
    topics:
      description: >-
        By name, V(null) or arn, attributes (as SNS names them), tags, subscriptions (arn, protocol, endpoint).
      returned: when asked for
      type: dict
    topic_policies:
      description: >-
        By name, V(null) or attributes (as SNS names them; empty if AWS denied the call) and denied (the error code of
        AWS, or V(null)).
      returned: when asked for
      type: dict
    log_groups:
      description: >-
        By name, V(null) or arn, retention_days, kms_key_arn, tags.
      returned: when asked for
      type: dict
    log_group_policies:
      description: >-
        By name, V(null) or policy (JSON), revision.
      returned: when asked for
      type: dict
    iam_roles:
      description: >-
        By name, V(null) or arn, trust, description, boundary, tags, policies (documents by name),
        attached_policies (ARNs).
      returned: when asked for
      type: dict
    functions:
      description: >-
        By name, V(null) or arn, description, handler, runtime, role_arn, timeout, memory_size, code_sha256,
        dead_letter_arn, kms_key_arn, environment (the SHA-256 of each value), reserved_concurrency, tags.
      returned: when asked for
      type: dict
    function_policies:
      description: >-
        By name, V(null) or policy (JSON).
      returned: when asked for
      type: dict
    event_source_mappings:
      description: >-
        By name, V(null) or a list of uuid, source_arn, state, batch_size, function_response_types, maximum_concurrency.
      returned: when asked for
      type: dict
    connections:
      description: >-
        By name, V(null) or name, arn, state, reason, description, authorization, http, kms_key, secret_arn.
      returned: when asked for
      type: dict
    api_destinations:
      description: >-
        By name, V(null) or name, arn, state, description, connection_arn, endpoint (its host and the SHA-256 of the
        address), method, rate.
      returned: when asked for
      type: dict
    schedules:
      description: >-
        By name, V(null) or the schedule as M(steadyops.ecs.ecs_task_schedule) returns it, and foreign (parts of the
        target that the module does not know).
      returned: when asked for
      type: dict
    schedule_groups:
      description: By name, V(null) or an empty dictionary.
      returned: when asked for
      type: dict
    state_machines:
      description: >-
        By name, V(null) or the state machine as M(steadyops.ecs.ecs_task_state_machine) returns it, and status.
      returned: when asked for
      type: dict
    subscription_filters:
      description: >-
        By name, V(null) or a list of name, log_group, destination, pattern, role_arn, distribution,
        transformed, created_at.
      returned: when asked for
      type: dict
    alarms:
      description: >-
        By name, V(null) or arn, description, namespace, metric, statistic, dimensions, comparison, threshold,
        period, evaluation_periods, treat_missing_data, alarm_actions, ok_actions, tags.
      returned: when asked for
      type: dict
    task_definitions:
      description: >-
        By name, V(null) or arn, family, revision, status, task_role_arn, execution_role_arn, network_mode,
        container_names.
      returned: when asked for
      type: dict
    tables:
      description: >-
        By name, V(null) or arn, status, hash_key_name, billing_mode, tags.
      returned: when asked for
      type: dict
    trails:
      description: >-
        logs_launches (whether some trail records launches; V(null) if that is not known) and denied (the call that the
        credentials may not make, or V(null)).
      returned: when asked for
      type: dict
      sample: {"logs_launches": true, "denied": null}
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.calls.identity import caller
from ..module_utils._aws.live.stack import READERS, find_stack
from ..module_utils._core.stacks.place import place_of
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    **{kind: {"type": "list", "elements": "str", "default": []} for kind in READERS},
    "trails": {"type": "bool", "default": False},
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    arn = caller(module.client("sts"))
    place = place_of(arn, str(module.region))
    names = {kind: module.params[kind] for kind in READERS if module.params[kind]}
    stack = find_stack(module.client, place, names, trails=module.params["trails"])
    return Outcome(results={"stack": stack, "check_mode": check_mode})


def main() -> None:
    run(ARGUMENTS, work, about="resources of a stack")


if __name__ == "__main__":
    main()
