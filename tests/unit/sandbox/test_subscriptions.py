# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a topic to mailboxes, web services, queues and functions, once their subscriptions are confirmed."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen

import pytest

from tests.sandbox.client import Sandbox

from .conftest import NUMBER, REGION, Aws, Mailbox, Web
from .event_stack import FAILED, function, messages, policy, queue, rule, statement, target, topic
from .test_event_rules import refusal

TOPIC = f"arn:aws:sns:{REGION}:{NUMBER}:alerts"


def subscribe(aws: Aws, protocol: str, endpoint: str, **attributes: str) -> str:
    answer = aws("sns").subscribe(TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)
    return str(answer["SubscriptionArn"])


def subscriptions(aws: Aws) -> list[str]:
    return [each["SubscriptionArn"] for each in aws("sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]]


def alert(events: Sandbox, aws: Aws, **target_details: Any) -> dict[str, Any]:
    """Create a rule with the topic, and publish one event."""
    rule(aws)
    target(aws, TOPIC, **target_details)
    event = events.publish(FAILED)
    assert events.settle()
    return event


def test_each_address_that_waits_is_listed(aws: Aws) -> None:
    topic(aws)
    for address in ("a@example.org", "b@example.org"):
        subscribe(aws, "email", address)
    listed = aws("sns").list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    assert [(each["Endpoint"], each["SubscriptionArn"]) for each in listed] == [
        ("a@example.org", "PendingConfirmation"),
        ("b@example.org", "PendingConfirmation"),
    ]


def test_a_mailbox_has_to_be_confirmed(events: Sandbox, aws: Aws, mailbox: Mailbox) -> None:
    events.settings(smtp=mailbox.address)
    topic(aws)
    assert subscribe(aws, "email", "ops@example.org") == "pending confirmation"
    assert subscribe(aws, "email", "ops@example.org") == "pending confirmation"
    assert subscriptions(aws) == ["PendingConfirmation"]
    assert aws("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["SubscriptionsPending"] == "1"
    assert events.settle()
    (letter,) = mailbox.letters
    assert letter["Subject"] == "AWS Notification - Subscription Confirmation"
    alert(events, aws)
    assert len(mailbox.letters) == 1

    link = next(line for line in letter.get_content().splitlines() if line.startswith("http://127.0.0.1"))
    with urlopen(link) as answer:
        confirmed = json.load(answer)["confirmed"]
    assert subscriptions(aws) == [confirmed]
    assert aws("sns").get_topic_attributes(TopicArn=TOPIC)["Attributes"]["SubscriptionsConfirmed"] == "1"
    events.publish(FAILED)
    assert events.settle()
    alert_letter = mailbox.letters[1]
    assert alert_letter["To"] == "ops@example.org"
    assert alert_letter["Subject"] == "AWS Notification Message"
    assert alert_letter["From"] == "AWS Notifications <no-reply@sns.amazonaws.com>"
    body, _line, footer = "\n".join(alert_letter.get_content().splitlines()).partition("\n--\n")
    assert json.loads(body)["detail"] == FAILED["detail"]
    assert f"unsubscribe.html?SubscriptionArn={confirmed}&Endpoint=ops@example.org" in footer


def test_a_text_comes_with_its_quotes(events: Sandbox, aws: Aws, mailbox: Mailbox) -> None:
    events.settings(smtp=mailbox.address)
    topic(aws, DisplayName="Alerts")
    subscribe(aws, "email", "ops@example.org")
    assert events.settle()  # the letter that asks for a confirmation has arrived, and is not the last one
    (arn,) = events.confirm_subscription("ops@example.org", "alerts")
    assert subscriptions(aws) == [arn]
    template = '"Task of <group> failed"\n"See the log"'
    alert(events, aws, InputTransformer={"InputPathsMap": {"group": "$.detail.group"}, "InputTemplate": template})
    letter = mailbox.letters[-1]
    assert letter["From"] == "Alerts <no-reply@sns.amazonaws.com>"
    assert letter.get_content().splitlines()[:2] == ['"Task of family:nightly failed"', '"See the log"']


def test_email_json_is_a_notification(events: Sandbox, aws: Aws, mailbox: Mailbox) -> None:
    events.settings(smtp=mailbox.address)
    topic(aws)
    subscribe(aws, "email-json", "ops@example.org")
    assert events.settle()
    events.confirm_subscription("ops@example.org")
    event = alert(events, aws)
    told = json.loads(mailbox.letters[-1].get_content())
    assert (told["Type"], told["TopicArn"], json.loads(told["Message"])) == ("Notification", TOPIC, event)


def test_a_mail_server_that_is_away_is_asked_again(events: Sandbox, aws: Aws) -> None:
    events.settings(smtp="127.0.0.1:9")
    topic(aws)
    subscribe(aws, "email", "ops@example.org")
    events.confirm_subscription("ops@example.org")
    alert(events, aws)
    (line,) = [each for each in events.deliveries() if each["kind"] == "subscription"]
    assert (line["outcome"], len(line["attempts"]), line["error"]["code"]) == ("lost", 4, "CONNECTION_FAILURE")


def test_without_a_mail_server_the_journal_has_the_mail(events: Sandbox, aws: Aws) -> None:
    topic(aws)
    subscribe(aws, "email", "ops@example.org")
    events.confirm_subscription("ops@example.org")
    aws("sns").publish(TopicArn=TOPIC, Message="text", Subject="Something failed")
    assert events.settle()
    line = events.deliveries()[-1]
    assert (line["target"], line["payload"]) == ("ops@example.org", "text")
    assert line["result"] == {"subject": "Something failed", "sent": False}


@pytest.mark.parametrize(("protocol", "endpoint", "text"), [
    ("email", "ops", "Email address"),
    ("email", "ops@example", "Email address"),
    ("email", "a b@example.org", "Email address"),
    ("http", "https://example.org", "Endpoint must match the specified protocol"),
    ("sqs", "https://queue", "SQS endpoint ARN"),
    ("lambda", "alert", "Lambda endpoint ARN"),
    ("carrier", "pigeon", "does not support this protocol string: carrier"),
])  # fmt: skip
def test_subscribe_refuses(events: Sandbox, aws: Aws, protocol: str, endpoint: str, text: str) -> None:
    topic(aws)
    found = refusal(aws("sns").subscribe, TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint)
    assert found[0] == "InvalidParameter"
    assert text in found[1]
    assert subscriptions(aws) == []


def test_an_unknown_topic(events: Sandbox, aws: Aws) -> None:
    found = refusal(aws("sns").subscribe, TopicArn=TOPIC, Protocol="email", Endpoint="a@example.org")
    assert found[0] in ("NotFound", "NotFoundException")
    assert refusal(aws("sns").publish, TopicArn=TOPIC, Message="x")[0] in ("NotFound", "NotFoundException")


def test_a_pending_subscription_has_no_arn_to_unsubscribe(events: Sandbox, aws: Aws) -> None:
    topic(aws)
    subscribe(aws, "email", "ops@example.org")
    assert refusal(aws("sns").unsubscribe, SubscriptionArn="PendingConfirmation")[0] == "InvalidParameter"
    told = aws("sns").subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="b@example.org", ReturnSubscriptionArn=True)
    assert told["SubscriptionArn"].startswith(f"{TOPIC}:")
    aws("sns").unsubscribe(SubscriptionArn=told["SubscriptionArn"])
    assert len(subscriptions(aws)) == 1


def test_a_web_service_confirms_with_the_token(events: Sandbox, aws: Aws, web: Web) -> None:
    events.settings(routes={"https://hooks.example.org": web.url})
    topic(aws)
    subscribe(aws, "https", "https://hooks.example.org/sns")
    assert events.settle()
    told = json.loads(web.requests[0]["body"])
    assert told["Type"] == "SubscriptionConfirmation"
    assert web.requests[0]["headers"]["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert refusal(aws("sns").confirm_subscription, TopicArn=TOPIC, Token="wrong")[0] == "InvalidParameter"
    arn = aws("sns").confirm_subscription(TopicArn=TOPIC, Token=told["Token"])["SubscriptionArn"]
    assert subscriptions(aws) == [arn]
    web.answers = [(503, {}, {})]
    event = alert(events, aws)
    assert [request["path"] for request in web.requests] == ["/sns"] * 3
    assert json.loads(json.loads(web.requests[-1]["body"])["Message"]) == event


def test_a_queue_needs_a_policy_for_the_topic(events: Sandbox, aws: Aws) -> None:
    topic(aws)
    arn = queue(aws)
    subscribe(aws, "sqs", arn)
    alert(events, aws)
    line = events.deliveries()[-1]
    assert (line["outcome"], line["error"]["code"]) == ("lost", "NO_PERMISSIONS")
    told = statement("sqs:SendMessage", arn, TOPIC, Principal={"Service": "sns.amazonaws.com"})
    url = aws("sqs").get_queue_url(QueueName="alerts")["QueueUrl"]
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(told)})
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})  # and the policy stays
    event = events.publish(FAILED)
    assert events.settle()
    told = json.loads(messages(aws)[0]["Body"])
    assert (told["Type"], json.loads(told["Message"])) == ("Notification", event)


