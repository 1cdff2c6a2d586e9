#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage the subscription filter that sends refused launches to the retry function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_retry_subscription
version_added: 1.0.0
short_description: Send refused Amazon ECS launches from a CloudTrail log group to a function that retries them
description:
  - Creates, updates and deletes a subscription filter on the log group of a CloudTrail trail. The filter sends records
    of refused C(RunTask) calls to a Lambda function, such as that of the role C(launch_retry).
  - Also manages the permission of CloudWatch Logs to invoke the function, for this log group only. The module adds the
    permission before the filter and removes it after the filter.
  - If EventBridge can deliver the records, use a rule instead, because a log group can have only two subscription
    filters. This module is for accounts that have CloudTrail records only in CloudWatch Logs.
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of the subscription filter, at most 512 characters, without C(:) and C(*).
      - The module neither changes nor removes a filter of this name that sends to another function.
    type: str
    required: true
  log_group:
    description:
      - Name or ARN of the log group that the trail writes to.
    type: str
    required: true
  function_arn:
    description:
      - ARN of the Lambda function, or of an alias or version of it, in the account and region of the log group.
      - Required with O(state=present). With O(state=absent), the module reads it from the filter, if that still exists.
    type: str
  state:
    description:
      - V(present) creates the filter and the permission, or updates them.
      - V(absent) removes both, the filter first.
    type: str
    choices: [present, absent]
    default: present
  clusters:
    description:
      - Send only launches in these ECS clusters, given by name or ARN. If omitted, launches in all clusters are sent.
    type: list
    elements: str
  task_families:
    description:
      - Send only launches of these task definition families. If omitted, launches of all families are sent.
    type: list
    elements: str
  transient_errors_only:
    description:
      - Whether to send failed calls only if their error may be transient. These errors are throttling, server errors,
        C(ClientException) and C(InvalidParameterException). Calls with C(failures) in their response, such as for
        missing capacity, are always sent.
      - With V(false), the function also receives calls that were denied or invalid. It does not retry them, but reports
        them.
      - If omitted, this is V(true).
    type: bool
  exclude_role_arns:
    description:
      - ARNs of IAM roles whose calls are not sent. Include the role of the function.
    type: list
    elements: str
  regions:
    description:
      - Send only launches in these regions, such as V(eu-central-1). A multi-region trail writes the launches of all
        regions to one log group. If omitted, launches in all regions are sent.
    type: list
    elements: str
  filter_pattern:
    description:
      - Complete filter pattern in the syntax of CloudWatch Logs, instead of O(clusters), O(task_families),
        O(transient_errors_only), O(exclude_role_arns) and O(regions).
      - At most 1024 characters, with two regular expressions at most.
    type: str
  resource_policy:
    description:
      - Whether to manage the statement in the policy of the function that allows CloudWatch Logs to invoke it. With
        V(false), the policy is neither read nor changed.
    type: bool
    default: true
  wait_timeout:
    default: 60
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.waiting
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steadyops.ecs.ecs_retry_subscription_info
notes:
  - Settings of the filter that no option of this module manages, such as C(fieldSelectionCriteria), C(emitSystemFields)
    and C(applyOnTransformedLogs), are kept when the filter changes.
  - |-
    IAM permissions, and what each is for:

    C(logs:DescribeSubscriptionFilters), C(logs:PutSubscriptionFilter), C(logs:DeleteSubscriptionFilter) - the filter.

    C(lambda:GetPolicy), C(lambda:AddPermission), C(lambda:RemovePermission) - the permission to invoke the function.

    C(lambda:GetFunctionConfiguration) - to check that the function exists if it has no policy yet.
"""

EXAMPLES = r"""
- name: Retry refused launches in the cluster production
  steadyops.ecs.ecs_retry_subscription:
    name: refused-launches
    log_group: aws-cloudtrail-logs
    function_arn: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
    clusters: [production]
    exclude_role_arns:
      - arn:aws:iam::123456789012:role/launch-retry

