# Copyright (c) Contributors to the steadyops.ecs project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SNS operations that the sandbox answers itself: subscriptions that await confirmation, and publishing."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from .. import stored
from ..account import Account
from ..model.state import SandboxError
from ..wire import Call
from . import to_topic as deliver_sns
from .attempts import Delivery, RetryPolicy

CONFIRMED_BY_HAND = ("email", "email-json", "http", "https")
PENDING = "PendingConfirmation"  # the ARN of a subscription in lists, until it is confirmed
ENDPOINTS = {
    "email": (r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", "Email address"),
    "email-json": (r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", "Email address"),
    "http": (r"http://.+", "Endpoint must match the specified protocol"),
    "https": (r"https://.+", "Endpoint must match the specified protocol"),
    "sqs": (r"arn:aws[\w-]*:sqs:[\w-]+:\d{12}:.+", "SQS endpoint ARN"),
    "lambda": (r"arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:.+", "Lambda endpoint ARN"),
}
OTHERS = ("sms", "application", "firehose")


def subscribe(account: Account, call: Call) -> str:
    asked = call.parameters
    protocol, endpoint = asked.get("Protocol", ""), asked.get("Endpoint", "")
    if protocol not in ENDPOINTS and protocol not in OTHERS:
        raise invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    pattern, complaint = ENDPOINTS.get(protocol, (".*", ""))
    if not re.fullmatch(pattern, endpoint):
        raise invalid(complaint)
    backend = stored.backend("sns", call.region)
    known = backend._find_subscription(asked.get("TopicArn"), endpoint, protocol)
    if known is None:
        ask_moto(account, call)
        known = backend._find_subscription(asked["TopicArn"], endpoint, protocol)
        if protocol in CONFIRMED_BY_HAND:
            await_confirmation(account, known)
        count(known.topic)
    return arn_element(known, told=asked.get("ReturnSubscriptionArn") == "true")


def ask_moto(account: Account, call: Call) -> None:
    text = account.ask_moto("sns", call.region, call.operation, dict(call.parameters))
    code = re.search("<Code>(.*?)</Code>", text)
    if code:
        message = re.search("<Message>(.*?)</Message>", text, re.DOTALL)
        status = 404 if code[1] == "NotFound" else 400
        raise SandboxError(code[1], message[1] if message else "", status)


def await_confirmation(account: Account, subscription: Any) -> None:
    """Send the token that confirms a subscription, by mail or in a message to the web service."""
    real, token = subscription.arn, uuid.uuid4().hex * 4
    subscription.arn = PENDING
    subscription.attributes[PENDING] = "true"
    subscription.attributes["ConfirmationWasAuthenticated"] = "false"
    account.confirmations[token] = (subscription, real)
    url = f"{account.url}/_sandbox/confirm?{urlencode({'token': token})}"
    topic = subscription.topic_arn
    if subscription.protocol.startswith("email"):
        text = (
            f"You have chosen to subscribe to the topic: \n{topic}\n\nTo confirm this subscription, click or visit the "
            f"link below (If this was in error no action is necessary): \n{url}\n\nPlease do not reply directly to "
            "this email. If you wish to remove yourself from receiving all future SNS subscription confirmation "
            "requests please send an email to sns-opt-out\n"
        )
        send = partial(deliver_sns.mail, account, subscription, "AWS Notification - Subscription Confirmation", text)
    else:
        message = {
            "Type": "SubscriptionConfirmation",
            "MessageId": str(uuid.uuid4()),
            "Token": token,
            "TopicArn": topic,
            "Message": f"You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the "
            "SubscribeURL included in this message.",
            "SubscribeURL": url,
        }
        text = json.dumps(message, indent=2)
        headers = {"x-amz-sns-message-type": "SubscriptionConfirmation", "x-amz-sns-message-id": message["MessageId"]}
        send = partial(deliver_sns.post, account, subscription, text, headers)
    line = {
        "region": stored.region_of(topic),
        "kind": "confirmation",
        "rule": None,
        "target": subscription.endpoint,
        "arn": real,
        "event": None,
        "payload": text,
    }
    Delivery(account, line, send, RetryPolicy(3, 3600, lambda _retry: 20.0), lambda *_what: None)


def confirm(account: Account, token: str) -> Any:
    """Confirm and return a subscription. Raise LookupError if the token is unknown or used up."""
    subscription, real = account.confirmations.pop(token)
    subscription.arn = real
    subscription.attributes[PENDING] = "false"
    subscription.attributes["ConfirmationWasAuthenticated"] = "false"
    count(subscription.topic)
    return subscription


def confirm_endpoint(account: Account, endpoint: str, topic: str | None) -> list[str]:
    """Confirm every subscription of an endpoint, or only those to one topic (name or ARN). Return their ARNs."""
    tokens = [
        token
        for token, (subscription, _real) in account.confirmations.items()
        if subscription.endpoint == endpoint and topic in (None, subscription.topic_arn, subscription.topic.name)
    ]
    if not tokens:
        raise LookupError(f"no subscription of {endpoint} waits for a confirmation")
    return [confirm(account, token).arn for token in tokens]


def confirm_subscription(account: Account, call: Call) -> str:
    try:
        return arn_element(confirm(account, call.parameters.get("Token", "")), told=True)
    except LookupError:
        raise invalid("Token") from None


def count(topic: Any) -> None:
    """Update the subscription counts that GetTopicAttributes returns."""
    all_of_it = [each for each in topic.sns_backend.subscriptions.values() if each.topic_arn == topic.arn]
    waiting = sum(map(deliver_sns.pending, all_of_it))
    topic.subscriptions_pending, topic.subscriptions_confimed = waiting, len(all_of_it) - waiting


def list_subscriptions(_account: Account, call: Call) -> str | None:
    """List a topic's subscriptions. Moto cannot: it identifies them by ARN, and all pending ones share one ARN."""
    topic = stored.topic(call.parameters.get("TopicArn", ""))
    if topic is None:
        return None
    listed = ""
    for each in topic.sns_backend.subscriptions.values():
        if each.topic_arn == topic.arn:
            facts = {
                "TopicArn": topic.arn,
                "Protocol": each.protocol,
                "SubscriptionArn": each.arn,
                "Owner": topic.account_id,
                "Endpoint": each.endpoint,
            }
            listed += f"<member>{''.join(f'<{key}>{escape(text)}</{key}>' for key, text in facts.items())}</member>"
    return f"<Subscriptions>{listed}</Subscriptions>"


def unsubscribe(_account: Account, call: Call) -> None:
    if not call.parameters.get("SubscriptionArn", "").startswith("arn:"):
        raise invalid("SubscriptionArn Reason: An ARN must have at least 6 elements, not 1")


def arn_element(subscription: Any, told: bool) -> str:
    arn = subscription.arn
    if arn == PENDING:
        real = next(key for key, each in subscription.topic.sns_backend.subscriptions.items() if each is subscription)
        arn = real if told else "pending confirmation"
    return f"<SubscriptionArn>{arn}</SubscriptionArn>"


def publish(account: Account, call: Call) -> str | None:
    """Publish to a standard topic. Moto handles FIFO topics, phones and mobile applications."""
    asked = call.parameters
    arn = asked.get("TopicArn") or asked.get("TargetArn")
    topic = stored.topic(arn) if arn and arn.count(":") == 5 else None
    if topic is None or topic.fifo_topic:
        return None
    text, subject = asked.get("Message", ""), asked.get("Subject")
    structured = asked.get("MessageStructure") == "json"
    check_message(text, subject, structured)
    message = deliver_sns.publish(account, topic, text, subject, attributes_of(asked), structured)
    return f"<MessageId>{message}</MessageId>"


def publish_batch(account: Account, call: Call) -> str | None:
    topic = stored.topic(call.parameters.get("TopicArn", ""))
    if topic is None or topic.fifo_topic:
        return None
    done, failed, number = "", "", 1
    while name := call.parameters.get(f"PublishBatchRequestEntries.member.{number}.Id"):
        prefix = f"PublishBatchRequestEntries.member.{number}."
        asked = {key.removeprefix(prefix): value for key, value in call.parameters.items() if key.startswith(prefix)}
        try:
            one = publish(account, replace(call, parameters={**asked, "TopicArn": topic.arn}))
            done += f"<member><Id>{name}</Id>{one}</member>"
        except SandboxError as problem:
            failed += f"<member><Id>{name}</Id><Code>{problem.code}</Code><SenderFault>true</SenderFault></member>"
        number += 1
    return f"<Successful>{done}</Successful><Failed>{failed}</Failed>"


def check_message(text: str, subject: str | None, structured: bool) -> None:
    if not text:
        raise invalid("Empty message")
    if len(text.encode()) > 262_144:
        raise invalid("Message too long")
    if subject is not None and (not subject or len(subject) >= 100 or not subject.isprintable()):
        raise invalid("Subject")
    if structured:
        try:
            texts = json.loads(text)
        except ValueError as problem:
            raise invalid("Message Structure - JSON message body failed to parse") from problem
        if not isinstance(texts, dict) or "default" not in texts:
            raise invalid("Message Structure - No default entry in JSON message body")


def attributes_of(asked: Any) -> dict[str, Any]:
    """Read the message attributes from MessageAttributes.entry.1.Name, .Value.DataType and so on."""
    found, number = {}, 1
    while name := asked.get(f"MessageAttributes.entry.{number}.Name"):
        prefix = f"MessageAttributes.entry.{number}.Value."
        value = asked.get(prefix + "StringValue", asked.get(prefix + "BinaryValue"))
        found[name] = {"Type": asked.get(prefix + "DataType", "String"), "Value": value}
        number += 1
    return found


def invalid(what: str) -> SandboxError:
    return SandboxError("InvalidParameter", f"Invalid parameter: {what}")


OPERATIONS = {
    "Subscribe": subscribe,
    "ConfirmSubscription": confirm_subscription,
    "ListSubscriptionsByTopic": list_subscriptions,
    "Unsubscribe": unsubscribe,
    "Publish": publish,
    "PublishBatch": publish_batch,
}
