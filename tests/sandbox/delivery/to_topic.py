# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deliver a topic's messages to its confirmed subscriptions: mail, queues, functions and web services."""

from __future__ import annotations

import json
import smtplib
import uuid
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import formatdate
from functools import partial
from typing import Any, NamedTuple

from .. import stored
from ..access.permissions import need, need_key
from ..account import Account
from . import outbound
from . import to_function as deliver_lambda
from . import to_queue as deliver_sqs
from .attempts import Delivery, DeliveryFailed, RetryPolicy

SNS = "sns.amazonaws.com"
FOOTER = (
    "\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit the link below to "
    "unsubscribe:\n{unsubscribe}\n\nPlease do not reply directly to this email. If you have any questions or comments "
    "regarding this email, please contact us at https://aws.amazon.com/support\n"
)


class Message(NamedTuple):
    id: str
    topic_arn: str
    text: str  # as it was published; if ``structured``, JSON with one text for each protocol
    subject: str | None
    attributes: dict[str, Any]  # name -> {"Type", "Value"}
    structured: bool
    group: str | None
    time: str

    def text_for(self, protocol: str) -> str:
        if not self.structured:
            return self.text
        texts = json.loads(self.text)
        return str(texts.get(protocol, texts["default"]))


def publish_event(account: Account, topic: Any, payload: str, role: str | None = None) -> dict[str, Any]:
    """Publish an event for EventBridge. The caller has checked the permissions, except for the key."""
    need_key(stored.region_of(topic.arn), topic.kms_master_key_id, "topic", role=role)
    if topic.fifo_topic:
        text = "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
        raise DeliveryFailed("INVALID_PARAMETER", text)
    return {"message_id": publish(account, topic, payload)}


