#!/usr/bin/python
# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage one target of an EventBridge rule."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_notification_target
version_added: 1.0.0
short_description: Manage one target of an Amazon EventBridge rule, with what it needs to receive events
description:
  - Creates, changes and removes one target of a rule, identified by O(id). Other targets of the rule are not changed.
  - Gives the rule access to the target. For a topic, queue, function or log group, and for the queue for undelivered
    events, the module keeps one statement in the resource policy, identified by its C(Sid). It changes no other
    statement, and removes its own when the target is removed or moves.
  - Offers ready-made messages for Slack, Sentry, PagerDuty and others, for the events of
    M(steadyops.ecs.ecs_failure_rule).
  - The options describe the whole target. If an option is omitted, its setting is removed from the target.
author:
  - SteadyOps contributors (@steadyops)
options:
  rule:
    description:
      - Name of the rule. It must exist.
    type: str
    required: true
  event_bus_name:
    description:
      - Name or ARN of the event bus that the rule is on.
    type: str
    default: default
  id:
    description:
      - ID of the target, unique within the rule. It may contain letters, digits, dots, hyphens and underscores.
    type: str
    required: true
  arn:
    description:
      - ARN of the resource that receives the events. This can be an SNS topic, an SQS queue, a Lambda function (or its
        alias or version), a log group, a Step Functions state machine, an API destination, an event bus, a Kinesis
        stream, or a Firehose stream.
      - Required with O(state=present). With O(state=absent), the module also removes a statement that a removed target
        left behind in the policy of this resource.
      - FIFO topics are refused, because EventBridge cannot send to them.
    type: str
  state:
    description:
      - V(present) creates or updates the target. V(absent) removes it.
    type: str
    choices: [present, absent]
    default: present
  role_arn:
    description:
      - ARN of the IAM role that EventBridge uses to reach the target.
      - Required for state machines, API destinations, event buses and streams, and for every target in another account.
      - For topics, queues and functions it replaces the statement in their policy. For a topic this is the more
        restrictive choice, because the trust policy of a role can name the rule, and the policy of a topic cannot.
      - Refused for log groups.
    type: str
  resource_policy:
    description:
      - Whether the module keeps a statement for the rule in the policy of the topic, queue, function or log group, and
        in that of the queue for undelivered events.
      - With V(false), the module removes its own statement, and you maintain the policies. It then needs no permission
        to read policies.
    type: bool
    default: true
  dead_letter_arn:
    description:
      - ARN of the SQS queue for events that could not be delivered. It must be a standard queue in the region of the
        rule.
      - Without it, EventBridge drops such events, and does so at once if a permission is missing.
      - You must maintain the policy of a queue in another account.
    type: str
  maximum_retry_attempts:
    description:
      - Maximum number of times to retry delivery, V(0) to V(185). AWS's default is V(185).
    type: int
  maximum_event_age_in_seconds:
    description:
      - Maximum time to retry delivery, V(60) to V(86400) seconds. AWS's default is V(86400).
    type: int
  input:
    description:
      - JSON that the target receives instead of the event.
      - O(input), O(input_path), O(input_transformer) and O(message_template) are mutually exclusive. If all are
        omitted, the target receives the whole event, including the environment variables in the overrides of a task.
    type: json
  input_path:
    description:
      - Path of the part of the event that the target receives, such as V($.detail).
    type: str
  input_transformer:
    description:
      - Template that turns the event into the text that the target receives.
    type: dict
    suboptions:
      input_paths_map:
        description:
          - Placeholders by name, each with the path of its value in the event, such as V($.detail.stoppedReason).
        type: dict
      input_template:
        description:
          - >-
            A JSON document with placeholders, such as V({"reason": <reason>}), or lines of text, each in double quotes.
          - A placeholder outside quotes becomes a JSON value, quoted and escaped as needed. Inside quotes, EventBridge
            escapes nothing, so a text that may contain quotes, such as a stop reason, breaks the document. Make it a
            value of its own.
        type: json
        required: true
  message_template:
    description:
      - Ready-made message in the format of the receiver.
      - V(sentry), V(slack), V(slack_webhook), V(pagerduty), V(opsgenie), V(jira), V(teams) and V(datadog) are meant for
        API destinations that reach these services (Slack's C(chat.postMessage) with V(slack)). V(jira) is Jira Service
        Management, C(https://api.atlassian.com/jsm/ops/integration/v2/alerts). It replaces Opsgenie, which Atlassian
        shuts down in April 2027.
      - Each message begins with a headline that says what failed and how. EventBridge cannot cut a name out of an ARN.
        A headline has the short name of a service whose task failed, and the names that you give or that the rule
        filters by (see O(message_options.subject)). Otherwise it ends with an ARN. Opsgenie, Jira and Datadog refuse
        long headlines, so their headlines have only names that you give or that the rule filters by.
      - Messages to PagerDuty, Opsgenie and Jira have a key made of the service or family and the stop code, so a crash
        loop is one incident. Names of more than 160 characters can make the key longer than PagerDuty allows. Each
        refused launch is an incident of its own, because the caller chooses the text of its task definition.
      - Teams shows texts from callers, such as a group or a stop reason, unchanged. Slack does not
        format them, but EventBridge cannot escape C(<) and C(&), so Slack still reads sequences such as C(<!channel>)
        in them.
      - Slack's C(chat.postMessage) answers with status 200 even if it rejects a message, for example because the
        channel does not exist or a permission is missing. Such a message does not reach the queue of
        O(dead_letter_arn). Incoming webhooks answer with an error instead.
      - V(sentry) is for Sentry's C(/store/) endpoint, which Sentry has deprecated in favour of envelopes. EventBridge
        sends one JSON document and an envelope is several, so only the function of the role
        P(steadyops.ecs.failure_alerts#role) sends envelopes.
      - V(sns_text) is lines of text, for topics with subscriptions that people read.
      - V(plain) is a flat JSON document, for queues, functions and web services of your own. V(custom) is a template of
        your own, O(message_options.template).
      - No message contains the value of an environment variable. Any field of a message may be empty.
    type: str
    choices: [sentry, slack, slack_webhook, pagerduty, opsgenie, jira, teams, datadog, sns_text, plain, custom]
  message_options:
    description:
      - Settings of the message.
    type: dict
    suboptions:
      channel:
        description:
          - ID of the Slack channel. Required with O(message_template=slack).
        type: str
      severity:
        description:
          - Severity of the failure. Receivers show it as level, severity, priority, alert type or colour.
        type: str
        choices: [critical, error, warning, info]
        default: error
      title:
        description:
          - First words of the message, instead of a default such as V(ECS task failed).
        type: str
      subject:
        description:
          - Short name of the subject of the rule, such as V(orders-import), for the headline.
          - If neither this nor O(message_options.cluster) is given, and O(message_for) is omitted, the module reads the
            names from the rule if it filters by one family, service, state machine or cluster.
        type: str
      cluster:
        description:
          - Short name of the cluster that the rule filters by, for the headline.
        type: str
      log_group:
        description:
          - Name of the log group that the containers write to. Messages link to it. Those about tasks also link to a
            CloudWatch Logs Insights query for the output of the containers.
        type: str
      template:
        description:
          - >-
            JSON document with placeholders for O(message_template=custom), such as
            V({"text": "<headline>", "why": <reason>}).
          - Placeholders are C(<headline>), C(<title>), C(<severity>), C(<key>), C(<link>) and the fields of
            O(message_template=plain). A field that a kind of event does not have is an empty text.
          - A placeholder for free text, such as C(<reason>), must be a value of its own, outside quotes.
        type: json
      repetitions:
        description:
          - Whether the headline says how often it failed, as in V(200 times in 10 minutes). Use it for rules whose
            events come from the function of a quiet period; see P(steadyops.ecs.failure_alerts#role).
        type: bool
        default: false
  message_for:
    description:
      - Kind of the events, as in O(steadyops.ecs.ecs_failure_rule#module:kind).
      - If omitted, the module reads it from the rule, with one more call.
    type: str
    choices:
      - task
      - service_task
      - service_action
      - deployment
      - deployment_hook
      - daemon
      - container_instance
      - task_retirement
      - launch
      - state_machine
      - all_task_changes
      - any
  message_group_id:
    description:
      - Message group of the events in an SQS queue, at most 100 characters. Required for a FIFO queue, which must also
        have content-based deduplication.
    type: str
  partition_key_path:
    description:
      - Path of the partition key of a Kinesis stream in the event, such as V($.detail.clusterArn). If omitted, the key
        is the ID of the event.
    type: str
  http_parameters:
    description:
      - Additional parameters for the calls to an API destination. A value may be a path such as V($.detail.group).
      - Everyone who may list the targets can read these, and results show them. Put secrets into the connection of the
        API destination. Its parameters override these.
    type: dict
    suboptions:
      path_parameter_values:
        description:
          - Values for each V(*) in the URL of the API destination, in order.
        type: list
        elements: str
      header_parameters:
        description:
          - HTTP headers.
        type: dict
      query_string_parameters:
        description:
          - Parameters of the query string.
        type: dict
extends_documentation_fragment:
  - steadyops.ecs.aws
  - steadyops.ecs.attributes
attributes:
  check_mode:
    support: full
    details: >-
      A missing prerequisite, such as the rule or the topic, is a warning in check mode, and an error otherwise.
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steadyops.ecs.ecs_failure_rule
  - module: steadyops.ecs.events_api_destination
  - module: steadyops.ecs.events_connection
notes:
  - |-
    IAM permissions, and what each is for:

    C(events:ListTargetsByRule), C(events:PutTargets), C(events:RemoveTargets) - the target.

    C(events:DescribeRule) - the rule, if the target is new or moves, and with O(message_template) if O(message_for) is
    omitted.

    C(iam:PassRole) - the role, with O(role_arn).

    C(sns:GetTopicAttributes), C(sns:SetTopicAttributes) - a topic.

    C(sqs:GetQueueAttributes), C(sqs:SetQueueAttributes) - a queue, including that of O(dead_letter_arn).

    C(lambda:GetPolicy), C(lambda:AddPermission), C(lambda:RemovePermission), C(lambda:GetFunctionConfiguration) - a
    function.

    C(logs:DescribeResourcePolicies), C(logs:PutResourcePolicy), C(logs:DeleteResourcePolicy),
    C(logs:DescribeLogGroups) - a log group.
  - The module refuses a topic or queue that is encrypted with an AWS managed key, because EventBridge may not use that
    key. It does not check whether the policy of your own key lets EventBridge use it; it warns once, when the target is
    created.
  - AWS has no conditional update for the policy of a topic or queue. Do not run this module twice at the same time for
    the same topic or queue.
"""

EXAMPLES = r"""
- name: Send the failures to a topic as text, and keep undelivered events
  steadyops.ecs.ecs_notification_target:
    rule: ecs-task-failures
    id: mail
    arn: arn:aws:sns:eu-central-1:123456789012:ecs-alerts
    message_template: sns_text
    dead_letter_arn: arn:aws:sqs:eu-central-1:123456789012:ecs-alerts-undelivered

- name: Send them to Slack as well
  steadyops.ecs.ecs_notification_target:
    rule: ecs-task-failures
    id: slack
    arn: arn:aws:events:eu-central-1:123456789012:api-destination/slack/11111111-2222-3333-4444-555555555555
    role_arn: arn:aws:iam::123456789012:role/ecs-alerts
    message_template: slack
    message_options:
      channel: C0123456789
      title: A nightly job failed
    message_for: task
    maximum_event_age_in_seconds: 3600

- name: Keep every event in a log group
  steadyops.ecs.ecs_notification_target:
    rule: ecs-task-failures
    id: log
    arn: arn:aws:logs:eu-central-1:123456789012:log-group:/ecs/failures

- name: Send a message of your own to a FIFO queue
  steadyops.ecs.ecs_notification_target:
    rule: ecs-task-failures
    id: queue
    arn: arn:aws:sqs:eu-central-1:123456789012:failures.fifo
    message_group_id: failures
    input_transformer:
      input_paths_map:
        task: $.detail.taskArn
        reason: $.detail.stoppedReason
      input_template: '{"task": <task>, "reason": <reason>}'

- name: Remove the topic from the rule
  steadyops.ecs.ecs_notification_target:
    rule: ecs-task-failures
    id: mail
    arn: arn:aws:sns:eu-central-1:123456789012:ecs-alerts
    state: absent
"""

RETURN = r"""
target:
  description: The target after the run; V(null) if it is absent.
  returned: success
  type: dict
  contains:
    id:
      description: Id of the target.
      returned: always
      type: str
      sample: mail
    rule:
      description: Name of the rule.
      returned: always
      type: str
      sample: ecs-task-failures
    event_bus_name:
      description: Name of the event bus.
      returned: always
      type: str
      sample: default
    arn:
      description: ARN of the resource that receives the events.
      returned: always
      type: str
      sample: arn:aws:sns:eu-central-1:123456789012:ecs-alerts
    role_arn:
      description: ARN of the IAM role that EventBridge uses to reach it; V(null) without one.
      returned: always
      type: str
      sample: null
    dead_letter_arn:
      description: ARN of the queue for undelivered events; V(null) without one.
      returned: always
      type: str
      sample: arn:aws:sqs:eu-central-1:123456789012:ecs-alerts-undelivered
    maximum_retry_attempts:
      description: Maximum number of times to retry delivery; V(null) for AWS's default.
      returned: always
      type: int
      sample: null
    maximum_event_age_in_seconds:
      description: Maximum time to retry delivery, in seconds; V(null) for AWS's default.
      returned: always
      type: int
      sample: 3600
    input:
      description: JSON that replaces the event; V(null) without.
      returned: always
      type: str
      sample: null
    input_path:
      description: The part of the event that is sent; V(null) without.
      returned: always
      type: str
      sample: null
    input_transformer:
      description: The template, also that of a ready-made message; V(null) without.
      returned: always
      type: dict
      sample: {"input_paths_map": {"reason": "$.detail.stoppedReason"}, "input_template": "{\"reason\": <reason>}"}
    message_group_id:
      description: Message group in an SQS queue; V(null) without.
      returned: always
      type: str
      sample: null
    partition_key_path:
      description: Path of the partition key of a Kinesis stream; V(null) without.
      returned: always
      type: str
      sample: null
    http_parameters:
      description: Additional parameters for the calls to an API destination; V(null) without.
      returned: always
      type: dict
      sample: null
    permissions:
      description: The policy statements that the module keeps for the target, each with its resource.
      returned: always
      type: list
      elements: dict
      sample:
        - resource: arn:aws:sns:eu-central-1:123456789012:ecs-alerts
          statement:
            Sid: SteadyopsEcsecstaskfailures0a1b2c3d4e5f6071
            Effect: Allow
            Principal: {"Service": "events.amazonaws.com"}
            Action: sns:Publish
            Resource: arn:aws:sns:eu-central-1:123456789012:ecs-alerts
"""

from ..module_utils import _python as _python_check  # noqa: F401 - comes first
from ..module_utils._aws.live.target import LiveTarget
from ..module_utils._converge import converge
from ..module_utils._core.events.target.messages.fields import EVENT_KINDS
from ..module_utils._core.events.target.messages.templates import SEVERITIES, TEMPLATES
from ..module_utils._core.events.target.options import read_target
from ..module_utils._core.events.target.plan import plan_target, warnings_of
from ..module_utils._module import AwsModule, Outcome, run

ARGUMENTS = {
    "rule": {"type": "str", "required": True},
    "event_bus_name": {"type": "str", "default": "default"},
    "id": {"type": "str", "required": True},
    "arn": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "role_arn": {"type": "str"},
    "resource_policy": {"type": "bool", "default": True},
    "dead_letter_arn": {"type": "str"},
    "maximum_retry_attempts": {"type": "int"},
    "maximum_event_age_in_seconds": {"type": "int"},
    "input": {"type": "json"},
    "input_path": {"type": "str"},
    "input_transformer": {
        "type": "dict",
        "options": {
            "input_paths_map": {"type": "dict"},
            "input_template": {"type": "json", "required": True},
        },
    },
    "message_template": {"type": "str", "choices": list(TEMPLATES)},
    "message_options": {
        "type": "dict",
        "options": {
            "channel": {"type": "str"},
            "severity": {"type": "str", "choices": list(SEVERITIES), "default": "error"},
            "title": {"type": "str"},
            "subject": {"type": "str"},
            "cluster": {"type": "str"},
            "log_group": {"type": "str"},
            "template": {"type": "json"},
            "repetitions": {"type": "bool", "default": False},
        },
    },
    "message_for": {"type": "str", "choices": list(EVENT_KINDS)},
    "message_group_id": {"type": "str"},
    "partition_key_path": {"type": "str", "no_log": False},
    "http_parameters": {
        "type": "dict",
        "options": {
            "path_parameter_values": {"type": "list", "elements": "str"},
            "header_parameters": {"type": "dict"},
            "query_string_parameters": {"type": "dict"},
        },
    },
}


def work(module: AwsModule, check_mode: bool) -> Outcome:
    wanted = read_target(module.params)
    live = LiveTarget(module.client, wanted)
    found = live.read()
    change = plan_target(wanted, found, live.rule_arn)
    return converge("target", change, check_mode, live.write, [*warnings_of(wanted, found, change), *live.missing])


def main() -> None:
    run(ARGUMENTS, work, about="target {id} of rule {rule}")


if __name__ == "__main__":
    main()