def test_raw_messages_and_filters(events: Sandbox, aws: Aws) -> None:
    topic(aws)
    told = policy(statement("sqs:SendMessage", "*", TOPIC, Principal={"Service": "sns.amazonaws.com"}))
    arn = queue(aws, Policy=told)
    subscribe(aws, "sqs", arn, RawMessageDelivery="true", FilterPolicy='{"team": ["ops"]}')
    for team in ("ops", "web"):
        attribute = {"team": {"DataType": "String", "StringValue": team}}
        aws("sns").publish(TopicArn=TOPIC, Message=f"for {team}", MessageAttributes=attribute)
    assert events.settle()
    assert [each["Body"] for each in messages(aws)] == ["for ops"]


def test_a_function_gets_a_record(events: Sandbox, aws: Aws) -> None:
    topic(aws)
    arn = function(aws, "def main(event, context):\n    return event['Records'][0]['Sns']['Message']\n")
    subscribe(aws, "lambda", arn)
    aws("lambda").add_permission(
        FunctionName="alert",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=TOPIC,
    )
    event = alert(events, aws)
    line = events.deliveries()[-1]
    assert (line["kind"], line["outcome"]) == ("invocation", "delivered")
    assert json.loads(json.loads(line["result"]["payload"])) == event


def test_a_batch_is_published_one_by_one(events: Sandbox, aws: Aws) -> None:
    topic(aws)
    subscribe(aws, "email", "ops@example.org")
    events.confirm_subscription("ops@example.org")
    entries = [{"Id": "a", "Message": "first"}, {"Id": "b", "Message": ""}, {"Id": "c", "Message": "third"}]
    answer = aws("sns").publish_batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["a", "c"]
    assert [each["Id"] for each in answer["Failed"]] == ["b"]
    assert events.settle()
    assert {line["payload"] for line in events.deliveries() if line["kind"] == "subscription"} == {"first", "third"}


@pytest.mark.parametrize(("parameters", "text"), [
    ({"Message": ""}, "Empty message"),
    ({"Message": "x", "Subject": "s" * 101}, "Subject"),
    ({"Message": "x", "Subject": "two\nlines"}, "Subject"),
    ({"Message": "x", "MessageStructure": "json"}, "JSON message body failed to parse"),
    ({"Message": "{}", "MessageStructure": "json"}, "No default entry"),
])  # fmt: skip
def test_publish_refuses(events: Sandbox, aws: Aws, parameters: dict[str, str], text: str) -> None:
    topic(aws)
    found = refusal(aws("sns").publish, TopicArn=TOPIC, **parameters)
    assert found[0] == "InvalidParameter"
    assert text in found[1]
