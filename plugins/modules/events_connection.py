#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage a connection of Amazon EventBridge."""

from __future__ import annotations

DOCUMENTATION = r"""
module: events_connection
version_added: 1.0.0
short_description: Manage a connection of Amazon EventBridge, the authorization for a web service
description:
  - Creates, updates and deletes a connection. A connection holds the credentials that EventBridge uses for a web
    service, such as Sentry, Slack or PagerDuty. Together with an API destination
    (M(steadyops.ecs.events_api_destination)) it makes that service a target for events.
  - EventBridge keeps the secret values in AWS Secrets Manager and never returns them. O(update_secret) explains how the
    module still detects changes.
author:
  - SteadyOps contributors (@steadyops)
options:
  name:
    description:
      - Name of the connection, at most 64 characters. It may contain letters, digits, hyphens, dots and underscores.
    type: str
    required: true
  state:
    description:
      - V(present) creates the connection, or updates given settings that differ.
      - V(absent) deletes the connection and its secret. The module refuses to delete a connection that API destinations
        use.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - Description of the connection, on one line. If omitted, the current one is kept.
      - At most 512 characters; 431 with O(update_secret=on_change), because the digest is stored after it.
    type: str
  api_key:
    description:
      - Authorize with a secret in a header.
      - O(api_key), O(basic) and O(oauth) are mutually exclusive. A new connection requires one of them. If all are
        omitted, the authorization of an existing connection is kept.
      - AWS requires an authorization even if the service takes its secret elsewhere, such as in the URL or in a field
        of the body. In that case, give a header that the service ignores.
    type: dict
    suboptions:
      name:
        description:
          - Name of the header, such as V(Authorization) or V(X-Sentry-Auth).
        type: str
        required: true
      value:
        description:
          - Complete value of the header, such as C(Bearer) and a token. At most 512 characters, without a colon, which
            EventBridge does not allow.
          - Ansible masks this text everywhere in results, so do not use a common word.
        type: str
        required: true
  basic:
    description:
      - Authorize with a user name and a password (HTTP Basic).
    type: dict
    suboptions:
      username:
        description:
          - The user name, without a colon.
        type: str
        required: true
      password:
        description:
          - The password, without a colon.
        type: str
        required: true
  oauth:
    description:
      - Authorize with a token that EventBridge gets and renews with OAuth client credentials.
    type: dict
    suboptions:
      client_id:
        description:
          - Client ID, without a colon.
        type: str
        required: true
      client_secret:
        description:
          - Client secret, without a colon.
        type: str
        required: true
      authorization_endpoint:
        description:
          - HTTPS URL of the token endpoint.
        type: str
        required: true
      http_method:
        description:
          - HTTP method of the token request.
        type: str
        choices: [GET, POST, PUT]
        default: POST
      http_parameters:
        description:
          - Parameters of the token request, such as C(grant_type) or C(scope). If omitted, the current ones are kept;
            if given, they replace the current ones.
        type: dict
        suboptions: &parameters
          header:
            description:
              - Headers.
            type: list
            elements: dict
            suboptions: &parameter
              key:
                description:
                  - Name of the parameter.
                type: str
                required: true
              value:
                description:
                  - Value that is not secret.
                  - Give exactly one of this and C(secret_value).
                type: str
              secret_value:
                description:
                  - Secret value. Ansible masks it, and AWS does not return it.
                type: str
          query:
            description:
              - Query string parameters.
            type: list
            elements: dict
            suboptions: *parameter
          body:
            description:
              - Fields of the JSON body.
            type: list
            elements: dict
            suboptions: *parameter
  invocation_http_parameters:
    description:
      - Parameters that EventBridge adds to every request to the web service. They override those of the target of a
        rule.
      - If omitted, the current ones are kept; if given, they replace the current ones. Give them together with the
        authorization.
    type: dict
    suboptions: *parameters
  kms_key_identifier:
    description:
      - ID, ARN or alias of the customer managed KMS key that encrypts the secret. If omitted, the current one is kept.
        An empty text selects the key that AWS owns.
      - The key needs the tag C(EventBridgeApiDestinations) with the value V(true), and a policy that allows EventBridge
        to use it.
    type: str
  update_secret:
    description:
      - When to write secret values that AWS may already have. The module always writes them when it creates the
        connection, when another part of the authorization changes, and when the connection has lost its authorization.
      - V(on_change) writes them if they differ from those last written. To detect this, the module stores a digest in
        brackets at the end of the description (scrypt with a random salt; each guess takes 32 MiB and about 0.3
        seconds). If there is no digest, for example because another tool created the connection, the module writes them
        once.
      - V(always) writes them in every run.
      - V(never) writes them only in the cases above.
    type: str
    choices: [on_change, always, never]
    default: on_change
  wait_timeout:
    default: 300
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
  - steadyops.ecs.waiting
  - steadyops.ecs.waiting.wait
attributes:
  check_mode:
    support: full
    details: Check mode does not detect that API destinations still use a connection that would be deleted.
  diff_mode:
    support: full
    details: For secret values, the diff only shows that they are written.
  idempotent:
    support: partial
    details: With O(update_secret=always), every run reports a change.
seealso:
  - module: steadyops.ecs.events_api_destination
  - name: Connections for HTTP targets
    description: The Amazon EventBridge User Guide.
    link: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html
notes:
  - The values of C(value), C(password), C(client_secret) and C(secret_value) are masked in results and logs. Use
    Ansible Vault to keep them out of playbooks.
  - Connections have no tags.
  - |-
    IAM permissions, and what each is for:

    C(events:DescribeConnection) - always.

    C(events:CreateConnection), C(events:UpdateConnection), C(events:DeleteConnection),
    C(events:ListApiDestinations) - to create, update and delete; the last shows which API destinations use a
    connection.

    C(secretsmanager:CreateSecret), C(secretsmanager:PutSecretValue), C(secretsmanager:UpdateSecret),
    C(secretsmanager:DescribeSecret), C(secretsmanager:GetSecretValue), C(secretsmanager:DeleteSecret) on
    C(secret:events!connection/*) - EventBridge manages the secret with the permissions of the caller.

    C(iam:CreateServiceLinkedRole) for C(apidestinations.events.amazonaws.com) - for the first connection of an account.

    C(kms:DescribeKey), C(kms:GenerateDataKey), C(kms:Decrypt) - with O(kms_key_identifier).
"""

