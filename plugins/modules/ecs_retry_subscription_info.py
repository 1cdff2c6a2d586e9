#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the subscription filters of a log group, or those that send to a function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_retry_subscription_info
version_added: 1.0.0
short_description: List the subscription filters of a CloudWatch Logs log group
description:
  - Lists all subscription filters of a log group, including those of other tools. A log group can have two.
  - Alternatively lists the filters that send to a function, in all log groups in which
    M(steadyops.ecs.ecs_retry_subscription) created one.
author:
  - SteadyOps contributors (@steadyops)
options:
  log_group:
    description:
      - Name or ARN of the log group. Exactly one of O(log_group) and O(function_arn) is required.
    type: str
  function_arn:
    description:
      - ARN of the function whose filters to list. The module reads the log groups from the policy of the function.
    type: str
  name:
    description:
      - Name of a filter to list. If omitted, all are listed.
    type: str
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.attributes.info
seealso:
  - module: steadyops.ecs.ecs_retry_subscription
notes:
  - "IAM permissions: C(logs:DescribeSubscriptionFilters), and C(lambda:GetPolicy) with O(function_arn)."
"""

EXAMPLES = r"""
- name: List the filters of a log group
  steadyops.ecs.ecs_retry_subscription_info:
    log_group: aws-cloudtrail-logs
  register: trail

- name: Show the destinations if no other filter can be added
  when: trail.subscriptions | length == 2
  ansible.builtin.debug:
    msg: "{{ trail.subscriptions | map(attribute='destination_arn') }}"

- name: List the filters that send to the retry function
  steadyops.ecs.ecs_retry_subscription_info:
    function_arn: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
"""

RETURN = r"""
log_groups:
  description:
    - Names of the log groups that were read. With O(function_arn), these are the log groups that
      M(steadyops.ecs.ecs_retry_subscription) allowed to invoke the function, even if their filter is gone.
  returned: success
  type: list
  elements: str
  sample: [aws-cloudtrail-logs]
subscriptions:
  description: The filters, ordered by name; empty if the log group does not exist.
  returned: success
  type: list
  elements: dict
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
    destination_arn:
      description: ARN of the resource that receives the records.
      returned: always
      type: str
      sample: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
    filter_pattern:
      description: The pattern.
      returned: always
      type: str
      sample: '{ ($.eventName = "RunTask") && ($.responseElements.failures[0].reason = "*") }'
    role_arn:
      description: ARN of the IAM role that CloudWatch Logs uses to send; V(null) for functions, which need none.
      returned: always
      type: str
      sample: null
    distribution:
      description: How records are distributed over the shards of a stream; V(null) if CloudWatch Logs does not return
        it.
      returned: always
      type: str
      sample: ByLogStream
    apply_on_transformed_logs:
      description: Whether the pattern applies to transformed log events.
      returned: always
      type: bool
      sample: false
    field_selection_criteria:
      description: Which system fields select log events; V(null) without.
      returned: always
      type: str
      sample: null
    emit_system_fields:
      description: System fields that are sent with each log event.
      returned: always
      type: list
      elements: str
      sample: []
    created_at:
      description: When the filter was created.
      returned: always
      type: str
      sample: "2026-11-24T12:00:00Z"
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.calls.functions import function_policy
from ..module_utils._aws.calls.log_subscriptions import subscription_filters
from ..module_utils._core.log_subscription.model import feeds, filter_facts, log_groups_in
from ..module_utils._core.log_subscription.plan import read_function, read_log_group
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    "log_group": {"type": "str"},
    "function_arn": {"type": "str"},
    "name": {"type": "str"},
}


def work(module: AwsModule, _check_mode: bool) -> Outcome:
    function, groups = None, []
    if module.params["function_arn"] is None:
        groups = [read_log_group(module.params["log_group"])]
    else:
        function = read_function(module.params["function_arn"], module.region)
        groups = log_groups_in(function_policy(module.client("lambda"), function))
    found = [each for group in groups for each in subscription_filters(module.client("logs"), group) or []]
    found = [each for each in found if module.params["name"] in (None, each.name)]
    found = [each for each in found if function is None or feeds(each, function)]
    subscriptions = [filter_facts(each) for each in sorted(found, key=lambda each: (each.name, each.log_group))]
    return Outcome(results={"log_groups": groups, "subscriptions": subscriptions})


def main() -> None:
    one = [["log_group", "function_arn"]]
    run(ARGUMENTS, work, about="subscription filters", required_one_of=one, mutually_exclusive=one)


if __name__ == "__main__":
    main()
