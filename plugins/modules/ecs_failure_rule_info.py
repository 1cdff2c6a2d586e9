#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at EventBridge rules, and at what they alert on."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_failure_rule_info
version_added: 1.0.0
short_description: Look at EventBridge rules, and at which failures of Amazon ECS they alert on
description:
  - Returns the rules of an event bus with their tags and targets. Rules that were made by other means are returned as
    well.
  - Of each rule it tells which of the known failures of Amazon ECS it matches, and what can be said against its event
    pattern. This suits as a check of rules that one has got already.
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of one rule. When there is none of that name, the list is empty.
    type: str
  name_prefix:
    description:
      - Only rules whose name begins with this. Mutually exclusive with O(name). Without either, all rules of the bus
        are returned.
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
- name: Look at all rules that begin with "production-"
  steadyops.ecs.ecs_failure_rule_info:
    name_prefix: production-
  register: found

- name: Tell which failures no rule of them alerts on
  ansible.builtin.debug:
    msg: "{{ failures | reject('in', alerted) }}"
  vars:
    samples: "{{ found.rules | map(attribute='covers') | select | flatten }}"
    failures: "{{ samples | selectattr('failure') | map(attribute='name') | unique }}"
    alerted: "{{ samples | selectattr('alert') | map(attribute='name') | unique }}"

- name: Fail where the pattern of a rule cannot work
  ansible.builtin.assert:
    that: found.rules | map(attribute='findings') | flatten | selectattr('level', 'eq', 'error') | length == 0
"""

RETURN = r"""
region:
  description: The region that was asked, wherever it was named.
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
      description: When a schedule is due; V(null) for other rules.
      returned: always
      type: str
      sample: null
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
    role_arn:
      description: ARN of the role of the rule; V(null) mostly, because targets have roles of their own.
      returned: always
      type: str
      sample: null
    managed_by:
      description: The AWS service that manages the rule; V(null) for rules of one's own.
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
          description: ARN of what is called.
          returned: always
          type: str
          sample: arn:aws:sns:eu-central-1:123456789012:alerts
        role_arn:
          description: ARN of the role with which it is called; V(null) without one.
          returned: always
          type: str
          sample: null
        dead_letter_arn:
          description: ARN of the queue for what could not be delivered; V(null) without one.
          returned: always
          type: str
          sample: arn:aws:sqs:eu-central-1:123456789012:undelivered
    findings:
      description: What can be said against its event pattern.
      returned: always
      type: list
      elements: dict
      contains:
        path:
          description: The field of the pattern that it is about; empty for the pattern as a whole.
          returned: always
          type: str
          sample: detail.lastStatus
        level:
          description: V(error) where the pattern cannot do what it is meant for, V(warning) where it may not.
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

from ..module_utils._aws.live.rule import find_rules
from ..module_utils._core.failures.covers import covers
from ..module_utils._core.failures.rule import read_search, rule_info_facts
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
