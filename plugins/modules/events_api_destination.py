#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage an API destination of Amazon EventBridge."""

from __future__ import annotations

DOCUMENTATION = r"""
module: events_api_destination
version_added: 1.0.0
short_description: Manage an API destination of Amazon EventBridge, a web service as a target for events
description:
  - Creates, updates and deletes an API destination. It consists of the URL of a web service, the HTTP method, a rate
    limit, and the connection (M(steadyops.ecs.events_connection)) that authorizes the calls.
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of the API destination, at most 64 characters. It may contain letters, digits, hyphens, dots and
        underscores.
    type: str
    required: true
  state:
    description:
      - V(present) creates the API destination, or updates given settings that differ.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - Description of at most 512 characters, on one line. If omitted, the current one is kept.
    type: str
  connection:
    description:
      - Name or ARN of the connection. Required for a new API destination.
    type: str
  invocation_endpoint:
    description:
      - URL of the web service. Required for a new API destination.
      - It must begin with C(https://). Each C(*) in its path is replaced by a path parameter of the target of the rule.
      - Results, diffs and logs show only its host. On AWS, everyone with the permission
        C(events:DescribeApiDestination) can read it, so the module warns if the URL looks like a secret.
    type: str
  http_method:
    description:
      - HTTP method of the calls. The default for a new API destination is V(POST).
    type: str
    choices: [POST, GET, HEAD, OPTIONS, PUT, PATCH, DELETE]
  invocation_rate_limit_per_second:
    description:
      - Maximum number of calls per second. Further calls wait, as long as the retry policy of the target allows. The
        default for a new API destination is V(300).
    type: int
  wait_timeout:
    default: 60
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.waiting
  - steadyops.ecs.waiting.wait
attributes:
  check_mode:
    support: full
    details: A connection that does not exist yet is a warning in check mode, and an error otherwise.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steadyops.ecs.events_connection
  - name: API destinations
    description: The Amazon EventBridge User Guide.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
notes:
  - EventBridge waits five seconds for a response. It retries after 429 and 5xx. After any other 4xx the event is lost,
    or goes to the dead-letter queue of the target.
  - API destinations have no tags.
  - |-
    IAM permissions, and what each is for:

    C(events:DescribeApiDestination) - always.

    C(events:DescribeConnection) - to look up a connection that is given by its name.

    C(events:CreateApiDestination), C(events:UpdateApiDestination), C(events:DeleteApiDestination) - to create, update
    and delete.
"""

EXAMPLES = r"""
- name: Make Sentry a target for events
  steadyops.ecs.events_api_destination:
    name: sentry
    connection: sentry
    invocation_endpoint: https://o123456.ingest.sentry.io/api/7654321/store/
    invocation_rate_limit_per_second: 10

- name: Make Slack a target for events
  steadyops.ecs.events_api_destination:
    name: slack
    connection: slack
    invocation_endpoint: https://slack.com/api/chat.postMessage
    invocation_rate_limit_per_second: 1
  register: slack

- name: Show the ARN for the target of a rule
  ansible.builtin.debug:
    var: slack.api_destination.arn

- name: Remove an API destination
  steadyops.ecs.events_api_destination:
    name: slack
    state: absent
"""

RETURN = r"""
api_destination:
  description: The API destination; V(null) if there is none.
  returned: success
  type: dict
  contains:
    arn:
      description: ARN of the API destination; V(null) in check mode if it does not exist yet.
      returned: always
      type: str
      sample: arn:aws:events:eu-central-1:123456789012:api-destination/slack/1b2c3d4e-aaaa-bbbb-cccc-1234567890ab
    name:
      description: Name of the API destination.
      returned: always
      type: str
      sample: slack
    state:
      description: >-
        V(ACTIVE) or V(INACTIVE); V(null) if it did not exist before and O(wait) is false, or in check mode.
      returned: always
      type: str
      sample: ACTIVE
    description:
      description: The description.
      returned: always
      type: str
      sample: ""
    connection:
      description: Name of the connection.
      returned: always
      type: str
      sample: slack
    connection_arn:
      description: ARN of the connection; V(null) in check mode if it does not exist yet.
      returned: always
      type: str
      sample: arn:aws:events:eu-central-1:123456789012:connection/slack/1b2c3d4e-aaaa-bbbb-cccc-1234567890ab
    invocation_endpoint:
      description: Host of the web service, and the SHA-256 of the URL.
      returned: always
      type: str
      sample: >-
        https://slack.com (SHA-256 37b86ec26c4ce2084374ca46622f61dabc54503648b528380763e72dbfeaceda)
    http_method:
      description: Method of the calls.
      returned: always
      type: str
      sample: POST
    invocation_rate_limit_per_second:
      description: Maximum number of calls per second.
      returned: always
      type: int
      sample: 300
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.calls.api_destinations import describe_api_destination
from ..module_utils._aws.live.api_destination import connection_arn_of, write_api_destination
from ..module_utils._converge import converge
from ..module_utils._core.events.api_destination import METHODS, plan_api_destination, read_api_destination, warnings_of
from ..module_utils._module import AwsModule, Outcome, run
from ..module_utils._wait_options import wait_options

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "description": {"type": "str"},
    "connection": {"type": "str"},
    # The URL of a webhook may itself be a secret.
    "invocation_endpoint": {"type": "str", "no_log": True},
    "http_method": {"type": "str", "choices": list(METHODS)},
    "invocation_rate_limit_per_second": {"type": "int"},
    **wait_options(timeout=60),
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    wanted = read_api_destination(module.params)
    events = module.client("events")
    current = describe_api_destination(events, wanted.name)
    change = plan_api_destination(wanted, current, connection_arn_of(events, wanted, current))
    return converge(
        "api_destination",
        change,
        check_mode,
        lambda change: write_api_destination(events, wanted, change),
        warnings=warnings_of(wanted, current, change),
    )


def main() -> None:
    run(ARGUMENTS, work, about="API destination {name}")


if __name__ == "__main__":
    main()
