#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the subscription filters of a log group."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_retry_subscription_info
version_added: 1.0.0
short_description: List the subscription filters of a CloudWatch Logs log group
description:
  - Lists all subscription filters of a log group, whoever made them. There can be two.
author:
  - SteadyOps contributors (@steadyops)
options:
  log_group:
    description:
      - Name or ARN of the log group.
    type: str
    required: true
  name:
    description:
      - Name of the one filter to list. All are listed without this option.
    type: str
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.attributes.info
seealso:
  - module: steadyops.ecs.ecs_retry_subscription
notes:
  - "IAM permissions: C(logs:DescribeSubscriptionFilters)."
"""

EXAMPLES = r"""
- name: Look whether there is room for another filter
  steadyops.ecs.ecs_retry_subscription_info:
    log_group: aws-cloudtrail-logs
  register: trail

- name: Say who has taken the two places
  when: trail.subscriptions | length == 2
  ansible.builtin.debug:
    msg: "{{ trail.subscriptions | map(attribute='destination_arn') }}"
"""

RETURN = r"""
subscriptions:
  description: The filters, by name. None when there is no such log group.
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
      description: ARN of what the records go to.
      returned: always
      type: str
      sample: arn:aws:lambda:eu-central-1:123456789012:function:launch-retry
    filter_pattern:
      description: The pattern.
      returned: always
      type: str
      sample: '{ ($.eventName = "RunTask") && ($.responseElements.failures[0].reason = "*") }'
    role_arn:
      description: The role that records are sent with; V(null) for functions, which need none.
      returned: always
      type: str
      sample: null
    distribution:
      description: How records are spread over the shards of a stream; V(null) when CloudWatch Logs does not tell.
      returned: always
      type: str
      sample: ByLogStream
    apply_on_transformed_logs:
      description: Whether the pattern is for transformed log events.
      returned: always
      type: bool
      sample: false
    created_at:
      description: When the filter was made.
      returned: always
      type: str
      sample: "2026-11-24T12:00:00Z"
"""

from ..module_utils._aws.log_subscriptions import subscription_filters
from ..module_utils._core.log_subscription.model import show_filter
from ..module_utils._core.log_subscription.plan import read_log_group
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    "log_group": {"type": "str", "required": True},
    "name": {"type": "str"},
}


def work(module: AwsModule, _check_mode: bool) -> Outcome:
    found = subscription_filters(module.client("logs"), read_log_group(module.params["log_group"])) or []
    wanted = [each for each in found if module.params["name"] in (None, each.name)]
    return Outcome(
        results={"subscriptions": [show_filter(each) for each in sorted(wanted, key=lambda each: each.name)]}
    )


def main() -> None:
    run(ARGUMENTS, work, about="subscription filters of {log_group}")


if __name__ == "__main__":
    main()