EXAMPLES = r"""
- name: Authorize EventBridge to report to Sentry
  steadyops.ecs.events_connection:
    name: sentry
    description: Failures of ECS tasks
    api_key:
      name: X-Sentry-Auth
      value: "Sentry sentry_version=7, sentry_client=eventbridge/1.0, sentry_key={{ sentry_public_key }}"

- name: Authorize EventBridge to post to Slack as a bot
  steadyops.ecs.events_connection:
    name: slack
    api_key:
      name: Authorization
      value: "Bearer {{ slack_bot_token }}"
    invocation_http_parameters:
      header:
        - key: Content-Type
          value: application/json; charset=utf-8

- name: Authorize EventBridge to trigger PagerDuty incidents, with the key in the body
  steadyops.ecs.events_connection:
    name: pagerduty
    api_key:
      name: X-Not-Needed
      value: pagerduty-takes-its-key-in-the-body
    invocation_http_parameters:
      body:
        - key: routing_key
          secret_value: "{{ pagerduty_routing_key }}"

- name: Use a service with OAuth
  steadyops.ecs.events_connection:
    name: incidents
    oauth:
      client_id: alerts
      client_secret: "{{ incidents_client_secret }}"
      authorization_endpoint: https://login.example.com/oauth2/token
      http_parameters:
        body:
          - key: grant_type
            value: client_credentials
          - key: scope
            value: incidents.write

- name: Remove a connection
  steadyops.ecs.events_connection:
    name: sentry
    state: absent
"""

