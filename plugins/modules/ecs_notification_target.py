#!/usr/bin/python
# Copyright: Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manage one target of an EventBridge rule."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_notification_target
version_added: 1.0.0
short_description: Manage one target of an Amazon EventBridge rule, with what it needs to receive events
description:
  - Makes, changes and removes one target of a rule, told by its O(id). The other targets of the rule stay as they are.
  - Lets the rule in where that is needed. A topic, a queue, a function and a log group have a policy, in which one
    statement is kept for the target, named by its C(Sid); so has the queue for undelivered events. All other statements
    stay as they are, and this one goes when the target goes or moves.
  - Has ready-made messages for Slack, Sentry, PagerDuty and others, about the events of
    M(steadyops.ecs.ecs_failure_rule).
  - The target is what the task says. An option that is left out is taken away from the target.
author:
  - SteadyOps contributors (@steadyops)
options:
  rule:
    description:
      - Name of the rule. It has to exist.
    type: str
    required: true
  event_bus_name:
    description:
      - Name or ARN of the event bus that the rule is on.
    type: str
    default: default
  id:
    description:
      - Id of the target, unique among those of the rule. Letters, digits, dots, hyphens and underscores.
    type: str
    required: true
  arn:
    description:
      - Where the events go. The ARN of an SNS topic, an SQS queue, a Lambda function (or its alias or version), a log
        group, a Step Functions state machine, an API destination, an event bus, a Kinesis stream or a Firehose stream.
      - Required when O(state=present). When O(state=absent), a statement that a removed target has left behind in the
        policy of this resource is removed as well.
      - FIFO topics are refused, because EventBridge cannot send to them.
    type: str
  state:
    description:
      - Whether the target shall be there.
    type: str
    choices: [present, absent]
    default: present
  role_arn:
    description:
      - ARN of the role by which EventBridge reaches the target.
      - Required for state machines, API destinations, event buses and streams, and for all that is of another account.
      - For topics, queues and functions it takes the place of the statement in their policy. For a topic this is the
        narrower of the two ways, since the trust policy of a role can name the rule and the policy of a topic cannot.
      - Refused for log groups.
    type: str
  resource_policy:
    description:
      - Whether the policy of the topic, queue, function or log group lets the rule in, and that of the queue for
        undelivered events.
      - With V(false) a statement that this module has put there is removed, and the policies are yours to care for. The
        rights to read policies are not needed then.
    type: bool
    default: true
  dead_letter_arn:
    description:
      - ARN of the SQS queue that keeps events that could not be delivered. A standard queue, in the region of the rule.
      - Without it, EventBridge drops such events, at once when it lacks a permission.
      - The policy of a queue of another account is yours to care for.
    type: str
  maximum_retry_attempts:
    description:
      - How often delivery is tried again, V(0) to V(185). AWS's default is V(185).
    type: int
  maximum_event_age_in_seconds:
    description:
      - For how long delivery is tried again, V(60) to V(86400) seconds. AWS's default is V(86400).
    type: int
  input:
    description:
      - JSON that the target gets in the place of the event.
      - At most one of O(input), O(input_path), O(input_transformer) and O(message_template) is taken. Without any of
        them the target gets the whole event, in which the environment variables of a task's overrides can be read.
    type: json
  input_path:
    description:
      - The part of the event that the target gets, such as V($.detail).
    type: str
  input_transformer:
    description:
      - A template that makes of the event what the target gets.
    type: dict
    suboptions:
      input_paths_map:
        description:
          - Names of placeholders, each with the path in the event of its value, such as V($.detail.stoppedReason).
        type: dict
      input_template:
        description:
          - >-
            A JSON document with placeholders, such as V({"reason": <reason>}), or lines of text, each in double quotes.
          - A placeholder outside of quotes becomes a JSON value, with quotes and escapes where it needs them. Inside of
            quotes EventBridge escapes nothing, so a text such as a stop reason, which may have quotes, breaks the
            document there. Give it a value of its own.
        type: json
        required: true
  message_template:
    description:
      - A ready-made message, in the form that the receiver wants.
      - V(sentry), V(slack), V(slack_webhook), V(pagerduty), V(opsgenie), V(jira), V(teams) and V(datadog) are meant for
        API destinations that reach these services (Slack's C(chat.postMessage) with V(slack)). V(jira) is Jira Service
        Management, C(https://api.atlassian.com/jsm/ops/integration/v2/alerts). It replaces Opsgenie, which ends in
        April 2027.
      - Each message begins with a headline that says what failed and how. EventBridge cannot cut a name out of an ARN.
        A headline has the short name of a service whose task failed, and names that you give or that the rule names as
        the only ones (see O(message_options.subject)). Otherwise it ends with an ARN. Opsgenie, Jira and Datadog refuse
        long headlines, so theirs have only names that you give or that the rule names.
      - Messages to PagerDuty, Opsgenie and Jira have a key by service or family and stop code, so a crash loop is one
        incident. Names of more than 160 characters can make the key longer than PagerDuty takes. Each refused launch
        is an incident of its own, because its task definition is text that the caller wrote.
      - Texts that callers wrote, such as a group or a stop reason, are shown as they are in Teams. Slack does not
        format them, but EventBridge cannot escape C(<) and C(&), so Slack still reads sequences such as C(<!channel>)
        in them.
      - Slack's C(chat.postMessage) answers with status 200 even when it takes no message, for want of a channel or a
        right, so such a message does not get into the queue of O(dead_letter_arn). Incoming webhooks answer with an
        error then.
      - V(sentry) is for Sentry's C(/store/) endpoint, which Sentry has deprecated in favour of envelopes. EventBridge
        sends one JSON document and an envelope is several, so only the function of the role
        P(steadyops.ecs.failure_alerts#role) sends envelopes.
      - V(sns_text) is lines of text, for topics with subscriptions that people read.
      - V(plain) is a flat JSON document, for queues, functions and web services of your own. V(custom) is a template of
        your own, O(message_options.template).
      - None of them carries the value of an environment variable. Any string of an event may be empty in a message.
    type: str
    choices: [sentry, slack, slack_webhook, pagerduty, opsgenie, jira, teams, datadog, sns_text, plain, custom]
  message_options:
    description:
      - What a message says besides the event.
    type: dict
    suboptions:
      channel:
        description:
          - Id of Slack's channel. Required for O(message_template=slack).
        type: str
      severity:
        description:
          - How bad it is, in terms of the receiver its level, severity, priority, alert type or colour.
        type: str
        choices: [critical, error, warning, info]
        default: error
      title:
        description:
          - First words of the message, in the place of those such as V(ECS task failed).
        type: str
      subject:
        description:
          - Short name of what the rule is about, such as V(orders-import). It stands in the headline.
          - If neither this nor O(message_options.cluster) is given, and O(message_for) is omitted, the names are read
            from the rule where it is about one family, service, state machine or cluster.
        type: str
      cluster:
        description:
          - Short name of the cluster that the rule is about. It stands in the headline.
        type: str
      log_group:
        description:
          - Name of the log group that the containers write to. Messages link to it, and those about tasks also to a
            query of CloudWatch Logs Insights for what the containers of the task wrote.
        type: str
      template:
        description:
          - >-
            JSON document with placeholders, for O(message_template=custom), such as
            V({"text": "<headline>", "why": <reason>}).
          - Placeholders are C(<headline>), C(<title>), C(<severity>), C(<key>), C(<link>) and the fields of
            O(message_template=plain). A field that a kind of event lacks is an empty text.
          - A placeholder for text that people or programs wrote, such as C(<reason>), must be a value of its own,
            outside of quotes.
        type: json
      repetitions:
        description:
          - Say in the headline how often it has failed, as in V(200 times in 10 minutes). For rules whose events the
            function of a quiet period sends; see P(steadyops.ecs.failure_alerts#role).
        type: bool
        default: false
  message_for:
    description:
      - The kind of events that the message is about, as in O(steadyops.ecs.ecs_failure_rule#module:kind).
      - It is read from the rule when this is left out, which takes one call more.
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
      - Message group of the events in an SQS queue, at most 100 characters. Required for a FIFO queue, which needs
        content-based deduplication as well.
    type: str
  partition_key_path:
    description:
      - Path in the event of the partition key of a Kinesis stream, such as V($.detail.clusterArn). Without it the key
        is the id of the event.
    type: str
  http_parameters:
    description:
      - What the calls of an API destination carry besides the message. A value may be a path such as V($.detail.group).
      - All of this can be read by everybody who may list the targets, and is shown in results. Secrets belong in the
        connection of the API destination, whose parameters win over these.
    type: dict
    suboptions:
      path_parameter_values:
        description:
          - The values for the V(*) in the address of the API destination, in their order.
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
      What has to be there first and is not, such as the rule or the topic, is a warning in check mode, and an error
      otherwise.
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

    C(events:DescribeRule) - the rule, when the target is new or moves, and with O(message_template) without
    O(message_for).

    C(iam:PassRole) - the role, with O(role_arn).

    C(sns:GetTopicAttributes), C(sns:SetTopicAttributes) - a topic.

    C(sqs:GetQueueAttributes), C(sqs:SetQueueAttributes) - a queue, that of O(dead_letter_arn) included.

    C(lambda:GetPolicy), C(lambda:AddPermission), C(lambda:RemovePermission), C(lambda:GetFunctionConfiguration) - a
    function.

    C(logs:DescribeResourcePolicies), C(logs:PutResourcePolicy), C(logs:DeleteResourcePolicy),
    C(logs:DescribeLogGroups) - a log group. Policies of single log groups need botocore 1.40 or newer.
  - A topic or queue that is encrypted with a key managed by AWS is refused, since EventBridge may not use that key.
    Whether the policy of your own key lets EventBridge use it is not looked up; a warning reminds of it once.
  - AWS has no way to change a policy of a topic or queue only when nobody else has changed it meanwhile. Do not run
    this module for the same topic or queue twice at the same time.
"""

EXAMPLES = r"""
- name: Send the failures to a topic, as text, and keep what cannot be delivered
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

- name: Send a message of our own to a FIFO queue
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

- name: Send nothing to the topic any longer
  steadyops.ecs.ecs_notification_target:
    rule: ecs-task-failures
    id: mail
    arn: arn:aws:sns:eu-central-1:123456789012:ecs-alerts
    state: absent
"""

RETURN = r"""
target:
  description: The target as it is afterwards; V(null) when it is absent.
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
      description: ARN of what the events go to.
      returned: always
      type: str
      sample: arn:aws:sns:eu-central-1:123456789012:ecs-alerts
    role_arn:
      description: ARN of the role by which EventBridge reaches it; V(null) without one.
      returned: always
      type: str
      sample: null
    dead_letter_arn:
      description: ARN of the queue for undelivered events; V(null) without one.
      returned: always
      type: str
      sample: arn:aws:sqs:eu-central-1:123456789012:ecs-alerts-undelivered
    maximum_retry_attempts:
      description: How often delivery is tried again; V(null) for AWS's default.
      returned: always
      type: int
      sample: null
    maximum_event_age_in_seconds:
      description: For how long it is tried again; V(null) for AWS's default.
      returned: always
      type: int
      sample: 3600
    input:
      description: JSON that takes the place of the event; V(null) without.
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
      description: What the calls of an API destination carry besides; V(null) without.
      returned: always
      type: dict
      sample: null
    permissions:
      description: The statements that are kept for the target, and the resource in whose policy each stands.
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

from ..module_utils._aws.live.target import LiveTarget
from ..module_utils._core.events.target.messages.fields import EVENT_KINDS
from ..module_utils._core.events.target.messages.templates import SEVERITIES, TEMPLATES
from ..module_utils._core.events.target.options import read_target
from ..module_utils._core.events.target.plan import plan_target, warnings_of
from ..module_utils._module import AwsModule, Outcome, converge, run

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