- name: Retry two jobs, and report denied calls as well
  steadyops.ecs.ecs_retry_subscription:
    name: refused-launches
    log_group: aws-cloudtrail-logs
    function_arn: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
    task_families: [nightly-report, import]
    transient_errors_only: false

- name: Use a filter pattern of your own
  steadyops.ecs.ecs_retry_subscription:
    name: refused-launches
    log_group: aws-cloudtrail-logs
    function_arn: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
    filter_pattern: '{ ($.eventName = "RunTask") && ($.responseElements.failures[0].reason = "*") }'

- name: Remove the filter and the permission
  steadyops.ecs.ecs_retry_subscription:
    name: refused-launches
    log_group: aws-cloudtrail-logs
    state: absent
"""

RETURN = r"""
subscription:
  description: The subscription filter with its permission; V(null) if there is none.
  returned: success
  type: dict
  contains:
    name:
      description: Name of the filter.
      returned: always
      type: str
      sample: refused-launches
    log_group:
      description: Name of the log group.
      returned: always
      type: str
      sample: aws-cloudtrail-logs
    log_group_arn:
      description: ARN of the log group, without C(:*).
      returned: always
      type: str
      sample: arn:aws:logs:eu-central-1:123456789012:log-group:aws-cloudtrail-logs
    destination_arn:
      description: ARN of the function.
      returned: always
      type: str
      sample: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
    filter_pattern:
      description: The pattern in CloudWatch Logs.
      returned: always
      type: str
      sample: '{ ($.eventName = "RunTask") && ($.responseElements.failures[0].reason = "*") }'
    permission:
      description: The statement in the policy of the function; V(null) without O(resource_policy).
      returned: always
      type: dict
      contains:
        sid:
          description: ID of the statement.
          returned: always
          type: str
          sample: SteadyopsEcsLogs0123456789abcdef01234567
        principal:
          description: Who may invoke the function.
          returned: always
          type: str
          sample: logs.amazonaws.com
        function_arn:
          description: ARN of the function that may be invoked.
          returned: always
          type: str
          sample: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
        source_arn:
          description: ARN of the log group.
          returned: always
          type: str
          sample: arn:aws:logs:eu-central-1:123456789012:log-group:aws-cloudtrail-logs:*
        source_account:
          description: ID of the account.
          returned: always
          type: str
          sample: "123456789012"
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.calls.log_subscriptions import subscription_filters
from ..module_utils._aws.live.subscription import function_access, write_subscription
from ..module_utils._converge import converge
from ..module_utils._core.log_subscription.plan import (
    function_to_look_at,
    plan_subscription,
    read_subscription,
    stale_function,
    warnings_of,
)
from ..module_utils._module import AwsModule, Outcome, run
from ..module_utils._wait_options import patience_options

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "log_group": {"type": "str", "required": True},
    "function_arn": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "clusters": {"type": "list", "elements": "str"},
    "task_families": {"type": "list", "elements": "str"},
    "transient_errors_only": {"type": "bool"},
    "exclude_role_arns": {"type": "list", "elements": "str"},
    "regions": {"type": "list", "elements": "str"},
    "filter_pattern": {"type": "str"},
    "resource_policy": {"type": "bool", "default": True},
    **patience_options(timeout=60),
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    logs = module.client("logs")
    wanted = read_subscription(module.params, module.region)
    filters = subscription_filters(logs, wanted.log_group)
    function = function_to_look_at(wanted, filters or ())
    access = function_access(module.client, function, wanted)
    change = plan_subscription(wanted, filters, access)
    stale = stale_function(wanted, filters or ())
    current = next((each for each in filters or () if each.name == wanted.name), None)
    return converge(
        "subscription",
        change,
        check_mode,
        lambda change: write_subscription(module.client, wanted, change, access, stale, current),
        warnings=warnings_of(wanted, filters, access),
    )


def main() -> None:
    run(ARGUMENTS, work, about="subscription filter {name} of {log_group}")


if __name__ == "__main__":
    main()
