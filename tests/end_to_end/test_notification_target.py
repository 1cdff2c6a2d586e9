# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ecs_notification_target creates, changes, keeps and removes every kind of target, with its statement and no other."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from ansible_collections.steadyops.ecs.plugins.module_utils._core.failures.sample_events import service_action

from tests.end_to_end.aws import aws_client
from tests.end_to_end.programs import warnings
from tests.policies import complaints
from tests.sandbox.client import Sandbox
from tests.unit.core.events import target_options as of
from tests.unit.core.events.target_options import WRONG, template

MODULE = "ecs_notification_target"
PATTERN = '{"source": ["aws.ecs"], "detail-type": ["ECS Service Action"]}'
THEIRS = {
    "Sid": "Theirs",
    "Effect": "Deny",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "{}",
    "Resource": "*",
    "Condition": {"StringEquals": {"aws:PrincipalTag/team": ["a", "b"]}},
}


class World:
    """Reads and changes the sandbox with boto3."""

    def __init__(self, sandbox: Sandbox) -> None:
        for name in ("events", "sns", "sqs", "lambda", "logs", "iam"):
            setattr(self, name, aws_client(sandbox, name))

    def prepare(self) -> None:
        for rule in ("failures", "others"):
            self.events.put_rule(Name=rule, EventPattern=PATTERN)
        self.sns.create_topic(Name="alerts")
        for queue in ("alerts", "undelivered", "undelivered2"):
            self.sqs.create_queue(QueueName=queue)
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        self.sqs.create_queue(QueueName="alerts.fifo", Attributes=fifo)
        assume = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [assume]})
        self.iam.create_role(RoleName="alerts", AssumeRolePolicyDocument=trust)
        for group in ("/ecs/alerts", "/ecs/alerts2"):
            self.logs.create_log_group(logGroupName=group)

    def make_function(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("alerts.py", "def handle(event, context): pass")
        code = {"ZipFile": archive.getvalue()}
        function = {"FunctionName": "alerts", "Runtime": "python3.12", "Role": of.ROLE, "Handler": "alerts.handle"}
        getattr(self, "lambda").create_function(**function, Code=code, Publish=True)
        getattr(self, "lambda").create_alias(FunctionName="alerts", Name="live", FunctionVersion="1")

    def targets(self, rule: str = "failures") -> dict[str, dict[str, Any]]:
        return {target["Id"]: target for target in self.events.list_targets_by_rule(Rule=rule)["Targets"]}

    def policy(self, arn: str) -> list[dict[str, Any]]:
        """Return the policy statements of a topic, queue, function or log group."""
        service, name = arn.split(":")[2], arn.split(":", 5)[5]
        text = None
        if service == "sns":
            text = self.sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy")
        elif service == "sqs":
            asked = {"QueueUrl": self._url(name), "AttributeNames": ["All"]}
            text = self.sqs.get_queue_attributes(**asked)["Attributes"].get("Policy")
        elif service == "lambda":
            try:
                text = getattr(self, "lambda").get_policy(FunctionName=arn)["Policy"]
            except self.__dict__["lambda"].exceptions.ResourceNotFoundException:
                text = None
        else:
            found = self.logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")["resourcePolicies"]
            text = found[0]["policyDocument"] if found else None
        return json.loads(text)["Statement"] if text else []

    def add_theirs(self, arn: str) -> None:
        """Add a statement of somebody else after the existing ones."""
        service, name = arn.split(":")[2], arn.split(":", 5)[5]
        if service == "lambda":
            permission = {"StatementId": "Theirs", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
            getattr(self, "lambda").add_permission(FunctionName=arn, **permission)
            return
        action = {"sns": "sns:Publish", "sqs": "sqs:SendMessage", "logs": "logs:PutLogEvents"}[service]
        document = {"Version": "2012-10-17", "Id": "x", "Statement": [*self.policy(arn), {**THEIRS, "Action": action}]}
        self.set_policy(arn, json.dumps(document), name)

    def set_policy(self, arn: str, text: str, name: str) -> None:
        if ":sns:" in arn:
            self.sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)
        elif ":sqs:" in arn:
            self.sqs.set_queue_attributes(QueueUrl=self._url(name), Attributes={"Policy": text})
        else:
            self.logs.put_resource_policy(resourceArn=arn, policyDocument=text)

    def _url(self, name: str) -> str:
        return self.sqs.get_queue_url(QueueName=name)["QueueUrl"]


@pytest.fixture
def world(sandbox):
    world = World(sandbox)
    world.prepare()
    return world


@pytest.fixture
def target(start):
    def run(**options):
        given = {"rule": "failures", "id": "a", "arn": of.TOPIC, **options}
        return start(MODULE, **{name: value for name, value in given.items() if value is not None}).result()

    return run


@pytest.fixture
def calls(sandbox, target):
    """Runs the module, and returns its result and the calls that it made."""

    def run(**options):
        since = sandbox.state()["calls"]
        result = target(**options)
        return result, sandbox.journal(since=since)["calls"]

    return run


def writes(made):
    return [call["operation"] for call in made if call["write"]]


def told(result):
    return {key: result[key] for key in ("changed", "diff", "target")}


ROLE = {"role_arn": of.ROLE}
UNDELIVERED = {"dead_letter_arn": of.UNDELIVERED}
KINDS = {
    "topic": {},
    "topic by a role": ROLE,
    "topic with everything": {
        "message_template": "sns_text",
        "message_for": "service_action",
        **UNDELIVERED,
        "maximum_retry_attempts": 3,
        "maximum_event_age_in_seconds": 600,
    },
    "queue": {"arn": of.QUEUE, **UNDELIVERED},
    "FIFO queue": {"arn": of.FIFO, "message_group_id": "failures", "message_template": "plain", "message_for": "task"},
    "function": {"arn": of.FUNCTION, **UNDELIVERED},
    "alias": {"arn": f"{of.FUNCTION}:live"},
    "log group": {"arn": of.LOG_GROUP, **UNDELIVERED},
    "log group with a star": {"arn": f"{of.LOG_GROUP}:*"},
    "state machine": {"arn": of.STATE_MACHINE, **ROLE, **UNDELIVERED},
    "API destination": {
        "arn": of.API_DESTINATION,
        **ROLE,
        **UNDELIVERED,
        "message_template": "slack",
        "message_options": {"channel": "C0123456789", "title": "A job failed"},
        "message_for": "task",
        "http_parameters": {
            "header_parameters": {"X-Team": "shop", "X-Group": "$.detail.group"},
            "query_string_parameters": {"a": "b"},
            "path_parameter_values": ["x"],
        },
    },
    "event bus": {"arn": of.BUS, **ROLE},
    "Kinesis stream": {"arn": of.STREAM, **ROLE, "partition_key_path": "$.detail.clusterArn"},
    "Firehose stream": {"arn": of.FIREHOSE, **ROLE},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(3)
def test_a_target_is_made_as_check_mode_told_and_then_left_alone(world, calls, target, kind):
    options = KINDS[kind]
    if ":lambda:" in options.get("arn", ""):
        world.make_function()
    planned, made = calls(check=True, diff=True, **options)
    assert writes(made) == []
    done, made = calls(diff=True, **options)
    assert "PutTargets" in writes(made)
    assert done["changed"]
    assert told(planned) == told(done)

    again, made = calls(diff=True, **options)
    assert writes(made) == []
    assert len(made) <= 3, [call["operation"] for call in made]
    assert not again["changed"]
    assert again["target"] == done["target"]
    assert again["diff"]["before"] == again["diff"]["after"]

    assert world.targets().keys() == {"a"}
    for permission in done["target"]["permissions"]:
        assert permission["statement"]["Sid"] in [each["Sid"] for each in world.policy(permission["resource"])]
        assert complaints({"Version": "2012-10-17", "Statement": [permission["statement"]]}) == []

    planned, made = calls(check=True, diff=True, state="absent", arn=options.get("arn", of.TOPIC))
    assert writes(made) == []
    gone = target(diff=True, state="absent", arn=options.get("arn", of.TOPIC))
    assert told(planned) == told(gone)
    assert (gone["changed"], gone["target"], world.targets()) == (True, None, {})
    again, made = calls(state="absent", arn=options.get("arn", of.TOPIC))
    assert (again["changed"], writes(made)) == (False, [])


def test_the_no_op_of_a_target_with_a_dead_letter_queue_takes_three_calls(world, calls):
    options = {"message_template": "sns_text", "message_for": "service_action", **UNDELIVERED}
    calls(**options)
    _result, made = calls(**options)
    assert [call["operation"] for call in made] == ["ListTargetsByRule", "GetTopicAttributes", "GetQueueAttributes"]


def test_the_kind_of_events_is_read_from_the_rule_with_one_call_more(world, calls):
    given = calls(message_template="sns_text", message_for="service_action")[0]
    again, made = calls(message_template="sns_text")
    assert [call["operation"] for call in made] == ["ListTargetsByRule", "DescribeRule", "GetTopicAttributes"]
    assert not again["changed"]
    assert again["target"] == given["target"]


OPTIONS = [
    {"maximum_retry_attempts": 0},
    {"maximum_event_age_in_seconds": 3600},
    {"dead_letter_arn": of.UNDELIVERED},
    {"dead_letter_arn": f"{of.UNDELIVERED}2"},
    {"input": '{"text": "failed"}'},
    {"input_path": "$.detail"},
    template('{"a": "<b>", "c": <b>}', b="$.id"),
    template('"line <b>"\n"and another"', b="$.id"),
    {"message_template": "sns_text"},
    {"message_template": "teams", "message_options": {"severity": "warning"}},
    {"message_template": "slack", "message_options": {"channel": "C1"}},
    {"message_template": "plain", "message_for": "task"},
    {"resource_policy": False},
    {"role_arn": of.ROLE},
    {"arn": of.QUEUE},
    {"arn": of.QUEUE, "message_group_id": "fair"},
    {"arn": of.LOG_GROUP},
    {"arn": of.BUS, "role_arn": of.ROLE},
    {"arn": of.STREAM, "role_arn": of.ROLE, "partition_key_path": "$.id"},
    {"arn": of.API_DESTINATION, "role_arn": of.ROLE, "http_parameters": {"header_parameters": {"A": "b"}}},
]


@pytest.mark.parametrize("options", OPTIONS, ids="-".join)
@pytest.mark.sampled(4)
def test_every_option_can_be_changed_and_changed_back(world, calls, target, options):
    begun = target()
    topic = world.policy(of.TOPIC)
    planned = target(check=True, diff=True, **options)
    changed = target(diff=True, **options)
    assert changed["changed"]
    assert told(planned) == told(changed)
    assert not target(**options)["changed"]
    planned = target(check=True, diff=True)
    back = target(diff=True)
    assert back["changed"]
    assert told(planned) == told(back)
    assert back["target"] == begun["target"]
    assert world.targets() == {"a": {"Id": "a", "Arn": of.TOPIC}}
    assert sorted(map(str, world.policy(of.TOPIC))) == sorted(map(str, topic))
    for arn in (of.QUEUE, of.UNDELIVERED, f"{of.UNDELIVERED}2", of.LOG_GROUP):
        assert world.policy(arn) == []


@pytest.mark.parametrize("arn", [of.TOPIC, of.QUEUE, of.FUNCTION, f"{of.FUNCTION}:live", of.LOG_GROUP])
def test_the_statements_and_targets_of_others_stay(world, target, arn):
    if ":lambda:" in arn:
        world.make_function()
    world.add_theirs(arn)
    others = {"Id": "b", "Arn": of.QUEUE, "InputPath": "$.detail"}
    world.events.put_targets(Rule="failures", Targets=[others])
    before = world.policy(arn)
    target(arn=arn, **UNDELIVERED)
    assert [each for each in world.policy(arn) if each in before] == before
    assert len(world.policy(arn)) == len(before) + 1
    target(state="absent", arn=None)
    assert world.policy(arn) == before
    assert world.policy(of.UNDELIVERED) == []
    assert world.targets() == {"b": others}


def test_targets_of_two_rules_have_a_statement_each_in_the_policy_of_one_topic(world, target):
    before = world.policy(of.TOPIC)
    sids = [target(rule=rule)["target"]["permissions"][0]["statement"]["Sid"] for rule in ("failures", "others")]
    assert [each["Sid"] for each in world.policy(of.TOPIC)] == [*(each["Sid"] for each in before), *sids]
    assert len(set(sids)) == 2
    target(rule="failures", state="absent")
    assert [each["Sid"] for each in world.policy(of.TOPIC)] == [*(each["Sid"] for each in before), sids[1]]
    assert not target(rule="others")["changed"]


def test_a_rule_of_another_bus(world, calls, target):
    world.events.create_event_bus(Name="central")
    world.events.put_rule(Name="failures", EventBusName="central", EventPattern=PATTERN)
    options = {"arn": of.QUEUE, "event_bus_name": "arn:aws:events:eu-central-1:123456789012:event-bus/central"}
    assert target(**options)["changed"]
    (statement,) = world.policy(of.QUEUE)
    rule = "arn:aws:events:eu-central-1:123456789012:rule/central/failures"
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": rule}}
    again, made = calls(**{**options, "event_bus_name": "central"})
    assert (again["changed"], writes(made)) == (False, [])


def test_the_statement_of_a_topic_that_was_replaced_by_hand_is_put_right(world, target):
    target(arn=of.QUEUE)
    (statement,) = world.policy(of.QUEUE)
    world.set_policy(of.QUEUE, json.dumps({"Statement": [{**statement, "Condition": {}}]}), "alerts")
    assert target(arn=of.QUEUE)["changed"]
    assert world.policy(of.QUEUE) == [statement]


def test_a_statement_that_was_left_behind_is_removed_with_the_arn(world, target):
    target(arn=of.QUEUE)
    world.events.remove_targets(Rule="failures", Ids=["a"])
    assert not target(state="absent", arn=None)["changed"]
    assert target(state="absent", arn=of.QUEUE)["changed"]
    assert world.policy(of.QUEUE) == []


def test_without_its_rule_an_absent_target_is_absent(world, target):
    assert not target(rule="none", state="absent")["changed"]


def test_what_the_target_reached_may_have_been_deleted(world, target):
    target(arn=of.QUEUE)
    world.sqs.delete_queue(QueueUrl=world._url("alerts"))
    assert target(state="absent", arn=None)["changed"]
    assert world.targets() == {}


@pytest.mark.parametrize(("options", "words"), WRONG)
def test_what_is_wrong_is_told_before_any_call(world, calls, options, words):
    result, made = calls(**options)
    assert result["failed"]
    assert words in result["msg"]
    assert made == []


def test_choices_and_types_are_those_of_ansible(world, calls):
    for options in (
        {"message_template": "email"},
        {"state": "gone"},
        {"maximum_retry_attempts": "many"},
        {"rule": None},
    ):
        result, made = calls(**options)
        assert result["failed"]
        assert made == []


MISSING = [
    ({"rule": "none"}, "There is no rule none"),
    ({"event_bus_name": "none"}, "of the bus none"),
    ({"arn": f"{of.TOPIC}2"}, f"there is no {of.TOPIC}2"),
    ({"arn": f"{of.QUEUE}2"}, f"there is no {of.QUEUE}2"),
    ({"arn": f"{of.FUNCTION}2"}, f"there is no {of.FUNCTION}2"),
    ({"arn": f"{of.LOG_GROUP}s"}, f"there is no {of.LOG_GROUP}s"),
    ({"dead_letter_arn": f"{of.UNDELIVERED}3"}, "dead_letter_arn: there is no"),
]
WRONG_HERE = [
    ({"arn": of.TOPIC.replace("eu-central-1", "eu-west-1")}, "other regions only through an event bus"),
    ({"dead_letter_arn": of.QUEUE.replace("eu-central-1", "eu-west-1")}, "a queue in the region of the rule"),
    ({"arn": of.TOPIC.replace("123456789012", "111122223333")}, "give role_arn"),
    ({"role_arn": of.ROLE.replace("123456789012", "111122223333")}, "only roles of the rule's account"),
    ({"arn": f"arn:aws:sqs:{of.HERE}:plain.fifo", "message_group_id": "a"}, "content-based deduplication"),
    ({"arn": f"arn:aws:sns:{of.HERE}:encrypted"}, "a key that AWS manages"),
    ({"arn": f"arn:aws:sqs:{of.HERE}:encrypted"}, "SSE-SQS"),
    ({"dead_letter_arn": f"arn:aws:sqs:{of.HERE}:encrypted"}, "dead_letter_arn: "),
]


@pytest.mark.parametrize(("options", "words"), WRONG_HERE)
@pytest.mark.parametrize("check", [False, True])
def test_what_cannot_work_is_told_before_any_write(world, calls, options, words, check):
    world.sqs.create_queue(QueueName="plain.fifo", Attributes={"FifoQueue": "true"})
    world.sqs.create_queue(QueueName="encrypted", Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    world.sns.create_topic(Name="encrypted", Attributes={"KmsMasterKeyId": "alias/aws/sns"})
    result, made = calls(check=check, **options)
    assert result["failed"]
    assert words in result["msg"]
    assert writes(made) == []


@pytest.mark.parametrize(("options", "words"), MISSING)
def test_what_has_to_be_there_first_is_an_error_and_in_check_mode_a_warning(world, calls, options, words):
    result, made = calls(**options)
    assert result["failed"]
    assert words in result["msg"]
    assert writes(made) == []
    result, made = calls(check=True, **options)
    assert any(words in each for each in warnings(result))
    assert result["changed"]
    assert writes(made) == []


def test_the_targets_of_a_rule_share_a_statement_of_their_dead_letter_queue(world, target):
    def statements():
        return [each["Sid"] for each in world.policy(of.UNDELIVERED)]

    before = statements()
    for name in "ab":
        assert target(id=name, dead_letter_arn=of.UNDELIVERED)["changed"]
    (shared,) = set(statements()) - set(before)
    assert target(id="a", state="absent")["changed"]
    assert shared in statements()
    assert not target(id="b", dead_letter_arn=of.UNDELIVERED)["changed"]
    assert target(id="b", state="absent")["changed"]
    assert statements() == before


def test_a_rule_has_five_targets_and_no_sixth(world, calls):
    for number in range(5):
        assert calls(id=f"t{number}")[0]["changed"]
    result, made = calls(id="t5")
    assert "has 5 targets already" in result["msg"]
    assert writes(made) == []
    assert calls(id="t4", input_path="$.detail")[0]["changed"]


def test_a_key_of_ones_own_is_warned_of_when_the_target_is_made(world, target):
    world.sns.create_topic(Name="ours", Attributes={"KmsMasterKeyId": "alias/ours"})
    arn = f"arn:aws:sns:{of.HERE}:ours"
    (warning,) = warnings(target(arn=arn))
    assert "alias/ours" in warning
    assert warnings(target(arn=arn)) == []


@pytest.mark.parametrize(
    ("operation", "options", "right"),
    [
        ("GetTopicAttributes", {}, "sns:GetTopicAttributes"),
        ("GetQueueAttributes", {"arn": of.QUEUE}, "sqs:GetQueueAttributes"),
        ("ListTargetsByRule", {}, "events:ListTargetsByRule"),
        ("DescribeRule", {}, "events:DescribeRule"),
    ],
)
def test_a_read_that_is_denied_names_the_right(world, sandbox, calls, operation, options, right):
    sandbox.fault("access_denied", operations=[operation])
    result, made = calls(**options)
    assert f"Allow {right} to these credentials" in result["msg"]
    assert writes(made) == []


def test_who_keeps_policies_elsewhere_need_not_read_them(world, sandbox, calls):
    sandbox.fault("access_denied", operations=["GetTopicAttributes"])
    assert calls(resource_policy=False)[0]["changed"]
    assert not calls(resource_policy=False)[0]["changed"]


def test_a_run_that_breaks_off_tells_what_it_did_and_the_next_one_finishes(world, sandbox, target):
    sandbox.fault("access_denied", operations=["PutTargets"], times=1)
    result = target()
    assert f"Done before that: allowed the rule to reach {of.TOPIC}" in result["msg"]
    assert "Allow events:PutTargets" in result["msg"]
    assert target()["changed"]
    assert not target()["changed"]
    sandbox.fault("access_denied", operations=["SetTopicAttributes"], times=1)
    assert "Done before that: removed the target" in target(state="absent")["msg"]
    assert target(state="absent")["changed"]
    assert not target(state="absent")["changed"]


def test_a_role_that_was_made_a_moment_ago_is_waited_for(world, sandbox, target):
    words = f"Provided role '{of.ROLE}' cannot be assumed by principal 'events.amazonaws.com'."
    sandbox.fault("error", operations=["PutTargets"], code="ValidationException", message=words, status=400, times=1)
    assert target(role_arn=of.ROLE)["changed"]


@pytest.mark.parametrize(("options", "before"), [({}, []), ({"state": "absent"}, ["a"])])
def test_an_entry_that_eventbridge_does_not_take_is_a_failure(world, sandbox, target, options, before):
    for name in before:
        target(id=name)
    sandbox.fault("targets_refused", code="InternalFailure?", message="Not today.")
    result = target(**options)
    assert "InternalFailure?: Not today" in result["msg"]
    assert list(world.targets()) == before


def test_throttling_is_borne(world, sandbox, target):
    for operation in ("ListTargetsByRule", "PutTargets", "SetTopicAttributes"):
        sandbox.fault("throttling", operations=[operation], times=1)
    assert target()["changed"]
    assert not target()["changed"]


REACHED = {
    "topic": {"message_template": "sns_text"},
    "queue": {"arn": of.QUEUE, "message_template": "plain"},
    "FIFO queue": {"arn": of.FIFO, "message_group_id": "failures", "message_template": "sentry"},
    "function": {"arn": of.FUNCTION, "message_template": "pagerduty"},
    "alias": {"arn": f"{of.FUNCTION}:live"},
    "log group": {"arn": of.LOG_GROUP},
    "log group with a template": {
        "arn": of.LOG_GROUP,
        **template('{"timestamp": <time>, "message": <reason>}', time="$.time", reason="$.detail.reason"),
    },
}


@pytest.mark.parametrize("kind", REACHED)
def test_events_arrive(world, sandbox, target, kind):
    """The sandbox evaluates the policies, and allows no caller that AWS would not allow."""
    world.make_function()
    target(**REACHED[kind])
    event = sandbox.publish(service_action("placement", "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE", reason='"x"\n'))
    assert sandbox.settle()
    (delivery,) = [each for each in sandbox.deliveries(event=event["id"]) if each["kind"] == "target"]
    assert delivery["outcome"] == "delivered", delivery


def test_what_cannot_be_delivered_is_kept(world, sandbox, target):
    target(**UNDELIVERED)
    world.sns.delete_topic(TopicArn=of.TOPIC)
    event = sandbox.publish(service_action("placement", "ERROR", "SERVICE_TASK_PLACEMENT_FAILURE"))
    assert sandbox.settle()
    (message,) = world.sqs.receive_message(QueueUrl=world._url("undelivered"))["Messages"]
    assert json.loads(message["Body"])["id"] == event["id"]


def test_documents_may_be_written_as_yaml_and_templates_as_text(world, warm_playbook):
    where = {"endpoint_url": "{{ lookup('env', 'AWS_URL') }}", "rule": "failures", "id": "a", "arn": of.TOPIC}
    text = '{"reason": <reason>, "quoted": "<reason>", "team": "{{ team }}"}'
    transformer = {"input_paths_map": {"reason": "$.detail.stoppedReason"}, "input_template": text}
    document = {"input": {"text": "failed", "codes": [1, "2"]}}
    options = (document, document, {"input_transformer": transformer})
    tasks = [{"name": "Send", f"steadyops.ecs.{MODULE}": {**where, **each}} for each in options]
    first, again, template = warm_playbook(tasks, vars={"team": "shop"}).results()
    assert (first["changed"], again["changed"], template["changed"]) == (True, False, True)
    assert json.loads(first["target"]["input"]) == {"text": "failed", "codes": [1, "2"]}
    sent = world.targets()["a"]["InputTransformer"]
    assert sent["InputTemplate"] == '{"reason": <reason>, "quoted": "<reason>", "team": "shop"}'
