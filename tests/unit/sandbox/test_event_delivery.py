# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an event to queues, log groups and streams: permissions, retries, and what is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.client import Sandbox

from .conftest import NUMBER, REGION, Aws
from .event_stack import FAILED, function, messages, policy, queue, role, rule, statement, target, topic


def deliver(events: Sandbox, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """Publish an event, and return the one line that it leaves in the journal."""
    published = events.publish(event or FAILED)
    assert events.settle()
    (line,) = [each for each in events.deliveries(event=published["id"]) if each["kind"] == "target"]
    return line


def test_a_queue_gets_the_event_as_it_was(events: Sandbox, aws: Aws) -> None:
    target(aws, queue(aws, source=rule(aws)))
    line = deliver(events)
    (message,) = messages(aws)
    assert json.loads(message["Body"])["detail"] == FAILED["detail"]
    assert list(json.loads(message["Body"]))[:4] == ["version", "id", "detail-type", "source"]
    assert (line["outcome"], len(line["attempts"]), line["target"]) == ("delivered", 1, "t")


def test_what_does_not_match_is_not_delivered(events: Sandbox, aws: Aws) -> None:
    target(aws, queue(aws, source=rule(aws)))
    events.publish({**FAILED, "detail": {"containers": [{"exitCode": 143}]}})
    assert events.settle()
    assert events.deliveries() == []
    assert len(events.events()) == 1


@pytest.mark.parametrize(("state", "read_only", "reached"), [
    ("ENABLED", False, True),
    ("DISABLED", False, False),
    ("ENABLED", True, False),
    ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", True, True),
])  # fmt: skip
def test_the_state_of_a_rule_decides(events: Sandbox, aws: Aws, state: str, read_only: bool, reached: bool) -> None:
    pattern = json.dumps({"source": ["aws.ecs"]})
    aws("events").put_rule(Name="calls", EventPattern=pattern, State=state)
    target(aws, queue(aws), "calls")
    call = {"source": "aws.ecs", "detail-type": "AWS API Call via CloudTrail", "detail": {"readOnly": read_only}}
    events.publish(call)
    assert events.settle()
    assert bool(events.deliveries()) == reached


def test_events_of_ones_own_come_by_put_events(events: Sandbox, aws: Aws) -> None:
    aws("events").create_event_bus(Name="own")
    pattern = json.dumps({"source": ["shop"]})
    arn = aws("events").put_rule(Name="orders", EventBusName="own", EventPattern=pattern)["RuleArn"]
    aws("events").put_targets(Rule="orders", EventBusName="own", Targets=[{"Id": "q", "Arn": queue(aws, source=arn)}])
    entry = {"Source": "shop", "DetailType": "order", "Detail": '{"n": 1}', "EventBusName": "own"}
    answer = aws("events").put_events(Entries=[entry, {**entry, "EventBusName": "default"}])
    assert answer["FailedEntryCount"] == 0
    assert events.settle()
    (message,) = messages(aws)
    body = json.loads(message["Body"])
    assert (body["id"], body["detail"]) == (answer["Entries"][0]["EventId"], {"n": 1})


def test_a_fifo_queue_gets_a_group(events: Sandbox, aws: Aws) -> None:
    arn = queue(aws, "alerts.fifo", rule(aws), FifoQueue="true", ContentBasedDeduplication="true")
    target(aws, arn, SqsParameters={"MessageGroupId": "failures"})
    assert deliver(events)["outcome"] == "delivered"
    (message,) = messages(aws, "alerts.fifo")
    assert message["Attributes"]["MessageGroupId"] == "failures"


def test_a_transformed_event(events: Sandbox, aws: Aws) -> None:
    transformer = {"InputPathsMap": {"group": "$.detail.group"}, "InputTemplate": '{"text": "failed: <group>"}'}
    target(aws, queue(aws, source=rule(aws)), InputTransformer=transformer)
    assert deliver(events)["payload"] == '{"text":"failed: family:nightly"}'
    assert messages(aws)[0]["Body"] == '{"text":"failed: family:nightly"}'


def test_what_renders_to_no_json_goes_to_the_dead_letters(events: Sandbox, aws: Aws) -> None:
    arn = rule(aws)
    transformer = {"InputPathsMap": {"all": "$.detail"}, "InputTemplate": '{"text": "<all>"}'}
    dead = queue(aws, "dead", arn)
    target(aws, queue(aws, source=arn), InputTransformer=transformer, DeadLetterConfig={"Arn": dead})
    line = deliver(events)
    assert (line["outcome"], line["error"]["code"], len(line["attempts"])) == ("dead-letter", "INVALID_JSON", 1)
    attributes = {name: value["StringValue"] for name, value in messages(aws, "dead")[0]["MessageAttributes"].items()}
    assert attributes.pop("ERROR_MESSAGE").startswith("Invalid JSON provided.")
    assert attributes == {
        "RULE_ARN": arn,
        "TARGET_ARN": f"arn:aws:sqs:{REGION}:{NUMBER}:alerts",
        "ERROR_CODE": "INVALID_JSON",
        "RETRY_ATTEMPTS": "0",
    }


# -- permissions ----------------------------------------------------------------------------------------------------

SQS = f"arn:aws:sqs:{REGION}:{NUMBER}:alerts"
RULE = f"arn:aws:events:{REGION}:{NUMBER}:rule/failures"
OTHER = RULE.replace("failures", "other")


@pytest.mark.parametrize(("statements", "allowed"), [
    ([], False),
    ([statement("sqs:SendMessage", SQS, RULE)], True),
    ([statement("SQS:sendmessage", "*", None)], True),
    ([statement("sqs:*", SQS, f"{RULE[:-4]}*")], True),
    ([statement("sqs:SendMessage", SQS, OTHER)], False),
    ([statement("sqs:SendMessage", SQS, OTHER), statement("sqs:SendMessage", SQS, RULE)], True),
    ([statement("sqs:ReceiveMessage", SQS, RULE)], False),
    ([statement("sqs:SendMessage", f"{SQS}2", RULE)], False),
    ([statement("sqs:SendMessage", SQS, RULE, Principal={"Service": "sns.amazonaws.com"})], False),
    ([statement("sqs:SendMessage", SQS, RULE), statement("sqs:SendMessage", SQS, None, Effect="Deny")], False),
    ([statement("sqs:SendMessage", SQS, None, Condition={"NumericLessThan": {"aws:x": "1"}})], False),
])  # fmt: skip
def test_the_policy_of_a_queue(events: Sandbox, aws: Aws, statements: list[dict[str, Any]], allowed: bool) -> None:
    rule(aws)
    target(aws, queue(aws, Policy=policy(*statements)))
    line = deliver(events)
    assert (line["outcome"], len(line["attempts"])) == ("delivered" if allowed else "lost", 1)
    if not allowed:
        assert line["error"]["code"] == "NO_PERMISSIONS"
        assert "sqs:SendMessage" in line["error"]["message"]


def test_a_topic_does_not_hear_of_the_rule_that_publishes(events: Sandbox, aws: Aws) -> None:
    source = rule(aws)
    arn = topic(aws, allowed=False)
    target(aws, arn)
    for told, outcome in (
        (statement("sns:Publish", arn, source), "lost"),
        (statement("sns:Publish", arn, None), "delivered"),
    ):
        aws("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy(told))
        line = deliver(events)
        assert line["outcome"] == outcome
        if outcome == "lost":
            assert "aws:SourceArn is not sent" in line["error"]["message"]


def test_a_function_does_not_hear_of_the_account(events: Sandbox, aws: Aws) -> None:
    source = rule(aws)
    arn = function(aws, "def main(event, context): return 1")
    target(aws, arn)
    told = {"FunctionName": "alert", "Action": "lambda:InvokeFunction", "Principal": "events.amazonaws.com"}
    aws("lambda").add_permission(**told, StatementId="a", SourceArn=source, SourceAccount=NUMBER)
    assert deliver(events)["error"]["code"] == "NO_PERMISSIONS"
    aws("lambda").add_permission(**told, StatementId="b", SourceArn=source)
    assert deliver(events)["outcome"] == "delivered"


def test_a_role_instead_of_a_policy(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    arn = queue(aws)
    target(aws, arn, RoleArn=role(aws, "sqs:SendMessage", arn))
    assert deliver(events)["outcome"] == "delivered"
    aws("iam").put_role_policy(
        RoleName="events",
        PolicyName="deliver",
        PolicyDocument=policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
    )
    assert deliver(events)["error"]["code"] == "NO_PERMISSIONS"
    aws("iam").delete_role_policy(RoleName="events", PolicyName="deliver")
    aws("iam").delete_role(RoleName="events")
    assert deliver(events)["error"]["code"] == "FAILED_TO_ASSUME_ROLE"


@pytest.mark.parametrize("kind", ["sqs", "sns"])
def test_a_key_of_aws_lets_nobody_in_and_a_key_of_ones_own_may(events: Sandbox, aws: Aws, kind: str) -> None:
    source = rule(aws)
    arn = (
        queue(aws, source=source, KmsMasterKeyId="alias/aws/sqs")
        if kind == "sqs"
        else topic(aws, KmsMasterKeyId="alias/aws/sns")
    )
    target(aws, arn)
    line = deliver(events)
    assert (line["outcome"], line["error"]["code"]) == ("lost", "NO_PERMISSIONS")
    assert "AWS managed key" in line["error"]["message"]

    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    if kind == "sqs":
        url = aws("sqs").get_queue_url(QueueName="alerts")["QueueUrl"]
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    else:
        aws("sns").set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key)
    assert "kms:Decrypt" in deliver(events)["error"]["message"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Resource": "*"}
    document = policy({**allow, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"]})
    aws("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=document)
    assert deliver(events)["outcome"] == "delivered"


def test_a_role_needs_the_key_of_a_topic(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    arn = topic(aws, allowed=False, KmsMasterKeyId="alias/aws/sns")
    target(aws, arn, RoleArn=role(aws, "sns:Publish", arn))
    assert deliver(events)["outcome"] == "delivered"
    key = aws("kms").create_key()["KeyMetadata"]["Arn"]
    aws("sns").set_topic_attributes(TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=key)
    assert "kms:Decrypt" in deliver(events)["error"]["message"]
    uses = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": key}
    aws("iam").put_role_policy(RoleName="events", PolicyName="key", PolicyDocument=policy(uses))
    assert deliver(events)["outcome"] == "delivered"


# -- retries and dead letters ---------------------------------------------------------------------------------------


def test_a_failure_that_passes_is_tried_again(events: Sandbox, aws: Aws) -> None:
    target(aws, queue(aws, source=rule(aws)))
    events.fault("delivery_fails", times=3, code="THROTTLING")
    line = deliver(events)
    assert [each["outcome"] for each in line["attempts"]] == ["THROTTLING"] * 3 + ["ok"]
    assert line["outcome"] == "delivered"
    assert len(messages(aws)) == 1


def test_retries_end(events: Sandbox, aws: Aws) -> None:
    arn = rule(aws)
    dead = queue(aws, "dead", arn)
    retries = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600}
    target(aws, queue(aws, source=arn), RetryPolicy=retries, DeadLetterConfig={"Arn": dead})
    events.fault("delivery_fails")
    line = deliver(events)
    assert (line["outcome"], line["dead_letter"], len(line["attempts"])) == ("dead-letter", dead, 3)
    (message,) = messages(aws, "dead")
    attributes = message["MessageAttributes"]
    assert attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"]["StringValue"] == "2"
    assert json.loads(message["Body"])["detail"] == FAILED["detail"]


def test_age_ends_retries_too(events: Sandbox, aws: Aws) -> None:
    arn = rule(aws)
    dead = queue(aws, "dead", arn)
    target(aws, queue(aws, source=arn), RetryPolicy={"MaximumEventAgeInSeconds": 60}, DeadLetterConfig={"Arn": dead})
    events.fault("delivery_fails")
    deliver(events)
    attributes = messages(aws, "dead")[0]["MessageAttributes"]
    assert attributes["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == "MaximumEventAgeInSeconds"


def test_what_cannot_pass_is_not_tried_again(events: Sandbox, aws: Aws) -> None:
    target(aws, queue(aws, source=rule(aws)))
    events.fault("delivery_fails", retryable=False, times=1)
    line = deliver(events)
    assert (line["outcome"], len(line["attempts"])) == ("lost", 1)


def test_a_queue_that_is_gone(events: Sandbox, aws: Aws) -> None:
    target(aws, queue(aws, source=rule(aws)))
    aws("sqs").delete_queue(QueueUrl=aws("sqs").get_queue_url(QueueName="alerts")["QueueUrl"])
    assert deliver(events)["error"]["code"] == "NO_RESOURCE"


def test_a_dead_letter_queue_wants_a_policy_too(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    target(aws, queue(aws), DeadLetterConfig={"Arn": queue(aws, "dead")})
    line = deliver(events)
    assert (line["outcome"], line["dead_letter"]) == ("lost", None)
    assert "the dead-letter queue does not take it" in line["error"]["message"]
    assert messages(aws, "dead") == []


def test_an_event_may_come_twice(events: Sandbox, aws: Aws) -> None:
    target(aws, queue(aws, source=rule(aws)))
    events.fault("delivered_twice", times=1)
    line = deliver(events)
    assert [each["outcome"] for each in line["attempts"]] == ["ok", "ok, a second time"]
    assert len(messages(aws)) == 2


def test_faults_of_deliveries_name_their_target(events: Sandbox, aws: Aws) -> None:
    arn = rule(aws)
    target(aws, queue(aws, source=arn))
    target(aws, queue(aws, "spare", arn), name="spare")
    events.fault("delivery_fails", target="*:spare", retryable=False)
    events.publish(FAILED)
    assert events.settle()
    assert {line["target"]: line["outcome"] for line in events.deliveries()} == {"t": "delivered", "spare": "lost"}
    events.clear_faults("delivery_fails")
    assert events.state()["faults"] == []


def test_a_reset_forgets_what_waits(events: Sandbox, aws: Aws) -> None:
    target(aws, queue(aws, source=rule(aws)))
    events.settings(speed=1)
    events.fault("delivery_fails")
    events.publish(FAILED)
    assert events.settle(retries=False)
    assert not events.settle(timeout=0.1)
    events.reset(speed=500)
    assert events.settle(timeout=60)
    assert events.deliveries() == []


# -- other targets --------------------------------------------------------------------------------------------------

GROUP = "/ecs/events/failures"
GROUP_ARN = f"arn:aws:logs:{REGION}:{NUMBER}:log-group:{GROUP}"


def log_statement(**more: Any) -> dict[str, Any]:
    both = {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return {"Effect": "Allow", "Principal": both, "Action": actions, "Resource": f"{GROUP_ARN}:*", **more}


def logged(aws: Aws) -> list[str]:
    return [each["message"] for each in aws("logs").filter_log_events(logGroupName=GROUP)["events"]]


@pytest.mark.parametrize("of_group", [True, False])
def test_a_log_group(events: Sandbox, aws: Aws, of_group: bool) -> None:
    rule(aws)
    aws("logs").create_log_group(logGroupName=GROUP)
    where = {"resourceArn": GROUP_ARN} if of_group else {}
    aws("logs").put_resource_policy(policyName="events", policyDocument=policy(log_statement()), **where)
    target(aws, GROUP_ARN)
    assert deliver(events)["outcome"] == "delivered"
    transformer = {
        "InputPathsMap": {"time": "$.time", "group": "$.detail.group"},
        "InputTemplate": '{"timestamp": <time>, "message": <group>}',
    }
    target(aws, GROUP_ARN, InputTransformer=transformer)
    assert deliver(events)["outcome"] == "delivered"
    first, second = logged(aws)
    assert json.loads(first)["detail"] == FAILED["detail"]
    assert second == "family:nightly"
    assert len(aws("logs").describe_log_streams(logGroupName=GROUP)["logStreams"]) == 2


@pytest.mark.parametrize("told", [
    log_statement(Principal={"Service": "events.amazonaws.com"}),
    log_statement(Resource=GROUP_ARN),
    log_statement(Action="logs:PutLogEvents"),
    log_statement(Condition={"ArnEquals": {"aws:SourceArn": RULE}}),
])  # fmt: skip
def test_policies_that_do_not_open_a_log_group(events: Sandbox, aws: Aws, told: dict[str, Any]) -> None:
    rule(aws)
    aws("logs").create_log_group(logGroupName=GROUP)
    aws("logs").put_resource_policy(policyName="events", policyDocument=policy(told))
    target(aws, GROUP_ARN)
    assert deliver(events)["error"]["code"] == "NO_PERMISSIONS"


def test_a_log_group_takes_only_timestamp_and_message(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    aws("logs").create_log_group(logGroupName=GROUP)
    aws("logs").put_resource_policy(policyName="events", policyDocument=policy(log_statement()))
    target(aws, GROUP_ARN, InputTransformer={"InputPathsMap": {}, "InputTemplate": '{"text": "failed"}'})
    assert deliver(events)["error"]["code"] == "INVALID_PARAMETER"


def test_policies_of_log_groups_have_revisions(events: Sandbox, aws: Aws) -> None:
    logs = aws("logs")
    logs.create_log_group(logGroupName=GROUP)
    told = {"policyName": "events", "policyDocument": policy(log_statement()), "resourceArn": GROUP_ARN}
    first = logs.put_resource_policy(**told)["revisionId"]
    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.put_resource_policy(**told)
    second = logs.put_resource_policy(**told, expectedRevisionId=first)["revisionId"]
    (found,) = logs.describe_resource_policies(resourceArn=GROUP_ARN)["resourcePolicies"]
    assert (found["policyScope"], found["revisionId"]) == ("RESOURCE", second)
    assert logs.describe_resource_policies()["resourcePolicies"] == []
    logs.delete_resource_policy(resourceArn=GROUP_ARN, expectedRevisionId=second)
    assert logs.describe_resource_policies(policyScope="RESOURCE")["resourcePolicies"] == []


def test_a_state_machine_is_started(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    definition = {"StartAt": "a", "States": {"a": {"Type": "Pass", "End": True}}}
    machine = aws("stepfunctions").create_state_machine(
        name="job", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{NUMBER}:role/job"
    )["stateMachineArn"]
    target(aws, machine, RoleArn=role(aws, "states:StartExecution", machine))
    assert deliver(events)["outcome"] == "delivered"
    (execution,) = aws("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    told = aws("stepfunctions").describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(told)["detail"] == FAILED["detail"]


def test_another_bus_gets_the_event(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    bus = aws("events").create_event_bus(Name="central")["EventBusArn"]
    target(aws, bus, RoleArn=role(aws, "events:PutEvents", bus))
    arn = aws("events").put_rule(Name="all", EventBusName="central", EventPattern='{"source": ["aws.ecs"]}')["RuleArn"]
    aws("events").put_targets(Rule="all", EventBusName="central", Targets=[{"Id": "q", "Arn": queue(aws, source=arn)}])
    published = events.publish(FAILED)
    assert events.settle()
    assert json.loads(messages(aws)[0]["Body"])["id"] == published["id"]
    assert [each["bus"] for each in events.events()] == ["default", "central"]


def test_a_stream_gets_a_record(events: Sandbox, aws: Aws) -> None:
    rule(aws)
    aws("kinesis").create_stream(StreamName="failures", ShardCount=1)
    arn = f"arn:aws:kinesis:{REGION}:{NUMBER}:stream/failures"
    target(
        aws, arn, RoleArn=role(aws, "kinesis:PutRecord", arn), KinesisParameters={"PartitionKeyPath": "$.detail.group"}
    )
    assert deliver(events)["outcome"] == "delivered"
    shard = aws("kinesis").list_shards(StreamName="failures")["Shards"][0]["ShardId"]
    start = aws("kinesis").get_shard_iterator(StreamName="failures", ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = aws("kinesis").get_records(ShardIterator=start["ShardIterator"])["Records"]
    assert record["PartitionKey"] == "family:nightly"
    assert json.loads(record["Data"])["detail"] == FAILED["detail"]
