#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List EventBridge rules, and the failures that they match."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_failure_rule_info
version_added: 1.0.0
short_description: List EventBridge rules, and which failures of Amazon ECS they match
description:
  - Returns the rules of an event bus with their tags and targets, including rules that other tools created.
  - For each rule, it returns which known failures of Amazon ECS the rule matches, and problems in its event pattern.
    Use it to check the rules that you already have.
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of one rule. If it does not exist, the list is empty.
    type: str
  name_prefix:
    description:
      - List only rules whose names begin with this text. Mutually exclusive with O(name). If both are omitted, all
        rules of the bus are listed.
    type: str
  event_bus_name:
    description:
      - Name or ARN of the event bus.
    type: str
    default: default
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.attributes.info
seealso:
  - module: steadyops.ecs.ecs_failure_rule
notes:
  - |-
    IAM permissions, and what each is for:

    C(events:DescribeRule) - one rule by its name.

    C(events:ListRules) - several rules.

    C(events:ListTagsForResource), C(events:ListTargetsByRule) - tags and targets, one call for each rule.
"""

EXAMPLES = r"""
- name: List all rules whose names begin with "production-"
  steadyops.ecs.ecs_failure_rule_info:
    name_prefix: production-
  register: found

- name: Show which failures none of them alerts on
  ansible.builtin.debug:
    msg: "{{ failures | reject('in', alerted) }}"
  vars:
    samples: "{{ found.rules | map(attribute='covers') | select | flatten }}"
    failures: "{{ samples | selectattr('failure') | map(attribute='name') | unique }}"
    alerted: "{{ samples | selectattr('alert') | map(attribute='name') | unique }}"

- name: Fail if the pattern of a rule cannot work
  ansible.builtin.assert:
    that: found.rules | map(attribute='findings') | flatten | selectattr('level', 'eq', 'error') | length == 0
"""

RETURN = r"""
region:
  description: The region that the module used.
  returned: success
  type: str
  sample: eu-central-1
rules:
  description: The rules, in the order in which EventBridge lists them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      returned: always
      type: str
      sample: production-task-failures
    arn:
      description: Its ARN.
      returned: always
      type: str
      sample: arn:aws:events:eu-central-1:123456789012:rule/production-task-failures
    event_bus_name:
      description: The name of its event bus.
      returned: always
      type: str
      sample: default
    event_pattern:
      description: Its event pattern, as data; V(null) for a schedule.
      returned: always
      type: dict
      sample: {"source": ["aws.ecs"]}
    schedule_expression:
      description: Schedule expression; V(null) for rules with a pattern.
      returned: always
      type: str
      sample: null
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
    role_arn:
      description: ARN of the IAM role of the rule. Usually V(null), because targets have roles of their own.
      returned: always
      type: str
      sample: null
    managed_by:
      description: The AWS service that manages the rule; V(null) for your own rules.
      returned: always
      type: str
      sample: null
    tags:
      description: Its tags.
      returned: always
      type: dict
      sample: {"team": "shop"}
    targets:
      description: Its targets.
      returned: always
      type: list
      elements: dict
      contains:
        id:
          description: The id of the target.
          returned: always
          type: str
          sample: chat
        arn:
          description: ARN of the target resource.
          returned: always
          type: str
          sample: arn:aws:sns:eu-central-1:123456789012:alerts
        role_arn:
          description: ARN of the IAM role that EventBridge uses for the target; V(null) without one.
          returned: always
          type: str
          sample: null
        dead_letter_arn:
          description: ARN of the queue for undelivered events; V(null) without one.
          returned: always
          type: str
          sample: arn:aws:sqs:eu-central-1:123456789012:undelivered
    findings:
      description: Problems in its event pattern.
      returned: always
      type: list
      elements: dict
      contains:
        path:
          description: The field of the pattern; empty if the problem concerns the whole pattern.
          returned: always
          type: str
          sample: detail.lastStatus
        level:
          description: V(error) if the pattern cannot work, V(warning) if it may not do what it seems to.
          returned: always
          type: str
          sample: warning
        message:
          description: What is wrong, and what to do.
          returned: always
          type: str
          sample: without it, the end of one task matches two times or three
    covers:
      description:
        - What it alerts on, as in RV(steadyops.ecs.ecs_failure_rule#module:rule.covers); V(null) for a schedule, and
          for a pattern that cannot be read.
      returned: always
      type: list
      elements: dict
      sample: [{"name": "exit_1", "description": "The container exited with 1", "kind": "task", "failure": true,
                "alert": true}]
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.rule import find_rules
from ..module_utils._core.failures.covers import covers
from ..module_utils._core.failures.rule_facts import read_search, rule_info_facts
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    "name": {"type": "str"},
    "name_prefix": {"type": "str"},
    "event_bus_name": {"type": "str", "default": "default"},
}


def work(module: AwsModule, _check_mode: bool) -> Outcome:
    search = read_search(module.params)
    found = find_rules(module.client("events"), **search)
    rules = [{**rule_info_facts(rule), "covers": covers(rule.event_pattern)} for rule in found]
    return Outcome(results={"rules": rules, "region": module.region})


def main() -> None:
    run(ARGUMENTS, work, about="rules of event bus {event_bus_name}")


if __name__ == "__main__":
    main()