RETURN = r"""
connection:
  description: The connection; V(null) if there is none.
  returned: success
  type: dict
  contains:
    arn:
      description: ARN of the connection; V(null) in check mode if it does not exist yet.
      returned: always
      type: str
      sample: arn:aws:events:eu-central-1:123456789012:connection/sentry/1b2c3d4e-aaaa-bbbb-cccc-1234567890ab
    name:
      description: Name of the connection.
      returned: always
      type: str
      sample: sentry
    state:
      description: >-
        V(AUTHORIZED), or V(ACTIVE) for a private API. Other states are possible with O(wait=false), and if the run did
        not write the authorization. V(null) in check mode if the connection does not exist yet, or would be authorized
        again.
      returned: always
      type: str
      sample: AUTHORIZED
    description:
      description: The description, without the digest.
      returned: always
      type: str
      sample: Failures of ECS tasks
    authorization_type:
      description: V(API_KEY), V(BASIC) or V(OAUTH_CLIENT_CREDENTIALS).
      returned: always
      type: str
      sample: API_KEY
    api_key:
      description: C(name), the name of the header; V(null) with another authorization.
      returned: always
      type: dict
      sample: {"name": "X-Sentry-Auth"}
    basic:
      description: C(username), the user name; V(null) with another authorization.
      returned: always
      type: dict
      sample: null
    oauth:
      description: C(client_id), C(authorization_endpoint), C(http_method), C(http_parameters); or V(null).
      returned: always
      type: dict
      sample: null
    invocation_http_parameters:
      description:
        - Lists C(header), C(query) and C(body), ordered by key. The value of a secret parameter is V(null).
      returned: always
      type: dict
      sample: {"header": [], "query": [], "body": [{"key": "routing_key", "is_secret": true, "value": null}]}
    kms_key_identifier:
      description: The customer managed KMS key, as AWS returns it; empty if it is the key that AWS owns.
      returned: always
      type: str
      sample: ""
    secret_arn:
      description: >-
        ARN of the secret that EventBridge keeps the values in; V(null) if AWS does not return it, and in check mode if
        the connection does not exist yet.
      returned: always
      type: str
      sample: arn:aws:secretsmanager:eu-central-1:123456789012:secret:events!connection/sentry/1b2c3d4e-Ab12Cd
    secret_values:
      description: V(written) if this run wrote the secret values, otherwise V(kept).
      returned: always
      type: str
      sample: kept
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.connection import settled_connection, write_connection
from ..module_utils._converge import converge, waited
from ..module_utils._core.events.connection.plan import plan_connection, warnings_of
from ..module_utils._core.events.connection.read import read_connection
from ..module_utils._module import AwsModule, Outcome, run
from ..module_utils._wait_options import wait_options

PARAMETER = {
    "type": "list",
    "elements": "dict",
    "options": {
        "key": {"type": "str", "required": True, "no_log": False},
        "value": {"type": "str"},
        "secret_value": {"type": "str", "no_log": True},
    },
    "mutually_exclusive": [("value", "secret_value")],
    "required_one_of": [("value", "secret_value")],
}
PARAMETERS = {"type": "dict", "options": {"header": PARAMETER, "query": PARAMETER, "body": PARAMETER}}
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "description": {"type": "str"},
    "api_key": {
        "type": "dict",
        "no_log": False,
        "options": {
            "name": {"type": "str", "required": True},
            "value": {"type": "str", "required": True, "no_log": True},
        },
    },
    "basic": {
        "type": "dict",
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
        },
    },
    "oauth": {
        "type": "dict",
        "options": {
            "client_id": {"type": "str", "required": True},
            "client_secret": {"type": "str", "required": True, "no_log": True},
            "authorization_endpoint": {"type": "str", "required": True},
            "http_method": {"type": "str", "choices": ["GET", "POST", "PUT"], "default": "POST"},
            "http_parameters": PARAMETERS,
        },
    },
    "invocation_http_parameters": PARAMETERS,
    "kms_key_identifier": {"type": "str", "no_log": False},
    "update_secret": {
        "type": "str",
        "choices": ["on_change", "always", "never"],
        "default": "on_change",
        "no_log": False,
    },
    **wait_options(timeout=300),
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    wanted = read_connection(module.params)
    events = module.client("events")
    current = waited(settled_connection(events, wanted))
    change = plan_connection(wanted, current)
    return converge(
        "connection",
        change,
        check_mode,
        lambda change: write_connection(events, wanted, current, change),
        warnings=warnings_of(wanted, current),
    )


def main() -> None:
    run(ARGUMENTS, work, about="connection {name}", mutually_exclusive=[("api_key", "basic", "oauth")])


if __name__ == "__main__":
    main()