def publish(
    account: Account,
    topic: Any,
    text: str,
    subject: str | None = None,
    attributes: dict[str, Any] | None = None,
    structured: bool = False,
    group: str | None = None,
) -> str:
    """Publish to every confirmed subscription whose filter accepts the message. Each has its own delivery."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = Message(str(uuid.uuid4()), topic.arn, text, subject, attributes or {}, structured, group, now)
    topic.sent_notifications.append((message.id, text, subject, attributes, group))
    for subscription in list(topic.sns_backend.subscriptions.values()):
        matcher = subscription._filter_policy_matcher
        if subscription.topic_arn != topic.arn or pending(subscription):
            continue
        if matcher is None or matcher.matches(attributes or None, text):
            begin(account, subscription, message)
    return message.id


def pending(subscription: Any) -> bool:
    return str(subscription.attributes.get("PendingConfirmation")).lower() == "true"


def begin(account: Account, subscription: Any, message: Message) -> None:
    protocol, endpoint = subscription.protocol, subscription.endpoint
    line = {
        "region": stored.region_of(message.topic_arn),
        "kind": "subscription",
        "rule": None,
        "target": endpoint,
        "arn": subscription.arn,
        "event": message.id,
        "payload": message.text_for(protocol),
    }
    policy = RetryPolicy(3, 3600, lambda _retry: 20.0)
    send = partial(SENDERS.get(protocol, nowhere), account, subscription, message)
    Delivery(account, line, send, policy, partial(bury, subscription, message))


def notification(account: Account, subscription: Any, message: Message) -> dict[str, Any]:
    """Return the envelope in which SNS wraps a message. Its signature is not a real one."""
    region = stored.region_of(message.topic_arn)
    return {
        "Type": "Notification",
        "MessageId": message.id,
        "TopicArn": message.topic_arn,
        **({"Subject": message.subject} if message.subject else {}),
        "Message": message.text_for(subscription.protocol),
        "Timestamp": message.time,
        "SignatureVersion": "1",
        "Signature": "SANDBOX",
        "SigningCertURL": f"https://sns.{region}.amazonaws.com/SimpleNotificationService-sandbox.pem",
        "UnsubscribeURL": f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={subscription.arn}",
        **({"MessageAttributes": message.attributes} if message.attributes else {}),
    }


def raw(subscription: Any) -> bool:
    return str(subscription.attributes.get("RawMessageDelivery")).lower() == "true"


def to_queue(account: Account, subscription: Any, message: Message) -> Any:
    found = deliver_sqs.need_queue(subscription.endpoint)
    need(found.policy, "sqs:SendMessage", subscription.endpoint, {"aws:sourcearn": message.topic_arn}, SNS)
    need_key(stored.region_of(subscription.endpoint), found.kms_master_key_id, "queue", SNS)
    if raw(subscription):
        given = {name: str(value["Value"]) for name, value in message.attributes.items()}
        return deliver_sqs.put(subscription.endpoint, message.text_for("sqs"), message.group, given)
    return deliver_sqs.put(
        subscription.endpoint, json.dumps(notification(account, subscription, message)), message.group
    )


def to_function(account: Account, subscription: Any, message: Message) -> Any:
    arn = subscription.endpoint
    found = stored.function(arn)
    if found is None:
        raise DeliveryFailed("NO_RESOURCE", f"Function not found: {arn}")
    policy = {"Statement": found.policy.statements}
    need(policy, "lambda:InvokeFunction", arn, {"aws:sourcearn": message.topic_arn}, SNS)
    told = notification(account, subscription, message)
    told = {
        "Type": told["Type"],
        "MessageId": told["MessageId"],
        "TopicArn": told["TopicArn"],
        "Subject": message.subject,
        "Message": told["Message"],
        "Timestamp": told["Timestamp"],
        "SignatureVersion": told["SignatureVersion"],
        "Signature": told["Signature"],
        "SigningCertUrl": told["SigningCertURL"],
        "UnsubscribeUrl": told["UnsubscribeURL"],
        "MessageAttributes": message.attributes,
    }
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription.arn, "Sns": told}
    return deliver_lambda.invoke_later(account, arn, json.dumps({"Records": [record]}))


def to_web(account: Account, subscription: Any, message: Message) -> Any:
    body = message.text_for(subscription.protocol)
    if not raw(subscription):
        body = json.dumps(notification(account, subscription, message), indent=2)
    kind = {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": message.id}
    return post(account, subscription, body, {**kind, "x-amz-sns-subscription-arn": subscription.arn})


def post(account: Account, subscription: Any, body: str, headers: dict[str, str]) -> dict[str, Any]:
    headers = {
        **headers,
        "x-amz-sns-topic-arn": subscription.topic_arn,
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
    }
    try:
        reply = outbound.request(account, "POST", subscription.endpoint, headers, body.encode(), timeout=15)
    except outbound.Unreachable as problem:
        raise DeliveryFailed("CONNECTION_FAILURE", str(problem), retry=problem.refused) from problem
    if not 200 <= reply.status < 300:
        retry = reply.status == 429 or reply.status >= 500
        raise DeliveryFailed("ERROR_FROM_TARGET", f"HTTP {reply.status}: {reply.text[:200]}", retry)
    return {"status": reply.status}


def to_mailbox(account: Account, subscription: Any, message: Message) -> Any:
    text = message.text_for(subscription.protocol)
    if subscription.protocol == "email-json":
        text = json.dumps(notification(account, subscription, message), indent=2)
    else:
        region = stored.region_of(message.topic_arn)
        query = f"SubscriptionArn={subscription.arn}&Endpoint={subscription.endpoint}"
        text += FOOTER.format(unsubscribe=f"https://sns.{region}.amazonaws.com/unsubscribe.html?{query}")
    return mail(account, subscription, message.subject or "AWS Notification Message", text)


def mail(account: Account, subscription: Any, subject: str, text: str) -> dict[str, Any]:
    """Send mail by SMTP to the server set by POST settings {smtp: "127.0.0.1:2525"}; without one, only record it."""
    if not account.smtp:
        return {"subject": subject, "sent": False}
    host, _colon, port = account.smtp.rpartition(":")
    if not outbound.is_loopback(host):
        raise DeliveryFailed("CONNECTION_FAILURE", f"the mail server {account.smtp} is not on loopback")
    letter = EmailMessage()
    letter["From"] = f"{subscription.topic.display_name or 'AWS Notifications'} <no-reply@sns.amazonaws.com>"
    letter["To"] = subscription.endpoint
    letter["Subject"] = subject
    letter["Date"] = formatdate(account.now())
    letter["Message-ID"] = f"<{uuid.uuid4()}@eu-central-1.amazonses.com>"
    letter.set_content(text)
    try:
        with smtplib.SMTP(host, int(port), local_hostname="localhost", timeout=5) as server:
            server.send_message(letter, "no-reply@sns.amazonaws.com", [subscription.endpoint])
    except (OSError, smtplib.SMTPException) as problem:
        raise DeliveryFailed("CONNECTION_FAILURE", f"{type(problem).__name__}: {problem}", retry=True) from problem
    return {"subject": subject, "sent": True}


def nowhere(_account: Account, subscription: Any, _message: Message) -> Any:
    raise DeliveryFailed("UNKNOWN", f"the sandbox does not deliver to {subscription.protocol}")


SENDERS = {
    "sqs": to_queue,
    "lambda": to_function,
    "http": to_web,
    "https": to_web,
    "email": to_mailbox,
    "email-json": to_mailbox,
}


def bury(
    subscription: Any, message: Message, problem: DeliveryFailed, _condition: str | None, _retries: int
) -> str | None:
    """Send the message to the subscription's dead-letter queue, if it has one."""
    redrive = subscription.attributes.get("RedrivePolicy")
    queue = json.loads(redrive).get("deadLetterTargetArn") if redrive else None
    if not queue:
        return None
    try:
        found = deliver_sqs.need_queue(queue)
        need(found.policy, "sqs:SendMessage", queue, {"aws:sourcearn": message.topic_arn}, SNS)
        deliver_sqs.put(queue, message.text_for(subscription.protocol))
    except DeliveryFailed as lost:
        problem.message += f"; and the dead-letter queue does not take it: {lost}"
        return None
    return str(queue)
