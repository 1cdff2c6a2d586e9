#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage queues, topics, IAM roles, rules and targets that belong together, in one task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_stack
version_added: 1.0.0
short_description: Manage SQS queues, SNS topics, IAM roles, EventBridge rules and targets in one task
description:
  - Creates, updates and deletes queues, topics, IAM roles, rules and their targets, one after another, in one process.
  - The module checks all steps before it carries out the first one. If a step fails, it does not try the later ones,
    and the message lists the changes so far.
author:
  - SteadyOps contributors (@steadyops)
options:
  place:
    description:
      - Partition and account of the queues and topics, such as V({"partition":"aws","account":"123456789012"}), as
        M(steadyops.ecs.ecs_stack_info) returns them. If omitted, the module asks AWS, with one more call.
    type: dict
    suboptions:
      partition:
        description: The partition.
        type: str
        required: true
      account:
        description: Id of the account.
        type: str
        required: true
  steps:
    description:
      - What to manage, in order. Each item has exactly one of these keys.
      - C(queue) has C(name), C(state), C(attributes) (as SQS names them; others are kept) and C(tags) (exactly these;
        if omitted, they are kept).
      - C(topic) has the same, with attributes as SNS names them, C(subscriptions) to add (C(protocol) and C(endpoint))
        and C(unsubscribe), a list of the ARNs of subscriptions to remove.
      - C(log_group_key) has C(name) and C(kms_key_arn), the ARN of the KMS key that encrypts new log events. The log
        group must exist.
      - C(iam_role) has C(name), C(state), C(assume_role_policy_document) (required to create the role), C(description),
        C(boundary) (the ARN of a permissions boundary), C(tags) (exactly these) and C(policies), inline policies by
        name; V(null) removes one. Documents are dictionaries. Omitted settings and other policies are kept. With
        C(state=absent), the module deletes the role with its inline policies, and detaches managed policies first.
      - C(rule) has the options of M(steadyops.ecs.ecs_failure_rule).
      - C(target) has the options of M(steadyops.ecs.ecs_notification_target), and C(api_destination), the name of an
        API destination instead of C(arn).
    type: list
    elements: dict
    required: true
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
attributes:
  check_mode:
    support: full
    details: In check mode, later steps warn about resources that an earlier step would create.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steadyops.ecs.ecs_stack_info
  - module: steadyops.ecs.ecs_failure_rule
  - module: steadyops.ecs.ecs_notification_target
notes:
  - SQS refuses to create a queue within 60 seconds after one of that name was deleted.
  - |-
    IAM permissions, and what each is for:

    C(sqs:GetQueueAttributes), C(sqs:ListQueueTags), C(sqs:CreateQueue), C(sqs:SetQueueAttributes), C(sqs:TagQueue),
    C(sqs:UntagQueue), C(sqs:DeleteQueue) - queues.

    C(sns:GetTopicAttributes), C(sns:ListSubscriptionsByTopic), C(sns:ListTagsForResource), C(sns:CreateTopic),
    C(sns:SetTopicAttributes), C(sns:Subscribe), C(sns:Unsubscribe), C(sns:TagResource), C(sns:UntagResource),
    C(sns:DeleteTopic) - topics.

    C(iam:GetRole), C(iam:GetRolePolicy), C(iam:CreateRole), C(iam:UpdateAssumeRolePolicy),
    C(iam:UpdateRoleDescription), C(iam:PutRolePermissionsBoundary), C(iam:TagRole), C(iam:UntagRole),
    C(iam:PutRolePolicy), C(iam:DeleteRolePolicy), C(iam:ListRolePolicies), C(iam:ListAttachedRolePolicies),
    C(iam:DetachRolePolicy), C(iam:DeleteRole) - IAM roles.

    C(logs:DescribeLogGroups), C(logs:AssociateKmsKey) - keys of log groups.

    C(events:DescribeRule), C(events:ListTagsForResource), C(events:ListTargetsByRule), C(events:PutRule),
    C(events:TagResource), C(events:UntagResource), C(events:RemoveTargets), C(events:DeleteRule) - rules.

    C(events:PutTargets), C(events:DescribeApiDestination), C(iam:PassRole), C(lambda:GetPolicy),
    C(lambda:GetFunctionConfiguration), C(lambda:AddPermission), C(lambda:RemovePermission), C(logs:DescribeLogGroups),
    C(logs:DescribeResourcePolicies), C(logs:PutResourcePolicy), C(logs:DeleteResourcePolicy) - targets, and the
    resource policies that they need.
"""

EXAMPLES = r"""
- name: Send failures of standalone tasks to a topic
  steadyops.ecs.ecs_stack:
    steps:
      - queue:
          name: failures-undelivered
          attributes:
            MessageRetentionPeriod: "1209600"
      - topic:
          name: failures
          subscriptions:
            - protocol: email
              endpoint: ops@example.com
      - rule:
          name: failures-task
          kind: task
      - target:
          rule: failures-task
          id: mail
          arn: arn:aws:sns:eu-central-1:123456789012:failures
          dead_letter_arn: arn:aws:sqs:eu-central-1:123456789012:failures-undelivered
          message_template: sns_text
          message_for: task
"""

RETURN = r"""
changes:
  description: The steps that changed something, in order.
  returned: success
  type: list
  elements: dict
  contains:
    label:
      description: The resource.
      returned: always
      type: str
      sample: rule failures-task
    before:
      description: The resource before; V(null) if it did not exist.
      returned: always
      type: dict
      sample: null
    after:
      description: The resource now; V(null) if it was deleted.
      returned: always
      type: dict
      sample: {"name": "failures"}
"""

import functools

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.calls.identity import caller
from ..module_utils._aws.live.stack_steps import check_step, plan_step
from ..module_utils._converge import converge_all
from ..module_utils._core.stacks.place import StackPlace, place_of
from ..module_utils._core.stacks.steps import label_of, read_step
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    "place": {
        "type": "dict",
        "options": {
            "partition": {"type": "str", "required": True},
            "account": {"type": "str", "required": True},
        },
    },
    "steps": {"type": "list", "elements": "dict", "required": True},
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    steps = [read_step(number, step) for number, step in enumerate(module.params["steps"])]
    for kind, params in steps:
        check_step(kind, params)
    given = module.params["place"]
    region = str(module.client("events").meta.region_name)
    if given:
        place = StackPlace(given["partition"], region, given["account"])
    else:
        place = place_of(caller(module.client("sts")), region)
    plans = [(label_of(*step), functools.partial(plan_step, module.client, place, *step)) for step in steps]
    return converge_all(plans, check_mode, region)


def main() -> None:
    run(ARGUMENTS, work, about="stack")


if __name__ == "__main__":
    main()
